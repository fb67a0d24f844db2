#include "wire/http.h"

#include "base/assert.h"
#include "base/id.h"
#include "wire/encode.h"

/* ---- UTF-8 (RFC 3629 section 4) ---- */

/* The well-formed sequence at p, at most n bytes long; 0 when there is none.
 *   C2..DF tail · E0 A0..BF tail · E1..EF tail tail, but ED only to 9F (surrogates)
 *   F0 90..BF tail tail · F1..F3 tail tail tail · F4 80..8F tail tail */
static size_t sequence_length(const uint8_t *p, size_t n) {
    uint8_t lead = p[0];
    size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (length == 0 || lead > 0xF4 || length > n) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (lead == 0xE0 && p[1] < 0xA0) || (lead == 0xF0 && p[1] < 0x90);
    bool surrogate = lead == 0xED && p[1] > 0x9F;
    bool beyond = lead == 0xF4 && p[1] > 0x8F;
    return overlong || surrogate || beyond ? 0 : length;
}

size_t rp_utf8_prefix(rp_view v) {
    size_t i = 0;
    while (i < v.n) {
        uint64_t eight;
        /* Most text is ASCII: eight bytes at a time while no high bit is set. */
        while (v.n - i >= sizeof eight) {
            memcpy(&eight, v.p + i, sizeof eight);
            if (eight & 0x8080808080808080u) {
                break;
            }
            i += sizeof eight;
        }
        if (i < v.n) {
            size_t length = sequence_length(v.p + i, v.n - i);
            if (length == 0) {
                return i;
            }
            i += length;
        }
    }
    return v.n;
}

bool rp_utf8_valid(rp_view v) {
    return rp_utf8_prefix(v) == v.n;
}

/* Of one character: U+0080–9F, U+2028–202E, U+2066–2069 (Unicode 15, Bidi_Control and Zl, Zp). */
static bool misleads(rp_view v) {
    if (v.p[0] == 0xc2) {
        return v.p[1] < 0xa0;
    }
    bool separator_or_override =
        v.p[0] == 0xe2 && v.p[1] == 0x80 && v.p[2] >= 0xa8 && v.p[2] <= 0xae;
    bool isolate = v.p[0] == 0xe2 && v.p[1] == 0x81 && v.p[2] >= 0xa6 && v.p[2] <= 0xa9;
    return v.p[0] < 0x20 || v.p[0] == 0x7f || separator_or_override || isolate;
}

bool rp_utf8_is_name(rp_view v) {
    bool good = rp_utf8_valid(v); /* so a first byte of c2 or e2 has its others behind it */
    for (size_t i = 0; i < v.n && good; i++) {
        good = !misleads(rp_view_of(v.p + i, v.n - i));
    }
    return good;
}

/* ---- percent-encoding (RFC 3986 section 2.1) ---- */

/* Decodes into the arena. plus: '+' means a space, as forms have it. */
static rp_err percent_decode(rp_view text, bool plus, struct rp_arena *arena, rp_view *ret) {
    uint8_t *to = rp_arena_alloc(arena, text.n);
    if (!to) {
        return RP_ERR(TOO_LARGE);
    }
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if (c == '%') {
            int high = text.n - i > 2 ? rp_hex_digit(text.p[i + 1]) : -1;
            int low = text.n - i > 2 ? rp_hex_digit(text.p[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return RP_ERR(INVALID);
            }
            c = (uint8_t)(high << 4 | low);
            i += 2;
        } else if (plus && c == '+') {
            c = ' ';
        }
        to[n++] = c;
    }
    RP_ASSERT(n <= text.n);
    *ret = rp_view_of(to, n);
    return RP_OK;
}

static bool is_unreserved(uint8_t c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void rp_url_encode(struct rp_buf *out, rp_view v) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        if (is_unreserved(c)) {
            rp_buf_add_byte(out, c);
        } else {
            uint8_t triple[3] = {'%', (uint8_t)digits[c >> 4], (uint8_t)digits[c & 15]};
            rp_buf_add(out, rp_view_of(triple, sizeof triple));
        }
    }
}

rp_err rp_url_decode(rp_view text, struct rp_arena *arena, rp_view *ret_decoded) {
    RP_ASSERT(ret_decoded != NULL);
    rp_view decoded = {NULL, 0};
    RP_TRY(percent_decode(text, false, arena, &decoded));
    if (rp_view_find_byte(decoded, 0) != decoded.n) {
        return RP_ERR(INVALID);
    }
    *ret_decoded = decoded;
    return RP_OK;
}

/* ---- forms (WHATWG URL section 5.1) ---- */

static rp_err form_decode(rp_view text, struct rp_arena *arena, rp_view *ret) {
    RP_TRY(percent_decode(text, true, arena, ret));
    return rp_utf8_valid(*ret) ? RP_OK : RP_ERR(INVALID);
}

