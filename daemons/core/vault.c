/* vault.c — the log, sent to the log machine: every two seconds what it has not, on a thread of its
 * own. What came of it stands in run/vault-copy.json; an event says when it changed. A log machine
 * that is away, or full, stops nothing here. */
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "core.h"
#include "ipc/ipc.h"
#include "ledger/origin.h"
#include "ledger/vault_send_io.h"
#include "os/batch.h"
#include "os/file.h"
#include "wire/json.h"

enum {
    ROUND_MS = 2000,
    BEHIND_MS = 15000, /* without a whole round: then it is said */
    DEADLINE_MS = 8000,
    LEDGER_DEADLINE_MS = 2000,
    EVENT_ARENA = 16384,
    FILE_BYTES = 1024,
    FILE_MODE = 0640
};

enum vault_state { UP_TO_DATE, BEHIND, REFUSED, VAULT_STATE_COUNT };

static const char *const state_names[VAULT_STATE_COUNT] = {"up_to_date", "behind", "refused"};
static const char file_name[] = "run/vault-copy.json";

struct vault {
    struct core *core;
    struct rp_pool *pool; /* one thread */
    bool running;         /* the loop's */
    atomic_bool stop;
    /* The thread's. */
    struct rp_ipc_client *client, *ledger;
    struct rp_vault_sending *sending;
    enum vault_state state, told; /* told: what the log says */
    int64_t whole_ms;             /* monotonic: when the last whole round ended, or the start */
    int64_t whole_s;              /* and by the clock; 0 = none yet */
    struct rp_vault_round round;
    rp_err err;
};

static rp_err call(void *ctx, enum rp_vault_message what, rp_view request, struct rp_buf *reply) {
    const struct vault *vault = ctx;
    return rp_ipc_call(vault->client, (enum rp_ipc_message)what, request, reply);
}

static int64_t now_ms(const struct vault *vault) {
    return rp_env_monotonic_ms(&vault->core->env);
}

static uint64_t seconds_behind(const struct vault *vault) {
    return (uint64_t)(now_ms(vault) - vault->whole_ms) / 1000;
}

/* ---- what is said ---- */

static void fill(const struct vault *vault, struct rp_event *event) {
    char tree[40];
    if (vault->state == REFUSED) {
        rp_tree_folder(vault->round.refused_tree, tree);
        rp_event_add_text(event, "tree", rp_view_from_cstr(tree));
        rp_event_add_text(event, "reason",
                          rp_view_from_cstr(rp_err_text(vault->round.refused_err, RP_EN)));
        return;
    }
    if (vault->state == BEHIND) {
        rp_event_add_text(event, "reason", rp_view_from_cstr(rp_err_text(vault->err, RP_EN)));
        rp_event_add_u64(event, "entries", vault->round.behind);
    }
    rp_event_add_u64(event, "seconds", seconds_behind(vault));
}

/* Once a change; a ledger that is away hears of it in a later round. */
static void tell(struct vault *vault) {
    static const enum rp_event_kind kinds[VAULT_STATE_COUNT] = {[UP_TO_DATE] =
                                                                    RP_EVENT_VAULT_CAUGHT_UP,
                                                                [BEHIND] = RP_EVENT_VAULT_BEHIND,
                                                                [REFUSED] = RP_EVENT_VAULT_REFUSED};
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(EVENT_ARENA);
    const struct rp_env *env = &vault->core->env;
    rp_view bytes = {NULL, 0};
    if (vault->state == vault->told || !arena) {
        return;
    }
    struct rp_event *event =
        rp_event_new(arena, kinds[vault->state], rp_env_now_ms(env), RP_ROLE_CORE);
    fill(vault, event);
    if (rp_ok(rp_event_print(event, &bytes)) &&
        rp_ok(rp_ledger_append(vault->ledger, (struct rp_tree){.kind = RP_TREE_OPERATOR},
                               (rp_id){{0}}, 0, &bytes, 1, NULL))) {
        vault->told = vault->state;
    }
}

static rp_err print_state(const struct vault *vault, struct rp_arena *arena, struct rp_buf *out) {
    struct rp_json *root = rp_json_object(arena);
    char tree[40];
    rp_json_add_cstr(arena, root, "state", state_names[vault->state]);
    rp_json_add_u64(arena, root, "whole_s", (uint64_t)vault->whole_s);
    rp_json_add_u64(arena, root, "behind_s", seconds_behind(vault));
    rp_json_add_u64(arena, root, "behind_entries", vault->round.behind);
    if (vault->state == REFUSED) {
        rp_tree_folder(vault->round.refused_tree, tree);
        rp_json_add_cstr(arena, root, "tree", tree);
    }
    rp_err err = vault->state == REFUSED ? vault->round.refused_err : vault->err;
    if (!rp_ok(err)) {
        rp_json_add_cstr(arena, root, "reason", rp_err_text(err, RP_EN));
    }
    return rp_json_print(root, out);
}

