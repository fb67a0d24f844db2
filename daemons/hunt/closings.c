/* closings.c — what is left of an organisation that was closed: nothing that anybody can read.
 *
 * Core keeps copies of two organisations' databases from while they lived (daemons/core/
 * closing_canary.c): what a thief of a backup has. One of the two was closed since. The key service
 * is asked whether the key in each copy would open; that of the living one must, so that a service
 * which opens nothing at all proves nothing.
 */
#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "hunt.h"
#include "ipc/ipc.h"
#include "keys/wrapped.h"
#include "os/file.h"

enum { DEADLINE_MS = 5000, PATH = 64 };
static const int64_t HALF_YEAR_MS = (int64_t)183 * 24 * 3600 * 1000;
static const int64_t HOUR_MS = (int64_t)3600 * 1000;

struct looking {
    struct rp_observation *seen;
    const char *store;
    struct rp_db *db;
    size_t living, closed;
    bool concluded;
};

static void db_closep(struct rp_db **db) {
    rp_inspect_close(*db);
}

/* ---- what the key service says ---- */

static rp_err ask_opens(rp_id tenant, rp_view wrapped, bool *ret_opens) {
    struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_HUNT, RP_ROLE_KMS, DEADLINE_MS);
    _cleanup_(rp_buf_done) struct rp_buf request = rp_buf_new(512);
    _cleanup_(rp_buf_done) struct rp_buf reply = rp_buf_new(RP_IPC_MAX);
    rp_pack_id(&request, tenant);
    rp_pack_bytes(&request, wrapped);
    rp_err err = client ? rp_ipc_call(client, RP_IPC_HUNT_KMS_OPENS, rp_buf_view(&request), &reply)
                        : RP_ERR(NO_MEMORY);
    rp_ipc_client_free(client);
    RP_TRY(err);
    struct rp_unpack in = rp_unpack_new(rp_buf_view(&reply));
    *ret_opens = rp_unpack_u8(&in) == 1;
    return rp_unpack_end(&in);
}

static rp_err copy_opens(const char *file, rp_id tenant, bool *ret_opens) {
    _cleanup_(db_closep) struct rp_db *db = NULL;
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    _cleanup_(rp_buf_done) struct rp_buf wrapped = rp_buf_new(RP_WRAPPED_MAX);
    RP_TRY(rp_inspect_open(file, &db));
    rp_err err = rp_db_query(db, "SELECT wrapped FROM tenant_key ORDER BY version DESC", &row);
    if (rp_ok(err)) {
        err = rp_row_first(row);
    }
    if (rp_ok(err)) {
        rp_buf_add(&wrapped, rp_row_blob(row, 0));
        err = rp_buf_err(&wrapped);
    }
    rp_row_done(row);
    row = NULL;
    RP_TRY(err);
    return ask_opens(tenant, rp_buf_view(&wrapped), ret_opens);
}

/* ---- what lies in the folder ---- */

struct left {
    rp_view name;
    size_t count;
};

static rp_err count_left(void *ctx, const char *name, bool is_folder) {
    struct left *left = ctx;
    (void)is_folder;
    left->count += rp_view_starts(rp_view_from_cstr(name), left->name);
    return RP_OK;
}

/* Its database, its sealed files, what an upgrade kept: all begin with its id. */
static rp_err files_left(rp_id tenant, size_t *ret_count) {
    struct rp_id_text hex = rp_id_print(tenant);
    struct left left = {.name = rp_view_from_cstr(hex.s)};
    char folder[PATH];
    (void)snprintf(folder, sizeof folder, "tenants/%.2s/%.2s", hex.s, hex.s + 2);
    rp_err err = rp_folder_each(folder, count_left, &left);
    *ret_count = left.count;
    return rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err;
}

struct rows {
    rp_id tenant;
    size_t found;
};

static rp_err find_rows(void *ctx, const struct rp_inspected *one) {
    struct rows *rows = ctx;
    rows->found += rp_id_equal(one->tenant, rows->tenant);
    return RP_OK;
}

/* A file was counted with the files; in PostgreSQL whoever has rows is found. */
static rp_err rows_left(const char *store, rp_id tenant, size_t *left) {
    struct rows rows = {.tenant = tenant};
    if (rp_view_equal(rp_view_from_cstr(store), RP_VIEW("sqlite:"))) {
        return RP_OK;
    }
    RP_TRY(rp_inspect_each_tenant(store, find_rows, &rows));
    *left += rows.found;
    return RP_OK;
}

/* ---- the canaries ---- */

/* 0 = it lives; else when its files went. NOT_FOUND: it is on its way. */
static rp_err removed_at(struct rp_db *db, rp_id tenant, int64_t *ret_removed_ms) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "SELECT removed_ms FROM tenant_closing WHERE tenant = ?1", &row));
    rp_row_bind_id(row, 1, tenant);
    rp_err err = rp_row_first(row);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        *ret_removed_ms = 0;
        return RP_OK;
    }
    RP_TRY(err);
    *ret_removed_ms = (int64_t)rp_row_u64(row, 0);
    return *ret_removed_ms > 0 ? RP_OK : RP_ERR(NOT_FOUND);
}

