#include "unit.h"

static void equality_is_bytes(void **state) {
    (void)state;
    assert_true(rp_view_equal(RP_VIEW("a\0b"), rp_view_of("a\0b", 3)));
    assert_false(rp_view_equal(RP_VIEW("a"), RP_VIEW("b")));
    assert_false(rp_view_equal(RP_VIEW("a"), RP_VIEW("aa")));
    assert_true(rp_view_equal(RP_VIEW(""), (rp_view){NULL, 0}));
    assert_true(rp_view_equal_nocase(RP_VIEW("Host"), RP_VIEW("hOST")));
    assert_false(rp_view_equal_nocase(RP_VIEW("["), RP_VIEW("{")));
}

static void order_puts_prefixes_first(void **state) {
    (void)state;
    assert_true(rp_view_compare(RP_VIEW("a"), RP_VIEW("b")) < 0);
    assert_true(rp_view_compare(RP_VIEW("a"), RP_VIEW("ab")) < 0);
    assert_true(rp_view_compare(RP_VIEW("\xff"), RP_VIEW("a")) > 0);
    assert_int_equal(rp_view_compare(RP_VIEW("x"), RP_VIEW("x")), 0);
}

static void cutting_walks_a_list(void **state) {
    (void)state;
    rp_view rest = RP_VIEW("a,,b");
    assert_view(rp_view_cut(&rest, ','), "a");
    assert_view(rp_view_cut(&rest, ','), "");
    assert_non_null(rest.p);
    assert_view(rp_view_cut(&rest, ','), "b");
    assert_null(rest.p);
}

static void a_prefix_is_taken_whole_or_not_at_all(void **state) {
    (void)state;
    rp_view v = RP_VIEW("size 12");
    assert_false(rp_view_take(&v, RP_VIEW("site ")));
    assert_view(v, "size 12");
    assert_true(rp_view_take(&v, RP_VIEW("size ")));
    assert_view(v, "12");
    assert_false(rp_view_take(&v, RP_VIEW("123")));
    assert_true(rp_view_take(&v, RP_VIEW("12")));
    assert_int_equal(v.n, 0);
}

static void finding_and_slicing_stay_inside(void **state) {
    (void)state;
    rp_view v = RP_VIEW("key: value");
    assert_int_equal(rp_view_find_byte(v, ':'), 3);
    assert_int_equal(rp_view_find(v, RP_VIEW("value")), 5);
    assert_int_equal(rp_view_find(v, RP_VIEW("absent")), v.n);
    assert_view(rp_view_sub(v, 5, 100), "value");
    assert_view(rp_view_sub(v, 100, 1), "");
    assert_view(rp_view_trim(RP_VIEW(" \t x \r\n")), "x");
}

static void numbers_are_strict(void **state) {
    (void)state;
    uint64_t n = 7;
    assert_true(rp_view_to_u64(RP_VIEW("18446744073709551615"), UINT64_MAX, &n));
    assert_true(n == UINT64_MAX);
    static const char *const bad[] = {"",   "-1", "+1",  "01",
                                      " 1", "1 ", "0x1", "18446744073709551616"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(rp_view_to_u64(rp_view_from_cstr(bad[i]), UINT64_MAX, &n));
    }
    assert_false(rp_view_to_u64(RP_VIEW("101"), 100, &n));
    assert_true(n == UINT64_MAX); /* untouched on failure */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality_is_bytes),
        cmocka_unit_test(order_puts_prefixes_first),
        cmocka_unit_test(cutting_walks_a_list),
        cmocka_unit_test(finding_and_slicing_stay_inside),
        cmocka_unit_test(a_prefix_is_taken_whole_or_not_at_all),
        cmocka_unit_test(numbers_are_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
