/* The real key service beside the real ledger: what it lends, what it refuses, what is on record
 * before it answers, what survives kill -9, and how it is opened. */
#include "kms_world.h"

#include <unistd.h>

#include "crypto/aead.h"
#include "crypto/sign.h"
#include "machine.h"
#include "os/file.h"
#include "wire/encode.h"
#include "wire/jwt.h"

/* ---- leases ---- */

/*= S85 type=test */
static void a_leased_key_seals_and_opens(void **state) {
    (void)state;
    struct rp_env env = rp_env_real();
    struct rp_keys *keys = new_keys();
    struct rp_buf wrapped = new_wrapped(keys, alice);
    struct rp_buf sealed = rp_buf_new(256);
    struct rp_buf plain = rp_buf_new(256);
    const struct rp_secret *key = NULL;
    assert_ok(rp_keys_lease(keys, alice, rp_buf_view(&wrapped), &key));
    assert_ok(rp_aead_seal(&env, key, RP_VIEW("place"), RP_VIEW("a note"), &sealed));
    rp_keys_free(keys); /* another thread, another lease, the same key */
    keys = new_keys();
    assert_ok(rp_keys_lease(keys, alice, rp_buf_view(&wrapped), &key));
    assert_ok(rp_aead_open(key, RP_VIEW("place"), rp_buf_view(&sealed), &plain));
    assert_view(rp_buf_view(&plain), "a note");
    rp_keys_free(keys);
    rp_buf_done(&plain);
    rp_buf_done(&sealed);
    rp_buf_done(&wrapped);
}

/*= S67 type=test */
static void a_neighbours_or_a_foreign_key_is_refused_and_that_is_on_record(void **state) {
    (void)state;
    struct rp_keys *keys = new_keys();
    struct rp_buf wrapped = new_wrapped(keys, alice), other = new_wrapped(keys, bob);
    const struct rp_secret *key = NULL;
    assert_err(rp_keys_lease(keys, bob, rp_buf_view(&wrapped), &key), CORRUPT);
    rp_buf_done(&other);
    wrapped.p[4] ^= 1; /* the master key's id */
    assert_err(rp_keys_lease(keys, alice, rp_buf_view(&wrapped), &key), NOT_FOUND);
    assert_err(rp_keys_lease(keys, alice, RP_VIEW("RPW1 short"), &key), CORRUPT);
    assert_null(key);
    assert_on_record(RP_EVENT_KEY_REFUSED, "tenant", id_text(bob), 1);
    assert_on_record(RP_EVENT_KEY_REFUSED, "tenant", id_text(alice), 1);
    rp_buf_done(&wrapped);
    rp_keys_free(keys);
}

/*= S90 type=test */
static void a_destroyed_key_opens_no_more_and_that_is_on_record(void **state) {
    (void)state;
    struct rp_keys *keys = new_keys();
    struct rp_buf wrapped = new_wrapped(keys, alice), other = new_wrapped(keys, bob);
    const struct rp_secret *key = NULL;
    assert_ok(rp_keys_lease(keys, alice, rp_buf_view(&wrapped), &key));
    assert_ok(rp_keys_destroy(keys, alice));
    assert_on_record(RP_EVENT_KEY_DESTROYED, "tenant", id_text(alice), 1);
    assert_err(rp_keys_lease(keys, alice, rp_buf_view(&wrapped), &key), NOT_FOUND);
    assert_ok(rp_keys_destroy(keys, alice)); /* asked again: nothing to do */
    assert_ok(rp_keys_lease(keys, bob, rp_buf_view(&other), &key));
    stack_kill_kms(&stack);
    stack_start_kms(&stack);
    stack_wait_open();
    rp_keys_free(keys);
    keys = new_keys();
    assert_err(rp_keys_lease(keys, alice, rp_buf_view(&wrapped), &key), NOT_FOUND);
    assert_ok(rp_keys_lease(keys, bob, rp_buf_view(&other), &key));
    rp_buf_done(&wrapped);
    rp_buf_done(&other);
    rp_keys_free(keys);
}

/* Both are killed the moment the answer is here: what it rests on is on disk. */
static void what_was_answered_was_on_record_first(void **state) {
    (void)state;
    struct rp_keys *keys = new_keys();
    struct rp_buf wrapped = new_wrapped(keys, alice);
    const struct rp_secret *key = NULL;
    assert_ok(rp_keys_lease(keys, alice, rp_buf_view(&wrapped), &key));
    stack_kill_ledger(&stack);
    stack_kill_kms(&stack);
    stack_start_ledger(&stack);
    assert_on_record(RP_EVENT_KEY_CREATED, "tenant", id_text(alice), 1);
    assert_on_record(RP_EVENT_KEY_LEASED, "tenant", id_text(alice), 1);
    rp_buf_done(&wrapped);
    rp_keys_free(keys);
}

