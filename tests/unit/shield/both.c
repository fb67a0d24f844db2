/* both.c — rules loaded twice, requests judged twice. */
#include "both.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/checked.h"
#include "shield/clock_io.h"
#include "shield/compile_io.h"

enum { IMAGE_MAX = 64 << 20, RULES_MAX = 128 << 20, TX_MAX = 128 << 20 };
#define MAIN_FILE "main.conf"

/* ---- loading ---- */

struct source {
    rp_view text;
    struct rp_waf_loader disk;
};

static rp_err read_one(void *ctx, rp_view from, rp_view path, struct rp_arena *arena,
                       rp_view *ret_bytes, rp_view *ret_path) {
    const struct source *source = ctx;
    if (rp_view_equal(path, RP_VIEW(MAIN_FILE))) {
        *ret_bytes = source->text;
        *ret_path = path;
        return RP_OK;
    }
    return source->disk.read(source->disk.ctx, from, path, arena, ret_bytes, ret_path);
}

static rp_err list(void *ctx, rp_view from, rp_view pattern, struct rp_arena *arena,
                   rp_view **ret_paths, size_t *ret_count) {
    const struct source *source = ctx;
    return source->disk.glob(source->disk.ctx, from, pattern, arena, ret_paths, ret_count);
}

static rp_err compile(const char *text, struct both *both, struct rp_waf_place *place,
                      struct rp_diag *diag) {
    struct source source = {rp_view_from_cstr(text), rp_waf_disk_loader()};
    const struct rp_waf_loader loader = {.ctx = &source, .read = read_one, .glob = list};
    struct rp_waf_ruleset rules;
    rp_view name = RP_VIEW(MAIN_FILE);
    RP_TRY(rp_seclang_read(&loader, &name, 1, both->arena, &rules, place, diag));
    RP_TRY(rp_waf_compile(&rules, both->arena, &both->image, place, diag));
    return rp_waf_open(rp_buf_view(&both->image), &both->waf, diag);
}

static struct both ours_open(const char *text, struct rp_diag *ret_diag, bool *ret_taken) {
    struct both both = {.arena = rp_arena_new(RULES_MAX),
                        .kept = rp_waf_kept_new(),
                        .tx_arena = rp_arena_new(TX_MAX),
                        .image = rp_buf_new(IMAGE_MAX)};
    struct rp_waf_place place = {0};
    assert_non_null(both.arena);
    assert_non_null(both.tx_arena);
    assert_non_null(both.kept);
    *ret_taken = rp_ok(compile(text, &both, &place, ret_diag));
    return both;
}

static void take_line(void *ctx, const void *message);

struct both both_open(const char *rules) {
    bool taken = false;
    struct rp_diag diag = {0};
    struct both both = ours_open(rules, &diag, &taken);
    const char *theirs = NULL;
    if (!taken) {
        fail_msg("line %u: %s in\n%s", diag.line, diag.text, rules);
    }
    both.original = msc_init();
    both.rules = msc_create_rules_set();
    msc_set_log_cb(both.original, take_line);
    if (msc_rules_add(both.rules, rules, &theirs) < 0) {
        fail_msg("libmodsecurity: %s", theirs);
    }
    return both;
}

void both_close(struct both *both) {
    rp_waf_close(both->waf);
    rp_waf_kept_free(both->kept);
    rp_buf_done(&both->image);
    rp_arena_free(both->arena);
    rp_arena_free(both->tx_arena);
    if (both->original) {
        msc_rules_cleanup(both->rules);
        msc_cleanup(both->original);
    }
}

/* ---- ours ---- */

static struct both_line *new_line(struct both_log *log) {
    assert_true(log->count < BOTH_LINES_MAX);
    return &log->lines[log->count++];
}

static void add_variable(void *ctx, rp_view name, rp_view value) {
    rp_buf_printf(ctx, "%.*s=%.*s\n", RP_FMT(name), RP_FMT(value));
}

