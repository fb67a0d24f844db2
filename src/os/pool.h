/* pool.h — a few threads behind a bounded queue, sharing nothing else.
 *
 * What must block (argon2id, SQLite, a call to another role) runs here. A full queue is an
 * answer (OVERLOAD), never a wait.
 */
#ifndef RP_OS_POOL_H
#define RP_OS_POOL_H

#include "base/err.h"

struct rp_pool;

/* `start(ctx, index)` runs once on each thread before its first job and returns that thread's own
 * state, handed to each job; `stop` ends it. Both may be NULL. */
rp_err rp_pool_new(unsigned threads, unsigned queue_max, void *(*start)(void *ctx, unsigned index),
                   void (*stop)(void *thread_state), void *ctx, struct rp_pool **ret_pool);
/* Waits for what runs, drops nothing that was taken. */
void rp_pool_free(struct rp_pool *pool);

/* Any thread takes it. */
rp_err rp_pool_submit(struct rp_pool *pool, void (*job)(void *thread_state, void *ctx), void *ctx);
/* Always the same thread for the same key: serial work without locks. */
rp_err rp_pool_submit_to(struct rp_pool *pool, uint64_t key,
                         void (*job)(void *thread_state, void *ctx), void *ctx);

#endif
