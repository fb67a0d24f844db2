#include "judge/inflate.h"

#include <zlib.h>

#include "base/buf.h"
#include "base/checked.h"
#include "unit.h"

enum { ANSWER = 60000 };

static rp_err add(void *ctx, rp_view piece) {
    rp_buf_add(ctx, piece);
    return rp_buf_err(ctx);
}

/* wrap: 15 zlib, 31 gzip, -15 nothing. */
static rp_view packed(rp_view plain, int wrap, uint8_t *out, size_t room) {
    z_stream stream = {0};
    static uint8_t in[ANSWER];
    memcpy(in, plain.p, plain.n);
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, wrap, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = in;
    stream.avail_in = (unsigned)plain.n;
    stream.next_out = out;
    stream.avail_out = (unsigned)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t n = room - stream.avail_out;
    deflateEnd(&stream);
    return rp_view_of(out, n);
}

/* What a stream unfolds to when it comes in pieces of that size. */
static void unfolds(rp_view stream, size_t piece, uint64_t most, rp_view want) {
    struct rp_arena *arena = rp_arena_new(1 << 20);
    struct judge_inflate *inflate = judge_inflate_new(arena);
    struct rp_buf got = rp_buf_new(1 << 20);
    assert_non_null(inflate);
    for (size_t at = 0; at < stream.n; at += piece) {
        rp_view part = rp_view_sub(stream, at, piece);
        assert_ok(judge_inflate_feed(inflate, part, most, add, &got));
    }
    assert_view_equal(rp_buf_view(&got), want);
    rp_buf_done(&got);
    rp_arena_free(arena);
}

static void answers_are_read_however_they_come(void **state) {
    static uint8_t plain[ANSWER], room[ANSWER];
    static const int wraps[] = {15, 31, -15};
    (void)state;
    for (size_t i = 0; i < sizeof plain; i++) {
        plain[i] = (uint8_t)((size_t)(uint8_t) "ORA-00942 <p>"[i % 13] + i / 997 % 3);
    }
    rp_view all = rp_view_of(plain, sizeof plain);
    for (size_t w = 0; w < RP_COUNT_OF(wraps); w++) {
        rp_view stream = packed(all, wraps[w], room, sizeof room);
        static const size_t pieces[] = {2, 7, 1000, ANSWER};
        for (size_t i = 0; i < RP_COUNT_OF(pieces); i++) {
            unfolds(stream, pieces[i], UINT64_MAX, all);
            unfolds(stream, pieces[i], 30001, rp_view_sub(all, 0, 30001));
        }
    }
}

static void parts_follow_each_other_and_damage_ends_it(void **state) {
    uint8_t room[512];
    (void)state;
    rp_view one = packed(RP_VIEW("first "), 31, room, sizeof room);
    rp_view two = packed(RP_VIEW("second"), 31, room + one.n, sizeof room - one.n);
    unfolds(rp_view_of(room, one.n + two.n), 512, UINT64_MAX, RP_VIEW("first second"));
    unfolds(rp_view_of(room, one.n), 512, UINT64_MAX, RP_VIEW("first "));
    unfolds(RP_VIEW("no stream at all, but text"), 64, UINT64_MAX, RP_VIEW(""));
    room[one.n - 6] ^= 1; /* its checksum */
    unfolds(rp_view_of(room, one.n + two.n), 512, UINT64_MAX, RP_VIEW("first "));
}

static void codings_that_cannot_be_read_are_not_asked_for(void **state) {
    static const struct {
        const char *said, *asked;
    } rows[] = {
        {"gzip, deflate, br, zstd", "gzip,deflate"},
        {"br", "identity"},
        {"*", "identity"},
        {"", "identity"},
        {"br;q=1.0, GZIP;q=0.8, *;q=0.1", "GZIP;q=0.8"},
        {"identity;q=0.5,,x-gzip ;q=1", "identity;q=0.5,x-gzip ;q=1"},
    };
    (void)state;
    struct rp_arena *arena = rp_arena_new(1 << 16);
    for (size_t i = 0; i < RP_COUNT_OF(rows); i++) {
        rp_view asked;
        assert_ok(judge_codings_read(rp_view_from_cstr(rows[i].said), arena, &asked));
        assert_view_equal(asked, rp_view_from_cstr(rows[i].asked));
    }
    assert_true(judge_coding_is_read(RP_VIEW(" gzip ")));
    assert_false(judge_coding_is_read(RP_VIEW("gzip, br")));
    rp_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_read_however_they_come),
        cmocka_unit_test(parts_follow_each_other_and_damage_ends_it),
        cmocka_unit_test(codings_that_cannot_be_read_are_not_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
