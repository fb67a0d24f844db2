/* work.c — a request through the pools: a step on a store thread, a password beside it, and back.
 *
 * A streamed body goes to its handler in pieces of 256 KiB (ADR 11): one is in memory, and the next
 * is read when it has gone.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "connection.h"

/* The peer is gone in the midst of a body: the handler may keep what came. */
bool connection_cut(struct connection *c) {
    if (!c->wants_piece) {
        return false;
    }
    c->gone = true;
    c->wants_piece = false;
    rp_watch_free(rp_take(&c->watch));
    c->request.flow.piece = (rp_view){NULL, 0};
    c->request.flow.cut = true;
    connection_run_again(c);
    return true;
}

static void ask_for_piece(struct connection *c) {
    RP_ASSERT(!c->request.flow.last && !c->request.flow.cut);
    c->wants_piece = true;
    if (c->gone) {
        connection_cut(c);
        return;
    }
    connection_listen_for(c, RP_READY_READ);
    connection_feed(c);
}

static void rested(void *ctx) {
    struct connection *c = ctx;
    RP_ASSERT(c->magic == CONNECTION_MAGIC && c->working);
    rp_timer_free(rp_take(&c->rest));
    c->working = false;
    connection_run_again(c);
}

/* With what is left of the piece: at once, or when the handler wants to be entered again. */
static void go_on(struct connection *c) {
    int64_t rest_ms = c->request.flow.rest_ms;
    if (rest_ms > 0 && rp_ok(rp_loop_timer(c->core->loop, rest_ms, 0, rested, c, &c->rest))) {
        c->working = true;
        return;
    }
    connection_run_again(c);
}

static void finished(void *ctx) {
    struct connection *c = ctx;
    RP_ASSERT(c->magic == CONNECTION_MAGIC && c->working);
    c->working = false;
    if (c->then != RP_NEXT_AGAIN) {
        rp_buf_clear(&c->piece);
    }
    if (!rp_id_is_none(c->request.changed_tenant)) {
        core_forward_soon(c->core, c->request.changed_tenant);
    }
    /* Who only read, and found that something was altered, left an event too. */
    bool told = c->request.method != RP_GET || c->request.response.status >= 500;
    if (told && c->then == RP_NEXT_DONE) {
        core_forward_soon(c->core, (rp_id){{0}});
    }
    if (c->then == RP_NEXT_AGAIN) {
        go_on(c);
    } else if (c->then == RP_NEXT_PIECE) {
        ask_for_piece(c);
    } else if (c->gone || c->then == RP_NEXT_BROKEN) {
        connection_free(c);
    } else if (c->then == RP_NEXT_SEND) {
        connection_answer_part(c);
    } else {
        connection_answer(c);
    }
}

/* The loop takes 65,536 posts and there are at most 256 connections with one each. */
static void hand_back(struct connection *c) {
    rp_err err = rp_loop_post(c->core->loop, finished, c);
    RP_ASSERT(rp_ok(err));
}

static void run_step(void *thread_state, void *ctx);

static void run_password(void *thread_state, void *ctx) {
    (void)thread_state;
    struct connection *c = ctx;
    rp_web_password(&c->request.password);
    rp_err err = RP_ERR(OVERLOAD);
    pthread_mutex_lock(&c->core->stop_lock);
    if (!c->core->stopping) {
        err = rp_pool_submit_to(c->core->store_pool, c->key, run_step, c);
    }
    pthread_mutex_unlock(&c->core->stop_lock);
    if (!rp_ok(err)) {
        rp_web_refuse(&c->request, err);
        c->then = RP_NEXT_DONE;
        hand_back(c);
    }
}

static void run_step(void *thread_state, void *ctx) {
    struct connection *c = ctx;
    RP_ASSERT(c->magic == CONNECTION_MAGIC && c->working);
    c->then = rp_web_run(&c->request, core_slot_thread(thread_state));
    if (c->then == RP_NEXT_PASSWORD) {
        rp_err err = rp_pool_submit(c->core->password_pool, run_password, c);
        if (rp_ok(err)) {
            return;
        }
        rp_web_refuse(&c->request, err);
        c->then = RP_NEXT_DONE;
    }
    hand_back(c);
}

static rp_err submit(struct connection *c) {
    c->working = true;
    connection_listen_for_nothing(c);
    rp_err err = c->key == UINT64_MAX ? rp_pool_submit(c->core->store_pool, run_step, c)
                                      : rp_pool_submit_to(c->core->store_pool, c->key, run_step, c);
    c->working = rp_ok(err);
    return err;
}

/* A stream's next step. Where no thread takes it, what came so far stays as it was kept. */
void connection_run_again(struct connection *c) {
    rp_err err = submit(c);
    if (rp_ok(err)) {
        return;
    }
    if (c->gone || c->sending) {
        connection_free(c);
        return;
    }
    rp_web_refuse(&c->request, err);
    connection_answer(c);
}

/* How many of an organisation's are under way. key 0: nobody's yet. */
static unsigned streams_of(const struct core *core, uint64_t key) {
    unsigned count = 0;
    for (const struct connection *c = core->first; c; c = c->next) {
        count += c->streaming && c->key == key;
    }
    return count;
}

/* A place among the streams. One organisation's slow uploads leave room for everybody else's. */
static rp_err take_stream(struct connection *c) {
    if (c->core->streams >= CORE_STREAMS_MAX) {
        return RP_ERR(OVERLOAD);
    }
    if (streams_of(c->core, c->key) >= CORE_STREAMS_OF_ONE) {
        return RP_ERR(RATE);
    }
    c->streaming = true;
    c->core->streams++;
    return RP_OK;
}

void connection_start_work(struct connection *c, const struct rp_fcgi_request *fcgi) {
    c->request.from_cli = c->from_cli;
    c->requesting = true;
    c->body_coming = fcgi->streamed;
    if (!rp_web_accept(&c->request, &c->core->web, fcgi, c->arena, &c->key)) {
        connection_answer(c);
        return;
    }
    rp_err err = fcgi->streamed ? take_stream(c) : RP_OK;
    if (rp_ok(err)) {
        err = submit(c);
    }
    if (!rp_ok(err)) {
        rp_web_refuse(&c->request, err);
        connection_answer(c);
    }
}
