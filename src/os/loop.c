/* loop.c — one wait for everything: descriptors, signals, what other threads post, deadlines. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/assert.h"
#include "os/file.h"
#include "os/loop_internal.h"

enum {
    BATCH = 64, /* events taken at once: timers and posts get their turn between batches */
    POSTS_MAX = 65536
};

struct rp_watch {
    struct rp_loop *loop;
    int fd;
    bool dead; /* freed by its owner; memory goes at the end of the turn */
    void (*ready)(void *ctx, unsigned events);
    void *ctx;
    struct rp_watch *previous, *next;
};

static rp_err last_error(void) {
    return rp_err_from_errno(errno);
}

/* ---- descriptors ---- */

static uint32_t epoll_events(unsigned events) {
    return ((events & RP_READY_READ) ? (uint32_t)EPOLLIN : 0) |
           ((events & RP_READY_WRITE) ? (uint32_t)EPOLLOUT : 0);
}

static unsigned ready_events(uint32_t events) {
    return ((events & (uint32_t)EPOLLIN) ? RP_READY_READ : 0) |
           ((events & (uint32_t)EPOLLOUT) ? RP_READY_WRITE : 0) |
           ((events & (uint32_t)(EPOLLHUP | EPOLLERR)) ? RP_READY_HANGUP : 0);
}

rp_err rp_loop_watch(struct rp_loop *loop, int fd, unsigned events,
                     void (*ready)(void *ctx, unsigned events), void *ctx,
                     struct rp_watch **ret_watch) {
    RP_ASSERT(loop->magic == LOOP_MAGIC);
    RP_ASSERT(fd >= 0 && ready != NULL);
    struct rp_watch *watch = calloc(1, sizeof *watch);
    if (!watch) {
        return RP_ERR(NO_MEMORY);
    }
    *watch = (struct rp_watch){.loop = loop, .fd = fd, .ready = ready, .ctx = ctx};
    struct epoll_event event = {.events = epoll_events(events), .data.ptr = watch};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        free(watch);
        return last_error();
    }
    watch->next = loop->watches;
    if (watch->next) {
        watch->next->previous = watch;
    }
    loop->watches = watch;
    *ret_watch = watch;
    return RP_OK;
}

rp_err rp_watch_events(struct rp_watch *watch, unsigned events) {
    RP_ASSERT(watch != NULL && !watch->dead);
    struct epoll_event event = {.events = epoll_events(events), .data.ptr = watch};
    int failed = epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
    return failed == 0 ? RP_OK : last_error();
}

void rp_watch_free(struct rp_watch *watch) {
    if (!watch) {
        return;
    }
    struct rp_loop *loop = watch->loop;
    RP_ASSERT(loop->magic == LOOP_MAGIC);
    RP_ASSERT(!watch->dead);
    /* The owner may have closed the descriptor before: then the kernel has forgotten it. */
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    if (watch->previous) {
        watch->previous->next = watch->next;
    } else {
        loop->watches = watch->next;
    }
    if (watch->next) {
        watch->next->previous = watch->previous;
    }
    /* An event for it may already stand in the current batch, so its memory outlives the turn. */
    watch->dead = true;
    watch->next = loop->dead;
    loop->dead = watch;
}

static void bury(struct rp_watch **list) {
    while (*list) {
        struct rp_watch *watch = *list;
        *list = watch->next;
        free(watch);
    }
}

/* ---- signals ---- */

