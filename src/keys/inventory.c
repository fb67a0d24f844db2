#include "keys/inventory.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "wire/encode.h"
#include "wire/json.h"

enum { COORDINATE = 32 };

static void add_base64url(struct rp_arena *arena, struct rp_json *object, const char *key,
                          rp_view bytes) {
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(128);
    rp_base64url_print(&text, bytes);
    rp_json_add_string(arena, object, key, rp_buf_view(&text));
}

/* The members that RFC 7638 hashes; canonical order is the RFC's order. */
static struct rp_json *public_members(const uint8_t public_key[static RP_P256_PUBLIC],
                                      struct rp_arena *arena) {
    struct rp_json *jwk = rp_json_object(arena);
    rp_json_add_cstr(arena, jwk, "crv", "P-256");
    rp_json_add_cstr(arena, jwk, "kty", "EC");
    add_base64url(arena, jwk, "x", rp_view_of(public_key + 1, COORDINATE));
    add_base64url(arena, jwk, "y", rp_view_of(public_key + 1 + COORDINATE, COORDINATE));
    return jwk;
}

rp_err rp_key_thumbprint(const uint8_t public_key[static RP_P256_PUBLIC], struct rp_arena *arena,
                         char ret_kid[static RP_KID_TEXT + 1]) {
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(512);
    RP_TRY(rp_json_print(public_members(public_key, arena), &text));
    struct rp_sha256 hash = rp_sha256_of(rp_buf_view(&text));
    rp_buf_clear(&text);
    rp_base64url_print(&text, rp_view_of(hash.b, sizeof hash.b));
    RP_TRY(rp_buf_err(&text));
    RP_ASSERT(text.n == RP_KID_TEXT);
    memcpy(ret_kid, text.p, RP_KID_TEXT);
    ret_kid[RP_KID_TEXT] = 0;
    return RP_OK;
}

static rp_err add_jwk(const struct rp_hierarchy *hierarchy, size_t index, struct rp_arena *arena,
                      struct rp_json *list) {
    uint8_t public_key[RP_P256_PUBLIC];
    char kid[RP_KID_TEXT + 1];
    rp_hierarchy_public(hierarchy, index, public_key);
    RP_TRY(rp_key_thumbprint(public_key, arena, kid));
    struct rp_json *jwk = public_members(public_key, arena);
    rp_json_add_cstr(arena, jwk, "alg", "ES256");
    rp_json_add_cstr(arena, jwk, "use", "sig");
    rp_json_add_cstr(arena, jwk, "kid", kid);
    rp_json_add(arena, list, NULL, jwk);
    return RP_OK;
}

rp_err rp_jwks_print(const struct rp_hierarchy *hierarchy, struct rp_arena *arena,
                     struct rp_buf *out) {
    struct rp_json *root = rp_json_object(arena);
    struct rp_json *list = rp_json_add_array(arena, root, "keys");
    struct rp_key_fact active =
        rp_hierarchy_fact(hierarchy, rp_hierarchy_active(hierarchy, RP_KEY_ASSERTION));
    for (size_t i = rp_hierarchy_count(hierarchy); i-- > 0;) {
        struct rp_key_fact fact = rp_hierarchy_fact(hierarchy, i);
        /* Tokens live for a minute: what the version before signed is soon gone, and older ones
         * need no one's trust. */
        if (fact.kind == RP_KEY_ASSERTION && fact.version + 1 >= active.version) {
            RP_TRY(add_jwk(hierarchy, i, arena, list));
        }
    }
    return rp_json_print(root, out);
}

static rp_err add_key(const struct rp_hierarchy *hierarchy, size_t index, struct rp_arena *arena,
                      struct rp_json *list) {
    struct rp_key_fact fact = rp_hierarchy_fact(hierarchy, index);
    struct rp_json *key = rp_json_add_object(arena, list, NULL);
    rp_json_add_cstr(arena, key, "id", rp_id_print(fact.id).s);
    rp_json_add_cstr(arena, key, "kind", rp_key_kind_name(fact.kind));
    rp_json_add_cstr(arena, key, "state", rp_key_state_name(fact.state));
    rp_json_add_cstr(arena, key, "created", rp_time_print(fact.created_s).s);
    rp_json_add_u64(arena, key, "version", fact.version);
    if (fact.kind == RP_KEY_ASSERTION) {
        uint8_t public_key[RP_P256_PUBLIC];
        char kid[RP_KID_TEXT + 1];
        rp_hierarchy_public(hierarchy, index, public_key);
        RP_TRY(rp_key_thumbprint(public_key, arena, kid));
        rp_json_add_cstr(arena, key, "kid", kid);
    }
    return RP_OK;
}

rp_err rp_inventory_print(const struct rp_inventory *inventory, struct rp_arena *arena,
                          struct rp_buf *out) {
    struct rp_json *root = rp_json_object(arena);
    rp_json_add_cstr(arena, root, "generated_at", rp_time_print(inventory->now_s).s);
    rp_json_add_bool(arena, root, "sealed", inventory->hierarchy == NULL);
    rp_json_add_cstr(arena, root, "unseal", inventory->unseal);
    rp_json_add_u64(arena, root, "leases", inventory->leases);
    rp_json_add_bool(arena, root, "recovery", inventory->recovery);
    struct rp_json *list = rp_json_add_array(arena, root, "keys");
    size_t count = inventory->hierarchy ? rp_hierarchy_count(inventory->hierarchy) : 0;
    for (size_t i = 0; i < count; i++) {
        RP_TRY(add_key(inventory->hierarchy, i, arena, list));
    }
    return rp_json_print(root, out);
}
