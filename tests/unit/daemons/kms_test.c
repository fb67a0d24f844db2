/* The real key service beside the real ledger: what it lends, what it refuses, what is on record
 * before it answers, what survives kill -9, and what its memory does not hold. */
#include "unit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/checked.h"
#include "crypto/aead.h"
#include "crypto/sign.h"
#include "event/event.h"
#include "ipc/table.h"
#include "keys/client.h"
#include "keys/messages.h"
#include "ledger/read_io.h"
#include "machine.h"
#include "os/file.h"
#include "stack.h"
#include "wire/encode.h"
#include "wire/jwt.h"

enum { WAIT_S = 15, TRY_MS = 50, CLI_DEADLINE_MS = 20000 };

static const rp_id alice = {{0xa1}};
static const rp_id bob = {{0xb0}};

static struct stack stack;
static struct rp_arena *arena;

/* Core's clock runs ahead of ours by this much, so that leases end when the test says so. */
static int64_t ahead_ns;

static int64_t shifted_monotonic(void *ctx) {
    (void)ctx;
    struct rp_env real = rp_env_real();
    return real.monotonic_ns(real.ctx) + ahead_ns;
}

static int start(void **state) {
    (void)state;
    assert_ok(rp_crypto_start());
    return 0;
}

static int begin(void **state) {
    (void)state;
    ahead_ns = 0;
    arena = rp_arena_new(64 << 20);
    stack_start(&stack);
    return 0;
}

static int begin_with_a_passphrase(void **state) {
    (void)state;
    arena = rp_arena_new(64 << 20);
    stack_start_with(&stack, RP_VIEW("host: localhost\nkeys:\n  unseal: passphrase\n"));
    return 0;
}

static int finish(void **state) {
    (void)state;
    stack_stop(&stack);
    rp_arena_free(arena);
    return 0;
}

static struct rp_keys *new_keys(void) {
    struct rp_env env = rp_env_real();
    env.monotonic_ns = shifted_monotonic;
    struct rp_keys *keys = NULL;
    assert_ok(rp_keys_new(&env, &keys));
    return keys;
}

static struct rp_buf new_wrapped(struct rp_keys *keys, rp_id tenant) {
    struct rp_buf wrapped = rp_buf_new(RP_WRAPPED_MAX);
    assert_ok(rp_keys_new_tenant_key(keys, tenant, &wrapped));
    return wrapped;
}

/* ---- the operator's tree, read from its files like a stranger would ---- */

/* Does the event carry the field with the value? field NULL: any event of the kind will do. */
static bool matches(rp_view entry, enum rp_event_kind kind, const char *field, rp_view value) {
    struct rp_event_read event;
    if (!rp_ok(rp_event_parse(entry, arena, &event)) || event.kind != kind) {
        return false;
    }
    return !field || rp_view_equal(rp_json_get_string(event.fields, field), value);
}

static size_t count_now(enum rp_event_kind kind, const char *field, rp_view value) {
    struct rp_log *log = NULL;
    size_t found = 0;
    if (!rp_ok(rp_log_open("ledger/operator", (rp_view){NULL, 0}, &log, NULL))) {
        return 0; /* no checkpoint yet */
    }
    for (uint64_t i = 0; i < rp_log_size(log); i++) {
        rp_view entry;
        assert_ok(rp_log_entry(log, i, arena, &entry));
        found += matches(entry, kind, field, value);
    }
    rp_log_free(log);
    return found;
}

/* The ledger signs what it has four times a second; so the tree is looked at until it is there. */
static void assert_on_record(enum rp_event_kind kind, const char *field, rp_view value,
                             size_t at_least) {
    size_t found = 0;
    for (int i = 0; i < WAIT_S * 1000 / TRY_MS; i++) {
        found = count_now(kind, field, value);
        if (found >= at_least) {
            return;
        }
        usleep(TRY_MS * 1000);
    }
    fail_msg("%s: %zu on record, want %zu", rp_event_id(kind), found, at_least);
}

