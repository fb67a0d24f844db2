/* sign_in.c — what our checking of a password costs over the bare function that it calls.
 *
 * Ours: rp_password_verify on a stored string, as a sign-in does it. The peer: libsodium's
 * argon2id at the same parameters, with a given salt and no string. Target: ratio ≥ 0.9.
 */
#include <sodium.h>

#include "base/assert.h"
#include "bench.h"
#include "crypto/password.h"

static const char password[] = "correct horse battery staple";

static void ours(void *ctx, unsigned times) {
    const char *stored = ctx;
    for (unsigned i = 0; i < times; i++) {
        BENCH_OK(rp_password_verify(stored, RP_VIEW("correct horse battery staple")));
    }
}

static void peer(void *ctx, unsigned times) {
    (void)ctx;
    static const uint8_t salt[crypto_pwhash_argon2id_SALTBYTES] = {1};
    uint8_t hash[32];
    for (unsigned i = 0; i < times; i++) {
        int rc = crypto_pwhash_argon2id(hash, sizeof hash, password, sizeof password - 1, salt,
                                        RP_ARGON2_OPS, (size_t)RP_ARGON2_MIB << 20,
                                        crypto_pwhash_argon2id_ALG_ARGON2ID13);
        RP_ASSERT(rc == 0);
    }
}

int main(void) {
    char stored[RP_PASSWORD_TEXT];
    BENCH_OK(rp_crypto_start());
    BENCH_OK(rp_password_hash(rp_view_from_cstr(password), stored));
    bench_run(&(struct bench){.name = "signin",
                              .ours = ours,
                              .peer = peer,
                              .ctx = stored,
                              .times = 20,
                              .what = "password checks a second of processor time, argon2id t=2 "
                                      "m=19 MiB p=1; peer = bare libsodium"});
    return 0;
}