/* ret_state: the verdict, and every TX variable. */
static void judge_ours(struct both *both, const struct waf_message *request,
                       const struct waf_message *response, bool as_the_gate,
                       struct both_log *ret_log, struct rp_buf *ret_state) {
    struct waf_memory *memory = waf_memory_new(both->tx_arena);
    const struct rp_waf_memory interface = waf_memory_interface(memory);
    struct rp_waf_info info;
    rp_waf_info(both->waf, &info);
    const struct rp_waf_site site = {.mode = info.mode,
                                     .budget = UINT64_MAX,
                                     .memory = &interface,
                                     .portion = as_the_gate ? 1 : 0,
                                     .clock = as_the_gate ? &rp_waf_clock : NULL,
                                     .logged_only = as_the_gate,
                                     .kept = as_the_gate ? both->kept : NULL};
    struct rp_waf_tx *tx = NULL;
    ret_log->count = 0;
    ret_log->arena = both->tx_arena;
    assert_ok(waf_judge(both->waf, &site, request, response, both->tx_arena, &tx));
    size_t count = 0;
    const struct rp_waf_match *matches = rp_waf_tx_matches(tx, &count, NULL);
    for (size_t i = 0; i < count; i++) {
        if (matches[i].logged) {
            struct both_line *line = new_line(ret_log);
            line->id =
                matches[i]
                    .id; /* the texts may lie in the answer, which goes with the transaction */
            assert_ok(rp_arena_copy(both->tx_arena, matches[i].message, &line->message));
            assert_ok(rp_arena_copy(both->tx_arena, matches[i].log_data, &line->data));
            rp_buf_printf(ret_state, "%llu %.*s %.*s\n", (unsigned long long)matches[i].id,
                          RP_FMT(matches[i].message), RP_FMT(matches[i].log_data));
        }
    }
    const struct rp_waf_verdict *verdict = rp_waf_tx_verdict(tx);
    ret_log->status = verdict->action != RP_WAF_PASS ? verdict->status : 0;
    rp_buf_printf(ret_state, "%d %d %u %llu %u %.*s\n", verdict->action, verdict->would_block,
                  verdict->status, (unsigned long long)verdict->rule, verdict->phase,
                  RP_FMT(verdict->redirect));
    assert_ok(rp_waf_tx_each(tx, RP_VAR_TX, add_variable, ret_state));
    rp_waf_tx_done(tx);
}

/* The gate's way, without the matches of rules that do not log, with what the requests before have
 * left, with a pause before the first rule that is asked and with an eye on the clock, comes to the
 * same. */
void both_judge_ours(struct both *both, const struct waf_message *request,
                     const struct waf_message *response, struct both_log *ret_log) {
    static struct both_log brief;
    struct rp_buf state = rp_buf_new(1 << 22), brief_state = rp_buf_new(1 << 22);
    judge_ours(both, request, response, true, &brief, &brief_state);
    judge_ours(both, request, response, false, ret_log, &state);
    assert_int_equal(brief.count, ret_log->count);
    assert_true(rp_view_equal(rp_buf_view(&state), rp_buf_view(&brief_state)));
    rp_buf_done(&state);
    rp_buf_done(&brief_state);
}

/* ---- theirs ---- */

/* What stands between [name " and "]. */
static rp_view field(rp_view line, const char *name) {
    char start[32], end[32];
    snprintf(start, sizeof start, " [%s \"", name);
    snprintf(end, sizeof end, "\"]");
    size_t at = rp_view_find(line, rp_view_from_cstr(start));
    if (at == line.n) {
        return (rp_view){NULL, 0};
    }
    rp_view rest = rp_view_from(line, at + strlen(start));
    return rp_view_sub(rest, 0, rp_view_find(rest, rp_view_from_cstr(end)));
}

static void take_line(void *ctx, const void *message) {
    struct both_log *log = ctx;
    rp_view line = {NULL, 0};
    uint64_t id = 0;
    assert_ok(rp_arena_copy(log->arena, rp_view_from_cstr(message), &line));
    /* The value comes first and may hold anything; what is ours to read begins at the file. */
    line = rp_view_from(line, RP_MIN(line.n, rp_view_find(line, RP_VIEW(" [file \""))));
    if (rp_view_to_u64(field(line, "id"), UINT64_MAX, &id)) {
        *new_line(log) = (struct both_line){
            .id = id, .message = field(line, "msg"), .data = field(line, "data")};
    }
}

static void look(Transaction *tx, struct both_log *log) {
    ModSecurityIntervention what = {.status = 200};
    if (log->status == 0 && msc_intervention(tx, &what) != 0 && what.disruptive) {
        log->status = (unsigned)what.status;
        if (what.log) {
            take_line(log, what.log);
        }
        free(what.log);
        free(what.url);
    }
}

