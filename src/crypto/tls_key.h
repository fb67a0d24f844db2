/* tls_key.h — a machine's key among machines, and the text by which another names it.
 *
 * "SHA256:" and 43 digits of base64, as ssh has it: the SHA-256 of the public key's DER
 * (SubjectPublicKeyInfo). Two machines are paired when each has the other's text in its
 * configuration; nothing is trusted because it came first. The key is ECDSA P-256, PKCS #8 in PEM.
 */
#ifndef RP_CRYPTO_TLS_KEY_H
#define RP_CRYPTO_TLS_KEY_H

#include "crypto/hash.h"

enum { RP_FINGERPRINT_TEXT = 7 + 43 + 1, RP_TLS_KEY_PEM_MAX = 4096 };

/* A new private key as text. */
rp_err rp_tls_key_make(struct rp_buf *ret_pem);

/* The key with a certificate that it signs for itself; the date in it counts for nobody. */
struct rp_tls_key;
rp_err rp_tls_key_read(const struct rp_env *env, rp_view pem, struct rp_tls_key **ret_key);
void rp_tls_key_free(struct rp_tls_key *key); /* accepts NULL */
struct rp_sha256 rp_tls_key_fingerprint(const struct rp_tls_key *key);

void rp_fingerprint_print(const struct rp_sha256 *fingerprint,
                          char out[static RP_FINGERPRINT_TEXT]);
/* False for any other form of the same bytes, too. */
bool rp_fingerprint_parse(rp_view text, struct rp_sha256 *ret_fingerprint);

#endif
