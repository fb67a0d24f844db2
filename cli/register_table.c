/* register_table.c — registers as tables, searched, listed by saved views; tokens for programs. */
#include <fcntl.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "register.h"
#include "wire/http.h"

enum { TABLE_MAX = 300 * 1024, PATH_MAX_HERE = 8192 };

/* base, and name=value encoded behind it. NULL when it grows over the limit. */
static const char *with_query(struct cli *cli, const char *base, const char *name, rp_view value) {
    _cleanup_(rp_buf_done) struct rp_buf path = rp_buf_new(PATH_MAX_HERE);
    bool more = strchr(base, '?') != NULL;
    rp_buf_printf(&path, "%s%s%s=", base, more ? "&" : "?", name);
    rp_url_encode(&path, value);
    return rp_ok(rp_buf_err(&path)) ? rp_arena_cstr(cli->arena, rp_buf_view(&path)) : NULL;
}

static const char *print_path(struct cli *cli, const char *format, const char *name) {
    rp_view path = rp_arena_printf(cli->arena, "/.rempart/api/v1/%s%s%s", name ? "registers/" : "",
                                   name ? name : "", format);
    RP_ASSERT(path.p != NULL);
    return (const char *)path.p;
}

/* ---- lists with filters, and the search ---- */

const char *cli_register_filters(struct cli *cli, const char *base, const struct rp_json *fields) {
    struct rp_json *filter = rp_json_object(cli->arena);
    const char *path = base;
    for (const struct rp_json *one = fields->first; one && path; one = one->next) {
        struct rp_json *copy = rp_arena_alloc(cli->arena, sizeof *copy);
        if (rp_view_equal(one->key, RP_VIEW("view"))) {
            path = with_query(cli, path, "view", one->string);
        } else if (copy) {
            *copy = *one;
            copy->next = NULL;
            rp_json_add(cli->arena, filter, rp_arena_cstr(cli->arena, one->key), copy);
        }
    }
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(PATH_MAX_HERE);
    if (!path || !rp_ok(rp_json_print(filter, &text))) {
        return NULL;
    }
    return filter->count > 0 ? with_query(cli, path, "filter", rp_buf_view(&text)) : path;
}

enum rp_exit cli_register_search(struct cli *cli) {
    struct rp_json *answer = NULL;
    _cleanup_(rp_buf_done) struct rp_buf words = rp_buf_new(400);
    for (size_t i = 1; i < cli->arg_count; i++) {
        rp_buf_printf(&words, "%s%s", i > 1 ? " " : "", cli->args[i]);
    }
    if (!rp_ok(rp_buf_err(&words))) {
        return cli_usage(cli, cli_say(cli, "moins de mots", "fewer words"));
    }
    const char *path = with_query(cli, "/.rempart/api/v1/search", "q", rp_buf_view(&words));
    enum rp_exit code = cli_ask(cli, "GET", path, NULL, &answer);
    if (code == RP_EXIT_OK) {
        cli_register_print(cli, answer);
        code = answer->count > 0 ? RP_EXIT_OK : RP_EXIT_FINDING;
    }
    return code;
}

/* ---- out ---- */

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Page after page into the file. */
static rp_err write_pages(struct cli *cli, const char *base, int fd, struct rp_diag *diag) {
    const char *path = base;
    while (path) {
        struct cli_answer answer = {0};
        RP_TRY(cli_fetch_core_to(cli, path, fd, &answer.heads, diag));
        rp_view next = cli_answer_head(&answer, "Rempart-Next: ");
        path = next.p ? with_query(cli, base, "after", next) : NULL;
    }
    return RP_OK;
}

enum rp_exit cli_register_export(struct cli *cli) {
    const char *file = cli->arg_count > 2 ? cli->args[2] : NULL;
    bool json = cli->json || (file && ends_with(file, ".json"));
    const char *path =
        print_path(cli, json ? "/export?format=json" : "/export?format=csv", cli->args[1]);
    struct rp_diag diag = cli_diag(cli);
    _cleanup_fd_ int fd = -1;
    rp_err err = RP_OK;
    if (file) { /* before the state folder is entered: the name is the caller's */
        err = rp_file_exists(file) ? RP_ERR(DUPLICATE) : rp_file_open_append(file, 0600, &fd);
    }
    if (rp_ok(err)) {
        err = cli_enter_state(cli);
    }
    if (rp_ok(err)) {
        err = write_pages(cli, path, file ? fd : STDOUT_FILENO, &diag);
    }
    return rp_ok(err) ? RP_EXIT_OK : cli_fail(cli, err, file ? file : "export", &diag);
}

/* ---- in ---- */

