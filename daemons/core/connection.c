/* connection.c — FastCGI in: bytes to a request, and the connection's own life.
 *
 * A connection carries one request at a time. While it is being worked on, nothing more is read
 * from it: the peer waits, and the queue stays bounded. A peer that leaves in the meantime frees
 * its connection when the work comes back.
 */
#include "connection.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "os/socket.h"

enum {
    READ_BYTES = 8 * 1024,
    READ_BODY_BYTES = 64 * 1024,
    PARAMS_MAX = 64 * 1024,
    BODY_MAX = 320 * 1024,            /* a record is at most 256 KiB, as a form or as JSON */
    OWNER_BODY_MAX = 4 * 1024 * 1024, /* from the machine itself: a file of people */
    ARENA_MAX = 16 * 1024 * 1024,
    ANSWER_MAX = RP_BODY_MAX + 1024 * 1024
};

void connection_end_request(struct connection *c) {
    if (c->requesting) {
        rp_request_done(&c->request);
        rp_arena_reset(c->arena);
    }
    if (c->streaming) {
        c->core->streams--;
    }
    rp_buf_done(&c->piece);
    if (c->in.n == 0) {
        rp_buf_done(&c->in);
    }
    c->requesting = c->streaming = c->wants_piece = c->sending = false;
}

void connection_free(struct connection *c) {
    RP_ASSERT(c->magic == CONNECTION_MAGIC && !c->working);
    connection_end_request(c);
    rp_timer_free(c->rest);
    rp_watch_free(c->watch);
    rp_fd_done(&c->fd);
    rp_fcgi_free(c->reader);
    rp_arena_free(c->arena);
    rp_buf_done(&c->in);
    rp_buf_done(&c->out);
    if (c->previous) {
        c->previous->next = c->next;
    } else {
        c->core->first = c->next;
    }
    if (c->next) {
        c->next->previous = c->previous;
    }
    if (c->core->connections-- == CORE_CONNECTIONS_MAX) {
        core_open_doors(c->core, true);
    }
    c->magic = 0;
    free(c);
}

void connection_listen_for(struct connection *c, unsigned events) {
    RP_ASSERT(c->watch != NULL);
    if (!rp_ok(rp_watch_events(c->watch, events))) {
        c->closing = true;
    }
}

/* The end of the connection is told in any case. */
void connection_listen_for_nothing(struct connection *c) {
    if (c->watch) {
        connection_listen_for(c, 0);
    }
}

/* ---- the bytes ---- */

/* Some of a streamed body, to its handler or to nobody; as feed. */
static bool feed_body(struct connection *c) {
    size_t used = 0;
    bool ended = false;
    rp_err err = rp_fcgi_feed_body(c->reader, rp_buf_view(&c->in),
                                   c->wants_piece ? &c->piece : NULL, &used, &ended);
    if (!rp_ok(err)) {
        if (!connection_cut(c)) {
            connection_free(c);
        }
        return true;
    }
    rp_buf_consume(&c->in, used);
    c->body_coming = !ended;
    if (!c->wants_piece || (!ended && c->piece.n < CONNECTION_PIECE_MAX)) {
        return false;
    }
    c->wants_piece = false;
    c->request.flow.piece = rp_buf_view(&c->piece);
    c->request.flow.last = ended;
    connection_run_again(c);
    return true;
}

bool connection_feed(struct connection *c) {
    while (c->in.n > 0) {
        size_t used = 0;
        if (c->body_coming) {
            if (feed_body(c)) {
                return true;
            }
            continue;
        }
        struct rp_fcgi_request *request = NULL;
        rp_err err = rp_fcgi_feed(c->reader, rp_buf_view(&c->in), c->arena, &used, &request);
        if (!rp_ok(err)) {
            connection_free(c);
            return true;
        }
        rp_buf_consume(&c->in, used);
        if (request) {
            connection_start_work(c, request);
            return true;
        }
        if (used == 0) {
            return false;
        }
    }
    return false;
}

void connection_resume(void *ctx) {
    struct connection *c = ctx;
    RP_ASSERT(c->magic == CONNECTION_MAGIC && c->working);
    c->working = false;
    if (c->gone) {
        connection_free(c);
        return;
    }
    connection_feed(c);
}

static void read_more(struct connection *c) {
    size_t before = c->in.n, n = 0, room = c->body_coming ? READ_BODY_BYTES : READ_BYTES;
    uint8_t *at = rp_buf_extend(&c->in, room);
    rp_err err = at ? rp_socket_receive(c->fd, at, room, &n) : RP_ERR(TOO_LARGE);
    c->in.n = before + n;
    if (rp_is(err, RP_E_BUSY)) {
        return;
    }
    if (!rp_ok(err)) {
        if (!connection_cut(c)) {
            connection_free(c);
        }
        return;
    }
    connection_feed(c); /* level-triggered: the loop calls again while bytes wait */
}

static void ready(void *ctx, unsigned events) {
    struct connection *c = ctx;
    RP_ASSERT(c->magic == CONNECTION_MAGIC);
    if (c->working) {
        if (events & RP_READY_HANGUP) {
            c->gone = true;
            rp_watch_free(rp_take(&c->watch));
        }
        return;
    }
    if (c->out.n > 0) {
        connection_write(c);
        return;
    }
    read_more(c);
}

/* ---- who came ---- */

void connection_open(struct core *core, int fd, bool from_cli) {
    struct connection *c = calloc(1, sizeof *c);
    if (!c) {
        rp_fd_done(&fd); /* nginx tries again or answers 502 */
        return;
    }
    *c = (struct connection){.magic = CONNECTION_MAGIC,
                             .core = core,
                             .next = core->first,
                             .fd = fd,
                             .from_cli = from_cli,
                             .in = rp_buf_new_wiping(2 * READ_BODY_BYTES),
                             .piece = rp_buf_new(CONNECTION_PIECE_MAX),
                             .out = rp_buf_new_wiping(ANSWER_MAX + 1024 * 1024)};
    if (core->first) {
        core->first->previous = c;
    }
    core->first = c;
    core->connections++;
    c->arena = rp_arena_new_wiping(ARENA_MAX);
    c->reader =
        rp_fcgi_new((struct rp_fcgi_limits){.params_max = PARAMS_MAX,
                                            .body_max = from_cli ? OWNER_BODY_MAX : BODY_MAX,
                                            .streams = rp_web_streams});
    if (!c->arena || !c->reader ||
        !rp_ok(rp_loop_watch(core->loop, fd, RP_READY_READ, ready, c, &c->watch))) {
        connection_free(c);
    }
}
