/* What a seat keeps for its next transaction: told by the steps that it spares, which are the time
 * that somebody with a stopwatch would see. */
#include "base/checked.h"
#include "memory_rules.h"

#define RULE(id, words)                                                                            \
    "SecRule REQUEST_HEADERS|REQUEST_HEADERS_NAMES|REQUEST_COOKIES|ARGS|REQUEST_URI \"@rx " words  \
    "\" \"id:" id ",phase:1,pass,log,t:none,t:urlDecodeUni,t:lowercase\"\n"

static const char *const texts[] = {RULE("1", "union\\s+select"), RULE("2", "etc/passwd")};

struct seen {
    uint64_t steps;
    size_t matches;
};

static struct seen judge_as(const struct rules *rules, struct rp_waf_kept *kept, const char *method,
                            const char *uri, const char *header, const char *value) {
    struct rp_waf_site site = {.mode = RP_WAF_ON, .logged_only = true, .kept = kept};
    struct rp_waf_connection connection = {.client_address = RP_VIEW("192.0.2.7")};
    struct rp_arena *arena = rp_arena_new(1 << 20);
    struct rp_waf_tx *tx = NULL;
    struct seen seen = {0};
    assert_ok(rp_waf_tx_new(rules->waf, &site, &connection, arena, &tx));
    assert_ok(
        rp_waf_tx_line(tx, rp_view_from_cstr(method), rp_view_from_cstr(uri), RP_VIEW("HTTP/1.1")));
    assert_ok(rp_waf_tx_header(tx, rp_view_from_cstr(header), rp_view_from_cstr(value)));
    assert_ok(rp_waf_tx_headers_done(tx));
    (void)rp_waf_tx_matches(tx, &seen.matches, NULL);
    seen.steps = rp_waf_tx_verdict(tx)->steps;
    rp_waf_tx_done(tx);
    rp_arena_free(arena);
    return seen;
}

static struct seen judge(const struct rules *rules, struct rp_waf_kept *kept, const char *uri,
                         const char *header, const char *value) {
    return judge_as(rules, kept, "GET", uri, header, value);
}

static uint64_t judge_method(const struct rules *rules, struct rp_waf_kept *kept,
                             const char *method) {
    return judge_as(rules, kept, method, "/", "Accept", "*/*").steps;
}

/* Is a request judged sooner that repeats what came before than one that is as long? */
static bool is_told(const struct rules *rules, const char *uris[2], const char *header,
                    const char *values[2]) {
    struct rp_waf_kept *kept = rp_waf_kept_new();
    (void)judge(rules, kept, uris[0], header, values[0]);
    (void)judge(rules, kept, uris[0], header, values[0]);
    uint64_t again = judge(rules, kept, uris[0], header, values[0]).steps;
    uint64_t other = judge(rules, kept, uris[1], header, values[1]).steps;
    rp_waf_kept_free(kept);
    assert_true(again <= other);
    return again < other;
}

static void only_what_browsers_repeat_is_kept(void **state) {
    (void)state;
    struct rules rules = open_rules(texts[0]);
    const char *same[2] = {"/", "/"}, *values[2] = {"One=Two%20+Three", "One=Six%20+Seven"};
    const char *paths[2] = {"/Reset%20me?token=Abcdef", "/Reset%20us?token=Ghijkl"};
    const char *quiet[2] = {"*/*", "*/*"};
    char long_texts[2][300];
    memset(long_texts, 'x', sizeof long_texts);
    memset(long_texts[1], 'y', sizeof long_texts[1]);
    long_texts[0][299] = long_texts[1][299] = '\0';
    static const char *const kept[] = {"User-Agent", "accept", "ACCEPT-LANGUAGE", "Host"};
    static const char *const secret[] = {"Cookie",          "Authorization", "Referer",
                                         "X-Forwarded-For", "X-Api-Key",     "If-None-Match"};
    for (size_t i = 0; i < RP_COUNT_OF(kept); i++) {
        assert_true(is_told(&rules, same, kept[i], values));
    }
    for (size_t i = 0; i < RP_COUNT_OF(secret); i++) {
        assert_false(is_told(&rules, same, secret[i], values));
    }
    assert_false(is_told(&rules, paths, "Accept", quiet));
    const char *names[2] = {"/?Reset%20me=1", "/?Reset%20us=1"};
    const char *words[2] = {"/?Reset%20me", "/?Reset%20us"};
    const char *cookies[2] = {"One%20a=1", "Two%20a=1"};
    assert_true(is_told(&rules, names, "Accept", quiet));
    assert_false(is_told(&rules, words, "Accept", quiet)); /* perhaps what somebody looks for */
    assert_true(is_told(&rules, same, "Cookie", cookies));
    assert_false(is_told(&rules, same, "Accept", (const char *[2]){long_texts[0], long_texts[1]}));
    close_rules(&rules);
}

/* A text that the prefilter lets by costs no more than one without its words, once PCRE2 has said
 * no; one that matches does so each time. */
