/* The tables of injection_words.def and injection_fingerprints.def, and looking things up there. */
#include "base/checked.h"
#include "shield/injection_sql.h"

static const char letters[RP_SQL_TYPE_COUNT] = {
    [RP_SQL_KEYWORD] = 'k',     [RP_SQL_UNION] = 'U',      [RP_SQL_GROUP] = 'B',
    [RP_SQL_EXPRESSION] = 'E',  [RP_SQL_SQLTYPE] = 't',    [RP_SQL_FUNCTION] = 'f',
    [RP_SQL_BAREWORD] = 'n',    [RP_SQL_NUMBER] = '1',     [RP_SQL_VARIABLE] = 'v',
    [RP_SQL_STRING] = 's',      [RP_SQL_OPERATOR] = 'o',   [RP_SQL_LOGIC] = '&',
    [RP_SQL_COMMENT] = 'c',     [RP_SQL_COLLATE] = 'A',    [RP_SQL_LEFT_PAREN] = '(',
    [RP_SQL_RIGHT_PAREN] = ')', [RP_SQL_LEFT_BRACE] = '{', [RP_SQL_RIGHT_BRACE] = '}',
    [RP_SQL_DOT] = '.',         [RP_SQL_COMMA] = ',',      [RP_SQL_COLON] = ':',
    [RP_SQL_SEMICOLON] = ';',   [RP_SQL_TSQL] = 'T',       [RP_SQL_UNKNOWN] = '?',
    [RP_SQL_EVIL] = 'X',        [RP_SQL_BACKSLASH] = '\\',
};

char rp_sql_letter(enum rp_sql_type type) {
    return letters[type];
}

/* ---- words ---- */

static enum rp_sql_type type_of_letter(char letter) {
    switch (letter) {
    case 'k':
        return RP_SQL_KEYWORD;
    case 'U':
        return RP_SQL_UNION;
    case 'B':
        return RP_SQL_GROUP;
    case 'E':
        return RP_SQL_EXPRESSION;
    case 't':
        return RP_SQL_SQLTYPE;
    case 'f':
        return RP_SQL_FUNCTION;
    case 'n':
        return RP_SQL_BAREWORD;
    case '1':
        return RP_SQL_NUMBER;
    case 'v':
        return RP_SQL_VARIABLE;
    case 'o':
        return RP_SQL_OPERATOR;
    case '&':
        return RP_SQL_LOGIC;
    case 'A':
        return RP_SQL_COLLATE;
    case 'T':
        return RP_SQL_TSQL;
    default:
        return RP_SQL_NONE;
    }
}

/* The words that begin with one byte and are of one length lie together, each behind the letter of
 * its type: one field of this struct. */
#define PAIR(first, second, type)
#define BEGINS(first, lengths)
struct words {
#define WORDS(name, first, length, texts) char name##length[sizeof(texts) - 1];
#include "shield/injection_words.def"
#undef WORDS
};
static const struct words words = {
#define WORDS(name, first, length, texts) .name##length = texts,
#include "shield/injection_words.def"
#undef WORDS
};

