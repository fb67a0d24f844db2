#include "kms_world.h"

#include <unistd.h>

#include "ledger/read_io.h"

enum { WAIT_S = 15, TRY_MS = 50, CLI_DEADLINE_MS = 20000 };

const rp_id alice = {{0xa1}};
const rp_id bob = {{0xb0}};

struct stack stack;
struct rp_arena *arena;

int64_t ahead_ns;

static int64_t shifted_monotonic(void *ctx) {
    (void)ctx;
    struct rp_env real = rp_env_real();
    return real.monotonic_ns(real.ctx) + ahead_ns;
}

int start(void **state) {
    (void)state;
    assert_ok(rp_crypto_start());
    return 0;
}

int begin(void **state) {
    (void)state;
    ahead_ns = 0;
    arena = rp_arena_new(64 << 20);
    stack_start(&stack);
    return 0;
}

int begin_with_a_passphrase(void **state) {
    (void)state;
    arena = rp_arena_new(64 << 20);
    stack_start_with(&stack, RP_VIEW("host: localhost\nkeys:\n  unseal: passphrase\n"));
    return 0;
}

int finish(void **state) {
    (void)state;
    stack_stop(&stack);
    rp_arena_free(arena);
    return 0;
}

struct rp_keys *new_keys(void) {
    struct rp_env env = rp_env_real();
    env.monotonic_ns = shifted_monotonic;
    struct rp_keys *keys = NULL;
    assert_ok(rp_keys_new(&env, &keys));
    return keys;
}

struct rp_buf new_wrapped(struct rp_keys *keys, rp_id tenant) {
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

size_t count_now(enum rp_event_kind kind, const char *field, rp_view value) {
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

void assert_on_record(enum rp_event_kind kind, const char *field, rp_view value, size_t at_least) {
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

rp_view id_text(rp_id id) {
    static struct rp_id_text text;
    text = rp_id_print(id);
    return rp_view_of(text.s, RP_ID_TEXT);
}

/* ---- the command line's side ---- */

rp_err cli(enum rp_ipc_message message, rp_view request, struct rp_buf *reply) {
    struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_CLI, RP_ROLE_KMS, CLI_DEADLINE_MS);
    assert_non_null(client);
    rp_err err = rp_ipc_call(client, message, request, reply);
    rp_ipc_client_free(client);
    return err;
}

rp_err unseal(uint8_t kind, rp_view opener) {
    struct rp_buf request = rp_buf_new(1024);
    struct rp_buf reply = rp_buf_new(64);
    rp_pack_u8(&request, kind);
    rp_pack_bytes(&request, opener);
    rp_err err = cli(RP_IPC_CLI_KMS_UNSEAL, rp_buf_view(&request), &reply);
    rp_buf_done(&request);
    rp_buf_done(&reply);
    return err;
}

rp_err rotate(void) {
    struct rp_buf reply = rp_buf_new(64);
    rp_err err = cli(RP_IPC_CLI_KMS_ROTATE, (rp_view){NULL, 0}, &reply);
    rp_buf_done(&reply);
    return err;
}

rp_err recovery(bool renew, rp_view *ret_code) {
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

const struct rp_json *status(void) {
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

bool is_sealed(const struct rp_json *inventory) {
    bool sealed = false;
    assert_true(rp_json_get_bool(inventory, "sealed", &sealed));
    return sealed;
}
