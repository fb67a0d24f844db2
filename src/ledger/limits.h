/* limits.h — how many refusals become leaves: 500 a second of a class, 20 of a source.
 *
 * A flood must neither fill the log nor vanish from it: what is over a limit is counted, and the
 * count becomes one summary a second. The table of sources is fixed; when it is full in a second,
 * newcomers share what is left of their place in it.
 */
#ifndef RP_LEDGER_LIMITS_H
#define RP_LEDGER_LIMITS_H

#include "event/gate_record.h"

enum { RP_LIMIT_CLASS = 500, RP_LIMIT_SOURCE = 20, RP_LIMIT_SOURCES = 1024 };

struct rp_gate_limits {
    int64_t second;
    uint64_t dropped; /* in this second */
    unsigned classes[RP_GATE_KIND_COUNT];
    struct {
        uint8_t client_hash[16];
        unsigned count;
    } sources[RP_LIMIT_SOURCES];
};

/* True when this record may become a leaf of its own. */
bool rp_gate_limits_allow(struct rp_gate_limits *limits, const struct rp_gate_record *record,
                          int64_t now_s);
/* How many were not allowed in a second that is over; 0 = nothing to say. Starts the new one. */
uint64_t rp_gate_limits_turn(struct rp_gate_limits *limits, int64_t now_s);

#endif
