/* ngx_rempart_access.c — may this request go on, and as whom: the access phase.
 *
 * The visitor is looked up; a place that needs a person sends strangers to sign in. For an
 * application the assertion is copied from the table; when there is none, core is asked by a
 * subrequest and the table is looked at again. Then the headers are rewritten, whoever came.
 */
#include "ngx_rempart.h"

#include "judge/answer.h"
#include "judge/cookie.h"
#include "judge/plain.h"

static ngx_str_t assert_location = ngx_string("/.rempart/internal/assert");

int64_t ngx_rempart_now_ms(void) {
    ngx_time_t *now = ngx_timeofday();
    return (int64_t)now->sec * 1000 + (int64_t)now->msec;
}

/* ---- the context ---- */

/* Only marks the context in the pool: an internal redirect forgets contexts, not the pool. */
static void context_mark(void *data) {
    (void)data;
}

static ngx_rempart_ctx_t *find_in_pool(const ngx_http_request_t *r) {
    for (ngx_pool_cleanup_t *cleanup = r->pool->cleanup; cleanup; cleanup = cleanup->next) {
        if (cleanup->handler == context_mark) {
            return cleanup->data;
        }
    }
    return NULL;
}

ngx_rempart_ctx_t *ngx_rempart_ctx(ngx_http_request_t *r, ngx_flag_t create) {
    r = r->main;
    ngx_rempart_ctx_t *ctx = ngx_http_get_module_ctx(r, ngx_http_rempart_module);
    if (!ctx && r->internal) {
        ctx = find_in_pool(r);
    }
    if (!ctx && create) {
        ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->pool, sizeof *ctx);
        if (!cleanup) {
            return NULL;
        }
        ngx_memzero(cleanup->data, sizeof *ctx);
        cleanup->handler = context_mark;
        ctx = cleanup->data;
    }
    if (ctx) {
        ngx_http_set_ctx(r, ctx, ngx_http_rempart_module);
    }
    return ctx;
}

/* ---- refusals ---- */

static ngx_int_t redirect(ngx_http_request_t *r, rp_view location) {
    ngx_table_elt_t *header = ngx_list_push(&r->headers_out.headers);
    u_char *text = ngx_pnalloc(r->pool, location.n);
    if (!header || !text) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ngx_memcpy(text, location.p, location.n);
    header->hash = 1;
    ngx_str_set(&header->key, "Location");
    header->value.data = text;
    header->value.len = location.n;
    ngx_http_clear_location(r);
    r->headers_out.location = header;
    return NGX_HTTP_MOVED_TEMPORARILY;
}

static ngx_int_t refuse(ngx_http_request_t *r, ngx_rempart_ctx_t *ctx, enum rp_gate_reason reason) {
    ctx->reason = reason;
    ngx_table_elt_t *accept = r->headers_in.accept;
    struct judge_request request = {
        .method = ngx_rempart_view(r->method_name),
        .uri = ngx_rempart_view(r->unparsed_uri),
        .accept = accept ? ngx_rempart_view(accept->value) : (rp_view){NULL, 0},
    };
    if (judge_can_sign_in(&request, reason)) {
        uint8_t location[JUDGE_LOCATION_MAX];
        return redirect(r, judge_sign_in_location(reason, request.uri, location));
    }
    return (ngx_int_t)judge_status(reason);
}

/* ---- the visitor ---- */

static rp_view session_cookie(const ngx_http_request_t *r) {
    rp_view value = {NULL, 0};
    unsigned count = 0;
    ngx_table_elt_t *const *cookies = r->headers_in.cookies.elts;
    for (ngx_uint_t i = 0; i < r->headers_in.cookies.nelts; i++) {
        judge_cookie_scan(ngx_rempart_view(cookies[i]->value), &count, &value);
    }
    return count == 1 ? value : (rp_view){NULL, 0};
}

static ngx_int_t judge(ngx_http_request_t *r, ngx_rempart_ctx_t *ctx,
                       const ngx_rempart_main_conf_t *main_conf,
                       const ngx_rempart_loc_conf_t *lcf) {
    /* What lists and the firewall said of the request stays true at the place it is sent on to. */
    ngx_rempart_ctx_t fresh = {.judged_by = lcf, .allowed = ctx->allowed, .waf = ctx->waf};
    ngx_memcpy(fresh.request_id, ctx->request_id, sizeof fresh.request_id);
    *ctx = fresh;
    ctx->app = lcf->app;
    /* Rules by path stand or fall with both sides reading the same path. */
    if (lcf->plain_paths && !judge_path_is_plain(ngx_rempart_view(r->unparsed_uri))) {
        return refuse(r, ctx, RP_GATE_REASON_BAD_REQUEST);
    }
    struct judge_tables tables = worker_tables_view(&main_conf->tables);
    struct judge_rule rule = {.need = (enum judge_need)lcf->need,
                              .least_acr = (enum rp_acr)lcf->least_acr};
    enum rp_gate_reason reason =
        judge_visitor(&tables, rule, session_cookie(r), ngx_rempart_now_ms(), &ctx->visitor);
    if (reason != RP_GATE_REASON_NONE) {
        return refuse(r, ctx, reason);
    }
    return ngx_rempart_limit_visitor(r, ctx) == NGX_OK ? NGX_OK
                                                       : refuse(r, ctx, RP_GATE_REASON_RATE);
}

