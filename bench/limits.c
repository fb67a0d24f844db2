/* limits.c — what it costs to ask whether somebody may ask: GCRA in the shared table.
 *
 * A million clients in the table, drawn at random, so that each look-up misses the caches as it
 * would under a flood. Ours: key and decision. There is no peer but the target: ≤ 200 ns.
 *
 * Lists: 100,000 denied networks, stored with their event, published as a table, checked as a
 * worker does: ≤ 1 s of wall time in all; then asked for clients drawn at random: ≤ 200 ns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "bench.h"
#include "os/shm.h"
#include "shield/limits.h"
#include "shield/lists_io.h"

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

static double cpu_ns(void) {
    struct timespec now;
    RP_ASSERT(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double round_ns(struct state *state) {
    double from = cpu_ns();
    decide(state, TIMES);
    return (cpu_ns() - from) / TIMES;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* ---- lists ---- */

enum { NETWORKS = 100000 };

/* Half IPv4 /24 and /32, half IPv6 /48, spread over everything that there is. */
static struct rp_list_entry *networks(void) {
    struct rp_list_entry *entries = calloc(NETWORKS, sizeof *entries);
    RP_ASSERT(entries != NULL);
    for (uint64_t i = 0; i < NETWORKS; i++) {
        uint64_t bytes[2] = {mix(i), mix(i + NETWORKS)};
        struct rp_ip ip = rp_ip_of((const uint8_t *)bytes, i % 2 ? 4 : 16);
        unsigned bits = i % 2 ? RP_IP_V4_BITS + (i % 4 == 1 ? 24 : 32) : 48;
        entries[i].network = (struct rp_ip_net){rp_ip_mask(&ip, bits), bits};
    }
    return entries;
}

static void load(const struct rp_env *env, struct rp_db *db, const struct rp_list_entry *entries,
                 struct rp_shm *table) {
    const struct rp_list_change change = {
        .action = RP_LIST_DENY, .reason = RP_VIEW("bench"), .who = RP_VIEW("bench")};
    rp_id id;
    BENCH_OK(rp_lists_put(env, db, &change, entries, NETWORKS, &id, NULL));
    BENCH_OK(rp_lists_publish(db, true));
    BENCH_OK(rp_shm_open("run/lists.tab", false, 0, table));
    BENCH_OK(rp_lists_check(table->p, table->n));
}

/* Every other one is denied. */
static struct rp_ip *strangers(const struct rp_list_entry *entries) {
    struct rp_ip *ips = calloc(NETWORKS, sizeof *ips);
    RP_ASSERT(ips != NULL);
    for (uint64_t i = 0; i < NETWORKS; i++) {
        uint64_t bytes[2] = {mix(i + 7), mix(i + 8)};
        ips[i] = i % 2 ? entries[bytes[0] % NETWORKS].network.ip
                       : rp_ip_of((const uint8_t *)bytes, i % 4 ? 4 : 16);
    }
    return ips;
}

static double asked_ns(const struct rp_ip *ips, const void *table) {
    uint64_t denied = 0;
    double from = cpu_ns();
    for (uint64_t i = 0; i < TIMES; i++) {
        const struct rp_list_request request = {.address = &ips[i % NETWORKS], .now_s = 1700000000};
        denied += rp_lists_judge(table, &request) == RP_LIST_DENIED;
    }
    RP_ASSERT(denied >= TIMES / 2);
    return (cpu_ns() - from) / TIMES;
}

static void measure_lists(struct rp_db *db) {
    struct rp_env env = rp_env_real();
    struct rp_list_entry *entries = networks();
    struct rp_shm table = {0};
    int64_t from = env.monotonic_ns(env.ctx);
    double cpu_from = cpu_ns();
    load(&env, db, entries, &table);
    double seconds = (double)(env.monotonic_ns(env.ctx) - from) / 1e9;
    printf("lists_load ours=%.3f peer=1 ratio=%.2f (s of wall time to store, publish and check "
           "100,000 denied networks, %.3f of processor time; peer: the limit; table %zu bytes)\n",
           seconds, 1 / seconds, (cpu_ns() - cpu_from) / 1e9, table.n);
    struct rp_ip *ips = strangers(entries);
    double ns[BENCH_ROUNDS];
    for (unsigned i = 0; i < BENCH_ROUNDS; i++) {
        ns[i] = asked_ns(ips, table.p);
    }
    qsort(ns, BENCH_ROUNDS, sizeof ns[0], by_size);
    printf("lists ours=%.1f peer=200 ratio=%.2f (ns of processor time a decision among 100,000 "
           "denied networks, %.1f to %.1f in %d rounds; peer: the limit)\n",
           ns[BENCH_ROUNDS / 2], 200 / ns[BENCH_ROUNDS / 2], ns[0], ns[BENCH_ROUNDS - 1],
           BENCH_ROUNDS);
    rp_shm_done(&table);
    free(ips);
    free(entries);
}

static void in_a_folder(void (*work)(struct rp_db *db)) {
    char folder[] = "/tmp/rempart-bench-XXXXXX";
    struct rp_env env = rp_env_real();
    struct rp_store *store = NULL;
    struct rp_db *db = NULL;
    RP_ASSERT(mkdtemp(folder) != NULL && chdir(folder) == 0);
    RP_ASSERT(mkdir("db", 0700) == 0 && mkdir("run", 0700) == 0);
    BENCH_OK(rp_store_open(&env, "sqlite:", &store, NULL));
    BENCH_OK(rp_store_system(store, &db, NULL));
    work(db);
    rp_store_close(store);
    static const char *const files[] = {"run/lists.tab", "db/system.db", "db/system.db-wal",
                                        "db/system.db-shm"};
    for (size_t i = 0; i < RP_COUNT_OF(files); i++) {
        (void)unlink(files[i]);
    }
    RP_ASSERT(rmdir("run") == 0 && rmdir("db") == 0 && rmdir("tenants") == 0);
    RP_ASSERT(chdir("/") == 0 && rmdir(folder) == 0);
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
    in_a_folder(measure_lists);
    return 0;
}
