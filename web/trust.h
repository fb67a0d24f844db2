/* trust.h — the public page's facts, computed anew for every reader: status, evidence, isolation.
 *
 * Promises come from files, observations from the probe roles' shared tables, leaves from the
 * public tree. Nothing is stored here and nothing can be typed in.
 */
#ifndef RP_WEB_TRUST_H
#define RP_WEB_TRUST_H

#include "promise/table.h"
#include "web/request.h"

struct rp_trust_part {
    const struct rp_part *part;
    struct rp_observation seen;
    enum rp_status status;
};

struct rp_trust_promise {
    const struct rp_promise *promise;
    enum rp_status status;
    char grade;          /* the weakest of its parts'; 0 = no part */
    int64_t observed_ms; /* the oldest of its parts' last observations; 0 = some part never */
    struct rp_trust_part *parts;
};

struct rp_trust {
    int64_t now_ms;
    struct rp_trust_promise *promises; /* as many as web->promises has */
    size_t counts[RP_STATUS_COUNT];    /* sentences */
    size_t total;
};

/* Everything in the request's arena. */
rp_err rp_trust_compute(struct rp_request *request, struct rp_trust *ret_trust);
/* NULL when there is no such part. */
const struct rp_trust_part *rp_trust_find_part(const struct rp_request *request,
                                               const struct rp_trust *trust, rp_view id,
                                               const struct rp_trust_promise **ret_promise);
/* A text of a promise with the operator's own facts in it: {operator}, {contact}, {bounty_url}. */
rp_view rp_trust_say(struct rp_request *request, const char *text);
/* https://host:port of this installation. */
rp_view rp_trust_base(struct rp_request *request);
/* The words for a status in the reader's language, and the class of its colour. */
rp_view rp_trust_word(const struct rp_request *request, enum rp_status status);
rp_view rp_trust_words(const struct rp_request *request, enum rp_status status, size_t count);
rp_view rp_trust_class(enum rp_status status);
/* The rules before the applications, as the gate wrote them to run/waf.json; p == NULL: none. */
struct rp_trust_firewall {
    rp_view rule_set, sha256;
    uint64_t rules;
};
struct rp_trust_firewall rp_trust_firewall(struct rp_request *request);
/* The public log's verifier key, p == NULL when there is none yet. */
rp_view rp_trust_log_key(struct rp_request *request);
/* The public log at its newest checkpoint; the thread keeps it. */
rp_err rp_trust_log(struct rp_request *request, struct rp_log **ret_log);

#endif
