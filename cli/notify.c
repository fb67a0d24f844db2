/* notify.c — what Rempart wrote to people, and what became of it. */
#include "base/assert.h"
#include "base/checked.h"
#include "base/id.h"
#include "cli.h"
#include "webhooks.h"

static enum rp_exit ask(struct cli *cli, const char *method, const char *path,
                        struct rp_json **ret_answer) {
    struct rp_diag diag = cli_diag(cli);
    rp_err err = cli_enter_state(cli);
    if (rp_ok(err)) {
        err = cli_ask_core(cli, method, path, RP_VIEW(""), ret_answer, &diag);
    }
    return rp_ok(err) ? RP_EXIT_OK : cli_fail(cli, err, cli->command, &diag);
}

static void print_list(const struct cli *cli, const struct rp_json *answer) {
    const struct rp_json *mail_server = rp_json_get(answer, "mail_server");
    const struct rp_json *list = rp_json_get(answer, "notices");
    for (const struct rp_json *n = list ? list->first : NULL; n; n = n->next) {
        rp_view problem = rp_json_get_string(n, "problem");
        printf("%.*s  %-10.*s %.*s  %-7.*s  %.*s%s%.*s\n", RP_FMT(rp_json_get_string(n, "id")),
               RP_FMT(rp_json_get_string(n, "state")), RP_FMT(rp_json_get_string(n, "created")),
               RP_FMT(rp_json_get_string(n, "channel")), RP_FMT(rp_json_get_string(n, "kind")),
               problem.n ? ": " : "", RP_FMT(problem));
    }
    if (mail_server && !mail_server->boolean) {
        printf("%s\n",
               cli_say(cli, "Aucun serveur de courrier (smtp.url) : les messages attendent.",
                       "No mail server (smtp.url): mails wait."));
    }
}

enum rp_exit cli_notify(struct cli *cli) {
    struct rp_json *answer = NULL;
    if (cli->arg_count == 1 && strcmp(cli->args[0], "list") == 0) {
        enum rp_exit code = ask(cli, "GET", "/.rempart/api/v1/admin/notices", &answer);
        if (code == RP_EXIT_OK && cli->json) {
            cli_print_json(answer);
        } else if (code == RP_EXIT_OK) {
            print_list(cli, answer);
        }
        return code;
    }
    if (cli->arg_count == 1 && strcmp(cli->args[0], "webhooks") == 0) {
        return cli_webhooks_list(cli);
    }
    if (cli->arg_count == 2 && strcmp(cli->args[0], "test") == 0) {
        return cli_webhooks_test(cli, cli->args[1]);
    }
    if (cli->arg_count == 2 && strcmp(cli->args[0], "resume") == 0) {
        return cli_webhooks_resume(cli, cli->args[1]);
    }
    rp_id id;
    if (cli->arg_count == 2 && strcmp(cli->args[0], "retry") == 0 &&
        rp_id_parse(rp_view_from_cstr(cli->args[1]), &id)) {
        rp_view path = rp_arena_printf(cli->arena, "/.rempart/api/v1/admin/notices/%s/retry",
                                       rp_id_print(id).s);
        return path.p ? ask(cli, "POST", (const char *)path.p, &answer)
                      : cli_fail(cli, RP_ERR(NO_MEMORY), cli->command, NULL);
    }
    return cli_usage_words(cli);
}
