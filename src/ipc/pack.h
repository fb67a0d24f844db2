/* pack.h — typed fields in a message: big-endian numbers, counted bytes, nothing optional.
 *
 * Packing appends to a buffer (whose maximum is sticky). Unpacking is a cursor with a sticky
 * error: read everything, then ask once whether all was there and nothing was left.
 */
#ifndef RP_IPC_PACK_H
#define RP_IPC_PACK_H

#include "base/buf.h"
#include "base/id.h"

void rp_pack_u8(struct rp_buf *buf, uint8_t value);
void rp_pack_u16(struct rp_buf *buf, uint16_t value);
void rp_pack_u32(struct rp_buf *buf, uint32_t value);
void rp_pack_u64(struct rp_buf *buf, uint64_t value);
void rp_pack_id(struct rp_buf *buf, rp_id id);
void rp_pack_bytes(struct rp_buf *buf, rp_view v); /* u32 count, then the bytes */

struct rp_unpack {
    rp_view rest;
    bool failed;
};

struct rp_unpack rp_unpack_new(rp_view message);
uint8_t rp_unpack_u8(struct rp_unpack *in);
uint16_t rp_unpack_u16(struct rp_unpack *in);
uint32_t rp_unpack_u32(struct rp_unpack *in);
uint64_t rp_unpack_u64(struct rp_unpack *in);
rp_id rp_unpack_id(struct rp_unpack *in);
rp_view rp_unpack_bytes(struct rp_unpack *in, size_t max); /* a view into the message */
/* PROTOCOL unless every read succeeded and nothing is left. */
rp_err rp_unpack_end(const struct rp_unpack *in);

#endif