static rp_view id_text(rp_id id) {
    static struct rp_id_text text;
    text = rp_id_print(id);
    return rp_view_of(text.s, RP_ID_TEXT);
}

/* ---- the command line's side ---- */

static rp_err cli(enum rp_ipc_message message, rp_view request, struct rp_buf *reply) {
    struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_CLI, RP_ROLE_KMS, CLI_DEADLINE_MS);
    assert_non_null(client);
    rp_err err = rp_ipc_call(client, message, request, reply);
    rp_ipc_client_free(client);
    return err;
}

static rp_err unseal(uint8_t kind, rp_view opener) {
    struct rp_buf request = rp_buf_new(1024);
    struct rp_buf reply = rp_buf_new(64);
    rp_pack_u8(&request, kind);
    rp_pack_bytes(&request, opener);
    rp_err err = cli(RP_IPC_CLI_KMS_UNSEAL, rp_buf_view(&request), &reply);
    rp_buf_done(&request);
    rp_buf_done(&reply);
    return err;
}

static rp_err rotate(void) {
    struct rp_buf reply = rp_buf_new(64);
    rp_err err = cli(RP_IPC_CLI_KMS_ROTATE, (rp_view){NULL, 0}, &reply);
    rp_buf_done(&reply);
    return err;
}

/* The code's text in the arena. */
static rp_err recovery(bool renew, rp_view *ret_code) {
    uint8_t request = renew;
    struct rp_buf reply = rp_buf_new(256);
    rp_err err = cli(RP_IPC_CLI_KMS_RECOVERY, rp_view_of(&request, 1), &reply);
    if (rp_ok(err)) {
        struct rp_unpack in = rp_unpack_new(rp_buf_view(&reply));
        rp_view code = rp_unpack_bytes(&in, 128);
        assert_ok(rp_unpack_end(&in));
        assert_ok(rp_arena_copy(arena, code, ret_code));
    }
    rp_buf_done(&reply);
    return err;
}

static const struct rp_json *status(void) {
    struct rp_buf reply = rp_buf_new(64 * 1024);
    struct rp_json *root = NULL;
    assert_ok(cli(RP_IPC_CLI_KMS_STATUS, (rp_view){NULL, 0}, &reply));
    struct rp_unpack in = rp_unpack_new(rp_buf_view(&reply));
    rp_view text = rp_unpack_bytes(&in, 64 * 1024);
    assert_ok(rp_unpack_end(&in));
    assert_ok(rp_json_parse(text, RP_JSON_LIMITS, arena, &root, NULL));
    rp_buf_done(&reply);
    return root;
}

static bool is_sealed(const struct rp_json *inventory) {
    bool sealed = false;
    assert_true(rp_json_get_bool(inventory, "sealed", &sealed));
    return sealed;
}

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

/* ---- the process itself ---- */

static void bytes_that_are_no_request_are_refused_and_the_service_stands(void **state) {
    (void)state;
    struct rp_ipc_client *core = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_KMS, 5000);
    struct rp_buf reply = rp_buf_new(65536);
    static const enum rp_ipc_message messages[] = {RP_IPC_CORE_KMS_NEW_KEY, RP_IPC_CORE_KMS_LEASE,
                                                   RP_IPC_CORE_KMS_LEASE_END,
                                                   RP_IPC_CORE_KMS_ASSERT};
    for (size_t i = 0; i < RP_COUNT_OF(messages); i++) {
        static const uint8_t junk[60] = {0, 0, 0, 0, 0xff, 0xff};
        assert_err(rp_ipc_call(core, messages[i], RP_VIEW(""), &reply), PROTOCOL);
        assert_false(rp_ok(rp_ipc_call(core, messages[i], rp_view_of(junk, sizeof junk), &reply)));
        assert_int_equal(reply.n, 0);
    }
    assert_err(rp_ipc_call(core, RP_IPC_CLI_KMS_ROTATE, RP_VIEW(""), &reply), PROTOCOL);
    rp_ipc_client_free(core);
    rp_buf_done(&reply);
    assert_err(unseal(3, RP_VIEW("x")), INVALID);
    stack_wait_open();
}

