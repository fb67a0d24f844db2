/* sign.h — Ed25519 for the log (RFC 8032), ECDSA P-256 for assertions (RFC 7518 ES256).
 *
 * A private key is a secret: 32 bytes, the seed or the scalar. A public key is plain bytes:
 * 32 for Ed25519, 65 (0x04 ‖ x ‖ y) for P-256. Signatures are 64 bytes (r ‖ s for ES256).
 * Passkeys sign with keys that are not ours: their ES256 signatures are DER, and some use RSA.
 */
#ifndef RP_CRYPTO_SIGN_H
#define RP_CRYPTO_SIGN_H

#include "crypto/secret.h"

enum { RP_SIGNATURE = 64, RP_ED25519_PUBLIC = 32, RP_P256_PUBLIC = 65 };

rp_err rp_ed25519_new(const struct rp_env *env, struct rp_secret **ret_private);
rp_err rp_ed25519_public(const struct rp_secret *private_key,
                         uint8_t ret_public[static RP_ED25519_PUBLIC]);
rp_err rp_ed25519_sign(const struct rp_secret *private_key, rp_view message,
                       uint8_t ret_signature[static RP_SIGNATURE]);
/* BAD_SIGNATURE for anything that does not verify, whatever the reason. */
rp_err rp_ed25519_verify(rp_view public_key, rp_view message, rp_view signature);

/* The four bytes by which a signed note names a key (C2SP signed-note): the beginning of
 * SHA-256(name ‖ 0x0A ‖ type ‖ public key). */
enum { RP_NOTE_KEY_ID = 4 };
void rp_note_key_id(rp_view name, uint8_t type, rp_view public_key,
                    uint8_t ret_id[static RP_NOTE_KEY_ID]);

rp_err rp_es256_new(const struct rp_env *env, struct rp_secret **ret_private);
rp_err rp_es256_public(const struct rp_secret *private_key,
                       uint8_t ret_public[static RP_P256_PUBLIC]);
rp_err rp_es256_sign(const struct rp_secret *private_key, rp_view message,
                     uint8_t ret_signature[static RP_SIGNATURE]);
rp_err rp_es256_verify(rp_view public_key, rp_view message, rp_view signature);
/* The signature as WebAuthn carries it: DER of (r, s), in its one form. */
rp_err rp_es256_verify_der(rp_view public_key, rp_view message, rp_view der);

/* RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017): of others only, we sign nothing with it. Modulus of
 * 2,048 to 4,096 bits and exponent big-endian; BAD_SIGNATURE for other sizes, too. */
rp_err rp_rs256_verify(rp_view modulus, rp_view exponent, rp_view message, rp_view signature);

#endif
