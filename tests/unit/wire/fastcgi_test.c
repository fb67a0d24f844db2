#include "unit.h"
#include "wire/fastcgi.h"

struct fixture {
    struct rp_arena *arena;
    struct rp_fcgi *reader;
    struct rp_buf wire;
};

static int up(void **state) {
    struct fixture *f = test_calloc(1, sizeof *f);
    f->arena = rp_arena_new(1 << 20);
    f->reader = rp_fcgi_new((struct rp_fcgi_limits){.params_max = 4096, .body_max = 300000});
    f->wire = rp_buf_new(1 << 20);
    *state = f;
    return 0;
}

static int down(void **state) {
    struct fixture *f = *state;
    rp_arena_free(f->arena);
    rp_fcgi_free(f->reader);
    rp_buf_done(&f->wire);
    test_free(f);
    return 0;
}

/* Feeds at most `step` bytes at a time until a request stands; fails when none does. */
static struct rp_fcgi_request *feed(struct fixture *f, rp_view *bytes, size_t step) {
    struct rp_fcgi_request *request = NULL;
    while (bytes->n > 0 && !request) {
        size_t used = 0;
        rp_view part = rp_view_sub(*bytes, 0, step);
        assert_ok(rp_fcgi_feed(f->reader, part, f->arena, &used, &request));
        assert_true(request || used == part.n);
        *bytes = rp_view_from(*bytes, used);
    }
    assert_non_null(request);
    return request;
}

static const struct rp_fcgi_param params[] = {
    {RP_VIEW_INIT("REQUEST_METHOD"), RP_VIEW_INIT("POST")},
    {RP_VIEW_INIT("EMPTY"), RP_VIEW_INIT("")},
    {RP_VIEW_INIT("REQUEST_URI"),
     RP_VIEW_INIT("/a-path-that-is-longer-than-one-hundred-and-twenty-seven-bytes-so-that-its-"
                  "length-needs-the-four-byte-form-of-the-specification?x=1")}};

static void requests_in_pieces_of_any_size(void **state) {
    struct fixture *f = *state;
    uint8_t *body = test_calloc(1, 200000); /* four STDIN records */
    for (size_t i = 0; i < 200000; i++) {
        body[i] = (uint8_t)(i * 7);
    }
    static const size_t steps[] = {1, 7, 8, 9, 4096, 1 << 20};
    for (size_t i = 0; i < 6; i++) {
        size_t body_n = steps[i] == 1 ? 100 : 200000;
        rp_buf_clear(&f->wire);
        rp_fcgi_print_request(&f->wire, params, 3, rp_view_of(body, body_n));
        rp_view bytes = rp_buf_view(&f->wire);
        struct rp_fcgi_request *request = feed(f, &bytes, steps[i]);
        assert_int_equal(bytes.n, 0);
        assert_true(request->keep_connection);
        assert_false(request->too_large);
        assert_int_equal(request->id, 1);
        assert_int_equal(request->param_count, 3);
        assert_view(rp_fcgi_param(request, "REQUEST_METHOD"), "POST");
        assert_non_null(rp_fcgi_param(request, "EMPTY").p);
        assert_null(rp_fcgi_param(request, "ABSENT").p);
        assert_view_equal(rp_fcgi_param(request, "REQUEST_URI"), params[2].value);
        assert_view_equal(request->body, rp_view_of(body, body_n));
        rp_arena_reset(f->arena);
    }
    test_free(body);
}

static bool always(const struct rp_fcgi_request *request) {
    return rp_view_equal(rp_fcgi_param(request, "REQUEST_METHOD"), RP_VIEW("POST"));
}

