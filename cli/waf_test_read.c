/* waf_test_read.c — ftw YAML to requests and what is expected of them.
 *
 * CRS 3.3: meta.enabled, tests[].test_title, stages[].stage.{input,output}, output.log_contains.
 * CRS 4: rule_id, tests[].test_id, stages[].{input,output}, output.log.{expect_ids,…}.
 * A key that is not known is refused where it stands, and its test with it: what it asks for would
 * go untested. The file's other tests are run.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "waf_test_yaml.h"
#include "wire/encode.h"

enum { DATA_MAX = 4 << 20 };

/* ---- keys ---- */

static const char *const file_keys[] = {"meta", "rule_id", "tests", NULL};
static const char *const override_keys[] = {"version", "meta", "test_overrides", NULL};
static const char *const test_keys[] = {"test_title", "test_id", "rule_id", "desc", "description",
                                        "enabled",    "tags",    "stages",  NULL};
static const char *const stage_keys[] = {"stage", "desc", "description", "input", "output", NULL};
static const char *const input_keys[] = {"dest_addr",
                                         "port",
                                         "protocol",
                                         "method",
                                         "uri",
                                         "uris",
                                         "version",
                                         "headers",
                                         "ordered_headers",
                                         "data",
                                         "encoded_data",
                                         "encoded_request",
                                         "raw_request",
                                         "save_cookie",
                                         "stop_magic",
                                         "autocomplete_headers",
                                         "follow_redirect",
                                         "response",
                                         "virtual_host_mode",
                                         NULL};
static const char *const response_keys[] = {"status",       "headers",     "body",
                                            "encoded_body", "log_message", NULL};

static rp_view or_else(rp_view text, rp_view otherwise) {
    return text.p ? text : otherwise;
}

static size_t count_of(const struct rp_yaml *list) {
    size_t n = 0;
    for (const struct rp_yaml *one = list ? list->first : NULL; one; one = one->next) {
        n++;
    }
    return n;
}

/* ---- what goes out ---- */

/* {Name: value, …}, or a list of {name: …, value: …}. */
static rp_err read_headers(const struct waf_reading *in, const struct rp_yaml *headers,
                           struct waf_header **ret_headers, size_t *ret_count) {
    size_t count = *ret_count, room = count + count_of(headers);
    if (!headers || room == count) {
        return RP_OK;
    }
    struct waf_header *list = rp_arena_array(in->arena, room, sizeof *list);
    if (!list) {
        return RP_ERR(TOO_LARGE);
    }
    if (count > 0) {
        memcpy(list, *ret_headers, count * sizeof *list);
    }
    for (const struct rp_yaml *one = headers->first; one; one = one->next) {
        bool tuple = one->kind == RP_YAML_MAPPING;
        if (one->kind == RP_YAML_SEQUENCE || (headers->kind == RP_YAML_SEQUENCE && !tuple)) {
            return waf_test_fail(in, one, RP_ERR(INVALID), "expected Name: value");
        }
        rp_view name = tuple ? rp_yaml_get_scalar(one, "name") : one->key;
        rp_view value = tuple ? rp_yaml_get_scalar(one, "value") : one->scalar;
        if (tuple && !name.p) {
            name = rp_yaml_get_scalar(one, "Name");
            value = rp_yaml_get_scalar(one, "Value");
        }
        list[count++] = (struct waf_header){name, or_else(value, RP_VIEW(""))};
    }
    *ret_headers = list;
    *ret_count = count;
    return RP_OK;
}

