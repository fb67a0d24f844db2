/* aead.h — AES-256-GCM with a random nonce, in one sealed form.
 *
 * Sealed bytes are: "RP1A" · nonce (12) · ciphertext · tag (16). The associated data binds what
 * is sealed to its place (tenant, collection, id), so that a row copied elsewhere does not open.
 *
 * Promises: S82 (AES-256 at rest), S67 (a neighbour's data does not open).
 */
#ifndef RP_CRYPTO_AEAD_H
#define RP_CRYPTO_AEAD_H

#include "crypto/secret.h"

enum { RP_AEAD_KEY = 32, RP_AEAD_NONCE = 12, RP_AEAD_TAG = 16, RP_AEAD_OVERHEAD = 4 + 12 + 16 };

/* Appends the sealed form to out. key has RP_AEAD_KEY bytes. */
rp_err rp_aead_seal(const struct rp_env *env, const struct rp_secret *key, rp_view aad,
                    rp_view plain, struct rp_buf *out);
/* Appends the plaintext. CORRUPT when key, place or bytes are not the ones it was sealed with. */
rp_err rp_aead_open(const struct rp_secret *key, rp_view aad, rp_view sealed, struct rp_buf *out);
/* Opens a sealed key into locked memory. */
rp_err rp_aead_open_secret(const struct rp_secret *key, rp_view aad, rp_view sealed,
                           struct rp_secret **ret_secret);
/* Seals a secret's bytes without showing them. */
rp_err rp_aead_seal_secret(const struct rp_env *env, const struct rp_secret *key, rp_view aad,
                           const struct rp_secret *plain, struct rp_buf *out);

#endif
