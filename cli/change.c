/* change.c — rempart change: may this go out, what runs, and the draft that asks for approval. */
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "os/file.h"
#include "register.h"
#include "wire/artefact.h"

enum { STATUS_MAX = 1 << 20, THINGS_MAX = 64 };

/* What is asked about: "shop.tar@sha256:…", with a name where there is one. */
struct thing {
    const char *name; /* NULL: none */
    const char *text;
    struct rp_artefact artefact; /* points into text */
};

struct things {
    struct thing list[THINGS_MAX];
    size_t count;
};

/* ---- from words, files and what runs ---- */

static bool read_thing(struct thing *thing) {
    return thing->text && rp_artefact_parse_loose(rp_view_from_cstr(thing->text), &thing->artefact);
}

/* A name for people: what an artefact's name cannot hold is left out. */
static const char *print_thing(struct cli *cli, const char *name, rp_view hex) {
    rp_view with = rp_arena_printf(cli->arena, "%s@sha256:%.*s", name, RP_FMT(hex));
    struct rp_artefact parsed;
    if (with.p && rp_artefact_parse(with, &parsed)) {
        return (const char *)with.p;
    }
    rp_view without = rp_arena_printf(cli->arena, "sha256:%.*s", RP_FMT(hex));
    return without.p ? (const char *)without.p : NULL;
}

static rp_err of_file(struct cli *cli, const char *path, struct thing *ret_thing) {
    _cleanup_fd_ int fd = -1;
    struct rp_sha256 sum;
    char hex[2 * RP_SHA256];
    RP_TRY(rp_file_open(path, &fd));
    RP_TRY(rp_sha256_of_fd(fd, &sum));
    rp_hex_print(rp_view_of(sum.b, sizeof sum.b), hex);
    const char *slash = strrchr(path, '/');
    struct thing thing = {.name = slash ? slash + 1 : path};
    thing.text = print_thing(cli, thing.name, rp_view_of(hex, sizeof hex));
    *ret_thing = thing;
    return read_thing(ret_thing) ? RP_OK : RP_ERR(NO_MEMORY);
}

/* Digests and files, as they stand in the command; a file before the state folder is entered. */
static enum rp_exit read_words(struct cli *cli, struct things *things) {
    for (size_t i = 1; i < cli->arg_count; i++) {
        struct thing *thing = &things->list[things->count++];
        *thing = (struct thing){.text = cli->args[i]};
        if (access(cli->args[i], F_OK) != 0 && read_thing(thing)) {
            continue;
        }
        rp_err err = of_file(cli, cli->args[i], thing);
        if (!rp_ok(err)) {
            struct rp_diag diag = cli_diag(cli);
            err = rp_fail(&diag, err, "%s",
                          cli_say(cli,
                                  "ni un fichier lisible, ni une empreinte (sha256: ou git: et "
                                  "tous ses chiffres)",
                                  "neither a file that can be read nor a digest (sha256: or git: "
                                  "and all of its digits)"));
            return cli_fail(cli, err, cli->args[i], &diag);
        }
    }
    return RP_EXIT_OK;
}

/* As the supervisor saw the programs in service. */
static enum rp_exit read_running(struct cli *cli, struct things *things) {
    rp_view text = {NULL, 0};
    struct rp_json *status = NULL;
    rp_err err = cli_enter_state(cli);
    if (rp_ok(err)) {
        err = rp_file_read("run/status.json", STATUS_MAX, cli->arena, &text);
    }
    if (rp_ok(err)) {
        err = rp_json_parse(text, RP_JSON_LIMITS, cli->arena, &status, NULL);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, RP_ERR(UNREACHABLE), cli->state, NULL);
    }
    const struct rp_json *programs = rp_json_get(status, "programs");
    for (const struct rp_json *one = programs ? programs->first : NULL; one; one = one->next) {
        struct thing thing = {.name = rp_arena_cstr(cli->arena, rp_json_get_string(one, "name"))};
        rp_view hex = rp_json_get_string(one, "sha256");
        RP_ASSERT(thing.name && things->count < THINGS_MAX);
        thing.text = print_thing(cli, thing.name, hex);
        if (!read_thing(&thing)) {
            return cli_fail(cli, RP_ERR(UNREACHABLE), thing.name, NULL);
        }
        things->list[things->count++] = thing;
    }
    return RP_EXIT_OK;
}

/* ---- asked of the register ---- */

static rp_view change_name(struct cli *cli, const struct rp_json *answer) {
    uint64_t number = 0;
    (void)rp_json_get_u64(rp_json_get(answer, "change"), "number", &number);
    return rp_arena_printf(cli->arena, "changes-%llu", (unsigned long long)number);
}

