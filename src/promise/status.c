/* status.c — what a promise is worth right now: computed from its parts, never typed. */
#include "base/assert.h"
#include "base/checked.h"
#include "promise/promise.h"

const struct rp_probe_info rp_probes[] = {
#define RP_PROBE(name, role) {name, RP_PROBE_##role},
#include "promise/probes.def"
#undef RP_PROBE
};
const size_t rp_probe_count = RP_COUNT_OF(rp_probes);

static const struct {
    const char *name;
    const char *text[RP_LANG_COUNT];
} statuses[RP_STATUS_COUNT] = {
    [RP_STATUS_FAILING] = {"failing", {"en échec", "failing"}},
    [RP_STATUS_STALE] = {"stale", {"preuve périmée", "stale"}},
    [RP_STATUS_NOT_BUILT] = {"not-built", {"pas encore construit", "not built yet"}},
    [RP_STATUS_NOT_MET] = {"not-met", {"non tenu par cette installation", "not met here"}},
    [RP_STATUS_DECLARED] = {"declared", {"déclaré", "declared"}},
    [RP_STATUS_PROVEN] = {"proven", {"prouvé", "proven"}},
    [RP_STATUS_NOT_APPLICABLE] = {"not-applicable", {"sans objet", "not applicable"}},
};

const char *rp_status_name(enum rp_status status) {
    RP_ASSERT(status < RP_STATUS_COUNT);
    return statuses[status].name;
}

const char *rp_status_text(enum rp_status status, enum rp_lang lang) {
    RP_ASSERT(status < RP_STATUS_COUNT && lang < RP_LANG_COUNT);
    return statuses[status].text[lang];
}

/* A person's or a third party's word is worth "declared", however fresh; the rest is evidence. */
static enum rp_status holds(const struct rp_part *part) {
    return part->grade == 'D' || part->grade == 'E' ? RP_STATUS_DECLARED : RP_STATUS_PROVEN;
}

enum rp_status rp_part_status(const struct rp_part *part, const struct rp_observation *seen,
                              int64_t now_ms) {
    RP_ASSERT(part != NULL && part->validity_ms > 0);
    if (part->probe_index < 0) {
        return RP_STATUS_NOT_BUILT;
    }
    /* An observation from the future is a clock that jumped, not a proof. */
    if (!seen || seen->observed_ms == 0 || seen->observed_ms > now_ms + 60000 ||
        now_ms - seen->observed_ms > part->validity_ms) {
        return RP_STATUS_STALE;
    }
    switch (seen->verdict) {
    case RP_VERDICT_HOLDS:
        return holds(part);
    case RP_VERDICT_BROKEN:
        return RP_STATUS_FAILING;
    case RP_VERDICT_NOT_MET:
        return RP_STATUS_NOT_MET;
    case RP_VERDICT_NONE:
    case RP_VERDICT_UNSURE:
        return RP_STATUS_STALE;
    }
    RP_UNREACHABLE();
}

enum rp_status rp_promise_status(const enum rp_status *parts, size_t n) {
    RP_ASSERT(parts != NULL && n > 0);
    enum rp_status weakest = RP_STATUS_NOT_APPLICABLE;
    for (size_t i = 0; i < n; i++) {
        weakest = RP_MIN(weakest, parts[i]);
    }
    return weakest;
}
