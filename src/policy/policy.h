/* policy.h — one pure function decides: who, what, where, how strongly authenticated.
 *
 * Everything is denied unless a row of policy.def allows it. The table is the documentation: it
 * is printed by `rempart role explain`. No I/O, no state, no clock.
 *
 * Promises: S68 (nobody acts on another tenant), S99 (a second factor where the row asks for it),
 * S104 (no row opens a tenant's records to an operator), S105 (least privilege, by role).
 */
#ifndef RP_POLICY_POLICY_H
#define RP_POLICY_POLICY_H

#include "base/err.h"
#include "base/id.h"

enum rp_tenant_role { RP_MEMBER = 1, RP_TENANT_ADMIN = 2, RP_OPERATOR = 4 }; /* a set */
enum { RP_ROLES_ALL = RP_MEMBER | RP_TENANT_ADMIN | RP_OPERATOR };
enum rp_acr { RP_ACR_NONE, RP_ACR_PWD, RP_ACR_MFA, RP_ACR_PHR, RP_ACR_COUNT };

enum rp_action {
#define RP_RULE(ACTION, fr, en, who, acr, own_tenant_only) RP_ACTION_##ACTION,
#include "policy/policy.def"
#undef RP_RULE
    RP_ACTION_COUNT
};

struct rp_who {
    rp_id person, tenant;
    unsigned roles; /* set of rp_tenant_role, within tenant */
    enum rp_acr acr;
};

struct rp_decision {
    bool allowed;
    const char *reason; /* stable word: "role", "tenant", "second_factor", "signed_out", "" */
};

/* What the operator's configuration may decide; nothing else of the table moves. */
struct rp_policy_options {
    enum rp_acr app_least_acr; /* for applications and their records; RP_ACR_MFA unless lowered */
};
#define RP_POLICY_OPTIONS ((struct rp_policy_options){.app_least_acr = RP_ACR_MFA})

struct rp_decision rp_policy_decide(const struct rp_policy_options *options,
                                    const struct rp_who *who, enum rp_action action, rp_id tenant);
const char *rp_action_name(enum rp_action action, enum rp_lang lang);
const char *rp_acr_name(enum rp_acr acr); /* "pwd", "mfa", "phr" */

#endif