static void a_rule_that_does_not_match_is_asked_once(void **state) {
    (void)state;
    struct rules rules = open_rules(texts[0]);
    struct rp_waf_kept *kept = rp_waf_kept_new();
    struct seen near = {0}, far = {0}, attack = {0};
    for (int i = 0; i < 3; i++) {
        near = judge(&rules, kept, "/", "User-Agent", "union of us, select");
        far = judge(&rules, kept, "/", "User-Agent", "onion of us, salads");
        attack = judge(&rules, kept, "/", "User-Agent", "union select of all");
        assert_int_equal(near.matches + far.matches, 0);
        assert_int_equal(attack.matches, 1);
        assert_true(i > 0 || near.steps > far.steps);
    }
    assert_int_equal(near.steps, far.steps);
    assert_true(attack.steps > far.steps);
    rp_waf_kept_free(kept);
    close_rules(&rules);
}

/* So is one that no prefilter spares: what all browsers send costs nothing more. */
static void a_rule_without_a_prefilter_is_asked_once(void **state) {
    (void)state;
    const char *more = RULE("1", "union\\s+select") "SecRule REQUEST_HEADERS:User-Agent \"!@rx "
                                                    "^[a-z ,]{3,64}$\" \"id:3,phase:1,pass,log\"\n"
                                                    "SecRule REQUEST_HEADERS:User-Agent "
                                                    "\"@detectSQLi\" \"id:4,phase:1,pass,log\"\n";
    struct rules few = open_rules(texts[0]), many = open_rules(more);
    struct rp_waf_kept *of_few = rp_waf_kept_new(), *of_many = rp_waf_kept_new();
    uint64_t first = 0, again = 0, without = 0;
    for (int i = 0; i < 3; i++) {
        without = judge(&few, of_few, "/", "User-Agent", "onion of us, salads").steps;
        struct seen seen = judge(&many, of_many, "/", "User-Agent", "onion of us, salads");
        assert_int_equal(seen.matches, 0);
        first = i == 0 ? seen.steps - without : first;
        again = seen.steps - without;
    }
    assert_true(first > 100);
    assert_int_equal(again, 0);
    assert_int_equal(judge(&many, of_many, "/", "User-Agent", "1' or '1'='1").matches, 2);
    rp_waf_kept_free(of_few);
    rp_waf_kept_free(of_many);
    close_rules(&few);
    close_rules(&many);
}

/* Methods are kept that everybody knows; who makes up others fills nothing. */
static void what_all_requests_share_is_kept(void **state) {
    (void)state;
    struct rules rules =
        open_rules("SecRule REQUEST_METHOD \"!@rx ^[A-Z]{3,10}$\" \"id:1,phase:1,pass,log\"\n");
    const char *methods[2] = {"OPTIONS", "OPTIONZ"};
    uint64_t steps[2] = {0, 0};
    for (size_t i = 0; i < 2; i++) {
        struct rp_waf_kept *kept = rp_waf_kept_new();
        for (int round = 0; round < 3; round++) {
            steps[i] = judge_method(&rules, kept, methods[i]);
        }
        rp_waf_kept_free(kept);
    }
    assert_true(steps[0] < steps[1]);
    close_rules(&rules);
}

/* Another rule set asks for other things: what was found out for the first is forgotten. */
static void another_rule_set_starts_anew(void **state) {
    (void)state;
    struct rules first = open_rules(texts[0]), second = open_rules(texts[1]);
    struct rp_waf_kept *kept = rp_waf_kept_new();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(judge(&first, kept, "/", "Accept", "UNION%20SELECT").matches, 1);
        assert_int_equal(judge(&first, kept, "/", "Accept", "/Etc%2fpasswd and so on").matches, 0);
        assert_int_equal(judge(&second, kept, "/", "Accept", "UNION%20SELECT").matches, 0);
        assert_int_equal(judge(&second, kept, "/", "Accept", "/Etc%2fpasswd and so on").matches, 1);
    }
    rp_waf_kept_free(kept);
    close_rules(&first);
    close_rules(&second);
}

/* Who sends ever new texts fills the seat and empties it; nothing is missed meanwhile. */
static void a_full_seat_forgets(void **state) {
    (void)state;
    struct rules rules = open_rules(texts[0]);
    struct rp_waf_kept *kept = rp_waf_kept_new();
    for (unsigned i = 0; i < 2000; i++) {
        char text[200];
        bool attack = i % 7 == 0;
        snprintf(text, sizeof text, "Browser%%20%u %s %.*s", i, attack ? "Union%20Select" : "",
                 (int)(i % 100),
                 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
        size_t want = attack ? 1 : 0;
        assert_int_equal(judge(&rules, kept, "/", "User-Agent", text).matches, want);
        assert_int_equal(judge(&rules, kept, "/", "User-Agent", text).matches, want);
    }
    rp_waf_kept_free(kept);
    close_rules(&rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_browsers_repeat_is_kept),
        cmocka_unit_test(a_rule_that_does_not_match_is_asked_once),
        cmocka_unit_test(a_rule_without_a_prefilter_is_asked_once),
        cmocka_unit_test(what_all_requests_share_is_kept),
        cmocka_unit_test(another_rule_set_starts_anew),
        cmocka_unit_test(a_full_seat_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
