/* ngx_rempart_waf_request.c — the request, judged in the access phase before anybody asks who is
 * there: its line and headers, then its body when the rules want one. */
#include "ngx_rempart.h"

#include "judge/record.h"

/* What one request may use; a worker keeps a few arenas for the next ones. */
enum { ARENA_MAX = 64 << 20, ARENAS_KEPT = 16, PIECE = 64 * 1024 };

static struct rp_arena *spare[ARENAS_KEPT]; /* of this worker, which has one thread */
static size_t spare_count;

static void give_back(void *data) {
    ngx_rempart_waf_t *waf = data;
    rp_waf_tx_done(waf->tx);
    if (!waf->arena) {
        return;
    }
    rp_arena_reset(waf->arena);
    if (spare_count < ARENAS_KEPT) {
        spare[spare_count++] = waf->arena;
    } else {
        rp_arena_free(waf->arena);
    }
}

static struct rp_arena *take_arena(void) {
    return spare_count > 0 ? spare[--spare_count] : rp_arena_new(ARENA_MAX);
}

/* ---- a new judgement ---- */

static rp_view text_of(ngx_str_t text) {
    return ngx_rempart_view(text);
}

static rp_view server_address(ngx_http_request_t *r, u_char *buffer) {
    ngx_str_t text = {.len = NGX_SOCKADDR_STRLEN, .data = buffer};
    return ngx_connection_local_sockaddr(r->connection, &text, 0) == NGX_OK ? text_of(text)
                                                                            : RP_VIEW("");
}

static rp_err begin(ngx_http_request_t *r, const ngx_rempart_loc_conf_t *lcf,
                    ngx_rempart_waf_t *waf) {
    const struct rp_waf_site site = {.mode = (enum rp_waf_mode)lcf->waf.mode,
                                     .over_budget_blocks = lcf->waf.over_budget_blocks == 1};
    u_char *buffer = ngx_pnalloc(r->pool, NGX_SOCKADDR_STRLEN);
    if (!buffer) {
        return RP_ERR(NO_MEMORY);
    }
    const struct rp_waf_connection connection = {
        .client_address = text_of(r->connection->addr_text),
        .server_address = server_address(r, buffer),
        .client_port = ngx_inet_get_port(r->connection->sockaddr),
        .server_port = ngx_inet_get_port(r->connection->local_sockaddr),
        .server_name = text_of(r->headers_in.server),
        .unique_id = rp_view_of(waf->incident, sizeof waf->incident),
        .now_ms = ngx_rempart_now_ms()};
    return rp_waf_tx_new(waf->image->waf, &site, &connection, waf->arena, &waf->tx);
}

static ngx_rempart_waf_t *new_judgement(ngx_http_request_t *r, ngx_rempart_main_conf_t *main_conf,
                                        const ngx_rempart_loc_conf_t *lcf) {
    ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(r, 1);
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->pool, sizeof(ngx_rempart_waf_t));
    if (!ctx || !cleanup) {
        return NULL;
    }
    ngx_rempart_waf_t *waf = cleanup->data;
    ngx_memzero(waf, sizeof *waf);
    cleanup->handler = give_back;
    struct judge_request_id id =
        judge_request_id(main_conf->salt, (uint64_t)ngx_pid, ++main_conf->requests);
    ngx_memcpy(waf->incident, id.s, sizeof waf->incident);
    waf->request = r;
    waf->image = lcf->waf.image;
    waf->kept_end = &waf->kept;
    waf->arena = take_arena();
    if (!waf->arena || !rp_ok(begin(r, lcf, waf))) {
        return NULL;
    }
    ctx->waf = waf;
    return waf;
}

/* ---- phase 1 ---- */

static rp_err give_headers(ngx_http_request_t *r, struct rp_waf_tx *tx) {
    for (const ngx_list_part_t *part = &r->headers_in.headers.part; part; part = part->next) {
        const ngx_table_elt_t *headers = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            RP_TRY(rp_waf_tx_header(tx, text_of(headers[i].key), text_of(headers[i].value)));
        }
    }
    return RP_OK;
}

static rp_err judge_head(ngx_http_request_t *r, ngx_rempart_waf_t *waf) {
    RP_TRY(rp_waf_tx_line(waf->tx, text_of(r->method_name), text_of(r->unparsed_uri),
                          text_of(r->http_protocol)));
    RP_TRY(give_headers(r, waf->tx));
    return rp_waf_tx_headers_done(waf->tx);
}

/* ---- phase 2 ---- */

static rp_err give_file(const ngx_buf_t *buf, struct rp_waf_tx *tx, ngx_pool_t *pool) {
    u_char *piece = ngx_pnalloc(pool, PIECE);
    if (!piece) {
        return RP_ERR(NO_MEMORY);
    }
    for (off_t at = buf->file_pos; at < buf->file_last;) {
        size_t want = (size_t)ngx_min(buf->file_last - at, (off_t)PIECE);
        ssize_t n = ngx_read_file(buf->file, piece, want, at);
        if (n <= 0) {
            return RP_ERR(IO);
        }
        RP_TRY(rp_waf_tx_body(tx, rp_view_of(piece, (size_t)n)));
        at += n;
    }
    return RP_OK;
}

