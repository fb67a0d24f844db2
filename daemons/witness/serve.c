#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ipc/peer.h"
#include "os/file.h"
#include "os/socket.h"
#include "wire/fastcgi.h"
#include "witness.h"

enum { READ_BYTES = 16 * 1024, PARAMS_MAX = 16 * 1024, ARENA = 512 * 1024, ANSWER_MAX = 8192 };

/* One request, one answer, and it ends. */
struct connection {
    struct witness *witness;
    struct connection *next, *previous;
    int fd;
    struct rp_watch *watch;
    struct rp_fcgi *reader;
    struct rp_arena *arena;
    struct rp_buf in;
};

static void accept_gate(void *ctx, unsigned events);

static void open_door(struct witness *witness) {
    if (!witness->door) {
        /* Without it nginx answers 502; the next connection that ends tries again. */
        rp_ignore(rp_loop_watch(witness->daemon.loop, witness->listener, RP_READY_READ, accept_gate,
                                witness, &witness->door));
    }
}

static void end(struct connection *c) {
    struct witness *witness = c->witness;
    rp_watch_free(c->watch);
    rp_fd_done(&c->fd);
    rp_fcgi_free(c->reader);
    rp_arena_free(c->arena);
    rp_buf_done(&c->in);
    if (c->previous) {
        c->previous->next = c->next;
    } else {
        witness->first = c->next;
    }
    if (c->next) {
        c->next->previous = c->previous;
    }
    free(c);
    witness->connections--;
    open_door(witness);
}

/* ---- one answer ---- */

