/* clock_io.h — clocks in the system database, so that a deadline outlives the process.
 *
 * A clock belongs to a subject (a record) under a name. One index holds when each has to do
 * something next: nothing is loaded at start, and 100,000 of them cost nothing until they are
 * due. What is due is taken and moved on in the caller's transaction: it fires with what it
 * causes, or not at all, and never twice.
 *
 * All but rp_clock_when and rp_clock_find are called inside a transaction. Fails: as the store.
 */
#ifndef RP_CLOCK_CLOCK_IO_H
#define RP_CLOCK_CLOCK_IO_H

#include "clock/clock.h"
#include "store/store.h"

enum { RP_CLOCK_NAME_MAX = 48, RP_CLOCK_REASON_MAX = 400 };

struct rp_clock_key {
    rp_id subject;
    rp_view name;
};

/* Starts it, or starts it anew. */
rp_err rp_clock_put(struct rp_db *db, const struct rp_clock_key *key, const struct rp_clock *clock);
rp_err rp_clock_stop(struct rp_db *db, const struct rp_clock_key *key);
rp_err rp_clock_stop_all(struct rp_db *db, rp_id subject);
/* NOT_FOUND. */
rp_err rp_clock_find(struct rp_db *db, const struct rp_clock_key *key, struct rp_clock *ret_clock);
/* With the reason that the record shows: 1 to 400 bytes. INVALID when it stands already. */
rp_err rp_clock_hold(struct rp_db *db, const struct rp_clock_key *key, rp_view reason,
                     int64_t now_ms);
/* Why it stands. NOT_FOUND when it runs. */
rp_err rp_clock_reason(struct rp_db *db, const struct rp_clock_key *key, struct rp_arena *arena,
                       rp_view *ret_reason);
rp_err rp_clock_go_on(struct rp_db *db, const struct rp_clock_key *key,
                      const struct rp_calendar *calendar, int64_t now_ms);

/* When the next of all has to do something; INT64_MAX when none has. */
rp_err rp_clock_when(struct rp_db *db, int64_t *ret_at_ms);

struct rp_fired {
    rp_id subject;
    char name[RP_CLOCK_NAME_MAX + 1];
    struct rp_step step;
    int64_t due_ms;
    bool altered; /* its row does not make sense: no step; it was set aside or mended */
};
/* Takes at most max steps that are due, oldest first. A row that somebody altered is answered as
 * such, once, and keeps no other clock from ringing. */
rp_err rp_clock_claim(struct rp_db *db, int64_t now_ms, struct rp_fired *ret_fired, size_t max,
                      size_t *ret_count);

#endif
