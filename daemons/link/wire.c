/* wire.c — one connection: bytes of a socket through TLS to parcels, and back. */
#include "base/assert.h"
#include "base/checked.h"
#include "link.h"
#include "os/file.h"
#include "os/socket.h"

enum { CHUNK = 8 * 1024, READS_PER_TURN = 8, PING_EVERY_MS = 1000 };

static void ready(void *ctx, unsigned events);

static void ended(struct wire *wire, const char *reason) {
    if (wire->dials) {
        dial_ended(wire, reason);
    } else {
        listen_ended(wire, reason);
    }
}

rp_err wire_open(struct wire *wire, int *fd, enum wire_state state) {
    struct link *link = wire->link;
    RP_ASSERT(wire->state == WIRE_CLOSED);
    enum rp_tls_end end = wire->dials ? RP_TLS_DIALS : RP_TLS_LISTENS;
    const struct rp_sha256 *known = wire->dials ? &wire->machine->key : link->known;
    RP_TRY(rp_tls_channel_new(link->key, end, known, wire->dials ? 1 : link->machine_count,
                              &wire->tls));
    unsigned events = state == WIRE_CONNECTING ? RP_READY_WRITE : RP_READY_READ;
    rp_err err = rp_loop_watch(link->daemon.loop, *fd, events, ready, wire, &wire->watch);
    if (!rp_ok(err)) {
        rp_tls_channel_free(rp_take(&wire->tls));
        return err;
    }
    wire->fd = *fd;
    *fd = -1;
    wire->state = state;
    wire->greeted = false;
    wire->number = ++link->wires_seen;
    wire->heard = rp_buf_new_wiping(2 * RP_PARCEL_MAX);
    wire->out = rp_buf_new(LINK_OUT_MAX);
    wire->begun_ms = wire->heard_ms = wire->pinged_ms = link_now_ms(link);
    return RP_OK;
}

static void hang_up(struct wire *wire) {
    rp_watch_free(rp_take(&wire->watch));
    rp_fd_done(&wire->fd);
}

void wire_release(struct wire *wire) {
    if (wire->state == WIRE_CLOSED) {
        return;
    }
    hang_up(wire);
    rp_tls_channel_free(rp_take(&wire->tls));
    rp_buf_done(&wire->heard);
    rp_buf_done(&wire->out);
    wire->state = WIRE_CLOSED;
    wire->jobs = 0;
}

void wire_close(struct wire *wire, const char *reason) {
    RP_ASSERT(wire->state != WIRE_CLOSED);
    hang_up(wire);
    ask_wire_ended(wire);
    ended(wire, reason);
    wire_release(wire);
}

/* ---- out ---- */

/* As much as the kernel takes; the loop tells when it takes more. */
static rp_err flush(struct wire *wire) {
    RP_TRY(rp_tls_channel_give(wire->tls, &wire->out));
    rp_err err = RP_OK;
    while (rp_ok(err) && wire->out.n > 0) {
        size_t n = 0;
        err = rp_socket_write(wire->fd, rp_buf_view(&wire->out), &n);
        rp_buf_consume(&wire->out, n);
    }
    RP_TRY(rp_is(err, RP_E_BUSY) ? RP_OK : err);
    return rp_watch_events(wire->watch, RP_READY_READ | (wire->out.n > 0 ? RP_READY_WRITE : 0));
}

rp_err wire_send(struct wire *wire, const struct rp_parcel *parcel) {
    RP_ASSERT(wire->state == WIRE_UP || wire->state == WIRE_SHAKING);
    if (wire->out.n > LINK_OUT_MAX / 2) {
        return RP_ERR(OVERLOAD);
    }
    _cleanup_(rp_buf_done) struct rp_buf bytes = rp_buf_new_wiping(RP_PARCEL_MAX);
    RP_TRY(rp_parcel_write(&bytes, parcel));
    RP_TRY(rp_tls_channel_say(wire->tls, rp_buf_view(&bytes)));
    /* A socket that fails is seen when it is read from: not here, in the middle of its owner. */
    rp_ignore(flush(wire));
    return RP_OK;
}

static rp_err say_link(struct wire *wire, uint32_t number, rp_view payload) {
    const struct rp_parcel parcel = {.client = RP_ROLE_LINK,
                                     .server = RP_ROLE_LINK,
                                     .head = {.number = number},
                                     .payload = payload};
    return wire_send(wire, &parcel);
}

static void greet(struct wire *wire) {
    _cleanup_(rp_buf_done) struct rp_buf hello = rp_buf_new(16);
    rp_ipc_hello_write(&hello, RP_ROLE_LINK);
    rp_ignore(say_link(wire, RP_IPC_HELLO, rp_buf_view(&hello))); /* without it the wire ends */
}

/* ---- in ---- */

/* What the links say to each other: the greeting of this release first, then pings; the one that
 * was dialled says each back. */
static rp_err take_from_link(struct wire *wire, const struct rp_parcel *parcel) {
    enum rp_role_id role = RP_ROLE_NONE;
    if (parcel->server != RP_ROLE_LINK || parcel->channel != 0) {
        return RP_ERR(PROTOCOL);
    }
    if (parcel->head.number == RP_IPC_HELLO && wire->state == WIRE_SHAKING) {
        RP_TRY(rp_ipc_hello_read(parcel->payload, &role));
        RP_TRY(role == RP_ROLE_LINK ? RP_OK : RP_ERR(PROTOCOL));
        wire->state = WIRE_UP;
        if (wire->dials) {
            dial_up(wire);
        } else {
            greet(wire);
            listen_up(wire);
        }
        return RP_OK;
    }
    bool ping = parcel->head.number == RP_PARCEL_PING && wire->state == WIRE_UP;
    if (!ping || parcel->payload.n > 0) {
        return RP_ERR(PROTOCOL);
    }
    return wire->dials ? RP_OK : say_link(wire, RP_PARCEL_PING, (rp_view){NULL, 0});
}

