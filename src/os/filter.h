/* filter.h — the system calls of a role: a list of what is allowed, and the end for the rest.
 *
 * Three answers: allowed; refused with an errno, where a library asks out of habit and can do
 * without; killed. execve is always killed. Memory is never made executable. Sockets are local
 * unless the role's row says INET; then they are TCP, and UDP where it says so; connect is killed
 * where it says NEVER. No connection begins by a send, where Landlock would not look at its port.
 */
#ifndef RP_OS_FILTER_H
#define RP_OS_FILTER_H

#include "os/role.h"

/* Irreversible, for all threads. Needs no_new_privs. */
rp_err rp_filter_enter(const struct rp_role *role);

#endif
