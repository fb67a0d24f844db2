/* calm.h — when a reminder may reach somebody: not in quiet hours, and once a day with all others
 * for who wants a digest.
 *
 * Times are those of a clock in Paris, also on the days when it is changed. Pure.
 */
#ifndef RP_NOTIFY_CALM_H
#define RP_NOTIFY_CALM_H

#include "base/view.h"

struct rp_calm {
    bool quiet, digest;
    unsigned quiet_from, quiet_to, digest_at; /* minutes of the day */
};

/* As the settings notify.quiet and notify.digest say; both may be empty. */
struct rp_calm rp_calm_of(rp_view quiet, rp_view digest);
/* The first instant from now on at which a gentle notice may go out. */
int64_t rp_calm_until(const struct rp_calm *calm, int64_t now_ms);

#endif