/* A breach says so in *ret_breach. */
static rp_err take_parcel(struct wire *wire, const struct rp_parcel *parcel,
                          const char **ret_breach) {
    if (parcel->client == RP_ROLE_LINK && parcel->server == RP_ROLE_LINK) {
        *ret_breach = link_why(LINK_NO_GREETING);
        return take_from_link(wire, parcel);
    }
    if (wire->state != WIRE_UP) {
        *ret_breach = link_why(LINK_TOO_EARLY);
        return RP_ERR(PROTOCOL);
    }
    if (wire->dials) {
        *ret_breach = link_why(LINK_UNASKED);
        return ask_take(wire, parcel);
    }
    *ret_breach = permit_refusal(&wire->link->daemon.config, wire->machine->peer, parcel);
    if (*ret_breach) {
        return RP_ERR(PROTOCOL);
    }
    *ret_breach = link_why(LINK_UNREAD);
    return answer_take(wire, parcel);
}

static rp_err take_parcels(struct wire *wire, const char **ret_breach) {
    for (;;) {
        struct rp_parcel parcel;
        size_t used = 0;
        rp_err err = rp_parcel_read(rp_buf_view(&wire->heard), &parcel, &used);
        if (rp_is(err, RP_E_BUSY)) {
            return RP_OK;
        }
        *ret_breach = link_why(LINK_NO_MESSAGE);
        RP_TRY(err);
        RP_TRY(take_parcel(wire, &parcel, ret_breach));
        rp_buf_consume(&wire->heard, used);
    }
}

/* Why TLS failed, for people. */
static const char *failed_tls(rp_err err) {
    return rp_is(err, RP_E_DENIED)            ? link_why(LINK_OTHER_KEY)
           : rp_is(err, RP_E_UNAUTHENTICATED) ? link_why(LINK_NOT_TAKEN)
           : rp_is(err, RP_E_CLOSED)          ? link_why(LINK_HUNG_UP)
           : rp_is(err, RP_E_TOO_LARGE)       ? link_why(LINK_TOO_MUCH)
                                              : link_why(LINK_NO_TLS);
}

static void refuse(struct wire *wire, const char *reason) {
    tell_refused(wire->link, wire->machine, rp_tls_channel_peer(wire->tls), wire->from, reason);
    wire_close(wire, reason);
}

/* False when the wire is closed. */
static bool take_bytes(struct wire *wire, rp_view bytes) {
    const char *breach = NULL;
    rp_err err = rp_tls_channel_take(wire->tls, bytes, &wire->heard);
    rp_ignore(flush(wire)); /* the alert that says why, as far as the socket still takes it */
    if (!rp_ok(err)) {
        const char *reason = failed_tls(err);
        if (rp_is(err, RP_E_CLOSED) || rp_is(err, RP_E_UNAUTHENTICATED)) {
            wire_close(wire, reason);
        } else {
            refuse(wire, reason);
        }
        return false;
    }
    if (rp_tls_channel_is_up(wire->tls) && !wire->greeted) {
        wire->greeted = true;
        if (wire->dials) {
            greet(wire);
        } else {
            listen_known(wire);
        }
    }
    err = take_parcels(wire, &breach);
    if (!rp_ok(err)) {
        refuse(wire, breach);
        return false;
    }
    return true;
}

static void read_some(struct wire *wire) {
    for (int i = 0; i < READS_PER_TURN; i++) {
        uint8_t bytes[CHUNK];
        size_t n = 0;
        rp_err err = rp_socket_receive(wire->fd, bytes, sizeof bytes, &n);
        if (rp_is(err, RP_E_BUSY)) {
            return;
        }
        if (!rp_ok(err)) {
            wire_close(wire,
                       rp_is(err, RP_E_CLOSED) ? link_why(LINK_HUNG_UP) : rp_err_text(err, RP_EN));
            return;
        }
        wire->heard_ms = link_now_ms(wire->link);
        if (!take_bytes(wire, rp_view_of(bytes, n))) {
            return;
        }
    }
}

static void ready(void *ctx, unsigned events) {
    struct wire *wire = ctx;
    (void)events;
    if (wire->state == WIRE_CONNECTING) {
        rp_err err = rp_tcp_begun(wire->fd);
        if (!rp_ok(err)) {
            wire_close(wire, rp_err_text(err, RP_EN));
            return;
        }
        wire->state = WIRE_SHAKING;
    }
    rp_err err = flush(wire);
    if (!rp_ok(err)) {
        wire_close(wire, rp_err_text(err, RP_EN));
        return;
    }
    read_some(wire);
}

void wire_tick(struct wire *wire) {
    int64_t now_ms = link_now_ms(wire->link);
    if (wire->state == WIRE_CLOSED) {
        return;
    }
    if (wire->state != WIRE_UP) {
        if (now_ms - wire->begun_ms >= LINK_HANDSHAKE_MS) {
            wire_close(wire, wire->state == WIRE_CONNECTING ? link_why(LINK_NO_ANSWER)
                                                            : link_why(LINK_LATE));
        }
        return;
    }
    if (now_ms - wire->heard_ms >= LINK_SILENCE_MS) {
        wire_close(wire, link_why(LINK_SILENT));
        return;
    }
    if (wire->dials && now_ms - wire->pinged_ms >= PING_EVERY_MS) {
        wire->pinged_ms = now_ms;
        rp_ignore(say_link(wire, RP_PARCEL_PING, (rp_view){NULL, 0})); /* its silence is heard */
    }
}