/* One line, or one entry of the list, each; *refused counts what may not go. */
static rp_err ask_about(struct cli *cli, const struct thing *thing, struct rp_json *list,
                        size_t *refused, struct rp_diag *diag) {
    struct rp_json *answer = NULL;
    const char *kind = thing->artefact.git ? "git" : "sha256";
    rp_view path = rp_arena_printf(cli->arena, "/.rempart/api/v1/deployments/%s:%.*s", kind,
                                   RP_FMT(thing->artefact.hex));
    RP_TRY(path.p ? RP_OK : RP_ERR(NO_MEMORY));
    rp_err err = cli_ask_core(cli, "GET", (const char *)path.p, (rp_view){NULL, 0}, &answer, diag);
    bool approved = rp_ok(err);
    if (!approved && !rp_is(err, RP_E_UNAPPROVED)) {
        return err;
    }
    *refused += !approved;
    const char *name = thing->name ? thing->name : thing->text;
    rp_view why = approved ? change_name(cli, answer) : rp_view_from_cstr(diag->text);
    if (!cli->json) {
        printf("%s  %-28s  %.12s…  %.*s\n",
               approved ? cli_say(cli, "approuvé", "approved")
                        : cli_say(cli, "refusé  ", "refused "),
               name, (const char *)thing->artefact.hex.p, RP_FMT(why));
        return RP_OK;
    }
    struct rp_json *one = rp_json_add_object(cli->arena, list, NULL);
    rp_json_add_cstr(cli->arena, one, "artefact", thing->text);
    rp_json_add_bool(cli->arena, one, "approved", approved);
    rp_json_add_string(cli->arena, one, approved ? "change" : "reason", why);
    return RP_OK;
}

static enum rp_exit ask_about_all(struct cli *cli, const struct things *things) {
    struct rp_json *list = rp_json_array(cli->arena);
    size_t refused = 0;
    rp_err err = cli_enter_state(cli);
    for (size_t i = 0; rp_ok(err) && i < things->count; i++) {
        struct rp_diag diag = cli_diag(cli);
        err = ask_about(cli, &things->list[i], list, &refused, &diag);
        if (!rp_ok(err)) {
            return cli_fail(cli, err, cli->command, &diag);
        }
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli->state, NULL);
    }
    if (cli->json) {
        cli_print_json(list);
    }
    return refused > 0 ? RP_EXIT_FINDING : RP_EXIT_OK;
}

/* ---- the verbs ---- */

static enum rp_exit check(struct cli *cli) {
    struct things things = {.count = 0};
    enum rp_exit code = read_words(cli, &things);
    return code == RP_EXIT_OK ? ask_about_all(cli, &things) : code;
}

static enum rp_exit running(struct cli *cli) {
    struct things things = {.count = 0};
    enum rp_exit code = read_running(cli, &things);
    cli->state = "."; /* it was entered */
    return code == RP_EXIT_OK ? ask_about_all(cli, &things) : code;
}

/* "Rempart 0.1.0", or the first thing and how many more. */
static rp_view summary_of(struct cli *cli, const struct things *things, bool runs) {
    const struct thing *first = &things->list[0];
    const char *name = first->name ? first->name : first->text;
    if (runs) {
        return RP_VIEW("Rempart " REMPART_VERSION);
    }
    return things->count == 1 ? rp_view_from_cstr(name)
                              : rp_arena_printf(cli->arena, "%s + %zu", name, things->count - 1);
}

/* A draft: what it is good for, its risk and how it was tested are for people to write. */
static enum rp_exit propose(struct cli *cli) {
    struct things things = {.count = 0};
    struct rp_json *answer = NULL, *fields = rp_json_object(cli->arena);
    bool runs = cli->arg_count == 1;
    enum rp_exit code = runs ? read_running(cli, &things) : read_words(cli, &things);
    if (code != RP_EXIT_OK) {
        return code;
    }
    cli->state = runs ? "." : cli->state; /* it was entered */
    rp_json_add_string(cli->arena, fields, "summary", summary_of(cli, &things, runs));
    rp_json_add_cstr(cli->arena, fields, "kind", "normal");
    rp_json_add_cstr(cli->arena, fields, "risk", "medium");
    if (runs) {
        rp_json_add_cstr(cli->arena, fields, "commit", REMPART_VERSION);
    }
    struct rp_json *list = rp_json_add_array(cli->arena, fields, "artefacts");
    for (size_t i = 0; i < things.count; i++) {
        rp_json_add_cstr(cli->arena, list, NULL, things.list[i].text);
    }
    code = cli_ask(cli, "POST", cli_register_address(cli, "changes", NULL, NULL), fields, &answer);
    if (code == RP_EXIT_OK) {
        cli_register_print_one(cli, answer);
    }
    if (code == RP_EXIT_OK && !cli->json) {
        uint64_t number = 0;
        (void)rp_json_get_u64(answer, "number", &number);
        printf(cli_say(cli,
                       "ensuite : rempart register move changes %llu submit %stests=… rollback=… ; "
                       "puis une autre personne l’approuve, en signant\n",
                       "next: rempart register move changes %llu submit %stests=… rollback=…; then "
                       "somebody else approves it, with a signature\n"),
               (unsigned long long)number, runs ? "" : "commit=… ");
    }
    return code;
}

enum rp_exit cli_change(struct cli *cli) {
    const char *verb = cli->arg_count > 0 ? cli->args[0] : "";
    if (strcmp(verb, "check") == 0 && cli->arg_count > 1) {
        return check(cli);
    }
    if (strcmp(verb, "running") == 0 && cli->arg_count == 1) {
        return running(cli);
    }
    if (strcmp(verb, "propose") == 0) {
        return propose(cli);
    }
    return cli_usage_words(cli);
}
