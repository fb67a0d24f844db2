#include "store/copy.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/batch.h"
#include "os/file.h"
#include "store/postgresql/pg.h"
#include "store/pour.h"
#include "store/sqlite/sqlite.h"

enum { ROWS_AT_ONCE = 1000 };

static const char system_file[] = "db/system.db";
static const rp_id none;

struct copy {
    struct rp_store_url url; /* PostgreSQL's, whichever way it goes */
    struct rp_copying *copying;
    struct rp_diag *diag;
};

static void told(struct copy *copy, uint64_t rows) {
    copy->copying->databases++;
    copy->copying->rows += rows;
    if (copy->copying->each != NULL) {
        copy->copying->each(copy->copying->ctx, copy->copying);
    }
}

/* ---- into PostgreSQL ---- */

static rp_err pour_all(struct rp_db *from, struct rp_db *to, uint64_t *ret_rows) {
    struct rp_pour *pour = NULL;
    bool more = true;
    RP_TRY(rp_pour_start(from, to, from, &pour));
    rp_err err = RP_OK;
    while (rp_ok(err) && more) {
        err = rp_pour_step(pour, ROWS_AT_ONCE, &more);
    }
    if (rp_ok(err)) {
        err = rp_pour_check(pour);
    }
    *ret_rows = rp_pour_rows(pour);
    rp_pour_free(pour);
    return err;
}

/* A connection for each: what was prepared for one pouring goes with it. */
static rp_err pour_into(struct copy *copy, struct rp_db *from, rp_id tenant) {
    struct rp_pg *pg = NULL;
    struct rp_db *to = NULL;
    uint64_t rows = 0;
    RP_TRY(rp_pg_new(&copy->url, !rp_id_is_none(tenant), &pg, copy->diag));
    rp_err err = rp_pg_open(pg, tenant, true, &to, copy->diag);
    if (rp_ok(err)) {
        err = rp_db_begin(to);
    }
    if (rp_ok(err)) {
        err = pour_all(from, to, &rows);
    }
    if (rp_ok(err)) {
        err = rp_db_commit(to);
    }
    if (to != NULL) {
        rp_db_rollback(to);
    }
    rp_db_close(to);
    rp_pg_free(pg);
    if (rp_ok(err)) {
        told(copy, rows);
    }
    return err;
}

/* Opened as core opens it: one that nobody asked since an upgrade is brought to this version first,
 * and what a crash left in the write-ahead log is in the file, and counts. */
static rp_err pour_file_into(struct copy *copy, const char *file, rp_id tenant) {
    struct rp_db *from = NULL;
    RP_TRY(rp_sqlite_open(file, tenant, false, &from, copy->diag));
    rp_err err = pour_into(copy, from, tenant);
    rp_db_close(from);
    return err;
}

static rp_err tenant_into(void *ctx, const struct rp_inspected *one) {
    struct copy *copy = ctx;
    rp_err err = rp_id_is_none(one->tenant) ? RP_ERR(CORRUPT) : one->err;
    if (rp_ok(err)) {
        err = pour_file_into(copy, one->name, one->tenant);
    }
    return rp_ok(err) ? RP_OK : rp_fail(copy->diag, err, "%s: %s", one->name, rp_err_name(err));
}

/* What begins with tenants and was cut has none in the system's database. */
static rp_err check_empty(struct copy *copy) {
    struct rp_pg *pg = NULL;
    int64_t tenants = 0;
    RP_TRY(rp_pg_new(&copy->url, false, &pg, copy->diag));
    rp_err err = rp_pg_number(pg, "SELECT count(*) FROM tenant", &tenants);
    rp_pg_free(pg);
    RP_TRY(err);
    return tenants == 0 ? RP_OK
                        : rp_fail(copy->diag, RP_ERR(DUPLICATE),
                                  "the database %s holds an installation already, in the schemas "
                                  "%s and %s_tenants: "
                                  "name another with &schema=NAME, or drop both first",
                                  copy->url.database, copy->url.schema, copy->url.schema);
}

