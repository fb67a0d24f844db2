/* transform_escape.c — escapes undone: of addresses, HTML, JavaScript, CSS, C, SQL; and UTF-8. */
#include "base/checked.h"
#include "shield/transform_parts.h"

/* Fullwidth forms (U+FF01 to U+FF5E) look like ASCII to a reader, and to some programs are. */
static uint8_t code_to_byte(const uint8_t digits[static 4]) {
    uint8_t low = rp_hex_pair(digits + 2);
    bool fullwidth =
        (digits[0] | 0x20) == 'f' && (digits[1] | 0x20) == 'f' && low > 0 && low < 0x5f;
    return fullwidth ? (uint8_t)(low + 0x20) : low;
}

size_t rp_transform_url_decode(rp_view in, size_t from, uint8_t *out, const uint16_t *unicode_map) {
    (void)unicode_map;
    size_t n = from;
    for (size_t i = from; i < in.n;) {
        if (in.p[i] == '%' && rp_hex_at(in, i + 1, 2)) {
            out[n++] = rp_hex_pair(in.p + i + 1);
            i += 3;
        } else {
            out[n++] = in.p[i] == '+' ? ' ' : in.p[i];
            i++;
        }
    }
    return n;
}

/* %uXXXX, by the operator's map where it knows the character. */
static uint8_t mapped(const uint8_t digits[static 4], const uint16_t *unicode_map) {
    unsigned code = rp_hex_pair(digits) * 256u + rp_hex_pair(digits + 2);
    if (unicode_map != NULL && unicode_map[code] != 0xffff) {
        return (uint8_t)unicode_map[code];
    }
    return code_to_byte(digits);
}

size_t rp_transform_url_decode_uni(rp_view in, size_t from, uint8_t *out,
                                   const uint16_t *unicode_map) {
    size_t n = from;
    for (size_t i = from; i < in.n;) {
        bool wide = in.p[i] == '%' && i + 1 < in.n && (in.p[i + 1] | 0x20) == 'u';
        if (wide && rp_hex_at(in, i + 2, 4)) {
            out[n++] = mapped(in.p + i + 2, unicode_map);
            i += 6;
        } else if (!wide && in.p[i] == '%' && rp_hex_at(in, i + 1, 2)) {
            out[n++] = rp_hex_pair(in.p + i + 1);
            i += 3;
        } else {
            out[n++] = in.p[i] == '+' ? ' ' : in.p[i];
            i++;
        }
    }
    return n;
}

/* ---- HTML ---- */

/* The number at *at, its low byte; what does not fit into 63 bits is all ones, as strtol has it.
 * False when there is no digit. */
static bool entity_number(rp_view in, size_t *at, unsigned base, uint8_t *ret_byte) {
    uint64_t value = 0;
    size_t start = *at;
    for (; *at < in.n && (base == 16 ? rp_is_hex(in.p[*at]) : rp_is_digit(in.p[*at])); (*at)++) {
        uint64_t digit = rp_hex_value(in.p[*at]);
        bool fits = value <= ((uint64_t)INT64_MAX - digit) / base;
        value = fits ? value * base + digit : (uint64_t)INT64_MAX;
    }
    *ret_byte = (uint8_t)value;
    return *at > start;
}

static bool entity_name(rp_view in, size_t *at, uint8_t *ret_byte) {
    static const struct {
        rp_view name;
        uint8_t byte;
    } entities[] = {
        {RP_VIEW_INIT("quot"), '"'}, {RP_VIEW_INIT("amp"), '&'},   {RP_VIEW_INIT("lt"), '<'},
        {RP_VIEW_INIT("gt"), '>'},   {RP_VIEW_INIT("nbsp"), 0xa0},
    };
    size_t start = *at;
    while (*at < in.n && (rp_is_alpha(in.p[*at]) || rp_is_digit(in.p[*at]))) {
        (*at)++;
    }
    rp_view name = rp_view_sub(in, start, *at - start);
    for (size_t i = 0; i < RP_COUNT_OF(entities); i++) {
        if (rp_view_equal_nocase(name, entities[i].name)) {
            *ret_byte = entities[i].byte;
            return true;
        }
    }
    return false;
}

/* The entity whose '&' stands at `at`: how many bytes it takes; 0 when it is none, and then
 * *ret_raw bytes are no beginning of one. */
