/* staff.c — somebody of the operator's staff, signed in with both factors, tries to read what a
 * customer keeps: by every door that the suite has for staff, and by the customers' own. */
#include <stdio.h>

#include "base/checked.h"
#include "probe.h"

enum { PATH_BYTES = 200 };

/* The customer's organisation stands between the two, where there is something behind it. */
struct door {
    const char *before, *behind;
    bool may_answer; /* with what is the asker's own; never with what is the customer's */
};

static const struct door doors[] = {
    {"/.rempart/api/v1/admin/export?tenant=", "", false},
    {"/.rempart/api/v1/admin/tenants", NULL, false},
    {"/.rempart/api/v1/admin/people?tenant=", "", false},
    {"/.rempart/api/v1/admin/app-tokens", NULL, false},
    {"/.rempart/log/", "/checkpoint", false},
    {"/.rempart/api/v1/spaces/canary?tenant=", "", false},
    {"/.rempart/api/v1/files/canary?tenant=", "", false},
    {"/.rempart/api/v1/shares?tenant=", "", false},
    {"/.rempart/api/v1/audit?newest=1&tenant=", "", true},
    {"/.rempart/api/v1/search?q=canary&tenant=", "", true},
    {"/.rempart/id/members?tenant=", "", true},
    {"/.rempart/id/export?tenant=", "", true},
};

static long status_of(struct probe *probe, struct canary_session *who, const char *path,
                      const char *proof) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    const struct canary_call call = {"GET", path, proof, {NULL, 0}};
    return rp_ok(canary_api(probe, who, &call, &answer)) ? answer.status : 0;
}

/* A page repeats the address that was asked for; JSON does not. */
static bool tells_of(const struct http_answer *answer, const struct rp_canary *customer) {
    struct rp_id_text tenant = rp_id_print(customer->tenant);
    rp_view body = rp_buf_view(&answer->body), type = http_header(answer, "Content-Type", 0);
    bool page = rp_view_starts(type, RP_VIEW("text/html"));
    return rp_view_find(body, rp_view_from_cstr(customer->email)) < body.n ||
           (!page && rp_view_find(body, rp_view_of(tenant.s, RP_ID_TEXT)) < body.n);
}

/* With the application's token, which an operator has at hand, but no assertion. */
static bool stays_shut(struct probe *probe, const struct door *door, struct rp_observation *seen) {
    const struct rp_canary *customer = probe->people[0].who;
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s%s%s", door->before,
                   door->behind ? rp_id_print(customer->tenant).s : "",
                   door->behind ? door->behind : "");
    const struct canary_call call = {"GET", path, NULL, {NULL, 0}};
    rp_err err = canary_api(probe, &probe->staff.alone.session, &call, &answer);
    if (!rp_ok(err) || answer.status >= 500 || answer.status == 429) {
        rp_probe_unsure(seen, "%s gave no answer (status %ld)", path, answer.status);
        return false;
    }
    bool answered = answer.status >= 200 && answer.status < 300;
    if (answered && (!door->may_answer || tells_of(&answer, customer))) {
        rp_probe_broken(seen, "somebody of the staff asked %s and was answered", path);
        return false;
    }
    return true;
}

/*= S104: staff may not read what is a customer's. */
void probe_admin_staff_read_refused(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    char proof[CANARY_PROOF];
    if (!canary_proof(probe, &probe->people[0], seen, proof) ||
        !probe_staff_ready(probe, false, seen)) {
        return;
    }
    /* The doors are there, and open to those who may. */
    long staff = status_of(probe, &probe->staff.alone.session, "/.rempart/api/v1/registers", NULL);
    long customer = status_of(probe, &probe->people[0], "/.rempart/api/v1/spaces/canary", proof);
    if (staff != 200 || customer != 200) {
        rp_probe_unsure(seen, "staff was answered with %ld where it may read, a customer with %ld",
                        staff, customer);
        return;
    }
    for (size_t i = 0; i < RP_COUNT_OF(doors); i++) {
        if (!stays_shut(probe, &doors[i], seen)) {
            return;
        }
    }
    rp_probe_holds(seen,
                   "somebody of the staff, with both factors, tried %zu doors to a customer's "
                   "data: none opened, while the customer's own person reads them",
                   RP_COUNT_OF(doors));
}