static rp_err give_body(ngx_http_request_t *r, struct rp_waf_tx *tx) {
    const ngx_chain_t *link = r->request_body ? r->request_body->bufs : NULL;
    for (; link; link = link->next) {
        const ngx_buf_t *buf = link->buf;
        if (ngx_buf_in_memory(buf)) {
            RP_TRY(rp_waf_tx_body(tx, rp_view_of(buf->pos, (size_t)(buf->last - buf->pos))));
        } else if (buf->in_file) {
            RP_TRY(give_file(buf, tx, r->pool));
        }
    }
    return RP_OK;
}

static ngx_int_t refused_or_on(ngx_http_request_t *r, ngx_rempart_waf_t *waf, rp_err err) {
    if (rp_is(err, RP_E_TOO_LARGE)) {
        return ngx_rempart_waf_refuse(r, waf, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE);
    }
    if (!rp_ok(err)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "rempart_waf: not judged: %s",
                      rp_err_name(err));
        return NGX_HTTP_INTERNAL_SERVER_ERROR; /* what cannot be judged does not pass */
    }
    ngx_uint_t status = ngx_rempart_waf_verdict(waf);
    return status ? ngx_rempart_waf_refuse(r, waf, status) : NGX_DECLINED;
}

static ngx_int_t judge_body(ngx_http_request_t *r, ngx_rempart_waf_t *waf) {
    rp_err err = give_body(r, waf->tx);
    if (rp_ok(err)) {
        err = rp_waf_tx_body_done(waf->tx);
    }
    waf->request_done = 1;
    return refused_or_on(r, waf, err);
}

/* The whole body is there: the phases go on where they stood. */
static void body_is_there(ngx_http_request_t *r) {
    ngx_rempart_waf_t *waf = ngx_rempart_waf_of(r);
    r->main->count--;
    if (waf && waf->reading) {
        waf->reading = 0;
        r->write_event_handler = ngx_http_core_run_phases;
        ngx_http_core_run_phases(r);
    }
}

static ngx_int_t read_body(ngx_http_request_t *r, ngx_rempart_waf_t *waf) {
    r->request_body_in_single_buf = 1;
    r->request_body_in_persistent_file = 1;
    r->request_body_in_clean_file = 1;
    ngx_int_t rc = ngx_http_read_client_request_body(r, body_is_there);
    if (rc == NGX_AGAIN) {
        waf->reading = 1;
        return NGX_DONE;
    }
    return rc >= NGX_HTTP_SPECIAL_RESPONSE || rc == NGX_ERROR ? rc : judge_body(r, waf);
}

/* A length that no rule would look at is refused before it is read. */
static bool is_too_long(const ngx_http_request_t *r, const ngx_rempart_waf_t *waf) {
    off_t announced = r->headers_in.content_length_n;
    return announced > 0 && !rp_waf_tx_takes(waf->tx, (uint64_t)announced);
}

static ngx_int_t judge_request(ngx_http_request_t *r, const ngx_rempart_loc_conf_t *lcf,
                               ngx_rempart_waf_t *waf) {
    ngx_int_t rc = refused_or_on(r, waf, judge_head(r, waf));
    if (rc != NGX_DECLINED) {
        waf->request_done = 1;
        return rc;
    }
    bool has_body = r->headers_in.content_length_n > 0 || r->headers_in.chunked;
    if (lcf->waf.stream) {
        rp_waf_tx_leave_body(waf->tx);
    }
    if (!has_body || !rp_waf_tx_wants_body(waf->tx)) {
        return judge_body(r, waf);
    }
    if (is_too_long(r, waf)) {
        waf->request_done = 1;
        return ngx_rempart_waf_refuse(r, waf, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE);
    }
    return read_body(r, waf);
}

/*= S58, S64 */ /* every request of a place with rules is judged before anything answers it */
ngx_int_t ngx_rempart_waf_handler(ngx_http_request_t *r) {
    const ngx_rempart_loc_conf_t *lcf = ngx_http_get_module_loc_conf(r, ngx_http_rempart_module);
    if (r != r->main || lcf->waf.mode == RP_WAF_OFF || !lcf->waf.image) {
        return NGX_DECLINED;
    }
    ngx_rempart_main_conf_t *main_conf = ngx_http_get_module_main_conf(r, ngx_http_rempart_module);
    ngx_rempart_waf_t *waf = ngx_rempart_waf_of(r);
    if (waf) {
        if (waf->reading) {
            return NGX_DONE;
        }
        return waf->request_done ? NGX_DECLINED : judge_body(r, waf);
    }
    waf = new_judgement(r, main_conf, lcf);
    return waf ? judge_request(r, lcf, waf) : NGX_HTTP_INTERNAL_SERVER_ERROR;
}