static void a_lease_outlives_the_service_and_its_end_is_told_to_the_next(void **state) {
    (void)state;
    struct rp_keys *keys = new_keys();
    struct rp_buf wrapped = new_wrapped(keys, alice);
    struct rp_buf other = new_wrapped(keys, bob);
    const struct rp_secret *key = NULL;
    assert_ok(rp_keys_lease(keys, alice, rp_buf_view(&wrapped), &key));
    stack_kill_kms(&stack);
    for (int i = 0; i < 4; i++) {
        assert_ok(rp_keys_lease(keys, alice, rp_buf_view(&wrapped), &key));
    }
    assert_err(rp_keys_lease(keys, bob, rp_buf_view(&other), &key), KMS_DOWN);
    ahead_ns = (int64_t)RP_LEASE_MS * 1000000 + 1;
    assert_err(rp_keys_lease(keys, alice, rp_buf_view(&wrapped), &key), KMS_DOWN);
    rp_keys_expire(keys); /* nobody listens; the count is kept */
    stack_start_kms(&stack);
    stack_wait_open();
    rp_keys_expire(keys);
    assert_on_record(RP_EVENT_KEY_LEASE_ENDED, "reason", RP_VIEW("not known here"), 1);
    assert_ok(rp_keys_lease(keys, alice, rp_buf_view(&wrapped), &key));
    rp_keys_free(keys); /* ends that one, with a service that knows it */
    assert_on_record(RP_EVENT_KEY_LEASE_ENDED, "reason", RP_VIEW("closed"), 1);
    rp_buf_done(&other);
    rp_buf_done(&wrapped);
}

static void without_the_ledger_nothing_is_lent(void **state) {
    (void)state;
    struct rp_keys *keys = new_keys();
    struct rp_buf wrapped = new_wrapped(keys, alice);
    struct rp_buf none = rp_buf_new(RP_WRAPPED_MAX);
    const struct rp_secret *key = NULL;
    stack_kill_ledger(&stack);
    assert_err(rp_keys_lease(keys, alice, rp_buf_view(&wrapped), &key), LEDGER_DOWN);
    assert_err(rp_keys_new_tenant_key(keys, bob, &none), LEDGER_DOWN);
    assert_err(rotate(), LEDGER_DOWN);
    assert_int_equal(rp_json_get(status(), "keys")->count, 2); /* nothing half-done */
    stack_start_ledger(&stack);
    assert_ok(rp_keys_lease(keys, alice, rp_buf_view(&wrapped), &key));
    rp_buf_done(&none);
    rp_buf_done(&wrapped);
    rp_keys_free(keys);
}

/* More tenants than a cache holds: the oldest go, each with its count, and all still work. */
static void more_tenants_than_the_cache_holds(void **state) {
    (void)state;
    enum { TENANTS = RP_LEASES_MAX + 40 };
    struct rp_keys *keys = new_keys();
    struct rp_buf wrapped = new_wrapped(keys, alice);
    static uint8_t all[TENANTS][RP_WRAPPED_BYTES];
    const struct rp_secret *key = NULL;
    for (unsigned i = 0; i < TENANTS; i++) {
        rp_id tenant = {{1, (uint8_t)(i >> 8), (uint8_t)i}};
        rp_buf_clear(&wrapped);
        assert_ok(rp_keys_new_tenant_key(keys, tenant, &wrapped));
        memcpy(all[i], wrapped.p, RP_WRAPPED_BYTES);
        assert_ok(rp_keys_lease(keys, tenant, rp_buf_view(&wrapped), &key));
    }
    rp_id first = {{1, 0, 0}};
    assert_ok(rp_keys_lease(keys, first, rp_view_of(all[0], RP_WRAPPED_BYTES), &key));
    assert_on_record(RP_EVENT_KEY_LEASE_ENDED, "reason", RP_VIEW("room"), 32);
    rp_buf_done(&wrapped);
    rp_keys_free(keys);
    uint64_t leases = 1;
    assert_true(rp_json_get_u64(status(), "leases", &leases));
    assert_int_equal(leases, 0);
}

/* ---- assertions ---- */

