/* fault.h — the n-th allocation or system call fails, for every n: T3 (STYLE.md).
 *
 * A test's work runs in a child, once for each n; calls.c stands before malloc and the C library's
 * file calls, in the project's code and SQLite's alike. What was acknowledged is counted in memory
 * that parent and child share. After each child the parent looks, with nothing failing: whatever
 * was acknowledged must be there, and the next start must be an ordinary one. A child ends by 0
 * (it got along), by FAULT_REFUSED (it said no) or where it was killed; never by a signal.
 */
#ifndef RP_TESTS_FAULT_H
#define RP_TESTS_FAULT_H

#include "unit.h"

enum fault_kind {
    FAULT_NO_MEMORY,   /* one allocation gives nothing */
    FAULT_BROKEN,      /* one call answers EIO */
    FAULT_FULL,        /* from that call on everything that needs room answers ENOSPC */
    FAULT_SHORT,       /* one write takes half of what it was given */
    FAULT_INTERRUPTED, /* one call answers EINTR */
    FAULT_KILLED,      /* the process ends instead of the call */
    FAULT_KINDS
};
enum { FAULT_REFUSED = 10, FAULT_DIED = 137 };

/* ---- calls.c ---- */
/* From now on the n-th call (from 1) is met by the fault; *ret_met says whether it was. */
void fault_arm(enum fault_kind kind, unsigned nth, bool *ret_met);
void fault_disarm(void);

/* ---- sweep.c ---- */
struct fault_test {
    void (*set_up)(void *ctx);                 /* in the parent; nothing fails */
    rp_err (*work)(void *ctx, unsigned *told); /* in the child; told: what was acknowledged */
    void (*check)(void *ctx, unsigned told);   /* in the parent; fails the test */
    void (*tear_down)(void *ctx);
    void *ctx;
};
/* A whole test program: one case for each kind, each for every n until the work met no fault any
 * more. memory_step: only each so-maniest allocation, because there are many;
 * REMPART_FAULT_STEP=1 leaves none out. Returns what main returns. */
int fault_main(const struct fault_test *test, unsigned memory_step);

#endif
