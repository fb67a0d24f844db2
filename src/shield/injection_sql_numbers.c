/* Reading SQL's numbers. */
#include "shield/injection_sql_read.h"

/* ---- numbers ---- */

static size_t skip_money(rp_view v, size_t at) {
    while (at < v.n && (rp_sql_is(v.p[at], RP_SQL_DIGIT_BYTE) || v.p[at] == '.' || v.p[at] == ',' ||
                        v.p[at] == 0)) {
        at++;
    }
    return at;
}

/* $name$…$name$, of PostgreSQL. */
static void read_tagged(struct rp_sql_reader *r, struct rp_sql_token *token) {
    rp_view v = r->value;
    size_t from = r->at;
    size_t end = rp_sql_skip(v, from + 1, RP_SQL_LETTER_BYTE);
    if (end == from + 1 || rp_sql_byte(v, end) != '$') {
        rp_sql_take_one(r, token, RP_SQL_BAREWORD);
        return;
    }
    rp_view tag = rp_view_sub(v, from, end + 1 - from);
    size_t close = end + 1 + rp_view_find(rp_view_from(v, end + 1), tag);
    rp_sql_read_between(r, token, end + 1, close, tag.n, '$');
}

void rp_sql_read_money(struct rp_sql_reader *r, struct rp_sql_token *token) {
    rp_view v = r->value;
    size_t from = r->at;
    size_t end = skip_money(v, from + 1);
    if (end == from + 2 && v.p[from + 1] == '.') {
        rp_sql_read_word(r, token);
    } else if (end > from + 1) {
        rp_sql_take(r, token, RP_SQL_NUMBER, from, end);
    } else if (rp_sql_byte(v, from + 1) == '$') {
        rp_sql_read_between(r, token, from + 2, rp_sql_find_two(v, from + 2, '$', '$'), 2, '$');
    } else {
        read_tagged(r, token);
    }
}

/* 0x1F and 0b01; false when it is neither. */
static bool read_based(struct rp_sql_reader *r, struct rp_sql_token *token) {
    uint8_t base = rp_sql_byte(r->value, r->at + 1) | 0x20;
    if (r->value.p[r->at] != '0' || (base != 'x' && base != 'b')) {
        return false;
    }
    size_t from = r->at + 2;
    size_t end = rp_sql_skip_digits(r->value, from, base == 'x');
    rp_sql_take(r, token, end == from ? RP_SQL_BAREWORD : RP_SQL_NUMBER, r->at, end);
    return true;
}

/* Oracle's 1.2f and 1.2d; the `f` of 1fUNION as well, but not that of 1FROM. */
static bool suffix_at(rp_view v, size_t at) {
    uint8_t suffix = rp_sql_byte(v, at) | 0x20;
    if (suffix != 'd' && suffix != 'f') {
        return false;
    }
    uint8_t next = rp_sql_byte(v, at + 1);
    return at + 1 >= v.n || rp_sql_is(next, RP_SQL_WHITE_BYTE) || next == ';' ||
           (next | 0x20) == 'u';
}

void rp_sql_read_number(struct rp_sql_reader *r, struct rp_sql_token *token) {
    rp_view v = r->value;
    size_t from = r->at;
    if (read_based(r, token)) {
        return;
    }
    size_t at = rp_sql_skip(v, from, RP_SQL_DIGIT_BYTE);
    if (rp_sql_byte(v, at) == '.') {
        at = rp_sql_skip(v, at + 1, RP_SQL_DIGIT_BYTE);
        if (at - from == 1) {
            rp_sql_take_one(r, token, RP_SQL_DOT);
            return;
        }
    }
    bool whole = true; /* 1e and 1.e without digits behind are words */
    if ((rp_sql_byte(v, at) | 0x20) == 'e') {
        at++;
        at += rp_sql_byte(v, at) == '+' || rp_sql_byte(v, at) == '-' ? 1 : 0;
        size_t end = rp_sql_skip(v, at, RP_SQL_DIGIT_BYTE);
        whole = end > at;
        at = end;
    }
    at += suffix_at(v, at) ? 1 : 0;
    rp_sql_take(r, token, whole ? RP_SQL_NUMBER : RP_SQL_BAREWORD, from, at);
}
