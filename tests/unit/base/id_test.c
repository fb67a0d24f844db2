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

static void a_hexadecimal_digit_has_either_case_but_an_id_has_one(void **state) {
    (void)state;
    static const char digits[] = "0123456789abcdef", capitals[] = "0123456789ABCDEF";
    for (int i = 0; i < 16; i++) {
        assert_int_equal(rp_hex_digit((uint8_t)digits[i]), i);
        assert_int_equal(rp_hex_digit((uint8_t)capitals[i]), i);
    }
    for (const char *c = "/:@G`g \x80"; *c; c++) {
        assert_int_equal(rp_hex_digit((uint8_t)*c), -1);
    }
    uint8_t byte = 7;
    assert_true(rp_hex_parse(RP_VIEW("af"), &byte, 1));
    assert_int_equal(byte, 0xaf);
    assert_false(rp_hex_parse(RP_VIEW("aF"), &byte, 1));
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
        cmocka_unit_test(a_hexadecimal_digit_has_either_case_but_an_id_has_one),
        cmocka_unit_test(times_print_as_rfc3339),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
