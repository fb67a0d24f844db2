/* ngx_rempart_waf_access.c — the request is judged: its head at once, its body when it stands
 * there, and all of it only once, whatever internal redirects follow. */
#include "ngx_rempart_waf.h"

#include "shield/clock_io.h"

enum {
    ARENA_BYTES = 64 << 20,  /* at most, for one request: what no honest one comes near */
    SEATS_KEPT = 32,         /* idle ones that a worker keeps */
    LARGE_KEPT = 2,          /* of these, such that keep what a long body took: one a thread */
    LARGE_BYTES = 512 << 10, /* so much of it */
    SMALL_BYTES = 64 << 10,  /* and the others this: an honest request without a body */
    THREAD_BYTES = 4 * 1024, /* longer bodies do not hold up the others */
    LOOP_STEPS = 100 * 1000  /* nor does what took so much of a phase: a GET's five times */
};

/* ---- seats ---- */

static ngx_rempart_seat_t idle_seats[SEATS_KEPT]; /* of this worker's only loop */
static ngx_uint_t idle_count;

static ngx_rempart_seat_t seat_take(void) {
    return idle_count > 0 ? idle_seats[--idle_count]
                          : (ngx_rempart_seat_t){rp_arena_new(ARENA_BYTES), rp_waf_kept_new()};
}

static void seat_give(ngx_rempart_seat_t seat) {
    if (idle_count == SEATS_KEPT || !seat.arena) {
        rp_arena_free(seat.arena);
        rp_waf_kept_free(seat.kept);
        return;
    }
    rp_arena_reuse(seat.arena, idle_count < LARGE_KEPT ? LARGE_BYTES : SMALL_BYTES);
    idle_seats[idle_count++] = seat;
}

/* ---- birth and death ---- */

static void waf_done(void *data) {
    ngx_rempart_waf_t *waf = data;
    rp_waf_tx_done(waf->tx);
    seat_give(waf->seat);
}

static rp_view printed(ngx_http_request_t *r, struct sockaddr *address, socklen_t length) {
    u_char *text = ngx_pnalloc(r->pool, NGX_SOCKADDR_STRLEN);
    size_t n = text ? ngx_sock_ntop(address, length, text, NGX_SOCKADDR_STRLEN, 0) : 0;
    return rp_view_of(text, n);
}

rp_err ngx_rempart_waf_start(ngx_rempart_waf_t *waf, ngx_rempart_ctx_t *ctx) {
    ngx_http_request_t *r = waf->r;
    ngx_connection_t *c = r->connection;
    if (ngx_connection_local_sockaddr(c, NULL, 0) != NGX_OK) {
        return RP_ERR(SYSTEM);
    }
    const ngx_rempart_main_conf_t *main_conf =
        ngx_http_get_module_main_conf(r, ngx_http_rempart_module);
    struct rp_waf_site site = {
        .mode = (enum rp_waf_mode)waf->conf->mode,
        .portion = LOOP_STEPS,
        .clock = &rp_waf_clock,
        .over_budget_blocks = waf->conf->over_budget_blocks,
        .logged_only = true,
        .memory = main_conf->waf_memory->data,
        .kept = waf->seat.kept,
    };
    const ngx_rempart_loc_conf_t *lcf = ngx_http_get_module_loc_conf(r, ngx_http_rempart_module);
    RP_TRY(ngx_rempart_waf_spare(waf, ngx_rempart_view(lcf->app), &site));
    struct rp_waf_connection connection = {
        .client_address = ngx_rempart_view(c->addr_text),
        .server_address = printed(r, c->local_sockaddr, c->local_socklen),
        .client_port = ngx_inet_get_port(c->sockaddr),
        .server_port = ngx_inet_get_port(c->local_sockaddr),
        .server_name = ngx_rempart_view(r->headers_in.server),
        .unique_id = ngx_rempart_request_id(r, ctx),
        .now_ms = ngx_rempart_now_ms(),
    };
    return rp_waf_tx_new(waf->conf->image->waf, &site, &connection, waf->arena, &waf->tx);
}

ngx_rempart_waf_t *ngx_rempart_waf_new(ngx_http_request_t *r, const ngx_rempart_waf_conf_t *conf) {
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->pool, sizeof(ngx_rempart_waf_t));
    if (!cleanup) {
        return NULL;
    }
    ngx_rempart_waf_t *waf = cleanup->data;
    ngx_memzero(waf, sizeof *waf);
    cleanup->handler = waf_done;
    waf->r = r;
    waf->conf = conf;
    waf->seat = seat_take();
    waf->arena = waf->seat.arena;
    return waf->arena ? waf : NULL;
}

/* ---- verdicts ---- */