static void an_assertion_verifies_by_the_published_keys_and_is_counted(void **state) {
    (void)state;
    struct rp_keys *keys = new_keys();
    struct rp_buf text = rp_buf_new(8192);
    struct rp_buf jwks = rp_buf_new(64 * 1024);
    struct rp_buf inventory = rp_buf_new(64 * 1024);
    struct rp_assertion assertion = {.audience = "notes",
                                     .person = {{1}},
                                     .tenant = alice,
                                     .session = {{2}},
                                     .email = RP_VIEW("zoe@example.test"),
                                     .roles = RP_VIEW("member"),
                                     .acr = "mfa"};
    for (int i = 0; i < 3; i++) {
        rp_buf_clear(&text);
        assert_ok(rp_keys_assert(keys, &assertion, &text));
    }
    assertion.acr = "root";
    struct rp_buf none = rp_buf_new(8192);
    assert_err(rp_keys_assert(keys, &assertion, &none), INVALID);
    assert_ok(rp_keys_public(keys, &jwks, &inventory));
    struct rp_json *set = NULL;
    struct rp_jwt jwt;
    assert_ok(rp_json_parse(rp_buf_view(&jwks), RP_JSON_LIMITS, arena, &set, NULL));
    assert_ok(rp_jwt_parse(rp_buf_view(&text), arena, &jwt));
    const struct rp_json *jwk = rp_json_get(set, "keys")->first;
    assert_view_equal(rp_json_get_string(jwk, "kid"), rp_json_get_string(jwt.header, "kid"));
    struct rp_buf public_key = rp_buf_new(RP_P256_PUBLIC);
    rp_buf_add_byte(&public_key, 4);
    assert_ok(rp_base64url_parse(rp_json_get_string(jwk, "x"), &public_key));
    assert_ok(rp_base64url_parse(rp_json_get_string(jwk, "y"), &public_key));
    assert_ok(rp_es256_verify(rp_buf_view(&public_key), jwt.signing_input, jwt.signature));
    assert_view(rp_json_get_string(jwt.claims, "iss"), "localhost");

    stack_end_kms(&stack); /* the minute is not over; a clean end writes what it has */
    assert_on_record(RP_EVENT_ASSERTIONS, NULL, (rp_view){NULL, 0}, 1);
    rp_buf_done(&public_key);
    rp_buf_done(&none);
    rp_buf_done(&inventory);
    rp_buf_done(&jwks);
    rp_buf_done(&text);
    rp_keys_free(keys);
}

/* ---- rotation, sealing, recovery ---- */

static uint32_t version_of(const struct rp_buf *wrapped) {
    struct rp_wrapped parsed;
    assert_ok(rp_wrapped_parse(rp_buf_view(wrapped), &parsed));
    return parsed.version;
}

static void a_rotation_keeps_old_keys_open_across_a_restart(void **state) {
    (void)state;
    struct rp_keys *keys = new_keys();
    struct rp_buf before = new_wrapped(keys, alice);
    assert_ok(rotate());
    struct rp_buf after = new_wrapped(keys, bob);
    assert_int_equal(version_of(&before), 1);
    assert_int_equal(version_of(&after), 2);
    stack_kill_kms(&stack);
    stack_start_kms(&stack);
    stack_wait_open();
    const struct rp_secret *key = NULL;
    assert_ok(rp_keys_lease(keys, alice, rp_buf_view(&before), &key));
    assert_ok(rp_keys_lease(keys, bob, rp_buf_view(&after), &key));
    assert_int_equal(rp_json_get(status(), "keys")->count, 3);
    assert_on_record(RP_EVENT_KEY_ROTATED, "kind", RP_VIEW("master"), 1);
    rp_buf_done(&after);
    rp_buf_done(&before);
    rp_keys_free(keys);
}

/* As the file probe asks. */
static void ask_as_hunt(enum rp_ipc_message message, struct rp_buf *reply) {
    struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_HUNT, RP_ROLE_KMS, 5000);
    assert_ok(rp_ipc_call(client, message, RP_VIEW(""), reply));
    rp_ipc_client_free(client);
}

static void the_inventory_for_the_probes_follows(void **state) {
    (void)state;
    struct rp_json *root = NULL;
    struct rp_buf reply = rp_buf_new(65536);
    assert_ok(rotate());
    ask_as_hunt(RP_IPC_HUNT_KMS_INVENTORY, &reply);
    struct rp_unpack in = rp_unpack_new(rp_buf_view(&reply));
    assert_ok(rp_json_parse(rp_unpack_bytes(&in, 65536), RP_JSON_LIMITS, arena, &root, NULL));
    assert_false(is_sealed(root));
    assert_int_equal(rp_json_get(root, "keys")->count, 3);
    rp_buf_done(&reply);
}

/* On one machine: nobody asks from another, and the mark is the one that we compute ourselves. */
static void it_says_on_which_machine_it_runs(void **state) {
    (void)state;
    struct rp_buf reply = rp_buf_new(1024);
    struct machine_mark own = machine_read();
    if (!own.known) {
        skip();
    }
    ask_as_hunt(RP_IPC_HUNT_KMS_PLACE, &reply);
    struct rp_unpack in = rp_unpack_new(rp_buf_view(&reply));
    assert_view_equal(rp_unpack_bytes(&in, RP_SHA256), rp_view_of(own.hash.b, RP_SHA256));
    assert_int_equal(rp_unpack_u16(&in), rp_ipc_messages(RP_ROLE_CORE, RP_ROLE_KMS) +
                                             rp_ipc_messages(RP_ROLE_HUNT, RP_ROLE_KMS) +
                                             rp_ipc_messages(RP_ROLE_CLI, RP_ROLE_KMS));
    assert_int_equal(rp_unpack_u16(&in), 0);
    assert_ok(rp_unpack_end(&in));
    rp_buf_done(&reply);
}

