/* The token for applications: its claims, its key id, and what the kms refuses to sign. */
#include "unit.h"

#include "base/checked.h"
#include "keys/assertion.h"
#include "keys/inventory.h"
#include "wire/encode.h"
#include "wire/jwt.h"

static struct unit_world world = {.now_ns = 1790000000LL * 1000000000, .random_state = 41};
static struct rp_env env;
static struct rp_arena *arena;
static struct rp_hierarchy *hierarchy;

static int start(void **state) {
    (void)state;
    env = unit_env(&world);
    assert_ok(rp_crypto_start());
    arena = rp_arena_new(1 << 20);
    assert_non_null(arena);
    assert_ok(rp_hierarchy_make(&env, &hierarchy));
    return 0;
}

static int stop(void **state) {
    (void)state;
    rp_hierarchy_free(hierarchy);
    rp_arena_free(arena);
    return 0;
}

static struct rp_assertion good(void) {
    return (struct rp_assertion){.audience = "notes",
                                 .person = {{1}},
                                 .tenant = {{2}},
                                 .session = {{3}},
                                 .email = RP_VIEW("zoé@example.test"),
                                 .roles = RP_VIEW("member tenant.admin"),
                                 .acr = "mfa"};
}

static struct rp_jwt signed_token(const struct rp_assertion *assertion, struct rp_buf *text) {
    struct rp_jwt jwt;
    assert_ok(rp_assertion_sign(&env, hierarchy, "app.example.test", assertion, arena, text));
    assert_ok(rp_jwt_parse(rp_buf_view(text), arena, &jwt));
    return jwt;
}

static void claims_are_what_was_asserted(void **state) {
    (void)state;
    struct rp_assertion assertion = good();
    struct rp_buf text = rp_buf_new(4096);
    struct rp_jwt jwt = signed_token(&assertion, &text);
    uint64_t iat = 0;
    uint64_t nbf = 0;
    uint64_t exp = 0;
    assert_view(rp_json_get_string(jwt.claims, "iss"), "app.example.test");
    assert_view(rp_json_get_string(jwt.claims, "aud"), "notes");
    assert_view(rp_json_get_string(jwt.claims, "sub"), "01000000000000000000000000000000");
    assert_view(rp_json_get_string(jwt.claims, "tid"), "02000000000000000000000000000000");
    assert_view(rp_json_get_string(jwt.claims, "sid"), "03000000000000000000000000000000");
    assert_view(rp_json_get_string(jwt.claims, "email"), "zoé@example.test");
    assert_view(rp_json_get_string(jwt.claims, "acr"), "mfa");
    const struct rp_json *roles = rp_json_get(jwt.claims, "roles");
    assert_int_equal(roles->count, 2);
    assert_view(roles->first->string, "member");
    assert_view(roles->last->string, "tenant.admin");
    assert_true(rp_json_get_u64(jwt.claims, "iat", &iat));
    assert_true(rp_json_get_u64(jwt.claims, "nbf", &nbf));
    assert_true(rp_json_get_u64(jwt.claims, "exp", &exp));
    assert_int_equal(iat, 1790000000);
    assert_int_equal(nbf, iat);
    assert_int_equal(exp, iat + 60);
    assert_int_equal(rp_json_get_string(jwt.claims, "jti").n, RP_ID_TEXT);
    assert_int_equal(jwt.claims->count, 12);
    rp_buf_done(&text);
}

