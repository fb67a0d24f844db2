/* The client's side: any bytes are taken or refused, never more than there are; and any output
 * printed as a response reads back. */
#include "fuzz.h"
#include "wire/fastcgi.h"

static void take(rp_view bytes) {
    struct rp_buf output = rp_buf_new(100000);
    size_t used = 0;
    bool done = false;
    if (rp_ok(rp_fcgi_feed_response(bytes, &output, &used, &done))) {
        FUZZ_CHECK(used <= bytes.n);
        FUZZ_CHECK(output.n <= bytes.n);
        FUZZ_CHECK(!done || used >= 16);
    }
    rp_buf_done(&output);
}

static void round_trip(rp_view output) {
    struct rp_buf wire = rp_buf_new(2 * output.n + 100);
    struct rp_buf back = rp_buf_new(output.n + 1);
    size_t used = 0;
    bool done = false;
    rp_fcgi_print_response(&wire, 7, output);
    FUZZ_CHECK(rp_ok(rp_buf_err(&wire)));
    FUZZ_CHECK(rp_ok(rp_fcgi_feed_response(rp_buf_view(&wire), &back, &used, &done)));
    FUZZ_CHECK(done);
    FUZZ_CHECK(used == wire.n);
    FUZZ_CHECK(rp_view_equal(rp_buf_view(&back), output));
    rp_buf_done(&wire);
    rp_buf_done(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    take(rp_view_of(data, n));
    round_trip(rp_view_of(data, n));
    return 0;
}
