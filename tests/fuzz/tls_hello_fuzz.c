/* What a server has said so far is understood once and for all: more bytes never change a verdict.
 * And any offer prints as one record whose lengths add up. */
#include "fuzz.h"
#include "wire/tls_hello.h"

static bool same(struct rp_tls_answer a, struct rp_tls_answer b) {
    return a.kind == b.kind && a.version == b.version && a.suite == b.suite &&
           a.will_send_ticket == b.will_send_ticket && a.alert == b.alert;
}

static void answers(rp_view bytes) {
    struct rp_tls_answer whole = rp_tls_answer_read(bytes);
    for (size_t n = 0; n < bytes.n && n < 256; n++) {
        struct rp_tls_answer early = rp_tls_answer_read(rp_view_sub(bytes, 0, n));
        FUZZ_CHECK(early.kind == RP_TLS_NEED_MORE || same(early, whole));
    }
}

static void hello(rp_view bytes) {
    static const uint16_t versions[] = {RP_SSL30, RP_TLS10, RP_TLS11, RP_TLS12, RP_TLS13};
    uint16_t suites[256];
    size_t n = bytes.n / 2 < 256 ? bytes.n / 2 : 256;
    for (size_t i = 0; i < n; i++) {
        suites[i] = (uint16_t)(bytes.p[2 * i] << 8 | bytes.p[2 * i + 1]);
    }
    struct rp_tls_offer offer = {.server_name = bytes.p[0] & 8 ? "example.com" : NULL,
                                 .version = versions[bytes.p[0] % 5],
                                 .suites = suites,
                                 .suite_count = n,
                                 .session_ticket = bytes.p[0] & 16};
    struct rp_buf out = rp_buf_new(4096);
    rp_tls_hello_print(&out, &offer);
    FUZZ_CHECK(rp_ok(rp_buf_err(&out)));
    FUZZ_CHECK(out.n == 5u + (size_t)(out.p[3] << 8 | out.p[4]));
    FUZZ_CHECK(out.n == 9u + (size_t)(out.p[6] << 16 | out.p[7] << 8 | out.p[8]));
    rp_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    answers(rp_view_of(data, n));
    if (n >= 2) {
        hello(rp_view_of(data, n));
    }
    return 0;
}
