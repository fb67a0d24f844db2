/* webhooks.c — events of the operator's log to the operator's own programs, on the sender's thread.
 *
 * Each second: for every webhook the entries that it has not seen, those that it wants handed to
 * the courier one after the other, in their order, until a call is not taken. What no pattern wants
 * costs a reading. How far each is goes to the database after a call, and now and then; a crash in
 * between looks at some entries again, and the courier knows which calls went out.
 */
#include "notify/webhooks.h"
#include "base/assert.h"
#include "base/checked.h"
#include "core.h"
#include "ledger/read_io.h"
#include "notify/hook.h"
#include "notify/outbox.h"

enum { CALLS_AT_ONCE = 16, LOOKS_AT_ONCE = 2000, SAVE_EVERY = 256, ARENA_BYTES = 1 << 20 };

struct round {
    struct core *core;
    struct rp_web_thread *thread;
    struct rp_ipc_client *courier;
    struct rp_db *db;
    struct rp_log *log;
    struct rp_arena *arena; /* an entry's */
};

static bool is_wanted(const struct rp_config_webhook *config, rp_view type) {
    for (size_t i = 0; i < config->events.count; i++) {
        if (rp_hook_wants(rp_view_from_cstr(config->events.items[i]), type)) {
            return true;
        }
    }
    return false;
}

static rp_err call(const struct round *round, rp_view name, rp_id id, rp_view body,
                   struct core_outcome *ret_outcome) {
    _cleanup_(rp_buf_done) struct rp_buf request = rp_buf_new(RP_HOOK_BODY_MAX + 256);
    rp_pack_id(&request, id);
    rp_pack_bytes(&request, name);
    rp_pack_bytes(&request, body);
    RP_TRY(rp_buf_err(&request));
    return core_ask_courier(round->courier, (enum rp_ipc_message)RP_IPC_CORE_COURIER_HOOK,
                            rp_buf_view(&request), round->arena, ret_outcome);
}

/* ---- paused ---- */

static rp_err put_paused(struct rp_db *db, void *ctx) {
    const struct rp_webhook *hook = ctx;
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(ARENA_BYTES);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    struct rp_event *event =
        rp_event_new(arena, RP_EVENT_WEBHOOK_PAUSED, hook->paused_ms, RP_ROLE_CORE);
    rp_event_add_text(event, "name", hook->name);
    rp_event_add_text(event, "problem", rp_view_from_cstr(hook->problem));
    rp_event_add_text(event, "since", rp_view_from_cstr(rp_time_print(hook->failing_ms / 1000).s));
    RP_TRY(rp_db_emit(db, event));
    return rp_webhook_save(db, hook);
}

static rp_err pause_it(const struct round *round, struct rp_webhook *hook) {
    struct rp_time_text since = rp_time_print(hook->failing_ms / 1000);
    const struct rp_notice_value values[] = {{"name", hook->name},
                                             {"reason", rp_view_from_cstr(hook->problem)},
                                             {"since", rp_view_from_cstr(since.s)}};
    RP_TRY(rp_db_transact(round->db, put_paused, hook));
    atomic_store(&round->core->rang, true); /* its event goes on without waiting for another's */
    return core_tell_operators(round->thread, RP_NOTICE_WEBHOOK_PAUSED, values,
                               RP_COUNT_OF(values));
}

/* ---- one webhook ---- */

/* Its answer to this entry. *ret_on: the next one may follow. */
static rp_err settle(const struct round *round, struct rp_webhook *hook,
                     const struct core_outcome *outcome, bool *ret_on) {
    int64_t now_ms = rp_env_now_ms(&round->core->env);
    *ret_on = outcome->what != RP_NOTICE_LATER;
    if (*ret_on) {
        rp_webhook_passed(hook, now_ms, outcome->problem);
    } else if (rp_webhook_failed(hook, now_ms, outcome->problem)) {
        return pause_it(round, hook);
    }
    return rp_webhook_save(round->db, hook);
}

