#include "ipc/pack.h"

#include "base/assert.h"

/* Appends the low `bytes` bytes of value, most significant first. */
static void pack_number(struct rp_buf *buf, uint64_t value, size_t bytes) {
    RP_ASSERT(bytes <= sizeof value);
    uint8_t *out = rp_buf_extend(buf, bytes);
    for (size_t i = 0; out && i < bytes; i++) {
        out[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    }
}

void rp_pack_u8(struct rp_buf *buf, uint8_t value) {
    pack_number(buf, value, 1);
}

void rp_pack_u16(struct rp_buf *buf, uint16_t value) {
    pack_number(buf, value, 2);
}

void rp_pack_u32(struct rp_buf *buf, uint32_t value) {
    pack_number(buf, value, 4);
}

void rp_pack_u64(struct rp_buf *buf, uint64_t value) {
    pack_number(buf, value, 8);
}

void rp_pack_id(struct rp_buf *buf, rp_id id) {
    rp_buf_add(buf, rp_view_of(id.b, sizeof id.b));
}

void rp_pack_bytes(struct rp_buf *buf, rp_view v) {
    if (v.n > UINT32_MAX) {
        buf->failed = true; /* no message is that long; the caller sees TOO_LARGE */
        return;
    }
    rp_pack_u32(buf, (uint32_t)v.n);
    rp_buf_add(buf, v);
}

struct rp_unpack rp_unpack_new(rp_view message) {
    return (struct rp_unpack){.rest = message};
}

/* The next n bytes; fails, and stays failed, when they are not there. */
static rp_view take(struct rp_unpack *in, size_t n) {
    if (in->failed || n > in->rest.n) {
        in->failed = true;
        return (rp_view){NULL, 0};
    }
    rp_view taken = rp_view_of(in->rest.p, n);
    in->rest = rp_view_from(in->rest, n);
    return taken;
}

static uint64_t unpack_number(struct rp_unpack *in, size_t bytes) {
    RP_ASSERT(bytes <= sizeof(uint64_t));
    rp_view v = take(in, bytes);
    uint64_t value = 0;
    for (size_t i = 0; i < v.n; i++) {
        value = value << 8 | v.p[i];
    }
    return value;
}

uint8_t rp_unpack_u8(struct rp_unpack *in) {
    return (uint8_t)unpack_number(in, 1);
}

uint16_t rp_unpack_u16(struct rp_unpack *in) {
    return (uint16_t)unpack_number(in, 2);
}

uint32_t rp_unpack_u32(struct rp_unpack *in) {
    return (uint32_t)unpack_number(in, 4);
}

uint64_t rp_unpack_u64(struct rp_unpack *in) {
    return unpack_number(in, 8);
}

rp_id rp_unpack_id(struct rp_unpack *in) {
    rp_id id = {0};
    rp_view v = take(in, sizeof id.b);
    if (v.n == sizeof id.b) {
        memcpy(id.b, v.p, sizeof id.b);
    }
    return id;
}

rp_view rp_unpack_bytes(struct rp_unpack *in, size_t max) {
    size_t n = rp_unpack_u32(in);
    if (n > max) {
        in->failed = true;
    }
    return take(in, n);
}

rp_err rp_unpack_end(const struct rp_unpack *in) {
    return in->failed || in->rest.n != 0 ? RP_ERR(PROTOCOL) : RP_OK;
}