/* The request stands before its body; the body comes in pieces, cut wherever they are full. */
static void a_streamed_body_in_pieces_of_any_size(void **state) {
    struct fixture *f = *state;
    struct rp_fcgi *reader =
        rp_fcgi_new((struct rp_fcgi_limits){.params_max = 4096, .body_max = 10, .streams = always});
    uint8_t *body = test_calloc(1, 200000);
    for (size_t i = 0; i < 200000; i++) {
        body[i] = (uint8_t)(i * 11);
    }
    static const size_t steps[] = {1, 9, 4096, 1 << 20};
    static const size_t pieces[] = {1, 1000, 65528, 300000};
    for (size_t i = 0; i < 16; i++) {
        size_t step = steps[i % 4], piece_max = pieces[i / 4], got = 0;
        size_t body_n = step == 1 || piece_max == 1 ? 300 : 200000;
        struct rp_buf piece = rp_buf_new(piece_max);
        bool ended = false;
        rp_buf_clear(&f->wire);
        rp_fcgi_print_request(&f->wire, params, 3, rp_view_of(body, body_n));
        rp_fcgi_print_request(&f->wire, params, 3, RP_VIEW("")); /* the next one stands behind it */
        rp_view bytes = rp_buf_view(&f->wire);
        struct rp_fcgi_request *request = NULL;
        while (!request) {
            size_t used = 0;
            assert_ok(rp_fcgi_feed(reader, rp_view_sub(bytes, 0, step), f->arena, &used, &request));
            bytes = rp_view_from(bytes, used);
        }
        assert_true(request->streamed);
        while (!ended) {
            size_t used = 0;
            assert_ok(
                rp_fcgi_feed_body(reader, rp_view_sub(bytes, 0, step), &piece, &used, &ended));
            bytes = rp_view_from(bytes, used);
            if (ended || piece.n == piece_max) {
                assert_view_equal(rp_buf_view(&piece), rp_view_of(body + got, piece.n));
                got += piece.n;
                rp_buf_clear(&piece);
            }
        }
        assert_int_equal(got, body_n);
        request = NULL;
        while (!request) {
            size_t used = 0;
            assert_ok(rp_fcgi_feed(reader, rp_view_sub(bytes, 0, step), f->arena, &used, &request));
            bytes = rp_view_from(bytes, used);
        }
        while (!ended || bytes.n > 0) { /* a body that nobody wants */
            size_t used = 0;
            assert_ok(rp_fcgi_feed_body(reader, bytes, NULL, &used, &ended));
            bytes = rp_view_from(bytes, used);
        }
        rp_buf_done(&piece);
        rp_arena_reset(f->arena);
    }
    rp_fcgi_free(reader);
    test_free(body);
}

static void two_requests_in_one_piece(void **state) {
    struct fixture *f = *state;
    rp_fcgi_print_request(&f->wire, params, 1, RP_VIEW("one"));
    rp_fcgi_print_request(&f->wire, params, 3, RP_VIEW(""));
    rp_view bytes = rp_buf_view(&f->wire);
    struct rp_fcgi_request *first = feed(f, &bytes, bytes.n);
    struct rp_fcgi_request *second = feed(f, &bytes, bytes.n);
    assert_view(first->body, "one");
    assert_int_equal(second->param_count, 3);
    assert_int_equal(second->body.n, 0);
    assert_int_equal(bytes.n, 0);
}

/* What nginx 1.22 sends for `GET /?x` with one long parameter cut between two PARAMS records. */
static void params_span_records(void **state) {
    struct fixture *f = *state;
    rp_view bytes = unit_hex("0101000100080000"
                             "0001000000000000" /* no KEEP_CONN */
                             "0104000100050300"
                             "0303414243"
                             "000000"
                             "0104000100030500"
                             "646566"
                             "0000000000"
                             "0104000100000000"
                             "0105000100000000");
    struct rp_fcgi_request *request = feed(f, &bytes, bytes.n);
    assert_false(request->keep_connection);
    assert_int_equal(request->param_count, 1);
    assert_view(rp_fcgi_param(request, "ABC"), "def");
}

static void over_a_limit_the_connection_goes_on(void **state) {
    struct fixture *f = *state;
    uint8_t *large = test_calloc(1, 300001);
    rp_fcgi_print_request(&f->wire, params, 3, rp_view_of(large, 300001));
    struct rp_fcgi_param huge = {RP_VIEW("NAME"), rp_view_of(large, 5000)};
    rp_fcgi_print_request(&f->wire, &huge, 1, RP_VIEW("body"));
    rp_fcgi_print_request(&f->wire, params, 3, RP_VIEW("after"));
    rp_view bytes = rp_buf_view(&f->wire);
    struct rp_fcgi_request *request = feed(f, &bytes, 1000);
    assert_true(request->too_large);
    assert_int_equal(request->param_count, 3);
    assert_int_equal(request->body.n, 0);
    request = feed(f, &bytes, 1000);
    assert_true(request->too_large);
    request = feed(f, &bytes, 1000);
    assert_false(request->too_large);
    assert_view(request->body, "after");
    test_free(large);
}

static void a_full_arena_is_too_large(void **state) {
    struct fixture *f = *state;
    struct rp_arena *small = rp_arena_new(300);
    rp_fcgi_print_request(&f->wire, params, 3, RP_VIEW("0123456789"));
    size_t used = 0;
    struct rp_fcgi_request *request = NULL;
    assert_ok(rp_fcgi_feed(f->reader, rp_buf_view(&f->wire), small, &used, &request));
    assert_non_null(request);
    assert_true(request->too_large);
    rp_arena_free(small);
}

