/* Root, master versions, tenants' keys: what opens what, for ever, and what never does. */
#include "unit.h"

#include "base/checked.h"
#include "keys/hierarchy.h"

static struct unit_world world = {.now_ns = 1790000000LL * 1000000000, .random_state = 11};
static struct rp_env env;
static const rp_id alice = {{1}};
static const rp_id bob = {{2}};

static int start(void **state) {
    (void)state;
    env = unit_env(&world);
    assert_ok(rp_crypto_start());
    return 0;
}

static struct rp_hierarchy *make(void) {
    struct rp_hierarchy *hierarchy = NULL;
    assert_ok(rp_hierarchy_make(&env, &hierarchy));
    return hierarchy;
}

/* The same hierarchy, as another process would have it after reading the keyring. */
static struct rp_hierarchy *reload(const struct rp_hierarchy *hierarchy) {
    struct rp_buf sealed = rp_buf_new(4096);
    struct rp_buf keyring = rp_buf_new(RP_KEYRING_BYTES_MAX);
    struct rp_root_seal seal;
    struct rp_secret *root = NULL;
    struct rp_hierarchy *again = NULL;
    assert_ok(rp_hierarchy_seal_root(hierarchy, RP_ROOT_FILE, RP_VIEW("opener"), &sealed));
    assert_ok(rp_hierarchy_print(hierarchy, &keyring));
    assert_ok(rp_root_parse(rp_buf_view(&sealed), &seal));
    assert_ok(rp_root_open(&seal, RP_VIEW("opener"), &root));
    assert_ok(rp_hierarchy_load(&env, root, rp_buf_view(&keyring), &again));
    rp_buf_done(&keyring);
    rp_buf_done(&sealed);
    return again;
}

static struct rp_buf wrapped_for(const struct rp_hierarchy *hierarchy, rp_id tenant) {
    struct rp_buf wrapped = rp_buf_new(RP_WRAPPED_MAX);
    assert_ok(rp_hierarchy_new_tenant_key(hierarchy, tenant, NULL, &wrapped));
    assert_int_equal(wrapped.n, RP_WRAPPED_BYTES);
    return wrapped;
}

static void reveal(const struct rp_hierarchy *hierarchy, rp_id tenant, rp_view wrapped,
                   uint8_t out[static 32]) {
    struct rp_secret *key = NULL;
    assert_ok(rp_hierarchy_unwrap(hierarchy, tenant, NULL, wrapped, &key, NULL));
    rp_secret_reveal(key, out, 32);
    rp_secret_free(key);
}

/*= S85 type=test */
static void a_tenant_key_opens_for_its_tenant_only(void **state) {
    (void)state;
    struct rp_hierarchy *hierarchy = make();
    struct rp_buf wrapped = wrapped_for(hierarchy, alice);
    struct rp_secret *key = NULL;
    uint8_t bytes[32];
    reveal(hierarchy, alice, rp_buf_view(&wrapped), bytes);
    /* What the database keeps does not hold the key. */
    assert_int_equal(rp_view_find(rp_buf_view(&wrapped), rp_view_of(bytes, 8)), wrapped.n);
    assert_err(rp_hierarchy_unwrap(hierarchy, bob, NULL, rp_buf_view(&wrapped), &key, NULL),
               CORRUPT);
    assert_null(key);
    rp_buf_done(&wrapped);
    rp_hierarchy_free(hierarchy);
}

static void no_two_tenant_keys_are_alike(void **state) {
    (void)state;
    struct rp_hierarchy *hierarchy = make();
    uint8_t keys[3][32];
    rp_id tenants[] = {alice, alice, bob};
    for (size_t i = 0; i < 3; i++) {
        struct rp_buf wrapped = wrapped_for(hierarchy, tenants[i]);
        reveal(hierarchy, tenants[i], rp_buf_view(&wrapped), keys[i]);
        rp_buf_done(&wrapped);
    }
    assert_memory_not_equal(keys[0], keys[1], 32);
    assert_memory_not_equal(keys[0], keys[2], 32);
    rp_hierarchy_free(hierarchy);
}

