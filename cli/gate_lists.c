/* gate_lists.c — who may always come in at the gate, and who may not. */
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/env.h"
#include "base/id.h"
#include "gate.h"
#include "os/file.h"
#include "wire/http.h"

#define LISTS "/.rempart/api/v1/admin/gate/lists"
#define IMPORT "/.rempart/api/v1/admin/gate/import"

enum { FILE_BYTES = 8 << 20, MINUTES_MAX = 10 * 366 * 24 * 60, WHO_MAX = 60 };

rp_view cli_gate_who(void) {
    static const char *const names[] = {"SUDO_USER", "LOGNAME", "USER"};
    for (size_t i = 0; i < RP_COUNT_OF(names); i++) {
        const char *name = getenv(names[i]);
        if (name && *name) {
            return rp_view_sub(rp_view_from_cstr(name), 0, WHO_MAX);
        }
    }
    return RP_VIEW("owner");
}

bool cli_gate_end(const struct cli *cli, uint64_t *ret_until_ms) {
    uint64_t minutes = 0;
    rp_view days = rp_view_from_cstr(cli->days), text = rp_view_from_cstr(cli->minutes);
    if (!days.p && !text.p) {
        *ret_until_ms = 0;
        return true;
    }
    if ((days.p && text.p) || !rp_view_to_u64(days.p ? days : text, MINUTES_MAX, &minutes) ||
        minutes == 0) {
        return false;
    }
    minutes *= days.p ? 24 * 60 : 1;
    struct rp_env env = rp_env_real();
    *ret_until_ms = (uint64_t)rp_env_now_ms(&env) + minutes * 60 * 1000;
    return minutes <= MINUTES_MAX;
}

/* body may be NULL. Says what went wrong. */
static enum rp_exit ask(struct cli *cli, const char *method, const char *path,
                        const struct rp_json *body, struct rp_json **ret_answer) {
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(65536);
    struct rp_diag diag = cli_diag(cli);
    rp_err err = body ? rp_json_print(body, &text) : RP_OK;
    if (rp_ok(err)) {
        err = cli_ask_core(cli, method, path, rp_buf_view(&text), ret_answer, &diag);
    }
    return rp_ok(err) ? RP_EXIT_OK : cli_fail(cli, err, cli->command, &diag);
}

/* ---- one entry ---- */

static bool add_header(struct cli *cli, struct rp_json *body) {
    rp_view text = rp_view_from_cstr(cli->header);
    rp_view name = rp_view_trim(rp_view_cut(&text, ':'));
    if (!text.p || name.n == 0 || rp_view_trim(text).n == 0) {
        return false;
    }
    rp_json_add_string(cli->arena, body, "header", name);
    rp_json_add_string(cli->arena, body, "value", rp_view_trim(text));
    return true;
}

static enum rp_exit put_one(struct cli *cli, uint64_t expires_ms) {
    struct rp_json *body = rp_json_object(cli->arena), *answer = NULL;
    rp_json_add_cstr(cli->arena, body, "action", cli->args[0]);
    rp_json_add_cstr(cli->arena, body, "reason", cli->reason);
    rp_json_add_string(cli->arena, body, "by", cli_gate_who());
    if (expires_ms > 0) {
        rp_json_add_u64(cli->arena, body, "expires_ms", expires_ms);
    }
    const char *const asked[][2] = {{"network", cli->arg_count == 2 ? cli->args[1] : NULL},
                                    {"path", cli->path},
                                    {"method", cli->method}};
    for (size_t i = 0; i < RP_COUNT_OF(asked); i++) {
        if (asked[i][1]) {
            rp_json_add_cstr(cli->arena, body, asked[i][0], asked[i][1]);
        }
    }
    if (cli->header && !add_header(cli, body)) {
        return cli_usage(cli, "--header 'Name: text'");
    }
    enum rp_exit code = ask(cli, "POST", LISTS, body, &answer);
    if (code == RP_EXIT_OK && cli->json) {
        cli_print_json(answer);
    } else if (code == RP_EXIT_OK) {
        printf("%.*s\n", RP_FMT(rp_json_get_string(answer, "id")));
    }
    return code;
}

