/* call.c — one caller: its greeting, where it wants to, the connection, and bytes both ways. */
#include "base/assert.h"
#include "base/checked.h"
#include "dial.h"
#include "ipc/peer.h"
#include "os/file.h"
#include "os/outward.h"
#include "os/socket.h"
#include "os/tcp.h"
#include "recorder.h"

enum { CHUNK = 8 * 1024, QUESTION_MAX = 1024, REFUSED_EVERY_MS = 60000 };

static int64_t now_ms(const struct call *call) {
    const struct rp_env *env = &call->dial->daemon.env;
    return env->monotonic_ns(env->ctx) / 1000000;
}

static void side_done(struct side *side) {
    rp_watch_free(rp_take(&side->watch));
    rp_fd_done(&side->fd);
    rp_buf_done(&side->out);
}

void call_release(struct call *call) {
    if (call->state != CALL_FREE) {
        side_done(&call->near);
        side_done(&call->far);
        rp_buf_done(&call->heard);
        call->state = CALL_FREE;
    }
}

static void end(struct call *call) {
    RP_ASSERT(call->state != CALL_WAITS); /* the thread has a hand on it */
    call_release(call);
    dial_call_ended(call->dial);
}

/* ---- bytes both ways ---- */

/* What waits for this side; false when it takes nothing more, ever. */
static bool give(struct side *side) {
    while (side->out.n > 0) {
        size_t n = 0;
        rp_err err = rp_socket_write(side->fd, rp_buf_view(&side->out), &n);
        if (rp_is(err, RP_E_BUSY)) {
            return true;
        }
        if (!rp_ok(err)) {
            return false;
        }
        rp_buf_consume(&side->out, n);
    }
    return true;
}

/* As long as the other side's share is not full; false when the connection is broken. */
static bool take(struct side *from, struct side *to) {
    while (!from->ended && to->out.n + CHUNK <= DIAL_WAITING_MAX) {
        uint8_t bytes[CHUNK];
        size_t n = 0;
        rp_err err = rp_socket_receive(from->fd, bytes, sizeof bytes, &n);
        if (rp_is(err, RP_E_BUSY)) {
            return true;
        }
        from->ended = rp_is(err, RP_E_CLOSED);
        if (!rp_ok(err)) {
            return from->ended;
        }
        rp_buf_add(&to->out, rp_view_of(bytes, n));
        RP_ASSERT(rp_ok(rp_buf_err(&to->out)));
    }
    return true;
}

/* Once the one has ended and the other has all of it, the other is told. */
static bool move(struct side *from, struct side *to) {
    if (!take(from, to) || !give(to)) {
        return false;
    }
    if (from->ended && to->out.n == 0 && !to->told) {
        to->told = true;
        rp_tcp_end(to->fd);
    }
    return true;
}

static rp_err watch_again(struct side *side, const struct side *other) {
    bool reads = !side->ended && other->out.n + CHUNK <= DIAL_WAITING_MAX;
    return rp_watch_events(side->watch,
                           (reads ? RP_READY_READ : 0) | (side->out.n > 0 ? RP_READY_WRITE : 0));
}

/* A side that is gone altogether is told again and again: then nothing is waited for but bytes that
 * are on their way. */
static void pass(struct call *call, unsigned events) {
    struct side *near = &call->near, *far = &call->far;
    call->moved_ms = now_ms(call);
    bool good = move(near, far) && move(far, near) && rp_ok(watch_again(near, far)) &&
                rp_ok(watch_again(far, near));
    bool gone = (events & RP_READY_HANGUP) && (near->ended || far->ended);
    bool over = (gone || (near->ended && far->ended)) && near->out.n == 0 && far->out.n == 0;
    if (!good || over) {
        end(call);
    }
}

static void passes(void *ctx, unsigned events) {
    pass(ctx, events);
}

/* ---- the question ---- */

/* A short answer into an empty socket is taken whole. */
static void say(struct call *call, rp_view bytes) {
    size_t n = 0;
    rp_ignore(rp_socket_write(call->near.fd, bytes, &n)); /* who is gone is seen when it is read */
}

