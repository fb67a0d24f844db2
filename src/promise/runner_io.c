#include "promise/runner_io.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ipc/ipc.h"
#include "ledger/client.h"
#include "os/pool.h"
#include "os/shm.h"
#include "promise/table.h"

enum {
    TICK_MS = 250,
    UNSURE_AGAIN_MS = 5000,
    SUMMARY_MS = 3600 * 1000,
    EXERCISE_AFTER_MS = 2 * 60 * 1000,
    LEDGER_DEADLINE_MS = 2000,
    WAITERS_MAX = 16,
    QUEUE_MAX = 1024,
    LOOK_MS = 50
};

struct task {
    struct rp_runner *runner;
    const struct rp_part *part;
    rp_probe_run *run;
    struct rp_observation seen;
    int64_t due_ms; /* monotonic */
    bool running;
    bool wanted; /* somebody waits for a run */
    /* What the log knows: */
    enum rp_verdict leafed;
    int64_t leafed_ms;
    uint64_t runs_at_leaf;
    /* Who waits for a run: */
    struct rp_ipc_call_id waiters[WAITERS_MAX];
    size_t waiter_count;
    bool again; /* asked for while running: what runs now may have looked before the asking */
};

struct rp_runner {
    struct rp_runner_options options;
    struct rp_shm table;
    struct rp_pool *pool;
    struct rp_timer *timer;
    struct rp_ipc_server *server;
    struct rp_ipc_client *ledger; /* used on the worker thread only */
    struct task *tasks;
    size_t task_count;
    bool busy; /* one probe runs at a time: they share the canaries' browsers */
};

/* ---- on the worker thread ---- */

bool rp_probe_wait(const atomic_bool *stopping, int64_t ms) {
    for (; ms > 0 && !atomic_load(stopping); ms -= LOOK_MS) {
        const struct timespec moment = {.tv_nsec = RP_MIN(ms, (int64_t)LOOK_MS) * 1000000};
        (void)nanosleep(&moment, NULL); /* a signal only makes the next look come sooner */
    }
    return !atomic_load(stopping);
}

static const char *verdict_name(enum rp_verdict verdict) {
    switch (verdict) {
    case RP_VERDICT_HOLDS:
        return "holds";
    case RP_VERDICT_BROKEN:
        return "broken";
    case RP_VERDICT_NOT_MET:
        return "not-met";
    case RP_VERDICT_NONE:
    case RP_VERDICT_UNSURE:
        return "unsure";
    }
    RP_UNREACHABLE();
}

static rp_err write_leaf(struct task *task, uint64_t *ret_next) {
    struct rp_runner *runner = task->runner;
    struct rp_arena *arena = rp_arena_new(64 * 1024);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    const struct rp_observation *seen = &task->seen;
    struct rp_event *event = rp_event_new(arena, RP_EVENT_PROBE_RESULT,
                                          rp_env_now_ms(runner->options.env), runner->options.role);
    const char grade[2] = {task->part->grade, 0};
    rp_event_add_text(event, "part", rp_view_from_cstr(task->part->id));
    rp_event_add_text(event, "grade", rp_view_from_cstr(grade));
    rp_event_add_text(event, "status", rp_view_from_cstr(verdict_name(seen->verdict)));
    rp_event_add_u64(event, "observed_ms", (uint64_t)seen->observed_ms);
    rp_event_add_u64(event, "valid_ms", (uint64_t)task->part->validity_ms);
    rp_event_add_u64(event, "count", seen->runs - task->runs_at_leaf);
    rp_event_add_text(event, "detail", rp_view_from_cstr(seen->detail[RP_EN]));
    rp_event_add_text(event, "detail_fr", rp_view_from_cstr(seen->detail[RP_FR]));
    rp_view bytes = {NULL, 0};
    rp_err err = rp_event_print(event, &bytes);
    if (rp_ok(err)) {
        err = rp_ledger_append(runner->ledger, (struct rp_tree){.kind = RP_TREE_PUBLIC},
                               (rp_id){{0}}, 0, &bytes, 1, ret_next);
    }
    rp_arena_free(arena);
    return err;
}

/* An unchanged result makes no new leaf, but one an hour says how often it was looked at. */
static void log_if_due(struct task *task) {
    bool changed = task->seen.verdict != task->leafed;
    bool hour = task->seen.observed_ms - task->leafed_ms >= SUMMARY_MS;
    uint64_t next = 0;
    if ((!changed && !hour) || !rp_ok(write_leaf(task, &next))) {
        return; /* a ledger that is down is asked again at the next run */
    }
    RP_ASSERT(next > 0);
    task->leafed = task->seen.verdict;
    task->leafed_ms = task->seen.observed_ms;
    task->runs_at_leaf = task->seen.runs;
    task->seen.leaf = next - 1;
    task->seen.has_leaf = true;
}

static void finished(void *ctx);

