/* A share that is read is the one that would be printed, whatever was typed around it. */
#include "fuzz.h"
#include "keys/share.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct rp_share share;
    if (rp_ok(rp_share_parse(rp_view_of(data, n), &share))) {
        struct rp_buf text = rp_buf_new(RP_SHARE_TEXT);
        struct rp_share again;
        FUZZ_CHECK(rp_ok(rp_share_print(&share, &text)) && text.n == RP_SHARE_TEXT);
        FUZZ_CHECK(rp_ok(rp_share_parse(rp_buf_view(&text), &again)));
        FUZZ_CHECK(
            rp_view_equal(rp_view_of(&share, sizeof share), rp_view_of(&again, sizeof again)));
        rp_buf_done(&text);
    }
    return 0;
}
