/* The kms' folder: first start, restart, a lost key file, a recovery sheet, a torn first start. */
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "keys/safe_io.h"
#include "os/file.h"

static struct unit_world world = {.now_ns = 1790000000LL * 1000000000, .random_state = 31};
static struct rp_env env;
static const rp_id alice = {{1}};

static int start(void **state) {
    (void)state;
    env = unit_env(&world);
    assert_ok(rp_crypto_start());
    return 0;
}

/* Each test works in a state folder of its own. */
static int enter(void **state) {
    char *dir = unit_dir_new();
    assert_int_equal(chdir(dir), 0);
    assert_ok(rp_folder_make("kms", 0700));
    *state = dir;
    return 0;
}

static int leave(void **state) {
    assert_int_equal(chdir("/"), 0);
    unit_dir_remove(*state);
    return 0;
}

/* A first start, and a tenant's wrapped key to know the hierarchy by. */
static struct rp_hierarchy *create(enum rp_root_kind kind, const char *passphrase,
                                   struct rp_buf *wrapped) {
    struct rp_hierarchy *hierarchy = NULL;
    assert_ok(rp_hierarchy_make(&env, &hierarchy));
    assert_ok(rp_safe_create(&env, hierarchy, kind, rp_view_from_cstr(passphrase)));
    *wrapped = rp_buf_new(RP_WRAPPED_MAX);
    assert_ok(rp_hierarchy_new_tenant_key(hierarchy, alice, NULL, wrapped));
    return hierarchy;
}

static void assert_opens(enum rp_root_kind kind, rp_view opener, const struct rp_buf *wrapped) {
    struct rp_hierarchy *hierarchy = NULL;
    struct rp_secret *key = NULL;
    assert_ok(rp_safe_open(&env, kind, opener, &hierarchy));
    assert_ok(rp_hierarchy_unwrap(hierarchy, alice, NULL, rp_buf_view(wrapped), &key, NULL));
    rp_secret_free(key);
    rp_hierarchy_free(hierarchy);
}

static void assert_stays_shut(enum rp_root_kind kind, rp_view opener, enum rp_code code) {
    struct rp_hierarchy *hierarchy = NULL;
    unit_assert_err(rp_safe_open(&env, kind, opener, &hierarchy), code, __FILE__, __LINE__);
    assert_null(hierarchy);
}

static struct rp_safe look(void) {
    struct rp_safe safe;
    assert_ok(rp_safe_look(&safe, NULL));
    return safe;
}