/* ---- a file ---- */

static rp_err read_input(struct cli *cli, rp_view *ret_text) {
    if (strcmp(cli->file, "-") != 0) {
        return rp_file_read(cli->file, FILE_BYTES, cli->arena, ret_text);
    }
    uint8_t *bytes = rp_arena_alloc(cli->arena, FILE_BYTES);
    size_t n = bytes ? fread(bytes, 1, FILE_BYTES, stdin) : 0;
    if (!bytes || !feof(stdin)) {
        return bytes && n == FILE_BYTES ? RP_ERR(TOO_LARGE) : RP_ERR(SYSTEM);
    }
    *ret_text = rp_view_of(bytes, n);
    return RP_OK;
}

static rp_err import_path(struct cli *cli, uint64_t expires_ms, struct rp_buf *path) {
    rp_buf_printf(path, "%s?action=%s&reason=", IMPORT, cli->args[0]);
    rp_url_encode(path, rp_view_from_cstr(cli->reason));
    rp_buf_add_cstr(path, "&by=");
    rp_url_encode(path, cli_gate_who());
    if (expires_ms > 0) {
        rp_buf_printf(path, "&expires_ms=%llu", (unsigned long long)expires_ms);
    }
    rp_buf_add_byte(path, 0);
    return rp_buf_err(path);
}

static enum rp_exit import(struct cli *cli, uint64_t expires_ms) {
    rp_view text;
    struct rp_json *answer = NULL;
    struct rp_diag diag = cli_diag(cli);
    rp_err err = read_input(cli, &text);
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli->file, NULL);
    }
    _cleanup_(rp_buf_done) struct rp_buf path = rp_buf_new(4096);
    err = import_path(cli, expires_ms, &path);
    if (rp_ok(err)) {
        err = cli_enter_state(cli);
    }
    if (rp_ok(err)) {
        err = cli_send_core(cli, (const char *)path.p, text, &answer, &diag);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli->file, &diag);
    }
    uint64_t count = 0;
    if (cli->json) {
        cli_print_json(answer);
    } else if (rp_json_get_u64(answer, "count", &count)) {
        printf("%llu %s\n", (unsigned long long)count,
               cli_plural(cli, count, cli_say(cli, "réseau inscrit", "network listed"),
                          cli_say(cli, "réseaux inscrits", "networks listed")));
    }
    return RP_EXIT_OK;
}

/* ---- reading ---- */

static void print_part(const struct rp_json *entry, const char *key, const char *before) {
    rp_view text = rp_json_get_string(entry, key);
    if (text.n > 0) {
        printf("%s%.*s", before, RP_FMT(text));
    }
}

static void print_entry(const struct cli *cli, const struct rp_json *entry) {
    rp_view until = rp_json_get_string(entry, "until");
    printf("%.*s  %-5.*s ", RP_FMT(rp_json_get_string(entry, "id")),
           RP_FMT(rp_json_get_string(entry, "action")));
    print_part(entry, "network", " ");
    print_part(entry, "method", " ");
    print_part(entry, "path", " ");
    print_part(entry, "header", " ");
    print_part(entry, "value", ": ");
    printf("  %s %.*s  %.*s (%.*s)\n", cli_say(cli, "jusqu’au", "until"),
           RP_FMT(until.n ? until : rp_view_from_cstr(cli_say(cli, "retrait", "removed"))),
           RP_FMT(rp_json_get_string(entry, "reason")), RP_FMT(rp_json_get_string(entry, "by")));
}

