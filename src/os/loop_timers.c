/* loop_timers.c — the loop's deadlines: a heap, the soonest first. */
#include <limits.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/loop_internal.h"

enum { TIMERS_MAX = 65536 };

struct rp_timer {
    struct rp_heap_entry due; /* its key: monotonic nanoseconds; the first member */
    struct rp_loop *loop;
    int64_t period_ns;
    bool unowned; /* nobody holds a pointer: the loop frees it */
    bool firing;  /* its callback runs now */
    bool dead;
    void (*fire)(void *ctx);
    void *ctx;
};

static int64_t now_ns(const struct rp_loop *loop) {
    return loop->env.monotonic_ns(loop->env.ctx);
}

static struct rp_timer *timer_of(struct rp_heap_entry *due) {
    return (struct rp_timer *)due;
}

static bool is_waiting(const struct rp_timer *timer) {
    return timer->due.place != SIZE_MAX;
}

rp_err rp_loop_timer(struct rp_loop *loop, int64_t after_ms, int64_t period_ms,
                     void (*fire)(void *ctx), void *ctx, struct rp_timer **ret_timer) {
    RP_ASSERT(loop->magic == LOOP_MAGIC);
    RP_ASSERT(after_ms >= 0 && period_ms >= 0 && fire != NULL);
    RP_ASSERT(after_ms <= INT32_MAX && period_ms <= INT32_MAX);
    struct rp_timer *timer = calloc(1, sizeof *timer);
    if (!timer) {
        return RP_ERR(NO_MEMORY);
    }
    *timer = (struct rp_timer){.due = {.key = now_ns(loop) + after_ms * 1000000},
                               .loop = loop,
                               .period_ns = period_ms * 1000000,
                               .unowned = ret_timer == NULL,
                               .fire = fire,
                               .ctx = ctx};
    rp_err err = rp_heap_add(&loop->timers, &timer->due, TIMERS_MAX);
    if (!rp_ok(err)) {
        free(timer);
        return err;
    }
    if (ret_timer) {
        *ret_timer = timer;
    }
    return RP_OK;
}

void rp_timer_free(struct rp_timer *timer) {
    if (!timer) {
        return;
    }
    RP_ASSERT(timer->loop->magic == LOOP_MAGIC);
    RP_ASSERT(!timer->dead);
    if (is_waiting(timer)) {
        rp_heap_remove(&timer->loop->timers, &timer->due);
    }
    if (timer->firing) {
        timer->dead = true; /* fire_timer frees it when its callback is back */
    } else {
        free(timer);
    }
}

static void fire_timer(struct rp_loop *loop, struct rp_timer *timer, int64_t now) {
    rp_heap_remove(&loop->timers, &timer->due);
    if (timer->period_ns > 0) {
        /* Turns that were missed are skipped, not made up for. */
        timer->due.key = RP_MAX(timer->due.key + timer->period_ns, now + 1);
        rp_err err = rp_heap_add(&loop->timers, &timer->due, TIMERS_MAX);
        RP_ASSERT(rp_ok(err)); /* its place was just given up */
    }
    timer->firing = true;
    timer->fire(timer->ctx);
    timer->firing = false;
    bool finished = timer->unowned && !is_waiting(timer);
    if (timer->dead || finished) {
        free(timer);
    }
}

void rp_loop_fire_due(struct rp_loop *loop) {
    int64_t now = now_ns(loop);
    /* No more than were there: a callback that arms a timer for "now" waits for the next turn. */
    for (size_t left = loop->timers.count; left > 0 && loop->timers.count > 0; left--) {
        struct rp_timer *timer = timer_of(rp_heap_first(&loop->timers));
        if (timer->due.key > now || atomic_load(&loop->stopped)) {
            return;
        }
        fire_timer(loop, timer, now);
    }
}

int rp_loop_sleep_ms(const struct rp_loop *loop) {
    const struct rp_heap_entry *first = rp_heap_first(&loop->timers);
    if (!first) {
        return -1;
    }
    int64_t left_ns = first->key - now_ns(loop);
    if (left_ns <= 0) {
        return 0;
    }
    int64_t left_ms = (left_ns + 999999) / 1000000;
    return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

void rp_loop_timers_done(struct rp_loop *loop) {
    for (size_t i = 0; i < loop->timers.count; i++) {
        free(timer_of(loop->timers.entries[i]));
    }
    rp_heap_done(&loop->timers);
}
