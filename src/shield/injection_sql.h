/* injection_sql.h — SQL as libinjection reads it; for injection_sql*.c and injection_sqli.c only.
 *
 * Reader, fold, fingerprint: a value becomes tokens; tokens that say nothing fall together until
 * at most five are left; their letters are looked up. A token's text is a view of the value, or
 * of the word table where two words made one. Texts over 31 bytes count by their first 31.
 */
#ifndef RP_SHIELD_INJECTION_SQL_H
#define RP_SHIELD_INJECTION_SQL_H

#include "base/view.h"

enum rp_sql_type {
    RP_SQL_NONE,
    RP_SQL_KEYWORD,
    RP_SQL_UNION,
    RP_SQL_GROUP,
    RP_SQL_EXPRESSION,
    RP_SQL_SQLTYPE,
    RP_SQL_FUNCTION,
    RP_SQL_BAREWORD,
    RP_SQL_NUMBER,
    RP_SQL_VARIABLE,
    RP_SQL_STRING,
    RP_SQL_OPERATOR,
    RP_SQL_LOGIC,
    RP_SQL_COMMENT,
    RP_SQL_COLLATE,
    RP_SQL_LEFT_PAREN,
    RP_SQL_RIGHT_PAREN,
    RP_SQL_LEFT_BRACE,
    RP_SQL_RIGHT_BRACE,
    RP_SQL_DOT,
    RP_SQL_COMMA,
    RP_SQL_COLON,
    RP_SQL_SEMICOLON,
    RP_SQL_TSQL,
    RP_SQL_UNKNOWN,
    RP_SQL_EVIL,
    RP_SQL_BACKSLASH,
    RP_SQL_TYPE_COUNT,
};

enum { RP_SQL_TEXT_MAX = 31, RP_SQL_TOKENS_MAX = 5 };

struct rp_sql_token {
    const uint8_t *p;
    uint8_t n;
    uint8_t type;        /* enum rp_sql_type */
    uint8_t open, close; /* a text's quotes; 0 where it begins or ends without */
};

struct rp_sql_reader {
    rp_view value;
    size_t at;
    uint8_t quote;      /* the value begins within '…' or "…", or 0 */
    bool mysql;         /* its comments: # to the end of the line, and -- only before a space */
    bool mysql_differs; /* what was read so far would be other tokens for the other dialect */
    size_t token_count;
};

/* The next token; false at the end. */
bool rp_sql_next(struct rp_sql_reader *reader, struct rp_sql_token *ret_token);
/* Reads all it needs; how many tokens are left, five at most. */
size_t rp_sql_fold(struct rp_sql_reader *reader, struct rp_sql_token *tokens);
/* What the word counts as, in any case, or RP_SQL_NONE; *ret_known is the table's own text. */
enum rp_sql_type rp_sql_word(rp_view word, rp_view *ret_known);
/* May the text and another behind it be one word of the table, like GROUP and BY? */
bool rp_sql_begins_word(rp_view text);
/* What two bytes of punctuation mean together. */
enum rp_sql_type rp_sql_punctuation(uint8_t first, uint8_t second);
/* Are these token types a row that attacks are made of? */
bool rp_sql_is_attack(const struct rp_sql_token *tokens, size_t count);
char rp_sql_letter(enum rp_sql_type type);

#endif
