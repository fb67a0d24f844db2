/* leave.c — core leaves without a request lost: SIGQUIT, at a reload.
 *
 * Nobody new is let in: who comes waits in the sockets that the supervisor holds. What core does by
 * itself ends. What has begun is answered, and the gate, which reads its configuration anew at the
 * same time, lets go of its connections. When the threads are back too we hand over, and a
 * successor starts. What is left are streams; they go on until they end, or for
 * gate.drain_seconds. Their events wait in the outboxes, where the successor looks for them.
 */
#include <signal.h>

#include "base/assert.h"
#include "base/checked.h"
#include "core.h"

enum { LOOK_MS = 10, FORGOTTEN_MS = 5000 };

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

static void pass_by(void *thread_state, void *ctx) {
    const struct core *core = ctx;
    (void)thread_state;
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

static bool is_quiet(const struct core *core) {
    return !core_is_answering(core) && !core_forward_runs(core) && !core_send_runs(core) &&
           !atomic_load(&core->closing_now) && !atomic_load(&core->ticking);
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
    RP_TRY(rp_loop_signal(core->loop, SIGQUIT, leave, core));
    return core_every(core, (int64_t)core->config.drain_seconds * 1000 + FORGOTTEN_MS, 0,
                      look_for_forgotten, core);
}