static size_t entity(rp_view in, size_t at, uint8_t *ret_byte, size_t *ret_raw) {
    size_t end = at + 1;
    bool found = false;
    if (end < in.n && in.p[end] == '#') {
        end++;
        bool hex = end < in.n && (in.p[end] | 0x20) == 'x';
        end += hex ? 1 : 0;
        *ret_raw = end - at;
        found = entity_number(in, &end, hex ? 16 : 10, ret_byte);
    } else {
        found = entity_name(in, &end, ret_byte);
        *ret_raw = end - at;
    }
    if (!found) {
        return 0;
    }
    /* Browsers do without the semicolon. */
    return end - at + (end < in.n && in.p[end] == ';' ? 1 : 0);
}

size_t rp_transform_html_entity_decode(rp_view in, size_t from, uint8_t *out,
                                       const uint16_t *unicode_map) {
    (void)unicode_map;
    size_t n = from;
    for (size_t i = from; i < in.n;) {
        size_t raw = 1;
        size_t taken = in.p[i] == '&' ? entity(in, i, &out[n], &raw) : 0;
        if (taken > 0) {
            n++;
            i += taken;
        } else {
            memmove(out + n, in.p + i, raw);
            n += raw;
            i += raw;
        }
    }
    return n;
}

/* ---- backslashes ---- */

/* \a \b \f \n \r \t \v; any other byte stands for itself. */
static uint8_t c_escape(uint8_t c) {
    static const uint8_t table[26] = {
        ['a' - 'a'] = '\a', ['b' - 'a'] = '\b', ['f' - 'a'] = '\f', ['n' - 'a'] = '\n',
        ['r' - 'a'] = '\r', ['t' - 'a'] = '\t', ['v' - 'a'] = '\v',
    };
    return c >= 'a' && c <= 'z' && table[c - 'a'] != 0 ? table[c - 'a'] : c;
}

/* Up to three octal digits at `at`, at least one of which is there; how many there are. */
static size_t octal(rp_view in, size_t at, unsigned *ret_value) {
    size_t digits = 0;
    unsigned value = 0;
    while (digits < 3 && at + digits < in.n && rp_is_octal(in.p[at + digits])) {
        value = value * 8 + (unsigned)(in.p[at + digits] - '0');
        digits++;
    }
    *ret_value = value;
    return digits;
}

/* The escape whose backslash stands at `at`, with at least one byte after it: its length. */
static size_t js_escape(rp_view in, size_t at, uint8_t *ret_byte) {
    uint8_t c = in.p[at + 1];
    if (c == 'u' && rp_hex_at(in, at + 2, 4)) {
        *ret_byte = code_to_byte(in.p + at + 2);
        return 6;
    }
    if (c == 'x' && rp_hex_at(in, at + 2, 2)) {
        *ret_byte = rp_hex_pair(in.p + at + 2);
        return 4;
    }
    if (rp_is_octal(c)) {
        unsigned value = 0;
        size_t digits = octal(in, at + 1, &value);
        if (value > 0xff) { /* \400 is \40 and a 0 */
            value /= 8;
            digits = 2;
        }
        *ret_byte = (uint8_t)value;
        return 1 + digits;
    }
    *ret_byte = c_escape(c);
    return 2;
}

static size_t ansi_c_escape(rp_view in, size_t at, uint8_t *ret_byte) {
    uint8_t c = in.p[at + 1];
    if ((c | 0x20) == 'x' && rp_hex_at(in, at + 2, 2)) {
        *ret_byte = rp_hex_pair(in.p + at + 2);
        return 4;
    }
    if (rp_is_octal(c)) {
        unsigned value = 0;
        size_t digits = octal(in, at + 1, &value);
        *ret_byte = (uint8_t)value; /* \400 is NUL here */
        return 1 + digits;
    }
    *ret_byte = c_escape(c);
    return 2;
}

/* escape: what stands at a backslash that is not the last byte, and how many bytes that was. */
static size_t decode_escapes(rp_view in, size_t from, uint8_t *out,
                             size_t (*escape)(rp_view in, size_t at, uint8_t *ret_byte)) {
    size_t n = from;
    for (size_t i = from; i < in.n; n++) {
        if (in.p[i] == '\\' && i + 1 < in.n) {
            i += escape(in, i, &out[n]);
        } else {
            out[n] = in.p[i++];
        }
    }
    return n;
}

size_t rp_transform_js_decode(rp_view in, size_t from, uint8_t *out, const uint16_t *unicode_map) {
    (void)unicode_map;
    return decode_escapes(in, from, out, js_escape);
}

