/* Work in portions: a phase that pauses, and a long text that is searched a few places at a time
 * with an eye on the clock. Neither changes what is found, and the clock ends what the steps do
 * not count. */
#include <stdio.h>
#include <stdlib.h>

#include "base/checked.h"
#include "memory_rules.h"

/* ---- clocks of the test's own ---- */

static uint64_t steady_now, spent_now, steady_step, spent_step;

static uint64_t steady_ns(void) {
    return steady_now += steady_step;
}

static uint64_t spent_ns(void) {
    return spent_now += spent_step;
}

static const struct rp_waf_clock test_clock = {steady_ns, spent_ns};

/* ---- judging ---- */

struct outcome {
    unsigned pauses;
    bool over_budget;
    uint64_t over_budget_rule;
    enum rp_waf_action action;
    struct rp_buf text; /* what matched, and where */
};

static rp_err in_full(struct rp_waf_tx *tx, rp_err err, unsigned *pauses) {
    assert_ok(err);
    if (rp_waf_tx_is_paused(tx)) {
        ++*pauses;
        err = rp_waf_tx_go_on(tx);
        assert_false(rp_waf_tx_is_paused(tx));
    }
    return err;
}

static struct outcome judge(const struct rules *rules, const struct rp_waf_site *site,
                            rp_view query) {
    struct rp_waf_connection connection = {.client_address = RP_VIEW("192.0.2.7")};
    struct rp_arena *arena = rp_arena_new(16 << 20);
    struct rp_waf_tx *tx = NULL;
    struct outcome outcome = {.text = rp_buf_new(1 << 20)};
    rp_view uri = rp_arena_printf(arena, "/?q=%.*s", RP_FMT(query));
    assert_ok(rp_waf_tx_new(rules->waf, site, &connection, arena, &tx));
    assert_ok(rp_waf_tx_line(tx, RP_VIEW("GET"), uri, RP_VIEW("HTTP/1.1")));
    assert_ok(in_full(tx, rp_waf_tx_headers_done(tx), &outcome.pauses));
    if (rp_waf_tx_verdict(tx)->action == RP_WAF_PASS) {
        assert_ok(in_full(tx, rp_waf_tx_body_done(tx), &outcome.pauses));
    }
    assert_ok(rp_waf_tx_logging(tx));
    size_t count = 0;
    const struct rp_waf_match *matches = rp_waf_tx_matches(tx, &count, NULL);
    for (size_t i = 0; i < count; i++) {
        rp_buf_printf(&outcome.text, "%llu(%.*s) ", (unsigned long long)matches[i].id,
                      RP_FMT(matches[i].log_data));
    }
    const struct rp_waf_verdict *verdict = rp_waf_tx_verdict(tx);
    outcome.action = verdict->action;
    outcome.over_budget = verdict->over_budget;
    outcome.over_budget_rule = verdict->over_budget_rule;
    rp_waf_tx_done(tx);
    rp_arena_free(arena);
    return outcome;
}

/* ---- pauses ---- */

static const char several_rules[] =
    "SecRule ARGS \"@rx a+b\" \"id:1,phase:1,pass,log,capture,logdata:'%{TX.0}',setvar:tx.s=+1\"\n"
    "SecRule ARGS \"@rx nothing\" \"id:2,phase:1,deny\"\n"
    "SecRule TX:s \"@eq 1\" \"id:3,phase:2,pass,log,logdata:'%{TX.s}',skipAfter:END\"\n"
    "SecRule ARGS \"@rx b\" \"id:4,phase:2,pass,log\"\n"
    "SecMarker END\n"
    "SecRule ARGS \"@rx c\" \"id:5,phase:2,deny,status:403,log,logdata:'%{MATCHED_VAR}'\"\n"
    "SecRule ARGS \"@rx .\" \"id:6,phase:2,pass,log\"\n"
    "SecAction \"id:7,phase:5,pass,log\"\n";

