/* people_import.c — a file of people from another system: what became of each line. */
#include <unistd.h>

#include "base/checked.h"
#include "cli.h"
#include "os/file.h"

enum { FILE_MAX = 4 << 20 };

/* Without --tenant, where there is but one organisation it is that one; NULL and a message else. */
static rp_err only_tenant(struct cli *cli, struct rp_diag *diag) {
    struct rp_json *answer = NULL;
    if (cli->tenant) {
        return RP_OK;
    }
    RP_TRY(cli_ask_core(cli, "GET", "/.rempart/api/v1/admin/tenants", (rp_view){NULL, 0}, &answer,
                        diag));
    const struct rp_json *list = rp_json_get(answer, "tenants");
    if (!list || list->count != 1) {
        return rp_fail(diag, RP_ERR(INVALID), "%s",
                       cli_say(cli, "quelle organisation ? --tenant ID (« rempart tenant list »)",
                               "which organisation? --tenant ID (\"rempart tenant list\")"));
    }
    cli->tenant = rp_arena_cstr(cli->arena, rp_json_get_string(list->first, "id"));
    return cli->tenant ? RP_OK : RP_ERR(NO_MEMORY);
}

static void print_line(const struct cli *cli, const struct rp_json *line) {
    uint64_t number = 0, column = 0;
    rp_view detail = rp_json_get_string(line, "detail"), link = rp_json_get_string(line, "link");
    (void)rp_json_get_u64(line, "line", &number);
    if (rp_json_get_u64(line, "column", &column)) {
        printf(cli_say(cli, "ligne %llu, colonne %llu : %.*s\n", "line %llu, column %llu: %.*s\n"),
               (unsigned long long)number, (unsigned long long)column, RP_FMT(detail));
    } else if (detail.p) {
        printf(cli_say(cli, "ligne %llu : %.*s\n", "line %llu: %.*s\n"), (unsigned long long)number,
               RP_FMT(detail));
    } else if (link.p) {
        printf("%.*s  %.*s\n", RP_FMT(rp_json_get_string(line, "email")), RP_FMT(link));
    }
}

static void print_report(const struct cli *cli, const struct rp_json *report) {
    const struct rp_json *lines = rp_json_get(report, "lines");
    uint64_t imported = 0, invited = 0, refused = 0;
    bool applied = false;
    for (const struct rp_json *one = lines ? lines->first : NULL; one; one = one->next) {
        print_line(cli, one);
    }
    (void)rp_json_get_u64(report, "imported", &imported);
    (void)rp_json_get_u64(report, "invited", &invited);
    (void)rp_json_get_u64(report, "refused", &refused);
    (void)rp_json_get_bool(report, "applied", &applied);
    printf(cli_say(cli, "%s : %llu reprises avec leur mot de passe, %llu invitées, %llu refusées\n",
                   "%s: %llu taken over with their password, %llu invited, %llu refused\n"),
           applied ? cli_say(cli, "fait", "done")
                   : cli_say(cli, "rien n’a changé", "nothing changed"),
           (unsigned long long)imported, (unsigned long long)invited, (unsigned long long)refused);
    if (refused > 0 && !applied && !cli->dry_run) {
        printf("%s\n",
               cli_say(cli, "--skip-bad reprend les autres.", "--skip-bad takes the rest."));
    }
}

static bool is_json(rp_view text) {
    rp_view start = rp_view_trim(text);
    return start.n > 0 && (start.p[0] == '[' || start.p[0] == '{');
}

static rp_err send(struct cli *cli, rp_view text, struct rp_json **ret_report,
                   struct rp_diag *diag) {
    RP_TRY(cli_enter_state(cli));
    RP_TRY(only_tenant(cli, diag));
    rp_view path = rp_arena_printf(cli->arena, "/.rempart/api/v1/admin/people-import?tenant=%s%s%s",
                                   cli->tenant, cli->dry_run ? "&dry_run=true" : "",
                                   cli->skip_bad ? "&skip_bad=true" : "");
    if (!path.p) {
        return RP_ERR(NO_MEMORY);
    }
    return cli_post_core(cli, (const char *)path.p, is_json(text) ? "application/json" : "text/csv",
                         text, ret_report, diag);
}

enum rp_exit cli_person_import(struct cli *cli, const char *file) {
    rp_view text = {NULL, 0};
    struct rp_json *report = NULL;
    struct rp_diag diag = cli_diag(cli);
    rp_err err = rp_file_read(file, FILE_MAX, cli->arena, &text);
    if (rp_ok(err)) {
        err = send(cli, text, &report, &diag);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, file, &diag);
    }
    return cli_tell_import(cli, report, print_report);
}
