/* A tenant's half: made once, good for its tenant, and when it is gone no wrapped key opens. */
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "keys/half_io.h"
#include "os/file.h"

static struct unit_world world = {.now_ns = 1790000000LL * 1000000000, .random_state = 17};
static struct rp_env env;
static const rp_id alice = {{1}};
static const rp_id bob = {{2}};

static int enter(void **state) {
    env = unit_env(&world);
    assert_ok(rp_crypto_start());
    *state = unit_dir_new();
    assert_int_equal(chdir(*state), 0);
    assert_ok(rp_folder_make("kms", 0700));
    return 0;
}

static int leave(void **state) {
    assert_int_equal(chdir("/"), 0);
    unit_dir_remove(*state);
    return 0;
}

struct kept {
    struct rp_hierarchy *hierarchy;
    struct rp_secret *half;
    struct rp_buf wrapped;
};

static struct kept make(void) {
    struct kept kept = {.wrapped = rp_buf_new(RP_WRAPPED_MAX)};
    assert_ok(rp_hierarchy_make(&env, &kept.hierarchy));
    assert_ok(rp_half_make(&env, kept.hierarchy, alice, &kept.half));
    assert_ok(rp_hierarchy_new_tenant_key(kept.hierarchy, alice, kept.half, &kept.wrapped));
    return kept;
}

static void done(struct kept *kept) {
    rp_secret_free(kept->half);
    rp_buf_done(&kept->wrapped);
    rp_hierarchy_free(kept->hierarchy);
}

static rp_err unwrap(const struct kept *kept, const struct rp_secret *half) {
    struct rp_secret *key = NULL;
    rp_err err =
        rp_hierarchy_unwrap(kept->hierarchy, alice, half, rp_buf_view(&kept->wrapped), &key, NULL);
    assert_true(rp_ok(err) == (key != NULL));
    rp_secret_free(key);
    return err;
}

/*= S85 type=test */
static void a_key_takes_its_half_to_open(void **state) {
    (void)state;
    struct kept kept = make();
    struct rp_secret *again = NULL, *other = NULL;
    assert_ok(unwrap(&kept, kept.half));
    assert_err(unwrap(&kept, NULL), CORRUPT);
    assert_ok(rp_half_make(&env, kept.hierarchy, alice, &again)); /* the same one */
    assert_ok(unwrap(&kept, again));
    assert_ok(rp_half_make(&env, kept.hierarchy, bob, &other));
    assert_err(unwrap(&kept, other), CORRUPT);
    rp_secret_free(again);
    rp_secret_free(other);
    done(&kept);
}

static void a_half_put_under_another_name_does_not_open(void **state) {
    (void)state;
    struct kept kept = make();
    struct rp_secret *half = NULL;
    char from[80], to[80];
    (void)snprintf(from, sizeof from, "kms/tenants/%s", rp_id_print(alice).s);
    (void)snprintf(to, sizeof to, "kms/tenants/%s", rp_id_print(bob).s);
    assert_int_equal(rename(from, to), 0);
    assert_err(rp_half_open(kept.hierarchy, alice, &half), NOT_FOUND);
    assert_err(rp_half_open(kept.hierarchy, bob, &half), CORRUPT);
    assert_int_equal(truncate(to, 10), 0);
    assert_err(rp_half_open(kept.hierarchy, bob, &half), CORRUPT);
    done(&kept);
}

/*= S90 type=test */
static void a_destroyed_half_is_gone_for_good(void **state) {
    (void)state;
    struct kept kept = make();
    struct rp_secret *half = NULL;
    assert_ok(rp_half_destroy(&env, alice));
    assert_err(rp_half_open(kept.hierarchy, alice, &half), NOT_FOUND);
    assert_ok(rp_half_destroy(&env, alice)); /* asked again after a crash */
    /* A new one under the same name opens nothing of the former's. */
    assert_ok(rp_half_make(&env, kept.hierarchy, alice, &half));
    assert_err(unwrap(&kept, half), CORRUPT);
    rp_secret_free(half);
    done(&kept);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_key_takes_its_half_to_open, enter, leave),
        cmocka_unit_test_setup_teardown(a_half_put_under_another_name_does_not_open, enter, leave),
        cmocka_unit_test_setup_teardown(a_destroyed_half_is_gone_for_good, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
