/* import.c — rempart tenant import: an export, of this installation or another, into a tenant.
 *
 * The archive goes to core twice: once to be looked through, manifest and all, once to be brought
 * in. So a damaged one changes nothing, and neither does one with lines that are refused, unless
 * --skip-bad leaves them out.
 */
#include "base/checked.h"
#include "base/id.h"
#include "cli.h"
#include "os/file.h"

static uint64_t number(const struct rp_json *report, const char *key) {
    uint64_t value = 0;
    (void)rp_json_get_u64(report, key, &value);
    return value;
}

static void print_refusals(const struct cli *cli, const struct rp_json *report) {
    const struct rp_json *lines = rp_json_get(report, "lines");
    uint64_t refused = number(report, "refused"), told = 0;
    for (const struct rp_json *one = lines ? lines->first : NULL; one; one = one->next, told++) {
        uint64_t line = number(one, "line");
        rp_view part = rp_json_get_string(one, "part");
        rp_view detail = rp_json_get_string(one, "detail");
        if (line > 0) {
            printf(cli_say(cli, "%.*s, ligne %llu : %.*s\n", "%.*s, line %llu: %.*s\n"),
                   RP_FMT(part), (unsigned long long)line, RP_FMT(detail));
        } else {
            printf(cli_say(cli, "%.*s : %.*s\n", "%.*s: %.*s\n"), RP_FMT(part), RP_FMT(detail));
        }
    }
    if (told == 100 && refused > told) {
        printf("%s\n", cli_say(cli, "… seuls les cent premiers refus sont montrés",
                               "… only the first hundred refusals are shown"));
    }
}

static void print_report(const struct cli *cli, const struct rp_json *report) {
    bool dry_run = true;
    (void)rp_json_get_bool(report, "dry_run", &dry_run);
    print_refusals(cli, report);
    printf(cli_say(cli, "export de %.*s, fait le %.*s\n", "export of %.*s, made %.*s\n"),
           RP_FMT(rp_json_get_string(report, "from")),
           RP_FMT(rp_json_get_string(report, "made_at")));
    printf(
        cli_say(cli,
                "%s : %llu enregistrements repris (dont %llu fichiers), %llu déjà là, %llu là en "
                "une autre version et laissés, %llu refusés\n",
                "%s: %llu records brought in (%llu of them files), %llu there already, %llu "
                "there in another version and left alone, %llu refused\n"),
        dry_run ? cli_say(cli, "rien n’a changé", "nothing changed") : cli_say(cli, "fait", "done"),
        (unsigned long long)number(report, "imported"), (unsigned long long)number(report, "files"),
        (unsigned long long)number(report, "there"),
        (unsigned long long)number(report, "other_version"),
        (unsigned long long)number(report, "refused"));
    if (dry_run && number(report, "refused") > 0 && !cli->dry_run) {
        printf("%s\n",
               cli_say(cli, "--skip-bad reprend les autres.", "--skip-bad takes the rest."));
    }
}

static rp_err send(struct cli *cli, const char *tenant, int fd, bool dry_run,
                   struct rp_json **ret_report, struct rp_diag *diag) {
    rp_view path =
        rp_arena_printf(cli->arena, "/.rempart/api/v1/admin/tenants/%s/import?dry_run=%s", tenant,
                        dry_run ? "true" : "false");
    if (!path.p) {
        return RP_ERR(NO_MEMORY);
    }
    return cli_upload_core(cli, (const char *)path.p, "application/gzip", fd, ret_report, diag);
}

static rp_err run(struct cli *cli, const char *tenant, const char *file,
                  struct rp_json **ret_report, struct rp_diag *diag) {
    rp_id id;
    _cleanup_fd_ int fd = -1;
    if (!rp_id_parse(rp_view_from_cstr(tenant), &id)) {
        return rp_fail(diag, RP_ERR(INVALID), "%s: not a tenant's id", tenant);
    }
    rp_err err = rp_file_open(file, &fd);
    if (!rp_ok(err)) {
        return rp_fail(diag, err, "%s", file);
    }
    RP_TRY(cli_enter_state(cli));
    RP_TRY(send(cli, tenant, fd, true, ret_report, diag));
    if (cli->dry_run || (number(*ret_report, "refused") > 0 && !cli->skip_bad)) {
        return RP_OK;
    }
    return send(cli, tenant, fd, false, ret_report, diag);
}

enum rp_exit cli_tenant_import(struct cli *cli, const char *tenant, const char *file) {
    struct rp_diag diag = cli_diag(cli);
    struct rp_json *report = NULL;
    rp_err err = run(cli, tenant, file, &report, &diag);
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli->command, &diag);
    }
    return cli_tell_import(cli, report, print_report);
}
