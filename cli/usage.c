/* usage.c — what a command's usage says, read by the program itself: which words and options it
 * has, and what of it whoever asks about one word is shown. So the help, the completion and what is
 * refused cannot differ.
 *
 * Words in small letters are the command's own, "--name" and "-n" its options, capitals stand for
 * what is typed. Spaces around "|" part one clause from the next, and so does a new line that
 * begins with "rempart".
 */
#include "base/assert.h"
#include "base/checked.h"
#include "cli.h"

static bool is_break(uint8_t c) {
    return c == ' ' || c == '|' || c == '[' || c == ']' || c == ',' || c == '\n';
}

rp_view cli_usage_word(rp_view *rest) {
    size_t begin = 0;
    while (begin < rest->n && is_break(rest->p[begin])) {
        begin++;
    }
    size_t end = begin;
    while (end < rest->n && !is_break(rest->p[end])) {
        end++;
    }
    rp_view word = rp_view_sub(*rest, begin, end - begin);
    *rest = rp_view_from(*rest, end);
    return word;
}

static bool has_word(rp_view text, rp_view word) {
    for (rp_view one = cli_usage_word(&text); one.n > 0; one = cli_usage_word(&text)) {
        if (rp_view_equal(one, word)) {
            return true;
        }
    }
    return false;
}

/* The bytes up to the next clause, "|" between brackets left alone. */
static rp_view cut_clause(rp_view *rest) {
    static const rp_view between = RP_VIEW_INIT(" | "), line = RP_VIEW_INIT("rempart ");
    unsigned depth = 0;
    size_t n = 0, gap = 0;
    for (; n < rest->n; n++) {
        rp_view here = rp_view_from(*rest, n);
        depth += here.p[0] == '[';
        depth -= here.p[0] == ']' && depth > 0;
        gap = rp_view_starts(here, between) ? between.n : 0;
        if (n > 0 && depth == 0 && (gap > 0 || rp_view_starts(here, line))) {
            break;
        }
    }
    rp_view clause = rp_view_trim(rp_view_sub(*rest, 0, n));
    *rest = rp_view_from(*rest, n < rest->n ? n + gap : n);
    return clause;
}

static bool has_clause(rp_view usage, rp_view word) {
    while (usage.n > 0) {
        if (has_word(cut_clause(&usage), word)) {
            return true;
        }
    }
    return false;
}

/* What stands for something that is typed. What is not here is the same in French. */
static const struct {
    const char *english, *french;
} stand_ins[] = {
    {"COMMAND", "COMMANDE"}, {"DEADLINE", "ÉCHÉANCE"}, {"DIGEST", "EMPREINTE"},
    {"DIR", "DOSSIER"},      {"EMAIL", "ADRESSE"},     {"FIELD", "CHAMP"},
    {"FILE", "FICHIER"},     {"LIST", "LISTE"},        {"METHOD", "MÉTHODE"},
    {"MOVE", "PASSAGE"},     {"NAME", "NOM"},          {"NETWORK", "RÉSEAU"},
    {"PERSON", "PERSONNE"},  {"PREFIX", "PRÉFIXE"},    {"REASON", "MOTIF"},
    {"RECORD", "FICHE"},     {"REGISTER", "REGISTRE"}, {"ROLE", "RÔLE"},
    {"TENANT", "CLIENT"},    {"TEXT", "TEXTE"},        {"TODAY", "CE-JOUR"},
    {"TREE", "ARBRE"},       {"VALUE", "VALEUR"},      {"VKEY", "CLÉ"},
    {"WORD", "MOT"},         {"SECONDS", "SECONDES"},
};

static rp_view stand_in(enum rp_lang lang, rp_view word) {
    for (size_t i = 0; lang == RP_FR && i < RP_COUNT_OF(stand_ins); i++) {
        if (rp_view_equal(word, rp_view_from_cstr(stand_ins[i].english))) {
            return rp_view_from_cstr(stand_ins[i].french);
        }
    }
    return word;
}

static bool is_capital(uint8_t c) {
    return c >= 'A' && c <= 'Z';
}

static void print_clause(FILE *to, enum rp_lang lang, rp_view clause) {
    for (size_t at = 0; at < clause.n;) {
        bool capitals = is_capital(clause.p[at]);
        size_t end = at;
        while (end < clause.n && is_capital(clause.p[end]) == capitals) {
            end++;
        }
        rp_view piece = stand_in(lang, rp_view_sub(clause, at, end - at));
        fprintf(to, "%.*s", RP_FMT(piece));
        at = end;
    }
    fputc('\n', to);
}

