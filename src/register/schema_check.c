/* schema_check.c — all registers together: references, roles, guards, and the program's gates. */
#include "base/assert.h"
#include "base/checked.h"
#include "register/value.h"

struct checks {
    struct rp_registers *all;
    struct rp_register *reg;
    struct rp_arena *arena;
    struct rp_diag *diag;
};

static rp_err wrong(const struct checks *c, const char *what, const char *name) {
    return rp_fail(c->diag, RP_ERR(UNKNOWN_KEY), "%s: %s \"%s\"", c->reg->file, what,
                   name ? name : "");
}

/* ---- finding ---- */

const struct rp_register *rp_register_find(const struct rp_registers *registers, rp_view id) {
    for (size_t i = 0; i < registers->count; i++) {
        if (rp_view_equal(id, rp_view_from_cstr(registers->list[i].id))) {
            return &registers->list[i];
        }
    }
    return NULL;
}

const struct rp_field *rp_register_field(const struct rp_register *reg, rp_view id) {
    for (size_t i = 0; i < reg->field_count; i++) {
        if (rp_view_equal(id, rp_view_from_cstr(reg->fields[i].id))) {
            return &reg->fields[i];
        }
    }
    return NULL;
}

const struct rp_choice *rp_field_choice(const struct rp_field *field, rp_view id) {
    for (size_t i = 0; i < field->choice_count; i++) {
        if (rp_view_equal(id, rp_view_from_cstr(field->choices[i].id))) {
            return &field->choices[i];
        }
    }
    return NULL;
}

int rp_register_state(const struct rp_register *reg, rp_view id) {
    for (size_t i = 0; i < reg->state_count; i++) {
        if (rp_view_equal(id, rp_view_from_cstr(reg->states[i].id))) {
            return (int)i;
        }
    }
    return -1;
}

const struct rp_move *rp_register_move(const struct rp_register *reg, rp_view id) {
    for (size_t i = 0; i < reg->move_count; i++) {
        if (rp_view_equal(id, rp_view_from_cstr(reg->moves[i].id))) {
            return &reg->moves[i];
        }
    }
    return NULL;
}

bool rp_names_have(const struct rp_names *names, rp_view name) {
    for (size_t i = 0; i < names->n; i++) {
        if (rp_view_equal(name, rp_view_from_cstr(names->s[i]))) {
            return true;
        }
    }
    return false;
}

/* ---- checking ---- */

/* Roles are the choices of persons.roles: one list, where people get them. */
static bool is_role(const struct checks *c, const char *name) {
    const struct rp_register *persons = rp_register_find(c->all, RP_VIEW("persons"));
    const struct rp_field *roles = persons ? rp_register_field(persons, RP_VIEW("roles")) : NULL;
    return roles && rp_field_choice(roles, rp_view_from_cstr(name));
}

static rp_err check_roles(const struct checks *c, const struct rp_names *names, bool in_move) {
    for (size_t i = 0; i < names->n; i++) {
        bool word = strcmp(names->s[i], "anyone") == 0 || strcmp(names->s[i], "self") == 0;
        if (!(in_move && word) && !is_role(c, names->s[i])) {
            return wrong(c, "no such role", names->s[i]);
        }
    }
    return RP_OK;
}

static rp_err check_fields_named(const struct checks *c, const struct rp_names *names,
                                 const char *also) {
    for (size_t i = 0; i < names->n; i++) {
        bool allowed = also && strcmp(names->s[i], also) == 0;
        if (!allowed && !rp_register_field(c->reg, rp_view_from_cstr(names->s[i]))) {
            return wrong(c, "no such field", names->s[i]);
        }
    }
    return RP_OK;
}

static rp_err check_expr(const struct checks *c, struct rp_expr *expr, const char *where) {
    struct rp_diag inner = {0};
    rp_err err = rp_expr_check(expr, c->reg, c->all, &inner);
    return rp_ok(err) ? RP_OK
                      : rp_fail(c->diag, err, "%s: %s, column %u: %s", c->reg->file, where,
                                inner.column, inner.text);
}

