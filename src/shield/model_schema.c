/* model_schema.c — what a value may be: the part of JSON Schema that OpenAPI files use, and that a
 * judge can keep in bounds. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/model_internal.h"
#include "wire/number.h"

enum { DEPTH_MAX = 24, PATTERN_MAX = 1024, ALLOWED_MAX = 1000 };

struct rp_model_named {
    rp_view name;
    struct rp_model_schema *schema;
    struct rp_model_named *next;
};

static const char known[] =
    "type nullable enum const format minLength maxLength pattern minimum maximum exclusiveMinimum "
    "exclusiveMaximum items minItems maxItems properties required additionalProperties "
    "minProperties maxProperties title description default example examples deprecated readOnly "
    "writeOnly xml externalDocs";

/* ---- types ---- */

static bool type_named(rp_view word, unsigned *ret_type) {
    static const struct {
        const char *word;
        unsigned type;
    } types[] = {{"null", RP_TYPE_NULL},       {"boolean", RP_TYPE_BOOLEAN},
                 {"integer", RP_TYPE_INTEGER}, {"number", RP_TYPE_NUMBER},
                 {"string", RP_TYPE_STRING},   {"array", RP_TYPE_ARRAY},
                 {"object", RP_TYPE_OBJECT}};
    for (size_t i = 0; i < RP_COUNT_OF(types); i++) {
        if (rp_view_equal(word, rp_view_from_cstr(types[i].word))) {
            *ret_type = types[i].type;
            return true;
        }
    }
    return false;
}

static rp_err read_one_type(const struct rp_model_reader *in, const struct rp_yaml *node,
                            unsigned *types) {
    unsigned type = 0;
    if (node->kind != RP_YAML_SCALAR || !type_named(node->scalar, &type) ||
        (in->v30 && type == RP_TYPE_NULL)) {
        return rp_model_fail(in, node, RP_ERR(INVALID),
                             "type: expected string, integer, number, boolean, array or object");
    }
    *types |= type;
    return RP_OK;
}

static rp_err read_types(const struct rp_model_reader *in, const struct rp_yaml *node,
                         struct rp_model_schema *schema) {
    const struct rp_yaml *type = rp_yaml_get(node, "type");
    bool nullable = false;
    RP_TRY(rp_model_flag(in, node, "nullable", &nullable));
    if (!type) {
        schema->types = rp_yaml_get(node, "properties") ? RP_TYPE_OBJECT
                        : rp_yaml_get(node, "items")    ? RP_TYPE_ARRAY
                                                        : RP_TYPE_ANY;
    } else if (type->kind == RP_YAML_SEQUENCE && !in->v30) {
        for (const struct rp_yaml *one = type->first; one; one = one->next) {
            RP_TRY(read_one_type(in, one, &schema->types));
        }
    } else {
        RP_TRY(read_one_type(in, type, &schema->types));
    }
    schema->types |= nullable ? RP_TYPE_NULL : 0;
    return RP_OK;
}

/* ---- limits ---- */

static rp_err read_count(const struct rp_model_reader *in, const struct rp_yaml *mapping,
                         const char *key, uint64_t *count) {
    const struct rp_yaml *node = rp_yaml_get(mapping, key);
    if (!node) {
        return RP_OK;
    }
    bool good = node->kind == RP_YAML_SCALAR && !node->quoted &&
                rp_view_to_u64(node->scalar, INT32_MAX, count);
    return good ? RP_OK
                : rp_model_fail(in, node, RP_ERR(INVALID), "%s: expected a whole number", key);
}

static rp_err read_number(const struct rp_model_reader *in, const struct rp_yaml *node,
                          const char *key, double *ret_number) {
    bool good =
        node->kind == RP_YAML_SCALAR && !node->quoted && rp_model_number(node->scalar, ret_number);
    return good ? RP_OK : rp_model_fail(in, node, RP_ERR(INVALID), "%s: expected a number", key);
}

struct bound {
    const char *key, *exclusive_key;
    bool *has, *exclusive;
    double *value;
};

/* OpenAPI 3.0: exclusiveMinimum is true or false; 3.1: a number of its own. */
static rp_err read_bound(const struct rp_model_reader *in, const struct rp_yaml *mapping,
                         const struct bound *bound) {
    const struct rp_yaml *node = rp_yaml_get(mapping, bound->key);
    const struct rp_yaml *exclusive = rp_yaml_get(mapping, bound->exclusive_key);
    if (node) {
        *bound->has = true;
        RP_TRY(read_number(in, node, bound->key, bound->value));
    }
    if (!exclusive) {
        return RP_OK;
    }
    if (in->v30) {
        return rp_model_flag(in, mapping, bound->exclusive_key, bound->exclusive);
    }
    if (node) {
        return rp_model_fail(in, exclusive, RP_ERR(UNSUPPORTED),
                             "%s beside %s is not judged: keep the one that counts",
                             bound->exclusive_key, bound->key);
    }
    *bound->has = *bound->exclusive = true;
    return read_number(in, exclusive, bound->exclusive_key, bound->value);
}

