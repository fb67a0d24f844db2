/* ours.h — which names are ours, and which are honest, as rempart.yaml says it.
 *
 * Ours are watch.domains, host, and the host of each application; of the last two, names that
 * cannot be bought are passed over (localhost, a name in .test, an address).
 *
 * Fails: INVALID, with the setting and the name in diag (a bare suffix in watch.domains);
 * TOO_LARGE.
 */
#ifndef RP_LOOKALIKE_OURS_H
#define RP_LOOKALIKE_OURS_H

#include "config/config.h"
#include "lookalike/judge.h"

rp_err rp_watched_of(const struct rp_config *config, struct rp_arena *arena,
                     struct rp_watched *ret_watched, struct rp_diag *diag);

#endif