static rp_err copy_into(struct copy *copy) {
    if (!rp_file_exists(system_file)) {
        return rp_fail(copy->diag, RP_ERR(NOT_FOUND), "%s: not there", system_file);
    }
    RP_TRY(check_empty(copy));
    RP_TRY(rp_sqlite_inspect_each(tenant_into, copy));
    return pour_file_into(copy, system_file, none);
}

/* ---- into files ---- */

static rp_err snapshot_into(struct copy *copy, rp_id tenant, const char *file) {
    struct rp_pg_snapshot *snapshot = NULL;
    uint64_t left = 1;
    RP_TRY(rp_pg_snapshot_start(&copy->url, tenant, file, &snapshot, copy->diag));
    rp_err err = RP_OK;
    while (rp_ok(err) && left > 0) {
        err = rp_pg_snapshot_step(snapshot, ROWS_AT_ONCE, &left, copy->diag);
    }
    uint64_t rows = rp_pg_snapshot_rows(snapshot);
    rp_pg_snapshot_free(snapshot);
    if (rp_ok(err)) {
        told(copy, rows);
    }
    return err;
}

/* One that is on its way out has no rows any more. */
static rp_err tenant_out(struct copy *copy, rp_id tenant) {
    char file[RP_DB_NAME];
    RP_TRY(rp_store_tenant_file(tenant, true, file));
    rp_err err = snapshot_into(copy, tenant, file);
    return rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err;
}

static rp_err each_out(struct copy *copy, struct rp_db *central) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    bool more = false;
    RP_TRY(rp_db_query(central, "SELECT id FROM tenant ORDER BY id", &row));
    RP_TRY(rp_row_next(row, &more));
    while (more) {
        RP_TRY(tenant_out(copy, rp_row_id(row, 0)));
        RP_TRY(rp_row_next(row, &more));
    }
    return RP_OK;
}

static rp_err tenants_out(struct copy *copy) {
    struct rp_pg *pg = NULL;
    struct rp_db *central = NULL;
    RP_TRY(rp_pg_new(&copy->url, false, &pg, copy->diag));
    rp_err err = rp_pg_open(pg, none, false, &central, copy->diag);
    if (rp_ok(err)) {
        err = each_out(copy, central);
    }
    rp_db_close(central);
    rp_pg_free(pg);
    return err;
}

static rp_err copy_out(struct copy *copy) {
    static const char fresh[] = "db/system.copy";
    if (rp_file_exists(system_file)) {
        return rp_fail(copy->diag, RP_ERR(DUPLICATE), "%s is there already", system_file);
    }
    RP_TRY(rp_store_make_folders());
    RP_TRY(tenants_out(copy));
    RP_TRY(snapshot_into(copy, none, fresh));
    RP_TRY(rp_file_remove("db/system.db-wal")); /* of another file of that name, long gone */
    RP_TRY(rp_file_remove("db/system.db-shm"));
    RP_TRY(rp_batch_sync("db")); /* all of them, before one says that they are there */
    RP_TRY(rp_batch_rename(fresh, system_file));
    return rp_folder_sync("db");
}

rp_err rp_store_copy_all(const char *from, const char *to, struct rp_copying *copying,
                         struct rp_diag *diag) {
    struct rp_store_url source, target;
    RP_TRY(rp_store_url_parse(rp_view_from_cstr(from), &source, diag));
    RP_TRY(rp_store_url_parse(rp_view_from_cstr(to), &target, diag));
    if (source.files == target.files) {
        return rp_fail(diag, RP_ERR(INVALID),
                       "from files into PostgreSQL, or from PostgreSQL into files");
    }
    struct copy copy = {.url = source.files ? target : source, .copying = copying, .diag = diag};
    return source.files ? copy_into(&copy) : copy_out(&copy);
}