static void a_phase_that_pauses_comes_to_the_same(void **state) {
    (void)state;
    struct rules rules = open_rules(several_rules);
    struct rp_waf_site whole = {.mode = RP_WAF_ON}, paused = {.mode = RP_WAF_ON, .portion = 1};
    struct outcome one = judge(&rules, &whole, RP_VIEW("xaabc"));
    struct outcome other = judge(&rules, &paused, RP_VIEW("xaabc"));
    assert_int_equal(one.pauses, 0);
    assert_int_equal(other.pauses, 2); /* once a phase: the rest goes on to its end */
    assert_view(rp_buf_view(&one.text), "1(aab) 3(1) 5(xaabc) 7() ");
    assert_true(rp_view_equal(rp_buf_view(&one.text), rp_buf_view(&other.text)));
    assert_int_equal(one.action, RP_WAF_DENY);
    assert_int_equal(other.action, RP_WAF_DENY);
    rp_buf_done(&one.text);
    rp_buf_done(&other.text);
    close_rules(&rules);
}

static void what_costs_little_does_not_pause(void **state) {
    (void)state;
    struct rules rules = open_rules(several_rules);
    struct rp_waf_site site = {.mode = RP_WAF_ON, .portion = 100000};
    struct outcome outcome = judge(&rules, &site, RP_VIEW("xaabc"));
    assert_int_equal(outcome.pauses, 0);
    rp_buf_done(&outcome.text);
    close_rules(&rules);
}

/* ---- long texts ---- */

/* Expressions that look before, behind, at ends, or at where a search began. */
static const char *const expressions[] = {
    "needle",           "(?<=x)needle", "(?<!y)needle.{3}", "^needle",
    "\\bneedle\\b",     "\\Aneedle",    "\\Gxneedle",       "(?:;|\\Gx)needle",
    ".*needle",         "needle$",      "needle\\z",        "(?:^|;)x?needle",
    "(*COMMIT)xneedle", "x*needle",     "[^n]needle",       "n(?=eedle).*?e",
};

static struct outcome search(const char *expression, rp_view text,
                             const struct rp_waf_clock *clock) {
    char rule[200];
    snprintf(rule, sizeof rule,
             "SecRule ARGS \"@rx %s\" \"id:1,phase:1,pass,log,capture,logdata:'%%{TX.0}'\"\n",
             expression);
    struct rules rules = open_rules(rule);
    struct rp_waf_site site = {.mode = RP_WAF_ON, .clock = clock};
    struct outcome outcome = judge(&rules, &site, text);
    close_rules(&rules);
    return outcome;
}

static void agrees(const char *expression, rp_view text) {
    struct outcome whole = search(expression, text, NULL);
    for (steady_step = 0; steady_step <= 1000000; steady_step += 1000000) { /* quick, and slow */
        struct outcome portions = search(expression, text, &test_clock);
        if (!rp_view_equal(rp_buf_view(&whole.text), rp_buf_view(&portions.text))) {
            fail_msg("%s on %zu bytes: %.*s, in portions %.*s", expression, text.n,
                     RP_FMT(rp_buf_view(&whole.text)), RP_FMT(rp_buf_view(&portions.text)));
        }
        rp_buf_done(&portions.text);
    }
    rp_buf_done(&whole.text);
}

static void portions_find_what_the_whole_text_has(void **state) {
    (void)state;
    enum { LONG = 3000 };
    const size_t places[] = {0,   1,   15,   16,   17,   143,      144,
                             145, 500, 1167, 1168, 2500, LONG - 6, LONG};
    spent_step = 0;
    uint8_t *text = malloc(LONG);
    assert_non_null(text);
    for (size_t i = 0; i < RP_COUNT_OF(expressions); i++) {
        for (size_t at = 0; at < RP_COUNT_OF(places); at++) {
            for (size_t other = 0; other < 2; other++) { /* one long run, and none */
                memset(text, 'x', LONG);
                for (size_t w = 3; other && w < LONG; w += 7) {
                    text[w] = 'w';
                }
                if (places[at] + 6 <= LONG) {
                    memcpy(text + places[at], "needle", 6);
                }
                agrees(expressions[i], rp_view_of(text, LONG));
                agrees(expressions[i], rp_view_of(text, 600)); /* cut off, or not there at all */
            }
        }
    }
    free(text);
}

