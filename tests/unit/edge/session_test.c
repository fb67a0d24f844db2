#include "unit.h"

#include <stdlib.h>

#include "judge/session.h"

enum { NOW = 5000000, MINUTE = 60 * 1000 };

static const rp_view cookie = RP_VIEW_INIT("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno-_");
static const rp_id session_id = {{1}}, person_id = {{2}}, tenant_id = {{3}};

static void *sessions, *seen, *assertions;
static struct judge_tables tables;

static int setup(void **state) {
    (void)state;
    sessions = aligned_alloc(4096, rp_session_table_bytes());
    seen = calloc(1, rp_seen_table_bytes());
    assertions = aligned_alloc(4096, rp_assertion_table_bytes());
    assert_true(sessions && seen && assertions);
    memset(sessions, 0, rp_session_table_bytes());
    memset(assertions, 0, rp_assertion_table_bytes());
    rp_session_table_init(sessions, 1, NOW);
    rp_assertion_table_init(assertions);
    tables = (struct judge_tables){sessions, seen, assertions};
    return 0;
}

static int teardown(void **state) {
    (void)state;
    free(sessions);
    free(seen);
    free(assertions);
    return 0;
}

static void put(enum rp_acr acr) {
    struct rp_sha256 hash = rp_sha256_of(cookie);
    const struct rp_session_view session = {.session = session_id,
                                            .person = person_id,
                                            .tenant = tenant_id,
                                            .roles = RP_MEMBER,
                                            .acr = acr,
                                            .expires_ms = NOW + 10 * MINUTE};
    assert_ok(rp_session_table_put(sessions, seen, &hash, &session, 3600, NOW));
}

static enum rp_gate_reason judge(enum judge_need need, enum rp_acr least, rp_view text,
                                 int64_t now_ms, bool *ret_known) {
    struct judge_visitor visitor;
    enum rp_gate_reason reason =
        judge_visitor(&tables, (struct judge_rule){need, least}, text, now_ms, &visitor);
    *ret_known = visitor.known;
    return reason;
}

static const rp_view no_cookie = {NULL, 0};

/*= S99 type=test */
static void the_place_decides_what_is_enough(void **state) {
    (void)state;
    bool known;
    put(RP_ACR_PWD);
    assert_int_equal(judge(JUDGE_NEED_REQUIRED, RP_ACR_PWD, cookie, NOW, &known),
                     RP_GATE_REASON_NONE);
    assert_true(known);
    assert_int_equal(judge(JUDGE_NEED_REQUIRED, RP_ACR_MFA, cookie, NOW, &known),
                     RP_GATE_REASON_SECOND_FACTOR);
    assert_false(known);
    put(RP_ACR_MFA);
    assert_int_equal(judge(JUDGE_NEED_REQUIRED, RP_ACR_MFA, cookie, NOW, &known),
                     RP_GATE_REASON_NONE);
    assert_true(known);
    assert_int_equal(judge(JUDGE_NEED_NONE, RP_ACR_MFA, cookie, NOW, &known), RP_GATE_REASON_NONE);
    assert_false(known);
}

static void strangers_are_refused_or_unknown(void **state) {
    (void)state;
    bool known;
    put(RP_ACR_MFA);
    static const rp_view wrong = RP_VIEW_INIT("BBCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno-_");
    const rp_view others[] = {no_cookie, wrong, RP_VIEW(""), RP_VIEW("short")};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(judge(JUDGE_NEED_REQUIRED, RP_ACR_PWD, others[i], NOW, &known),
                         RP_GATE_REASON_NO_SESSION);
        assert_false(known);
        assert_int_equal(judge(JUDGE_NEED_OPTIONAL, RP_ACR_PWD, others[i], NOW, &known),
                         RP_GATE_REASON_NONE);
        assert_false(known);
    }
}

/*= S175 type=test */
static void a_session_that_ended_is_none(void **state) {
    (void)state;
    bool known;
    put(RP_ACR_MFA);
    rp_session_table_heartbeat(sessions, NOW + 10 * MINUTE);
    assert_int_equal(judge(JUDGE_NEED_REQUIRED, RP_ACR_MFA, cookie, NOW + 10 * MINUTE, &known),
                     RP_GATE_REASON_SESSION_EXPIRED);
    rp_session_table_heartbeat(sessions, NOW);
    struct rp_sha256 hash = rp_sha256_of(cookie);
    rp_session_table_revoke(sessions, &hash);
    assert_int_equal(judge(JUDGE_NEED_REQUIRED, RP_ACR_MFA, cookie, NOW, &known),
                     RP_GATE_REASON_NO_SESSION);
}

static void a_silent_core_closes_what_needs_a_person(void **state) {
    (void)state;
    bool known;
    put(RP_ACR_MFA);
    int64_t late = NOW + RP_CORE_GRACE_MS + 1;
    assert_int_equal(judge(JUDGE_NEED_REQUIRED, RP_ACR_MFA, cookie, late, &known),
                     RP_GATE_REASON_CORE_DOWN);
    assert_int_equal(judge(JUDGE_NEED_OPTIONAL, RP_ACR_MFA, cookie, late, &known),
                     RP_GATE_REASON_NONE);
    assert_false(known);
    assert_int_equal(judge(JUDGE_NEED_NONE, RP_ACR_MFA, cookie, late, &known), RP_GATE_REASON_NONE);
    tables.sessions = NULL;
    assert_int_equal(judge(JUDGE_NEED_REQUIRED, RP_ACR_MFA, cookie, NOW, &known),
                     RP_GATE_REASON_CORE_DOWN);
}

static rp_err assertion_at(rp_view app, int64_t now_ms, bool last_resort) {
    uint8_t texts[RP_ASSERTION_BYTES];
    struct rp_assertion_entry entry;
    return judge_assertion(&tables, session_id, app, now_ms, last_resort, texts, &entry);
}

static void an_assertion_is_fresh_or_the_last_resort(void **state) {
    (void)state;
    rp_view app = RP_VIEW("notes");
    const struct rp_assertion_entry entry = {.jwt = RP_VIEW("a.b.c"), .minted_ms = NOW};
    assert_ok(rp_assertion_table_put(assertions, session_id, app, &entry));
    assert_ok(assertion_at(app, NOW, false));
    assert_err(assertion_at(RP_VIEW("other"), NOW, true), NOT_FOUND);
    assert_err(assertion_at(app, NOW + RP_ASSERTION_FRESH_MS, false), NOT_FOUND);
    assert_ok(assertion_at(app, NOW + RP_ASSERTION_FRESH_MS, true));
    assert_ok(assertion_at(app, NOW + JUDGE_ASSERTION_LAST_MS - 1, true));
    assert_err(assertion_at(app, NOW + JUDGE_ASSERTION_LAST_MS, true), NOT_FOUND);
    tables.assertions = NULL;
    assert_err(assertion_at(app, NOW, true), NOT_FOUND);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_place_decides_what_is_enough),
        TEST(strangers_are_refused_or_unknown),
        TEST(a_session_that_ended_is_none),
        TEST(a_silent_core_closes_what_needs_a_person),
        TEST(an_assertion_is_fresh_or_the_last_resort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
