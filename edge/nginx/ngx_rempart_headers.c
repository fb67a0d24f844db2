/* ngx_rempart_headers.c — the request that an application sees: without what a stranger may not
 * say, without our cookies, and with what the gate knows. */
#include "ngx_rempart.h"

#include "judge/cookie.h"
#include "judge/strip.h"

enum { CONNECTIONS_MAX = 4 };

/* The values of the Connection headers; nginx keeps no pointer to them. More than a few are a
 * sender's game: the rest is not honoured, and strips nothing. */
typedef struct {
    rp_view values[CONNECTIONS_MAX];
    size_t count;
} connections_t;

static bool is_named(const ngx_table_elt_t *header, rp_view name) {
    return rp_view_equal_nocase(ngx_rempart_view(header->key), name);
}

static connections_t connections_of(const ngx_http_request_t *r) {
    connections_t found = {.count = 0};
    for (const ngx_list_part_t *part = &r->headers_in.headers.part; part; part = part->next) {
        const ngx_table_elt_t *headers = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (found.count < CONNECTIONS_MAX && is_named(&headers[i], RP_VIEW("connection"))) {
                found.values[found.count++] = ngx_rempart_view(headers[i].value);
            }
        }
    }
    return found;
}

static bool goes(const connections_t *connections, const ngx_rempart_loc_conf_t *lcf,
                 const ngx_table_elt_t *header) {
    rp_view name = ngx_rempart_view(header->key);
    const ngx_array_t *own = lcf->identity_names;
    if (judge_must_strip(name, own ? own->elts : NULL, own ? own->nelts : 0)) {
        return true;
    }
    for (size_t i = 0; i < connections->count; i++) {
        if (judge_named_by_connection(connections->values[i], name)) {
            return true;
        }
    }
    return false;
}

/* Our cookies out of a Cookie header; false when nothing is left of it. */
static ngx_int_t clean_cookie(ngx_http_request_t *r, ngx_table_elt_t *header, bool *ret_left) {
    u_char *text = ngx_pnalloc(r->pool, 2 * header->value.len + 1);
    if (!text) {
        return NGX_ERROR;
    }
    rp_view left = judge_cookie_without_ours(ngx_rempart_view(header->value), text);
    header->value.data = text;
    header->value.len = left.n;
    text[left.n] = '\0';
    *ret_left = left.n > 0;
    return NGX_OK;
}

static ngx_int_t keep(ngx_list_t *list, const ngx_table_elt_t *header) {
    ngx_table_elt_t *slot = ngx_list_push(list);
    if (!slot) {
        return NGX_ERROR;
    }
    *slot = *header;
    return NGX_OK;
}

/* Copies what stays into a new list; the gate itself still sees the whole through nginx's pointers
 * to single headers, our cookies among them. */
static ngx_int_t filter_list(ngx_http_request_t *r, const ngx_rempart_loc_conf_t *lcf) {
    connections_t connections = connections_of(r);
    ngx_list_t kept;
    if (ngx_list_init(&kept, r->pool, 24, sizeof(ngx_table_elt_t)) != NGX_OK) {
        return NGX_ERROR;
    }
    for (ngx_list_part_t *part = &r->headers_in.headers.part; part; part = part->next) {
        ngx_table_elt_t *headers = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (goes(&connections, lcf, &headers[i])) {
                continue;
            }
            ngx_table_elt_t copy = headers[i];
            bool left = true;
            if (is_named(&copy, RP_VIEW("cookie")) && clean_cookie(r, &copy, &left) != NGX_OK) {
                return NGX_ERROR;
            }
            if (left && keep(&kept, &copy) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }
    r->headers_in.headers = kept;
    /* ngx_list_push appends through `last`, which must not point into the local copy. */
    if (kept.last == &kept.part) {
        r->headers_in.headers.last = &r->headers_in.headers.part;
    }
    return NGX_OK;
}

static ngx_int_t add_header(ngx_http_request_t *r, rp_view name, rp_view value) {
    ngx_table_elt_t *header = ngx_list_push(&r->headers_in.headers);
    u_char *text = ngx_pnalloc(r->pool, 2 * name.n + value.n + 1);
    if (!header || !text) {
        return NGX_ERROR;
    }
    u_char *lower = text + name.n;
    u_char *content = lower + name.n;
    ngx_memcpy(text, name.p, name.n);
    header->hash = ngx_hash_strlow(lower, text, name.n);
    if (value.n > 0) {
        ngx_memcpy(content, value.p, value.n);
    }
    content[value.n] = '\0';
    header->key.data = text;
    header->key.len = name.n;
    header->lowcase_key = lower;
    header->value.data = content;
    header->value.len = value.n;
    return NGX_OK;
}

static rp_view claim_value(ngx_uint_t claim, const struct rp_assertion_entry *entry,
                           const struct rp_id_text *subject, const struct rp_id_text *tenant) {
    switch ((ngx_rempart_claim_e)claim) {
    case NGX_REMPART_SUBJECT:
        return rp_view_from_cstr(subject->s);
    case NGX_REMPART_TENANT:
        return rp_view_from_cstr(tenant->s);
    case NGX_REMPART_EMAIL:
        return entry->email;
    case NGX_REMPART_ROLES:
        return entry->roles;
    }
    return (rp_view){NULL, 0};
}

/* A line break in a value would begin another header: such a value was never core's. */
static bool is_one_line(rp_view value) {
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < ' ' || value.p[i] == 127) {
            return false;
        }
    }
    return true;
}

static ngx_int_t add_identity(ngx_http_request_t *r, const ngx_rempart_loc_conf_t *lcf,
                              const ngx_rempart_ctx_t *ctx,
                              const struct rp_assertion_entry *entry) {
    if (!is_one_line(entry->jwt) ||
        add_header(r, RP_VIEW("Rempart-Assertion"), entry->jwt) != NGX_OK) {
        return NGX_ERROR;
    }
    if (!lcf->identity_names) {
        return NGX_OK;
    }
    struct rp_id_text subject = rp_id_print(ctx->visitor.session.person);
    struct rp_id_text tenant = rp_id_print(ctx->visitor.session.tenant);
    const rp_view *names = lcf->identity_names->elts;
    const ngx_uint_t *claims = lcf->identity_claims->elts;
    for (ngx_uint_t i = 0; i < lcf->identity_names->nelts; i++) {
        rp_view value = claim_value(claims[i], entry, &subject, &tenant);
        if (!is_one_line(value) || add_header(r, names[i], value) != NGX_OK) {
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}

ngx_int_t ngx_rempart_rewrite_headers(ngx_http_request_t *r, const ngx_rempart_loc_conf_t *lcf,
                                      const ngx_rempart_ctx_t *ctx,
                                      const struct rp_assertion_entry *entry) {
    /*= S104: an incoming copy of what the gate says never reaches an application. */
    if (filter_list(r, lcf) != NGX_OK) {
        return NGX_ERROR;
    }
    return entry ? add_identity(r, lcf, ctx, entry) : NGX_OK;
}
