/* runner_io.h — probes on schedule: each part at its period, its result in the table and the log.
 *
 * A probe role hands in the probes that it has; the runner finds the parts that name them, runs
 * one at a time on a worker thread (a probe may block), writes what it saw into the shared table,
 * and makes it a leaf of the public tree: at once when a verdict changes, else one summary a part
 * and hour. `rempart promises run` asks for a run now, and is answered when it is done.
 *
 * Promises: every one; a probe role that is down turns its parts stale by their validity.
 */
#ifndef RP_PROMISE_RUNNER_IO_H
#define RP_PROMISE_RUNNER_IO_H

#include <stdatomic.h>

#include "base/env.h"
#include "os/loop.h"
#include "os/role.h"
#include "promise/promise.h"

/* Fills seen->verdict and seen->detail (rp_probe_holds and its sisters do); the runner does the
 * rest. Runs on the worker thread. */
typedef void rp_probe_run(void *ctx, struct rp_observation *seen);

struct rp_probe {
    const char *name;
    rp_probe_run *run;
};

struct rp_runner_options {
    const struct rp_env *env;
    struct rp_loop *loop;
    enum rp_role_id role; /* RP_ROLE_PROBE or RP_ROLE_HUNT: its table, its socket */
    const struct rp_promises *promises;
    const struct rp_probe *probes;
    size_t probe_count;
    void *ctx;
    atomic_bool *stopping; /* set when the role is to stop; rp_probe_wait and others look at it */
};

struct rp_runner;
rp_err rp_runner_new(const struct rp_runner_options *options, struct rp_runner **ret_runner);
void rp_runner_free(struct rp_runner *runner);

/* Waits, unless the role is to stop: then false, at once. What a probe concludes after that is
 * nobody's verdict, and is not kept. */
bool rp_probe_wait(const atomic_bool *stopping, int64_t ms);

/* What a probe concluded, with its reason for people who read the page, in English; its French
 * stands in src/base/findings.def (finding.h). */
void rp_probe_holds(struct rp_observation *seen, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void rp_probe_broken(struct rp_observation *seen, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same of what somebody else said in both languages already, into an rp_diag and its `also`. */
void rp_probe_broken_as(struct rp_observation *seen, const char *english, const char *french);
/* This installation has not what the sentence needs: says what would meet it. */
void rp_probe_not_met(struct rp_observation *seen, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The probe could not look (a part was down): no verdict; the part goes stale. */
void rp_probe_unsure(struct rp_observation *seen, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
