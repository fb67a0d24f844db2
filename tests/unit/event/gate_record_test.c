#include "event/gate_record.h"

#include "unit.h"

static struct rp_gate_record sample(void) {
    struct rp_gate_record r;
    rp_gate_record_start(&r, RP_GATE_REFUSED, 1700000000123);
    r.reason = RP_GATE_REASON_NO_SESSION;
    r.status = 401;
    rp_gate_record_host(&r, RP_VIEW("app.example.com"));
    rp_gate_record_method(&r, RP_VIEW("GET"));
    rp_gate_record_app(&r, RP_VIEW("notes"));
    rp_gate_record_path(&r, RP_VIEW("/a/b?token=secret"));
    return r;
}

static rp_err parse(const struct rp_gate_record *r, struct rp_gate_record *ret) {
    uint8_t bytes[RP_GATE_RECORD_BYTES];
    memcpy(bytes, r, sizeof bytes);
    return rp_gate_record_parse(bytes, ret);
}

static void test_round_trip_without_query(void **state) {
    (void)state;
    struct rp_gate_record in = sample(), out;
    assert_ok(parse(&in, &out));
    assert_view(rp_view_of(out.path, out.path_len), "/a/b");
    assert_view(rp_view_of(out.host, out.host_len), "app.example.com");
    assert_int_equal(out.status, 401);
    assert_string_equal(rp_gate_reason_text(out.reason), "no_session");
    assert_false(out.flags & RP_GATE_CUT);
}

static void test_long_text_is_cut_and_says_so(void **state) {
    (void)state;
    uint8_t path[500];
    memset(path, 'x', sizeof path);
    struct rp_gate_record in = sample(), out;
    rp_gate_record_path(&in, rp_view_of(path, sizeof path));
    assert_ok(parse(&in, &out));
    assert_int_equal(out.path_len, 200);
    assert_true(out.flags & RP_GATE_CUT);
}

static void test_lies_are_refused(void **state) {
    (void)state;
    struct rp_gate_record out;
    struct rp_gate_record r = sample();
    r.path_len = 201;
    assert_err(parse(&r, &out), CORRUPT);
    r = sample();
    r.version = 2;
    assert_err(parse(&r, &out), CORRUPT);
    r = sample();
    r.kind = 0;
    assert_err(parse(&r, &out), CORRUPT);
    r = sample();
    r.reason = RP_GATE_REASON_COUNT;
    assert_err(parse(&r, &out), CORRUPT);
    r = sample();
    r.host[40] = 1;
    assert_err(parse(&r, &out), CORRUPT);
    r = sample();
    r.time_ms = -1;
    assert_err(parse(&r, &out), CORRUPT);
    r = sample();
    r.reserved3[7] = 1;
    assert_err(parse(&r, &out), CORRUPT);
    r = sample();
    r.score = 5; /* of a record that no rule wrote */
    assert_err(parse(&r, &out), CORRUPT);
    r = sample();
    r.kind = RP_GATE_RULE;
    r.score = 5;
    r.rule_count = RP_GATE_RULES_MAX;
    r.rules[RP_GATE_RULES_MAX - 1] = 949110;
    assert_ok(parse(&r, &out));
    r.rule_count--;
    assert_err(parse(&r, &out), CORRUPT);
    r.rule_count = RP_GATE_RULES_MAX + 1;
    assert_err(parse(&r, &out), CORRUPT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip_without_query),
        cmocka_unit_test(test_long_text_is_cut_and_says_so),
        cmocka_unit_test(test_lies_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
