/* people.c — people, and who may what. */
#include "base/assert.h"
#include "base/checked.h"
#include "cli.h"
#include "policy/policy.h"

#define PEOPLE "/.rempart/api/v1/admin/people"

static enum rp_exit person_invite(struct cli *cli) {
    struct rp_json *body = rp_json_object(cli->arena);
    rp_json_add_cstr(cli->arena, body, "email", cli->args[1]);
    rp_json_add_cstr(cli->arena, body, "tenant", cli->tenant);
    rp_json_add_cstr(cli->arena, body, "role", cli->role ? cli->role : "member");
    if (cli->record) {
        rp_json_add_cstr(cli->arena, body, "record", cli->record);
    }
    struct rp_json *answer = NULL;
    enum rp_exit code = cli_ask(cli, "POST", PEOPLE, body, &answer);
    if (code == RP_EXIT_OK) {
        if (cli->json) {
            cli_print_json(answer);
        } else {
            printf("%.*s\n", RP_FMT(rp_json_get_string(answer, "link")));
        }
    }
    return code;
}

/* "authenticator, keys: 2, recovery codes: 9"; of an invitation nothing. */
static void print_factors(const struct cli *cli, const struct rp_json *factors) {
    uint64_t keys = 0, codes = 0;
    bool totp = false;
    if (!factors) {
        return;
    }
    (void)rp_json_get_bool(factors, "totp", &totp);
    (void)rp_json_get_u64(factors, "passkeys", &keys);
    (void)rp_json_get_u64(factors, "recovery_codes", &codes);
    printf("  %s", totp       ? cli_say(cli, "application", "authenticator")
                   : keys > 0 ? cli_say(cli, "sans application", "no authenticator")
                              : cli_say(cli, "aucun second facteur", "no second factor"));
    if (keys > 0) {
        printf(cli_say(cli, ", clés : %llu", ", keys: %llu"), (unsigned long long)keys);
    }
    if (codes > 0) {
        printf(cli_say(cli, ", codes de secours : %llu", ", recovery codes: %llu"),
               (unsigned long long)codes);
    }
}

static enum rp_exit person_list(struct cli *cli) {
    rp_view path = rp_arena_printf(cli->arena, PEOPLE "?tenant=%s", cli->tenant);
    struct rp_json *answer = NULL;
    enum rp_exit code = cli_ask(cli, "GET", (const char *)path.p, NULL, &answer);
    if (code != RP_EXIT_OK || cli->json) {
        if (code == RP_EXIT_OK) {
            cli_print_json(answer);
        }
        return code;
    }
    const struct rp_json *list = rp_json_get(answer, "people");
    for (const struct rp_json *one = list ? list->first : NULL; one; one = one->next) {
        printf("%.*s  %-8.*s  %-8.*s  %.*s", RP_FMT(rp_json_get_string(one, "id")),
               RP_FMT(rp_json_get_string(one, "role")), RP_FMT(rp_json_get_string(one, "state")),
               RP_FMT(rp_json_get_string(one, "email")));
        print_factors(cli, rp_json_get(one, "factors"));
        putchar('\n');
    }
    return code;
}

/* role: "none" removes. */
static enum rp_exit person_change(struct cli *cli, const char *person, const char *role) {
    struct rp_json *body = rp_json_object(cli->arena);
    rp_json_add_cstr(cli->arena, body, "tenant", cli->tenant);
    rp_json_add_cstr(cli->arena, body, "role", role);
    rp_view path = rp_arena_printf(cli->arena, PEOPLE "/%s", person);
    struct rp_json *answer = NULL;
    enum rp_exit code = cli_ask(cli, "POST", (const char *)path.p, body, &answer);
    if (code == RP_EXIT_OK && cli->json) {
        cli_print_json(answer);
    }
    return code;
}

static const char *or_none(rp_view times, const struct cli *cli) {
    const char *text = rp_arena_cstr(cli->arena, times);
    return text && text[0] ? text : cli_say(cli, "non", "no");
}

static void print_reminders(const struct cli *cli, const struct rp_json *answer) {
    const struct rp_json *force = rp_json_get(answer, "in_force");
    rp_view quiet = rp_json_get_string(answer, "quiet");
    rp_view digest = rp_json_get_string(answer, "digest");
    const char *here = cli_say(cli, "  (comme l’installation)", "  (as the installation)");
    printf(cli_say(cli, "heures calmes   %s%s\n", "quiet hours  %s%s\n"),
           or_none(rp_json_get_string(force, "quiet"), cli),
           rp_view_equal(quiet, RP_VIEW("default")) ? here : "");
    printf(cli_say(cli, "message du jour %s%s\n", "daily mail   %s%s\n"),
           or_none(rp_json_get_string(force, "digest"), cli),
           rp_view_equal(digest, RP_VIEW("default")) ? here : "");
}

