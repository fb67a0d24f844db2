#include "inflate.h"

#define ZLIB_CONST
#include <zlib.h>

#include "base/assert.h"
#include "base/checked.h"

enum { PIECE = 16384, ANY_HEAD = 15 + 32, NO_HEAD = -15 };

struct judge_inflate {
    z_stream stream;
    struct rp_arena *arena;
    uint64_t given; /* bytes in all */
    bool begun;     /* anything was read */
    bool over;
    uint8_t piece[PIECE];
};

/* ---- codings ---- */

bool judge_coding_is_read(rp_view coding) {
    static const rp_view names[] = {RP_VIEW_INIT("gzip"), RP_VIEW_INIT("x-gzip"),
                                    RP_VIEW_INIT("deflate")};
    for (size_t i = 0; i < RP_COUNT_OF(names); i++) {
        if (rp_view_equal_nocase(rp_view_trim(coding), names[i])) {
            return true;
        }
    }
    return false;
}

static bool is_kept(rp_view element) {
    rp_view name = rp_view_trim(rp_view_sub(element, 0, rp_view_find_byte(element, ';')));
    return judge_coding_is_read(name) || rp_view_equal_nocase(name, RP_VIEW("identity"));
}

rp_err judge_codings_read(rp_view accept, struct rp_arena *arena, rp_view *ret_accept) {
    uint8_t *out = rp_arena_alloc(arena, accept.n + 1);
    size_t n = 0;
    if (!out) {
        return RP_ERR(TOO_LARGE);
    }
    for (rp_view rest = accept; rest.n > 0;) {
        rp_view element = rp_view_trim(rp_view_cut(&rest, ','));
        if (element.n > 0 && is_kept(element)) {
            if (n > 0) {
                out[n++] = ',';
            }
            memcpy(out + n, element.p, element.n);
            n += element.n;
        }
    }
    *ret_accept = n > 0 ? rp_view_of(out, n) : RP_VIEW("identity");
    return RP_OK;
}

/* ---- zlib ---- */

static void *take_memory(void *ctx, unsigned count, unsigned size) {
    return rp_arena_array(ctx, count, size);
}

static void keep_memory(void *ctx, void *memory) { /* it goes with the arena */
    (void)ctx;
    (void)memory;
}

struct judge_inflate *judge_inflate_new(struct rp_arena *arena) {
    struct judge_inflate *inflate = rp_arena_alloc(arena, sizeof *inflate);
    if (!inflate) {
        return NULL;
    }
    inflate->arena = arena;
    inflate->stream =
        (z_stream){.zalloc = take_memory, .zfree = keep_memory, .opaque = (voidpf)arena};
    return inflateInit2(&inflate->stream, ANY_HEAD) == Z_OK ? inflate : NULL;
}

bool judge_inflate_is_over(const struct judge_inflate *inflate) {
    return inflate->over;
}

/* What zlib says becomes: go on, or over. A gzip file may have several parts. */
static void settle(struct judge_inflate *inflate, int said, bool first) {
    z_stream *stream = &inflate->stream;
    if (said == Z_STREAM_END) {
        inflate->over = stream->avail_in == 0 || inflateReset2(stream, ANY_HEAD) != Z_OK;
        return;
    }
    if (said == Z_DATA_ERROR && first) { /* deflate without its head: from the beginning */
        inflate->over = inflateReset2(stream, NO_HEAD) != Z_OK;
        return;
    }
    inflate->over = said != Z_OK && said != Z_BUF_ERROR;
}

/* One step; false when there is no more to come of this chunk. */
static bool step(struct judge_inflate *in, rp_view chunk) {
    z_stream *stream = &in->stream;
    bool first = !in->begun;
    stream->next_out = in->piece;
    stream->avail_out = sizeof in->piece;
    int said = inflate(stream, Z_NO_FLUSH);
    settle(in, said, first);
    if (first && said == Z_DATA_ERROR && !in->over) {
        stream->next_in = chunk.p;
        stream->avail_in = (unsigned)chunk.n;
        in->begun = true;
        return true;
    }
    in->begun = true;
    return !in->over && (stream->avail_in > 0 || stream->avail_out == 0);
}

rp_err judge_inflate_feed(struct judge_inflate *inflate, rp_view chunk, uint64_t most,
                          rp_err (*take)(void *ctx, rp_view piece), void *ctx) {
    z_stream *stream = &inflate->stream;
    bool more = chunk.n > 0 && chunk.n <= UINT32_MAX && !inflate->over;
    stream->next_in = chunk.p;
    stream->avail_in = (unsigned)chunk.n;
    while (more && inflate->given < most) {
        more = step(inflate, chunk);
        size_t n = sizeof inflate->piece - stream->avail_out;
        n = (size_t)RP_MIN((uint64_t)n, most - inflate->given);
        inflate->given += n;
        if (n > 0) {
            RP_TRY(take(ctx, rp_view_of(inflate->piece, n)));
        }
    }
    inflate->over = inflate->over || inflate->given >= most;
    return RP_OK;
}
