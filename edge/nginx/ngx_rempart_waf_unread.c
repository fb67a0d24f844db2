/* ngx_rempart_waf_unread.c — a request that nginx refuses before any phase: a line or a header that
 * it does not take, no host, a version that nobody speaks.
 *
 * It reaches no application, but who sends it is to be seen like any other: its head is judged for
 * the log, as far as it has come, when nginx has answered. So many a second and worker, since no
 * limit counts such requests.
 */
#include "ngx_rempart_waf.h"

enum { JUDGED_A_SECOND = 50 };

/* What nginx says by itself of a head that it did not take. */
static bool is_of_the_head(ngx_uint_t status) {
    return status == NGX_HTTP_BAD_REQUEST || status == NGX_HTTP_REQUEST_URI_TOO_LARGE ||
           status == NGX_HTTP_REQUEST_HEADER_TOO_LARGE || status == NGX_HTTP_NOT_IMPLEMENTED ||
           status == NGX_HTTP_VERSION_NOT_SUPPORTED;
}

/* No phase has run but those of the error's own page. Over HTTP/2 there is no head in a buffer. */
static bool is_unread(const ngx_http_request_t *r) {
    ngx_uint_t status = r->err_status ? r->err_status : r->headers_out.status;
    return r == r->main && !r->stream && is_of_the_head(status) &&
           (!r->valid_location || r->error_page) && r->header_in && r->request_start;
}

static bool has_time(void) {
    static time_t second; /* of this worker's only loop */
    static ngx_uint_t judged;
    if (ngx_time() != second) {
        second = ngx_time();
        judged = 0;
    }
    return judged++ < JUDGED_A_SECOND;
}

void ngx_rempart_waf_look_at_unread(ngx_http_request_t *r) {
    const ngx_rempart_loc_conf_t *lcf = ngx_http_get_module_loc_conf(r, ngx_http_rempart_module);
    const ngx_rempart_ctx_t *before = ngx_rempart_ctx(r, 0);
    if (lcf->waf.mode == RP_WAF_OFF || (before && before->waf) || !is_unread(r) || !has_time()) {
        return;
    }
    ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(r, 1);
    ngx_rempart_waf_t *waf = ctx ? ngx_rempart_waf_new(r, &lcf->waf) : NULL;
    if (!waf) {
        return;
    }
    waf->unread = 1;
    rp_err err = ngx_rempart_waf_start(waf, ctx);
    if (rp_ok(err)) {
        err = ngx_rempart_waf_tell_unread(waf);
    }
    if (!rp_ok(err)) { /* nothing is lost but a line of the log */
        ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                      "rempart_waf: a refused request could not be judged: %s", rp_err_name(err));
        return;
    }
    ctx->waf = waf;
}
