/* place.c — where the state is, where the programs are, where the promises are. */
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli.h"

rp_err cli_enter_state(const struct cli *cli) {
    RP_ASSERT(cli->state != NULL);
    if (chdir(cli->state) != 0) {
        return errno == EACCES ? RP_ERR(DENIED) : RP_ERR(UNREACHABLE);
    }
    return RP_OK;
}

const char *cli_bin_folder(struct cli *cli) {
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    RP_ASSERT(n > 0);
    while (n > 1 && path[n - 1] != '/') {
        n--;
    }
    char *folder = rp_arena_cstr(cli->arena, rp_view_of(path, (size_t)n - 1));
    RP_ASSERT(folder != NULL);
    return folder;
}

/* A build folder stands in the source tree, which is then the share folder; an installation has
 * its own. */
const char *cli_share_folder(struct cli *cli) {
    const char *bin = cli_bin_folder(cli);
    rp_view beside = rp_arena_printf(cli->arena, "%s/../../promises/sections.yaml", bin);
    RP_ASSERT(beside.p != NULL);
    if (access((const char *)beside.p, R_OK) != 0) {
        return "/usr/share/rempart";
    }
    rp_view root = rp_arena_printf(cli->arena, "%s/../..", bin);
    RP_ASSERT(root.p != NULL);
    char path[PATH_MAX];
    if (!realpath((const char *)root.p, path)) {
        return "/usr/share/rempart";
    }
    char *share = rp_arena_cstr(cli->arena, rp_view_from_cstr(path));
    RP_ASSERT(share != NULL);
    return share;
}

void cli_make_absolute(struct cli *cli, const char **path) {
    char full[PATH_MAX];
    if (*path && realpath(*path, full)) {
        *path = rp_arena_cstr(cli->arena, rp_view_from_cstr(full));
        RP_ASSERT(*path != NULL);
    }
}
