/* waf_test.c — the Core Rule Set's regression tests, run in process: request, rules, log.
 *
 * The set-up is that of the project's own runs: paranoia 4, nothing blocked, so that every match is
 * seen. A status is fulfilled by what a server answers (200; 400 for a message that none
 * takes; what /reflect was told) or by what the rules would answer if they blocked.
 */
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "os/file.h"
#include "shield/regex.h"
#include "waf_test.h"

enum { FILE_MAX = 8 << 20, FILE_ARENA = 64 << 20, TX_MAX = 256 << 20, LOG_MAX = 4 << 20 };

struct runner {
    struct cli *cli;
    const struct rp_waf *waf;
    struct rp_arena *file_arena, *tx_arena;
    struct rp_json *failures; /* --json */
    size_t passed, failed, skipped;
    bool progress;
};

/* ---- the log, as a server's error log has it ---- */

static void print_line(struct rp_buf *log, const struct rp_waf_match *match, rp_view uri) {
    rp_buf_printf(log,
                  "ModSecurity: Warning. [file \"%.*s\"] [line \"%u\"] [id \"%llu\"] [msg "
                  "\"%.*s\"] [data \"%.*s\"]",
                  RP_FMT(match->file), match->line, (unsigned long long)match->id,
                  RP_FMT(match->message), RP_FMT(match->log_data));
    if (match->severity < 8) {
        rp_buf_printf(log, " [severity \"%u\"]", match->severity);
    }
    for (size_t i = 0; i < match->tag_count; i++) {
        rp_buf_printf(log, " [tag \"%.*s\"]", RP_FMT(match->tags[i]));
    }
    rp_buf_printf(log, " [uri \"%.*s\"]\n", RP_FMT(uri));
}

static bool has_id(struct rp_waf_tx *tx, uint64_t id) {
    size_t count = 0;
    const struct rp_waf_match *matches = rp_waf_tx_matches(tx, &count, NULL);
    for (size_t i = 0; i < count; i++) {
        if (matches[i].id == id && matches[i].logged) {
            return true;
        }
    }
    return false;
}

/* The first rule that matched and was not expected; 0 = none. */
static uint64_t uninvited(struct rp_waf_tx *tx, const struct waf_expect *expect) {
    size_t count = 0;
    const struct rp_waf_match *matches = rp_waf_tx_matches(tx, &count, NULL);
    for (size_t i = 0; i < count; i++) {
        bool expected = !matches[i].logged;
        for (size_t j = 0; j < expect->id_count; j++) {
            expected = expected || matches[i].id == expect->ids[j];
        }
        if (!expected) {
            return matches[i].id;
        }
    }
    return 0;
}

/* ---- does it hold ---- */

struct outcome {
    const struct waf_stage *stage;
    struct rp_waf_tx *tx;
    unsigned status;
    struct rp_buf log;
    rp_view answer; /* its body */
};

/* What servers answer themselves, each in its way: a version that none speaks, a tunnel. */
static bool server_may_say(const struct waf_message *request, uint64_t status) {
    rp_view version = request->protocol;
    bool spoken = rp_view_starts(version, RP_VIEW("HTTP/1.")) ||
                  rp_view_equal(version, RP_VIEW("HTTP/2")) ||
                  rp_view_equal(version, RP_VIEW("HTTP/2.0"));
    bool tunnel = rp_view_equal(request->method, RP_VIEW("CONNECT"));
    return (!spoken && (status == 400 || status == 426 || status == 505)) ||
           (tunnel && (status == 400 || status == 405));
}

static bool status_holds(const struct outcome *out) {
    const struct waf_expect *expect = &out->stage->expect;
    const struct rp_waf_verdict *verdict = rp_waf_tx_verdict(out->tx);
    for (size_t i = 0; i < expect->status_count; i++) {
        bool blocked = verdict->would_block && expect->statuses[i] == verdict->status;
        if (expect->statuses[i] == out->status || blocked ||
            server_may_say(&out->stage->request, expect->statuses[i])) {
            return true;
        }
    }
    return expect->status_count == 0;
}

