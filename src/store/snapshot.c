#include "store/snapshot.h"

#include <stdlib.h>

#include "base/assert.h"
#include "store/postgresql/pg.h"
#include "store/sqlite/sqlite.h"

/* One of the two. */
struct rp_snapshot {
    rp_id tenant;
    struct rp_sqlite_snapshot *file;
    struct rp_pg_snapshot *rows;
};

rp_err rp_snapshot_start(const char *url, rp_id tenant, const char *target,
                         struct rp_snapshot **ret_snapshot, struct rp_diag *diag) {
    struct rp_store_url parsed;
    RP_TRY(rp_store_url_parse(rp_view_from_cstr(url), &parsed, diag));
    struct rp_snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (!snapshot) {
        return RP_ERR(NO_MEMORY);
    }
    snapshot->tenant = tenant;
    rp_err err = parsed.files
                     ? rp_sqlite_snapshot_start(tenant, target, &snapshot->file, diag)
                     : rp_pg_snapshot_start(&parsed, tenant, target, &snapshot->rows, diag);
    if (!rp_ok(err)) {
        rp_snapshot_free(snapshot);
        return err;
    }
    *ret_snapshot = snapshot;
    return RP_OK;
}

rp_id rp_snapshot_tenant(const struct rp_snapshot *snapshot) {
    return snapshot->tenant;
}

rp_err rp_snapshot_step(struct rp_snapshot *snapshot, int pages, uint64_t *ret_left,
                        struct rp_diag *diag) {
    return snapshot->file ? rp_sqlite_snapshot_step(snapshot->file, pages, ret_left, diag)
                          : rp_pg_snapshot_step(snapshot->rows, pages, ret_left, diag);
}

void rp_snapshot_free(struct rp_snapshot *snapshot) {
    if (snapshot) {
        rp_sqlite_snapshot_free(snapshot->file);
        rp_pg_snapshot_free(snapshot->rows);
        free(snapshot);
    }
}
