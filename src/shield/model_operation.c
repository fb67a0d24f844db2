/* model_operation.c — what one operation takes: its parameters, and bodies by their type. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/model_internal.h"

enum { SCALARS = RP_TYPE_BOOLEAN | RP_TYPE_INTEGER | RP_TYPE_NUMBER | RP_TYPE_STRING };

/* ---- parameters ---- */

static rp_view lower(const struct rp_model_reader *in, rp_view text) {
    uint8_t *copy = rp_arena_alloc(in->arena, text.n + 1);
    for (size_t i = 0; copy && i < text.n; i++) {
        copy[i] = rp_lower(text.p[i]);
    }
    return rp_view_of(copy, copy ? text.n : 0);
}

static bool place_named(rp_view word, enum rp_model_in *ret_in) {
    static const char *const words[RP_IN_COUNT] = {"path", "query", "header", "cookie"};
    for (unsigned i = 0; i < RP_IN_COUNT; i++) {
        if (rp_view_equal(word, rp_view_from_cstr(words[i]))) {
            *ret_in = (enum rp_model_in)i;
            return true;
        }
    }
    return false;
}

/* A value on one line is a scalar; a query may repeat its name, and is a list then. */
static rp_err check_line_schema(const struct rp_model_reader *in, const struct rp_yaml *node,
                                struct rp_model_parameter *parameter) {
    const struct rp_model_schema *schema = parameter->schema;
    if (parameter->in == RP_IN_QUERY &&
        (schema->types & ~(unsigned)RP_TYPE_NULL) == RP_TYPE_ARRAY) {
        parameter->list = true;
        schema = schema->items;
    }
    if (schema && schema->types != RP_TYPE_ANY &&
        (schema->types & ~((unsigned)SCALARS | RP_TYPE_NULL)) != 0) {
        return rp_model_fail(in, node, RP_ERR(UNSUPPORTED),
                             "a parameter is a text, a number, true or false, or (in a query) a "
                             "list of those");
    }
    return RP_OK;
}

/* How lists are written: only as OpenAPI does without a word. */
static rp_err check_style(const struct rp_model_reader *in, const struct rp_yaml *node,
                          const struct rp_model_parameter *parameter) {
    static const char *const styles[RP_IN_COUNT] = {"simple", "form", "simple", "form"};
    const struct rp_yaml *style = rp_yaml_get(node, "style");
    const struct rp_yaml *explode = rp_yaml_get(node, "explode");
    if (style && !rp_model_is(style, styles[parameter->in])) {
        return rp_model_fail(in, style, RP_ERR(UNSUPPORTED), "style: only \"%s\" is judged here",
                             styles[parameter->in]);
    }
    if (explode && parameter->list && !rp_model_is(explode, "true")) {
        return rp_model_fail(in, explode, RP_ERR(UNSUPPORTED),
                             "explode: false is not judged; a list repeats its name");
    }
    return RP_OK;
}

static rp_err read_parameter(struct rp_model_reader *in, const struct rp_yaml *node,
                             struct rp_model_parameter *parameter) {
    RP_TRY(rp_model_known(in, node, "a parameter",
                          "name in required description deprecated schema style explode example "
                          "examples allowReserved allowEmptyValue"));
    rp_view name = rp_yaml_get_scalar(node, "name");
    const struct rp_yaml *schema = rp_yaml_get(node, "schema");
    if (name.n == 0 || !place_named(rp_yaml_get_scalar(node, "in"), &parameter->in) || !schema) {
        return rp_model_fail(in, node, RP_ERR(INVALID),
                             "a parameter has a name, a schema, and in: path, query, header or "
                             "cookie");
    }
    parameter->name = parameter->in == RP_IN_HEADER ? lower(in, name) : name;
    RP_TRY(rp_model_flag(in, node, "required", &parameter->required));
    if (parameter->in == RP_IN_PATH && !parameter->required) {
        return rp_model_fail(in, node, RP_ERR(INVALID), "a parameter of a path is required: true");
    }
    RP_TRY(rp_model_schema(in, schema, &parameter->schema));
    RP_TRY(check_line_schema(in, schema, parameter));
    return check_style(in, node, parameter);
}

static const struct rp_model_parameter *find(const struct rp_model_parameter *list,
                                             const struct rp_model_parameter *like) {
    while (list && (list->in != like->in || !rp_view_equal(list->name, like->name))) {
        list = list->next;
    }
    return list;
}

rp_err rp_model_parameters(struct rp_model_reader *in, const struct rp_yaml *list,
                           struct rp_model_parameter **ret_parameters) {
    struct rp_model_parameter *first = NULL, **tail = &first;
    if (list->kind != RP_YAML_SEQUENCE) {
        return rp_model_fail(in, list, RP_ERR(INVALID), "parameters: expected a list");
    }
    for (const struct rp_yaml *one = list->first; one; one = one->next) {
        const struct rp_yaml *node = NULL;
        struct rp_model_parameter *parameter = rp_arena_alloc(in->arena, sizeof *parameter);
        if (!parameter) {
            return RP_ERR(TOO_LARGE);
        }
        RP_TRY(rp_model_resolve(in, one, "parameters", &node));
        RP_TRY(read_parameter(in, node, parameter));
        if (find(first, parameter)) {
            return rp_model_fail(in, one, RP_ERR(DUPLICATE), "this parameter stands twice");
        }
        *tail = parameter;
        tail = &parameter->next;
    }
    *ret_parameters = first;
    return RP_OK;
}

