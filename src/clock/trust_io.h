/* trust_io.h — may this machine's clock be believed, before something is destroyed because of it?
 *
 * Were the clock set years ahead (a dead battery, a typing error, a wrong host), everything that is
 * kept for years would be at its end. So the database remembers the last instant that was believed.
 * A look moves it on; one that finds a leap of more than a week ahead moves nothing, and the clock
 * is doubted until it is back, or until a person says which day it is: a machine that was off for
 * a month and a clock that is wrong look alike from inside. Nothing is destroyed meanwhile, and no
 * deadline rings that fell due through the leap alone; all else goes on. A clock that is set back
 * is followed; by more than an hour is put on record.
 *
 * Fails: as the store. Each change of mind, and each leap back, is an event, clock.leapt.
 */
#ifndef RP_CLOCK_TRUST_IO_H
#define RP_CLOCK_TRUST_IO_H

#include "base/env.h"
#include "store/store.h"

enum { RP_CLOCK_LEAP_DAYS = 7 };

struct rp_clock_trust {
    bool believed;
    int64_t seen_ms; /* the last instant that was believed */
};

/* What is known, with the clock as it stands now; nothing is written. */
rp_err rp_clock_trust_read(const struct rp_env *env, struct rp_db *db,
                           struct rp_clock_trust *ret_trust);
/* Up to when deadlines ring: now; of a clock that is doubted, the last instant that was believed.
 */
rp_err rp_clock_trust_now(const struct rp_env *env, struct rp_db *db, int64_t *ret_ms);
/* What is known, remembered: in a transaction of its own, when there is something to remember. Call
 * it each minute or so. *ret_news: the answer is another than last time. */
rp_err rp_clock_trust_look(const struct rp_env *env, struct rp_db *db,
                           struct rp_clock_trust *ret_trust, bool *ret_news);
/* A person says that the clock is right. INVALID: nobody doubted it. */
rp_err rp_clock_trust_confirm(const struct rp_env *env, struct rp_db *db, rp_view by);

#endif
