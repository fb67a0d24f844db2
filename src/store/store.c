#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "os/file.h"
#include "store/postgresql/pg.h"
#include "store/remove.h"
#include "store/sqlite/sqlite.h"

struct rp_store {
    const struct rp_env *env;
    struct rp_store_url url;
    struct rp_pg *system_pg, *tenants_pg; /* with PostgreSQL, once asked for */
    struct rp_db *central;                /* the system database */
    struct rp_db *tenants[RP_TENANTS_OPEN_MAX];
    uint64_t tick;
};

static const char system_file[] = "db/system.db";

rp_err rp_store_make_folders(void) {
    RP_TRY(rp_folder_make("db", 0750));
    RP_TRY(rp_folder_make("tenants", 0750));
    /* Inside a role the state folder itself is closed: then the supervisor made these two. */
    rp_err err = rp_folder_sync(".");
    return rp_is(err, RP_E_DENIED) ? RP_OK : err;
}

rp_err rp_store_open(const struct rp_env *env, const char *url, struct rp_store **ret_store,
                     struct rp_diag *diag) {
    RP_ASSERT(env != NULL && url != NULL);
    RP_ASSERT(sqlite3_threadsafe() != 0);
    struct rp_store_url parsed = {.files = false};
    RP_TRY(rp_store_url_parse(rp_view_from_cstr(url), &parsed, diag));
    RP_TRY(rp_store_make_folders()); /* with PostgreSQL too: sealed files lie below tenants/ */
    struct rp_store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return RP_ERR(NO_MEMORY);
    }
    store->env = env;
    store->url = parsed;
    *ret_store = store;
    return RP_OK;
}

void rp_store_close(struct rp_store *store) {
    if (store == NULL) {
        return;
    }
    rp_db_close(store->central);
    for (size_t i = 0; i < RP_TENANTS_OPEN_MAX; i++) {
        rp_db_close(store->tenants[i]);
    }
    rp_pg_free(store->system_pg);
    rp_pg_free(store->tenants_pg);
    free(store);
}

/* ---- the two ways to a database ---- */

static rp_err connected(struct rp_store *store, bool tenants, struct rp_pg **ret_pg,
                        struct rp_diag *diag) {
    struct rp_pg **pg = tenants ? &store->tenants_pg : &store->system_pg;
    if (*pg == NULL) {
        RP_TRY(rp_pg_new(&store->url, tenants, pg, diag));
    }
    *ret_pg = *pg;
    return RP_OK;
}

/* Files from before, or of a backup that was put back: nobody starts beside them unknowingly. */
static rp_err check_no_files(struct rp_diag *diag) {
    return !rp_file_exists(system_file)
               ? RP_OK
               : rp_fail(diag, RP_ERR(DUPLICATE),
                         "%s lies here, and the store is PostgreSQL: \"rempart store copy\" brings "
                         "it there; or put it away",
                         system_file);
}

static rp_err open_there(struct rp_store *store, rp_id tenant, bool create, struct rp_db **ret_db,
                         struct rp_diag *diag) {
    struct rp_pg *pg = NULL;
    RP_TRY(rp_id_is_none(tenant) ? check_no_files(diag) : RP_OK);
    RP_TRY(connected(store, !rp_id_is_none(tenant), &pg, diag));
    return rp_pg_open(pg, tenant, create, ret_db, diag);
}

rp_err rp_store_system(struct rp_store *store, struct rp_db **ret_db, struct rp_diag *diag) {
    RP_ASSERT(store != NULL && ret_db != NULL);
    if (store->central == NULL) {
        static const rp_id none;
        RP_TRY(store->url.files ? rp_sqlite_open(system_file, none, true, &store->central, diag)
                                : open_there(store, none, true, &store->central, diag));
    }
    *ret_db = store->central;
    return RP_OK;
}

/* The tenant's place when it is open, else a free one, else that of the least used. */
static struct rp_db **find_place(struct rp_store *store, rp_id tenant) {
    struct rp_db **place = &store->tenants[0];
    for (size_t i = 0; i < RP_TENANTS_OPEN_MAX; i++) {
        struct rp_db **one = &store->tenants[i];
        if (*one != NULL && rp_id_equal((*one)->tenant, tenant)) {
            return one;
        }
        if (*place != NULL && (*one == NULL || (*one)->used < (*place)->used)) {
            place = one;
        }
    }
    return place;
}

/* A new folder's name is durable only when its parent is synced. */
static rp_err make_folders(const char *hex) {
    char folder[RP_DB_NAME];
    (void)snprintf(folder, sizeof folder, "tenants/%.2s", hex);
    RP_TRY(rp_folder_make(folder, 0750));
    RP_TRY(rp_folder_sync("tenants"));
    char below[RP_DB_NAME];
    (void)snprintf(below, sizeof below, "tenants/%.2s/%.2s", hex, hex + 2);
    RP_TRY(rp_folder_make(below, 0750));
    return rp_folder_sync(folder);
}

rp_err rp_store_tenant_file(rp_id tenant, bool make, char name[static RP_DB_NAME]) {
    struct rp_id_text hex = rp_id_print(tenant);
    (void)snprintf(name, RP_DB_NAME, "tenants/%.2s/%.2s/%s.db", hex.s, hex.s + 2, hex.s);
    return make && !rp_file_exists(name) ? make_folders(hex.s) : RP_OK;
}

static rp_err open_file(rp_id tenant, bool create, struct rp_db **ret_db, struct rp_diag *diag) {
    char file[RP_DB_NAME];
    RP_TRY(rp_store_tenant_file(tenant, create, file));
    return rp_sqlite_open(file, tenant, create, ret_db, diag);
}

/*= S66 */ /* each tenant has a file of its own, or its own rows, and a handle reaches no others */
rp_err rp_store_tenant(struct rp_store *store, rp_id tenant, bool create, struct rp_db **ret_db,
                       struct rp_diag *diag) {
    RP_ASSERT(store != NULL && ret_db != NULL);
    RP_ASSERT(!rp_id_is_none(tenant));
    struct rp_db **place = find_place(store, tenant);
    if (*place == NULL || !rp_id_equal((*place)->tenant, tenant)) {
        struct rp_db *db = NULL;
        RP_TRY(store->url.files ? open_file(tenant, create, &db, diag)
                                : open_there(store, tenant, create, &db, diag));
        RP_ASSERT(*place == NULL || !(*place)->in_transaction);
        rp_db_close(*place);
        *place = db;
    }
    RP_ASSERT(rp_id_equal((*place)->tenant, tenant));
    (*place)->used = ++store->tick;
    *ret_db = *place;
    return RP_OK;
}

void rp_store_forget(struct rp_store *store, rp_id tenant) {
    struct rp_db **place = find_place(store, tenant);
    if (*place != NULL && rp_id_equal((*place)->tenant, tenant) && !(*place)->in_transaction) {
        rp_db_close(*place);
        *place = NULL;
    }
}

rp_err rp_store_remove_rows(struct rp_store *store, rp_id tenant, uint64_t *ret_rows) {
    struct rp_pg *pg = NULL;
    *ret_rows = 0;
    if (store->url.files) {
        return RP_OK; /* they go with the file */
    }
    RP_TRY(connected(store, true, &pg, NULL));
    return rp_pg_remove_tenant(pg, tenant, ret_rows);
}
