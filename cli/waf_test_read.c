/* waf_test_read.c — ftw YAML to requests and what is expected of them.
 *
 * CRS 3.3: meta.enabled, tests[].test_title, stages[].stage.{input,output}, output.log_contains.
 * CRS 4: rule_id, tests[].test_id, stages[].{input,output}, output.log.{expect_ids,…}.
 * Input that is not whole is completed as go-ftw does it: Content-Length, Connection and, for
 * data, the content type of a form, whose data is then encoded unless it is already.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "waf_test.h"
#include "wire/encode.h"
#include "wire/http.h"
#include "wire/yaml.h"

enum { DATA_MAX = 4 << 20 };

struct reading {
    struct rp_arena *arena;
    struct rp_diag *diag;
    const char *rule; /* CRS 4: rule_id; "" */
};

static rp_err fail(const struct reading *in, const struct rp_yaml *at, rp_err err,
                   const char *text) {
    if (at) {
        in->diag->line = at->line;
        in->diag->column = at->column;
    }
    return rp_fail(in->diag, err, "%s", text);
}

static bool is_yes(rp_view text) {
    return rp_view_equal_nocase(text, RP_VIEW("true")) ||
           rp_view_equal_nocase(text, RP_VIEW("yes"));
}

/* ---- what goes out ---- */

static bool has_header(const struct waf_message *request, const char *name) {
    return waf_header_of(request, name).p != NULL;
}

static void add_header(struct waf_message *request, const char *name, rp_view value) {
    RP_ASSERT(request->header_count < WAF_HEADERS_MAX);
    request->headers[request->header_count++] =
        (struct waf_header){rp_view_from_cstr(name), value.p ? value : RP_VIEW("")};
}

static rp_err read_headers(const struct reading *in, const struct rp_yaml *headers,
                           struct waf_message *request) {
    request->headers = rp_arena_array(in->arena, WAF_HEADERS_MAX, sizeof *request->headers);
    if (!request->headers) {
        return RP_ERR(TOO_LARGE);
    }
    for (const struct rp_yaml *one = headers ? headers->first : NULL; one; one = one->next) {
        if (request->header_count > WAF_HEADERS_MAX - 8) {
            return fail(in, one, RP_ERR(TOO_LARGE), "headers");
        }
        /* CRS 4.2x may list them: - name: …, value: … */
        rp_view name = one->kind == RP_YAML_MAPPING ? rp_yaml_get_scalar(one, "name") : one->key;
        rp_view value =
            one->kind == RP_YAML_MAPPING ? rp_yaml_get_scalar(one, "value") : one->scalar;
        request->headers[request->header_count++] =
            (struct waf_header){name, value.p ? value : RP_VIEW("")};
    }
    return RP_OK;
}

/* True when decoding would change nothing: then it was not encoded yet. */
static bool is_plain(rp_view data) {
    for (size_t i = 0; i < data.n; i++) {
        if (data.p[i] == '+' || data.p[i] == '%') {
            return false;
        }
    }
    return true;
}

/* A query value's percent-encoding: '+' for a space. */
static void encode_word(struct rp_buf *out, rp_view word) {
    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] == ' ') {
            rp_buf_add_byte(out, '+');
        } else {
            rp_url_encode(out, rp_view_sub(word, i, 1));
        }
    }
}

static rp_err encode_form(const struct reading *in, struct waf_message *request) {
    rp_view rest = request->body;
    if (!is_plain(rest) || rp_view_find_byte(rest, ';') < rest.n) {
        return RP_OK;
    }
    struct rp_buf out = rp_buf_new(4 * rest.n + 16);
    while (rest.n > 0) {
        rp_view pair = rp_view_cut(&rest, '&');
        size_t equals = rp_view_find_byte(pair, '=');
        if (pair.n == 0) {
            continue;
        }
        rp_buf_add_cstr(&out, out.n > 0 ? "&" : "");
        encode_word(&out, rp_view_sub(pair, 0, equals));
        rp_buf_add_byte(&out, '=');
        encode_word(&out, equals < pair.n ? rp_view_from(pair, equals + 1) : (rp_view){NULL, 0});
    }
    rp_err err = rp_buf_err(&out);
    if (rp_ok(err)) {
        err = rp_arena_copy(in->arena, rp_buf_view(&out), &request->body);
    }
    rp_buf_done(&out);
    return err;
}

static bool names_form(const struct waf_message *request) {
    return rp_view_equal_nocase(waf_header_of(request, "Content-Type"),
                                RP_VIEW("application/x-www-form-urlencoded"));
}

static rp_err complete(const struct reading *in, struct waf_message *request) {
    if (request->body.n > 0 && !has_header(request, "Content-Type")) {
        add_header(request, "Content-Type", RP_VIEW("application/x-www-form-urlencoded"));
    }
    if (request->body.n > 0 && names_form(request)) {
        RP_TRY(encode_form(in, request));
    }
    if (request->body.n > 0 && !has_header(request, "Content-Length") &&
        !has_header(request, "Transfer-Encoding")) {
        add_header(request, "Content-Length", rp_arena_printf(in->arena, "%zu", request->body.n));
    }
    if (!has_header(request, "Connection")) {
        add_header(request, "Connection", RP_VIEW("close"));
    }
    return RP_OK;
}

