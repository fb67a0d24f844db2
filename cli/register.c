/* register.c — the registers from the command line, as the machine's owner. */
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "cli.h"
#include "register.h"

enum { PATH_MAX_HERE = 4096 };

/* A record as lists print it, "changes-4", is number 4 of changes. */
static const char *without_register(const char *name, const char *reg) {
    if (!name || !reg) {
        return name;
    }
    size_t n = strlen(reg);
    return strncmp(name, reg, n) == 0 && name[n] == '-' ? name + n + 1 : name;
}

const char *cli_register_address(struct cli *cli, const char *a, const char *b, const char *rest) {
    b = without_register(b, a);
    rp_view path = rp_arena_printf(cli->arena, "/.rempart/api/v1/registers%s%s%s%s%s", a ? "/" : "",
                                   a ? a : "", b ? "/" : "", b ? b : "", rest ? rest : "");
    RP_ASSERT(path.p != NULL);
    return (const char *)path.p;
}

/* Does the field take what is no text, where the value reads so? One that nobody knows does: core
 * will say so. */
static bool takes_other(const struct rp_json *reg, rp_view name) {
    for (const struct rp_json *one = cli_register_first(reg, "fields"); one; one = one->next) {
        if (rp_view_equal(rp_json_get_string(one, "id"), name)) {
            rp_view type = rp_json_get_string(one, "type");
            return rp_view_equal(type, RP_VIEW("number")) || rp_view_equal(type, RP_VIEW("bool")) ||
                   rp_view_equal(type, RP_VIEW("multi")) || rp_view_equal(type, RP_VIEW("digests"));
        }
    }
    return true;
}

/* name=value …; a value that reads as JSON is that, where the field is no text. */
struct rp_json *cli_register_fields(struct cli *cli, const struct rp_json *reg, size_t first) {
    struct rp_json *fields = rp_json_object(cli->arena);
    for (size_t i = first; i < cli->arg_count; i++) {
        rp_view value = rp_view_from_cstr(cli->args[i]);
        rp_view name = rp_view_cut(&value, '=');
        const char *key = rp_arena_cstr(cli->arena, name);
        struct rp_json *json = NULL;
        if (!value.p || !key) {
            return NULL;
        }
        rp_err err = rp_json_parse(value, RP_JSON_LIMITS, cli->arena, &json, NULL);
        bool other = rp_ok(err) && json->kind != RP_JSON_STRING &&
                     (json->kind == RP_JSON_NULL || takes_other(reg, name));
        if (other) {
            rp_json_add(cli->arena, fields, key, json);
        } else {
            rp_json_add_string(cli->arena, fields, key, value);
        }
    }
    return fields;
}

/* Of the register that is written in. NULL: not of that form. */
static struct rp_json *typed_fields(struct cli *cli, size_t first) {
    bool any = cli->arg_count > first;
    const struct rp_json *registers = any ? cli_register_all(cli) : NULL;
    rp_view id = rp_view_from_cstr(cli->args[1]);
    return cli_register_fields(cli, cli_register_find(registers, id), first);
}

/* list [REGISTER [FIELD=VALUE…]]; state=, q= and view= too. */
static enum rp_exit list(struct cli *cli) {
    struct rp_json *answer = NULL, *filters = cli_register_fields(cli, NULL, 2);
    const char *reg = cli->arg_count > 1 ? cli->args[1] : NULL;
    const char *path = cli_register_address(cli, reg, NULL, reg ? "?range=%5B0,199%5D" : "");
    path = filters ? cli_register_filters(cli, path, filters) : NULL;
    if (!path) {
        return cli_usage(cli, cli_say(cli, "champ=valeur", "field=value"));
    }
    enum rp_exit code = cli_ask(cli, "GET", path, NULL, &answer);
    if (code == RP_EXIT_OK) {
        cli_register_print(cli, answer);
    }
    return code;
}

static enum rp_exit create(struct cli *cli) {
    struct rp_json *answer = NULL, *fields = typed_fields(cli, 2);
    if (!fields) {
        return cli_usage(cli, cli_say(cli, "champ=valeur", "field=value"));
    }
    enum rp_exit code =
        cli_ask(cli, "POST", cli_register_address(cli, cli->args[1], NULL, NULL), fields, &answer);
    if (code == RP_EXIT_OK) {
        cli_register_print_one(cli, answer);
    }
    return code;
}

