/* inspect.h — databases as they lie, for who may look and not touch.
 *
 * The file probe reads what core owns: no migration, no lock, no byte written, nothing in it
 * believed. A handle answers rp_db_query; every change fails. Of files it is the reader of a file;
 * with PostgreSQL it is the role USER_reader, which may read all that USER wrote (docs/operations/
 * postgresql.md). A tenant's rows come one by one there: a query is let go before the next.
 *
 * Fails: NOT_FOUND, DENIED, CORRUPT, BUSY (core is just writing: look again), UNREACHABLE (there is
 * no such role, or no PostgreSQL).
 */
#ifndef RP_STORE_INSPECT_H
#define RP_STORE_INSPECT_H

#include "store/store.h"

/* A file of SQLite, wherever it came from. */
rp_err rp_inspect_open(const char *file, struct rp_db **ret_db);
/* The system's database of the store at url. */
rp_err rp_inspect_system(const char *url, struct rp_db **ret_db);
void rp_inspect_close(struct rp_db *db); /* accepts NULL */

/* A tenant's database; one that cannot be opened has err, and no db. tenant: none when a file's
 * name says nobody's. */
struct rp_inspected {
    const char *name; /* for messages */
    rp_id tenant;
    rp_err err;
    struct rp_db *db; /* valid during the call */
};
rp_err rp_inspect_each_tenant(const char *url,
                              rp_err (*each)(void *ctx, const struct rp_inspected *one), void *ctx);

/* A value that lies in a table of PostgreSQL, as its bytes are. */
struct rp_stored {
    const char *table; /* with its schema */
    rp_view bytes;     /* valid during the call, like the name */
};
/* Every value of every row, of all tenants and of the system, tables that are not ours too, until
 * `look` returns false; counts the rows. With files it is nothing: who looks at bytes reads those.
 */
rp_err rp_inspect_each_value(const char *url, bool (*look)(void *ctx, const struct rp_stored *one),
                             void *ctx, uint64_t *ret_rows);

#endif
