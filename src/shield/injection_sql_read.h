/* injection_sql_read.h — what the readers of SQL's tokens share; for injection_sql*.c only.
 *
 * Each rp_sql_read_… reads the one token that begins at reader->at, writes it, and moves on.
 */
#ifndef RP_SHIELD_INJECTION_SQL_READ_H
#define RP_SHIELD_INJECTION_SQL_READ_H

#include "base/checked.h"
#include "shield/injection_sql.h"

typedef void rp_sql_read(struct rp_sql_reader *r, struct rp_sql_token *token);

/* injection_sql_texts.c */
rp_sql_read rp_sql_read_quoted, rp_sql_read_ticked, rp_sql_read_word, rp_sql_read_b, rp_sql_read_x,
    rp_sql_read_e, rp_sql_read_n, rp_sql_read_q, rp_sql_read_u;
/* The text from `from` to the next quote that is neither escaped nor doubled, or to the end. */
void rp_sql_read_text(struct rp_sql_reader *r, struct rp_sql_token *token, size_t from,
                      uint8_t quote);
/* A text from `from` to a delimiter of close_bytes at `close`; at the value's end: there is none.
 */
void rp_sql_read_between(struct rp_sql_reader *r, struct rp_sql_token *token, size_t from,
                         size_t close, size_t close_bytes, uint8_t quote);

/* injection_sql_numbers.c */
rp_sql_read rp_sql_read_number, rp_sql_read_money;
/* injection_sql_texts.c */
size_t rp_sql_skip_digits(rp_view v, size_t at, bool hexadecimal);

/* ---- bytes ---- */

enum {
    RP_SQL_WORD_END_BYTE = 1,
    RP_SQL_VARIABLE_END_BYTE = 2,
    RP_SQL_WHITE_BYTE = 4,
    RP_SQL_DIGIT_BYTE = 8,
    RP_SQL_HEX_BYTE = 16,
    RP_SQL_LETTER_BYTE = 32,
    RP_SQL_WORD_CUT_BYTE = 64
};
extern const uint8_t rp_sql_kinds[256];

static inline bool rp_sql_is(uint8_t byte, uint8_t kind) {
    return (rp_sql_kinds[byte] & kind) != 0;
}

/* The byte there, or NUL behind the end: no rule asks for a NUL. */
static inline uint8_t rp_sql_byte(rp_view v, size_t at) {
    return at < v.n ? v.p[at] : 0;
}

static inline size_t rp_sql_skip(rp_view v, size_t at, uint8_t kind) {
    while (at < v.n && rp_sql_is(v.p[at], kind)) {
        at++;
    }
    return at;
}

static inline size_t rp_sql_skip_until(rp_view v, size_t at, uint8_t kind) {
    while (at < v.n && !rp_sql_is(v.p[at], kind)) {
        at++;
    }
    return at;
}

/* Where the two bytes stand next to each other, from `at` on; v.n when nowhere. */
static inline size_t rp_sql_find_two(rp_view v, size_t at, uint8_t first, uint8_t second) {
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
static inline void rp_sql_take(struct rp_sql_reader *r, struct rp_sql_token *token,
                               enum rp_sql_type type, size_t from, size_t to) {
    *token = (struct rp_sql_token){.p = r->value.p + from,
                                   .n = (uint8_t)RP_MIN(to - from, (size_t)RP_SQL_TEXT_MAX),
                                   .type = (uint8_t)type};
    r->at = to;
}

static inline void rp_sql_take_one(struct rp_sql_reader *r, struct rp_sql_token *token,
                                   enum rp_sql_type type) {
    rp_sql_take(r, token, type, r->at, r->at + 1);
}

#endif