static rp_err send_entry(const struct round *round, const struct rp_config_webhook *config,
                         struct rp_webhook *hook, bool *ret_called, bool *ret_on) {
    rp_view entry;
    struct rp_hook_event event;
    struct core_outcome outcome;
    _cleanup_(rp_buf_done) struct rp_buf body = rp_buf_new(RP_HOOK_BODY_MAX);
    rp_arena_reset(round->arena);
    RP_TRY(rp_log_entry(round->log, hook->at, round->arena, &entry));
    RP_TRY(rp_hook_read(entry, round->arena, &event));
    *ret_called = is_wanted(config, event.type);
    if (!*ret_called) {
        hook->at++;
        return RP_OK;
    }
    RP_TRY(rp_hook_print(&event, hook->at, round->arena, &body));
    rp_id id = rp_hook_id(hook->name, hook->at, rp_buf_view(&body));
    RP_TRY(call(round, hook->name, id, rp_buf_view(&body), &outcome));
    return settle(round, hook, &outcome, ret_on);
}

static rp_err send_some(const struct round *round, const struct rp_config_webhook *config,
                        struct rp_webhook *hook) {
    uint64_t size = rp_log_size(round->log), saved = hook->at;
    size_t calls = 0;
    bool on = true;
    for (size_t i = 0; i < LOOKS_AT_ONCE && calls < CALLS_AT_ONCE && on && hook->at < size; i++) {
        bool called = false;
        RP_TRY(send_entry(round, config, hook, &called, &on));
        calls += called;
        saved = called ? hook->at : saved;
    }
    return on && hook->at >= saved + SAVE_EVERY ? rp_webhook_save(round->db, hook) : RP_OK;
}

/* Asked for by hand, whatever it failed or waits for. */
static rp_err send_test(const struct round *round, struct rp_webhook *hook) {
    const struct rp_env *env = &round->core->env;
    struct core_outcome outcome;
    _cleanup_(rp_buf_done) struct rp_buf body = rp_buf_new(RP_HOOK_BODY_MAX);
    rp_arena_reset(round->arena);
    RP_TRY(rp_hook_print_test(rp_env_now_ms(env), round->arena, &body));
    RP_TRY(call(round, hook->name, rp_env_new_id(env), rp_buf_view(&body), &outcome));
    return rp_webhook_tested(env, round->db, hook,
                             outcome.what == RP_NOTICE_SENT ? RP_VIEW("") : outcome.problem);
}

static rp_err serve(const struct round *round, const struct rp_config_webhook *config) {
    struct rp_webhook hook;
    uint64_t size = rp_log_size(round->log);
    rp_view name = rp_view_from_cstr(config->name);
    rp_err err = rp_webhook_find(round->db, name, &hook);
    if (rp_is(err, RP_E_NOT_FOUND)) { /* it begins with what happens from now on */
        hook = (struct rp_webhook){.name = name, .at = size};
        err = rp_webhook_save(round->db, &hook);
    }
    RP_TRY(err);
    hook.at = RP_MIN(hook.at, size); /* a log that was put back to an earlier state */
    if (hook.test_ms > 0) {
        RP_TRY(send_test(round, &hook));
    }
    bool ready = rp_webhook_ready(&hook, rp_env_now_ms(&round->core->env));
    return ready ? send_some(round, config, &hook) : RP_OK;
}

void core_webhooks_serve(struct core *core, struct rp_web_thread *thread,
                         struct rp_ipc_client *courier, struct rp_log **log) {
    struct round round = {.core = core, .thread = thread, .courier = courier};
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(ARENA_BYTES);
    if (core->config.webhook_count == 0 || !arena) {
        return;
    }
    rp_err err = *log ? rp_log_refresh(*log, NULL)
                      : rp_log_open("ledger/operator", (rp_view){NULL, 0}, log, NULL);
    if (!rp_ok(err)) { /* not written yet, or put back: opened anew in the next round */
        rp_log_free(*log);
        *log = NULL;
        return;
    }
    round.log = *log;
    round.arena = arena;
    if (!rp_ok(rp_store_system(thread->store, &round.db, NULL))) {
        return;
    }
    for (size_t i = 0; i < core->config.webhook_count; i++) {
        /* The courier that is not there yet, a ledger that grows: the next round goes on. */
        rp_ignore(serve(&round, &core->config.webhooks[i]));
    }
}
