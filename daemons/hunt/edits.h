/* edits.h — rewording or hiding a promise is itself written into the public log.
 *
 * hunt/promises.seen holds the digest of each promise file as the log last knew it. At start, and
 * until the ledger has taken them, every difference becomes a leaf: added, changed, removed.
 */
#ifndef RP_DAEMONS_HUNT_EDITS_H
#define RP_DAEMONS_HUNT_EDITS_H

#include "base/env.h"
#include "promise/promise.h"

/* LEDGER_DOWN and its like: call again later. */
rp_err hunt_log_edits(const struct rp_env *env, const struct rp_promises *promises);

#endif
