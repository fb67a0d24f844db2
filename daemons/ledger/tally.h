/* tally.h — what the gate's rings told, counted: for /metrics and `rempart status`.
 *
 * run/ledger.json, each second: requests by outcome, status class and reason, a histogram of their
 * durations, what was lost, and how far the trees are behind the journal. Only numbers: whoever
 * reads it learns how much, never who. Counts begin anew with the process.
 */
#ifndef RP_DAEMONS_TALLY_H
#define RP_DAEMONS_TALLY_H

#include "event/gate_record.h"

enum { TALLY_CLASSES = 6, TALLY_BUCKETS = 11 };

struct tally {
    uint64_t kinds[RP_GATE_KIND_COUNT];
    uint64_t reasons[RP_GATE_REASON_COUNT];
    uint64_t classes[TALLY_CLASSES];     /* 0 = no status; 2 = 2xx … */
    uint64_t buckets[TALLY_BUCKETS + 1]; /* each for itself; the last is everything slower */
    uint64_t duration_us;
    uint64_t direct; /* not by the provider that is declared to stand in front */
    uint64_t lost;   /* records that never arrived, or made no sense */
};

struct ledger;

void tally_count(struct tally *tally, const struct rp_gate_record *record);
/* Timer: writes the file. */
void tally_write(void *ledger);

#endif
