#include "store/inspect.h"

#include "base/assert.h"
#include "store/postgresql/pg.h"
#include "store/sqlite/sqlite.h"

rp_err rp_inspect_system(const char *url, struct rp_db **ret_db) {
    struct rp_store_url parsed;
    RP_TRY(rp_store_url_parse(rp_view_from_cstr(url), &parsed, NULL));
    return parsed.files ? rp_inspect_open("db/system.db", ret_db)
                        : rp_pg_inspect_system(&parsed, ret_db);
}

void rp_inspect_close(struct rp_db *db) {
    struct rp_pg *pg = db != NULL && rp_db_sql(db) == RP_SQL_POSTGRESQL ? db->own : NULL;
    rp_db_close(db);
    rp_pg_free(pg); /* a connection was made for it */
}

rp_err rp_inspect_each_tenant(const char *url,
                              rp_err (*each)(void *ctx, const struct rp_inspected *one),
                              void *ctx) {
    struct rp_store_url parsed;
    RP_TRY(rp_store_url_parse(rp_view_from_cstr(url), &parsed, NULL));
    return parsed.files ? rp_sqlite_inspect_each(each, ctx)
                        : rp_pg_inspect_each(&parsed, each, ctx);
}

rp_err rp_inspect_each_value(const char *url, bool (*look)(void *ctx, const struct rp_stored *one),
                             void *ctx, uint64_t *ret_rows) {
    struct rp_store_url parsed;
    RP_TRY(rp_store_url_parse(rp_view_from_cstr(url), &parsed, NULL));
    *ret_rows = 0;
    return parsed.files ? RP_OK : rp_pg_inspect_values(&parsed, look, ctx, ret_rows);
}
