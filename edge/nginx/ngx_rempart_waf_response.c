/* ngx_rempart_waf_response.c — the answer, judged on its way out: status and headers, and the body
 * of the types that the rules name, which waits until it has been seen. */
#include "ngx_rempart.h"

static ngx_http_output_header_filter_pt next_header_filter;
static ngx_http_output_body_filter_pt next_body_filter;

/* ---- phase 3 ---- */

static rp_err give_headers(ngx_http_request_t *r, struct rp_waf_tx *tx) {
    RP_TRY(rp_waf_tx_response(tx, (unsigned)r->headers_out.status,
                              ngx_rempart_view(r->http_protocol)));
    if (r->headers_out.content_type.len > 0) {
        RP_TRY(rp_waf_tx_response_header(tx, RP_VIEW("Content-Type"),
                                         ngx_rempart_view(r->headers_out.content_type)));
    }
    for (const ngx_list_part_t *part = &r->headers_out.headers.part; part; part = part->next) {
        const ngx_table_elt_t *headers = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (headers[i].hash != 0) {
                RP_TRY(rp_waf_tx_response_header(tx, ngx_rempart_view(headers[i].key),
                                                 ngx_rempart_view(headers[i].value)));
            }
        }
    }
    return rp_waf_tx_response_headers_done(tx);
}

static bool body_is_judged(ngx_http_request_t *r, const ngx_rempart_waf_t *waf) {
    const ngx_rempart_loc_conf_t *lcf = ngx_http_get_module_loc_conf(r, ngx_http_rempart_module);
    bool has_body = !r->header_only && r->headers_out.status != NGX_HTTP_NO_CONTENT &&
                    r->headers_out.status != NGX_HTTP_NOT_MODIFIED &&
                    r->headers_out.status != NGX_HTTP_SWITCHING_PROTOCOLS;
    /* What is packed cannot be read; unpacking is not our trade. */
    bool packed = r->headers_out.content_encoding && r->headers_out.content_encoding->value.len > 0;
    return has_body && !packed && !lcf->waf.stream && rp_waf_tx_wants_response_body(waf->tx);
}

static ngx_int_t refuse(ngx_http_request_t *r, ngx_rempart_waf_t *waf, ngx_uint_t status) {
    waf->refused = status;
    waf->holding = 0;
    return ngx_http_filter_finalize_request(r, &ngx_http_rempart_module, (ngx_int_t)status);
}

static bool is_ours(ngx_http_request_t *r, const ngx_rempart_waf_t *waf) {
    return r == r->main && waf && waf->request_done && !waf->refused && !waf->answer_begun &&
           !r->filter_finalize;
}

static ngx_int_t header_filter(ngx_http_request_t *r) {
    ngx_rempart_waf_t *waf = ngx_rempart_waf_of(r);
    if (!is_ours(r, waf)) {
        return next_header_filter(r);
    }
    waf->answer_begun = 1;
    if (!rp_ok(give_headers(r, waf->tx))) {
        return refuse(r, waf, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
    ngx_uint_t status = ngx_rempart_waf_verdict(waf);
    if (status) {
        return refuse(r, waf, status);
    }
    if (!body_is_judged(r, waf)) {
        return next_header_filter(r);
    }
    waf->holding = 1;
    r->main_filter_need_in_memory = 1;
    r->filter_need_in_memory = 1;
    r->allow_ranges = 0; /* rules see the whole */
    return NGX_OK;
}

/* ---- phase 4 ---- */

/* The upstream reuses its buffers: what is held is a copy, and the original is taken as sent. */
static ngx_int_t keep(ngx_http_request_t *r, ngx_rempart_waf_t *waf, ngx_buf_t *buf) {
    size_t n = ngx_buf_in_memory(buf) ? (size_t)(buf->last - buf->pos) : 0;
    ngx_buf_t *copy = n > 0 ? ngx_create_temp_buf(r->pool, n) : ngx_calloc_buf(r->pool);
    ngx_chain_t *link = ngx_alloc_chain_link(r->pool);
    if (!copy || !link) {
        return NGX_ERROR;
    }
    if (n > 0) {
        copy->last = ngx_cpymem(copy->pos, buf->pos, n);
        buf->pos = buf->last;
    }
    copy->flush = buf->flush;
    copy->sync = n == 0;
    copy->last_buf = buf->last_buf;
    copy->last_in_chain = buf->last_in_chain;
    link->buf = copy;
    link->next = NULL;
    *waf->kept_end = link;
    waf->kept_end = &link->next;
    waf->kept_bytes += n;
    return NGX_OK;
}

static ngx_int_t release(ngx_http_request_t *r, ngx_rempart_waf_t *waf) {
    ngx_chain_t *kept = waf->kept;
    waf->holding = 0;
    waf->kept = NULL;
    ngx_int_t rc = next_header_filter(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }
    return next_body_filter(r, kept);
}

static ngx_int_t judge_body(ngx_http_request_t *r, ngx_rempart_waf_t *waf) {
    if (!rp_ok(rp_waf_tx_response_body_done(waf->tx))) {
        return refuse(r, waf, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
    ngx_uint_t status = ngx_rempart_waf_verdict(waf);
    return status ? refuse(r, waf, status) : release(r, waf);
}

static ngx_int_t body_filter(ngx_http_request_t *r, ngx_chain_t *in) {
    ngx_rempart_waf_t *waf = r == r->main ? ngx_rempart_waf_of(r) : NULL;
    if (!waf || !waf->holding) {
        return next_body_filter(r, in);
    }
    bool whole = false;
    for (ngx_chain_t *link = in; link; link = link->next) {
        ngx_buf_t *buf = link->buf;
        rp_view bytes =
            rp_view_of(buf->pos, ngx_buf_in_memory(buf) ? (size_t)(buf->last - buf->pos) : 0);
        rp_err err = rp_waf_tx_response_body(waf->tx, bytes);
        if (!rp_ok(err)) {
            return refuse(r, waf, NGX_HTTP_BAD_GATEWAY); /* over the limit, where it rejects */
        }
        whole = whole || buf->last_buf;
        if (keep(r, waf, buf) != NGX_OK) {
            return NGX_ERROR;
        }
    }
    bool enough = waf->kept_bytes >= waf->image->info.response_body_limit;
    r->connection->buffered |= NGX_HTTP_SUB_BUFFERED;
    if (!whole && !enough) {
        return NGX_OK;
    }
    r->connection->buffered &= ~NGX_HTTP_SUB_BUFFERED;
    return judge_body(r, waf);
}

ngx_int_t ngx_rempart_waf_filter_init(ngx_conf_t *cf) {
    (void)cf;
    next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = header_filter;
    next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = body_filter;
    return NGX_OK;
}

/* ---- phase 5 ---- */

ngx_int_t ngx_rempart_waf_log_handler(ngx_http_request_t *r) {
    ngx_rempart_waf_t *waf = r == r->main ? ngx_rempart_waf_of(r) : NULL;
    if (waf && !rp_ok(rp_waf_tx_logging(waf->tx))) {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0, "rempart_waf: phase 5 was cut short");
    }
    return NGX_OK;
}