static rp_view proc_file(const char *name) {
    char path[64];
    rp_view text;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)stack.kms, name);
    assert_ok(rp_file_read(path, 65536, arena, &text));
    return text;
}

/*= S84 type=test */
static void no_dump_of_it_can_be_taken(void **state) {
    (void)state;
    /* The kernel gives the files of a process that must not be dumped to root, whoever runs it. */
    char path[64];
    struct stat st;
    snprintf(path, sizeof path, "/proc/%d/mem", (int)stack.kms);
    assert_int_equal(stat(path, &st), 0);
#ifndef __SANITIZE_ADDRESS__
    assert_int_equal(st.st_uid, 0);
#endif
    rp_view limits = proc_file("limits");
    rp_view line = rp_view_from(limits, rp_view_find(limits, RP_VIEW("Max core file size")));
    line = rp_view_cut(&line, '\n');
    assert_true(rp_view_find(line, RP_VIEW(" 0                    0 ")) < line.n);
    rp_view process = proc_file("status");
    assert_true(rp_view_find(process, RP_VIEW("\nNoNewPrivs:\t1\n")) < process.n);
    assert_true(rp_view_find(process, RP_VIEW("\nSeccomp:\t2\n")) < process.n);
    assert_true(rp_view_find(process, RP_VIEW("\nVmLck:\t       0 kB\n")) == process.n);
    if (geteuid() == 0) {
        assert_true(rp_view_find(process, RP_VIEW("\nUid:\t0\t")) == process.n);
    }
}

/* How often the bytes stand in the readable memory of the process; SIZE_MAX when it cannot be
 * read (only root may). */
static size_t occurrences(pid_t process, rp_view needle) {
    char path[64];
    char line[512];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)process);
    int memory = open(path, O_RDONLY | O_CLOEXEC);
    if (memory < 0) {
        return SIZE_MAX;
    }
    snprintf(path, sizeof path, "/proc/%d/maps", (int)process);
    FILE *maps = fopen(path, "re");
    assert_non_null(maps);
    size_t found = 0;
    while (fgets(line, sizeof line, maps)) {
        char *end = NULL;
        uintmax_t from = strtoumax(line, &end, 16);
        uintmax_t to = strtoumax(end + 1, &end, 16);
        if (end[1] != 'r' || to - from > (64u << 20)) {
            continue;
        }
        uint8_t *bytes = test_malloc(to - from);
        ssize_t n = pread(memory, bytes, to - from, (off_t)from);
        rp_view rest = rp_view_of(bytes, n > 0 ? (size_t)n : 0);
        for (size_t at = rp_view_find(rest, needle); at < rest.n; at = rp_view_find(rest, needle)) {
            found++;
            rest = rp_view_from(rest, at + 1);
        }
        test_free(bytes);
    }
    fclose(maps);
    close(memory);
    return found;
}

/* A key as it goes over the wire: the only place outside locked memory where one ever stands. */
static void lease_on_the_wire(rp_view wrapped, uint8_t key[static RP_TENANT_KEY]) {
    struct rp_ipc_client *core = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_KMS, 5000);
    struct rp_buf request = rp_buf_new(512);
    struct rp_buf reply = rp_buf_new(512);
    struct rp_lease_request lease = {alice, wrapped};
    struct rp_lease_reply got;
    assert_ok(rp_lease_request_pack(&lease, &request));
    assert_ok(rp_ipc_call(core, RP_IPC_CORE_KMS_LEASE, rp_buf_view(&request), &reply));
    assert_ok(rp_lease_reply_unpack(rp_buf_view(&reply), &got));
    memcpy(key, got.key.p, RP_TENANT_KEY);
    rp_buf_done(&request);
    rp_buf_done(&reply);
    rp_ipc_client_free(core);
}

