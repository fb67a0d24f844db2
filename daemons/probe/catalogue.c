/* catalogue.c — canaries of each role ask for what the catalogue of rights (src/policy) denies
 * them: all of it must be refused, and what it allows must be answered.
 *
 * Who a canary is was settled when it was made. So a role that somebody slipped into the database
 * since then shows as an act that was answered, though the catalogue denies it.
 */
#include <stdio.h>

#include "base/checked.h"
#include "policy/policy.h"
#include "probe.h"

enum door_kind { DOOR_PAGE, DOOR_API };

static const struct {
    enum rp_action action;
    enum door_kind kind; /* an API's is asked as the canaries' application does */
    const char *path;
} doors[] = {
    {RP_ACTION_READ_OWN, DOOR_PAGE, "/.rempart/id/account"},
    {RP_ACTION_USE_APP, DOOR_PAGE, "/.rempart/canary/"},
    {RP_ACTION_READ_RECORDS, DOOR_API, "/.rempart/api/v1/spaces/canary"},
    {RP_ACTION_MANAGE, DOOR_PAGE, "/.rempart/id/members"},
    {RP_ACTION_MANAGE_SHARES, DOOR_PAGE, "/.rempart/id/shares"},
    {RP_ACTION_MANAGE_GRANTS, DOOR_PAGE, "/.rempart/id/grants"},
    {RP_ACTION_EXPORT, DOOR_PAGE, "/.rempart/id/export"},
    {RP_ACTION_READ_AUDIT, DOOR_PAGE, "/.rempart/api/v1/audit?limit=1"},
    {RP_ACTION_OPERATE, DOOR_PAGE, "/.rempart/api/v1/admin/tenants"},
};

struct asker {
    const char *name;
    struct rp_who who;
    struct canary_session *session;
    const char *proof; /* for the API; NULL = none */
};

struct asking {
    struct probe *probe;
    struct rp_observation *seen;
    rp_id tenant;
    unsigned refused, answered;
};

static bool says_no(const struct http_answer *answer) {
    /* To somebody who is signed out, "sign in". */
    return answer->status == 401 || answer->status == 403 || answer->status == 404 ||
           answer->status == 303 || answer->status == 302;
}

static rp_err knock(const struct asking *asking, const struct asker *asker, size_t door,
                    struct http_answer *answer) {
    if (doors[door].kind == DOOR_API) {
        const struct canary_call call = {"GET", doors[door].path, asker->proof, {NULL, 0}};
        return canary_api(asking->probe, asker->session, &call, answer);
    }
    const struct http_request request = {.method = "GET", .path = doors[door].path};
    return http_ask(asker->session->http, &request, answer);
}

/* False when it has concluded. */
static bool try_door(struct asking *asking, const struct asker *asker, size_t door) {
    const struct rp_policy_options options = {
        .app_least_acr = strcmp(asking->probe->config->second_factor, "optional") == 0
                             ? RP_ACR_PWD
                             : RP_ACR_MFA};
    bool allowed =
        rp_policy_decide(&options, &asker->who, doors[door].action, asking->tenant).allowed;
    const char *act = rp_action_name(doors[door].action, RP_EN);
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    rp_err err = knock(asking, asker, door, &answer);
    if (!rp_ok(err) || answer.status >= 500 || answer.status == 429) {
        rp_probe_unsure(asking->seen, "%s gave no answer (status %ld)", doors[door].path,
                        answer.status);
        return false;
    }
    bool refused = says_no(&answer);
    if (!allowed && !refused) {
        rp_probe_broken(asking->seen,
                        "%s was answered with %ld: \"%s\", which the catalogue denies it",
                        asker->name, answer.status, act);
        return false;
    }
    if (allowed && answer.status != 200) {
        rp_probe_unsure(asking->seen,
                        "%s was answered with %ld: \"%s\", which the catalogue allows", asker->name,
                        answer.status, act);
        return false;
    }
    asking->refused += refused;
    asking->answered += !refused;
    return true;
}

static bool try_all(struct asking *asking, const struct asker *askers, size_t count) {
    for (size_t i = 0; i < count; i++) {
        for (size_t door = 0; door < RP_COUNT_OF(doors); door++) {
            if (!try_door(asking, &askers[i], door)) {
                return false;
            }
        }
    }
    return true;
}

/* The right password, and no code: a thief of it. */
static bool half_way(struct probe *probe, struct canary_session *ret_thief,
                     struct rp_observation *seen) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    *ret_thief = (struct canary_session){.who = probe->people[0].who, .http = probe_browser(probe)};
    if (ret_thief->http && rp_ok(canary_password_step(ret_thief, &answer)) &&
        http_has_field(&answer, "code")) {
        return true;
    }
    rp_probe_unsure(seen, "the sign-in did not ask for a code (status %ld)", answer.status);
    return false;
}

static void ask_all(struct probe *probe, struct canary_session *stranger,
                    struct canary_session *thief, struct rp_observation *seen) {
    char admin_proof[CANARY_PROOF], member_proof[CANARY_PROOF];
    const struct rp_canary *of_tenant = probe->people[0].who;
    struct asking asking = {.probe = probe, .seen = seen, .tenant = of_tenant->tenant};
    if (!canary_proof(probe, &probe->people[0], seen, admin_proof) ||
        !canary_proof(probe, &probe->member.session, seen, member_proof) ||
        !half_way(probe, thief, seen)) {
        return;
    }
    const rp_id tenant = of_tenant->tenant, somebody = tenant; /* any but none */
    const struct asker askers[] = {
        {RP_WORDS("a stranger"), {.acr = RP_ACR_NONE}, stranger, NULL},
        {RP_WORDS("a password without a code"), {.acr = RP_ACR_NONE}, thief, NULL},
        {RP_WORDS("a member"),
         {somebody, tenant, RP_MEMBER, RP_ACR_MFA},
         &probe->member.session,
         member_proof},
        {RP_WORDS("an administrator"),
         {somebody, tenant, RP_MEMBER | RP_TENANT_ADMIN, RP_ACR_MFA},
         &probe->people[0],
         admin_proof},
    };
    if (try_all(&asking, askers, RP_COUNT_OF(askers))) {
        rp_probe_holds(seen,
                       "a stranger, a stolen password, a member and an administrator asked at %zu "
                       "doors: %u times refused, as the catalogue denies, and %u times answered",
                       RP_COUNT_OF(doors), asking.refused, asking.answered);
    }
}

/*= S105: everything is denied but what the catalogue of roles allows. */
void probe_admin_catalogue_kept(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    struct canary_session stranger = {.http = probe_browser(probe)}, thief = {.http = NULL};
    if (!stranger.http) {
        rp_probe_unsure(seen, "out of memory");
    } else if (probe_ready(probe, seen) &&
               probe_lone_ready(probe, &probe->member, "canary/member.json", seen)) {
        ask_all(probe, &stranger, &thief, seen);
    }
    http_free(thief.http);
    http_free(stranger.http);
}