/* How many pieces between '&' are not empty. */
static size_t count_pairs(rp_view text) {
    size_t count = 0;
    while (text.p) {
        count += rp_view_cut(&text, '&').n > 0;
    }
    return count;
}

rp_err rp_form_parse(rp_view text, size_t max_pairs, struct rp_arena *arena,
                     struct rp_pairs *ret_pairs) {
    RP_ASSERT(ret_pairs != NULL);
    size_t count = count_pairs(text);
    struct rp_pair *p = count <= max_pairs ? rp_arena_array(arena, count, sizeof *p) : NULL;
    if (!p) {
        return RP_ERR(TOO_LARGE);
    }
    size_t n = 0;
    while (text.p) {
        rp_view piece = rp_view_cut(&text, '&');
        if (piece.n > 0) {
            rp_view name = rp_view_cut(&piece, '=');
            RP_TRY(form_decode(name, arena, &p[n].name));
            RP_TRY(form_decode(piece, arena, &p[n].value));
            n++;
        }
    }
    RP_ASSERT(n == count);
    *ret_pairs = (struct rp_pairs){p, n};
    return RP_OK;
}

rp_view rp_pairs_get(struct rp_pairs pairs, const char *name) {
    rp_view wanted = rp_view_from_cstr(name);
    for (size_t i = 0; i < pairs.n; i++) {
        if (rp_view_equal(pairs.p[i].name, wanted)) {
            return pairs.p[i].value;
        }
    }
    return (rp_view){NULL, 0};
}

/* ---- cookies (RFC 6265 section 4.2.1): pairs between "; ", the value taken as it stands ---- */

rp_view rp_cookie_get(rp_view header, const char *name) {
    rp_view wanted = rp_view_from_cstr(name);
    rp_view found = {NULL, 0};
    while (header.p) {
        rp_view value = rp_view_trim(rp_view_cut(&header, ';'));
        rp_view this = rp_view_cut(&value, '=');
        if (!value.p || !rp_view_equal(this, wanted)) {
            continue;
        }
        if (found.p) {
            /* Two cookies of one name: somebody may have planted one, so neither is believed. */
            return (rp_view){NULL, 0};
        }
        found = value;
    }
    return found;
}

/* ---- HTML ---- */

static const char *entity_for(uint8_t c) {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void rp_html_escape(struct rp_buf *out, rp_view text) {
    size_t plain = 0; /* from here on nothing has been written yet */
    for (size_t i = 0; i < text.n; i++) {
        const char *entity = entity_for(text.p[i]);
        if (entity) {
            rp_buf_add(out, rp_view_sub(text, plain, i - plain));
            rp_buf_add_cstr(out, entity);
            plain = i + 1;
        }
    }
    rp_buf_add(out, rp_view_from(text, plain));
}

/* ---- ranges (RFC 9110 section 14.1.2) ----
 *   bytes=FIRST-LAST · bytes=FIRST- · bytes=-SUFFIX */

enum rp_range rp_range_parse(rp_view header, uint64_t size, uint64_t *ret_first,
                             uint64_t *ret_end) {
    rp_view rest = rp_view_trim(header);
    if (!rp_view_starts(rest, RP_VIEW("bytes="))) {
        return RP_RANGE_ALL;
    }
    rest = rp_view_from(rest, 6);
    rp_view first_text = rp_view_cut(&rest, '-');
    if (!rest.p) {
        return RP_RANGE_ALL;
    }
    uint64_t first = 0, last = UINT64_MAX;
    bool suffix = first_text.n == 0;
    if ((!suffix && !rp_view_to_u64(first_text, UINT64_MAX, &first)) ||
        ((suffix || rest.n > 0) && !rp_view_to_u64(rest, UINT64_MAX, &last)) ||
        (!suffix && last < first)) {
        return RP_RANGE_ALL;
    }
    if (suffix) {
        first = last >= size ? 0 : size - last;
        last = size == 0 || last == 0 ? 0 : size - 1;
        if (size == 0 || first >= size) {
            return RP_RANGE_NOTHING;
        }
    }
    if (first >= size) {
        return RP_RANGE_NOTHING;
    }
    *ret_first = first;
    *ret_end = last >= size ? size : last + 1;
    return RP_RANGE_PART;
}

/* ---- tus 1.0, Upload-Metadata: NAME SP BASE64 ("," NAME SP BASE64)*; a value may be left out ----
 */

rp_err rp_metadata_get(rp_view header, const char *name, struct rp_arena *arena,
                       rp_view *ret_value) {
    rp_view found = {NULL, 0};
    while (header.p) {
        rp_view value = rp_view_trim(rp_view_cut(&header, ','));
        rp_view key = rp_view_cut(&value, ' ');
        if (!found.p && rp_view_equal(key, rp_view_from_cstr(name))) {
            RP_TRY(rp_base64_decode(value.p ? value : RP_VIEW(""), arena, &found));
            found.p = found.p ? found.p : (const uint8_t *)"";
        }
    }
    *ret_value = found;
    return RP_OK;
}
