/* wrapped.h — a tenant's key as the database keeps it: sealed under one version of a master key.
 *
 *   "RPW2" · master key's id (16) · its version (u32, big-endian) · sealed key (aead.h)
 *
 * The seal is bound to the tenant and the version, so that a wrapped key put into another
 * tenant's row does not open. "RPW2" takes the master key and the tenant's half (half_io.h) to
 * open; "RPW1", of backups and of tenants from before there were halves, the master key alone.
 * Pure; fuzzed. Promises: S85, S67.
 */
#ifndef RP_KEYS_WRAPPED_H
#define RP_KEYS_WRAPPED_H

#include "crypto/aead.h"

enum {
    RP_TENANT_KEY = RP_AEAD_KEY,
    RP_TENANT_HALF = 32,
    RP_WRAPPED_MAX = 128,
    RP_WRAPPED_BYTES = 4 + RP_ID_BYTES + 4 + RP_TENANT_KEY + RP_AEAD_OVERHEAD
};

struct rp_wrapped {
    rp_id master;
    uint32_t version;
    bool halved;    /* it takes the tenant's half, too */
    rp_view sealed; /* into the bytes */
};

/* CORRUPT for anything but one whole wrapped key; EXISTS_NEWER for a later "RPW". */
rp_err rp_wrapped_parse(rp_view bytes, struct rp_wrapped *ret_wrapped);

/* The key that wraps what takes a half, made of the master key and that half. */
rp_err rp_wrapping_key(const struct rp_secret *master_key, const struct rp_secret *half,
                       struct rp_secret **ret_key);
/* wrapped: master, version, halved; wrapping: of both, or the master key itself. */
rp_err rp_wrapped_seal(const struct rp_env *env, const struct rp_secret *wrapping,
                       const struct rp_wrapped *wrapped, rp_id tenant, const struct rp_secret *key,
                       struct rp_buf *out);
/* CORRUPT when it was made for another tenant, under another half, or altered. */
rp_err rp_wrapped_open(const struct rp_secret *wrapping, const struct rp_wrapped *wrapped,
                       rp_id tenant, struct rp_secret **ret_key);

#endif
