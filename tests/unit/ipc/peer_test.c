/* Who may speak as whom: each role's own user, and the link's for what runs on another machine. */
#include "ipc/peer.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

static uid_t user_of(const char *name) {
    const struct passwd *entry = getpwnam(name);
    return entry ? entry->pw_uid : 0;
}

static bool has_users(void) {
    char users[1024];
    return geteuid() == 0 && user_of("rempart-link") != 0 &&
           rp_ok(rp_role_users(1U << RP_ROLE_KMS, users, sizeof users, NULL));
}

#define SKIP_WITHOUT_USERS()                                                                       \
    if (!has_users()) {                                                                            \
        print_message("# skipped: not root, or without the roles' users\n");                       \
        skip();                                                                                    \
    }

/* As the supervisor hands it down. */
static void hand_down(unsigned elsewhere) {
    char users[1024];
    assert_ok(rp_role_users(elsewhere, users, sizeof users, NULL));
    assert_int_equal(setenv("REMPART_USERS", users, 1), 0);
}

static int set_up(void **state) {
    *state = unit_dir_new(); /* root's, as a state folder is */
    return chdir(*state);
}

static int tear_down(void **state) {
    int failed = unsetenv("REMPART_USERS") + chdir("/");
    unit_dir_remove(*state);
    return failed;
}

static void on_one_machine_each_role_is_its_own_user(void **state) {
    (void)state;
    SKIP_WITHOUT_USERS();
    hand_down(0);
    uid_t kms = user_of("rempart-kms"), link = user_of("rempart-link");
    assert_true(rp_ipc_may_be(RP_ROLE_KMS, kms));
    assert_false(rp_ipc_may_be(RP_ROLE_CORE, kms));
    for (unsigned role = RP_ROLE_SUPERVISOR; role < RP_ROLE_COUNT; role++) {
        assert_false(rp_ipc_may_be((enum rp_role_id)role, link));
    }
}

static void the_link_speaks_for_what_runs_elsewhere_and_for_nothing_else(void **state) {
    (void)state;
    SKIP_WITHOUT_USERS();
    hand_down(1U << RP_ROLE_KMS | 1U << RP_ROLE_SUPERVISOR);
    uid_t link = user_of("rempart-link");
    for (unsigned id = RP_ROLE_SUPERVISOR; id < RP_ROLE_COUNT; id++) {
        enum rp_role_id role = (enum rp_role_id)id;
        bool may = role == RP_ROLE_KMS || role == RP_ROLE_SUPERVISOR || role == RP_ROLE_LINK;
        assert_int_equal(rp_ipc_may_be(role, link), may);
    }
    assert_false(rp_ipc_may_be(RP_ROLE_KMS, user_of("rempart-kms"))); /* it has no place here */
    assert_true(rp_ipc_may_be(RP_ROLE_CORE, user_of("rempart-core")));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(on_one_machine_each_role_is_its_own_user),
        IN_FOLDER(the_link_speaks_for_what_runs_elsewhere_and_for_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