static void any_flipped_bit_of_a_wrapped_key_is_noticed(void **state) {
    (void)state;
    struct rp_hierarchy *hierarchy = make();
    struct rp_buf wrapped = wrapped_for(hierarchy, alice);
    for (size_t bit = 0; bit < wrapped.n * 8; bit++) {
        struct rp_secret *key = NULL;
        wrapped.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(
            rp_ok(rp_hierarchy_unwrap(hierarchy, alice, NULL, rp_buf_view(&wrapped), &key, NULL)));
        assert_null(key);
        wrapped.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t n = 0; n < wrapped.n; n++) {
        struct rp_secret *key = NULL;
        rp_view cut = rp_view_sub(rp_buf_view(&wrapped), 0, n);
        assert_err(rp_hierarchy_unwrap(hierarchy, alice, NULL, cut, &key, NULL), CORRUPT);
    }
    wrapped.p[3] = '3';
    struct rp_secret *key = NULL;
    assert_err(rp_hierarchy_unwrap(hierarchy, alice, NULL, rp_buf_view(&wrapped), &key, NULL),
               EXISTS_NEWER);
    rp_buf_done(&wrapped);
    rp_hierarchy_free(hierarchy);
}

static void another_service_cannot_unwrap(void **state) {
    (void)state;
    struct rp_hierarchy *ours = make();
    struct rp_hierarchy *theirs = make();
    struct rp_buf wrapped = wrapped_for(ours, alice);
    struct rp_secret *key = NULL;
    assert_err(rp_hierarchy_unwrap(theirs, alice, NULL, rp_buf_view(&wrapped), &key, NULL),
               NOT_FOUND);
    rp_buf_done(&wrapped);
    rp_hierarchy_free(theirs);
    rp_hierarchy_free(ours);
}

static void after_rotations_old_keys_still_open_and_new_ones_use_the_new_version(void **state) {
    (void)state;
    enum { ROTATIONS = 5 };
    struct rp_hierarchy *hierarchy = make();
    struct rp_buf wrapped[ROTATIONS];
    uint8_t keys[ROTATIONS][32];
    for (size_t i = 0; i < ROTATIONS; i++) {
        wrapped[i] = wrapped_for(hierarchy, alice);
        reveal(hierarchy, alice, rp_buf_view(&wrapped[i]), keys[i]);
        assert_ok(rp_hierarchy_rotate(hierarchy, RP_KEY_MASTER));
    }
    struct rp_hierarchy *again = reload(hierarchy);
    assert_int_equal(rp_hierarchy_count(again), 2 + ROTATIONS);
    for (size_t i = 0; i < ROTATIONS; i++) {
        struct rp_wrapped parsed;
        uint8_t bytes[32];
        assert_ok(rp_wrapped_parse(rp_buf_view(&wrapped[i]), &parsed));
        assert_int_equal(parsed.version, i + 1);
        reveal(again, alice, rp_buf_view(&wrapped[i]), bytes);
        assert_memory_equal(bytes, keys[i], 32);
        rp_buf_done(&wrapped[i]);
    }
    struct rp_key_fact active = rp_hierarchy_fact(again, rp_hierarchy_active(again, RP_KEY_MASTER));
    assert_int_equal(active.version, ROTATIONS + 1);
    rp_hierarchy_free(again);
    rp_hierarchy_free(hierarchy);
}

static void a_rotation_can_be_taken_back(void **state) {
    (void)state;
    struct rp_hierarchy *hierarchy = make();
    struct rp_key_fact before = rp_hierarchy_fact(hierarchy, 0);
    assert_ok(rp_hierarchy_rotate(hierarchy, RP_KEY_MASTER));
    rp_hierarchy_rotate_undo(hierarchy);
    assert_int_equal(rp_hierarchy_count(hierarchy), 2);
    struct rp_key_fact after =
        rp_hierarchy_fact(hierarchy, rp_hierarchy_active(hierarchy, RP_KEY_MASTER));
    assert_int_equal(after.version, before.version);
    assert_true(rp_id_equal(after.id, before.id));
    rp_hierarchy_free(hierarchy);
}

static void a_full_keyring_refuses_and_keeps_working(void **state) {
    (void)state;
    struct rp_hierarchy *hierarchy = make();
    while (rp_hierarchy_count(hierarchy) < RP_KEYRING_KEYS_MAX) {
        assert_ok(rp_hierarchy_rotate(hierarchy, RP_KEY_ASSERTION));
    }
    assert_err(rp_hierarchy_rotate(hierarchy, RP_KEY_MASTER), TOO_LARGE);
    struct rp_hierarchy *again = reload(hierarchy);
    assert_int_equal(rp_hierarchy_count(again), RP_KEYRING_KEYS_MAX);
    rp_hierarchy_free(again);
    rp_hierarchy_free(hierarchy);
}

/* Every single flipped bit, every missing tail, an entry taken out, an older ring with a new root.
 */