/* Without a choice on the line it is shown, not changed. */
static enum rp_exit person_reminders(struct cli *cli, const char *person) {
    struct rp_json *body = NULL, *answer = NULL;
    rp_view path =
        rp_arena_printf(cli->arena, PEOPLE "/%s/reminders?tenant=%s", person, cli->tenant);
    if (cli->quiet || cli->digest) {
        body = rp_json_object(cli->arena);
        rp_json_add_cstr(cli->arena, body, "tenant", cli->tenant);
        if (cli->quiet) {
            rp_json_add_cstr(cli->arena, body, "quiet", cli->quiet);
        }
        if (cli->digest) {
            rp_json_add_cstr(cli->arena, body, "digest", cli->digest);
        }
    }
    enum rp_exit code = cli_ask(cli, body ? "POST" : "GET", (const char *)path.p, body, &answer);
    if (code != RP_EXIT_OK) {
        return code;
    }
    if (cli->json) {
        cli_print_json(answer);
    } else {
        print_reminders(cli, answer);
    }
    return code;
}

enum rp_exit cli_person(struct cli *cli) {
    const char *what = cli->arg_count > 0 ? cli->args[0] : "";
    if (cli->tenant && cli->arg_count == 2 && strcmp(what, "invite") == 0) {
        return person_invite(cli);
    }
    if (cli->tenant && cli->arg_count == 1 && strcmp(what, "list") == 0) {
        return person_list(cli);
    }
    if (cli->tenant && cli->arg_count == 3 && strcmp(what, "role") == 0) {
        return person_change(cli, cli->args[1], cli->args[2]);
    }
    if (cli->tenant && cli->arg_count == 2 && strcmp(what, "remove") == 0) {
        return person_change(cli, cli->args[1], "none");
    }
    if (cli->tenant && cli->arg_count == 2 && strcmp(what, "reminders") == 0) {
        return person_reminders(cli, cli->args[1]);
    }
    if (cli->arg_count == 2 && strcmp(what, "import") == 0) {
        return cli_person_import(cli, cli->args[1]);
    }
    return cli_usage_words(cli);
}

/* ---- role explain: the policy's own table ---- */

struct rule {
    enum rp_action action;
    unsigned who;
    unsigned acr;
    bool own_tenant_only;
};

/* Where the configuration decides (sign_in.second_factor); no session ever carries it. */
enum { RP_LEAST_APP = RP_ACR_COUNT };

static const char *acr_name(unsigned acr) {
    return acr == RP_LEAST_APP ? "conf" : rp_acr_name((enum rp_acr)acr);
}

static const struct rule rules[] = {
#define RP_RULE(ACTION, fr, en, who, acr, own_tenant_only)                                         \
    {RP_ACTION_##ACTION, who, acr, own_tenant_only},
#include "policy/policy.def"
#undef RP_RULE
};

static const struct {
    unsigned bit;
    const char *name;
} roles[] = {{RP_MEMBER, "member"}, {RP_TENANT_ADMIN, "admin"}, {RP_OPERATOR, "operator"}};

static void explain_json(const struct cli *cli) {
    struct rp_json *root = rp_json_object(cli->arena);
    struct rp_json *list = rp_json_add_array(cli->arena, root, "rules");
    for (size_t i = 0; i < RP_COUNT_OF(rules); i++) {
        struct rp_json *rule = rp_json_add_object(cli->arena, list, NULL);
        rp_json_add_cstr(cli->arena, rule, "action", rp_action_name(rules[i].action, RP_EN));
        rp_json_add_cstr(cli->arena, rule, "least_acr", acr_name(rules[i].acr));
        rp_json_add_bool(cli->arena, rule, "own_tenant_only", rules[i].own_tenant_only);
        struct rp_json *who = rp_json_add_array(cli->arena, rule, "roles");
        for (size_t r = 0; r < RP_COUNT_OF(roles); r++) {
            if (rules[i].who & roles[r].bit) {
                rp_json_add_cstr(cli->arena, who, NULL, roles[r].name);
            }
        }
    }
    cli_print_json(root);
}

/* "mfa   admin   inviter des personnes…": what has accents stands last, so that the columns hold.
 */
static void explain_rule(const struct cli *cli, const struct rule *rule) {
    enum { WIDTH = 22 };
    int n = 0;
    printf("%-5s", acr_name(rule->acr));
    for (size_t r = 0; r < RP_COUNT_OF(roles); r++) {
        n += rule->who & roles[r].bit ? printf(" %s", roles[r].name) : 0;
    }
    printf("%*s  %s%s\n", n < WIDTH ? WIDTH - n : 0, "", rp_action_name(rule->action, cli->lang),
           rule->own_tenant_only
               ? cli_say(cli, " (son organisation seulement)", " (own tenant only)")
               : "");
}

enum rp_exit cli_role(struct cli *cli) {
    if (cli->arg_count != 1 || strcmp(cli->args[0], "explain") != 0) {
        return cli_usage_words(cli);
    }
    if (cli->json) {
        explain_json(cli);
        return RP_EXIT_OK;
    }
    for (size_t i = 0; i < RP_COUNT_OF(rules); i++) {
        explain_rule(cli, &rules[i]);
    }
    printf("%s\n", cli_say(cli, "Tout le reste est refusé.", "Everything else is denied."));
    return RP_EXIT_OK;
}
