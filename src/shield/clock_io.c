#include "shield/clock_io.h"

#include <time.h>

static uint64_t now_ns(clockid_t clock) {
    struct timespec now = {0, 0};
    (void)clock_gettime(clock, &now); /* every Linux has both */
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t steady_ns(void) {
    return now_ns(CLOCK_MONOTONIC);
}

static uint64_t spent_ns(void) {
    return now_ns(CLOCK_THREAD_CPUTIME_ID);
}

const struct rp_waf_clock rp_waf_clock = {steady_ns, spent_ns};