static ngx_int_t refused(ngx_rempart_waf_t *waf, enum judge_waf_refusal refusal, unsigned status) {
    ngx_rempart_ctx(waf->r, 1)->reason = refusal == JUDGE_WAF_LARGE   ? RP_GATE_REASON_TOO_LARGE
                                         : refusal == JUDGE_WAF_MODEL ? RP_GATE_REASON_MODEL
                                         : refusal == JUDGE_WAF_FAULT ? RP_GATE_REASON_INTERNAL
                                                                      : RP_GATE_REASON_RULE;
    waf->refusal = refusal;
    waf->refused_status = status;
    waf->stage = NGX_REMPART_WAF_OVER;
    return NGX_BUSY;
}

/* What could not be judged is refused where the firewall is on: an attacker must not choose. */
static ngx_int_t not_judged(ngx_rempart_waf_t *waf, rp_err err) {
    bool on = waf->conf->mode == RP_WAF_ON;
    if (on && err.code == RP_E_TOO_LARGE) {
        return refused(waf, JUDGE_WAF_LARGE, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE);
    }
    rp_view incident = ngx_rempart_request_id(waf->r, ngx_rempart_ctx(waf->r, 1));
    ngx_log_error(NGX_LOG_ERR, waf->r->connection->log, 0,
                  "rempart_waf: incident %*s could not be judged: %s", incident.n, incident.p,
                  rp_err_name(err));
    if (on) {
        return refused(waf, JUDGE_WAF_FAULT, NGX_HTTP_SERVICE_UNAVAILABLE);
    }
    waf->unseen = 1;
    waf->stage = NGX_REMPART_WAF_OVER;
    return NGX_OK;
}

ngx_int_t ngx_rempart_waf_verdict(ngx_rempart_waf_t *waf, rp_err err) {
    if (!rp_ok(err)) {
        return not_judged(waf, err);
    }
    const struct rp_waf_verdict *verdict = rp_waf_tx_verdict(waf->tx);
    if (verdict->action == RP_WAF_PASS) {
        /*= S58: what the application's model does not allow does not reach it. */
        bool model = waf->violation.violation != RP_VIOLATION_NONE && waf->conf->model_blocks &&
                     waf->stage < NGX_REMPART_WAF_REQUEST;
        return model ? refused(waf, JUDGE_WAF_MODEL, NGX_HTTP_FORBIDDEN) : NGX_OK;
    }
    bool answer = waf->stage >= NGX_REMPART_WAF_REQUEST;
    bool error = verdict->status >= 400 && verdict->status <= 599;
    bool on = verdict->action == RP_WAF_REDIRECT && verdict->status >= 300;
    return refused(waf,
                   answer                 ? JUDGE_WAF_ANSWER
                   : verdict->over_budget ? JUDGE_WAF_COST
                                          : JUDGE_WAF_RULE,
                   error || on ? verdict->status : NGX_HTTP_FORBIDDEN);
}

/* ---- the body ---- */

static bool has_body(const ngx_http_request_t *r) {
    bool open_stream = r->stream && !r->stream->in_closed;
    return r->headers_in.content_length_n > 0 || r->headers_in.chunked || open_stream;
}

/* The limit stands before anything is read, where the sender says how much comes. */
static bool too_long(const ngx_rempart_waf_t *waf) {
    off_t announced = waf->r->headers_in.content_length_n;
    return announced > 0 && !rp_waf_tx_takes(waf->tx, (uint64_t)announced);
}

static void body_was_read(ngx_http_request_t *r) {
    ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(r, 0);
    ctx->waf->stage = NGX_REMPART_WAF_BODY;
    r->preserve_body = 1; /* the application, or a page after an error, still wants it */
    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
}

static ngx_int_t read_body(ngx_rempart_waf_t *waf) {
    waf->stage = NGX_REMPART_WAF_READING;
    ngx_int_t rc = ngx_http_read_client_request_body(waf->r, body_was_read);
    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }
    ngx_http_finalize_request(waf->r, NGX_DONE);
    return NGX_DONE;
}

static ngx_int_t after_request(ngx_rempart_waf_t *waf, rp_err err) {
    waf->stage = NGX_REMPART_WAF_BODY;
    if (ngx_rempart_waf_verdict(waf, err) == NGX_BUSY) {
        return ngx_rempart_waf_refuse(waf);
    }
    if (waf->stage == NGX_REMPART_WAF_BODY) {
        waf->stage = NGX_REMPART_WAF_REQUEST;
        if (ngx_rempart_waf_verdict(waf, ngx_rempart_waf_ask_readable(waf)) == NGX_BUSY) {
            return ngx_rempart_waf_refuse(waf);
        }
    }
    return NGX_DECLINED;
}

