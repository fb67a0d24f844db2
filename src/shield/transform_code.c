/* transform_code.c — values in another notation: URL, base64, hexadecimal, decimal, digests. */
#include "base/checked.h"
#include "crypto/hash.h"
#include "shield/transform_parts.h"

static const uint8_t hex_digits[] = "0123456789abcdef";

size_t rp_transform_url_encode(rp_view in, size_t from, uint8_t *out, const uint16_t *unicode_map) {
    (void)unicode_map;
    size_t n = from;
    for (size_t i = from; i < in.n; i++) {
        uint8_t c = in.p[i];
        if (rp_is_alpha(c) || rp_is_digit(c) || c == '*') {
            out[n++] = c;
        } else if (c == ' ') {
            out[n++] = '+';
        } else {
            out[n++] = '%';
            out[n++] = hex_digits[c >> 4];
            out[n++] = hex_digits[c & 0xf];
        }
    }
    return n;
}

/* ---- base64 ---- */

enum { NO_DIGIT = 0xff };

static uint8_t base64_value(uint8_t c) {
    if (rp_is_alpha(c)) {
        return (uint8_t)(c >= 'a' ? c - 'a' + 26 : c - 'A');
    }
    if (rp_is_digit(c)) {
        return (uint8_t)(c - '0' + 52);
    }
    return c == '+' ? 62 : c == '/' ? 63 : NO_DIGIT;
}

/* The digits of strict base64 up to a NUL byte: only '=' may follow '=', two at most; lines may
 * end, also after spaces. False when it is anything else, and then there is no answer at all. */
static bool strict_base64(rp_view in, size_t *ret_end) {
    size_t end = rp_view_find_byte(in, 0);
    size_t padding = 0;
    for (size_t i = 0; i < end; i++) {
        size_t start = i;
        while (i < end && in.p[i] == ' ') {
            i++;
        }
        if (i == end) {
            break;
        }
        if (in.p[i] == '\n' || (in.p[i] == '\r' && i + 1 < end && in.p[i + 1] == '\n')) {
            continue;
        }
        bool pad = in.p[i] == '=';
        padding += pad ? 1 : 0;
        if (i > start || padding > 2 || (!pad && (padding > 0 || base64_value(in.p[i]) > 63))) {
            return false;
        }
    }
    *ret_end = end;
    return true;
}

size_t rp_transform_base64_decode(rp_view in, size_t from, uint8_t *out,
                                  const uint16_t *unicode_map) {
    (void)from;
    (void)unicode_map;
    size_t end = 0;
    size_t n = 0;
    if (!strict_base64(in, &end)) {
        return 0;
    }
    uint32_t group = 0;
    unsigned digits = 0;
    unsigned padding = 0;
    for (size_t i = 0; i < end; i++) {
        uint8_t value = base64_value(in.p[i]);
        if (value == NO_DIGIT && in.p[i] != '=') {
            continue;
        }
        padding += in.p[i] == '=' ? 1 : 0;
        group = group << 6 | (value & 0x3f & (in.p[i] == '=' ? 0 : 0xff));
        digits++;
        if (digits == 4) { /* an unfinished group is dropped */
            for (unsigned byte = 0; byte < 3 - padding; byte++) {
                out[n++] = (uint8_t)(group >> (16 - 8 * byte));
            }
            group = 0;
            digits = 0;
        }
    }
    return n;
}

/* Whatever is no digit is passed over, the alphabet of URLs counts as well, and a group may end
 * unfinished. Only a lone digit before the padding spoils everything, as in ModSecurity. */
size_t rp_transform_base64_decode_ext(rp_view in, size_t from, uint8_t *out,
                                      const uint16_t *unicode_map) {
    (void)from;
    (void)unicode_map;
    size_t n = 0;
    uint32_t bits = 0;
    unsigned digits = 0;
    for (size_t i = 0; i < in.n; i++) {
        uint8_t c = in.p[i];
        bool more_padding = i + 1 < in.n && in.p[i + 1] == '=';
        if (c == '=' && !more_padding && digits % 4 == 1) {
            return 0;
        }
        uint8_t value = base64_value(c == '-' ? '+' : c == '_' ? '/' : c);
        if (value == NO_DIGIT) {
            continue;
        }
        bits = bits << 6 | value;
        digits++;
        unsigned left = digits % 4; /* 1 digit: 6 bits; 2: 12; 3: 18; 4: 24 */
        if (left != 1) {
            out[n++] = (uint8_t)(bits >> (left == 2 ? 4 : left == 3 ? 2 : 0));
        }
    }
    return n;
}

size_t rp_transform_base64_encode(rp_view in, size_t from, uint8_t *out,
                                  const uint16_t *unicode_map) {
    static const uint8_t alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    (void)from;
    (void)unicode_map;
    size_t n = 0;
    for (size_t i = 0; i < in.n; i += 3) {
        size_t bytes = RP_MIN(in.n - i, 3);
        uint32_t group = 0;
        for (size_t byte = 0; byte < 3; byte++) {
            group = group << 8 | (byte < bytes ? in.p[i + byte] : 0);
        }
        for (size_t digit = 0; digit < 4; digit++) {
            out[n++] = digit <= bytes ? alphabet[group >> (18 - 6 * digit) & 0x3f] : '=';
        }
    }
    return n;
}

/* ---- hexadecimal, decimal, digests ---- */

size_t rp_transform_hex_decode(rp_view in, size_t from, uint8_t *out, const uint16_t *unicode_map) {
    (void)from;
    (void)unicode_map;
    for (size_t i = 0; i + 1 < in.n; i += 2) {
        out[i / 2] = rp_hex_pair(in.p + i);
    }
    return in.n / 2;
}

size_t rp_transform_hex_encode(rp_view in, size_t from, uint8_t *out, const uint16_t *unicode_map) {
    (void)from;
    (void)unicode_map;
    for (size_t i = 0; i < in.n; i++) {
        out[2 * i] = hex_digits[in.p[i] >> 4];
        out[2 * i + 1] = hex_digits[in.p[i] & 0xf];
    }
    return 2 * in.n;
}

size_t rp_transform_length(rp_view in, size_t from, uint8_t *out, const uint16_t *unicode_map) {
    (void)from;
    (void)unicode_map;
    size_t digits = 1;
    for (size_t rest = in.n; rest >= 10; rest /= 10) {
        digits++;
    }
    size_t rest = in.n;
    for (size_t i = digits; i > 0; i--) {
        out[i - 1] = (uint8_t)('0' + rest % 10);
        rest /= 10;
    }
    return digits;
}

size_t rp_transform_md5(rp_view in, size_t from, uint8_t *out, const uint16_t *unicode_map) {
    (void)from;
    (void)unicode_map;
    rp_md5_of(in, out);
    return RP_MD5;
}

size_t rp_transform_sha1(rp_view in, size_t from, uint8_t *out, const uint16_t *unicode_map) {
    (void)from;
    (void)unicode_map;
    rp_sha1_of(in, out);
    return RP_SHA1;
}
