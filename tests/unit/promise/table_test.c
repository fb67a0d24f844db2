#include <stdio.h>
#include <stdlib.h>

#include "promise/table.h"
#include "unit.h"

static void what_is_put_is_got(void **state) {
    (void)state;
    void *table = calloc(1, rp_promise_table_bytes());
    rp_promise_table_init(table);
    assert_ok(rp_promise_table_check(table, rp_promise_table_bytes()));
    struct rp_observation seen = {
        .verdict = RP_VERDICT_HOLDS, .observed_ms = 7, .detail = {"tout va bien", "all well"}};
    struct rp_observation back = {0};
    assert_err(rp_promise_table_get(table, "tls", &back), NOT_FOUND);
    assert_ok(rp_promise_table_put(table, "tls", &seen));
    seen.verdict = RP_VERDICT_BROKEN;
    assert_ok(rp_promise_table_put(table, "hsts", &seen));
    assert_ok(rp_promise_table_get(table, "tls", &back));
    assert_int_equal(back.verdict, RP_VERDICT_HOLDS);
    assert_string_equal(back.detail[RP_EN], "all well");
    assert_string_equal(back.detail[RP_FR], "tout va bien");
    assert_ok(rp_promise_table_get(table, "hsts", &back));
    assert_int_equal(back.verdict, RP_VERDICT_BROKEN);
    free(table);
}

static void a_torn_slot_was_never_observed(void **state) {
    (void)state;
    uint8_t *table = calloc(1, rp_promise_table_bytes());
    rp_promise_table_init(table);
    struct rp_observation seen = {.verdict = RP_VERDICT_HOLDS, .observed_ms = 7};
    assert_ok(rp_promise_table_put(table, "tls", &seen));
    table[4096] |= 1; /* the writer died in the middle */
    struct rp_observation back;
    assert_err(rp_promise_table_get(table, "tls", &back), NOT_FOUND);
    free(table);
}

static void a_stranger_is_refused(void **state) {
    (void)state;
    uint8_t *table = calloc(1, rp_promise_table_bytes());
    assert_err(rp_promise_table_check(table, rp_promise_table_bytes()), CORRUPT);
    rp_promise_table_init(table);
    assert_err(rp_promise_table_check(table, rp_promise_table_bytes() - 1), CORRUPT);
    struct rp_observation seen = {0};
    assert_err(rp_promise_table_put(table, "", &seen), INVALID);
    char name[80];
    for (int i = 0; i < RP_PROMISE_SLOTS; i++) {
        snprintf(name, sizeof name, "part-%d", i);
        assert_ok(rp_promise_table_put(table, name, &seen));
    }
    assert_err(rp_promise_table_put(table, "one-too-many", &seen), OVERLOAD);
    free(table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_got),
        cmocka_unit_test(a_torn_slot_was_never_observed),
        cmocka_unit_test(a_stranger_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
