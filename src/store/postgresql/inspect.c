/* inspect.c — PostgreSQL's rows, read by a role that can do nothing else. */
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
