/* What SQL means the same without falls away: signs, second texts, sums of numbers, braces…
 *
 * Tokens [0, left) are done with. The rules look at two tokens from `left` on, then at three; the
 * first that fits changes the row and all is looked at again; where none fits, `left` moves on. */
#include "base/checked.h"
#include "shield/injection_sql.h"

struct fold {
    struct rp_sql_reader *reader;
    struct rp_sql_token *tokens; /* RP_SQL_TOKENS_MAX + 3 */
    struct rp_sql_token comment; /* the last one, if nothing came after it */
    size_t left, count;
    bool more;
};

enum outcome {
    NOTHING, /* no rule fits: the next one is asked */
    KEEP,    /* a rule for two fits and leaves the row: three are looked at */
    AGAIN,
    STOP,
};

#define OF(type) (UINT32_C(1) << RP_SQL_##type)
_Static_assert(RP_SQL_TYPE_COUNT <= 32, "a set of types is 32 bits");
enum {
    PLAIN = OF(BAREWORD) | OF(NUMBER) | OF(VARIABLE) | OF(STRING),
    MERGES_BEFORE = OF(KEYWORD) | OF(BAREWORD) | OF(OPERATOR) | OF(UNION) | OF(FUNCTION) |
                    OF(EXPRESSION) | OF(TSQL) | OF(SQLTYPE),
    MERGES_AFTER = MERGES_BEFORE | OF(LOGIC),
    TYPED = OF(BAREWORD) | OF(NUMBER) | OF(SQLTYPE) | OF(LEFT_PAREN) | OF(FUNCTION) | OF(VARIABLE) |
            OF(STRING),
    SKIPPED_FIRST = OF(COMMENT) | OF(LEFT_PAREN) | OF(SQLTYPE),
};

static bool in(const struct rp_sql_token *token, uint32_t types) {
    return (types >> token->type & 1) != 0;
}

static rp_view text_of(const struct rp_sql_token *token) {
    return rp_view_of(token->p, token->n);
}

static bool says(const struct rp_sql_token *token, rp_view word) {
    return token->n == word.n && rp_view_equal_nocase(text_of(token), word);
}

static bool is_sign(const struct rp_sql_token *token) {
    if (token->type != RP_SQL_OPERATOR) {
        return false;
    }
    switch (token->n) {
    case 1:
        return memchr("+-!~", token->p[0], 4) != NULL;
    case 2:
        return token->p[0] == '!' && token->p[1] == '!';
    case 3:
        return says(token, RP_VIEW("NOT"));
    default:
        return false;
    }
}

static bool is_arithmetic(const struct rp_sql_token *token) {
    return token->type == RP_SQL_OPERATOR && token->n == 1 &&
           memchr("*/-+%", token->p[0], 5) != NULL;
}

/* Words that are a function before a parenthesis and a name elsewhere. */
static bool may_be_called(const struct rp_sql_token *token) {
    static const rp_view words[] = {
        RP_VIEW_INIT("USER_ID"),
        RP_VIEW_INIT("USER_NAME"),
        RP_VIEW_INIT("DATABASE"),
        RP_VIEW_INIT("PASSWORD"),
        RP_VIEW_INIT("USER"),
        RP_VIEW_INIT("CURRENT_USER"),
        RP_VIEW_INIT("CURRENT_DATE"),
        RP_VIEW_INIT("CURRENT_TIME"),
        RP_VIEW_INIT("LOCALTIME"),
        RP_VIEW_INIT("LOCALTIMESTAMP"),
        RP_VIEW_INIT("CURRENT_TIMESTAMP"),
    };
    for (size_t i = 0; i < RP_COUNT_OF(words); i++) {
        if (says(token, words[i])) {
            return true;
        }
    }
    return false;
}

