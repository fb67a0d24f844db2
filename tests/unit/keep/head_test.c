/* The clear head of a backup, and the ways to its key: the sheet, the passphrases. */
#include "unit.h"

#include "keep/head.h"
#include "keep/opener.h"
#include "keys/backup_key.h"
#include "keys/recovery.h"

static struct unit_world world = {.now_ns = 1700000000000000000};

/* An installation's sealed things, and a backup's key under them. */
struct made {
    struct rp_env env;
    struct rp_arena *arena;
    struct rp_hierarchy *hierarchy;
    struct rp_secret *key;
    struct rp_buf wrapped, keyring, recovery, root, own, code;
    struct rp_keep_head head;
};

static void make(struct made *m) {
    uint8_t code[RP_RECOVERY_CODE];
    *m = (struct made){.env = unit_env(&world), .arena = rp_arena_new(1 << 20)};
    assert_ok(rp_crypto_start());
    assert_ok(rp_hierarchy_make(&m->env, &m->hierarchy));
    m->wrapped = rp_buf_new(RP_WRAPPED_MAX);
    m->keyring = rp_buf_new(RP_KEYRING_BYTES_MAX);
    m->recovery = rp_buf_new(RP_ROOT_BYTES);
    m->root = rp_buf_new(RP_ROOT_BYTES);
    m->own = rp_buf_new(RP_ROOT_BYTES);
    m->code = rp_buf_new(RP_RECOVERY_TEXT);
    m->head = (struct rp_keep_head){.id = rp_env_new_id(&m->env),
                                    .made_at_s = 1700000000,
                                    .operator_size = 77,
                                    .host = RP_VIEW("example.com"),
                                    .version = RP_VIEW("0.1.0")};
    m->env.fill_random(m->env.ctx, code, sizeof code);
    assert_ok(rp_recovery_print(code, &m->code));
    assert_ok(rp_backup_key_new(m->hierarchy, m->head.id, &m->wrapped, &m->key));
    assert_ok(rp_hierarchy_print(m->hierarchy, &m->keyring));
    assert_ok(rp_hierarchy_seal_root(m->hierarchy, RP_ROOT_RECOVERY, rp_view_of(code, sizeof code),
                                     &m->recovery));
    assert_ok(rp_hierarchy_seal_root(m->hierarchy, RP_ROOT_PASSPHRASE,
                                     RP_VIEW("the unseal passphrase"), &m->root));
    assert_ok(rp_keep_seal_key(&m->env, RP_VIEW("words of its own"), m->key, &m->own));
    m->head.wrapped = rp_buf_view(&m->wrapped);
    m->head.keyring = rp_buf_view(&m->keyring);
    m->head.recovery = rp_buf_view(&m->recovery);
    m->head.root = rp_buf_view(&m->root);
    m->head.passphrase = rp_buf_view(&m->own);
}

static void done(struct made *m) {
    struct rp_buf *bufs[] = {&m->wrapped, &m->keyring, &m->recovery, &m->root, &m->own, &m->code};
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) {
        rp_buf_done(bufs[i]);
    }
    rp_secret_free(m->key);
    rp_hierarchy_free(m->hierarchy);
    rp_arena_free(m->arena);
}

static void assert_same_key(struct rp_secret *got, const struct rp_secret *want) {
    uint8_t a[RP_AEAD_KEY], b[RP_AEAD_KEY];
    rp_secret_reveal(got, a, sizeof a);
    rp_secret_reveal(want, b, sizeof b);
    assert_memory_equal(a, b, sizeof a);
    rp_secret_free(got);
}

static void what_is_printed_is_read(void **state) {
    struct made m;
    struct rp_keep_head again;
    struct rp_buf out = rp_buf_new(RP_KEEP_HEAD_MAX);
    (void)state;
    make(&m);
    assert_ok(rp_keep_head_print(&m.head, m.arena, &out));
    size_t length = 0;
    assert_ok(rp_keep_head_length(rp_view_sub(rp_buf_view(&out), 0, RP_KEEP_PREFIX), &length));
    assert_int_equal(length, out.n);
    assert_ok(rp_keep_head_parse(rp_buf_view(&out), m.arena, &again, NULL));
    assert_true(rp_id_equal(again.id, m.head.id));
    assert_int_equal(again.operator_size, 77);
    assert_view_equal(again.host, m.head.host);
    assert_view_equal(again.keyring, m.head.keyring);
    assert_view_equal(again.passphrase, m.head.passphrase);
    for (size_t n = 0; n < out.n; n += 7) {
        assert_err(rp_keep_head_parse(rp_view_of(out.p, n), m.arena, &again, NULL), CORRUPT);
    }
    out.p[15] = '2';
    assert_err(rp_keep_head_length(rp_buf_view(&out), &length), EXISTS_NEWER);
    rp_buf_done(&out);
    done(&m);
}

static void each_opener_finds_the_same_key(void **state) {
    struct made m;
    struct rp_secret *key = NULL;
    (void)state;
    make(&m);
    assert_ok(rp_keep_open_by_code(&m.env, &m.head, rp_buf_view(&m.code), &key));
    assert_same_key(key, m.key);
    assert_ok(rp_keep_open_by_passphrase(&m.env, &m.head, RP_VIEW("words of its own"), &key));
    assert_same_key(key, m.key);
    assert_ok(rp_keep_open_by_passphrase(&m.env, &m.head, RP_VIEW("the unseal passphrase"), &key));
    assert_same_key(key, m.key);
    done(&m);
}

static void what_is_wrong_opens_nothing(void **state) {
    struct made m, other;
    struct rp_secret *key = NULL;
    (void)state;
    make(&m);
    make(&other);
    assert_err(rp_keep_open_by_code(&m.env, &m.head, rp_buf_view(&other.code), &key), DENIED);
    assert_err(rp_keep_open_by_code(&m.env, &m.head, RP_VIEW("ABCD-EFGH"), &key), INVALID);
    assert_err(rp_keep_open_by_passphrase(&m.env, &m.head, RP_VIEW("something else"), &key),
               DENIED);
    /* Another backup's key, and a tenant's, in this head. */
    m.head.wrapped = other.head.wrapped;
    assert_err(rp_keep_open_by_code(&m.env, &m.head, rp_buf_view(&m.code), &key), CORRUPT);
    struct rp_buf tenant = rp_buf_new(RP_WRAPPED_MAX);
    assert_ok(rp_hierarchy_new_tenant_key(m.hierarchy, m.head.id, NULL, &tenant));
    m.head.wrapped = rp_buf_view(&tenant);
    assert_err(rp_keep_open_by_code(&m.env, &m.head, rp_buf_view(&m.code), &key), CORRUPT);
    m.head.recovery = (rp_view){NULL, 0};
    assert_err(rp_keep_open_by_code(&m.env, &m.head, rp_buf_view(&m.code), &key), NOT_FOUND);
    struct rp_buf weak = rp_buf_new(RP_ROOT_BYTES);
    assert_err(rp_keep_seal_key(&m.env, RP_VIEW("short"), m.key, &weak), WEAK);
    rp_buf_done(&weak);
    rp_buf_done(&tenant);
    assert_null(key);
    done(&other);
    done(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_printed_is_read),
        cmocka_unit_test(each_opener_finds_the_same_key),
        cmocka_unit_test(what_is_wrong_opens_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
