/* waf_living.c — living with the firewall: what it would have refused to honest people, what is to
 * be done about it, and which rules are loudest. Core knows; this shows. */
#include "base/checked.h"
#include "gate.h"
#include "os/file.h"
#include "os/shm.h"
#include "waf.h"
#include "wire/http.h"

#define WAF "/.rempart/api/v1/admin/waf/"

/* ---- what a rule says of itself ---- */

struct messages {
    struct rp_shm image;
    struct rp_waf *waf; /* NULL: the gate's rules are not there; then numbers have to do */
};

static struct messages messages_open(void) {
    struct messages m = {.waf = NULL};
    if (rp_ok(rp_shm_open("gate/rules.waf", false, 0, &m.image))) {
        rp_ignore(rp_waf_open(rp_view_of(m.image.p, m.image.n), &m.waf, NULL));
    }
    return m;
}

static void messages_done(struct messages *m) {
    rp_waf_close(m->waf);
    rp_shm_done(&m->image);
}

static void print_message(const struct messages *m, uint64_t rule) {
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(4096);
    if (m->waf && rp_ok(rp_waf_rule_message(m->waf, rule, &text)) && text.n > 0) {
        printf("  %.*s", RP_FMT(rp_view_sub(rp_buf_view(&text), 0, 80)));
    }
}

static unsigned long long number(const struct rp_json *one, const char *key) {
    uint64_t value = 0;
    return rp_json_get_u64(one, key, &value) ? value : 0;
}

/* ---- proposals ---- */

static void print_place(const struct rp_json *one) {
    rp_view variable = rp_json_get_string(one, "variable");
    printf("%.*s  %llu  %.*s  %.*s  %.*s", RP_FMT(rp_json_get_string(one, "id")),
           number(one, "rule"), RP_FMT(variable.n ? variable : RP_VIEW("*")),
           RP_FMT(rp_json_get_string(one, "app")), RP_FMT(rp_json_get_string(one, "path")));
}

static void print_proposal(const struct cli *cli, const struct messages *m,
                           const struct rp_json *one, const struct rp_json *answer) {
    bool acceptable = false;
    (void)rp_json_get_bool(one, "acceptable", &acceptable);
    print_place(one);
    print_message(m, number(one, "rule"));
    printf("\n    %s %llu, %s %llu/%llu, %s %llu/%llu, %.*s .. %.*s\n",
           cli_say(cli, "requêtes", "requests"), number(one, "requests"),
           cli_say(cli, "personnes", "people"), number(one, "people"),
           number(answer, "people_least"), cli_say(cli, "organisations", "organisations"),
           number(one, "organisations"), number(answer, "organisations_least"),
           RP_FMT(rp_json_get_string(one, "first_seen")),
           RP_FMT(rp_json_get_string(one, "last_seen")));
    printf("    %s %.*s%s\n", cli_say(cli, "exemple :", "sample:"),
           RP_FMT(rp_json_get_string(one, "sample")),
           acceptable ? ""
                      : cli_say(cli, "\n    trop peu de personnes pour être acceptée",
                                "\n    too few people to be accepted"));
}

static void print_proposals(const struct cli *cli, const struct rp_json *answer) {
    const struct rp_json *list = rp_json_get(answer, "proposals");
    struct messages m = messages_open();
    for (const struct rp_json *one = list ? list->first : NULL; one; one = one->next) {
        print_proposal(cli, &m, one, answer);
    }
    messages_done(&m);
    if (!list || !list->first) {
        printf("%s\n", cli_say(cli,
                               "Aucune proposition. Une application apprend avec « waf: learn » ; "
                               "rien n’est appliqué sans vous.",
                               "No proposal. An application learns with \"waf: learn\"; nothing is "
                               "applied without you."));
    }
    if (number(answer, "left_out") + number(answer, "not_noted") > 0) {
        printf(cli_say(cli,
                       "%llu autres propositions ; %llu observations non notées, faute de "
                       "place ou trop d’une seule personne.\n",
                       "%llu more proposals; %llu sightings not noted, for want of room or too "
                       "many by one person.\n"),
               number(answer, "left_out"), number(answer, "not_noted"));
    }
}

