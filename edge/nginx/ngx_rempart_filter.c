/* ngx_rempart_filter.c — every answer on its way out: HSTS, and cookies that stay on TLS.
 *
 * nginx sends its own errors and redirects through the same chain, so nothing leaves without.
 */
#include "ngx_rempart.h"

#include "judge/set_cookie.h"

/* nginx links its filters by such variables: each module keeps the next one. */
static ngx_http_output_header_filter_pt next_filter;

/* Two years, the preload list's own minimum doubled. */
static const char hsts_value[] = "max-age=63072000; includeSubDomains";

static bool is_named(const ngx_table_elt_t *header, rp_view name) {
    return header->hash != 0 && rp_view_equal_nocase(ngx_rempart_view(header->key), name);
}

/* RFC 6797 section 7.2: never over a connection without TLS, and only one. */
static ngx_int_t add_hsts(ngx_http_request_t *r) {
    for (ngx_list_part_t *part = &r->headers_out.headers.part; part; part = part->next) {
        ngx_table_elt_t *headers = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (is_named(&headers[i], RP_VIEW("strict-transport-security"))) {
                headers[i].hash = 0; /* an application's own, perhaps shorter: ours stands */
            }
        }
    }
    ngx_table_elt_t *header = ngx_list_push(&r->headers_out.headers);
    if (!header) {
        return NGX_ERROR;
    }
    header->hash = 1;
    ngx_str_set(&header->key, "Strict-Transport-Security");
    header->value.data = (u_char *)(uintptr_t)hsts_value;
    header->value.len = sizeof hsts_value - 1;
    header->lowcase_key = NULL;
    return NGX_OK;
}

/* Whether the answer has the header; takes it away where ours is to stand instead. */
static bool has_header(ngx_http_request_t *r, const ngx_rempart_header_t *wanted) {
    bool found = false;
    for (ngx_list_part_t *part = &r->headers_out.headers.part; part; part = part->next) {
        ngx_table_elt_t *headers = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (is_named(&headers[i], ngx_rempart_view(wanted->name))) {
                found = true;
                headers[i].hash = wanted->replace ? 0 : headers[i].hash;
            }
        }
    }
    return found && !wanted->replace;
}

static ngx_int_t add_headers(ngx_http_request_t *r, const ngx_array_t *list) {
    const ngx_rempart_header_t *wanted = list->elts;
    for (ngx_uint_t i = 0; i < list->nelts; i++) {
        if (has_header(r, &wanted[i])) {
            continue;
        }
        ngx_table_elt_t *header = ngx_list_push(&r->headers_out.headers);
        if (!header) {
            return NGX_ERROR;
        }
        header->hash = 1;
        header->key = wanted[i].name;
        header->value = wanted[i].value;
        header->lowcase_key = NULL;
    }
    return NGX_OK;
}

/* Server-sent events are useless in a buffer; an application need not know that we have one. */
static void pass_events_on(ngx_http_request_t *r) {
    rp_view type = ngx_rempart_view(r->headers_out.content_type);
    if (r->upstream && rp_view_starts(type, RP_VIEW("text/event-stream"))) {
        r->upstream->buffering = 0;
    }
}

static ngx_int_t harden_one(ngx_http_request_t *r, const ngx_rempart_loc_conf_t *lcf,
                            ngx_table_elt_t *header) {
    u_char *text = ngx_pnalloc(r->pool, header->value.len + JUDGE_SET_COOKIE_EXTRA);
    if (!text) {
        return NGX_ERROR;
    }
    const ngx_array_t *scripts = lcf->for_scripts;
    rp_view hardened;
    switch (judge_set_cookie(ngx_rempart_view(header->value), scripts ? scripts->elts : NULL,
                             scripts ? scripts->nelts : 0, text, &hardened)) {
    case JUDGE_KEEP:
        break;
    case JUDGE_CHANGED:
        header->value.data = text;
        header->value.len = hardened.n;
        break;
    case JUDGE_DROP:
        header->hash = 0;
        break;
    }
    return NGX_OK;
}

static ngx_int_t harden_cookies(ngx_http_request_t *r, const ngx_rempart_loc_conf_t *lcf) {
    for (ngx_list_part_t *part = &r->headers_out.headers.part; part; part = part->next) {
        ngx_table_elt_t *headers = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (is_named(&headers[i], RP_VIEW("set-cookie")) &&
                harden_one(r, lcf, &headers[i]) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }
    return NGX_OK;
}

static ngx_int_t header_filter(ngx_http_request_t *r) {
    const ngx_rempart_loc_conf_t *lcf = ngx_http_get_module_loc_conf(r, ngx_http_rempart_module);
    bool encrypted = r->connection->ssl != NULL;
    /*= S79, S80: the header is on every answer, an error or a redirect included. */
    if (r == r->main && lcf->hsts && encrypted && add_hsts(r) != NGX_OK) {
        return NGX_ERROR;
    }
    if (r == r->main && lcf->headers && add_headers(r, lcf->headers) != NGX_OK) {
        return NGX_ERROR;
    }
    if (lcf->app.len > 0) {
        pass_events_on(r);
    }
    /* Core's own cookies are complete, and only core may set them: that is what `app` tells. */
    if (lcf->harden && lcf->app.len > 0 && harden_cookies(r, lcf) != NGX_OK) {
        return NGX_ERROR;
    }
    return next_filter(r);
}

ngx_int_t ngx_rempart_header_filter_init(ngx_conf_t *cf) {
    (void)cf;
    next_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = header_filter;
    return NGX_OK;
}
