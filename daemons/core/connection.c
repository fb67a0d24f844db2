/* connection.c — FastCGI in, FastCGI out: bytes to a request, a request through the pools, an
 * answer to bytes.
 *
 * A connection carries one request at a time. While it is being worked on, nothing more is read
 * from it: the peer waits, and the queue stays bounded. A peer that leaves in the meantime frees
 * its connection when the work comes back.
 *
 * A streamed body goes to its handler in pieces of 256 KiB, a streamed answer comes from it in such
 * pieces (ADR 11): one piece is in memory, and the next is read, or made, when it has gone.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "core.h"
#include "ipc/peer.h"
#include "os/file.h"
#include "os/socket.h"

enum {
    READ_BYTES = 8 * 1024,
    READ_BODY_BYTES = 64 * 1024,
    PIECE_MAX = 256 * 1024,
    PARAMS_MAX = 64 * 1024,
    BODY_MAX = 320 * 1024,            /* a record is at most 256 KiB, as a form or as JSON */
    OWNER_BODY_MAX = 4 * 1024 * 1024, /* from the machine itself: a file of people */
    ARENA_MAX = 16 * 1024 * 1024,
    ANSWER_MAX = RP_BODY_MAX + 1024 * 1024,
    CONNECTION_MAGIC = 0x6e6e6f43
};

struct connection {
    uint32_t magic;
    struct core *core;
    struct connection *next, *previous;
    int fd;
    bool from_cli;
    bool working; /* the request is with a pool */
    bool gone;    /* the peer left while it was */
    bool closing; /* after the answer */

    bool requesting;   /* request is a request, and has to be ended */
    bool streaming;    /* counted among core's streams */
    bool body_coming;  /* of a streamed body some is still to be read */
    bool wants_piece;  /* the handler waits for it; else it is thrown away */
    bool sending;      /* an answer's head is out, and more will come */
    enum rp_next then; /* what the last step asked for */
    struct rp_buf piece;

    struct rp_watch *watch;
    struct rp_fcgi *reader;
    struct rp_arena *arena;
    struct rp_buf in, out;
    struct rp_request request;
    uint64_t key;
};

static void end_request(struct connection *c) {
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

/* Both doors, for new connections or for nothing. */
static void open_doors(struct core *core, bool open) {
    for (size_t i = 0; i < RP_COUNT_OF(core->doors); i++) {
        if (core->doors[i]) {
            rp_ignore(rp_watch_events(core->doors[i], open ? RP_READY_READ : 0));
        }
    }
}

static void connection_free(struct connection *c) {
    RP_ASSERT(c->magic == CONNECTION_MAGIC && !c->working);
    end_request(c);
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
        open_doors(c->core, true);
    }
    c->magic = 0;
    free(c);
}

static void listen_for(struct connection *c, unsigned events) {
    RP_ASSERT(c->watch != NULL);
    if (!rp_ok(rp_watch_events(c->watch, events))) {
        c->closing = true;
    }
}

/* The end of the connection is told in any case. */
static void listen_for_nothing(struct connection *c) {
    if (c->watch) {
        listen_for(c, 0);
    }
}

/* ---- the answer ---- */

static void resume(void *ctx);
static void run_again(struct connection *c);

/* Writes what the kernel takes; the loop calls again for the rest. */
static void write_some(struct connection *c) {
    while (c->out.n > 0) {
        size_t n = 0;
        rp_err err = rp_socket_write(c->fd, rp_buf_view(&c->out), &n);
        if (rp_is(err, RP_E_BUSY)) {
            listen_for(c, RP_READY_WRITE);
            return;
        }
        if (!rp_ok(err)) {
            connection_free(c);
            return;
        }
        rp_buf_consume(&c->out, n);
    }
    rp_buf_done(&c->out);
    if (c->sending) {
        run_again(c);
        return;
    }
    if (c->closing) {
        connection_free(c);
        return;
    }
    listen_for(c, RP_READY_READ);
    if (c->in.n >
        0) { /* nginx never sends ahead; a peer that does is served by the loop, not here */
        c->working = true;
        rp_err err = rp_loop_post(c->core->loop, resume, c);
        RP_ASSERT(rp_ok(err));
    }
}

