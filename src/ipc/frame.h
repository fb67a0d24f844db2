/* frame.h — the sixteen bytes before every message, and the greeting that opens a connection.
 *
 * Head: length of the whole message, number, request id, error; four big-endian u32. Number 0 is
 * the greeting: protocol version, size of the error table (both ends must be of one release,
 * for errors travel as numbers), and the role that the client claims to be.
 *
 * Pure: bytes in, struct out.
 */
#ifndef RP_IPC_FRAME_H
#define RP_IPC_FRAME_H

#include "ipc/ipc.h"

enum { RP_IPC_HELLO = 0, RP_IPC_VERSION = 1 };

struct rp_ipc_head {
    uint32_t number;
    uint32_t request;
    rp_err err; /* in replies */
};

/* Appends head and payload. TOO_LARGE when buf has no room. */
rp_err rp_ipc_frame_write(struct rp_buf *buf, const struct rp_ipc_head *head, rp_view payload);
/* PROTOCOL unless message is one whole frame. The payload is a view into it. */
rp_err rp_ipc_frame_read(rp_view message, struct rp_ipc_head *ret_head, rp_view *ret_payload);

void rp_ipc_hello_write(struct rp_buf *buf, enum rp_role_id self);
/* PROTOCOL for another release or a role that does not exist. */
rp_err rp_ipc_hello_read(rp_view payload, enum rp_role_id *ret_role);

#endif
