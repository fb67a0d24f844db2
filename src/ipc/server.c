#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ipc/frame.h"
#include "ipc/peer.h"
#include "ipc/table.h"
#include "os/file.h"
#include "os/socket.h"

enum {
    SERVER_MAGIC = 0x56726553,
    PEERS_MAX = 64,
    ACCEPTS_PER_TURN = 16,
    GREETING_MS = 5000 /* a peer that says nothing for so long is closed */
};

struct rp_ipc_peer {
    struct rp_ipc_server *server;
    struct rp_watch *watch; /* NULL = this place is free */
    int fd;
    uint64_t number; /* never used twice */
    pid_t pid;
    uid_t uid;
    enum rp_role_id role;                /* NONE until it has greeted */
    const struct rp_ipc_rule *answering; /* the request under way, or NULL */
    uint32_t request;
    uint64_t last_used; /* by the server's count of messages */
    bool was_silent;    /* had not greeted at the last look */
};

struct rp_ipc_server {
    uint32_t magic;
    struct rp_loop *loop;
    enum rp_role_id self;
    rp_ipc_handler *handler;
    void *ctx;
    rp_ipc_refused *refused;
    void *refused_ctx;
    int listener;
    struct rp_watch *watch;
    struct rp_timer *greeting_timer;
    uint64_t peers_seen;
    uint64_t messages_seen;
    struct rp_ipc_peer peers[PEERS_MAX];
    struct rp_buf out;
    uint8_t in[RP_IPC_MAX];
};

static void close_peer(struct rp_ipc_peer *peer) {
    RP_ASSERT(peer->watch != NULL);
    rp_watch_free(peer->watch);
    rp_fd_done(&peer->fd);
    *peer = (struct rp_ipc_peer){.server = peer->server, .fd = -1};
}

/* A breach ends the connection, and is told to whoever can put it on record. */
static void refuse(struct rp_ipc_peer *peer, const char *reason) {
    struct rp_ipc_server *server = peer->server;
    enum rp_role_id role = peer->role;
    pid_t pid = peer->pid;
    close_peer(peer);
    if (server->refused) {
        server->refused(server->refused_ctx, role, pid, reason);
    }
}

/* Only one answer is ever under way to a peer and its socket holds the largest one, so an answer
 * that does not fit at once goes to a peer that broke the rules or has gone. */
static void answer(struct rp_ipc_peer *peer, uint32_t number, uint32_t request, rp_err err,
                   rp_view payload) {
    struct rp_ipc_server *server = peer->server;
    struct rp_ipc_head head = {number, request, err};
    rp_buf_clear(&server->out);
    rp_err sent = rp_ipc_frame_write(&server->out, &head, payload);
    if (rp_ok(sent)) {
        sent = rp_socket_send(peer->fd, rp_buf_view(&server->out));
        /*= S84 */ /* it may have been a key on lease: no copy stays in this process */
        explicit_bzero(server->out.p, server->out.n);
    }
    if (!rp_ok(sent)) {
        close_peer(peer);
    }
}

static void take_hello(struct rp_ipc_peer *peer, const struct rp_ipc_head *head, rp_view payload) {
    enum rp_role_id role;
    if (head->number != RP_IPC_HELLO || !rp_ok(rp_ipc_hello_read(payload, &role))) {
        refuse(peer, "no greeting of this release");
        return;
    }
    peer->role = role;
    if (!rp_ipc_pair_exists(role, peer->server->self)) {
        refuse(peer, "pair not in the table");
    } else if (!rp_ipc_may_be(role, peer->uid)) {
        refuse(peer, "not the role's user");
    } else {
        answer(peer, RP_IPC_HELLO, head->request, RP_OK, (rp_view){NULL, 0});
    }
}

