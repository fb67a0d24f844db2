#include "ipc/frame.h"

#include "base/assert.h"

_Static_assert(RP_IPC_HEAD == 4 * sizeof(uint32_t), "length, number, request, error");
_Static_assert(RP_E_COUNT <= UINT16_MAX && RP_ROLE_COUNT <= UINT8_MAX, "the greeting's fields");

rp_err rp_ipc_frame_write(struct rp_buf *buf, const struct rp_ipc_head *head, rp_view payload) {
    RP_ASSERT(head->err.code >= 0 && head->err.code < RP_E_COUNT);
    if (payload.n > RP_IPC_MAX - RP_IPC_HEAD) {
        return RP_ERR(TOO_LARGE);
    }
    rp_pack_u32(buf, (uint32_t)(RP_IPC_HEAD + payload.n));
    rp_pack_u32(buf, head->number);
    rp_pack_u32(buf, head->request);
    rp_pack_u32(buf, (uint32_t)head->err.code);
    rp_buf_add(buf, payload);
    return rp_buf_err(buf);
}

rp_err rp_ipc_frame_read(rp_view message, struct rp_ipc_head *ret_head, rp_view *ret_payload) {
    struct rp_unpack in = rp_unpack_new(message);
    uint32_t length = rp_unpack_u32(&in);
    uint32_t number = rp_unpack_u32(&in);
    uint32_t request = rp_unpack_u32(&in);
    uint32_t code = rp_unpack_u32(&in);
    if (in.failed || length != message.n || length > RP_IPC_MAX || code >= RP_E_COUNT) {
        return RP_ERR(PROTOCOL);
    }
    *ret_head = (struct rp_ipc_head){number, request, {(int32_t)code}};
    *ret_payload = in.rest;
    return RP_OK;
}

void rp_ipc_hello_write(struct rp_buf *buf, enum rp_role_id self) {
    RP_ASSERT(self > RP_ROLE_NONE && self < RP_ROLE_COUNT);
    rp_pack_u16(buf, RP_IPC_VERSION);
    rp_pack_u16(buf, RP_E_COUNT);
    rp_pack_u8(buf, (uint8_t)self);
}

rp_err rp_ipc_hello_read(rp_view payload, enum rp_role_id *ret_role) {
    struct rp_unpack in = rp_unpack_new(payload);
    uint16_t version = rp_unpack_u16(&in);
    uint16_t errors = rp_unpack_u16(&in);
    uint8_t role = rp_unpack_u8(&in);
    RP_TRY(rp_unpack_end(&in));
    bool known = role > RP_ROLE_NONE && role < RP_ROLE_COUNT;
    if (version != RP_IPC_VERSION || errors != RP_E_COUNT || !known) {
        return RP_ERR(PROTOCOL);
    }
    *ret_role = (enum rp_role_id)role;
    return RP_OK;
}
