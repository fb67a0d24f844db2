/* A wrapped key that is read has its one length and names a master key; none that was made up
 * opens. */
#include "fuzz.h"
#include "keys/wrapped.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct rp_wrapped wrapped;
    if (rp_ok(rp_wrapped_parse(rp_view_of(data, n), &wrapped))) {
        FUZZ_CHECK(n == RP_WRAPPED_BYTES);
        FUZZ_CHECK(!rp_id_is_none(wrapped.master) && wrapped.version > 0);
        FUZZ_CHECK(wrapped.sealed.p + wrapped.sealed.n == data + n);
        uint8_t bytes[RP_AEAD_KEY] = {1};
        struct rp_secret *master = NULL;
        struct rp_secret *key = NULL;
        FUZZ_CHECK(rp_ok(rp_crypto_start()));
        FUZZ_CHECK(rp_ok(rp_secret_new_take(bytes, sizeof bytes, &master)));
        FUZZ_CHECK(!rp_ok(rp_wrapped_open(master, &wrapped, (rp_id){{1}}, &key)) && !key);
        rp_secret_free(master);
    }
    return 0;
}
