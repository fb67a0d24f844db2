/* waf_test.c — the Core Rule Set's regression tests: in process (request, rules, log), or sent to a
 * server.
 *
 * In process the set-up is that of the project's own runs: paranoia 4, nothing blocked, so that
 * every match is seen. A status is fulfilled by what a server answers (200; 400 for a message that
 * none takes; what /reflect was told) or by what the rules would answer if they blocked.
 */
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "os/file.h"
#include "waf_test.h"

enum { FILE_MAX = 8 << 20, FILE_ARENA = 64 << 20, TX_MAX = 256 << 20, LOG_MAX = 4 << 20 };

/* About a second of a core: whether a rule fits is asked here, not what it costs. */
enum { BUDGET_STEPS = 1000 * 1000 * 1000 };

struct runner {
    struct cli *cli;
    const struct rp_waf *waf; /* or NULL, and a wire */
    struct waf_wire *wire;
    struct rp_arena *file_arena, *tx_arena;
    struct rp_json *failures; /* --json */
    size_t passed, failed, skipped;
    bool progress;
};

/* ---- in process: rules, and a log as a server's error log has it ---- */

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

static rp_err tell(struct rp_waf_tx *tx, const struct waf_message *request, struct rp_arena *arena,
                   struct waf_outcome *ret_outcome) {
    size_t count = 0;
    const struct rp_waf_match *matches = rp_waf_tx_matches(tx, &count, NULL);
    struct rp_buf log = rp_buf_new(LOG_MAX);
    for (size_t i = 0; i < count; i++) {
        if (matches[i].logged) {
            print_line(&log, &matches[i], request->uri);
            if (ret_outcome->id_count < WAF_OUTCOME_IDS) {
                ret_outcome->ids[ret_outcome->id_count++] = matches[i].id;
            }
        }
    }
    const struct rp_waf_verdict *verdict = rp_waf_tx_verdict(tx);
    ret_outcome->refused = verdict->would_block ? verdict->status : 0;
    rp_err err = rp_buf_err(&log);
    if (rp_ok(err)) {
        err = rp_arena_copy(arena, rp_buf_view(&log), &ret_outcome->log);
    }
    rp_buf_done(&log);
    return err;
}

static rp_err judge(struct runner *runner, const struct rp_waf_site *site,
                    const struct waf_stage *stage, struct waf_outcome *ret_outcome) {
    struct waf_message response;
    struct rp_waf_tx *tx = NULL;
    RP_TRY(waf_test_answer(stage, runner->tx_arena, &response));
    RP_TRY(waf_judge(runner->waf, site, &stage->request, &response, runner->tx_arena, &tx));
    *ret_outcome = (struct waf_outcome){.in_process = true,
                                        .status = stage->request.malformed ? 400 : response.status,
                                        .location = waf_header_of(&response, "Location"),
                                        .answer = response.body};
    rp_err err = tell(tx, &stage->request, runner->tx_arena, ret_outcome);
    rp_waf_tx_done(tx);
    return err;
}

/* ---- one stage, one test ---- */

static void list_matches(struct rp_buf *text, const struct waf_outcome *outcome) {
    for (size_t i = 0; i < outcome->id_count; i++) {
        rp_buf_printf(text, "%s%llu", text->n > 0 ? " " : "", (unsigned long long)outcome->ids[i]);
    }
}

/* outcome may be NULL: it was not run. */
static void report(struct runner *runner, const char *title, unsigned line, const char *why,
                   const struct waf_outcome *outcome) {
    struct rp_buf matched = rp_buf_new(65536);
    if (outcome) {
        list_matches(&matched, outcome);
    }
    if (runner->failures) {
        struct rp_arena *arena = runner->cli->arena;
        struct rp_json *json = rp_json_add_object(arena, runner->failures, NULL);
        rp_json_add_cstr(arena, json, "test", title);
        rp_json_add_u64(arena, json, "line", line);
        rp_json_add_cstr(arena, json, "why", why);
        rp_json_add_string(arena, json, "matched", rp_buf_view(&matched));
    } else {
        printf("not ok %s (%s %u): %s; %s: %.*s\n", title, cli_say(runner->cli, "ligne", "line"),
               line, why, cli_say(runner->cli, "ont répondu", "matched"),
               RP_FMT(rp_buf_view(&matched)));
    }
    rp_buf_done(&matched);
}

static const char *try_stage(struct runner *runner, const struct rp_waf_site *site,
                             const struct waf_stage *stage, struct waf_outcome *ret_outcome) {
    rp_err err = runner->wire ? waf_wire_send(runner->wire, stage, runner->tx_arena, ret_outcome)
                              : judge(runner, site, stage, ret_outcome);
    return rp_ok(err) ? waf_test_check(runner->tx_arena, stage, ret_outcome)
                      : rp_err_text(err, runner->cli->lang);
}

static bool is_redirection(unsigned status) {
    return status >= 300 && status <= 308 && status != 304 && status != 305 && status != 306;
}

/* The stage itself, or where the one before was sent. NULL: it was sent nowhere. */
static const struct waf_stage *as_followed(struct runner *runner, const struct waf_stage *stage,
                                           const struct waf_outcome *before) {
    struct waf_stage *followed = rp_arena_alloc(runner->tx_arena, sizeof *followed);
    if (!stage->follows) {
        return stage;
    }
    bool sent = followed && before && is_redirection(before->status) && before->location.n > 0 &&
                rp_ok(waf_test_follow(stage, before->location, runner->tx_arena, followed));
    return sent ? followed : NULL;
}