/*= S86 type=test */
static void a_key_once_lent_is_nowhere_in_its_memory(void **state) {
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* the sanitizer keeps what was freed */
#endif
    struct rp_keys *keys = new_keys();
    struct rp_buf wrapped = new_wrapped(keys, alice);
    uint8_t key[RP_TENANT_KEY];
    lease_on_the_wire(rp_buf_view(&wrapped), key);
    (void)status(); /* one request at a time: when this is answered, that one is wholly done */
    size_t found = occurrences(stack.kms, rp_view_of(key, sizeof key));
    if (found == SIZE_MAX) {
        skip(); /* not root */
    }
    assert_int_equal(found, 0);
    /* Half of it neither; and the search does find what is there: our own copy. */
    assert_int_equal(occurrences(stack.kms, rp_view_of(key, sizeof key / 2)), 0);
    assert_int_equal(occurrences(stack.kms, rp_view_of(key + 16, sizeof key / 2)), 0);
    assert_true(occurrences(getpid(), rp_view_of(key, sizeof key)) > 0);
    rp_wipe(key, sizeof key);
    rp_buf_done(&wrapped);
    rp_keys_free(keys);
}

/* The same for what is typed and printed: passphrase and recovery code. */
static void neither_passphrase_nor_code_stays_in_its_memory(void **state) {
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* the sanitizer keeps what was freed */
#endif
    rp_view code = {NULL, 0};
    assert_ok(unseal(0, RP_VIEW("a long passphrase")));
    assert_ok(recovery(false, &code));
    (void)status(); /* one request at a time: when this is answered, that one is wholly done */
    size_t found = occurrences(stack.kms, RP_VIEW("a long passphrase"));
    if (found == SIZE_MAX) {
        skip(); /* not root */
    }
    assert_int_equal(found, 0);
    assert_int_equal(occurrences(stack.kms, code), 0);
    assert_int_equal(occurrences(stack.kms, rp_view_sub(code, 0, 19)), 0);
}

static int start_without_locked_memory(void) {
    struct rlimit none = {0, 0};
    int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (quiet < 0 || dup2(quiet, 2) < 0 || setrlimit(RLIMIT_MEMLOCK, &none) != 0) {
        return 126;
    }
    const char *program = getenv("REMPART_KMS");
    execl(program, program, "--state", ".", "--share", ".", (char *)NULL);
    return 127;
}

static void it_does_not_start_where_memory_cannot_be_locked(void **state) {
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* the sanitizer makes mlock do nothing */
#endif
    stack_end_kms(&stack);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(start_without_locked_memory());
    }
    int status_code = 0;
    assert_int_equal(waitpid(child, &status_code, 0), child);
    assert_true(WIFEXITED(status_code));
    assert_int_equal(WEXITSTATUS(status_code), 2); /* "do not start me again" */
}

#define BESIDE_THE_LEDGER(f) cmocka_unit_test_setup_teardown(f, begin, finish)
#define SEALED(f) cmocka_unit_test_setup_teardown(f, begin_with_a_passphrase, finish)

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
        BESIDE_THE_LEDGER(bytes_that_are_no_request_are_refused_and_the_service_stands),
        BESIDE_THE_LEDGER(no_dump_of_it_can_be_taken),
        BESIDE_THE_LEDGER(a_key_once_lent_is_nowhere_in_its_memory),
        SEALED(neither_passphrase_nor_code_stays_in_its_memory),
        BESIDE_THE_LEDGER(it_does_not_start_where_memory_cannot_be_locked),
    };
    if (!stack_is_there()) {
        return 0;
    }
    return cmocka_run_group_tests(tests, start, NULL);
}