static void refuse(struct call *call, enum rp_socks_reply reply) {
    uint8_t bytes[RP_SOCKS_REPLY_BYTES];
    rp_socks_print_reply(reply, bytes);
    say(call, rp_view_of(bytes, sizeof bytes));
    end(call);
}

static enum rp_socks_reply reply_to(rp_err err) {
    return rp_is(err, RP_E_DENIED)        ? RP_SOCKS_NOT_ALLOWED
           : rp_is(err, RP_E_NOT_FOUND)   ? RP_SOCKS_NO_HOST
           : rp_is(err, RP_E_UNREACHABLE) ? RP_SOCKS_REFUSED
           : rp_is(err, RP_E_TIMEOUT)     ? RP_SOCKS_NO_ANSWER
                                          : RP_SOCKS_FAILED;
}

/* On the loop again, with what came of it. */
static void dialled(void *ctx) {
    struct call *call = ctx;
    const struct dial *dial = call->dial;
    uint8_t bytes[RP_SOCKS_REPLY_BYTES];
    RP_ASSERT(call->state == CALL_WAITS);
    call->state = CALL_PASSES;
    rp_err err = call->result;
    if (rp_ok(err)) {
        err = rp_loop_watch(dial->daemon.loop, call->far.fd, RP_READY_READ, passes, call,
                            &call->far.watch);
    }
    if (rp_ok(err)) {
        err = rp_loop_watch(dial->daemon.loop, call->near.fd, RP_READY_READ, passes, call,
                            &call->near.watch);
    }
    if (!rp_ok(err)) {
        refuse(call, reply_to(err));
        return;
    }
    rp_socks_print_reply(RP_SOCKS_DONE, bytes);
    rp_buf_add(&call->near.out, rp_view_of(bytes, sizeof bytes));
    rp_buf_add(&call->far.out, rp_buf_view(&call->heard)); /* said before the answer came */
    pass(call, 0);
}

/* On a thread: the call's place and its far end are its own until the post. */
static void dial_out(void *thread_state, void *ctx) {
    struct call *call = ctx;
    const struct place *place = &call->place;
    (void)thread_state;
    call->result = rp_outward_connect(place->host, place->port, place->also_private,
                                      DIAL_CONNECT_MS, &call->far.fd);
    rp_err err = rp_loop_post(call->dial->daemon.loop, dialled, call);
    RP_ASSERT(rp_ok(err)); /* fewer calls exist than posts may wait */
}

/* Once a minute, with their number: whoever asks a thousand times fills no log. */
static void record_refused(const struct call *call, const struct rp_socks_request *wanted,
                           const char *who) {
    struct dial *dial = call->dial;
    int64_t now = now_ms(call);
    dial->refused_times++;
    if (dial->refused_ms != 0 && now - dial->refused_ms < REFUSED_EVERY_MS) {
        return;
    }
    struct recorder_note note = recorder_begin(dial->recorder, RP_EVENT_DIAL_REFUSED);
    rp_event_add_text(note.event, "role", rp_view_from_cstr(who));
    rp_event_add_text(note.event, "host", rp_view_from_cstr(wanted->host));
    rp_event_add_u64(note.event, "port", wanted->port);
    rp_event_add_u64(note.event, "times", dial->refused_times);
    recorder_finish(dial->recorder, &note);
    dial->refused_ms = now;
    dial->refused_times = 0;
}

static void tell_refused(const struct call *call, const struct rp_socks_request *wanted) {
    const char *who = call->roles == RP_ROLE_BIT(RP_ROLE_COURIER) ? "courier"
                      : call->roles == RP_ROLE_BIT(RP_ROLE_ACME)  ? "acme"
                      : call->roles == 0                          ? "a stranger"
                                                                  : "a role";
    bool here = strcmp(wanted->host, "127.0.0.1") == 0;
    daemon_say(&call->dial->daemon, "refused: %s asks for %s port %u, which no setting names%s",
               who, wanted->host, wanted->port, here ? "; canaries do, once an hour (S71)" : "");
    record_refused(call, wanted, who);
}

