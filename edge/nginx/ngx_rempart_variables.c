/* ngx_rempart_variables.c — $rempart_lang (fr, en), $rempart_form (html, json) choose an error
 * page, $rempart_denied (403, or 4031 for whom a list refused) and $rempart_busy (503,
 * or 5031 for whom a puzzle is asked) which of two; $rempart_challenge is the puzzle's cookie;
 * $rempart_client is whom limits count; $rempart_app tells core for which application an
 * assertion is asked; $rempart_request_id is nginx's $request_id without asking OpenSSL for chance,
 * which costs a system call each time. */
#include "ngx_rempart.h"

#include "judge/accept.h"
#include "judge/cookie.h"

static rp_view header_value(const ngx_table_elt_t *header) {
    return header ? ngx_rempart_view(header->value) : (rp_view){NULL, 0};
}

static ngx_int_t give(ngx_http_variable_value_t *value, rp_view text) {
    value->data = (u_char *)(uintptr_t)text.p;
    value->len = (unsigned)text.n & 0xfffffff;
    value->valid = 1;
    value->no_cacheable = 1;
    value->not_found = 0;
    return NGX_OK;
}

/* What the person chose on our pages, else what the browser says. */
static ngx_int_t get_lang(ngx_http_request_t *r, ngx_http_variable_value_t *value, uintptr_t data) {
    (void)data;
    ngx_table_elt_t *const *cookies = r->headers_in.cookies.elts;
    for (ngx_uint_t i = 0; i < r->headers_in.cookies.nelts; i++) {
        rp_view chosen =
            judge_cookie_get(ngx_rempart_view(cookies[i]->value), RP_VIEW(JUDGE_COOKIE "-lang"));
        if (rp_view_equal(chosen, RP_VIEW("fr")) || rp_view_equal(chosen, RP_VIEW("en"))) {
            return give(value, chosen);
        }
    }
    enum rp_lang lang = judge_language(header_value(r->headers_in.accept_language));
    return give(value, lang == RP_FR ? RP_VIEW("fr") : RP_VIEW("en"));
}

static ngx_int_t get_form(ngx_http_request_t *r, ngx_http_variable_value_t *value, uintptr_t data) {
    (void)data;
    rp_view accept = header_value(r->headers_in.accept);
    bool api = rp_view_starts(ngx_rempart_view(r->uri), RP_VIEW("/.rempart/api/"));
    bool json = judge_wants_json(accept) || (api && !judge_accepts_html(accept));
    return give(value, json ? RP_VIEW("json") : RP_VIEW("html"));
}

/* Whom limits count: an IPv4 address, or the /64 of an IPv6 one, because a single subscriber has
 * all of that. */
static ngx_int_t get_client(ngx_http_request_t *r, ngx_http_variable_value_t *value,
                            uintptr_t data) {
    (void)data;
    const struct sockaddr *from = r->connection->sockaddr;
    if (from->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)from;
        return give(value, rp_view_of(&v4->sin_addr, sizeof v4->sin_addr));
    }
    if (from->sa_family != AF_INET6) {
        return give(value, RP_VIEW("local"));
    }
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const struct sockaddr_in6 *v6 = (const void *)from;
    const uint8_t *address = v6->sin6_addr.s6_addr;
    bool v4 = ngx_memcmp(address, mapped, sizeof mapped) == 0;
    return give(value, v4 ? rp_view_of(address + 12, 4) : rp_view_of(address, 8));
}

/* Seconds until the next request may come. */
static ngx_int_t get_wait(ngx_http_request_t *r, ngx_http_variable_value_t *value, uintptr_t data) {
    (void)data;
    const ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(r, 0);
    u_char *text = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (!text) {
        return NGX_ERROR;
    }
    ngx_uint_t seconds = ctx && ctx->wait_s > 0 ? ctx->wait_s : 1;
    u_char *end = ngx_sprintf(text, "%ui", seconds);
    return give(value, rp_view_of(text, (size_t)(end - text)));
}

