/* schema_parse.c — one register out of one YAML document; what crosses registers comes later. */
#include <stdio.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/checked.h"
#include "register/expr_tree.h"
#include "wire/yaml.h"

struct reading {
    const char *file;
    struct rp_arena *arena;
    struct rp_diag *diag;
    struct rp_register *reg;
};

static rp_err wrong(const struct reading *r, const struct rp_yaml *at, const char *what,
                    const char *name) {
    return rp_fail_at(r->diag, RP_ERR(SYNTAX), at ? at->line : 1, at ? at->column : 1, "%s: %s%s",
                      r->file, what, name ? name : "");
}

static const struct rp_yaml *first_of(const struct rp_yaml *map) {
    return map ? map->first : NULL;
}

static size_t count_of(const struct rp_yaml *node) {
    size_t n = 0;
    for (const struct rp_yaml *one = first_of(node); one; one = one->next) {
        n++;
    }
    return n;
}

/* A key that nobody knows is a mistake, not a wish. */
static rp_err known_keys(const struct reading *r, const struct rp_yaml *map, const char *keys) {
    if (!map || map->kind != RP_YAML_MAPPING) {
        return wrong(r, map, "expected {key: value}", NULL);
    }
    for (const struct rp_yaml *one = map->first; one; one = one->next) {
        rp_view rest = rp_view_from_cstr(keys);
        bool found = false;
        while (rest.p && !found) {
            found = rp_view_equal(rp_view_cut(&rest, ' '), one->key);
        }
        if (!found) {
            return rp_fail_at(r->diag, RP_ERR(UNKNOWN_KEY), one->key_line, one->key_column,
                              "%s: \"%.*s\"; known: %s", r->file, RP_FMT(one->key), keys);
        }
    }
    return RP_OK;
}

static rp_err copy(const struct reading *r, rp_view v, const char **ret_text) {
    char *text = rp_arena_cstr(r->arena, v);
    if (!text) {
        return RP_ERR(TOO_LARGE);
    }
    *ret_text = text;
    return RP_OK;
}

static rp_err optional(const struct reading *r, const struct rp_yaml *map, const char *key,
                       const char **ret_text) {
    const struct rp_yaml *node = rp_yaml_get(map, key);
    if (!node) {
        return RP_OK;
    }
    if (node->kind != RP_YAML_SCALAR || node->scalar.n == 0) {
        return wrong(r, node, "expected a text: ", key);
    }
    return copy(r, node->scalar, ret_text);
}

static rp_err needed(const struct reading *r, const struct rp_yaml *map, const char *key,
                     const char **ret_text) {
    RP_TRY(optional(r, map, key, ret_text));
    return *ret_text ? RP_OK : wrong(r, map, "missing: ", key);
}

/* Small letters, digits and `extra`. */
static bool is_id(rp_view v, char extra) {
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        if (!((c >= 'a' && c <= 'z') || (i > 0 && ((c >= '0' && c <= '9') || c == extra)))) {
            return false;
        }
    }
    return v.n > 0 && v.n <= 40;
}

static rp_err key_id(const struct reading *r, const struct rp_yaml *node, char extra,
                     const char **ret_id) {
    return is_id(node->key, extra) ? copy(r, node->key, ret_id)
                                   : wrong(r, node, "expected a short name in small letters", NULL);
}

static rp_err read_bool(const struct reading *r, const struct rp_yaml *map, const char *key,
                        bool *ret_yes) {
    rp_view v = rp_yaml_get_scalar(map, key);
    if (v.p && !rp_view_equal(v, RP_VIEW("true")) && !rp_view_equal(v, RP_VIEW("false"))) {
        return wrong(r, rp_yaml_get(map, key), "expected true or false: ", key);
    }
    *ret_yes = rp_view_equal(v, RP_VIEW("true"));
    return RP_OK;
}

