#include "ledger/limits.h"

#include "base/assert.h"

enum { PROBES = 4 };

uint64_t rp_gate_limits_turn(struct rp_gate_limits *limits, int64_t now_s) {
    if (limits->second == now_s) {
        return 0;
    }
    uint64_t dropped = limits->dropped;
    *limits = (struct rp_gate_limits){.second = now_s};
    return dropped;
}

/* The source's count, found or started; the last probed place when all are taken. */
static unsigned *count_of(struct rp_gate_limits *limits, const uint8_t hash[static 16]) {
    size_t start = (size_t)(hash[0] << 8 | hash[1]);
    unsigned *count = NULL;
    for (size_t i = 0; i < PROBES; i++) {
        size_t at = (start + i) % RP_LIMIT_SOURCES;
        count = &limits->sources[at].count;
        if (*count == 0) {
            memcpy(limits->sources[at].client_hash, hash, 16);
            return count;
        }
        if (__builtin_memcmp(limits->sources[at].client_hash, hash, 16) == 0) {
            return count;
        }
    }
    return count;
}

bool rp_gate_limits_allow(struct rp_gate_limits *limits, const struct rp_gate_record *record,
                          int64_t now_s) {
    RP_ASSERT(record->kind < RP_GATE_KIND_COUNT);
    RP_ASSERT(limits->second == now_s);
    unsigned *source = count_of(limits, record->client_hash);
    unsigned *class = &limits->classes[record->kind];
    if (*class >= RP_LIMIT_CLASS || *source >= RP_LIMIT_SOURCE) {
        limits->dropped++;
        return false;
    }
    (*class)++;
    (*source)++;
    return true;
}
