/* tenant.c — rempart tenant: list, create, export, import, close, and a closing taken back. */
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/id.h"
#include "cli.h"

#define TENANTS "/.rempart/api/v1/admin/tenants"
enum { TYPED_MAX = 256 };

/* ---- list, create ---- */

static const char *state_word(const struct cli *cli, rp_view state) {
    if (rp_view_equal(state, RP_VIEW("closing"))) {
        return cli_say(cli, "clôture le", "closes on");
    }
    return rp_view_equal(state, RP_VIEW("destroyed"))
               ? cli_say(cli, "clé détruite, était dû le", "key destroyed, was due on")
               : cli_say(cli, "en cours de clôture, était dû le", "being closed, was due on");
}

static void print_tenants(const struct cli *cli, const struct rp_json *answer) {
    const struct rp_json *list = rp_json_get(answer, "tenants");
    for (const struct rp_json *t = list ? list->first : NULL; t; t = t->next) {
        rp_view due = rp_json_get_string(t, "closes_at");
        rp_view name = rp_json_get_string(t, "name");
        if (name.n == 0) { /* the key that indexes and the system's own secrets have */
            name = rp_view_from_cstr(cli_say(cli, "(cette installation)", "(this installation)"));
        }
        printf("%.*s  %.*s", RP_FMT(rp_json_get_string(t, "id")), RP_FMT(name));
        if (due.n > 0) {
            printf("  (%s %.*s)", state_word(cli, rp_json_get_string(t, "state")), RP_FMT(due));
        }
        putchar('\n');
    }
}

static enum rp_exit list(struct cli *cli) {
    struct rp_json *answer = NULL;
    enum rp_exit code = cli_ask(cli, "GET", TENANTS, NULL, &answer);
    if (code == RP_EXIT_OK && cli->json) {
        cli_print_json(answer);
    } else if (code == RP_EXIT_OK) {
        print_tenants(cli, answer);
    }
    return code;
}

static enum rp_exit create(struct cli *cli) {
    struct rp_json *body = rp_json_object(cli->arena), *answer = NULL;
    rp_json_add_cstr(cli->arena, body, "name", cli->args[1]);
    enum rp_exit code = cli_ask(cli, "POST", TENANTS, body, &answer);
    if (code == RP_EXIT_OK && cli->json) {
        cli_print_json(answer);
    } else if (code == RP_EXIT_OK) {
        printf("%.*s\n", RP_FMT(rp_json_get_string(answer, "id")));
    }
    return code;
}

/* ---- which one is meant ---- */

/* By id, or by a name that one organisation alone has. */
static enum rp_exit find(struct cli *cli, const char *wanted, const struct rp_json **ret_tenant) {
    struct rp_json *answer = NULL;
    struct rp_diag diag = cli_diag(cli);
    rp_view text = rp_view_from_cstr(wanted);
    size_t count = 0;
    enum rp_exit code = cli_ask(cli, "GET", TENANTS, NULL, &answer);
    const struct rp_json *list = code == RP_EXIT_OK ? rp_json_get(answer, "tenants") : NULL;
    for (const struct rp_json *one = list ? list->first : NULL; one; one = one->next) {
        if (rp_view_equal(rp_json_get_string(one, "id"), text)) {
            *ret_tenant = one;
            return RP_EXIT_OK;
        }
        if (rp_view_equal(rp_json_get_string(one, "name"), text)) {
            *ret_tenant = one;
            count++;
        }
    }
    if (code != RP_EXIT_OK || count == 1) {
        return code;
    }
    rp_err err = rp_fail(&diag, count ? RP_ERR(INVALID) : RP_ERR(NOT_FOUND), "%s",
                         count ? cli_say(cli, "plusieurs clients ont ce nom : donnez l’id",
                                         "several tenants have this name: give the id")
                               : cli_say(cli, "rempart tenant list montre les clients",
                                         "rempart tenant list shows the tenants"));
    return cli_fail(cli, err, wanted, &diag);
}

/* ---- closing ---- */

static bool typed_the_name(const struct cli *cli, rp_view name) {
    char typed[TYPED_MAX];
    if (cli->confirm) {
        return rp_view_equal(rp_view_from_cstr(cli->confirm), name);
    }
    if (!isatty(STDIN_FILENO)) {
        return false;
    }
    fprintf(stderr,
            cli_say(cli,
                    "« %.*s » sera clos : sessions terminées, clé détruite, fichiers retirés, "
                    "illisible jusque dans les sauvegardes.\nTapez son nom pour confirmer : ",
                    "\"%.*s\" will be closed: sessions ended, key destroyed, files removed, "
                    "unreadable even in backups.\nType its name to confirm: "),
            RP_FMT(name));
    ssize_t n = read(STDIN_FILENO, typed, sizeof typed);
    rp_view text = rp_view_of(typed, n > 0 ? (size_t)n : 0);
    return rp_view_equal(rp_view_cut(&text, '\n'), name);
}

