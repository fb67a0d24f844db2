/* ngx_rempart_lists.c — who may always come in, and who may not: before limits, rules and sessions.
 *
 * What comes over a local socket is no stranger's and is not judged.
 */
#include "ngx_rempart.h"

static bool ip_of(const ngx_http_request_t *r, struct rp_ip *ret_ip) {
    const struct sockaddr *from = r->connection->sockaddr;
    if (from->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)from;
        *ret_ip = rp_ip_of((const void *)&v4->sin_addr, 4);
        return true;
    }
    if (from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)from;
        *ret_ip = rp_ip_of(v6->sin6_addr.s6_addr, 16);
        return true;
    }
    return false;
}

static bool contains(ngx_str_t value, rp_view text) {
    for (size_t i = 0; i + text.n <= value.len; i++) {
        if (ngx_strncasecmp(value.data + i, (u_char *)(uintptr_t)text.p, text.n) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_header(const void *ctx, rp_view name, rp_view text) {
    const ngx_http_request_t *r = ctx;
    for (const ngx_list_part_t *part = &r->headers_in.headers.part; part; part = part->next) {
        const ngx_table_elt_t *headers = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (rp_view_equal_nocase(ngx_rempart_view(headers[i].key), name) &&
                contains(headers[i].value, text)) {
                return true;
            }
        }
    }
    return false;
}

/*= S58: deny lists refuse, allow lists let through, before anything else is judged. */
ngx_int_t ngx_rempart_lists_handler(ngx_http_request_t *r) {
    const ngx_rempart_main_conf_t *main_conf =
        ngx_http_get_module_main_conf(r, ngx_http_rempart_module);
    const void *table = main_conf->tables.lists.table;
    struct rp_ip ip;
    if (r != r->main || r->internal || !table || !ip_of(r, &ip)) {
        return NGX_DECLINED;
    }
    const struct rp_list_request request = {.address = &ip,
                                            .path = ngx_rempart_view(r->uri),
                                            .method = ngx_rempart_view(r->method_name),
                                            .has_header = has_header,
                                            .ctx = r,
                                            .now_s = ngx_time()};
    enum rp_list_verdict verdict = rp_lists_judge(table, &request);
    if (verdict == RP_LIST_SILENT) {
        return NGX_DECLINED;
    }
    ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(r, 1);
    if (!ctx) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (verdict == RP_LIST_ALLOWED) {
        ctx->allowed = 1;
        return NGX_DECLINED;
    }
    ctx->reason = RP_GATE_REASON_LIST;
    return NGX_HTTP_FORBIDDEN;
}
