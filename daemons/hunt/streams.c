/* streams.c — every kind of log is written and kept: a canary in each of the five, found again, and
 * the ones from before still there; and what other roles had to log at that moment is there too. */
#include <stdio.h>

#include "base/checked.h"
#include "hunt.h"
#include "ipc/ipc.h"
#include "ledger/read_io.h"
#include "os/file.h"

enum {
    LEDGER_MS = 4000,
    TRIES = 2,
    ARRIVES_TRIES = 20,
    PAUSE_MS = 500,
    LOOK_BACK = 5000,
    ARENA_BYTES = 1 << 20
};
static const int64_t QUIET_MS = (int64_t)3600 * 1000;

static const enum rp_event_kind kinds[RP_STREAM_COUNT] = {
    [RP_STREAM_EVENT] = RP_EVENT_CANARY_EVENT,       [RP_STREAM_AUDIT] = RP_EVENT_CANARY_AUDIT,
    [RP_STREAM_FAULT] = RP_EVENT_CANARY_FAULT,       [RP_STREAM_ADMIN] = RP_EVENT_CANARY_ADMIN,
    [RP_STREAM_OPERATOR] = RP_EVENT_CANARY_OPERATOR,
};

struct looking {
    struct hunt *hunt;
    struct rp_observation *seen;
    struct rp_arena *arena;
    struct hunt_canary now[RP_STREAM_COUNT];
    int64_t began_ms;
};

static void log_freep(struct rp_log **log) {
    rp_log_free(*log);
}

/* ---- in ---- */

static rp_err plant(struct looking *looking, struct rp_ipc_client *ledger, enum rp_stream stream) {
    const struct rp_env *env = &looking->hunt->env;
    struct rp_event *event =
        rp_event_new(looking->arena, kinds[stream], rp_env_now_ms(env), RP_ROLE_HUNT);
    rp_view bytes = {NULL, 0};
    uint64_t next = 0;
    rp_event_add_id(event, "mark", rp_env_new_id(env));
    RP_TRY(rp_event_print(event, &bytes));
    RP_TRY(rp_ledger_append(ledger, (struct rp_tree){.kind = RP_TREE_OPERATOR}, (rp_id){{0}}, 0,
                            &bytes, 1, &next));
    looking->now[stream] = (struct hunt_canary){.index = next - 1, .digest = rp_sha256_of(bytes)};
    return RP_OK;
}

static rp_err plant_all(struct looking *looking) {
    struct rp_ipc_client *ledger = rp_ipc_client_new(RP_ROLE_HUNT, RP_ROLE_LEDGER, LEDGER_MS);
    rp_err err = ledger ? RP_OK : RP_ERR(NO_MEMORY);
    for (unsigned i = 0; i < RP_STREAM_COUNT && rp_ok(err); i++) {
        err = plant(looking, ledger, (enum rp_stream)i);
    }
    rp_ipc_client_free(ledger);
    return err;
}

/* A ledger that starts again is given the time for it; one that stays away keeps no log. */
static bool planted(struct looking *looking) {
    rp_err err = plant_all(looking);
    for (int i = 1; i < TRIES && !rp_ok(err); i++) {
        (void)rp_probe_wait(&looking->hunt->stopping, LEDGER_MS);
        err = plant_all(looking);
    }
    if (!rp_ok(err)) {
        rp_probe_broken(looking->seen, "the log takes no event: %s", rp_err_text(err, RP_EN));
    }
    return rp_ok(err);
}

/* ---- found again ---- */

static rp_err open_log(const struct looking *looking, struct rp_log **ret_log) {
    uint64_t wanted = looking->now[RP_STREAM_COUNT - 1].index + 1;
    for (int i = 0; i < ARRIVES_TRIES; i++) {
        struct rp_log *log = NULL;
        rp_err err = rp_log_open("ledger/operator", (rp_view){NULL, 0}, &log, NULL);
        if (rp_ok(err) && rp_log_size(log) >= wanted) {
            *ret_log = log;
            return RP_OK;
        }
        rp_log_free(log);
        if (!rp_probe_wait(&looking->hunt->stopping, PAUSE_MS)) {
            break;
        }
    }
    return RP_ERR(TIMEOUT);
}

/* In its place, byte for byte, and of its stream. */
static bool is_kept(struct looking *looking, struct rp_log *log, enum rp_stream stream,
                    const struct hunt_canary *canary) {
    rp_view bytes = {NULL, 0};
    struct rp_event_read event;
    struct rp_arena *arena = looking->arena;
    rp_arena_reset(arena);
    rp_err err = rp_log_entry(log, canary->index, arena, &bytes);
    struct rp_sha256 digest = rp_sha256_of(bytes);
    return rp_ok(err) && rp_sha256_equal(&digest, &canary->digest) &&
           rp_ok(rp_event_parse(bytes, arena, &event)) && rp_event_stream(event.kind) == stream;
}

