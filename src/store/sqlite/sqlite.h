/* sqlite.h — SQLite behind the door: opening a file, its errors as ours, and its statements. */
#ifndef RP_STORE_SQLITE_H
#define RP_STORE_SQLITE_H

#include <sqlite3.h>

#include "store/inspect.h"
#include "store/internal.h"

/* At so many pages the system database's log begins anew, after a commit copied what was left. */
enum { RP_DB_LOG_FRAMES = 8000 };

extern const struct rp_engine rp_sqlite_engine;

/* Opens the file of the tenant (none: the system's), made whole first when absent and wanted. */
rp_err rp_sqlite_open(const char *file, rp_id tenant, bool create, struct rp_db **ret_db,
                      struct rp_diag *diag);
/* A database around an open handle, which it owns from then on. */
rp_err rp_sqlite_wrap(sqlite3 *handle, const char *file, rp_id tenant, struct rp_db **ret_db);
sqlite3 *rp_sqlite_handle(const struct rp_db *db);
/* Every tenant's file below tenants/ (inspect.c). */
rp_err rp_sqlite_inspect_each(rp_err (*each)(void *ctx, const struct rp_inspected *one), void *ctx);
rp_err rp_sqlite_checkpoint(struct rp_db *db);

/* ---- snapshot.c: as store/snapshot.h has it ---- */

struct rp_sqlite_snapshot;
rp_err rp_sqlite_snapshot_start(rp_id tenant, const char *target,
                                struct rp_sqlite_snapshot **ret_snapshot, struct rp_diag *diag);
rp_err rp_sqlite_snapshot_step(struct rp_sqlite_snapshot *snapshot, int pages, uint64_t *ret_left,
                               struct rp_diag *diag);
void rp_sqlite_snapshot_free(struct rp_sqlite_snapshot *snapshot); /* accepts NULL */

/* What a failed call of SQLite means; result is not SQLITE_OK, ROW or DONE. */
rp_err rp_store_err(sqlite3 *handle, int result);
/* Waits for who writes: two seconds of looks (wait.c). */
void rp_store_wait_for_lock(sqlite3 *handle);
rp_err rp_store_exec(sqlite3 *handle, const char *sql);
/* A whole copy of what is committed, durable under its name or not there (snapshot.c). */
rp_err rp_store_copy(sqlite3 *handle, const char *target);
/* The one number that sql answers. */
rp_err rp_store_number(sqlite3 *handle, const char *sql, int64_t *ret_number);

#endif
