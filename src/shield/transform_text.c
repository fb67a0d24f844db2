/* transform_text.c — letters, white space, NUL bytes, comments, parity. */
#include "shield/transform_parts.h"

size_t rp_transform_lowercase(rp_view in, size_t from, uint8_t *out, const uint16_t *unicode_map) {
    (void)unicode_map;
    for (size_t i = from; i < in.n; i++) {
        out[i] = rp_to_lower(in.p[i]);
    }
    return in.n;
}

size_t rp_transform_uppercase(rp_view in, size_t from, uint8_t *out, const uint16_t *unicode_map) {
    (void)unicode_map;
    for (size_t i = from; i < in.n; i++) {
        uint8_t c = in.p[i];
        out[i] = (uint8_t)(c - 'a') < 26 ? (uint8_t)(c - 0x20) : c;
    }
    return in.n;
}

/* ---- white space and NUL bytes ---- */

size_t rp_transform_compress_whitespace(rp_view in, size_t from, uint8_t *out,
                                        const uint16_t *unicode_map) {
    (void)unicode_map;
    size_t n = from;
    bool in_space = false;
    for (size_t i = from; i < in.n; i++) {
        bool space = rp_is_space(in.p[i]);
        if (!space || !in_space) {
            out[n++] = space ? ' ' : in.p[i];
        }
        in_space = space;
    }
    return n;
}

/* C2 A0 is the space that does not break, in UTF-8; either byte goes wherever it stands. */
size_t rp_transform_remove_whitespace(rp_view in, size_t from, uint8_t *out,
                                      const uint16_t *unicode_map) {
    (void)unicode_map;
    size_t n = from;
    for (size_t i = from; i < in.n; i++) {
        if (!rp_is_space(in.p[i]) && in.p[i] != 0xa0 && in.p[i] != 0xc2) {
            out[n++] = in.p[i];
        }
    }
    return n;
}

size_t rp_transform_remove_nulls(rp_view in, size_t from, uint8_t *out,
                                 const uint16_t *unicode_map) {
    (void)unicode_map;
    size_t n = from;
    for (size_t i = from; i < in.n; i++) {
        if (in.p[i] != 0) {
            out[n++] = in.p[i];
        }
    }
    return n;
}

size_t rp_transform_replace_nulls(rp_view in, size_t from, uint8_t *out,
                                  const uint16_t *unicode_map) {
    (void)unicode_map;
    for (size_t i = from; i < in.n; i++) {
        out[i] = in.p[i] == 0 ? ' ' : in.p[i];
    }
    return in.n;
}

/* What a shell would make of it: quotes and escapes go, separators become one space, and none
 * stands before / and (. */
size_t rp_transform_cmd_line(rp_view in, size_t from, uint8_t *out, const uint16_t *unicode_map) {
    (void)unicode_map;
    size_t n = from;
    bool space = false;
    for (size_t i = from; i < in.n; i++) {
        switch (in.p[i]) {
        case '"':
        case '\'':
        case '\\':
        case '^':
            break;
        case ' ':
        case ',':
        case ';':
        case '\t':
        case '\r':
        case '\n':
            if (!space) {
                out[n++] = ' ';
            }
            space = true;
            break;
        case '/':
        case '(':
            n -= space ? 1 : 0;
            out[n++] = in.p[i];
            space = false;
            break;
        default:
            out[n++] = rp_to_lower(in.p[i]);
            space = false;
        }
    }
    return n;
}

/* ---- comments ---- */

static bool stands(rp_view in, size_t at, rp_view what) {
    return rp_view_starts(rp_view_from(in, at), what);
}

/* How long the mark at `at` is, of C, HTML, SQL or a shell; 0 when there is none. */
static size_t opening(rp_view in, size_t at) {
    return stands(in, at, RP_VIEW("/*")) ? 2 : stands(in, at, RP_VIEW("<!--")) ? 4 : 0;
}
static size_t closing(rp_view in, size_t at) {
    return stands(in, at, RP_VIEW("*/")) ? 2 : stands(in, at, RP_VIEW("-->")) ? 3 : 0;
}
static size_t to_end_of_line(rp_view in, size_t at) {
    return stands(in, at, RP_VIEW("--")) ? 2 : stands(in, at, RP_VIEW("#")) ? 1 : 0;
}

size_t rp_transform_remove_comments(rp_view in, size_t from, uint8_t *out,
                                    const uint16_t *unicode_map) {
    (void)unicode_map;
    size_t n = from;
    bool in_comment = false;
    for (size_t i = from; i < in.n;) {
        size_t mark = in_comment ? closing(in, i) : opening(in, i);
        if (mark > 0) {
            in_comment = !in_comment;
            i += mark;
        } else if (in_comment) {
            i++;
        } else if (to_end_of_line(in, i) > 0) {
            return n;
        } else {
            out[n++] = in.p[i++];
        }
    }
    if (in_comment) {
        out[n++] = ' ';
    }
    return n;
}

size_t rp_transform_remove_comments_char(rp_view in, size_t from, uint8_t *out,
                                         const uint16_t *unicode_map) {
    (void)unicode_map;
    size_t n = from;
    for (size_t i = from; i < in.n;) {
        size_t mark = opening(in, i);
        mark = mark > 0 ? mark : closing(in, i);
        mark = mark > 0 ? mark : to_end_of_line(in, i);
        if (mark > 0) {
            i += mark;
        } else {
            out[n++] = in.p[i++];
        }
    }
    return n;
}

size_t rp_transform_replace_comments(rp_view in, size_t from, uint8_t *out,
                                     const uint16_t *unicode_map) {
    (void)unicode_map;
    size_t n = from;
    bool in_comment = false;
    for (size_t i = from; i < in.n;) {
        if (stands(in, i, in_comment ? RP_VIEW("*/") : RP_VIEW("/*"))) {
            if (in_comment) {
                out[n++] = ' ';
            }
            in_comment = !in_comment;
            i += 2;
        } else if (in_comment) {
            i++;
        } else {
            out[n++] = in.p[i++];
        }
    }
    if (in_comment) {
        out[n++] = ' ';
    }
    return n;
}

/* ---- parity ---- */

static size_t set_parity(rp_view in, size_t from, uint8_t *out, int wanted) {
    for (size_t i = from; i < in.n; i++) {
        uint8_t c = in.p[i];
        out[i] = (uint8_t)(__builtin_parity(c) == wanted ? c & 0x7f : c | 0x80);
    }
    return in.n;
}

size_t rp_transform_parity_even(rp_view in, size_t from, uint8_t *out,
                                const uint16_t *unicode_map) {
    (void)unicode_map;
    return set_parity(in, from, out, 0);
}

size_t rp_transform_parity_odd(rp_view in, size_t from, uint8_t *out, const uint16_t *unicode_map) {
    (void)unicode_map;
    return set_parity(in, from, out, 1);
}

size_t rp_transform_parity_zero(rp_view in, size_t from, uint8_t *out,
                                const uint16_t *unicode_map) {
    (void)unicode_map;
    for (size_t i = from; i < in.n; i++) {
        out[i] = in.p[i] & 0x7f;
    }
    return in.n;
}
