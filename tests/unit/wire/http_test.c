#include "base/checked.h"
#include "unit.h"
#include "wire/http.h"

static int arena_up(void **state) {
    *state = rp_arena_new(100000);
    return *state ? 0 : -1;
}

static int arena_down(void **state) {
    rp_arena_free(*state);
    return 0;
}

static void forms_are_decoded(void **state) {
    struct rp_arena *arena = *state;
    struct rp_pairs pairs;
    assert_ok(rp_form_parse(RP_VIEW("&name=Zo%C3%AB+B&&b=1=2&a%26=&name=second&lone"), 10, arena,
                            &pairs));
    assert_int_equal(pairs.n, 5);
    assert_view(rp_pairs_get(pairs, "name"), "Zo\xC3\xAB B");
    assert_view(rp_pairs_get(pairs, "b"), "1=2");
    assert_view(rp_pairs_get(pairs, "a&"), "");
    assert_non_null(rp_pairs_get(pairs, "a&").p);
    assert_view(rp_pairs_get(pairs, "lone"), "");
    assert_null(rp_pairs_get(pairs, "absent").p);
    assert_ok(rp_form_parse((rp_view){NULL, 0}, 0, arena, &pairs));
    assert_int_equal(pairs.n, 0);
}

static void forms_are_refused(void **state) {
    struct rp_arena *arena = *state;
    struct rp_pairs pairs = {NULL, 77};
    static const char *const bad[] = {"a=%", "a=%4", "a=%zz", "%C3=1", "a=%ED%A0%80", "a=%+1"};
    for (size_t i = 0; i < 6; i++) {
        assert_err(rp_form_parse(rp_view_from_cstr(bad[i]), 10, arena, &pairs), INVALID);
    }
    assert_err(rp_form_parse(RP_VIEW("a&b&c"), 2, arena, &pairs), TOO_LARGE);
    assert_int_equal(pairs.n, 77);
    struct rp_arena *small = rp_arena_new(64);
    assert_err(rp_form_parse(RP_VIEW("a&b&c"), 3, small, &pairs), TOO_LARGE);
    rp_arena_free(small);
}

static void cookies(void **state) {
    (void)state;
    rp_view header = RP_VIEW("a=1; session=abc=def;  b = x ; empty=; flag; A=2");
    assert_view(rp_cookie_get(header, "session"), "abc=def");
    assert_view(rp_cookie_get(header, "a"), "1");
    assert_view(rp_cookie_get(header, "A"), "2");
    assert_view(rp_cookie_get(header, "empty"), "");
    assert_non_null(rp_cookie_get(header, "empty").p);
    assert_null(rp_cookie_get(header, "flag").p);
    assert_null(rp_cookie_get(header, "sess").p);
    assert_null(rp_cookie_get((rp_view){NULL, 0}, "a").p);
    /* One of two was planted; which, nobody knows. */
    assert_null(rp_cookie_get(RP_VIEW("s=1; s=2"), "s").p);
    assert_null(rp_cookie_get(RP_VIEW("s=1; s=1; s=1"), "s").p);
}

static void percent_both_ways(void **state) {
    struct rp_arena *arena = *state;
    uint8_t all[255];
    for (size_t i = 0; i < sizeof all; i++) {
        all[i] = (uint8_t)(i + 1);
    }
    struct rp_buf text = rp_buf_new(1000);
    rp_url_encode(&text, rp_view_of(all, sizeof all));
    assert_int_equal(text.n, 66 + 3 * (255 - 66));
    rp_view back = {NULL, 0};
    assert_ok(rp_url_decode(rp_buf_view(&text), arena, &back));
    assert_view_equal(back, rp_view_of(all, sizeof all));
    rp_buf_done(&text);
    assert_ok(rp_url_decode(RP_VIEW("a+b%2fc"), arena, &back));
    assert_view(back, "a+b/c");
    assert_err(rp_url_decode(RP_VIEW("a%00b"), arena, &back), INVALID);
    assert_err(rp_url_decode(RP_VIEW("a%2"), arena, &back), INVALID);
    assert_view(back, "a+b/c");
}

static void html(void **state) {
    (void)state;
    struct rp_buf out = rp_buf_new(100);
    rp_html_escape(&out, RP_VIEW("<a href='x'>\"A\" & B\xC3\xA9"));
    assert_view(rp_buf_view(&out), "&lt;a href=&#39;x&#39;&gt;&quot;A&quot; &amp; B\xC3\xA9");
    rp_buf_done(&out);
}

static void utf8(void **state) {
    (void)state;
    static const char *const good[] = {"", "plain text longer than eight bytes",
                                       "\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80",
                                       "12345678\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"};
    static const char *const bad[] = {
        "\x80",         "\xC0\x80",         "\xC1\xBF",         "\xE0\x9F\xBF",
        "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
        "\xFF",         "\xE2\x82",         "abcdefgh\xE2",     "\xE2\x28\xA1"};
    for (size_t i = 0; i < 4; i++) {
        assert_true(rp_utf8_valid(rp_view_from_cstr(good[i])));
    }
    for (size_t i = 0; i < 12; i++) {
        assert_false(rp_utf8_valid(rp_view_from_cstr(bad[i])));
    }
    assert_int_equal(rp_utf8_prefix(RP_VIEW("abcdefgh\xE2\x82\xAC\xE2\x82")), 11);
}

