/* sharing.c — what leaves an organisation only as its people said: a canary tries to get more out.
 */
#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "probe.h"

static const char records_path[] = "/.rempart/api/v1/spaces/canary-shared";
static const char shares_path[] = "/.rempart/api/v1/shares";
static const char grants_path[] = "/.rempart/id/grants";

enum { PATH_MAX_HERE = 160, GRANT_MAX = 96 };

/* ---- S173: what its label forbids is not shared ---- */

static bool make_record(struct probe *probe, const char *label, const char *proof,
                        rp_id *ret_record) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    char path[PATH_MAX_HERE];
    (void)snprintf(path, sizeof path, "%s?label=%s", records_path, label);
    struct canary_call call = {"POST", path, proof, RP_VIEW("{\"canary\":\"shared\"}")};
    return rp_ok(canary_api(probe, &probe->people[0], &call, &answer)) && answer.status == 201 &&
           rp_id_parse(rp_json_get_string(http_json(&answer), "id"), ret_record);
}

/* What cannot be taken away now is in the way of nobody. */
static void take_away(struct probe *probe, const char *folder, rp_id id, const char *proof) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    char path[PATH_MAX_HERE];
    (void)snprintf(path, sizeof path, "%s/%s", folder, rp_id_print(id).s);
    rp_ignore(canary_api(probe, &probe->people[0],
                         &(struct canary_call){"DELETE", path, proof, {NULL, 0}}, &answer));
}

/* The status that a link to this record is answered with; 0 without an answer. A link that was
 * made is ended. */
static long try_link(struct probe *probe, rp_id record, const char *proof) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    rp_id share;
    rp_view body = rp_arena_printf(answer.arena,
                                   "{\"collection\":\"canary-shared\",\"hours\":1,\"id\":\"%s\","
                                   "\"kind\":\"record\"}",
                                   rp_id_print(record).s);
    if (!body.p ||
        !rp_ok(canary_api(probe, &probe->people[0],
                          &(struct canary_call){"POST", shares_path, proof, body}, &answer))) {
        return 0;
    }
    if (answer.status == 201 &&
        rp_id_parse(rp_json_get_string(http_json(&answer), "share"), &share)) {
        take_away(probe, shares_path, share, proof);
    }
    return answer.status;
}

/*= S173 */
void probe_customer_forbidden_share(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    char proof[CANARY_PROOF];
    rp_id plain, sensitive;
    if (!canary_proof(probe, &probe->people[0], seen, proof)) {
        return;
    }
    if (!make_record(probe, "internal", proof, &plain)) {
        rp_probe_unsure(seen, "a canary could not write into its own tenant");
        return;
    }
    if (!make_record(probe, "sensitive", proof, &sensitive)) {
        rp_probe_unsure(seen, "a canary could not write a sensitive record");
    } else {
        long allowed = try_link(probe, plain, proof);
        long forbidden = try_link(probe, sensitive, proof);
        if (forbidden == 201) {
            rp_probe_broken(seen, "a link to a record labelled sensitive was made");
        } else if (forbidden != 403) {
            rp_probe_unsure(seen, "a link to a sensitive record was answered with %ld", forbidden);
        } else if (allowed != 201 && allowed != 403) {
            rp_probe_unsure(seen, "a link to an internal record was answered with %ld", allowed);
        } else {
            rp_probe_holds(
                seen, "a link to a record labelled sensitive was refused; to an internal one %s",
                allowed == 201 ? "it was made, and ended" : "too, by the operator's rule");
        }
        take_away(probe, records_path, sensitive, proof);
    }
    take_away(probe, records_path, plain, proof);
}

/* ---- S175: a grant that was taken back opens nothing ---- */

/* What stands between this beginning and the next quote. */
static rp_view after(rp_view page, rp_view beginning) {
    size_t at = rp_view_find(page, beginning);
    if (at == page.n) {
        return (rp_view){NULL, 0};
    }
    rp_view rest = rp_view_from(page, at + beginning.n);
    return rp_view_sub(rest, 0, rp_view_find_byte(rest, '"'));
}

static rp_err post(struct canary_session *canary, rp_view token, const char *fields,
                   struct http_answer *answer) {
    struct rp_buf form = rp_buf_new(4096);
    rp_buf_add_cstr(&form, fields);
    canary_add_field(&form, "form", token);
    rp_err err = canary_post_form(canary->http, grants_path, &form, answer);
    rp_buf_done(&form);
    return err;
}

struct given {
    char proof[GRANT_MAX + 32], id[RP_ID_TEXT + 1], token[64];
};

static bool give(struct canary_session *canary, struct given *given) {
    _cleanup_answer_ struct http_answer page = http_answer_new();
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    if (!rp_ok(http_ask(canary->http, &(struct http_request){.method = "GET", .path = grants_path},
                        &page))) {
        return false;
    }
    rp_view token = after(rp_buf_view(&page.body), RP_VIEW("name=\"form\" value=\""));
    if (!token.p || token.n >= sizeof given->token ||
        !rp_ok(post(canary, token, "do=give&app=canary&may=read&days=1", &answer))) {
        return false;
    }
    rp_view grant = after(rp_buf_view(&answer.body), RP_VIEW("data-grant=\""));
    rp_view id = after(rp_buf_view(&answer.body), RP_VIEW("name=\"grant\" value=\""));
    if (!grant.p || grant.n > GRANT_MAX || id.n != RP_ID_TEXT) {
        return false;
    }
    (void)snprintf(given->proof, sizeof given->proof, "Rempart-Grant: %.*s", RP_FMT(grant));
    (void)snprintf(given->id, sizeof given->id, "%.*s", RP_FMT(id));
    (void)snprintf(given->token, sizeof given->token, "%.*s", RP_FMT(token));
    return true;
}

static bool end(struct canary_session *canary, const struct given *given) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    char fields[96];
    (void)snprintf(fields, sizeof fields, "do=end&grant=%s", given->id);
    return rp_ok(post(canary, rp_view_from_cstr(given->token), fields, &answer)) &&
           answer.status == 303;
}

static long use(struct probe *probe, const struct given *given) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    rp_err err =
        canary_api(probe, &probe->people[0],
                   &(struct canary_call){"GET", records_path, given->proof, {NULL, 0}}, &answer);
    return rp_ok(err) ? answer.status : 0;
}

/*= S175 */
void probe_customer_grant_revoked(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    struct given given;
    if (!probe_ready(probe, seen) || !canary_sign_in(probe, &probe->people[0], seen)) {
        return;
    }
    if (!give(&probe->people[0], &given)) {
        rp_probe_unsure(seen, "the page of grants gave none");
        return;
    }
    long before = use(probe, &given);
    if (!end(&probe->people[0], &given)) {
        rp_probe_unsure(seen, "the page of grants did not end one");
        return;
    }
    (void)rp_probe_wait(&probe->stopping, 1000);
    long later = use(probe, &given);
    if (later == 200) {
        rp_probe_broken(seen,
                        "a grant that its organisation had taken back still read its records");
    } else if (before != 200 || later != 401) {
        rp_probe_unsure(seen, "a grant was answered with %ld, and with %ld when it was taken back",
                        before, later);
    } else {
        rp_probe_holds(seen, "a grant was given, read the organisation's records, was taken back, "
                             "and read nothing a second later");
    }
}
