#include "ledger.h"

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"

enum {
    SIGN_MS = 250,
    TENANTS_MS = 10 * 1000,
    ANCHOR_MS = 60 * 1000,
    DISK_MS = 1000,
    TALLY_MS = 1000,
    RINGS_MS = 1000,
    DRAIN_MS = 100,
    BEHIND_BYTES = 12 * 1024 * 1024, /* of journal: a third of a second of growing */
    QUEUE = HEADS_MAX + 8
};

static const struct rp_tree public_tree = {.kind = RP_TREE_PUBLIC};
static const struct rp_tree operator_tree = {.kind = RP_TREE_OPERATOR};

static bool same_place(struct rp_journal_place a, struct rp_journal_place b) {
    return a.segment == b.segment && a.offset == b.offset;
}

static int64_t monotonic_ms(const struct ledger *ledger) {
    return rp_env_monotonic_ms(&ledger->daemon->env);
}

/* ---- jobs ---- */

static void job_is_done(void *ctx) {
    struct job *job = ctx;
    job->busy = false;
    if (rp_is(job->err, RP_E_CORRUPT)) {
        ledger_stop(job->ledger, job->err, "trees", &job->diag);
    } else if (!rp_ok(job->err) && !job->ledger->said_trouble) {
        job->ledger->said_trouble = true;
        rp_ignore(daemon_fail(job->ledger->daemon, job->err, "trees, trying again", &job->diag));
    } else if (rp_ok(job->err)) {
        job->ledger->said_trouble = false;
    }
    job->done(job);
}

/* On the growing thread. */
static void run_job(void *thread_state, void *ctx) {
    (void)thread_state;
    struct job *job = ctx;
    job->diag = (struct rp_diag){0};
    job->run(job);
    rp_err err = rp_loop_post(job->ledger->daemon->loop, job_is_done, job);
    RP_ASSERT(rp_ok(err)); /* fewer jobs exist than posts may wait */
}

bool grower_submit(struct job *job) {
    RP_ASSERT(!job->busy && job->run && job->done);
    job->busy = true;
    job->end = rp_engine_end(job->ledger->engine);
    job->end_bytes = rp_engine_written(job->ledger->engine);
    if (!rp_ok(rp_pool_submit(job->ledger->pool, run_job, job))) {
        job->busy = false;
    }
    return job->busy;
}

/* ---- growing and signing ---- */

static void run_grow(struct job *job) {
    struct rp_forest *forest = job->ledger->forest;
    job->err = rp_forest_derive(forest, job->end, &job->diag);
    if (rp_ok(job->err)) {
        job->err = rp_forest_publish(forest, job->which, &job->diag);
    }
}

/* The numbers beside the journal, and away with what they and the trees replace. */
static void save_at(struct ledger *ledger, struct rp_journal_place place) {
    if (!rp_ok(intake_commit(ledger))) {
        return;
    }
    rp_err err = rp_engine_save(ledger->engine, place);
    if (!rp_ok(err)) {
        rp_ignore(daemon_fail(ledger->daemon, err, "journal/state, keeping the old one", NULL));
    }
}

bool grower_is_behind(struct ledger *ledger) {
    uint64_t behind = rp_engine_written(ledger->engine) - ledger->grown_bytes;
    /* Trees that cannot be written at all must not keep the journal from taking events. */
    if (behind < BEHIND_BYTES || ledger->said_trouble) {
        return false;
    }
    if (ledger->hold != HOLD_NONE) {
        return true; /* its end lets them go on */
    }
    if (!ledger->grow.busy) {
        ledger->grow.which = RP_FOREST_FIXED;
        (void)grower_submit(&ledger->grow);
    }
    return ledger->grow.busy;
}

void grower_grew(struct job *job) {
    struct ledger *ledger = job->ledger;
    ledger->grown_bytes = job->end_bytes;
    ledger->grown = job->end;
    if (job->which == RP_FOREST_ALL) {
        ledger->tenants_wait = false;
        ledger->tenants_ms = monotonic_ms(ledger);
    }
    if (ledger->anchor_open && !rp_journal_before(job->end, ledger->anchor_leaf)) {
        ledger->anchor_open = false;
        save_at(ledger, ledger->anchored);
    }
}

static void grow_done(struct job *job) {
    if (rp_ok(job->err)) {
        grower_grew(job);
    }
    intake_release(job->ledger);
}

