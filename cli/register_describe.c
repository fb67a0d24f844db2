/* register_describe.c — rempart register describe REGISTER: its fields, states, moves and
 * deadlines, for whoever writes in it and has not read its file.
 */
#include "cli.h"
#include "register.h"

static bool is_true(const struct rp_json *json, const char *key) {
    const struct rp_json *value = rp_json_get(json, key);
    return value && value->kind == RP_JSON_BOOL && value->boolean;
}

/* "a, b, c"; nothing for an empty list. */
static void print_words(const struct rp_json *json, const char *key) {
    for (const struct rp_json *one = cli_register_first(json, key); one; one = one->next) {
        printf("%.*s%s", RP_FMT(one->string), one->next ? ", " : "");
    }
}

static void print_line(const char *lead, const struct rp_json *json, const char *key) {
    if (cli_register_first(json, key)) {
        printf("      %s ", lead);
        print_words(json, key);
        puts("");
    }
}

static void print_choices(const struct cli *cli, const struct rp_json *field) {
    for (const struct rp_json *one = cli_register_first(field, "choices"); one; one = one->next) {
        printf("      %-20.*s %.*s\n", RP_FMT(rp_json_get_string(one, "id")),
               RP_FMT(cli_register_words(cli, one, "label")));
    }
}

static void print_field(const struct cli *cli, const struct rp_json *field) {
    rp_view refers = rp_json_get_string(field, "refers"),
            help = cli_register_words(cli, field, "help");
    rp_view id = rp_json_get_string(field, "id");
    printf("  %.*s%s%*s %-9.*s %.*s", RP_FMT(id), is_true(field, "required") ? "*" : " ",
           id.n < 22 ? (int)(22 - id.n) : 0, "", RP_FMT(rp_json_get_string(field, "type")),
           RP_FMT(cli_register_words(cli, field, "label")));
    if (refers.n > 0) {
        printf(cli_say(cli, " (l’id d’une fiche de %.*s)", " (the id of a record of %.*s)"),
               RP_FMT(refers));
    }
    if (is_true(field, "fixed")) {
        printf("%s", cli_say(cli, " (posé par un passage)", " (set by a move)"));
    }
    puts("");
    if (help.n > 0) {
        printf("      %.*s\n", RP_FMT(help));
    }
    print_choices(cli, field);
}

static void print_conditions(const struct cli *cli, const struct rp_json *move) {
    rp_view refusal = cli_register_words(cli, move, "refusal");
    if (is_true(move, "automatic")) {
        puts(cli_say(cli, "      une échéance le fait, personne d’autre",
                     "      a deadline makes it, nobody else"));
        return;
    }
    print_line(cli_say(cli, "par", "by"), move, "who");
    print_line(cli_say(cli, "avec", "needs"), move, "needs");
    print_line(cli_say(cli, "quatre yeux, pas par :", "four eyes, not by:"), move, "not_by");
    if (refusal.n > 0) {
        printf(cli_say(cli, "      refusé par « %.*s »\n", "      refused with “%.*s”\n"),
               RP_FMT(refusal));
    }
    if (is_true(move, "sign")) {
        puts(cli_say(
            cli, "      signé : session de la personne, second facteur de moins de dix minutes",
            "      signed: the person's own session, second factor shown within ten minutes"));
    }
    if (is_true(move, "reason")) {
        puts(cli_say(cli, "      avec un motif : reason=…", "      with a reason: reason=…"));
    }
}

void cli_register_print_move(const struct cli *cli, const struct rp_json *move) {
    printf("%-22.*s  ", RP_FMT(rp_json_get_string(move, "id")));
    print_words(move, "from");
    printf(" → %.*s   %.*s\n", RP_FMT(rp_json_get_string(move, "to")),
           RP_FMT(cli_register_words(cli, move, "label")));
    print_conditions(cli, move);
}

static void print_move(const struct cli *cli, const struct rp_json *move) {
    printf("  ");
    cli_register_print_move(cli, move);
}