/* The answer for a person, or as it came. path NULL: there was no memory for it. */
static enum rp_exit show(struct cli *cli, const char *path,
                         void (*print)(const struct cli *cli, const struct rp_json *answer)) {
    struct rp_json *answer = NULL;
    if (!path) {
        return cli_fail(cli, RP_ERR(NO_MEMORY), cli->command, NULL);
    }
    enum rp_exit code = cli_ask(cli, "GET", path, NULL, &answer);
    if (code == RP_EXIT_OK && cli->json) {
        cli_print_json(answer);
    } else if (code == RP_EXIT_OK) {
        print(cli, answer);
    }
    return code;
}

enum rp_exit waf_proposals(struct cli *cli) {
    if (cli->arg_count != 1) {
        return cli_usage(cli, "waf proposals [--json]");
    }
    return show(cli, WAF "proposals", print_proposals);
}

/* ---- decisions ---- */

static enum rp_exit tell(struct cli *cli, const char *path, struct rp_json *body,
                         const char *done) {
    struct rp_json *answer = NULL;
    rp_json_add_string(cli->arena, body, "by", cli_gate_who());
    enum rp_exit code = cli_ask(cli, "POST", path, body, &answer);
    if (code == RP_EXIT_OK && cli->json) {
        cli_print_json(answer);
    } else if (code == RP_EXIT_OK) {
        printf("%.*s%s %s\n", RP_FMT(rp_json_get_string(answer, "id")), cli_colon(cli), done);
    }
    return code;
}

static enum rp_exit decide(struct cli *cli, bool accept, const char *done) {
    if (cli->arg_count != 2 || !cli->reason) {
        return cli_usage(cli, cli_say(cli, "waf accept|reject NUMÉRO --reason TEXTE",
                                      "waf accept|reject ID --reason TEXT"));
    }
    struct rp_json *body = rp_json_object(cli->arena);
    rp_json_add_cstr(cli->arena, body, "id", cli->args[1]);
    rp_json_add_bool(cli->arena, body, "accept", accept);
    rp_json_add_cstr(cli->arena, body, "reason", cli->reason);
    return tell(cli, WAF "proposals", body, done);
}

enum rp_exit waf_accept(struct cli *cli) {
    return decide(cli, true,
                  cli_say(cli, "acceptée ; en vigueur dans la seconde",
                          "accepted; in force within a second"));
}

enum rp_exit waf_reject(struct cli *cli) {
    return decide(cli, false,
                  cli_say(cli, "rejetée ; ne sera plus proposée", "rejected; not proposed again"));
}

static void print_exclusions(const struct cli *cli, const struct rp_json *answer) {
    const struct rp_json *list = rp_json_get(answer, "exclusions");
    struct messages m = messages_open();
    for (const struct rp_json *one = list ? list->first : NULL; one; one = one->next) {
        bool accepted = false;
        (void)rp_json_get_bool(one, "accepted", &accepted);
        print_place(one);
        print_message(&m, number(one, "rule"));
        printf("\n    %s %.*s, %.*s%s %.*s\n",
               accepted ? cli_say(cli, "acceptée", "accepted")
                        : cli_say(cli, "rejetée", "rejected"),
               RP_FMT(rp_json_get_string(one, "since")), RP_FMT(rp_json_get_string(one, "by")),
               cli_colon(cli), RP_FMT(rp_json_get_string(one, "reason")));
    }
    messages_done(&m);
    if (!list || !list->first) {
        printf("%s\n", cli_say(cli, "Aucune exclusion : toutes les règles valent partout.",
                               "No exclusion: all rules hold everywhere."));
    }
}

