#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ipc/frame.h"
#include "ipc/peer.h"
#include "ipc/table.h"
#include "os/file.h"
#include "os/socket.h"

struct rp_ipc_client {
    enum rp_role_id self, server;
    int deadline_ms;
    int fd; /* -1 = not connected */
    uint32_t request;
    struct rp_buf out;
    uint8_t in[RP_IPC_MAX];
};

struct rp_ipc_client *rp_ipc_client_new(enum rp_role_id self, enum rp_role_id server,
                                        int deadline_ms) {
    RP_ASSERT(rp_ipc_pair_exists(self, server));
    RP_ASSERT(deadline_ms > 0);
    struct rp_ipc_client *client = calloc(1, sizeof *client);
    if (client) {
        client->self = self;
        client->server = server;
        client->deadline_ms = deadline_ms;
        client->fd = -1;
        client->out = rp_buf_new(RP_IPC_MAX);
    }
    return client;
}

void rp_ipc_client_free(struct rp_ipc_client *client) {
    if (!client) {
        return;
    }
    rp_fd_done(&client->fd);
    rp_buf_done(&client->out);
    free(client);
}

/* A blocking socket past its deadline says "would block". */
static rp_err deadline_passed(rp_err err) {
    return rp_is(err, RP_E_BUSY) ? RP_ERR(TIMEOUT) : err;
}

static rp_err send_frame(struct rp_ipc_client *client, uint32_t number, rp_view payload) {
    RP_ASSERT(client->fd >= 0);
    struct rp_ipc_head head = {.number = number, .request = ++client->request};
    rp_buf_clear(&client->out);
    RP_TRY(rp_ipc_frame_write(&client->out, &head, payload));
    rp_err err = rp_socket_send(client->fd, rp_buf_view(&client->out));
    explicit_bzero(client->out.p, client->out.n); /* it may have been a passphrase */
    return deadline_passed(err);
}

/* The answer to the request just sent. Only one is ever under way, so any other is a breach. */
static rp_err receive_frame(struct rp_ipc_client *client, uint32_t number, rp_err *ret_answer,
                            rp_view *ret_payload) {
    size_t n = 0;
    rp_err err = rp_socket_receive(client->fd, client->in, sizeof client->in, &n);
    RP_TRY(rp_is(err, RP_E_TOO_LARGE) ? RP_ERR(PROTOCOL) : deadline_passed(err));
    struct rp_ipc_head head;
    RP_TRY(rp_ipc_frame_read(rp_view_of(client->in, n), &head, ret_payload));
    if (head.number != number || head.request != client->request) {
        return RP_ERR(PROTOCOL);
    }
    *ret_answer = head.err;
    return RP_OK;
}

static rp_err open_socket(struct rp_ipc_client *client) {
    const char *path = rp_ipc_socket_of(client->server);
    RP_ASSERT(path != NULL);
    rp_err err = rp_socket_connect(path, RP_SOCKET_MESSAGE, client->deadline_ms, &client->fd);
    bool nobody = rp_is(err, RP_E_NOT_FOUND) || rp_is(err, RP_E_CLOSED) || rp_is(err, RP_E_BUSY);
    return nobody ? RP_ERR(UNREACHABLE) : err;
}

/* The socket's name alone proves nothing: whoever may write to run/ could stand there. */
static rp_err check_server(const struct rp_ipc_client *client) {
    pid_t pid;
    uid_t uid;
    gid_t gid;
    RP_TRY(rp_socket_peer(client->fd, &pid, &uid, &gid));
    return rp_ipc_may_be(client->server, uid) ? RP_OK : RP_ERR(PROTOCOL);
}

static rp_err greet(struct rp_ipc_client *client) {
    _cleanup_(rp_buf_done) struct rp_buf hello = rp_buf_new(16);
    rp_ipc_hello_write(&hello, client->self);
    RP_TRY(rp_buf_err(&hello));
    RP_TRY(send_frame(client, RP_IPC_HELLO, rp_buf_view(&hello)));
    rp_err answer;
    rp_view payload;
    RP_TRY(receive_frame(client, RP_IPC_HELLO, &answer, &payload));
    return answer;
}

static rp_err connect_client(struct rp_ipc_client *client) {
    RP_ASSERT(client->fd < 0);
    rp_err err = open_socket(client);
    if (rp_ok(err)) {
        err = check_server(client);
    }
    if (rp_ok(err)) {
        err = greet(client);
    }
    if (!rp_ok(err)) {
        rp_fd_done(&client->fd);
    }
    return err;
}

/* Sends the request on the connection there is, or on a new one. A server that was restarted
 * since the last call shows at send, before it took anything: then it is safe to send again. */
static rp_err submit(struct rp_ipc_client *client, uint32_t number, rp_view request) {
    if (client->fd >= 0) {
        rp_err err = send_frame(client, number, request);
        if (!rp_is(err, RP_E_CLOSED)) {
            return err;
        }
        rp_fd_done(&client->fd);
    }
    RP_TRY(connect_client(client));
    return send_frame(client, number, request);
}

rp_err rp_ipc_call(struct rp_ipc_client *client, enum rp_ipc_message message, rp_view request,
                   struct rp_buf *reply) {
    RP_ASSERT(client != NULL);
    RP_ASSERT(reply != NULL);
    const struct rp_ipc_rule *rule = rp_ipc_rule_find(client->self, client->server, message);
    if (!rule) {
        return RP_ERR(PROTOCOL);
    }
    if (request.n > rule->max_request || request.n > RP_IPC_MAX - RP_IPC_HEAD) {
        return RP_ERR(TOO_LARGE);
    }
    rp_buf_clear(reply);
    rp_err answer = RP_OK;
    rp_view payload = {0};
    rp_err err = submit(client, rule->number, request);
    if (rp_ok(err)) {
        err = receive_frame(client, rule->number, &answer, &payload);
    }
    if (rp_ok(err) && payload.n > rule->max_reply) {
        err = RP_ERR(PROTOCOL);
    }
    if (!rp_ok(err)) {
        /* An answer that comes late must never be taken for the answer to the next request. */
        rp_fd_done(&client->fd);
        return err;
    }
    rp_buf_add(reply, payload);
    if (payload.n > 0) {
        explicit_bzero(client->in + RP_IPC_HEAD, payload.n); /* it may have been a key on lease */
    }
    RP_TRY(answer);
    return rp_buf_err(reply);
}

rp_err rp_ipc_try_unlisted(struct rp_ipc_client *client, uint32_t number) {
    RP_ASSERT(rp_ipc_rule_find(client->self, client->server, number) == NULL);
    rp_err answer = RP_OK;
    rp_view payload = {0};
    rp_err err = submit(client, number, (rp_view){NULL, 0});
    if (rp_ok(err)) {
        err = receive_frame(client, number, &answer, &payload);
    }
    rp_fd_done(&client->fd);
    return rp_ok(err) ? answer : err;
}
