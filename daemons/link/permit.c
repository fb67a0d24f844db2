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
        return "a message that is not in the table";
    }
    if (!rp_config_runs_here(config, parcel->server)) {
        return "a question to a role that does not run here";
    }
    if (!runs_there(peer, parcel->client)) {
        return "a question of a role that does not run there";
    }
    return parcel->payload.n > rule->max_request ? "a question over its size" : NULL;
}
