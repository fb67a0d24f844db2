/* Reading SQL's quoted texts, and words. */
#include "shield/injection_sql_read.h"

static rp_view text_of(const struct rp_sql_token *token) {
    return rp_view_of(token->p, token->n);
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
void rp_sql_read_text(struct rp_sql_reader *r, struct rp_sql_token *token, size_t from,
                      uint8_t quote) {
    size_t at = from;
    while (true) {
        at += rp_view_find_byte(rp_view_from(r->value, at), quote);
        if (at >= r->value.n) {
            rp_sql_take(r, token, RP_SQL_STRING, from, r->value.n);
            return;
        }
        if (escaped(r->value, from, at)) {
            at += 1;
        } else if (rp_sql_byte(r->value, at + 1) == quote) {
            at += 2;
        } else {
            rp_sql_take(r, token, RP_SQL_STRING, from, at);
            token->close = quote;
            r->at = at + 1;
            return;
        }
        at = RP_MIN(at, r->value.n);
    }
}

void rp_sql_read_quoted(struct rp_sql_reader *r, struct rp_sql_token *token) {
    uint8_t quote = r->value.p[r->at];
    rp_sql_read_text(r, token, r->at + 1, quote);
    token->open = quote;
}

/* `name`: a word, unless a function is called so. */
void rp_sql_read_ticked(struct rp_sql_reader *r, struct rp_sql_token *token) {
    rp_view known;
    rp_sql_read_quoted(r, token);
    bool function = rp_sql_word(text_of(token), &known) == RP_SQL_FUNCTION;
    token->type = function ? RP_SQL_FUNCTION : RP_SQL_BAREWORD;
}

/* A text between two copies of a delimiter, the first of which ends at `from`. */
void rp_sql_read_between(struct rp_sql_reader *r, struct rp_sql_token *token, size_t from,
                         size_t close, size_t close_bytes, uint8_t quote) {
    bool closed = close < r->value.n;
    rp_sql_take(r, token, RP_SQL_STRING, from, closed ? close : r->value.n);
    token->open = quote;
    token->close = closed ? quote : 0;
    r->at = closed ? close + close_bytes : r->value.n;
}

/* ---- words ---- */

void rp_sql_read_word(struct rp_sql_reader *r, struct rp_sql_token *token) {
    rp_view v = r->value;
    rp_view known;
    size_t from = r->at;
    size_t end = from;
    uint8_t seen = 0;
    for (; end < v.n && !rp_sql_is(v.p[end], RP_SQL_WORD_END_BYTE); end++) {
        seen |= rp_sql_kinds[v.p[end]];
    }
    size_t cuts_end =
        (seen & RP_SQL_WORD_CUT_BYTE) != 0 ? RP_MIN(end, from + RP_SQL_TEXT_MAX) : from;
    for (size_t at = from; at < cuts_end; at++) { /* SELECT.1, SELECT`name` */
        if (rp_sql_is(v.p[at], RP_SQL_WORD_CUT_BYTE)) {
            enum rp_sql_type type = rp_sql_word(rp_view_sub(v, from, at - from), &known);
            if (type != RP_SQL_NONE && type != RP_SQL_BAREWORD) {
                rp_sql_take(r, token, type, from, at);
                return;
            }
        }
    }
    enum rp_sql_type type = rp_sql_word(rp_view_sub(v, from, end - from), &known);
    rp_sql_take(r, token, type == RP_SQL_NONE ? RP_SQL_BAREWORD : type, from, end);
}

size_t rp_sql_skip_digits(rp_view v, size_t at, bool hexadecimal) {
    while (at < v.n && rp_sql_is(v.p[at], RP_SQL_HEX_BYTE) && (hexadecimal || v.p[at] <= '1')) {
        at++;
    }
    return at;
}

/* B'01' or X'1F'. */
static void read_bits(struct rp_sql_reader *r, struct rp_sql_token *token, bool hexadecimal) {
    if (rp_sql_byte(r->value, r->at + 1) == '\'') {
        size_t end = rp_sql_skip_digits(r->value, r->at + 2, hexadecimal);
        if (rp_sql_byte(r->value, end) == '\'') {
            rp_sql_take(r, token, RP_SQL_NUMBER, r->at, end + 1);
            return;
        }
    }
    rp_sql_read_word(r, token);
}

void rp_sql_read_b(struct rp_sql_reader *r, struct rp_sql_token *token) {
    read_bits(r, token, false);
}

void rp_sql_read_x(struct rp_sql_reader *r, struct rp_sql_token *token) {
    read_bits(r, token, true);
}

/* E'…', of PostgreSQL. */
void rp_sql_read_e(struct rp_sql_reader *r, struct rp_sql_token *token) {
    if (r->at + 2 < r->value.n && r->value.p[r->at + 1] == '\'') {
        rp_sql_read_text(r, token, r->at + 2, '\'');
        token->open = '\'';
    } else {
        rp_sql_read_word(r, token);
    }
}

/* U&'…' */
void rp_sql_read_u(struct rp_sql_reader *r, struct rp_sql_token *token) {
    if (rp_sql_byte(r->value, r->at + 1) == '&' && rp_sql_byte(r->value, r->at + 2) == '\'') {
        r->at += 2;
        rp_sql_read_quoted(r, token);
        token->open = 'u';
        token->close = token->close == '\'' ? 'u' : token->close;
    } else {
        rp_sql_read_word(r, token);
    }
}

/* Oracle's q'(…)': any byte that is printed, and its partner. */
static void read_q_at(struct rp_sql_reader *r, struct rp_sql_token *token, size_t at) {
    uint8_t open = rp_sql_byte(r->value, at + 2);
    if ((rp_sql_byte(r->value, at) | 0x20) != 'q' || rp_sql_byte(r->value, at + 1) != '\'' ||
        open < 33 || open > 127) {
        rp_sql_read_word(r, token);
        return;
    }
    uint8_t close = open == '(' ? ')' : open == '[' ? ']' : open == '{' ? '}' : open;
    close = open == '<' ? '>' : close;
    rp_sql_read_between(r, token, at + 3, rp_sql_find_two(r->value, at + 3, close, '\''), 2, 'q');
}

void rp_sql_read_q(struct rp_sql_reader *r, struct rp_sql_token *token) {
    read_q_at(r, token, r->at);
}

void rp_sql_read_n(struct rp_sql_reader *r, struct rp_sql_token *token) {
    if (r->at + 2 < r->value.n && r->value.p[r->at + 1] == '\'') {
        rp_sql_read_e(r, token); /* N'…' */
    } else {
        read_q_at(r, token, r->at + 1);
    }
}
