/* env.h — what a library may not take from the world by itself: time and chance.
 *
 * Programs fill it once in main; tests drive it by hand. Times are int64_t: nanoseconds are
 * called _ns, milliseconds _ms, seconds _s, all since 1970 unless called monotonic.
 */
#ifndef RP_BASE_ENV_H
#define RP_BASE_ENV_H

#include "base/err.h"
#include "base/id.h"

struct rp_env {
    void *ctx;
    int64_t (*now_ns)(void *ctx);       /* wall clock */
    int64_t (*monotonic_ns)(void *ctx); /* never steps back */
    void (*fill_random)(void *ctx, uint8_t *out, size_t n);
};

/* The machine's clocks and getrandom(2). */
struct rp_env rp_env_real(void);

static inline int64_t rp_env_now_ms(const struct rp_env *env) {
    return env->now_ns(env->ctx) / 1000000;
}

/* For spans of time: it never jumps. */
static inline int64_t rp_env_monotonic_ms(const struct rp_env *env) {
    return env->monotonic_ns(env->ctx) / 1000000;
}

static inline int64_t rp_env_now_s(const struct rp_env *env) {
    return env->now_ns(env->ctx) / 1000000000;
}

rp_id rp_env_new_id(const struct rp_env *env);

/* "2026-11-23T10:00:00Z" and a NUL; UTC, RFC 3339. Before 1970 and after 9999: the nearest end. */
struct rp_time_text {
    char s[24];
};
struct rp_time_text rp_time_print(int64_t seconds);

#endif
