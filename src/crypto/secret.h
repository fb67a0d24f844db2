/* secret.h — key bytes live here and nowhere else.
 *
 * A secret is its own allocation between guard pages, locked in memory, left out of core dumps,
 * wiped when freed (libsodium's guarded heap). There is no conversion to a view outside crypto:
 * what leaves is a result, never the key. The one way out to another process is
 * rp_secret_reveal, used by the kms to fill a lease and by nobody else.
 *
 * Owner: the caller; rp_secret_free wipes. Promises: S84, S85, S86.
 */
#ifndef RP_CRYPTO_SECRET_H
#define RP_CRYPTO_SECRET_H

#include "base/buf.h"
#include "base/env.h"

struct rp_secret;

/* Once per process, before anything else of crypto. SYSTEM when the library refuses. */
rp_err rp_crypto_start(void);

rp_err rp_secret_new_random(const struct rp_env *env, size_t n, struct rp_secret **ret_secret);
/* Takes the bytes and wipes the source. */
rp_err rp_secret_new_take(uint8_t *bytes, size_t n, struct rp_secret **ret_secret);
void rp_secret_free(struct rp_secret *secret); /* accepts NULL */
void rp_secret_freep(struct rp_secret **secret);
size_t rp_secret_size(const struct rp_secret *secret);
/* Copies the bytes out; the caller wipes them with rp_wipe. */
void rp_secret_reveal(const struct rp_secret *secret, uint8_t *out, size_t n);

void rp_wipe(void *p, size_t n);
/* Time depends on the lengths only. */
bool rp_ct_equal(rp_view a, rp_view b);

#endif