/* As an application would: find the key by its id in the key set, then verify. */
static void it_verifies_by_the_published_key_set(void **state) {
    (void)state;
    struct rp_assertion assertion = good();
    struct rp_buf text = rp_buf_new(4096);
    struct rp_buf set_text = rp_buf_new(8192);
    struct rp_jwt jwt = signed_token(&assertion, &text);
    assert_ok(rp_hierarchy_rotate(hierarchy, RP_KEY_ASSERTION)); /* in the same minute */
    assert_ok(rp_jwks_print(hierarchy, arena, &set_text));
    struct rp_json *set = NULL;
    assert_ok(rp_json_parse(rp_buf_view(&set_text), RP_JSON_LIMITS, arena, &set, NULL));
    const struct rp_json *keys = rp_json_get(set, "keys");
    assert_int_equal(keys->count, 2);
    rp_view kid = rp_json_get_string(jwt.header, "kid");
    const struct rp_json *key = keys->first;
    while (key && !rp_view_equal(rp_json_get_string(key, "kid"), kid)) {
        key = key->next;
    }
    assert_non_null(key);
    struct rp_buf public_key = rp_buf_new(RP_P256_PUBLIC);
    rp_buf_add_byte(&public_key, 4);
    assert_ok(rp_base64url_parse(rp_json_get_string(key, "x"), &public_key));
    assert_ok(rp_base64url_parse(rp_json_get_string(key, "y"), &public_key));
    assert_ok(rp_es256_verify(rp_buf_view(&public_key), jwt.signing_input, jwt.signature));
    rp_buf_done(&public_key);
    rp_buf_done(&set_text);
    rp_buf_done(&text);
}

/* RFC 7638 has an RSA example only; this is RFC 7517 A.1's P-256 key, its thumbprint computed with
 * sha256sum over the RFC's canonical text. */
