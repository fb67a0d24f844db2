/* bodies.c — the request's body becomes variables. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/body_parts.h"
#include "shield/tx.h"

void rp_waf_arguments(struct rp_waf_tx *tx, const struct rp_waf_pairs *pairs, bool post) {
    unsigned own = post ? RP_VAR_ARGS_POST : RP_VAR_ARGS_GET;
    unsigned own_names = post ? RP_VAR_ARGS_POST_NAMES : RP_VAR_ARGS_GET_NAMES;
    const struct rp_img_settings *settings = tx->image->settings;
    for (size_t i = 0; i < pairs->n; i++) {
        if (settings->arguments_max > 0 && tx->argument_count >= settings->arguments_max) {
            tx->arguments_problem = RP_BODY_TOO_MANY; /* what no rule has seen is said */
            break;
        }
        rp_view name = pairs->p[i].name, value = pairs->p[i].value;
        struct rp_waf_entry entry = {.name = name, .name_id = rp_image_name(tx->image, name)};
        entry.value = rp_waf_value_of(tx, value);
        rp_waf_collect_entry(tx, RP_VAR_ARGS, entry);
        rp_waf_collect_entry(tx, own, entry);
        entry.value = rp_waf_value_of(tx, name);
        if (!post || tx->body_kind == RP_BODY_URLENCODED) {
            rp_waf_keep_name(tx, entry.value, value);
        }
        rp_waf_collect_entry(tx, RP_VAR_ARGS_NAMES, entry);
        rp_waf_collect_entry(tx, own_names, entry);
        tx->arguments_bytes += name.n + value.n;
        tx->argument_count++;
    }
    rp_waf_scalar_number(tx, RP_VAR_ARGS_COMBINED_SIZE, tx->arguments_bytes);
}

static void body_error(struct rp_waf_tx *tx, const char *kind, const char *message) {
    if (!message && tx->arguments_problem) {
        kind = "";
        message = tx->arguments_problem;
    }
    rp_view text = rp_arena_printf(tx->arena, "%s%s", kind, message ? message : "");
    bool error = message != NULL;
    rp_waf_scalar(tx, RP_VAR_REQBODY_ERROR, error ? RP_VIEW("1") : RP_VIEW("0"));
    rp_waf_scalar(tx, RP_VAR_REQBODY_PROCESSOR_ERROR, error ? RP_VIEW("1") : RP_VIEW("0"));
    rp_waf_scalar(tx, RP_VAR_REQBODY_ERROR_MSG, error ? text : RP_VIEW(""));
    rp_waf_scalar(tx, RP_VAR_REQBODY_PROCESSOR_ERROR_MSG, error ? text : RP_VIEW(""));
}

/* ---- multipart ---- */

static const struct {
    unsigned flag;
    enum rp_waf_variable variable;
    bool strict; /* counts for MULTIPART_STRICT_ERROR */
} multipart_flags[] = {
    {RP_MULTIPART_BOUNDARY_QUOTED, RP_VAR_MULTIPART_BOUNDARY_QUOTED, true},
    {RP_MULTIPART_BOUNDARY_WHITESPACE, RP_VAR_MULTIPART_BOUNDARY_WHITESPACE, true},
    {RP_MULTIPART_DATA_BEFORE, RP_VAR_MULTIPART_DATA_BEFORE, true},
    {RP_MULTIPART_DATA_AFTER, RP_VAR_MULTIPART_DATA_AFTER, true},
    {RP_MULTIPART_HEADER_FOLDING, RP_VAR_MULTIPART_HEADER_FOLDING, true},
    {RP_MULTIPART_LF_LINE, RP_VAR_MULTIPART_LF_LINE, true},
    {RP_MULTIPART_CRLF_LF_LINES, RP_VAR_MULTIPART_CRLF_LF_LINES, false},
    {RP_MULTIPART_MISSING_SEMICOLON, RP_VAR_MULTIPART_MISSING_SEMICOLON, true},
    {RP_MULTIPART_MISSING_SEMICOLON, RP_VAR_MULTIPART_SEMICOLON_MISSING, true},
    {RP_MULTIPART_INVALID_QUOTING, RP_VAR_MULTIPART_INVALID_QUOTING, true},
    {RP_MULTIPART_INVALID_PART, RP_VAR_MULTIPART_INVALID_PART, true},
    {RP_MULTIPART_INVALID_HEADER_FOLDING, RP_VAR_MULTIPART_INVALID_HEADER_FOLDING, true},
    {RP_MULTIPART_FILE_LIMIT_EXCEEDED, RP_VAR_MULTIPART_FILE_LIMIT_EXCEEDED, true},
};

static void multipart_variables(struct rp_waf_tx *tx, const struct rp_body_result *result) {
    bool strict = result->error;
    for (size_t i = 0; i < RP_COUNT_OF(multipart_flags); i++) {
        bool set = (result->multipart & multipart_flags[i].flag) != 0;
        strict = strict || (set && multipart_flags[i].strict);
        rp_waf_scalar(tx, multipart_flags[i].variable, set ? RP_VIEW("1") : RP_VIEW("0"));
    }
    rp_waf_scalar(tx, RP_VAR_MULTIPART_UNMATCHED_BOUNDARY,
                  result->multipart & RP_MULTIPART_UNMATCHED_BOUNDARY ? RP_VIEW("1")
                                                                      : RP_VIEW("0"));
    rp_waf_scalar(tx, RP_VAR_MULTIPART_STRICT_ERROR, strict ? RP_VIEW("1") : RP_VIEW("0"));
    rp_waf_scalar(tx, RP_VAR_MULTIPART_NAME, result->multipart_name);
    rp_waf_scalar(tx, RP_VAR_MULTIPART_FILENAME, result->multipart_filename);
    rp_waf_scalar_number(tx, RP_VAR_FILES_COMBINED_SIZE, result->files_size);
}

