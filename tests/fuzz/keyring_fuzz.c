/* A keyring that is read prints back as the bytes that its MAC covers. */
#include "fuzz.h"
#include "keys/keyring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct rp_keyring keyring;
    if (rp_ok(rp_keyring_parse(rp_view_of(data, n), &keyring))) {
        struct rp_buf out = rp_buf_new(RP_KEYRING_BYTES_MAX);
        FUZZ_CHECK(keyring.mac.n == RP_KEYRING_MAC);
        FUZZ_CHECK(rp_ok(rp_keyring_print(keyring.entries, keyring.count, &out)));
        FUZZ_CHECK(rp_view_equal(rp_buf_view(&out), keyring.covered));
        rp_buf_done(&out);
    }
    return 0;
}
