/* thread.c — the store threads: each with its own connections, opened at its start. */
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "core.h"

enum { LEDGER_DEADLINE_MS = 2000, RETRY_MS = 1000, EVENT_ARENA = 16384 };

void core_tell_refused(const struct core *core, struct rp_ipc_client *ledger, const char *what,
                       rp_err why, const struct rp_diag *diag) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(EVENT_ARENA);
    bool refused = rp_is(why, RP_E_EXISTS_NEWER) || rp_is(why, RP_E_CORRUPT);
    if (!refused || !arena) {
        return;
    }
    struct rp_event *event =
        rp_event_new(arena, RP_EVENT_STORE_REFUSED, rp_env_now_ms(&core->env), RP_ROLE_CORE);
    const char *detail = diag->text[0] ? diag->text : rp_err_text(why, RP_EN);
    rp_event_add_text(event, "what", rp_view_from_cstr(what));
    rp_event_add_text(event, "detail", rp_view_from_cstr(detail));
    rp_view bytes;
    if (rp_ok(rp_event_print(event, &bytes))) {
        rp_ignore(rp_ledger_append(ledger, (struct rp_tree){.kind = RP_TREE_OPERATOR}, (rp_id){{0}},
                                   0, &bytes, 1, NULL));
    }
}

rp_err core_thread_open(const struct core *core, struct rp_web_thread **ret_thread,
                        struct rp_diag *diag) {
    struct rp_web_thread *thread = calloc(1, sizeof *thread);
    if (!thread) {
        return RP_ERR(NO_MEMORY);
    }
    const struct rp_identity_options options = {
        .second_factor_required = strcmp(core->config.second_factor, "required") == 0,
        .session_ms = (int64_t)core->config.session_hours * 3600 * 1000,
        .idle_s = (uint32_t)core->config.idle_minutes * 60,
        .origin = core->origin,
        .calm = rp_calm_of(rp_view_from_cstr(core->config.quiet),
                           rp_view_from_cstr(core->config.digest)),
        .breached = &core->breached};
    thread->jwks_text = rp_buf_new(RP_JWKS_BYTES_MAX);
    thread->ledger = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_LEDGER, LEDGER_DEADLINE_MS);
    rp_err err = thread->ledger ? RP_OK : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        err = rp_store_open(&core->env, core->config.store, &thread->store, diag);
    }
    if (rp_ok(err)) {
        struct rp_db *db = NULL; /* opened here already, because here the file can be named */
        err = rp_store_system(thread->store, &db, diag);
    }
    if (rp_ok(err)) {
        err = rp_keys_new(&core->env, &thread->keys);
    }
    if (rp_ok(err)) {
        err = rp_identity_new(&core->env, thread->store, thread->keys, &options, &thread->identity);
    }
    if (!rp_ok(err)) {
        core_tell_refused(core, thread->ledger, "the system database", err, diag);
        core_thread_close(thread);
        return err;
    }
    thread->clearing = (struct rp_clearing_desk){.env = &core->env,
                                                 .registers = &core->registers,
                                                 .store = thread->store,
                                                 .identity = thread->identity};
    rp_clearing_start(&thread->clearing);
    *ret_thread = thread;
    return RP_OK;
}

void core_thread_close(struct rp_web_thread *thread) {
    if (!thread) {
        return;
    }
    rp_snapshot_free(thread->snapshot);
    rp_log_free(thread->public_log);
    rp_identity_free(thread->identity);
    rp_keys_free(thread->keys);
    rp_store_close(thread->store);
    rp_ipc_client_free(thread->ledger);
    rp_buf_done(&thread->jwks_text);
    free(thread);
}

struct rp_web_thread *core_slot_thread(struct core_slot *slot) {
    if (slot->thread) {
        return slot->thread;
    }
    int64_t now_ms = rp_env_monotonic_ms(&slot->core->env);
    if (slot->tried_ms && now_ms - slot->tried_ms < RETRY_MS) {
        return NULL;
    }
    struct rp_diag diag = {0};
    rp_err err = core_thread_open(slot->core, &slot->thread, &diag);
    if (!rp_ok(err) && slot->tried_ms == 0) { /* once, not once a second */
        rp_ignore(daemon_fail(slot->core->daemon, err, "store thread", &diag));
    }
    slot->tried_ms = now_ms;
    return slot->thread;
}

void *core_slot_new(void *core, unsigned index) {
    (void)index;
    struct core_slot *slot = calloc(1, sizeof *slot);
    RP_ASSERT(slot != NULL); /* some bytes, at start: without them nothing will go */
    slot->core = core;
    return slot;
}

void core_slot_free(void *slot) {
    core_thread_close(((struct core_slot *)slot)->thread);
    free(slot);
}

rp_err core_pools_start(struct core *core) {
    RP_ASSERT(core->store_pool == NULL && core->password_pool == NULL);
    RP_TRY(rp_pool_new(CORE_STORE_THREADS, CORE_STORE_QUEUE, core_slot_new, core_slot_free, core,
                       &core->store_pool));
    return rp_pool_new(CORE_PASSWORD_THREADS, CORE_PASSWORD_QUEUE, NULL, NULL, NULL,
                       &core->password_pool);
}

void core_pools_stop(struct core *core) {
    pthread_mutex_lock(&core->stop_lock);
    core->stopping = true;
    pthread_mutex_unlock(&core->stop_lock);
    rp_pool_free(core->store_pool);
    rp_pool_free(core->password_pool);
}
