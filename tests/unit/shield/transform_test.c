/* Transformations by hand-written cases, and two properties over generated values: what says that
 * it touches nothing changes nothing, and what changes nothing gives the very view back. */
#include "unit.h"

#include "shield/transform.h"
#include "soup.h"

static void check(enum rp_transform transform, rp_view in, rp_view want) {
    struct rp_arena *arena = rp_arena_new(1 << 16);
    rp_view got = {0};
    assert_ok(rp_transform_apply(transform, in, NULL, arena, &got));
    assert_view_equal(got, want);
    rp_arena_free(arena);
}
#define CHECK(NAME, in, want) check(RP_T_##NAME, RP_VIEW(in), RP_VIEW(want))

static void addresses(void **state) {
    (void)state;
    CHECK(URL_DECODE, "a%20b+c%zz%4", "a b c%zz%4");
    CHECK(URL_DECODE, "%u0041", "%u0041");
    CHECK(URL_DECODE_UNI, "%uff1cscript%uFF1E", "<script>");
    CHECK(URL_DECODE_UNI, "%u1234%u12%%20", "4%u12% ");
    CHECK(URL_ENCODE, "a b*\0~", "a+b*%00%7e");
}

static void markup(void **state) {
    (void)state;
    CHECK(HTML_ENTITY_DECODE, "&lt;a&gt &quot;&#x3C&#62;", "<a> \"<>");
    CHECK(HTML_ENTITY_DECODE, "&nbsp;&foo;&&#;&#x;", "\xa0&foo;&&#;&#x;");
    CHECK(JS_DECODE, "\\x3c\\u003c\\uFF1c\\74\\400\\n\\q\\", "<<<< 0\nq\\");
    CHECK(CSS_DECODE, "\\3c\\00003c \\ff1c x\\\ny\\z\\", "<<<xyz");
    CHECK(CSS_DECODE, "a\0b\\0 c", "a\0b\0c");
    CHECK(ESCAPE_SEQ_DECODE, "\\x41\\X42\\103\\400\\?\\'\\xg\\", "ABC\0?'xg\\");
}

static void databases_and_shells(void **state) {
    (void)state;
    CHECK(SQL_HEX_DECODE, "0x414243", "ABC");
    CHECK(SQL_HEX_DECODE, "00x414 0xz 0X41420x43", "0A4 0xz ABC");
    CHECK(CMD_LINE, "C^md  \"/c\",; DIR (x)", "cmd/c dir(x)");
    CHECK(REMOVE_COMMENTS, "a/*x*/b<!-- y -->c--d", "abc");
    CHECK(REMOVE_COMMENTS, "/* all */", "");
    CHECK(REMOVE_COMMENTS, "SELECT/**//**/UNION", "SELECTUNION");
    CHECK(REMOVE_COMMENTS, "a/* open", "a ");
    CHECK(REMOVE_COMMENTS_CHAR, "a/*b*/<!--c-->d--e#", "abcde");
    CHECK(REPLACE_COMMENTS, "a/*x*/b/*y", "a b ");
}

static void paths(void **state) {
    (void)state;
    CHECK(NORMALIZE_PATH, "/a/./b//c/../d", "/a/b/d");
    CHECK(NORMALIZE_PATH, "../../etc/passwd", "../../etc/passwd");
    CHECK(NORMALIZE_PATH, "/../../etc/", "/etc/");
    CHECK(NORMALIZE_PATH, ".", "");
    CHECK(NORMALIZE_PATH_WIN, "a\\b\\..\\c", "a/c");
}

static void notations(void **state) {
    (void)state;
    CHECK(BASE64_DECODE, "VGVzdENhc2U=", "TestCase");
    CHECK(BASE64_DECODE, "VGVzdABDYXNl", "Test\0Case");
    CHECK(BASE64_DECODE, "VGVzdENhc2U=\0VGVzdENhc2U=", "TestCase");
    CHECK(BASE64_DECODE, "YWJj\r\nZA==", "abcd");
    CHECK(BASE64_DECODE, "YWJj!", "");
    CHECK(BASE64_DECODE_EXT, "P.HNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==", "<script>alert(1)</script>");
    CHECK(BASE64_DECODE_EXT, "dzBzV==YWxlcnQoMSk=", "");
    CHECK(BASE64_DECODE_EXT, "eHh-_w", "xx~\xff");
    CHECK(BASE64_ENCODE, "TestCase12", "VGVzdENhc2UxMg==");
    CHECK(HEX_DECODE, "5465f", "Te");
    CHECK(HEX_ENCODE, "T\xff", "54ff");
    CHECK(LENGTH, "", "0");
    CHECK(LENGTH, "twelve bytes", "12");
    CHECK(MD5, "", "\xd4\x1d\x8c\xd9\x8f\x00\xb2\x04\xe9\x80\x09\x98\xec\xf8\x42\x7e");
    CHECK(SHA1, "abc",
          "\xa9\x99\x3e\x36\x47\x06\x81\x6a\xba\x3e\x25\x71\x78\x50\xc2\x6c\x9c\xd0"
          "\xd8\x9d");
}

static void bytes(void **state) {
    (void)state;
    CHECK(LOWERCASE, "AbC\xc9", "abc\xc9");
    CHECK(UPPERCASE, "aBc\xe9", "ABC\xe9");
    CHECK(UTF8_TO_UNICODE, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xc0\xaf",
          "%u00e9%u20ac%u1f600%u002f\xc0");
    CHECK(REMOVE_WHITESPACE, " a\xc2\xa0 b\n", "ab");
    CHECK(COMPRESS_WHITESPACE, " a \t\nb", " a b");
    CHECK(REMOVE_NULLS, "a\0b", "ab");
    CHECK(REPLACE_NULLS, "a\0b", "a b");
    CHECK(TRIM, " a b\n", "a b");
    CHECK(TRIM, " \t ", "");
    CHECK(TRIM_LEFT, " a ", "a ");
    CHECK(TRIM_RIGHT, " a ", " a");
    CHECK(PARITY_EVEN_7BIT, "abc\xff",
          "\xe1\xe2"
          "c\x7f");
    CHECK(PARITY_ZERO_7BIT, "\xe1", "a");
}

