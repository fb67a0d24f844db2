/* remove.h — a tenant's database and all that lies beside it, gone; and handles on what is gone.
 *
 * For a tenant that was closed, after its key: what is removed here was unreadable before. Each
 * thread that had the database open lets go of it by itself.
 */
#ifndef RP_STORE_REMOVE_H
#define RP_STORE_REMOVE_H

#include "store/store.h"

/* The database, its -wal and -shm, copies from before an upgrade, and the folder of sealed bytes.
 * Counts what was there. RP_OK when nothing was. */
struct rp_removed {
    uint64_t files, bytes;
    uint64_t rows; /* with PostgreSQL */
};
rp_err rp_store_remove_tenant(struct rp_store *store, rp_id tenant, struct rp_removed *ret_removed);
/* With PostgreSQL, all rows of the tenant, in one transaction; with files there is nothing to do.
 */
rp_err rp_store_remove_rows(struct rp_store *store, rp_id tenant, uint64_t *ret_rows);
/* Closes this store's handle of the tenant, if it has one and is not in the middle of a change. */
void rp_store_forget(struct rp_store *store, rp_id tenant);

#endif