/* before: what came of the stage before, or NULL. */
static bool run_stage(struct runner *runner, const struct rp_waf_site *site, const char *title,
                      const struct waf_stage *as_written, const struct waf_outcome *before,
                      struct waf_outcome *outcome) {
    const struct waf_stage *stage = as_followed(runner, as_written, before);
    const char *why =
        stage ? try_stage(runner, site, stage, outcome) : "the stage before was not sent elsewhere";
    if (why && stage && runner->wire && stage->expect.retry_once) {
        why = try_stage(runner, site, stage, outcome);
    }
    if (why) {
        report(runner, title, as_written->line, why, stage ? outcome : NULL);
    }
    return why == NULL;
}

static void run_test(struct runner *runner, const struct waf_test_case *test) {
    if (test->refused) {
        report(runner, test->title, test->line, test->refused, NULL);
        runner->failed++;
        return;
    }
    if (!test->enabled || test->stage_count == 0) {
        runner->skipped++;
        return;
    }
    rp_arena_reset(runner->tx_arena);
    struct waf_memory *memory = waf_memory_new(runner->tx_arena);
    const struct rp_waf_memory remembers = waf_memory_interface(memory);
    const struct rp_waf_site site = {
        .mode = RP_WAF_DETECT, .budget = BUDGET_STEPS, .memory = memory ? &remembers : NULL};
    struct waf_outcome *outcomes = rp_arena_array(runner->tx_arena, 2, sizeof *outcomes);
    bool holds = outcomes != NULL;
    for (size_t i = 0; i < test->stage_count && holds; i++) {
        holds = run_stage(runner, &site, test->title, &test->stages[i],
                          i > 0 ? &outcomes[(i - 1) % 2] : NULL, &outcomes[i % 2]);
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
    struct rp_diag diag = cli_diag(runner->cli);
    rp_view text = {NULL, 0};
    rp_arena_reset(runner->file_arena);
    rp_err err = rp_file_read(path, FILE_MAX, runner->file_arena, &text);
    if (rp_ok(err)) {
        err = waf_test_read(text, runner->file_arena, &file, &diag);
    }
    if (!rp_ok(err)) { /* the others still tell what they have to tell */
        runner->failed++;
        cli_fail(runner->cli, err, path, &diag);
        if (runner->failures) {
            report(runner, path, diag.line,
                   diag.text[0] ? diag.text : rp_err_text(err, runner->cli->lang), NULL);
        }
        return;
    }
    for (size_t i = 0; i < file.test_count; i++) {
        run_test(runner, &file.tests[i]);
    }
}

static int is_test_or_folder(const struct dirent *entry) {
    const char *end = strrchr(entry->d_name, '.');
    bool test = end && (strcmp(end, ".yaml") == 0 || strcmp(end, ".yml") == 0);
    bool folder = entry->d_type == DT_DIR || (entry->d_type == DT_UNKNOWN && !end);
    return entry->d_name[0] != '.' && (test || folder);
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
        printf("%zu %s, %zu %s, %zu %s\n", runner->passed,
               cli_say(runner->cli, "réussis", "passed"), runner->failed,
               cli_say(runner->cli, "échoués", "failed"), runner->skipped,
               cli_say(runner->cli, "sautés", "skipped"));
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
    if (runner->passed + runner->failed + runner->skipped == 0) {
        struct rp_diag diag = cli_diag(runner->cli);
        rp_err none = rp_fail(&diag, RP_ERR(NOT_FOUND), "%s",
                              cli_say(runner->cli, "aucun test dans les fichiers .yaml",
                                      "no test in the .yaml files there"));
        return cli_fail(runner->cli, none, runner->cli->tests.p[0], &diag);
    }
    print_result(runner);
    return runner->failed > 0 ? RP_EXIT_FINDING : RP_EXIT_OK;
}

static enum rp_exit run_with(struct cli *cli, const struct rp_waf *waf, struct waf_wire *wire) {
    struct runner runner = {.cli = cli,
                            .waf = waf,
                            .wire = wire,
                            .file_arena = rp_arena_new(FILE_ARENA),
                            .tx_arena = rp_arena_new(TX_MAX),
                            .failures = cli->json ? rp_json_array(cli->arena) : NULL,
                            .progress = isatty(STDERR_FILENO) == 1};
    enum rp_exit code = runner.file_arena && runner.tx_arena
                            ? run_all(&runner)
                            : cli_fail(cli, RP_ERR(NO_MEMORY), cli->command, NULL);
    rp_arena_free(runner.file_arena);
    rp_arena_free(runner.tx_arena);
    return code;
}

static enum rp_exit over_the_wire(struct cli *cli) {
    struct waf_wire *wire = NULL;
    enum rp_exit code = waf_wire_open(cli, cli->url, cli->log, &wire);
    if (code == RP_EXIT_OK) {
        code = run_with(cli, NULL, wire);
    }
    waf_wire_close(wire);
    return code;
}

enum rp_exit waf_test(struct cli *cli) {
    struct waf_rules rules;
    bool wired = cli->url && cli->log && cli->rules.count == 0 && !cli->image;
    if (cli->arg_count != 1 || cli->tests.count == 0 || (!wired && (cli->url || cli->log))) {
        return cli_usage(cli, cli_say(cli,
                                      "test --rules FICHIER… --tests DOSSIER…, ou test --url "
                                      "http://ADRESSE:PORT --log JOURNAL --tests DOSSIER…",
                                      "test --rules FILE… --tests DIR…, or test --url "
                                      "http://ADDRESS:PORT --log FILE --tests DIR…"));
    }
    if (wired) {
        return over_the_wire(cli);
    }
    enum rp_exit code = waf_rules_open(cli, WAF_CRS_CI, &rules);
    if (code != RP_EXIT_OK) {
        return code;
    }
    code = run_with(cli, rules.waf, NULL);
    waf_rules_done(&rules);
    return code;
}
