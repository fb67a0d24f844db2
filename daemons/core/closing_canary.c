/* closing_canary.c — organisations for the probe of S90: one that lives and is closed in its turn,
 * one that was closed, and of each a copy of its database from while it lived.
 *
 * canary/end-ID.db is what a thief of a backup would have. The probe asks of each copy whether its
 * key still opens: that of the living one must, that of the closed one must not.
 */
#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "core.h"
#include "identity/closing.h"
#include "os/file.h"
#include "spaces/spaces.h"
#include "store/snapshot.h"

enum { COPIES_MAX = 16, ARENA = 1 << 20, PATH = 64, ALL_PAGES = 1 << 20 };
static const int64_t LIVES_MS = (int64_t)7 * 24 * 3600 * 1000;

static const char name[] = "canary-end";

/* ---- what is there ---- */

struct found {
    rp_id living;
    rp_id copies[COPIES_MAX];
    size_t count;
};

static rp_err look_at_tenant(void *ctx, rp_id tenant, rp_view tenant_name) {
    struct found *found = ctx;
    if (rp_view_equal(tenant_name, rp_view_from_cstr(name))) {
        found->living = tenant;
    }
    return RP_OK;
}

/* "end-", an id, ".db" */
static rp_err look_at_file(void *ctx, const char *file, bool is_folder) {
    struct found *found = ctx;
    rp_view text = rp_view_from_cstr(file);
    rp_id tenant;
    if (!is_folder && text.n == 4 + RP_ID_TEXT + 3 && rp_view_starts(text, RP_VIEW("end-")) &&
        rp_id_parse(rp_view_sub(text, 4, RP_ID_TEXT), &tenant) && found->count < COPIES_MAX) {
        found->copies[found->count++] = tenant;
    }
    return RP_OK;
}

static void copy_path(rp_id tenant, char out[static PATH]) {
    (void)snprintf(out, PATH, "canary/end-%s.db", rp_id_print(tenant).s);
}

static bool has_copy(const struct found *found, rp_id tenant) {
    for (size_t i = 0; i < found->count; i++) {
        if (rp_id_equal(found->copies[i], tenant)) {
            return true;
        }
    }
    return false;
}

/* ---- making one ---- */

static rp_err put_record(const struct core *core, struct rp_web_thread *thread, rp_id tenant) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(ARENA);
    struct rp_space space = {.env = &core->env, .tenant = tenant, .app = RP_VIEW("canary")};
    struct rp_record record;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_store_tenant(thread->store, tenant, false, &space.db, NULL));
    RP_TRY(rp_identity_tenant_key(thread->identity, tenant, &space.key));
    return rp_space_create(&space, RP_VIEW("end"), RP_VIEW("{\"canary\":\"what must end\"}"),
                           RP_LABEL_PERSONAL, arena, &record, NULL);
}

static rp_err copy_database(const struct core *core, rp_id tenant) {
    char path[PATH];
    struct rp_snapshot *snapshot = NULL;
    uint64_t left = 1;
    copy_path(tenant, path);
    RP_TRY(rp_snapshot_start(core->config.store, tenant, path, &snapshot, NULL));
    rp_err err = RP_OK;
    while (rp_ok(err) && left > 0) {
        err = rp_snapshot_step(snapshot, ALL_PAGES, &left, NULL);
    }
    rp_snapshot_free(snapshot);
    return err;
}

static rp_err make_one(const struct core *core, struct rp_web_thread *thread, rp_id *ret_tenant) {
    RP_TRY(rp_identity_new_tenant(thread->identity, rp_view_from_cstr(name), ret_tenant));
    RP_TRY(put_record(core, thread, *ret_tenant));
    return copy_database(core, *ret_tenant);
}

/* ---- each in its turn ---- */

/* Copies of those that were closed, but for the last. */
static void drop_old_copies(struct rp_web_thread *thread, const struct found *found,
                            size_t *ret_closed) {
    struct rp_closing last = {.removed_ms = 0}, one;
    size_t closed = 0;
    for (size_t i = 0; i < found->count; i++) {
        rp_err err = rp_identity_closing(thread->identity, found->copies[i], &one);
        bool ended = rp_ok(err) && one.removed_ms > 0;
        closed += rp_ok(err);
        rp_id old = ended && one.removed_ms > last.removed_ms ? last.tenant : found->copies[i];
        if (ended && one.removed_ms > last.removed_ms) {
            last = one;
        }
        if (ended && !rp_id_is_none(old) && !rp_id_equal(old, last.tenant)) {
            char path[PATH];
            copy_path(old, path);
            rp_ignore(rp_file_remove(path)); /* the next round does it */
        }
    }
    *ret_closed = closed;
}

static bool is_old(const struct core *core, struct rp_web_thread *thread, rp_id tenant) {
    int64_t created_ms = 0;
    return rp_ok(rp_identity_tenant_created(thread->identity, tenant, &created_ms)) &&
           rp_env_now_ms(&core->env) - created_ms > LIVES_MS;
}

bool core_closing_canary(const struct core *core, struct rp_web_thread *thread, rp_id *ret_made) {
    struct found found = {.count = 0};
    struct rp_closing closing;
    size_t closed = 0;
    if (!rp_ok(rp_identity_each_tenant(thread->identity, look_at_tenant, &found)) ||
        !rp_ok(rp_folder_each("canary", look_at_file, &found))) {
        return false;
    }
    if (rp_id_is_none(found.living)) {
        return rp_ok(make_one(core, thread, ret_made));
    }
    if (rp_ok(rp_identity_closing(thread->identity, found.living, &closing))) {
        return true; /* it is on its way */
    }
    if (!has_copy(&found, found.living)) { /* a crash stood between the two */
        return rp_ok(copy_database(core, found.living));
    }
    drop_old_copies(thread, &found, &closed);
    /* The first goes at once, so that there is one to look at; later ones have their week. */
    return (closed == 0 || is_old(core, thread, found.living)) &&
           rp_ok(rp_identity_close(thread->identity, found.living, 0, &closing, NULL));
}
