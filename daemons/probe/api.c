/* api.c — what the canaries' application says to the API, with the canary's assertion or without.
 */
#include <stdio.h>

#include "probe.h"

rp_err canary_api(struct probe *probe, struct canary_session *canary,
                  const struct canary_call *call, struct http_answer *answer) {
    char token[200];
    (void)snprintf(token, sizeof token, "Authorization: Bearer %s", probe->canaries.app_token);
    const char *const headers[] = {token, call->proof, NULL};
    struct http_request request = {.method = call->method,
                                   .path = call->path,
                                   .headers = headers,
                                   .content_type = call->body.p ? "application/json" : NULL,
                                   .body = call->body};
    return http_ask(canary->http, &request, answer);
}

bool canary_proof(struct probe *probe, struct canary_session *canary, struct rp_observation *seen,
                  char ret_proof[static CANARY_PROOF]) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    rp_view jwt = {NULL, 0};
    if (!probe_ready(probe, seen) || !canary_sign_in(probe, canary, seen)) {
        return false;
    }
    if (!canary_assertion(canary, &answer, &jwt) || jwt.n > CANARY_PROOF - 32) {
        rp_probe_unsure(seen, "the gate gave no assertion");
        return false;
    }
    (void)snprintf(ret_proof, CANARY_PROOF, "Rempart-Assertion: %.*s", RP_FMT(jwt));
    return true;
}
