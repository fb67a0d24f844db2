#include "promise/promise.h"
#include "unit.h"

static struct rp_part part(char grade) {
    return (struct rp_part){
        .id = "p", .probe = "x", .grade = grade, .period_ms = 30000, .validity_ms = 90000};
}

static struct rp_observation seen(enum rp_verdict verdict, int64_t at) {
    return (struct rp_observation){.verdict = verdict, .observed_ms = at};
}

static void a_part_is_what_its_probe_saw_and_when(void **state) {
    (void)state;
    struct rp_part a = part('A');
    struct rp_observation good = seen(RP_VERDICT_HOLDS, 1000000);
    assert_int_equal(rp_part_status(&a, &good, 1000000), RP_STATUS_PROVEN);
    assert_int_equal(rp_part_status(&a, &good, 1090000), RP_STATUS_PROVEN);
    assert_int_equal(rp_part_status(&a, &good, 1090001), RP_STATUS_STALE);
    assert_int_equal(rp_part_status(&a, &good, 1000000 - 60001), RP_STATUS_STALE);
    assert_int_equal(rp_part_status(&a, NULL, 1000000), RP_STATUS_STALE);
    struct rp_observation bad = seen(RP_VERDICT_BROKEN, 1000000);
    assert_int_equal(rp_part_status(&a, &bad, 1000000), RP_STATUS_FAILING);
    struct rp_observation unsure = seen(RP_VERDICT_UNSURE, 1000000);
    assert_int_equal(rp_part_status(&a, &unsure, 1000000), RP_STATUS_STALE);
}

static void a_word_is_never_a_proof(void **state) {
    (void)state;
    struct rp_part d = part('D');
    struct rp_part e = part('E');
    struct rp_observation good = seen(RP_VERDICT_HOLDS, 1000);
    assert_int_equal(rp_part_status(&d, &good, 1000), RP_STATUS_DECLARED);
    assert_int_equal(rp_part_status(&e, &good, 1000), RP_STATUS_DECLARED);
}

static void a_probe_that_is_not_there_is_not_built(void **state) {
    (void)state;
    struct rp_part missing = part('A');
    missing.probe_index = -1;
    struct rp_observation good = seen(RP_VERDICT_HOLDS, 1000);
    assert_int_equal(rp_part_status(&missing, &good, 1000), RP_STATUS_NOT_BUILT);
}

static void the_weakest_part_decides(void **state) {
    (void)state;
    const enum rp_status parts[] = {RP_STATUS_PROVEN,  RP_STATUS_NOT_APPLICABLE, RP_STATUS_DECLARED,
                                    RP_STATUS_NOT_MET, RP_STATUS_NOT_BUILT,      RP_STATUS_STALE,
                                    RP_STATUS_FAILING};
    for (size_t n = 1; n < sizeof parts / sizeof parts[0]; n++) {
        assert_int_equal(rp_promise_status(parts, n + 1), n == 1 ? RP_STATUS_PROVEN : parts[n]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_is_what_its_probe_saw_and_when),
        cmocka_unit_test(a_word_is_never_a_proof),
        cmocka_unit_test(a_probe_that_is_not_there_is_not_built),
        cmocka_unit_test(the_weakest_part_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
