/* internal.h — what the files of this room share: the connection, and SQLite's errors as ours. */
#ifndef RP_STORE_INTERNAL_H
#define RP_STORE_INTERNAL_H

#include <sqlite3.h>

#include "store/store.h"

/* Every statement of the program fits one connection's cache. */
enum { RP_STATEMENTS_MAX = 256, RP_DB_NAME = 64 };
/* At so many pages the system database's log begins anew, after a commit copied what was left. */
enum { RP_DB_LOG_FRAMES = 8000 };

struct rp_row {
    struct rp_db *db;
    const char *sql; /* its address is the key; NULL = a free place */
    sqlite3_stmt *stmt;
    rp_err bound; /* the first binding that failed */
};

struct rp_db {
    sqlite3 *handle;
    rp_id tenant;
    bool in_transaction;
    bool eased;    /* a commit does not wait for the disk */
    uint64_t used; /* for the least used to close first */
    char name[RP_DB_NAME];
    struct rp_row rows[RP_STATEMENTS_MAX];
};

/* Opens the file of the tenant (none: the system's), made whole first when absent and wanted. */
rp_err rp_db_open(const char *file, rp_id tenant, bool create, struct rp_db **ret_db,
                  struct rp_diag *diag);
void rp_db_close(struct rp_db *db); /* accepts NULL */

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
