/* stopped.c — whether Rempart runs on a state folder: its supervisor holds a lock there. */
#include "base/checked.h"
#include "cli.h"
#include "os/file.h"

rp_err cli_check_stopped(const struct cli *cli, const char *state, struct rp_diag *diag) {
    _cleanup_fd_ int fd = -1;
    rp_view path = rp_arena_printf(cli->arena, "%s/rempartd.lock", state);
    if (!path.p) {
        return RP_ERR(NO_MEMORY);
    }
    if (!rp_file_exists((const char *)path.p)) {
        return RP_OK;
    }
    rp_err err = rp_file_open((const char *)path.p, &fd);
    if (rp_ok(err)) {
        err = rp_file_lock(fd);
    }
    return rp_is(err, RP_E_BUSY)
               ? rp_fail(diag, err, "%s",
                         cli_say(cli, "Rempart tourne sur ce dossier : arrêtez-le d’abord",
                                 "Rempart runs on this folder: stop it first"))
               : err;
}