static enum rp_exit edit(struct cli *cli) {
    struct rp_json *answer = NULL, *fields = typed_fields(cli, 3);
    if (!fields) {
        return cli_usage(cli, cli_say(cli, "champ=valeur", "field=value"));
    }
    enum rp_exit code = cli_ask(
        cli, "PUT", cli_register_address(cli, cli->args[1], cli->args[2], NULL), fields, &answer);
    if (code == RP_EXIT_OK) {
        cli_register_print_one(cli, answer);
    }
    return code;
}

/* move REGISTER ID MOVE [reason=…] [field=value …] */
static enum rp_exit move(struct cli *cli) {
    struct rp_json *answer = NULL, *fields = typed_fields(cli, 4);
    struct rp_json *body = rp_json_object(cli->arena);
    struct rp_json *kept = rp_json_object(cli->arena);
    if (!fields) {
        return cli_usage(cli, cli_say(cli, "champ=valeur", "field=value"));
    }
    rp_json_add_cstr(cli->arena, body, "move", cli->args[3]);
    for (struct rp_json *one = fields->first, *next; one; one = next) {
        next = one->next;
        one->next = NULL;
        if (rp_view_equal(one->key, RP_VIEW("reason"))) {
            rp_json_add_string(cli->arena, body, "reason", one->string);
        } else {
            rp_json_add(cli->arena, kept, rp_arena_cstr(cli->arena, one->key), one);
        }
    }
    rp_json_add(cli->arena, body, "fields", kept);
    enum rp_exit code = cli_ask(
        cli, "POST", cli_register_address(cli, cli->args[1], cli->args[2], "/move"), body, &answer);
    if (code == RP_EXIT_OK) {
        cli_register_print_one(cli, answer);
    }
    return code;
}

/* remove REGISTER ID: a slip of today's. */
static enum rp_exit take_back(struct cli *cli) {
    struct rp_json *answer = NULL;
    enum rp_exit code = cli_ask(
        cli, "DELETE", cli_register_address(cli, cli->args[1], cli->args[2], ""), NULL, &answer);
    if (code == RP_EXIT_OK && cli->json) {
        cli_print_json(answer);
    }
    return code;
}

/* hold REGISTER ID DEADLINE REASON…, resume REGISTER ID DEADLINE */
static enum rp_exit hold(struct cli *cli) {
    struct rp_json *answer = NULL, *body = rp_json_object(cli->arena);
    rp_json_add_cstr(cli->arena, body, "deadline", cli->args[3]);
    if (cli->arg_count > 4) {
        rp_json_add_cstr(cli->arena, body, "hold", cli->args[4]);
    } else {
        rp_json_add_null(cli->arena, body, "hold");
    }
    enum rp_exit code =
        cli_ask(cli, "POST", cli_register_address(cli, cli->args[1], cli->args[2], "/deadlines"),
                body, &answer);
    if (code == RP_EXIT_OK) {
        cli_register_print_one(cli, answer);
    }
    return code;
}

enum rp_exit cli_register(struct cli *cli) {
    static const struct {
        const char *word;
        size_t least, most;
        enum rp_exit (*run)(struct cli *cli);
    } words[] = {{"list", 1, RP_ARGS_MAX, list},
                 {"describe", 2, 2, cli_register_describe},
                 {"show", 3, 3, cli_register_show},
                 {"new", 2, RP_ARGS_MAX, create},
                 {"edit", 3, RP_ARGS_MAX, edit},
                 {"move", 4, RP_ARGS_MAX, move},
                 {"example", 2, 2, cli_register_example},
                 {"remove", 3, 3, take_back},
                 {"retention", 1, 1, cli_register_retention},
                 {"hold", 5, 5, hold},
                 {"resume", 4, 4, hold},
                 {"attach", 5, 5, cli_register_attach},
                 {"search", 2, RP_ARGS_MAX, cli_register_search},
                 {"export", 2, 3, cli_register_export},
                 {"import", 3, 3, cli_register_import},
                 {"view", 2, RP_ARGS_MAX, cli_register_view},
                 {"token", 1, RP_ARGS_MAX, cli_register_token}};
    for (size_t i = 0; cli->arg_count > 0 && i < RP_COUNT_OF(words); i++) {
        if (strcmp(cli->args[0], words[i].word) == 0 && cli->arg_count >= words[i].least &&
            cli->arg_count <= words[i].most) {
            return words[i].run(cli);
        }
    }
    return cli_usage_words(cli);
}
