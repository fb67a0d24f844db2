/* ngx_rempart_waf_threads.c — two threads of a worker, for what takes long to judge.
 *
 * Our own (os/pool.h) and not nginx's thread_pool: nginx makes its threads before a worker's walls
 * stand, and Landlock binds only what comes after. These are made at the first long body, inside.
 * A finished judgement wakes nginx's loop by an eventfd. Until then the request is blocked, as
 * nginx does it for its own threads, so that nothing frees it.
 */
#include "ngx_rempart_waf.h"

#include <pthread.h>
#include <sys/eventfd.h>

#include "os/file.h"
#include "os/memory.h"
#include "os/pool.h"
#include "os/priority.h"

enum { THREADS = 2, WAITING_MAX = 256 };

static struct {
    struct rp_pool *pool;
    ngx_connection_t *wake; /* the eventfd, as nginx's loop knows it */
    pthread_mutex_t lock;
    ngx_rempart_waf_t *finished;
    unsigned failed : 1; /* there will be no threads: every body is judged in the loop */
} threads = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- in a thread ---- */

/* Long judgements give way to the loop, which has everybody else waiting. A kernel that refuses
 * leaves them as they are. */
static void *give_way(void *ctx, unsigned index) {
    (void)ctx;
    (void)index;
    (void)rp_priority_give_way();
    return NULL;
}

static void judge(void *thread_state, void *ctx) {
    (void)thread_state;
    ngx_rempart_waf_t *waf = ctx;
    waf->err = waf->job(waf);
    pthread_mutex_lock(&threads.lock);
    waf->next = threads.finished;
    threads.finished = waf;
    pthread_mutex_unlock(&threads.lock);
    /* The counter of an eventfd is never full here, and a closed one belongs to a worker that
     * ends. */
    (void)eventfd_write(threads.wake->fd, 1);
}

/* ---- in the loop ---- */

static void go_on(ngx_rempart_waf_t *waf) {
    ngx_http_request_t *r = waf->r;
    ngx_connection_t *c = r->connection;
    ngx_http_set_log_request(c->log, r);
    waf->stage = NGX_REMPART_WAF_THREAD_DONE;
    if (waf->patience.timer_set) {
        ngx_del_timer(&waf->patience);
    }
    r->main->blocked--;
    r->aio = 0;
    if (r->done) {
        c->write->handler(c->write); /* it was given up meanwhile; now it can be freed */
        return;
    }
    r->write_event_handler(r);
    ngx_http_run_posted_requests(c);
}

static void collect(ngx_event_t *event) {
    const ngx_connection_t *wake = event->data;
    eventfd_t count;
    (void)eventfd_read(wake->fd, &count);
    pthread_mutex_lock(&threads.lock);
    ngx_rempart_waf_t *list = threads.finished;
    threads.finished = NULL;
    pthread_mutex_unlock(&threads.lock);
    while (list) {
        ngx_rempart_waf_t *waf = list;
        list = waf->next;
        go_on(waf);
    }
}

static ngx_int_t start_wake(void) {
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0) {
        return NGX_ERROR;
    }
    ngx_log_t *log = ngx_cycle->log;
    ngx_connection_t *wake = ngx_get_connection(fd, log);
    if (!wake) {
        rp_fd_done(&fd);
        return NGX_ERROR;
    }
    wake->read->handler = collect;
    wake->read->log = log;
    wake->log = log;
    if (ngx_add_event(wake->read, NGX_READ_EVENT, NGX_CLEAR_EVENT) != NGX_OK) {
        ngx_close_connection(wake);
        return NGX_ERROR;
    }
    wake->read->channel = 1; /* as nginx's own: open until the worker ends, and no leak */
    threads.wake = wake;
    return NGX_OK;
}

/* nginx's signals are for its loop; a thread inherits the mask that stands when it is made. */
static rp_err start_pool(void) {
    rp_memory_give_back();
    sigset_t all, before;
    sigfillset(&all);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    rp_err err = rp_pool_new(THREADS, WAITING_MAX, give_way, NULL, NULL, &threads.pool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err;
}

static bool are_ready(ngx_log_t *log) {
    if (threads.pool) {
        return true;
    }
    if (threads.failed || start_wake() != NGX_OK || !rp_ok(start_pool())) {
        if (!threads.failed) {
            ngx_log_error(
                NGX_LOG_WARN, log, 0,
                "rempart_waf: no threads can be made; long bodies are judged in the loop");
        }
        threads.failed = 1;
        return false;
    }
    return true;
}

static void say_slow(ngx_event_t *event) {
    ngx_log_error(NGX_LOG_ALERT, event->log, 0,
                  "rempart_waf: judging a request takes over a minute");
}

/* A worker that is to end waits for what has a timer, and for nothing else. */
static void hold_worker(ngx_rempart_waf_t *waf) {
    waf->patience.handler = say_slow;
    waf->patience.log = ngx_cycle->log;
    waf->patience.data = waf;
    ngx_add_timer(&waf->patience, 60000);
}

ngx_int_t ngx_rempart_waf_in_thread(ngx_rempart_waf_t *waf, ngx_rempart_waf_job_pt *job,
                                    ngx_rempart_waf_then_pt *then) {
    ngx_http_request_t *r = waf->r;
    if (!are_ready(r->connection->log)) {
        return NGX_DECLINED;
    }
    ngx_rempart_waf_stage_e before = waf->stage;
    waf->job = job;
    waf->then = then;
    waf->stage = NGX_REMPART_WAF_THREAD;
    r->main->blocked++;
    r->aio = 1;
    if (!rp_ok(rp_pool_submit(threads.pool, judge, waf))) {
        r->main->blocked--;
        r->aio = 0;
        waf->stage = before;
        return NGX_DECLINED;
    }
    hold_worker(waf);
    return NGX_OK;
}
