/* leave.c — core leaves without a request lost: SIGQUIT, at a reload.
 *
 * Nobody new is let in: who comes waits in the sockets that the supervisor holds. What core does by
 * itself ends. What has begun is answered, and the gate, which reads its configuration anew at the
 * same time, lets go of its connections. When the threads are back too we hand over, and a
 * successor starts. What is left are streams; they go on until they end, or for
 * gate.drain_seconds. Their events wait in the outboxes, where the successor looks for them.
 *
 * A backup that is being made goes on: the successor keeps the outboxes for as long as we had
 * promised, and copies the database of that moment anew.
 */
#include <signal.h>

#include "base/assert.h"
#include "base/checked.h"
#include "core.h"
#include "os/file.h"

enum { LOOK_MS = 10, FORGOTTEN_MS = 5000, HOLD_MAX = 32 };

static const char hold_file[] = "run/backup-hold";

/* ---- what core does by itself ---- */

rp_err core_every(struct core *core, int64_t after_ms, int64_t period_ms, void (*fire)(void *ctx),
                  void *ctx) {
    RP_ASSERT(core->timer_count < CORE_TIMERS_MAX);
    return rp_loop_timer(core->loop, after_ms, period_ms, fire, ctx,
                         &core->timers[core->timer_count++]);
}

static void end_timers(struct core *core) {
    for (size_t i = 0; i < core->timer_count; i++) {
        rp_timer_free(rp_take(&core->timers[i]));
    }
    core->timer_count = 0;
}

/* ---- leaving ---- */

static void thread_is_back(void *ctx) {
    struct core *core = ctx;
    core->threads_back++;
}

/* The copy that a thread was making goes now: later it would take away the successor's. */
static void pass_by(void *thread_state, void *ctx) {
    const struct core *core = ctx;
    struct rp_web_thread *thread = ((struct core_slot *)thread_state)->thread;
    if (thread) {
        rp_snapshot_free(rp_take(&thread->snapshot));
    }
    rp_err err = rp_loop_post(core->loop, thread_is_back, ctx);
    RP_ASSERT(rp_ok(err));
}

/* Each thread has done what it was asked for before. */
static void ask_threads(struct core *core) {
    for (uint64_t i = 0; i < CORE_STORE_THREADS; i++) {
        if (!rp_ok(rp_pool_submit_to(core->store_pool, i, pass_by, core))) {
            core->threads_back++; /* its queue is full, of streams alone: nothing else is left */
        }
    }
}

/* ---- a backup's hold ---- */

static int64_t monotonic_ms(const struct core *core) {
    return rp_env_monotonic_ms(&core->env);
}

/* Until when the outboxes are kept. What cannot be written is lost, and the backup then says so. */
static void hand_on_hold(const struct core *core) {
    int64_t until_ms = atomic_load(&core->web.keep_outbox_until_ms);
    if (until_ms <= monotonic_ms(core) || !atomic_load(&core->web.outbox_kept)) {
        return;
    }
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(HOLD_MAX);
    rp_buf_add_u64(&text, (uint64_t)until_ms);
    rp_ignore(rp_file_replace(hold_file, 0600, rp_buf_view(&text)));
}

/* One of before the machine's last start lies too far ahead, or is over. */
static void take_hold(struct core *core) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(4096);
    rp_view text = {NULL, 0};
    uint64_t until_ms = 0;
    uint64_t now_ms = (uint64_t)monotonic_ms(core);
    if (arena && rp_ok(rp_file_read(hold_file, HOLD_MAX, arena, &text)) &&
        rp_view_to_u64(text, now_ms + RP_BACKUP_KEEP_MS, &until_ms) && until_ms > now_ms) {
        atomic_store(&core->web.keep_outbox_until_ms, (int64_t)until_ms);
        atomic_store(&core->web.outbox_kept, true);
    }
    rp_ignore(rp_file_remove(hold_file));
}

static bool is_quiet(const struct core *core) {
    return !core_is_answering(core) && !core_forward_runs(core) && !core_send_runs(core) &&
           !core_vault_runs(core) && !atomic_load(&core->closing_now) &&
           !atomic_load(&core->ticking);
}

static void time_is_over(void *ctx) {
    rp_loop_stop(((struct core *)ctx)->loop);
}

static void look(void *ctx) {
    struct core *core = ctx;
    if (core->leaving == CORE_ANSWERS && is_quiet(core)) {
        core->leaving = CORE_WAITS_FOR_THREADS;
        ask_threads(core);
    } else if (core->leaving == CORE_WAITS_FOR_THREADS &&
               core->threads_back == CORE_STORE_THREADS) {
        core->leaving = CORE_HANDED_OVER;
        hand_on_hold(core);
        core_close_after_answers(core);
        daemon_hand_over(core->daemon);
    } else if (core->leaving == CORE_HANDED_OVER && !core->first) {
        rp_loop_stop(core->loop);
    }
}

static void leave(void *ctx, int number) {
    struct core *core = ctx;
    (void)number;
    if (core->leaving != CORE_STAYS) {
        return;
    }
    core->leaving = CORE_ANSWERS;
    core_shut_doors(core);
    end_timers(core);
    core_vault_leave(core);
    rp_err err = rp_loop_timer(core->loop, 0, LOOK_MS, look, core, NULL);
    if (rp_ok(err)) {
        err = rp_loop_timer(core->loop, (int64_t)core->config.drain_seconds * 1000, 0, time_is_over,
                            core, NULL);
    }
    if (!rp_ok(err)) {
        rp_loop_stop(core->loop); /* no memory for two timers: what is under way is lost */
    }
}

/* What a predecessor's streams committed after we had looked at all outboxes at our start. */
static void look_for_forgotten(void *ctx) {
    core_forward_all(ctx);
}

rp_err core_leave_start(struct core *core) {
    if (core->daemon->handed_count == 0) {
        return RP_OK; /* nobody holds our sockets: SIGTERM is the only end */
    }
    core->daemon->hands_over = true;
    take_hold(core);
    RP_TRY(rp_loop_signal(core->loop, SIGQUIT, leave, core));
    return core_every(core, (int64_t)core->config.drain_seconds * 1000 + FORGOTTEN_MS, 0,
                      look_for_forgotten, core);
}
