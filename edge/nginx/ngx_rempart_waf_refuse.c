/* ngx_rempart_waf_refuse.c — the answer to a refused request: a page in the reader's language, a
 * problem document for programs, a redirection or nothing where the rule says so. */
#include "ngx_rempart_waf.h"

#include "judge/accept.h"

static rp_view value_of(const ngx_table_elt_t *header) {
    return header ? ngx_rempart_view(header->value) : (rp_view){NULL, 0};
}

static ngx_int_t add_header(ngx_http_request_t *r, ngx_str_t name, ngx_str_t value) {
    ngx_table_elt_t *header = ngx_list_push(&r->headers_out.headers);
    if (!header) {
        return NGX_ERROR;
    }
    *header = (ngx_table_elt_t){.hash = 1, .key = name, .value = value};
    return NGX_OK;
}

static ngx_int_t redirection(ngx_rempart_waf_t *waf) {
    static ngx_str_t location = ngx_string("Location");
    rp_view to = rp_waf_tx_verdict(waf->tx)->redirect;
    ngx_str_t value = {to.n, ngx_pnalloc(waf->r->pool, to.n + 1)};
    if (!value.data) {
        return NGX_ERROR;
    }
    for (size_t i = 0; i < to.n; i++) {
        value.data[i] = to.p[i] >= ' ' ? to.p[i] : '_'; /* the rule may quote the request */
    }
    return add_header(waf->r, location, value);
}

static ngx_buf_t *page_of(ngx_rempart_waf_t *waf, bool json) {
    ngx_http_request_t *r = waf->r;
    enum rp_lang lang = judge_language(value_of(r->headers_in.accept_language));
    rp_view incident = ngx_rempart_request_id(r, ngx_rempart_ctx(r, 1));
    struct rp_buf text = rp_buf_new(JUDGE_WAF_PAGE_MAX);
    if (json) {
        judge_waf_page_json(&text, waf->refusal, lang, waf->refused_status, incident);
    } else {
        judge_waf_page_html(&text, waf->refusal, lang, waf->refused_status, incident);
    }
    rp_view page = rp_buf_view(&text);
    ngx_buf_t *buf = rp_ok(rp_buf_err(&text)) ? ngx_create_temp_buf(r->pool, page.n) : NULL;
    if (buf) {
        buf->last = ngx_cpymem(buf->last, page.p, page.n);
        buf->last_buf = 1;
        buf->last_in_chain = 1;
    }
    rp_buf_done(&text);
    return buf;
}

static ngx_int_t page_headers(ngx_http_request_t *r, bool json, size_t length) {
    static ngx_str_t control = ngx_string("Cache-Control"), no_store = ngx_string("no-store");
    static ngx_str_t policy = ngx_string("Content-Security-Policy");
    static ngx_str_t nothing = ngx_string("default-src 'none'; style-src 'unsafe-inline'; base-uri "
                                          "'none'; frame-ancestors 'none'");
    static ngx_str_t html = ngx_string("text/html; charset=utf-8");
    static ngx_str_t problem = ngx_string("application/problem+json");
    r->headers_out.content_type = json ? problem : html;
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    ngx_str_null(&r->headers_out.charset);
    r->headers_out.content_length_n = (off_t)length;
    return add_header(r, control, no_store) == NGX_OK ? add_header(r, policy, nothing) : NGX_ERROR;
}

ngx_int_t ngx_rempart_waf_refusal_head(ngx_rempart_waf_t *waf, ngx_chain_t **ret_page) {
    ngx_http_request_t *r = waf->r;
    bool json = judge_wants_json(value_of(r->headers_in.accept));
    ngx_buf_t *page = page_of(waf, json);
    ngx_chain_t *link = ngx_alloc_chain_link(r->pool);
    if (!page || !link) {
        return NGX_ERROR;
    }
    ngx_http_clean_header(r);
    r->headers_out.status = waf->refused_status;
    r->headers_out.status_line.len = 0;
    if (page_headers(r, json, (size_t)(page->last - page->pos)) != NGX_OK) {
        return NGX_ERROR;
    }
    if (waf->refused_status < 400 && redirection(waf) != NGX_OK) {
        return NGX_ERROR;
    }
    *link = (ngx_chain_t){.buf = page, .next = NULL};
    *ret_page = link;
    return NGX_OK;
}

/* In the access phase. NGX_DONE: the request has its answer. */
ngx_int_t ngx_rempart_waf_refuse(ngx_rempart_waf_t *waf) {
    ngx_http_request_t *r = waf->r;
    if (waf->tx && rp_waf_tx_verdict(waf->tx)->action == RP_WAF_DROP) {
        return NGX_HTTP_CLOSE;
    }
    ngx_chain_t *page = NULL;
    ngx_int_t rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK || ngx_rempart_waf_refusal_head(waf, &page) != NGX_OK) {
        return rc != NGX_OK ? rc : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    rc = ngx_http_send_header(r);
    if (rc != NGX_ERROR && rc <= NGX_OK && !r->header_only) {
        rc = ngx_http_output_filter(r, page);
    }
    ngx_http_finalize_request(r, rc);
    return NGX_DONE;
}
