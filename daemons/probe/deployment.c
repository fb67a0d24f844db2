/* deployment.c — the canary asks, as a pipeline does, for what nobody approved (S62).
 *
 * One artefact that no change lists, and one that its own change lists, which it submits and tries
 * to approve, also in a colleague's name: each time the answer must be the gate's own refusal.
 */
#include <stdio.h>

#include "base/checked.h"
#include "probe.h"

#define CHANGES "/.rempart/api/v1/registers/changes"
enum { PATH_BYTES = 200, BODY_BYTES = 600 };

struct deploying {
    struct probe *probe;
    struct rp_observation *seen;
    size_t refused;
};

static rp_err ask(const struct deploying *deploying, const char *method, const char *path,
                  const char *body, struct http_answer *answer) {
    static const char *const headers[] = {"Accept: application/json", "Accept-Language: en", NULL};
    struct http_request request = {.method = method,
                                   .path = path,
                                   .headers = headers,
                                   .content_type = body ? "application/json" : NULL,
                                   .body = rp_view_from_cstr(body ? body : "")};
    return http_ask(deploying->probe->staff.alone.session.http, &request, answer);
}

/* The digest of nothing that exists. */
static void make_up(const struct probe *probe, char ret_hex[static CANARY_DIGEST]) {
    struct rp_sha256 chance;
    probe->env.fill_random(probe->env.ctx, chance.b, sizeof chance.b);
    rp_hex_print(rp_view_of(chance.b, sizeof chance.b), ret_hex);
    ret_hex[CANARY_DIGEST - 1] = '\0';
}

/* Presents the artefact; false when it has concluded. */
static bool stays_refused(struct deploying *deploying, const char *form, const char *hex,
                          const char *when) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "/.rempart/api/v1/deployments/%s%s", form, hex);
    rp_err err = ask(deploying, "GET", path, NULL, &answer);
    if (rp_ok(err) && answer.status >= 200 && answer.status < 300) {
        rp_probe_broken(deploying->seen, "an artefact that nobody approved may go out, %s", when);
        return false;
    }
    bool by_gate = rp_ok(err) && rp_view_equal(rp_json_get_string(http_json(&answer), "code"),
                                               RP_VIEW("unapproved"));
    if (!by_gate) {
        rp_probe_unsure(deploying->seen, "the deployment gate does not answer, %s (status %ld)",
                        when, rp_ok(err) ? answer.status : 0);
        return false;
    }
    deploying->refused++;
    return true;
}

static bool propose(const struct deploying *deploying, rp_id *ret_change) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    char body[BODY_BYTES];
    (void)snprintf(body, sizeof body,
                   "{\"summary\":\"canary\",\"kind\":\"normal\",\"risk\":\"low\",\"commit\":\"0\","
                   "\"tests\":\"none\",\"rollback\":\"none\","
                   "\"artefacts\":[\"canary@sha256:%s\"]}",
                   deploying->probe->staff.artefact);
    rp_err err = ask(deploying, "POST", CHANGES, body, &answer);
    if (rp_ok(err) && answer.status == 201 &&
        rp_id_parse(rp_json_get_string(http_json(&answer), "id"), ret_change)) {
        return true;
    }
    rp_probe_unsure(deploying->seen, "the canary could not draft its change (status %ld)",
                    rp_ok(err) ? answer.status : 0);
    return false;
}

/* What becomes of it does not matter: the next question tells. */
static void try_move(const struct deploying *deploying, rp_id change, const char *body) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, CHANGES "/%s/move", rp_id_print(change).s);
    rp_ignore(ask(deploying, "POST", path, body, &answer));
}

/* Its change, in review, from the last run or made now; false when it has concluded. */
static bool stand_in_review(const struct deploying *deploying) {
    struct staff_canary *staff = &deploying->probe->staff;
    if (rp_id_is_none(staff->change)) {
        make_up(deploying->probe, staff->artefact);
        if (!propose(deploying, &staff->change)) {
            return false;
        }
    }
    try_move(deploying, staff->change, "{\"move\":\"submit\"}");
    return true;
}

static bool all_refused(struct deploying *deploying) {
    struct staff_canary *staff = &deploying->probe->staff;
    char unlisted[CANARY_DIGEST], forged[BODY_BYTES];
    make_up(deploying->probe, unlisted);
    (void)snprintf(forged, sizeof forged,
                   "{\"move\":\"approve\",\"fields\":{\"approved_by\":\"%s\"}}",
                   rp_id_print(staff->colleague).s);
    if (!stays_refused(deploying, "sha256:", unlisted, RP_WORDS("which no change lists")) ||
        !stand_in_review(deploying) ||
        !stays_refused(deploying, "", staff->artefact, RP_WORDS("whose change is in review"))) {
        return false;
    }
    try_move(deploying, staff->change, "{\"move\":\"approve\"}");
    try_move(deploying, staff->change, forged);
    return stays_refused(deploying, "canary@sha256:", staff->artefact,
                         RP_WORDS("after its author tried to approve it"));
}

/*= S62: what nobody else approved does not go out */
void probe_change_unapproved_refused(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    struct deploying deploying = {.probe = probe, .seen = seen};
    /* Signatures are tried with a second factor that was shown a moment ago. */
    if (!probe_staff_ready(probe, true, seen) || !probe_staff_colleague(probe, seen)) {
        return;
    }
    if (all_refused(&deploying)) {
        rp_probe_holds(seen,
                       "an artefact that nobody approved was refused %zu times: unlisted, in "
                       "review, and after its author tried to approve it",
                       deploying.refused);
    } else {
        probe->staff.change = (rp_id){{0}}; /* a new one next time */
    }
}
