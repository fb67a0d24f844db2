/* A raw request that a server would take reads back the same after printing; a response has a
 * status; every request of a regression test has an answer. */
#include "fuzz.h"
#include "waf_test.h"

static void check_headers(const struct waf_message *message) {
    FUZZ_CHECK(message->header_count <= WAF_HEADERS_MAX);
    for (size_t i = 0; i < message->header_count; i++) {
        FUZZ_CHECK(message->headers[i].name.n == 0 || message->headers[i].name.p != NULL);
    }
}

static void print(const struct waf_message *message, struct rp_buf *out) {
    rp_buf_add(out, message->method);
    rp_buf_add_byte(out, ' ');
    rp_buf_add(out, message->uri);
    rp_buf_add_byte(out, ' ');
    rp_buf_add(out, message->protocol);
    rp_buf_add_cstr(out, "\r\n");
    for (size_t i = 0; i < message->header_count; i++) {
        rp_buf_add(out, message->headers[i].name);
        rp_buf_add_cstr(out, ": ");
        rp_buf_add(out, message->headers[i].value);
        rp_buf_add_cstr(out, "\r\n");
    }
    rp_buf_add_cstr(out, "\r\n");
    rp_buf_add(out, message->body);
}

static void check_request(rp_view raw, struct rp_arena *arena) {
    struct waf_message message, again;
    if (!rp_ok(waf_read_request(raw, arena, &message))) {
        return;
    }
    check_headers(&message);
    bool whole = !message.malformed && message.protocol.n > 0 &&
                 !waf_header_of(&message, "Transfer-Encoding").p;
    if (!whole) {
        return;
    }
    struct rp_buf printed = rp_buf_new(2 * raw.n + 16 * WAF_HEADERS_MAX);
    print(&message, &printed);
    FUZZ_CHECK(rp_ok(rp_buf_err(&printed)));
    FUZZ_CHECK(rp_ok(waf_read_request(rp_buf_view(&printed), arena, &again)));
    FUZZ_CHECK(!again.malformed && again.header_count == message.header_count);
    FUZZ_CHECK(rp_view_equal(again.method, message.method) &&
               rp_view_equal(again.uri, message.uri) && rp_view_equal(again.body, message.body));
    for (size_t i = 0; i < message.header_count; i++) {
        FUZZ_CHECK(rp_view_equal(again.headers[i].name, message.headers[i].name));
        FUZZ_CHECK(rp_view_equal(again.headers[i].value, message.headers[i].value));
    }
    rp_buf_done(&printed);
}

static void check_response(rp_view raw, struct rp_arena *arena) {
    struct waf_message message;
    if (rp_ok(waf_read_response(raw, arena, &message))) {
        check_headers(&message);
        FUZZ_CHECK(message.status >= 100 && message.status <= 999);
    }
}

static void check_tests(rp_view text, struct rp_arena *arena) {
    struct waf_test_file file;
    struct rp_diag diag = {0};
    if (!rp_ok(waf_test_read(text, arena, &file, &diag))) {
        return;
    }
    for (size_t i = 0; i < file.test_count; i++) {
        for (size_t j = 0; j < file.tests[i].stage_count; j++) {
            const struct waf_stage *stage = &file.tests[i].stages[j];
            struct waf_message answer;
            check_headers(&stage->request);
            if (rp_ok(waf_test_answer(stage, arena, &answer))) {
                check_headers(&answer);
                FUZZ_CHECK(answer.status >= 100 && answer.status <= 999);
                struct waf_stage followed;
                if (rp_ok(waf_test_follow(stage, waf_header_of(&answer, "Location"), arena,
                                          &followed))) {
                    check_headers(&followed.request);
                }
            }
        }
    }
}

/* The first byte says what the rest is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n == 0) {
        return 0;
    }
    rp_view rest = rp_view_of(data + 1, n - 1);
    struct rp_arena *arena = rp_arena_new(16 << 20);
    if (data[0] == 'q') {
        check_request(rest, arena);
    } else if (data[0] == 'a') {
        check_response(rest, arena);
    } else {
        check_tests(rest, arena);
    }
    rp_arena_free(arena);
    return 0;
}
