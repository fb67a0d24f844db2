#include "base/id.h"
#include "unit.h"

static void ids_round_trip(void **state) {
    (void)state;
    struct unit_world world = {0};
    struct rp_env env = unit_env(&world);
    for (int i = 0; i < 1000; i++) {
        rp_id id = rp_env_new_id(&env);
        struct rp_id_text text = rp_id_print(id);
        rp_id back;
        assert_true(rp_id_parse(rp_view_from_cstr(text.s), &back));
        assert_true(rp_id_equal(id, back));
    }
}

static void only_the_canonical_text_is_an_id(void **state) {
    (void)state;
    rp_id id;
    assert_true(rp_id_parse(RP_VIEW("00112233445566778899aabbccddeeff"), &id));
    assert_false(rp_id_parse(RP_VIEW("00112233445566778899AABBCCDDEEFF"), &id));
    assert_false(rp_id_parse(RP_VIEW("00112233445566778899aabbccddeef"), &id));
    assert_false(rp_id_parse(RP_VIEW("00112233445566778899aabbccddeefg"), &id));
    assert_false(rp_id_parse(RP_VIEW("../../../../../../../etc/passwd."), &id));
}

static void times_print_as_rfc3339(void **state) {
    (void)state;
    assert_string_equal(rp_time_print(0).s, "1970-01-01T00:00:00Z");
    assert_string_equal(rp_time_print(1795478400).s, "2026-11-24T00:00:00Z");
    assert_string_equal(rp_time_print(253402300799).s, "9999-12-31T23:59:59Z");
    assert_string_equal(rp_time_print(253402300800).s, "9999-12-31T23:59:59Z");
    assert_string_equal(rp_time_print(INT64_MAX).s, "9999-12-31T23:59:59Z");
    assert_string_equal(rp_time_print(-1).s, "1970-01-01T00:00:00Z");
    assert_string_equal(rp_time_print(INT64_MIN).s, "1970-01-01T00:00:00Z");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_round_trip),
        cmocka_unit_test(only_the_canonical_text_is_an_id),
        cmocka_unit_test(times_print_as_rfc3339),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
