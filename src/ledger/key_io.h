/* key_io.h — the ledger's own signing key: its own file, made at the first start.
 *
 * 32 bytes, mode 0600, independent of the key service: who can make the kms sign still cannot
 * rewrite the log.
 */
#ifndef RP_LEDGER_KEY_IO_H
#define RP_LEDGER_KEY_IO_H

#include "ledger/note.h"

/* Loads the key, or makes it. CORRUPT when the file is no key; it is never replaced. */
rp_err rp_log_key_open(const struct rp_env *env, const char *path, struct rp_log_key *ret_key,
                       struct rp_diag *diag);

#endif