/* What failed, in words; NULL when all holds. */
static const char *check(struct rp_arena *arena, const struct outcome *out) {
    const struct waf_expect *expect = &out->stage->expect;
    rp_view log = rp_buf_view(&out->log);
    if (expect->has_error && expect->error != (out->stage->request.malformed != NULL)) {
        return expect->error ? "expected: no answer; the request is well formed"
                             : "expected: an answer; the request is malformed";
    }
    if (!status_holds(out)) {
        return (const char *)rp_arena_printf(arena, "status %u", out->status).p;
    }
    for (size_t i = 0; i < expect->id_count; i++) {
        if (!has_id(out->tx, expect->ids[i])) {
            return (const char *)rp_arena_printf(arena, "%llu did not match",
                                                 (unsigned long long)expect->ids[i])
                .p;
        }
    }
    for (size_t i = 0; i < expect->no_id_count; i++) {
        if (has_id(out->tx, expect->no_ids[i])) {
            return (const char *)rp_arena_printf(arena, "%llu matched",
                                                 (unsigned long long)expect->no_ids[i])
                .p;
        }
    }
    uint64_t other = expect->isolated ? uninvited(out->tx, expect) : 0;
    if (other != 0) {
        return (const char *)rp_arena_printf(arena, "isolated, but %llu matched",
                                             (unsigned long long)other)
            .p;
    }
    if (expect->log_contains.p && !rp_regex_search(expect->log_contains, log)) {
        return (const char *)rp_arena_printf(arena, "not in the log: %.*s",
                                             RP_FMT(expect->log_contains))
            .p;
    }
    if (expect->no_log_contains.p && rp_regex_search(expect->no_log_contains, log)) {
        return (const char *)rp_arena_printf(arena, "in the log: %.*s",
                                             RP_FMT(expect->no_log_contains))
            .p;
    }
    if (expect->response_contains.p && !rp_regex_search(expect->response_contains, out->answer)) {
        return "the answer does not contain what it should";
    }
    return NULL;
}

/* ---- one stage, one test ---- */

static void list_matches(struct rp_buf *text, struct rp_waf_tx *tx) {
    size_t count = 0;
    const struct rp_waf_match *matches = rp_waf_tx_matches(tx, &count, NULL);
    for (size_t i = 0; i < count; i++) {
        if (matches[i].logged) {
            rp_buf_printf(text, "%s%llu", text->n > 0 ? " " : "",
                          (unsigned long long)matches[i].id);
        }
    }
}

static void report(struct runner *runner, const char *title, const struct waf_stage *stage,
                   const char *why, struct rp_waf_tx *tx) {
    struct rp_buf matched = rp_buf_new(65536);
    if (tx) {
        list_matches(&matched, tx);
    }
    if (runner->failures) {
        struct rp_arena *arena = runner->cli->arena;
        struct rp_json *json = rp_json_add_object(arena, runner->failures, NULL);
        rp_json_add_cstr(arena, json, "test", title);
        rp_json_add_u64(arena, json, "line", stage->line);
        rp_json_add_cstr(arena, json, "why", why);
        rp_json_add_string(arena, json, "matched", rp_buf_view(&matched));
    } else {
        printf("not ok %s (%s %u): %s; %s: %.*s\n", title, cli_say(runner->cli, "ligne", "line"),
               stage->line, why, cli_say(runner->cli, "ont répondu", "matched"),
               RP_FMT(rp_buf_view(&matched)));
    }
    rp_buf_done(&matched);
}

static rp_err judge(struct runner *runner, const struct rp_waf_site *site,
                    struct waf_message *response, struct outcome *out) {
    const struct waf_message *request = &out->stage->request;
    RP_TRY(waf_test_answer(out->stage, runner->tx_arena, response));
    RP_TRY(waf_judge(runner->waf, site, request, response, runner->tx_arena, &out->tx));
    out->status = request->malformed ? 400 : response->status;
    out->answer = response->body;
    size_t count = 0;
    const struct rp_waf_match *matches = rp_waf_tx_matches(out->tx, &count, NULL);
    for (size_t i = 0; i < count; i++) {
        if (matches[i].logged) {
            print_line(&out->log, &matches[i], request->uri);
        }
    }
    return rp_buf_err(&out->log);
}

static bool run_stage(struct runner *runner, const struct rp_waf_site *site, const char *title,
                      const struct waf_stage *stage) {
    struct outcome out = {.stage = stage, .log = rp_buf_new(LOG_MAX)};
    struct waf_message response;
    rp_err err = judge(runner, site, &response, &out);
    const char *why =
        rp_ok(err) ? check(runner->tx_arena, &out) : rp_err_text(err, runner->cli->lang);
    if (why) {
        report(runner, title, stage, why, out.tx);
    }
    rp_waf_tx_done(out.tx);
    rp_buf_done(&out.log);
    return why == NULL;
}

static void run_test(struct runner *runner, const struct waf_test_case *test) {
    if (!test->enabled || test->stage_count == 0) {
        runner->skipped++;
        return;
    }
    rp_arena_reset(runner->tx_arena);
    struct waf_memory *memory = waf_memory_new(runner->tx_arena);
    const struct rp_waf_memory remembers = waf_memory_interface(memory);
    const struct rp_waf_site site = {.mode = RP_WAF_DETECT, .memory = memory ? &remembers : NULL};
    bool holds = true;
    for (size_t i = 0; i < test->stage_count && holds; i++) {
        holds = run_stage(runner, &site, test->title, &test->stages[i]);
    }
    runner->passed += holds;
    runner->failed += !holds;
    if (runner->progress && (runner->passed + runner->failed) % 100 == 0) {
        fprintf(stderr, "\r%zu … ", runner->passed + runner->failed);
    }
}

