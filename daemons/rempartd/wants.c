/* wants.c — which roles a configuration asks for, on this machine. */
#include "supervisor.h"

/* It stands where those run that it dials for, and only when a setting names a place; or a provider
 * in front, for hunt to ask where our own names lead. */
static bool has_somewhere_to_dial(const struct rp_config *config, unsigned runs_here) {
    bool courier = *config->smtp_url || config->webhook_count > 0 || config->witnesses.count > 0;
    return ((runs_here & RP_ROLE_BIT(RP_ROLE_COURIER)) && courier) ||
           ((runs_here & RP_ROLE_BIT(RP_ROLE_HUNT)) && config->trusted_proxies.count > 0) ||
           ((runs_here & RP_ROLE_BIT(RP_ROLE_ACME)) && *config->acme_directory);
}

bool supervisor_would_want(const struct places *places, const struct rp_config *config,
                           enum rp_role_id role) {
    if (role == RP_ROLE_LINK) {
        return places->linked;
    }
    if (role == RP_ROLE_DIAL) {
        return has_somewhere_to_dial(config, places->runs_here);
    }
    return (places->runs_here & RP_ROLE_BIT(role)) &&
           (role != RP_ROLE_ACME || *config->acme_directory) &&
           (role != RP_ROLE_VAULT || *config->vault_log) &&
           (role != RP_ROLE_WITNESS || config->witness_logs.count > 0);
}

bool supervisor_wants(const struct supervisor *supervisor, enum rp_role_id role) {
    return supervisor_would_want(&supervisor->places, &supervisor->daemon.config, role);
}