static void write_state(const struct vault *vault) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(8 * FILE_BYTES);
    _cleanup_(rp_buf_done) struct rp_buf out = rp_buf_new(FILE_BYTES);
    if (arena && rp_ok(print_state(vault, arena, &out))) {
        rp_ignore(rp_batch_put("run/vault-copy.json.tmp", file_name, FILE_MODE,
                               rp_buf_view(&out))); /* the next round tries again */
    }
}

/* What a predecessor told: a reload is no change. */
static void read_state(struct vault *vault) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(16 * FILE_BYTES);
    rp_view text = {NULL, 0};
    struct rp_json *root = NULL;
    if (!arena || !rp_ok(rp_file_read(file_name, FILE_BYTES, arena, &text)) ||
        !rp_ok(rp_json_parse(text, RP_JSON_LIMITS, arena, &root, NULL))) {
        return;
    }
    rp_view name = rp_json_get_string(root, "state");
    for (unsigned i = 0; i < VAULT_STATE_COUNT; i++) {
        if (rp_view_equal(name, rp_view_from_cstr(state_names[i]))) {
            vault->state = vault->told = (enum vault_state)i;
        }
    }
}

/* ---- rounds ---- */

static void conclude(struct vault *vault) {
    bool whole = rp_ok(vault->err) && !vault->round.refused;
    if (vault->round.refused) {
        vault->state = REFUSED;
    } else if (whole) {
        vault->state = UP_TO_DATE;
    } else if (now_ms(vault) - vault->whole_ms > BEHIND_MS && vault->state == UP_TO_DATE) {
        vault->state = BEHIND;
    }
    tell(vault);
    if (whole) {
        vault->whole_ms = now_ms(vault);
        vault->whole_s = rp_env_now_s(&vault->core->env);
    }
    write_state(vault);
}

static void round_ended(void *ctx) {
    ((struct vault *)ctx)->running = false;
}

static void run_round(void *thread_state, void *ctx) {
    struct vault *vault = ctx;
    struct rp_diag diag = {0};
    (void)thread_state;
    vault->err = rp_vault_sending_round(vault->sending, &vault->stop, &vault->round, &diag);
    if (rp_is(vault->err, RP_E_SYSTEM) && vault->state == UP_TO_DATE) {
        rp_ignore(daemon_fail(vault->core->daemon, vault->err, "copy of the log", &diag));
    }
    if (!atomic_load(&vault->stop)) {
        conclude(vault);
    }
    rp_err posted = rp_loop_post(vault->core->loop, round_ended, vault);
    RP_ASSERT(rp_ok(posted));
}

static void start_round(void *ctx) {
    struct vault *vault = ctx;
    if (!vault->running) {
        vault->running = rp_ok(rp_pool_submit(vault->pool, run_round, vault));
    }
}

/* ---- start and end ---- */

rp_err core_vault_start(struct core *core) {
    if (!rp_config_has_vault(&core->config)) {
        return rp_file_remove(file_name);
    }
    struct vault *vault = calloc(1, sizeof *vault);
    if (!vault) {
        return RP_ERR(NO_MEMORY);
    }
    vault->core = core;
    core->vault = vault;
    vault->whole_ms = now_ms(vault);
    read_state(vault);
    vault->client = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_VAULT, DEADLINE_MS);
    vault->ledger = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_LEDGER, LEDGER_DEADLINE_MS);
    if (!vault->client || !vault->ledger) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_vault_sending_new("ledger", (struct rp_vault_door){vault, call}, &vault->sending));
    RP_TRY(rp_pool_new(1, 2, NULL, NULL, NULL, &vault->pool));
    return core_every(core, ROUND_MS, ROUND_MS, start_round, vault);
}

bool core_vault_runs(const struct core *core) {
    return core->vault && core->vault->running;
}

void core_vault_leave(struct core *core) {
    if (core->vault) {
        atomic_store(&core->vault->stop, true);
    }
}

void core_vault_stop(struct core *core) {
    struct vault *vault = core->vault;
    if (!vault) {
        return;
    }
    atomic_store(&vault->stop, true);
    if (vault->pool) {
        rp_pool_free(vault->pool);
    }
    rp_vault_sending_free(vault->sending);
    rp_ipc_client_free(vault->client);
    rp_ipc_client_free(vault->ledger);
    free(vault);
    core->vault = NULL;
}
