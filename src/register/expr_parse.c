/* expr_parse.c — from text to a tree, by recursive descent; depth and length are bounded. */
#include "base/assert.h"
#include "base/checked.h"
#include "register/expr_tree.h"
#include "wire/number.h"

enum { TEXT_MAX = 2000, DEPTH_MAX = 24 };

struct parser {
    rp_view text;
    size_t at;
    unsigned depth;
    struct rp_arena *arena;
    struct rp_diag *diag;
};

static rp_err parse_or(struct parser *p, struct rp_expr **ret_expr);

static rp_err wrong(const struct parser *p, const char *what) {
    return rp_fail_at(p->diag, RP_ERR(SYNTAX), 1, (unsigned)p->at + 1, "%s", what);
}

static void skip_spaces(struct parser *p) {
    while (p->at < p->text.n && (p->text.p[p->at] == ' ' || p->text.p[p->at] == '\n')) {
        p->at++;
    }
}

static bool is_letter(uint8_t c) {
    return c >= 'a' && c <= 'z';
}

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static bool is_word(uint8_t c) {
    return is_letter(c) || is_digit(c) || c == '_';
}

static rp_view peek_word(struct parser *p) {
    skip_spaces(p);
    size_t end = p->at;
    while (end < p->text.n && is_word(p->text.p[end])) {
        end++;
    }
    return rp_view_sub(p->text, p->at, end - p->at);
}

static bool take_word(struct parser *p, const char *word) {
    rp_view have = peek_word(p);
    if (!rp_view_equal(have, rp_view_from_cstr(word))) {
        return false;
    }
    p->at += have.n;
    return true;
}

static bool take_sign(struct parser *p, const char *sign) {
    skip_spaces(p);
    rp_view want = rp_view_from_cstr(sign);
    if (!rp_view_starts(rp_view_from(p->text, p->at), want)) {
        return false;
    }
    p->at += want.n;
    return true;
}

static rp_err need_sign(struct parser *p, const char *sign) {
    if (take_sign(p, sign)) {
        return RP_OK;
    }
    char what[40];
    (void)snprintf(what, sizeof what, "expected \"%s\"", sign);
    return wrong(p, what);
}

static rp_err node(struct parser *p, enum rp_op op, struct rp_expr **ret_expr) {
    struct rp_expr *expr = rp_arena_alloc(p->arena, sizeof *expr);
    if (!expr) {
        return RP_ERR(TOO_LARGE);
    }
    expr->op = op;
    expr->at = p->at;
    *ret_expr = expr;
    return RP_OK;
}

static rp_err join(struct parser *p, enum rp_op op, struct rp_expr *left, struct rp_expr *right,
                   struct rp_expr **ret_expr) {
    struct rp_expr *expr = NULL;
    RP_TRY(node(p, op, &expr));
    expr->left = left;
    expr->right = right;
    expr->at = left->at;
    *ret_expr = expr;
    return RP_OK;
}

/* ---- items ---- */

static rp_err parse_text(struct parser *p, struct rp_expr *expr) {
    rp_view rest = rp_view_from(p->text, p->at + 1);
    size_t n = rp_view_find_byte(rest, '\'');
    if (n == rest.n) {
        return wrong(p, "a text that does not end: '");
    }
    expr->value = (struct rp_value){.kind = RP_VALUE_TEXT, .text = rp_view_sub(rest, 0, n)};
    p->at += n + 2;
    return RP_OK;
}

/* 12, 0.5, 90d. */
static rp_err parse_number(struct parser *p, struct rp_expr *expr) {
    size_t end = p->at;
    while (end < p->text.n && (is_word(p->text.p[end]) || p->text.p[end] == '.')) {
        end++;
    }
    rp_view word = rp_view_sub(p->text, p->at, end - p->at);
    struct rp_span span;
    uint64_t whole = 0;
    if (rp_span_parse(word, &span)) {
        expr->value = (struct rp_value){.kind = RP_VALUE_SPAN, .span = span};
    } else if (rp_view_to_u64(word, 1000000000000, &whole)) {
        expr->value = (struct rp_value){.kind = RP_VALUE_NUMBER, .number = (double)whole};
    } else {
        return wrong(p, "expected a number, or a span like 90d");
    }
    p->at = end;
    return RP_OK;
}

static rp_err parse_name(struct parser *p, rp_view *ret_name) {
    rp_view name = peek_word(p);
    if (name.n == 0 || !is_letter(name.p[0])) {
        return wrong(p, "expected a name");
    }
    p->at += name.n;
    *ret_name = name;
    return RP_OK;
}