/* The words are read as a server reads them: what one would refuse is told. */
static rp_err check_line(const struct reading *in, struct waf_message *request) {
    struct waf_message read;
    rp_view line = rp_arena_printf(in->arena, "%.*s %.*s %.*s\r\n\r\n", RP_FMT(request->method),
                                   RP_FMT(request->uri), RP_FMT(request->protocol));
    if (!line.p) {
        return RP_ERR(TOO_LARGE);
    }
    RP_TRY(waf_read_request(line, in->arena, &read));
    request->malformed = read.malformed ? read.malformed : waf_why_malformed(request);
    return RP_OK;
}

/* Data may be a list of lines, joined by CRLF. */
static rp_err read_data(const struct reading *in, const struct rp_yaml *data, rp_view *ret_data) {
    if (!data || data->kind != RP_YAML_SEQUENCE) {
        *ret_data = data ? data->scalar : (rp_view){NULL, 0};
        return RP_OK;
    }
    struct rp_buf text = rp_buf_new(DATA_MAX);
    for (const struct rp_yaml *line = data->first; line; line = line->next) {
        rp_buf_add(&text, line->scalar);
        rp_buf_add_cstr(&text, line->next ? "\r\n" : "");
    }
    rp_err err = rp_buf_err(&text);
    if (rp_ok(err)) {
        err = rp_arena_copy(in->arena, rp_buf_view(&text), ret_data);
    }
    rp_buf_done(&text);
    return err;
}

/* RFC 9112 section 6.3: where a transfer coding says how long the body is, servers drop what
 * Content-Length says. */
static void drop_content_length(struct waf_message *request) {
    size_t kept = 0;
    if (!has_header(request, "Transfer-Encoding")) {
        return;
    }
    for (size_t i = 0; i < request->header_count; i++) {
        if (!rp_view_equal_nocase(request->headers[i].name, RP_VIEW("Content-Length"))) {
            request->headers[kept++] = request->headers[i];
        }
    }
    request->header_count = kept;
}

static rp_view or_else(rp_view text, rp_view otherwise) {
    return text.p ? text : otherwise;
}

static rp_err read_raw(const struct reading *in, const struct rp_yaml *input, rp_view encoded,
                       rp_view raw, struct waf_message *request) {
    if (encoded.n > 0) {
        if (!rp_ok(rp_base64_decode(encoded, in->arena, &raw))) {
            return fail(in, input, RP_ERR(INVALID), "encoded_request: no Base64");
        }
    }
    return waf_read_request(raw, in->arena, request);
}

static rp_err read_input(const struct reading *in, const struct rp_yaml *input,
                         struct waf_message *request) {
    rp_view encoded = rp_yaml_get_scalar(input, "encoded_request");
    rp_view raw = rp_yaml_get_scalar(input, "raw_request");
    if (encoded.n > 0 || raw.n > 0) {
        return read_raw(in, input, encoded, raw, request);
    }
    *request = (struct waf_message){
        .method = or_else(rp_yaml_get_scalar(input, "method"), RP_VIEW("GET")),
        .uri = or_else(rp_yaml_get_scalar(input, "uri"), RP_VIEW("/")),
        .protocol = or_else(rp_yaml_get_scalar(input, "version"), RP_VIEW("HTTP/1.1"))};
    RP_TRY(read_data(in, rp_yaml_get(input, "data"), &request->body));
    rp_view encoded_data = rp_yaml_get_scalar(input, "encoded_data");
    if (encoded_data.n > 0 && !rp_ok(rp_base64_decode(encoded_data, in->arena, &request->body))) {
        return fail(in, input, RP_ERR(INVALID), "encoded_data: no Base64");
    }
    RP_TRY(read_headers(in, rp_yaml_get(input, "headers"), request));
    rp_view automatic = rp_yaml_get_scalar(input, "autocomplete_headers");
    bool as_it_is =
        is_yes(rp_yaml_get_scalar(input, "stop_magic")) || (automatic.p && !is_yes(automatic));
    if (!as_it_is) {
        RP_TRY(complete(in, request));
    }
    drop_content_length(request);
    return check_line(in, request);
}

/* ---- what is expected ---- */

static rp_err read_numbers(const struct reading *in, const struct rp_yaml *node, size_t max,
                           uint64_t *ret_numbers, size_t *ret_count) {
    const struct rp_yaml *one = node;
    if (node && node->kind == RP_YAML_SEQUENCE) {
        one = node->first;
    }
    for (; one; one = node->kind == RP_YAML_SEQUENCE ? one->next : NULL) {
        if (*ret_count == max ||
            !rp_view_to_u64(one->scalar, UINT64_MAX, &ret_numbers[*ret_count])) {
            return fail(in, one, RP_ERR(INVALID), "a list of numbers is expected");
        }
        (*ret_count)++;
    }
    return RP_OK;
}

