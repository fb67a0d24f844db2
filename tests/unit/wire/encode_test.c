#include "unit.h"
#include "wire/encode.h"

typedef void print_fn(struct rp_buf *, rp_view);
typedef rp_err parse_fn(rp_view, struct rp_buf *);

struct pair {
    const char *bytes;
    const char *text;
};

static void both_ways(const struct pair *pairs, size_t n, print_fn *print, parse_fn *parse) {
    for (size_t i = 0; i < n; i++) {
        struct rp_buf buf = rp_buf_new(1000);
        print(&buf, rp_view_from_cstr(pairs[i].bytes));
        assert_ok(rp_buf_err(&buf));
        assert_view_equal(rp_buf_view(&buf), rp_view_from_cstr(pairs[i].text));
        rp_buf_clear(&buf);
        assert_ok(parse(rp_view_from_cstr(pairs[i].text), &buf));
        assert_view_equal(rp_buf_view(&buf), rp_view_from_cstr(pairs[i].bytes));
        rp_buf_done(&buf);
    }
}

/* RFC 4648 section 10. */
static void vectors_of_the_rfc(void **state) {
    (void)state;
    static const struct pair in64[] = {{"", ""},
                                       {"f", "Zg=="},
                                       {"fo", "Zm8="},
                                       {"foo", "Zm9v"},
                                       {"foob", "Zm9vYg=="},
                                       {"fooba", "Zm9vYmE="},
                                       {"foobar", "Zm9vYmFy"}};
    static const struct pair in64url[] = {{"", ""},        {"f", "Zg"},        {"fo", "Zm8"},
                                          {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"\xff\xef", "_-8"}};
    static const struct pair in32[] = {{"", ""},
                                       {"f", "MY"},
                                       {"fo", "MZXQ"},
                                       {"foo", "MZXW6"},
                                       {"foob", "MZXW6YQ"},
                                       {"fooba", "MZXW6YTB"},
                                       {"foobar", "MZXW6YTBOI"}};
    both_ways(in64, 7, rp_base64_print, rp_base64_parse);
    both_ways(in64url, 6, rp_base64url_print, rp_base64url_parse);
    both_ways(in32, 7, rp_base32_print, rp_base32_parse);
}

static void refuse(parse_fn *parse, const char *text) {
    struct rp_buf buf = rp_buf_new(100);
    rp_buf_add_cstr(&buf, "before");
    assert_err(parse(rp_view_from_cstr(text), &buf), INVALID);
    assert_view(rp_buf_view(&buf), "before");
    rp_buf_done(&buf);
}

static void only_the_canonical_text(void **state) {
    (void)state;
    /* No padding, too much of it, in the wrong place; stray bits; spaces; the other alphabet. */
    static const char *const bad64[] = {"Zg",    "Zg=",    "Z===", "====",     "Zh==", "Zm9=",
                                        "Zg== ", "Zg==\n", "Z g=", "Zg==Zg==", "_-8=", "Zm9v="};
    for (size_t i = 0; i < 12; i++) {
        refuse(rp_base64_parse, bad64[i]);
    }
    refuse(rp_base64url_parse, "Zg==");
    refuse(rp_base64url_parse, "Zh");
    refuse(rp_base64url_parse, "Z");
    refuse(rp_base64url_parse, "+/8");
    refuse(rp_base32_parse, "M");
    refuse(rp_base32_parse, "MZX");
    refuse(rp_base32_parse, "MZXW6Y");
    refuse(rp_base32_parse, "my");
    refuse(rp_base32_parse, "MZ");
    refuse(rp_base32_parse, "MY======");
}

static void every_length_comes_back(void **state) {
    (void)state;
    uint8_t bytes[64];
    struct unit_world world = {.random_state = 7};
    struct rp_env env = unit_env(&world);
    struct rp_arena *arena = rp_arena_new(10000);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        env.fill_random(env.ctx, bytes, n);
        struct rp_buf text = rp_buf_new(200);
        rp_view back = {NULL, 0};
        rp_base64_print(&text, rp_view_of(bytes, n));
        assert_int_equal(text.n, (n + 2) / 3 * 4);
        assert_ok(rp_base64_decode(rp_buf_view(&text), arena, &back));
        assert_view_equal(back, rp_view_of(bytes, n));
        rp_buf_clear(&text);
        rp_base64url_print(&text, rp_view_of(bytes, n));
        assert_ok(rp_base64url_decode(rp_buf_view(&text), arena, &back));
        assert_view_equal(back, rp_view_of(bytes, n));
        rp_buf_clear(&text);
        rp_base32_print(&text, rp_view_of(bytes, n));
        struct rp_buf out = rp_buf_new(64);
        assert_ok(rp_base32_parse(rp_buf_view(&text), &out));
        assert_view_equal(rp_buf_view(&out), rp_view_of(bytes, n));
        rp_buf_done(&out);
        rp_buf_done(&text);
    }
    rp_arena_free(arena);
}

static void a_full_output_is_said(void **state) {
    (void)state;
    struct rp_buf small = rp_buf_new(3);
    assert_err(rp_base64_parse(RP_VIEW("Zm9vYg=="), &small), TOO_LARGE);
    assert_int_equal(small.n, 0);
    rp_buf_clear(&small);
    rp_base64_print(&small, RP_VIEW("x"));
    assert_err(rp_buf_err(&small), TOO_LARGE);
    rp_buf_done(&small);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_the_rfc),
        cmocka_unit_test(only_the_canonical_text),
        cmocka_unit_test(every_length_comes_back),
        cmocka_unit_test(a_full_output_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
