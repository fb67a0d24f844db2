#include "base/env.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "base/assert.h"

static int64_t clock_ns(clockid_t clock) {
    struct timespec now;
    int rc = clock_gettime(clock, &now);
    RP_ASSERT(rc == 0);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t real_now_ns(void *ctx) {
    (void)ctx;
    return clock_ns(CLOCK_REALTIME);
}

static int64_t real_monotonic_ns(void *ctx) {
    (void)ctx;
    return clock_ns(CLOCK_MONOTONIC);
}

static void real_random(void *ctx, uint8_t *out, size_t n) {
    (void)ctx;
    size_t done = 0;
    while (done < n) {
        ssize_t got = getrandom(out + done, n - done, 0);
        RP_ASSERT(got > 0 || errno == EINTR);
        done += got > 0 ? (size_t)got : 0;
    }
}

struct rp_env rp_env_real(void) {
    return (struct rp_env){
        .now_ns = real_now_ns, .monotonic_ns = real_monotonic_ns, .fill_random = real_random};
}

rp_id rp_env_new_id(const struct rp_env *env) {
    rp_id id;
    env->fill_random(env->ctx, id.b, sizeof id.b);
    RP_ASSERT(!rp_id_is_none(id));
    return id;
}

/* Times come out of files and shared tables, too: what no year of four digits holds is printed as
 * the nearest that one does. */
struct rp_time_text rp_time_print(int64_t seconds) {
    static const int64_t last_of_9999 = 253402300799;
    struct rp_time_text text;
    struct tm utc;
    time_t at = (time_t)(seconds < 0 ? 0 : seconds > last_of_9999 ? last_of_9999 : seconds);
    struct tm *ok = gmtime_r(&at, &utc);
    RP_ASSERT(ok != NULL);
    size_t n = strftime(text.s, sizeof text.s, "%Y-%m-%dT%H:%M:%SZ", &utc);
    RP_ASSERT(n > 0);
    return text;
}