static rp_err read_log(const struct reading *in, const struct rp_yaml *log,
                       struct waf_expect *expect) {
    RP_TRY(read_numbers(in, rp_yaml_get(log, "expect_ids"), WAF_EXPECT_MAX, expect->ids,
                        &expect->id_count));
    RP_TRY(read_numbers(in, rp_yaml_get(log, "no_expect_ids"), WAF_EXPECT_MAX, expect->no_ids,
                        &expect->no_id_count));
    expect->log_contains = rp_yaml_get_scalar(log, "match_regex");
    expect->no_log_contains = rp_yaml_get_scalar(log, "no_match_regex");
    return RP_OK;
}

static rp_err read_output(const struct reading *in, const struct rp_yaml *output,
                          struct waf_expect *expect) {
    const struct rp_yaml *log = rp_yaml_get(output, "log");
    if (log) {
        RP_TRY(read_log(in, log, expect));
    }
    if (rp_yaml_get(output, "log_contains")) {
        expect->log_contains = rp_yaml_get_scalar(output, "log_contains");
    }
    if (rp_yaml_get(output, "no_log_contains")) {
        expect->no_log_contains = rp_yaml_get_scalar(output, "no_log_contains");
    }
    expect->response_contains = rp_yaml_get_scalar(output, "response_contains");
    expect->isolated = is_yes(rp_yaml_get_scalar(output, "isolated"));
    expect->has_error = rp_yaml_get(output, "expect_error") != NULL;
    expect->error = is_yes(rp_yaml_get_scalar(output, "expect_error"));
    return read_numbers(in, rp_yaml_get(output, "status"), 8, expect->statuses,
                        &expect->status_count);
}

/* ---- tests ---- */

static size_t count_of(const struct rp_yaml *list) {
    size_t n = 0;
    for (const struct rp_yaml *one = list ? list->first : NULL; one; one = one->next) {
        n++;
    }
    return n;
}

static rp_err read_stage(const struct reading *in, const struct rp_yaml *item,
                         struct waf_stage *stage) {
    const struct rp_yaml *inner = rp_yaml_get(item, "stage");
    const struct rp_yaml *body = inner ? inner : item;
    const struct rp_yaml *input = rp_yaml_get(body, "input"), *output = rp_yaml_get(body, "output");
    if (!input || !output) {
        return fail(in, item, RP_ERR(INVALID), "a stage has an input and an output");
    }
    stage->line = item->line;
    RP_TRY(read_input(in, input, &stage->request));
    return read_output(in, output, &stage->expect);
}

static rp_err read_test(const struct reading *in, const struct rp_yaml *item,
                        struct waf_test_case *test) {
    const struct rp_yaml *stages = rp_yaml_get(item, "stages");
    rp_view title = rp_yaml_get_scalar(item, "test_title");
    rp_view id = rp_yaml_get_scalar(item, "test_id");
    rp_view name = title.p ? rp_arena_printf(in->arena, "%.*s", RP_FMT(title))
                           : rp_arena_printf(in->arena, "%s-%.*s", in->rule, RP_FMT(id));
    test->stages = rp_arena_array(in->arena, count_of(stages) + 1, sizeof *test->stages);
    if (!name.p || !test->stages) {
        return RP_ERR(TOO_LARGE);
    }
    if (!title.p && !id.p) {
        return fail(in, item, RP_ERR(INVALID), "a test has a test_title or a test_id");
    }
    test->title = (const char *)name.p;
    test->enabled = true;
    for (const struct rp_yaml *one = stages ? stages->first : NULL; one; one = one->next) {
        RP_TRY(read_stage(in, one, &test->stages[test->stage_count++]));
    }
    return RP_OK;
}

rp_err waf_test_read(rp_view text, struct rp_arena *arena, struct waf_test_file *ret_file,
                     struct rp_diag *diag) {
    struct rp_yaml *root = NULL;
    struct reading in = {.arena = arena, .diag = diag, .rule = ""};
    RP_TRY(rp_yaml_parse(text, arena, &root, diag));
    const struct rp_yaml *meta = rp_yaml_get(root, "meta"), *tests = rp_yaml_get(root, "tests");
    rp_view rule = rp_yaml_get_scalar(root, "rule_id");
    if (rule.n > 0) {
        in.rule = rp_arena_cstr(arena, rule);
    }
    struct waf_test_file file = {
        .tests = rp_arena_array(arena, count_of(tests) + 1, sizeof *file.tests)};
    if (!file.tests || !in.rule) {
        return RP_ERR(TOO_LARGE);
    }
    rp_view enabled = meta ? rp_yaml_get_scalar(meta, "enabled") : (rp_view){NULL, 0};
    for (const struct rp_yaml *one = tests ? tests->first : NULL; one; one = one->next) {
        struct waf_test_case *test = &file.tests[file.test_count++];
        RP_TRY(read_test(&in, one, test));
        test->enabled = !enabled.p || is_yes(enabled);
    }
    *ret_file = file;
    return RP_OK;
}
