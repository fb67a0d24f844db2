/* model_judge.c — a request against the model: its path, its method, its parameters, its body. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/model_internal.h"
#include "wire/http.h"
#include "wire/json.h"

enum { PAIRS_MAX = 1000, SEGMENTS_MAX = 64 };

/* ---- the path ---- */

struct segments {
    rp_view p[SEGMENTS_MAX]; /* decoded */
    size_t n;
};

/* False when it cannot be read in one way: a bad encoding, or one that hides a slash. */
static rp_err cut_path(rp_view path, struct rp_arena *arena, struct segments *ret_segments,
                       bool *ret_good) {
    rp_view rest = rp_view_from(path, 1);
    struct segments segments = {.n = 0};
    *ret_good = path.n > 0 && path.p[0] == '/';
    for (bool more = *ret_good; more && *ret_good;) {
        more = rp_view_find_byte(rest, '/') < rest.n;
        rp_view decoded = {NULL, 0}, segment = rp_view_cut(&rest, '/');
        rp_err err = rp_url_decode(segment, arena, &decoded);
        if (err.code == RP_E_TOO_LARGE) {
            return err;
        }
        *ret_good = rp_ok(err) && segments.n < SEGMENTS_MAX && rp_utf8_valid(decoded) &&
                    rp_view_find_byte(decoded, '/') == decoded.n &&
                    !rp_view_equal(decoded, RP_VIEW(".")) && !rp_view_equal(decoded, RP_VIEW(".."));
        if (*ret_good) {
            segments.p[segments.n++] = decoded;
        }
    }
    *ret_segments = segments;
    return RP_OK;
}

/* Concrete segments before {…}, as OpenAPI says. */
static const struct rp_model_path *find(const struct rp_model_path *at,
                                        const struct segments *segments, size_t i) {
    if (i == segments->n) {
        return at->operations ? at : NULL;
    }
    const struct rp_model_path *child = at->children, *found = NULL;
    while (child && !rp_view_equal(child->segment, segments->p[i])) {
        child = child->next;
    }
    found = child ? find(child, segments, i + 1) : NULL;
    bool any = !found && at->any && segments->p[i].n > 0;
    return any ? find(at->any, segments, i + 1) : found;
}

/* ---- parameters ---- */

struct judging {
    const struct rp_model_request *request;
    struct rp_model_verdict *verdict;
    struct rp_arena *arena;
    const struct rp_model_path *root;
    const struct segments *segments;
    const struct rp_model_operation *operation;
    struct rp_pairs query;
};

static const struct rp_model_at at_query = {NULL, RP_VIEW_INIT("query")};
static const struct rp_model_at at_form = {NULL, RP_VIEW_INIT("form")};
static const struct rp_model_at at_body = {NULL, RP_VIEW_INIT("body")};
static const struct rp_model_at at_path = {NULL, RP_VIEW_INIT("path")};
static const struct rp_model_at at_header = {NULL, RP_VIEW_INIT("header")};
static const struct rp_model_at at_cookie = {NULL, RP_VIEW_INIT("cookie")};

/* Walks the same way once more and meets the {…} of that name. */
static bool path_value(const struct judging *j, const struct rp_model_path *at, size_t i,
                       rp_view name, rp_view *ret_value) {
    if (i == j->segments->n) {
        return at->operations != NULL;
    }
    const struct rp_model_path *child = at->children;
    while (child && !rp_view_equal(child->segment, j->segments->p[i])) {
        child = child->next;
    }
    if (child && path_value(j, child, i + 1, name, ret_value)) {
        return true;
    }
    if (!at->any || j->segments->p[i].n == 0 || !path_value(j, at->any, i + 1, name, ret_value)) {
        return false;
    }
    if (rp_view_equal(at->any->name, name)) {
        *ret_value = j->segments->p[i];
    }
    return true;
}

/* All values of a name in a list of pairs, each against the schema of one. */
static bool judge_pairs_of(struct rp_pairs pairs, rp_view name, bool required, bool list,
                           const struct rp_model_schema *schema, const struct rp_model_at *above,
                           struct rp_model_verdict *verdict) {
    const struct rp_model_at at = {above, name};
    const struct rp_model_schema *one = list ? schema->items : schema;
    size_t seen = 0;
    for (size_t i = 0; i < pairs.n; i++) {
        if (!rp_view_equal(pairs.p[i].name, name)) {
            continue;
        }
        if (++seen > 1 && !list) {
            return rp_model_says(verdict, RP_VIOLATION_REPEATED, &at);
        }
        if (one && !rp_model_text(one, pairs.p[i].value, &at, verdict)) {
            return false;
        }
    }
    if (seen == 0) {
        return !required || rp_model_says(verdict, RP_VIOLATION_MISSING, &at);
    }
    bool few = list && seen < schema->items_min, many = list && seen > schema->items_max;
    return rp_model_says(verdict,
                         few    ? RP_VIOLATION_FEW
                         : many ? RP_VIOLATION_MANY
                                : RP_VIOLATION_NONE,
                         &at);
}

