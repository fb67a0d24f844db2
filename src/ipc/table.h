/* table.h — pairs.def as data: may this role say this to that one, where, and how much?
 *
 * Shared by both ends, so that a client refuses to send what a server would refuse to hear.
 */
#ifndef RP_IPC_TABLE_H
#define RP_IPC_TABLE_H

#include "os/role.h"

struct rp_ipc_rule {
    enum rp_role_id client, server;
    const char *name; /* "LEASE" */
    uint32_t number;
    uint32_t max_request, max_reply; /* payload bytes */
};

/* NULL when the table does not hold it. */
const struct rp_ipc_rule *rp_ipc_rule_find(enum rp_role_id client, enum rp_role_id server,
                                           uint32_t number);
/* Whether the pair stands in the table at all. */
bool rp_ipc_pair_exists(enum rp_role_id client, enum rp_role_id server);
/* How many kinds of message the one may send to the other. */
size_t rp_ipc_messages(enum rp_role_id client, enum rp_role_id server);
/* Where the server listens, relative to the state folder; NULL for a role that serves nobody. */
const char *rp_ipc_socket_of(enum rp_role_id server);

#endif
