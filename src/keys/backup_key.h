/* backup_key.h — the key of one backup: made by the kms, wrapped under its master key.
 *
 * Each backup has a key of its own. Wrapped, it stands in the clear head of the backup, beside the
 * sealed keyring: whoever has the recovery sheet or the passphrase opens root → keyring → this
 * key on any machine, with this program and nothing else. The seal is bound to the backup's id
 * under a word of its own, so that a tenant's key never opens as a backup's, nor the other way.
 */
#ifndef RP_KEYS_BACKUP_KEY_H
#define RP_KEYS_BACKUP_KEY_H

#include "keys/hierarchy.h"

/* Appends the wrapped form; the key itself is the caller's. */
rp_err rp_backup_key_new(const struct rp_hierarchy *hierarchy, rp_id backup,
                         struct rp_buf *ret_wrapped, struct rp_secret **ret_key);
/* NOT_FOUND when no key here wrapped it, CORRUPT when it is altered or another backup's. */
rp_err rp_backup_key_open(const struct rp_hierarchy *hierarchy, rp_id backup, rp_view wrapped,
                          struct rp_secret **ret_key);

#endif
