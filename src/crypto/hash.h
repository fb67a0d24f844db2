/* hash.h — SHA-256, HMAC, HKDF. FIPS 180-4, RFC 2104, RFC 5869. */
#ifndef RP_CRYPTO_HASH_H
#define RP_CRYPTO_HASH_H

#include "crypto/secret.h"

enum { RP_SHA256 = 32, RP_SHA1 = 20, RP_MD5 = 16 };

struct rp_sha256 {
    uint8_t b[RP_SHA256];
};

/* Of what is no secret: secrets are compared with rp_ct_equal. */
static inline bool rp_sha256_equal(const struct rp_sha256 *a, const struct rp_sha256 *b) {
    return __builtin_memcmp(a->b, b->b, RP_SHA256) == 0;
}
static inline rp_view rp_hash_view(const struct rp_sha256 *hash) {
    return rp_view_of(hash->b, sizeof hash->b);
}
struct rp_sha256 rp_sha256_of(rp_view v);
/* H(a ‖ b): the shape every Merkle node has. */
struct rp_sha256 rp_sha256_of2(rp_view a, rp_view b);
struct rp_sha256 rp_sha256_of3(rp_view a, rp_view b, rp_view c);
/* A whole open file from its start. */
rp_err rp_sha256_of_fd(int fd, struct rp_sha256 *ret_hash);
/* What comes piece by piece; the stream is of no use after its end but to be freed. */
struct rp_sha256_stream;
rp_err rp_sha256_stream_new(struct rp_sha256_stream **ret_stream);
void rp_sha256_stream_add(struct rp_sha256_stream *stream, rp_view v);
struct rp_sha256 rp_sha256_stream_end(struct rp_sha256_stream *stream);
void rp_sha256_stream_free(struct rp_sha256_stream *stream); /* accepts NULL */

struct rp_sha256 rp_hmac_sha256(const struct rp_secret *key, rp_view message);
/* HKDF-SHA256 with the secret as input key material; n ≤ 8160. */
rp_err rp_hkdf_sha256(const struct rp_secret *ikm, rp_view salt, rp_view info, size_t n,
                      struct rp_secret **ret_key);

/* RFC 6238 with SHA-1, 6 digits, 30 s: what every authenticator application speaks. Writes six
 * ASCII digits. */
void rp_totp_code(const struct rp_secret *key, uint64_t step, char ret_digits[static 6]);

/* Broken long ago, and here only because rules of the web application firewall ask for them
 * (t:md5, t:sha1): they name a text, they prove nothing. */
void rp_sha1_of(rp_view v, uint8_t ret_hash[static RP_SHA1]);
void rp_md5_of(rp_view v, uint8_t ret_hash[static RP_MD5]);

#endif
