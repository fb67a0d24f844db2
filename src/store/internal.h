/* internal.h — what the files of this room share: an open database, a statement, and the table of
 * functions behind which SQLite and PostgreSQL are the same.
 *
 * row.c and db.c hold what both have in common (which statement is which, that a change lost in the
 * middle is not written on, that a transaction has one end); an engine does the rest.
 */
#ifndef RP_STORE_INTERNAL_H
#define RP_STORE_INTERNAL_H

#include "store/store.h"

/* Every statement of the program fits one connection's cache. */
enum { RP_STATEMENTS_MAX = 256, RP_DB_NAME = 64 };

struct rp_row {
    struct rp_db *db;
    const char *sql; /* its address is the key; NULL = a free place */
    rp_err bound;    /* the first binding that failed */
    void *own;       /* the engine's prepared statement */
};

struct rp_db {
    const struct rp_engine *engine;
    void *own;           /* the engine's: a file's handle, or a connection */
    struct rp_row *rows; /* RP_STATEMENTS_MAX of them */
    rp_id tenant;
    bool in_transaction;
    uint64_t used; /* for the least used to close first */
    char name[RP_DB_NAME];
};

enum rp_bytes_kind { RP_BYTES_TEXT, RP_BYTES_BLOB };

struct rp_engine {
    enum rp_sql sql;

    /* eased: a commit does not wait for the disk. */
    rp_err (*begin)(struct rp_db *db, bool eased);
    rp_err (*commit)(struct rp_db *db);
    void (*rollback)(struct rp_db *db); /* with no statement running; cannot fail */
    /* The transaction that was begun is no more: the engine gave it up at an earlier error. */
    bool (*gave_up)(const struct rp_db *db);
    rp_err (*checkpoint)(struct rp_db *db);
    uint64_t (*changes)(const struct rp_db *db);

    rp_err (*prepare)(struct rp_row *row);
    void (*reset)(struct rp_row *row); /* nothing runs, nothing is bound; accepts what never ran */
    void (*destroy)(struct rp_row *row); /* the opposite of prepare */
    rp_err (*bind_u64)(struct rp_row *row, int place, uint64_t value);
    rp_err (*bind_any_u64)(struct rp_row *row, int place, uint64_t value);
    rp_err (*bind_bytes)(struct rp_row *row, int place, enum rp_bytes_kind kind, rp_view value);
    rp_err (*bind_null)(struct rp_row *row, int place);
    rp_err (*bind_bytes_null)(struct rp_row *row, int place, enum rp_bytes_kind kind);
    rp_err (*step)(struct rp_row *row, bool *ret_has_row);
    uint64_t (*changed)(const struct rp_row *row); /* by the last run */
    uint64_t (*u64)(const struct rp_row *row, int column);
    rp_view (*bytes)(const struct rp_row *row, int column, enum rp_bytes_kind kind);
    bool (*is_null)(const struct rp_row *row, int column);

    void (*close)(struct rp_db *db);
};

/* db/ and tenants/, below the working folder. */
rp_err rp_store_make_folders(void);
/* The name of the tenant's file; make: its folder is there then. */
rp_err rp_store_tenant_file(rp_id tenant, bool make, char name[static RP_DB_NAME]);
/* The opposite of the engine's opening; accepts NULL. */
void rp_db_close(struct rp_db *db);
/* Destroys what was prepared; a row may be of a database that is closed already. */
void rp_rows_destroy(const struct rp_engine *engine, struct rp_row *rows);

#endif