static ngx_int_t get_denied(ngx_http_request_t *r, ngx_http_variable_value_t *value,
                            uintptr_t data) {
    (void)data;
    const ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(r, 0);
    return give(value,
                ctx && ctx->reason == RP_GATE_REASON_LIST ? RP_VIEW("4031") : RP_VIEW("403"));
}

static ngx_int_t get_busy(ngx_http_request_t *r, ngx_http_variable_value_t *value, uintptr_t data) {
    (void)data;
    const ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(r, 0);
    bool asked = ctx && ctx->reason == RP_GATE_REASON_CHALLENGE;
    return give(value, asked ? RP_VIEW("5031") : RP_VIEW("503"));
}

static ngx_int_t get_challenge(ngx_http_request_t *r, ngx_http_variable_value_t *value,
                               uintptr_t data) {
    (void)data;
    rp_view cookie;
    return ngx_rempart_challenge_cookie(r, &cookie) == NGX_OK ? give(value, cookie) : NGX_ERROR;
}

static ngx_int_t get_app(ngx_http_request_t *r, ngx_http_variable_value_t *value, uintptr_t data) {
    (void)data;
    const ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(r, 0);
    return give(value, ctx ? ngx_rempart_view(ctx->app) : RP_VIEW(""));
}

rp_view ngx_rempart_request_id(ngx_http_request_t *r, ngx_rempart_ctx_t *ctx) {
    if (ctx->request_id[0] == '\0') {
        ngx_rempart_main_conf_t *main_conf =
            ngx_http_get_module_main_conf(r, ngx_http_rempart_module);
        struct judge_request_id id =
            judge_request_id(main_conf->salt, (uint64_t)ngx_pid, main_conf->requests++);
        _Static_assert(sizeof ctx->request_id == sizeof id.s, "room for a name");
        ngx_memcpy(ctx->request_id, id.s, sizeof id.s);
    }
    return rp_view_of(ctx->request_id, sizeof ctx->request_id);
}

static ngx_int_t get_request_id(ngx_http_request_t *r, ngx_http_variable_value_t *value,
                                uintptr_t data) {
    (void)data;
    ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(r, 1);
    if (!ctx) {
        return NGX_ERROR;
    }
    give(value, ngx_rempart_request_id(r, ctx));
    value->no_cacheable = 0; /* one request, one name */
    return NGX_OK;
}

ngx_int_t ngx_rempart_add_variables(ngx_conf_t *cf) {
    static struct {
        ngx_str_t name;
        ngx_http_get_variable_pt get;
        ngx_uint_t flags;
    } variables[] = {{ngx_string("rempart_lang"), get_lang, NGX_HTTP_VAR_NOCACHEABLE},
                     {ngx_string("rempart_form"), get_form, NGX_HTTP_VAR_NOCACHEABLE},
                     {ngx_string("rempart_app"), get_app, NGX_HTTP_VAR_NOCACHEABLE},
                     {ngx_string("rempart_denied"), get_denied, NGX_HTTP_VAR_NOCACHEABLE},
                     {ngx_string("rempart_busy"), get_busy, NGX_HTTP_VAR_NOCACHEABLE},
                     {ngx_string("rempart_challenge"), get_challenge, NGX_HTTP_VAR_NOCACHEABLE},
                     {ngx_string("rempart_wait"), get_wait, NGX_HTTP_VAR_NOCACHEABLE},
                     {ngx_string("rempart_client"), get_client, NGX_HTTP_VAR_NOCACHEABLE},
                     {ngx_string("rempart_request_id"), get_request_id, 0}};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        ngx_http_variable_t *variable =
            ngx_http_add_variable(cf, &variables[i].name, variables[i].flags);
        if (!variable) {
            return NGX_ERROR;
        }
        variable->get_handler = variables[i].get;
    }
    return NGX_OK;
}
