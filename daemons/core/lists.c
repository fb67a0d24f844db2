/* lists.c — the gate's lists through core's life: at its start, and every half minute.
 *
 * Two entries are canaries: a path below /.rempart/canary/ that is denied to everybody, and one
 * below it that is allowed. The probe of S58 asks for both. They stand in the lists like any other,
 * so that what it sees is what every entry meets.
 */
#include "shield/lists_io.h"

#include "base/checked.h"
#include "core.h"
#include "shield/attack_io.h"
#include "shield/exclusions_io.h"

static rp_err put_canary(const struct core *core, struct rp_db *db, enum rp_list_action action,
                         rp_view path) {
    const struct rp_list_change change = {
        .action = action, .reason = RP_VIEW("canary of promise S58"), .who = RP_VIEW("core")};
    const struct rp_list_entry entry = {.any_address = true, .path = path};
    rp_id id;
    return rp_lists_put(&core->env, db, &change, &entry, 1, &id, NULL);
}

static rp_err see(void *ctx, const struct rp_list_row *row) {
    bool *canaries = ctx;
    size_t i = row->entry.action == RP_LIST_ALLOW ? 0 : 1;
    canaries[i] =
        canaries[i] || rp_view_starts(row->entry.path, RP_VIEW("/.rempart/canary/denied"));
    return RP_OK;
}

static rp_err put_canaries(const struct core *core, struct rp_db *db) {
    bool there[RP_LIST_ACTION_COUNT] = {false, false};
    RP_TRY(rp_lists_each(db, (rp_id){{0}}, RP_LIST_ENTRIES_MAX, see, there));
    if (!there[RP_LIST_ALLOW]) {
        RP_TRY(put_canary(core, db, RP_LIST_ALLOW, RP_VIEW("/.rempart/canary/denied/allowed")));
    }
    return there[RP_LIST_DENY]
               ? RP_OK
               : put_canary(core, db, RP_LIST_DENY, RP_VIEW("/.rempart/canary/denied"));
}

static rp_err start(const struct core *core, struct rp_store *store, struct rp_diag *diag) {
    struct rp_db *db = NULL;
    size_t count = 0;
    RP_TRY(rp_store_system(store, &db, diag));
    RP_TRY(put_canaries(core, db));
    RP_TRY(rp_lists_expire(&core->env, db, &count));
    RP_TRY(rp_attack_publish(&core->env, db));
    RP_TRY(rp_exclusions_publish(db));
    return rp_lists_publish(db, false);
}

rp_err core_lists_start(struct core *core) {
    struct rp_store *store = NULL;
    struct rp_diag diag = {0};
    rp_err err = rp_store_open(&core->env, core->config.store, &store, &diag);
    if (rp_ok(err)) {
        err = start(core, store, &diag);
        rp_store_close(store);
    }
    return rp_ok(err) ? RP_OK : daemon_fail(core->daemon, err, "lists", &diag);
}

void core_lists_keep(const struct core *core, struct rp_web_thread *thread) {
    struct rp_db *db = NULL;
    size_t count = 0;
    rp_err err = rp_store_system(thread->store, &db, NULL);
    if (rp_ok(err)) {
        err = rp_lists_expire(&core->env, db, &count);
    }
    if (rp_ok(err)) {
        err = rp_lists_publish(db, false);
    }
    if (rp_ok(err)) {
        err = rp_attack_publish(&core->env, db);
    }
    if (rp_ok(err)) {
        err = rp_exclusions_publish(db);
    }
    if (!rp_ok(err)) {
        /* The workers keep what they have; the next round tries again. */
        rp_ignore(daemon_fail(core->daemon, err,
                              "run/lists.tab, run/attack.tab, run/exclusions.tab", NULL));
    }
}
