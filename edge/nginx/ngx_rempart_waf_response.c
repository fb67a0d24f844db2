/* ngx_rempart_waf_response.c — the application's answer is judged: its head, and where the rules
 * look at bodies of its type, its first bytes, up to their limit. Until then nothing is sent; a
 * refused answer is replaced as a whole. What comes after the limit passes unseen. */
#include "ngx_rempart_waf.h"

static ngx_http_output_header_filter_pt next_header_filter;
static ngx_http_output_body_filter_pt next_body_filter;

static ngx_rempart_waf_t *waf_of(ngx_http_request_t *r) {
    ngx_rempart_ctx_t *ctx = r == r->main ? ngx_rempart_ctx(r, 0) : NULL;
    return ctx ? ctx->waf : NULL;
}

/* ---- the head ---- */

static rp_err tell_length(ngx_rempart_waf_t *waf) {
    off_t length = waf->r->headers_out.content_length_n;
    u_char *text = ngx_pnalloc(waf->r->pool, NGX_OFF_T_LEN);
    if (length < 0 || !text) {
        return length < 0 ? RP_OK : RP_ERR(NO_MEMORY);
    }
    u_char *end = ngx_sprintf(text, "%O", length);
    return rp_waf_tx_response_header(waf->tx, RP_VIEW("Content-Length"),
                                     rp_view_of(text, (size_t)(end - text)));
}

/* A coding that is read here is none to the rules: release 4 leaves compressed answers alone. */
static bool is_told(const ngx_table_elt_t *header) {
    return header->hash != 0 &&
           !(rp_view_equal_nocase(ngx_rempart_view(header->key), RP_VIEW("Content-Encoding")) &&
             judge_coding_is_read(ngx_rempart_view(header->value)));
}

static rp_err tell_answer(ngx_rempart_waf_t *waf) {
    ngx_http_request_t *r = waf->r;
    RP_TRY(rp_waf_tx_response(waf->tx, (unsigned)r->headers_out.status,
                              ngx_rempart_view(r->http_protocol)));
    for (const ngx_list_part_t *part = &r->headers_out.headers.part; part; part = part->next) {
        const ngx_table_elt_t *headers = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (is_told(&headers[i])) {
                RP_TRY(rp_waf_tx_response_header(waf->tx, ngx_rempart_view(headers[i].key),
                                                 ngx_rempart_view(headers[i].value)));
            }
        }
    }
    if (r->headers_out.content_type.len > 0) {
        RP_TRY(rp_waf_tx_response_header(waf->tx, RP_VIEW("Content-Type"),
                                         ngx_rempart_view(r->headers_out.content_type)));
    }
    RP_TRY(tell_length(waf));
    return rp_waf_tx_response_headers_done(waf->tx);
}

/* ---- what the application is asked for ---- */

/* The list of headers is what proxies send on; the pointer is what nginx's own gzip looks at, and
 * keeps what the visitor said. */
rp_err ngx_rempart_waf_ask_readable(ngx_rempart_waf_t *waf) {
    ngx_http_request_t *r = waf->r;
    if (!rp_waf_tx_reads_answers(waf->tx)) {
        return RP_OK;
    }
    for (ngx_list_part_t *part = &r->headers_in.headers.part; part; part = part->next) {
        ngx_table_elt_t *headers = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            rp_view accept;
            if (!rp_view_equal_nocase(ngx_rempart_view(headers[i].key),
                                      RP_VIEW("Accept-Encoding"))) {
                continue;
            }
            RP_TRY(judge_codings_read(ngx_rempart_view(headers[i].value), waf->arena, &accept));
            ngx_table_elt_t *said = ngx_palloc(r->pool, sizeof *said);
            u_char *text = ngx_pnalloc(r->pool, accept.n);
            if (!said || !text) {
                return RP_ERR(NO_MEMORY);
            }
            *said = headers[i];
            ngx_memcpy(text, accept.p, accept.n);
            headers[i].value = (ngx_str_t){accept.n, text};
            if (r->headers_in.accept_encoding == &headers[i]) {
                r->headers_in.accept_encoding = said;
            }
        }
    }
    return RP_OK;
}

/* Compressed in a way that cannot be read here: passes unseen. */
static bool is_readable(ngx_rempart_waf_t *waf) {
    const ngx_table_elt_t *coding = waf->r->headers_out.content_encoding;
    if (!coding || coding->hash == 0 || coding->value.len == 0) {
        return true;
    }
    if (!judge_coding_is_read(ngx_rempart_view(coding->value))) {
        return false;
    }
    waf->inflate = judge_inflate_new(waf->arena);
    return waf->inflate != NULL;
}

static bool has_body_to_judge(const ngx_rempart_waf_t *waf) {
    const ngx_http_request_t *r = waf->r;
    ngx_uint_t status = r->headers_out.status;
    return !r->header_only && r->headers_out.content_length_n != 0 && status >= NGX_HTTP_OK &&
           status != NGX_HTTP_NO_CONTENT && status != NGX_HTTP_NOT_MODIFIED &&
           rp_waf_tx_wants_response_body(waf->tx);
}

