/* backup_api.c — core's part of a backup: it alone opens the databases, so it copies them.
 *
 *   hold   events stay in the outboxes for a minute more; {"held"}: they do by now
 *   copy   some pages of one database into db/snapshot.db; {"file","left"}: 0 = the copy is whole
 *   end    what became of it goes on record, and outboxes are emptied as ever
 *   rebase databases that were put back go on behind the ledger's numbers
 */
#include "base/assert.h"
#include "base/checked.h"
#include "web/handlers.h"

enum { PAGES_AT_ONCE = 1024, EVENT_ARENA = 64 * 1024, REASON_MAX = 200 };

static const char snapshot_file[] = "db/snapshot.db";

static int64_t monotonic_ms(const struct rp_request *request) {
    return rp_env_monotonic_ms(&request->web->env);
}

static void keep_on(const struct rp_request *request) {
    atomic_store(&request->web->keep_outbox_until_ms, monotonic_ms(request) + RP_BACKUP_KEEP_MS);
}

rp_err rp_admin_backup_hold(struct rp_request *request) {
    keep_on(request);
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_bool(request->arena, root, "held", atomic_load(&request->web->outbox_kept));
    return rp_api_send(request, 200, root);
}

/* "" or nothing: the system database. */
static rp_err read_tenant(struct rp_request *request, rp_id *ret_tenant) {
    struct rp_json *body = NULL;
    RP_TRY(rp_request_json(request, &body, &request->diag));
    rp_view text = rp_json_get_string(body, "tenant");
    *ret_tenant = (rp_id){{0}};
    return text.n == 0 || rp_id_parse(text, ret_tenant)
               ? RP_OK
               : rp_fail(&request->diag, RP_ERR(INVALID),
                         "tenant: the id that \"rempart tenant list\" prints");
}

static void forget(struct rp_web_thread *thread) {
    rp_snapshot_free(thread->snapshot);
    thread->snapshot = NULL;
}

/* A copy goes on where it was; one of another database was given up. */
static rp_err open_snapshot(struct rp_request *request, rp_id tenant) {
    struct rp_web_thread *thread = request->thread;
    if (thread->snapshot && !rp_id_equal(rp_snapshot_tenant(thread->snapshot), tenant)) {
        forget(thread);
    }
    return thread->snapshot ? RP_OK
                            : rp_snapshot_start(request->web->config->store, tenant, snapshot_file,
                                                &thread->snapshot, &request->diag);
}

rp_err rp_admin_backup_copy(struct rp_request *request) {
    rp_id tenant;
    uint64_t left = 0;
    RP_TRY(read_tenant(request, &tenant));
    if (!atomic_load(&request->web->outbox_kept)) {
        return rp_fail(&request->diag, RP_ERR(CONFLICT),
                       "a snapshot is taken while changes are held: ask for the hold first");
    }
    keep_on(request);
    RP_TRY(open_snapshot(request, tenant));
    rp_err err = rp_snapshot_step(request->thread->snapshot, PAGES_AT_ONCE, &left, &request->diag);
    if (!rp_ok(err) || left == 0) {
        forget(request->thread);
    }
    RP_TRY(err);
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_cstr(request->arena, root, "file", snapshot_file);
    rp_json_add_u64(request->arena, root, "left", left);
    return rp_api_send(request, 200, root);
}

/* ---- the end ---- */

struct outcome {
    struct rp_request *request;
    const struct rp_json *said;
};

static rp_err tell(struct rp_db *db, void *ctx) {
    const struct outcome *outcome = ctx;
    const struct rp_json *said = outcome->said;
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(EVENT_ARENA);
    rp_view reason = rp_json_get_string(said, "reason");
    struct rp_event *event =
        arena ? rp_event_new(arena, reason.n ? RP_EVENT_BACKUP_FAILED : RP_EVENT_BACKUP_MADE,
                             rp_request_now_ms(outcome->request), RP_ROLE_CORE)
              : NULL;
    rp_id backup;
    if (!event) {
        return RP_ERR(NO_MEMORY);
    }
    if (!rp_id_parse(rp_json_get_string(said, "backup"), &backup)) {
        return rp_fail(&outcome->request->diag, RP_ERR(INVALID), "backup");
    }
    rp_event_add_id(event, "backup", backup);
    if (reason.n) {
        rp_event_add_text(event, "reason", rp_view_sub(reason, 0, REASON_MAX));
        return rp_db_emit(db, event);
    }
    static const char *const numbers[] = {"bytes", "databases", "duration_ms"};
    for (size_t i = 0; i < RP_COUNT_OF(numbers); i++) {
        uint64_t value = 0;
        (void)rp_json_get_u64(said, numbers[i], &value);
        rp_event_add_u64(event, numbers[i], value);
    }
    return rp_db_emit(db, event);
}

rp_err rp_admin_backup_end(struct rp_request *request) {
    struct outcome outcome = {.request = request};
    struct rp_db *db = NULL;
    struct rp_json *body = NULL;
    forget(request->thread);
    RP_TRY(rp_request_json(request, &body, &request->diag));
    outcome.said = body;
    atomic_store(&request->web->keep_outbox_until_ms, 0);
    RP_TRY(rp_store_system(request->thread->store, &db, &request->diag));
    RP_TRY(rp_db_transact(db, tell, &outcome));
    return rp_api_send(request, 200, rp_json_object(request->arena));
}

rp_err rp_admin_rebase(struct rp_request *request) {
    atomic_store(&request->web->rebase, true);
    return rp_api_send(request, 202, rp_json_object(request->arena));
}
