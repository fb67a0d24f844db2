/* waf_judge.c — one request and its answer through the five phases, as the gate drives them. */
#include <time.h>

#include "base/assert.h"
#include "waf.h"

/* ---- memory of collections ---- */

struct remembered {
    struct remembered *next;
    rp_view key, value;
    int64_t expires_s;
};
struct waf_memory {
    struct rp_arena *arena;
    struct remembered *first;
};

struct waf_memory *waf_memory_new(struct rp_arena *arena) {
    struct waf_memory *memory = rp_arena_alloc(arena, sizeof *memory);
    if (memory) {
        memory->arena = arena;
    }
    return memory;
}

static struct remembered *recall(const struct waf_memory *memory, rp_view key) {
    struct remembered *one = memory->first;
    while (one && !rp_view_equal(one->key, key)) {
        one = one->next;
    }
    return one;
}

static bool get(void *ctx, rp_view key, int64_t now_s, struct rp_arena *arena, rp_view *ret_value) {
    const struct remembered *one = recall(ctx, key);
    (void)arena; /* what is remembered lives longer than any transaction */
    if (!one || (one->expires_s > 0 && one->expires_s <= now_s)) {
        return false;
    }
    *ret_value = one->value;
    return true;
}

static void put(void *ctx, rp_view key, rp_view value, int64_t expires_s) {
    struct waf_memory *memory = ctx;
    struct remembered *one = recall(memory, key);
    if (!one) {
        one = rp_arena_alloc(memory->arena, sizeof *one);
        if (!one || !rp_ok(rp_arena_copy(memory->arena, key, &one->key))) {
            return; /* forgotten, as where the gate's memory is full */
        }
        one->next = memory->first;
        memory->first = one;
    }
    one->expires_s = expires_s;
    if (!rp_ok(rp_arena_copy(memory->arena, value, &one->value))) {
        one->value = (rp_view){NULL, 0};
    }
}

struct rp_waf_memory waf_memory_interface(struct waf_memory *memory) {
    return (struct rp_waf_memory){.ctx = memory, .get = get, .put = put};
}

/* ---- the phases ---- */

static bool is_over(const struct rp_waf_tx *tx) {
    return rp_waf_tx_verdict(tx)->action != RP_WAF_PASS;
}

/* A site may have the phase pause. */
static rp_err in_full(struct rp_waf_tx *tx, rp_err err) {
    return rp_ok(err) && rp_waf_tx_is_paused(tx) ? rp_waf_tx_go_on(tx) : err;
}

static rp_err judge_request(struct rp_waf_tx *tx, const struct waf_message *request) {
    RP_TRY(rp_waf_tx_line(tx, request->method, request->uri, request->protocol));
    for (size_t i = 0; i < request->header_count; i++) {
        RP_TRY(rp_waf_tx_header(tx, request->headers[i].name, request->headers[i].value));
    }
    RP_TRY(in_full(tx, rp_waf_tx_headers_done(tx)));
    if (is_over(tx)) {
        return RP_OK;
    }
    if (rp_waf_tx_wants_body(tx) && request->body.n > 0) {
        RP_TRY(rp_waf_tx_body(tx, request->body));
    }
    return in_full(tx, rp_waf_tx_body_done(tx));
}

static rp_err judge_response(struct rp_waf_tx *tx, const struct waf_message *response) {
    static const struct waf_message empty = {.status = 200};
    const struct waf_message *answer = response ? response : &empty;
    rp_view protocol = answer->protocol.n > 0 ? answer->protocol : RP_VIEW("HTTP/1.1");
    RP_TRY(rp_waf_tx_response(tx, answer->status, protocol));
    for (size_t i = 0; i < answer->header_count; i++) {
        RP_TRY(rp_waf_tx_response_header(tx, answer->headers[i].name, answer->headers[i].value));
    }
    RP_TRY(rp_waf_tx_response_headers_done(tx));
    if (is_over(tx)) {
        return RP_OK;
    }
    if (rp_waf_tx_wants_response_body(tx) && answer->body.n > 0) {
        RP_TRY(rp_waf_tx_response_body(tx, answer->body));
    }
    return rp_waf_tx_response_body_done(tx);
}

rp_err waf_judge(const struct rp_waf *waf, const struct rp_waf_site *site,
                 const struct waf_message *request, const struct waf_message *response,
                 struct rp_arena *arena, struct rp_waf_tx **ret_tx) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const struct rp_waf_connection connection = {.client_address = RP_VIEW("127.0.0.1"),
                                                 .server_address = RP_VIEW("127.0.0.1"),
                                                 .client_port = 50000,
                                                 .server_port = 80,
                                                 .server_name = RP_VIEW("localhost"),
                                                 .unique_id = RP_VIEW("0000000000000001"),
                                                 .now_ms = (int64_t)now.tv_sec * 1000 +
                                                           now.tv_nsec / 1000000};
    struct rp_waf_tx *tx = NULL;
    RP_TRY(rp_waf_tx_new(waf, site, &connection, arena, &tx));
    rp_err err = judge_request(tx, request);
    if (rp_ok(err) && !is_over(tx)) {
        err = judge_response(tx, response);
    }
    if (rp_ok(err)) {
        err = rp_waf_tx_logging(tx);
    }
    if (!rp_ok(err)) {
        rp_waf_tx_done(tx);
        return err;
    }
    *ret_tx = tx;
    return RP_OK;
}
