/* snapshot.c — rows of PostgreSQL as a file of SQLite. */
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "store/postgresql/pg.h"
#include "store/pour.h"
#include "store/sqlite/sqlite.h"

struct rp_pg_snapshot {
    struct rp_pg *pg; /* of its own: the thread's goes on meanwhile */
    struct rp_db *from, *to;
    struct rp_pour *pour;
    char target[RP_DB_NAME];
    bool whole;
};

/* What the reader sees from here on stays as it is now, which the first question says; its rows
 * come one by one, for as long as it takes. */
static rp_err stand_still(struct rp_pg_snapshot *snapshot) {
    struct rp_pg *pg = snapshot->pg;
    RP_TRY(rp_pg_exec(pg, "SET statement_timeout = 0; "
                          "SET idle_in_transaction_session_timeout = '10min'"));
    RP_TRY(rp_pg_exec(pg, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SELECT 1"));
    pg->holder = snapshot->from;
    pg->streams = true;
    return RP_OK;
}

/* Nothing of an earlier file may become part of this one, its write-ahead log least of all. */
static rp_err remove_former(const char *target) {
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    char name[RP_DB_NAME + 16];
    for (size_t i = 0; i < RP_COUNT_OF(ends); i++) {
        (void)snprintf(name, sizeof name, "%s%s", target, ends[i]);
        RP_TRY(rp_file_remove(name));
    }
    return RP_OK;
}

/* Whoever keeps the copy syncs it; a crash leaves one that nobody believes. */
static rp_err open_target(struct rp_pg_snapshot *snapshot, rp_id tenant, struct rp_diag *diag) {
    RP_TRY(remove_former(snapshot->target));
    RP_TRY(rp_sqlite_open(snapshot->target, tenant, true, &snapshot->to, diag));
    sqlite3 *handle = rp_sqlite_handle(snapshot->to);
    RP_TRY(rp_store_exec(handle, "PRAGMA journal_mode = MEMORY"));
    RP_TRY(rp_store_exec(handle, "PRAGMA synchronous = OFF"));
    return rp_db_begin(snapshot->to);
}

static rp_err start(struct rp_pg_snapshot *snapshot, const struct rp_store_url *url, rp_id tenant,
                    struct rp_diag *diag) {
    RP_TRY(rp_pg_new(url, !rp_id_is_none(tenant), &snapshot->pg, diag));
    RP_TRY(rp_pg_open(snapshot->pg, tenant, false, &snapshot->from, diag));
    RP_TRY(stand_still(snapshot));
    RP_TRY(open_target(snapshot, tenant, diag));
    return rp_pour_start(snapshot->from, snapshot->to, snapshot->to, &snapshot->pour);
}

rp_err rp_pg_snapshot_start(const struct rp_store_url *url, rp_id tenant, const char *target,
                            struct rp_pg_snapshot **ret_snapshot, struct rp_diag *diag) {
    struct rp_pg_snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (snapshot == NULL) {
        return RP_ERR(NO_MEMORY);
    }
    int n = snprintf(snapshot->target, sizeof snapshot->target, "%s", target);
    RP_ASSERT(n > 0 && (size_t)n < sizeof snapshot->target);
    rp_err err = start(snapshot, url, tenant, diag);
    if (!rp_ok(err)) {
        rp_pg_snapshot_free(snapshot);
        return err;
    }
    *ret_snapshot = snapshot;
    return RP_OK;
}

rp_err rp_pg_snapshot_step(struct rp_pg_snapshot *snapshot, int rows, uint64_t *ret_left,
                           struct rp_diag *diag) {
    RP_ASSERT(rows > 0 && !snapshot->whole);
    bool more = false;
    rp_err err = rp_pour_step(snapshot->pour, (size_t)rows, &more);
    if (rp_ok(err) && !more) {
        err = rp_db_commit(snapshot->to);
        snapshot->whole = rp_ok(err);
    }
    if (!rp_ok(err)) {
        return rp_fail(diag, err, "%s: %s", snapshot->target, rp_err_name(err));
    }
    *ret_left = more;
    return RP_OK;
}

uint64_t rp_pg_snapshot_rows(const struct rp_pg_snapshot *snapshot) {
    return rp_pour_rows(snapshot->pour);
}

void rp_pg_snapshot_free(struct rp_pg_snapshot *snapshot) {
    if (snapshot == NULL) {
        return;
    }
    rp_pour_free(snapshot->pour);
    if (snapshot->to != NULL) {
        rp_db_rollback(snapshot->to);
    }
    rp_db_close(snapshot->to);
    rp_db_close(snapshot->from);
    rp_pg_free(snapshot->pg); /* and with it what it stood in */
    if (!snapshot->whole) {
        rp_ignore(rp_file_remove(snapshot->target)); /* the next one makes it anew */
    }
    free(snapshot);
}
