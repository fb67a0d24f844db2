/* retention.h — a record's end: how long it is kept once it is closed, and what becomes of it.
 *
 * A record is closed in the states that its register names (`closed:`), or from which no move leads
 * elsewhere. From the move that closed it runs a clock of its own, "retention", which its
 * register's span ends. Then the record is destroyed with its history and evidence; where others
 * still name it, it keeps only what they need (states, dates, choices, numbers, references) until
 * none does. Each end is an event. Before anything goes the end is computed anew from the history,
 * so that no clock that somebody edited takes a record before its time.
 *
 * Nothing goes by a clock that is doubted (clock/trust_io.h): it is looked at again in an hour.
 *
 * A retention that is held (a lawsuit) stands still for as long as it is, and is then what it was.
 */
#ifndef RP_REGISTER_RETENTION_H
#define RP_REGISTER_RETENTION_H

#include "register/save.h"

#define RP_RETENTION_CLOCK "retention"

/* Its name among deadlines, for whoever holds it. */
extern const struct rp_deadline rp_retention_deadline;

bool rp_entry_is_closed(const struct rp_entry *record);
/* When the record may go. Its history is read. */
rp_err rp_retention_end(struct rp_desk *desk, const struct rp_entry *record, int64_t *ret_end_ms);
/* Inside the transaction of a save: the clock begins with the closing, ends with a reopening. */
rp_err rp_draft_retention(const struct rp_draft *draft);
/* The clock as it should be, for records that were closed before there was one and for spans that
 * changed; in a transaction of its own when it has to be set. */
rp_err rp_retention_plan(struct rp_desk *desk, const struct rp_entry *record);
/* The machine's clock is believed again: what waits for the next look at it is let go of, and the
 * sweep that has to follow plans it anew. */
rp_err rp_retention_look_again(struct rp_desk *desk);
/* Inside a transaction: no longer held. INVALID: it was not. */
rp_err rp_retention_go_on(struct rp_desk *desk, const struct rp_entry *record);
/* Inside a transaction: everything that hangs on it goes; its id and number stay known, and are not
 * given again. */
rp_err rp_entry_destroy(struct rp_desk *desk, const struct rp_entry *record, int64_t closed_ms);
/* Does another record name it? */
rp_err rp_entry_is_named(struct rp_desk *desk, const struct rp_entry *record, bool *ret_named);
/* Inside the transaction of its clock: destroyed or emptied. */
rp_err rp_retention_reached(struct rp_desk *desk, const struct rp_entry *record);

#endif
