/* Reading SQL: one function a kind of token, chosen by its first byte. */
#include "shield/injection_sql.h"

#include "shield/injection_sql_read.h"

/* Bytes over 127 are parts of words, but for the space of Latin-1. A NUL is taken wherever one of a
 * set is asked for, as the original's strchr takes it. */
const uint8_t rp_sql_kinds[256] = {
    [0] = RP_SQL_WORD_END_BYTE | RP_SQL_VARIABLE_END_BYTE | RP_SQL_WHITE_BYTE | RP_SQL_HEX_BYTE |
          RP_SQL_LETTER_BYTE,
    ['\t' ... '\r'] = RP_SQL_WORD_END_BYTE | RP_SQL_VARIABLE_END_BYTE | RP_SQL_WHITE_BYTE,
    [' '] = RP_SQL_WORD_END_BYTE | RP_SQL_VARIABLE_END_BYTE | RP_SQL_WHITE_BYTE,
    [0xa0] = RP_SQL_WORD_END_BYTE | RP_SQL_WHITE_BYTE,
    ['['] = RP_SQL_WORD_END_BYTE,
    [']'] = RP_SQL_WORD_END_BYTE,
    ['{'] = RP_SQL_WORD_END_BYTE,
    ['}'] = RP_SQL_WORD_END_BYTE,
    ['!'] = RP_SQL_WORD_END_BYTE | RP_SQL_VARIABLE_END_BYTE,
    ['"'] = RP_SQL_WORD_END_BYTE | RP_SQL_VARIABLE_END_BYTE,
    ['#'] = RP_SQL_WORD_END_BYTE | RP_SQL_VARIABLE_END_BYTE,
    ['%' ... '-'] = RP_SQL_WORD_END_BYTE | RP_SQL_VARIABLE_END_BYTE,
    ['/'] = RP_SQL_WORD_END_BYTE | RP_SQL_VARIABLE_END_BYTE,
    [':' ... '@'] = RP_SQL_WORD_END_BYTE | RP_SQL_VARIABLE_END_BYTE,
    ['\\'] = RP_SQL_WORD_END_BYTE | RP_SQL_VARIABLE_END_BYTE,
    ['^'] = RP_SQL_WORD_END_BYTE | RP_SQL_VARIABLE_END_BYTE,
    ['|'] = RP_SQL_WORD_END_BYTE | RP_SQL_VARIABLE_END_BYTE,
    ['~'] = RP_SQL_WORD_END_BYTE | RP_SQL_VARIABLE_END_BYTE,
    ['`'] = RP_SQL_VARIABLE_END_BYTE | RP_SQL_WORD_CUT_BYTE,
    ['.'] = RP_SQL_WORD_CUT_BYTE,
    ['0' ... '9'] = RP_SQL_DIGIT_BYTE | RP_SQL_HEX_BYTE,
    ['A' ... 'F'] = RP_SQL_HEX_BYTE | RP_SQL_LETTER_BYTE,
    ['a' ... 'f'] = RP_SQL_HEX_BYTE | RP_SQL_LETTER_BYTE,
    ['G' ... 'Z'] = RP_SQL_LETTER_BYTE,
    ['g' ... 'z'] = RP_SQL_LETTER_BYTE,
};

/* ---- comments and operators ---- */

static void read_line_comment(struct rp_sql_reader *r, struct rp_sql_token *token) {
    size_t end = r->at + rp_view_find_byte(rp_view_from(r->value, r->at), '\n');
    rp_sql_take(r, token, RP_SQL_COMMENT, r->at, end);
    r->at = RP_MIN(end + 1, r->value.n);
}

static void read_hash(struct rp_sql_reader *r, struct rp_sql_token *token) {
    r->mysql_differs = true;
    if (r->mysql) {
        read_line_comment(r, token);
    } else {
        rp_sql_take_one(r, token, RP_SQL_OPERATOR);
    }
}

