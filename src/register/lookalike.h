/* lookalike.h — what feeds deliver: names that pose as ours become records of the register of
 * look-alikes.
 *
 * A delivery is one transaction: each name that is not there yet is a record, one that had been
 * taken down is opened again, and of each of these there is an event; the people who have the role
 * of security are told once, whatever the number. Names that are there already change nothing, so
 * that a delivery can be repeated. When it came is kept, for whoever asks whether a feed runs.
 *
 * Fails: DENIED (who may not write the register); NOT_FOUND (an installation without it).
 * Promises: S176.
 */
#ifndef RP_REGISTER_LOOKALIKE_H
#define RP_REGISTER_LOOKALIKE_H

#include "lookalike/judge.h"
#include "register/desk.h"

enum { RP_DELIVERY_FOUND_MAX = 100, RP_DELIVERY_SOURCE_MAX = 100 };

enum rp_found_what { RP_FOUND_NEW, RP_FOUND_KNOWN, RP_FOUND_AGAIN, RP_FOUND_COUNT };

struct rp_found_name {
    struct rp_lookalike judged;
    enum rp_found_what what; /* answered, with the record */
    struct rp_entry record;
};

struct rp_delivery {
    rp_view source; /* what its sender calls itself; may be empty */
    size_t names;   /* that were looked at */
    bool typed;     /* by hand: it says nothing about whether a feed runs */
    struct rp_found_name *found;
    size_t count;
    size_t told; /* answered: people who have a notice of it */
};

rp_err rp_desk_take_delivery(struct rp_desk *desk, struct rp_delivery *delivery);
/* "new", "known", "again". */
const char *rp_found_what_name(enum rp_found_what what);

/* Of all feeds together; at_ms 0: none came yet. The canary's do not count. */
struct rp_last_delivery {
    int64_t at_ms;
    rp_view source;
    uint64_t names, flagged; /* in all */
};
rp_err rp_desk_last_delivery(struct rp_desk *desk, struct rp_last_delivery *ret_last);

#endif
