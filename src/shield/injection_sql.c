/* Reading SQL: one function a kind of token, chosen by its first byte. */
#include "shield/injection_sql.h"

#include "base/checked.h"

/* ---- bytes ---- */

enum { WORD_END = 1, VARIABLE_END = 2, WHITE = 4, DIGIT = 8, HEX = 16, LETTER = 32, WORD_CUT = 64 };

/* Bytes over 127 are parts of words, but for the space of Latin-1. A NUL is taken wherever one of a
 * set is asked for, as the original's strchr takes it. */
static const uint8_t kinds[256] = {
    [0] = WORD_END | VARIABLE_END | WHITE | HEX | LETTER,
    ['\t' ... '\r'] = WORD_END | VARIABLE_END | WHITE,
    [' '] = WORD_END | VARIABLE_END | WHITE,
    [0xa0] = WORD_END | WHITE,
    ['['] = WORD_END,
    [']'] = WORD_END,
    ['{'] = WORD_END,
    ['}'] = WORD_END,
    ['!'] = WORD_END | VARIABLE_END,
    ['"'] = WORD_END | VARIABLE_END,
    ['#'] = WORD_END | VARIABLE_END,
    ['%' ... '-'] = WORD_END | VARIABLE_END,
    ['/'] = WORD_END | VARIABLE_END,
    [':' ... '@'] = WORD_END | VARIABLE_END,
    ['\\'] = WORD_END | VARIABLE_END,
    ['^'] = WORD_END | VARIABLE_END,
    ['|'] = WORD_END | VARIABLE_END,
    ['~'] = WORD_END | VARIABLE_END,
    ['`'] = VARIABLE_END | WORD_CUT,
    ['.'] = WORD_CUT,
    ['0' ... '9'] = DIGIT | HEX,
    ['A' ... 'F'] = HEX | LETTER,
    ['a' ... 'f'] = HEX | LETTER,
    ['G' ... 'Z'] = LETTER,
    ['g' ... 'z'] = LETTER,
};

static bool is(uint8_t byte, uint8_t kind) {
    return (kinds[byte] & kind) != 0;
}

/* The byte there, or NUL behind the end: no rule asks for a NUL. */
static uint8_t byte_at(rp_view v, size_t at) {
    return at < v.n ? v.p[at] : 0;
}

static size_t skip(rp_view v, size_t at, uint8_t kind) {
    while (at < v.n && is(v.p[at], kind)) {
        at++;
    }
    return at;
}

static size_t skip_until(rp_view v, size_t at, uint8_t kind) {
    while (at < v.n && !is(v.p[at], kind)) {
        at++;
    }
    return at;
}

/* Where the two bytes stand next to each other, from `at` on; v.n when nowhere. */
static size_t find_two(rp_view v, size_t at, uint8_t first, uint8_t second) {
    for (; at + 1 < v.n; at++) {
        at += rp_view_find_byte(rp_view_from(v, at), first);
        if (at + 1 < v.n && v.p[at + 1] == second) {
            return at;
        }
    }
    return v.n;
}

/* ---- tokens ---- */

/* The token is the bytes from `from` to `to`; reading goes on at `next`. */
static void take(struct rp_sql_reader *r, struct rp_sql_token *token, enum rp_sql_type type,
                 size_t from, size_t to) {
    *token = (struct rp_sql_token){.p = r->value.p + from,
                                   .n = (uint8_t)RP_MIN(to - from, (size_t)RP_SQL_TEXT_MAX),
                                   .type = (uint8_t)type};
    r->at = to;
}

static void take_one(struct rp_sql_reader *r, struct rp_sql_token *token, enum rp_sql_type type) {
    take(r, token, type, r->at, r->at + 1);
}

static rp_view text_of(const struct rp_sql_token *token) {
    return rp_view_of(token->p, token->n);
}

static void read_line_comment(struct rp_sql_reader *r, struct rp_sql_token *token) {
    size_t end = r->at + rp_view_find_byte(rp_view_from(r->value, r->at), '\n');
    take(r, token, RP_SQL_COMMENT, r->at, end);
    r->at = RP_MIN(end + 1, r->value.n);
}

static void read_hash(struct rp_sql_reader *r, struct rp_sql_token *token) {
    r->mysql_differs = true;
    if (r->mysql) {
        read_line_comment(r, token);
    } else {
        take_one(r, token, RP_SQL_OPERATOR);
    }
}

static void read_dash(struct rp_sql_reader *r, struct rp_sql_token *token) {
    bool two = byte_at(r->value, r->at + 1) == '-';
    bool ends = r->at + 2 == r->value.n || (two && is(byte_at(r->value, r->at + 2), WHITE));
    if (two && ends) {
        read_line_comment(r, token);
    } else if (two && !r->mysql) {
        r->mysql_differs = true;
        read_line_comment(r, token);
    } else {
        take_one(r, token, RP_SQL_OPERATOR);
    }
}