static void a_map_of_characters_comes_first(void **state) {
    (void)state;
    static uint16_t map[65536];
    memset(map, 0xff, sizeof map);
    map[0x2215] = '/';
    struct rp_arena *arena = rp_arena_new(1 << 16);
    rp_view got = {0};
    assert_ok(rp_transform_apply(RP_T_URL_DECODE_UNI, RP_VIEW("%u2215%uff0f"), map, arena, &got));
    assert_view(got, "//");
    rp_arena_free(arena);
}

static void names_are_read_without_regard_to_case(void **state) {
    (void)state;
    for (unsigned i = 0; i < RP_T_COUNT; i++) {
        const char *name = rp_transform_name((enum rp_transform)i);
        assert_int_equal(rp_transform_named(rp_view_from_cstr(name)), i);
    }
    assert_int_equal(rp_transform_named(RP_VIEW("URLDECODEUNI")), RP_T_URL_DECODE_UNI);
    assert_int_equal(rp_transform_named(RP_VIEW("normalisePath")), RP_T_NORMALIZE_PATH);
    assert_int_equal(rp_transform_named(RP_VIEW("urlDecodeUn")), RP_T_COUNT);
}

static void an_arena_that_is_full_refuses(void **state) {
    (void)state;
    struct rp_arena *arena = rp_arena_new(4);
    rp_view got = RP_VIEW("untouched");
    assert_err(rp_transform_apply(RP_T_LOWERCASE, RP_VIEW("ABCDEFGHIJ"), NULL, arena, &got),
               TOO_LARGE);
    assert_view(got, "untouched");
    rp_arena_free(arena);
}

/* Base64 is the one whose answer is known to be shorter. */
static void no_answer_is_longer_than_the_longest(void **state) {
    (void)state;
    struct rp_arena *arena = rp_arena_new(1 << 16);
    rp_view value = RP_VIEW("ZXZpbCBldmls_-+/ZXZpbA==");
    for (size_t n = 0; n <= value.n; n++) {
        rp_view got = {0}, start = rp_view_sub(value, 0, n);
        assert_ok(rp_transform_apply(RP_T_BASE64_DECODE, start, NULL, arena, &got));
        assert_true(got.n <= rp_transform_longest(RP_T_BASE64_DECODE, n));
        assert_ok(rp_transform_apply(RP_T_BASE64_DECODE_EXT, start, NULL, arena, &got));
        assert_true(got.n <= rp_transform_longest(RP_T_BASE64_DECODE_EXT, n));
    }
    assert_int_equal(rp_transform_longest(RP_T_BASE64_DECODE, 8), 6);
    assert_int_equal(rp_transform_longest(RP_T_SHA1, 3), 20);
    assert_int_equal(rp_transform_longest(RP_T_LOWERCASE, 3), 3);
    rp_arena_free(arena);
}

static void what_is_not_touched_is_the_same_view(void **state) {
    (void)state;
    struct rp_arena *arena = rp_arena_new(1 << 20);
    uint64_t seed = 1;
    size_t untouched = 0;
    for (size_t i = 0; i < 20000; i++) {
        uint8_t value_bytes[300];
        rp_view value = soup_value(&seed, value_bytes, sizeof value_bytes);
        struct rp_byte_set present = rp_byte_set_of(value);
        for (unsigned t = 0; t < RP_T_COUNT; t++) {
            rp_view got = {0};
            assert_ok(rp_transform_apply((enum rp_transform)t, value, NULL, arena, &got));
            bool same = got.p == value.p && got.n == value.n;
            bool touches = rp_transform_touches((enum rp_transform)t, &present);
            assert_true(same || touches);
            assert_true(same || !rp_view_equal(got, value));
            assert_true(got.n <= rp_transform_longest((enum rp_transform)t, value.n));
            untouched += touches ? 0 : 1;
        }
        rp_arena_reset(arena);
    }
    assert_true(untouched > 20000);
    rp_arena_free(arena);
}

static void ordinary_words_are_touched_by_few(void **state) {
    (void)state;
    struct rp_byte_set present = rp_byte_set_of(RP_VIEW("Marguerite_42"));
    for (unsigned t = 0; t < RP_T_COUNT; t++) {
        bool by_nature = (t >= RP_T_BASE64_DECODE && t <= RP_T_HEX_ENCODE) ||
                         (t >= RP_T_LENGTH && t <= RP_T_PARITY_ODD_7BIT);
        bool letters = t == RP_T_LOWERCASE || t == RP_T_UPPERCASE || t == RP_T_CMD_LINE ||
                       t == RP_T_URL_ENCODE;
        assert_true(rp_transform_touches((enum rp_transform)t, &present) == (by_nature || letters));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(markup),
        cmocka_unit_test(databases_and_shells),
        cmocka_unit_test(paths),
        cmocka_unit_test(notations),
        cmocka_unit_test(bytes),
        cmocka_unit_test(a_map_of_characters_comes_first),
        cmocka_unit_test(names_are_read_without_regard_to_case),
        cmocka_unit_test(an_arena_that_is_full_refuses),
        cmocka_unit_test(no_answer_is_longer_than_the_longest),
        cmocka_unit_test(what_is_not_touched_is_the_same_view),
        cmocka_unit_test(ordinary_words_are_touched_by_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
