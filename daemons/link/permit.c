/* permit.c — what another machine may put to a role here: pairs.def says which messages there are,
 * our configuration which of the asking roles that machine runs. Nothing of what it says of itself
 * counts.
 */
#include "ipc/table.h"
#include "link.h"

/* Each machine has a supervisor and a link, which put things on record; no command line crosses. */
static bool runs_there(const struct rp_config_peer *peer, enum rp_role_id role) {
    return role == RP_ROLE_SUPERVISOR || role == RP_ROLE_LINK || (peer->runs & RP_ROLE_BIT(role));
}

/*= S86 */ /* the key service is asked only by roles that its own machine's file names */
const char *permit_refusal(const struct rp_config *config, const struct rp_config_peer *peer,
                           const struct rp_parcel *parcel) {
    const struct rp_ipc_rule *rule =
        rp_ipc_rule_find(parcel->client, parcel->server, parcel->head.number);
    if (!rule) {
        return link_why(LINK_NO_RULE);
    }
    if (!rp_config_runs_here(config, parcel->server)) {
        return link_why(LINK_NOT_HERE);
    }
    if (!runs_there(peer, parcel->client)) {
        return link_why(LINK_NOT_THERE);
    }
    return parcel->payload.n > rule->max_request ? link_why(LINK_OVERSIZED) : NULL;
}
