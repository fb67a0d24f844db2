/* completion.c — `rempart completion bash|zsh`: made from the command table, so that it knows what
 * the help knows.
 *
 * Of a command's usage the words in small letters are its words, and what begins with "--" its
 * options; whatever else may stand there is completed as a file.
 */
#include "base/checked.h"
#include "cli.h"

enum { WORDS_MAX = 4096 };

static bool holds(rp_view words, rp_view word) {
    while (words.p) {
        if (rp_view_equal(rp_view_cut(&words, ' '), word)) {
            return true;
        }
    }
    return false;
}

/* "status rotate unseal --json": each once, in the order of the usage. */
static void gather(const struct cli_command *command, struct rp_buf *out) {
    rp_view rest = rp_view_from_cstr(command->usage);
    rp_view name = rp_view_from_cstr(command->name);
    for (rp_view word = cli_usage_word(&rest); word.n > 0; word = cli_usage_word(&rest)) {
        /* "rempart" and the command begin each line of the usage. */
        bool own = !rp_view_equal(word, RP_VIEW("rempart")) && !rp_view_equal(word, name);
        if (own && cli_usage_is_word(word) && !holds(rp_buf_view(out), word)) {
            rp_buf_printf(out, "%s%.*s", out->n ? " " : "", RP_FMT(word));
        }
    }
}

static void print_bash(const struct cli_command *commands, size_t count) {
    printf("# rempart(1) in bash: source <(rempart completion bash)\n"
           "_rempart() {\n"
           "  local word=${COMP_WORDS[COMP_CWORD]} words=\n"
           "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
           "    words='--help --version");
    for (size_t i = 0; i < count; i++) {
        printf(" %s", commands[i].name);
    }
    printf("'\n  else\n    case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; i < count; i++) {
        struct rp_buf words = rp_buf_new(WORDS_MAX);
        gather(&commands[i], &words);
        printf("      %s) words='%.*s --help --state' ;;\n", commands[i].name,
               RP_FMT(rp_buf_view(&words)));
        rp_buf_done(&words);
    }
    printf("    esac\n  fi\n"
           "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
           "  [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
           "}\n"
           "complete -o filenames -F _rempart rempart\n");
}

/* In single quotes, a quote is '\''. */
static void print_quoted(const char *text) {
    for (; *text; text++) {
        if (*text == '\'') {
            printf("'\\''");
        } else {
            putchar(*text == ':' ? ';' : *text); /* a colon ends a name for _describe */
        }
    }
}

static void print_zsh(const struct cli *cli, const struct cli_command *commands, size_t count) {
    printf("#compdef rempart\n"
           "# rempart(1) in zsh: rempart completion zsh > \"${fpath[1]}/_rempart\"\n"
           "_rempart() {\n"
           "  local -a commands known\n"
           "  commands=(\n");
    for (size_t i = 0; i < count; i++) {
        printf("    '%s:", commands[i].name);
        print_quoted(commands[i].about[cli->lang]);
        printf("'\n");
    }
    printf("  )\n"
           "  if (( CURRENT == 2 )); then\n"
           "    _describe -t commands command commands\n"
           "    return\n"
           "  fi\n"
           "  case $words[2] in\n");
    for (size_t i = 0; i < count; i++) {
        struct rp_buf known = rp_buf_new(WORDS_MAX);
        gather(&commands[i], &known);
        printf("    %s) known=(%.*s --help --state) ;;\n", commands[i].name,
               RP_FMT(rp_buf_view(&known)));
        rp_buf_done(&known);
    }
    printf("  esac\n"
           "  compadd -- $known\n"
           "  _files\n"
           "}\n"
           "compdef _rempart rempart\n");
}

enum rp_exit cli_completion(struct cli *cli) {
    size_t count = 0;
    const struct cli_command *commands = cli_commands(&count);
    if (cli->arg_count == 1 && strcmp(cli->args[0], "bash") == 0) {
        print_bash(commands, count);
        return RP_EXIT_OK;
    }
    if (cli->arg_count == 1 && strcmp(cli->args[0], "zsh") == 0) {
        print_zsh(cli, commands, count);
        return RP_EXIT_OK;
    }
    return cli_usage_words(cli);
}