/* "GROUP" "BY" is one word of the table. */
static bool merge(struct rp_sql_token *first, const struct rp_sql_token *second) {
    uint8_t both[RP_SQL_TEXT_MAX];
    size_t n = (size_t)first->n + 1 + second->n;
    rp_view known;
    if (!in(first, MERGES_BEFORE) || !in(second, MERGES_AFTER) || n > sizeof both ||
        !rp_sql_begins_word(text_of(first))) {
        return false;
    }
    memcpy(both, first->p, first->n);
    both[first->n] = ' ';
    memcpy(both + first->n + 1, second->p, second->n);
    enum rp_sql_type type = rp_sql_word(rp_view_of(both, n), &known);
    if (type == RP_SQL_NONE) {
        return false;
    }
    first->type = (uint8_t)type;
    first->p = known.p;
    first->n = (uint8_t)n;
    return true;
}

/* ---- the rows ---- */

/* The last `tokens` fall away, and looking begins again at `left`. */
static enum outcome drop(struct fold *f, size_t tokens, size_t left) {
    f->count -= tokens;
    f->left = left;
    return AGAIN;
}

/* The token at `at` falls away, and looking begins again at the first. */
static enum outcome drop_at(struct fold *f, size_t at) {
    f->tokens[at] = f->tokens[at + 1];
    return drop(f, 1, 0);
}

static size_t before(size_t left) {
    return left > 0 ? left - 1 : 0;
}

static enum outcome retype(struct rp_sql_token *token, enum rp_sql_type type) {
    token->type = (uint8_t)type;
    return AGAIN;
}

static enum outcome fold_brace(struct fold *f) {
    if (f->tokens[f->left + 1].n == 0) { /* MySQL's {``.``.id}: never honest */
        f->tokens[0].type = RP_SQL_EVIL;
        f->left = 1;
        return STOP;
    }
    return drop(f, 2, 0); /* {name expression} is the expression */
}

/* What a word is, the next token says. */
static enum outcome fold_word(struct fold *f) {
    struct rp_sql_token *a = &f->tokens[f->left];
    struct rp_sql_token *b = a + 1;
    bool call = b->type == RP_SQL_LEFT_PAREN;
    if (a->type == RP_SQL_SEMICOLON && b->type == RP_SQL_FUNCTION && (b->p[0] | 0x20) == 'i' &&
        (b->p[1] | 0x20) == 'f') {
        return retype(b, RP_SQL_TSQL); /* ; IF 1=1 … */
    }
    if (in(a, OF(BAREWORD) | OF(VARIABLE)) && call && may_be_called(a)) {
        return retype(a, RP_SQL_FUNCTION);
    }
    if (a->type == RP_SQL_KEYWORD && (says(a, RP_VIEW("IN")) || says(a, RP_VIEW("NOT IN")))) {
        return retype(a, call ? RP_SQL_OPERATOR : RP_SQL_BAREWORD);
    }
    if (a->type == RP_SQL_OPERATOR && (says(a, RP_VIEW("LIKE")) || says(a, RP_VIEW("NOT LIKE")))) {
        a->type = call ? RP_SQL_FUNCTION : a->type;
        return KEEP;
    }
    if (a->type == RP_SQL_SQLTYPE && in(b, TYPED)) {
        return drop_at(f, f->left);
    }
    if (a->type == RP_SQL_COLLATE && b->type == RP_SQL_BAREWORD) {
        rp_view name = rp_view_sub(text_of(b), 0, rp_view_find_byte(text_of(b), 0));
        if (rp_view_find_byte(name, '_') < name.n) { /* there are too many collations to list */
            b->type = RP_SQL_SQLTYPE;
            f->left = 0;
        }
        return KEEP;
    }
    return NOTHING;
}

