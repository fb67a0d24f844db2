/* tidy.h — the index of words, kept beside the writes and not by them.
 *
 * A write only leaves its text in a queue, in its own transaction. Put into the index inside the
 * write, each text was a segment of its own; segments are merged, and a word that nearly each
 * record has is merged in one piece of many megabytes: among a million records one write in two
 * hundred took a tenth of a second and wrote up to 11 MB for it. Now texts go into the index in
 * lots, twice a second, a segment a lot; whoever searches puts in what still waits, so that what
 * was written is found from then on. What the lots leave is merged while hardly anybody writes.
 *
 * A lot is one transaction on the same file, queue and index together: a power cut takes both back.
 */
#ifndef RP_REGISTER_TIDY_H
#define RP_REGISTER_TIDY_H

#include "store/store.h"

/* Inside the transaction of a write: the record's text waits to be found. It replaces one that
 * waits already. */
rp_err rp_tidy_leave(struct rp_db *db, uint64_t row, rp_view register_id, rp_view text);

/* Outside of transactions: what waits is found from now on. */
rp_err rp_tidy_for_search(struct rp_db *db);

struct rp_tidying {
    uint64_t seen; /* the last event at the last call */
    bool over;     /* nothing was left to merge then */
};

/* Called twice a second: puts in what waits; and where hardly an event came since the last call,
 * merges; for some milliseconds, in short transactions. */
rp_err rp_tidy_round(const struct rp_env *env, struct rp_db *db, struct rp_tidying *tidying);

#endif