static void a_first_start_with_a_key_file(void **state) {
    (void)state;
    struct rp_buf wrapped;
    struct stat st;
    assert_int_equal(look().state, RP_SAFE_EMPTY);
    rp_hierarchy_free(create(RP_ROOT_FILE, NULL, &wrapped));
    assert_int_equal(look().state, RP_SAFE_SEALED);
    assert_int_equal(look().kind, RP_ROOT_FILE);
    assert_int_equal(stat("kms/unseal.key", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, 32);
    assert_opens(RP_ROOT_FILE, RP_VIEW(""), &wrapped);
    rp_buf_done(&wrapped);
}

static void a_first_start_with_a_passphrase(void **state) {
    (void)state;
    struct rp_buf wrapped;
    struct rp_hierarchy *hierarchy = NULL;
    assert_ok(rp_hierarchy_make(&env, &hierarchy));
    assert_err(rp_safe_create(&env, hierarchy, RP_ROOT_PASSPHRASE, RP_VIEW("short")), WEAK);
    assert_int_equal(look().state, RP_SAFE_EMPTY);
    rp_hierarchy_free(hierarchy);
    rp_hierarchy_free(create(RP_ROOT_PASSPHRASE, "a long passphrase", &wrapped));
    assert_false(rp_file_exists("kms/unseal.key"));
    assert_opens(RP_ROOT_PASSPHRASE, RP_VIEW("a long passphrase"), &wrapped);
    assert_stays_shut(RP_ROOT_PASSPHRASE, RP_VIEW("a long passphrasf"), RP_E_DENIED);
    assert_stays_shut(RP_ROOT_FILE, RP_VIEW(""), RP_E_NOT_FOUND);
    rp_buf_done(&wrapped);
}

static void a_lost_key_file_is_replaced_by_the_recovery_code(void **state) {
    (void)state;
    struct rp_buf wrapped;
    struct rp_buf code = rp_buf_new(128);
    struct rp_hierarchy *hierarchy = create(RP_ROOT_FILE, NULL, &wrapped);
    assert_false(rp_safe_has_recovery());
    assert_ok(rp_safe_new_recovery(&env, hierarchy, &code));
    rp_hierarchy_free(hierarchy);
    assert_true(rp_safe_has_recovery());
    assert_ok(rp_file_remove("kms/unseal.key"));
    assert_int_equal(look().state, RP_SAFE_BROKEN);
    assert_string_equal(look().missing, "kms/unseal.key");
    assert_stays_shut(RP_ROOT_FILE, RP_VIEW(""), RP_E_NOT_FOUND);

    hierarchy = NULL;
    assert_ok(rp_safe_open(&env, RP_ROOT_RECOVERY, rp_buf_view(&code), &hierarchy));
    assert_ok(rp_safe_renew_key_file(&env, hierarchy));
    rp_hierarchy_free(hierarchy);
    assert_int_equal(look().state, RP_SAFE_SEALED);
    assert_opens(RP_ROOT_FILE, RP_VIEW(""), &wrapped);
    assert_opens(RP_ROOT_RECOVERY, rp_buf_view(&code), &wrapped); /* the sheet stays good */
    rp_buf_done(&code);
    rp_buf_done(&wrapped);
}

static void a_new_sheet_cancels_the_former(void **state) {
    (void)state;
    struct rp_buf wrapped;
    struct rp_buf first = rp_buf_new(128);
    struct rp_buf second = rp_buf_new(128);
    struct rp_hierarchy *hierarchy = create(RP_ROOT_PASSPHRASE, "a long passphrase", &wrapped);
    assert_ok(rp_safe_new_recovery(&env, hierarchy, &first));
    assert_ok(rp_safe_new_recovery(&env, hierarchy, &second));
    rp_hierarchy_free(hierarchy);
    assert_stays_shut(RP_ROOT_RECOVERY, rp_buf_view(&first), RP_E_DENIED);
    assert_stays_shut(RP_ROOT_RECOVERY, RP_VIEW("ABCD"), RP_E_INVALID);
    assert_opens(RP_ROOT_RECOVERY, rp_buf_view(&second), &wrapped);
    assert_stays_shut(RP_ROOT_PASSPHRASE, rp_buf_view(&second), RP_E_DENIED);
    rp_buf_done(&first);
    rp_buf_done(&second);
    rp_buf_done(&wrapped);
}

static void a_wrong_key_file_or_an_altered_ring_does_not_open(void **state) {
    (void)state;
    struct rp_buf wrapped;
    rp_hierarchy_free(create(RP_ROOT_FILE, NULL, &wrapped));
    static const uint8_t other[32] = {1};
    struct rp_arena *arena = rp_arena_new(4096);
    rp_view key;
    assert_ok(rp_file_read("kms/unseal.key", 64, arena, &key));
    assert_ok(rp_file_replace("kms/unseal.key", 0600, rp_view_of(other, sizeof other)));
    assert_stays_shut(RP_ROOT_FILE, RP_VIEW(""), RP_E_DENIED);
    assert_ok(rp_file_replace("kms/unseal.key", 0600, rp_view_of(other, 31)));
    assert_stays_shut(RP_ROOT_FILE, RP_VIEW(""), RP_E_CORRUPT);
    assert_ok(rp_file_replace("kms/unseal.key", 0600, key));
    assert_opens(RP_ROOT_FILE, RP_VIEW(""), &wrapped);
    rp_view ring;
    assert_ok(rp_file_read("kms/keyring", 4096, arena, &ring));
    assert_ok(rp_file_replace("kms/keyring", 0600, rp_view_sub(ring, 0, ring.n - 1)));
    assert_stays_shut(RP_ROOT_FILE, RP_VIEW(""), RP_E_CORRUPT);
    rp_arena_free(arena);
    rp_buf_done(&wrapped);
}

static void what_lies_there_is_never_taken_for_a_first_start(void **state) {
    (void)state;
    struct rp_buf wrapped;
    rp_hierarchy_free(create(RP_ROOT_FILE, NULL, &wrapped));
    rp_buf_done(&wrapped);
    assert_int_equal(rename("kms/root.sealed", "kms/aside"), 0);
    assert_int_equal(look().state, RP_SAFE_BROKEN);
    assert_string_equal(look().missing, "kms/root.sealed");
    assert_int_equal(rename("kms/aside", "kms/root.sealed"), 0);
    assert_int_equal(rename("kms/keyring", "kms/aside"), 0);
    assert_int_equal(look().state, RP_SAFE_BROKEN);
    assert_string_equal(look().missing, "kms/keyring");
}

static void a_first_start_that_was_cut_short_begins_anew(void **state) {
    (void)state;
    struct rp_hierarchy *half = NULL;
    assert_ok(rp_hierarchy_make(&env, &half));
    assert_ok(rp_file_create("kms/making", 0600, RP_VIEW("")));
    assert_ok(rp_safe_save(half));
    rp_hierarchy_free(half);
    assert_int_equal(look().state, RP_SAFE_EMPTY);
    struct rp_buf wrapped;
    rp_hierarchy_free(create(RP_ROOT_FILE, NULL, &wrapped));
    assert_int_equal(look().state, RP_SAFE_SEALED);
    assert_opens(RP_ROOT_FILE, RP_VIEW(""), &wrapped);
    rp_buf_done(&wrapped);
}

static void a_file_of_a_newer_release_is_named(void **state) {
    (void)state;
    struct rp_buf wrapped;
    rp_hierarchy_free(create(RP_ROOT_FILE, NULL, &wrapped));
    rp_buf_done(&wrapped);
    uint8_t bytes[RP_ROOT_BYTES] = "RPR2";
    struct rp_safe safe;
    struct rp_diag diag = {0};
    assert_ok(rp_file_replace("kms/root.sealed", 0600, rp_view_of(bytes, sizeof bytes)));
    assert_err(rp_safe_look(&safe, &diag), EXISTS_NEWER);
    assert_true(rp_view_starts(rp_view_from_cstr(diag.text), RP_VIEW("kms/root.sealed")));
}

static void a_rotation_survives_a_restart(void **state) {
    (void)state;
    struct rp_buf wrapped;
    struct rp_hierarchy *hierarchy = create(RP_ROOT_FILE, NULL, &wrapped);
    assert_ok(rp_hierarchy_rotate(hierarchy, RP_KEY_MASTER));
    assert_ok(rp_safe_save(hierarchy));
    rp_hierarchy_free(hierarchy);
    hierarchy = NULL;
    assert_opens(RP_ROOT_FILE, RP_VIEW(""), &wrapped);
    assert_ok(rp_safe_open(&env, RP_ROOT_FILE, RP_VIEW(""), &hierarchy));
    assert_int_equal(rp_hierarchy_count(hierarchy), 3);
    rp_hierarchy_free(hierarchy);
    rp_buf_done(&wrapped);
}

#define IN_A_FOLDER(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(a_first_start_with_a_key_file),
        IN_A_FOLDER(a_first_start_with_a_passphrase),
        IN_A_FOLDER(a_lost_key_file_is_replaced_by_the_recovery_code),
        IN_A_FOLDER(a_new_sheet_cancels_the_former),
        IN_A_FOLDER(a_wrong_key_file_or_an_altered_ring_does_not_open),
        IN_A_FOLDER(what_lies_there_is_never_taken_for_a_first_start),
        IN_A_FOLDER(a_first_start_that_was_cut_short_begins_anew),
        IN_A_FOLDER(a_file_of_a_newer_release_is_named),
        IN_A_FOLDER(a_rotation_survives_a_restart),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
