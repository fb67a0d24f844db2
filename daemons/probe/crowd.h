/* crowd.h — many requests at the same time from one address, beside those of a good client.
 *
 * One thread and libcurl's multi interface. Bounded thrice: by requests, by time, and by the
 * refusals that are enough to know. The good client is one browser that asks at its own pace.
 */
#ifndef RP_DAEMONS_PROBE_CROWD_H
#define RP_DAEMONS_PROBE_CROWD_H

#include "base/env.h"
#include "http.h"

struct crowd_plan {
    const char *from, *path; /* the crowd's address, and what it asks for */
    unsigned requests_max, refusals_enough;
    int64_t least_ms, longest_ms; /* it goes on for least_ms whatever was refused */
};

struct crowd_seen {
    unsigned answered, passed, refused; /* refused: 429; neither: another error */
    int64_t took_ms;
    unsigned good_asked, good_served; /* served: status 200 in time */
    int64_t good_slowest_ms;
};

struct crowd_target {
    const struct rp_env *env;
    const struct rp_config *config;
    const char *address;
    struct http *good; /* signed in where it asks */
    const char *good_path;
};

/* Adds to *seen. NO_MEMORY; UNREACHABLE when nobody of the crowd got an answer. */
rp_err crowd_run(const struct crowd_target *target, const struct crowd_plan *plan,
                 struct crowd_seen *seen);

#endif