static void read_dash(struct rp_sql_reader *r, struct rp_sql_token *token) {
    bool two = rp_sql_byte(r->value, r->at + 1) == '-';
    bool ends = r->at + 2 == r->value.n ||
                (two && rp_sql_is(rp_sql_byte(r->value, r->at + 2), RP_SQL_WHITE_BYTE));
    if (two && ends) {
        read_line_comment(r, token);
    } else if (two && !r->mysql) {
        r->mysql_differs = true;
        read_line_comment(r, token);
    } else {
        rp_sql_take_one(r, token, RP_SQL_OPERATOR);
    }
}

/* A comment within a comment, or one that MySQL runs, is read differently by different databases:
 * nobody honest writes one. */
static void read_slash(struct rp_sql_reader *r, struct rp_sql_token *token) {
    if (rp_sql_byte(r->value, r->at + 1) != '*') {
        rp_sql_take_one(r, token, RP_SQL_OPERATOR);
        return;
    }
    size_t close = rp_sql_find_two(r->value, r->at + 2, '*', '/');
    bool closed = close < r->value.n;
    rp_view inside = rp_view_sub(r->value, 0, close + 1);
    bool nested = closed && rp_sql_find_two(inside, r->at + 2, '/', '*') < inside.n;
    bool runs = rp_sql_byte(r->value, r->at + 2) == '!';
    rp_sql_take(r, token, nested || runs ? RP_SQL_EVIL : RP_SQL_COMMENT, r->at,
                closed ? close + 2 : r->value.n);
}

static void read_backslash(struct rp_sql_reader *r, struct rp_sql_token *token) {
    if (rp_sql_byte(r->value, r->at + 1) == 'N') { /* MySQL's null */
        rp_sql_take(r, token, RP_SQL_NUMBER, r->at, r->at + 2);
    } else {
        rp_sql_take_one(r, token, RP_SQL_BACKSLASH);
    }
}

static void read_operator(struct rp_sql_reader *r, struct rp_sql_token *token) {
    const uint8_t *p = r->value.p + r->at;
    size_t left = r->value.n - r->at;
    if (left > 2 && p[0] == '<' && p[1] == '=' && p[2] == '>') {
        rp_sql_take(r, token, RP_SQL_OPERATOR, r->at, r->at + 3);
        return;
    }
    enum rp_sql_type both = left > 1 ? rp_sql_punctuation(p[0], p[1]) : RP_SQL_NONE;
    if (both != RP_SQL_NONE) {
        rp_sql_take(r, token, both, r->at, r->at + 2);
    } else {
        rp_sql_take_one(r, token, left > 1 && p[0] == ':' ? RP_SQL_COLON : RP_SQL_OPERATOR);
    }
}

/* ---- names ---- */

/* [name], of T-SQL. */
static void read_bracketed(struct rp_sql_reader *r, struct rp_sql_token *token) {
    size_t close = r->at + rp_view_find_byte(rp_view_from(r->value, r->at), ']');
    rp_sql_take(r, token, RP_SQL_BAREWORD, r->at, RP_MIN(close + 1, r->value.n));
}

/* @name, @@name, and with any quotes. */
static void read_variable(struct rp_sql_reader *r, struct rp_sql_token *token) {
    r->at += rp_sql_byte(r->value, r->at + 1) == '@' ? 2 : 1;
    uint8_t next = rp_sql_byte(r->value, r->at);
    if (next == '`' || next == '\'' || next == '"') {
        rp_sql_read_quoted(r, token);
        token->type = RP_SQL_VARIABLE;
    } else {
        rp_sql_take(r, token, RP_SQL_VARIABLE, r->at,
                    rp_sql_skip_until(r->value, r->at, RP_SQL_VARIABLE_END_BYTE));
    }
}

/* ---- one byte that says it all ---- */

static void take_operator(struct rp_sql_reader *r, struct rp_sql_token *token) {
    rp_sql_take_one(r, token, RP_SQL_OPERATOR);
}

static void take_left_paren(struct rp_sql_reader *r, struct rp_sql_token *token) {
    rp_sql_take_one(r, token, RP_SQL_LEFT_PAREN);
}