static void answer(struct connection *c) {
    uint16_t id = c->request.fcgi->id;
    struct rp_buf head = rp_buf_new(RP_HEADS_MAX * 2);
    if (!c->sending && !rp_ok(rp_response_print_head(&c->request.response, &head))) {
        rp_web_refuse(&c->request, RP_ERR(TOO_LARGE));
        rp_buf_clear(&head);
        /* When this fails too, the peer gets nothing. */
        rp_ignore(rp_response_print_head(&c->request.response, &head));
    }
    rp_fcgi_print_part(&c->out, id, rp_buf_view(&head));
    rp_fcgi_print_part(&c->out, id, rp_buf_view(&c->request.response.body));
    rp_fcgi_print_end(&c->out, id);
    c->closing = c->closing || !c->request.fcgi->keep_connection || c->out.failed;
    rp_buf_done(&head);
    end_request(c);
    write_some(c);
}

/* The same without its end: the handler makes the next piece when this one is gone. */
static void answer_part(struct connection *c) {
    uint16_t id = c->request.fcgi->id;
    struct rp_buf head = rp_buf_new(RP_HEADS_MAX * 2);
    bool good = c->sending || rp_ok(rp_response_print_head(&c->request.response, &head));
    rp_fcgi_print_part(&c->out, id, rp_buf_view(&head));
    rp_fcgi_print_part(&c->out, id, rp_buf_view(&c->request.response.body));
    rp_buf_done(&head);
    rp_buf_clear(&c->request.response.body);
    c->sending = true;
    if (!c->streaming) { /* a link's file: it began as a page */
        c->streaming = true;
        c->core->streams++;
    }
    if (!good || c->out.failed) {
        connection_free(c);
        return;
    }
    write_some(c);
}

/* ---- the work ---- */

static bool feed(struct connection *c);

/* The peer is gone in the midst of a body: the handler may keep what came. */
static bool cut(struct connection *c) {
    if (!c->wants_piece) {
        return false;
    }
    c->gone = true;
    c->wants_piece = false;
    rp_watch_free(rp_take(&c->watch));
    c->request.flow.piece = (rp_view){NULL, 0};
    c->request.flow.cut = true;
    run_again(c);
    return true;
}

static void ask_for_piece(struct connection *c) {
    RP_ASSERT(!c->request.flow.last && !c->request.flow.cut);
    c->wants_piece = true;
    if (c->gone) {
        cut(c);
        return;
    }
    listen_for(c, RP_READY_READ);
    feed(c);
}

static void finished(void *ctx) {
    struct connection *c = ctx;
    RP_ASSERT(c->magic == CONNECTION_MAGIC && c->working);
    c->working = false;
    rp_buf_clear(&c->piece);
    if (!rp_id_is_none(c->request.changed_tenant)) {
        core_forward_soon(c->core, c->request.changed_tenant);
    }
    /* Who only read, and found that something was altered, left an event too. */
    bool told = c->request.method != RP_GET || c->request.response.status >= 500;
    if (told && c->then == RP_NEXT_DONE) {
        core_forward_soon(c->core, (rp_id){{0}});
    }
    if (c->then == RP_NEXT_PIECE) {
        ask_for_piece(c);
    } else if (c->gone || c->then == RP_NEXT_BROKEN) {
        connection_free(c);
    } else if (c->then == RP_NEXT_SEND) {
        answer_part(c);
    } else {
        answer(c);
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
    listen_for_nothing(c);
    rp_err err = c->key == UINT64_MAX ? rp_pool_submit(c->core->store_pool, run_step, c)
                                      : rp_pool_submit_to(c->core->store_pool, c->key, run_step, c);
    c->working = rp_ok(err);
    return err;
}

/* A stream's next step. Where no thread takes it, what came so far stays as it was kept. */
static void run_again(struct connection *c) {
    rp_err err = submit(c);
    if (rp_ok(err)) {
        return;
    }
    if (c->gone || c->sending) {
        connection_free(c);
        return;
    }
    rp_web_refuse(&c->request, err);
    answer(c);
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

static void start_work(struct connection *c, const struct rp_fcgi_request *fcgi) {
    c->request.from_cli = c->from_cli;
    c->requesting = true;
    c->body_coming = fcgi->streamed;
    if (!rp_web_accept(&c->request, &c->core->web, fcgi, c->arena, &c->key)) {
        answer(c);
        return;
    }
    rp_err err = fcgi->streamed ? take_stream(c) : RP_OK;
    if (rp_ok(err)) {
        err = submit(c);
    }
    if (!rp_ok(err)) {
        rp_web_refuse(&c->request, err);
        answer(c);
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
        if (!cut(c)) {
            connection_free(c);
        }
        return true;
    }
    rp_buf_consume(&c->in, used);
    c->body_coming = !ended;
    if (!c->wants_piece || (!ended && c->piece.n < PIECE_MAX)) {
        return false;
    }
    c->wants_piece = false;
    c->request.flow.piece = rp_buf_view(&c->piece);
    c->request.flow.last = ended;
    run_again(c);
    return true;
}

/* Feeds what is there; true when a request took over or the connection is no more. */
static bool feed(struct connection *c) {
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
            start_work(c, request);
            return true;
        }
        if (used == 0) {
            return false;
        }
    }
    return false;
}

