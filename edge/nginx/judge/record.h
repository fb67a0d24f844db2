/* record.h — one finished request as the record that the ledger reads.
 *
 * What the gate refused is told with its reason, whether the module, nginx or core said no; what
 * an application answered, an error included, was allowed. The client's address goes in as a hash
 * under a salt that lives as long as this nginx. Pure.
 */
#ifndef RP_EDGE_RECORD_H
#define RP_EDGE_RECORD_H

#include "event/gate_record.h"

enum { JUDGE_SALT_BYTES = 16 };

/* What the application firewall said of a request that it refused, or would have. */
struct judge_rules {
    bool detected; /* only told: the place does not refuse */
    bool over_budget;
    uint8_t violation; /* of the model, at `variable`; 0 = none */
    unsigned score, count;
    uint32_t ids[RP_GATE_RULES_MAX];
    rp_view variable, value; /* of the first attack that was seen */
    rp_view incident;        /* hexadecimal */
};

struct judge_outcome {
    enum rp_gate_reason reason; /* of the module; NONE when it had nothing to say */
    unsigned status;
    bool answered_by_upstream; /* an application (or core) chose this status */
    bool session;
    bool direct;                    /* not by the provider that stands in front */
    rp_view method, uri, host, app; /* app is empty for what core and the gate serve */
    rp_view address;                /* binary */
    uint64_t bytes;
    int64_t time_ms;
    uint32_t duration_us;
    const struct judge_rules *rules; /* NULL: they had nothing to say */
};

void judge_record(const struct judge_outcome *outcome, const uint8_t salt[static JUDGE_SALT_BYTES],
                  struct rp_gate_record *ret_record);

/* A name for one request, so that the lines of several programs can be laid side by side: 32
 * hexadecimal digits. Unique, and nobody outside can tell the next one from it. */
struct judge_request_id {
    char s[32];
};
struct judge_request_id judge_request_id(const uint8_t salt[static JUDGE_SALT_BYTES],
                                         uint64_t process, uint64_t count);

#endif
