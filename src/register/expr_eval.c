/* expr_eval.c — an expression over a record; other records through what rp_asking hands in. */
#include "base/assert.h"
#include "base/checked.h"
#include "register/expr_tree.h"
#include "register/value.h"

struct evaluating {
    const struct rp_facts *facts, *outer;
    const struct rp_asking *asking;
};

static rp_err eval(const struct evaluating *e, const struct rp_expr *expr,
                   struct rp_value *ret_value);

static struct rp_value boolean(bool yes) {
    return (struct rp_value){.kind = RP_VALUE_BOOL, .boolean = yes};
}

static struct rp_value instant(int64_t ms) {
    return (struct rp_value){.kind = RP_VALUE_TIME, .ms = ms};
}

static bool is_true(const struct rp_value *v) {
    return v->kind == RP_VALUE_BOOL && v->boolean;
}

static bool list_has(const struct rp_json *list, rp_view text) {
    for (const struct rp_json *one = list ? list->first : NULL; one; one = one->next) {
        if (one->kind == RP_JSON_STRING && rp_view_equal(one->string, text)) {
            return true;
        }
    }
    return false;
}

static bool lists_meet(const struct rp_json *a, const struct rp_json *b) {
    for (const struct rp_json *one = b->first; one; one = one->next) {
        if (one->kind == RP_JSON_STRING && list_has(a, one->string)) {
            return true;
        }
    }
    return false;
}

static rp_err eval_true(const struct evaluating *e, const struct rp_expr *expr, bool *ret_true) {
    struct rp_value value = {0};
    RP_TRY(eval(e, expr, &value));
    *ret_true = is_true(&value);
    return RP_OK;
}

/* ---- comparing ---- */

static bool equal(const struct rp_value *a, const struct rp_value *b) {
    if (a->kind == RP_VALUE_LIST && b->kind == RP_VALUE_TEXT) {
        return list_has(a->list, b->text);
    }
    if (a->kind == RP_VALUE_LIST && b->kind == RP_VALUE_LIST) {
        return lists_meet(a->list, b->list);
    }
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case RP_VALUE_BOOL:
        return a->boolean == b->boolean;
    case RP_VALUE_NUMBER:
        return !(a->number < b->number) && !(a->number > b->number);
    case RP_VALUE_TEXT:
        return rp_view_equal(a->text, b->text);
    case RP_VALUE_TIME:
        return a->ms == b->ms;
    case RP_VALUE_SPAN:
        return a->span.unit == b->span.unit && a->span.amount == b->span.amount;
    case RP_VALUE_LIST:
    case RP_VALUE_NONE:
        return false;
    }
    RP_UNREACHABLE();
}

/* <0, 0, >0; false when the two cannot be compared. */
static bool compare(const struct rp_value *a, const struct rp_value *b, int *ret_order) {
    if (a->kind == RP_VALUE_NUMBER && b->kind == RP_VALUE_NUMBER) {
        *ret_order = (a->number > b->number) - (a->number < b->number);
        return true;
    }
    if (a->kind == RP_VALUE_TIME && b->kind == RP_VALUE_TIME) {
        *ret_order = (a->ms > b->ms) - (a->ms < b->ms);
        return true;
    }
    return false;
}

static bool ordered(enum rp_op op, int order) {
    return op == RP_OP_LESS         ? order < 0
           : op == RP_OP_LESS_EQUAL ? order <= 0
           : op == RP_OP_MORE       ? order > 0
                                    : order >= 0;
}

static rp_err eval_compare(const struct evaluating *e, const struct rp_expr *expr,
                           struct rp_value *ret_value) {
    struct rp_value left = {0}, right = {0};
    RP_TRY(eval(e, expr->left, &left));
    RP_TRY(eval(e, expr->right, &right));
    int order = 0;
    if (expr->op == RP_OP_EQUAL || expr->op == RP_OP_HAS) {
        *ret_value = boolean(equal(&left, &right));
    } else if (expr->op == RP_OP_DIFFERENT) {
        *ret_value = boolean(!equal(&left, &right));
    } else {
        *ret_value = boolean(compare(&left, &right, &order) && ordered(expr->op, order));
    }
    return RP_OK;
}

static rp_err eval_in(const struct evaluating *e, const struct rp_expr *expr,
                      struct rp_value *ret_value) {
    struct rp_value left = {0};
    RP_TRY(eval(e, expr->left, &left));
    bool found = false;
    for (const struct rp_expr *one = expr->right; one && !found; one = one->next) {
        struct rp_value right = {0};
        RP_TRY(eval(e, one, &right));
        found = equal(&left, &right);
    }
    *ret_value = boolean(found);
    return RP_OK;
}

/* ---- sums and products: numbers; an instant and a span ---- */

