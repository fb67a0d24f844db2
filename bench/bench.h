/* bench.h — ours and the peer's in one run, turn by turn, and one line that says how it ended.
 *
 * Rounds are interleaved A B A B, so that a machine that grows slower grows slower for both. What
 * counts is the median over the rounds of ours/peer in the same round; the lowest and highest stand
 * beside it, and a claim whose target lies between them is no claim.
 */
#ifndef RP_BENCH_BENCH_H
#define RP_BENCH_BENCH_H

#include "base/err.h"

enum { BENCH_ROUNDS = 7, BENCH_ROUNDS_MAX = 99 };

/* Does the work `times` times. */
typedef void bench_work(void *ctx, unsigned times);

struct bench {
    const char *name; /* of the printed line */
    bench_work *ours, *peer;
    void *ctx;
    unsigned times;   /* of the work in a round, the same for both */
    unsigned rounds;  /* 0 = BENCH_ROUNDS */
    const char *what; /* what is counted, in words, with its unit */
};

/* Times are processor time of the whole process. Prints
 * NAME ours=… peer=… ratio=… (what; ratio from … to … in N rounds): operations a second of
 * processor time, ratio = how many times better ours is. */
void bench_run(const struct bench *bench);

/* Ends the program with what and where when something that cannot fail did. */
#define BENCH_OK(expression) bench_ok((expression), #expression)
void bench_ok(rp_err err, const char *what);

#endif
