/* parcel.h — a message between roles on its way to another machine: its frame, and whose it is.
 *
 * On a stream nothing keeps messages apart, and many go at once. So before each frame stand the
 * length of all that follows (u32), the channel (u64: one connection of one process on the asking
 * side) and the two roles (u8 each). The role that asks stands first, in the answer as well. What
 * the two links say to each other has LINK in both places and channel 0.
 *
 * Pure: bytes in, struct out.
 */
#ifndef RP_IPC_PARCEL_H
#define RP_IPC_PARCEL_H

#include "ipc/frame.h"

enum {
    RP_PARCEL_HEAD = 4 + 8 + 1 + 1,
    RP_PARCEL_MAX = RP_PARCEL_HEAD + RP_IPC_MAX,
    RP_PARCEL_PING = 1 /* between links, beside the greeting (RP_IPC_HELLO): is anybody there? */
};

struct rp_parcel {
    uint64_t channel;
    enum rp_role_id client, server;
    struct rp_ipc_head head;
    rp_view payload; /* of what was read */
};

rp_err rp_parcel_write(struct rp_buf *buf, const struct rp_parcel *parcel);
/* The first parcel of the bytes, and how many of them it took. BUSY when it is not whole yet,
 * PROTOCOL when it never will be one. */
rp_err rp_parcel_read(rp_view bytes, struct rp_parcel *ret_parcel, size_t *ret_used);

#endif