/* The table is ours; one that was cut short all the same is made anew, with all that was seen. */
static rp_err open_table(struct rp_runner *runner) {
    const char *path = runner->options.role == RP_ROLE_PROBE ? "run/probe.tab" : "run/hunt.tab";
    RP_TRY(rp_shm_create(path, 0640, rp_promise_table_bytes(), &runner->table));
    RP_TRY(rp_shm_survive(&runner->table));
    rp_promise_table_init(runner->table.p);
    for (size_t i = 0; i < runner->task_count; i++) {
        const struct task *task = &runner->tasks[i];
        if (task->seen.verdict != RP_VERDICT_NONE) {
            RP_TRY(rp_promise_table_put(runner->table.p, task->part->id, &task->seen));
        }
    }
    return RP_OK;
}

static void publish(struct task *task) {
    struct rp_runner *runner = task->runner;
    if (runner->table.p) {
        /* The table has slots for every part that can be; a refusal would be a bug. */
        rp_err err = rp_promise_table_put(runner->table.p, task->part->id, &task->seen);
        RP_ASSERT(rp_ok(err));
    }
    if (!runner->table.p || rp_shm_is_lost(&runner->table)) {
        rp_shm_done(&runner->table);
        /* Without room for it the page says stale, and the next run tries again. */
        rp_ignore(open_table(runner));
    }
}

static void run_task(void *thread_state, void *ctx) {
    (void)thread_state;
    struct task *task = ctx;
    struct rp_runner *runner = task->runner;
    struct rp_observation now = {.verdict = RP_VERDICT_NONE};
    int64_t started_ms = rp_env_now_ms(runner->options.env);
    task->run(runner->options.ctx, &now);
    RP_ASSERT(now.verdict != RP_VERDICT_NONE);
    if (atomic_load(runner->options.stopping)) {
        return; /* it was cut short: nothing was seen */
    }
    /* Observed when the looking began: what changed during it may not have been seen. */
    task->seen.observed_ms = started_ms;
    task->seen.received_ms = rp_env_now_ms(runner->options.env);
    task->seen.verdict = now.verdict;
    memcpy(task->seen.detail, now.detail, sizeof task->seen.detail);
    task->seen.runs++;
    task->seen.failures += now.verdict == RP_VERDICT_BROKEN;
    log_if_due(task);
    publish(task);
    while (!rp_ok(rp_loop_post(runner->options.loop, finished, task))) {
        /* The loop's queue is full only while it is about to be emptied. */
        struct timespec moment = {.tv_nsec = 1000000};
        nanosleep(&moment, NULL);
    }
}

/* ---- on the loop ---- */

/* Who is waited for goes first, then what has to be seen more often: one long probe delays it, a
 * queue of long ones does not. */
static bool goes_before(const struct task *a, const struct task *b) {
    if (a->wanted != b->wanted) {
        return a->wanted;
    }
    if (a->part->period_ms != b->part->period_ms) {
        return a->part->period_ms < b->part->period_ms;
    }
    return a->due_ms < b->due_ms;
}

static int64_t monotonic_ms(const struct rp_runner *runner) {
    return rp_env_monotonic_ms(runner->options.env);
}

/* An exercise from outside is a burden: a start has enough to do without it, and who could not see
 * anything does not begin it again at once. */
static bool is_exercise(const struct rp_runner *runner, const struct rp_part *part) {
    return part->grade == 'C' && runner->options.role == RP_ROLE_PROBE;
}

static int64_t first_due_ms(const struct rp_runner *runner, const struct rp_part *part) {
    return is_exercise(runner, part) ? monotonic_ms(runner) + EXERCISE_AFTER_MS : 0;
}

/* Who could not look tries again soon: at a first start the others are only just up. */
static int64_t wait_ms(const struct task *task) {
    int64_t period_ms = task->part->period_ms;
    bool exercise = is_exercise(task->runner, task->part);
    int64_t again_ms = exercise ? (int64_t)EXERCISE_AFTER_MS : (int64_t)UNSURE_AGAIN_MS;
    return task->seen.verdict == RP_VERDICT_UNSURE ? RP_MIN(period_ms, again_ms) : period_ms;
}

static void start_next(struct rp_runner *runner) {
    struct task *next = NULL;
    int64_t now_ms = monotonic_ms(runner);
    for (size_t i = 0; i < runner->task_count && !runner->busy; i++) {
        struct task *task = &runner->tasks[i];
        bool due = task->wanted || task->due_ms <= now_ms;
        if (due && (!next || goes_before(task, next))) {
            next = task;
        }
    }
    if (next && rp_ok(rp_pool_submit(runner->pool, run_task, next))) {
        next->running = true;
        next->wanted = false;
        runner->busy = true;
    }
}

static void finished(void *ctx) {
    struct task *task = ctx;
    RP_ASSERT(task->running);
    task->running = false;
    task->runner->busy = false;
    task->due_ms = monotonic_ms(task->runner) + wait_ms(task);
    if (task->again) {
        task->again = false;
        task->wanted = true;
    } else {
        for (size_t i = 0; i < task->waiter_count; i++) {
            rp_ipc_reply(task->runner->server, task->waiters[i], RP_OK, (rp_view){NULL, 0});
        }
        task->waiter_count = 0;
    }
    start_next(task->runner);
}

