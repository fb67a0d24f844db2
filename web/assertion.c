/* assertion.c — is this assertion ours, for this application, and still true? */
#include "base/assert.h"
#include "base/checked.h"
#include "web/access.h"
#include "wire/encode.h"
#include "wire/jwt.h"

enum { INVENTORY_MAX = 65536, KEPT_MS = 1000, SKEW_S = 5 };

/* ---- the kms' public keys ---- */

static bool read_coordinate(rp_view text, uint8_t out[static 32]) {
    struct rp_buf bytes = rp_buf_new(64);
    bool good = rp_ok(rp_base64url_parse(text, &bytes)) && bytes.n == 32;
    if (good) {
        memcpy(out, bytes.p, 32);
    }
    rp_buf_done(&bytes);
    return good;
}

static bool read_jwk(const struct rp_json *json, struct rp_jwk *ret_jwk) {
    rp_view kid = rp_json_get_string(json, "kid");
    if (kid.n == 0 || kid.n >= sizeof ret_jwk->kid ||
        !rp_view_equal(rp_json_get_string(json, "crv"), RP_VIEW("P-256"))) {
        return false;
    }
    memcpy(ret_jwk->kid, kid.p, kid.n);
    ret_jwk->kid[kid.n] = 0;
    ret_jwk->public_key[0] = 4; /* uncompressed */
    return read_coordinate(rp_json_get_string(json, "x"), ret_jwk->public_key + 1) &&
           read_coordinate(rp_json_get_string(json, "y"), ret_jwk->public_key + 33);
}

static rp_err read_keys(struct rp_web_thread *thread) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(256 * 1024);
    struct rp_json *root = NULL;
    RP_TRY(rp_json_parse(rp_buf_view(&thread->jwks_text), RP_JSON_LIMITS, arena, &root, NULL));
    const struct rp_json *keys = rp_json_get(root, "keys");
    thread->jwk_count = 0;
    for (const struct rp_json *key = keys ? keys->first : NULL; key; key = key->next) {
        if (thread->jwk_count < RP_JWKS_MAX && read_jwk(key, &thread->jwks[thread->jwk_count])) {
            thread->jwk_count++;
        }
    }
    return RP_OK;
}

rp_err rp_jwks_fresh(struct rp_web *web, struct rp_web_thread *thread) {
    int64_t now_ms = rp_env_now_ms(&web->env);
    if (thread->jwks_text.n > 0 && now_ms >= thread->jwks_read_ms &&
        now_ms - thread->jwks_read_ms < KEPT_MS) {
        return RP_OK;
    }
    struct rp_buf inventory = rp_buf_new(INVENTORY_MAX);
    rp_buf_clear(&thread->jwks_text);
    rp_err err = rp_keys_public(thread->keys, &thread->jwks_text, &inventory);
    rp_buf_done(&inventory);
    if (rp_ok(err)) {
        err = read_keys(thread);
    }
    if (!rp_ok(err)) {
        rp_buf_clear(&thread->jwks_text); /* half an answer is none */
        return err;
    }
    thread->jwks_read_ms = now_ms;
    return RP_OK;
}

static const struct rp_jwk *find_jwk(const struct rp_web_thread *thread, rp_view kid) {
    for (size_t i = 0; i < thread->jwk_count; i++) {
        if (rp_view_equal(rp_view_from_cstr(thread->jwks[i].kid), kid)) {
            return &thread->jwks[i];
        }
    }
    return NULL;
}

/* An unknown key id may be a new key: the kms is asked again, but not at a stranger's pace. */
static rp_err jwk_for(struct rp_request *request, rp_view kid, const struct rp_jwk **ret_jwk) {
    const struct rp_jwk *found = find_jwk(request->thread, kid);
    if (!found) {
        RP_TRY(rp_jwks_fresh(request->web, request->thread));
        found = find_jwk(request->thread, kid);
    }
    if (!found) {
        return RP_ERR(BAD_SIGNATURE);
    }
    *ret_jwk = found;
    return RP_OK;
}

/* ---- the claims ---- */

static bool read_id(const struct rp_json *claims, const char *name, rp_id *ret_id) {
    return rp_id_parse(rp_json_get_string(claims, name), ret_id);
}

static unsigned read_roles(const struct rp_json *claims) {
    static const struct {
        rp_view name;
        unsigned role;
    } names[] = {{RP_VIEW_INIT("member"), RP_MEMBER},
                 {RP_VIEW_INIT("tenant_admin"), RP_TENANT_ADMIN},
                 {RP_VIEW_INIT("operator"), RP_OPERATOR}};
    const struct rp_json *list = rp_json_get(claims, "roles");
    unsigned roles = 0;
    for (const struct rp_json *role = list ? list->first : NULL; role; role = role->next) {
        for (size_t i = 0; i < RP_COUNT_OF(names); i++) {
            roles |= rp_view_equal(role->string, names[i].name) ? names[i].role : 0;
        }
    }
    return roles;
}

static enum rp_acr read_acr(const struct rp_json *claims) {
    rp_view text = rp_json_get_string(claims, "acr");
    for (enum rp_acr acr = RP_ACR_PWD; acr <= RP_ACR_PHR; acr++) {
        if (rp_view_equal(text, rp_view_from_cstr(rp_acr_name(acr)))) {
            return acr;
        }
    }
    return RP_ACR_NONE;
}

/*= S68 */ /* tenant and person come from a signed assertion made for this application, and live */
rp_err rp_assertion_check(struct rp_request *request, rp_view token, rp_view app,
                          struct rp_who *ret_who, rp_id *ret_session) {
    if (!token.p) {
        return RP_ERR(UNAUTHENTICATED);
    }
    struct rp_jwt jwt;
    if (!rp_ok(rp_jwt_parse(token, request->arena, &jwt))) {
        return RP_ERR(BAD_SIGNATURE);
    }
    const struct rp_jwk *jwk = NULL;
    RP_TRY(jwk_for(request, rp_json_get_string(jwt.header, "kid"), &jwk));
    RP_TRY(rp_es256_verify(rp_view_of(jwk->public_key, sizeof jwk->public_key), jwt.signing_input,
                           jwt.signature));
    if (!rp_view_equal(rp_json_get_string(jwt.claims, "aud"), app)) {
        return RP_ERR(DENIED);
    }
    uint64_t issued = 0, expires = 0;
    uint64_t now = (uint64_t)rp_request_now_ms(request) / 1000;
    if (!rp_json_get_u64(jwt.claims, "iat", &issued) ||
        !rp_json_get_u64(jwt.claims, "exp", &expires) || issued > now + SKEW_S) {
        return RP_ERR(BAD_SIGNATURE);
    }
    if (expires <= now) {
        return RP_ERR(UNAUTHENTICATED);
    }
    struct rp_who who = {.roles = read_roles(jwt.claims), .acr = read_acr(jwt.claims)};
    rp_id session;
    if (!read_id(jwt.claims, "sub", &who.person) || !read_id(jwt.claims, "tid", &who.tenant) ||
        !read_id(jwt.claims, "sid", &session)) {
        return RP_ERR(BAD_SIGNATURE);
    }
    *ret_who = who;
    *ret_session = session;
    return RP_OK;
}

bool rp_assertion_tenant(const struct rp_request *request, rp_id *ret_tenant) {
    struct rp_jwt jwt;
    rp_view token = rp_request_param(request, "HTTP_REMPART_ASSERTION");
    return token.p && rp_ok(rp_jwt_parse(token, request->arena, &jwt)) &&
           read_id(jwt.claims, "tid", ret_tenant);
}
