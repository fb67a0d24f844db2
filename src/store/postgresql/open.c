/* open.c — a tenant's database: rows that are its own, behind a handle that asks for no others. */
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "store/postgresql/pg.h"

/* Statements are the connection's and stay; what this database reads with one of them is over. */
void rp_pg_close(struct rp_db *db) {
    for (size_t i = 0; i < RP_STATEMENTS_MAX; i++) {
        if (db->rows[i].sql != NULL && db->rows[i].db == db) {
            rp_pg_reset(&db->rows[i]);
        }
    }
    free(db);
}

static rp_err count_owner(struct rp_db *db, uint64_t *ret_count) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "SELECT count(*) FROM owner WHERE one = 1 AND tenant = ?1", &row));
    rp_row_bind_id(row, 1, db->tenant);
    RP_TRY(rp_row_first(row));
    *ret_count = rp_row_u64(row, 0);
    return RP_OK;
}

/* What the file of a new tenant holds. Another thread of core may have been faster. */
static rp_err make(struct rp_db *db, void *ctx) {
    static const char *const steps[] = {
        "INSERT INTO owner (one, tenant) VALUES (1, current_tenant()) ON CONFLICT DO NOTHING",
        "INSERT INTO outbox_state (one, last, acked) VALUES (1, 0, 0) ON CONFLICT DO NOTHING",
        "INSERT INTO space_use (one, records, bytes) VALUES (1, 0, 0) ON CONFLICT DO NOTHING"};
    (void)ctx;
    for (size_t i = 0; i < RP_COUNT_OF(steps); i++) {
        struct rp_row *row = NULL;
        RP_TRY(rp_db_query(db, steps[i], &row));
        RP_TRY(rp_row_run(row, NULL));
    }
    return RP_OK;
}

static rp_err check_there(struct rp_db *db, bool create, struct rp_diag *diag) {
    uint64_t count = 0;
    rp_err err = count_owner(db, &count);
    if (rp_ok(err) && count == 0 && create && !rp_id_is_none(db->tenant)) {
        err = rp_db_transact(db, make, NULL);
        count = 1;
    }
    if (!rp_ok(err)) {
        return rp_fail(diag, err, "%s: %s", db->name, rp_err_name(err));
    }
    return count == 1 ? RP_OK : rp_fail(diag, RP_ERR(NOT_FOUND), "%s: not there", db->name);
}

static void name_db(struct rp_db *db) {
    const struct rp_pg *pg = db->own;
    if (pg->tenants) {
        (void)snprintf(db->name, sizeof db->name, "postgresql tenant %s",
                       rp_id_print(db->tenant).s);
    } else {
        (void)snprintf(db->name, sizeof db->name, "postgresql schema %.40s", pg->url.schema);
    }
}

rp_err rp_pg_open(struct rp_pg *pg, rp_id tenant, bool create, struct rp_db **ret_db,
                  struct rp_diag *diag) {
    RP_ASSERT(pg->tenants != rp_id_is_none(tenant));
    struct rp_db *db = calloc(1, sizeof *db);
    if (db == NULL) {
        return RP_ERR(NO_MEMORY);
    }
    *db = (struct rp_db){.engine = &rp_pg_engine, .own = pg, .rows = pg->rows, .tenant = tenant};
    name_db(db);
    rp_err err = check_there(db, create, diag);
    if (!rp_ok(err)) {
        rp_db_close(db);
        return err;
    }
    *ret_db = db;
    return RP_OK;
}

/* ---- gone ---- */

static const char *const tables[] = {
    "DELETE FROM access_grant WHERE tenant = ?1",   "DELETE FROM share WHERE tenant = ?1",
    "DELETE FROM upload WHERE tenant = ?1",         "DELETE FROM blob_gone WHERE tenant = ?1",
    "DELETE FROM blob_of WHERE tenant = ?1",        "DELETE FROM space_use WHERE tenant = ?1",
    "DELETE FROM record_token WHERE tenant = ?1",   "DELETE FROM collection WHERE tenant = ?1",
    "DELETE FROM record_version WHERE tenant = ?1", "DELETE FROM record WHERE tenant = ?1",
    "DELETE FROM tenant_key WHERE tenant = ?1",     "DELETE FROM outbox_state WHERE tenant = ?1",
    "DELETE FROM outbox WHERE tenant = ?1",         "DELETE FROM owner WHERE tenant = ?1",
};

static rp_err remove_rows(struct rp_db *db, void *ctx) {
    uint64_t *rows = ctx;
    RP_TRY(rp_pg_exec(db->own, "SET LOCAL statement_timeout = 0")); /* there may be millions */
    for (size_t i = 0; i < RP_COUNT_OF(tables); i++) {
        struct rp_row *row = NULL;
        uint64_t changed = 0;
        RP_TRY(rp_db_query(db, tables[i], &row));
        rp_row_bind_id(row, 1, db->tenant);
        RP_TRY(rp_row_run(row, &changed));
        *rows += changed;
    }
    return RP_OK;
}

rp_err rp_pg_remove_tenant(struct rp_pg *pg, rp_id tenant, uint64_t *ret_rows) {
    struct rp_db *db = NULL;
    rp_err err = rp_pg_open(pg, tenant, false, &db, NULL);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        *ret_rows = 0;
        return RP_OK;
    }
    RP_TRY(err);
    uint64_t rows = 0;
    err = rp_db_transact(db, remove_rows, &rows);
    rp_db_close(db);
    if (rp_ok(err)) {
        *ret_rows = rows;
    }
    return err;
}
