#include "worker/confine.h"

#include <errno.h>
#include <sys/prctl.h>

#include "base/assert.h"
#include "os/file.h"
#include "os/filter.h"
#include "os/landlock.h"

rp_err worker_confine(const struct worker_walls *walls, struct rp_isolation *ret_isolation,
                      struct rp_diag *diag) {
    RP_ASSERT(walls != NULL && walls->path_count > 0);
    RP_ASSERT(ret_isolation != NULL);
    const struct rp_role role = {.id = RP_ROLE_GATE,
                                 .name = rp_role_name(RP_ROLE_GATE),
                                 .user = rp_role_user(RP_ROLE_GATE),
                                 .connect = RP_CONNECT_INET,
                                 .threads = true, /* for long bodies, once the walls stand */
                                 .any_port = walls->any_port,
                                 .ports = walls->ports,
                                 .port_count = walls->port_count,
                                 .paths = walls->paths,
                                 .path_count = walls->path_count};
    _cleanup_fd_ int files = -1;
    RP_TRY(rp_landlock_prepare(&role, &files, diag));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return rp_fail(diag, rp_err_from_errno(errno), "no_new_privs cannot be set");
    }
    struct rp_isolation isolation = {.landlock_abi = rp_landlock_abi()};
    if (files >= 0) {
        RP_TRY(rp_landlock_enter(files));
    }
    /*= S104, S105: whoever takes a worker over can neither start a program nor open a file. */
    RP_TRY(rp_filter_enter(&role));
    isolation.seccomp = true;
    *ret_isolation = isolation;
    return RP_OK;
}
