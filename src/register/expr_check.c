/* expr_check.c — before the first record: does every name in an expression stand for something? */
#include "base/assert.h"
#include "base/checked.h"
#include "register/expr_tree.h"

struct checking {
    const struct rp_register *reg;   /* whose fields stand bare */
    const struct rp_register *outer; /* whose fields stand behind this. */
    const struct rp_registers *all;
    struct rp_diag *diag;
};

static rp_err unknown(const struct checking *c, const struct rp_expr *expr, const char *what,
                      rp_view name) {
    return rp_fail_at(c->diag, RP_ERR(UNKNOWN_KEY), 1, (unsigned)expr->at + 1, "%s \"%.*s\"", what,
                      RP_FMT(name));
}

/* What each record has beside its fields. */
static bool is_common(rp_view name) {
    static const char *const common[] = {"id", "state", "author", "number", "created", "changed"};
    for (size_t i = 0; i < RP_COUNT_OF(common); i++) {
        if (rp_view_equal(name, rp_view_from_cstr(common[i]))) {
            return true;
        }
    }
    return false;
}

static rp_err check_name(const struct checking *c, const struct rp_expr *expr,
                         const struct rp_register *reg, rp_view name) {
    if (is_common(name) || rp_register_field(reg, name)) {
        return RP_OK;
    }
    return unknown(c, expr, "no such field", name);
}

static rp_err check_field(const struct checking *c, struct rp_expr *expr) {
    RP_TRY(check_name(c, expr, c->reg, expr->name));
    if (expr->further.n == 0) {
        return RP_OK;
    }
    const struct rp_field *field = rp_register_field(c->reg, expr->name);
    expr->other =
        field && field->refers ? rp_register_find(c->all, rp_view_from_cstr(field->refers)) : NULL;
    if (!expr->other) {
        return unknown(c, expr, "leads to no record:", expr->name);
    }
    return check_name(c, expr, expr->other, expr->further);
}

static rp_err check(const struct checking *c, struct rp_expr *expr);

/* `person = this.id` lets the index find the records that count, instead of reading all. */
static void find_key(struct rp_expr *count, const struct rp_expr *part) {
    if (!part || count->key) {
        return;
    }
    if (part->op == RP_OP_AND) {
        find_key(count, part->left);
        find_key(count, part->right);
    } else if (part->op == RP_OP_EQUAL && part->left->op == RP_OP_FIELD &&
               part->left->further.n == 0 && part->right->op == RP_OP_THIS) {
        const struct rp_field *field = rp_register_field(count->other, part->left->name);
        if (field && (field->type == RP_FIELD_REFERENCE || field->type == RP_FIELD_PERSON)) {
            count->key = field;
            count->key_value = part->right;
        }
    }
}

static rp_err check_count(const struct checking *c, struct rp_expr *expr) {
    expr->other = rp_register_find(c->all, expr->name);
    if (!expr->other) {
        return unknown(c, expr, "no such register", expr->name);
    }
    if (!expr->left) {
        return RP_OK;
    }
    struct checking inner = {.reg = expr->other, .outer = c->reg, .all = c->all, .diag = c->diag};
    RP_TRY(check(&inner, expr->left));
    find_key(expr, expr->left);
    return RP_OK;
}

static rp_err check_overdue(const struct checking *c, const struct rp_expr *expr) {
    for (size_t i = 0; i < c->reg->deadline_count; i++) {
        if (rp_view_equal(expr->name, rp_view_from_cstr(c->reg->deadlines[i].id))) {
            return RP_OK;
        }
    }
    return unknown(c, expr, "no such deadline", expr->name);
}

/* A state or a choice that does not exist would make a guard that is never true. */
static rp_err check_word(const struct checking *c, const struct rp_expr *field,
                         const struct rp_expr *word) {
    if (field->op != RP_OP_FIELD || word->op != RP_OP_VALUE || word->value.kind != RP_VALUE_TEXT) {
        return RP_OK;
    }
    const struct rp_register *reg = field->further.n ? field->other : c->reg;
    rp_view name = field->further.n ? field->further : field->name;
    if (rp_view_equal(name, RP_VIEW("state"))) {
        return rp_register_state(reg, word->value.text) >= 0
                   ? RP_OK
                   : unknown(c, word, "no such state", word->value.text);
    }
    const struct rp_field *known = rp_register_field(reg, name);
    if (known && known->choice_count && !rp_field_choice(known, word->value.text)) {
        return unknown(c, word, "no such choice", word->value.text);
    }
    return RP_OK;
}

static rp_err check_words(const struct checking *c, const struct rp_expr *expr) {
    if (expr->op == RP_OP_IN) {
        for (const struct rp_expr *one = expr->right; one; one = one->next) {
            RP_TRY(check_word(c, expr->left, one));
        }
    } else if (expr->op == RP_OP_EQUAL || expr->op == RP_OP_DIFFERENT || expr->op == RP_OP_HAS) {
        RP_TRY(check_word(c, expr->left, expr->right));
    }
    return RP_OK;
}

static rp_err check_intact(const struct checking *c, struct rp_expr *expr) {
    const struct rp_field *field = expr->left->op == RP_OP_FIELD && !expr->left->further.p
                                       ? rp_register_field(c->reg, expr->left->name)
                                       : NULL;
    return field && field->type == RP_FIELD_FILE && !field->sealed
               ? check_field(c, expr->left)
               : unknown(c, expr, "no such file field", expr->left->name);
}

static rp_err check(const struct checking *c, struct rp_expr *expr) {
    if (expr->op == RP_OP_COUNT) {
        return check_count(c, expr);
    }
    if (expr->op == RP_OP_OVERDUE) {
        return check_overdue(c, expr);
    }
    if (expr->op == RP_OP_FIELD) {
        return check_field(c, expr);
    }
    if (expr->op == RP_OP_INTACT) {
        return check_intact(c, expr);
    }
    if (expr->op == RP_OP_THIS) {
        if (!c->outer) {
            return unknown(c, expr, "this. stands inside count(…) only:", expr->name);
        }
        return check_name(c, expr, c->outer, expr->name);
    }
    if (expr->left) {
        RP_TRY(check(c, expr->left));
    }
    for (struct rp_expr *one = expr->right; one; one = one->next) {
        RP_TRY(check(c, one));
    }
    return check_words(c, expr);
}

rp_err rp_expr_check_beside(struct rp_expr *expr, const struct rp_register *reg,
                            const struct rp_register *outer, const struct rp_registers *all,
                            struct rp_diag *diag) {
    RP_ASSERT(expr != NULL && reg != NULL && all != NULL);
    struct checking checking = {.reg = reg, .outer = outer, .all = all, .diag = diag};
    return check(&checking, expr);
}

rp_err rp_expr_check(struct rp_expr *expr, const struct rp_register *reg,
                     const struct rp_registers *all, struct rp_diag *diag) {
    return rp_expr_check_beside(expr, reg, NULL, all, diag);
}

const struct rp_register *rp_expr_counted(const struct rp_expr *expr) {
    return expr->op == RP_OP_COUNT ? expr->other : NULL;
}
