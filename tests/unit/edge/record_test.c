#include "unit.h"

#include "judge/record.h"

static const uint8_t salt[JUDGE_SALT_BYTES] = {9, 8, 7};

static struct judge_outcome usual(void) {
    return (struct judge_outcome){.status = 200,
                                  .method = RP_VIEW("GET"),
                                  .uri = RP_VIEW("/a?secret=1"),
                                  .host = RP_VIEW("localhost"),
                                  .app = RP_VIEW("notes"),
                                  .address = RP_VIEW("\x7f\x00\x00\x01"),
                                  .bytes = 77,
                                  .time_ms = 1000,
                                  .duration_us = 5000};
}

static struct rp_gate_record record_of(const struct judge_outcome *outcome) {
    struct rp_gate_record record, parsed;
    judge_record(outcome, salt, &record);
    assert_ok(rp_gate_record_parse((const uint8_t *)&record, &parsed));
    return parsed;
}

static void a_record_holds_the_path_without_its_query(void **state) {
    (void)state;
    struct judge_outcome outcome = usual();
    outcome.session = true;
    struct rp_gate_record record = record_of(&outcome);
    assert_int_equal(record.kind, RP_GATE_ALLOWED);
    assert_int_equal(record.flags, RP_GATE_SESSION);
    assert_view(rp_view_of(record.path, record.path_len), "/a");
    assert_view(rp_view_of(record.host, record.host_len), "localhost");
    assert_int_equal(record.bytes, 77);
}