static void print_import_line(const struct rp_json *one, bool applied) {
    uint64_t line = 0, column = 0;
    (void)rp_json_get_u64(one, "line", &line);
    bool there = rp_json_get_u64(one, "column", &column);
    rp_view does = rp_json_get_string(one, "does");
    /* A record that was not kept after all has no id that would lead to it. */
    bool kept = applied || !rp_view_equal(does, RP_VIEW("create"));
    printf("%llu%s%.0llu: %.*s  %.*s%.*s\n", (unsigned long long)line, there ? ":" : "",
           (unsigned long long)column, RP_FMT(does),
           RP_FMT(kept ? rp_json_get_string(one, "id") : RP_VIEW("")),
           RP_FMT(rp_json_get_string(one, "detail")));
}

static void print_report(const struct cli *cli, const struct rp_json *report) {
    const struct rp_json *lines = rp_json_get(report, "lines");
    uint64_t created = 0, edited = 0, refused = 0;
    bool applied = false;
    (void)rp_json_get_bool(report, "applied", &applied);
    (void)rp_json_get_u64(report, "created", &created);
    (void)rp_json_get_u64(report, "edited", &edited);
    (void)rp_json_get_u64(report, "refused", &refused);
    for (const struct rp_json *one = lines ? lines->first : NULL; one; one = one->next) {
        print_import_line(one, applied);
    }
    printf(applied
               ? cli_say(cli, "fait : %llu créées, %llu modifiées, %llu refusées\n",
                         "done: %llu created, %llu edited, %llu refused\n")
               : cli_say(cli, "rien n’a changé : %llu à créer, %llu à modifier, %llu refusées\n",
                         "nothing changed: %llu to create, %llu to edit, %llu refused\n"),
           (unsigned long long)created, (unsigned long long)edited, (unsigned long long)refused);
}

enum rp_exit cli_register_import(struct cli *cli) {
    const char *file = cli->args[2];
    bool csv = !ends_with(file, ".json");
    rp_view text = {NULL, 0};
    struct rp_json *report = NULL;
    struct rp_diag diag = cli_diag(cli);
    const char *path =
        print_path(cli, cli->dry_run ? "/import?dry_run=true" : "/import", cli->args[1]);
    rp_err err = rp_file_read(file, TABLE_MAX, cli->arena, &text);
    if (rp_ok(err)) {
        err = cli_enter_state(cli);
    }
    if (rp_ok(err)) {
        err = cli_post_core(cli, path, csv ? "text/csv" : "application/json", text, &report, &diag);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, file, &diag);
    }
    return cli_tell_import(cli, report, print_report);
}

/* ---- saved views: view REGISTER | view REGISTER NAME FIELD=VALUE… | view REGISTER NAME ---- */

enum rp_exit cli_register_view(struct cli *cli) {
    struct rp_json *answer = NULL;
    const char *path = print_path(cli, "/views", cli->args[1]);
    if (cli->arg_count == 2) {
        enum rp_exit code = cli_ask(cli, "GET", path, NULL, &answer);
        if (code == RP_EXIT_OK) {
            cli_print_json(answer);
        }
        return code;
    }
    if (cli->arg_count == 3) {
        path = with_query(cli, path, "name", rp_view_from_cstr(cli->args[2]));
        return cli_ask(cli, "DELETE", path, NULL, &answer);
    }
    struct rp_json *fields = cli_register_fields(cli, NULL, 3), *body = rp_json_object(cli->arena);
    if (!fields) {
        return cli_usage(cli, cli_say(cli, "champ=valeur", "field=value"));
    }
    rp_json_add_cstr(cli->arena, body, "name", cli->args[2]);
    rp_json_add(cli->arena, body, "filter", fields);
    return cli_ask(cli, "POST", path, body, &answer);
}

/* ---- tokens ---- */

enum rp_exit cli_register_token(struct cli *cli) {
    struct rp_json *answer = NULL;
    enum rp_exit code = RP_EXIT_USAGE;
    if (cli->arg_count == 1) {
        code = cli_ask(cli, "GET", "/.rempart/api/v1/tokens", NULL, &answer);
    } else if (cli->arg_count == 3 && strcmp(cli->args[1], "end") == 0) {
        rp_view path = rp_arena_printf(cli->arena, "/.rempart/api/v1/tokens/%s", cli->args[2]);
        RP_ASSERT(path.p != NULL);
        code = cli_ask(cli, "DELETE", (const char *)path.p, NULL, &answer);
    } else if (cli->arg_count > 3 && strcmp(cli->args[1], "new") == 0) {
        struct rp_json *body = cli_register_fields(cli, NULL, 3);
        if (!body) {
            return cli_usage(cli, cli_say(cli, "champ=valeur", "field=value"));
        }
        rp_json_add_cstr(cli->arena, body, "name", cli->args[2]);
        code = cli_ask(cli, "POST", "/.rempart/api/v1/tokens", body, &answer);
    } else {
        return cli_usage(
            cli, cli_say(cli, "token | token new NOM scope=read registers=* days=90 | token end ID",
                         "token | token new NAME scope=read registers=* days=90 | token end ID"));
    }
    if (code == RP_EXIT_OK) {
        cli_print_json(answer);
    }
    return code;
}
