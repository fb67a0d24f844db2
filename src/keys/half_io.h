/* half_io.h — what lets a tenant's key end: a random half that only the key service has.
 *
 *   kms/tenants/ID   the half, sealed for this tenant under a key of the root's (64 bytes)
 *
 * A tenant's wrapped key lies in its database and so in every copy of it that was ever made. It
 * takes the master key and this half to open, and the half is in no backup's archive: only beside
 * the backups, in one file that each new backup replaces. So when a half is destroyed, the wrapped
 * keys that were made with it open no more, wherever they lie.
 *
 * What is overwritten may survive in a disk's own blocks; whoever finds it there needs the root
 * too. Promises: S85, S90, S91.
 */
#ifndef RP_KEYS_HALF_IO_H
#define RP_KEYS_HALF_IO_H

#include "keys/hierarchy.h"

enum { RP_HALF_BYTES = RP_TENANT_HALF + RP_AEAD_OVERHEAD };

/* The tenant's half: the one that is there, else a new one, durable when this returns. */
rp_err rp_half_make(const struct rp_env *env, const struct rp_hierarchy *hierarchy, rp_id tenant,
                    struct rp_secret **ret_half);
/* NOT_FOUND when it was destroyed, or never put back. CORRUPT. */
rp_err rp_half_open(const struct rp_hierarchy *hierarchy, rp_id tenant,
                    struct rp_secret **ret_half);
/* Overwritten, then gone; RP_OK when it was gone already. */
rp_err rp_half_destroy(const struct rp_env *env, rp_id tenant);

#endif
