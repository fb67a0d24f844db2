/* limits.c — what it costs to ask whether somebody may ask: GCRA in the shared table.
 *
 * A million clients in the table, drawn at random, so that each look-up misses the caches as it
 * would under a flood. Ours: key and decision. There is no peer but the target: ≤ 200 ns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/assert.h"
#include "bench.h"
#include "shield/limits.h"

enum { CLIENTS = 1000000, TIMES = 2000000 };

struct state {
    void *table;
    uint64_t sum;
};

static uint64_t mix(uint64_t x) {
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static void decide(struct state *state, unsigned times) {
    struct rp_limit limit = rp_limit_of(500, 1000);
    for (unsigned i = 0; i < times; i++) {
        uint64_t who = mix(i) % CLIENTS;
        uint32_t wait = 0;
        uint64_t key = rp_limits_key(state->table, RP_LIMIT_ADDRESS, rp_view_of(&who, sizeof who));
        state->sum += rp_limits_take(state->table, key, limit, 1700000000000000ULL + i, &wait);
    }
}

static double round_ns(struct state *state) {
    struct timespec from, to;
    RP_ASSERT(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from) == 0);
    decide(state, TIMES);
    RP_ASSERT(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to) == 0);
    return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / TIMES;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(void) {
    static const uint8_t salt[RP_LIMITS_SALT] = "sixteen bytes...";
    struct state state = {.table = malloc(rp_limits_bytes())};
    RP_ASSERT(state.table != NULL);
    rp_limits_init(state.table, salt);
    decide(&state, CLIENTS);
    double ns[BENCH_ROUNDS];
    for (unsigned i = 0; i < BENCH_ROUNDS; i++) {
        ns[i] = round_ns(&state);
    }
    qsort(ns, BENCH_ROUNDS, sizeof ns[0], by_size);
    printf("limits ours=%.1f peer=200 ratio=%.2f (ns of processor time a decision on one of "
           "1,000,000 clients, %.1f to %.1f in %d rounds; peer: the limit; table %zu bytes)\n",
           ns[BENCH_ROUNDS / 2], 200 / ns[BENCH_ROUNDS / 2], ns[0], ns[BENCH_ROUNDS - 1],
           BENCH_ROUNDS, rp_limits_bytes());
    RP_ASSERT(state.sum > 0);
    free(state.table);
    return 0;
}