static void against_the_protocol(void **state) {
    struct fixture *f = *state;
    static const char *const bad[] = {
        "0201000100080000",                                 /* version 2 */
        "0101000000080000",                                 /* id 0 */
        "0109000000000000",                                 /* GET_VALUES */
        "0104000100000000",                                 /* PARAMS before BEGIN_REQUEST */
        "0101000100070000",                                 /* a short BEGIN_REQUEST */
        "01010001000800000002000000000000",                 /* role AUTHORIZER */
        "010100010008000000010000000000000101000100080000", /* begun twice */
        "010100010008000000010000000000000104000200000000", /* another id */
        "010100010008000000010000000000000105000100000000", /* STDIN before the end of PARAMS */
        "010100010008000000010000000000000102000100000000", /* ABORT_REQUEST */
        "0101000100080000000100000000000001040001000000000104000100000000", /* PARAMS after end */
        /* A pair whose value is cut off by the end of the stream; lengths that are cut off. */
        "010100010008000000010000000000000104000100030000010241010400010000000001050001000000"
        "00",
        "01010001000800000001000000000000010400010002000001800104000100000000010500010000000"
        "0",
        "01010001000800000001000000000000010400010001000001010400010000000001050001000000"
        "00",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t used = 99;
        struct rp_fcgi_request *request = NULL;
        struct rp_fcgi *reader =
            rp_fcgi_new((struct rp_fcgi_limits){.params_max = 100, .body_max = 100});
        rp_err err = rp_fcgi_feed(reader, unit_hex(bad[i]), f->arena, &used, &request);
        if (!rp_is(err, RP_E_PROTOCOL)) {
            fail_msg("row %zu: %s", i, rp_err_name(err));
        }
        assert_null(request);
        assert_int_equal(used, 99);
        rp_fcgi_free(reader);
    }
}

static void responses_both_ways(void **state) {
    struct fixture *f = *state;
    uint8_t *page = test_calloc(1, 150000);
    memset(page, 'p', 150000);
    rp_fcgi_print_response(&f->wire, 1, rp_view_of(page, 150000));
    struct rp_buf pending = rp_buf_new(100000);
    struct rp_buf output = rp_buf_new(150000);
    bool done = false;
    rp_view rest = rp_buf_view(&f->wire);
    while (!done) {
        assert_true(rest.n > 0);
        rp_buf_add(&pending, rp_view_sub(rest, 0, 999));
        rest = rp_view_from(rest, rest.n < 999 ? rest.n : 999);
        size_t used = 0;
        assert_ok(rp_fcgi_feed_response(rp_buf_view(&pending), &output, &used, &done));
        rp_buf_consume(&pending, used);
    }
    assert_int_equal(rest.n, 0);
    assert_int_equal(pending.n, 0);
    assert_view_equal(rp_buf_view(&output), rp_view_of(page, 150000));
    rp_buf_done(&pending);
    rp_buf_done(&output);
    test_free(page);
}

static void responses_refused(void **state) {
    (void)state;
    struct rp_buf output = rp_buf_new(4);
    size_t used = 0;
    bool done = false;
    /* Overloaded; a request's record; more output than wanted. */
    assert_err(
        rp_fcgi_feed_response(unit_hex("01030001000800000000000002000000"), &output, &used, &done),
        PROTOCOL);
    assert_err(rp_fcgi_feed_response(unit_hex("0104000100000000"), &output, &used, &done),
               PROTOCOL);
    assert_err(rp_fcgi_feed_response(unit_hex("01060001000500004142434445"), &output, &used, &done),
               TOO_LARGE);
    assert_false(done);
    rp_buf_done(&output);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(requests_in_pieces_of_any_size, up, down),
        cmocka_unit_test_setup_teardown(a_streamed_body_in_pieces_of_any_size, up, down),
        cmocka_unit_test_setup_teardown(two_requests_in_one_piece, up, down),
        cmocka_unit_test_setup_teardown(params_span_records, up, down),
        cmocka_unit_test_setup_teardown(over_a_limit_the_connection_goes_on, up, down),
        cmocka_unit_test_setup_teardown(a_full_arena_is_too_large, up, down),
        cmocka_unit_test_setup_teardown(against_the_protocol, up, down),
        cmocka_unit_test_setup_teardown(responses_both_ways, up, down),
        cmocka_unit_test(responses_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