/* Words begin with a letter or an underscore: the low five bits tell them apart. */
#define SLOT(first, length) (((size_t)(first)&31) * (RP_SQL_TEXT_MAX + 1) + (length))
struct group {
    uint16_t from, bytes;
};
static const struct group word_groups[32 * (RP_SQL_TEXT_MAX + 1)] = {
#define WORDS(name, first, length, texts)                                                          \
    [SLOT(first, length)] = {offsetof(struct words, name##length), sizeof(texts) - 1},
#include "shield/injection_words.def"
#undef WORDS
};
#undef BEGINS

/* Words of several words: for each first byte the set of lengths that stand before a space. */
static const uint32_t beginnings[32] = {
#define WORDS(name, first, length, texts)
#define BEGINS(first, lengths) [(first)&31] = (lengths),
#include "shield/injection_words.def"
#undef BEGINS
#undef WORDS
};
#undef PAIR

bool rp_sql_begins_word(rp_view text) {
    return text.n > 0 && (beginnings[text.p[0] & 31] >> text.n & 1) != 0;
}

static uint8_t upper(uint8_t c) {
    return (uint8_t)(c - 'a') < 26 ? c & 0xdf : c;
}

/* From the end: words that begin and end alike are few. */
static bool same_word(const uint8_t *known, const uint8_t *word, size_t n) {
    while (n > 0 && upper(word[n - 1]) == known[n - 1]) {
        n--;
    }
    return n == 0;
}

enum rp_sql_type rp_sql_word(rp_view word, rp_view *ret_known) {
    if (word.n < 2 || word.n > RP_SQL_TEXT_MAX) {
        return RP_SQL_NONE;
    }
    struct group group = word_groups[SLOT(word.p[0], word.n)];
    const uint8_t *texts = (const uint8_t *)&words + group.from;
    for (size_t at = 0; at < group.bytes; at += word.n + 1) {
        if (same_word(texts + at + 1, word.p, word.n)) {
            *ret_known = rp_view_of(texts + at + 1, word.n);
            return type_of_letter((char)texts[at]);
        }
    }
    return RP_SQL_NONE;
}

enum rp_sql_type rp_sql_punctuation(uint8_t first, uint8_t second) {
    switch (first << 8 | second) {
#define WORDS(name, first, length, texts)
#define BEGINS(first, lengths)
#define PAIR(first, second, type)                                                                  \
    case (first) << 8 | (second):                                                                  \
        return type_of_letter(type);
#include "shield/injection_words.def"
#undef PAIR
#undef BEGINS
#undef WORDS
    default:
        return RP_SQL_NONE;
    }
}

/* ---- rows of letters ---- */

/* The rows that begin with two letters: the rest of each, four bytes. */
struct endings {
#define ENDINGS(first, second, rest) char first##_##second[sizeof(rest) - 1];
#include "shield/injection_fingerprints.def"
#undef ENDINGS
};
static const struct endings endings = {
#define ENDINGS(first, second, rest) .first##_##second = rest,
#include "shield/injection_fingerprints.def"
#undef ENDINGS
};
static const struct group ending_groups[RP_SQL_TYPE_COUNT * RP_SQL_TYPE_COUNT] = {
#define ENDINGS(first, second, rest)                                                               \
    [RP_SQL_##first * RP_SQL_TYPE_COUNT + RP_SQL_##                                                \
        second] = {offsetof(struct endings, first##_##second), sizeof(rest) - 1},
#include "shield/injection_fingerprints.def"
#undef ENDINGS
};

/* In the table, and only there, T-SQL's words and types of columns are one. */
static enum rp_sql_type type_in_table(const struct rp_sql_token *token) {
    return token->type == RP_SQL_TSQL ? RP_SQL_SQLTYPE : token->type;
}

bool rp_sql_is_attack(const struct rp_sql_token *tokens, size_t count) {
    if (count < 2) {
        return count == 1 && tokens[0].type == RP_SQL_EVIL;
    }
    size_t pair = type_in_table(&tokens[0]) * RP_SQL_TYPE_COUNT + type_in_table(&tokens[1]);
    char rest[4] = "    ";
    for (size_t i = 2; i < count; i++) {
        char letter = letters[type_in_table(&tokens[i])];
        rest[i - 2] = letter >= 'a' && letter <= 'z' ? (char)(letter - 32) : letter;
    }
    uint32_t wanted = 0;
    memcpy(&wanted, rest, sizeof wanted);
    const char *row = (const char *)&endings + ending_groups[pair].from;
    for (size_t at = 0; at < ending_groups[pair].bytes; at += sizeof rest) {
        uint32_t four = 0;
        memcpy(&four, row + at, sizeof four);
        if (four == wanted) {
            return true;
        }
    }
    return false;
}
