/* confine.h — a worker's walls: the files and ports it needs, the system calls of a role, no way
 * back.
 *
 * nginx has dropped to its user before; this adds what rp_role_enter gives every other role.
 * The master keeps what the distribution gives it. Promises: S104, S105.
 */
#ifndef RP_EDGE_CONFINE_H
#define RP_EDGE_CONFINE_H

#include "os/role.h"

/* What a worker may use: files, and ports that it may connect to. */
struct worker_walls {
    const struct rp_role_path *paths;
    size_t path_count;
    bool any_port; /* not those alone */
    const uint16_t *ports;
    size_t port_count;
};

/* Irreversible. A kernel without Landlock leaves landlock_abi at 0; every other failure is an
 * error, after which the worker must end. */
rp_err worker_confine(const struct worker_walls *walls, struct rp_isolation *ret_isolation,
                      struct rp_diag *diag);

#endif