static bool judge_line(const struct judging *j, const struct rp_model_parameter *p, rp_view value,
                       const struct rp_model_at *above) {
    const struct rp_model_at at = {above, p->name};
    if (!value.p) {
        return !p->required || rp_model_says(j->verdict, RP_VIOLATION_MISSING, &at);
    }
    return rp_utf8_valid(value) ? rp_model_text(p->schema, value, &at, j->verdict)
                                : rp_model_says(j->verdict, RP_VIOLATION_ENCODING, &at);
}

static rp_view cookie_of(const struct judging *j, rp_view name) {
    const char *text = rp_arena_cstr(j->arena, name);
    return text ? rp_cookie_get(j->request->cookies, text) : (rp_view){NULL, 0};
}

static bool judge_parameter(const struct judging *j, const struct rp_model_parameter *p) {
    rp_view value = {NULL, 0};
    switch (p->in) {
    case RP_IN_PATH:
        (void)path_value(j, j->root, 0, p->name, &value);
        return judge_line(j, p, value, &at_path);
    case RP_IN_QUERY:
        return judge_pairs_of(j->query, p->name, p->required, p->list, p->schema, &at_query,
                              j->verdict);
    case RP_IN_HEADER:
        return judge_line(j, p, j->request->header(j->request->ctx, p->name), &at_header);
    case RP_IN_COOKIE:
        return judge_line(j, p, cookie_of(j, p->name), &at_cookie);
    case RP_IN_COUNT:
        break;
    }
    RP_UNREACHABLE();
}

static bool is_declared(const struct rp_model_operation *operation, rp_view name) {
    for (const struct rp_model_parameter *p = operation->parameters; p; p = p->next) {
        if (p->in == RP_IN_QUERY && rp_view_equal(p->name, name)) {
            return true;
        }
    }
    return false;
}

static bool judge_parameters(const struct judging *j) {
    for (size_t i = 0; i < j->query.n; i++) {
        if (!is_declared(j->operation, j->query.p[i].name)) {
            const struct rp_model_at at = {&at_query, j->query.p[i].name};
            return rp_model_says(j->verdict, RP_VIOLATION_UNKNOWN, &at);
        }
    }
    for (const struct rp_model_parameter *p = j->operation->parameters; p; p = p->next) {
        if (!judge_parameter(j, p)) {
            return false;
        }
    }
    return true;
}

/* ---- the body's type ---- */

static rp_view essence(rp_view type, uint8_t out[static 128]) {
    rp_view word = rp_view_trim(rp_view_cut(&type, ';'));
    size_t n = RP_MIN(word.n, (size_t)128);
    for (size_t i = 0; i < n; i++) {
        out[i] = rp_lower(word.p[i]);
    }
    return rp_view_of(out, n);
}

/* The exact type before "image/ *", and that before "* / *". */
static const struct rp_model_content *content_for(const struct rp_model_operation *operation,
                                                  rp_view type) {
    uint8_t lower[128];
    rp_view word = essence(type, lower);
    const struct rp_model_content *best = NULL;
    size_t best_n = 0;
    for (const struct rp_model_content *c = operation->contents; c; c = c->next) {
        bool family = rp_view_ends(c->type, RP_VIEW("/*"));
        rp_view start = rp_view_sub(c->type, 0, c->type.n - family);
        bool all = rp_view_equal(c->type, RP_VIEW("*/*"));
        bool fits = all || (family ? rp_view_starts(word, start) : rp_view_equal(word, c->type));
        size_t n = all ? 1 : start.n + !family;
        if (fits && n > best_n) {
            best = c;
            best_n = n;
        }
    }
    return best;
}

static bool judge_body_head(const struct judging *j) {
    const struct rp_model_operation *operation = j->operation;
    if (!j->request->has_body) {
        return !operation->body_required ||
               rp_model_says(j->verdict, RP_VIOLATION_MISSING, &at_body);
    }
    if (!operation->takes_body) {
        return rp_model_says(j->verdict, RP_VIOLATION_BODY, &at_body);
    }
    return content_for(operation, j->request->content_type) ||
           rp_model_says(j->verdict, RP_VIOLATION_TYPE, &at_body);
}

/* ---- the whole head ---- */

static const struct rp_model_operation *operation_of(const struct rp_model_path *path,
                                                     rp_view method) {
    const struct rp_model_operation *o = path->operations;
    while (o && !rp_view_equal(o->method, method)) {
        o = o->next;
    }
    return o;
}

/* HEAD is GET without its answer's body. */
static const struct rp_model_operation *operation_or_get(const struct rp_model_path *path,
                                                         rp_view method) {
    const struct rp_model_operation *o = operation_of(path, method);
    return o || !rp_view_equal(method, RP_VIEW("HEAD")) ? o : operation_of(path, RP_VIEW("GET"));
}

