#include "unit.h"

#include "judge/cookie.h"

static unsigned count_in(const char *header, rp_view *ret_value) {
    unsigned count = 0;
    *ret_value = (rp_view){NULL, 0};
    judge_cookie_scan(rp_view_from_cstr(header), &count, ret_value);
    return count;
}

static void the_session_cookie_is_found_among_others(void **state) {
    (void)state;
    rp_view value;
    assert_int_equal(count_in("a=1; __Host-rempart=abc; b=2", &value), 1);
    assert_view(value, "abc");
    assert_int_equal(count_in("__Host-rempart=abc", &value), 1);
    assert_int_equal(count_in("  __Host-rempart = abc ;", &value), 1);
    assert_view(value, "abc");
}

static void what_only_looks_like_it_is_not(void **state) {
    (void)state;
    rp_view value;
    static const char *const not_ours[] = {"",
                                           ";;;",
                                           "__host-rempart=a",
                                           "__Host-rempart-form=a",
                                           "x__Host-rempart=a",
                                           "a=__Host-rempart=b",
                                           "__Secure-rempart=a"};
    for (size_t i = 0; i < sizeof not_ours / sizeof not_ours[0]; i++) {
        assert_int_equal(count_in(not_ours[i], &value), 0);
    }
}

static void two_are_counted_as_two(void **state) {
    (void)state;
    rp_view value;
    assert_int_equal(count_in("__Host-rempart=a; __Host-rempart=b", &value), 2);
}

static void only_43_base64url_characters_are_well_formed(void **state) {
    (void)state;
    assert_true(judge_cookie_well_formed(RP_VIEW("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno-_")));
    assert_false(judge_cookie_well_formed(RP_VIEW("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno-_x")));
    assert_false(judge_cookie_well_formed(RP_VIEW("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno+/")));
    assert_false(judge_cookie_well_formed(RP_VIEW("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno=\0")));
    assert_false(judge_cookie_well_formed(RP_VIEW("")));
}

static void our_cookies_are_taken_out(void **state) {
    (void)state;
    static const struct {
        const char *header, *left;
    } cases[] = {
        {"a=1; __Host-rempart=x; b=2", "a=1; b=2"},
        {"__Host-rempart=x", ""},
        {"__Host-rempart=x; __Host-rempart-form=y;__Host-rempart-lang=fr", ""},
        {"__HOST-REMPART=x; a=1", "a=1"},
        {"a=1;b=2;c=3;d=4", "a=1; b=2; c=3; d=4"},
        {"a=\"1 2\"; =; ; b", "a=\"1 2\"; =; b"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t out[128];
        rp_view header = rp_view_from_cstr(cases[i].header);
        assert_view_equal(judge_cookie_without_ours(header, out), rp_view_from_cstr(cases[i].left));
    }
}

static void a_single_cookie_is_read_by_name(void **state) {
    (void)state;
    rp_view header = RP_VIEW("a=1; lang=fr; lang=en");
    assert_view(judge_cookie_get(header, RP_VIEW("lang")), "fr");
    assert_null(judge_cookie_get(header, RP_VIEW("b")).p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_session_cookie_is_found_among_others),
        cmocka_unit_test(what_only_looks_like_it_is_not),
        cmocka_unit_test(two_are_counted_as_two),
        cmocka_unit_test(only_43_base64url_characters_are_well_formed),
        cmocka_unit_test(our_cookies_are_taken_out),
        cmocka_unit_test(a_single_cookie_is_read_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