static void judge(struct looking *looking, bool closed, bool opens, size_t left) {
    if (closed && opens) {
        rp_probe_broken(looking->seen, "the key of a closed organisation still opens its data in a "
                                       "copy from before");
    } else if (closed && left > 0) {
        rp_probe_broken(looking->seen, "%zu files of a closed organisation are still there", left);
    } else if (!closed && !opens) {
        rp_probe_broken(looking->seen, "the key of a living organisation opens nothing");
    } else {
        looking->closed += closed;
        looking->living += !closed;
        return;
    }
    looking->concluded = true;
}

/* "end-", an id, ".db" */
static rp_err look_at_copy(void *ctx, const char *name, bool is_folder) {
    struct looking *looking = ctx;
    rp_view text = rp_view_from_cstr(name);
    rp_id tenant;
    char path[PATH];
    int64_t removed_ms = 0;
    bool opens = false;
    size_t left = 0;
    if (looking->concluded || is_folder || text.n != 4 + RP_ID_TEXT + 3 ||
        !rp_view_starts(text, RP_VIEW("end-")) || !rp_view_ends(text, RP_VIEW(".db")) ||
        !rp_id_parse(rp_view_sub(text, 4, RP_ID_TEXT), &tenant)) {
        return RP_OK;
    }
    (void)snprintf(path, sizeof path, "canary/%s", name);
    rp_err err = removed_at(looking->db, tenant, &removed_ms);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return RP_OK;
    }
    RP_TRY(err);
    RP_TRY(files_left(tenant, &left));
    RP_TRY(rows_left(looking->store, tenant, &left));
    RP_TRY(copy_opens(path, tenant, &opens));
    judge(looking, removed_ms > 0, opens, left);
    return RP_OK;
}

/*= S90: a closed organisation is gone, and unreadable in a copy that was made before. */
void hunt_purge_canary(void *ctx, struct rp_observation *seen) {
    const struct hunt *hunt = ctx;
    struct looking looking = {.seen = seen, .store = hunt->config->store};
    rp_err err = rp_inspect_system(hunt->config->store, &looking.db);
    if (rp_ok(err)) {
        err = rp_folder_each("canary", look_at_copy, &looking);
    }
    rp_inspect_close(looking.db);
    if (looking.concluded) {
        return;
    }
    if (!rp_ok(err)) {
        rp_probe_unsure(seen, "the canaries cannot be looked at: %s", rp_err_text(err, RP_EN));
    } else if (looking.closed == 0 || looking.living == 0) {
        rp_probe_unsure(seen, "the canary organisations are still being made");
    } else {
        rp_probe_holds(seen,
                       "a closed organisation has no file here any more, and the key in a copy of "
                       "its database does not open; that of one that lives does");
    }
}

/* ---- those that wait ---- */

struct waiting {
    uint64_t waiting, removed;
    int64_t oldest_ms, late_ms;
};

static rp_err count_waiting(struct rp_db *db, int64_t now_ms, struct waiting *waiting) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(
        db,
        "SELECT (SELECT count(*) FROM tenant_closing WHERE removed_ms = 0), "
        "(SELECT count(*) FROM tenant_closing WHERE removed_ms > 0), "
        "(SELECT coalesce(min(asked_ms), ?1) FROM tenant_closing WHERE removed_ms = 0), "
        "(SELECT coalesce(min(due_ms), ?1) FROM tenant_closing WHERE removed_ms = 0)",
        &row));
    rp_row_bind_u64(row, 1, (uint64_t)now_ms);
    RP_TRY(rp_row_first(row));
    *waiting = (struct waiting){.waiting = rp_row_u64(row, 0),
                                .removed = rp_row_u64(row, 1),
                                .oldest_ms = (int64_t)rp_row_u64(row, 2),
                                .late_ms = (int64_t)rp_row_u64(row, 3)};
    return RP_OK;
}

/*= S90: nobody who left waits longer than half a year for the clean-up. */
void hunt_purge_oldest(void *ctx, struct rp_observation *seen) {
    const struct hunt *hunt = ctx;
    struct rp_db *db = NULL;
    struct waiting waiting = {.waiting = 0};
    int64_t now_ms = rp_env_now_ms(&hunt->env);
    rp_err err = rp_inspect_system(hunt->config->store, &db);
    if (rp_ok(err)) {
        err = count_waiting(db, now_ms, &waiting);
    }
    rp_inspect_close(db);
    if (!rp_ok(err)) {
        rp_probe_unsure(seen, "the closings cannot be read: %s", rp_err_text(err, RP_EN));
    } else if (now_ms - waiting.oldest_ms > HALF_YEAR_MS) {
        rp_probe_broken(seen, "a closed account waits since %s",
                        rp_time_print(waiting.oldest_ms / 1000).s);
    } else if (now_ms - waiting.late_ms > 24 * HOUR_MS) {
        rp_probe_broken(seen, "an account that was due on %s is still there",
                        rp_time_print(waiting.late_ms / 1000).s);
    } else {
        rp_probe_holds(seen, "%llu accounts were closed and are gone, %llu wait for their day",
                       (unsigned long long)waiting.removed, (unsigned long long)waiting.waiting);
    }
}