/* ["français", "English"] */
static rp_err read_words(const struct reading *r, const struct rp_yaml *node, const char *key,
                         struct rp_words *ret_words) {
    const struct rp_yaml *fr = first_of(node), *en = fr ? fr->next : NULL;
    if (!node || node->kind != RP_YAML_SEQUENCE || !en || fr->kind != RP_YAML_SCALAR ||
        en->kind != RP_YAML_SCALAR || fr->scalar.n == 0 || en->scalar.n == 0) {
        return wrong(r, node, "expected [\"français\", \"English\"]: ", key);
    }
    RP_TRY(copy(r, fr->scalar, &ret_words->s[RP_FR]));
    return copy(r, en->scalar, &ret_words->s[RP_EN]);
}

static rp_err need_words(const struct reading *r, const struct rp_yaml *map, const char *key,
                         struct rp_words *ret_words) {
    const struct rp_yaml *node = rp_yaml_get(map, key);
    return node ? read_words(r, node, key, ret_words) : wrong(r, map, "missing: ", key);
}

static rp_err read_names(const struct reading *r, const struct rp_yaml *map, const char *key,
                         struct rp_names *ret_names) {
    const struct rp_yaml *node = rp_yaml_get(map, key);
    if (node && (node->kind != RP_YAML_SEQUENCE || count_of(node) > RP_LIST_MAX)) {
        return wrong(r, node, "expected a list of at most 16: ", key);
    }
    for (const struct rp_yaml *one = first_of(node); one; one = one->next) {
        if (one->kind != RP_YAML_SCALAR) {
            return wrong(r, one, "expected a name", NULL);
        }
        RP_TRY(copy(r, one->scalar, &ret_names->s[ret_names->n++]));
    }
    return RP_OK;
}

static rp_err read_span(const struct reading *r, const struct rp_yaml *node,
                        struct rp_span *ret_span) {
    return node && node->kind == RP_YAML_SCALAR && rp_span_parse(node->scalar, ret_span)
               ? RP_OK
               : wrong(r, node, "expected a span like 72h, 30d, 1wd, 12mo", NULL);
}

/* An expression's own column counts from where its text begins. */
static rp_err read_expr(const struct reading *r, const struct rp_yaml *node,
                        struct rp_expr **ret_expr) {
    struct rp_diag inner = {0};
    if (node->kind != RP_YAML_SCALAR) {
        return wrong(r, node, "expected an expression", NULL);
    }
    rp_err err = rp_expr_parse(node->scalar, r->arena, ret_expr, &inner);
    return rp_ok(err) ? RP_OK
                      : rp_fail_at(r->diag, err, node->line, node->column + inner.column, "%s: %s",
                                   r->file, inner.text);
}

static rp_err array(const struct reading *r, const struct rp_yaml *map, size_t most, size_t size,
                    void **ret_array, const char *key) {
    size_t n = count_of(map);
    if (map && map->kind != RP_YAML_MAPPING) {
        return wrong(r, map, "expected {name: …}: ", key);
    }
    if (n > most) {
        return wrong(r, map, "too many: ", key);
    }
    *ret_array = rp_arena_array(r->arena, n + 1, size);
    return *ret_array ? RP_OK : RP_ERR(TOO_LARGE);
}

/* ---- fields ---- */

static const char *const type_names[RP_FIELD_TYPE_COUNT] = {
    "text",      "number", "date", "datetime", "choice", "multi",    "person",
    "reference", "file",   "leaf", "url",      "bool",   "duration", "computed"};

const char *rp_field_type_name(enum rp_field_type type) {
    RP_ASSERT((size_t)type < RP_FIELD_TYPE_COUNT);
    return type_names[type];
}

static rp_err read_type(const struct reading *r, const struct rp_yaml *map,
                        enum rp_field_type *ret_type) {
    rp_view v = rp_yaml_get_scalar(map, "type");
    for (size_t i = 0; i < RP_COUNT_OF(type_names); i++) {
        if (rp_view_equal(v, rp_view_from_cstr(type_names[i]))) {
            *ret_type = (enum rp_field_type)i;
            return RP_OK;
        }
    }
    return wrong(r, map,
                 "type: text, number, date, datetime, choice, multi, person, reference, "
                 "file, leaf, url, bool, duration, computed",
                 NULL);
}

