/* inflate.h — a compressed answer, read for the rules while it goes on as it came.
 *
 * gzip and deflate (RFC 1950 to 1952), the latter with its head or, as some servers send it,
 * without. Bounded by what the caller still wants to see: a small body that unfolds into a huge one
 * costs no more than any other. Where a stream breaks off or is damaged, what came before counts,
 * and the visitor's browser sees the same. Memory from the arena. Pure but for zlib.
 */
#ifndef RP_EDGE_INFLATE_H
#define RP_EDGE_INFLATE_H

#include "base/arena.h"

/* Content-Encoding: one coding that can be read here. */
bool judge_coding_is_read(rp_view coding);
/* Accept-Encoding without the codings that cannot be read here ("gzip, br;q=1" → "gzip"); what is
 * left of nothing is "identity". TOO_LARGE when the arena is full. */
rp_err judge_codings_read(rp_view accept, struct rp_arena *arena, rp_view *ret_accept);

struct judge_inflate;
/* NULL when the arena is full. */
struct judge_inflate *judge_inflate_new(struct rp_arena *arena);
/* What the chunk unfolds to, piece by piece, until `most` bytes have come in all. Fails as take
 * does. */
rp_err judge_inflate_feed(struct judge_inflate *inflate, rp_view chunk, uint64_t most,
                          rp_err (*take)(void *ctx, rp_view piece), void *ctx);
/* Nothing more will come, whatever is fed. */
bool judge_inflate_is_over(const struct judge_inflate *inflate);

#endif
