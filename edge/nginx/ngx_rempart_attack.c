/* ngx_rempart_attack.c — under attack: a stranger's browser works a little before the application
 * sees a request. Who is signed in, on an allow list, or has a pass goes on; so does everybody
 * while the mode is off and strangers come no faster than `rempart_limit strangers` says.
 */
#include "ngx_rempart.h"

#include "judge/cookie.h"

enum { CHALLENGE_TEXT = 80 };

/* The value of our cookie of that name. */
static rp_view cookie_of(const ngx_http_request_t *r, rp_view name) {
    rp_view value = {NULL, 0};
    ngx_table_elt_t *const *cookies = r->headers_in.cookies.elts;
    for (ngx_uint_t i = 0; i < r->headers_in.cookies.nelts && !value.p; i++) {
        value = judge_cookie_get(ngx_rempart_view(cookies[i]->value), name);
    }
    return value;
}

static bool is_signed_in(const ngx_http_request_t *r, const ngx_rempart_main_conf_t *main_conf) {
    static const struct judge_rule rule = {.need = JUDGE_NEED_REQUIRED, .least_acr = RP_ACR_PWD};
    struct judge_tables tables = worker_tables_view(&main_conf->tables);
    struct judge_visitor visitor;
    rp_view cookie = cookie_of(r, RP_VIEW(JUDGE_COOKIE));
    return cookie.p && judge_visitor(&tables, rule, cookie, ngx_rempart_now_ms(), &visitor) ==
                           RP_GATE_REASON_NONE;
}

/* The probes' own application: what they see there must not hang on the mode. */
static bool is_guarded(const ngx_rempart_loc_conf_t *lcf) {
    return lcf->app.len > 0 && !rp_view_equal(ngx_rempart_view(lcf->app), RP_VIEW("canary"));
}

/* More strangers than the operator expects, of all addresses together. */
static bool too_many_strangers(const ngx_rempart_main_conf_t *main_conf,
                               const ngx_rempart_loc_conf_t *lcf) {
    void *table = main_conf->tables.limits.shm.p;
    struct rp_limit limit = lcf->limits[RP_LIMIT_STRANGERS];
    uint32_t wait_ms = 0;
    if (!table || limit.interval_us == 0) {
        return false;
    }
    uint64_t key = rp_limits_key(table, RP_LIMIT_STRANGERS, ngx_rempart_view(lcf->app));
    return !rp_limits_take(table, key, limit, (uint64_t)ngx_rempart_now_ms() * 1000, &wait_ms);
}

/*= S51, S52: under attack, whoever is not known pays before the application does. */
ngx_int_t ngx_rempart_attack_handler(ngx_http_request_t *r) {
    const ngx_rempart_loc_conf_t *lcf = ngx_http_get_module_loc_conf(r, ngx_http_rempart_module);
    const ngx_rempart_main_conf_t *main_conf =
        ngx_http_get_module_main_conf(r, ngx_http_rempart_module);
    const struct rp_attack_table *table = main_conf->tables.attack.shm.p;
    rp_view address, network;
    if (r != r->main || r->internal || !is_guarded(lcf) || !table ||
        !ngx_rempart_client_of(r, &address, &network)) {
        return NGX_DECLINED;
    }
    bool on = rp_attack_is_on(table, ngx_rempart_view(lcf->app), ngx_time());
    if (!on && lcf->limits[RP_LIMIT_STRANGERS].interval_us == 0) {
        return NGX_DECLINED;
    }
    ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(r, 0);
    if ((ctx && ctx->allowed) || is_signed_in(r, main_conf) ||
        rp_attack_pass_is_good(table, address, cookie_of(r, RP_VIEW(JUDGE_COOKIE "-pass")),
                               ngx_time()) ||
        (!on && !too_many_strangers(main_conf, lcf))) {
        return NGX_DECLINED;
    }
    ctx = ngx_rempart_ctx(r, 1);
    if (!ctx) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ctx->reason = RP_GATE_REASON_CHALLENGE;
    return NGX_HTTP_SERVICE_UNAVAILABLE;
}

/* The question, as the cookie that the page's script reads; empty where nothing is asked. */
ngx_int_t ngx_rempart_challenge_cookie(ngx_http_request_t *r, rp_view *ret_cookie) {
    const ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(r, 0);
    const ngx_rempart_main_conf_t *main_conf =
        ngx_http_get_module_main_conf(r, ngx_http_rempart_module);
    const struct rp_attack_table *table = main_conf->tables.attack.shm.p;
    rp_view address, network;
    *ret_cookie = RP_VIEW("");
    if (!ctx || ctx->reason != RP_GATE_REASON_CHALLENGE || !table ||
        !ngx_rempart_client_of(r, &address, &network)) {
        return NGX_OK;
    }
    static const char name[] = JUDGE_COOKIE "-ask=";
    static const char rest[] = "; Path=/; Secure; SameSite=Lax; Max-Age=300";
    char challenge[RP_ATTACK_CHALLENGE];
    time_t end_s = ngx_time() + RP_ATTACK_PASS_S;
    rp_attack_challenge(table, address, end_s, challenge);
    u_char *text = ngx_pnalloc(r->pool, sizeof name + sizeof rest + CHALLENGE_TEXT);
    if (!text) {
        return NGX_ERROR;
    }
    u_char *end = ngx_sprintf(text, "%s%T.%*s.%d%s", name, end_s, (size_t)RP_ATTACK_CHALLENGE,
                              challenge, (int)RP_ATTACK_BITS, rest);
    *ret_cookie = rp_view_of(text, (size_t)(end - text));
    return NGX_OK;
}