/* ---- files and folders ---- */

static void run_file(struct runner *runner, const char *path) {
    struct waf_test_file file;
    struct rp_diag diag = {0};
    rp_view text = {NULL, 0};
    rp_arena_reset(runner->file_arena);
    rp_err err = rp_file_read(path, FILE_MAX, runner->file_arena, &text);
    if (rp_ok(err)) {
        err = waf_test_read(text, runner->file_arena, &file, &diag);
    }
    if (!rp_ok(err)) { /* the others still tell what they have to tell */
        runner->failed++;
        cli_fail(runner->cli, err, path, &diag);
        return;
    }
    for (size_t i = 0; i < file.test_count; i++) {
        run_test(runner, &file.tests[i]);
    }
}

static int is_test_or_folder(const struct dirent *entry) {
    const char *end = strrchr(entry->d_name, '.');
    return entry->d_name[0] != '.' &&
           (!end || strcmp(end, ".yaml") == 0 || strcmp(end, ".yml") == 0);
}

enum { DEPTH_MAX = 8 };

static enum rp_exit run_path(struct runner *runner, const char *path, unsigned depth) {
    struct stat facts;
    if (stat(path, &facts) != 0) {
        return cli_fail(runner->cli, RP_ERR(NOT_FOUND), path, NULL);
    }
    if (!S_ISDIR(facts.st_mode)) {
        run_file(runner, path);
        return RP_EXIT_OK;
    }
    struct dirent **entries = NULL;
    int count = depth < DEPTH_MAX ? scandir(path, &entries, is_test_or_folder, alphasort) : 0;
    enum rp_exit code = count >= 0 ? RP_EXIT_OK : cli_fail(runner->cli, RP_ERR(IO), path, NULL);
    for (int i = 0; i < count; i++) {
        rp_view inner = rp_arena_printf(runner->cli->arena, "%s/%s", path, entries[i]->d_name);
        if (code == RP_EXIT_OK && inner.p) {
            code = run_path(runner, (const char *)inner.p, depth + 1);
        }
        free(entries[i]);
    }
    free(entries);
    return code;
}

static void print_result(const struct runner *runner) {
    if (!runner->failures) {
        printf("%zu passed, %zu failed, %zu skipped\n", runner->passed, runner->failed,
               runner->skipped);
        return;
    }
    struct rp_json *root = rp_json_object(runner->cli->arena);
    rp_json_add_u64(runner->cli->arena, root, "passed", runner->passed);
    rp_json_add_u64(runner->cli->arena, root, "failed", runner->failed);
    rp_json_add_u64(runner->cli->arena, root, "skipped", runner->skipped);
    rp_json_add(runner->cli->arena, root, "failures", runner->failures);
    cli_print_json(root);
}

static enum rp_exit run_all(struct runner *runner) {
    enum rp_exit code = RP_EXIT_OK;
    for (size_t i = 0; i < runner->cli->tests.count && code == RP_EXIT_OK; i++) {
        code = run_path(runner, runner->cli->tests.p[i], 0);
    }
    if (runner->progress) {
        fputs("\r", stderr);
    }
    if (code != RP_EXIT_OK) {
        return code;
    }
    print_result(runner);
    return runner->failed > 0 ? RP_EXIT_FINDING : RP_EXIT_OK;
}

enum rp_exit waf_test(struct cli *cli) {
    struct waf_rules rules;
    if (cli->arg_count != 1 || cli->tests.count == 0) {
        return cli_usage(cli, cli_say(cli, "test --rules FICHIER… --tests DOSSIER…",
                                      "test --rules FILE… --tests DIR…"));
    }
    enum rp_exit code = waf_rules_open(cli, WAF_CRS_CI, &rules);
    if (code != RP_EXIT_OK) {
        return code;
    }
    struct runner runner = {.cli = cli,
                            .waf = rules.waf,
                            .file_arena = rp_arena_new(FILE_ARENA),
                            .tx_arena = rp_arena_new(TX_MAX),
                            .failures = cli->json ? rp_json_array(cli->arena) : NULL,
                            .progress = isatty(STDERR_FILENO) == 1};
    code = runner.file_arena && runner.tx_arena
               ? run_all(&runner)
               : cli_fail(cli, RP_ERR(NO_MEMORY), cli->command, NULL);
    rp_arena_free(runner.file_arena);
    rp_arena_free(runner.tx_arena);
    waf_rules_done(&rules);
    return code;
}
