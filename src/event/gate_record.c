#include "event/gate_record.h"

#include "base/checked.h"

static bool all_zero(const uint8_t *p, size_t n) {
    uint8_t seen = 0;
    for (size_t i = 0; i < n; i++) {
        seen |= p[i];
    }
    return seen == 0;
}

static bool lengths_fit(const struct rp_gate_record *r) {
    return r->host_len <= sizeof r->host && r->method_len <= sizeof r->method &&
           r->path_len <= sizeof r->path && r->app_len <= sizeof r->app &&
           r->variable_len <= sizeof r->variable && r->rule_count <= RP_GATE_RULES_MAX;
}

/* Bytes after each text's end are zero, so that nothing hides in a slot. Lengths fit already. */
static bool tails_are_empty(const struct rp_gate_record *r) {
    return all_zero(r->host + r->host_len, sizeof r->host - r->host_len) &&
           all_zero(r->method + r->method_len, sizeof r->method - r->method_len) &&
           all_zero(r->path + r->path_len, sizeof r->path - r->path_len) &&
           all_zero(r->app + r->app_len, sizeof r->app - r->app_len) &&
           all_zero(r->variable + r->variable_len, sizeof r->variable - r->variable_len) &&
           all_zero((const uint8_t *)(r->rules + r->rule_count),
                    sizeof r->rules - r->rule_count * sizeof r->rules[0]) &&
           all_zero(r->reserved, sizeof r->reserved) && r->reserved2 == 0 &&
           all_zero(r->reserved3, sizeof r->reserved3);
}

/* What rules say stands in their records only. */
static bool rules_are_in_place(const struct rp_gate_record *r) {
    size_t from = offsetof(struct rp_gate_record, score);
    return r->kind == RP_GATE_RULE || (all_zero((const uint8_t *)r + from, sizeof *r - from) &&
                                       !(r->flags & (RP_GATE_DETECTED | RP_GATE_OVER_BUDGET)));
}

static bool in_range(const struct rp_gate_record *r) {
    return r->version == RP_GATE_RECORD_VERSION && r->kind >= RP_GATE_ALLOWED &&
           r->kind < RP_GATE_KIND_COUNT && r->reason < RP_GATE_REASON_COUNT &&
           (r->flags & ~RP_GATE_FLAGS) == 0 && r->status <= 999 && r->time_ms >= 0;
}

rp_err rp_gate_record_parse(const uint8_t bytes[static RP_GATE_RECORD_BYTES],
                            struct rp_gate_record *ret_record) {
    struct rp_gate_record record;
    memcpy(&record, bytes, sizeof record);
    if (!in_range(&record) || !lengths_fit(&record) || !tails_are_empty(&record) ||
        !rules_are_in_place(&record)) {
        return RP_ERR(CORRUPT);
    }
    *ret_record = record;
    return RP_OK;
}

const char *rp_gate_reason_text(enum rp_gate_reason reason) {
    static const char *const texts[] = {
#define RP_GATE_REASON_TEXT(NAME, text) [RP_GATE_REASON_##NAME] = (text),
        RP_GATE_REASONS(RP_GATE_REASON_TEXT)
#undef RP_GATE_REASON_TEXT
    };
    _Static_assert(RP_COUNT_OF(texts) == RP_GATE_REASON_COUNT, "a text for each reason");
    return (size_t)reason < RP_COUNT_OF(texts) ? texts[reason] : "unknown";
}