size_t rp_transform_escape_seq_decode(rp_view in, size_t from, uint8_t *out,
                                      const uint16_t *unicode_map) {
    (void)unicode_map;
    return decode_escapes(in, from, out, ansi_c_escape);
}

/* `count` (1 to 6) hexadecimal digits of CSS: the last two count, and fullwidth forms. */
static uint8_t css_code(const uint8_t *digits, size_t count) {
    if (count == 1) {
        return rp_hex_value(digits[0]);
    }
    bool plane_zero = count == 4 || (count == 5 && digits[0] == '0') ||
                      (count == 6 && digits[0] == '0' && digits[1] == '0');
    return plane_zero ? code_to_byte(digits + count - 4) : rp_hex_pair(digits + count - 2);
}

size_t rp_transform_css_decode(rp_view in, size_t from, uint8_t *out, const uint16_t *unicode_map) {
    (void)unicode_map;
    size_t n = from;
    for (size_t i = from; i < in.n;) {
        if (in.p[i] != '\\') {
            out[n++] = in.p[i++];
            continue;
        }
        i++; /* A backslash at the end continues to nothing. */
        size_t digits = 0;
        while (digits < 6 && rp_hex_at(in, i + digits, 1)) {
            digits++;
        }
        if (digits > 0) {
            out[n++] = css_code(in.p + i, digits);
            i += digits;
            i += i < in.n && rp_is_space(in.p[i]) ? 1 : 0; /* one space ends a code */
        } else if (i < in.n && in.p[i] == '\n') {
            i++;
        } else if (i < in.n) {
            out[n++] = in.p[i++];
        }
    }
    return n;
}

/* ---- SQL and UTF-8 ---- */

size_t rp_transform_sql_hex_decode(rp_view in, size_t from, uint8_t *out,
                                   const uint16_t *unicode_map) {
    (void)unicode_map;
    size_t n = from;
    for (size_t i = from; i < in.n;) {
        if (in.p[i] != '0' || i + 1 >= in.n || (in.p[i + 1] | 0x20) != 'x' ||
            !rp_hex_at(in, i + 2, 2)) {
            out[n++] = in.p[i++];
            continue;
        }
        for (i += 2; rp_hex_at(in, i, 2); i += 2) {
            out[n++] = rp_hex_pair(in.p + i);
        }
    }
    return n;
}

/* The bytes of the character that begins at `at`, by its first byte and the form of the others; 0
 * when that is not the form of a character. */
static size_t utf8_form(rp_view in, size_t at, uint32_t *ret_code) {
    uint8_t c = in.p[at];
    size_t bytes = (c & 0xe0) == 0xc0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : 4;
    uint32_t code = c & (0xffu >> (bytes + 1));
    for (size_t i = 1; i < bytes; i++) {
        if (at + i >= in.n || (in.p[at + i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (in.p[at + i] & 0x3f);
    }
    *ret_code = code;
    return bytes;
}

static size_t write_code(uint8_t *out, uint32_t code) {
    static const uint8_t digits[] = "0123456789abcdef";
    size_t n = 0;
    out[n++] = '%';
    out[n++] = 'u';
    for (int shift = 20; shift >= 0; shift -= 4) {
        if (shift < 16 || code >> shift != 0) {
            out[n++] = digits[code >> shift & 0xf];
        }
    }
    return n;
}

/* A surrogate, and a character written longer than it need be: the first byte follows the code,
 * once for either. */
static size_t write_doubts(uint8_t *out, uint8_t first, size_t bytes, uint32_t code) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = 0;
    if (code >= 0xd800 && code <= 0xdfff) {
        out[n++] = first;
    }
    if (code < least[bytes]) {
        out[n++] = first;
    }
    return n;
}

/* What is no character loses the byte that began it, as in ModSecurity; NUL bytes go as well. */
size_t rp_transform_utf8_to_unicode(rp_view in, size_t from, uint8_t *out,
                                    const uint16_t *unicode_map) {
    (void)unicode_map;
    size_t n = from;
    for (size_t i = from; i < in.n;) {
        uint8_t c = in.p[i];
        if (c < 0xc0 || c >= 0xf8) {
            if (c != 0) {
                out[n++] = c;
            }
            i++;
            continue;
        }
        if (c >= 0xf5) { /* beyond Unicode */
            out[n++] = c;
        }
        uint32_t code = 0;
        size_t bytes = utf8_form(in, i, &code);
        if (bytes > 0) {
            n += write_code(out + n, code);
            n += write_doubts(out + n, c, bytes, code);
        }
        i += RP_MAX(bytes, 1);
    }
    return n;
}
