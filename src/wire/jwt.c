#include "wire/jwt.h"

#include "base/assert.h"
#include "wire/encode.h"

enum { SIGNATURE = 64, HEADER_DEPTH = 2, HEADER_COUNT = 16 };

/* ---- printing ---- */

static rp_err print_header(const char *kid, struct rp_buf *out) {
    enum { ARENA_MAX = 4096 };
    struct rp_arena *arena = rp_arena_new(ARENA_MAX);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    struct rp_json *header = rp_json_object(arena);
    rp_json_add_cstr(arena, header, "alg", "ES256");
    rp_json_add_cstr(arena, header, "kid", kid);
    rp_json_add_cstr(arena, header, "typ", "JWT");
    rp_err err = rp_json_print(header, out);
    rp_arena_free(arena);
    return err;
}

static rp_err print_both(const char *kid, const struct rp_json *claims, struct rp_buf *json,
                         struct rp_buf *out) {
    RP_TRY(print_header(kid, json));
    rp_base64url_print(out, rp_buf_view(json));
    rp_buf_add_byte(out, '.');
    rp_buf_clear(json);
    RP_TRY(rp_json_print(claims, json));
    rp_base64url_print(out, rp_buf_view(json));
    return rp_buf_err(out);
}

rp_err rp_jwt_signing_input(const char *kid, const struct rp_json *claims, struct rp_buf *out) {
    RP_ASSERT(kid != NULL);
    RP_ASSERT(out != NULL);
    size_t before = out->n;
    struct rp_buf json = rp_buf_new(out->max);
    rp_err err = print_both(kid, claims, &json, out);
    rp_buf_done(&json);
    if (!rp_ok(err)) {
        out->n = before;
    }
    return err;
}

void rp_jwt_append_signature(struct rp_buf *out, rp_view signature) {
    RP_ASSERT(signature.n == SIGNATURE);
    rp_buf_add_byte(out, '.');
    rp_base64url_print(out, signature);
}

/* ---- parsing: RFC 7515 section 7.1, three base64url texts between dots ---- */

static rp_err parse_part(rp_view text, struct rp_json_limits limits, struct rp_arena *arena,
                         struct rp_json **ret_object) {
    rp_view json = {NULL, 0};
    struct rp_json *object = NULL;
    RP_TRY(rp_base64url_decode(text, arena, &json));
    RP_TRY(rp_json_parse(json, limits, arena, &object, NULL));
    if (object->kind != RP_JSON_OBJECT) {
        return RP_ERR(SYNTAX);
    }
    *ret_object = object;
    return RP_OK;
}

/* The algorithm is ours to choose, never the token's: "none" and HMAC end here. */
static rp_err judge_header(const struct rp_json *header) {
    bool es256 = rp_view_equal(rp_json_get_string(header, "alg"), RP_VIEW("ES256"));
    const struct rp_json *typ = rp_json_get(header, "typ");
    bool jwt = !typ || rp_view_equal(rp_json_get_string(header, "typ"), RP_VIEW("JWT"));
    return es256 && jwt && !rp_json_get(header, "crit") ? RP_OK : RP_ERR(SYNTAX);
}

static rp_err parse_parts(rp_view text, struct rp_arena *arena, struct rp_jwt *jwt) {
    rp_view rest = text;
    rp_view header = rp_view_cut(&rest, '.');
    rp_view claims = rp_view_cut(&rest, '.');
    if (!rest.p) {
        return RP_ERR(SYNTAX);
    }
    jwt->signing_input = rp_view_sub(text, 0, header.n + 1 + claims.n);
    struct rp_json_limits small = {.depth_max = HEADER_DEPTH, .count_max = HEADER_COUNT};
    RP_TRY(parse_part(header, small, arena, &jwt->header));
    RP_TRY(judge_header(jwt->header));
    RP_TRY(parse_part(claims, RP_JSON_LIMITS, arena, &jwt->claims));
    RP_TRY(rp_base64url_decode(rest, arena, &jwt->signature));
    return jwt->signature.n == SIGNATURE ? RP_OK : RP_ERR(SYNTAX);
}

rp_err rp_jwt_parse(rp_view text, struct rp_arena *arena, struct rp_jwt *ret_jwt) {
    RP_ASSERT(ret_jwt != NULL);
    struct rp_jwt jwt = {.signature = {NULL, 0}};
    rp_err err = parse_parts(text, arena, &jwt);
    if (rp_ok(err)) {
        *ret_jwt = jwt;
    }
    return rp_is(err, RP_E_INVALID) ? RP_ERR(SYNTAX) : err;
}