static bool all_kept(struct looking *looking, struct rp_log *log) {
    struct hunt *hunt = looking->hunt;
    for (unsigned i = 0; i < RP_STREAM_COUNT; i++) {
        enum rp_stream stream = (enum rp_stream)i;
        const struct hunt_canary *before = &hunt->canaries[i];
        if (!is_kept(looking, log, stream, &looking->now[i])) {
            rp_probe_broken(looking->seen, "the %s log took a canary and does not show it",
                            rp_stream_name(stream));
            return false;
        }
        if (hunt->has_canaries && !is_kept(looking, log, stream, before)) {
            rp_probe_broken(looking->seen, "the %s log showed a canary and does not any more",
                            rp_stream_name(stream));
            return false;
        }
    }
    return true;
}

/* ---- what others log ---- */

struct newest {
    int64_t ms[RP_STREAM_COUNT];
    int64_t oldest_ms; /* of what was read */
};

static rp_err read_back(struct looking *looking, struct rp_log *log, struct newest *ret_newest) {
    uint64_t size = rp_log_size(log);
    for (uint64_t i = 0; i < RP_MIN(size, (uint64_t)LOOK_BACK); i++) {
        rp_view bytes = {NULL, 0};
        struct rp_event_read event;
        rp_arena_reset(looking->arena);
        RP_TRY(rp_log_entry(log, size - 1 - i, looking->arena, &bytes));
        if (!rp_ok(rp_event_parse(bytes, looking->arena, &event))) {
            continue; /* of a later version that was here before */
        }
        enum rp_stream stream = rp_event_stream(event.kind);
        bool ours = event.kind == kinds[stream];
        if (!ours) {
            ret_newest->ms[stream] = RP_MAX(ret_newest->ms[stream], event.time_ms);
        }
        ret_newest->oldest_ms = event.time_ms;
    }
    return RP_OK;
}

/* The probes attack the gate, and people's keys are lent, all day: an hour without is silence. */
static bool others_heard(struct looking *looking, struct rp_log *log) {
    static const enum rp_stream busy[] = {RP_STREAM_EVENT, RP_STREAM_AUDIT};
    struct newest newest = {.oldest_ms = 0};
    rp_err err = read_back(looking, log, &newest);
    if (!rp_ok(err)) {
        rp_probe_broken(looking->seen, "the log cannot be read back: %s", rp_err_text(err, RP_EN));
        return false;
    }
    for (size_t i = 0; i < RP_COUNT_OF(busy); i++) {
        if (newest.ms[busy[i]] >= looking->began_ms - QUIET_MS) {
            continue;
        }
        const char *name = rp_stream_name(busy[i]);
        if (newest.oldest_ms > looking->began_ms - QUIET_MS) {
            rp_probe_unsure(looking->seen, "the %s log is younger than an hour", name);
        } else {
            rp_probe_broken(looking->seen, "nobody wrote into the %s log for an hour", name);
        }
        return false;
    }
    return true;
}

static void look(struct looking *looking) {
    _cleanup_(log_freep) struct rp_log *log = NULL;
    if (!planted(looking)) {
        return;
    }
    rp_err err = open_log(looking, &log);
    if (!rp_ok(err)) {
        rp_probe_broken(looking->seen, "the log took five canaries and shows none after %d s",
                        ARRIVES_TRIES * PAUSE_MS / 1000);
        return;
    }
    if (all_kept(looking, log) && others_heard(looking, log)) {
        memcpy(looking->hunt->canaries, looking->now, sizeof looking->now);
        looking->hunt->has_canaries = true;
        rp_probe_holds(looking->seen,
                       "event, audit, fault, administrator and operator log: a canary stands in "
                       "each, the ones from before still do; the gate and others wrote within the "
                       "hour");
    }
}

/*= S111: every kind of log is written, and kept. */
void hunt_streams(void *ctx, struct rp_observation *seen) {
    struct hunt *hunt = ctx;
    struct looking looking = {.hunt = hunt,
                              .seen = seen,
                              .arena = rp_arena_new(ARENA_BYTES),
                              .began_ms = rp_env_now_ms(&hunt->env)};
    if (looking.arena) {
        look(&looking);
    } else {
        rp_probe_unsure(seen, "out of memory");
    }
    rp_arena_free(looking.arena);
}