static void tick(void *ctx) {
    start_next(ctx);
}

static struct task *find_task(struct rp_runner *runner, rp_view part) {
    for (size_t i = 0; i < runner->task_count; i++) {
        if (rp_view_equal(rp_view_from_cstr(runner->tasks[i].part->id), part)) {
            return &runner->tasks[i];
        }
    }
    return NULL;
}

static void asked_to_run(void *ctx, enum rp_role_id from, enum rp_ipc_message message,
                         struct rp_ipc_call_id call, rp_view request) {
    (void)from;
    (void)message; /* RUN is the only one that the table permits */
    struct rp_runner *runner = ctx;
    struct rp_unpack in = rp_unpack_new(request);
    rp_view part = rp_unpack_bytes(&in, RP_PART_ID_MAX);
    rp_err err = rp_unpack_end(&in);
    struct task *task = rp_ok(err) ? find_task(runner, part) : NULL;
    if (!task || task->waiter_count == WAITERS_MAX) {
        rp_ipc_reply(runner->server, call,
                     !rp_ok(err) ? err
                     : task      ? RP_ERR(OVERLOAD)
                                 : RP_ERR(NOT_FOUND),
                     (rp_view){NULL, 0});
        return;
    }
    task->waiters[task->waiter_count++] = call;
    if (task->running) {
        task->again = true;
    } else {
        task->wanted = true;
        start_next(runner);
    }
}

/* ---- birth and death ---- */

static rp_probe_run *find_probe(const struct rp_runner_options *options, const char *name) {
    for (size_t i = 0; i < options->probe_count; i++) {
        if (strcmp(options->probes[i].name, name) == 0) {
            return options->probes[i].run;
        }
    }
    return NULL;
}

/* probes.def and the program must agree: a probe that is declared and absent would be "stale" for
 * ever, with nobody to say why. */
static void check_declared(const struct rp_runner_options *options) {
    enum rp_probe_role role = options->role == RP_ROLE_PROBE ? RP_PROBE_OUTSIDE : RP_PROBE_FILES;
    for (size_t i = 0; i < rp_probe_count; i++) {
        RP_ASSERT(rp_probes[i].role != role || find_probe(options, rp_probes[i].name) != NULL);
    }
}

static size_t add_tasks(struct rp_runner *runner, bool count_only) {
    size_t n = 0;
    const struct rp_promises *promises = runner->options.promises;
    for (size_t p = 0; p < promises->count; p++) {
        for (size_t i = 0; i < promises->promises[p].part_count; i++) {
            const struct rp_part *part = &promises->promises[p].parts[i];
            rp_probe_run *run = find_probe(&runner->options, part->probe);
            if (run && !count_only) {
                runner->tasks[n] = (struct task){.runner = runner,
                                                 .part = part,
                                                 .run = run,
                                                 .due_ms = first_due_ms(runner, part)};
            }
            n += run != NULL;
        }
    }
    return n;
}

rp_err rp_runner_new(const struct rp_runner_options *options, struct rp_runner **ret_runner) {
    RP_ASSERT(options->role == RP_ROLE_PROBE || options->role == RP_ROLE_HUNT);
    check_declared(options);
    struct rp_runner *runner = calloc(1, sizeof *runner);
    if (!runner) {
        return RP_ERR(NO_MEMORY);
    }
    runner->options = *options;
    runner->task_count = add_tasks(runner, true);
    runner->tasks = calloc(RP_MAX(runner->task_count, (size_t)1), sizeof *runner->tasks);
    runner->ledger = rp_ipc_client_new(options->role, RP_ROLE_LEDGER, LEDGER_DEADLINE_MS);
    rp_err err = runner->tasks && runner->ledger ? RP_OK : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        add_tasks(runner, false);
        err = open_table(runner);
    }
    if (rp_ok(err)) {
        err = rp_pool_new(1, QUEUE_MAX, NULL, NULL, NULL, &runner->pool);
    }
    if (rp_ok(err)) {
        err =
            rp_ipc_server_new(options->loop, options->role, asked_to_run, runner, &runner->server);
    }
    if (rp_ok(err)) {
        err = rp_loop_timer(options->loop, TICK_MS, TICK_MS, tick, runner, &runner->timer);
    }
    if (!rp_ok(err)) {
        rp_runner_free(runner);
        return err;
    }
    *ret_runner = runner;
    return RP_OK;
}

void rp_runner_free(struct rp_runner *runner) {
    if (!runner) {
        return;
    }
    rp_timer_free(runner->timer);
    atomic_store(runner->options.stopping, true);
    if (runner->pool) {
        rp_pool_free(runner->pool);
    }
    if (runner->server) {
        rp_ipc_server_free(runner->server);
    }
    rp_ipc_client_free(runner->ledger);
    rp_shm_done(&runner->table);
    free(runner->tasks);
    free(runner);
}