/*= S71 */
static void ask(struct call *call, const struct rp_socks_request *wanted) {
    const struct place *place = places_find(&call->dial->places, call->roles, wanted);
    if (!place) {
        tell_refused(call, wanted);
        refuse(call, RP_SOCKS_NOT_ALLOWED);
        return;
    }
    call->place = *place;
    rp_watch_free(rp_take(&call->near.watch)); /* it waits; who gives up is seen afterwards */
    call->state = CALL_WAITS;
    if (!rp_ok(rp_pool_submit(call->dial->pool, dial_out, call))) {
        call->state = CALL_ASKS;
        refuse(call, RP_SOCKS_FAILED);
    }
}

static void hear(struct call *call) {
    size_t used = 0;
    rp_err err = RP_OK;
    if (call->state == CALL_GREETS) {
        uint8_t method[RP_SOCKS_METHOD_BYTES];
        err = rp_socks_greeting(rp_buf_view(&call->heard), &used);
        if (rp_ok(err)) {
            rp_buf_consume(&call->heard, used);
            rp_socks_print_method(method);
            say(call, rp_view_of(method, sizeof method));
            call->state = CALL_ASKS;
        }
    }
    if (rp_ok(err)) {
        struct rp_socks_request wanted;
        err = rp_socks_request(rp_buf_view(&call->heard), &wanted, &used);
        if (rp_ok(err)) {
            rp_buf_consume(&call->heard, used);
            ask(call, &wanted);
            return;
        }
    }
    if (!rp_is(err, RP_E_BUSY)) {
        end(call);
    }
}

static void hears(void *ctx, unsigned events) {
    struct call *call = ctx;
    uint8_t bytes[QUESTION_MAX];
    size_t n = 0;
    (void)events;
    rp_err err = rp_socket_receive(call->near.fd, bytes, sizeof bytes, &n);
    if (rp_is(err, RP_E_BUSY)) {
        return;
    }
    if (rp_ok(err)) {
        rp_buf_add(&call->heard, rp_view_of(bytes, n));
        err = rp_buf_err(&call->heard);
    }
    if (rp_ok(err)) {
        hear(call);
    } else {
        end(call);
    }
}

/* ---- begin ---- */

static unsigned who_calls(int fd) {
    static const enum rp_role_id callers[] = {RP_ROLE_COURIER, RP_ROLE_ACME};
    pid_t pid;
    uid_t uid;
    gid_t gid;
    unsigned roles = 0;
    if (!rp_ok(rp_socket_peer(fd, &pid, &uid, &gid))) {
        return 0;
    }
    for (size_t i = 0; i < RP_COUNT_OF(callers); i++) {
        roles |= rp_ipc_may_be(callers[i], uid) ? RP_ROLE_BIT(callers[i]) : 0;
    }
    return roles;
}

void call_begin(struct call *call, int *fd) {
    RP_ASSERT(call->state == CALL_FREE && *fd >= 0);
    struct dial *dial = call->dial;
    *call = (struct call){.dial = dial,
                          .state = CALL_GREETS,
                          .roles = who_calls(*fd),
                          .near = {.fd = *fd, .out = rp_buf_new(DIAL_WAITING_MAX)},
                          .far = {.fd = -1, .out = rp_buf_new(DIAL_WAITING_MAX)},
                          .heard = rp_buf_new(2 * QUESTION_MAX),
                          .result = RP_OK};
    call->moved_ms = now_ms(call);
    *fd = -1;
    if (!rp_ok(rp_loop_watch(dial->daemon.loop, call->near.fd, RP_READY_READ, hears, call,
                             &call->near.watch))) {
        end(call);
    }
}

void call_tick(struct call *call) {
    bool asks = call->state == CALL_GREETS || call->state == CALL_ASKS;
    int64_t limit_ms = asks ? DIAL_GREETING_MS : DIAL_SILENCE_MS;
    if ((asks || call->state == CALL_PASSES) && now_ms(call) - call->moved_ms >= limit_ms) {
        end(call);
    }
}
