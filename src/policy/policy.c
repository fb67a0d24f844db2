#include "policy/policy.h"

#include "base/assert.h"

/* Stands in the table where the configuration decides; no session ever carries it. */
enum { RP_LEAST_APP = RP_ACR_COUNT };

struct rule {
    const char *name[RP_LANG_COUNT];
    unsigned who;
    unsigned least_acr;
    bool own_tenant_only;
};

static const struct rule rules[] = {
#define RP_RULE(ACTION, fr, en, who, acr, own_tenant_only)                                         \
    [RP_ACTION_##ACTION] = {{[RP_FR] = (fr), [RP_EN] = (en)}, (who), (acr), (own_tenant_only)},
#include "policy/policy.def"
#undef RP_RULE
};
_Static_assert(sizeof rules / sizeof rules[0] == RP_ACTION_COUNT, "a rule for each action");

static struct rp_decision refuse(const char *reason) {
    return (struct rp_decision){.allowed = false, .reason = reason};
}

static unsigned least_acr(const struct rp_policy_options *options, const struct rule *rule) {
    if (rule->least_acr == RP_LEAST_APP) {
        /* No configuration lets somebody in who has not signed in at all. */
        return options->app_least_acr > RP_ACR_PWD ? options->app_least_acr : RP_ACR_PWD;
    }
    return rule->least_acr;
}

struct rp_decision rp_policy_decide(const struct rp_policy_options *options,
                                    const struct rp_who *who, enum rp_action action, rp_id tenant) {
    RP_ASSERT(options != NULL && who != NULL);
    RP_ASSERT((unsigned)action < RP_ACTION_COUNT);
    const struct rule *rule = &rules[action];
    if (rp_id_is_none(who->person) || who->acr == RP_ACR_NONE || who->acr >= RP_ACR_COUNT) {
        return refuse("signed_out");
    }
    /*= S68 */ /* nobody acts on another tenant, whatever the role */
    if (rule->own_tenant_only && (rp_id_is_none(tenant) || !rp_id_equal(who->tenant, tenant))) {
        return refuse("tenant");
    }
    /*= S105 */ /* denied unless a role of the row is held */
    if ((who->roles & rule->who) == 0) {
        return refuse("role");
    }
    /*= S99 */ /* a password alone is not enough where the row asks for more */
    if ((unsigned)who->acr < least_acr(options, rule)) {
        return refuse("second_factor");
    }
    return (struct rp_decision){.allowed = true, .reason = ""};
}

const char *rp_action_name(enum rp_action action, enum rp_lang lang) {
    RP_ASSERT((unsigned)action < RP_ACTION_COUNT && lang < RP_LANG_COUNT);
    return rules[action].name[lang];
}

const char *rp_acr_name(enum rp_acr acr) {
    static const char *const names[] = {
        [RP_ACR_NONE] = "none", [RP_ACR_PWD] = "pwd", [RP_ACR_MFA] = "mfa", [RP_ACR_PHR] = "phr"};
    _Static_assert(sizeof names / sizeof names[0] == RP_ACR_COUNT, "a name for each");
    RP_ASSERT((unsigned)acr < RP_ACR_COUNT);
    return names[acr];
}
