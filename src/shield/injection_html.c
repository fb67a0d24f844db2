#include "shield/injection_html.h"

#include "base/checked.h"
#include "shield/transform_parts.h"

static bool is_white(uint8_t c) {
    return c == 0 || rp_is_space(c);
}

/* Each step below makes a token (true), or only moves on (false). */

static bool take(struct rp_html_reader *r, struct rp_html_token *token, enum rp_html_type type,
                 size_t to, size_t next, enum rp_html_state state) {
    *token = (struct rp_html_token){type, rp_view_sub(r->value, r->at, to - r->at)};
    r->at = next;
    r->state = next >= r->value.n && to == r->value.n ? RP_HTML_END : state;
    return true;
}

static bool go(struct rp_html_reader *r, size_t at, enum rp_html_state state) {
    r->at = at;
    r->state = state;
    return false;
}

static size_t find(const struct rp_html_reader *r, size_t from, uint8_t byte) {
    return from + rp_view_find_byte(rp_view_from(r->value, from), byte);
}

static bool read_data(struct rp_html_reader *r, struct rp_html_token *token) {
    size_t tag = find(r, r->at, '<');
    bool empty = tag == r->at;
    take(r, token, RP_HTML_TEXT, tag, tag + 1, RP_HTML_TAG_OPEN);
    return !empty;
}

/* ---- what is no tag ---- */

/* A comment up to `close`, of `bytes` bytes, or to the end. */
static bool take_comment(struct rp_html_reader *r, struct rp_html_token *token, size_t close,
                         size_t bytes) {
    return take(r, token, RP_HTML_COMMENT, close, close + bytes, RP_HTML_DATA);
}

static bool read_bogus(struct rp_html_reader *r, struct rp_html_token *token) {
    return take_comment(r, token, find(r, r->at, '>'), 1);
}

/* <% … %>: a comment for browsers of long ago. */
static bool read_percent(struct rp_html_reader *r, struct rp_html_token *token) {
    size_t close = find(r, r->at, '%');
    while (close + 1 < r->value.n && r->value.p[close + 1] != '>') {
        close = find(r, close + 1, '%');
    }
    return take_comment(r, token, close + 1 < r->value.n ? close : r->value.n, 2);
}

static size_t skip_nulls(rp_view v, size_t at) {
    while (at < v.n && v.p[at] == 0) {
        at++;
    }
    return at;
}

/* Ends in --> or -!>, NULs behind the first dash only. */
static bool read_comment(struct rp_html_reader *r, struct rp_html_token *token) {
    rp_view v = r->value;
    for (size_t close = find(r, r->at, '-'); close + 2 < v.n; close = find(r, close + 1, '-')) {
        size_t second = skip_nulls(v, close + 1);
        size_t third = second + 1;
        if (third >= v.n && (second >= v.n || v.p[second] == '-' || v.p[second] == '!')) {
            break;
        }
        if ((v.p[second] == '-' || v.p[second] == '!') && v.p[third] == '>') {
            return take_comment(r, token, close, third + 1 - close);
        }
    }
    return take_comment(r, token, v.n, 0);
}

static bool read_cdata(struct rp_html_reader *r, struct rp_html_token *token) {
    size_t close = r->at + rp_view_find(rp_view_from(r->value, r->at), RP_VIEW("]]>"));
    return take(r, token, RP_HTML_TEXT, close, close + 3, RP_HTML_DATA);
}

static bool read_declaration(struct rp_html_reader *r, struct rp_html_token *token) {
    rp_view rest = rp_view_from(r->value, r->at);
    if (rp_view_equal_nocase(rp_view_sub(rest, 0, 7), RP_VIEW("DOCTYPE"))) {
        size_t close = find(r, r->at, '>');
        return take(r, token, RP_HTML_DOCTYPE, close, close + 1, RP_HTML_DATA);
    }
    if (rp_view_starts(rest, RP_VIEW("[CDATA["))) {
        r->at += 7;
        return read_cdata(r, token);
    }
    if (rp_view_starts(rest, RP_VIEW("--"))) {
        r->at += 2;
        return read_comment(r, token);
    }
    return read_bogus(r, token);
}

