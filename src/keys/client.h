/* client.h — core's side of the key service: a tenant's key on lease, an assertion signed.
 *
 * A data key is never stored bare. Core keeps wrapped keys; the kms, another process under
 * another user, holds the master keys and lends a tenant's key for at most five minutes into
 * locked memory. The cache counts uses and reports them when a lease ends.
 *
 * Owner: one rp_keys per thread. Fails: KMS_DOWN, KMS_SEALED (retry), DENIED, CORRUPT (never).
 * Promises: S82, S84, S85, S86.
 */
#ifndef RP_KEYS_CLIENT_H
#define RP_KEYS_CLIENT_H

#include "crypto/secret.h"
#include "ipc/ipc.h"
#include "keys/wrapped.h"

enum { RP_LEASES_MAX = 1024, RP_LEASE_MS = 5 * 60 * 1000 };

struct rp_keys;

rp_err rp_keys_new(const struct rp_env *env, struct rp_keys **ret_keys);
/* Ends every lease, with its count. */
void rp_keys_free(struct rp_keys *keys); /* accepts NULL */

/* A new data key for the tenant, wrapped under the current master version. */
rp_err rp_keys_new_tenant_key(struct rp_keys *keys, rp_id tenant, struct rp_buf *ret_wrapped);
/* From before there were halves: the same key, wrapped so that it can end. */
rp_err rp_keys_rewrap(struct rp_keys *keys, rp_id tenant, rp_view wrapped,
                      struct rp_buf *ret_wrapped);
/* No copy of the tenant's wrapped key opens any more. RP_OK again when that was done before. */
rp_err rp_keys_destroy(struct rp_keys *keys, rp_id tenant);
/* Ends what this cache holds of the tenant's. */
void rp_keys_drop(struct rp_keys *keys, rp_id tenant);
/* The tenant's key, leased or from the cache; valid until the next call on keys. CORRUPT when the
 * wrapped key was altered or is another tenant's, NOT_FOUND when this kms never wrapped it. */
rp_err rp_keys_lease(struct rp_keys *keys, rp_id tenant, rp_view wrapped,
                     const struct rp_secret **ret_key);
/* Ends what is past its time and reports what ended; call now and then. */
void rp_keys_expire(struct rp_keys *keys);

/* What a gate tells an application about the person in front of it. */
struct rp_assertion {
    const char *audience; /* the app */
    rp_id person, tenant, session;
    rp_view email;
    rp_view roles;   /* separated by spaces */
    const char *acr; /* "pwd", "mfa", "phr" */
};
/* A JWT, ES256, 60 s. The kms builds the claims itself: its key signs nothing else. */
rp_err rp_keys_assert(struct rp_keys *keys, const struct rp_assertion *assertion,
                      struct rp_buf *ret_jwt);
/* The JWK set that verifies assertions, and the kms' inventory (ids, kinds, versions, states; no
 * key bytes), both JSON. */
rp_err rp_keys_public(struct rp_keys *keys, struct rp_buf *ret_jwks, struct rp_buf *ret_inventory);

#endif
