/* pg.h — PostgreSQL behind the door: one connection, and the databases that are seen through it.
 *
 * A store's thread has two connections: one whose search path is the system's schema, one for all
 * tenants. The second is turned to a tenant before a statement of that tenant's handle runs, and
 * row level security shows that tenant's rows alone; it never turns inside a transaction.
 *
 * A connection that broke (a restart, a failover) is made anew before the next transaction or
 * single statement; what runs meanwhile fails with UNREACHABLE.
 */
#ifndef RP_STORE_PG_H
#define RP_STORE_PG_H

#include <libpq-fe.h>

#include "store/inspect.h"
#include "store/internal.h"
#include "wire/store_url.h"

enum { RP_PG_SQL_MAX = 512 }; /* what we say ourselves, names of schemas in it */

struct rp_pg {
    struct rp_store_url url;
    bool tenants; /* whose schema */
    bool streams; /* a reader's: rows come one by one */
    PGconn *conn;
    unsigned life;              /* counts connections: a statement belongs to one of them */
    rp_id tenant;               /* what the connection is turned to; none: to nobody */
    const struct rp_db *holder; /* whose transaction runs */
    int64_t lock;               /* the number behind which writers of this schema stand in line */
    uint64_t changes;
    struct rp_row rows[RP_STATEMENTS_MAX];
};

extern const struct rp_engine rp_pg_engine;

/* ---- connect.c ---- */

/* Connects, refuses a role that row level security does not hold and tables that it does not guard,
 * and migrates the schema. UNREACHABLE, DENIED, UNSUPPORTED (an older PostgreSQL, another
 * encoding), EXISTS_NEWER. */
rp_err rp_pg_new(const struct rp_store_url *url, bool tenants, struct rp_pg **ret_pg,
                 struct rp_diag *diag);
/* The same as the role USER_reader, which migrates nothing and can change nothing. Of tenants,
 * whose data has no bound, rows come one by one. */
rp_err rp_pg_new_reader(const struct rp_store_url *url, bool tenants, struct rp_pg **ret_pg);
void rp_pg_free(struct rp_pg *pg); /* accepts NULL */
/* Between transactions: the connection stands, made anew where it broke, and is turned to the
 * tenant. */
rp_err rp_pg_ready(struct rp_pg *pg, rp_id tenant);
/* Statements without parameters and results, in one go. */
rp_err rp_pg_exec(struct rp_pg *pg, const char *sql);
/* The one int8 that sql answers; CORRUPT for anything else. */
rp_err rp_pg_number(struct rp_pg *pg, const char *sql, int64_t *ret_number);

/* ---- engine.c ---- */

/* The lock behind which writers stand in line: of the system's schema, or of one tenant in the
 * tenants'. */
int64_t rp_pg_line(const struct rp_db *db);

/* ---- migrate.c ---- */

rp_err rp_pg_migrate(struct rp_pg *pg, struct rp_diag *diag);
/* Whether it is at this program's version. */
bool rp_pg_is_current(struct rp_pg *pg);
/* The role USER_reader, where the operator made one, may read every table. */
rp_err rp_pg_let_reader_in(struct rp_pg *pg);

/* ---- open.c ---- */

/* The tenant's database (none: the system's) seen through pg, which outlives it. NOT_FOUND. */
rp_err rp_pg_open(struct rp_pg *pg, rp_id tenant, bool create, struct rp_db **ret_db,
                  struct rp_diag *diag);
void rp_pg_close(struct rp_db *db); /* an engine's closing: statements stay with the connection */
/* All rows of the tenant, in one transaction; counts them. */
rp_err rp_pg_remove_tenant(struct rp_pg *pg, rp_id tenant, uint64_t *ret_rows);

/* ---- inspect.c ---- */

rp_err rp_pg_inspect_system(const struct rp_store_url *url, struct rp_db **ret_db);
rp_err rp_pg_inspect_each(const struct rp_store_url *url,
                          rp_err (*each)(void *ctx, const struct rp_inspected *one), void *ctx);
rp_err rp_pg_inspect_values(const struct rp_store_url *url,
                            bool (*look)(void *ctx, const struct rp_stored *one), void *ctx,
                            uint64_t *ret_rows);

/* ---- snapshot.c: as store/snapshot.h has it ---- */

struct rp_pg_snapshot;
rp_err rp_pg_snapshot_start(const struct rp_store_url *url, rp_id tenant, const char *target,
                            struct rp_pg_snapshot **ret_snapshot, struct rp_diag *diag);
rp_err rp_pg_snapshot_step(struct rp_pg_snapshot *snapshot, int rows, uint64_t *ret_left,
                           struct rp_diag *diag);
uint64_t rp_pg_snapshot_rows(const struct rp_pg_snapshot *snapshot); /* so far */
void rp_pg_snapshot_free(struct rp_pg_snapshot *snapshot);           /* accepts NULL */

/* ---- error.c ---- */

/* What a failed result means; NULL: the connection broke. */
rp_err rp_pg_err(const struct rp_pg *pg, const PGresult *result);
/* The server's message without its line end. */
rp_view rp_pg_message(const struct rp_pg *pg, const PGresult *result);

/* ---- translate.c, pure ---- */

/* The statement as PostgreSQL reads it: ?1 is $1, and in a tenant's database a conflict's key
 * begins with the tenant. INVALID: a place over RP_PG_PLACES_MAX. */
enum { RP_PG_PLACES_MAX = 24 };
struct rp_pg_places {
    int count;
    bool used[RP_PG_PLACES_MAX]; /* a number may be left out */
};
rp_err rp_pg_translate(const char *sql, bool tenants, struct rp_buf *out,
                       struct rp_pg_places *ret_places);

/* ---- statement.c, run.c: an engine's functions on statements ---- */

rp_err rp_pg_prepare(struct rp_row *row);
void rp_pg_reset(struct rp_row *row);
void rp_pg_destroy(struct rp_row *row);
rp_err rp_pg_bind_u64(struct rp_row *row, int place, uint64_t value);
rp_err rp_pg_bind_any_u64(struct rp_row *row, int place, uint64_t value);
rp_err rp_pg_bind_bytes(struct rp_row *row, int place, enum rp_bytes_kind kind, rp_view value);
rp_err rp_pg_bind_null(struct rp_row *row, int place);
rp_err rp_pg_bind_bytes_null(struct rp_row *row, int place, enum rp_bytes_kind kind);
rp_err rp_pg_step(struct rp_row *row, bool *ret_has_row);
uint64_t rp_pg_changed(const struct rp_row *row);
uint64_t rp_pg_u64(const struct rp_row *row, int column);
rp_view rp_pg_bytes(const struct rp_row *row, int column, enum rp_bytes_kind kind);
bool rp_pg_is_null(const struct rp_row *row, int column);

/* ---- value.c, pure: what the server sends in binary ---- */

enum { RP_PG_BOOL = 16, RP_PG_BYTEA = 17, RP_PG_INT8 = 20, RP_PG_INT2 = 21, RP_PG_INT4 = 23 };
enum { RP_PG_TEXT = 25, RP_PG_NUMERIC = 1700 };

void rp_pg_put_u64(uint64_t value, uint8_t out[static 8]);
int64_t rp_pg_take_int8(const uint8_t bytes[static 8]);
/* Booleans are 1 and 0, digits in a text count; what is negative or no number is 0. */
uint64_t rp_pg_take_u64(Oid type, rp_view value);

#endif
