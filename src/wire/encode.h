/* encode.h — base64 (RFC 4648 4), base64url without padding (5), base32 without padding (6).
 *
 * Decoding is strict: the canonical text only, no white space, no stray bits. What is INVALID
 * leaves the output as it was.
 */
#ifndef RP_WIRE_ENCODE_H
#define RP_WIRE_ENCODE_H

#include "base/arena.h"
#include "base/buf.h"

void rp_base64_print(struct rp_buf *out, rp_view bytes);
rp_err rp_base64_parse(rp_view text, struct rp_buf *out);
void rp_base64url_print(struct rp_buf *out, rp_view bytes);
rp_err rp_base64url_parse(rp_view text, struct rp_buf *out);
void rp_base32_print(struct rp_buf *out, rp_view bytes);
rp_err rp_base32_parse(rp_view text, struct rp_buf *out);

/* The same two, decoded into an arena. INVALID, TOO_LARGE. */
rp_err rp_base64_decode(rp_view text, struct rp_arena *arena, rp_view *ret_bytes);
rp_err rp_base64url_decode(rp_view text, struct rp_arena *arena, rp_view *ret_bytes);

#endif
