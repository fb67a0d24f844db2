/* The machine does not care how the network cut the bytes: fed whole or in small pieces it gives
 * the same requests and the same verdict. A request that is whole reads back after printing. The
 * first byte of the input chooses the size of the pieces. */
#include "fuzz.h"
#include "wire/fastcgi.h"

static const struct rp_fcgi_limits limits = {.params_max = 256, .body_max = 512};

static void same(const struct rp_fcgi_request *a, const struct rp_fcgi_request *b) {
    FUZZ_CHECK(a->too_large == b->too_large);
    FUZZ_CHECK(a->param_count == b->param_count);
    for (size_t i = 0; i < a->param_count; i++) {
        FUZZ_CHECK(rp_view_equal(a->params[i].name, b->params[i].name));
        FUZZ_CHECK(rp_view_equal(a->params[i].value, b->params[i].value));
    }
    FUZZ_CHECK(rp_view_equal(a->body, b->body));
}

/* The next request, in pieces; NULL when the bytes end before it does. */
static rp_err next(struct rp_fcgi *reader, rp_view *bytes, size_t piece, struct rp_arena *arena,
                   struct rp_fcgi_request **ret_request) {
    *ret_request = NULL;
    while (bytes->n > 0 && !*ret_request) {
        size_t used = 0;
        RP_TRY(rp_fcgi_feed(reader, rp_view_sub(*bytes, 0, piece), arena, &used, ret_request));
        FUZZ_CHECK(used > 0);
        *bytes = rp_view_from(*bytes, used);
    }
    return RP_OK;
}

static void round_trip(const struct rp_fcgi_request *request, struct rp_arena *arena) {
    struct rp_buf wire = rp_buf_new(1 << 16);
    struct rp_fcgi *reader = rp_fcgi_new(limits);
    struct rp_fcgi_request *again = NULL;
    rp_fcgi_print_request(&wire, request->params, request->param_count, request->body);
    rp_view bytes = rp_buf_view(&wire);
    FUZZ_CHECK(rp_ok(next(reader, &bytes, bytes.n, arena, &again)));
    FUZZ_CHECK(again != NULL);
    FUZZ_CHECK(bytes.n == 0);
    same(request, again);
    rp_fcgi_free(reader);
    rp_buf_done(&wire);
}

static void whole_and_in_pieces(rp_view bytes, size_t piece, struct rp_arena *arena) {
    struct rp_fcgi *one = rp_fcgi_new(limits);
    struct rp_fcgi *two = rp_fcgi_new(limits);
    rp_view rest_one = bytes;
    rp_view rest_two = bytes;
    struct rp_fcgi_request *a = NULL;
    struct rp_fcgi_request *b = NULL;
    rp_err err;
    do {
        err = next(one, &rest_one, rest_one.n, arena, &a);
        rp_err err_two = next(two, &rest_two, piece, arena, &b);
        FUZZ_CHECK(err.code == err_two.code);
        FUZZ_CHECK(!a == !b);
        if (a && rp_ok(err)) {
            FUZZ_CHECK(rest_one.n == rest_two.n);
            same(a, b);
            if (!a->too_large && a->param_count < 64) {
                round_trip(a, arena);
            }
        }
    } while (rp_ok(err) && a);
    rp_fcgi_free(one);
    rp_fcgi_free(two);
}

static bool streams(const struct rp_fcgi_request *request) {
    return request->param_count % 2 == 1;
}

/* A streamed request and its body are the same however the bytes were cut; piece_max is how much of
 * the body is taken at once. */
static rp_err streamed(rp_view bytes, size_t piece, size_t piece_max, struct rp_arena *arena,
                       struct rp_buf *bodies) {
    struct rp_fcgi_limits with = limits;
    with.streams = streams;
    struct rp_fcgi *reader = rp_fcgi_new(with);
    struct rp_fcgi_request *request = NULL;
    struct rp_buf body = rp_buf_new(piece_max);
    rp_err err = next(reader, &bytes, piece, arena, &request);
    while (rp_ok(err) && request) {
        bool ended = !request->streamed;
        rp_buf_add(bodies, ended ? request->body : RP_VIEW("streamed"));
        while (rp_ok(err) && !ended && bytes.n > 0) {
            size_t used = 0;
            err = rp_fcgi_feed_body(reader, rp_view_sub(bytes, 0, piece), &body, &used, &ended);
            if (rp_ok(err)) {
                FUZZ_CHECK(used > 0);
                bytes = rp_view_from(bytes, used);
                rp_buf_add(bodies, rp_buf_view(&body));
                rp_buf_clear(&body);
            }
        }
        request = NULL;
        if (rp_ok(err) && ended) {
            err = next(reader, &bytes, piece, arena, &request);
        }
    }
    rp_fcgi_free(reader);
    rp_buf_done(&body);
    return err;
}

static void streams_alike(rp_view bytes, size_t piece, struct rp_arena *arena) {
    struct rp_buf one = rp_buf_new(1 << 20), two = rp_buf_new(1 << 20);
    rp_err err = streamed(bytes, bytes.n, 1 << 17, arena, &one);
    rp_err err_two = streamed(bytes, piece, 1 + piece / 2, arena, &two);
    FUZZ_CHECK(err.code == err_two.code);
    FUZZ_CHECK(!rp_ok(err) || rp_view_equal(rp_buf_view(&one), rp_buf_view(&two)));
    rp_buf_done(&one);
    rp_buf_done(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n > 1 && n < 65536) {
        struct rp_arena *arena = rp_arena_new(64 << 20);
        whole_and_in_pieces(rp_view_of(data + 1, n - 1), 1u + data[0] % 31u, arena);
        rp_arena_reset(arena);
        streams_alike(rp_view_of(data + 1, n - 1), 1u + data[0] % 31u, arena);
        rp_arena_free(arena);
    }
    return 0;
}
