/* A compressed answer gives the same bytes however it is cut, and never more than was asked for. */
#include "base/buf.h"
#include "fuzz.h"
#include "judge/inflate.h"

enum { MOST = 100000 };

static rp_err add(void *ctx, rp_view piece) {
    rp_buf_add(ctx, piece);
    return rp_buf_err(ctx);
}

static void unfold(rp_view stream, size_t first, struct rp_buf *ret_text) {
    struct rp_arena *arena = rp_arena_new(1 << 20);
    struct judge_inflate *inflate = judge_inflate_new(arena);
    FUZZ_CHECK(inflate != NULL);
    FUZZ_CHECK(
        rp_ok(judge_inflate_feed(inflate, rp_view_sub(stream, 0, first), MOST, add, ret_text)));
    FUZZ_CHECK(
        rp_ok(judge_inflate_feed(inflate, rp_view_from(stream, first), MOST, add, ret_text)));
    FUZZ_CHECK(ret_text->n <= MOST);
    rp_arena_free(arena);
}

/* The first byte says where the rest is cut; a head of two bytes stays together. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n < 4) {
        return 0;
    }
    rp_view stream = rp_view_of(data + 1, n - 1);
    size_t cut = 2 + (size_t)data[0] * (stream.n - 2) / 255;
    struct rp_buf whole = rp_buf_new(2 * MOST), parts = rp_buf_new(2 * MOST);
    unfold(stream, stream.n, &whole);
    unfold(stream, cut, &parts);
    FUZZ_CHECK(rp_view_equal(rp_buf_view(&whole), rp_buf_view(&parts)));
    rp_buf_done(&whole);
    rp_buf_done(&parts);

    struct rp_arena *arena = rp_arena_new(1 << 20);
    rp_view once, twice;
    FUZZ_CHECK(rp_ok(judge_codings_read(stream, arena, &once)));
    FUZZ_CHECK(rp_ok(judge_codings_read(once, arena, &twice)));
    FUZZ_CHECK(rp_view_equal(once, twice));
    rp_arena_free(arena);
    return 0;
}