static void print_deadline(const struct cli *cli, const struct rp_json *one) {
    rp_view at = rp_json_get_string(one, "at"), from = rp_json_get_string(one, "from");
    rp_view then = rp_json_get_string(one, "then");
    printf("  %-22.*s  %.*s%s ", RP_FMT(rp_json_get_string(one, "id")),
           RP_FMT(cli_register_words(cli, one, "label")), cli_colon(cli));
    if (at.n > 0) {
        printf(cli_say(cli, "le jour de %.*s", "on the day of %.*s"), RP_FMT(at));
    } else {
        printf(from.n > 0 ? cli_say(cli, "%.*s après %.*s", "%.*s after %.*s")
                          : cli_say(cli, "%.*s après l’entrée dans l’état",
                                    "%.*s after it came into the state"),
               RP_FMT(rp_json_get_string(one, "within")), RP_FMT(from));
    }
    if (then.n > 0) {
        printf(cli_say(cli, ", puis %.*s", ", then %.*s"), RP_FMT(then));
    }
    rp_view only = rp_json_get_string(one, "if");
    if (only.n > 0) {
        printf(cli_say(cli, ", si %.*s", ", if %.*s"), RP_FMT(only));
    }
    printf(" (");
    print_words(one, "in");
    puts(")");
}

static void print_rule(const struct cli *cli, const struct rp_json *rule) {
    rp_view gate = rp_json_get_string(rule, "gate");
    printf("  %.*s%s", RP_FMT(gate), gate.n > 0 ? cli_say(cli, " : ", ": ") : "");
    printf(cli_say(cli, "refusé par « %.*s »\n", "refused with “%.*s”\n"),
           RP_FMT(cli_register_words(cli, rule, "refusal")));
}

static void print_state(const struct cli *cli, const struct rp_json *state) {
    printf("  %-22.*s  %.*s\n", RP_FMT(rp_json_get_string(state, "id")),
           RP_FMT(cli_register_words(cli, state, "label")));
}

static void print_part(const struct cli *cli, const char *head, const struct rp_json *reg,
                       const char *key,
                       void (*print)(const struct cli *cli, const struct rp_json *one)) {
    const struct rp_json *one = cli_register_first(reg, key);
    if (one) {
        printf("\n%s\n", head);
    }
    for (; one; one = one->next) {
        print(cli, one);
    }
}

static void print_whole(const struct cli *cli, const struct rp_json *reg) {
    printf("%.*s  %.*s  %.*s\n%.*s\n", RP_FMT(rp_json_get_string(reg, "number")),
           RP_FMT(rp_json_get_string(reg, "id")), RP_FMT(cli_register_words(cli, reg, "name")),
           RP_FMT(cli_register_words(cli, reg, "about")));
    printf("%s ", cli_say(cli, "lu par", "read by"));
    print_words(reg, "read");
    printf("%s ", cli_say(cli, " ; écrit par", "; written by"));
    print_words(reg, "write");
    bool strict = false;
    if (rp_json_get_bool(reg, "strict", &strict) && strict) {
        printf("%s", cli_say(cli, " et personne d’autre, exploitant ou propriétaire compris",
                             " and nobody else, be it an operator or the owner"));
    }
    printf(cli_say(cli, " ; gardé %.*s après clôture\n", "; kept for %.*s once closed\n"),
           RP_FMT(rp_json_get_string(reg, "retention")));
    print_part(cli, cli_say(cli, "CHAMPS (* : dès le début)", "FIELDS (*: from the start)"), reg,
               "fields", print_field);
    print_part(cli,
               cli_say(cli, "ÉTATS (le premier est celui du début)",
                       "STATES (a record begins in the first)"),
               reg, "states", print_state);
    print_part(cli, cli_say(cli, "PASSAGES", "MOVES"), reg, "moves", print_move);
    print_part(cli, cli_say(cli, "ÉCHÉANCES", "DEADLINES"), reg, "deadlines", print_deadline);
    print_part(cli, cli_say(cli, "TOUJOURS", "ALWAYS"), reg, "rules", print_rule);
}

enum rp_exit cli_register_describe(struct cli *cli) {
    const struct rp_json *registers = cli_register_all(cli);
    const struct rp_json *reg = cli_register_find(registers, rp_view_from_cstr(cli->args[1]));
    if (!registers) {
        return RP_EXIT_UNREACHABLE;
    }
    if (!reg) {
        fprintf(stderr,
                cli_say(cli,
                        "rempart : aucun registre « %s » ; « rempart register list » les nomme\n",
                        "rempart: no register \"%s\"; \"rempart register list\" names them\n"),
                cli->args[1]);
        return RP_EXIT_USAGE;
    }
    if (cli->json) {
        cli_print_json(reg);
    } else {
        print_whole(cli, reg);
    }
    return RP_EXIT_OK;
}
