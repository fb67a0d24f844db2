/* reload.c — `rempart reload`: SIGHUP to the supervisor, and what came of it. */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "cli.h"
#include "config/config.h"
#include "os/file.h"

enum { STATUS_MAX = 1 << 20, CONFIG_MAX = 1 << 20, WITHIN_MS = 40000, PAUSE_MS = 100 };

static struct rp_json *read_status(struct cli *cli) {
    rp_view text = {NULL, 0};
    struct rp_json *status = NULL;
    bool good = rp_ok(rp_file_read("run/status.json", STATUS_MAX, cli->arena, &text)) &&
                rp_ok(rp_json_parse(text, RP_JSON_LIMITS, cli->arena, &status, NULL));
    return good ? status : NULL;
}

/* The status once the reload that we asked for has come to its end; NULL when it does not. */
static struct rp_json *wait_for_end(struct cli *cli, uint64_t before) {
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    for (int waited = 0; waited < WITHIN_MS; waited += PAUSE_MS) {
        uint64_t number = 0;
        struct rp_json *status = read_status(cli);
        const struct rp_json *reload = status ? rp_json_get(status, "reload") : NULL;
        if (reload && rp_json_get_u64(status, "reloads", &number) && number > before &&
            !rp_view_equal(rp_json_get_string(reload, "result"), RP_VIEW("under_way"))) {
            return status;
        }
        (void)nanosleep(&pause, NULL); /* a signal only makes the next look come sooner */
    }
    return NULL;
}

/* The supervisor speaks English. What the file itself gets wrong is said in the reader's language,
 * as long as it is still the same place of the same file. */
static void say_in_language(struct cli *cli, const char *file, struct rp_diag *diag) {
    rp_view text = {NULL, 0};
    struct rp_config config;
    struct rp_diag again = {0};
    bool refused = rp_ok(rp_file_read(file, CONFIG_MAX, cli->arena, &text)) &&
                   !rp_ok(rp_config_parse_for(cli->lang, text, cli->arena, &config, &again));
    if (refused && again.line == diag->line && again.column == diag->column) {
        *diag = again;
    }
}

static enum rp_exit say_refused(struct cli *cli, const char *file, const struct rp_json *reload) {
    struct rp_diag diag = cli_diag(cli);
    uint64_t line = 0, column = 0;
    (void)rp_json_get_u64(reload, "line", &line);
    (void)rp_json_get_u64(reload, "column", &column);
    diag.line = (unsigned)line;
    diag.column = (unsigned)column;
    const char *detail = rp_arena_cstr(cli->arena, rp_json_get_string(reload, "detail"));
    detail = detail && cli->lang == RP_FR ? rp_french(detail) : detail;
    rp_ignore(rp_fail_at(&diag, RP_ERR(INVALID), diag.line, diag.column, "%s",
                         detail ? detail : rp_err_text(RP_ERR(NO_MEMORY), cli->lang)));
    say_in_language(cli, file, &diag);
    cli_fail(cli, RP_ERR(INVALID), file, &diag);
    fprintf(stderr, "rempart: %s\n",
            cli_say(cli, "la configuration en cours reste la même ; rien n’a changé",
                    "the running configuration stays; nothing has changed"));
    return RP_EXIT_USAGE;
}

static void say_done(const struct cli *cli, const char *file, const struct rp_json *reload) {
    const struct rp_json *kept = rp_json_get(reload, "needs_restart");
    printf("%s%s %s\n", file, cli_colon(cli),
           cli_say(cli, "relue et appliquée", "read again and applied"));
    for (const struct rp_json *one = kept ? kept->first : NULL; one; one = one->next) {
        printf(
            "%.*s%s %s\n", RP_FMT(one->string), cli_colon(cli),
            cli_say(cli, "ne change qu’au prochain démarrage", "changes at the next start only"));
    }
}

enum rp_exit cli_reload(struct cli *cli) {
    uint64_t pid = 0, before = 0;
    rp_err err = cli_enter_state(cli);
    struct rp_json *status = rp_ok(err) ? read_status(cli) : NULL;
    if (!status || !rp_json_get_u64(status, "pid", &pid) || pid < 2) {
        return cli_fail(cli, RP_ERR(UNREACHABLE), cli->state, NULL);
    }
    (void)rp_json_get_u64(status, "reloads", &before);
    if (kill((pid_t)pid, SIGHUP) != 0) {
        return cli_fail(cli, errno == ESRCH ? RP_ERR(UNREACHABLE) : RP_ERR(DENIED), "rempartd",
                        NULL);
    }
    status = wait_for_end(cli, before);
    if (!status) {
        return cli_fail(cli, RP_ERR(TIMEOUT), "rempartd", NULL);
    }
    const struct rp_json *reload = rp_json_get(status, "reload");
    const char *file = rp_arena_cstr(cli->arena, rp_json_get_string(status, "config"));
    bool refused = rp_view_equal(rp_json_get_string(reload, "result"), RP_VIEW("refused"));
    if (cli->json) {
        cli_print_json(reload);
        return refused ? RP_EXIT_USAGE : RP_EXIT_OK;
    }
    if (refused) {
        return say_refused(cli, file ? file : "rempart.yaml", reload);
    }
    say_done(cli, file ? file : "rempart.yaml", reload);
    return RP_EXIT_OK;
}