/* ---- beside the loop ---- */

static rp_err go_on(ngx_rempart_waf_t *waf) {
    return rp_waf_tx_go_on(waf->tx);
}

/* The phase that the loop has begun is over, or what is left of it is for a thread. */
static ngx_int_t finish(ngx_rempart_waf_t *waf, rp_err err, ngx_rempart_waf_then_pt *then) {
    if (waf->tx && rp_waf_tx_is_paused(waf->tx)) {
        /*= S64: few bytes can take long, too; others do not wait for them either. */
        if (ngx_rempart_waf_in_thread(waf, go_on, then) == NGX_OK) {
            return NGX_AGAIN;
        }
        err = go_on(waf);
    }
    return then(waf, err);
}

static rp_err judge_all(ngx_rempart_waf_t *waf) {
    rp_err err = ngx_rempart_waf_tell_body(waf);
    return rp_ok(err) && rp_waf_tx_is_paused(waf->tx) ? go_on(waf) : err;
}

static ngx_int_t judge_body(ngx_rempart_waf_t *waf) {
    /*= S64: a long body is judged beside the loop, so that others do not wait for it. */
    if (ngx_rempart_waf_body_bytes(waf->r) > THREAD_BYTES &&
        ngx_rempart_waf_in_thread(waf, judge_all, after_request) == NGX_OK) {
        return NGX_AGAIN;
    }
    return finish(waf, ngx_rempart_waf_tell_body(waf), after_request);
}

/* ---- the head ---- */

static ngx_int_t after_head(ngx_rempart_waf_t *waf, rp_err err) {
    if (rp_ok(err)) {
        err = ngx_rempart_waf_model_head(waf, has_body(waf->r));
    }
    if (ngx_rempart_waf_verdict(waf, err) == NGX_BUSY) {
        return ngx_rempart_waf_refuse(waf);
    }
    if (waf->unseen) {
        return NGX_DECLINED;
    }
    if (waf->conf->stream) {
        rp_waf_tx_leave_body(waf->tx);
    }
    bool wanted = rp_waf_tx_wants_body(waf->tx) || ngx_rempart_waf_model_wants_body(waf);
    if (!has_body(waf->r) || !wanted) {
        return judge_body(waf);
    }
    if (too_long(waf)) {
        (void)refused(waf, JUDGE_WAF_LARGE, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE);
        return ngx_rempart_waf_refuse(waf);
    }
    return read_body(waf);
}

static ngx_int_t judge_head(ngx_rempart_waf_t *waf, ngx_rempart_ctx_t *ctx) {
    rp_err err = ngx_rempart_waf_start(waf, ctx);
    if (rp_ok(err)) {
        err = ngx_rempart_waf_tell_head(waf);
    }
    return finish(waf, err, after_head);
}

/* A request that was sent on internally is not judged again; the page of an error is none. */
static bool is_to_be_judged(const ngx_http_request_t *r, const ngx_rempart_loc_conf_t *lcf) {
    return lcf->waf.mode != RP_WAF_OFF && !r->error_page;
}

ngx_int_t ngx_rempart_waf_handler(ngx_http_request_t *r) {
    const ngx_rempart_loc_conf_t *lcf = ngx_http_get_module_loc_conf(r, ngx_http_rempart_module);
    if (r != r->main) {
        return NGX_DECLINED;
    }
    ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(r, is_to_be_judged(r, lcf));
    if (!ctx || !ctx->waf) {
        if (!is_to_be_judged(r, lcf)) {
            return NGX_DECLINED;
        }
        /*= S58: nothing reaches an application that the rules have not seen. */
        ngx_rempart_waf_t *waf = ctx ? ngx_rempart_waf_new(r, &lcf->waf) : NULL;
        if (!waf) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
        ctx->waf = waf;
        return judge_head(waf, ctx);
    }
    switch (ctx->waf->stage) {
    case NGX_REMPART_WAF_READING:
        /* While nginx reads, nobody runs the phases but the page of the error that the body had. */
        return r->err_status != 0 ? NGX_DECLINED : NGX_HTTP_BAD_REQUEST;
    case NGX_REMPART_WAF_THREAD:
        return NGX_AGAIN;
    case NGX_REMPART_WAF_BODY:
        return judge_body(ctx->waf);
    case NGX_REMPART_WAF_THREAD_DONE:
        return ctx->waf->then(ctx->waf, ctx->waf->err);
    case NGX_REMPART_WAF_HEAD:
    case NGX_REMPART_WAF_REQUEST:
    case NGX_REMPART_WAF_ANSWER:
    case NGX_REMPART_WAF_OVER:
        break;
    }
    return NGX_DECLINED;
}
