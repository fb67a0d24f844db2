/* closings.c — organisations that are due to end: a step of each in a round, on the thread of key
 * 0.
 *
 * Rounds follow each other by the second while one has something left to do, and otherwise by the
 * half minute. What does not work now, a key service that is sealed say, is tried in the next.
 */
#include "base/assert.h"
#include "core.h"
#include "identity/closing.h"
#include "store/remove.h"

enum { ROUND_MS = 1000, LOOK_MS = 30000, SESSION_ROUNDS = 100, DAY_MS = 24 * 3600 * 1000 };

void core_closings_forget(struct rp_web_thread *thread) {
    struct rp_closing due[RP_CLOSINGS_AT_ONCE];
    size_t count = 0;
    if (!rp_ok(rp_identity_closings_due(thread->identity, due, &count))) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (due[i].ended_ms > 0) {
            rp_keys_drop(thread->keys, due[i].tenant);
            rp_store_forget(thread->store, due[i].tenant);
        }
    }
}

static void forget(void *thread_state, void *ctx) {
    struct rp_web_thread *thread = core_slot_thread(thread_state);
    (void)ctx;
    if (thread) {
        core_closings_forget(thread);
    }
}

/* Sessions go some at a time: all of them in one round, and each out of the gate's table at once.
 */
static rp_err step_of(struct core *core, struct rp_web_thread *thread, struct rp_closing *closing) {
    struct rp_own_session ended[RP_OWN_SESSIONS_MAX];
    int64_t now_ms = rp_env_monotonic_ms(&core->env);
    bool may_remove = now_ms >= atomic_load(&core->web.keep_outbox_until_ms);
    size_t count = 1;
    for (int i = 0; i < SESSION_ROUNDS && count > 0; i++) {
        RP_TRY(rp_identity_close_step(thread->identity, closing, may_remove, ended, &count));
        for (size_t j = 0; j < count; j++) {
            rp_session_table_revoke(core->web.sessions, &ended[j].cookie_hash);
        }
    }
    return RP_OK;
}

/* Whoever is to end after days of grace does so by a clock that is believed; what was asked for at
 * once, or has begun, hangs on none. */
static bool waits_for_clock(const struct rp_closing *closing, bool believed) {
    bool grace = closing->due_ms - closing->asked_ms >= DAY_MS;
    return grace && closing->ended_ms == 0 && !believed;
}

static void run_round(void *thread_state, void *ctx) {
    struct core *core = ctx;
    struct rp_web_thread *thread = core_slot_thread(thread_state);
    struct rp_closing due[RP_CLOSINGS_AT_ONCE];
    size_t count = 0, left = 0;
    atomic_store(&core->web.closing, false); /* what is asked for from here on is seen next time */
    rp_id canary = {{0}};
    bool more = thread && core_closing_canary(core, thread, &canary);
    rp_err err = thread ? rp_identity_closings_due(thread->identity, due, &count) : RP_ERR(BUSY);
    core->closing_count = rp_ok(err) ? count : 0;
    bool believed = thread && core_clock_is_believed(core, thread);
    for (size_t i = 0; rp_ok(err) && i < count; i++) {
        core->closing_tenants[i] = due[i].tenant;
        if (waits_for_clock(&due[i], believed)) {
            continue;
        }
        rp_err stepped = step_of(core, thread, &due[i]);
        if (rp_ok(stepped) && due[i].removed_ms > 0) {
            daemon_say(core->daemon, "tenant %s: closed, its key destroyed, its files removed",
                       rp_id_print(due[i].tenant).s);
        } else {
            left++;
        }
    }
    if (!rp_id_is_none(canary)) {
        core->closing_tenants[core->closing_count++] = canary;
    }
    if (left > 0 || more || count == RP_CLOSINGS_AT_ONCE) {
        atomic_store(&core->web.closing, true);
    }
    atomic_store(&core->closing_now, false);
}

/* On the loop, which owns the forwarder's set: their logs, a new canary's and the operator's have
 * it at once. */
static void forward_last_round(struct core *core) {
    for (size_t i = 0; i < core->closing_count; i++) {
        core_forward_soon(core, core->closing_tenants[i]);
    }
    if (core->closing_count > 0) {
        core_forward_soon(core, (rp_id){{0}});
    }
    core->closing_count = 0;
}

static void start_round(void *ctx) {
    struct core *core = ctx;
    int64_t now_ms = rp_env_monotonic_ms(&core->env);
    bool closing = atomic_load(&core->web.closing);
    if (atomic_load(&core->closing_now)) {
        return;
    }
    forward_last_round(core);
    if (!closing && now_ms - core->closed_ms < LOOK_MS) {
        return;
    }
    core->closed_ms = now_ms;
    for (uint64_t i = 0; closing && i < CORE_STORE_THREADS; i++) {
        rp_ignore(rp_pool_submit_to(core->store_pool, i, forget, core)); /* full: next round */
    }
    atomic_store(&core->closing_now, true);
    if (!rp_ok(rp_pool_submit_to(core->store_pool, 0, run_round, core))) {
        atomic_store(&core->closing_now, false);
    }
}

rp_err core_closings_start(struct core *core) {
    return core_every(core, ROUND_MS, ROUND_MS, start_round, core);
}