static rp_err read_choices(const struct reading *r, const struct rp_yaml *map,
                           struct rp_field *field) {
    const struct rp_yaml *choices = rp_yaml_get(map, "choices");
    bool wanted = field->type == RP_FIELD_CHOICE || field->type == RP_FIELD_MULTI;
    if (wanted != (choices != NULL)) {
        return wrong(r, map, "choices: belong to choice and multi", NULL);
    }
    void *list = NULL;
    RP_TRY(array(r, choices, 64, sizeof *field->choices, &list, "choices"));
    field->choices = list;
    for (const struct rp_yaml *one = first_of(choices); one; one = one->next) {
        struct rp_choice *choice = &field->choices[field->choice_count++];
        RP_TRY(key_id(r, one, '_', &choice->id));
        RP_TRY(read_words(r, one, choice->id, &choice->label));
        const struct rp_yaml *third = one->first->next->next;
        choice->risk = third && rp_view_equal(third->scalar, RP_VIEW("risk"));
    }
    return RP_OK;
}

static bool is_indexed(const struct rp_field *field) {
    if (field->sealed || field->type == RP_FIELD_COMPUTED || field->type == RP_FIELD_MULTI ||
        field->type == RP_FIELD_FILE || field->type == RP_FIELD_LEAF) {
        return false;
    }
    return field->type != RP_FIELD_TEXT || field->unique;
}