static rp_err read_limits(const struct rp_model_reader *in, const struct rp_yaml *node,
                          struct rp_model_schema *schema) {
    bool object = (schema->types & RP_TYPE_OBJECT) && !(schema->types & RP_TYPE_ARRAY);
    const struct bound least = {"minimum", "exclusiveMinimum", &schema->has_min, &schema->above_min,
                                &schema->min};
    const struct bound most = {"maximum", "exclusiveMaximum", &schema->has_max, &schema->below_max,
                               &schema->max};
    schema->length_max = schema->items_max = UINT64_MAX;
    RP_TRY(read_count(in, node, "minLength", &schema->length_min));
    RP_TRY(read_count(in, node, "maxLength", &schema->length_max));
    RP_TRY(read_count(in, node, object ? "minProperties" : "minItems", &schema->items_min));
    RP_TRY(read_count(in, node, object ? "maxProperties" : "maxItems", &schema->items_max));
    const struct rp_yaml *other = rp_yaml_get(node, object ? "minItems" : "minProperties");
    other = other ? other : rp_yaml_get(node, object ? "maxItems" : "maxProperties");
    if (other) {
        return rp_model_fail(in, other, RP_ERR(INVALID), "this limit is not of the schema's type");
    }
    RP_TRY(read_bound(in, node, &least));
    return read_bound(in, node, &most);
}

/* ---- texts ---- */

static rp_err read_format(const struct rp_model_reader *in, const struct rp_yaml *node,
                          struct rp_model_schema *schema) {
    const struct rp_yaml *format = rp_yaml_get(node, "format");
    if (!format) {
        return RP_OK;
    }
    schema->format = rp_model_format_named(format->scalar);
    return schema->format < RP_FORMAT_COUNT
               ? RP_OK
               : rp_model_fail(in, format, RP_ERR(UNSUPPORTED),
                               "the format \"%.*s\" is not judged here; say it as a pattern, or "
                               "leave it out",
                               RP_FMT(rp_view_sub(format->scalar, 0, 40)));
}

static rp_err read_pattern(const struct rp_model_reader *in, const struct rp_yaml *node,
                           struct rp_model_schema *schema) {
    const struct rp_yaml *text = rp_yaml_get(node, "pattern");
    if (!text) {
        return RP_OK;
    }
    struct rp_model_pattern *pattern = rp_arena_alloc(in->arena, sizeof *pattern);
    int error = 0;
    PCRE2_SIZE at = 0;
    if (text->kind != RP_YAML_SCALAR || text->scalar.n > PATTERN_MAX || !pattern) {
        return rp_model_fail(in, text, RP_ERR(INVALID),
                             "pattern: expected an expression of at most %d bytes", PATTERN_MAX);
    }
    pattern->code = pcre2_compile(
        text->scalar.n > 0 ? text->scalar.p : (const uint8_t *)"", text->scalar.n,
        PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C, &error, &at, NULL);
    if (!pattern->code) {
        char why[96] = "";
        (void)pcre2_get_error_message(error, (uint8_t *)why, sizeof why);
        return rp_model_fail(in, text, RP_ERR(INVALID), "pattern: %s, at byte %zu", why, at + 1);
    }
    pattern->next = in->model->patterns;
    in->model->patterns = pattern;
    schema->pattern = pattern;
    return RP_OK;
}

static rp_err read_enum(const struct rp_model_reader *in, const struct rp_yaml *node,
                        struct rp_model_schema *schema) {
    const struct rp_yaml *list = rp_yaml_get(node, "enum"), *one = rp_yaml_get(node, "const");
    if (!list && !one) {
        return RP_OK;
    }
    if (list && (one || list->kind != RP_YAML_SEQUENCE || !list->first)) {
        return rp_model_fail(in, list, RP_ERR(INVALID), "enum: expected a list of values");
    }
    const struct rp_yaml *first = list ? list->first : one;
    rp_view *allowed = NULL;
    size_t count = 0;
    for (const struct rp_yaml *at = first; at; at = list ? at->next : NULL) {
        count++;
    }
    allowed = rp_arena_array(in->arena, count, sizeof *allowed);
    if (!allowed || count > ALLOWED_MAX) {
        return rp_model_fail(in, first, RP_ERR(TOO_LARGE), "enum: at most %d values", ALLOWED_MAX);
    }
    for (const struct rp_yaml *at = first; at; at = list ? at->next : NULL) {
        if (at->kind != RP_YAML_SCALAR) {
            return rp_model_fail(in, at, RP_ERR(UNSUPPORTED),
                                 "enum: lists and objects are not judged here");
        }
        allowed[schema->allowed_count++] = at->scalar;
    }
    schema->allowed = allowed;
    return RP_OK;
}

/* ---- what is inside ---- */

