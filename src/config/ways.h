/* ways.h — the places that a role may dial by itself: what the configuration names for it.
 *
 * Read by all who build a wall of it: the role's own (Landlock, by port), the worker's in nginx,
 * and the supervisor's fence (by address).
 */
#ifndef RP_CONFIG_WAYS_H
#define RP_CONFIG_WAYS_H

#include "config/config.h"

enum { RP_CONFIG_PORTS_MAX = 256 };

/* host: an address or a name; n = 0 stands for this machine, whatever its address. False ends it.
 */
typedef bool rp_config_way(void *ctx, rp_view host, uint16_t port);
/* For gate, link and probe; other roles have none. False when `each` said so. */
bool rp_config_ways(const struct rp_config *config, enum rp_role_id role, rp_config_way *each,
                    void *ctx);

/* The ports of them, each once. TOO_LARGE over RP_CONFIG_PORTS_MAX. */
rp_err rp_config_ports(const struct rp_config *config, enum rp_role_id role,
                       uint16_t ret_ports[static RP_CONFIG_PORTS_MAX], size_t *ret_count);

/* This installation's own names, by place: the host, then each application's, which is the host
 * where it has none of its own. NULL past the last. */
const char *rp_config_own_name(const struct rp_config *config, size_t place);

#endif
