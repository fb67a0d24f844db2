#include "crypto/sign.h"

#include <sodium.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "crypto/secret_bytes.h"

/* libsodium's implementation: constant time, no heap, refuses keys and points of small order. */

_Static_assert(RP_SIGNATURE == crypto_sign_BYTES, "a signature is 64 bytes");
_Static_assert(RP_ED25519_PUBLIC == crypto_sign_PUBLICKEYBYTES, "a public key is 32 bytes");

rp_err rp_ed25519_new(const struct rp_env *env, struct rp_secret **ret_private) {
    return rp_secret_new_random(env, crypto_sign_SEEDBYTES, ret_private);
}

/* The 64 bytes (seed ‖ public key) that libsodium signs with, in locked memory of their own. */
static rp_err expand(const struct rp_secret *seed, uint8_t *ret_public,
                     struct rp_secret **ret_expanded) {
    if (rp_secret_size(seed) != crypto_sign_SEEDBYTES) {
        return RP_ERR(INVALID);
    }
    struct rp_secret *expanded = NULL;
    RP_TRY(rp_secret_new_empty(crypto_sign_SECRETKEYBYTES, &expanded));
    int rc =
        crypto_sign_seed_keypair(ret_public, rp_secret_bytes(expanded), rp_secret_view(seed).p);
    RP_ASSERT(rc == 0);
    *ret_expanded = expanded;
    return RP_OK;
}

rp_err rp_ed25519_public(const struct rp_secret *private_key,
                         uint8_t ret_public[static RP_ED25519_PUBLIC]) {
    _cleanup_(rp_secret_freep) struct rp_secret *expanded = NULL;
    return expand(private_key, ret_public, &expanded);
}

rp_err rp_ed25519_sign(const struct rp_secret *private_key, rp_view message,
                       uint8_t ret_signature[static RP_SIGNATURE]) {
    _cleanup_(rp_secret_freep) struct rp_secret *expanded = NULL;
    uint8_t public_key[RP_ED25519_PUBLIC];
    RP_TRY(expand(private_key, public_key, &expanded));
    int rc =
        crypto_sign_detached(ret_signature, NULL, message.p, message.n, rp_secret_view(expanded).p);
    RP_ASSERT(rc == 0);
    return RP_OK;
}

rp_err rp_ed25519_verify(rp_view public_key, rp_view message, rp_view signature) {
    if (public_key.n != RP_ED25519_PUBLIC || signature.n != RP_SIGNATURE ||
        crypto_sign_verify_detached(signature.p, message.p, message.n, public_key.p) != 0) {
        return RP_ERR(BAD_SIGNATURE);
    }
    return RP_OK;
}

void rp_note_key_id(rp_view name, uint8_t type, rp_view public_key,
                    uint8_t ret_id[static RP_NOTE_KEY_ID]) {
    const uint8_t middle[] = {'\n', type};
    struct rp_sha256 hash = rp_sha256_of3(name, rp_view_of(middle, sizeof middle), public_key);
    memcpy(ret_id, hash.b, RP_NOTE_KEY_ID);
}