static void sign_now(void *ctx) {
    struct ledger *ledger = ctx;
    if (ledger->hold != HOLD_NONE) {
        return;
    }
    bool grew = !same_place(rp_engine_end(ledger->engine), ledger->grown);
    ledger->tenants_wait = ledger->tenants_wait || grew;
    bool all = ledger->tenants_wait && monotonic_ms(ledger) - ledger->tenants_ms >= TENANTS_MS;
    if (!ledger->grow.busy && (grew || all)) {
        ledger->grow.which = all ? RP_FOREST_ALL : RP_FOREST_FIXED;
        (void)grower_submit(&ledger->grow); /* busy: the next tick asks again */
    }
}

/* ---- heads ---- */

static void run_head(struct job *job) {
    job->err =
        job->as_it_stands ? RP_OK : rp_forest_derive(job->ledger->forest, job->end, &job->diag);
    if (rp_ok(job->err)) {
        job->err = rp_forest_head(job->ledger->forest, job->tree, &job->bytes, &job->diag);
    }
}

static void head_done(struct job *job) {
    rp_ipc_reply(job->ledger->server, job->call, job->err,
                 rp_ok(job->err) ? rp_buf_view(&job->bytes) : RP_VIEW(""));
    rp_buf_clear(&job->bytes);
}

void grower_head(struct ledger *ledger, struct rp_tree tree, struct rp_ipc_call_id call) {
    rp_err err = intake_commit(ledger); /* the answer holds what was sent before the question */
    struct job *job = NULL;
    for (size_t i = 0; i < HEADS_MAX && rp_ok(err) && !job; i++) {
        job = ledger->heads[i].busy ? NULL : &ledger->heads[i];
    }
    if (job) {
        job->tree = tree;
        job->call = call;
        job->as_it_stands = ledger->hold != HOLD_NONE;
        if (grower_submit(job)) {
            return;
        }
    }
    rp_ipc_reply(ledger->server, call, rp_ok(err) ? RP_ERR(OVERLOAD) : err, RP_VIEW(""));
}

/* ---- anchors ---- */

static void run_anchor(struct job *job) {
    size_t count = 0;
    job->err = rp_forest_derive(job->ledger->forest, job->end, &job->diag);
    if (rp_ok(job->err)) {
        job->err = rp_forest_plan_anchor(job->ledger->forest, &job->hash, &count, &job->diag);
    }
    job->count = count;
}

static rp_err emit_anchor(struct ledger *ledger, const struct job *job) {
    char hex[2 * RP_SHA256];
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(RP_EVENT_MAX);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    struct rp_event *event =
        rp_event_new(arena, RP_EVENT_ANCHOR, rp_env_now_ms(&ledger->daemon->env), RP_ROLE_LEDGER);
    rp_hex_print(rp_view_of(job->hash.b, RP_SHA256), hex);
    rp_event_add_text(event, "root", rp_view_of(hex, sizeof hex));
    rp_event_add_u64(event, "trees", job->count);
    return intake_emit_now(ledger, public_tree, event);
}

static void anchor_done(struct job *job) {
    struct ledger *ledger = job->ledger;
    if (!rp_ok(job->err)) {
        return;
    }
    ledger->anchored = job->end;
    if (job->count == 0) {
        save_at(ledger, job->end);
        return;
    }
    /* When its leaf cannot be stored now, the trees stay due and the next round plans anew. */
    ledger->anchor_open = !ledger->disk_low && rp_ok(emit_anchor(ledger, job));
    ledger->anchor_leaf = rp_engine_end(ledger->engine);
    if (ledger->anchor_open && !ledger->grow.busy) {
        ledger->grow.which = RP_FOREST_ALL;
        (void)grower_submit(&ledger->grow);
    }
}

static void anchor_now(void *ctx) {
    struct ledger *ledger = ctx;
    bool grew = !same_place(rp_engine_end(ledger->engine), ledger->anchored);
    if (grew && !ledger->anchor.busy && !ledger->anchor_open && ledger->hold == HOLD_NONE) {
        (void)grower_submit(&ledger->anchor); /* busy: a minute later */
    }
}

/* ---- start and end ---- */

static rp_err raise_tree(struct ledger *ledger, struct rp_tree tree) {
    uint64_t size;
    RP_TRY(rp_forest_size_on_disk(&ledger->home, tree, &size));
    return rp_engine_raise(ledger->engine, tree, size);
}

static rp_err raise_tenant(void *ctx, rp_id tenant) {
    return raise_tree(ctx, (struct rp_tree){RP_TREE_TENANT, tenant});
}

