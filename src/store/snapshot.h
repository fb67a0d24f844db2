/* snapshot.h — one consistent copy of a database while others write to it.
 *
 * The copy is a file of SQLite, whatever the store is: backups have one form, and go back to
 * either. It is what was committed when the snapshot started, however long it takes and whoever
 * writes meanwhile: SQLite's online backup out of a read transaction, or a REPEATABLE READ
 * transaction on a connection of its own. It goes a few pages (or as many rows) at a time, so that
 * the thread which makes it has time for others in between.
 *
 * Owner: one thread. Fails: NO_SPACE (the copy needs as much room as the original), BUSY, CORRUPT.
 */
#ifndef RP_STORE_SNAPSHOT_H
#define RP_STORE_SNAPSHOT_H

#include "store/store.h"

struct rp_snapshot;

/* Of the store at url; tenant none: the system database. `target` is made anew. NOT_FOUND for no
 * such database. */
rp_err rp_snapshot_start(const char *url, rp_id tenant, const char *target,
                         struct rp_snapshot **ret_snapshot, struct rp_diag *diag);
rp_id rp_snapshot_tenant(const struct rp_snapshot *snapshot);
/* Copies up to `pages` (or rows); *ret_left is 0 when the copy is whole. */
rp_err rp_snapshot_step(struct rp_snapshot *snapshot, int pages, uint64_t *ret_left,
                        struct rp_diag *diag);
void rp_snapshot_free(struct rp_snapshot *snapshot); /* accepts NULL; a half copy is removed */

#endif