/*= S64 type=test: what an expression spends without a step being counted ends with the budget */
static void the_clock_ends_what_steps_do_not_count(void **state) {
    (void)state;
    uint8_t text[4096];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = i % 2 == 0 ? 'w' : 'x';
    }
    text[0] = 'y'; /* the expression needs one, and it stands where it does not help */
    struct rules rules = open_rules("SecRule ARGS \"@rx x[^z]*y\" \"id:11,phase:1,pass,log\"\n"
                                    "SecRule ARGS \"@rx x\" \"id:12,phase:1,pass,log\"\n");
    struct rp_waf_site site = {.mode = RP_WAF_ON, .over_budget_blocks = true, .clock = &test_clock};
    steady_step = 1000 * 1000; /* each look finds a millisecond gone */
    spent_step = 0;            /* but not by this thread */
    struct outcome spared = judge(&rules, &site, rp_view_of(text, sizeof text));
    assert_false(spared.over_budget);
    assert_view(rp_buf_view(&spared.text), "12() ");
    spent_step = 20 * 1000 * 1000;
    struct outcome ended = judge(&rules, &site, rp_view_of(text, sizeof text));
    assert_true(ended.over_budget);
    assert_int_equal(ended.over_budget_rule, 11);
    assert_int_equal(ended.action, RP_WAF_DENY);
    struct outcome brief = judge(&rules, &site, rp_view_of(text, 500)); /* is not looked at */
    assert_false(brief.over_budget);
    rp_buf_done(&spared.text);
    rp_buf_done(&ended.text);
    rp_buf_done(&brief.text);
    close_rules(&rules);
}

/*= S64 type=test: a run of bytes that two repeats share, and many short texts, end with it, too */
static void the_clock_is_asked_amid_a_run(void **state) {
    (void)state;
    static uint8_t text[60000];
    memset(text, ' ', sizeof text);
    memcpy(text, "x;", 2);
    struct rules rules =
        open_rules("SecRule ARGS \"@rx ;\\s*\\s*[xy]\" \"id:21,phase:1,pass,log\"\n");
    struct rp_waf_site site = {.mode = RP_WAF_ON, .over_budget_blocks = true, .clock = &test_clock};
    steady_step = 10 * 1000; /* only many looks find that time has passed */
    spent_step = 1000 * 1000;
    struct outcome ended = judge(&rules, &site, rp_view_of(text, sizeof text));
    assert_true(ended.over_budget);
    assert_int_equal(ended.over_budget_rule, 21);
    rp_buf_done(&ended.text);
    close_rules(&rules);
}

static void the_clock_is_asked_of_many_short_texts(void **state) {
    (void)state;
    struct rp_buf many = rp_buf_new(1 << 16);
    for (int i = 0; i < 12; i++) {
        rp_buf_printf(&many, "SecRule ARGS \"@rx x[^z]{%d,}y\" \"id:%d,phase:1,pass,log\"\n", i + 1,
                      31 + i);
    }
    rp_buf_add_byte(&many, 0);
    struct rules rules = open_rules((const char *)rp_buf_view(&many).p);
    struct rp_waf_site site = {.mode = RP_WAF_ON, .over_budget_blocks = true, .clock = &test_clock};
    uint8_t text[500];
    memset(text, 'x', sizeof text);
    text[0] = 'y';
    steady_step = 1000 * 1000;
    spent_step = 100 * 1000 * 1000;
    struct outcome ended = judge(&rules, &site, rp_view_of(text, sizeof text));
    assert_true(ended.over_budget);
    rp_buf_done(&ended.text);
    rp_buf_done(&many);
    close_rules(&rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phase_that_pauses_comes_to_the_same),
        cmocka_unit_test(what_costs_little_does_not_pause),
        cmocka_unit_test(portions_find_what_the_whole_text_has),
        cmocka_unit_test(the_clock_ends_what_steps_do_not_count),
        cmocka_unit_test(the_clock_is_asked_amid_a_run),
        cmocka_unit_test(the_clock_is_asked_of_many_short_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
