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
           r->path_len <= sizeof r->path && r->app_len <= sizeof r->app;
}

/* Bytes after each text's end are zero, so that nothing hides in a slot. Lengths fit already. */
static bool tails_are_empty(const struct rp_gate_record *r) {
    return all_zero(r->host + r->host_len, sizeof r->host - r->host_len) &&
           all_zero(r->method + r->method_len, sizeof r->method - r->method_len) &&
           all_zero(r->path + r->path_len, sizeof r->path - r->path_len) &&
           all_zero(r->app + r->app_len, sizeof r->app - r->app_len) &&
           all_zero(r->reserved, sizeof r->reserved) && r->reserved2 == 0 &&
           all_zero(r->reserved3, sizeof r->reserved3);
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
    if (!in_range(&record) || !lengths_fit(&record) || !tails_are_empty(&record)) {
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
