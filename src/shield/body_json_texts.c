/* body_json_texts.c — JSON's tokens over chunk borders: strings, numbers, words (RFC 8259). */
#include "base/assert.h"
#include "base/id.h"
#include "shield/body_json.h"

/* ---- strings ---- */

enum { ESCAPE_NONE, ESCAPE_SIGN, ESCAPE_HEX /* and the three after it */ };

#define BYTES(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The first byte that is not plain text: a quote, a backslash, a control byte, or one over 127.
 * Eight at once: a byte below the subtracted one borrows into its top bit, and what a borrow
 * touches falsely lies behind a true hit. */
static const uint8_t *plain_end(const uint8_t *at, const uint8_t *end) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    while (end - at >= 8) {
        uint64_t bytes;
        memcpy(&bytes, at, 8);
        uint64_t quote = bytes ^ BYTES('"'), backslash = bytes ^ BYTES('\\');
        uint64_t hit = ((bytes - BYTES(0x20)) & ~bytes) | ((quote - BYTES(1)) & ~quote) |
                       ((backslash - BYTES(1)) & ~backslash) | bytes;
        hit &= BYTES(0x80);
        if (hit != 0) {
            return at + __builtin_ctzll(hit) / 8;
        }
        at += 8;
    }
#endif
    while (at < end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\') {
        at++;
    }
    return at;
}

static void add_code_point(struct rp_body *body, struct json_text *text, uint32_t point) {
    uint8_t p[4];
    size_t n = 0;
    if (point < 0x80) {
        p[n++] = (uint8_t)point;
    } else if (point < 0x800) {
        p[n++] = (uint8_t)(0xc0 | point >> 6);
    } else if (point < 0x10000) {
        p[n++] = (uint8_t)(0xe0 | point >> 12);
        p[n++] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
    } else {
        p[n++] = (uint8_t)(0xf0 | point >> 18);
        p[n++] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
        p[n++] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
    }
    if (point >= 0x80) {
        p[n++] = (uint8_t)(0x80 | (point & 0x3f));
    }
    for (size_t i = 0; i < n; i++) {
        rp_body_text_add_byte(body, &text->bytes, p[i]);
    }
}

/* A high surrogate whose other half did not come is a question mark, as in yajl. */
static void drop_high(struct rp_body *body, struct json_text *text) {
    if (text->high != 0) {
        text->high = 0;
        rp_body_text_add_byte(body, &text->bytes, '?');
    }
}

static void take_unit(struct rp_body *body, struct json_text *text) {
    uint32_t unit = text->unit;
    if (text->high != 0 && unit >= 0xdc00 && unit <= 0xdfff) {
        add_code_point(body, text, 0x10000 + ((text->high - 0xd800) << 10) + (unit - 0xdc00));
        text->high = 0;
        return;
    }
    drop_high(body, text);
    if (unit >= 0xd800 && unit <= 0xdbff) {
        text->high = unit;
    } else {
        add_code_point(body, text, unit);
    }
}

