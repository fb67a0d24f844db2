#include "keys/messages.h"

#include "base/assert.h"

rp_err rp_lease_request_pack(const struct rp_lease_request *request, struct rp_buf *out) {
    rp_pack_id(out, request->tenant);
    rp_pack_bytes(out, request->wrapped);
    return rp_buf_err(out);
}

rp_err rp_lease_request_unpack(rp_view message, struct rp_lease_request *ret_request) {
    struct rp_unpack in = rp_unpack_new(message);
    struct rp_lease_request request;
    request.tenant = rp_unpack_id(&in);
    request.wrapped = rp_unpack_bytes(&in, RP_WRAPPED_MAX);
    RP_TRY(rp_unpack_end(&in));
    if (rp_id_is_none(request.tenant)) {
        return RP_ERR(INVALID);
    }
    *ret_request = request;
    return RP_OK;
}

rp_err rp_lease_reply_pack(uint64_t lease, uint32_t seconds, const struct rp_secret *key,
                           struct rp_buf *out) {
    uint8_t bytes[RP_TENANT_KEY];
    RP_ASSERT(rp_secret_size(key) == sizeof bytes);
    rp_pack_u64(out, lease);
    rp_pack_u32(out, seconds);
    rp_secret_reveal(key, bytes, sizeof bytes);
    rp_pack_bytes(out, rp_view_of(bytes, sizeof bytes));
    rp_wipe(bytes, sizeof bytes);
    return rp_buf_err(out);
}

rp_err rp_lease_reply_unpack(rp_view message, struct rp_lease_reply *ret_reply) {
    struct rp_unpack in = rp_unpack_new(message);
    struct rp_lease_reply reply;
    reply.lease = rp_unpack_u64(&in);
    reply.seconds = rp_unpack_u32(&in);
    reply.key = rp_unpack_bytes(&in, RP_TENANT_KEY);
    RP_TRY(rp_unpack_end(&in));
    if (reply.lease == 0 || reply.key.n != RP_TENANT_KEY) {
        return RP_ERR(PROTOCOL);
    }
    *ret_reply = reply;
    return RP_OK;
}

rp_err rp_lease_reports_pack(const struct rp_lease_report *reports, size_t count,
                             struct rp_buf *out) {
    RP_ASSERT(count <= RP_LEASE_REPORTS_MAX);
    rp_pack_u16(out, (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        rp_pack_u64(out, reports[i].lease);
        rp_pack_u64(out, reports[i].uses);
        rp_pack_u8(out, (uint8_t)reports[i].reason);
    }
    return rp_buf_err(out);
}

rp_err rp_lease_reports_unpack(rp_view message, struct rp_lease_report *reports,
                               size_t *ret_count) {
    struct rp_unpack in = rp_unpack_new(message);
    size_t count = rp_unpack_u16(&in);
    if (count > RP_LEASE_REPORTS_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    for (size_t i = 0; i < count; i++) {
        reports[i].lease = rp_unpack_u64(&in);
        reports[i].uses = rp_unpack_u64(&in);
        uint8_t reason = rp_unpack_u8(&in);
        if (reason >= RP_LEASE_END_COUNT) {
            return RP_ERR(PROTOCOL);
        }
        reports[i].reason = (enum rp_lease_end)reason;
    }
    RP_TRY(rp_unpack_end(&in));
    *ret_count = count;
    return RP_OK;
}