static void resume(void *ctx) {
    struct connection *c = ctx;
    RP_ASSERT(c->magic == CONNECTION_MAGIC && c->working);
    c->working = false;
    if (c->gone) {
        connection_free(c);
        return;
    }
    feed(c);
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
        if (!cut(c)) {
            connection_free(c);
        }
        return;
    }
    feed(c); /* level-triggered: the loop calls again while bytes wait */
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
        write_some(c);
        return;
    }
    read_more(c);
}

/* ---- who comes ---- */

static void open_connection(struct core *core, int fd, bool from_cli) {
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
                             .piece = rp_buf_new(PIECE_MAX),
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

/* Who comes now waits in the socket until another has left (connection_free). */
static bool is_full(struct core *core) {
    bool full = core->connections >= CORE_CONNECTIONS_MAX;
    if (full) {
        open_doors(core, false);
    }
    return full;
}

/* The user at the other end, as the kernel knows it; -1 when it does not. */
static uid_t user_of(int fd) {
    pid_t pid;
    uid_t uid;
    gid_t gid;
    return rp_ok(rp_socket_peer(fd, &pid, &uid, &gid)) ? uid : (uid_t)-1;
}

/* What nginx says of a visitor is believed, so that only nginx may say it: every role's group opens
 * the socket. */
static void accept_gate(void *ctx, unsigned events) {
    (void)events;
    struct core *core = ctx;
    int fd;
    if (is_full(core) || !rp_ok(rp_socket_accept(core->core_fd, &fd))) {
        return;
    }
    if (!rp_ipc_may_be(RP_ROLE_GATE, user_of(fd))) {
        rp_fd_done(&fd);
        return;
    }
    open_connection(core, fd, false);
}

/* The machine's owner: root, or whoever the state folder belongs to. */
static bool is_owner(const struct core *core, int fd) {
    uid_t uid = user_of(fd);
    return uid == 0 || uid == core->owner;
}

static void accept_cli(void *ctx, unsigned events) {
    (void)events;
    struct core *core = ctx;
    int fd;
    if (is_full(core) || !rp_ok(rp_socket_accept(core->cli_fd, &fd))) {
        return;
    }
    if (!is_owner(core, fd)) {
        rp_fd_done(&fd);
        return;
    }
    open_connection(core, fd, true);
}

/* The supervisor's socket when it holds one for us, else our own. */
static rp_err find_socket(const struct daemon *daemon, size_t place, const char *path,
                          int *ret_fd) {
    if (place >= daemon->handed_count) {
        return rp_socket_listen(path, RP_SOCKET_STREAM, 0660, ret_fd);
    }
    *ret_fd = daemon->handed[place];
    return rp_socket_take_over(*ret_fd);
}

rp_err core_listen(struct core *core) {
    RP_TRY(find_socket(core->daemon, 0, "run/core.sock", &core->core_fd));
    RP_TRY(find_socket(core->daemon, 1, "run/cli.sock", &core->cli_fd));
    RP_TRY(rp_loop_watch(core->loop, core->core_fd, RP_READY_READ, accept_gate, core,
                         &core->doors[0]));
    return rp_loop_watch(core->loop, core->cli_fd, RP_READY_READ, accept_cli, core,
                         &core->doors[1]);
}

void core_shut_doors(struct core *core) {
    rp_watch_free(rp_take(&core->doors[0]));
    rp_watch_free(rp_take(&core->doors[1]));
    rp_fd_done(&core->core_fd);
    rp_fd_done(&core->cli_fd);
}

bool core_is_answering(const struct core *core) {
    for (const struct connection *c = core->first; c; c = c->next) {
        bool only_writes = !c->requesting && c->out.n > 0;
        if (!c->streaming && !only_writes) {
            return true;
        }
    }
    return false;
}

void core_close_after_answers(struct core *core) {
    for (struct connection *c = core->first; c; c = c->next) {
        c->closing = true;
    }
}

void core_hang_up(struct core *core) {
    while (core->first) {
        struct connection *c = core->first;
        c->working = false;
        connection_free(c);
    }
    core_shut_doors(core);
}
