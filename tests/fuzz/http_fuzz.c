/* Forms and path segments read back after printing; a cookie is a part of its header; escaped HTML
 * holds nothing that could end a text or an attribute. */
#include "fuzz.h"
#include "wire/http.h"

static void check_form(rp_view text, struct rp_arena *arena) {
    struct rp_pairs pairs;
    struct rp_pairs again;
    if (!rp_ok(rp_form_parse(text, 1000, arena, &pairs))) {
        return;
    }
    struct rp_buf printed = rp_buf_new(4 * text.n + 8 + 2 * pairs.n);
    for (size_t i = 0; i < pairs.n; i++) {
        rp_buf_add_cstr(&printed, i ? "&" : "");
        rp_url_encode(&printed, pairs.p[i].name);
        rp_buf_add_byte(&printed, '=');
        rp_url_encode(&printed, pairs.p[i].value);
    }
    FUZZ_CHECK(rp_ok(rp_buf_err(&printed)));
    FUZZ_CHECK(rp_ok(rp_form_parse(rp_buf_view(&printed), 1000, arena, &again)));
    FUZZ_CHECK(again.n == pairs.n);
    for (size_t i = 0; i < pairs.n; i++) {
        FUZZ_CHECK(rp_view_equal(again.p[i].name, pairs.p[i].name));
        FUZZ_CHECK(rp_view_equal(again.p[i].value, pairs.p[i].value));
        FUZZ_CHECK(rp_utf8_valid(pairs.p[i].name));
    }
    rp_buf_done(&printed);
}

static void check_segment(rp_view text, struct rp_arena *arena) {
    rp_view decoded = {NULL, 0};
    rp_view again = {NULL, 0};
    if (!rp_ok(rp_url_decode(text, arena, &decoded))) {
        return;
    }
    struct rp_buf printed = rp_buf_new(3 * text.n + 8);
    rp_url_encode(&printed, decoded);
    FUZZ_CHECK(rp_ok(rp_url_decode(rp_buf_view(&printed), arena, &again)));
    FUZZ_CHECK(rp_view_equal(again, decoded));
    rp_buf_done(&printed);
}

static void check_html(rp_view text) {
    struct rp_buf escaped = rp_buf_new(6 * text.n + 8);
    rp_html_escape(&escaped, text);
    FUZZ_CHECK(rp_ok(rp_buf_err(&escaped)));
    for (size_t i = 0; i < escaped.n; i++) {
        uint8_t c = escaped.p[i];
        FUZZ_CHECK(c != '<' && c != '>' && c != '"' && c != '\'');
    }
    rp_buf_done(&escaped);
}

static void check_range(rp_view text) {
    static const uint64_t sizes[] = {0, 1, 10, UINT64_MAX};
    for (size_t i = 0; i < 4; i++) {
        uint64_t first = 0, end = 0;
        if (rp_range_parse(text, sizes[i], &first, &end) == RP_RANGE_PART) {
            FUZZ_CHECK(first < end && end <= sizes[i]);
        }
    }
}

static void check_metadata(rp_view text, struct rp_arena *arena) {
    rp_view value = {NULL, 0};
    if (rp_ok(rp_metadata_get(text, "filename", arena, &value)) && value.p) {
        FUZZ_CHECK(value.n <= text.n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    rp_view text = rp_view_of(data, n);
    struct rp_arena *arena = rp_arena_new(1 << 20);
    check_form(text, arena);
    check_segment(text, arena);
    check_html(text);
    check_range(text);
    check_metadata(text, arena);
    rp_view cookie = rp_cookie_get(text, "s");
    FUZZ_CHECK(!cookie.p || (cookie.p >= data && cookie.p + cookie.n <= data + n));
    rp_arena_free(arena);
    return 0;
}