void cli_usage_print(const struct cli *cli, FILE *to, const char *before,
                     const struct cli_command *command, const char *verb) {
    rp_view rest = rp_view_from_cstr(command->usage);
    rp_view word = verb ? rp_view_from_cstr(verb) : (rp_view){NULL, 0};
    bool one = word.n > 0 && has_clause(rest, word);
    int indent = 0;
    while (rest.n > 0) {
        rp_view clause = cut_clause(&rest);
        if (one && !has_word(clause, word)) {
            continue;
        }
        bool whole = rp_view_starts(clause, RP_VIEW("rempart "));
        fprintf(to, "%*s%s%s%s%s", indent, "", indent == 0 ? before : "", whole ? "" : "rempart ",
                whole ? "" : command->name, whole ? "" : " ");
        print_clause(to, cli->lang, clause);
        indent = (int)rp_view_characters(rp_view_from_cstr(before));
    }
}

void cli_examples_print(FILE *to, const struct cli_command *command, const char *verb) {
    rp_view word = verb ? rp_view_from_cstr(verb) : (rp_view){NULL, 0};
    bool one = word.n > 0 && has_word(rp_view_from_cstr(command->examples), word);
    for (rp_view rest = rp_view_from_cstr(command->examples); rest.n > 0;) {
        rp_view line = rp_view_cut(&rest, '\n');
        if (!one || has_word(line, word)) {
            fprintf(to, "%.*s\n", RP_FMT(line));
        }
    }
}

/* What the help writes short, and whoever types it may write out. */
static rp_view short_name(rp_view option) {
    return rp_view_equal(option, RP_VIEW("--output"))  ? RP_VIEW("-o")
           : rp_view_equal(option, RP_VIEW("--lines")) ? RP_VIEW("-n")
                                                       : option;
}

/* Where the installation lies is told to every command. */
static bool is_everywhere(rp_view option) {
    return rp_view_equal(option, RP_VIEW("--state")) || rp_view_equal(option, RP_VIEW("--config"));
}

bool cli_usage_takes(const struct cli_command *command, const char *verb, const char *argument) {
    rp_view text = rp_view_from_cstr(argument);
    rp_view option = short_name(rp_view_cut(&text, '='));
    rp_view rest = rp_view_from_cstr(command->usage);
    if (!rp_view_equal(option, RP_VIEW("--dry-run"))) {
        return is_everywhere(option) || has_word(rest, option);
    }
    /* Whoever tries something out must not find it done: the clause itself has to name it. */
    while (rest.n > 0) {
        rp_view clause = cut_clause(&rest);
        if (has_word(clause, option) && verb && has_word(clause, rp_view_from_cstr(verb))) {
            return true;
        }
    }
    return false;
}

bool cli_usage_has_words(const struct cli_command *command) {
    rp_view rest = rp_view_from(rp_view_from_cstr(command->usage),
                                strlen("rempart ") + strlen(command->name) + 1);
    return rest.n > 0 && !rp_view_starts(rest, RP_VIEW("[--"));
}

bool cli_usage_is_word(rp_view word) {
    for (size_t i = 0; i < word.n; i++) {
        uint8_t c = word.p[i];
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-') {
            return false;
        }
    }
    return word.n > 0;
}

/* A clause begins with "rempart COMMAND", or right after it. */
static bool begins_with_verb(rp_view clause, const struct cli_command *command) {
    rp_view first = cli_usage_word(&clause);
    if (rp_view_equal(first, RP_VIEW("rempart"))) {
        RP_ASSERT(rp_view_equal(cli_usage_word(&clause), rp_view_from_cstr(command->name)));
        first = cli_usage_word(&clause);
    }
    return cli_usage_is_word(first) && first.p[0] != '-';
}

bool cli_usage_has_verbs(const struct cli_command *command) {
    rp_view rest = rp_view_from_cstr(command->usage);
    while (rest.n > 0) {
        if (!begins_with_verb(cut_clause(&rest), command)) {
            return false;
        }
    }
    return true;
}

bool cli_usage_has_verb(const struct cli_command *command, const char *word) {
    rp_view verb = rp_view_from_cstr(word);
    return cli_usage_is_word(verb) && has_word(rp_view_from_cstr(command->usage), verb);
}
