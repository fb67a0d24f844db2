/* chores.c — what core does for itself: setting up, and throwing away what ran out. */
#include "base/assert.h"
#include "core.h"
#include "identity/closing.h"
#include "notify/outbox.h"
#include "spaces/grants.h"
#include "spaces/shares.h"

enum { CHORES_MS = 30000, SET_UP_MS = 1000 };

static rp_err set_up(struct core *core, struct rp_web_thread *thread, struct rp_diag *diag) {
    RP_TRY(core_registers_check(core, thread, diag));
    RP_TRY(core_first_start(core, thread, diag));
    return core_tables_fill(core, thread->identity);
}

/* ---- when the key service was not ready at start ---- */

static void try_again(void *ctx);

static void wait_and_try(void *ctx) {
    struct core *core = ctx;
    if (core->leaving != CORE_STAYS) {
        return; /* it is the successor's to do */
    }
    rp_err err = rp_loop_timer(core->loop, SET_UP_MS, 0, try_again, core, NULL);
    RP_ASSERT(rp_ok(err)); /* a few bytes */
}

static void try_on_thread(void *thread_state, void *ctx) {
    struct core *core = ctx;
    struct rp_web_thread *thread = core_slot_thread(thread_state);
    struct rp_diag diag = {0};
    rp_err err = thread ? set_up(core, thread, &diag) : RP_ERR(KMS_DOWN);
    if (rp_ok(err)) {
        daemon_say(core->daemon, "set up");
        return;
    }
    err = rp_loop_post(core->loop, wait_and_try, core);
    RP_ASSERT(rp_ok(err));
}

static void try_again(void *ctx) {
    struct core *core = ctx;
    if (!rp_ok(rp_pool_submit_to(core->store_pool, 0, try_on_thread, core))) {
        wait_and_try(core);
    }
}

/* A start without the key service is a start: what needs it answers 503 until it is there. */
static bool can_wait(rp_err err) {
    return rp_is(err, RP_E_KMS_SEALED) || rp_is(err, RP_E_KMS_DOWN);
}

rp_err core_set_up(struct core *core, struct rp_diag *diag) {
    struct rp_web_thread *thread = NULL;
    rp_err err = core_thread_open(core, &thread, diag);
    if (rp_ok(err)) {
        err = set_up(core, thread, diag);
    }
    core_thread_close(thread);
    if (can_wait(err)) {
        rp_ignore(daemon_fail(core->daemon, err, "waiting", diag));
        return rp_loop_timer(core->loop, SET_UP_MS, 0, try_again, core, NULL);
    }
    return err;
}

/* ---- now and then ---- */

static void expire_leases(void *thread_state, void *ctx) {
    (void)ctx;
    struct rp_web_thread *thread = core_slot_thread(thread_state);
    if (thread) {
        rp_keys_expire(thread->keys);
    }
}

static rp_err set_notices_right(const struct core *core, struct rp_web_thread *thread) {
    struct rp_db *db = NULL;
    RP_TRY(rp_store_system(thread->store, &db, NULL));
    return rp_notify_set_right(&core->env, db);
}

void core_expire(const struct core *core, struct rp_web_thread *thread) {
    /* The next round tries again. */
    rp_ignore(rp_identity_expire(thread->identity, core->sessions.p, core->seen.p));
    rp_ignore(set_notices_right(core, thread));
}

static void expire_sessions(void *thread_state, void *ctx) {
    const struct core *core = ctx;
    struct rp_web_thread *thread = core_slot_thread(thread_state);
    if (thread) {
        core_expire(core, thread);
        core_lists_keep(core, thread);
        core_certificates_tell(core, thread);
    }
}

/* ---- the trash ---- */

enum { PURGE_TENANTS = 20, PURGE_RECORDS = 200 };
static const int64_t TRASH_MS = (int64_t)RP_TRASH_DAYS * 24 * 3600 * 1000;

struct purge_round {
    rp_id tenants[PURGE_TENANTS];
    size_t count;
    rp_id after;
};

static rp_err next_tenant(void *ctx, rp_id tenant, rp_view name) {
    struct purge_round *round = ctx;
    (void)name;
    if (round->count < PURGE_TENANTS &&
        __builtin_memcmp(tenant.b, round->after.b, sizeof tenant.b) > 0) {
        round->tenants[round->count++] = tenant;
    }
    return RP_OK;
}

/* A few tenants a round, in the order of their ids, then from the start again. */
static void purge_trash(void *thread_state, void *ctx) {
    struct core *core = ctx;
    struct rp_web_thread *thread = core_slot_thread(thread_state);
    struct purge_round round = {.after = core->purged};
    int64_t now_ms = rp_env_monotonic_ms(&core->env);
    if (now_ms < atomic_load(&core->web.keep_outbox_until_ms)) {
        return; /* a backup copies files that its databases name */
    }
    if (!thread || !core_clock_is_believed(core, thread) ||
        !rp_ok(rp_identity_each_tenant(thread->identity, next_tenant, &round))) {
        return;
    }
    for (size_t i = 0; i < round.count; i++) {
        struct rp_db *db = NULL;
        size_t count = 0;
        /* What does not work now is tried in the next round. */
        if (rp_ok(rp_store_tenant(thread->store, round.tenants[i], false, &db, NULL))) {
            rp_ignore(rp_space_purge(&core->env, db, rp_env_now_ms(&core->env) - TRASH_MS,
                                     PURGE_RECORDS, &count));
            rp_ignore(rp_files_sweep(&core->env, db, PURGE_RECORDS));
            rp_ignore(rp_shares_sweep(&core->env, db));
            rp_ignore(rp_grants_sweep(&core->env, db));
            rp_ignore(rp_identity_rewrap(thread->identity, round.tenants[i]));
        }
    }
    core->purged = round.count == PURGE_TENANTS ? round.tenants[PURGE_TENANTS - 1] : (rp_id){{0}};
}

static void do_chores(void *ctx) {
    struct core *core = ctx;
    for (uint64_t i = 0; i < CORE_STORE_THREADS; i++) {
        rp_ignore(
            rp_pool_submit_to(core->store_pool, i, expire_leases, core)); /* full: next round */
    }
    rp_ignore(rp_pool_submit_to(core->store_pool, 0, expire_sessions, core));
    rp_ignore(rp_pool_submit_to(core->store_pool, 0, purge_trash, core));
    core_forward_soon(core, (rp_id){{0}});
}

rp_err core_chores_start(struct core *core) {
    return core_every(core, CHORES_MS, CHORES_MS, do_chores, core);
}
