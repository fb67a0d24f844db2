/* store.h — the one door to the database.
 *
 * One system database (people, memberships, sessions, the tenants' directory) and one database for
 * each tenant. A handle is bound to its tenant when it is opened; no query spans two. By default
 * each database is a file of SQLite; with a PostgreSQL they are two schemas, in which row level
 * security shows a tenant's handle that tenant's rows alone.
 * Every change and its event commit together: the event waits in the tenant's outbox, with a
 * gapless number, until the ledger has it.
 *
 * SQL is static text with ?1…?n, one text for both; values are bound, never pasted. Statements are
 * cached by address.
 *
 * Threads: a store belongs to one thread. Fails: NO_SPACE, BUSY (locked by somebody else),
 * EXISTS_NEWER (a newer Rempart wrote it), CORRUPT, CONFLICT, UNREACHABLE (PostgreSQL is away).
 * Promises: S66, S67, S68 (a tenant's data apart), S114 (each change is in the log).
 */
#ifndef RP_STORE_STORE_H
#define RP_STORE_STORE_H

#include "base/arena.h"
#include "base/env.h"
#include "event/event.h"

enum { RP_TENANTS_OPEN_MAX = 128, RP_OUTBOX_MAX = 100000 };

struct rp_store; /* one thread's connections */
struct rp_db;    /* an open database: the system's, or one tenant's */

/* url: wire/store_url.h says which there are. UNSUPPORTED for others. PostgreSQL is not asked yet.
 */
rp_err rp_store_open(const struct rp_env *env, const char *url, struct rp_store **ret_store,
                     struct rp_diag *diag);
void rp_store_close(struct rp_store *store);

/* Migrates to this program's version at first open. */
rp_err rp_store_system(struct rp_store *store, struct rp_db **ret_db, struct rp_diag *diag);
/* Opens the tenant's database; create = false: NOT_FOUND when there is none. At most 128 stay
 * open, the least used closes. Valid until the next rp_store_tenant. */
rp_err rp_store_tenant(struct rp_store *store, rp_id tenant, bool create, struct rp_db **ret_db,
                       struct rp_diag *diag);
/* In which dialect the few statements are written that are not one text for both. */
enum rp_sql { RP_SQL_SQLITE, RP_SQL_POSTGRESQL };
enum rp_sql rp_db_sql(const struct rp_db *db);
/* Whose database this is (none: the system's), and its file, for messages. */
rp_id rp_db_tenant(const struct rp_db *db);
const char *rp_db_name(const struct rp_db *db);

/* ---- transactions: begin, then commit or roll back; not nested ---- */
rp_err rp_db_begin(struct rp_db *db);  /* a writer at once (IMMEDIATE) */
rp_err rp_db_commit(struct rp_db *db); /* durable when it returns */
void rp_db_rollback(struct rp_db *db); /* also after a failed commit; harmless outside */

/* Begins, runs body, commits when it answers RP_OK, else rolls back and answers what it did. */
rp_err rp_db_transact(struct rp_db *db, rp_err (*body)(struct rp_db *db, void *ctx), void *ctx);
/* The same, but the commit does not wait for the disk: it is durable with the next one that does,
 * and whoever else writes waits the shorter. For what may come undone in a power cut. */
rp_err rp_db_transact_eased(struct rp_db *db, rp_err (*body)(struct rp_db *db, void *ctx),
                            void *ctx);

/* ---- statements ---- */
struct rp_row; /* a running statement */

/* Prepares (or finds) the statement and resets it. sql must be a static string. */
rp_err rp_db_query(struct rp_db *db, const char *sql, struct rp_row **ret_row);
void rp_row_bind_u64(struct rp_row *row, int place, uint64_t value);
/* In or beside a column of numbers and texts (register_value), where numbers sort as numbers. */
void rp_row_bind_any_u64(struct rp_row *row, int place, uint64_t value);
void rp_row_bind_text(struct rp_row *row, int place, rp_view value); /* copied */
void rp_row_bind_blob(struct rp_row *row, int place, rp_view value); /* copied */
void rp_row_bind_id(struct rp_row *row, int place, rp_id value);
void rp_row_bind_null(struct rp_row *row, int place);
/* NULL for a view without a pointer, for the id of nobody. A statement that asks whether a value
 * was given at all ("?2 IS NULL OR …") has it by these: its type must be known when it is NULL,
 * too. */
void rp_row_bind_text_or_null(struct rp_row *row, int place, rp_view value);
void rp_row_bind_id_or_null(struct rp_row *row, int place, rp_id value);
/* RP_OK with *ret_has_row; DUPLICATE for a broken UNIQUE constraint. */
rp_err rp_row_next(struct rp_row *row, bool *ret_has_row);
/* The same where a row is expected: NOT_FOUND when there is none. */
rp_err rp_row_first(struct rp_row *row);
/* For statements that return nothing: one step. *ret_changed (nullable) = rows changed. */
rp_err rp_row_run(struct rp_row *row, uint64_t *ret_changed);
/* How many rows this connection has changed so far, those of an index of words included. */
uint64_t rp_db_changes(const struct rp_db *db);
uint64_t rp_row_u64(struct rp_row *row, int column);
rp_view rp_row_text(struct rp_row *row, int column); /* until the next step */
rp_view rp_row_blob(struct rp_row *row, int column);
rp_id rp_row_id(struct rp_row *row, int column); /* none for NULL */
bool rp_row_is_null(struct rp_row *row, int column);
void rp_row_done(struct rp_row *row); /* resets; accepts NULL */
/* For _cleanup_(rp_row_donep): a statement left running would hold its snapshot. */
static inline void rp_row_donep(struct rp_row **row) {
    rp_row_done(*row);
}

/* What was committed goes from the log beside the file into the file, on this connection's thread;
 * writers and readers go on meanwhile. The system's database leaves it to its forwarder, so that no
 * single write waits for all the pages of those before it. */
rp_err rp_db_checkpoint(struct rp_db *db);

/* ---- the outbox ---- */
/* Inside a transaction: puts the event behind the change. OVERLOAD over 100,000 waiting. */
rp_err rp_db_emit(struct rp_db *db, const struct rp_event *event);
/* The oldest waiting events, at most max and what the arena holds (TOO_LARGE when not even one);
 * numbers are consecutive from *ret_first. CORRUPT when one is missing or of a size that none has.
 */
rp_err rp_db_outbox(struct rp_db *db, size_t max, struct rp_arena *arena, uint64_t *ret_first,
                    rp_view **ret_events, size_t *ret_count);
/* The same from after `after` on, which the ledger is known to have: INVALID outside of what waits.
 */
rp_err rp_db_outbox_after(struct rp_db *db, uint64_t after, size_t max, struct rp_arena *arena,
                          rp_view **ret_events, size_t *ret_count);
/* The last number that the ledger is known to have, and the last that was given out. */
rp_err rp_db_outbox_state(struct rp_db *db, uint64_t *ret_acked, uint64_t *ret_last);
/* Inside a transaction, when this database was put back to an earlier state and the ledger has
 * other events up to `known`: what waits is dropped and numbers go on behind `known`. An explicit
 * act, which an event records. */
rp_err rp_db_outbox_rebase(struct rp_db *db, uint64_t known);
/* The ledger has everything up to and including `sequence`. INVALID for one never given out. Does
 * not wait for the disk: after a power cut it may be as if it had not been said. */
rp_err rp_db_outbox_ack(struct rp_db *db, uint64_t sequence);
/* How many events this database has ever emitted: equals the tenant tree's size when all is sent.
 */
rp_err rp_db_outbox_last(struct rp_db *db, uint64_t *ret_sequence);

#endif