/* A comment within a comment, or one that MySQL runs, is read differently by different databases:
 * nobody honest writes one. */
static void read_slash(struct rp_sql_reader *r, struct rp_sql_token *token) {
    if (byte_at(r->value, r->at + 1) != '*') {
        take_one(r, token, RP_SQL_OPERATOR);
        return;
    }
    size_t close = find_two(r->value, r->at + 2, '*', '/');
    bool closed = close < r->value.n;
    rp_view inside = rp_view_sub(r->value, 0, close + 1);
    bool nested = closed && find_two(inside, r->at + 2, '/', '*') < inside.n;
    bool runs = byte_at(r->value, r->at + 2) == '!';
    take(r, token, nested || runs ? RP_SQL_EVIL : RP_SQL_COMMENT, r->at,
         closed ? close + 2 : r->value.n);
}

static void read_backslash(struct rp_sql_reader *r, struct rp_sql_token *token) {
    if (byte_at(r->value, r->at + 1) == 'N') { /* MySQL's null */
        take(r, token, RP_SQL_NUMBER, r->at, r->at + 2);
    } else {
        take_one(r, token, RP_SQL_BACKSLASH);
    }
}

static void read_operator(struct rp_sql_reader *r, struct rp_sql_token *token) {
    const uint8_t *p = r->value.p + r->at;
    size_t left = r->value.n - r->at;
    if (left > 2 && p[0] == '<' && p[1] == '=' && p[2] == '>') {
        take(r, token, RP_SQL_OPERATOR, r->at, r->at + 3);
        return;
    }
    enum rp_sql_type both = left > 1 ? rp_sql_punctuation(p[0], p[1]) : RP_SQL_NONE;
    if (both != RP_SQL_NONE) {
        take(r, token, both, r->at, r->at + 2);
    } else {
        take_one(r, token, left > 1 && p[0] == ':' ? RP_SQL_COLON : RP_SQL_OPERATOR);
    }
}

/* ---- texts ---- */

static bool escaped(rp_view v, size_t from, size_t quote) {
    size_t backslashes = 0;
    while (quote - backslashes > from && v.p[quote - backslashes - 1] == '\\') {
        backslashes++;
    }
    return backslashes % 2 == 1;
}

/* The text from `from` to the next quote that is neither escaped nor doubled, or to the end. */
static void read_text(struct rp_sql_reader *r, struct rp_sql_token *token, size_t from,
                      uint8_t quote) {
    size_t at = from;
    while (true) {
        at += rp_view_find_byte(rp_view_from(r->value, at), quote);
        if (at >= r->value.n) {
            take(r, token, RP_SQL_STRING, from, r->value.n);
            return;
        }
        if (escaped(r->value, from, at)) {
            at += 1;
        } else if (byte_at(r->value, at + 1) == quote) {
            at += 2;
        } else {
            take(r, token, RP_SQL_STRING, from, at);
            token->close = quote;
            r->at = at + 1;
            return;
        }
        at = RP_MIN(at, r->value.n);
    }
}

static void read_quoted(struct rp_sql_reader *r, struct rp_sql_token *token) {
    uint8_t quote = r->value.p[r->at];
    read_text(r, token, r->at + 1, quote);
    token->open = quote;
}

/* `name`: a word, unless a function is called so. */
static void read_ticked(struct rp_sql_reader *r, struct rp_sql_token *token) {
    rp_view known;
    read_quoted(r, token);
    bool function = rp_sql_word(text_of(token), &known) == RP_SQL_FUNCTION;
    token->type = function ? RP_SQL_FUNCTION : RP_SQL_BAREWORD;
}

/* A text between two copies of a delimiter, the first of which ends at `from`. */
static void read_between(struct rp_sql_reader *r, struct rp_sql_token *token, size_t from,
                         size_t close, size_t close_bytes, uint8_t quote) {
    bool closed = close < r->value.n;
    take(r, token, RP_SQL_STRING, from, closed ? close : r->value.n);
    token->open = quote;
    token->close = closed ? quote : 0;
    r->at = closed ? close + close_bytes : r->value.n;
}

/* ---- words ---- */

