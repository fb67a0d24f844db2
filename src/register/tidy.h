/* tidy.h — the index of words, merged: a little with each write, the rest while nobody writes.
 *
 * Each write leaves the index one segment more, and many segments make a search slow, so that they
 * are merged, and the merged ones again. Left to itself the index would do so inside every 64th
 * write, hundreds of pages at once. What a write does here is bounded, and keeps up with writes
 * that never pause. But the last merges of a million records are thousands of pages, and a word
 * that nearly each record has is merged in one piece of some megabytes: so whoever has nothing to
 * do goes ahead with them, and the next writes find them done.
 */
#ifndef RP_REGISTER_TIDY_H
#define RP_REGISTER_TIDY_H

#include "store/store.h"

/* Inside the transaction of a write whose text has so many bytes. */
rp_err rp_tidy_with_write(struct rp_db *db, size_t text_bytes);

struct rp_tidying {
    uint64_t seen; /* the last event at the last call */
    bool over;     /* nothing was left to merge then */
};

/* Called twice a second: where hardly an event came since the last call, merges in short
 * transactions, for some milliseconds. */
rp_err rp_tidy_while_idle(const struct rp_env *env, struct rp_db *db, struct rp_tidying *tidying);

#endif
