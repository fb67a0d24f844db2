/* tx_head.c — a request's line and headers: what the rules see of them. */
#include "base/checked.h"
#include "shield/transform_parts.h"
#include "shield/tx.h"

/* ---- the line ---- */

static rp_view joined(struct rp_waf_tx *tx, rp_view a, rp_view b, rp_view c) {
    uint8_t *p = rp_arena_room(tx->arena, a.n + b.n + c.n + 2);
    if (!p) {
        rp_waf_note(tx, RP_ERR(TOO_LARGE));
        return RP_VIEW("");
    }
    size_t at = 0;
    rp_view parts[3] = {a, b, c};
    for (unsigned i = 0; i < 3; i++) {
        if (i > 0) {
            p[at++] = ' ';
        }
        if (parts[i].n > 0) {
            memcpy(p + at, parts[i].p, parts[i].n);
        }
        at += parts[i].n;
    }
    return rp_view_of(p, at);
}

/* http://host/path is looked at as /path, as ModSecurity does. */
static rp_view without_host(rp_view uri) {
    if (uri.n == 0 || uri.p[0] == '/') {
        return uri;
    }
    size_t scheme = rp_view_find_byte(uri, ':');
    if (scheme + 3 > uri.n || uri.p[scheme + 1] != '/' || uri.p[scheme + 2] != '/') {
        return uri;
    }
    rp_view rest = rp_view_from(uri, scheme + 3);
    size_t path = rp_view_find_byte(rest, '/');
    return path < rest.n ? rp_view_from(rest, path) : uri;
}

static rp_view basename_of(rp_view path) {
    size_t at = path.n;
    while (at > 0 && path.p[at - 1] != '/' && path.p[at - 1] != '\\') {
        at--;
    }
    return at > 0 && at < path.n ? rp_view_from(path, at) : (rp_view){NULL, 0};
}

/* %XX where it is well formed; '+' stays, and so does everything else. */
static rp_view decoded(struct rp_waf_tx *tx, rp_view uri) {
    if (rp_view_find_byte(uri, '%') == uri.n) {
        return uri;
    }
    uint8_t *p = rp_arena_room(tx->arena, uri.n);
    if (!p) {
        rp_waf_note(tx, RP_ERR(TOO_LARGE));
        return uri;
    }
    size_t n = 0;
    for (size_t i = 0; i < uri.n; i++) {
        bool escape = uri.p[i] == '%' && rp_hex_at(uri, i + 1, 2);
        p[n++] = escape ? rp_hex_pair(uri.p + i + 1) : uri.p[i];
        i += escape ? 2 : 0;
    }
    return rp_view_of(p, n);
}

static rp_err query(struct rp_waf_tx *tx, rp_view text) {
    struct rp_body_limits limits = RP_BODY_LIMITS;
    const struct rp_img_settings *settings = tx->image->settings;
    limits.separator = settings->separator;
    limits.arguments_max = settings->arguments_max ? settings->arguments_max : limits.arguments_max;
    struct rp_waf_pairs pairs = {0};
    bool invalid = false;
    RP_TRY(rp_body_query(text, &limits, tx->arena, &pairs, &invalid, &tx->arguments_problem));
    if (invalid) {
        rp_waf_scalar(tx, RP_VAR_URLENCODED_ERROR, RP_VIEW("1"));
    }
    rp_waf_arguments(tx, &pairs, false);
    return RP_OK;
}

rp_err rp_waf_tx_line(struct rp_waf_tx *tx, rp_view method, rp_view uri, rp_view protocol) {
    tx->method = method;
    tx->uri = uri;
    tx->protocol = protocol;
    size_t mark = rp_view_find_byte(uri, '?');
    rp_view text = mark < uri.n ? rp_view_from(uri, mark + 1) : (rp_view){NULL, 0};
    rp_view whole = decoded(tx, uri);
    rp_view path = rp_view_sub(whole, 0, rp_view_find_byte(whole, '?'));
    rp_waf_scalar(tx, RP_VAR_REQUEST_METHOD, method);
    rp_waf_scalar(tx, RP_VAR_REQUEST_PROTOCOL, protocol);
    rp_waf_keep_common(tx, RP_VAR_REQUEST_METHOD);
    rp_waf_keep_common(tx, RP_VAR_REQUEST_PROTOCOL);
    rp_waf_scalar(tx, RP_VAR_REQUEST_LINE, joined(tx, method, uri, protocol));
    rp_waf_scalar(tx, RP_VAR_REQUEST_URI, without_host(whole));
    rp_waf_scalar(tx, RP_VAR_REQUEST_URI_RAW, uri);
    rp_waf_scalar(tx, RP_VAR_QUERY_STRING, text);
    rp_waf_scalar(tx, RP_VAR_REQUEST_FILENAME, path);
    rp_waf_scalar(tx, RP_VAR_PATH_INFO, path);
    rp_waf_scalar(tx, RP_VAR_REQUEST_BASENAME, basename_of(path));
    if (text.n > 0) {
        RP_TRY(query(tx, text));
    }
    return tx->failed;
}