/* The operation's own, then those of its path that it does not say otherwise. */
static rp_err join_parameters(const struct rp_model_reader *in, struct rp_model_parameter *own,
                              const struct rp_model_parameter *shared,
                              struct rp_model_parameter **ret_parameters) {
    struct rp_model_parameter *first = own;
    for (const struct rp_model_parameter *p = shared; p; p = p->next) {
        if (!find(own, p)) {
            struct rp_model_parameter *copy = rp_arena_alloc(in->arena, sizeof *copy);
            if (!copy) {
                return RP_ERR(TOO_LARGE);
            }
            *copy = *p;
            copy->next = first;
            first = copy;
        }
    }
    *ret_parameters = first;
    return RP_OK;
}

/* ---- bodies ---- */

static bool is_json(rp_view type) {
    return rp_view_equal(type, RP_VIEW("application/json")) || rp_view_ends(type, RP_VIEW("+json"));
}

static rp_err check_form(const struct rp_model_reader *in, const struct rp_yaml *node,
                         const struct rp_model_schema *schema) {
    bool good = schema->types == RP_TYPE_OBJECT;
    for (const struct rp_model_member *m = schema->members; m; m = m->next) {
        unsigned types = m->schema->types;
        const struct rp_model_schema *items = m->schema->items;
        bool list = types == RP_TYPE_ARRAY && (!items || (items->types & ~(unsigned)SCALARS) == 0);
        good = good && (list || (types & ~(unsigned)SCALARS) == 0 || types == RP_TYPE_ANY);
    }
    return good ? RP_OK
                : rp_model_fail(in, node, RP_ERR(UNSUPPORTED),
                                "a form is an object of texts, numbers, true or false, and lists "
                                "of those");
}

static rp_err read_content(struct rp_model_reader *in, const struct rp_yaml *node,
                           struct rp_model_content *content) {
    RP_TRY(rp_model_known(in, node, "a type of body", "schema example examples"));
    const struct rp_yaml *schema = rp_yaml_get(node, "schema");
    content->type = lower(in, node->key);
    if (rp_view_find_byte(content->type, '/') == content->type.n ||
        rp_view_find_byte(content->type, ';') < content->type.n) {
        return rp_fail_at(in->diag, RP_ERR(INVALID), node->key_line, node->key_column,
                          "expected a type such as application/json, without parameters");
    }
    content->kind = is_json(content->type) ? RP_KIND_JSON
                    : rp_view_equal(content->type, RP_VIEW("application/x-www-form-urlencoded"))
                        ? RP_KIND_FORM
                        : RP_KIND_OPAQUE;
    if (!schema) {
        return RP_OK;
    }
    if (content->kind == RP_KIND_OPAQUE) {
        return rp_model_fail(in, schema, RP_ERR(UNSUPPORTED),
                             "only JSON and forms are judged by a schema; leave it out, and the "
                             "type alone counts (the rules still look inside)");
    }
    RP_TRY(rp_model_schema(in, schema, &content->schema));
    return content->kind == RP_KIND_FORM ? check_form(in, schema, content->schema) : RP_OK;
}

static rp_err read_body(struct rp_model_reader *in, const struct rp_yaml *node,
                        struct rp_model_operation *operation) {
    const struct rp_yaml *body = NULL;
    struct rp_model_content **tail = &operation->contents;
    RP_TRY(rp_model_resolve(in, node, "requestBodies", &body));
    RP_TRY(rp_model_known(in, body, "a requestBody", "description content required"));
    RP_TRY(rp_model_flag(in, body, "required", &operation->body_required));
    const struct rp_yaml *contents = rp_yaml_get(body, "content");
    if (!contents || contents->kind != RP_YAML_MAPPING || !contents->first) {
        return rp_model_fail(in, body, RP_ERR(INVALID), "a requestBody has content, by its type");
    }
    for (const struct rp_yaml *one = contents->first; one; one = one->next) {
        *tail = rp_arena_alloc(in->arena, sizeof **tail);
        if (!*tail) {
            return RP_ERR(TOO_LARGE);
        }
        RP_TRY(read_content(in, one, *tail));
        tail = &(*tail)->next;
    }
    operation->takes_body = true;
    return RP_OK;
}

rp_err rp_model_operation(struct rp_model_reader *in, const struct rp_yaml *node,
                          const struct rp_model_parameter *shared,
                          struct rp_model_operation *operation) {
    struct rp_model_parameter *own = NULL;
    RP_TRY(rp_model_known(in, node, "an operation",
                          "tags summary description externalDocs operationId parameters "
                          "requestBody responses callbacks deprecated security"));
    const struct rp_yaml *list = rp_yaml_get(node, "parameters");
    const struct rp_yaml *body = rp_yaml_get(node, "requestBody");
    if (list) {
        RP_TRY(rp_model_parameters(in, list, &own));
    }
    RP_TRY(join_parameters(in, own, shared, &operation->parameters));
    return body ? read_body(in, body, operation) : RP_OK;
}
