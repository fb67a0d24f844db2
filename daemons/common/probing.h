/* probing.h — the main of a probe role: promises loaded, role entered, probes on their schedule. */
#ifndef RP_DAEMONS_PROBING_H
#define RP_DAEMONS_PROBING_H

#include "daemon.h"
#include "promise/runner_io.h"

/* Reads SHARE/promises. Before role entry: afterwards the folder cannot be opened. */
rp_err probing_load(struct daemon *daemon, struct rp_promises *ret_promises);

/* Enters the role, then runs the probes until the loop stops; *stopping is set then. */
rp_err probing_run(struct daemon *daemon, const struct rp_promises *promises,
                   const struct rp_probe *probes, size_t count, void *ctx, atomic_bool *stopping);

#endif