/* ---- a header ---- */

static bool starts_nocase(rp_view text, rp_view prefix) {
    return rp_view_equal_nocase(rp_view_sub(text, 0, prefix.n), prefix);
}

static void content_type(struct rp_waf_tx *tx, rp_view value) {
    tx->content_type = value;
    if (starts_nocase(value, RP_VIEW("multipart/form-data"))) {
        tx->body_kind = RP_BODY_MULTIPART;
        rp_waf_scalar(tx, RP_VAR_REQBODY_PROCESSOR, RP_VIEW("MULTIPART"));
    } else if (starts_nocase(value, RP_VIEW("application/x-www-form-urlencoded"))) {
        tx->body_kind = RP_BODY_URLENCODED;
        rp_waf_scalar(tx, RP_VAR_REQBODY_PROCESSOR, RP_VIEW("URLENCODED"));
    }
}

static rp_err cookies(struct rp_waf_tx *tx, rp_view value) {
    struct rp_waf_pairs pairs = {0};
    RP_TRY(rp_body_cookies(value, tx->arena, &pairs));
    for (size_t i = 0; i < pairs.n; i++) {
        rp_waf_collect_cookie(tx, pairs.p[i].name, pairs.p[i].value);
    }
    return RP_OK;
}

/* The name before the colon of "Basic …", as ModSecurity has it: nobody has checked the password.
 */
static rp_err authorization(struct rp_waf_tx *tx, rp_view value) {
    size_t space = rp_view_find_byte(value, ' ');
    rp_view pair = {NULL, 0};
    rp_waf_scalar(tx, RP_VAR_AUTH_TYPE, rp_view_sub(value, 0, space));
    if (!starts_nocase(value, RP_VIEW("basic "))) {
        return RP_OK;
    }
    RP_TRY(rp_transform_apply(RP_T_BASE64_DECODE_EXT, rp_view_from(value, space + 1), NULL,
                              tx->arena, &pair));
    size_t colon = rp_view_find_byte(pair, ':');
    if (colon < pair.n) {
        rp_waf_scalar(tx, RP_VAR_REMOTE_USER, rp_view_sub(pair, 0, colon));
    }
    return RP_OK;
}

rp_err rp_waf_tx_header(struct rp_waf_tx *tx, rp_view name, rp_view value) {
    if (tx->collections[RP_VAR_REQUEST_HEADERS].n >= RP_WAF_HEADERS_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    rp_waf_collect_header(tx, name, value);
    if (rp_view_equal_nocase(name, RP_VIEW("cookie"))) {
        RP_TRY(cookies(tx, value));
    } else if (rp_view_equal_nocase(name, RP_VIEW("content-type"))) {
        content_type(tx, value);
    } else if (rp_view_equal_nocase(name, RP_VIEW("host"))) {
        rp_waf_scalar(tx, RP_VAR_SERVER_NAME, rp_view_sub(value, 0, rp_view_find_byte(value, ':')));
    } else if (rp_view_equal_nocase(name, RP_VIEW("authorization"))) {
        RP_TRY(authorization(tx, value));
    }
    return tx->failed;
}

/* ---- all of it in one text ---- */

static void add_line(struct rp_buf *out, rp_view name, const char *between, rp_view value) {
    rp_buf_add(out, name);
    rp_buf_add_cstr(out, between);
    rp_buf_add(out, value);
    rp_buf_add_byte(out, '\n');
}

rp_view rp_waf_full_request(struct rp_waf_tx *tx) {
    enum { WHOLE_MAX = 256 << 20 };
    if (tx->full_request.p && tx->full_request_phase == tx->phase) {
        return tx->full_request;
    }
    struct rp_buf out = rp_buf_new(WHOLE_MAX);
    const struct rp_waf_collection *headers = &tx->collections[RP_VAR_REQUEST_HEADERS];
    add_line(&out, tx->values.p[tx->scalars[RP_VAR_REQUEST_LINE].value].bytes, "", RP_VIEW(""));
    for (uint32_t i = 0; i < headers->n; i++) {
        add_line(&out, headers->p[i].name, ": ", tx->values.p[headers->p[i].value].bytes);
    }
    rp_buf_add_cstr(&out, "\n\n");
    rp_buf_add(&out, rp_buf_view(&tx->body));
    rp_err err = rp_buf_err(&out);
    if (rp_ok(err)) {
        err = rp_arena_copy(tx->arena, rp_buf_view(&out), &tx->full_request);
    }
    tx->full_request_phase = tx->phase;
    rp_waf_note(tx, err);
    rp_waf_spend(tx, out.n);
    rp_buf_done(&out);
    return tx->full_request;
}