static void take_request(struct rp_ipc_peer *peer, const struct rp_ipc_head *head,
                         rp_view payload) {
    struct rp_ipc_server *server = peer->server;
    const struct rp_ipc_rule *rule = rp_ipc_rule_find(peer->role, server->self, head->number);
    if (!rule) {
        refuse(peer, "message not in the table");
        return;
    }
    if (payload.n > rule->max_request) {
        refuse(peer, "request over its size");
        return;
    }
    if (peer->answering) {
        refuse(peer, "request before the answer");
        return;
    }
    peer->answering = rule;
    peer->request = head->request;
    server->handler(server->ctx, peer->role, (enum rp_ipc_message)head->number,
                    (struct rp_ipc_call_id){peer->number, head->request}, payload);
}

static void take_message(struct rp_ipc_peer *peer, size_t n) {
    struct rp_ipc_head head;
    rp_view payload;
    if (!rp_ok(rp_ipc_frame_read(rp_view_of(peer->server->in, n), &head, &payload))) {
        refuse(peer, "not a frame");
        return;
    }
    peer->last_used = ++peer->server->messages_seen;
    if (peer->role == RP_ROLE_NONE) {
        take_hello(peer, &head, payload);
    } else {
        take_request(peer, &head, payload);
    }
}

/* One message a turn, so that no peer can keep the others waiting. */
static void peer_ready(void *ctx, unsigned events) {
    struct rp_ipc_peer *peer = ctx;
    struct rp_ipc_server *server = peer->server;
    RP_ASSERT(server->magic == SERVER_MAGIC);
    (void)events;
    size_t n = 0;
    rp_err err = rp_socket_receive(peer->fd, server->in, sizeof server->in, &n);
    if (rp_ok(err)) {
        take_message(peer, n);
        explicit_bzero(server->in, n); /* it may have been a passphrase */
    } else if (rp_is(err, RP_E_TOO_LARGE)) {
        refuse(peer, "message over the limit");
    } else if (!rp_is(err, RP_E_BUSY)) {
        close_peer(peer);
    }
}

/* Closes who has not greeted since the last look; looks again while somebody is silent. */
static void close_silent(void *ctx) {
    struct rp_ipc_server *server = ctx;
    bool again = false;
    rp_timer_free(server->greeting_timer);
    server->greeting_timer = NULL;
    for (size_t i = 0; i < PEERS_MAX; i++) {
        struct rp_ipc_peer *peer = &server->peers[i];
        if (!peer->watch || peer->role != RP_ROLE_NONE) {
            continue;
        }
        if (peer->was_silent) {
            refuse(peer, "no greeting in time");
        } else {
            peer->was_silent = again = true;
        }
    }
    if (again) {
        /* Without memory for the timer the next connection arms it. */
        rp_ignore(rp_loop_timer(server->loop, GREETING_MS, 0, close_silent, server,
                                &server->greeting_timer));
    }
}

/* A free place; when there is none, that of the peer that has been idle longest; else NULL. */
static struct rp_ipc_peer *place_for_peer(struct rp_ipc_server *server) {
    struct rp_ipc_peer *idlest = NULL;
    for (size_t i = 0; i < PEERS_MAX; i++) {
        struct rp_ipc_peer *peer = &server->peers[i];
        if (!peer->watch) {
            return peer;
        }
        if (!peer->answering && (!idlest || peer->last_used < idlest->last_used)) {
            idlest = peer;
        }
    }
    if (idlest) {
        close_peer(idlest);
    }
    return idlest;
}

static rp_err admit(struct rp_ipc_server *server, struct rp_ipc_peer *peer, int *fd) {
    gid_t gid;
    RP_TRY(rp_socket_peer(*fd, &peer->pid, &peer->uid, &gid));
    RP_TRY(rp_loop_watch(server->loop, *fd, RP_READY_READ, peer_ready, peer, &peer->watch));
    peer->fd = *fd;
    *fd = -1;
    peer->number = ++server->peers_seen;
    peer->last_used = ++server->messages_seen;
    if (!server->greeting_timer) {
        RP_TRY(rp_loop_timer(server->loop, GREETING_MS, 0, close_silent, server,
                             &server->greeting_timer));
    }
    return RP_OK;
}