static void their_request(Transaction *tx, struct both *both, const struct waf_message *request,
                          struct both_log *log) {
    rp_view version = request->protocol;
    if (rp_view_starts(version, RP_VIEW("HTTP/"))) {
        version = rp_view_from(version, 5);
    }
    msc_process_connection(tx, "127.0.0.1", 50000, "127.0.0.1", 80);
    msc_process_uri(tx, rp_arena_cstr(both->tx_arena, request->uri),
                    rp_arena_cstr(both->tx_arena, request->method),
                    rp_arena_cstr(both->tx_arena, version));
    for (size_t i = 0; i < request->header_count; i++) {
        const struct waf_header *header = &request->headers[i];
        msc_add_n_request_header(tx, header->name.p, header->name.n, header->value.p,
                                 header->value.n);
    }
    msc_process_request_headers(tx);
    look(tx, log);
    if (log->status != 0) {
        return;
    }
    if (request->body.n > 0) {
        msc_append_request_body(tx, request->body.p, request->body.n);
    }
    msc_process_request_body(tx);
    look(tx, log);
}

static void their_response(Transaction *tx, struct both *both, const struct waf_message *response,
                           struct both_log *log) {
    static const struct waf_message empty = {.status = 200};
    const struct waf_message *answer = response ? response : &empty;
    rp_view protocol = answer->protocol.n > 0 ? answer->protocol : RP_VIEW("HTTP/1.1");
    for (size_t i = 0; i < answer->header_count; i++) {
        const struct waf_header *header = &answer->headers[i];
        msc_add_n_response_header(tx, header->name.p, header->name.n, header->value.p,
                                  header->value.n);
    }
    msc_process_response_headers(tx, (int)answer->status, rp_arena_cstr(both->tx_arena, protocol));
    look(tx, log);
    if (log->status != 0) {
        return;
    }
    if (answer->body.n > 0) {
        msc_append_response_body(tx, answer->body.p, answer->body.n);
    }
    msc_process_response_body(tx);
    look(tx, log);
}

void both_judge(struct both *both, const struct waf_message *request,
                const struct waf_message *response, struct both_log *ret_ours,
                struct both_log *ret_theirs) {
    rp_arena_reset(both->tx_arena);
    ret_theirs->count = 0;
    ret_theirs->status = 0;
    ret_theirs->arena = both->tx_arena;
    both_judge_ours(both, request, response, ret_ours);
    char id[] = "0000000000000001";
    Transaction *tx = msc_new_transaction_with_id(both->original, both->rules, id, ret_theirs);
    assert_non_null(tx);
    their_request(tx, both, request, ret_theirs);
    if (ret_theirs->status == 0) {
        their_response(tx, both, response, ret_theirs);
    }
    msc_process_logging(tx);
    msc_transaction_cleanup(tx);
}

/* ---- rows ---- */

/* "id(message|data)" and so on; an intervention's status at the end. */
static const char *text_of(const struct both_log *log, struct rp_buf *out) {
    rp_buf_clear(out);
    for (size_t i = 0; i < log->count; i++) {
        const struct both_line *line = &log->lines[i];
        rp_buf_printf(out, "%s%llu", i > 0 ? " " : "", (unsigned long long)line->id);
        if (line->message.n > 0 || line->data.n > 0) {
            rp_buf_printf(out, "(%.*s%s%.*s)", RP_FMT(line->message), line->data.n > 0 ? "|" : "",
                          RP_FMT(line->data));
        }
    }
    if (log->status != 0) {
        rp_buf_printf(out, " =%u", log->status);
    }
    rp_buf_add_byte(out, 0);
    assert_ok(rp_buf_err(out));
    return (const char *)out->p;
}

bool both_row_holds(const struct both_row *row) {
    static struct both_log ours, theirs; /* too large for a stack */
    _cleanup_(rp_buf_done) struct rp_buf us = rp_buf_new(1 << 16);
    _cleanup_(rp_buf_done) struct rp_buf them = rp_buf_new(1 << 16);
    struct both both = both_open(row->rules);
    struct waf_message request, response;
    assert_ok(waf_read_request(rp_view_from_cstr(row->request), both.arena, &request));
    if (row->response) {
        assert_ok(waf_read_response(rp_view_from_cstr(row->response), both.arena, &response));
    }
    both_judge(&both, &request, row->response ? &response : NULL, &ours, &theirs);
    const char *here = text_of(&ours, &us), *there = text_of(&theirs, &them);
    bool same = strcmp(here, there) == 0;
    bool holds = strcmp(here, row->logged) == 0 && same == (row->why == NULL);
    if (!holds) {
        print_error("%s  on %.60s\n  want  %s\n  here  %s\n  there %s\n%s", row->rules,
                    row->request, row->logged, here, there,
                    same && row->why ? "  no difference any more\n" : "");
    }
    both_close(&both);
    return holds;
}
