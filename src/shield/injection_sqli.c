/* The verdict on SQL: the value is read in each context it could be pasted into, and in each
 * dialect that would read it otherwise, until one reading is an attack. */
#include "base/checked.h"
#include "shield/injection.h"
#include "shield/injection_sql.h"
#include "shield/injection_sql_read.h"

struct reading {
    struct rp_sql_reader reader;
    struct rp_sql_token tokens[RP_SQL_TOKENS_MAX + 3];
    size_t count;
};

static bool row_is(const struct reading *r, rp_view letters) {
    for (size_t i = 0; i < letters.n; i++) {
        if (rp_sql_letter(r->tokens[i].type) != (char)letters.p[i]) {
            return false;
        }
    }
    return r->count == letters.n;
}

static uint8_t first_byte(const struct rp_sql_token *token) {
    return token->n > 0 ? token->p[0] : 0;
}

/* An opening tick that nothing follows begins a comment for PHP's users. */
static void end_in_tick(struct reading *r) {
    struct rp_sql_token *last = &r->tokens[r->count - 1];
    if (r->count > 2 && last->type == RP_SQL_BAREWORD && last->open == '`' && last->n == 0 &&
        last->close == 0) {
        last->type = RP_SQL_COMMENT;
    }
}

static void read_value(struct reading *r, rp_view value, uint8_t quote, bool mysql) {
    r->reader = (struct rp_sql_reader){.value = value, .quote = quote, .mysql = mysql};
    r->count = rp_sql_fold(&r->reader, r->tokens);
    if (r->count > 0) {
        end_in_tick(r);
    }
    for (size_t i = 0; i < r->count; i++) {
        if (r->tokens[i].type == RP_SQL_EVIL) {
            r->tokens[0].type = RP_SQL_EVIL;
            r->count = 1;
        }
    }
}

/* ---- attacks that honest texts look like ---- */

/* A number and a comment: the number must be one, not the beginning of some code. */
static bool number_then_comment(const struct reading *r) {
    if (first_byte(&r->tokens[1]) == '/' || r->reader.token_count > 2) {
        return true;
    }
    rp_view behind = rp_view_from(r->reader.value, r->tokens[0].n);
    uint8_t next = behind.n > 0 ? behind.p[0] : 0;
    uint8_t second = behind.n > 1 ? behind.p[1] : 0;
    return next <= ' ' || next > 127 || (next == '/' && second == '*') ||
           (next == '-' && second == '-');
}

static bool two_are_meant(const struct reading *r) {
    const struct rp_sql_token *first = &r->tokens[0];
    const struct rp_sql_token *second = &r->tokens[1];
    if (second->type == RP_SQL_UNION) {
        return r->reader.token_count != 2;
    }
    if (first_byte(second) == '#') {
        return false;
    }
    if (first->type == RP_SQL_BAREWORD && second->type == RP_SQL_COMMENT &&
        first_byte(second) != '/') {
        return false;
    }
    if (first->type == RP_SQL_NUMBER && second->type == RP_SQL_COMMENT) {
        return number_then_comment(r);
    }
    return second->n <= 2 || first_byte(second) != '-'; /* a dash amid prose */
}

static bool three_are_meant(const struct reading *r) {
    const struct rp_sql_token *t = r->tokens;
    if (row_is(r, RP_VIEW("sos")) || row_is(r, RP_VIEW("s&s"))) {
        return t[0].open == 0 && t[2].close == 0 && t[0].close == t[2].open; /* …' + '… */
    }
    if (row_is(r, RP_VIEW("s&n")) || row_is(r, RP_VIEW("n&1")) || row_is(r, RP_VIEW("1&1")) ||
        row_is(r, RP_VIEW("1&v")) || row_is(r, RP_VIEW("1&s"))) {
        return r->reader.token_count != 3; /* "sexy and 17" */
    }
    if (t[1].type == RP_SQL_KEYWORD) { /* INTO OUTFILE, INTO DUMPFILE */
        return t[1].n >= 5 && rp_view_equal_nocase(rp_view_of(t[1].p, 4), RP_VIEW("INTO"));
    }
    return true;
}

static bool is_meant(const struct reading *r) {
    if (r->count > 1 && r->tokens[r->count - 1].type == RP_SQL_COMMENT &&
        rp_view_find(r->reader.value, RP_VIEW("sp_password")) < r->reader.value.n) {
        return true; /* keeps it out of an audit log */
    }
    return r->count == 2 ? two_are_meant(r) : r->count == 3 ? three_are_meant(r) : true;
}

static bool is_attack(struct reading *r, rp_view value, uint8_t quote, bool mysql) {
    read_value(r, value, quote, mysql);
    return rp_sql_is_attack(r->tokens, r->count) && is_meant(r);
}

static bool any_reading(struct reading *r, rp_view value) {
    if (is_attack(r, value, 0, false) ||
        (r->reader.mysql_differs && is_attack(r, value, 0, true))) {
        return true;
    }
    if (rp_view_find_byte(value, '\'') < value.n &&
        (is_attack(r, value, '\'', false) ||
         (r->reader.mysql_differs && is_attack(r, value, '\'', true)))) {
        return true;
    }
    return rp_view_find_byte(value, '"') < value.n && is_attack(r, value, '"', true);
}

/* One word is one token, in every context, and no row of one letter is an attack. Most names and
 * many values are decided here. A dot may end a word: SELECT.1 is two. */
static bool is_one_word(rp_view value) {
    if (!rp_sql_is(value.p[0], RP_SQL_LETTER_BYTE) || value.p[0] == 0) {
        return false;
    }
    size_t end = rp_sql_skip_until(value, 1, RP_SQL_WORD_END_BYTE | RP_SQL_WORD_CUT_BYTE);
    if (end == value.n || rp_sql_skip_until(value, end, RP_SQL_WORD_END_BYTE) < value.n) {
        return end == value.n;
    }
    struct rp_sql_reader reader = {.value = value};
    struct rp_sql_token token;
    rp_sql_read_word(&reader, &token);
    return reader.at == value.n;
}

bool rp_detect_sqli(rp_view value, char ret_fingerprint[static 8]) {
    struct reading reading;
    if (value.n == 0 || is_one_word(value) || !any_reading(&reading, value)) {
        return false;
    }
    for (size_t i = 0; i < reading.count; i++) {
        ret_fingerprint[i] = rp_sql_letter(reading.tokens[i].type);
    }
    ret_fingerprint[reading.count] = '\0';
    return true;
}
