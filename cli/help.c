/* help.c — what the program says of itself, set as wide as the terminal; and of a word that it does
 * not know, which one was meant. */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/checked.h"
#include "cli.h"
#include "config/check.h"

enum { NAME_COLUMNS = 13, WIDTH_MIN = 40, WIDTH_USUAL = 80, WIDTH_MAX = 100, EDITS_MAX = 2 };

/* ---- as wide as the terminal ---- */

/* A line that is too long for reading is no help either; a pipe gets the usual width. */
static size_t width_of(FILE *to) {
    struct winsize size = {0};
    size_t columns = WIDTH_USUAL;
    if (ioctl(fileno(to), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        columns = size.ws_col;
    }
    return columns < WIDTH_MIN ? WIDTH_MIN : columns > WIDTH_MAX ? WIDTH_MAX : columns;
}

/* Breaks at ordinary spaces, so that what U+00A0 holds together stays together. */
static void print_wrapped(FILE *to, const char *text, size_t indent, size_t width) {
    size_t column = indent;
    rp_view rest = rp_view_from_cstr(text);
    while (rest.n > 0) {
        rp_view word = rp_view_cut(&rest, ' ');
        size_t n = rp_view_characters(word);
        if (column > indent && column + 1 + n > width) {
            fprintf(to, "\n%*s", (int)indent, "");
            column = indent;
        }
        fprintf(to, "%s%.*s", column > indent ? " " : "", RP_FMT(word));
        column += n + (column > indent);
    }
    fputc('\n', to);
}

void cli_help(const struct cli *cli, FILE *to) {
    size_t width = width_of(to), count = 0;
    const struct cli_command *commands = cli_commands(&count);
    fprintf(to, "%s\n\n",
            cli_say(cli, "rempart — la page de sécurité, tenue et prouvée",
                    "rempart — the security page, kept and proven"));
    for (size_t i = 0; i < count; i++) {
        fprintf(to, "  %-10s ", commands[i].name);
        print_wrapped(to, commands[i].about[cli->lang], NAME_COLUMNS, width);
    }
    fputc('\n', to);
    print_wrapped(to,
                  cli_say(cli,
                          "« rempart COMMANDE --help » montre l’usage et des exemples. Chaque "
                          "commande prend --state DOSSIER, sinon $REMPART_STATE, ./var ou "
                          "/var/lib/rempart. Codes de retour : 0 bien, 1 constat, 2 usage ou "
                          "configuration, 3 injoignable. Tout le reste : man rempart.",
                          "\"rempart COMMAND --help\" shows usage and examples. Each command takes "
                          "--state DIR, or else $REMPART_STATE, ./var or /var/lib/rempart. Exit "
                          "codes: 0 well, 1 finding, 2 usage or configuration, 3 unreachable. "
                          "All the rest: man rempart."),
                  0, width);
}

void cli_help_command(const struct cli *cli, const struct cli_command *command, FILE *to) {
    const char *verb = cli->arg_count > 0 ? cli->args[0] : NULL;
    cli_usage_print(cli, to, "", command, verb);
    fputc('\n', to);
    print_wrapped(to, command->about[cli->lang], 0, width_of(to));
    fprintf(to, "\n%s\n", cli_say(cli, "Exemples :", "Examples:"));
    cli_examples_print(to, command, verb);
}

/* ---- which one was meant ---- */

struct nearest {
    rp_view typed, word;
    unsigned edits;
};

/* What was begun and not ended is near; of a word of three letters, two others are another word. */
static void look_at(struct nearest *nearest, rp_view word) {
    bool begun = nearest->typed.n >= 3 && rp_view_starts(word, nearest->typed);
    unsigned edits = begun && word.n > nearest->typed.n ? 1 : rp_config_edits(nearest->typed, word);
    if (edits > 0 && edits < nearest->edits && edits <= nearest->typed.n / 2) {
        nearest->edits = edits;
        nearest->word = word;
    }
}

static enum rp_exit unknown(const struct cli *cli, const char *what,
                            const struct nearest *nearest) {
    char problem[256];
    int n = snprintf(problem, sizeof problem, "%s%s %.*s", what, cli_colon(cli),
                     (int)RP_MIN(nearest->typed.n, 60), (const char *)nearest->typed.p);
    if (nearest->word.n > 0 && n > 0 && (size_t)n < sizeof problem) {
        snprintf(problem + n, sizeof problem - (size_t)n,
                 cli_say(cli, " ; vouliez-vous dire « %.*s » ?", "; did you mean \"%.*s\"?"),
                 (int)RP_MIN(nearest->word.n, 60), (const char *)nearest->word.p);
    }
    return cli_usage(cli, problem);
}

static struct nearest nearest_to(const char *typed) {
    return (struct nearest){.typed = rp_view_from_cstr(typed), .edits = EDITS_MAX + 1};
}

enum rp_exit cli_unknown_command(const struct cli *cli) {
    struct nearest nearest = nearest_to(cli->command);
    size_t count = 0;
    const struct cli_command *commands = cli_commands(&count);
    for (size_t i = 0; i < count; i++) {
        look_at(&nearest, rp_view_from_cstr(commands[i].name));
    }
    look_at(&nearest, RP_VIEW("--help"));
    look_at(&nearest, RP_VIEW("--version"));
    return unknown(cli, cli_say(cli, "commande inconnue", "unknown command"), &nearest);
}

/* Of the usage, what is of its kind: options begin with "-", words with a small letter. */
static void look_at_usage(struct nearest *nearest, const struct cli_command *command) {
    rp_view rest = rp_view_from_cstr(command->usage);
    bool option = rp_view_starts(nearest->typed, RP_VIEW("-"));
    for (rp_view word = cli_usage_word(&rest); word.n > 0; word = cli_usage_word(&rest)) {
        bool ours = !rp_view_equal(word, RP_VIEW("rempart")) &&
                    !rp_view_equal(word, rp_view_from_cstr(command->name));
        if (option ? rp_view_starts(word, RP_VIEW("--")) : ours && cli_usage_is_word(word)) {
            look_at(nearest, word);
        }
    }
}

enum rp_exit cli_unknown_option(const struct cli *cli, const struct cli_command *command,
                                const char *option) {
    struct nearest nearest = nearest_to(option);
    rp_view value = nearest.typed;
    nearest.typed = rp_view_cut(&value, '=');
    look_at_usage(&nearest, command);
    look_at(&nearest, RP_VIEW("--help"));
    look_at(&nearest, RP_VIEW("--state"));
    nearest.typed = rp_view_from_cstr(option); /* as it was typed */
    return unknown(
        cli, cli_say(cli, "cette commande n’a pas cette option", "this command has no such option"),
        &nearest);
}

enum rp_exit cli_unknown_word(const struct cli *cli, const struct cli_command *command,
                              const char *word) {
    struct nearest nearest = nearest_to(word);
    look_at_usage(&nearest, command);
    return unknown(cli, cli_say(cli, "mot inconnu", "unknown word"), &nearest);
}

enum rp_exit cli_usage_words(const struct cli *cli) {
    return cli_usage(cli, cli_say(cli, "il manque un mot ou une option, ou l’un d’eux est de trop",
                                  "a word or an option is missing, or one of them too many"));
}
