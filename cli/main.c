/* main.c — help, and from what was typed to the command that does it. */
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "cli.h"

const char *cli_say(const struct cli *cli, const char *fr, const char *en) {
    return cli->lang == RP_FR ? fr : en;
}

static enum rp_lang reader_language(void) {
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < RP_COUNT_OF(names); i++) {
        const char *value = getenv(names[i]);
        if (value && value[0]) {
            return value[0] == 'f' && value[1] == 'r' ? RP_FR : RP_EN;
        }
    }
    return RP_EN;
}

static void print_help(const struct cli *cli, FILE *to) {
    fprintf(to, "%s\n\n",
            cli_say(cli, "rempart — la page de sécurité, tenue et prouvée",
                    "rempart — the security page, kept and proven"));
    size_t count = 0;
    const struct cli_command *commands = cli_commands(&count);
    for (size_t i = 0; i < count; i++) {
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].about[cli->lang]);
    }
    fprintf(
        to, "\n%s\n",
        cli_say(cli,
                "« rempart COMMANDE --help » montre l’usage et des exemples. Codes de retour : 0 "
                "bien,\n1 constat, 2 usage ou configuration, 3 injoignable.",
                "\"rempart COMMAND --help\" shows usage and examples. Exit codes: 0 well, 1 "
                "finding,\n2 usage or configuration, 3 unreachable."));
}

static void print_command_help(const struct cli *cli, const struct cli_command *command, FILE *to) {
    const char *verb = cli->arg_count > 0 ? cli->args[0] : NULL;
    cli_usage_print(cli, to, "", command, verb);
    fprintf(to, "\n%s\n\n%s\n", command->about[cli->lang], cli_say(cli, "Exemples :", "Examples:"));
    cli_examples_print(to, command, verb);
}

enum rp_exit cli_usage(const struct cli *cli, const char *problem) {
    fprintf(stderr, "rempart: %s\n", problem);
    const struct cli_command *command = cli->command ? cli_command_named(cli->command) : NULL;
    if (command) {
        cli_usage_print(cli, stderr, cli_say(cli, "usage : ", "usage: "), command,
                        cli->arg_count > 0 ? cli->args[0] : NULL);
    } else {
        fprintf(stderr, "%s\n",
                cli_say(cli, "usage : rempart COMMANDE …  (rempart --help)",
                        "usage: rempart COMMAND …  (rempart --help)"));
    }
    return RP_EXIT_USAGE;
}

/* Where what does not answer may run. A log that is fetched to be verified is somebody else's. */
static void say_where(const struct cli *cli) {
    rp_view machine;
    if (cli->command && strcmp(cli->command, "verify") == 0) {
        return;
    }
    if (cli_runs_elsewhere(cli, "core", &machine)) {
        fprintf(stderr,
                cli_say(cli,
                        "Cette machine ne fait tourner que le service de clés ; demandez-le sur la "
                        "machine « %.*s ».\n",
                        "This machine runs the key service alone; ask it of the machine "
                        "\"%.*s\".\n"),
                RP_FMT(machine));
        return;
    }
    fprintf(stderr, "%s\n",
            cli_say(cli,
                    "Rempart tourne-t-il ici ? « rempart up » le démarre ; --state DIR dit où.",
                    "Is Rempart running here? \"rempart up\" starts it; --state DIR says where."));
}

struct rp_diag cli_diag(const struct cli *cli) {
    return (struct rp_diag){.french = cli->lang == RP_FR};
}

const char *cli_colon(const struct cli *cli) {
    return cli_say(cli, " :", ":");
}

