#include "ipc/peer.h"

#include <sys/stat.h>

static bool owns_state(uid_t uid) {
    struct stat st;
    return stat(".", &st) == 0 && st.st_uid == uid;
}

bool rp_ipc_may_be(enum rp_role_id role, uid_t uid) {
    if (uid == 0) {
        return true;
    }
    uid_t expected;
    gid_t group;
    if (role != RP_ROLE_CLI && rp_ok(rp_role_uid(role, &expected, &group)) && expected == uid) {
        return true;
    }
    /* Without users of their own all roles run under the state folder's owner, who is also the
     * one that may use the command line. */
    return owns_state(uid);
}