/* A register's id may hold hyphens. */
static rp_err parse_register_name(struct parser *p, rp_view *ret_name) {
    skip_spaces(p);
    size_t end = p->at;
    while (end < p->text.n && (is_word(p->text.p[end]) || p->text.p[end] == '-')) {
        end++;
    }
    if (end == p->at) {
        return wrong(p, "expected a register");
    }
    *ret_name = rp_view_sub(p->text, p->at, end - p->at);
    p->at = end;
    return RP_OK;
}

static rp_err parse_call(struct parser *p, struct rp_expr *expr) {
    if (expr->op == RP_OP_COUNT) {
        RP_TRY(parse_register_name(p, &expr->name));
        if (take_sign(p, ",")) {
            RP_TRY(parse_or(p, &expr->left));
        }
        return need_sign(p, ")");
    }
    skip_spaces(p);
    if (expr->op == RP_OP_OVERDUE) {
        struct rp_expr *text = NULL;
        RP_TRY(node(p, RP_OP_VALUE, &text));
        if (p->at == p->text.n || p->text.p[p->at] != '\'') {
            return wrong(p, "expected a deadline in quotes");
        }
        RP_TRY(parse_text(p, text));
        expr->name = text->value.text;
        return need_sign(p, ")");
    }
    RP_TRY(parse_or(p, &expr->left));
    if (expr->op == RP_OP_HAS) {
        RP_TRY(need_sign(p, ","));
        RP_TRY(parse_or(p, &expr->right));
    }
    return need_sign(p, ")");
}

static bool function_of(rp_view name, enum rp_op *ret_op) {
    static const struct {
        const char *name;
        enum rp_op op;
    } functions[] = {{"count", RP_OP_COUNT},  {"set", RP_OP_SET},   {"empty", RP_OP_EMPTY},
                     {"has", RP_OP_HAS},      {"risk", RP_OP_RISK}, {"overdue", RP_OP_OVERDUE},
                     {"intact", RP_OP_INTACT}};
    for (size_t i = 0; i < RP_COUNT_OF(functions); i++) {
        if (rp_view_equal(name, rp_view_from_cstr(functions[i].name))) {
            *ret_op = functions[i].op;
            return true;
        }
    }
    return false;
}

static bool constant(rp_view name, struct rp_expr *expr) {
    if (rp_view_equal(name, RP_VIEW("true")) || rp_view_equal(name, RP_VIEW("false"))) {
        expr->op = RP_OP_VALUE;
        expr->value = (struct rp_value){.kind = RP_VALUE_BOOL, .boolean = name.n == 4};
    } else if (rp_view_equal(name, RP_VIEW("now"))) {
        expr->op = RP_OP_NOW;
    } else if (rp_view_equal(name, RP_VIEW("today"))) {
        expr->op = RP_OP_TODAY;
    } else if (rp_view_equal(name, RP_VIEW("actor"))) {
        expr->op = RP_OP_ACTOR;
    } else {
        return false;
    }
    return true;
}

static rp_err parse_named(struct parser *p, struct rp_expr *expr) {
    RP_TRY(parse_name(p, &expr->name));
    if (function_of(expr->name, &expr->op) && take_sign(p, "(")) {
        return parse_call(p, expr);
    }
    if (constant(expr->name, expr)) {
        return RP_OK;
    }
    bool outer = rp_view_equal(expr->name, RP_VIEW("this"));
    expr->op = outer ? RP_OP_THIS : RP_OP_FIELD;
    if (take_sign(p, ".")) {
        return parse_name(p, outer ? &expr->name : &expr->further);
    }
    return outer ? wrong(p, "expected this.field") : RP_OK;
}

static rp_err parse_item(struct parser *p, struct rp_expr **ret_expr) {
    skip_spaces(p);
    if (p->at == p->text.n) {
        return wrong(p, "something is missing at the end");
    }
    if (take_sign(p, "(")) {
        RP_TRY(parse_or(p, ret_expr));
        return need_sign(p, ")");
    }
    struct rp_expr *expr = NULL;
    RP_TRY(node(p, RP_OP_VALUE, &expr));
    uint8_t c = p->text.p[p->at];
    if (c == '\'') {
        RP_TRY(parse_text(p, expr));
    } else if (is_digit(c)) {
        RP_TRY(parse_number(p, expr));
    } else {
        RP_TRY(parse_named(p, expr));
    }
    *ret_expr = expr;
    return RP_OK;
}

/* ---- operators ---- */

static rp_err parse_product(struct parser *p, struct rp_expr **ret_expr) {
    struct rp_expr *left = NULL;
    RP_TRY(parse_item(p, &left));
    while (take_sign(p, "*")) {
        struct rp_expr *right = NULL;
        RP_TRY(parse_item(p, &right));
        RP_TRY(join(p, RP_OP_MULTIPLY, left, right, &left));
    }
    *ret_expr = left;
    return RP_OK;
}