static void a_name_looks_like_what_it_is(void **state) {
    (void)state;
    static const char *const good[] = {"",       "plan.pdf",  "L’été à Zürich", "חשבונית.pdf",
                                       "\u00a0", "\u2027",    "\u202f",         "\u2065",
                                       "\u206a", "\U0001f600"};
    static const char *const bad[] = {"a\nb",   "\x7f",      "\xc2\x80", "\xc2\x9f",
                                      "\u2028", "\u202efdp", "a\u202a",  "\u2066",
                                      "\u2069", "\xe2\x80",  "\xc2",     "\xff"};
    for (size_t i = 0; i < RP_COUNT_OF(good); i++) {
        assert_true(rp_utf8_is_name(rp_view_from_cstr(good[i])));
    }
    for (size_t i = 0; i < RP_COUNT_OF(bad); i++) {
        assert_false(rp_utf8_is_name(rp_view_from_cstr(bad[i])));
    }
}

static void ranges_of_rfc_9110(void **state) {
    (void)state;
    static const struct {
        const char *header;
        uint64_t size;
        enum rp_range range;
        uint64_t first, end;
    } cases[] = {
        {"bytes=0-0", 10, RP_RANGE_PART, 0, 1},
        {"bytes=3-", 10, RP_RANGE_PART, 3, 10},
        {"bytes=3-99", 10, RP_RANGE_PART, 3, 10},
        {"bytes=-4", 10, RP_RANGE_PART, 6, 10},
        {"bytes=-99", 10, RP_RANGE_PART, 0, 10},
        {"bytes=9-18446744073709551615", 10, RP_RANGE_PART, 9, 10},
        {" bytes=1-2 ", 10, RP_RANGE_PART, 1, 3},
        {"bytes=10-", 10, RP_RANGE_NOTHING, 0, 0},
        {"bytes=-0", 10, RP_RANGE_NOTHING, 0, 0},
        {"bytes=0-", 0, RP_RANGE_NOTHING, 0, 0},
        {"bytes=-5", 0, RP_RANGE_NOTHING, 0, 0},
        {"bytes=5-4", 10, RP_RANGE_ALL, 0, 0},
        {"bytes=", 10, RP_RANGE_ALL, 0, 0},
        {"bytes=-", 10, RP_RANGE_ALL, 0, 0},
        {"bytes=1", 10, RP_RANGE_ALL, 0, 0},
        {"bytes=0-1,3-4", 10, RP_RANGE_ALL, 0, 0},
        {"bytes=--1", 10, RP_RANGE_ALL, 0, 0},
        {"bytes=18446744073709551616-", 10, RP_RANGE_ALL, 0, 0},
        {"octets=0-1", 10, RP_RANGE_ALL, 0, 0},
        {"", 10, RP_RANGE_ALL, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t first = 0, end = 0;
        assert_int_equal(
            rp_range_parse(rp_view_from_cstr(cases[i].header), cases[i].size, &first, &end),
            cases[i].range);
        assert_int_equal(first, cases[i].first);
        assert_int_equal(end, cases[i].end);
    }
}

static void metadata_of_tus(void **state) {
    (void)state;
    struct rp_arena *arena = rp_arena_new(1 << 16);
    rp_view value = RP_VIEW("untouched");
    rp_view header = RP_VIEW("filename cGxhbi5wZGY=, is_confidential,filetype YS9i");
    assert_ok(rp_metadata_get(header, "filename", arena, &value));
    assert_view(value, "plan.pdf");
    assert_ok(rp_metadata_get(header, "filetype", arena, &value));
    assert_view(value, "a/b");
    assert_ok(rp_metadata_get(header, "is_confidential", arena, &value));
    assert_true(value.p && value.n == 0);
    assert_ok(rp_metadata_get(header, "file", arena, &value));
    assert_null(value.p);
    assert_err(rp_metadata_get(RP_VIEW("filename plan.pdf"), "filename", arena, &value), INVALID);
    assert_ok(rp_metadata_get((rp_view){NULL, 0}, "filename", arena, &value));
    assert_null(value.p);
    rp_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(forms_are_decoded, arena_up, arena_down),
        cmocka_unit_test_setup_teardown(forms_are_refused, arena_up, arena_down),
        cmocka_unit_test(cookies),
        cmocka_unit_test_setup_teardown(percent_both_ways, arena_up, arena_down),
        cmocka_unit_test(html),
        cmocka_unit_test(utf8),
        cmocka_unit_test(a_name_looks_like_what_it_is),
        cmocka_unit_test(ranges_of_rfc_9110),
        cmocka_unit_test(metadata_of_tus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