static rp_err read_field(const struct reading *r, const struct rp_yaml *node,
                         struct rp_field *field) {
    RP_TRY(known_keys(
        r, node,
        "type label help required unique sealed personal fixed digest to choices formula"));
    RP_TRY(key_id(r, node, '_', &field->id));
    RP_TRY(read_type(r, node, &field->type));
    RP_TRY(need_words(r, node, "label", &field->label));
    if (rp_yaml_get(node, "help")) {
        RP_TRY(need_words(r, node, "help", &field->help));
    }
    RP_TRY(read_bool(r, node, "required", &field->required));
    RP_TRY(read_bool(r, node, "unique", &field->unique));
    RP_TRY(read_bool(r, node, "sealed", &field->sealed));
    RP_TRY(read_bool(r, node, "personal", &field->personal));
    RP_TRY(read_bool(r, node, "fixed", &field->fixed));
    RP_TRY(read_bool(r, node, "digest", &field->digest_only));
    RP_TRY(optional(r, node, "to", &field->refers));
    RP_TRY(read_choices(r, node, field));
    if (field->type == RP_FIELD_PERSON) {
        field->refers = "persons";
    }
    if ((field->type == RP_FIELD_REFERENCE) != (field->refers != NULL) &&
        field->type != RP_FIELD_PERSON) {
        return wrong(r, node, "to: belongs to a reference", NULL);
    }
    if (field->personal && !field->sealed && field->type == RP_FIELD_TEXT) {
        return wrong(r, node, "a personal text is sealed: ", field->id);
    }
    if (field->unique && field->sealed) {
        return wrong(r, node, "sealed bytes cannot be unique: ", field->id);
    }
    const struct rp_yaml *formula = rp_yaml_get(node, "formula");
    if ((field->type == RP_FIELD_COMPUTED) != (formula != NULL)) {
        return wrong(r, node, "formula: belongs to computed", NULL);
    }
    field->indexed = is_indexed(field);
    return formula ? read_expr(r, formula, &field->formula) : RP_OK;
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

static rp_err read_fields(const struct reading *r, const struct rp_yaml *map) {
    void *list = NULL;
    RP_TRY(array(r, map, RP_FIELDS_MAX, sizeof *r->reg->fields, &list, "fields"));
    r->reg->fields = list;
    for (const struct rp_yaml *one = first_of(map); one; one = one->next) {
        struct rp_field *field = &r->reg->fields[r->reg->field_count++];
        RP_TRY(read_field(r, one, field));
        if (is_reserved(field->id)) {
            return wrong(r, one, "a field may not be called ", field->id);
        }
    }
    return r->reg->field_count ? RP_OK : wrong(r, map, "missing: fields", NULL);
}

/* ---- states and moves ---- */

static rp_err read_states(const struct reading *r, const struct rp_yaml *map) {
    void *list = NULL;
    RP_TRY(array(r, map, RP_STATES_MAX, sizeof *r->reg->states, &list, "states"));
    r->reg->states = list;
    for (const struct rp_yaml *one = first_of(map); one; one = one->next) {
        struct rp_state *state = &r->reg->states[r->reg->state_count++];
        RP_TRY(key_id(r, one, '_', &state->id));
        RP_TRY(read_words(r, one, state->id, &state->label));
    }
    return r->reg->state_count ? RP_OK : wrong(r, map, "missing: states", NULL);
}

static rp_err read_state_set(const struct reading *r, const struct rp_yaml *map, const char *key,
                             uint32_t *ret_set) {
    const struct rp_yaml *node = rp_yaml_get(map, key);
    if (!node || node->kind != RP_YAML_SEQUENCE || !node->first) {
        return wrong(r, node ? node : map, "expected a list of states: ", key);
    }
    for (const struct rp_yaml *one = node->first; one; one = one->next) {
        int at = rp_register_state(r->reg, one->scalar);
        if (at < 0) {
            return wrong(r, one, "no such state", NULL);
        }
        *ret_set |= UINT32_C(1) << at;
    }
    return RP_OK;
}

static rp_err read_effects(const struct reading *r, const struct rp_yaml *map,
                           struct rp_effect *list, size_t most, size_t *ret_count) {
    static const struct {
        const char *word;
        enum rp_effect_kind kind;
    } words[] = {{"now", RP_EFFECT_NOW},
                 {"today", RP_EFFECT_TODAY},
                 {"actor", RP_EFFECT_ACTOR},
                 {"empty", RP_EFFECT_EMPTY}};
    for (const struct rp_yaml *one = first_of(map); one; one = one->next) {
        if (*ret_count == most || one->kind != RP_YAML_SCALAR) {
            return wrong(r, one, "too many effects, or no plain value", NULL);
        }
        struct rp_effect *effect = &list[(*ret_count)++];
        effect->line = one->line;
        effect->column = one->column;
        RP_TRY(key_id(r, one, '_', &effect->name));
        RP_TRY(copy(r, one->scalar, &effect->text));
        for (size_t i = 0; i < RP_COUNT_OF(words) && !one->quoted; i++) {
            if (strcmp(words[i].word, effect->text) == 0) {
                effect->kind = words[i].kind;
            }
        }
    }
    return RP_OK;
}

/* make: {background-checks: {back: person, with: {…}}} */
static rp_err read_makings(const struct reading *r, const struct rp_yaml *map,
                           struct rp_move *move) {
    for (const struct rp_yaml *one = first_of(map); one; one = one->next) {
        if (move->make_count == RP_COUNT_OF(move->make)) {
            return wrong(r, one, "at most four registers", NULL);
        }
        struct rp_making *making = &move->make[move->make_count++];
        making->line = one->line;
        making->column = one->column;
        RP_TRY(known_keys(r, one, "back with"));
        RP_TRY(key_id(r, one, '-', &making->register_id));
        RP_TRY(optional(r, one, "back", &making->back));
        RP_TRY(read_effects(r, rp_yaml_get(one, "with"), making->with, RP_COUNT_OF(making->with),
                            &making->with_count));
    }
    return RP_OK;
}

static rp_err read_move(const struct reading *r, const struct rp_yaml *node, struct rp_move *move) {
    RP_TRY(known_keys(r, node,
                      "label from to who needs not_by if refusal sign reason automatic set make"));
    RP_TRY(key_id(r, node, '_', &move->id));
    RP_TRY(need_words(r, node, "label", &move->label));
    RP_TRY(read_state_set(r, node, "from", &move->from));
    int to = rp_register_state(r->reg, rp_yaml_get_scalar(node, "to"));
    if (to < 0) {
        return wrong(r, node, "to: no such state", NULL);
    }
    move->to = (unsigned)to;
    RP_TRY(read_names(r, node, "who", &move->who));
    RP_TRY(read_names(r, node, "needs", &move->needs));
    RP_TRY(read_names(r, node, "not_by", &move->not_by));
    RP_TRY(read_bool(r, node, "sign", &move->sign));
    RP_TRY(read_bool(r, node, "reason", &move->reason));
    RP_TRY(read_bool(r, node, "automatic", &move->automatic));
    if (rp_yaml_get(node, "if")) {
        RP_TRY(read_expr(r, rp_yaml_get(node, "if"), &move->guard));
        RP_TRY(need_words(r, node, "refusal", &move->refusal));
    }
    RP_TRY(read_effects(r, rp_yaml_get(node, "set"), move->set, RP_COUNT_OF(move->set),
                        &move->set_count));
    return read_makings(r, rp_yaml_get(node, "make"), move);
}

static rp_err read_moves(const struct reading *r, const struct rp_yaml *map) {
    void *list = NULL;
    RP_TRY(array(r, map, 64, sizeof *r->reg->moves, &list, "moves"));
    r->reg->moves = list;
    for (const struct rp_yaml *one = first_of(map); one; one = one->next) {
        RP_TRY(read_move(r, one, &r->reg->moves[r->reg->move_count++]));
    }
    return RP_OK;
}

/* ---- deadlines and rules ---- */

static rp_err read_spans(const struct reading *r, const struct rp_yaml *map, const char *key,
                         struct rp_span *list, size_t *ret_count) {
    const struct rp_yaml *node = rp_yaml_get(map, key);
    if (count_of(node) > RP_CLOCK_SPANS_MAX) {
        return wrong(r, node, "at most four: ", key);
    }
    for (const struct rp_yaml *one = first_of(node); one; one = one->next) {
        RP_TRY(read_span(r, one, &list[(*ret_count)++]));
    }
    return RP_OK;
}

static rp_err read_deadline(const struct reading *r, const struct rp_yaml *node,
                            struct rp_deadline *d) {
    RP_TRY(known_keys(r, node,
                      "label in from at within legal remind remind_to escalate escalate_to then"));
    RP_TRY(key_id(r, node, '_', &d->id));
    RP_TRY(need_words(r, node, "label", &d->label));
    RP_TRY(read_state_set(r, node, "in", &d->in));
    RP_TRY(optional(r, node, "from", &d->from));
    RP_TRY(optional(r, node, "at", &d->at));
    RP_TRY(optional(r, node, "then", &d->then));
    RP_TRY(optional(r, node, "remind_to", &d->remind_to));
    RP_TRY(optional(r, node, "escalate_to", &d->escalate_to));
    RP_TRY(read_bool(r, node, "legal", &d->legal));
    if (!d->at) {
        RP_TRY(read_span(r, rp_yaml_get(node, "within") ? rp_yaml_get(node, "within") : node,
                         &d->within));
    }
    RP_TRY(read_spans(r, node, "remind", d->plan.remind, &d->plan.remind_count));
    return read_spans(r, node, "escalate", d->plan.escalate, &d->plan.escalate_count);
}

static rp_err read_deadlines(const struct reading *r, const struct rp_yaml *map) {
    void *list = NULL;
    RP_TRY(array(r, map, 16, sizeof *r->reg->deadlines, &list, "deadlines"));
    r->reg->deadlines = list;
    for (const struct rp_yaml *one = first_of(map); one; one = one->next) {
        RP_TRY(read_deadline(r, one, &r->reg->deadlines[r->reg->deadline_count++]));
    }
    return RP_OK;
}

/* Room for the gates that the program adds. */
static rp_err read_rules(const struct reading *r, const struct rp_yaml *list) {
    size_t n = count_of(list);
    r->reg->rules = rp_arena_array(r->arena, n + 4, sizeof *r->reg->rules);
    if (!r->reg->rules || n > 16) {
        return wrong(r, list, "too many rules", NULL);
    }
    for (const struct rp_yaml *one = first_of(list); one; one = one->next) {
        struct rp_rule *rule = &r->reg->rules[r->reg->rule_count++];
        RP_TRY(known_keys(r, one, "must refusal"));
        if (!rp_yaml_get(one, "must")) {
            return wrong(r, one, "missing: must", NULL);
        }
        RP_TRY(read_expr(r, rp_yaml_get(one, "must"), &rule->must));
        RP_TRY(need_words(r, one, "refusal", &rule->refusal));
    }
    return RP_OK;
}

/* ---- the whole ---- */

static rp_err read_head(const struct reading *r, const struct rp_yaml *root) {
    struct rp_register *reg = r->reg;
    uint64_t version = 0;
    RP_TRY(known_keys(r, root,
                      "id number section version name one about title read write own promises "
                      "retention locked fields states moves deadlines rules"));
    RP_TRY(needed(r, root, "id", &reg->id));
    rp_view shelf = rp_arena_printf(r->arena, "~%s", reg->id);
    if (!shelf.p) {
        return RP_ERR(TOO_LARGE);
    }
    reg->canary_shelf = (const char *)shelf.p;
    if (!is_id(rp_view_from_cstr(reg->id), '-')) {
        return wrong(r, root, "id: small letters and hyphens", NULL);
    }
    RP_TRY(needed(r, root, "number", &reg->number));
    RP_TRY(needed(r, root, "section", &reg->section));
    RP_TRY(needed(r, root, "title", &reg->title));
    RP_TRY(optional(r, root, "own", &reg->own));
    if (!rp_view_to_u64(rp_yaml_get_scalar(root, "version"), 1000000, &version) || version == 0) {
        return wrong(r, root, "version: a number from 1", NULL);
    }
    reg->version = (unsigned)version;
    RP_TRY(need_words(r, root, "name", &reg->name));
    RP_TRY(need_words(r, root, "one", &reg->one));
    RP_TRY(need_words(r, root, "about", &reg->about));
    RP_TRY(read_names(r, root, "read", &reg->read));
    RP_TRY(read_names(r, root, "write", &reg->write));
    RP_TRY(read_names(r, root, "promises", &reg->promises));
    const struct rp_yaml *retention = rp_yaml_get(root, "retention");
    return retention ? read_span(r, retention, &reg->retention)
                     : wrong(r, root, "missing: retention", NULL);
}

/* Line by line what data hangs on: a later version may add lines, not take them away. */
static rp_err print_shape(const struct reading *r) {
    struct rp_register *reg = r->reg;
    _cleanup_(rp_buf_done) struct rp_buf out = rp_buf_new(65536);
    for (size_t i = 0; i < reg->state_count; i++) {
        rp_buf_printf(&out, "state %s\n", reg->states[i].id);
    }
    for (size_t i = 0; i < reg->field_count; i++) {
        const struct rp_field *f = &reg->fields[i];
        rp_buf_printf(&out, "field %s %s%s%s%s\n", f->id, rp_field_type_name(f->type),
                      f->sealed ? " sealed" : "", f->refers ? " to " : "",
                      f->refers ? f->refers : "");
        for (size_t c = 0; c < f->choice_count; c++) {
            rp_buf_printf(&out, "choice %s.%s\n", f->id, f->choices[c].id);
        }
    }
    RP_TRY(rp_buf_err(&out));
    return copy(r, rp_buf_view(&out), &reg->shape);
}

rp_err rp_register_parse(rp_view text, const char *file, struct rp_arena *arena,
                         struct rp_register *ret_register, struct rp_diag *diag) {
    RP_ASSERT(file != NULL && arena != NULL && ret_register != NULL);
    struct rp_yaml *root = NULL;
    struct rp_diag inner = {0};
    struct rp_register reg = {0};
    rp_err err = rp_yaml_parse(text, arena, &root, &inner);
    if (!rp_ok(err)) {
        return rp_fail_at(diag, err, inner.line, inner.column, "%s: %s", file, inner.text);
    }
    struct reading r = {.file = file, .arena = arena, .diag = diag, .reg = &reg};
    RP_TRY(copy(&r, rp_view_from_cstr(file), &reg.file));
    RP_TRY(read_head(&r, root));
    RP_TRY(read_states(&r, rp_yaml_get(root, "states")));
    if (rp_yaml_get(root, "locked")) {
        RP_TRY(read_state_set(&r, root, "locked", &reg.locked));
    }
    RP_TRY(read_fields(&r, rp_yaml_get(root, "fields")));
    RP_TRY(read_moves(&r, rp_yaml_get(root, "moves")));
    RP_TRY(read_deadlines(&r, rp_yaml_get(root, "deadlines")));
    RP_TRY(read_rules(&r, rp_yaml_get(root, "rules")));
    RP_TRY(print_shape(&r));
    *ret_register = reg;
    return RP_OK;
}
