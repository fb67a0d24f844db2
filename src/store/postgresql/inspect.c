/* inspect.c — PostgreSQL's rows, read by a role that can do nothing else. */
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "store/postgresql/pg.h"

rp_err rp_pg_inspect_system(const struct rp_store_url *url, struct rp_db **ret_db) {
    static const rp_id none;
    struct rp_pg *pg = NULL;
    RP_TRY(rp_pg_new_reader(url, false, &pg));
    rp_err err = rp_pg_open(pg, none, false, ret_db, NULL);
    if (!rp_ok(err)) {
        rp_pg_free(pg);
    }
    return err;
}

/* ---- all tenants ---- */

static void clear_result(PGresult **result) {
    PQclear(*result);
}

/* Whose rows there are, whatever the system's database says of them. */
static rp_err list(struct rp_pg *pg, rp_id **ret_tenants, size_t *ret_count) {
    _cleanup_(clear_result) PGresult *result = PQexecParams(
        pg->conn, "SELECT tenant FROM owner ORDER BY tenant", 0, NULL, NULL, NULL, NULL, 1);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        return rp_pg_err(pg, result);
    }
    size_t count = (size_t)PQntuples(result);
    rp_id *tenants = calloc(count + 1, sizeof *tenants);
    if (tenants == NULL) {
        return RP_ERR(NO_MEMORY);
    }
    for (size_t i = 0; i < count; i++) {
        rp_view id =
            rp_view_of(PQgetvalue(result, (int)i, 0), (size_t)PQgetlength(result, (int)i, 0));
        memcpy(tenants[i].b, id.p, RP_MIN(id.n, sizeof tenants[i].b));
    }
    *ret_tenants = tenants;
    *ret_count = count;
    return RP_OK;
}

static rp_err look_at(struct rp_pg *pg, rp_id tenant,
                      rp_err (*each)(void *ctx, const struct rp_inspected *one), void *ctx) {
    struct rp_id_text hex = rp_id_print(tenant);
    struct rp_inspected one = {.name = hex.s, .tenant = tenant};
    one.err = rp_pg_open(pg, tenant, false, &one.db, NULL);
    if (rp_is(one.err, RP_E_NOT_FOUND)) {
        return RP_OK; /* it was removed meanwhile */
    }
    rp_err err = each(ctx, &one);
    rp_db_close(one.db);
    return err;
}

rp_err rp_pg_inspect_each(const struct rp_store_url *url,
                          rp_err (*each)(void *ctx, const struct rp_inspected *one), void *ctx) {
    struct rp_pg *pg = NULL;
    rp_id *tenants = NULL;
    size_t count = 0;
    RP_TRY(rp_pg_new_reader(url, true, &pg));
    rp_err err = list(pg, &tenants, &count);
    for (size_t i = 0; i < count && rp_ok(err); i++) {
        err = look_at(pg, tenants[i], each, ctx);
    }
    free(tenants);
    rp_pg_free(pg);
    return err;
}

/* ---- all values ---- */

struct values {
    struct rp_pg *pg;
    bool (*look)(void *ctx, const struct rp_stored *one);
    void *ctx;
    uint64_t rows;
    bool enough;
};

static void show_row(struct values *values, const char *table, const PGresult *row) {
    values->rows++;
    for (int i = 0; i < PQnfields(row) && !values->enough; i++) {
        const struct rp_stored one = {
            table, rp_view_of(PQgetvalue(row, 0, i), (size_t)PQgetlength(row, 0, i))};
        values->enough = !PQgetisnull(row, 0, i) && !values->look(values->ctx, &one);
    }
}

/* Rows come one by one. Who has enough leaves the rest unread, and the connection ends. */
static rp_err show_table(struct values *values, const char *table) {
    PGconn *conn = values->pg->conn;
    char sql[RP_PG_SQL_MAX];
    rp_err err = RP_OK;
    (void)snprintf(sql, sizeof sql, "SELECT * FROM %s", table);
    if (PQsendQueryParams(conn, sql, 0, NULL, NULL, NULL, NULL, 1) != 1 ||
        PQsetSingleRowMode(conn) != 1) {
        return rp_pg_err(values->pg, NULL);
    }
    while (!values->enough) {
        _cleanup_(clear_result) PGresult *result = PQgetResult(conn);
        if (result == NULL) {
            break;
        }
        if (PQresultStatus(result) == PGRES_SINGLE_TUPLE) {
            show_row(values, table, result);
        } else if (PQresultStatus(result) != PGRES_TUPLES_OK) {
            err = rp_pg_err(values->pg, result);
        }
    }
    return err;
}

/* Whatever tables there are: a copy that somebody made is found as well. */
static rp_err show_tables(struct values *values) {
    _cleanup_(clear_result) PGresult *tables =
        PQexec(values->pg->conn, "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
                                 "WHERE schemaname = current_schema() ORDER BY 1");
    if (PQresultStatus(tables) != PGRES_TUPLES_OK) {
        return rp_pg_err(values->pg, tables);
    }
    rp_err err = RP_OK;
    for (int i = 0; i < PQntuples(tables) && rp_ok(err) && !values->enough; i++) {
        err = show_table(values, PQgetvalue(tables, i, 0));
    }
    return err;
}

/* A table of millions of rows may take its time: nobody waits for what is only read. */
static rp_err connect_for_values(const struct rp_store_url *url, bool tenants,
                                 struct values *values) {
    RP_TRY(rp_pg_new_reader(url, tenants, &values->pg));
    return rp_pg_exec(values->pg, "SET statement_timeout = '15min'");
}

static rp_err show_system(const struct rp_store_url *url, struct values *values) {
    rp_err err = connect_for_values(url, false, values);
    if (rp_ok(err)) {
        err = show_tables(values);
    }
    rp_pg_free(rp_take(&values->pg));
    return err;
}

static rp_err show_tenants(const struct rp_store_url *url, struct values *values) {
    rp_id *tenants = NULL;
    size_t count = 0;
    rp_err err = connect_for_values(url, true, values);
    if (rp_ok(err)) {
        err = list(values->pg, &tenants, &count);
    }
    for (size_t i = 0; i < count && rp_ok(err) && !values->enough; i++) {
        err = rp_pg_ready(values->pg, tenants[i]);
        if (rp_ok(err)) {
            err = show_tables(values);
        }
    }
    free(tenants);
    rp_pg_free(rp_take(&values->pg));
    return err;
}

rp_err rp_pg_inspect_values(const struct rp_store_url *url,
                            bool (*look)(void *ctx, const struct rp_stored *one), void *ctx,
                            uint64_t *ret_rows) {
    struct values values = {.look = look, .ctx = ctx};
    RP_TRY(show_system(url, &values));
    if (!values.enough) {
        RP_TRY(show_tenants(url, &values));
    }
    *ret_rows = values.rows;
    return RP_OK;
}
