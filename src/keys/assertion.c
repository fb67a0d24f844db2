#include "keys/assertion.h"

#include "base/assert.h"
#include "base/checked.h"
#include "keys/inventory.h"
#include "wire/jwt.h"

enum { ACR_MAX = 8, ROLE_MAX = 64, ROLE_COUNT_MAX = 32 };

rp_err rp_assertion_pack(const struct rp_assertion *assertion, struct rp_buf *out) {
    rp_pack_bytes(out, rp_view_from_cstr(assertion->audience));
    rp_pack_id(out, assertion->person);
    rp_pack_id(out, assertion->tenant);
    rp_pack_id(out, assertion->session);
    rp_pack_bytes(out, assertion->email);
    rp_pack_bytes(out, assertion->roles);
    rp_pack_bytes(out, rp_view_from_cstr(assertion->acr));
    return rp_buf_err(out);
}

/* Names of applications and roles: nothing that could mean something to whoever reads a header. */
static bool is_name(rp_view v, size_t max) {
    if (v.n == 0 || v.n > max) {
        return false;
    }
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                    c == '.' || c == ':';
        if (!good) {
            return false;
        }
    }
    return true;
}

static bool are_roles(rp_view roles) {
    size_t count = 0;
    while (roles.p && roles.n > 0) {
        if (!is_name(rp_view_cut(&roles, ' '), ROLE_MAX) || ++count > ROLE_COUNT_MAX) {
            return false;
        }
    }
    return true;
}

static bool is_acr(const char *acr) {
    rp_view v = rp_view_from_cstr(acr);
    return rp_view_equal(v, RP_VIEW("pwd")) || rp_view_equal(v, RP_VIEW("mfa")) ||
           rp_view_equal(v, RP_VIEW("phr"));
}

/* No control characters: an address ends up in a header of the application. Whether the rest is
 * UTF-8 is judged where it is printed. */
static bool is_email(rp_view email) {
    for (size_t i = 0; i < email.n; i++) {
        if (email.p[i] < 0x21 || email.p[i] == 0x7f) {
            return false;
        }
    }
    return email.n <= RP_ASSERTION_EMAIL_MAX;
}

static rp_err judge(const struct rp_assertion *assertion) {
    bool good = is_name(rp_view_from_cstr(assertion->audience), RP_ASSERTION_AUDIENCE_MAX) &&
                !rp_id_is_none(assertion->person) && !rp_id_is_none(assertion->session) &&
                is_email(assertion->email) && are_roles(assertion->roles) && is_acr(assertion->acr);
    return good ? RP_OK : RP_ERR(INVALID);
}

rp_err rp_assertion_unpack(rp_view request, struct rp_arena *arena,
                           struct rp_assertion *ret_assertion) {
    struct rp_unpack in = rp_unpack_new(request);
    struct rp_assertion assertion = {0};
    rp_view audience = rp_unpack_bytes(&in, RP_ASSERTION_AUDIENCE_MAX);
    assertion.person = rp_unpack_id(&in);
    assertion.tenant = rp_unpack_id(&in);
    assertion.session = rp_unpack_id(&in);
    assertion.email = rp_unpack_bytes(&in, RP_ASSERTION_EMAIL_MAX);
    assertion.roles = rp_unpack_bytes(&in, RP_ASSERTION_ROLES_MAX);
    rp_view acr = rp_unpack_bytes(&in, ACR_MAX);
    RP_TRY(rp_unpack_end(&in));
    assertion.audience = rp_arena_cstr(arena, audience);
    assertion.acr = rp_arena_cstr(arena, acr);
    if (!assertion.audience || !assertion.acr) {
        return RP_ERR(INVALID);
    }
    RP_TRY(judge(&assertion));
    *ret_assertion = assertion;
    return RP_OK;
}

static void add_roles(struct rp_arena *arena, struct rp_json *claims, rp_view roles) {
    struct rp_json *list = rp_json_add_array(arena, claims, "roles");
    while (roles.p && roles.n > 0) {
        rp_json_add_string(arena, list, NULL, rp_view_cut(&roles, ' '));
    }
}

static struct rp_json *claims_of(const struct rp_env *env, const char *host,
                                 const struct rp_assertion *assertion, struct rp_arena *arena) {
    int64_t now = rp_env_now_s(env);
    RP_ASSERT(now >= 0);
    struct rp_json *claims = rp_json_object(arena);
    rp_json_add_cstr(arena, claims, "iss", host);
    rp_json_add_cstr(arena, claims, "aud", assertion->audience);
    rp_json_add_cstr(arena, claims, "sub", rp_id_print(assertion->person).s);
    rp_json_add_cstr(arena, claims, "sid", rp_id_print(assertion->session).s);
    if (!rp_id_is_none(assertion->tenant)) {
        rp_json_add_cstr(arena, claims, "tid", rp_id_print(assertion->tenant).s);
    }
    if (assertion->email.n > 0) {
        rp_json_add_string(arena, claims, "email", assertion->email);
    }
    add_roles(arena, claims, assertion->roles);
    rp_json_add_cstr(arena, claims, "acr", assertion->acr);
    rp_json_add_u64(arena, claims, "iat", (uint64_t)now);
    rp_json_add_u64(arena, claims, "nbf", (uint64_t)now);
    rp_json_add_u64(arena, claims, "exp", (uint64_t)now + RP_ASSERTION_S);
    rp_json_add_cstr(arena, claims, "jti", rp_id_print(rp_env_new_id(env)).s);
    return claims;
}

rp_err rp_assertion_sign(const struct rp_env *env, const struct rp_hierarchy *hierarchy,
                         const char *host, const struct rp_assertion *assertion,
                         struct rp_arena *arena, struct rp_buf *out) {
    RP_TRY(judge(assertion));
    uint8_t public_key[RP_P256_PUBLIC];
    char kid[RP_KID_TEXT + 1];
    rp_hierarchy_public(hierarchy, rp_hierarchy_active(hierarchy, RP_KEY_ASSERTION), public_key);
    RP_TRY(rp_key_thumbprint(public_key, arena, kid));
    size_t from = out->n;
    RP_TRY(rp_jwt_signing_input(kid, claims_of(env, host, assertion, arena), out));
    uint8_t signature[RP_SIGNATURE];
    RP_TRY(rp_hierarchy_sign(hierarchy, rp_view_from(rp_buf_view(out), from), signature));
    rp_jwt_append_signature(out, rp_view_of(signature, sizeof signature));
    return rp_buf_err(out);
}
