/* report.h — what happens to roles goes on record in the operator's tree.
 *
 * The loop must not wait for the ledger, which may be the very role that ended: a thread of its
 * own hands each event over, in order, and tries again for a while when nobody answers.
 */
#ifndef RP_DAEMONS_REPORT_H
#define RP_DAEMONS_REPORT_H

#include "daemon.h"
#include "event/event.h"

struct report;

/* daemon outlives the report. */
rp_err report_new(const struct daemon *daemon, struct report **ret_report);
/* Gives up what could not be handed over; accepts NULL. */
void report_free(struct report *report);

void report_started(struct report *report, const char *role, const char *version,
                    const char *isolation);
void report_stopped(struct report *report, const char *role, const char *reason, unsigned restarts);
void report_config_refused(struct report *report, const char *file, const struct rp_diag *diag);

#endif