static enum outcome fold_two(struct fold *f) {
    struct rp_sql_token *a = &f->tokens[f->left];
    struct rp_sql_token *b = a + 1;
    if ((a->type == RP_SQL_STRING && b->type == RP_SQL_STRING) ||
        (a->type == RP_SQL_SEMICOLON && b->type == RP_SQL_SEMICOLON)) {
        return drop(f, 1, f->left);
    }
    if (in(a, OF(OPERATOR) | OF(LOGIC)) && (is_sign(b) || b->type == RP_SQL_SQLTYPE)) {
        return drop(f, 1, 0);
    }
    if ((a->type == RP_SQL_LEFT_PAREN && is_sign(b)) || merge(a, b)) {
        return drop(f, 1, before(f->left));
    }
    enum outcome outcome = fold_word(f);
    if (outcome != NOTHING) {
        return outcome;
    }
    if (a->type == RP_SQL_BACKSLASH && is_arithmetic(b)) { /* T-SQL reads \%1 as 0 % 1 */
        a->type = RP_SQL_NUMBER;
        return drop(f, 0, 0);
    }
    if (a->type == RP_SQL_BACKSLASH) {
        return drop_at(f, f->left);
    }
    if ((a->type == RP_SQL_LEFT_PAREN && b->type == RP_SQL_LEFT_PAREN) ||
        (a->type == RP_SQL_RIGHT_PAREN && b->type == RP_SQL_RIGHT_PAREN)) {
        return drop(f, 1, 0);
    }
    if (a->type == RP_SQL_LEFT_BRACE && b->type == RP_SQL_BAREWORD) {
        return fold_brace(f);
    }
    return b->type == RP_SQL_RIGHT_BRACE ? drop(f, 1, 0) : NOTHING;
}

/* A sign between: SELECT -1, GROUP BY +(…, 1,-1. */
static enum outcome fold_sign(struct fold *f) {
    const struct rp_sql_token *a = &f->tokens[f->left];
    const struct rp_sql_token *c = a + 2;
    if ((in(a, OF(EXPRESSION) | OF(GROUP) | OF(COMMA)) && c->type == RP_SQL_LEFT_PAREN) ||
        (in(a, OF(KEYWORD) | OF(EXPRESSION) | OF(GROUP)) && in(c, PLAIN | OF(FUNCTION)))) {
        return drop_at(f, f->left + 1);
    }
    if (a->type == RP_SQL_COMMA && in(c, PLAIN)) {
        return drop(f, 3, 0);
    }
    return a->type == RP_SQL_COMMA && c->type == RP_SQL_FUNCTION ? drop_at(f, f->left + 1)
                                                                 : NOTHING;
}

/* a op b */
static bool is_sum(const struct rp_sql_token *a) {
    const struct rp_sql_token *c = a + 2;
    return (in(a, OF(BAREWORD) | OF(NUMBER)) && in(c, OF(BAREWORD) | OF(NUMBER))) ||
           (a->type == RP_SQL_VARIABLE && in(c, OF(VARIABLE) | OF(BAREWORD) | OF(NUMBER))) ||
           (in(a, PLAIN) && says(a + 1, RP_VIEW("::")) && c->type == RP_SQL_SQLTYPE);
}

/* Three that are like one: sums, lists, one condition after another, a table's column. */
static bool is_one(const struct rp_sql_token *a) {
    const struct rp_sql_token *b = a + 1;
    const struct rp_sql_token *c = a + 2;
    return (a->type == RP_SQL_LOGIC && c->type == RP_SQL_LOGIC) ||
           (b->type == RP_SQL_OPERATOR && is_sum(a)) ||
           (a->type == RP_SQL_OPERATOR && b->type != RP_SQL_LEFT_PAREN &&
            c->type == RP_SQL_OPERATOR) ||
           (b->type == RP_SQL_COMMA && in(a, PLAIN) && in(c, PLAIN)) ||
           (b->type == RP_SQL_DOT && a->type == RP_SQL_BAREWORD && c->type == RP_SQL_BAREWORD);
}

static enum outcome fold_three(struct fold *f) {
    struct rp_sql_token *a = &f->tokens[f->left];
    const struct rp_sql_token *b = a + 1;
    const struct rp_sql_token *c = a + 2;
    if (is_one(a)) {
        return drop(f, 2, 0);
    }
    if (is_sign(b)) {
        enum outcome outcome = fold_sign(f);
        if (outcome != NOTHING) {
            return outcome;
        }
    }
    if (a->type == RP_SQL_EXPRESSION && b->type == RP_SQL_DOT && c->type == RP_SQL_BAREWORD) {
        return drop_at(f, f->left + 1);
    }
    if (a->type == RP_SQL_FUNCTION && b->type == RP_SQL_LEFT_PAREN &&
        c->type != RP_SQL_RIGHT_PAREN && says(a, RP_VIEW("USER"))) {
        a->type = RP_SQL_BAREWORD; /* USER() takes nothing */
    }
    return NOTHING;
}

