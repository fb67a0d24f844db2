/* main.c — from what was typed to the command that does it. */
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/reader.h"
#include "cli.h"

const char *cli_say(const struct cli *cli, const char *fr, const char *en) {
    return cli->lang == RP_FR ? fr : en;
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
                    "Rempart tourne-t-il ici ? « rempart up » le démarre ; --state DOSSIER dit où.",
                    "Is Rempart running here? \"rempart up\" starts it; --state DIR says where."));
}

struct rp_diag cli_diag(const struct cli *cli) {
    return (struct rp_diag){.french = cli->lang == RP_FR};
}

const char *cli_colon(const struct cli *cli) {
    return cli_say(cli, " :", ":");
}

const char *cli_plural(const struct cli *cli, uint64_t n, const char *one, const char *several) {
    return n == 1 || (n == 0 && cli->lang == RP_FR) ? one : several;
}

struct cli_decimal cli_tenths(const struct cli *cli, double number) {
    struct cli_decimal text;
    RP_ASSERT(number >= 0);
    unsigned long long tenths = (unsigned long long)(number * 10 + 0.5);
    (void)snprintf(text.s, sizeof text.s, "%llu%c%llu", tenths / 10, cli->lang == RP_FR ? ',' : '.',
                   tenths % 10);
    return text;
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
    } else if (rp_is(err, RP_E_DENIED) && geteuid() != 0) {
        fprintf(stderr, "%s\n",
                cli_say(cli, "Rempart appartient à qui l’a démarré : essayez avec sudo.",
                        "Rempart belongs to whoever started it: try with sudo."));
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

/* As it is from here, for commands that enter it more than once. One that is not there stays as it
 * was typed: what is told of it is told so. */
static const char *absolute(struct cli *cli, const char *path) {
    char *found = path[0] == '/' ? NULL : realpath(path, NULL);
    const char *copy = found ? rp_arena_cstr(cli->arena, rp_view_from_cstr(found)) : NULL;
    free(found);
    return copy ? copy : path;
}

/* An option that the command would not look at is refused, and so are words that it has no use for:
 * nobody may believe that it was heeded. */
static enum rp_exit check_usage(const struct cli *cli, const struct cli_command *command) {
    const char *verb = cli->arg_count > 0 ? cli->args[0] : NULL;
    if (cli_usage_has_verbs(command) && !verb) {
        return cli_usage(cli, cli_say(cli, "il manque un mot", "a word is missing"));
    }
    if (cli_usage_has_verbs(command) && !cli_usage_has_verb(command, verb)) {
        return cli_unknown_word(cli, command, verb);
    }
    for (size_t i = 0; i < cli->options.count; i++) {
        if (!cli_usage_takes(command, verb, cli->options.p[i])) {
            return cli_unknown_option(cli, command, cli->options.p[i]);
        }
    }
    if (verb && !cli_usage_has_words(command)) {
        char problem[160];
        snprintf(problem, sizeof problem, "%s%s %.60s",
                 cli_say(cli, "argument en trop", "one argument too many"), cli_colon(cli), verb);
        return cli_usage(cli, problem);
    }
    return RP_EXIT_OK;
}

/* One that the command has, but without its value; or one that it has not. */
static enum rp_exit refuse_option(const struct cli *cli, const struct cli_command *command,
                                  const char *option) {
    char problem[160];
    const char *verb = cli->arg_count > 0 ? cli->args[0] : NULL;
    if (!cli_usage_takes(command, verb, option)) {
        return cli_unknown_option(cli, command, option);
    }
    snprintf(problem, sizeof problem, "%s%s %.60s",
             cli_say(cli, "il manque la valeur de cette option", "this option takes a value"),
             cli_colon(cli), option);
    return cli_usage(cli, problem);
}

static bool asks_for_help(const char *word) {
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static enum rp_exit run_command(struct cli *cli, int argc, char **argv) {
    const struct cli_command *command = cli_command_named(cli->command);
    if (!command) {
        return cli_unknown_command(cli);
    }
    for (int i = 2; i < argc; i++) {
        if (asks_for_help(argv[i])) {
            cli_help_command(cli, command, stdout);
            return RP_EXIT_OK;
        }
        if (cli_is_option(argv[i])) {
            const char *option = argv[i];
            if (cli->options.count == RP_VALUES_MAX || !cli_take_option(cli, argc, argv, &i)) {
                return refuse_option(cli, command, option);
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
    cli->state = absolute(cli, cli->state);
    enum rp_exit code = check_usage(cli, command);
    return code == RP_EXIT_OK ? command->run(cli) : code;
}

/* "help", "help COMMAND", as "--help" and "COMMAND --help". */
static enum rp_exit help(struct cli *cli, const char *name, const char *verb) {
    if (!name) {
        cli_help(cli, stdout);
        return RP_EXIT_OK;
    }
    cli->command = name;
    const struct cli_command *command = cli_command_named(name);
    if (!command) {
        return cli_unknown_command(cli);
    }
    if (verb) {
        cli->args[cli->arg_count++] = verb;
    }
    cli_help_command(cli, command, stdout);
    return RP_EXIT_OK;
}

int main(int argc, char **argv) {
    static struct cli cli; /* too large for the stack */
    cli.lang = rp_reader_language();
    cli.program = argv[0];
    if (argc < 2) {
        cli_help(&cli, stderr);
        return RP_EXIT_USAGE;
    }
    if (asks_for_help(argv[1]) || strcmp(argv[1], "help") == 0) {
        return (int)help(&cli, argc > 2 ? argv[2] : NULL, argc > 3 ? argv[3] : NULL);
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
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