static void read_word(struct rp_sql_reader *r, struct rp_sql_token *token) {
    rp_view v = r->value;
    rp_view known;
    size_t from = r->at;
    size_t end = from;
    uint8_t seen = 0;
    for (; end < v.n && !is(v.p[end], WORD_END); end++) {
        seen |= kinds[v.p[end]];
    }
    size_t cuts_end = (seen & WORD_CUT) != 0 ? RP_MIN(end, from + RP_SQL_TEXT_MAX) : from;
    for (size_t at = from; at < cuts_end; at++) { /* SELECT.1, SELECT`name` */
        if (is(v.p[at], WORD_CUT)) {
            enum rp_sql_type type = rp_sql_word(rp_view_sub(v, from, at - from), &known);
            if (type != RP_SQL_NONE && type != RP_SQL_BAREWORD) {
                take(r, token, type, from, at);
                return;
            }
        }
    }
    enum rp_sql_type type = rp_sql_word(rp_view_sub(v, from, end - from), &known);
    take(r, token, type == RP_SQL_NONE ? RP_SQL_BAREWORD : type, from, end);
}

static size_t skip_digits_of(rp_view v, size_t at, bool hexadecimal) {
    while (at < v.n && is(v.p[at], HEX) && (hexadecimal || v.p[at] <= '1')) {
        at++;
    }
    return at;
}

/* B'01' or X'1F'. */
static void read_bits(struct rp_sql_reader *r, struct rp_sql_token *token, bool hexadecimal) {
    if (byte_at(r->value, r->at + 1) == '\'') {
        size_t end = skip_digits_of(r->value, r->at + 2, hexadecimal);
        if (byte_at(r->value, end) == '\'') {
            take(r, token, RP_SQL_NUMBER, r->at, end + 1);
            return;
        }
    }
    read_word(r, token);
}

/* E'…', of PostgreSQL. */
static void read_e(struct rp_sql_reader *r, struct rp_sql_token *token) {
    if (r->at + 2 < r->value.n && r->value.p[r->at + 1] == '\'') {
        read_text(r, token, r->at + 2, '\'');
        token->open = '\'';
    } else {
        read_word(r, token);
    }
}

/* U&'…' */
static void read_u(struct rp_sql_reader *r, struct rp_sql_token *token) {
    if (byte_at(r->value, r->at + 1) == '&' && byte_at(r->value, r->at + 2) == '\'') {
        r->at += 2;
        read_quoted(r, token);
        token->open = 'u';
        token->close = token->close == '\'' ? 'u' : token->close;
    } else {
        read_word(r, token);
    }
}

/* Oracle's q'(…)': any byte that is printed, and its partner. */
static void read_q_at(struct rp_sql_reader *r, struct rp_sql_token *token, size_t at) {
    uint8_t open = byte_at(r->value, at + 2);
    if ((byte_at(r->value, at) | 0x20) != 'q' || byte_at(r->value, at + 1) != '\'' || open < 33 ||
        open > 127) {
        read_word(r, token);
        return;
    }
    uint8_t close = open == '(' ? ')' : open == '[' ? ']' : open == '{' ? '}' : open;
    close = open == '<' ? '>' : close;
    read_between(r, token, at + 3, find_two(r->value, at + 3, close, '\''), 2, 'q');
}

static void read_n(struct rp_sql_reader *r, struct rp_sql_token *token) {
    if (r->at + 2 < r->value.n && r->value.p[r->at + 1] == '\'') {
        read_e(r, token); /* N'…' */
    } else {
        read_q_at(r, token, r->at + 1);
    }
}

/* [name], of T-SQL. */
static void read_bracketed(struct rp_sql_reader *r, struct rp_sql_token *token) {
    size_t close = r->at + rp_view_find_byte(rp_view_from(r->value, r->at), ']');
    take(r, token, RP_SQL_BAREWORD, r->at, RP_MIN(close + 1, r->value.n));
}

/* @name, @@name, and with any quotes. */
static void read_variable(struct rp_sql_reader *r, struct rp_sql_token *token) {
    r->at += byte_at(r->value, r->at + 1) == '@' ? 2 : 1;
    uint8_t next = byte_at(r->value, r->at);
    if (next == '`' || next == '\'' || next == '"') {
        read_quoted(r, token);
        token->type = RP_SQL_VARIABLE;
    } else {
        take(r, token, RP_SQL_VARIABLE, r->at, skip_until(r->value, r->at, VARIABLE_END));
    }
}

/* ---- numbers ---- */

static size_t skip_money(rp_view v, size_t at) {
    while (at < v.n && (is(v.p[at], DIGIT) || v.p[at] == '.' || v.p[at] == ',' || v.p[at] == 0)) {
        at++;
    }
    return at;
}

/* $name$…$name$, of PostgreSQL. */
static void read_tagged(struct rp_sql_reader *r, struct rp_sql_token *token) {
    rp_view v = r->value;
    size_t from = r->at;
    size_t end = skip(v, from + 1, LETTER);
    if (end == from + 1 || byte_at(v, end) != '$') {
        take_one(r, token, RP_SQL_BAREWORD);
        return;
    }
    rp_view tag = rp_view_sub(v, from, end + 1 - from);
    size_t close = end + 1 + rp_view_find(rp_view_from(v, end + 1), tag);
    read_between(r, token, end + 1, close, tag.n, '$');
}

