#include "bench.h"

#include "base/assert.h"

static double processor_seconds(void) {
    struct timespec now;
    int rc = clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    RP_ASSERT(rc == 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Operations a second. */
static double rate(bench_work *work, const struct bench *bench) {
    double before = processor_seconds();
    work(bench->ctx, bench->times);
    return bench->times / (processor_seconds() - before);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t n) {
    qsort(values, n, sizeof *values, by_value);
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

void bench_run(const struct bench *bench) {
    unsigned rounds = bench->rounds ? bench->rounds : BENCH_ROUNDS;
    RP_ASSERT(rounds <= BENCH_ROUNDS_MAX);
    double ours[BENCH_ROUNDS_MAX];
    double peer[BENCH_ROUNDS_MAX];
    double ratios[BENCH_ROUNDS_MAX];
    /* Once each without a clock: pages, caches, and the processor's own speed. */
    bench->ours(bench->ctx, 1);
    bench->peer(bench->ctx, 1);
    for (unsigned i = 0; i < rounds; i++) {
        ours[i] = rate(bench->ours, bench);
        peer[i] = rate(bench->peer, bench);
        ratios[i] = ours[i] / peer[i];
    }
    double ratio = median(ratios, rounds);
    printf("%s ours=%.1f peer=%.1f ratio=%.3f (%s; ratio from %.3f to %.3f in %u rounds)\n",
           bench->name, median(ours, rounds), median(peer, rounds), ratio, bench->what, ratios[0],
           ratios[rounds - 1], rounds);
}

void bench_ok(rp_err err, const char *what) {
    if (!rp_ok(err)) {
        fprintf(stderr, "%s: %s\n", what, rp_err_text(err, RP_EN));
        abort();
    }
}