static void listener_ready(void *ctx, unsigned events) {
    struct rp_ipc_server *server = ctx;
    RP_ASSERT(server->magic == SERVER_MAGIC);
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        _cleanup_fd_ int fd = -1;
        if (!rp_ok(rp_socket_accept(server->listener, &fd))) {
            return;
        }
        struct rp_ipc_peer *peer = place_for_peer(server);
        if (peer && !rp_ok(admit(server, peer, &fd)) && peer->watch) {
            close_peer(peer);
        }
    }
}

rp_err rp_ipc_server_new(struct rp_loop *loop, enum rp_role_id self, rp_ipc_handler *handler,
                         void *ctx, struct rp_ipc_server **ret_server) {
    const char *path = rp_ipc_socket_of(self);
    RP_ASSERT(path != NULL);
    RP_ASSERT(handler != NULL);
    struct rp_ipc_server *server = calloc(1, sizeof *server);
    if (!server) {
        return RP_ERR(NO_MEMORY);
    }
    server->magic = SERVER_MAGIC;
    server->loop = loop;
    server->self = self;
    server->handler = handler;
    server->ctx = ctx;
    server->listener = -1;
    server->out = rp_buf_new(RP_IPC_MAX);
    for (size_t i = 0; i < PEERS_MAX; i++) {
        server->peers[i] = (struct rp_ipc_peer){.server = server, .fd = -1};
    }
    rp_err err = rp_socket_listen(path, RP_SOCKET_MESSAGE, 0660, &server->listener);
    if (rp_ok(err)) {
        err = rp_loop_watch(loop, server->listener, RP_READY_READ, listener_ready, server,
                            &server->watch);
    }
    if (!rp_ok(err)) {
        rp_ipc_server_free(server);
        return err;
    }
    *ret_server = server;
    return RP_OK;
}

void rp_ipc_server_on_refused(struct rp_ipc_server *server, rp_ipc_refused *refused, void *ctx) {
    RP_ASSERT(server->magic == SERVER_MAGIC);
    server->refused = refused;
    server->refused_ctx = ctx;
}

void rp_ipc_server_free(struct rp_ipc_server *server) {
    if (!server) {
        return;
    }
    RP_ASSERT(server->magic == SERVER_MAGIC);
    for (size_t i = 0; i < PEERS_MAX; i++) {
        if (server->peers[i].watch) {
            close_peer(&server->peers[i]);
        }
    }
    rp_timer_free(server->greeting_timer);
    rp_watch_free(server->watch);
    rp_fd_done(&server->listener);
    rp_buf_done(&server->out);
    server->magic = 0;
    free(server);
}

static struct rp_ipc_peer *find_peer(struct rp_ipc_server *server, uint64_t number) {
    for (size_t i = 0; i < PEERS_MAX; i++) {
        if (server->peers[i].watch && server->peers[i].number == number) {
            return &server->peers[i];
        }
    }
    return NULL;
}

void rp_ipc_reply(struct rp_ipc_server *server, struct rp_ipc_call_id call, rp_err err,
                  rp_view payload) {
    RP_ASSERT(server->magic == SERVER_MAGIC);
    struct rp_ipc_peer *peer = find_peer(server, call.peer);
    if (!peer) {
        return;
    }
    const struct rp_ipc_rule *rule = peer->answering;
    RP_ASSERT(rule != NULL);
    RP_ASSERT(peer->request == call.request);
    peer->answering = NULL;
    if (payload.n > rule->max_reply) {
        answer(peer, rule->number, call.request, RP_ERR(TOO_LARGE), (rp_view){NULL, 0});
    } else {
        answer(peer, rule->number, call.request, err, payload);
    }
}
