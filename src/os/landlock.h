/* landlock.h — the files of a role, and nothing but them.
 *
 * The kernel is asked what it can do (its ABI); what it cannot is left out and reported, not
 * hidden. Debian 12's headers stop at ABI 2, so newer rights are written out here.
 */
#ifndef RP_OS_LANDLOCK_H
#define RP_OS_LANDLOCK_H

#include "os/role.h"

/* 0 when the kernel has no Landlock. */
int rp_landlock_abi(void);
/* Builds the rules: reversible, names the path that fails. *ret_fd is -1 without Landlock. */
rp_err rp_landlock_prepare(const struct rp_role *role, int *ret_fd, struct rp_diag *diag);
/* Makes them true for this thread and all that come from it. Needs no_new_privs. */
rp_err rp_landlock_enter(int fd);

#endif
