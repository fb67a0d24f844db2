/* body.c — what all kinds of bodies share: their beginning and end, pairs, texts, errors. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/body_parts.h"

enum { PAIRS_START = 16, TEXT_START = 64 };

/* ---- pairs ---- */

rp_err rp_waf_pairs_add(struct rp_waf_pairs *pairs, struct rp_arena *arena, rp_view name,
                        rp_view value) {
    if (pairs->n == pairs->room) {
        size_t room = pairs->room ? 2 * pairs->room : PAIRS_START;
        struct rp_waf_pair *p = rp_arena_array(arena, room, sizeof *p);
        if (!p) {
            return RP_ERR(TOO_LARGE);
        }
        if (pairs->n > 0) {
            memcpy(p, pairs->p, pairs->n * sizeof *p);
        }
        pairs->p = p;
        pairs->room = room;
    }
    pairs->p[pairs->n++] = (struct rp_waf_pair){.name = name, .value = value};
    return RP_OK;
}

static void note(struct rp_body *body, rp_err err) {
    if (rp_ok(body->failed)) {
        body->failed = err;
    }
}

void rp_body_pair(struct rp_body *body, struct rp_waf_pairs *pairs, rp_view name, rp_view value) {
    rp_err err = rp_waf_pairs_add(pairs, body->arena, name, value);
    if (!rp_ok(err)) {
        note(body, err);
    }
}

bool rp_body_argument(struct rp_body *body, rp_view name, rp_view value, uint64_t offset) {
    struct rp_waf_pairs *arguments = &body->result.arguments;
    if (arguments->n >= body->limits.arguments_max) {
        rp_body_error(body, RP_BODY_TOO_MANY);
        return false;
    }
    rp_body_pair(body, arguments, name, value);
    if (!rp_ok(body->failed)) {
        return false;
    }
    arguments->p[arguments->n - 1].offset = (uint32_t)RP_MIN(offset, UINT32_MAX);
    return true;
}

/* ---- texts ---- */

void *rp_body_alloc(struct rp_body *body, size_t n) {
    void *p = rp_arena_alloc(body->arena, n);
    if (!p) {
        note(body, RP_ERR(TOO_LARGE));
    }
    return p;
}

/* Into the arena, with room for n bytes more. */
static bool text_room(struct rp_body *body, struct rp_body_text *text, size_t n) {
    size_t need = 0, twice = 0;
    if (!rp_add(text->n, n, &need) || !rp_mul(need, 2, &twice)) {
        note(body, RP_ERR(TOO_LARGE));
        return false;
    }
    if (need <= text->room) {
        return true;
    }
    size_t room = RP_MAX(twice, (size_t)TEXT_START);
    uint8_t *p = rp_body_alloc(body, room);
    if (!p) {
        return false;
    }
    if (text->n > 0) {
        memcpy(p, text->p, text->n);
    }
    text->p = p;
    text->room = room;
    return true;
}

bool rp_body_text_copy(struct rp_body *body, struct rp_body_text *text, rp_view run) {
    if (!text_room(body, text, run.n)) {
        return false;
    }
    if (run.n > 0) {
        memcpy(text->p + text->n, run.p, run.n);
        text->n += run.n;
    }
    return true;
}

bool rp_body_text_add_byte(struct rp_body *body, struct rp_body_text *text, uint8_t byte) {
    if (!text_room(body, text, 1)) {
        return false;
    }
    text->p[text->n++] = byte;
    return true;
}

/* ---- the whole ---- */

void rp_body_error(struct rp_body *body, const char *message) {
    if (!body->result.error) {
        body->result.error = true;
        body->result.message = message;
    }
}

struct rp_body *rp_body_new(enum rp_body_kind kind, rp_view content_type,
                            const struct rp_body_limits *limits, struct rp_arena *arena) {
    static const struct rp_body_reader *const readers[RP_BODY_KINDS] = {
        [RP_BODY_URLENCODED] = &rp_body_form,
        [RP_BODY_MULTIPART] = &rp_body_multipart,
        [RP_BODY_JSON] = &rp_body_json,
        [RP_BODY_XML] = &rp_body_xml,
    };
    RP_ASSERT(kind < RP_BODY_KINDS);
    struct rp_body *body = rp_arena_alloc(arena, sizeof *body);
    if (!body) {
        return NULL;
    }
    body->reader = readers[kind];
    body->limits = *limits;
    body->arena = arena;
    body->result.message = "";
    return body->reader->start(body, content_type) ? body : NULL;
}

rp_err rp_body_feed(struct rp_body *body, rp_view chunk) {
    if (chunk.n > 0 && rp_ok(body->failed)) {
        body->reader->feed(body, chunk);
        body->before += chunk.n;
    }
    return body->failed;
}

rp_err rp_body_end(struct rp_body *body, const struct rp_body_result **ret_result) {
    if (rp_ok(body->failed)) {
        body->reader->end(body);
    }
    RP_TRY(body->failed);
    *ret_result = &body->result;
    return RP_OK;
}
