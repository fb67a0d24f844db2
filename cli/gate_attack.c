/* gate_attack.c — under attack: strangers show that their machine has worked a little. */
#include "cli.h"
#include "gate.h"

#define ATTACK "/.rempart/api/v1/admin/gate/attack"

static void print_all(const struct cli *cli, const struct rp_json *answer) {
    const struct rp_json *list = rp_json_get(answer, "attack");
    if (cli->json) {
        cli_print_json(answer);
        return;
    }
    for (const struct rp_json *one = list ? list->first : NULL; one; one = one->next) {
        rp_view app = rp_json_get_string(one, "app"), until = rp_json_get_string(one, "until");
        rp_view by = rp_json_get_string(one, "by");
        printf("%.*s  %s %.*s (%.*s)\n",
               RP_FMT(app.n ? app
                            : rp_view_from_cstr(
                                  cli_say(cli, "toutes les applications", "all applications"))),
               cli_say(cli, "jusqu’à", "until"),
               RP_FMT(until.n ? until
                              : rp_view_from_cstr(cli_say(cli, "l’arrêt", "it is switched off"))),
               RP_FMT(by));
    }
    if (!list || !list->first) {
        printf("%s\n", cli_say(cli, "Le mode n’est actif pour aucune application.",
                               "The mode is on for no application."));
    }
}

enum rp_exit cli_gate_attack(struct cli *cli) {
    bool asks = cli->arg_count == 1;
    bool on = cli->arg_count == 2 && strcmp(cli->args[1], "on") == 0;
    bool off = cli->arg_count == 2 && strcmp(cli->args[1], "off") == 0;
    uint64_t until_ms = 0;
    if (!asks && !on && !off) {
        return cli_usage(cli, "gate attack [on|off]");
    }
    if (!cli_gate_end(cli, &until_ms)) {
        return CLI_GATE_END_USAGE(cli);
    }
    struct rp_json *body = rp_json_object(cli->arena), *answer = NULL;
    rp_json_add_bool(cli->arena, body, "on", on);
    rp_json_add_string(cli->arena, body, "by", cli_gate_who());
    if (cli->app) {
        rp_json_add_cstr(cli->arena, body, "app", cli->app);
    }
    if (until_ms > 0) {
        rp_json_add_u64(cli->arena, body, "until_ms", until_ms);
    }
    enum rp_exit code = cli_ask(cli, asks ? "GET" : "POST", ATTACK, asks ? NULL : body, &answer);
    if (code == RP_EXIT_OK) {
        print_all(cli, answer);
    }
    return code;
}