/* ---- the assertion ---- */

static ngx_int_t core_answered(ngx_http_request_t *r, void *data, ngx_int_t rc) {
    ngx_rempart_ctx_t *ctx = data;
    ctx->answered = 1;
    ctx->answer = rc >= NGX_HTTP_SPECIAL_RESPONSE ? (ngx_uint_t)rc : r->headers_out.status;
    return rc;
}

static ngx_int_t ask_core(ngx_http_request_t *r, ngx_rempart_ctx_t *ctx) {
    ngx_http_post_subrequest_t *then = ngx_palloc(r->pool, sizeof *then);
    if (!then) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    then->handler = core_answered;
    then->data = ctx;
    ngx_http_request_t *subrequest;
    if (ngx_http_subrequest(r, &assert_location, NULL, &subrequest, then,
                            NGX_HTTP_SUBREQUEST_WAITED) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    /* As ngx_http_auth_request_module does: only the status counts, and no body is sent along. */
    subrequest->request_body = ngx_pcalloc(r->pool, sizeof(ngx_http_request_body_t));
    if (!subrequest->request_body) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    subrequest->header_only = 1;
    ctx->asked++;
    ctx->answered = 0;
    return NGX_AGAIN;
}

/* Core knows better than the table: the session may be gone, or the person may have lost the
 * right. Its silence is no refusal of the person. */
static enum rp_gate_reason reason_of_answer(ngx_uint_t status) {
    if (status == NGX_HTTP_UNAUTHORIZED) {
        return RP_GATE_REASON_NO_SESSION;
    }
    return status == NGX_HTTP_FORBIDDEN ? RP_GATE_REASON_DENIED : RP_GATE_REASON_CORE_DOWN;
}

static ngx_int_t let_through(ngx_http_request_t *r, ngx_rempart_ctx_t *ctx,
                             const struct rp_assertion_entry *entry) {
    return ngx_rempart_rewrite_headers(r, ctx->judged_by, ctx, entry) == NGX_OK
               ? NGX_DECLINED
               : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

static ngx_int_t with_assertion(ngx_http_request_t *r, ngx_rempart_ctx_t *ctx,
                                const ngx_rempart_main_conf_t *main_conf) {
    struct judge_tables tables = worker_tables_view(&main_conf->tables);
    uint8_t texts[RP_ASSERTION_BYTES];
    struct rp_assertion_entry entry;
    bool refused = ctx->answered && reason_of_answer(ctx->answer) != RP_GATE_REASON_CORE_DOWN;
    rp_err err =
        refused ? RP_ERR(DENIED)
                : judge_assertion(&tables, ctx->visitor.session.session, ngx_rempart_view(ctx->app),
                                  ngx_rempart_now_ms(), ctx->answered, texts, &entry);
    if (rp_ok(err)) {
        return let_through(r, ctx, &entry);
    }
    /* Once more where core made one and it is not to be found: another request's took its place at
     * this moment, or core began anew. */
    bool lost = ctx->asked == 1 && ctx->answer == NGX_HTTP_NO_CONTENT;
    if (ctx->asked == 0 || lost) {
        return ask_core(r, ctx);
    }
    ctx->visitor.known = false;
    if (ctx->judged_by->need == JUDGE_NEED_OPTIONAL) {
        return let_through(r, ctx, NULL);
    }
    return refuse(r, ctx, reason_of_answer(ctx->answer));
}

static bool host_is_plain(const ngx_http_request_t *r) {
    const ngx_table_elt_t *host = r->headers_in.host;
    return !host || judge_host_is_plain(ngx_rempart_view(host->value),
                                        ngx_rempart_view(r->headers_in.server));
}

ngx_int_t ngx_rempart_access_handler(ngx_http_request_t *r) {
    const ngx_rempart_loc_conf_t *lcf = ngx_http_get_module_loc_conf(r, ngx_http_rempart_module);
    ngx_rempart_main_conf_t *main_conf = ngx_http_get_module_main_conf(r, ngx_http_rempart_module);
    if (r != r->main || main_conf->state.len == 0) {
        return NGX_DECLINED;
    }
    bool plain = host_is_plain(r);
    if (plain && lcf->need == JUDGE_NEED_NONE && lcf->app.len == 0) {
        return NGX_DECLINED;
    }
    ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(r, 1);
    if (!ctx) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (!plain) {
        return refuse(r, ctx, RP_GATE_REASON_BAD_REQUEST);
    }
    worker_tables_keep_up(&main_conf->tables);
    if (ctx->judged_by != lcf) {
        ngx_int_t rc = judge(r, ctx, main_conf, lcf);
        if (rc != NGX_OK) {
            return rc;
        }
    } else if (ctx->asked && !ctx->answered) {
        return NGX_AGAIN;
    }
    if (lcf->app.len == 0) {
        return NGX_DECLINED;
    }
    return ctx->visitor.known ? with_assertion(r, ctx, main_conf) : let_through(r, ctx, NULL);
}
