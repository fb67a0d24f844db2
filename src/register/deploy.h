/* deploy.h — may this go to production? Asked by a pipeline before it deploys, and of what runs.
 *
 * An artefact is approved while a change lists it that somebody other than its author approved and
 * signed, and that was not returned, rolled back or outlived. Each answer is an event of the log,
 * the refusals above all. Records of the example company approve nothing.
 *
 * Fails: UNAPPROVED, with the reason in the desk's diag; INVALID (no digest); DENIED (who may not
 * read the changes).
 * Promises: S62.
 */
#ifndef RP_REGISTER_DEPLOY_H
#define RP_REGISTER_DEPLOY_H

#include "register/desk.h"
#include "wire/artefact.h"

/* What must be true of a change whose artefacts are in service, and of one that lets more go. */
#define RP_CHANGE_STANDS                                                                           \
    "state in ['approved', 'deployed', 'verified', 'closed'] and set(approved_by) and "            \
    "approved_by != author"
#define RP_CHANGE_LETS_GO RP_CHANGE_STANDS " and (empty(approved_until) or approved_until >= today)"

/* The change that approves it, with its MAC checked. */
rp_err rp_desk_may_deploy(struct rp_desk *desk, const struct rp_artefact *artefact,
                          struct rp_entry *ret_change);
/* Under which name the index of values has the changes that list this digest; into the arena. */
const char *rp_artefact_key(struct rp_arena *arena, rp_view hex);

#endif
