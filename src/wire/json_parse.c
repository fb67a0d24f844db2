/* The reader: RFC 8259, recursive descent, one function per production.
 *
 * The text is copied into the arena once and every string is decoded where it stands, since the
 * decoded form is never longer. The copy's bytes before `at` may therefore be changed; positions
 * are counted in the caller's text.
 */
#include "base/assert.h"
#include "wire/http.h"
#include "wire/json_members.h"
#include "wire/number.h"

enum { DEPTH_BOUND = 256 }; /* of the C stack */

struct parser {
    rp_view original;
    uint8_t *text; /* the copy; ends in a NUL, which no production accepts */
    size_t at;
    size_t left; /* values that may still come */
    unsigned depth_left;
    struct rp_arena *arena;
    struct rp_diag *diag;
};

__attribute__((cold)) static rp_err fail_at(const struct parser *p, size_t offset, rp_err err,
                                            const char *text, const char *more) {
    unsigned line = 1;
    unsigned column = 1;
    for (size_t i = 0; i < offset && i < p->original.n; i++) {
        uint8_t c = p->original.p[i];
        if (c == '\n') {
            line++;
            column = 1;
        } else if ((c & 0xC0) != 0x80) {
            column++;
        }
    }
    return rp_fail_at(p->diag, err, line, column, "%s%s", rp_diag_say(p->diag, text),
                      rp_diag_say(p->diag, more));
}

static rp_err fail(const struct parser *p, size_t offset, const char *text) {
    return fail_at(p, offset, RP_ERR(SYNTAX), text, "");
}

static rp_err expected(const struct parser *p, const char *what) {
    bool ended = p->at >= p->original.n;
    return fail_at(p, p->at, RP_ERR(SYNTAX), ended ? "the text ends before " : "expected ", what);
}

static uint8_t skip_space(struct parser *p) {
    while (p->text[p->at] == ' ' || p->text[p->at] == '\n' || p->text[p->at] == '\r' ||
           p->text[p->at] == '\t') {
        p->at++;
    }
    return p->text[p->at];
}

/* ---- strings: section 7 ---- */

static bool hex4(const uint8_t *at, uint32_t *ret_unit) {
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t c = at[i];
        uint8_t letter = c | 0x20;
        if (c >= '0' && c <= '9') {
            unit = unit << 4 | (uint32_t)(c - '0');
        } else if (letter >= 'a' && letter <= 'f') {
            unit = unit << 4 | (uint32_t)(letter - 'a' + 10);
        } else {
            return false;
        }
    }
    *ret_unit = unit;
    return true;
}

static uint8_t *put_utf8(uint8_t *to, uint32_t code) {
    if (code < 0x80) {
        *to++ = (uint8_t)code;
    } else if (code < 0x800) {
        *to++ = (uint8_t)(0xC0 | code >> 6);
        *to++ = (uint8_t)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *to++ = (uint8_t)(0xE0 | code >> 12);
        *to++ = (uint8_t)(0x80 | (code >> 6 & 0x3F));
        *to++ = (uint8_t)(0x80 | (code & 0x3F));
    } else {
        *to++ = (uint8_t)(0xF0 | code >> 18);
        *to++ = (uint8_t)(0x80 | (code >> 12 & 0x3F));
        *to++ = (uint8_t)(0x80 | (code >> 6 & 0x3F));
        *to++ = (uint8_t)(0x80 | (code & 0x3F));
    }
    return to;
}