/* Page after page; as JSON, an entry a line. */
static enum rp_exit list(struct cli *cli) {
    rp_view after = {NULL, 0};
    struct rp_arena *whole = cli->arena;
    for (enum rp_exit code = RP_EXIT_OK; code == RP_EXIT_OK;) {
        _cleanup_(rp_arena_freep) struct rp_arena *page = rp_arena_new(32 << 20);
        rp_view path =
            rp_arena_printf(whole, "%s%s%.*s", LISTS, after.p ? "?after=" : "", RP_FMT(after));
        struct rp_json *answer = NULL;
        if (!page || !path.p) {
            return cli_fail(cli, RP_ERR(NO_MEMORY), cli->command, NULL);
        }
        cli->arena = page;
        code = ask(cli, "GET", (const char *)path.p, NULL, &answer);
        cli->arena = whole;
        const struct rp_json *entries = rp_json_get(answer, "entries");
        for (const struct rp_json *e = entries ? entries->first : NULL; e; e = e->next) {
            if (cli->json) {
                cli_print_json(e);
            } else {
                print_entry(cli, e);
            }
        }
        if (code != RP_EXIT_OK || !rp_json_get_string(answer, "next").p) {
            return code;
        }
        rp_err err = rp_arena_copy(whole, rp_json_get_string(answer, "next"), &after);
        if (!rp_ok(err)) {
            return cli_fail(cli, err, cli->command, NULL);
        }
    }
    return RP_EXIT_UNREACHABLE;
}

static enum rp_exit remove_one(struct cli *cli) {
    rp_id id;
    struct rp_json *body = rp_json_object(cli->arena), *answer = NULL;
    bool is_id = rp_id_parse(rp_view_from_cstr(cli->args[1]), &id);
    rp_json_add_cstr(cli->arena, body, is_id ? "id" : "network", cli->args[1]);
    rp_json_add_string(cli->arena, body, "by", cli_gate_who());
    enum rp_exit code = ask(cli, "POST", LISTS "/remove", body, &answer);
    if (code == RP_EXIT_OK && cli->json) {
        cli_print_json(answer);
    }
    return code;
}

static enum rp_exit in_state(struct cli *cli, enum rp_exit (*run)(struct cli *cli)) {
    rp_err err = cli_enter_state(cli);
    return rp_ok(err) ? run(cli) : cli_fail(cli, err, cli->state, NULL);
}

static enum rp_exit put(struct cli *cli) {
    uint64_t expires_ms = 0;
    bool asks = cli->arg_count == 2 || cli->path || cli->method || cli->header;
    if (!cli->reason || !*cli->reason) {
        return cli_usage(cli,
                         cli_say(cli, "dites pourquoi : --reason TEXTE", "say why: --reason TEXT"));
    }
    if (!cli_gate_end(cli, &expires_ms)) {
        return CLI_GATE_END_USAGE(cli);
    }
    if (cli->arg_count > 2 || asks == (cli->file != NULL)) {
        return cli_usage(cli,
                         cli_say(cli, "un réseau, --path, --method ou --header ; ou --file FICHIER",
                                 "a network, --path, --method or --header; or --file FILE"));
    }
    if (cli->file) {
        return import(cli, expires_ms); /* the file is where the reader stands */
    }
    rp_err err = cli_enter_state(cli);
    return rp_ok(err) ? put_one(cli, expires_ms) : cli_fail(cli, err, cli->state, NULL);
}

enum rp_exit cli_gate_lists(struct cli *cli) {
    if (strcmp(cli->args[0], "list") == 0) {
        return cli->arg_count == 1 ? in_state(cli, list) : cli_usage(cli, "gate list [--json]");
    }
    if (strcmp(cli->args[0], "remove") == 0) {
        return cli->arg_count == 2 ? in_state(cli, remove_one)
                                   : cli_usage(cli, cli_say(cli, "gate remove ID|RÉSEAU",
                                                            "gate remove ID|NETWORK"));
    }
    return put(cli);
}
