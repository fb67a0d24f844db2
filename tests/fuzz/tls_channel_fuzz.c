/* Any bytes from the network, to either end, from the first byte or in the middle of a handshake
 * that is going well; nothing that was not said by the other is ever heard. */
#include "crypto/tls_channel.h"
#include "fuzz.h"

enum { ROOM = 1 << 20 };

static struct rp_tls_key *key;
static struct rp_sha256 known;

static void make_key(void) {
    struct rp_env env = rp_env_real();
    struct rp_buf pem = rp_buf_new(RP_TLS_KEY_PEM_MAX);
    RP_ASSERT(rp_ok(rp_crypto_start()));
    RP_ASSERT(rp_ok(rp_tls_key_make(&pem)));
    RP_ASSERT(rp_ok(rp_tls_key_read(&env, rp_buf_view(&pem), &key)));
    known = rp_tls_key_fingerprint(key);
    rp_buf_done(&pem);
}

/* Both ends, and `flights` of each other's bytes, before the foreign ones come. */
static void run(rp_view foreign, unsigned flights, bool to_dialler) {
    struct rp_tls_channel *ends[2] = {NULL};
    struct rp_buf said = rp_buf_new(ROOM);
    RP_ASSERT(rp_ok(rp_tls_channel_new(key, RP_TLS_DIALS, &known, 1, &ends[0])));
    RP_ASSERT(rp_ok(rp_tls_channel_new(key, RP_TLS_LISTENS, &known, 1, &ends[1])));
    for (unsigned i = 0; i < flights; i++) {
        struct rp_buf bytes = rp_buf_new(ROOM);
        RP_ASSERT(rp_ok(rp_tls_channel_give(ends[i % 2], &bytes)));
        RP_ASSERT(rp_ok(rp_tls_channel_take(ends[(i + 1) % 2], rp_buf_view(&bytes), &said)));
        rp_buf_done(&bytes);
    }
    struct rp_tls_channel *target = ends[to_dialler ? 0 : 1];
    bool was_up = rp_tls_channel_is_up(target);
    rp_err err = rp_tls_channel_take(target, foreign, &said);
    FUZZ_CHECK(said.n == 0);
    FUZZ_CHECK(was_up || !rp_tls_channel_is_up(target));
    struct rp_buf last = rp_buf_new(ROOM);
    RP_ASSERT(rp_ok(rp_tls_channel_give(target, &last)));
    FUZZ_CHECK(rp_ok(err) || !rp_tls_channel_is_up(target));
    rp_buf_done(&last);
    rp_buf_done(&said);
    rp_tls_channel_free(ends[0]);
    rp_tls_channel_free(ends[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n == 0) {
        return 0;
    }
    if (!key) {
        make_key();
    }
    run(rp_view_of(data + 1, n - 1), data[0] % 4, data[0] & 4);
    return 0;
}
