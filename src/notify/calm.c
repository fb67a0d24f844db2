#include "notify/calm.h"

#include "base/assert.h"
#include "clock/calendar.h"
#include "config/check.h"

enum { MINUTE_MS = 60000 };

struct rp_calm rp_calm_of(rp_view quiet, rp_view digest) {
    struct rp_calm calm = {.quiet = quiet.n > 0, .digest = digest.n > 0};
    rp_view rest = quiet, first = rp_view_cut(&rest, '-');
    bool good = (!calm.quiet || (rp_config_minutes(first, &calm.quiet_from) &&
                                 rp_config_minutes(rest, &calm.quiet_to))) &&
                (!calm.digest || rp_config_minutes(digest, &calm.digest_at));
    RP_ASSERT(good); /* the configuration was checked */
    return calm;
}

static int64_t at(int64_t day, unsigned minutes) {
    return rp_paris_to_ms((struct rp_local){day, (int64_t)minutes * MINUTE_MS});
}

static int64_t end_of_quiet(const struct rp_calm *calm, int64_t now_ms) {
    if (!calm->quiet) {
        return now_ms;
    }
    struct rp_local now = rp_paris_of_ms(now_ms);
    int64_t minute = now.ms / MINUTE_MS;
    bool overnight = calm->quiet_from > calm->quiet_to;
    bool late = minute >= calm->quiet_from, early = minute < calm->quiet_to;
    if (overnight ? !late && !early : !late || !early) {
        return now_ms;
    }
    return at(now.day + (overnight && late), calm->quiet_to);
}

int64_t rp_calm_until(const struct rp_calm *calm, int64_t now_ms) {
    if (!calm->digest) {
        return end_of_quiet(calm, now_ms);
    }
    /* The day's digest waits for the end of quiet hours too, which may be the next morning. */
    int64_t today = rp_paris_of_ms(now_ms).day;
    for (int64_t day = today - 1; day <= today; day++) {
        int64_t due_ms = end_of_quiet(calm, at(day, calm->digest_at));
        if (due_ms >= now_ms) {
            return due_ms;
        }
    }
    return end_of_quiet(calm, at(today + 1, calm->digest_at));
}
