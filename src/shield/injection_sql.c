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

/* ---- all kinds ---- */

static bool read_any(struct rp_sql_reader *r, struct rp_sql_token *token) {
    switch (r->value.p[r->at]) {
    case 0 ... ' ':
    case 127:
    case 0xa0:
        r->at++;
        return false;
    case '\'':
    case '"':
        rp_sql_read_quoted(r, token);
        break;
    case '#':
        read_hash(r, token);
        break;
    case '$':
        rp_sql_read_money(r, token);
        break;
    case '%':
    case '+':
    case '^':
    case '~':
        rp_sql_take_one(r, token, RP_SQL_OPERATOR);
        break;
    case '!':
    case '&':
    case '*':
    case ':':
    case '<' ... '>':
    case '|':
        read_operator(r, token);
        break;
    case '(':
        rp_sql_take_one(r, token, RP_SQL_LEFT_PAREN);
        break;
    case ')':
        rp_sql_take_one(r, token, RP_SQL_RIGHT_PAREN);
        break;
    case '{':
        rp_sql_take_one(r, token, RP_SQL_LEFT_BRACE);
        break;
    case '}':
        rp_sql_take_one(r, token, RP_SQL_RIGHT_BRACE);
        break;
    case ',':
        rp_sql_take_one(r, token, RP_SQL_COMMA);
        break;
    case ';':
        rp_sql_take_one(r, token, RP_SQL_SEMICOLON);
        break;
    case '?':
    case ']':
        rp_sql_take_one(r, token, RP_SQL_UNKNOWN);
        break;
    case '-':
        read_dash(r, token);
        break;
    case '/':
        read_slash(r, token);
        break;
    case '.':
    case '0' ... '9':
        rp_sql_read_number(r, token);
        break;
    case '@':
        read_variable(r, token);
        break;
    case '[':
        read_bracketed(r, token);
        break;
    case '\\':
        read_backslash(r, token);
        break;
    case '`':
        rp_sql_read_ticked(r, token);
        break;
    case 'B':
    case 'b':
        rp_sql_read_b(r, token);
        break;
    case 'X':
    case 'x':
        rp_sql_read_x(r, token);
        break;
    case 'E':
    case 'e':
        rp_sql_read_e(r, token);
        break;
    case 'N':
    case 'n':
        rp_sql_read_n(r, token);
        break;
    case 'Q':
    case 'q':
        rp_sql_read_q(r, token);
        break;
    case 'U':
    case 'u':
        rp_sql_read_u(r, token);
        break;
    default:
        rp_sql_read_word(r, token);
        break;
    }
    return true;
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
