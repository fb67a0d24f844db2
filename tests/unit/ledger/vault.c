#include "vault.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/access_io.h"
#include "os/file.h"

const struct rp_tree vault_public = {.kind = RP_TREE_PUBLIC};
const struct rp_tree vault_operator = {.kind = RP_TREE_OPERATOR};

struct rp_tree vault_tenant(uint8_t n) {
    struct rp_tree tree = {.kind = RP_TREE_TENANT};
    memset(tree.tenant.b, n, sizeof tree.tenant.b);
    return tree;
}

void vault_new(struct vault *vault) {
    assert_ok(rp_crypto_start());
    *vault = (struct vault){.folder = unit_dir_new(),
                            .env = rp_env_real(),
                            .disk = rp_disk_real(),
                            .segment_bytes = RP_JOURNAL_SEGMENT_BYTES};
    assert_int_equal(chdir(vault->folder), 0);
    assert_ok(rp_folder_make("ledger/journal", 0700));
    assert_ok(rp_ed25519_new(&vault->env, &vault->home.key.secret));
    assert_ok(rp_ed25519_public(vault->home.key.secret, vault->home.key.public_key));
    vault->home.disk = &vault->disk;
    vault->home.folder = "ledger";
    vault->home.host = "test.example";
}

void vault_remove(struct vault *vault) {
    rp_secret_free(vault->home.key.secret);
    assert_int_equal(chdir("/"), 0);
    unit_dir_remove(vault->folder);
}

rp_err vault_try_open(struct vault *vault, struct rp_diag *diag) {
    RP_TRY(rp_engine_open(&vault->disk, "ledger", vault->segment_bytes, &vault->engine,
                          &vault->start, diag));
    rp_err err = rp_forest_new(&vault->home, &vault->env, vault->start.from, &vault->forest, diag);
    if (rp_ok(err)) {
        err = rp_forest_derive(vault->forest, rp_engine_end(vault->engine), diag);
    }
    if (!rp_ok(err)) {
        vault_close(vault);
    }
    return err;
}

void vault_open(struct vault *vault) {
    struct rp_diag diag = {0};
    rp_err err = vault_try_open(vault, &diag);
    if (!rp_ok(err)) {
        fail_msg("%s: %s", rp_err_name(err), diag.text);
    }
}

void vault_close(struct vault *vault) {
    rp_forest_free(vault->forest);
    rp_engine_free(vault->engine);
    vault->forest = NULL;
    vault->engine = NULL;
}

rp_err vault_stage(struct vault *vault, struct rp_tree tree, rp_id stream, uint64_t sequence,
                   size_t bytes, uint64_t *ret_next) {
    char text[4096];
    /* The same number is the same event, as a sender that repeats itself sends it. */
    unsigned long long what = sequence ? sequence : ++vault->counter;
    assert_true(bytes < sizeof text);
    memset(text, 'x', bytes);
    int n = snprintf(text, sizeof text, "{\"n\":%llu,\"x\":\"", what);
    assert_true(n > 0);
    text[n] = 'x';
    struct rp_append append = {
        .tree = tree, .stream = stream, .first_sequence = sequence, .count = 1};
    append.events[0] = rp_view_of(text, bytes > (size_t)n ? bytes : (size_t)n);
    return rp_engine_stage(vault->engine, &append, 1700000000000, ret_next);
}

void vault_add(struct vault *vault, struct rp_tree tree, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        uint64_t next;
        assert_ok(vault_stage(vault, tree, (rp_id){{0}}, 0, 40 + i % 50, &next));
        if (i % 64 == 63) {
            assert_ok(rp_engine_commit(vault->engine));
        }
    }
    assert_ok(rp_engine_commit(vault->engine));
}

void vault_derive(struct vault *vault) {
    struct rp_diag diag = {0};
    rp_err err = rp_forest_derive(vault->forest, rp_engine_end(vault->engine), &diag);
    if (!rp_ok(err)) {
        fail_msg("%s: %s", rp_err_name(err), diag.text);
    }
}

void vault_publish(struct vault *vault) {
    vault_derive(vault);
    assert_ok(rp_forest_publish(vault->forest, RP_FOREST_ALL, NULL));
}

static void append_event(struct vault *vault, struct rp_tree tree, struct rp_event *event) {
    struct rp_append append = {.tree = tree, .count = 1};
    uint64_t next;
    assert_ok(rp_event_print(event, &append.events[0]));
    assert_ok(rp_engine_stage(vault->engine, &append, 1700000000000, &next));
    assert_ok(rp_engine_commit(vault->engine));
}

static void hex_field(struct rp_event *event, const char *field, const rp_hash *hash) {
    char hex[2 * RP_SHA256];
    rp_hex_print(rp_view_of(hash->b, RP_SHA256), hex);
    rp_event_add_text(event, field, rp_view_of(hex, sizeof hex));
}

size_t vault_anchor(struct vault *vault) {
    rp_hash root;
    size_t count;
    vault_derive(vault);
    assert_ok(rp_forest_plan_anchor(vault->forest, &root, &count, NULL));
    if (count > 0) {
        struct rp_arena *arena = rp_arena_new(1 << 16);
        struct rp_event *event = rp_event_new(arena, RP_EVENT_ANCHOR, 1, RP_ROLE_LEDGER);
        hex_field(event, "root", &root);
        rp_event_add_u64(event, "trees", count);
        append_event(vault, vault_public, event);
        rp_arena_free(arena);
        vault_publish(vault);
    }
    return count;
}

void vault_access(struct vault *vault, uint64_t time_ms) {
    char name[RP_ACCESS_NAME];
    struct rp_sha256 sum;
    rp_access_name(time_ms, name);
    assert_ok(
        rp_access_write(&vault->disk, "ledger", time_ms, RP_VIEW("{\"path\":\"/\"}\n"), &sum));
    struct rp_arena *arena = rp_arena_new(1 << 16);
    struct rp_event *event = rp_event_new(arena, RP_EVENT_GATE_SEGMENT, 1, RP_ROLE_LEDGER);
    rp_event_add_text(event, "file", rp_view_from_cstr(name));
    hex_field(event, "sha256", &sum);
    rp_event_add_u64(event, "count", 1);
    append_event(vault, vault_operator, event);
    rp_arena_free(arena);
}