static void an_altered_keyring_does_not_load(void **state) {
    (void)state;
    struct rp_hierarchy *hierarchy = make();
    struct rp_buf keyring = rp_buf_new(RP_KEYRING_BYTES_MAX);
    assert_ok(rp_hierarchy_print(hierarchy, &keyring));
    static const uint8_t root_bytes[RP_ROOT_KEY] = {9};
    for (size_t at = 0; at <= keyring.n; at++) {
        /* Opening through a seal each time gives a root of its own to each try. */
        struct rp_buf sealed = rp_buf_new(256);
        struct rp_root_seal seal;
        struct rp_secret *root = NULL;
        struct rp_hierarchy *again = NULL;
        assert_ok(rp_hierarchy_seal_root(hierarchy, RP_ROOT_FILE, RP_VIEW("o"), &sealed));
        assert_ok(rp_root_parse(rp_buf_view(&sealed), &seal));
        assert_ok(rp_root_open(&seal, RP_VIEW("o"), &root));
        if (at < keyring.n) {
            keyring.p[at] ^= 0x10;
        }
        rp_err err = rp_hierarchy_load(&env, root, rp_buf_view(&keyring), &again);
        if (at < keyring.n) {
            keyring.p[at] ^= 0x10;
            assert_false(rp_ok(err));
            assert_null(again);
        } else {
            assert_ok(err);
        }
        rp_hierarchy_free(again);
        rp_buf_done(&sealed);
    }
    uint8_t copy[RP_ROOT_KEY];
    memcpy(copy, root_bytes, sizeof copy);
    struct rp_secret *foreign = NULL;
    struct rp_hierarchy *again = NULL;
    assert_ok(rp_secret_new_take(copy, sizeof copy, &foreign));
    assert_err(rp_hierarchy_load(&env, foreign, rp_buf_view(&keyring), &again), CORRUPT);
    rp_buf_done(&keyring);
    rp_hierarchy_free(hierarchy);
}

static void the_assertion_key_signs_for_its_public_half(void **state) {
    (void)state;
    struct rp_hierarchy *hierarchy = make();
    struct rp_hierarchy *again = reload(hierarchy);
    uint8_t public_key[RP_P256_PUBLIC];
    uint8_t signature[RP_SIGNATURE];
    rp_hierarchy_public(hierarchy, rp_hierarchy_active(hierarchy, RP_KEY_ASSERTION), public_key);
    assert_ok(rp_hierarchy_sign(again, RP_VIEW("input"), signature));
    assert_ok(rp_es256_verify(rp_view_of(public_key, sizeof public_key), RP_VIEW("input"),
                              rp_view_of(signature, sizeof signature)));
    rp_hierarchy_free(again);
    rp_hierarchy_free(hierarchy);
}

static void the_root_opens_by_its_own_opener_and_kind_only(void **state) {
    (void)state;
    struct rp_hierarchy *hierarchy = make();
    struct rp_buf sealed = rp_buf_new(256);
    struct rp_root_seal seal;
    struct rp_secret *root = NULL;
    assert_ok(rp_hierarchy_seal_root(hierarchy, RP_ROOT_RECOVERY, RP_VIEW("opener"), &sealed));
    assert_int_equal(sealed.n, RP_ROOT_BYTES);
    assert_ok(rp_root_parse(rp_buf_view(&sealed), &seal));
    assert_err(rp_root_open(&seal, RP_VIEW("openes"), &root), DENIED);
    assert_err(rp_root_open(&seal, RP_VIEW(""), &root), DENIED);
    sealed.p[4] = RP_ROOT_FILE;
    assert_ok(rp_root_parse(rp_buf_view(&sealed), &seal));
    assert_err(rp_root_open(&seal, RP_VIEW("opener"), &root), DENIED);
    sealed.p[4] = RP_ROOT_KIND_END;
    assert_err(rp_root_parse(rp_buf_view(&sealed), &seal), CORRUPT);
    sealed.p[3] = '2';
    assert_err(rp_root_parse(rp_buf_view(&sealed), &seal), EXISTS_NEWER);
    assert_null(root);
    rp_buf_done(&sealed);
    rp_hierarchy_free(hierarchy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tenant_key_opens_for_its_tenant_only),
        cmocka_unit_test(no_two_tenant_keys_are_alike),
        cmocka_unit_test(any_flipped_bit_of_a_wrapped_key_is_noticed),
        cmocka_unit_test(another_service_cannot_unwrap),
        cmocka_unit_test(after_rotations_old_keys_still_open_and_new_ones_use_the_new_version),
        cmocka_unit_test(a_rotation_can_be_taken_back),
        cmocka_unit_test(a_full_keyring_refuses_and_keeps_working),
        cmocka_unit_test(an_altered_keyring_does_not_load),
        cmocka_unit_test(the_assertion_key_signs_for_its_public_half),
        cmocka_unit_test(the_root_opens_by_its_own_opener_and_kind_only),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