/* at stands behind "\u". The NUL that ends the text is no digit, so nothing is read beyond it. */
static rp_err parse_unicode_escape(struct parser *p, uint8_t **to) {
    size_t start = p->at - 2;
    uint32_t code = 0;
    if (!hex4(p->text + p->at, &code)) {
        return fail(p, start, "\\u needs four hexadecimal digits");
    }
    p->at += 4;
    if (code >= 0xD800 && code <= 0xDFFF) {
        uint32_t low = 0;
        bool paired = code < 0xDC00 && p->text[p->at] == '\\' && p->text[p->at + 1] == 'u' &&
                      hex4(p->text + p->at + 2, &low) && low >= 0xDC00 && low <= 0xDFFF;
        if (!paired) {
            return fail(p, start, "half of a surrogate pair");
        }
        p->at += 6;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    *to = put_utf8(*to, code);
    return RP_OK;
}

/* at stands on the backslash. */
static rp_err parse_escape(struct parser *p, uint8_t **to) {
    static const uint8_t meaning[128] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                         ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
    uint8_t letter = p->text[p->at + 1];
    if (letter == 'u') {
        p->at += 2;
        return parse_unicode_escape(p, to);
    }
    if (letter >= sizeof meaning || meaning[letter] == 0) {
        return fail(p, p->at, "unknown escape in a string");
    }
    *(*to)++ = meaning[letter];
    p->at += 2;
    return RP_OK;
}

/* at stands on the opening quote. */
static rp_err parse_string(struct parser *p, rp_view *ret_string) {
    p->at++;
    uint8_t *start = p->text + p->at;
    const uint8_t *from = start;
    while (*from >= 0x20 && *from != '"' && *from != '\\') {
        from++;
    }
    uint8_t *to = start + (from - start);
    p->at += (size_t)(from - start);
    while (p->text[p->at] != '"') {
        uint8_t c = p->text[p->at];
        if (c == '\\') {
            RP_TRY(parse_escape(p, &to));
        } else if (c < 0x20) {
            return p->at >= p->original.n ? expected(p, "the end of a string")
                                          : fail(p, p->at, "control character in a string");
        } else {
            *to++ = c;
            p->at++;
        }
    }
    RP_DEBUG_ASSERT(to <= p->text + p->at);
    p->at++;
    *ret_string = rp_view_of(start, (size_t)(to - start));
    return RP_OK;
}

/* ---- numbers: section 6 ---- */

static bool skip_digits(struct parser *p) {
    size_t start = p->at;
    while (p->text[p->at] >= '0' && p->text[p->at] <= '9') {
        p->at++;
    }
    return p->at > start;
}

/* [.digits] [e [+-] digits]; *ret_whole says that there was neither. */
static rp_err skip_fraction_and_exponent(struct parser *p, bool *ret_whole) {
    *ret_whole = true;
    if (p->text[p->at] == '.') {
        p->at++;
        *ret_whole = false;
        if (!skip_digits(p)) {
            return expected(p, "a digit");
        }
    }
    if ((p->text[p->at] | 0x20) == 'e') {
        p->at++;
        *ret_whole = false;
        if (p->text[p->at] == '+' || p->text[p->at] == '-') {
            p->at++;
        }
        if (!skip_digits(p)) {
            return expected(p, "a digit");
        }
    }
    return RP_OK;
}

static rp_err parse_number(struct parser *p, struct rp_json *node) {
    node->kind = RP_JSON_NUMBER;
    size_t start = p->at;
    bool negative = p->text[p->at] == '-';
    p->at += negative;
    size_t digits = p->at;
    if (p->text[p->at] == '0') {
        p->at++;
    } else if (!skip_digits(p)) {
        return expected(p, "a digit");
    }
    size_t digits_end = p->at;
    bool whole;
    RP_TRY(skip_fraction_and_exponent(p, &whole));
    if (whole && digits_end - digits <= 15) {
        uint64_t value = 0;
        for (size_t i = digits; i < digits_end; i++) {
            value = value * 10 + (uint64_t)(p->text[i] - '0');
        }
        node->number = negative ? -(double)value : (double)value;
        return RP_OK;
    }
    rp_err err = rp_number_parse(rp_view_of(p->text + start, p->at - start), &node->number);
    return rp_ok(err) ? err : fail_at(p, start, err, "number out of range", "");
}

/* ---- values: section 3 ---- */

static rp_err parse_value(struct parser *p, struct rp_json **ret_node);

static rp_err parse_array(struct parser *p, struct rp_json *array) {
    array->kind = RP_JSON_ARRAY;
    p->at++;
    if (skip_space(p) == ']') {
        p->at++;
        return RP_OK;
    }
    for (;;) {
        struct rp_json *child = NULL;
        RP_TRY(parse_value(p, &child));
        rp_json_append(array, child);
        uint8_t c = skip_space(p);
        if (c == ']') {
            p->at++;
            return RP_OK;
        }
        if (c != ',') {
            return expected(p, "',' or ']'");
        }
        p->at++;
        skip_space(p);
    }
}

static rp_err duplicate(const struct parser *p, rp_view key) {
    return fail(p, (size_t)(key.p - p->text) - 1, "this key stands twice in one object");
}

/* Sorted members have equal keys side by side. */
static rp_err order_members(struct parser *p, struct rp_json *object) {
    rp_json_sort(object);
    for (const struct rp_json *member = object->first; member->next; member = member->next) {
        if (rp_view_equal(member->key, member->next->key)) {
            return duplicate(p, member->next->key);
        }
    }
    return RP_OK;
}

static rp_err parse_member(struct parser *p, struct rp_json **ret_member) {
    rp_view key;
    if (p->text[p->at] != '"') {
        return expected(p, "a key in quotes");
    }
    RP_TRY(parse_string(p, &key));
    if (skip_space(p) != ':') {
        return expected(p, "':'");
    }
    p->at++;
    skip_space(p);
    RP_TRY(parse_value(p, ret_member));
    (*ret_member)->key = key;
    return RP_OK;
}

static rp_err parse_object(struct parser *p, struct rp_json *object) {
    object->kind = RP_JSON_OBJECT;
    p->at++;
    if (skip_space(p) == '}') {
        p->at++;
        return RP_OK;
    }
    bool ordered = true;
    for (;;) {
        struct rp_json *member = NULL;
        RP_TRY(parse_member(p, &member));
        ordered =
            ordered && (!object->last || rp_json_key_compare(object->last->key, member->key) < 0);
        rp_json_append(object, member);
        uint8_t c = skip_space(p);
        if (c == '}') {
            p->at++;
            return ordered ? RP_OK : order_members(p, object);
        }
        if (c != ',') {
            return expected(p, "',' or '}'");
        }
        p->at++;
        skip_space(p);
    }
}

static rp_err parse_literal(struct parser *p, const char *literal) {
    rp_view wanted = rp_view_from_cstr(literal);
    if (!rp_view_starts(rp_view_of(p->text + p->at, p->original.n - p->at), wanted)) {
        return expected(p, "a value");
    }
    p->at += wanted.n;
    return RP_OK;
}

static rp_err parse_scalar(struct parser *p, struct rp_json *node) {
    switch (p->text[p->at]) {
    case '"':
        node->kind = RP_JSON_STRING;
        return parse_string(p, &node->string);
    case 't':
        node->kind = RP_JSON_BOOL;
        node->boolean = true;
        return parse_literal(p, "true");
    case 'f':
        node->kind = RP_JSON_BOOL;
        return parse_literal(p, "false");
    case 'n':
        node->kind = RP_JSON_NULL;
        return parse_literal(p, "null");
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return parse_number(p, node);
    default:
        return expected(p, "a value");
    }
}

static rp_err parse_value(struct parser *p, struct rp_json **ret_node) {
    struct rp_json *node = p->left > 0 ? rp_arena_alloc(p->arena, sizeof *node) : NULL;
    if (!node) {
        return fail_at(p, p->at, RP_ERR(TOO_LARGE), "too many values", "");
    }
    p->left--;
    *ret_node = node;
    uint8_t c = p->text[p->at];
    if (c != '[' && c != '{') {
        return parse_scalar(p, node);
    }
    if (p->depth_left == 0) {
        return fail_at(p, p->at, RP_ERR(TOO_LARGE), "nested too deeply", "");
    }
    p->depth_left--;
    RP_TRY(c == '[' ? parse_array(p, node) : parse_object(p, node));
    p->depth_left++;
    return RP_OK;
}

rp_err rp_json_parse(rp_view text, struct rp_json_limits limits, struct rp_arena *arena,
                     struct rp_json **ret_root, struct rp_diag *diag) {
    RP_ASSERT(ret_root != NULL);
    RP_ASSERT(limits.depth_max <= DEPTH_BOUND);
    struct parser p = {.original = text,
                       .left = limits.count_max,
                       .depth_left = limits.depth_max,
                       .arena = arena,
                       .diag = diag};
    size_t well_formed = rp_utf8_prefix(text);
    if (well_formed != text.n) {
        return fail(&p, well_formed, "not UTF-8");
    }
    p.text = text.n < SIZE_MAX ? rp_arena_alloc(arena, text.n + 1) : NULL;
    if (!p.text) {
        return rp_fail(diag, RP_ERR(TOO_LARGE), "the text is too long");
    }
    if (text.n > 0) {
        memcpy(p.text, text.p, text.n);
    }
    skip_space(&p);
    struct rp_json *root = NULL;
    RP_TRY(parse_value(&p, &root));
    skip_space(&p);
    if (p.at != text.n) {
        return expected(&p, "the end of the text");
    }
    *ret_root = root;
    return RP_OK;
}
