/* peer.h — is the process at the other end who it says it is?
 *
 * Each role has a user of its own when the suite was started as root; then the kernel's word
 * (SO_PEERCRED) settles it. The command line is the state folder's owner. Root may be anyone:
 * it could trace every process anyway.
 */
#ifndef RP_IPC_PEER_H
#define RP_IPC_PEER_H

#include "os/role.h"

/* Whether a process of this user may speak as `role`. */
bool rp_ipc_may_be(enum rp_role_id role, uid_t uid);

#endif
