/* body_form.c — forms and queries (name=value&…), and cookies.
 *
 * URL Standard, 5.1 (application/x-www-form-urlencoded parsing), but as ModSecurity does it: an
 * empty piece between two separators is an argument without name and value, and a percent sign
 * that begins no escape stays and sets URLENCODED_ERROR. Cookies: RFC 6265, 4.2.1; not decoded.
 */
#include "base/checked.h"
#include "base/id.h"
#include "shield/body_parts.h"

struct form {
    struct rp_body_text piece; /* since the last separator, not decoded */
    uint64_t piece_at;
};

/* ---- one piece ---- */

static bool is_plain(rp_view text) {
    return text.n == 0 || (!memchr(text.p, '%', text.n) && !memchr(text.p, '+', text.n));
}

static bool decode(rp_view text, struct rp_arena *arena, bool *invalid, rp_view *ret_text) {
    if (is_plain(text)) {
        *ret_text = text;
        return true;
    }
    uint8_t *p = rp_arena_room(arena, text.n);
    if (!p) {
        return false;
    }
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '%') {
            p[n++] = text.p[i] == '+' ? ' ' : text.p[i];
        } else if (i + 2 < text.n && rp_hex_digit(text.p[i + 1]) >= 0 &&
                   rp_hex_digit(text.p[i + 2]) >= 0) {
            p[n++] = (uint8_t)(rp_hex_digit(text.p[i + 1]) * 16 + rp_hex_digit(text.p[i + 2]));
            i += 2;
        } else {
            *invalid = true;
            p[n++] = '%';
        }
    }
    *ret_text = rp_view_of(p, n);
    return true;
}

struct piece {
    rp_view name, value;
    size_t value_at; /* in the piece; 0 without "=" */
};

static bool split(rp_view raw, struct rp_arena *arena, bool *invalid, struct piece *ret_piece) {
    size_t equals = rp_view_find_byte(raw, '=');
    ret_piece->value_at = equals < raw.n ? equals + 1 : 0;
    rp_view value = equals < raw.n ? rp_view_from(raw, equals + 1) : rp_view_of(raw.p, 0);
    return decode(rp_view_sub(raw, 0, equals), arena, invalid, &ret_piece->name) &&
           decode(value, arena, invalid, &ret_piece->value);
}

/* ---- a body ---- */

static bool start(struct rp_body *body, rp_view content_type) {
    (void)content_type;
    body->state = rp_body_alloc(body, sizeof(struct form));
    return body->state != NULL;
}

static void take_piece(struct rp_body *body, struct form *form) {
    struct piece piece;
    bool invalid = false;
    if (!split(rp_body_text_view(&form->piece), body->arena, &invalid, &piece)) {
        body->failed = RP_ERR(TOO_LARGE);
        return;
    }
    body->result.urlencoded_error = body->result.urlencoded_error || invalid;
    uint64_t offset = piece.value_at > 0 ? form->piece_at + piece.value_at : 0;
    rp_body_argument(body, piece.name, piece.value, offset);
    form->piece = (struct rp_body_text){0};
}

static void feed(struct rp_body *body, rp_view chunk) {
    struct form *form = body->state;
    rp_view rest = chunk;
    while (!rp_body_stopped(body)) {
        size_t end = rp_view_find_byte(rest, body->limits.separator);
        if (!rp_body_text_add(body, &form->piece, rp_view_sub(rest, 0, end)) || end == rest.n) {
            return;
        }
        take_piece(body, form);
        rest = rp_view_from(rest, end + 1);
        form->piece_at = body->before + (uint64_t)(rest.p - chunk.p);
    }
}

/* Behind the last separator an empty piece is none. */
static void end(struct rp_body *body) {
    struct form *form = body->state;
    if (form->piece.n > 0 && !rp_body_stopped(body)) {
        take_piece(body, form);
    }
}

const struct rp_body_reader rp_body_form = {start, feed, end};

/* ---- a query ---- */

rp_err rp_body_query(rp_view query, const struct rp_body_limits *limits, struct rp_arena *arena,
                     struct rp_waf_pairs *ret_pairs, bool *ret_invalid_encoding,
                     const char **ret_problem) {
    struct rp_body *body = rp_body_new(RP_BODY_URLENCODED, (rp_view){NULL, 0}, limits, arena);
    if (!body) {
        return RP_ERR(TOO_LARGE);
    }
    const struct rp_body_result *result = NULL;
    RP_TRY(rp_body_feed(body, query));
    RP_TRY(rp_body_end(body, &result));
    *ret_pairs = result->arguments;
    *ret_invalid_encoding = result->urlencoded_error;
    *ret_problem = result->error ? result->message : NULL;
    return RP_OK;
}

/* ---- cookies ---- */

static bool is_space(uint8_t byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

rp_err rp_body_cookies(rp_view header, struct rp_arena *arena, struct rp_waf_pairs *pairs) {
    rp_view rest = header;
    while (rest.n > 0) {
        rp_view cookie = rp_view_cut(&rest, ';');
        while (rest.n == 0 && cookie.n > 0 && is_space(cookie.p[cookie.n - 1])) {
            cookie.n--; /* space that ends the header belongs to no cookie */
        }
        rp_view value = cookie;
        rp_view name = rp_view_cut(&value, '=');
        while (name.n > 0 && is_space(name.p[0])) {
            name = rp_view_from(name, 1);
        }
        if (name.n > 0) {
            RP_TRY(rp_waf_pairs_add(pairs, arena, name, value));
            size_t offset = value.n > 0 ? (size_t)(value.p - header.p) : 0;
            pairs->p[pairs->n - 1].offset = (uint32_t)RP_MIN(offset, UINT32_MAX);
        }
    }
    return RP_OK;
}