static rp_err parse_sum(struct parser *p, struct rp_expr **ret_expr) {
    struct rp_expr *left = NULL;
    RP_TRY(parse_product(p, &left));
    for (;;) {
        bool add = take_sign(p, "+");
        if (!add && !take_sign(p, "-")) {
            break;
        }
        struct rp_expr *right = NULL;
        RP_TRY(parse_product(p, &right));
        RP_TRY(join(p, add ? RP_OP_ADD : RP_OP_SUBTRACT, left, right, &left));
    }
    *ret_expr = left;
    return RP_OK;
}

static rp_err parse_list(struct parser *p, struct rp_expr *in) {
    RP_TRY(need_sign(p, "["));
    struct rp_expr **last = &in->right;
    do {
        RP_TRY(parse_sum(p, last));
        last = &(*last)->next;
    } while (take_sign(p, ","));
    return need_sign(p, "]");
}

static bool take_comparison(struct parser *p, enum rp_op *ret_op) {
    static const struct {
        const char *sign;
        enum rp_op op;
    } signs[] = {{"!=", RP_OP_DIFFERENT}, {"<=", RP_OP_LESS_EQUAL}, {">=", RP_OP_MORE_EQUAL},
                 {"=", RP_OP_EQUAL},      {"<", RP_OP_LESS},        {">", RP_OP_MORE}};
    for (size_t i = 0; i < RP_COUNT_OF(signs); i++) {
        if (take_sign(p, signs[i].sign)) {
            *ret_op = signs[i].op;
            return true;
        }
    }
    return false;
}

static rp_err parse_compare(struct parser *p, struct rp_expr **ret_expr) {
    struct rp_expr *left = NULL, *right = NULL;
    enum rp_op op = RP_OP_EQUAL;
    RP_TRY(parse_sum(p, &left));
    if (take_comparison(p, &op)) {
        RP_TRY(parse_sum(p, &right));
        return join(p, op, left, right, ret_expr);
    }
    bool not_in = take_word(p, "not");
    if (take_word(p, "in")) {
        RP_TRY(join(p, RP_OP_IN, left, NULL, &left));
        RP_TRY(parse_list(p, left));
        return not_in ? join(p, RP_OP_NOT, left, NULL, ret_expr) : (*ret_expr = left, RP_OK);
    }
    if (not_in) {
        return wrong(p, "expected \"in\" after \"not\"");
    }
    *ret_expr = left;
    return RP_OK;
}

static rp_err parse_not(struct parser *p, struct rp_expr **ret_expr) {
    if (++p->depth > DEPTH_MAX) {
        return wrong(p, "nested too deeply");
    }
    if (take_word(p, "not")) {
        struct rp_expr *inner = NULL;
        RP_TRY(parse_not(p, &inner));
        p->depth--;
        return join(p, RP_OP_NOT, inner, NULL, ret_expr);
    }
    RP_TRY(parse_compare(p, ret_expr));
    p->depth--;
    return RP_OK;
}

static rp_err parse_and(struct parser *p, struct rp_expr **ret_expr) {
    struct rp_expr *left = NULL, *right = NULL;
    RP_TRY(parse_not(p, &left));
    while (take_word(p, "and")) {
        RP_TRY(parse_not(p, &right));
        RP_TRY(join(p, RP_OP_AND, left, right, &left));
    }
    *ret_expr = left;
    return RP_OK;
}

static rp_err parse_or(struct parser *p, struct rp_expr **ret_expr) {
    struct rp_expr *left = NULL, *right = NULL;
    RP_TRY(parse_and(p, &left));
    while (take_word(p, "or")) {
        RP_TRY(parse_and(p, &right));
        RP_TRY(join(p, RP_OP_OR, left, right, &left));
    }
    *ret_expr = left;
    return RP_OK;
}

rp_err rp_expr_parse(rp_view text, struct rp_arena *arena, struct rp_expr **ret_expr,
                     struct rp_diag *diag) {
    RP_ASSERT(arena != NULL && ret_expr != NULL);
    struct parser p = {.arena = arena, .diag = diag};
    if (text.n > TEXT_MAX) {
        return rp_fail(diag, RP_ERR(TOO_LARGE), "longer than %d bytes", TEXT_MAX);
    }
    RP_TRY(rp_arena_copy(arena, text, &p.text));
    struct rp_expr *expr = NULL;
    RP_TRY(parse_or(&p, &expr));
    skip_spaces(&p);
    if (p.at < p.text.n) {
        return wrong(&p, "this does not belong here");
    }
    *ret_expr = expr;
    return RP_OK;
}