static void take_right_paren(struct rp_sql_reader *r, struct rp_sql_token *token) {
    rp_sql_take_one(r, token, RP_SQL_RIGHT_PAREN);
}

static void take_left_brace(struct rp_sql_reader *r, struct rp_sql_token *token) {
    rp_sql_take_one(r, token, RP_SQL_LEFT_BRACE);
}

static void take_right_brace(struct rp_sql_reader *r, struct rp_sql_token *token) {
    rp_sql_take_one(r, token, RP_SQL_RIGHT_BRACE);
}

static void take_comma(struct rp_sql_reader *r, struct rp_sql_token *token) {
    rp_sql_take_one(r, token, RP_SQL_COMMA);
}

static void take_semicolon(struct rp_sql_reader *r, struct rp_sql_token *token) {
    rp_sql_take_one(r, token, RP_SQL_SEMICOLON);
}

static void take_unknown(struct rp_sql_reader *r, struct rp_sql_token *token) {
    rp_sql_take_one(r, token, RP_SQL_UNKNOWN);
}

/* White, and no token of its own. */
static void pass(struct rp_sql_reader *r, struct rp_sql_token *token) {
    (void)token;
    r->at++;
}

/* ---- all kinds ---- */

typedef void read_kind(struct rp_sql_reader *r, struct rp_sql_token *token);

/* By a token's first byte; NULL: a word. */
static read_kind *const kinds[256] = {
    [0 ... ' '] = pass,
    [127] = pass,
    [0xa0] = pass,
    ['\''] = rp_sql_read_quoted,
    ['"'] = rp_sql_read_quoted,
    ['#'] = read_hash,
    ['$'] = rp_sql_read_money,
    ['%'] = take_operator,
    ['+'] = take_operator,
    ['^'] = take_operator,
    ['~'] = take_operator,
    ['!'] = read_operator,
    ['&'] = read_operator,
    ['*'] = read_operator,
    [':'] = read_operator,
    ['<' ... '>'] = read_operator,
    ['|'] = read_operator,
    ['('] = take_left_paren,
    [')'] = take_right_paren,
    ['{'] = take_left_brace,
    ['}'] = take_right_brace,
    [','] = take_comma,
    [';'] = take_semicolon,
    ['?'] = take_unknown,
    [']'] = take_unknown,
    ['-'] = read_dash,
    ['/'] = read_slash,
    ['.'] = rp_sql_read_number,
    ['0' ... '9'] = rp_sql_read_number,
    ['@'] = read_variable,
    ['['] = read_bracketed,
    ['\\'] = read_backslash,
    ['`'] = rp_sql_read_ticked,
    ['B'] = rp_sql_read_b,
    ['b'] = rp_sql_read_b,
    ['X'] = rp_sql_read_x,
    ['x'] = rp_sql_read_x,
    ['E'] = rp_sql_read_e,
    ['e'] = rp_sql_read_e,
    ['N'] = rp_sql_read_n,
    ['n'] = rp_sql_read_n,
    ['Q'] = rp_sql_read_q,
    ['q'] = rp_sql_read_q,
    ['U'] = rp_sql_read_u,
    ['u'] = rp_sql_read_u,
};

static bool read_any(struct rp_sql_reader *r, struct rp_sql_token *token) {
    read_kind *read = kinds[r->value.p[r->at]];
    if (!read) {
        rp_sql_read_word(r, token);
        return true;
    }
    read(r, token);
    return read != pass;
}

bool rp_sql_next(struct rp_sql_reader *r, struct rp_sql_token *ret_token) {
    *ret_token = (struct rp_sql_token){0};
    if (r->at == 0 && r->quote != 0 && r->value.n > 0) {
        rp_sql_read_text(r, ret_token, 0, r->quote);
        r->token_count++;
        return true;
    }
    while (r->at < r->value.n) {
        if (read_any(r, ret_token)) {
            r->token_count++;
            return true;
        }
    }
    return false;
}