/* After a cut, a tree may be longer than the journal: what was cut had been taken into it. */
static rp_err raise_all(struct ledger *ledger) {
    RP_TRY(raise_tree(ledger, public_tree));
    RP_TRY(raise_tree(ledger, operator_tree));
    return rp_engine_each_tenant(ledger->engine, raise_tenant, ledger);
}

static rp_err tell_cut(struct ledger *ledger, uint64_t bytes) {
    daemon_say(ledger->daemon, "journal: a torn last write of %llu bytes was removed",
               (unsigned long long)bytes);
    RP_TRY(raise_all(ledger));
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(RP_EVENT_MAX);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    struct rp_event *event = rp_event_new(arena, RP_EVENT_JOURNAL_REPAIRED,
                                          rp_env_now_ms(&ledger->daemon->env), RP_ROLE_LEDGER);
    rp_event_add_u64(event, "bytes", bytes);
    rp_event_add_text(event, "detail", RP_VIEW("torn last write, never acknowledged"));
    return intake_emit_now(ledger, operator_tree, event);
}

rp_err grower_start(struct ledger *ledger) {
    struct rp_engine_start start;
    struct rp_diag diag = {0};
    rp_err err = rp_engine_open(&ledger->disk, "ledger", RP_JOURNAL_SEGMENT_BYTES, &ledger->engine,
                                &start, &diag);
    if (rp_ok(err)) {
        err =
            rp_forest_new(&ledger->home, &ledger->daemon->env, start.from, &ledger->forest, &diag);
    }
    if (rp_ok(err)) {
        err = rp_forest_derive(ledger->forest, rp_engine_end(ledger->engine), &diag);
    }
    if (rp_ok(err) && start.cut_bytes > 0) {
        err = tell_cut(ledger, start.cut_bytes);
    }
    if (rp_ok(err)) {
        refused_tell(ledger);
        err = rp_forest_publish(ledger->forest, RP_FOREST_ALL, &diag);
    }
    ledger->anchored = start.from;
    refused_note(err, &diag);
    return rp_ok(err) ? err : daemon_fail(ledger->daemon, err, "ledger", &diag);
}

static rp_err add_timer(struct ledger *ledger, int64_t period_ms, void (*fire)(void *ctx)) {
    RP_ASSERT(ledger->timer_count < RP_COUNT_OF(ledger->timers));
    return rp_loop_timer(ledger->daemon->loop, period_ms, period_ms, fire, ledger,
                         &ledger->timers[ledger->timer_count++]);
}

rp_err grower_run(struct ledger *ledger) {
    ledger->grow = (struct job){.ledger = ledger, .run = run_grow, .done = grow_done};
    ledger->anchor = (struct job){.ledger = ledger, .run = run_anchor, .done = anchor_done};
    for (size_t i = 0; i < HEADS_MAX; i++) {
        ledger->heads[i] = (struct job){.ledger = ledger, .run = run_head, .done = head_done};
        ledger->heads[i].bytes = rp_buf_new(RP_NOTE_MAX);
    }
    hold_init(ledger, run_grow);
    RP_TRY(rp_pool_new(1, QUEUE, NULL, NULL, NULL, &ledger->pool));
    RP_TRY(add_timer(ledger, SIGN_MS, sign_now));
    RP_TRY(add_timer(ledger, ANCHOR_MS, anchor_now));
    RP_TRY(add_timer(ledger, DISK_MS, intake_check_disk));
    RP_TRY(add_timer(ledger, TALLY_MS, tally_write));
    RP_TRY(add_timer(ledger, RINGS_MS, gate_scan));
    return add_timer(ledger, DRAIN_MS, gate_drain);
}

void grower_stop(struct ledger *ledger) {
    hold_stop(ledger);
    for (size_t i = 0; i < ledger->timer_count; i++) {
        rp_timer_free(ledger->timers[i]);
    }
    if (ledger->pool) {
        rp_pool_free(ledger->pool);
    }
    if (ledger->engine && ledger->forest && rp_ok(ledger->fatal)) {
        struct rp_diag diag = {0};
        rp_err err = rp_forest_derive(ledger->forest, rp_engine_end(ledger->engine), &diag);
        if (rp_ok(err)) {
            err = rp_forest_publish(ledger->forest, RP_FOREST_ALL, &diag);
        }
        if (!rp_ok(err)) {
            /* The journal has it all; the next start derives it. */
            rp_ignore(daemon_fail(ledger->daemon, err, "trees, left to the next start", &diag));
        }
    }
    for (size_t i = 0; i < HEADS_MAX; i++) {
        rp_buf_done(&ledger->heads[i].bytes);
    }
    rp_forest_free(ledger->forest);
    rp_engine_free(ledger->engine);
}