/* Five that are a sum with a parenthesis: 1+(1), a=(b), 1),(1, a)=(b. */
static bool is_sum_of_five(const struct rp_sql_token *t) {
    static const uint32_t rows[][5] = {
        {OF(NUMBER), OF(OPERATOR) | OF(COMMA), OF(LEFT_PAREN), OF(NUMBER), OF(RIGHT_PAREN)},
        {OF(BAREWORD), OF(OPERATOR), OF(LEFT_PAREN), OF(BAREWORD) | OF(NUMBER), OF(RIGHT_PAREN)},
        {OF(NUMBER), OF(RIGHT_PAREN), OF(COMMA), OF(LEFT_PAREN), OF(NUMBER)},
        {OF(BAREWORD), OF(RIGHT_PAREN), OF(OPERATOR), OF(LEFT_PAREN), OF(BAREWORD)},
    };
    for (size_t i = 0; i < RP_COUNT_OF(rows); i++) {
        if (in(&t[0], rows[i][0]) && in(&t[1], rows[i][1]) && in(&t[2], rows[i][2]) &&
            in(&t[3], rows[i][3]) && in(&t[4], rows[i][4])) {
            return true;
        }
    }
    return false;
}

static void fold_five(struct fold *f) {
    if (f->count < RP_SQL_TOKENS_MAX || !is_sum_of_five(f->tokens)) {
        return;
    }
    bool six = f->count > RP_SQL_TOKENS_MAX;
    f->tokens[1] = six ? f->tokens[RP_SQL_TOKENS_MAX] : f->tokens[1];
    f->count = six ? 2 : 1;
    f->left = 0;
}

/* ---- reading ---- */

/* Reads until there are `wanted` tokens from `left` on; false when there are not. */
static bool read_to(struct fold *f, size_t wanted) {
    while (f->more && f->count <= RP_SQL_TOKENS_MAX && f->count - f->left < wanted) {
        struct rp_sql_token *token = &f->tokens[f->count];
        f->more = rp_sql_next(f->reader, token);
        if (f->more && token->type == RP_SQL_COMMENT) {
            f->comment = *token;
        } else if (f->more) {
            f->comment.type = RP_SQL_NONE;
            f->count++;
        }
    }
    return f->count - f->left >= wanted;
}

/* What stands before the first token that matters: comments, signs, open parentheses, types. */
static bool read_first(struct fold *f) {
    do {
        f->more = rp_sql_next(f->reader, &f->tokens[0]);
    } while (f->more && (in(&f->tokens[0], SKIPPED_FIRST) || is_sign(&f->tokens[0])));
    f->count = f->more ? 1 : 0;
    return f->more;
}

static enum outcome fold_step(struct fold *f) {
    fold_five(f);
    if (!f->more || f->left >= RP_SQL_TOKENS_MAX) {
        f->left = f->count;
        return STOP;
    }
    if (!read_to(f, 2)) {
        f->left = f->count;
        return AGAIN;
    }
    enum outcome outcome = fold_two(f);
    if (outcome != NOTHING && outcome != KEEP) {
        return outcome;
    }
    if (!read_to(f, 3)) {
        f->left = f->count;
        return AGAIN;
    }
    return fold_three(f);
}

size_t rp_sql_fold(struct rp_sql_reader *reader, struct rp_sql_token *tokens) {
    struct fold f = {.reader = reader, .tokens = tokens};
    if (!read_first(&f)) {
        return 0;
    }
    enum outcome outcome = AGAIN;
    while (outcome != STOP) {
        outcome = fold_step(&f);
        f.left += outcome == NOTHING ? 1 : 0;
    }
    if (f.left < RP_SQL_TOKENS_MAX && f.comment.type == RP_SQL_COMMENT) {
        tokens[f.left++] = f.comment;
    }
    return RP_MIN(f.left, (size_t)RP_SQL_TOKENS_MAX);
}