static double calculate(enum rp_op op, double a, double b) {
    return op == RP_OP_ADD ? a + b : op == RP_OP_SUBTRACT ? a - b : a * b;
}

static rp_err eval_sum(const struct evaluating *e, const struct rp_expr *expr,
                       struct rp_value *ret_value) {
    struct rp_value a = {0}, b = {0}, out = {0};
    RP_TRY(eval(e, expr->left, &a));
    RP_TRY(eval(e, expr->right, &b));
    if (a.kind == RP_VALUE_NUMBER && b.kind == RP_VALUE_NUMBER) {
        out = (struct rp_value){.kind = RP_VALUE_NUMBER,
                                .number = calculate(expr->op, a.number, b.number)};
    } else if (a.kind == RP_VALUE_TIME && b.kind == RP_VALUE_SPAN && expr->op != RP_OP_MULTIPLY) {
        out = instant(expr->op == RP_OP_ADD ? rp_span_add(e->asking->calendar, b.span, a.ms)
                                            : rp_span_before(e->asking->calendar, b.span, a.ms));
    }
    *ret_value = out;
    return RP_OK;
}

/* ---- fields, here and elsewhere ---- */

static rp_err eval_field(const struct evaluating *e, const struct rp_expr *expr,
                         struct rp_value *ret_value) {
    struct rp_value value = {0};
    RP_TRY(rp_facts_value(e->facts, expr->name, e->asking, &value));
    if (expr->further.n == 0) {
        *ret_value = value;
        return RP_OK;
    }
    rp_id id;
    struct rp_value further = {0};
    if (value.kind == RP_VALUE_TEXT && rp_id_parse(value.text, &id)) {
        struct rp_facts other = {0};
        rp_err err = e->asking->find(e->asking->ctx, expr->other, id, &other);
        if (!rp_ok(err) && !rp_is(err, RP_E_NOT_FOUND)) {
            return err;
        }
        if (rp_ok(err)) {
            RP_TRY(rp_facts_value(&other, expr->further, e->asking, &further));
        }
    }
    *ret_value = further;
    return RP_OK;
}

struct counting {
    const struct evaluating *around;
    const struct rp_expr *where;
    rp_err (*each)(void *ctx, const struct rp_facts *facts);
    void *ctx;
};

static rp_err look_at_one(void *ctx, const struct rp_facts *facts) {
    struct counting *counting = ctx;
    struct evaluating inner = {facts, counting->around->facts, counting->around->asking};
    bool yes = true;
    if (counting->where) {
        RP_TRY(eval_true(&inner, counting->where, &yes));
    }
    return yes ? counting->each(counting->ctx, facts) : RP_OK;
}

static rp_err each_counted(const struct evaluating *e, const struct rp_expr *expr,
                           rp_err (*each)(void *ctx, const struct rp_facts *facts), void *ctx) {
    struct counting counting = {e, expr->left, each, ctx};
    struct rp_value key = {0};
    if (expr->key) {
        RP_TRY(rp_facts_value(e->facts, expr->key_value->name, e->asking, &key));
    }
    bool keyed = expr->key && key.kind == RP_VALUE_TEXT;
    if (expr->key && !keyed) {
        return RP_OK; /* a key without a value: nothing can equal it */
    }
    return e->asking->each(e->asking->ctx, expr->other, keyed ? expr->key->id : NULL, key.text,
                           look_at_one, &counting);
}

static rp_err count_one(void *ctx, const struct rp_facts *facts) {
    (void)facts;
    *(uint64_t *)ctx += 1;
    return RP_OK;
}

static rp_err eval_count(const struct evaluating *e, const struct rp_expr *expr,
                         struct rp_value *ret_value) {
    uint64_t count = 0;
    RP_TRY(each_counted(e, expr, count_one, &count));
    *ret_value = (struct rp_value){.kind = RP_VALUE_NUMBER, .number = (double)count};
    return RP_OK;
}

static bool is_risk(const struct rp_field *field, const struct rp_value *value) {
    for (size_t i = 0; field && i < field->choice_count; i++) {
        rp_view id = rp_view_from_cstr(field->choices[i].id);
        bool chosen = value->kind == RP_VALUE_LIST ? list_has(value->list, id)
                                                   : rp_view_equal(value->text, id);
        if (field->choices[i].risk && chosen) {
            return true;
        }
    }
    return false;
}

static rp_err eval_about(const struct evaluating *e, const struct rp_expr *expr,
                         struct rp_value *ret_value) {
    struct rp_value value = {0};
    RP_TRY(eval(e, expr->left, &value));
    bool none = value.kind == RP_VALUE_NONE;
    if (expr->op == RP_OP_RISK) {
        *ret_value =
            boolean(!none && is_risk(rp_register_field(e->facts->reg, expr->left->name), &value));
    } else {
        *ret_value = boolean(none == (expr->op == RP_OP_EMPTY));
    }
    return RP_OK;
}