static void got_signals(void *ctx, unsigned events) {
    struct rp_loop *loop = ctx;
    (void)events;
    struct signalfd_siginfo info;
    while (read(loop->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        for (size_t i = 0; i < loop->signal_count; i++) {
            if ((uint32_t)loop->signals[i].number == info.ssi_signo) {
                loop->signals[i].got(loop->signals[i].ctx, loop->signals[i].number);
            }
        }
    }
}

static rp_err open_signals(struct rp_loop *loop) {
    int fd = signalfd(loop->signal_fd, &loop->signal_set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        return last_error();
    }
    if (loop->signal_fd >= 0) {
        return RP_OK;
    }
    loop->signal_fd = fd;
    struct rp_watch *watch;
    return rp_loop_watch(loop, fd, RP_READY_READ, got_signals, loop, &watch);
}

rp_err rp_loop_signal(struct rp_loop *loop, int number, void (*got)(void *ctx, int number),
                      void *ctx) {
    RP_ASSERT(loop->magic == LOOP_MAGIC);
    RP_ASSERT(number > 0 && got != NULL);
    sigaddset(&loop->signal_set, number);
    int failed = pthread_sigmask(SIG_BLOCK, &loop->signal_set, NULL);
    if (failed != 0) {
        return rp_err_from_errno(failed);
    }
    for (size_t i = 0; i < loop->signal_count; i++) {
        if (loop->signals[i].number == number) {
            loop->signals[i] = (struct signal_watch){number, got, ctx};
            return RP_OK;
        }
    }
    RP_ASSERT(loop->signal_count < SIGNALS_MAX);
    loop->signals[loop->signal_count++] = (struct signal_watch){number, got, ctx};
    return open_signals(loop);
}

/* ---- posts from other threads ---- */

static void wake(struct rp_loop *loop) {
    uint64_t one = 1;
    /* Fails only when the counter is full, and then the loop wakes anyway. */
    ssize_t n = write(loop->wake_fd, &one, sizeof one);
    (void)n;
}

void rp_loop_stop(struct rp_loop *loop) {
    atomic_store(&loop->stopped, true);
    wake(loop);
}

static rp_err posts_add(struct posts *posts, struct post post) {
    if (posts->count == posts->capacity) {
        size_t capacity = posts->capacity > 0 ? posts->capacity * 2 : 64;
        if (capacity > POSTS_MAX) {
            return RP_ERR(BUSY);
        }
        struct post *grown = reallocarray(posts->items, capacity, sizeof *grown);
        if (!grown) {
            return RP_ERR(NO_MEMORY);
        }
        posts->items = grown;
        posts->capacity = capacity;
    }
    posts->items[posts->count++] = post;
    return RP_OK;
}

rp_err rp_loop_post(struct rp_loop *loop, void (*f)(void *ctx), void *ctx) {
    RP_ASSERT(loop->magic == LOOP_MAGIC);
    RP_ASSERT(f != NULL);
    pthread_mutex_lock(&loop->lock);
    rp_err err = posts_add(&loop->posts, (struct post){f, ctx});
    pthread_mutex_unlock(&loop->lock);
    RP_TRY(err);
    wake(loop);
    return RP_OK;
}

static void run_posts(void *ctx, unsigned events) {
    struct rp_loop *loop = ctx;
    (void)events;
    uint64_t count;
    ssize_t n = read(loop->wake_fd, &count, sizeof count);
    (void)n; /* only takes the wake-up away */
    pthread_mutex_lock(&loop->lock);
    struct posts taken = loop->posts;
    loop->posts = (struct posts){0};
    pthread_mutex_unlock(&loop->lock);
    for (size_t i = 0; i < taken.count; i++) {
        taken.items[i].run(taken.items[i].ctx);
    }
    free(taken.items);
}

/* ---- life ---- */

static rp_err open_loop(struct rp_loop *loop) {
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->epoll_fd < 0 || loop->wake_fd < 0) {
        return last_error();
    }
    struct rp_watch *watch;
    return rp_loop_watch(loop, loop->wake_fd, RP_READY_READ, run_posts, loop, &watch);
}

rp_err rp_loop_new(const struct rp_env *env, struct rp_loop **ret_loop) {
    RP_ASSERT(env != NULL && env->monotonic_ns != NULL);
    RP_ASSERT(ret_loop != NULL);
    struct rp_loop *loop = calloc(1, sizeof *loop);
    if (!loop) {
        return RP_ERR(NO_MEMORY);
    }
    loop->magic = LOOP_MAGIC;
    loop->env = *env;
    loop->epoll_fd = loop->wake_fd = loop->signal_fd = -1;
    sigemptyset(&loop->signal_set);
    pthread_mutex_init(&loop->lock, NULL);
    rp_err err = open_loop(loop);
    if (!rp_ok(err)) {
        rp_loop_free(loop);
        return err;
    }
    *ret_loop = loop;
    return RP_OK;
}

void rp_loop_free(struct rp_loop *loop) {
    if (!loop) {
        return;
    }
    RP_ASSERT(loop->magic == LOOP_MAGIC);
    bury(&loop->watches);
    bury(&loop->dead);
    rp_loop_timers_done(loop);
    free(loop->posts.items);
    rp_fd_done(&loop->signal_fd);
    rp_fd_done(&loop->wake_fd);
    rp_fd_done(&loop->epoll_fd);
    pthread_mutex_destroy(&loop->lock);
    loop->magic = 0;
    free(loop);
}

static rp_err turn(struct rp_loop *loop) {
    struct epoll_event events[BATCH];
    int count = epoll_wait(loop->epoll_fd, events, BATCH, rp_loop_sleep_ms(loop));
    if (count < 0) {
        return errno == EINTR ? RP_OK : last_error();
    }
    RP_ASSERT(count <= BATCH);
    for (int i = 0; i < count; i++) {
        struct rp_watch *watch = events[i].data.ptr;
        if (!watch->dead) {
            watch->ready(watch->ctx, ready_events(events[i].events));
        }
    }
    rp_loop_fire_due(loop);
    bury(&loop->dead);
    return RP_OK;
}

rp_err rp_loop_run(struct rp_loop *loop) {
    RP_ASSERT(loop->magic == LOOP_MAGIC);
    /* A stop is used up by the run that it ends. */
    while (!atomic_exchange(&loop->stopped, false)) {
        RP_TRY(turn(loop));
    }
    return RP_OK;
}