enum rp_exit cli_fail(const struct cli *cli, rp_err err, const char *what,
                      const struct rp_diag *diag) {
    fprintf(stderr, "rempart: %s%s %s", what, cli_colon(cli), rp_err_text(err, cli->lang));
    if (diag && diag->line) {
        fprintf(stderr, " (%s %u, %s %u)", cli_say(cli, "ligne", "line"), diag->line,
                cli_say(cli, "colonne", "column"), diag->column);
    }
    if (diag && diag->text[0] && strcmp(diag->text, rp_err_text(err, cli->lang)) != 0) {
        fprintf(stderr, "%s %s", cli_colon(cli), diag->text);
    }
    fputc('\n', stderr);
    if (rp_is(err, RP_E_UNREACHABLE)) {
        say_where(cli);
    }
    return rp_err_retry(err) ? RP_EXIT_UNREACHABLE : RP_EXIT_USAGE;
}

static const char *default_state(void) {
    const char *named = getenv("REMPART_STATE");
    if (named && named[0]) {
        return named;
    }
    return access("var/run", F_OK) == 0 || access("/var/lib/rempart", F_OK) != 0
               ? "var"
               : "/var/lib/rempart";
}

/* An option that the command would not look at is refused, and so are words that it has no use for:
 * nobody may believe that it was heeded. */
static enum rp_exit check_usage(const struct cli *cli, const struct cli_command *command) {
    char problem[160];
    const char *verb = cli->arg_count > 0 ? cli->args[0] : NULL;
    for (size_t i = 0; i < cli->options.count; i++) {
        const char *option = cli->options.p[i];
        if (!cli_usage_takes(command, verb, option)) {
            snprintf(problem, sizeof problem, "%s%s %.60s",
                     cli_say(cli, "cette commande n’a pas cette option",
                             "this command has no such option"),
                     cli_colon(cli), option);
            return cli_usage(cli, problem);
        }
    }
    if (verb && !cli_usage_has_words(command)) {
        snprintf(problem, sizeof problem, "%s%s %.60s",
                 cli_say(cli, "argument en trop", "one argument too many"), cli_colon(cli), verb);
        return cli_usage(cli, problem);
    }
    return RP_EXIT_OK;
}

static enum rp_exit run_command(struct cli *cli, int argc, char **argv) {
    const struct cli_command *command = cli_command_named(cli->command);
    if (!command) {
        char problem[160];
        snprintf(problem, sizeof problem, "%s%s %.60s",
                 cli_say(cli, "commande inconnue", "unknown command"), cli_colon(cli),
                 cli->command);
        return cli_usage(cli, problem);
    }
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_command_help(cli, command, stdout);
            return RP_EXIT_OK;
        }
        if (cli_is_option(argv[i])) {
            const char *option = argv[i];
            if (cli->options.count == RP_VALUES_MAX || !cli_take_option(cli, argc, argv, &i)) {
                char problem[160];
                snprintf(
                    problem, sizeof problem, "%s%s %.60s",
                    cli_say(cli, "option inconnue ou sans valeur", "unknown option, or no value"),
                    cli_colon(cli), option);
                return cli_usage(cli, problem);
            }
            cli->options.p[cli->options.count++] = option;
        } else if (cli->arg_count == RP_ARGS_MAX) {
            return cli_usage(cli, cli_say(cli, "trop d’arguments", "too many arguments"));
        } else {
            cli->args[cli->arg_count++] = argv[i];
        }
    }
    if (!cli->state) {
        cli->state = default_state();
    }
    enum rp_exit code = check_usage(cli, command);
    return code == RP_EXIT_OK ? command->run(cli) : code;
}

int main(int argc, char **argv) {
    static struct cli cli; /* too large for the stack */
    cli.lang = reader_language();
    cli.program = argv[0];
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(&cli, argc < 2 ? stderr : stdout);
        return argc < 2 ? RP_EXIT_USAGE : RP_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("rempart %s\n", REMPART_VERSION);
        return RP_EXIT_OK;
    }
    cli.arena = rp_arena_new((size_t)64 << 20);
    if (!cli.arena) {
        return cli_fail(&cli, RP_ERR(NO_MEMORY), "rempart", NULL);
    }
    cli.command = argv[1];
    enum rp_exit code = run_command(&cli, argc, argv);
    rp_arena_free(cli.arena);
    return (int)code;
}
