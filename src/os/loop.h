/* loop.h — one epoll loop per process; callbacks never block.
 *
 * A program registers descriptors, timers and signals, then runs until somebody stops it. Work
 * that must block goes to a pool (pool.h) and comes back through rp_loop_post.
 *
 * Threads: everything but rp_loop_post and rp_loop_stop belongs to the loop's own thread.
 */
#ifndef RP_OS_LOOP_H
#define RP_OS_LOOP_H

#include "base/env.h"

struct rp_loop;
struct rp_watch; /* a descriptor being watched */
struct rp_timer;

enum rp_ready { RP_READY_READ = 1, RP_READY_WRITE = 2, RP_READY_HANGUP = 4 };

rp_err rp_loop_new(const struct rp_env *env, struct rp_loop **ret_loop);
/* Frees the watches and timers that still stand, too; free yours before. Accepts NULL. */
void rp_loop_free(struct rp_loop *loop);
rp_err rp_loop_run(struct rp_loop *loop); /* until rp_loop_stop */
void rp_loop_stop(struct rp_loop *loop);  /* any thread, and signal-safe */

/* Watches fd for `events` (a set of rp_ready). The loop does not own fd. */
rp_err rp_loop_watch(struct rp_loop *loop, int fd, unsigned events,
                     void (*ready)(void *ctx, unsigned events), void *ctx,
                     struct rp_watch **ret_watch);
rp_err rp_watch_events(struct rp_watch *watch, unsigned events); /* changes what is watched */
void rp_watch_free(struct rp_watch *watch); /* safe inside its own callback; accepts NULL */

/* Fires first after `after_ms`, then every period_ms; 0 = once. With a NULL ret_timer nobody can
 * end it and the loop frees it; else the caller frees it, fired or not. */
rp_err rp_loop_timer(struct rp_loop *loop, int64_t after_ms, int64_t period_ms,
                     void (*fire)(void *ctx), void *ctx, struct rp_timer **ret_timer);
void rp_timer_free(struct rp_timer *timer); /* safe inside its own callback; accepts NULL */

/* Blocks the signal and delivers it as a callback, which replaces an earlier one. */
rp_err rp_loop_signal(struct rp_loop *loop, int number, void (*got)(void *ctx, int number),
                      void *ctx);

/* Runs f(ctx) on the loop's thread, soon. The only way in from other threads. BUSY when 65,536
 * posts wait. */
rp_err rp_loop_post(struct rp_loop *loop, void (*f)(void *ctx), void *ctx);

#endif
