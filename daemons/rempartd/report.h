/* report.h — what happens to roles goes on record in the operator's tree. */
#ifndef RP_DAEMONS_REPORT_H
#define RP_DAEMONS_REPORT_H

#include "recorder.h"

void report_started(struct recorder *recorder, const char *role, const char *version,
                    const char *isolation);
void report_stopped(struct recorder *recorder, const char *role, const char *reason,
                    unsigned restarts);
void report_config_refused(struct recorder *recorder, const char *file, const struct rp_diag *diag);

#endif