/* ---- tags ---- */

static bool read_tag_name(struct rp_html_reader *r, struct rp_html_token *token) {
    rp_view v = r->value;
    size_t end = r->at;
    while (end < v.n && (v.p[end] == 0 || !is_white(v.p[end])) && v.p[end] != '/' &&
           v.p[end] != '>') {
        end++;
    }
    if (end < v.n && v.p[end] == '>') {
        bool closing = r->closing;
        r->closing = false;
        return closing ? take(r, token, RP_HTML_TAG_END, end, end + 1, RP_HTML_DATA)
                       : take(r, token, RP_HTML_TAG, end, end, RP_HTML_TAG_CLOSE);
    }
    bool slash = end < v.n && v.p[end] == '/';
    return take(r, token, RP_HTML_TAG, end, end + 1, slash ? RP_HTML_SLASH : RP_HTML_BEFORE_NAME);
}

static bool read_end_tag(struct rp_html_reader *r, struct rp_html_token *token) {
    if (r->at >= r->value.n) {
        return go(r, r->at, RP_HTML_END);
    }
    r->closing = true;
    if (r->value.p[r->at] == '>') {
        return go(r, r->at, RP_HTML_DATA);
    }
    if (rp_is_alpha(r->value.p[r->at])) {
        return read_tag_name(r, token);
    }
    r->closing = false;
    return read_bogus(r, token);
}

static bool read_tag_open(struct rp_html_reader *r, struct rp_html_token *token) {
    if (r->at >= r->value.n) {
        return go(r, r->at, RP_HTML_END);
    }
    uint8_t c = r->value.p[r->at];
    if (rp_is_alpha(c) || c == 0) {
        return read_tag_name(r, token);
    }
    if (c != '!' && c != '/' && c != '?' && c != '%') {
        r->at -= 1; /* the < is text */
        return take(r, token, RP_HTML_TEXT, r->at + 1, r->at + 1, RP_HTML_DATA);
    }
    r->at++;
    switch (c) {
    case '!':
        return read_declaration(r, token);
    case '/':
        return read_end_tag(r, token);
    case '?':
        return read_bogus(r, token);
    default:
        return read_percent(r, token);
    }
}

static bool read_tag_close(struct rp_html_reader *r, struct rp_html_token *token) {
    r->closing = false;
    return take(r, token, RP_HTML_TAG_END, r->at + 1, r->at + 1, RP_HTML_DATA);
}

/* ---- attributes ---- */

/* Skips white bytes; the byte then, or NUL at the end. A byte 255 is an end as well: the original
 * cannot tell it from its own sign for one. */
static uint8_t skip_white(struct rp_html_reader *r) {
    while (r->at < r->value.n && is_white(r->value.p[r->at])) {
        r->at++;
    }
    uint8_t c = r->at < r->value.n ? r->value.p[r->at] : 0;
    return c == 255 ? 0 : c;
}

static bool read_name(struct rp_html_reader *r, struct rp_html_token *token) {
    rp_view v = r->value;
    size_t end = r->at + 1; /* whatever the first byte is */
    while (end < v.n && !is_white(v.p[end]) && v.p[end] != '/' && v.p[end] != '=' &&
           v.p[end] != '>') {
        end++;
    }
    switch (end < v.n ? v.p[end] : 0) {
    case '/':
        return take(r, token, RP_HTML_NAME, end, end + 1, RP_HTML_SLASH);
    case '=':
        return take(r, token, RP_HTML_NAME, end, end + 1, RP_HTML_BEFORE_VALUE);
    case '>':
        return take(r, token, RP_HTML_NAME, end, end, RP_HTML_TAG_CLOSE);
    default:
        return take(r, token, RP_HTML_NAME, end, end + 1, RP_HTML_AFTER_NAME);
    }
}

