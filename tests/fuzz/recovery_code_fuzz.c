/* A code that is read prints in its one form, and that form reads as the same code. */
#include "fuzz.h"
#include "keys/recovery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    uint8_t code[RP_RECOVERY_CODE];
    uint8_t again[RP_RECOVERY_CODE];
    FUZZ_CHECK(rp_ok(rp_crypto_start()));
    if (rp_ok(rp_recovery_parse(rp_view_of(data, n), code))) {
        struct rp_buf out = rp_buf_new(128);
        FUZZ_CHECK(rp_ok(rp_recovery_print(code, &out)));
        FUZZ_CHECK(out.n == RP_RECOVERY_TEXT);
        FUZZ_CHECK(rp_ok(rp_recovery_parse(rp_buf_view(&out), again)));
        FUZZ_CHECK(rp_view_equal(rp_view_of(code, sizeof code), rp_view_of(again, sizeof again)));
        rp_buf_done(&out);
    }
    return 0;
}