static void collect_pairs(struct rp_waf_tx *tx, unsigned collection,
                          const struct rp_waf_pairs *pairs) {
    for (size_t i = 0; i < pairs->n; i++) {
        rp_waf_collect(tx, collection, pairs->p[i].name, pairs->p[i].value);
    }
}

/* ---- XML: its text is one value, as XPath's string value of the root is; what came before an
 * error counts as well ---- */

static void xml_variables(struct rp_waf_tx *tx, const struct rp_body_result *result) {
    size_t n = 0;
    for (size_t i = 0; i < result->texts.n; i++) {
        n += result->texts.p[i].value.n;
    }
    uint8_t *p = rp_arena_alloc(tx->arena, n);
    if (!p) {
        rp_waf_note(tx, RP_ERR(TOO_LARGE));
        return;
    }
    size_t at = 0;
    for (size_t i = 0; i < result->texts.n; i++) {
        rp_view text = result->texts.p[i].value;
        if (text.n > 0) {
            memcpy(p + at, text.p, text.n);
        }
        at += text.n;
    }
    if (n > 0 || !result->error) {
        rp_waf_collect(tx, RP_VAR_XML, RP_VIEW("/*"), rp_view_of(p, n));
    }
    collect_pairs(tx, RP_COLL_XML_ATTRIBUTES, &result->attributes);
}

/* ---- the whole ---- */

static void result_variables(struct rp_waf_tx *tx, const struct rp_body_result *result) {
    rp_waf_arguments(tx, &result->arguments, true);
    if (result->urlencoded_error) {
        rp_waf_scalar(tx, RP_VAR_URLENCODED_ERROR, RP_VIEW("1"));
    }
    if (tx->body_kind == RP_BODY_MULTIPART) {
        multipart_variables(tx, result);
        collect_pairs(tx, RP_VAR_FILES, &result->files);
        for (size_t i = 0; i < result->files.n; i++) {
            rp_waf_collect(tx, RP_VAR_FILES_NAMES, result->files.p[i].name,
                           result->files.p[i].name);
        }
        collect_pairs(tx, RP_VAR_FILES_SIZES, &result->file_sizes);
        collect_pairs(tx, RP_VAR_MULTIPART_PART_HEADERS, &result->part_headers);
    } else if (tx->body_kind == RP_BODY_XML) {
        xml_variables(tx, result);
    }
}

static rp_err parse(struct rp_waf_tx *tx, const struct rp_body_result **ret_result) {
    const struct rp_img_settings *settings = tx->image->settings;
    struct rp_body_limits limits = RP_BODY_LIMITS;
    limits.separator = settings->separator;
    if (settings->json_depth_max > 0) {
        limits.depth_max = settings->json_depth_max;
    }
    if (settings->arguments_max > 0) {
        limits.arguments_max = settings->arguments_max;
    }
    rp_waf_spend(tx, 4 * tx->body.n);
    struct rp_body *body =
        rp_body_new((enum rp_body_kind)tx->body_kind, tx->content_type, &limits, tx->arena);
    if (!body) {
        return RP_ERR(TOO_LARGE);
    }
    RP_TRY(rp_body_feed(body, rp_buf_view(&tx->body)));
    return rp_body_end(body, ret_result);
}

/* The raw body, for rules, where no processor has taken it apart into better variables. A form's
 * stays visible as in ModSecurity 2; JSON and XML bodies only when a rule forces it. */
static void raw_body(struct rp_waf_tx *tx) {
    bool raw = tx->body_kind < 0 || tx->body_kind == RP_BODY_URLENCODED || tx->force_request_body;
    if (raw && tx->body_kind != RP_BODY_MULTIPART) {
        rp_waf_scalar(tx, RP_VAR_REQUEST_BODY, rp_buf_view(&tx->body));
    }
    if (tx->body.n > 0) {
        rp_waf_scalar_number(tx, RP_VAR_REQUEST_BODY_LENGTH, tx->body.n);
    }
}

void rp_waf_read_body(struct rp_waf_tx *tx) {
    static const char *const kinds[RP_BODY_KINDS] = {
        "", "Multipart parsing error: ", "JSON parsing error: ", "XML parsing error: "};
    if (!tx->request_body) {
        body_error(tx, "", NULL);
        return;
    }
    raw_body(tx);
    if (tx->body_kind < 0 || (tx->body_kind != RP_BODY_MULTIPART && tx->body.n == 0)) {
        body_error(tx, "", NULL);
        return;
    }
    const struct rp_body_result *result = NULL;
    rp_err err = parse(tx, &result);
    if (!rp_ok(err)) {
        rp_waf_note(tx, err);
        return;
    }
    result_variables(tx, result);
    body_error(tx, kinds[tx->body_kind], result->error ? result->message : NULL);
}
