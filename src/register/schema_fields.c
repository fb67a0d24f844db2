/* schema_fields.c — a register's fields: types, choices, what goes together and what does not. */
#include "base/assert.h"
#include "base/checked.h"
#include "register/schema_read.h"

static const char *const type_names[RP_FIELD_TYPE_COUNT] = {
    "text", "number",  "date", "datetime", "choice", "multi",    "person",  "reference",
    "file", "digests", "leaf", "url",      "bool",   "duration", "computed"};

const char *rp_field_type_name(enum rp_field_type type) {
    RP_ASSERT((size_t)type < RP_FIELD_TYPE_COUNT);
    return type_names[type];
}

static rp_err read_type(const struct rp_reading *r, const struct rp_yaml *map,
                        enum rp_field_type *ret_type) {
    rp_view v = rp_yaml_get_scalar(map, "type");
    for (size_t i = 0; i < RP_COUNT_OF(type_names); i++) {
        if (rp_view_equal(v, rp_view_from_cstr(type_names[i]))) {
            *ret_type = (enum rp_field_type)i;
            return RP_OK;
        }
    }
    return rp_schema_wrong(r, map,
                           "type: text, number, date, datetime, choice, multi, person, reference, "
                           "file, digests, leaf, url, bool, duration, computed",
                           NULL);
}

static rp_err read_choices(const struct rp_reading *r, const struct rp_yaml *map,
                           struct rp_field *field) {
    const struct rp_yaml *choices = rp_yaml_get(map, "choices");
    bool wanted = field->type == RP_FIELD_CHOICE || field->type == RP_FIELD_MULTI;
    if (wanted != (choices != NULL)) {
        return rp_schema_wrong(r, map, "choices: belong to choice and multi", NULL);
    }
    void *list = NULL;
    RP_TRY(rp_schema_array(r, choices, 64, sizeof *field->choices, &list, "choices"));
    field->choices = list;
    for (const struct rp_yaml *one = rp_schema_first(choices); one; one = one->next) {
        struct rp_choice *choice = &field->choices[field->choice_count++];
        RP_TRY(rp_schema_key_id(r, one, '_', &choice->id));
        RP_TRY(rp_schema_words(r, one, choice->id, &choice->label));
        const struct rp_yaml *third = one->first->next->next;
        choice->risk = third && rp_view_equal(third->scalar, RP_VIEW("risk"));
    }
    return RP_OK;
}

static bool is_indexed(const struct rp_field *field) {
    if (field->sealed || field->type == RP_FIELD_COMPUTED || field->type == RP_FIELD_MULTI ||
        field->type == RP_FIELD_FILE || field->type == RP_FIELD_DIGESTS ||
        field->type == RP_FIELD_LEAF) {
        return false;
    }
    return field->type != RP_FIELD_TEXT || field->unique;
}

static rp_err read_field(const struct rp_reading *r, const struct rp_yaml *node,
                         struct rp_field *field) {
    RP_TRY(rp_schema_known_keys(
        r, node,
        "type label help required unique sealed personal fixed digest to choices formula"));
    RP_TRY(rp_schema_key_id(r, node, '_', &field->id));
    RP_TRY(read_type(r, node, &field->type));
    RP_TRY(rp_schema_need_words(r, node, "label", &field->label));
    if (rp_yaml_get(node, "help")) {
        RP_TRY(rp_schema_need_words(r, node, "help", &field->help));
    }
    RP_TRY(rp_schema_bool(r, node, "required", &field->required));
    RP_TRY(rp_schema_bool(r, node, "unique", &field->unique));
    RP_TRY(rp_schema_bool(r, node, "sealed", &field->sealed));
    RP_TRY(rp_schema_bool(r, node, "personal", &field->personal));
    RP_TRY(rp_schema_bool(r, node, "fixed", &field->fixed));
    RP_TRY(rp_schema_bool(r, node, "digest", &field->digest_only));
    RP_TRY(rp_schema_optional(r, node, "to", &field->refers));
    RP_TRY(read_choices(r, node, field));
    if (field->type == RP_FIELD_PERSON) {
        field->refers = "persons";
    }
    if ((field->type == RP_FIELD_REFERENCE) != (field->refers != NULL) &&
        field->type != RP_FIELD_PERSON) {
        return rp_schema_wrong(r, node, "to: belongs to a reference", NULL);
    }
    if (field->personal && !field->sealed && field->type == RP_FIELD_TEXT) {
        return rp_schema_wrong(r, node, "a personal text is sealed: ", field->id);
    }
    if (field->unique && field->sealed) {
        return rp_schema_wrong(r, node, "sealed bytes cannot be unique: ", field->id);
    }
    if (field->sealed && field->type == RP_FIELD_DIGESTS) {
        return rp_schema_wrong(r, node,
                               "digests are found by their value, not sealed: ", field->id);
    }
    const struct rp_yaml *formula = rp_yaml_get(node, "formula");
    if ((field->type == RP_FIELD_COMPUTED) != (formula != NULL)) {
        return rp_schema_wrong(r, node, "formula: belongs to computed", NULL);
    }
    field->indexed = is_indexed(field);
    return formula ? rp_schema_expr(r, formula, &field->formula) : RP_OK;
}

static bool is_reserved(const char *id) {
    static const char *const words[] = {"id",      "state",   "author",  "number",   "created",
                                        "changed", "version", "overdue", "register", "reason",
                                        "this",    "now",     "today",   "actor",    "q"};
    for (size_t i = 0; i < RP_COUNT_OF(words); i++) {
        if (strcmp(words[i], id) == 0) {
            return true;
        }
    }
    return false;
}

rp_err rp_schema_read_fields(const struct rp_reading *r, const struct rp_yaml *map) {
    void *list = NULL;
    RP_TRY(rp_schema_array(r, map, RP_FIELDS_MAX, sizeof *r->reg->fields, &list, "fields"));
    r->reg->fields = list;
    for (const struct rp_yaml *one = rp_schema_first(map); one; one = one->next) {
        struct rp_field *field = &r->reg->fields[r->reg->field_count++];
        RP_TRY(read_field(r, one, field));
        if (is_reserved(field->id)) {
            return rp_schema_wrong(r, one, "a field may not be called ", field->id);
        }
    }
    return r->reg->field_count ? RP_OK : rp_schema_wrong(r, map, "missing: fields", NULL);
}
