/* opener.h — from what a person has (a recovery sheet, a passphrase, the key file) to a backup's
 * key.
 *
 * Offline: the sealed keyring and roots stand in the backup's own head, so that an empty machine
 * opens it. What is opened on the way is wiped again; only the backup's key stays.
 *
 * Fails: DENIED (the wrong one), NOT_FOUND (this backup cannot be opened that way), INVALID (a
 * code with a typing error), CORRUPT (the head was altered).
 */
#ifndef RP_KEEP_OPENER_H
#define RP_KEEP_OPENER_H

#include "keep/head.h"

/* The text of the recovery sheet's code. */
rp_err rp_keep_open_by_code(const struct rp_env *env, const struct rp_keep_head *head, rp_view code,
                            struct rp_secret **ret_key);
/* A passphrase: the backup's own, else the one that unseals the installation. */
rp_err rp_keep_open_by_passphrase(const struct rp_env *env, const struct rp_keep_head *head,
                                  rp_view passphrase, struct rp_secret **ret_key);
/* The keys of the installation in the current folder, opened by its key file. */
rp_err rp_keep_open_here(const struct rp_env *env, const struct rp_keep_head *head,
                         struct rp_secret **ret_key);

/* For rp_keep_head.passphrase: the key sealed under a passphrase of the backup's own. WEAK. */
rp_err rp_keep_seal_key(const struct rp_env *env, rp_view passphrase, const struct rp_secret *key,
                        struct rp_buf *out);

#endif
