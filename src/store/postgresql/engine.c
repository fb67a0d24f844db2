/* engine.c — transactions on a connection. Writers of one database stand in line, as with a file:
 * the code above counts on what it read being still true when it writes. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "store/postgresql/pg.h"

static struct rp_pg *pg_of(const struct rp_db *db) {
    return db->own;
}

int64_t rp_pg_line(const struct rp_db *db) {
    uint64_t lock = (uint64_t)pg_of(db)->lock;
    for (size_t i = 0; i < sizeof db->tenant.b; i++) {
        lock ^= (uint64_t)db->tenant.b[i] << (8 * (i % 8));
    }
    int64_t number;
    memcpy(&number, &lock, sizeof number);
    return number;
}

static rp_err begin(struct rp_db *db, bool eased) {
    struct rp_pg *pg = pg_of(db);
    char sql[RP_PG_SQL_MAX];
    RP_TRY(rp_pg_ready(pg, db->tenant));
    (void)snprintf(sql, sizeof sql, "BEGIN; %sSELECT pg_advisory_xact_lock(%lld)",
                   eased ? "SET LOCAL synchronous_commit = off; " : "", (long long)rp_pg_line(db));
    rp_err err = rp_pg_exec(pg, sql);
    if (!rp_ok(err)) {
        rp_ignore(rp_pg_exec(pg, "ROLLBACK")); /* the first error is the one to tell */
        return err;
    }
    pg->holder = db;
    return RP_OK;
}

/* A transaction in which something failed is rolled back by its COMMIT, which says so. */
static rp_err commit(struct rp_db *db) {
    struct rp_pg *pg = pg_of(db);
    PGresult *result = PQexec(pg->conn, "COMMIT");
    rp_err err = RP_OK;
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        err = rp_pg_err(pg, result);
    } else if (strcmp(PQcmdStatus(result), "COMMIT") != 0) {
        err = RP_ERR(IO);
    }
    PQclear(result);
    if (rp_ok(err)) {
        pg->holder = NULL;
    }
    return err;
}

static bool gave_up(const struct rp_db *db) {
    const struct rp_pg *pg = pg_of(db);
    return pg->conn == NULL || PQtransactionStatus(pg->conn) != PQTRANS_INTRANS;
}

static void rollback(struct rp_db *db) {
    struct rp_pg *pg = pg_of(db);
    pg->holder = NULL;
    if (PQtransactionStatus(pg->conn) != PQTRANS_IDLE) {
        rp_ignore(rp_pg_exec(pg, "ROLLBACK")); /* a connection that broke took it along */
    }
}

/* The server's own checkpointer does it. */
static rp_err checkpoint(struct rp_db *db) {
    (void)db;
    return RP_OK;
}

static uint64_t changes(const struct rp_db *db) {
    return pg_of(db)->changes;
}

const struct rp_engine rp_pg_engine = {
    .sql = RP_SQL_POSTGRESQL,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .gave_up = gave_up,
    .checkpoint = checkpoint,
    .changes = changes,
    .prepare = rp_pg_prepare,
    .reset = rp_pg_reset,
    .destroy = rp_pg_destroy,
    .bind_u64 = rp_pg_bind_u64,
    .bind_any_u64 = rp_pg_bind_any_u64,
    .bind_bytes = rp_pg_bind_bytes,
    .bind_null = rp_pg_bind_null,
    .bind_bytes_null = rp_pg_bind_bytes_null,
    .step = rp_pg_step,
    .changed = rp_pg_changed,
    .u64 = rp_pg_u64,
    .bytes = rp_pg_bytes,
    .is_null = rp_pg_is_null,
    .close = rp_pg_close,
};
