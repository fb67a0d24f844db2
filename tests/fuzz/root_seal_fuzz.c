/* A sealed root that is read has its one length and a known kind; none that was made up opens. */
#include "fuzz.h"
#include "keys/root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct rp_root_seal seal;
    if (rp_ok(rp_root_parse(rp_view_of(data, n), &seal))) {
        struct rp_secret *root = NULL;
        FUZZ_CHECK(n == RP_ROOT_BYTES);
        FUZZ_CHECK(seal.sealed.p + seal.sealed.n == data + n);
        FUZZ_CHECK(rp_root_kind_name(seal.kind) != NULL);
        FUZZ_CHECK(rp_ok(rp_crypto_start()));
        /* A passphrase is slow on purpose: the other kinds take the same path but for that. */
        if (seal.kind != RP_ROOT_PASSPHRASE) {
            FUZZ_CHECK(!rp_ok(rp_root_open(&seal, RP_VIEW("opener"), &root)) && !root);
        }
    }
    return 0;
}
