#include "os/pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"

enum { POOL_MAGIC = 0x6c6f6f50, THREADS_MAX = 64, QUEUE_MAX = 1 << 20 };

struct job {
    void (*run)(void *thread_state, void *ctx);
    void *ctx;
};

/* A ring of jobs, as large as the pool allows from the start: submitting never allocates. */
struct queue {
    struct job *jobs;
    unsigned first;
    unsigned count;
};

struct worker {
    struct rp_pool *pool;
    struct queue own; /* jobs for this thread only */
    pthread_cond_t wake;
    pthread_t thread;
    unsigned index;
    bool idle;
};

struct rp_pool {
    uint32_t magic;
    unsigned thread_count;
    unsigned queue_max;
    unsigned waiting; /* jobs in all queues */
    bool closing;
    void *(*start)(void *ctx, unsigned index);
    void (*stop)(void *thread_state);
    void *ctx;
    pthread_mutex_t lock;
    struct queue shared;
    struct worker *workers;
};

static void queue_push(struct queue *queue, unsigned max, struct job job) {
    RP_ASSERT(queue->count < max);
    queue->jobs[(queue->first + queue->count) % max] = job;
    queue->count++;
}

static struct job queue_pop(struct queue *queue, unsigned max) {
    RP_ASSERT(queue->count > 0);
    struct job job = queue->jobs[queue->first];
    queue->first = (queue->first + 1) % max;
    queue->count--;
    return job;
}

/* The next job of a worker, waiting for one; false when the pool closes and nothing is left. */
static bool next_job(struct worker *worker, struct job *ret_job) {
    struct rp_pool *pool = worker->pool;
    while (worker->own.count == 0 && pool->shared.count == 0) {
        if (pool->closing) {
            return false;
        }
        worker->idle = true;
        /* Without a deadline: rp_pool_free and every submit wake it. */
        pthread_cond_wait(&worker->wake, &pool->lock);
        worker->idle = false;
    }
    struct queue *queue = worker->own.count > 0 ? &worker->own : &pool->shared;
    *ret_job = queue_pop(queue, pool->queue_max);
    pool->waiting--;
    return true;
}

static void *work(void *ctx) {
    struct worker *worker = ctx;
    struct rp_pool *pool = worker->pool;
    void *state = pool->start ? pool->start(pool->ctx, worker->index) : NULL;
    pthread_mutex_lock(&pool->lock);
    struct job job;
    while (next_job(worker, &job)) {
        pthread_mutex_unlock(&pool->lock);
        job.run(state, job.ctx);
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    if (pool->stop) {
        pool->stop(state);
    }
    return NULL;
}

static void release(struct rp_pool *pool) {
    for (unsigned i = 0; pool->workers && i < pool->thread_count; i++) {
        pthread_cond_destroy(&pool->workers[i].wake);
        free(pool->workers[i].own.jobs);
    }
    pthread_mutex_destroy(&pool->lock);
    free(pool->shared.jobs);
    free(pool->workers);
    pool->magic = 0;
    free(pool);
}

/* Ends the first `started` threads, after all jobs that were taken. */
static void close_threads(struct rp_pool *pool, unsigned started) {
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    for (unsigned i = 0; i < started; i++) {
        pthread_cond_signal(&pool->workers[i].wake);
    }
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < started; i++) {
        pthread_join(pool->workers[i].thread, NULL);
    }
}

static bool queue_new(struct queue *queue, unsigned max) {
    queue->jobs = calloc(max, sizeof *queue->jobs);
    return queue->jobs != NULL;
}

/* All memory of the pool; NULL when there is none. */
static struct rp_pool *allocate(unsigned threads, unsigned queue_max) {
    struct rp_pool *pool = calloc(1, sizeof *pool);
    if (!pool) {
        return NULL;
    }
    pool->magic = POOL_MAGIC;
    pool->thread_count = threads;
    pool->queue_max = queue_max;
    pthread_mutex_init(&pool->lock, NULL);
    pool->workers = calloc(threads, sizeof *pool->workers);
    bool complete = pool->workers && queue_new(&pool->shared, queue_max);
    for (unsigned i = 0; pool->workers && i < threads; i++) {
        struct worker *worker = &pool->workers[i];
        worker->pool = pool;
        worker->index = i;
        pthread_cond_init(&worker->wake, NULL);
        complete = complete && queue_new(&worker->own, queue_max);
    }
    if (!complete) {
        release(pool);
        return NULL;
    }
    return pool;
}

rp_err rp_pool_new(unsigned threads, unsigned queue_max, void *(*start)(void *ctx, unsigned index),
                   void (*stop)(void *thread_state), void *ctx, struct rp_pool **ret_pool) {
    RP_ASSERT(threads > 0 && threads <= THREADS_MAX);
    RP_ASSERT(queue_max > 0 && queue_max <= QUEUE_MAX);
    struct rp_pool *pool = allocate(threads, queue_max);
    if (!pool) {
        return RP_ERR(NO_MEMORY);
    }
    pool->start = start;
    pool->stop = stop;
    pool->ctx = ctx;
    for (unsigned i = 0; i < threads; i++) {
        if (pthread_create(&pool->workers[i].thread, NULL, work, &pool->workers[i]) != 0) {
            close_threads(pool, i);
            release(pool);
            return RP_ERR(SYSTEM);
        }
    }
    *ret_pool = pool;
    return RP_OK;
}

void rp_pool_free(struct rp_pool *pool) {
    if (!pool) {
        return;
    }
    RP_ASSERT(pool->magic == POOL_MAGIC);
    close_threads(pool, pool->thread_count);
    RP_ASSERT(pool->waiting == 0);
    release(pool);
}

/* A thread that sleeps now, or NULL: then whoever ends its job first takes the next one. */
static struct worker *idle_worker(struct rp_pool *pool) {
    for (unsigned i = 0; i < pool->thread_count; i++) {
        if (pool->workers[i].idle) {
            return &pool->workers[i];
        }
    }
    return NULL;
}

static rp_err submit(struct rp_pool *pool, struct worker *chosen, struct job job) {
    RP_ASSERT(pool->magic == POOL_MAGIC);
    RP_ASSERT(job.run != NULL);
    pthread_mutex_lock(&pool->lock);
    bool closing = pool->closing; /* a job may still try to hand on work */
    bool taken = !closing && pool->waiting < pool->queue_max;
    if (taken) {
        pool->waiting++;
        queue_push(chosen ? &chosen->own : &pool->shared, pool->queue_max, job);
        struct worker *woken = chosen ? chosen : idle_worker(pool);
        if (woken) {
            /* Not idle any more, so that a second job of this moment wakes another thread. */
            woken->idle = false;
            pthread_cond_signal(&woken->wake);
        }
    }
    pthread_mutex_unlock(&pool->lock);
    if (closing) {
        return RP_ERR(CLOSED);
    }
    return taken ? RP_OK : RP_ERR(OVERLOAD);
}

rp_err rp_pool_submit(struct rp_pool *pool, void (*job)(void *thread_state, void *ctx), void *ctx) {
    return submit(pool, NULL, (struct job){job, ctx});
}

rp_err rp_pool_submit_to(struct rp_pool *pool, uint64_t key,
                         void (*job)(void *thread_state, void *ctx), void *ctx) {
    RP_ASSERT(pool->thread_count > 0);
    return submit(pool, &pool->workers[key % pool->thread_count], (struct job){job, ctx});
}
