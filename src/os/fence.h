/* fence.h — one user speaks to this machine alone, and to nobody beyond it.
 *
 * A rule of the kernel's packet filter: what a socket of that user sends by another interface than
 * the loopback is dropped. The rule stands in a table of its own that belongs to the descriptor:
 * when the last copy of it is closed, however its owner ends, the kernel takes the table away.
 * Nothing else on the machine is read or changed, and several installations stand side by side.
 *
 * Fails: DENIED (not root, or without the right to administer the network); UNREACHABLE or INVALID
 * (a kernel without nf_tables, or older than 5.12): then there is no fence, and that is shown.
 * Promises: S105.
 */
#ifndef RP_OS_FENCE_H
#define RP_OS_FENCE_H

#include <sys/types.h>

#include "base/err.h"

/* The fence around uid stands as long as *ret_fd is open. */
rp_err rp_fence_new(uid_t uid, int *ret_fd);

#endif
