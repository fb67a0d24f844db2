/* ngx_rempart_log.c — after each request: one record into this worker's ring, never a wait. */
#include "ngx_rempart.h"

#include "os/ring.h"
#include "wire/ip.h"

static rp_view address_of(const ngx_connection_t *c) {
    if (c->sockaddr->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)c->sockaddr;
        return rp_view_of(&v4->sin_addr, sizeof v4->sin_addr);
    }
    if (c->sockaddr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)c->sockaddr;
        return rp_view_of(&v6->sin6_addr, sizeof v6->sin6_addr);
    }
    return RP_VIEW("local");
}

static uint32_t duration_us(const ngx_http_request_t *r, int64_t now_ms) {
    int64_t start_ms = (int64_t)r->start_sec * 1000 + (int64_t)r->start_msec;
    int64_t took_ms = now_ms - start_ms;
    int64_t max_ms = UINT32_MAX / 1000;
    took_ms = took_ms < 0 ? 0 : took_ms > max_ms ? max_ms : took_ms;
    return (uint32_t)took_ms * 1000;
}

static unsigned status_of(const ngx_http_request_t *r) {
    ngx_uint_t status = r->err_status ? r->err_status : r->headers_out.status;
    return status <= 999 ? (unsigned)status : 0;
}

/* An upstream that answered gave its own status line. */
static bool answered_by_upstream(const ngx_http_request_t *r, unsigned status) {
    return r->upstream && r->upstream->headers_in.status_n == status;
}

/* Who really connected: realip has put the client in its place by now. */
static bool read_peer(ngx_http_request_t *r, struct rp_ip *ret_ip) {
    static u_char text[] = "realip_remote_addr";
    ngx_str_t name = {sizeof text - 1, text};
    const ngx_http_variable_value_t *value =
        ngx_http_get_variable(r, &name, ngx_hash_key(text, sizeof text - 1));
    return value && !value->not_found &&
           rp_ok(rp_ip_parse(rp_view_of(value->data, value->len), ret_ip));
}

/*= S50 */ /* what did not come by the declared provider, nor from this machine, is noted */
static bool is_direct(ngx_http_request_t *r, const ngx_rempart_main_conf_t *main_conf) {
    static const struct rp_ip_net here[] = {
        {.ip = {{[10] = 0xff, [11] = 0xff, [12] = 127}}, .bits = RP_IP_V4_BITS + 8},
        {.ip = {{[15] = 1}}, .bits = 128}};
    struct rp_ip peer;
    if (!main_conf->provider || !read_peer(r, &peer) || rp_ip_in(&peer, &here[0]) ||
        rp_ip_in(&peer, &here[1])) {
        return false;
    }
    const struct rp_ip_net *nets = main_conf->provider->elts;
    for (ngx_uint_t i = 0; i < main_conf->provider->nelts; i++) {
        if (rp_ip_in(&peer, &nets[i])) {
            return false;
        }
    }
    return true;
}

static struct judge_outcome outcome_of(ngx_http_request_t *r) {
    const ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(r, 0);
    int64_t now_ms = ngx_rempart_now_ms();
    unsigned status = status_of(r);
    return (struct judge_outcome){
        .reason = ctx ? ctx->reason : RP_GATE_REASON_NONE,
        .status = status,
        .answered_by_upstream = answered_by_upstream(r, status),
        .session = ctx && ctx->visitor.known,
        .method = ngx_rempart_view(r->method_name),
        .uri = ngx_rempart_view(r->unparsed_uri),
        .host = ngx_rempart_view(r->headers_in.server),
        .app = ctx ? ngx_rempart_view(ctx->app) : (rp_view){NULL, 0},
        .address = address_of(r->connection),
        .bytes = (uint64_t)r->connection->sent,
        .time_ms = now_ms,
        .duration_us = duration_us(r, now_ms),
    };
}

ngx_int_t ngx_rempart_log_handler(ngx_http_request_t *r) {
    const ngx_rempart_main_conf_t *main_conf =
        ngx_http_get_module_main_conf(r, ngx_http_rempart_module);
    struct judge_rules rules;
    bool ruled = ngx_rempart_waf_log(r, &rules);
    if (!main_conf->tables.ring.p) {
        return NGX_OK;
    }
    struct judge_outcome outcome = outcome_of(r);
    outcome.rules = ruled ? &rules : NULL;
    outcome.direct = is_direct(r, main_conf);
    struct rp_gate_record record;
    judge_record(&outcome, main_conf->salt, &record);
    /* A full ring counts; the ledger reads the count. */
    (void)rp_ring_put(main_conf->tables.ring.p, (const uint8_t *)&record);
    return NGX_OK;
}
