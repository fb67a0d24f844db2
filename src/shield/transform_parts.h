/* transform_parts.h — what the transformations have in common; for transform*.c only.
 *
 * A rewriter gets the whole value, the index of the first byte that can matter to it (everything
 * before is already copied to `out`), and room for the longest answer; it returns the answer's
 * length. It never reads outside the value and never writes where it has not yet read enough.
 */
#ifndef RP_SHIELD_TRANSFORM_PARTS_H
#define RP_SHIELD_TRANSFORM_PARTS_H

#include "shield/transform.h"

typedef size_t rp_transform_rewriter(rp_view in, size_t from, uint8_t *out,
                                     const uint16_t *unicode_map);

/* transform_escape.c */
rp_transform_rewriter rp_transform_url_decode, rp_transform_url_decode_uni,
    rp_transform_html_entity_decode, rp_transform_js_decode, rp_transform_css_decode,
    rp_transform_escape_seq_decode, rp_transform_utf8_to_unicode, rp_transform_sql_hex_decode;

/* transform_text.c */
rp_transform_rewriter rp_transform_lowercase, rp_transform_uppercase, rp_transform_cmd_line,
    rp_transform_compress_whitespace, rp_transform_remove_whitespace, rp_transform_remove_nulls,
    rp_transform_replace_nulls, rp_transform_remove_comments, rp_transform_remove_comments_char,
    rp_transform_replace_comments, rp_transform_parity_even, rp_transform_parity_odd,
    rp_transform_parity_zero;

/* transform_path.c */
rp_transform_rewriter rp_transform_normalize_path, rp_transform_normalize_path_win;

/* transform_code.c */
rp_transform_rewriter rp_transform_url_encode, rp_transform_base64_decode,
    rp_transform_base64_decode_ext, rp_transform_base64_encode, rp_transform_hex_decode,
    rp_transform_hex_encode, rp_transform_length, rp_transform_md5, rp_transform_sha1;

/* ASCII only, whatever the locale. */
static inline bool rp_is_space(uint8_t c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}
static inline bool rp_is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}
static inline bool rp_is_octal(uint8_t c) {
    return c >= '0' && c <= '7';
}
static inline bool rp_is_alpha(uint8_t c) {
    return (uint8_t)((c | 0x20) - 'a') < 26;
}
static inline bool rp_is_hex(uint8_t c) {
    return rp_is_digit(c) || (uint8_t)((c | 0x20) - 'a') < 6;
}
static inline uint8_t rp_to_lower(uint8_t c) {
    return (uint8_t)(c - 'A') < 26 ? c | 0x20 : c;
}

/* What ModSecurity makes of any byte where a hexadecimal digit stands: hexDecode does not ask. */
static inline uint8_t rp_hex_value(uint8_t c) {
    return (uint8_t)(c >= 'A' ? (c & 0xdf) - 'A' + 10 : c - '0');
}
static inline uint8_t rp_hex_pair(const uint8_t *p) {
    return (uint8_t)(rp_hex_value(p[0]) * 16 + rp_hex_value(p[1]));
}
/* n hexadecimal digits stand at p[at]. */
static inline bool rp_hex_at(rp_view v, size_t at, size_t n) {
    if (at > v.n || v.n - at < n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!rp_is_hex(v.p[at + i])) {
            return false;
        }
    }
    return true;
}

static inline bool rp_byte_in(const struct rp_byte_set *set, uint8_t byte) {
    return (set->bits[byte >> 6] >> (byte & 63)) & 1;
}

#endif
