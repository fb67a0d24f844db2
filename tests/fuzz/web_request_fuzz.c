/* Any bytes as FastCGI, through the router and every handler that needs nobody behind it: each
 * request ends in one well-formed answer, and no answer leads to another site. */
#include "fuzz.h"
#include "web/router.h"

static int64_t stand_still(void *ctx) {
    (void)ctx;
    return 1800000000000000000;
}

static void count_up(void *ctx, uint8_t *out, size_t n) {
    (void)ctx;
    for (size_t i = 0; i < n; i++) {
        out[i] = (uint8_t)i;
    }
}

/* Head lines end in CRLF, hold no other control character, and lead to local paths only. */
static void check_heads(rp_view heads) {
    while (heads.n > 0) {
        size_t end = rp_view_find(heads, RP_VIEW("\r\n"));
        FUZZ_CHECK(end < heads.n);
        rp_view line = rp_view_sub(heads, 0, end);
        for (size_t i = 0; i < line.n; i++) {
            FUZZ_CHECK(line.p[i] >= 32 && line.p[i] != 127);
        }
        FUZZ_CHECK(rp_view_find(line, RP_VIEW(": ")) < line.n);
        if (rp_view_starts(line, RP_VIEW("Location: "))) {
            rp_view path = rp_view_from(line, 10);
            FUZZ_CHECK(rp_view_starts(path, RP_VIEW("/")) && !rp_view_starts(path, RP_VIEW("//")));
        }
        heads = rp_view_from(heads, end + 2);
    }
}

static void check_answer(const struct rp_request *request) {
    struct rp_buf out = rp_buf_new(RP_BODY_MAX * 2);
    FUZZ_CHECK(rp_ok(rp_response_print(&request->response, &out)));
    rp_view text = rp_buf_view(&out);
    size_t head = rp_view_find(text, RP_VIEW("\r\n\r\n"));
    FUZZ_CHECK(head < text.n);
    check_heads(rp_view_sub(text, 0, head + 2));
    FUZZ_CHECK(rp_view_find(text, RP_VIEW("Content-Security-Policy: ")) < head);
    rp_buf_done(&out);
}

static void run(struct rp_web *web, const struct rp_fcgi_request *fcgi, struct rp_arena *arena) {
    struct rp_request request = {.from_cli = false};
    uint64_t key;
    if (rp_web_accept(&request, web, fcgi, arena, &key)) {
        FUZZ_CHECK(rp_web_run(&request, NULL) == RP_NEXT_DONE);
    }
    check_answer(&request);
    rp_request_done(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rp_arena *arena = rp_arena_new(4 << 20);
    struct rp_config config;
    struct rp_promises none = {0};
    FUZZ_CHECK(arena != NULL && rp_ok(rp_config_default(arena, &config)));
    struct rp_web web = {
        .env = {.now_ns = stand_still, .monotonic_ns = stand_still, .fill_random = count_up},
        .config = &config,
        .promises = &none,
        .style_path = "/.rempart/id/style-00.css"};
    struct rp_fcgi *reader =
        rp_fcgi_new((struct rp_fcgi_limits){.params_max = 4096, .body_max = 4096});
    rp_view rest = rp_view_of(data, size);
    while (rest.n > 0) {
        size_t used = 0;
        struct rp_fcgi_request *request = NULL;
        if (!rp_ok(rp_fcgi_feed(reader, rest, arena, &used, &request)) || used == 0) {
            break;
        }
        rest = rp_view_from(rest, used);
        if (request) {
            run(&web, request, arena);
        }
    }
    rp_fcgi_free(reader);
    rp_arena_free(arena);
    return 0;
}