static enum rp_exit refuse_unconfirmed(const struct cli *cli) {
    struct rp_diag diag = cli_diag(cli);
    rp_err err =
        rp_fail(&diag, RP_ERR(INVALID), "%s",
                cli_say(cli,
                        "le nom tapé n’est pas le sien, rien n’est changé ; sans terminal : "
                        "--confirm NOM",
                        "the name typed is not its name, nothing was changed; without a terminal: "
                        "--confirm NAME"));
    return cli_fail(cli, err, cli->args[1], &diag);
}

static bool add_days(struct cli *cli, struct rp_json *body) {
    uint64_t days = 0;
    if (!cli->days) {
        return true;
    }
    if (!rp_view_to_u64(rp_view_from_cstr(cli->days), 180, &days)) {
        return false;
    }
    rp_json_add_u64(cli->arena, body, "days", days);
    return true;
}

static void say_closing(const struct cli *cli, const struct rp_json *answer) {
    rp_view due = rp_json_get_string(answer, "closes_at");
    if (cli->days && strcmp(cli->days, "0") == 0) {
        printf("%s\n", cli_say(cli, "clôture en cours ; « rempart tenant list » la montre finie",
                               "being closed; \"rempart tenant list\" shows when it is done"));
        return;
    }
    printf(cli_say(cli,
                   "clôture le %.*s ; d’ici là : rempart tenant export, ou rempart tenant reopen\n",
                   "closes on %.*s; until then: rempart tenant export, or rempart tenant "
                   "reopen\n"),
           RP_FMT(due));
}

/* The path of what is done to it. */
static const char *path_of(struct cli *cli, const struct rp_json *tenant, const char *act) {
    rp_view path = rp_arena_printf(cli->arena, TENANTS "/%.*s/%s",
                                   RP_FMT(rp_json_get_string(tenant, "id")), act);
    return path.p ? (const char *)path.p : TENANTS;
}

static enum rp_exit close_one(struct cli *cli) {
    const struct rp_json *tenant = NULL;
    struct rp_json *body = rp_json_object(cli->arena), *answer = NULL;
    if (!add_days(cli, body)) {
        return cli_usage(cli, cli_say(cli, "--days : 0 à 180", "--days: 0 to 180"));
    }
    enum rp_exit code = find(cli, cli->args[1], &tenant);
    if (code != RP_EXIT_OK) {
        return code;
    }
    rp_view name = rp_json_get_string(tenant, "name");
    if (!typed_the_name(cli, name)) {
        return refuse_unconfirmed(cli);
    }
    rp_json_add_string(cli->arena, body, "confirm", name);
    code = cli_ask(cli, "POST", path_of(cli, tenant, "close"), body, &answer);
    if (code == RP_EXIT_OK && cli->json) {
        cli_print_json(answer);
    } else if (code == RP_EXIT_OK) {
        say_closing(cli, answer);
    }
    return code;
}

static enum rp_exit reopen(struct cli *cli) {
    const struct rp_json *tenant = NULL;
    struct rp_json *answer = NULL;
    enum rp_exit code = find(cli, cli->args[1], &tenant);
    if (code == RP_EXIT_OK) {
        code = cli_ask(cli, "POST", path_of(cli, tenant, "reopen"), rp_json_object(cli->arena),
                       &answer);
    }
    if (code == RP_EXIT_OK && cli->json) {
        cli_print_json(answer);
    } else if (code == RP_EXIT_OK) {
        printf("%s\n", cli_say(cli, "clôture annulée", "closing taken back"));
    }
    return code;
}

enum rp_exit cli_tenant(struct cli *cli) {
    const char *what = cli->arg_count > 0 ? cli->args[0] : "";
    if (cli->arg_count == 1 && strcmp(what, "list") == 0) {
        return list(cli);
    }
    if (cli->arg_count == 2 && strcmp(what, "create") == 0) {
        return create(cli);
    }
    if (cli->arg_count == 3 && strcmp(what, "export") == 0) {
        return cli_tenant_export(cli, cli->args[1], cli->args[2]);
    }
    if (cli->arg_count == 3 && strcmp(what, "import") == 0) {
        return cli_tenant_import(cli, cli->args[1], cli->args[2]);
    }
    if (cli->arg_count == 2 && strcmp(what, "close") == 0) {
        return close_one(cli);
    }
    if (cli->arg_count == 2 && strcmp(what, "reopen") == 0) {
        return reopen(cli);
    }
    return cli_usage_words(cli);
}