static void read_money(struct rp_sql_reader *r, struct rp_sql_token *token) {
    rp_view v = r->value;
    size_t from = r->at;
    size_t end = skip_money(v, from + 1);
    if (end == from + 2 && v.p[from + 1] == '.') {
        read_word(r, token);
    } else if (end > from + 1) {
        take(r, token, RP_SQL_NUMBER, from, end);
    } else if (byte_at(v, from + 1) == '$') {
        read_between(r, token, from + 2, find_two(v, from + 2, '$', '$'), 2, '$');
    } else {
        read_tagged(r, token);
    }
}

/* 0x1F and 0b01; false when it is neither. */
static bool read_based(struct rp_sql_reader *r, struct rp_sql_token *token) {
    uint8_t base = byte_at(r->value, r->at + 1) | 0x20;
    if (r->value.p[r->at] != '0' || (base != 'x' && base != 'b')) {
        return false;
    }
    size_t from = r->at + 2;
    size_t end = skip_digits_of(r->value, from, base == 'x');
    take(r, token, end == from ? RP_SQL_BAREWORD : RP_SQL_NUMBER, r->at, end);
    return true;
}

/* Oracle's 1.2f and 1.2d; the `f` of 1fUNION as well, but not that of 1FROM. */
static bool suffix_at(rp_view v, size_t at) {
    uint8_t suffix = byte_at(v, at) | 0x20;
    if (suffix != 'd' && suffix != 'f') {
        return false;
    }
    uint8_t next = byte_at(v, at + 1);
    return at + 1 >= v.n || is(next, WHITE) || next == ';' || (next | 0x20) == 'u';
}

static void read_number(struct rp_sql_reader *r, struct rp_sql_token *token) {
    rp_view v = r->value;
    size_t from = r->at;
    if (read_based(r, token)) {
        return;
    }
    size_t at = skip(v, from, DIGIT);
    if (byte_at(v, at) == '.') {
        at = skip(v, at + 1, DIGIT);
        if (at - from == 1) {
            take_one(r, token, RP_SQL_DOT);
            return;
        }
    }
    bool whole = true; /* 1e and 1.e without digits behind are words */
    if ((byte_at(v, at) | 0x20) == 'e') {
        at++;
        at += byte_at(v, at) == '+' || byte_at(v, at) == '-' ? 1 : 0;
        size_t end = skip(v, at, DIGIT);
        whole = end > at;
        at = end;
    }
    at += suffix_at(v, at) ? 1 : 0;
    take(r, token, whole ? RP_SQL_NUMBER : RP_SQL_BAREWORD, from, at);
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
        read_quoted(r, token);
        break;
    case '#':
        read_hash(r, token);
        break;
    case '$':
        read_money(r, token);
        break;
    case '%':
    case '+':
    case '^':
    case '~':
        take_one(r, token, RP_SQL_OPERATOR);
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
        take_one(r, token, RP_SQL_LEFT_PAREN);
        break;
    case ')':
        take_one(r, token, RP_SQL_RIGHT_PAREN);
        break;
    case '{':
        take_one(r, token, RP_SQL_LEFT_BRACE);
        break;
    case '}':
        take_one(r, token, RP_SQL_RIGHT_BRACE);
        break;
    case ',':
        take_one(r, token, RP_SQL_COMMA);
        break;
    case ';':
        take_one(r, token, RP_SQL_SEMICOLON);
        break;
    case '?':
    case ']':
        take_one(r, token, RP_SQL_UNKNOWN);
        break;
    case '-':
        read_dash(r, token);
        break;
    case '/':
        read_slash(r, token);
        break;
    case '.':
    case '0' ... '9':
        read_number(r, token);
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
        read_ticked(r, token);
        break;
    case 'B':
    case 'b':
        read_bits(r, token, false);
        break;
    case 'X':
    case 'x':
        read_bits(r, token, true);
        break;
    case 'E':
    case 'e':
        read_e(r, token);
        break;
    case 'N':
    case 'n':
        read_n(r, token);
        break;
    case 'Q':
    case 'q':
        read_q_at(r, token, r->at);
        break;
    case 'U':
    case 'u':
        read_u(r, token);
        break;
    default:
        read_word(r, token);
        break;
    }
    return true;
}

bool rp_sql_next(struct rp_sql_reader *r, struct rp_sql_token *ret_token) {
    *ret_token = (struct rp_sql_token){0};
    if (r->at == 0 && r->quote != 0 && r->value.n > 0) {
        read_text(r, ret_token, 0, r->quote);
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
