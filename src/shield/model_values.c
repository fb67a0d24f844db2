/* model_values.c — one value against its schema: a text as it stands on a line, or JSON. */
#include <math.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "shield/model_internal.h"
#include "wire/json.h"

enum { MATCH_LIMIT = 100000 };

/* ---- verdicts ---- */

/* Names are a stranger's where a name is the violation: plain bytes alone are told. */
static void add_name(struct rp_model_verdict *verdict, size_t *n, rp_view name) {
    for (size_t i = 0; i < name.n && *n + 1 < sizeof verdict->place; i++) {
        uint8_t c = name.p[i];
        verdict->place[(*n)++] = (char)(c > ' ' && c < 0x7f ? c : '_');
    }
}

static void add_place(struct rp_model_verdict *verdict, size_t *n, const struct rp_model_at *at,
                      unsigned depth) {
    if (at->above && depth > 0) {
        add_place(verdict, n, at->above, depth - 1);
        if (*n + 1 < sizeof verdict->place) {
            verdict->place[(*n)++] = at->above->above ? '.' : ' ';
        }
    }
    add_name(verdict, n, at->name);
}

bool rp_model_says(struct rp_model_verdict *verdict, enum rp_violation violation,
                   const struct rp_model_at *at) {
    size_t n = 0;
    memset(verdict, 0, sizeof *verdict);
    verdict->violation = violation;
    add_place(verdict, &n, at, 40);
    return violation == RP_VIOLATION_NONE;
}

/* ---- texts ---- */

