/* register_show.c — registers and records as people read them: a line each, or one record whole
 * with what can be done with it now.
 */
#include "base/checked.h"
#include "cli.h"
#include "register.h"

enum { VALUE_SHOWN = 64 * 1024 };

rp_view cli_register_words(const struct cli *cli, const struct rp_json *json, const char *key) {
    return rp_json_get_string(rp_json_get(json, key), cli->lang == RP_FR ? "fr" : "en");
}

const struct rp_json *cli_register_first(const struct rp_json *json, const char *key) {
    const struct rp_json *list = rp_json_get(json, key);
    return list ? list->first : NULL;
}

/* ---- what there is ---- */

struct rp_json *cli_register_all(struct cli *cli) {
    struct rp_json *registers = NULL;
    const char *path = cli_register_address(cli, NULL, NULL, NULL);
    return cli_ask(cli, "GET", path, NULL, &registers) == RP_EXIT_OK ? registers : NULL;
}

const struct rp_json *cli_register_find(const struct rp_json *registers, rp_view id) {
    for (const struct rp_json *one = registers ? registers->first : NULL; one; one = one->next) {
        if (rp_view_equal(rp_json_get_string(one, "id"), id)) {
            return one;
        }
    }
    return NULL;
}

/* ---- a line each ---- */

static void print_line(struct cli *cli, const struct rp_json *record,
                       const struct rp_json *registers) {
    uint64_t number = 0, version = 0;
    rp_view id = rp_json_get_string(record, "register"), title = {NULL, 0};
    rp_view field = rp_json_get_string(cli_register_find(registers, id), "title");
    if (field.n > 0) {
        title = rp_json_get_string(record, rp_arena_cstr(cli->arena, field));
    }
    (void)rp_json_get_u64(record, "number", &number);
    (void)rp_json_get_u64(record, "version", &version);
    printf("%.*s-%llu  %.*s  v%llu  %.*s%s%.*s\n", RP_FMT(id), (unsigned long long)number,
           RP_FMT(rp_json_get_string(record, "state")), (unsigned long long)version,
           RP_FMT(rp_json_get_string(record, "id")), title.n > 0 ? "  " : "", RP_FMT(title));
}

void cli_register_print_one(struct cli *cli, const struct rp_json *record) {
    if (cli->json) {
        cli_print_json(record);
        return;
    }
    print_line(cli, record, cli_register_all(cli));
}

static void print_register(const struct cli *cli, const struct rp_json *reg) {
    printf("%-5.*s %-20.*s %.*s\n", RP_FMT(rp_json_get_string(reg, "number")),
           RP_FMT(rp_json_get_string(reg, "id")), RP_FMT(cli_register_words(cli, reg, "name")));
}

void cli_register_print(struct cli *cli, const struct rp_json *list) {
    if (cli->json) {
        cli_print_json(list);
        return;
    }
    bool records = list->first && rp_json_get_string(list->first, "register").n > 0;
    const struct rp_json *registers = records ? cli_register_all(cli) : NULL;
    for (const struct rp_json *one = list->first; one; one = one->next) {
        if (records) {
            print_line(cli, one, registers);
        } else {
            print_register(cli, one);
        }
    }
}

/* ---- one whole ---- */

static void print_value(const struct rp_json *value) {
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(VALUE_SHOWN);
    if (value->kind == RP_JSON_STRING) {
        printf("%.*s", RP_FMT(value->string));
    } else if (rp_ok(rp_json_print(value, &text))) {
        printf("%.*s", RP_FMT(rp_buf_view(&text)));
    }
}

static void print_fields(struct cli *cli, const struct rp_json *reg, const struct rp_json *record) {
    for (const struct rp_json *field = cli_register_first(reg, "fields"); field;
         field = field->next) {
        rp_view id = rp_json_get_string(field, "id");
        const struct rp_json *value = rp_json_get(record, rp_arena_cstr(cli->arena, id));
        if (value) {
            printf("  %-22.*s ", RP_FMT(id));
            print_value(value);
            printf("  (%.*s)\n", RP_FMT(cli_register_words(cli, field, "label")));
        }
    }
}

static void print_deadlines(const struct cli *cli, const struct rp_json *record) {
    for (const struct rp_json *one = cli_register_first(record, "deadlines"); one;
         one = one->next) {
        const struct rp_json *paused = rp_json_get(one, "paused");
        bool stands = paused && paused->boolean;
        printf("  %s %-16.*s %.*s%s%.*s\n", cli_say(cli, "échéance", "deadline"),
               RP_FMT(rp_json_get_string(one, "id")), RP_FMT(rp_json_get_string(one, "due_at")),
               stands ? cli_say(cli, "  suspendue : ", "  held: ") : "",
               RP_FMT(rp_json_get_string(one, "reason")));
    }
}

static bool holds(const struct rp_json *json, const char *key, rp_view word) {
    for (const struct rp_json *one = cli_register_first(json, key); one; one = one->next) {
        if (rp_view_equal(one->string, word)) {
            return true;
        }
    }
    return false;
}

static void print_moves(const struct cli *cli, const struct rp_json *reg, rp_view state) {
    for (const struct rp_json *move = cli_register_first(reg, "moves"); move; move = move->next) {
        const struct rp_json *automatic = rp_json_get(move, "automatic");
        if (holds(move, "from", state) && !(automatic && automatic->boolean)) {
            printf("  %s ", cli_say(cli, "peut suivre :", "can follow:"));
            cli_register_print_move(cli, move);
        }
    }
}

static enum rp_exit print_whole(struct cli *cli, const struct rp_json *record) {
    const struct rp_json *registers = cli_register_all(cli);
    const struct rp_json *reg =
        cli_register_find(registers, rp_json_get_string(record, "register"));
    print_line(cli, record, registers);
    print_fields(cli, reg, record);
    print_deadlines(cli, record);
    print_moves(cli, reg, rp_json_get_string(record, "state"));
    return reg ? RP_EXIT_OK : RP_EXIT_UNREACHABLE;
}

/* --summary: its history, which is JSON: each value as it was and as it is. */
enum rp_exit cli_register_show(struct cli *cli) {
    struct rp_json *answer = NULL;
    const char *rest = cli->summary ? "/history" : "";
    const char *path = cli_register_address(cli, cli->args[1], cli->args[2], rest);
    enum rp_exit code = cli_ask(cli, "GET", path, NULL, &answer);
    if (code != RP_EXIT_OK) {
        return code;
    }
    if (cli->json || cli->summary) {
        cli_print_json(answer);
        return RP_EXIT_OK;
    }
    return print_whole(cli, answer);
}
