/* ipc.h — how one role asks another: one message there, one message back.
 *
 * Requests and replies are datagrams on a SOCK_SEQPACKET socket: a 16-byte head (length, number,
 * request id, error) and packed fields (pack.h). pairs.def is the whole permission table. The
 * server learns who calls from the kernel (SO_PEERCRED) and from the role the client names in
 * its first message; both must agree, and be in the table.
 *
 * Without root all roles share one user, so the kernel cannot tell them apart; the server then
 * believes the name, and the trust page says so.
 *
 * Fails: CLOSED, TIMEOUT, UNREACHABLE (retry), PROTOCOL (a bug or an attack: connection ended).
 */
#ifndef RP_IPC_IPC_H
#define RP_IPC_IPC_H

#include "ipc/pack.h"
#include "os/loop.h"
#include "os/role.h"

enum {
    RP_IPC_HEAD = 16,
    RP_IPC_MAX = 128 * 1024 /* head and payload */
};

/* RP_IPC_CORE_KMS_LEASE = 2, and so on. */
enum rp_ipc_message {
#define RP_PAIR(client, server, socket)
#define RP_MESSAGE(client, server, name, number, max_request, max_reply)                           \
    RP_IPC_##client##_##server##_##name = (number),
#include "ipc/pairs.def"
#undef RP_PAIR
#undef RP_MESSAGE
};

/* ---- the one who asks: blocking, with a deadline; one per thread ---- */

struct rp_ipc_client;

/* Connects at the first call, and again after a failure. A server that is not there, or not yet,
 * is UNREACHABLE; a pair that the table does not hold is a bug. */
struct rp_ipc_client *rp_ipc_client_new(enum rp_role_id self, enum rp_role_id server,
                                        int deadline_ms);
void rp_ipc_client_free(struct rp_ipc_client *client);

/* Sends and waits. The reply's bytes stand in *reply (cleared first). An error that the server
 * answered comes back as that error. PROTOCOL when the table does not hold the message. */
rp_err rp_ipc_call(struct rp_ipc_client *client, enum rp_ipc_message message, rp_view request,
                   struct rp_buf *reply);

/* For probes, which try what nobody may say: a message of a number that the table does not hold.
 * CLOSED is the refusal; RP_OK would be an answer. */
rp_err rp_ipc_try_unlisted(struct rp_ipc_client *client, uint32_t number);

/* ---- the one who answers ---- */

struct rp_ipc_server;
struct rp_ipc_peer; /* one connection */

/* A request's handle; answered exactly once, now or later. */
struct rp_ipc_call_id {
    uint64_t peer;
    uint32_t request;
};

/* Called for every permitted request. Answer with rp_ipc_reply, at once or later; the request's
 * bytes stand only until the handler returns. */
typedef void rp_ipc_handler(void *ctx, enum rp_role_id from, enum rp_ipc_message message,
                            struct rp_ipc_call_id call, rp_view request);

/* Listens on the table's socket for `self`; mode 0660. */
rp_err rp_ipc_server_new(struct rp_loop *loop, enum rp_role_id self, rp_ipc_handler *handler,
                         void *ctx, struct rp_ipc_server **ret_server);
void rp_ipc_server_free(struct rp_ipc_server *server);

/* Called when a connection was ended for a breach, to put it on record: the role it named (NONE
 * before it did), its process, and why, in fixed words. */
typedef void rp_ipc_refused(void *ctx, enum rp_role_id named, pid_t pid, const char *reason);
void rp_ipc_server_on_refused(struct rp_ipc_server *server, rp_ipc_refused *refused, void *ctx);

/* A peer that has gone in the meantime is fine: the reply is dropped. */
void rp_ipc_reply(struct rp_ipc_server *server, struct rp_ipc_call_id call, rp_err err,
                  rp_view payload);

#endif