/* An expression that runs out of its limit has not matched: the model's own cost is bounded. */
static bool has_pattern(const struct rp_model_pattern *pattern, rp_view text) {
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(pattern->code, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    int found = -1;
    if (data && context) {
        pcre2_set_match_limit(context, MATCH_LIMIT);
        found = pcre2_match(pattern->code, text.n > 0 ? text.p : (const uint8_t *)"", text.n, 0, 0,
                            data, context);
    }
    pcre2_match_context_free(context);
    pcre2_match_data_free(data);
    return found >= 0;
}

static enum rp_violation why_not_string(const struct rp_model_schema *schema, rp_view text) {
    uint64_t length = rp_view_characters(text);
    return length < schema->length_min                              ? RP_VIOLATION_SHORT
           : length > schema->length_max                            ? RP_VIOLATION_LONG
           : !rp_model_has_format(text, schema->format)             ? RP_VIOLATION_FORMAT
           : schema->pattern && !has_pattern(schema->pattern, text) ? RP_VIOLATION_PATTERN
                                                                    : RP_VIOLATION_NONE;
}

/* ---- numbers ---- */

static bool in_format(double number, enum rp_model_format format) {
    return format == RP_FORMAT_INT32 ? number >= -2147483648.0 && number <= 2147483647.0
           : format == RP_FORMAT_INT64
               ? number >= -9223372036854775808.0 && number <= 9223372036854775807.0
               : true;
}

static enum rp_violation why_not_number(const struct rp_model_schema *schema, double number) {
    bool small =
        schema->has_min && (number < schema->min || (schema->above_min && number <= schema->min));
    bool large =
        schema->has_max && (number > schema->max || (schema->below_max && number >= schema->max));
    return small                               ? RP_VIOLATION_SMALL
           : large                             ? RP_VIOLATION_LARGE
           : in_format(number, schema->format) ? RP_VIOLATION_NONE
                                               : RP_VIOLATION_FORMAT;
}

static bool is_whole(double number) {
    return trunc(number) == number;
}

/* What was expected, when it is none of it. */
static enum rp_violation why_not_type(unsigned types) {
    return types & RP_TYPE_STRING    ? RP_VIOLATION_STRING
           : types & RP_TYPE_OBJECT  ? RP_VIOLATION_OBJECT
           : types & RP_TYPE_ARRAY   ? RP_VIOLATION_ARRAY
           : types & RP_TYPE_NUMBER  ? RP_VIOLATION_NUMBER
           : types & RP_TYPE_INTEGER ? RP_VIOLATION_INTEGER
           : types & RP_TYPE_BOOLEAN ? RP_VIOLATION_BOOLEAN
                                     : RP_VIOLATION_NULL_VALUE;
}

/* ---- on a line ---- */

static bool is_allowed(const struct rp_model_schema *schema, rp_view text) {
    for (size_t i = 0; i < schema->allowed_count; i++) {
        if (rp_view_equal(schema->allowed[i], text)) {
            return true;
        }
    }
    return schema->allowed == NULL;
}

static enum rp_violation why_not_text(const struct rp_model_schema *schema, rp_view text) {
    double number = 0;
    bool is_number = rp_model_number(text, &number);
    if (is_number &&
        (schema->types & RP_TYPE_NUMBER || (schema->types & RP_TYPE_INTEGER && is_whole(number)))) {
        return why_not_number(schema, number);
    }
    bool word = rp_view_equal(text, RP_VIEW("true")) || rp_view_equal(text, RP_VIEW("false"));
    if (word && schema->types & RP_TYPE_BOOLEAN) {
        return RP_VIOLATION_NONE;
    }
    return schema->types & RP_TYPE_STRING ? why_not_string(schema, text)
                                          : why_not_type(schema->types);
}

bool rp_model_text(const struct rp_model_schema *schema, rp_view text, const struct rp_model_at *at,
                   struct rp_model_verdict *verdict) {
    enum rp_violation why = why_not_text(schema, text);
    if (why == RP_VIOLATION_NONE && !is_allowed(schema, text)) {
        why = RP_VIOLATION_ENUM;
    }
    return rp_model_says(verdict, why, at);
}

/* ---- JSON ---- */

static bool json_is_allowed(const struct rp_model_schema *schema, const struct rp_json *value) {
    for (size_t i = 0; i < schema->allowed_count; i++) {
        rp_view allowed = schema->allowed[i];
        double number = 0;
        bool same = false;
        if (value->kind == RP_JSON_STRING) {
            same = rp_view_equal(allowed, value->string);
        } else if (value->kind == RP_JSON_NUMBER) {
            same = rp_model_number(allowed, &number) && !(number < value->number) &&
                   !(number > value->number);
        } else if (value->kind == RP_JSON_BOOL) {
            same = rp_view_equal(allowed, value->boolean ? RP_VIEW("true") : RP_VIEW("false"));
        } else {
            same = value->kind == RP_JSON_NULL && rp_view_equal(allowed, RP_VIEW("null"));
        }
        if (same) {
            return true;
        }
    }
    return schema->allowed == NULL;
}

static bool json_array(const struct rp_model_schema *schema, const struct rp_json *value,
                       const struct rp_model_at *at, struct rp_model_verdict *verdict) {
    if (value->count < schema->items_min || value->count > schema->items_max) {
        return rp_model_says(
            verdict, value->count < schema->items_min ? RP_VIOLATION_FEW : RP_VIOLATION_MANY, at);
    }
    size_t i = 0;
    for (const struct rp_json *one = schema->items ? value->first : NULL; one;
         one = one->next, i++) {
        char name[24];
        int n = snprintf(name, sizeof name, "%zu", i);
        const struct rp_model_at here = {at, rp_view_of(name, (size_t)n)};
        if (!rp_model_json(schema->items, one, &here, verdict)) {
            return false;
        }
    }
    return true;
}

static const struct rp_model_member *member_named(const struct rp_model_schema *schema,
                                                  rp_view name) {
    const struct rp_model_member *member = schema->members;
    while (member && !rp_view_equal(member->name, name)) {
        member = member->next;
    }
    return member;
}

static bool json_members(const struct rp_model_schema *schema, const struct rp_json *value,
                         const struct rp_model_at *at, struct rp_model_verdict *verdict) {
    for (const struct rp_json *one = value->first; one; one = one->next) {
        const struct rp_model_at here = {at, one->key};
        const struct rp_model_member *member = member_named(schema, one->key);
        const struct rp_model_schema *type = member ? member->schema : schema->more_type;
        if (!member && !schema->more) {
            return rp_model_says(verdict, RP_VIOLATION_UNKNOWN, &here);
        }
        if (type && !rp_model_json(type, one, &here, verdict)) {
            return false;
        }
    }
    return true;
}

static bool json_object(const struct rp_model_schema *schema, const struct rp_json *value,
                        const struct rp_model_at *at, struct rp_model_verdict *verdict) {
    for (const struct rp_model_member *m = schema->members; m; m = m->next) {
        const struct rp_json *one = value->first;
        while (m->required && one && !rp_view_equal(one->key, m->name)) {
            one = one->next;
        }
        if (m->required && !one) {
            const struct rp_model_at here = {at, m->name};
            return rp_model_says(verdict, RP_VIOLATION_MISSING, &here);
        }
    }
    if (schema->types == RP_TYPE_OBJECT &&
        (value->count < schema->items_min || value->count > schema->items_max)) {
        return rp_model_says(
            verdict, value->count < schema->items_min ? RP_VIOLATION_FEW : RP_VIOLATION_MANY, at);
    }
    return json_members(schema, value, at, verdict);
}

static unsigned type_of(const struct rp_json *value) {
    switch (value->kind) {
    case RP_JSON_NULL:
        return RP_TYPE_NULL;
    case RP_JSON_BOOL:
        return RP_TYPE_BOOLEAN;
    case RP_JSON_NUMBER:
        return is_whole(value->number) ? RP_TYPE_NUMBER | RP_TYPE_INTEGER : RP_TYPE_NUMBER;
    case RP_JSON_STRING:
        return RP_TYPE_STRING;
    case RP_JSON_ARRAY:
        return RP_TYPE_ARRAY;
    case RP_JSON_OBJECT:
        return RP_TYPE_OBJECT;
    }
    RP_UNREACHABLE();
}

bool rp_model_json(const struct rp_model_schema *schema, const struct rp_json *value,
                   const struct rp_model_at *at, struct rp_model_verdict *verdict) {
    enum rp_violation why = RP_VIOLATION_NONE;
    if (!(type_of(value) & schema->types)) {
        why = value->kind == RP_JSON_NULL ? RP_VIOLATION_NULL_VALUE : why_not_type(schema->types);
    } else if (value->kind == RP_JSON_STRING) {
        why = why_not_string(schema, value->string);
    } else if (value->kind == RP_JSON_NUMBER) {
        why = why_not_number(schema, value->number);
    }
    if (why == RP_VIOLATION_NONE && !json_is_allowed(schema, value)) {
        why = RP_VIOLATION_ENUM;
    }
    if (why != RP_VIOLATION_NONE) {
        return rp_model_says(verdict, why, at);
    }
    return value->kind == RP_JSON_ARRAY    ? json_array(schema, value, at, verdict)
           : value->kind == RP_JSON_OBJECT ? json_object(schema, value, at, verdict)
                                           : true;
}