enum rp_exit waf_exclusions(struct cli *cli) {
    if (cli->arg_count == 3 && strcmp(cli->args[1], "remove") == 0) {
        struct rp_json *body = rp_json_object(cli->arena);
        rp_json_add_cstr(cli->arena, body, "id", cli->args[2]);
        return tell(cli, WAF "exclusions/remove", body,
                    cli_say(cli, "retirée ; la règle vaut de nouveau dans la seconde",
                            "removed; the rule holds again within a second"));
    }
    if (cli->arg_count != 1) {
        return cli_usage(cli, cli_say(cli, "waf exclusions [remove NUMÉRO] [--json]",
                                      "waf exclusions [remove ID] [--json]"));
    }
    return show(cli, WAF "exclusions", print_exclusions);
}

/* ---- the loudest rules ---- */

/* "7d", "7": days. */
static bool read_since(const char *text, uint64_t *ret_days) {
    rp_view days = rp_view_from_cstr(text);
    if (!text) {
        *ret_days = 7;
        return true;
    }
    days = rp_view_ends(days, RP_VIEW("d")) ? rp_view_sub(days, 0, days.n - 1) : days;
    return rp_view_to_u64(days, 30, ret_days) && *ret_days > 0;
}

static void print_top(const struct cli *cli, const struct rp_json *answer) {
    const struct rp_json *list = rp_json_get(answer, "rules");
    struct messages m = messages_open();
    printf("%10s %12s %12s %10s %10s\n", cli_say(cli, "règle", "rule"),
           cli_say(cli, "fausses al.", "false alarms"), cli_say(cli, "requêtes", "requests"),
           cli_say(cli, "refus", "blocks"), cli_say(cli, "ms estim.", "est. ms"));
    for (const struct rp_json *one = list ? list->first : NULL; one; one = one->next) {
        /* A step is about a nanosecond (docs/internals/shield.md). */
        printf("%10llu %12llu %12llu %10llu %10llu", number(one, "rule"),
               number(one, "false_alarms"), number(one, "matches"), number(one, "blocks"),
               number(one, "steps") / 1000000);
        print_message(&m, number(one, "rule"));
        printf("\n");
    }
    messages_done(&m);
    if (!list || !list->first) {
        printf("%s\n", cli_say(cli, "Rien de tel dans cette période.",
                               "Nothing of the kind in that time."));
    }
}

enum rp_exit waf_top(struct cli *cli) {
    uint64_t days = 0;
    const char *by = cli->by ? cli->by : "false-alarms";
    bool known =
        strcmp(by, "false-alarms") == 0 || strcmp(by, "cost") == 0 || strcmp(by, "blocks") == 0;
    if (cli->arg_count != 1 || !known || !read_since(cli->since, &days)) {
        return cli_usage(cli, "waf top [--by false-alarms|cost|blocks] [--since 1d..30d] [--json]");
    }
    rp_view path =
        rp_arena_printf(cli->arena, WAF "top?by=%s&days=%llu", by, (unsigned long long)days);
    return show(cli, rp_arena_cstr(cli->arena, path), print_top);
}

/* ---- a model of what people send ---- */

static void print_model(const struct cli *cli, const struct rp_json *answer) {
    (void)cli;
    printf("%.*s", RP_FMT(rp_json_get_string(answer, "model")));
}

enum rp_exit waf_model(struct cli *cli) {
    if (cli->arg_count != 3 || strcmp(cli->args[1], "learn") != 0) {
        return cli_usage(cli, cli_say(cli, "waf model learn APPLICATION [--json]",
                                      "waf model learn APP [--json]"));
    }
    _cleanup_(rp_buf_done) struct rp_buf path = rp_buf_new(4096);
    rp_buf_add_cstr(&path, WAF "model?app=");
    rp_url_encode(&path, rp_view_from_cstr(cli->args[2]));
    rp_buf_printf(&path, "&lang=%s", cli->lang == RP_FR ? "fr" : "en");
    if (!rp_ok(rp_buf_err(&path))) {
        return cli_fail(cli, RP_ERR(TOO_LARGE), cli->args[2], NULL);
    }
    return show(cli, rp_arena_cstr(cli->arena, rp_buf_view(&path)), print_model);
}