/* Data may be a list of lines, joined by CRLF. */
static rp_err read_data(const struct waf_reading *in, const struct rp_yaml *data,
                        rp_view *ret_data) {
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

/* A member in Base64; untouched when it is absent or empty. */
static rp_err read_encoded(const struct waf_reading *in, const struct rp_yaml *mapping,
                           const char *key, rp_view *ret_bytes) {
    const struct rp_yaml *node = rp_yaml_get(mapping, key);
    if (node && node->scalar.n > 0 &&
        !rp_ok(rp_base64_decode(node->scalar, in->arena, ret_bytes))) {
        return waf_test_fail(in, node, RP_ERR(INVALID), "expected Base64");
    }
    return RP_OK;
}

static rp_err read_response(const struct waf_reading *in, const struct rp_yaml *node,
                            struct waf_message *ret_response) {
    if (!node) {
        return RP_OK;
    }
    RP_TRY(waf_test_keys(in, node, response_keys));
    uint64_t status = 200;
    rp_view text = rp_yaml_get_scalar(node, "status");
    if (text.p && (!rp_view_to_u64(text, 999, &status) || status < 100)) {
        return waf_test_fail(in, node, RP_ERR(INVALID), "status: expected 100 to 999");
    }
    struct waf_message response = {.status = (unsigned)status,
                                   .protocol = RP_VIEW("HTTP/1.1"),
                                   .body = rp_yaml_get_scalar(node, "body")};
    RP_TRY(read_encoded(in, node, "encoded_body", &response.body));
    RP_TRY(
        read_headers(in, rp_yaml_get(node, "headers"), &response.headers, &response.header_count));
    *ret_response = response;
    return RP_OK;
}

/* Cookies of the answer before would have to be kept. */
static rp_err check_supported(const struct waf_reading *in, const struct rp_yaml *input) {
    bool on = false;
    RP_TRY(waf_test_bool(in, input, "save_cookie", false, &on));
    return on ? waf_test_fail(in, rp_yaml_get(input, "save_cookie"), RP_ERR(UNSUPPORTED),
                              "cookies are not carried into the next stage; expected false")
              : RP_OK;
}

static rp_err read_words(const struct waf_reading *in, const struct rp_yaml *input, rp_view uri,
                         struct waf_stage *stage) {
    bool magic = true, automatic = true;
    struct waf_test_input *made = rp_arena_alloc(in->arena, sizeof *made);
    if (!made) {
        return RP_ERR(TOO_LARGE);
    }
    struct waf_test_input words = {
        .method = or_else(rp_yaml_get_scalar(input, "method"), RP_VIEW("GET")),
        .uri = uri,
        .version = or_else(rp_yaml_get_scalar(input, "version"), RP_VIEW("HTTP/1.1")),
        .release4 = in->rule[0] != 0};
    RP_TRY(waf_test_bool(in, input, "stop_magic", false, &magic));
    RP_TRY(waf_test_bool(in, input, "autocomplete_headers", !magic, &automatic));
    words.completed = automatic && !magic;
    RP_TRY(read_data(in, rp_yaml_get(input, "data"), &words.data));
    RP_TRY(read_encoded(in, input, "encoded_data", &words.data));
    RP_TRY(read_headers(in, rp_yaml_get(input, "headers"), &words.headers, &words.header_count));
    RP_TRY(read_headers(in, rp_yaml_get(input, "ordered_headers"), &words.headers,
                        &words.header_count));
    *made = words;
    return waf_test_build(made, in->arena, stage);
}

static rp_err read_input(const struct waf_reading *in, const struct rp_yaml *input, rp_view uri,
                         struct waf_stage *stage) {
    RP_TRY(waf_test_keys(in, input, input_keys));
    RP_TRY(check_supported(in, input));
    RP_TRY(read_response(in, rp_yaml_get(input, "response"), &stage->response));
    stage->raw = rp_yaml_get_scalar(input, "raw_request");
    RP_TRY(read_encoded(in, input, "encoded_request", &stage->raw));
    if (stage->raw.n == 0) {
        RP_TRY(read_words(in, input, uri, stage));
    } else {
        RP_TRY(waf_read_request(stage->raw, in->arena, &stage->request));
    }
    bool own_host = false;
    RP_TRY(waf_test_bool(in, input, "follow_redirect", false, &stage->follows));
    RP_TRY(waf_test_bool(in, input, "virtual_host_mode", false, &own_host));
    if (own_host) {
        stage->host = waf_header_of(&stage->request, "Host");
    }
    waf_test_as_served(&stage->request);
    return RP_OK;
}

/* ---- tests ---- */

/* What holds input and output: the item itself, or its "stage". */
static rp_err stage_body(const struct waf_reading *in, const struct rp_yaml *item,
                         const struct rp_yaml **ret_body) {
    RP_TRY(waf_test_keys(in, item, stage_keys));
    const struct rp_yaml *inner = rp_yaml_get(item, "stage");
    const struct rp_yaml *body = inner ? inner : item;
    RP_TRY(waf_test_keys(in, body, stage_keys));
    if (!rp_yaml_get(body, "input") || !rp_yaml_get(body, "output")) {
        return waf_test_fail(in, item, RP_ERR(INVALID), "a stage has an input and an output");
    }
    *ret_body = body;
    return RP_OK;
}

static const struct rp_yaml *uris_of(const struct rp_yaml *item) {
    const struct rp_yaml *inner = rp_yaml_get(item, "stage");
    const struct rp_yaml *input = rp_yaml_get(inner ? inner : item, "input");
    return input ? rp_yaml_get(input, "uris") : NULL;
}

/* One for each of `uris`, else one. */
static rp_err read_stages(const struct waf_reading *in, const struct rp_yaml *item,
                          struct waf_test_case *test) {
    const struct rp_yaml *body = NULL, *uris = uris_of(item);
    RP_TRY(stage_body(in, item, &body));
    const struct rp_yaml *input = rp_yaml_get(body, "input"), *uri = uris ? uris->first : NULL;
    do {
        struct waf_stage *stage = &test->stages[test->stage_count++];
        rp_view target = uri ? uri->scalar : rp_yaml_get_scalar(input, "uri");
        stage->line = item->line;
        RP_TRY(read_input(in, input, or_else(target, RP_VIEW("/")), stage));
        RP_TRY(waf_test_read_output(in, rp_yaml_get(body, "output"), &stage->expect));
        uri = uri ? uri->next : NULL;
    } while (uri);
    return RP_OK;
}

static rp_err name_test(const struct waf_reading *in, const struct rp_yaml *item,
                        struct waf_test_case *test) {
    rp_view title = rp_yaml_get_scalar(item, "test_title");
    rp_view id = rp_yaml_get_scalar(item, "test_id");
    if (!title.p && !id.p) {
        return waf_test_fail(in, item, RP_ERR(INVALID), "a test has a test_title or a test_id");
    }
    rp_view name = title.p ? rp_arena_printf(in->arena, "%.*s", RP_FMT(title))
                           : rp_arena_printf(in->arena, "%s-%.*s", in->rule, RP_FMT(id));
    test->title = (const char *)name.p;
    return name.p ? RP_OK : RP_ERR(TOO_LARGE);
}

static rp_err read_test(const struct waf_reading *in, const struct rp_yaml *item,
                        struct waf_test_case *test) {
    RP_TRY(waf_test_keys(in, item, test_keys));
    RP_TRY(waf_test_bool(in, item, "enabled", true, &test->enabled));
    const struct rp_yaml *stages = rp_yaml_get(item, "stages");
    size_t room = 1;
    for (const struct rp_yaml *one = stages ? stages->first : NULL; one; one = one->next) {
        room += 1 + (one->kind == RP_YAML_MAPPING ? count_of(uris_of(one)) : 0);
    }
    test->stages = rp_arena_array(in->arena, room, sizeof *test->stages);
    if (!test->stages) {
        return RP_ERR(TOO_LARGE);
    }
    for (const struct rp_yaml *one = stages ? stages->first : NULL; one; one = one->next) {
        RP_TRY(read_stages(in, one, test));
    }
    return RP_OK;
}

/* What cannot be read is a test that fails, and says where and why. */
static rp_err read_or_refuse(const struct waf_reading *in, const struct rp_yaml *item,
                             struct waf_test_case *test) {
    RP_TRY(name_test(in, item, test));
    struct rp_diag why = {0};
    struct waf_reading inner = {.arena = in->arena, .diag = &why, .rule = in->rule};
    rp_err err = read_test(&inner, item, test);
    if (rp_ok(err) || rp_is(err, RP_E_TOO_LARGE)) {
        return err;
    }
    test->refused =
        (const char *)rp_arena_printf(in->arena, "%u:%u: %s", why.line, why.column, why.text).p;
    return test->refused ? RP_OK : RP_ERR(TOO_LARGE);
}

rp_err waf_test_read(rp_view text, struct rp_arena *arena, struct waf_test_file *ret_file,
                     struct rp_diag *diag) {
    struct rp_yaml *root = NULL;
    struct waf_reading in = {.arena = arena, .diag = diag, .rule = ""};
    rp_view mark = RP_VIEW("\xef\xbb\xbf"); /* which editors for Windows write */
    text = rp_view_starts(text, mark) ? rp_view_from(text, mark.n) : text;
    RP_TRY(rp_yaml_parse(text, arena, &root, diag));
    if (rp_yaml_get(root, "test_overrides")) { /* what one server is forgiven: nothing here */
        *ret_file = (struct waf_test_file){.test_count = 0};
        return waf_test_keys(&in, root, override_keys);
    }
    RP_TRY(waf_test_keys(&in, root, file_keys));
    const struct rp_yaml *meta = rp_yaml_get(root, "meta"), *tests = rp_yaml_get(root, "tests");
    rp_view rule = rp_yaml_get_scalar(root, "rule_id");
    bool enabled = true;
    if (meta && meta->first) {
        RP_TRY(waf_test_bool(&in, meta, "enabled", true, &enabled));
    }
    if (rule.n > 0) {
        in.rule = rp_arena_cstr(arena, rule);
    }
    struct waf_test_file file = {
        .tests = rp_arena_array(arena, count_of(tests) + 1, sizeof *file.tests)};
    if (!file.tests || !in.rule) {
        return RP_ERR(TOO_LARGE);
    }
    for (const struct rp_yaml *one = tests ? tests->first : NULL; one; one = one->next) {
        struct waf_test_case *test = &file.tests[file.test_count++];
        test->enabled = true;
        test->line = one->line;
        RP_TRY(read_or_refuse(&in, one, test));
        test->enabled = test->enabled && enabled;
    }
    *ret_file = file;
    return RP_OK;
}