static rp_err eval_logic(const struct evaluating *e, const struct rp_expr *expr,
                         struct rp_value *ret_value) {
    bool yes = false;
    RP_TRY(eval_true(e, expr->left, &yes));
    if (expr->op == RP_OP_NOT) {
        yes = !yes;
    } else if (yes == (expr->op == RP_OP_AND)) { /* the left side did not decide */
        RP_TRY(eval_true(e, expr->right, &yes));
    }
    *ret_value = boolean(yes);
    return RP_OK;
}

static rp_err eval_overdue(const struct evaluating *e, const struct rp_expr *expr,
                           struct rp_value *ret_value) {
    bool overdue = false;
    RP_TRY(e->asking->overdue(e->asking->ctx, e->facts->id, expr->name, &overdue));
    *ret_value = boolean(overdue);
    return RP_OK;
}

/* A field without a value proves nothing. */
static rp_err eval_intact(const struct evaluating *e, const struct rp_expr *expr,
                          struct rp_value *ret_value) {
    struct rp_value value = {0};
    bool intact = false;
    RP_TRY(eval(e, expr->left, &value));
    if (value.kind == RP_VALUE_TEXT) {
        RP_TRY(e->asking->intact(e->asking->ctx, e->facts->id, value.text, &intact));
    }
    *ret_value = boolean(intact);
    return RP_OK;
}

static rp_err eval(const struct evaluating *e, const struct rp_expr *expr,
                   struct rp_value *ret_value) {
    switch (expr->op) {
    case RP_OP_VALUE:
        *ret_value = expr->value;
        return RP_OK;
    case RP_OP_NOW:
        *ret_value = instant(e->asking->now_ms);
        return RP_OK;
    case RP_OP_TODAY:
        *ret_value = instant(rp_paris_midnight_ms(rp_paris_of_ms(e->asking->now_ms).day));
        return RP_OK;
    case RP_OP_ACTOR:
        *ret_value = (struct rp_value){.kind = RP_VALUE_TEXT,
                                       .text = rp_view_of(e->asking->actor.s, RP_ID_TEXT)};
        return RP_OK;
    case RP_OP_FIELD:
        return eval_field(e, expr, ret_value);
    case RP_OP_THIS:
        return rp_facts_value(e->outer, expr->name, e->asking, ret_value);
    case RP_OP_NOT:
    case RP_OP_AND:
    case RP_OP_OR:
        return eval_logic(e, expr, ret_value);
    case RP_OP_EQUAL:
    case RP_OP_DIFFERENT:
    case RP_OP_LESS:
    case RP_OP_LESS_EQUAL:
    case RP_OP_MORE:
    case RP_OP_MORE_EQUAL:
    case RP_OP_HAS:
        return eval_compare(e, expr, ret_value);
    case RP_OP_IN:
        return eval_in(e, expr, ret_value);
    case RP_OP_ADD:
    case RP_OP_SUBTRACT:
    case RP_OP_MULTIPLY:
        return eval_sum(e, expr, ret_value);
    case RP_OP_COUNT:
        return eval_count(e, expr, ret_value);
    case RP_OP_SET:
    case RP_OP_EMPTY:
    case RP_OP_RISK:
        return eval_about(e, expr, ret_value);
    case RP_OP_OVERDUE:
        return eval_overdue(e, expr, ret_value);
    case RP_OP_INTACT:
        return eval_intact(e, expr, ret_value);
    }
    RP_UNREACHABLE();
}

rp_err rp_expr_value(const struct rp_expr *expr, const struct rp_facts *facts,
                     const struct rp_asking *asking, struct rp_value *ret_value) {
    struct evaluating e = {.facts = facts, .outer = facts, .asking = asking};
    return eval(&e, expr, ret_value);
}

rp_err rp_expr_value_beside(const struct rp_expr *expr, const struct rp_facts *facts,
                            const struct rp_facts *outer, const struct rp_asking *asking,
                            struct rp_value *ret_value) {
    struct evaluating e = {.facts = facts, .outer = outer, .asking = asking};
    return eval(&e, expr, ret_value);
}

rp_err rp_expr_each(const struct rp_expr *count, const struct rp_facts *facts,
                    const struct rp_asking *asking,
                    rp_err (*each)(void *ctx, const struct rp_facts *facts), void *ctx) {
    RP_ASSERT(count->op == RP_OP_COUNT);
    struct evaluating e = {.facts = facts, .outer = facts, .asking = asking};
    return each_counted(&e, count, each, ctx);
}

rp_err rp_expr_true(const struct rp_expr *expr, const struct rp_facts *facts,
                    const struct rp_asking *asking, bool *ret_true) {
    struct evaluating e = {.facts = facts, .outer = facts, .asking = asking};
    return eval_true(&e, expr, ret_true);
}
