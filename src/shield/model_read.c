/* model_read.c — an OpenAPI document: its version, its servers' path, its paths as a trie. */
#include <stdarg.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "shield/model_internal.h"

enum { DEPTH_MAX = 64, SEGMENTS_MAX = 32 };

/* ---- what all readers need ---- */

rp_err rp_model_fail(const struct rp_model_reader *in, const struct rp_yaml *at, rp_err err,
                     const char *format, ...) {
    char text[200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return rp_fail_at(in->diag, err, at->line, at->column, "%s", text);
}

bool rp_model_is(const struct rp_yaml *node, const char *word) {
    return node && node->kind == RP_YAML_SCALAR &&
           rp_view_equal(node->scalar, rp_view_from_cstr(word));
}

static bool is_listed(rp_view key, const char *words) {
    rp_view rest = rp_view_from_cstr(words);
    while (rest.n > 0) {
        if (rp_view_equal(rp_view_cut(&rest, ' '), key)) {
            return true;
        }
    }
    return rp_view_starts(key, RP_VIEW("x-"));
}

rp_err rp_model_known(const struct rp_model_reader *in, const struct rp_yaml *node,
                      const char *what, const char *words) {
    if (node->kind != RP_YAML_MAPPING) {
        return rp_model_fail(in, node, RP_ERR(INVALID), "expected %s: a mapping", what);
    }
    for (const struct rp_yaml *one = node->first; one; one = one->next) {
        if (!is_listed(one->key, words)) {
            return rp_fail_at(in->diag, RP_ERR(UNSUPPORTED), one->key_line, one->key_column,
                              "\"%.*s\" in %s is not judged here, and nothing is passed over",
                              RP_FMT(rp_view_sub(one->key, 0, 60)), what);
        }
    }
    return RP_OK;
}

rp_err rp_model_flag(const struct rp_model_reader *in, const struct rp_yaml *mapping,
                     const char *key, bool *ret_flag) {
    const struct rp_yaml *node = rp_yaml_get(mapping, key);
    if (!node) {
        return RP_OK;
    }
    if (node->quoted || (!rp_model_is(node, "true") && !rp_model_is(node, "false"))) {
        return rp_model_fail(in, node, RP_ERR(INVALID), "%s: expected true or false", key);
    }
    *ret_flag = rp_model_is(node, "true");
    return RP_OK;
}

rp_err rp_model_resolve(const struct rp_model_reader *in, const struct rp_yaml *node,
                        const char *kind, const struct rp_yaml **ret_node) {
    const struct rp_yaml *ref = rp_yaml_get(node, "$ref");
    if (!ref) {
        *ret_node = node;
        return RP_OK;
    }
    char prefix[64];
    snprintf(prefix, sizeof prefix, "#/components/%s/", kind);
    rp_view start = rp_view_from_cstr(prefix);
    if (node->first->next) {
        return rp_model_fail(in, node, RP_ERR(UNSUPPORTED), "other keys beside a $ref");
    }
    if (!rp_view_starts(ref->scalar, start)) {
        return rp_model_fail(in, ref, RP_ERR(UNSUPPORTED), "$ref: only %sNAME is followed", prefix);
    }
    rp_view name = rp_view_from(ref->scalar, start.n);
    const struct rp_yaml *list = rp_yaml_get(rp_yaml_get(in->document, "components"), kind);
    for (const struct rp_yaml *one = list ? list->first : NULL; one; one = one->next) {
        if (rp_view_equal(one->key, name)) {
            *ret_node = one;
            return RP_OK;
        }
    }
    return rp_model_fail(in, ref, RP_ERR(NOT_FOUND), "$ref: there is no %.*s",
                         RP_FMT(rp_view_sub(ref->scalar, 0, 100)));
}

/* ---- paths ---- */

static rp_err child_named(const struct rp_model_reader *in, struct rp_model_path *at,
                          rp_view segment, struct rp_model_path **ret_child) {
    struct rp_model_path *child = at->children;
    while (child && !rp_view_equal(child->segment, segment)) {
        child = child->next;
    }
    if (!child) {
        child = rp_arena_alloc(in->arena, sizeof *child);
        if (!child) {
            return RP_ERR(TOO_LARGE);
        }
        *child = (struct rp_model_path){.segment = segment, .next = at->children};
        at->children = child;
    }
    *ret_child = child;
    return RP_OK;
}

static rp_err any_child(const struct rp_model_reader *in, const struct rp_yaml *node,
                        struct rp_model_path *at, rp_view name, struct rp_model_path **ret_child) {
    if (!at->any) {
        at->any = rp_arena_alloc(in->arena, sizeof *at->any);
        if (!at->any) {
            return RP_ERR(TOO_LARGE);
        }
        at->any->name = name;
    }
    if (!rp_view_equal(at->any->name, name)) {
        return rp_fail_at(in->diag, RP_ERR(UNSUPPORTED), node->key_line, node->key_column,
                          "{%.*s} stands where another path has {%.*s}: give them one name",
                          RP_FMT(rp_view_sub(name, 0, 40)),
                          RP_FMT(rp_view_sub(at->any->name, 0, 40)));
    }
    *ret_child = at->any;
    return RP_OK;
}

static rp_err step(const struct rp_model_reader *in, const struct rp_yaml *node,
                   struct rp_model_path **at, rp_view segment) {
    bool whole =
        segment.n > 2 && segment.p[0] == '{' && rp_view_find_byte(segment, '}') == segment.n - 1;
    bool braces =
        rp_view_find_byte(segment, '{') < segment.n || rp_view_find_byte(segment, '}') < segment.n;
    if (whole) {
        return any_child(in, node, *at, rp_view_sub(segment, 1, segment.n - 2), at);
    }
    if (braces) {
        return rp_fail_at(in->diag, RP_ERR(UNSUPPORTED), node->key_line, node->key_column,
                          "a parameter is a whole segment of a path: /{name}/");
    }
    return child_named(in, *at, segment, at);
}

static rp_err walk_to(const struct rp_model_reader *in, const struct rp_yaml *node, rp_view base,
                      rp_view path, struct rp_model_path **ret_node) {
    struct rp_model_path *at = &in->model->root;
    const rp_view parts[] = {base, path};
    size_t segments = 0;
    for (size_t i = 0; i < RP_COUNT_OF(parts); i++) {
        rp_view rest = parts[i];
        if (rest.n == 0) {
            continue;
        }
        if (rest.p[0] != '/') {
            return rp_fail_at(in->diag, RP_ERR(INVALID), node->key_line, node->key_column,
                              "a path begins with /");
        }
        rest = rp_view_from(rest, 1);
        for (bool more = true; more;) {
            more = rp_view_find_byte(rest, '/') < rest.n;
            if (segments++ == SEGMENTS_MAX) {
                return rp_fail_at(in->diag, RP_ERR(TOO_LARGE), node->key_line, node->key_column,
                                  "a path has at most %d segments", SEGMENTS_MAX);
            }
            RP_TRY(step(in, node, &at, rp_view_cut(&rest, '/')));
        }
    }
    *ret_node = at;
    return RP_OK;
}

static const char *const methods[][2] = {
    {"get", "GET"},         {"put", "PUT"},   {"post", "POST"},   {"delete", "DELETE"},
    {"options", "OPTIONS"}, {"head", "HEAD"}, {"patch", "PATCH"}, {"trace", "TRACE"}};

static rp_err read_operations(struct rp_model_reader *in, const struct rp_yaml *item,
                              struct rp_model_path *at) {
    struct rp_model_parameter *shared = NULL;
    const struct rp_yaml *list = rp_yaml_get(item, "parameters");
    if (list) {
        RP_TRY(rp_model_parameters(in, list, &shared));
    }
    for (size_t i = 0; i < RP_COUNT_OF(methods); i++) {
        const struct rp_yaml *node = rp_yaml_get(item, methods[i][0]);
        struct rp_model_operation *operation =
            node ? rp_arena_alloc(in->arena, sizeof *operation) : NULL;
        if (node && !operation) {
            return RP_ERR(TOO_LARGE);
        }
        if (node) {
            operation->method = rp_view_from_cstr(methods[i][1]);
            operation->next = at->operations;
            at->operations = operation;
            RP_TRY(rp_model_operation(in, node, shared, operation));
        }
    }
    return RP_OK;
}

static bool has_parameter(const struct rp_model_operation *operation, rp_view name) {
    for (const struct rp_model_parameter *p = operation->parameters; p; p = p->next) {
        if (p->in == RP_IN_PATH && rp_view_equal(p->name, name)) {
            return true;
        }
    }
    return false;
}

static bool stands_in(rp_view path, rp_view name) {
    while (path.n > 0) {
        rp_view segment = rp_view_cut(&path, '/');
        if (segment.n == name.n + 2 && segment.p[0] == '{' &&
            rp_view_equal(rp_view_sub(segment, 1, name.n), name)) {
            return true;
        }
    }
    return false;
}

/* Each {name} of the path is a parameter of every operation there, and no other is. */
static rp_err check_names(const struct rp_model_reader *in, const struct rp_yaml *node,
                          const struct rp_model_path *at) {
    for (const struct rp_model_operation *o = at->operations; o; o = o->next) {
        for (const struct rp_model_parameter *p = o->parameters; p; p = p->next) {
            if (p->in == RP_IN_PATH && !stands_in(node->key, p->name)) {
                return rp_fail_at(in->diag, RP_ERR(INVALID), node->key_line, node->key_column,
                                  "%.*s is a parameter of the path, and does not stand in it",
                                  RP_FMT(rp_view_sub(p->name, 0, 60)));
            }
        }
        rp_view rest = node->key;
        while (rest.n > 0) {
            rp_view segment = rp_view_cut(&rest, '/');
            bool braced = segment.n > 2 && segment.p[0] == '{';
            if (braced && !has_parameter(o, rp_view_sub(segment, 1, segment.n - 2))) {
                return rp_fail_at(in->diag, RP_ERR(INVALID), node->key_line, node->key_column,
                                  "%.*s has no parameter that says what it may be",
                                  RP_FMT(rp_view_sub(segment, 0, 60)));
            }
        }
    }
    return RP_OK;
}

static rp_err read_path(struct rp_model_reader *in, const struct rp_yaml *node, rp_view base) {
    struct rp_model_path *at = NULL;
    if (rp_view_starts(node->key, RP_VIEW("x-"))) {
        return RP_OK;
    }
    RP_TRY(rp_model_known(in, node, "a path",
                          "summary description parameters get put post delete options head patch "
                          "trace"));
    RP_TRY(walk_to(in, node, base, node->key, &at));
    if (at->operations) {
        return rp_fail_at(in->diag, RP_ERR(DUPLICATE), node->key_line, node->key_column,
                          "this path stands above already");
    }
    RP_TRY(read_operations(in, node, at));
    return check_names(in, node, at);
}

/* ---- the document ---- */

/* "https://shop.example/api/v1" or "/api/v1": requests carry the path. */
static rp_err read_base(const struct rp_model_reader *in, rp_view *ret_base) {
    const struct rp_yaml *servers = rp_yaml_get(in->document, "servers");
    const struct rp_yaml *first = servers ? servers->first : NULL;
    rp_view url = first ? rp_yaml_get_scalar(first, "url") : (rp_view){NULL, 0};
    *ret_base = (rp_view){NULL, 0};
    if (!first) {
        return RP_OK;
    }
    if (!url.p || rp_view_find_byte(url, '{') < url.n || first->next) {
        return rp_model_fail(in, servers, RP_ERR(UNSUPPORTED),
                             "servers: one, with a url without variables; its path is what counts");
    }
    size_t scheme = rp_view_find(url, RP_VIEW("://"));
    rp_view path = scheme < url.n ? rp_view_from(url, scheme + 3) : url;
    path = scheme < url.n ? rp_view_from(path, rp_view_find_byte(path, '/')) : path;
    while (path.n > 0 && path.p[path.n - 1] == '/') {
        path.n--;
    }
    *ret_base = path;
    return RP_OK;
}

static rp_err read_version(struct rp_model_reader *in) {
    rp_view version = rp_yaml_get_scalar(in->document, "openapi");
    in->v30 = rp_view_starts(version, RP_VIEW("3.0."));
    if (in->v30 || rp_view_starts(version, RP_VIEW("3.1."))) {
        return RP_OK;
    }
    return rp_model_fail(in, in->document, RP_ERR(UNSUPPORTED),
                         "expected an OpenAPI document: openapi: 3.0.x or 3.1.x");
}

static rp_err read_document(struct rp_model_reader *in) {
    rp_view base;
    RP_TRY(read_version(in));
    RP_TRY(rp_model_known(in, in->document, "the document",
                          "openapi info servers paths components security tags externalDocs "
                          "jsonSchemaDialect webhooks"));
    RP_TRY(read_base(in, &base));
    const struct rp_yaml *paths = rp_yaml_get(in->document, "paths");
    if (!paths || paths->kind != RP_YAML_MAPPING || !paths->first) {
        return rp_model_fail(in, paths ? paths : in->document, RP_ERR(INVALID),
                             "paths: a model without paths would refuse everything");
    }
    for (const struct rp_yaml *one = paths->first; one; one = one->next) {
        RP_TRY(read_path(in, one, base));
    }
    return RP_OK;
}

rp_err rp_model_read(rp_view text, struct rp_arena *arena, struct rp_model **ret_model,
                     struct rp_diag *diag) {
    RP_ASSERT(ret_model != NULL);
    struct rp_yaml *document = NULL;
    if (text.n > RP_MODEL_FILE_MAX) {
        return rp_fail(diag, RP_ERR(TOO_LARGE), "a model has at most %d bytes", RP_MODEL_FILE_MAX);
    }
    RP_TRY(rp_yaml_parse_within(text, DEPTH_MAX, arena, &document, diag));
    struct rp_model *model = rp_arena_alloc(arena, sizeof *model);
    if (!model) {
        return RP_ERR(TOO_LARGE);
    }
    struct rp_model_reader in = {
        .arena = arena, .diag = diag, .model = model, .document = document};
    rp_err err = read_document(&in);
    if (!rp_ok(err)) {
        rp_model_done(model);
        return err;
    }
    *ret_model = model;
    return RP_OK;
}

void rp_model_done(struct rp_model *model) {
    for (struct rp_model_pattern *p = model ? model->patterns : NULL; p; p = p->next) {
        pcre2_code_free(p->code);
        p->code = NULL;
    }
}
