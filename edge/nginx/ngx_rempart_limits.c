/* ngx_rempart_limits.c — who asks too often is told when to come back: before anything is judged by
 * address, network and route; once it is known who is there, by session and tenant. */
#include "ngx_rempart.h"

enum { KEY_MAX = 96 };

static bool take(void *table, enum rp_limit_kind kind, struct rp_limit limit, rp_view who,
                 uint32_t *ret_wait_ms) {
    uint64_t now_us = (uint64_t)ngx_rempart_now_ms() * 1000;
    return limit.interval_us == 0 ||
           rp_limits_take(table, rp_limits_key(table, kind, who), limit, now_us, ret_wait_ms);
}

static ngx_int_t too_many(ngx_rempart_ctx_t *ctx, uint32_t wait_ms) {
    ctx->reason = RP_GATE_REASON_RATE;
    ctx->wait_s = wait_ms / 1000 + 1;
    return NGX_BUSY;
}

bool ngx_rempart_client_of(const ngx_http_request_t *r, rp_view *ret_address,
                           rp_view *ret_network) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const struct sockaddr *from = r->connection->sockaddr;
    if (from->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)from;
        *ret_address = rp_view_of(&v4->sin_addr, 4);
        *ret_network = rp_view_of(&v4->sin_addr, 3);
        return true;
    }
    if (from->sa_family != AF_INET6) {
        return false;
    }
    const uint8_t *v6 = ((const struct sockaddr_in6 *)(const void *)from)->sin6_addr.s6_addr;
    bool v4 = rp_view_equal(rp_view_of(v6, sizeof mapped), rp_view_of(mapped, sizeof mapped));
    *ret_address = v4 ? rp_view_of(v6 + 12, 4) : rp_view_of(v6, 8);
    *ret_network = v4 ? rp_view_of(v6 + 12, 3) : rp_view_of(v6, 8);
    return true;
}

/* The address within one place of the configuration. */
static rp_view route_of(ngx_http_request_t *r, rp_view address, u_char out[static KEY_MAX]) {
    const ngx_http_core_loc_conf_t *place = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    size_t n = ngx_min(place->name.len, KEY_MAX - address.n);
    ngx_memcpy(out, address.p, address.n);
    if (n > 0) {
        ngx_memcpy(out + address.n, place->name.data, n);
    }
    return rp_view_of(out, address.n + n);
}

ngx_int_t ngx_rempart_limit_handler(ngx_http_request_t *r) {
    const ngx_rempart_loc_conf_t *lcf = ngx_http_get_module_loc_conf(r, ngx_http_rempart_module);
    ngx_rempart_main_conf_t *main_conf = ngx_http_get_module_main_conf(r, ngx_http_rempart_module);
    void *table = main_conf->tables.limits.shm.p;
    rp_view address, network;
    if (r != r->main || r->internal || !table || !ngx_rempart_client_of(r, &address, &network)) {
        return NGX_DECLINED;
    }
    ngx_rempart_ctx_t *known = ngx_rempart_ctx(r, 0);
    if (known && known->allowed) {
        return NGX_DECLINED;
    }
    u_char key[KEY_MAX];
    uint32_t wait_ms = 0;
    /*= S51, S52: a flood from some addresses is refused before it costs anybody else. */
    bool few = take(table, RP_LIMIT_ADDRESS, lcf->limits[RP_LIMIT_ADDRESS], address, &wait_ms) &&
               take(table, RP_LIMIT_NETWORK, lcf->limits[RP_LIMIT_NETWORK], network, &wait_ms) &&
               take(table, RP_LIMIT_ROUTE, lcf->limits[RP_LIMIT_ROUTE], route_of(r, address, key),
                    &wait_ms);
    if (few) {
        return NGX_DECLINED;
    }
    ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(r, 1);
    if (!ctx) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    (void)too_many(ctx, wait_ms);
    return NGX_HTTP_TOO_MANY_REQUESTS;
}

ngx_int_t ngx_rempart_limit_visitor(ngx_http_request_t *r, ngx_rempart_ctx_t *ctx) {
    const ngx_rempart_loc_conf_t *lcf = ctx->judged_by;
    ngx_rempart_main_conf_t *main_conf = ngx_http_get_module_main_conf(r, ngx_http_rempart_module);
    void *table = main_conf->tables.limits.shm.p;
    if (!table || !ctx->visitor.known || ctx->allowed) {
        return NGX_OK;
    }
    const struct rp_session_view *session = &ctx->visitor.session;
    uint32_t wait_ms = 0;
    bool few = take(table, RP_LIMIT_SESSION, lcf->limits[RP_LIMIT_SESSION],
                    rp_view_of(&session->session, sizeof session->session), &wait_ms) &&
               take(table, RP_LIMIT_TENANT, lcf->limits[RP_LIMIT_TENANT],
                    rp_view_of(&session->tenant, sizeof session->tenant), &wait_ms);
    return few ? NGX_OK : too_many(ctx, wait_ms);
}