static bool read_slash(struct rp_html_reader *r, struct rp_html_token *token) {
    if (r->at < r->value.n && r->value.p[r->at] == '>') {
        return take(r, token, RP_HTML_TAG_END, r->at + 1, r->at + 1, RP_HTML_DATA);
    }
    return go(r, r->at, RP_HTML_BEFORE_NAME);
}

static bool read_before_name(struct rp_html_reader *r, struct rp_html_token *token) {
    switch (skip_white(r)) {
    case 0:
        return go(r, r->at, RP_HTML_END);
    case '/':
        return go(r, r->at + 1, RP_HTML_SLASH);
    case '>':
        return take(r, token, RP_HTML_TAG_END, r->at + 1, r->at + 1, RP_HTML_DATA);
    default:
        return read_name(r, token);
    }
}

static bool read_after_name(struct rp_html_reader *r, struct rp_html_token *token) {
    switch (skip_white(r)) {
    case 0:
        return go(r, r->at, RP_HTML_END);
    case '/':
        return go(r, r->at + 1, RP_HTML_SLASH);
    case '=':
        return go(r, r->at + 1, RP_HTML_BEFORE_VALUE);
    case '>':
        return read_tag_close(r, token);
    default:
        return read_name(r, token);
    }
}

static bool read_unquoted(struct rp_html_reader *r, struct rp_html_token *token) {
    rp_view v = r->value;
    size_t end = r->at;
    while (end < v.n && !is_white(v.p[end]) && v.p[end] != '>') {
        end++;
    }
    bool closes = end < v.n && v.p[end] == '>';
    return take(r, token, RP_HTML_VALUE, end, closes ? end : end + 1,
                closes ? RP_HTML_TAG_CLOSE : RP_HTML_BEFORE_NAME);
}

static bool read_in_quotes(struct rp_html_reader *r, struct rp_html_token *token) {
    size_t close = find(r, r->at, r->quote);
    return take(r, token, RP_HTML_VALUE, close, close + 1, RP_HTML_AFTER_QUOTES);
}

static bool read_before_value(struct rp_html_reader *r, struct rp_html_token *token) {
    uint8_t c = skip_white(r);
    if (c == 0) {
        return go(r, r->at, RP_HTML_END);
    }
    if (c != '"' && c != '\'' && c != '`') {
        return read_unquoted(r, token);
    }
    r->quote = c;
    r->at++;
    return read_in_quotes(r, token);
}

static bool read_after_quotes(struct rp_html_reader *r, struct rp_html_token *token) {
    if (r->at >= r->value.n) {
        return go(r, r->at, RP_HTML_END);
    }
    uint8_t c = r->value.p[r->at];
    if (c == '>') {
        return take(r, token, RP_HTML_TAG_END, r->at + 1, r->at + 1, RP_HTML_DATA);
    }
    return is_white(c) || c == '/'
               ? go(r, r->at + 1, c == '/' ? RP_HTML_SLASH : RP_HTML_BEFORE_NAME)
               : go(r, r->at, RP_HTML_BEFORE_NAME);
}

static bool step(struct rp_html_reader *r, struct rp_html_token *token) {
    switch (r->state) {
    case RP_HTML_DATA:
        return read_data(r, token);
    case RP_HTML_TAG_OPEN:
        return read_tag_open(r, token);
    case RP_HTML_TAG_CLOSE:
        return read_tag_close(r, token);
    case RP_HTML_SLASH:
        return read_slash(r, token);
    case RP_HTML_BEFORE_NAME:
        return read_before_name(r, token);
    case RP_HTML_AFTER_NAME:
        return read_after_name(r, token);
    case RP_HTML_BEFORE_VALUE:
        return read_before_value(r, token);
    case RP_HTML_IN_QUOTES:
        return read_in_quotes(r, token);
    case RP_HTML_AFTER_QUOTES:
        return read_after_quotes(r, token);
    case RP_HTML_END:
        break;
    }
    return false;
}

bool rp_html_next(struct rp_html_reader *r, struct rp_html_token *ret_token) {
    while (r->state != RP_HTML_END) {
        if (step(r, ret_token)) {
            return true;
        }
    }
    return false;
}
