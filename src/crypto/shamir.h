/* shamir.h — a secret cut into n shares of which any k bring it back, and fewer tell nothing.
 *
 * Shamir, "How to share a secret" (1979), byte by byte over GF(2^8) with AES' polynomial. A share
 * is a place x (1 to 255) and as many bytes as the secret. Multiplication runs the same steps
 * whatever its operands are, without tables: time and cache tell nothing of them.
 *
 * Combining cannot know whether the shares are right: any k give something. Who uses the result
 * finds out.
 */
#ifndef RP_CRYPTO_SHAMIR_H
#define RP_CRYPTO_SHAMIR_H

#include "crypto/secret.h"

enum { RP_SHAMIR_MAX = 16, RP_SHAMIR_BYTES_MAX = 64 };

/* Shares for the places 1 to count: out[i] gets the bytes of place i + 1, each of the secret's
 * size. 2 <= threshold <= count <= RP_SHAMIR_MAX. The caller wipes them. */
void rp_shamir_split(const struct rp_env *env, const struct rp_secret *secret, unsigned threshold,
                     unsigned count, uint8_t out[][RP_SHAMIR_BYTES_MAX]);
/* From `count` shares of n bytes. INVALID when two have the same place, or one has none. */
rp_err rp_shamir_combine(const uint8_t *places, const uint8_t shares[][RP_SHAMIR_BYTES_MAX],
                         unsigned count, size_t n, struct rp_secret **ret_secret);

#endif