static void escape_sign(struct rp_body *body, struct json_text *text, uint8_t byte) {
    static const char signs[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const char *at = byte != 0 ? strchr(signs, byte) : NULL;
    text->step = byte == 'u' ? ESCAPE_HEX : ESCAPE_NONE;
    text->unit = 0;
    if (at) {
        drop_high(body, text);
        rp_body_text_add_byte(body, &text->bytes, (uint8_t)meant[at - signs]);
    } else if (byte != 'u') {
        rp_body_error(body, "lexical error: inside a string, '\\' occurs before a character "
                            "which it may not.");
    }
}

static void escape_digit(struct rp_body *body, struct json_text *text, uint8_t byte) {
    if (rp_hex_digit(byte) < 0) {
        rp_body_error(body, "lexical error: invalid (non-hex) character occurs after '\\u' "
                            "inside string.");
        return;
    }
    text->unit = text->unit * 16 + (uint32_t)rp_hex_digit(byte);
    if (text->step++ == ESCAPE_HEX + 3) {
        text->step = ESCAPE_NONE;
        take_unit(body, text);
    }
}

/* A byte over 127, or one that continues it. Overlong forms pass, as in yajl: the rules ask
 * @validateUtf8Encoding. */
static bool utf8(struct rp_body *body, struct json_text *text, uint8_t byte) {
    bool continues = (byte & 0xc0) == 0x80;
    if (text->tail > 0 ? !continues : (continues || byte >= 0xf8)) {
        rp_body_error(body, "lexical error: invalid bytes in UTF8 string.");
        return false;
    }
    if (text->tail > 0) {
        text->tail--;
    } else {
        text->tail = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
    }
    return true;
}

/* What is no plain run: one byte. */
static void special(struct rp_body *body, struct json_text *text, const uint8_t *at) {
    if (text->step == ESCAPE_SIGN) {
        escape_sign(body, text, *at);
    } else if (text->step >= ESCAPE_HEX) {
        escape_digit(body, text, *at);
    } else if (text->tail > 0 || *at >= 0x80) {
        drop_high(body, text);
        if (utf8(body, text, *at)) {
            rp_body_text_add(body, &text->bytes, rp_view_of(at, 1));
        }
    } else if (*at == '\\') {
        text->step = ESCAPE_SIGN;
    } else {
        rp_body_error(body, "lexical error: invalid character inside string.");
    }
}

const uint8_t *rp_body_json_string(struct rp_body *body, struct json_text *text, const uint8_t *at,
                                   const uint8_t *end, bool *ret_done) {
    while (at < end && !rp_body_stopped(body)) {
        if (text->step == ESCAPE_NONE && text->tail == 0) {
            const uint8_t *stop = plain_end(at, end);
            if (stop > at) {
                drop_high(body, text);
                rp_body_text_add(body, &text->bytes, rp_view_of(at, (size_t)(stop - at)));
                at = stop;
                if (at == end) {
                    break;
                }
            }
            if (*at == '"') {
                drop_high(body, text);
                *ret_done = true;
                return at + 1;
            }
        }
        special(body, text, at++);
    }
    return at;
}

/* ---- numbers ---- */

enum { NUMBER_START, MINUS, ZERO, DIGITS, POINT, DECIMALS, EXPONENT, SIGN, POWER, NUMBER_STOPS };

static unsigned number_step(unsigned step, uint8_t byte) {
    bool digit = byte >= '0' && byte <= '9';
    bool exponent = byte == 'e' || byte == 'E';
    switch (step) {
    case NUMBER_START:
        return byte == '-' ? MINUS : byte == '0' ? ZERO : DIGITS;
    case MINUS:
        return byte == '0' ? ZERO : digit ? DIGITS : NUMBER_STOPS;
    case DIGITS:
        if (digit) {
            return DIGITS;
        }
        return byte == '.' ? POINT : exponent ? EXPONENT : NUMBER_STOPS;
    case ZERO:
        return byte == '.' ? POINT : exponent ? EXPONENT : NUMBER_STOPS;
    case POINT:
        return digit ? DECIMALS : NUMBER_STOPS;
    case DECIMALS:
        return digit ? DECIMALS : exponent ? EXPONENT : NUMBER_STOPS;
    case EXPONENT:
        return digit ? POWER : byte == '+' || byte == '-' ? SIGN : NUMBER_STOPS;
    default:
        return digit ? POWER : NUMBER_STOPS;
    }
}

bool rp_body_json_number_ends(struct rp_body *body, const struct json_text *text) {
    const char *problem = NULL;
    if (text->step == MINUS) {
        problem = "lexical error: malformed number, a digit is required after the minus sign.";
    } else if (text->step == POINT) {
        problem = "lexical error: malformed number, a digit is required after the decimal point.";
    } else if (text->step == EXPONENT || text->step == SIGN) {
        problem = "lexical error: malformed number, a digit is required after the exponent.";
    }
    if (problem) {
        rp_body_error(body, problem);
    }
    return problem == NULL;
}

const uint8_t *rp_body_json_number(struct rp_body *body, struct json_text *text, const uint8_t *at,
                                   const uint8_t *end, bool *ret_done) {
    const uint8_t *start = at;
    unsigned step = text->step;
    while (at < end && (step = number_step(text->step, *at)) != NUMBER_STOPS) {
        text->step = step;
        at++;
    }
    rp_body_text_add(body, &text->bytes, rp_view_of(start, (size_t)(at - start)));
    *ret_done = at < end && rp_body_json_number_ends(body, text);
    return at;
}

/* ---- words ---- */

const uint8_t *rp_body_json_word(struct rp_body *body, struct json_text *text, const uint8_t *at,
                                 const uint8_t *end, bool *ret_done) {
    const uint8_t *start = at;
    RP_ASSERT(text->word != NULL);
    while (at < end && text->word[text->step] != '\0') {
        if (*at != (uint8_t)text->word[text->step]) {
            rp_body_error(body, "lexical error: invalid string in json text.");
            return at;
        }
        text->step++;
        at++;
    }
    rp_body_text_add(body, &text->bytes, rp_view_of(start, (size_t)(at - start)));
    *ret_done = text->word[text->step] == '\0';
    return at;
}