static const char *reason_of(unsigned status) {
    static const struct {
        unsigned status;
        const char *reason;
    } reasons[] = {{200, "OK"},        {400, "Bad Request"},         {403, "Forbidden"},
                   {404, "Not Found"}, {405, "Method Not Allowed"},  {409, "Conflict"},
                   {413, "Too Large"}, {422, "Unprocessable Entity"}};
    for (size_t i = 0; i < RP_COUNT_OF(reasons); i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return "Unavailable";
}

static void print_head(struct rp_buf *out, unsigned status, const char *type) {
    rp_buf_printf(out,
                  "Status: %u %s\r\nContent-Type: %s\r\nCache-Control: no-store\r\n"
                  "X-Content-Type-Options: nosniff\r\n%s\r\n",
                  status, reason_of(status), type, status == 405 ? "Allow: POST\r\n" : "");
}

/* In plain words for who tries it by hand; a log reads the status. */
static void print_status(struct rp_buf *out, unsigned status) {
    print_head(out, status, "text/plain; charset=utf-8");
    rp_buf_printf(out, "%s\n", reason_of(status));
}

static void answer_checkpoint(struct witness *witness, rp_view body, struct rp_arena *arena,
                              struct rp_buf *out) {
    _cleanup_(rp_buf_done) struct rp_buf line = rp_buf_new(1024);
    struct rp_witness_judgement judged =
        rp_witness_judge(body, witness->logs, witness->log_count, arena);
    unsigned status = rp_witness_status(judged.verdict);
    if (judged.verdict == RP_WITNESS_COSIGNS) {
        rp_err err = keep_cosign(witness, &judged, &line);
        if (!rp_ok(err)) {
            rp_ignore(daemon_fail(&witness->daemon, err, "cosigning", NULL));
            print_status(out, 503);
            return;
        }
        print_head(out, status, "text/plain; charset=utf-8");
        rp_buf_add(out, rp_buf_view(&line));
        return;
    }
    if (judged.verdict == RP_WITNESS_FORKED || judged.verdict == RP_WITNESS_INCONSISTENT) {
        keep_refused(witness, &judged);
    }
    if (status == 409) {
        print_head(out, status, RP_WITNESS_SIZE_TYPE);
        rp_buf_add_u64(out, judged.log->size);
        rp_buf_add_byte(out, '\n');
        return;
    }
    print_status(out, status);
}

static void answer(struct connection *c, const struct rp_fcgi_request *request) {
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(ANSWER_MAX);
    _cleanup_(rp_buf_done) struct rp_buf out = rp_buf_new(2 * ANSWER_MAX);
    size_t n = 0;
    if (!rp_view_equal(rp_fcgi_param(request, "REQUEST_METHOD"), RP_VIEW("POST"))) {
        print_status(&text, 405);
    } else if (request->too_large) {
        print_status(&text, 413);
    } else {
        answer_checkpoint(c->witness, request->body, c->arena, &text);
    }
    rp_fcgi_print_response(&out, request->id, rp_buf_view(&text));
    if (rp_ok(rp_buf_err(&text)) && rp_ok(rp_buf_err(&out))) {
        /* It is short, so that an empty socket takes it whole; or nginx answers 502. */
        rp_ignore(rp_socket_write(c->fd, rp_buf_view(&out), &n));
    }
}

/* ---- the bytes ---- */

/* False when the connection is over. */
static bool feed(struct connection *c) {
    while (c->in.n > 0) {
        struct rp_fcgi_request *request = NULL;
        size_t used = 0;
        if (!rp_ok(rp_fcgi_feed(c->reader, rp_buf_view(&c->in), c->arena, &used, &request))) {
            return false;
        }
        rp_buf_consume(&c->in, used);
        if (request) {
            answer(c, request);
            return false;
        }
        if (used == 0) {
            break;
        }
    }
    return true;
}

static void readable(void *ctx, unsigned events) {
    struct connection *c = ctx;
    size_t before = c->in.n, n = 0;
    (void)events;
    uint8_t *at = rp_buf_extend(&c->in, READ_BYTES);
    rp_err err = at ? rp_socket_receive(c->fd, at, READ_BYTES, &n) : RP_ERR(TOO_LARGE);
    c->in.n = before + n;
    if (rp_is(err, RP_E_BUSY)) {
        return;
    }
    if (!rp_ok(err) || !feed(c)) {
        end(c);
    }
}

static void begin(struct witness *witness, int fd) {
    struct connection *c = calloc(1, sizeof *c);
    if (!c) {
        rp_fd_done(&fd);
        return;
    }
    *c = (struct connection){.witness = witness,
                             .next = witness->first,
                             .fd = fd,
                             .in = rp_buf_new(RP_WITNESS_BODY_MAX + 4 * READ_BYTES)};
    if (witness->first) {
        witness->first->previous = c;
    }
    witness->first = c;
    witness->connections++;
    c->arena = rp_arena_new(ARENA);
    c->reader = rp_fcgi_new(
        (struct rp_fcgi_limits){.params_max = PARAMS_MAX, .body_max = RP_WITNESS_BODY_MAX});
    if (!c->arena || !c->reader ||
        !rp_ok(rp_loop_watch(witness->daemon.loop, fd, RP_READY_READ, readable, c, &c->watch))) {
        end(c);
    }
}

/* Only the gate bounds how often somebody asks, so that only the gate may. */
static void accept_gate(void *ctx, unsigned events) {
    struct witness *witness = ctx;
    int fd;
    pid_t pid;
    uid_t uid;
    gid_t gid;
    (void)events;
    if (witness->connections >= WITNESS_CONNECTIONS_MAX) {
        rp_watch_free(rp_take(&witness->door));
        return;
    }
    if (!rp_ok(rp_socket_accept(witness->listener, &fd))) {
        return;
    }
    if (!rp_ok(rp_socket_peer(fd, &pid, &uid, &gid)) || !rp_ipc_may_be(RP_ROLE_GATE, uid)) {
        rp_fd_done(&fd);
        return;
    }
    begin(witness, fd);
}

rp_err serve_open(struct witness *witness) {
    RP_TRY(rp_socket_listen("run/witness.sock", RP_SOCKET_STREAM, 0660, &witness->listener));
    return rp_loop_watch(witness->daemon.loop, witness->listener, RP_READY_READ, accept_gate,
                         witness, &witness->door);
}

void serve_close(struct witness *witness) {
    while (witness->first) {
        end(witness->first);
    }
    rp_watch_free(rp_take(&witness->door));
    rp_fd_done(&witness->listener);
}
