/* plan.h — when a certificate is asked for again. Pure.
 *
 * Renewal: when a third of its life is left, or a little before, so that those who began on the
 * same day do not all come at once. After a failure: soon, then ever later, never sooner than the
 * authority asked for (public authorities count failures: five an hour for a name at the largest).
 * `chance` is any number.
 */
#ifndef RP_ACME_PLAN_H
#define RP_ACME_PLAN_H

#include <stdbool.h>
#include <stdint.h>

int64_t plan_renewal_s(int64_t since_s, int64_t until_s, uint32_t chance);
/* After the n-th failure in a row, n from 1. */
int64_t plan_retry_s(int64_t now_s, uint64_t failures, int64_t wait_s, uint32_t chance);

/* Whether it is time; next_s: as planned, tried_s: when the last attempt began, 0 for none. One of
 * a time to come was made by a clock that was wrong, and so was the plan. */
bool plan_is_due(int64_t next_s, int64_t tried_s, int64_t now_s);

#endif