static rp_err read_member(struct rp_model_reader *in, const struct rp_yaml *node,
                          struct rp_model_member ***tail) {
    struct rp_model_member *member = rp_arena_alloc(in->arena, sizeof *member);
    if (!member) {
        return RP_ERR(TOO_LARGE);
    }
    member->name = node->key;
    RP_TRY(rp_model_schema(in, node, &member->schema));
    **tail = member;
    *tail = &member->next;
    return RP_OK;
}

static rp_err read_required(const struct rp_model_reader *in, const struct rp_yaml *node,
                            struct rp_model_schema *schema) {
    const struct rp_yaml *list = rp_yaml_get(node, "required");
    if (list && list->kind != RP_YAML_SEQUENCE) {
        return rp_model_fail(in, list, RP_ERR(INVALID), "required: expected a list of names");
    }
    for (const struct rp_yaml *one = list ? list->first : NULL; one; one = one->next) {
        struct rp_model_member *member = schema->members;
        while (member && !rp_view_equal(member->name, one->scalar)) {
            member = member->next;
        }
        if (!member) {
            return rp_model_fail(in, one, RP_ERR(INVALID), "required: no property is called so");
        }
        member->required = true;
    }
    return RP_OK;
}

static rp_err read_object(struct rp_model_reader *in, const struct rp_yaml *node,
                          struct rp_model_schema *schema) {
    const struct rp_yaml *properties = rp_yaml_get(node, "properties");
    const struct rp_yaml *more = rp_yaml_get(node, "additionalProperties");
    struct rp_model_member **tail = &schema->members;
    if (properties && properties->kind != RP_YAML_MAPPING) {
        return rp_model_fail(in, properties, RP_ERR(INVALID), "properties: expected a mapping");
    }
    for (const struct rp_yaml *one = properties ? properties->first : NULL; one; one = one->next) {
        RP_TRY(read_member(in, one, &tail));
    }
    if (more && more->kind == RP_YAML_MAPPING) {
        schema->more = true;
        RP_TRY(rp_model_schema(in, more, &schema->more_type));
    } else {
        RP_TRY(rp_model_flag(in, node, "additionalProperties", &schema->more));
    }
    return read_required(in, node, schema);
}

static rp_err fill(struct rp_model_reader *in, const struct rp_yaml *node,
                   struct rp_model_schema *schema) {
    RP_TRY(rp_model_known(in, node, "a schema", known));
    RP_TRY(read_types(in, node, schema));
    RP_TRY(read_limits(in, node, schema));
    RP_TRY(read_format(in, node, schema));
    RP_TRY(read_pattern(in, node, schema));
    RP_TRY(read_enum(in, node, schema));
    const struct rp_yaml *items = rp_yaml_get(node, "items");
    if (items) {
        RP_TRY(rp_model_schema(in, items, &schema->items));
    }
    if (schema->types == RP_TYPE_ANY) {
        schema->more = true; /* nothing is said: anything */
    }
    return read_object(in, node, schema);
}

/* A schema of components is one, however often it is named, also within itself. */
static rp_err read_named(struct rp_model_reader *in, const struct rp_yaml *node,
                         const struct rp_yaml *target, const struct rp_model_schema **ret_schema) {
    for (const struct rp_model_named *one = in->named; one; one = one->next) {
        if (rp_view_equal(one->name, target->key)) {
            *ret_schema = one->schema;
            return RP_OK;
        }
    }
    if (rp_yaml_get(target, "$ref")) {
        return rp_model_fail(in, node, RP_ERR(UNSUPPORTED),
                             "a schema that is only a $ref to another: name the other one");
    }
    struct rp_model_named *named = rp_arena_alloc(in->arena, sizeof *named);
    struct rp_model_schema *schema = rp_arena_alloc(in->arena, sizeof *schema);
    if (!named || !schema) {
        return RP_ERR(TOO_LARGE);
    }
    *named = (struct rp_model_named){target->key, schema, in->named};
    in->named = named;
    *ret_schema = schema;
    return fill(in, target, schema);
}

rp_err rp_model_schema(struct rp_model_reader *in, const struct rp_yaml *node,
                       const struct rp_model_schema **ret_schema) {
    const struct rp_yaml *target = NULL;
    if (in->depth == DEPTH_MAX) {
        return rp_model_fail(in, node, RP_ERR(TOO_LARGE), "schemas lie too deep in each other");
    }
    if (node->kind != RP_YAML_MAPPING) {
        return rp_model_fail(in, node, RP_ERR(INVALID), "expected a schema");
    }
    in->depth++;
    RP_TRY(rp_model_resolve(in, node, "schemas", &target));
    rp_err err = RP_OK;
    if (target != node) {
        err = read_named(in, node, target, ret_schema);
    } else {
        struct rp_model_schema *schema = rp_arena_alloc(in->arena, sizeof *schema);
        err = schema ? fill(in, node, schema) : RP_ERR(TOO_LARGE);
        *ret_schema = schema;
    }
    in->depth--;
    return err;
}