static void the_reason_follows_from_who_said_no(void **state) {
    (void)state;
    static const struct {
        unsigned status;
        enum rp_gate_reason said;
        bool upstream, app;
        enum rp_gate_kind kind;
        enum rp_gate_reason reason;
    } cases[] = {
        {200, RP_GATE_REASON_NONE, true, true, RP_GATE_ALLOWED, RP_GATE_REASON_NONE},
        {500, RP_GATE_REASON_NONE, true, true, RP_GATE_ALLOWED, RP_GATE_REASON_NONE},
        {403, RP_GATE_REASON_NONE, true, true, RP_GATE_ALLOWED, RP_GATE_REASON_NONE},
        {403, RP_GATE_REASON_NONE, true, false, RP_GATE_REFUSED, RP_GATE_REASON_DENIED},
        {401, RP_GATE_REASON_NONE, true, false, RP_GATE_REFUSED, RP_GATE_REASON_NO_SESSION},
        {404, RP_GATE_REASON_NONE, true, false, RP_GATE_ALLOWED, RP_GATE_REASON_NONE},
        {403, RP_GATE_REASON_NONE, false, true, RP_GATE_REFUSED, RP_GATE_REASON_DENIED},
        {302, RP_GATE_REASON_NO_SESSION, false, true, RP_GATE_REFUSED, RP_GATE_REASON_NO_SESSION},
        {413, RP_GATE_REASON_NONE, false, true, RP_GATE_REFUSED, RP_GATE_REASON_TOO_LARGE},
        {414, RP_GATE_REASON_NONE, false, false, RP_GATE_REFUSED, RP_GATE_REASON_TOO_LARGE},
        {429, RP_GATE_REASON_NONE, false, true, RP_GATE_REFUSED, RP_GATE_REASON_RATE},
        {421, RP_GATE_REASON_NONE, false, false, RP_GATE_REFUSED, RP_GATE_REASON_UNKNOWN_HOST},
        {400, RP_GATE_REASON_NONE, false, false, RP_GATE_REFUSED, RP_GATE_REASON_BAD_REQUEST},
        {0, RP_GATE_REASON_NONE, false, false, RP_GATE_REFUSED, RP_GATE_REASON_BAD_REQUEST},
        {502, RP_GATE_REASON_NONE, false, true, RP_GATE_UPSTREAM_DOWN,
         RP_GATE_REASON_UPSTREAM_DOWN},
        {504, RP_GATE_REASON_NONE, false, true, RP_GATE_UPSTREAM_DOWN,
         RP_GATE_REASON_UPSTREAM_TIMEOUT},
        {502, RP_GATE_REASON_NONE, false, false, RP_GATE_REFUSED, RP_GATE_REASON_CORE_DOWN},
        {404, RP_GATE_REASON_NONE, false, false, RP_GATE_ALLOWED, RP_GATE_REASON_NONE},
        {499, RP_GATE_REASON_NONE, false, true, RP_GATE_ALLOWED, RP_GATE_REASON_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct judge_outcome outcome = usual();
        outcome.status = cases[i].status;
        outcome.reason = cases[i].said;
        outcome.answered_by_upstream = cases[i].upstream;
        outcome.app = cases[i].app ? RP_VIEW("notes") : RP_VIEW("");
        struct rp_gate_record record = record_of(&outcome);
        assert_int_equal(record.kind, cases[i].kind);
        assert_int_equal(record.reason, cases[i].reason);
    }
}

static void the_address_is_a_salted_hash(void **state) {
    (void)state;
    struct judge_outcome outcome = usual();
    struct rp_gate_record first = record_of(&outcome), again = record_of(&outcome);
    assert_memory_equal(first.client_hash, again.client_hash, 16);
    outcome.address = RP_VIEW("\x7f\x00\x00\x02");
    struct rp_gate_record other = record_of(&outcome);
    assert_memory_not_equal(first.client_hash, other.client_hash, 16);
    static const uint8_t next_salt[JUDGE_SALT_BYTES] = {1};
    struct rp_gate_record later;
    outcome = usual();
    judge_record(&outcome, next_salt, &later);
    assert_memory_not_equal(first.client_hash, later.client_hash, 16);
}

/*= S58 type=test */
static void what_rules_said_goes_in_without_what_was_sent(void **state) {
    (void)state;
    const struct judge_rules rules = {.score = 70000,
                                      .count = 2,
                                      .ids = {942100, 949110},
                                      .variable = RP_VIEW("ARGS:q"),
                                      .value = RP_VIEW("' or 1=1--"),
                                      .incident = RP_VIEW("0123456789abcdef0123456789abcdef")};
    struct judge_outcome outcome = usual();
    outcome.reason = RP_GATE_REASON_RULE;
    outcome.rules = &rules;
    struct rp_gate_record record = record_of(&outcome), copy;
    assert_int_equal(record.kind, RP_GATE_RULE);
    assert_int_equal(record.score, UINT16_MAX);
    assert_int_equal(record.rule_count, 2);
    assert_int_equal(record.rules[0], 942100);
    assert_int_equal(record.incident[0], 0x01);
    assert_int_equal(record.incident[15], 0xef);
    assert_view(rp_view_of(record.variable, record.variable_len), "ARGS:q");
    rp_view whole = rp_view_of(&record, sizeof record);
    assert_int_equal(rp_view_find(whole, rules.value), whole.n);
    assert_ok(rp_gate_record_parse((const uint8_t *)&record, &copy));
}

static void each_request_has_a_name_of_its_own(void **state) {
    (void)state;
    static const uint8_t next_salt[JUDGE_SALT_BYTES] = {1};
    struct judge_request_id id = judge_request_id(salt, 7, 1), same = judge_request_id(salt, 7, 1);
    const struct judge_request_id others[] = {judge_request_id(salt, 7, 2),
                                              judge_request_id(salt, 8, 1),
                                              judge_request_id(next_salt, 7, 1)};
    assert_memory_equal(id.s, same.s, sizeof id.s);
    for (size_t i = 0; i < 3; i++) {
        assert_memory_not_equal(id.s, others[i].s, sizeof id.s);
    }
    rp_id parsed;
    assert_true(rp_id_parse(rp_view_of(id.s, sizeof id.s), &parsed));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_holds_the_path_without_its_query),
        cmocka_unit_test(the_reason_follows_from_who_said_no),
        cmocka_unit_test(the_address_is_a_salted_hash),
        cmocka_unit_test(what_rules_said_goes_in_without_what_was_sent),
        cmocka_unit_test(each_request_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
