/* waf_test_answer.c — the back end that the Core Rule Set's tests count on, without a network.
 *
 * CRS 4 sends POST /reflect with {"status":…,"headers":{…},"body":"…"} or "encodedBody" and expects
 * exactly that answer; the tests' third format says the same beside the request (`response`).
 * Everything else is answered by 200 and, as an echo does, nothing of note.
 */
#include "base/assert.h"
#include "waf_test.h"
#include "wire/encode.h"

enum { DEPTH_MAX = 8, ITEMS_MAX = 4096 };

static rp_err add_headers(const struct rp_json *headers, struct waf_message *response) {
    for (const struct rp_json *one = headers ? headers->first : NULL; one; one = one->next) {
        if (response->header_count == WAF_HEADERS_MAX) {
            return RP_ERR(TOO_LARGE);
        }
        response->headers[response->header_count++] =
            (struct waf_header){.name = one->key, .value = one->string};
    }
    return RP_OK;
}

static rp_err reflect(const struct rp_json *wish, struct rp_arena *arena,
                      struct waf_message *response) {
    uint64_t status = 200;
    if (rp_json_get_u64(wish, "status", &status) && status >= 100 && status <= 999) {
        response->status = (unsigned)status;
    }
    RP_TRY(add_headers(rp_json_get(wish, "headers"), response));
    rp_view encoded = rp_json_get_string(wish, "encodedBody");
    if (encoded.n > 0) {
        return rp_base64_decode(encoded, arena, &response->body);
    }
    response->body = rp_json_get_string(wish, "body");
    return RP_OK;
}

/* What the test says beside the request. */
static rp_err as_told(const struct waf_message *told, struct waf_message *response) {
    if (told->header_count >= WAF_HEADERS_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    for (size_t i = 0; i < told->header_count; i++) {
        response->headers[i] = told->headers[i];
    }
    response->header_count = told->header_count;
    response->status = told->status;
    response->body = told->body;
    return RP_OK;
}

rp_err waf_test_answer(const struct waf_stage *stage, struct rp_arena *arena,
                       struct waf_message *ret_response) {
    const struct waf_message *request = &stage->request;
    struct waf_message response = {
        .status = 200,
        .protocol = RP_VIEW("HTTP/1.1"),
        .headers = rp_arena_array(arena, WAF_HEADERS_MAX + 1, sizeof *response.headers)};
    const struct rp_json_limits limits = {.depth_max = DEPTH_MAX, .count_max = ITEMS_MAX};
    struct rp_json *wish = NULL;
    if (!response.headers) {
        return RP_ERR(TOO_LARGE);
    }
    if (stage->response.status != 0) {
        RP_TRY(as_told(&stage->response, &response));
    } else if (rp_view_starts(request->uri, RP_VIEW("/reflect")) && request->body.n > 0 &&
               rp_ok(rp_json_parse(request->body, limits, arena, &wish, NULL))) {
        RP_TRY(reflect(wish, arena, &response));
    }
    if (!waf_header_of(&response, "Content-Type").p) {
        response.headers[response.header_count++] =
            (struct waf_header){RP_VIEW("Content-Type"), RP_VIEW("text/plain")};
    }
    *ret_response = response;
    return RP_OK;
}