static void a_recovery_sheet_is_given_once_and_opens_a_service_without_its_key_file(void **state) {
    (void)state;
    struct rp_keys *keys = new_keys();
    struct rp_buf wrapped = new_wrapped(keys, alice);
    const struct rp_secret *key = NULL;
    rp_view first = {NULL, 0};
    rp_view second = {NULL, 0};
    assert_ok(recovery(false, &first));
    assert_err(recovery(false, &second), DUPLICATE);
    assert_ok(recovery(true, &second));
    assert_on_record(RP_EVENT_KEY_CREATED, "kind", RP_VIEW("recovery code"), 2);

    stack_end_kms(&stack);
    assert_ok(rp_file_remove("kms/unseal.key"));
    stack_start_kms(&stack);
    assert_true(is_sealed(status()));
    assert_err(rp_keys_lease(keys, alice, rp_buf_view(&wrapped), &key), KMS_SEALED);
    assert_err(recovery(true, &first), KMS_SEALED);
    assert_err(rotate(), KMS_SEALED);
    assert_err(unseal(1, RP_VIEW("ABCD-EFGH")), INVALID);
    assert_err(unseal(1, first), DENIED); /* the second sheet cancelled it */
    assert_true(is_sealed(status()));
    assert_ok(unseal(1, second));
    assert_ok(rp_keys_lease(keys, alice, rp_buf_view(&wrapped), &key));
    assert_on_record(RP_EVENT_KMS_UNSEALED, "by", RP_VIEW("recovery"), 1);

    stack_end_kms(&stack); /* the key file was made again */
    stack_start_kms(&stack);
    stack_wait_open();
    rp_buf_done(&wrapped);
    rp_keys_free(keys);
}

static void a_passphrase_is_set_once_and_asked_at_each_start(void **state) {
    (void)state;
    assert_true(is_sealed(status()));
    assert_err(unseal(0, RP_VIEW("short")), WEAK);
    assert_err(unseal(1, RP_VIEW("ABCD")), NOT_FOUND); /* nothing was ever sealed here */
    assert_ok(unseal(0, RP_VIEW("a long passphrase")));
    assert_false(is_sealed(status()));
    assert_false(rp_file_exists("kms/unseal.key"));
    struct rp_keys *keys = new_keys();
    struct rp_buf wrapped = new_wrapped(keys, alice);
    const struct rp_secret *key = NULL;
    stack_kill_kms(&stack);
    stack_start_kms(&stack);
    assert_true(is_sealed(status()));
    assert_err(unseal(0, RP_VIEW("a long passphrasf")), DENIED);
    assert_err(rp_keys_lease(keys, alice, rp_buf_view(&wrapped), &key), KMS_SEALED);
    assert_ok(unseal(0, RP_VIEW("a long passphrase")));
    assert_ok(rp_keys_lease(keys, alice, rp_buf_view(&wrapped), &key));
    assert_on_record(RP_EVENT_KMS_UNSEALED, "by", RP_VIEW("passphrase"), 2);
    rp_buf_done(&wrapped);
    rp_keys_free(keys);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BESIDE_THE_LEDGER(a_leased_key_seals_and_opens),
        BESIDE_THE_LEDGER(a_neighbours_or_a_foreign_key_is_refused_and_that_is_on_record),
        BESIDE_THE_LEDGER(a_destroyed_key_opens_no_more_and_that_is_on_record),
        BESIDE_THE_LEDGER(what_was_answered_was_on_record_first),
        BESIDE_THE_LEDGER(a_lease_outlives_the_service_and_its_end_is_told_to_the_next),
        BESIDE_THE_LEDGER(without_the_ledger_nothing_is_lent),
        BESIDE_THE_LEDGER(more_tenants_than_the_cache_holds),
        BESIDE_THE_LEDGER(an_assertion_verifies_by_the_published_keys_and_is_counted),
        BESIDE_THE_LEDGER(a_rotation_keeps_old_keys_open_across_a_restart),
        BESIDE_THE_LEDGER(the_inventory_for_the_probes_follows),
        BESIDE_THE_LEDGER(it_says_on_which_machine_it_runs),
        BESIDE_THE_LEDGER(a_recovery_sheet_is_given_once_and_opens_a_service_without_its_key_file),
        SEALED(a_passphrase_is_set_once_and_asked_at_each_start),
    };
    if (!stack_is_there()) {
        return 0;
    }
    return cmocka_run_group_tests_name("kms", tests, start, NULL);
}
