/* ngx_rempart_variables.c — $rempart_lang (fr, en), $rempart_form (html, json) choose an error
 * page; $rempart_app tells core for which application an assertion is asked. */
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

static ngx_int_t get_app(ngx_http_request_t *r, ngx_http_variable_value_t *value, uintptr_t data) {
    (void)data;
    const ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(r, 0);
    return give(value, ctx ? ngx_rempart_view(ctx->app) : RP_VIEW(""));
}

ngx_int_t ngx_rempart_add_variables(ngx_conf_t *cf) {
    static struct {
        ngx_str_t name;
        ngx_http_get_variable_pt get;
    } variables[] = {{ngx_string("rempart_lang"), get_lang},
                     {ngx_string("rempart_form"), get_form},
                     {ngx_string("rempart_app"), get_app}};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        ngx_http_variable_t *variable =
            ngx_http_add_variable(cf, &variables[i].name, NGX_HTTP_VAR_NOCACHEABLE);
        if (!variable) {
            return NGX_ERROR;
        }
        variable->get_handler = variables[i].get;
    }
    return NGX_OK;
}
