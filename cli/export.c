/* export.c — rempart tenant export: everything a tenant keeps, as a tar.gz that core makes while it
 * is written. The file is there when it is whole, or not at all.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/id.h"
#include "cli.h"
#include "os/file.h"

static rp_err open_out(const char *file, int *ret_fd, struct rp_diag *diag) {
    if (strcmp(file, "-") == 0) {
        *ret_fd = STDOUT_FILENO;
        return RP_OK;
    }
    if (rp_file_exists(file)) {
        return rp_fail(diag, RP_ERR(DUPLICATE), "%s is there already: name another file", file);
    }
    rp_err err = rp_file_open_append(file, 0600, ret_fd);
    return rp_ok(err) ? RP_OK : rp_fail(diag, err, "%s", file);
}

/* What was begun and did not end well is worth nothing, and holds a customer's data in clear. */
static void give_up(int fd, int cwd, const char *file) {
    if (fd >= 0 && fd != STDOUT_FILENO && fchdir(cwd) == 0) {
        rp_ignore(rp_file_remove(file));
    }
}

static rp_err fetch(struct cli *cli, const char *tenant, int fd, uint64_t *ret_records,
                    struct rp_diag *diag) {
    rp_view path = rp_arena_printf(cli->arena, "/.rempart/api/v1/admin/export?tenant=%s", tenant);
    rp_view heads = {NULL, 0};
    if (!path.p) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(cli_enter_state(cli));
    RP_TRY(cli_fetch_core_to(cli, (const char *)path.p, fd, &heads, diag));
    struct cli_answer answer = {.heads = heads};
    if (!rp_view_to_u64(cli_answer_head(&answer, "Rempart-Records: "), UINT64_MAX, ret_records)) {
        return RP_ERR(PROTOCOL);
    }
    rp_err err = rp_file_sync(fd);
    return fd == STDOUT_FILENO ? RP_OK : err;
}

static rp_err run(struct cli *cli, const char *tenant, const char *file, uint64_t *ret_records,
                  struct rp_diag *diag) {
    rp_id id;
    if (!rp_id_parse(rp_view_from_cstr(tenant), &id)) {
        return rp_fail(diag, RP_ERR(INVALID), "%s: not a tenant's id", tenant);
    }
    _cleanup_fd_ int cwd = -1;
    int fd = -1;
    RP_TRY(rp_file_open(".", &cwd));
    RP_TRY(open_out(file, &fd, diag));
    rp_err err = fetch(cli, tenant, fd, ret_records, diag);
    if (!rp_ok(err)) {
        give_up(fd, cwd, file);
    }
    if (fd != STDOUT_FILENO) {
        rp_fd_done(&fd);
    }
    return err;
}

enum rp_exit cli_tenant_export(struct cli *cli, const char *tenant, const char *file) {
    struct rp_diag diag = cli_diag(cli);
    uint64_t records = 0;
    rp_err err = run(cli, tenant, file, &records, &diag);
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli->command, &diag);
    }
    fprintf(stderr, "%llu %s, %s\n", (unsigned long long)records,
            cli_plural(cli, records, cli_say(cli, "enregistrement exporté", "record exported"),
                       cli_say(cli, "enregistrements exportés", "records exported")),
            cli_say(cli, "fichiers compris, en clair", "files among them, in clear"));
    return RP_EXIT_OK;
}