static rp_err check_effects(const struct checks *c, const struct rp_register *reg,
                            struct rp_effect *list, size_t n) {
    for (size_t i = 0; i < n; i++) {
        list[i].field = rp_register_field(reg, rp_view_from_cstr(list[i].name));
        if (!list[i].field || list[i].field->type == RP_FIELD_COMPUTED || list[i].field->sealed) {
            return wrong(c, "no such field to set", list[i].name);
        }
    }
    return RP_OK;
}

static rp_err check_values(const struct checks *c, struct rp_making *making,
                           const struct rp_register *each) {
    for (size_t i = 0; i < making->value_count; i++) {
        struct rp_making_value *value = &making->values[i];
        struct rp_diag inner = {0};
        value->field = rp_register_field(making->reg, rp_view_from_cstr(value->name));
        if (!value->field || value->field->type == RP_FIELD_COMPUTED) {
            return wrong(c, "no such field to set", value->name);
        }
        rp_err err =
            rp_expr_check_beside(value->value, each ? each : c->reg, c->reg, c->all, &inner);
        if (!rp_ok(err)) {
            return rp_fail(c->diag, err, "%s: %s, column %u: %s", c->reg->file, value->name,
                           inner.column, inner.text);
        }
    }
    return RP_OK;
}

/* A move that others bring about brings about nothing itself: there is no circle. */
static rp_err check_moved(const struct checks *c, struct rp_making *making,
                          const struct rp_register *each) {
    if (!making->move_id) {
        return RP_OK;
    }
    making->move = rp_register_move(making->reg, rp_view_from_cstr(making->move_id));
    return each == making->reg && making->move && making->move->make_count == 0
               ? RP_OK
               : wrong(c, "each of that register cannot be moved so:", making->move_id);
}

static rp_err check_making(const struct checks *c, struct rp_making *making) {
    const struct rp_register *each = NULL;
    making->reg = rp_register_find(c->all, rp_view_from_cstr(making->register_id));
    if (!making->reg) {
        return wrong(c, "no such register", making->register_id);
    }
    if ((making->back && !rp_register_field(making->reg, rp_view_from_cstr(making->back))) ||
        (making->as && !rp_register_field(making->reg, rp_view_from_cstr(making->as)))) {
        return wrong(c, "no such field there", making->as ? making->as : making->back);
    }
    if (making->when) {
        RP_TRY(check_expr(c, making->when, "if"));
    }
    if (making->each) {
        RP_TRY(check_expr(c, making->each, "each"));
        each = rp_expr_counted(making->each);
    }
    if ((making->each != NULL) != (each != NULL) || (making->as && !each)) {
        return wrong(c, "each: expected count(…), and as: stands beside it:", making->register_id);
    }
    RP_TRY(check_moved(c, making, each));
    RP_TRY(check_values(c, making, each));
    return check_effects(c, making->reg, making->with, making->with_count);
}

static rp_err check_move(const struct checks *c, struct rp_move *move) {
    RP_TRY(check_roles(c, &move->who, true));
    RP_TRY(check_fields_named(c, &move->needs, NULL));
    RP_TRY(check_fields_named(c, &move->not_by, "author"));
    RP_TRY(check_effects(c, c->reg, move->set, move->set_count));
    for (size_t i = 0; i < move->make_count; i++) {
        RP_TRY(check_making(c, &move->make[i]));
    }
    return move->guard ? check_expr(c, move->guard, move->id) : RP_OK;
}

/* "self": the person whom the record is about. */
static bool is_told(const struct checks *c, const char *name) {
    return is_role(c, name) || (strcmp(name, "self") == 0 && c->reg->own);
}

static rp_err check_deadline(const struct checks *c, const struct rp_deadline *d) {
    const char *date = d->at ? d->at : d->from;
    const struct rp_field *field = date ? rp_register_field(c->reg, rp_view_from_cstr(date)) : NULL;
    if (date && (!field || (field->type != RP_FIELD_DATE && field->type != RP_FIELD_DATETIME))) {
        return wrong(c, "no such date", date);
    }
    if (d->then && !rp_register_move(c->reg, rp_view_from_cstr(d->then))) {
        return wrong(c, "no such move", d->then);
    }
    if ((d->remind_to && !is_told(c, d->remind_to)) ||
        (d->escalate_to && !is_told(c, d->escalate_to))) {
        return wrong(c, "no such role in deadline", d->id);
    }
    return d->when ? check_expr(c, d->when, d->id) : RP_OK;
}

