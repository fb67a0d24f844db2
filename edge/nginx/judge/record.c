#include "judge/record.h"

#include "base/assert.h"
#include "base/checked.h"
#include "base/id.h"
#include "crypto/hash.h"

/* Why nginx itself ended a request so. */
static enum rp_gate_reason reason_of_status(const struct judge_outcome *outcome) {
    switch (outcome->status) {
    case 0: /* the connection ended before a whole request stood there */
    case 400:
        return RP_GATE_REASON_BAD_REQUEST;
    case 403:
        return RP_GATE_REASON_DENIED;
    case 405:
        return RP_GATE_REASON_METHOD;
    case 413:
    case 414:
    case 431:
    case 494:
        return RP_GATE_REASON_TOO_LARGE;
    case 421:
        return RP_GATE_REASON_UNKNOWN_HOST;
    case 429:
        return RP_GATE_REASON_RATE;
    case 500:
        return RP_GATE_REASON_INTERNAL;
    case 502:
    case 503:
        return RP_GATE_REASON_UPSTREAM_DOWN;
    case 504:
        return RP_GATE_REASON_UPSTREAM_TIMEOUT;
    default:
        return RP_GATE_REASON_NONE;
    }
}

/* An application's refusal is its own business; core's is one of ours. */
static enum rp_gate_reason reason_of_core(const struct judge_outcome *outcome) {
    return outcome->app.n > 0       ? RP_GATE_REASON_NONE
           : outcome->status == 401 ? RP_GATE_REASON_NO_SESSION
           : outcome->status == 403 ? RP_GATE_REASON_DENIED
                                    : RP_GATE_REASON_NONE;
}

static enum rp_gate_reason reason_of(const struct judge_outcome *outcome) {
    if (outcome->reason != RP_GATE_REASON_NONE) {
        return outcome->reason;
    }
    if (outcome->answered_by_upstream) {
        return reason_of_core(outcome);
    }
    enum rp_gate_reason reason = reason_of_status(outcome);
    bool upstream =
        reason == RP_GATE_REASON_UPSTREAM_DOWN || reason == RP_GATE_REASON_UPSTREAM_TIMEOUT;
    /* What no application was asked for can only have been core's. */
    return upstream && outcome->app.n == 0 ? RP_GATE_REASON_CORE_DOWN : reason;
}

static enum rp_gate_kind kind_of(enum rp_gate_reason reason) {
    if (reason == RP_GATE_REASON_NONE) {
        return RP_GATE_ALLOWED;
    }
    bool upstream =
        reason == RP_GATE_REASON_UPSTREAM_DOWN || reason == RP_GATE_REASON_UPSTREAM_TIMEOUT;
    return upstream ? RP_GATE_UPSTREAM_DOWN : RP_GATE_REFUSED;
}

static uint8_t digit(uint8_t c) {
    return (uint8_t)(c >= 'a' ? c - 'a' + 10 : c - '0');
}

/* Names of arguments are a stranger's and go in as they are; what was sent under them does not. */
static void add_rules(const struct judge_rules *rules, const uint8_t salt[static JUDGE_SALT_BYTES],
                      struct rp_gate_record *record) {
    record->flags |= rules->detected ? RP_GATE_DETECTED : 0;
    record->flags |= rules->over_budget ? RP_GATE_OVER_BUDGET : 0;
    record->violation = rules->violation;
    record->score = (uint16_t)RP_MIN(rules->score, UINT16_MAX);
    record->rule_count = (uint8_t)RP_MIN(rules->count, RP_GATE_RULES_MAX);
    for (unsigned i = 0; i < record->rule_count; i++) {
        record->rules[i] = rules->ids[i];
    }
    for (size_t i = 0; i < sizeof record->incident && 2 * i + 1 < rules->incident.n; i++) {
        record->incident[i] =
            (uint8_t)(digit(rules->incident.p[2 * i]) << 4 | digit(rules->incident.p[2 * i + 1]));
    }
    rp_gate_record_variable(record, rules->variable);
    struct rp_sha256 hash = rp_sha256_of2(rp_view_of(salt, JUDGE_SALT_BYTES), rules->value);
    memcpy(record->value_hash, hash.b, sizeof record->value_hash);
}

void judge_record(const struct judge_outcome *outcome, const uint8_t salt[static JUDGE_SALT_BYTES],
                  struct rp_gate_record *ret_record) {
    RP_ASSERT(outcome != NULL && ret_record != NULL);
    enum rp_gate_reason reason = reason_of(outcome);
    rp_gate_record_start(ret_record, outcome->rules ? RP_GATE_RULE : kind_of(reason),
                         outcome->time_ms);
    ret_record->reason = (uint8_t)reason;
    ret_record->status = (uint16_t)outcome->status;
    ret_record->flags |= outcome->session ? RP_GATE_SESSION : 0;
    ret_record->flags |= outcome->direct ? RP_GATE_DIRECT : 0;
    ret_record->bytes = outcome->bytes;
    ret_record->duration_us = outcome->duration_us;
    rp_gate_record_host(ret_record, outcome->host);
    rp_gate_record_method(ret_record, outcome->method);
    rp_gate_record_path(ret_record, outcome->uri);
    rp_gate_record_app(ret_record, outcome->app);
    struct rp_sha256 hash = rp_sha256_of2(rp_view_of(salt, JUDGE_SALT_BYTES), outcome->address);
    memcpy(ret_record->client_hash, hash.b, sizeof ret_record->client_hash);
    if (outcome->rules) {
        add_rules(outcome->rules, salt, ret_record);
    }
}

struct judge_request_id judge_request_id(const uint8_t salt[static JUDGE_SALT_BYTES],
                                         uint64_t process, uint64_t count) {
    const uint64_t who[2] = {process, count};
    struct rp_sha256 hash = rp_sha256_of3(RP_VIEW("request"), rp_view_of(salt, JUDGE_SALT_BYTES),
                                          rp_view_of(who, sizeof who));
    struct judge_request_id id;
    rp_hex_print(rp_view_of(hash.b, sizeof id.s / 2), id.s);
    return id;
}
