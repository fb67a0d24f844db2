/* register_retention.c — rempart register retention [--dry-run [--days N]]: what goes at its end.
 */
#include "cli.h"
#include "register.h"

#define RETENTION "/.rempart/api/v1/admin/retention"

static void print_one(const struct cli *cli, const struct rp_json *one) {
    uint64_t number = 0;
    bool emptied = rp_view_equal(rp_json_get_string(one, "what"), RP_VIEW("emptied"));
    (void)rp_json_get_u64(one, "number", &number);
    printf("%.*s  %.*s-%llu  %s  %.*s\n", RP_FMT(rp_json_get_string(one, "at")),
           RP_FMT(rp_json_get_string(one, "register")), (unsigned long long)number,
           emptied ? cli_say(cli, "vidée (une autre fiche la nomme)",
                             "emptied (another record names it)")
                   : cli_say(cli, "détruite", "destroyed"),
           RP_FMT(rp_json_get_string(one, "id")));
}

enum rp_exit cli_register_retention(struct cli *cli) {
    struct rp_json *answer = NULL;
    if (cli->days && !cli->dry_run) {
        return cli_usage(cli,
                         cli_say(cli, "--days va avec --dry-run : rien ne part avant son terme",
                                 "--days goes with --dry-run: nothing goes before its end"));
    }
    rp_view path = rp_arena_printf(cli->arena, RETENTION "?days=%s", cli->days ? cli->days : "30");
    enum rp_exit code = cli->dry_run ? cli_ask(cli, "GET", (const char *)path.p, NULL, &answer)
                                     : cli_ask(cli, "POST", RETENTION, NULL, &answer);
    if (code != RP_EXIT_OK || cli->json) {
        if (code == RP_EXIT_OK) {
            cli_print_json(answer);
        }
        return code;
    }
    const struct rp_json *list = rp_json_get(answer, "records");
    for (const struct rp_json *one = list ? list->first : NULL; one; one = one->next) {
        print_one(cli, one);
    }
    if (!list || list->count == 0) {
        puts(cli->dry_run ? cli_say(cli, "rien n’arrive à son terme d’ici là",
                                    "nothing comes to its end until then")
                          : cli_say(cli, "rien n’est à son terme", "nothing is at its end"));
    }
    return code;
}
