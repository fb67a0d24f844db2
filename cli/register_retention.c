/* register_retention.c — rempart register retention [--dry-run [--days N] | --confirm TODAY]: what
 * goes at its end, and that the machine's clock is right.
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

/* A clock that leapt: what the list says is at its end stays. */
static bool tell_doubt(const struct cli *cli, const struct rp_json *answer) {
    const struct rp_json *clock = rp_json_get(answer, "clock");
    const struct rp_json *believed = rp_json_get(clock, "believed");
    if (!believed || believed->boolean) {
        return false;
    }
    fprintf(stderr,
            cli_say(cli,
                    "rempart : l’horloge de cette machine a sauté de %.*s à %.*s ; rien n’est "
                    "détruit. Réglez-la, ou\nconfirmez le jour d’aujourd’hui : rempart register "
                    "retention --confirm AAAA-MM-JJ\n",
                    "rempart: this machine's clock leapt from %.*s to %.*s; nothing is destroyed. "
                    "Set it right, or\nconfirm which day it is: rempart register retention "
                    "--confirm YYYY-MM-DD\n"),
            RP_FMT(rp_json_get_string(clock, "believed_until")),
            RP_FMT(rp_json_get_string(clock, "now")));
    return true;
}

static void print_list(const struct cli *cli, const struct rp_json *list) {
    for (const struct rp_json *one = list ? list->first : NULL; one; one = one->next) {
        print_one(cli, one);
    }
    if (!list || list->count == 0) {
        puts(cli->dry_run ? cli_say(cli, "rien n’arrive à son terme d’ici là",
                                    "nothing comes to its end until then")
                          : cli_say(cli, "rien n’est à son terme", "nothing is at its end"));
    }
}

enum rp_exit cli_register_retention(struct cli *cli) {
    struct rp_json *answer = NULL;
    if (cli->days && !cli->dry_run) {
        return cli_usage(cli,
                         cli_say(cli, "--days va avec --dry-run : rien ne part avant son terme",
                                 "--days goes with --dry-run: nothing goes before its end"));
    }
    if (cli->confirm && cli->dry_run) {
        return cli_usage(cli, cli_say(cli, "--confirm ou --dry-run", "--confirm or --dry-run"));
    }
    rp_view path = cli->confirm ? rp_arena_printf(cli->arena, RETENTION "?today=%s", cli->confirm)
                                : rp_arena_printf(cli->arena, RETENTION "?days=%s",
                                                  cli->days ? cli->days : "30");
    enum rp_exit code =
        cli_ask(cli, cli->dry_run ? "GET" : "POST", (const char *)path.p, NULL, &answer);
    if (code != RP_EXIT_OK) {
        return code;
    }
    if (cli->json) {
        cli_print_json(answer);
    } else {
        print_list(cli, rp_json_get(answer, "records"));
    }
    return tell_doubt(cli, answer) ? RP_EXIT_FINDING : RP_EXIT_OK;
}
