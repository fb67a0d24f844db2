/* app.c — applications' tokens: made, listed, taken back. */
#include "base/assert.h"
#include "base/checked.h"
#include "base/id.h"
#include "cli.h"

#define TOKENS "/.rempart/api/v1/admin/app-tokens"

static rp_err ask(struct cli *cli, const char *method, const char *path, const struct rp_json *body,
                  struct rp_json **ret_answer, struct rp_diag *diag) {
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(65536);
    RP_TRY(cli_enter_state(cli));
    RP_TRY(body ? rp_json_print(body, &text) : RP_OK);
    return cli_ask_core(cli, method, path, rp_buf_view(&text), ret_answer, diag);
}

static rp_err token_new(struct cli *cli, const char *app, struct rp_diag *diag) {
    struct rp_json *answer = NULL, *body = rp_json_object(cli->arena);
    rp_json_add_cstr(cli->arena, body, "app", app);
    if (cli->scopes) {
        rp_json_add_cstr(cli->arena, body, "scopes", cli->scopes);
    }
    if (cli->days) {
        uint64_t days = 0;
        if (!rp_view_to_u64(rp_view_from_cstr(cli->days), 100000, &days)) {
            return rp_fail(diag, RP_ERR(INVALID), "--days %s: not a number", cli->days);
        }
        rp_json_add_u64(cli->arena, body, "days", days);
    }
    RP_TRY(ask(cli, "POST", TOKENS, body, &answer, diag));
    if (cli->json) {
        cli_print_json(answer);
    } else {
        /* The token alone on the output, for a file; what it is, for the reader. */
        printf("%.*s\n", RP_FMT(rp_json_get_string(answer, "token")));
        fprintf(stderr, "%.*s  %.*s  %.*s\n", RP_FMT(rp_json_get_string(answer, "id")),
                RP_FMT(rp_json_get_string(answer, "app")),
                RP_FMT(rp_json_get_string(answer, "scopes")));
    }
    return RP_OK;
}

static rp_err token_list(struct cli *cli, struct rp_diag *diag) {
    struct rp_json *answer = NULL;
    RP_TRY(ask(cli, "GET", TOKENS, NULL, &answer, diag));
    if (cli->json) {
        cli_print_json(answer);
        return RP_OK;
    }
    const struct rp_json *list = rp_json_get(answer, "tokens");
    for (const struct rp_json *t = list ? list->first : NULL; t; t = t->next) {
        rp_view until = rp_json_get_string(t, "until"), ended = rp_json_get_string(t, "ended_at");
        printf("%.*s  %.*s  %.*s  %s%.*s\n", RP_FMT(rp_json_get_string(t, "id")),
               RP_FMT(rp_json_get_string(t, "app")), RP_FMT(rp_json_get_string(t, "scopes")),
               ended.p   ? cli_say(cli, "retiré ", "taken back ")
               : until.p ? cli_say(cli, "jusqu’au ", "until ")
                         : cli_say(cli, "sans terme", "without end"),
               RP_FMT(ended.p ? ended : until));
    }
    return RP_OK;
}

static rp_err token_revoke(struct cli *cli, const char *id, struct rp_diag *diag) {
    struct rp_json *answer = NULL;
    rp_id known;
    if (!rp_id_parse(rp_view_from_cstr(id), &known)) {
        return rp_fail(diag, RP_ERR(INVALID), "%.60s: not a token's id", id);
    }
    rp_view path = rp_arena_printf(cli->arena, TOKENS "/%s", id);
    if (!path.p) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(ask(cli, "DELETE", (const char *)path.p, NULL, &answer, diag));
    printf("%s\n", cli_say(cli, "retiré", "taken back"));
    return RP_OK;
}

enum rp_exit cli_app(struct cli *cli) {
    struct rp_diag diag = cli_diag(cli);
    rp_err err = RP_ERR(NOT_FOUND);
    bool token = cli->arg_count >= 2 && strcmp(cli->args[0], "token") == 0;
    const char *what = token ? cli->args[1] : "";
    if (cli->arg_count == 3 && strcmp(what, "new") == 0) {
        err = token_new(cli, cli->args[2], &diag);
    } else if (cli->arg_count == 2 && strcmp(what, "list") == 0) {
        err = token_list(cli, &diag);
    } else if (cli->arg_count == 3 && strcmp(what, "revoke") == 0) {
        err = token_revoke(cli, cli->args[2], &diag);
    } else {
        return cli_usage_words(cli);
    }
    return rp_ok(err) ? RP_EXIT_OK : cli_fail(cli, err, cli->command, &diag);
}
