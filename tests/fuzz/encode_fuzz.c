/* Each alphabet: any bytes printed read back; any text that is read is the one that is printed. */
#include "fuzz.h"
#include "wire/encode.h"

struct alphabet {
    void (*print)(struct rp_buf *, rp_view);
    rp_err (*parse)(rp_view, struct rp_buf *);
};

static void both_ways(const struct alphabet *a, rp_view v) {
    struct rp_buf text = rp_buf_new(2 * v.n + 8);
    struct rp_buf bytes = rp_buf_new(v.n + 8);
    a->print(&text, v);
    FUZZ_CHECK(rp_ok(a->parse(rp_buf_view(&text), &bytes)));
    FUZZ_CHECK(rp_view_equal(rp_buf_view(&bytes), v));
    rp_buf_clear(&text);
    rp_buf_clear(&bytes);
    if (rp_ok(a->parse(v, &bytes))) {
        a->print(&text, rp_buf_view(&bytes));
        FUZZ_CHECK(rp_view_equal(rp_buf_view(&text), v));
    } else {
        FUZZ_CHECK(bytes.n == 0);
    }
    rp_buf_done(&text);
    rp_buf_done(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static const struct alphabet alphabets[] = {{rp_base64_print, rp_base64_parse},
                                                {rp_base64url_print, rp_base64url_parse},
                                                {rp_base32_print, rp_base32_parse}};
    for (size_t i = 0; i < 3; i++) {
        both_ways(&alphabets[i], rp_view_of(data, n));
    }
    return 0;
}