static void the_key_id_is_rfc_7638s(void **state) {
    (void)state;
    uint8_t public_key[RP_P256_PUBLIC];
    char kid[RP_KID_TEXT + 1];
    struct rp_buf bytes = rp_buf_new(RP_P256_PUBLIC);
    rp_buf_add_byte(&bytes, 4);
    assert_ok(rp_base64url_parse(RP_VIEW("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"), &bytes));
    assert_ok(rp_base64url_parse(RP_VIEW("4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"), &bytes));
    memcpy(public_key, bytes.p, sizeof public_key);
    assert_ok(rp_key_thumbprint(public_key, arena, kid));
    assert_string_equal(kid, "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
    rp_buf_done(&bytes);
}

static void a_person_without_tenant_or_address_has_no_such_claims(void **state) {
    (void)state;
    struct rp_assertion assertion = good();
    assertion.tenant = (rp_id){{0}};
    assertion.email = RP_VIEW("");
    assertion.roles = RP_VIEW("");
    struct rp_buf text = rp_buf_new(4096);
    struct rp_jwt jwt = signed_token(&assertion, &text);
    assert_null(rp_json_get(jwt.claims, "tid"));
    assert_null(rp_json_get(jwt.claims, "email"));
    assert_int_equal(rp_json_get(jwt.claims, "roles")->count, 0);
    rp_buf_done(&text);
}

static void what_core_packs_the_kms_unpacks(void **state) {
    (void)state;
    struct rp_assertion assertion = good();
    struct rp_assertion got;
    struct rp_buf packed = rp_buf_new(2048);
    assert_ok(rp_assertion_pack(&assertion, &packed));
    assert_ok(rp_assertion_unpack(rp_buf_view(&packed), arena, &got));
    assert_string_equal(got.audience, assertion.audience);
    assert_string_equal(got.acr, assertion.acr);
    assert_view_equal(got.email, assertion.email);
    assert_view_equal(got.roles, assertion.roles);
    assert_true(rp_id_equal(got.session, assertion.session));
    for (size_t n = 0; n < packed.n; n++) {
        assert_err(rp_assertion_unpack(rp_view_sub(rp_buf_view(&packed), 0, n), arena, &got),
                   PROTOCOL);
    }
    rp_buf_done(&packed);
}

static void refused(struct rp_assertion assertion) {
    struct rp_buf text = rp_buf_new(4096);
    assert_err(rp_assertion_sign(&env, hierarchy, "h", &assertion, arena, &text), INVALID);
    rp_buf_done(&text);
}

static void the_kms_signs_nothing_odd(void **state) {
    (void)state;
#define WITH(member, value)                                                                        \
    ({                                                                                             \
        struct rp_assertion a = good();                                                            \
        a.member = (value);                                                                        \
        a;                                                                                         \
    })
    refused(WITH(audience, ""));
    refused(WITH(audience, "a b"));
    refused(WITH(audience, "https://evil.test"));
    refused(WITH(audience, NULL));
    refused(WITH(acr, "root"));
    refused(WITH(acr, ""));
    refused(WITH(person, (rp_id){{0}}));
    refused(WITH(session, (rp_id){{0}}));
    refused(WITH(email, RP_VIEW("a@b.test\r\nX-Admin: 1")));
    refused(WITH(email, RP_VIEW("a\xff@b.test")));
    refused(WITH(roles, RP_VIEW("member,admin")));
    refused(WITH(roles, RP_VIEW(" member")));
    refused(WITH(roles, RP_VIEW("member  admin")));
#undef WITH
}

static void the_inventory_names_keys_and_holds_none(void **state) {
    (void)state;
    struct rp_buf text = rp_buf_new(65536);
    struct rp_inventory inventory = {
        .hierarchy = hierarchy, .unseal = "file", .leases = 3, .now_s = 1790000000};
    assert_ok(rp_inventory_print(&inventory, arena, &text));
    struct rp_json *root = NULL;
    bool sealed = true;
    uint64_t leases = 0;
    assert_ok(rp_json_parse(rp_buf_view(&text), RP_JSON_LIMITS, arena, &root, NULL));
    assert_true(rp_json_get_bool(root, "sealed", &sealed));
    assert_false(sealed);
    assert_true(rp_json_get_u64(root, "leases", &leases));
    assert_int_equal(leases, 3);
    const struct rp_json *keys = rp_json_get(root, "keys");
    assert_int_equal(keys->count, rp_hierarchy_count(hierarchy));
    assert_view(rp_json_get_string(keys->first, "kind"), "master");
    assert_view(rp_json_get_string(keys->first, "state"), "active");
    struct rp_id_text id = rp_id_print(rp_hierarchy_fact(hierarchy, 0).id);
    assert_view_equal(rp_json_get_string(keys->first, "id"), rp_view_from_cstr(id.s));
    rp_buf_clear(&text);
    inventory.hierarchy = NULL;
    assert_ok(rp_inventory_print(&inventory, arena, &text));
    assert_ok(rp_json_parse(rp_buf_view(&text), RP_JSON_LIMITS, arena, &root, NULL));
    assert_true(rp_json_get_bool(root, "sealed", &sealed));
    assert_true(sealed);
    rp_buf_done(&text);
}

/* Every key that a keyring may hold still fits the reply to PUBLIC and STATUS. */
static void the_largest_inventory_fits_its_message(void **state) {
    (void)state;
    while (rp_hierarchy_count(hierarchy) < RP_KEYRING_KEYS_MAX) {
        assert_ok(rp_hierarchy_rotate(hierarchy, RP_KEY_ASSERTION));
    }
    struct rp_buf text = rp_buf_new(65536);
    struct rp_inventory inventory = {
        .hierarchy = hierarchy, .unseal = "passphrase", .leases = 4096, .now_s = 1790000000};
    assert_ok(rp_inventory_print(&inventory, arena, &text));
    assert_ok(rp_jwks_print(hierarchy, arena, &text));
    assert_true(text.n + 8 <= 49152);
    rp_buf_done(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_are_what_was_asserted),
        cmocka_unit_test(it_verifies_by_the_published_key_set),
        cmocka_unit_test(the_key_id_is_rfc_7638s),
        cmocka_unit_test(a_person_without_tenant_or_address_has_no_such_claims),
        cmocka_unit_test(what_core_packs_the_kms_unpacks),
        cmocka_unit_test(the_kms_signs_nothing_odd),
        cmocka_unit_test(the_inventory_names_keys_and_holds_none),
        cmocka_unit_test(the_largest_inventory_fits_its_message),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
