/* loop_internal.h — the loop itself: loop.c waits, loop_timers.c says how long. */
#ifndef RP_OS_LOOP_INTERNAL_H
#define RP_OS_LOOP_INTERNAL_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/heap.h"
#include "os/loop.h"

enum { LOOP_MAGIC = 0x706f6f4c, SIGNALS_MAX = 32 };

struct post {
    void (*run)(void *ctx);
    void *ctx;
};

struct posts {
    struct post *items;
    size_t count;
    size_t capacity;
};

struct signal_watch {
    int number;
    void (*got)(void *ctx, int number);
    void *ctx;
};

struct rp_loop {
    uint32_t magic;
    struct rp_env env;
    int epoll_fd;
    int wake_fd;
    int signal_fd;
    atomic_bool stopped;
    struct rp_watch *watches; /* all that live */
    struct rp_watch *dead;    /* freed during this turn */
    struct rp_heap timers;    /* soonest first */
    struct signal_watch signals[SIGNALS_MAX];
    size_t signal_count;
    sigset_t signal_set;
    pthread_mutex_t lock; /* of posts, and of nothing else */
    struct posts posts;
};

/* Fires what is due. */
void rp_loop_fire_due(struct rp_loop *loop);
/* How long epoll may sleep: until the next timer, rounded up; -1 = until something happens. */
int rp_loop_sleep_ms(const struct rp_loop *loop);
void rp_loop_timers_done(struct rp_loop *loop);

#endif
