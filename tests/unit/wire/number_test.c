#include "unit.h"
#include "wire/number.h"

struct row {
    uint64_t bits;
    const char *text;
};

/* RFC 8785 appendix B, then numbers at the edges of the layout rules and powers of two, whose
 * shortest text is not the nearest one; those were printed by V8. */
static const struct row rows[] = {
    {0x0000000000000000, "0"},
    {0x8000000000000000, "0"},
    {0x0000000000000001, "5e-324"},
    {0x8000000000000001, "-5e-324"},
    {0x7fefffffffffffff, "1.7976931348623157e+308"},
    {0xffefffffffffffff, "-1.7976931348623157e+308"},
    {0x4340000000000000, "9007199254740992"},
    {0xc340000000000000, "-9007199254740992"},
    {0x4430000000000000, "295147905179352830000"},
    {0x44b52d02c7e14af5, "9.999999999999997e+22"},
    {0x44b52d02c7e14af6, "1e+23"},
    {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
    {0x444b1ae4d6e2ef4e, "999999999999999700000"},
    {0x444b1ae4d6e2ef4f, "999999999999999900000"},
    {0x444b1ae4d6e2ef50, "1e+21"},
    {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
    {0x3eb0c6f7a0b5ed8d, "0.000001"},
    {0x41b3de4355555553, "333333333.3333332"},
    {0x41b3de4355555554, "333333333.33333325"},
    {0x41b3de4355555555, "333333333.3333333"},
    {0x41b3de4355555556, "333333333.3333334"},
    {0x41b3de4355555557, "333333333.33333343"},
    {0xbecbf647612f3696, "-0.0000033333333333333333"},
    {0x43143ff3c1cb0959, "1424953923781206.2"},
    {0x3fb999999999999a, "0.1"},
    {0x3ff8000000000000, "1.5"},
    {0x405edd2f1a9fbe77, "123.456"},
    {0x3d30000000000000, "5.684341886080802e-14"},
    {0x7e37e43c8800759c, "1e+300"},
};

static void numbers_as_ecmascript_prints_them(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double value;
        memcpy(&value, &rows[i].bits, sizeof value);
        struct rp_number_text text = rp_number_print(value);
        assert_string_equal(text.s, rows[i].text);
        assert_int_equal(text.n, strlen(text.s));
    }
}

static void every_number_comes_back(void **state) {
    (void)state;
    struct unit_world world = {.random_state = 1};
    struct rp_env env = unit_env(&world);
    for (int i = 0; i < 20000; i++) {
        double value;
        env.fill_random(env.ctx, (uint8_t *)&value, sizeof value);
        if (!__builtin_isfinite(value)) {
            continue;
        }
        struct rp_number_text text = rp_number_print(value);
        double back = 0;
        assert_ok(rp_number_parse(rp_view_of(text.s, text.n), &back));
        assert_memory_equal(&back, &value, sizeof value);
    }
}

static void out_of_range(void **state) {
    (void)state;
    double value = 7;
    assert_err(rp_number_parse(RP_VIEW("1e309"), &value), INVALID);
    char zeros[600];
    memset(zeros, '1', sizeof zeros);
    assert_err(rp_number_parse(rp_view_of(zeros, sizeof zeros), &value), TOO_LARGE);
    assert_true(value == 7);
    assert_ok(rp_number_parse(RP_VIEW("1e-400"), &value));
    assert_true(value == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_as_ecmascript_prints_them),
        cmocka_unit_test(every_number_comes_back),
        cmocka_unit_test(out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