static rp_err judge_query(struct judging *j, bool *ret_good) {
    rp_err err = rp_form_parse(j->request->query, PAIRS_MAX, j->arena, &j->query);
    *ret_good = rp_ok(err);
    if (rp_ok(err) || err.code == RP_E_INVALID) {
        (void)(*ret_good || rp_model_says(j->verdict, RP_VIOLATION_ENCODING, &at_query));
        return RP_OK;
    }
    return err;
}

rp_err rp_model_judge(const struct rp_model *model, const struct rp_model_request *request,
                      struct rp_arena *arena, const struct rp_model_operation **ret_operation,
                      struct rp_model_verdict *ret_verdict) {
    struct segments segments;
    bool good = false;
    *ret_operation = NULL;
    *ret_verdict = (struct rp_model_verdict){.violation = RP_VIOLATION_NONE};
    RP_TRY(cut_path(request->path, arena, &segments, &good));
    const struct rp_model_path *path = good ? find(&model->root, &segments, 0) : NULL;
    if (!path) {
        (void)rp_model_says(ret_verdict, RP_VIOLATION_PATH, &at_path);
        return RP_OK;
    }
    struct judging j = {.request = request,
                        .verdict = ret_verdict,
                        .arena = arena,
                        .root = &model->root,
                        .segments = &segments,
                        .operation = operation_or_get(path, request->method)};
    if (!j.operation) {
        const struct rp_model_at at = {NULL, RP_VIEW("method")};
        (void)rp_model_says(ret_verdict, RP_VIOLATION_METHOD, &at);
        return RP_OK;
    }
    RP_TRY(judge_query(&j, &good));
    if (good && judge_parameters(&j) && judge_body_head(&j)) {
        *ret_verdict = (struct rp_model_verdict){.violation = RP_VIOLATION_NONE};
        *ret_operation = j.operation;
    }
    return RP_OK;
}

/* ---- the body ---- */

bool rp_model_wants_body(const struct rp_model_operation *operation, rp_view content_type) {
    const struct rp_model_content *content = content_for(operation, content_type);
    return content && content->schema;
}

static bool judge_form(const struct rp_model_schema *schema, struct rp_pairs pairs,
                       struct rp_model_verdict *verdict) {
    for (size_t i = 0; i < pairs.n; i++) {
        const struct rp_model_member *m = schema->members;
        while (m && !rp_view_equal(m->name, pairs.p[i].name)) {
            m = m->next;
        }
        const struct rp_model_at at = {&at_form, pairs.p[i].name};
        if (!m && !schema->more) {
            return rp_model_says(verdict, RP_VIOLATION_UNKNOWN, &at);
        }
        if (!m && schema->more_type &&
            !rp_model_text(schema->more_type, pairs.p[i].value, &at, verdict)) {
            return false;
        }
    }
    for (const struct rp_model_member *m = schema->members; m; m = m->next) {
        if (!judge_pairs_of(pairs, m->name, m->required, m->schema->types == RP_TYPE_ARRAY,
                            m->schema, &at_form, verdict)) {
            return false;
        }
    }
    return rp_model_says(verdict, RP_VIOLATION_NONE, &at_form);
}

rp_err rp_model_judge_body(const struct rp_model_operation *operation, rp_view content_type,
                           rp_view body, struct rp_arena *arena,
                           struct rp_model_verdict *ret_verdict) {
    const struct rp_model_content *content = content_for(operation, content_type);
    RP_ASSERT(content && content->schema);
    *ret_verdict = (struct rp_model_verdict){.violation = RP_VIOLATION_NONE};
    if (body.n > RP_MODEL_BODY_MAX) {
        (void)rp_model_says(ret_verdict, RP_VIOLATION_LONG, &at_body);
        return RP_OK;
    }
    if (content->kind == RP_KIND_FORM) {
        struct rp_pairs pairs = {NULL, 0};
        rp_err err = rp_form_parse(body, PAIRS_MAX, arena, &pairs);
        if (!rp_ok(err)) {
            (void)rp_model_says(
                ret_verdict, err.code == RP_E_INVALID ? RP_VIOLATION_ENCODING : RP_VIOLATION_MANY,
                &at_form);
            return RP_OK;
        }
        if (judge_form(content->schema, pairs, ret_verdict)) {
            *ret_verdict = (struct rp_model_verdict){.violation = RP_VIOLATION_NONE};
        }
        return RP_OK;
    }
    struct rp_json *value = NULL;
    if (!rp_ok(rp_json_parse(body, RP_JSON_LIMITS, arena, &value, NULL))) {
        (void)rp_model_says(ret_verdict, RP_VIOLATION_SYNTAX, &at_body);
        return RP_OK;
    }
    if (rp_model_json(content->schema, value, &at_body, ret_verdict)) {
        *ret_verdict = (struct rp_model_verdict){.violation = RP_VIOLATION_NONE};
    }
    return RP_OK;
}
