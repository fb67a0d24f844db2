#include "ipc/parcel.h"

#include "base/assert.h"

enum { OWN = RP_PARCEL_HEAD - 4 }; /* what the length counts beside the frame */

static bool is_role(uint8_t role) {
    return role > RP_ROLE_NONE && role < RP_ROLE_COUNT;
}

rp_err rp_parcel_write(struct rp_buf *buf, const struct rp_parcel *parcel) {
    RP_ASSERT(is_role((uint8_t)parcel->client) && is_role((uint8_t)parcel->server));
    if (parcel->payload.n > RP_IPC_MAX - RP_IPC_HEAD) {
        return RP_ERR(TOO_LARGE);
    }
    rp_pack_u32(buf, (uint32_t)(OWN + RP_IPC_HEAD + parcel->payload.n));
    rp_pack_u64(buf, parcel->channel);
    rp_pack_u8(buf, (uint8_t)parcel->client);
    rp_pack_u8(buf, (uint8_t)parcel->server);
    return rp_ipc_frame_write(buf, &parcel->head, parcel->payload);
}

rp_err rp_parcel_read(rp_view bytes, struct rp_parcel *ret_parcel, size_t *ret_used) {
    struct rp_unpack in = rp_unpack_new(bytes);
    struct rp_parcel parcel;
    uint32_t length = rp_unpack_u32(&in);
    if (in.failed) {
        return RP_ERR(BUSY);
    }
    if (length < OWN + RP_IPC_HEAD || length > OWN + RP_IPC_MAX) {
        return RP_ERR(PROTOCOL); /* before it is waited for */
    }
    if (in.rest.n < length) {
        return RP_ERR(BUSY);
    }
    in.rest = rp_view_sub(in.rest, 0, length);
    parcel.channel = rp_unpack_u64(&in);
    uint8_t client = rp_unpack_u8(&in), server = rp_unpack_u8(&in);
    if (!is_role(client) || !is_role(server)) {
        return RP_ERR(PROTOCOL);
    }
    parcel.client = (enum rp_role_id)client;
    parcel.server = (enum rp_role_id)server;
    RP_TRY(rp_ipc_frame_read(in.rest, &parcel.head, &parcel.payload));
    *ret_parcel = parcel;
    *ret_used = 4 + (size_t)length;
    return RP_OK;
}
