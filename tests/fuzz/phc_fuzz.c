/* A hash string that is read has bounded costs, and its parts put together are the string. */
#include "crypto/phc.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct rp_phc phc;
    rp_view text = rp_view_of(data, n);
    if (rp_ok(rp_phc_parse(text, &phc))) {
        struct rp_buf out = rp_buf_new(256);
        FUZZ_CHECK(phc.kib >= 8 && phc.kib <= RP_PHC_KIB_MAX);
        FUZZ_CHECK(phc.ops >= 1 && phc.ops <= RP_PHC_OPS_MAX);
        rp_buf_printf(&out, "$argon2id$v=19$m=%llu,t=%llu,p=1$%.*s$%.*s",
                      (unsigned long long)phc.kib, (unsigned long long)phc.ops, RP_FMT(phc.salt),
                      RP_FMT(phc.hash));
        FUZZ_CHECK(rp_view_equal(rp_buf_view(&out), text));
        rp_buf_done(&out);
    }
    return 0;
}
