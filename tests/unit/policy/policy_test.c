#include "unit.h"

#include "policy/policy.h"

static const rp_id ann = {{1}}, acme = {{2}}, other = {{3}}, nobody = {{0}};

static struct rp_who who(unsigned roles, enum rp_acr acr) {
    return (struct rp_who){.person = ann, .tenant = acme, .roles = roles, .acr = acr};
}

static void assert_decision(struct rp_who person, enum rp_action action, rp_id tenant,
                            const char *reason) {
    struct rp_policy_options options = RP_POLICY_OPTIONS;
    struct rp_decision decision = rp_policy_decide(&options, &person, action, tenant);
    assert_string_equal(decision.reason, reason);
    assert_int_equal(decision.allowed, reason[0] == 0);
}

/* Written by hand from the security page, not from policy.def: the two must agree. */
/*= S105 type=test */
static void each_role_gets_what_it_needs(void **state) {
    (void)state;
    enum { M = RP_MEMBER, A = RP_TENANT_ADMIN, O = RP_OPERATOR };
    static const struct {
        enum rp_action action;
        unsigned allowed;
    } rows[] = {
        {RP_ACTION_USE_APP, M | A | O},
        {RP_ACTION_READ_RECORDS, M | A},
        {RP_ACTION_WRITE_RECORDS, M | A},
        {RP_ACTION_SHARE, M | A},
        {RP_ACTION_MANAGE_SHARES, A},
        {RP_ACTION_MANAGE_GRANTS, A},
        {RP_ACTION_EXPORT, A},
        {RP_ACTION_IMPORT, A},
        {RP_ACTION_LOWER_LABEL, A},
        {RP_ACTION_READ_AUDIT, A},
        {RP_ACTION_INVITE, A},
        {RP_ACTION_MANAGE, A},
        {RP_ACTION_READ_OWN, M | A | O},
        {RP_ACTION_OPERATE, O},
    };
    assert_int_equal(sizeof rows / sizeof rows[0], RP_ACTION_COUNT);
    for (size_t i = 0; i < RP_ACTION_COUNT; i++) {
        for (unsigned roles = 0; roles <= RP_ROLES_ALL; roles++) {
            bool allowed = (roles & rows[i].allowed) != 0;
            assert_decision(who(roles, RP_ACR_MFA), rows[i].action, acme, allowed ? "" : "role");
        }
    }
}

/*= S68 type=test */
static void nobody_acts_on_another_tenant(void **state) {
    (void)state;
    for (enum rp_action action = 0; action < RP_ACTION_COUNT; action++) {
        const char *reason = action == RP_ACTION_OPERATE ? "" : "tenant";
        assert_decision(who(RP_ROLES_ALL, RP_ACR_PHR), action, other, reason);
        assert_decision(who(RP_ROLES_ALL, RP_ACR_PHR), action, nobody, reason);
    }
}

/*= S99 type=test */
static void a_password_alone_is_refused(void **state) {
    (void)state;
    for (enum rp_action action = 0; action < RP_ACTION_COUNT; action++) {
        const char *reason = action == RP_ACTION_READ_OWN ? "" : "second_factor";
        assert_decision(who(RP_ROLES_ALL, RP_ACR_PWD), action, acme, reason);
    }
}

static void without_a_session_nothing_is_allowed(void **state) {
    (void)state;
    struct rp_who no_person = who(RP_ROLES_ALL, RP_ACR_PHR);
    no_person.person = nobody;
    for (enum rp_action action = 0; action < RP_ACTION_COUNT; action++) {
        assert_decision(who(RP_ROLES_ALL, RP_ACR_NONE), action, acme, "signed_out");
        assert_decision(who(RP_ROLES_ALL, RP_ACR_COUNT), action, acme, "signed_out");
        assert_decision(no_person, action, acme, "signed_out");
    }
}

static void the_operator_may_ask_less_of_applications_only(void **state) {
    (void)state;
    struct rp_policy_options options = {.app_least_acr = RP_ACR_PWD};
    struct rp_who person = who(RP_ROLES_ALL, RP_ACR_PWD);
    for (enum rp_action action = 0; action < RP_ACTION_COUNT; action++) {
        bool is_app = action == RP_ACTION_USE_APP || action == RP_ACTION_READ_RECORDS ||
                      action == RP_ACTION_WRITE_RECORDS || action == RP_ACTION_SHARE ||
                      action == RP_ACTION_READ_OWN;
        assert_int_equal(rp_policy_decide(&options, &person, action, acme).allowed, is_app);
    }
    /* Even an empty option does not let a stranger in. */
    options.app_least_acr = RP_ACR_NONE;
    person.acr = RP_ACR_NONE;
    assert_false(rp_policy_decide(&options, &person, RP_ACTION_USE_APP, acme).allowed);
}

static void names_are_stable(void **state) {
    (void)state;
    assert_string_equal(rp_acr_name(RP_ACR_PWD), "pwd");
    assert_string_equal(rp_acr_name(RP_ACR_MFA), "mfa");
    assert_string_equal(rp_acr_name(RP_ACR_PHR), "phr");
    assert_string_equal(rp_action_name(RP_ACTION_OPERATE, RP_EN), "administer the installation");
    assert_string_equal(rp_action_name(RP_ACTION_OPERATE, RP_FR), "administrer l’installation");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_role_gets_what_it_needs),
        cmocka_unit_test(nobody_acts_on_another_tenant),
        cmocka_unit_test(a_password_alone_is_refused),
        cmocka_unit_test(without_a_session_nothing_is_allowed),
        cmocka_unit_test(the_operator_may_ask_less_of_applications_only),
        cmocka_unit_test(names_are_stable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
