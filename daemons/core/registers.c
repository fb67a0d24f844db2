/* registers.c — the registers' deadlines and their index of words, twice a second; a look at every
 * row, twice an hour.
 */
#include <stdatomic.h>

#include "base/assert.h"
#include "base/checked.h"
#include "clock/trust_io.h"
#include "core.h"
#include "register/desk.h"

enum {
    TICK_MS = 500,
    SET_BACK_MS = 60 * 1000,
    SWEEP_MS = 30 * 60 * 1000,
    ARENA_BYTES = 16 * 1024 * 1024
};

static rp_err open_desk(struct core *core, struct rp_web_thread *thread, struct rp_arena *arena,
                        struct rp_desk *ret_desk) {
    struct rp_desk desk = {.env = &core->env,
                           .registers = &core->registers,
                           .arena = arena,
                           .lang = RP_EN,
                           .actor = {.engine = true, .how = "deadline"}};
    desk.identity = thread->identity;
    RP_TRY(rp_store_system(thread->store, &desk.db, NULL));
    *ret_desk = desk;
    return RP_OK;
}

static rp_err lease(struct rp_web_thread *thread, struct rp_desk *desk) {
    return rp_identity_tenant_key(thread->identity, rp_identity_home(thread->identity), &desk->key);
}

rp_err core_registers_check(struct core *core, struct rp_web_thread *thread, struct rp_diag *diag) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ARENA_BYTES);
    struct rp_desk desk;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(open_desk(core, thread, arena, &desk));
    desk.diag = diag;
    return rp_desk_check_schemas(&desk);
}

rp_err core_registers_canary(struct core *core, struct rp_web_thread *thread, rp_id account) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ARENA_BYTES);
    const struct rp_register *persons = rp_register_find(&core->registers, RP_VIEW("persons"));
    struct rp_desk desk;
    struct rp_entry record;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_ASSERT(persons != NULL); /* the gates need it: the start was refused without */
    RP_TRY(open_desk(core, thread, arena, &desk));
    RP_TRY(lease(thread, &desk));
    desk.canary = true;
    desk.actor = (struct rp_actor){.owner = true, .how = "canary"};
    struct rp_json *fields = rp_json_object(arena);
    rp_json_add_cstr(arena, fields, "name", "canary");
    rp_json_add_cstr(arena, fields, "kind", "employee");
    rp_json_add_cstr(arena, fields, "start", "2026-01-01");
    rp_json_add_cstr(arena, fields, "account", rp_id_print(account).s);
    const struct rp_change made = {.fields = fields}, none = {.fields = NULL};
    RP_TRY(rp_desk_create(&desk, persons, &made, &record));
    return rp_desk_move(&desk, persons, record.facts.id, RP_VIEW("begin"), &none, &record);
}

/*= S27 */ /* an access purpose on the canary's shelf, for the canary to be refused at */
rp_err core_registers_purpose(struct core *core, struct rp_web_thread *thread) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ARENA_BYTES);
    const struct rp_register *purposes = rp_register_find(&core->registers, RP_VIEW("purposes"));
    struct rp_desk desk;
    struct rp_page page;
    struct rp_entry record;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    if (!purposes) {
        return RP_OK; /* not in this folder: its probe says so */
    }
    RP_TRY(open_desk(core, thread, arena, &desk));
    desk.canary = true;
    RP_TRY(rp_desk_list(&desk, &(struct rp_query){.reg = purposes, .count = 1}, &page));
    if (page.total > 0) {
        return RP_OK;
    }
    RP_TRY(lease(thread, &desk));
    struct rp_json *roles = rp_json_array(arena), *fields = rp_json_object(arena);
    rp_json_add_cstr(arena, roles, NULL, "hr");
    rp_json_add_cstr(arena, fields, "name", "canary");
    rp_json_add_cstr(arena, fields, "role", "canary");
    rp_json_add_cstr(arena, rp_json_add_array(arena, fields, "holders"), NULL, "visitor");
    rp_json_add_cstr(arena, rp_json_add_array(arena, fields, "zones"), NULL, "lobby");
    desk.actor = (struct rp_actor){.roles = roles, .how = "canary"};
    const struct rp_change made = {.fields = fields};
    return rp_desk_create(&desk, purposes, &made, &record);
}

/* Without the key service nothing can be moved: what is due waits for it. */
static rp_err tick(struct core *core, struct rp_web_thread *thread) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ARENA_BYTES);
    struct rp_desk desk;
    size_t fired = 1;
    int64_t when = 0, now_ms = 0;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(open_desk(core, thread, arena, &desk));
    core_clock_look(core, desk.db);
    rp_ignore(rp_tidy_round(&core->env, desk.db, &core->tidying)); /* what waits can wait */
    RP_TRY(rp_clock_when(desk.db, &when));
    RP_TRY(rp_clock_trust_now(&core->env, desk.db, &now_ms));
    if (when > now_ms) {
        return RP_OK; /* no key is needed to see that nothing is due */
    }
    RP_TRY(lease(thread, &desk));
    while (fired > 0) {
        RP_TRY(rp_desk_tick(&desk, &fired));
        if (fired > 0) {
            atomic_store(&core->rang, true);
        }
        rp_arena_reset(arena);
    }
    return RP_OK;
}

/* People whom the time to come keeps out need not wait for the next round of chores. */
static void follow_back(struct core *core, struct rp_web_thread *thread) {
    int64_t now_ms = rp_env_now_ms(&core->env);
    if (now_ms < core->ticked_ms - SET_BACK_MS) {
        core_expire(core, thread);
    }
    core->ticked_ms = now_ms;
}

static void tick_on_thread(void *thread_state, void *ctx) {
    struct core *core = ctx;
    struct rp_web_thread *thread = core_slot_thread(thread_state);
    if (thread) {
        follow_back(core, thread);
        rp_ignore(tick(core, thread)); /* the next round tries again */
    }
    atomic_store(&core->ticking, false);
}

static void tick_soon(void *ctx) {
    struct core *core = ctx;
    if (atomic_exchange(&core->rang, false)) {
        core_forward_soon(core, (rp_id){{0}});
    }
    if (atomic_exchange(&core->ticking, true)) {
        return; /* the last one is still at it */
    }
    if (!rp_ok(rp_pool_submit_to(core->store_pool, 0, tick_on_thread, core))) {
        atomic_store(&core->ticking, false);
    }
}

static void sweep_on_thread(void *thread_state, void *ctx) {
    struct core *core = ctx;
    struct rp_web_thread *thread = core_slot_thread(thread_state);
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ARENA_BYTES);
    struct rp_desk desk;
    uint64_t rows = 0, altered = 0;
    if (!thread || !arena || !rp_ok(open_desk(core, thread, arena, &desk)) ||
        !rp_ok(lease(thread, &desk))) {
        return;
    }
    if (rp_ok(rp_desk_sweep(&desk, &rows, &altered)) && altered > 0) {
        daemon_say(core->daemon, "registers: %llu of %llu rows were altered outside the program",
                   (unsigned long long)altered, (unsigned long long)rows);
    }
}

static void sweep_soon(void *ctx) {
    struct core *core = ctx;
    rp_ignore(rp_pool_submit_to(core->store_pool, 0, sweep_on_thread, core)); /* full: next time */
}

rp_err core_registers_start(struct core *core) {
    RP_TRY(core_every(core, 0, TICK_MS, tick_soon, core)); /* the clock is looked at first of all */
    return core_every(core, SWEEP_MS, SWEEP_MS, sweep_soon, core);
}