/* The page instead of the answer; whatever still comes from the application goes nowhere. */
static ngx_int_t replace(ngx_rempart_waf_t *waf) {
    ngx_chain_t *page = NULL;
    waf->holding = 0;
    waf->held = NULL;
    waf->swallowing = 1;
    if (ngx_rempart_waf_refusal_head(waf, &page) != NGX_OK) {
        return NGX_ERROR;
    }
    ngx_int_t rc = next_header_filter(waf->r);
    if (rc == NGX_ERROR || rc > NGX_OK || waf->r->header_only) {
        return rc;
    }
    return next_body_filter(waf->r, page);
}

static ngx_int_t waf_header_filter(ngx_http_request_t *r) {
    ngx_rempart_waf_t *waf = waf_of(r);
    if (!waf || waf->stage != NGX_REMPART_WAF_REQUEST) {
        return next_header_filter(r);
    }
    rp_err err = tell_answer(waf);
    waf->stage = NGX_REMPART_WAF_ANSWER;
    if (ngx_rempart_waf_verdict(waf, err) == NGX_BUSY) {
        return replace(waf);
    }
    if (waf->stage != NGX_REMPART_WAF_ANSWER || !has_body_to_judge(waf) || !is_readable(waf)) {
        waf->stage = NGX_REMPART_WAF_OVER;
        return next_header_filter(r);
    }
    waf->holding = 1;
    waf->held_end = &waf->held;
    r->filter_need_in_memory = 1;
    return NGX_OK;
}

/* ---- the body ---- */

static void consume(ngx_chain_t *in) {
    for (ngx_chain_t *link = in; link; link = link->next) {
        link->buf->pos = link->buf->last;
        link->buf->file_pos = link->buf->file_last;
    }
}

static ngx_int_t hold(ngx_rempart_waf_t *waf, ngx_buf_t *buf) {
    size_t n = (size_t)(buf->last - buf->pos);
    ngx_buf_t *copy = n > 0 ? ngx_create_temp_buf(waf->r->pool, n) : ngx_calloc_buf(waf->r->pool);
    ngx_chain_t *link = ngx_alloc_chain_link(waf->r->pool);
    if (!copy || !link) {
        return NGX_ERROR;
    }
    if (n > 0) {
        copy->last = ngx_cpymem(copy->last, buf->pos, n);
    }
    copy->flush = buf->flush;
    copy->sync = buf->sync || (n == 0 && !buf->flush);
    copy->last_buf = buf->last_buf;
    copy->last_in_chain = buf->last_in_chain;
    buf->pos = buf->last; /* the application's side may use it again */
    *link = (ngx_chain_t){.buf = copy, .next = NULL};
    *waf->held_end = link;
    waf->held_end = &link->next;
    waf->held_bytes += n;
    return NGX_OK;
}

static ngx_int_t let_go(ngx_rempart_waf_t *waf, ngx_chain_t *rest) {
    waf->holding = 0;
    waf->stage = NGX_REMPART_WAF_OVER;
    ngx_int_t rc = next_header_filter(waf->r);
    if (rc == NGX_ERROR || rc > NGX_OK || waf->r->header_only) {
        return rc;
    }
    *waf->held_end = rest;
    return next_body_filter(waf->r, waf->held);
}

static rp_err tell_piece(void *ctx, rp_view piece) {
    ngx_rempart_waf_t *waf = ctx;
    return rp_waf_tx_response_body(waf->tx, piece);
}

/* One byte over the limit is enough for the engine to know that there was more. */
static rp_err tell_body(ngx_rempart_waf_t *waf, rp_view bytes, uint64_t limit) {
    return waf->inflate ? judge_inflate_feed(waf->inflate, bytes, limit + 1, tell_piece, waf)
                        : tell_piece(waf, bytes);
}

static bool has_seen_enough(const ngx_rempart_waf_t *waf, uint64_t limit) {
    return waf->held_bytes >= limit || (waf->inflate && judge_inflate_is_over(waf->inflate));
}

/* Takes what comes until the end or the limit; then the rules are asked. */
static ngx_int_t gather(ngx_rempart_waf_t *waf, ngx_chain_t *in) {
    uint64_t limit = rp_waf_tx_response_limit(waf->tx);
    rp_err err = RP_OK;
    for (ngx_chain_t *link = in; link; link = link->next) {
        ngx_buf_t *buf = link->buf;
        bool last = buf->last_buf;
        if (rp_ok(err) && ngx_buf_in_memory(buf)) {
            err = tell_body(waf, rp_view_of(buf->pos, (size_t)(buf->last - buf->pos)), limit);
        }
        if (hold(waf, buf) != NGX_OK) {
            return NGX_ERROR;
        }
        if (rp_ok(err) && !last && !has_seen_enough(waf, limit)) {
            continue;
        }
        if (rp_ok(err)) {
            err = rp_waf_tx_response_body_done(waf->tx);
        }
        if (ngx_rempart_waf_verdict(waf, err) == NGX_BUSY) {
            consume(link->next);
            return replace(waf);
        }
        return let_go(waf, link->next);
    }
    return NGX_OK;
}

static ngx_int_t waf_body_filter(ngx_http_request_t *r, ngx_chain_t *in) {
    ngx_rempart_waf_t *waf = waf_of(r);
    if (waf && waf->holding) {
        return gather(waf, in);
    }
    if (waf && waf->swallowing && in) {
        consume(in);
        return NGX_OK;
    }
    return next_body_filter(r, in);
}

ngx_int_t ngx_rempart_waf_filters_init(ngx_conf_t *cf) {
    (void)cf;
    next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = waf_header_filter;
    next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = waf_body_filter;
    return NGX_OK;
}