/* What only a deadline may do has one that does it: else its state would never be reached. */
static rp_err check_automatic(const struct checks *c, const struct rp_move *move) {
    bool made = !move->automatic;
    for (size_t i = 0; i < c->reg->deadline_count && !made; i++) {
        const char *then = c->reg->deadlines[i].then;
        made = then && strcmp(then, move->id) == 0;
    }
    return made ? RP_OK : wrong(c, "no deadline makes the automatic move", move->id);
}

static rp_err check_field(const struct checks *c, struct rp_field *field) {
    if (field->refers) {
        field->target = rp_register_find(c->all, rp_view_from_cstr(field->refers));
        if (!field->target) {
            return wrong(c, "refers to no register:", field->refers);
        }
    }
    return field->formula ? check_expr(c, field->formula, field->id) : RP_OK;
}

static rp_err check_register(const struct checks *c) {
    struct rp_register *reg = c->reg;
    if (!rp_register_field(reg, rp_view_from_cstr(reg->title))) {
        return wrong(c, "title: no such field", reg->title);
    }
    const struct rp_field *own =
        reg->own ? rp_register_field(reg, rp_view_from_cstr(reg->own)) : NULL;
    if (reg->own && strcmp(reg->own, "id") != 0 && (!own || own->type != RP_FIELD_PERSON)) {
        return wrong(c, "own: no such person field", reg->own);
    }
    RP_TRY(check_roles(c, &reg->read, true));
    RP_TRY(check_roles(c, &reg->write, true));
    for (size_t i = 0; i < reg->field_count; i++) {
        RP_TRY(check_field(c, &reg->fields[i]));
    }
    for (size_t i = 0; i < reg->move_count; i++) {
        RP_TRY(check_move(c, &reg->moves[i]));
        RP_TRY(check_automatic(c, &reg->moves[i]));
    }
    for (size_t i = 0; i < reg->deadline_count; i++) {
        RP_TRY(check_deadline(c, &reg->deadlines[i]));
    }
    for (size_t i = 0; i < reg->rule_count; i++) {
        RP_TRY(check_expr(c, reg->rules[i].must, "rules"));
    }
    return RP_OK;
}

/* ---- the gates, from the program's own table ---- */

static const struct {
    const char *sentence, *reg, *must, *fr, *en;
} gates[] = {
#define RP_GATE(sentence, reg, must, fr, en) {#sentence, reg, must, fr, en},
#include "register/gates.def"
#undef RP_GATE
};

static rp_err add_gate(const struct rp_registers *all, size_t i, struct rp_arena *arena,
                       struct rp_diag *diag) {
    for (size_t r = 0; r < all->count; r++) {
        struct rp_register *reg = &all->list[r];
        if (strcmp(reg->id, gates[i].reg) != 0) {
            continue;
        }
        struct rp_rule *rule = &reg->rules[reg->rule_count++];
        rule->refusal = (struct rp_words){{gates[i].fr, gates[i].en}};
        rule->gate = gates[i].sentence;
        return rp_expr_parse(rp_view_from_cstr(gates[i].must), arena, &rule->must, diag);
    }
    return rp_fail(diag, RP_ERR(NOT_FOUND), "the register \"%s\" is missing: gate %s needs it",
                   gates[i].reg, gates[i].sentence);
}

rp_err rp_registers_check(struct rp_registers *registers, struct rp_arena *arena,
                          struct rp_diag *diag) {
    RP_ASSERT(registers != NULL && arena != NULL);
    for (size_t i = 0; i < RP_COUNT_OF(gates); i++) {
        RP_TRY(add_gate(registers, i, arena, diag));
    }
    for (size_t i = 0; i < registers->count; i++) {
        struct checks c = {registers, &registers->list[i], arena, diag};
        RP_TRY(check_register(&c));
    }
    return RP_OK;
}
