/* files.c — what is small and the same for everyone: the style sheet, keys, well-known texts. */
#include "base/assert.h"
#include "web/access.h"
#include "web/handlers.h"
#include "web/templates.h"

enum { SECURITY_TXT_DAYS = 180 };

/* The hash of its bytes is in its name, so that it may be kept for ever. */
rp_err rp_file_style(struct rp_request *request) {
    if (!rp_view_equal(request->path, rp_view_from_cstr(request->web->style_path))) {
        return RP_ERR(NOT_FOUND);
    }
    request->response.content_type = "text/css; charset=utf-8";
    request->response.cache = "public, max-age=31536000, immutable";
    rp_buf_add(&request->response.body, rp_asset_style_css);
    return RP_OK;
}

rp_err rp_file_jwks(struct rp_request *request) {
    if (!request->thread) {
        return RP_ERR(OVERLOAD);
    }
    RP_TRY(rp_jwks_fresh(request->web, request->thread));
    rp_buf_add(&request->response.body, rp_buf_view(&request->thread->jwks_text));
    request->response.content_type = "application/jwk-set+json";
    request->response.cache = "public, max-age=60";
    return RP_OK;
}

/* RFC 9116; Expires is always ahead, since it is printed when it is read. */
rp_err rp_file_security_txt(struct rp_request *request) {
    const struct rp_config *config = request->web->config;
    struct rp_buf *body = &request->response.body;
    bool address =
        rp_view_find_byte(rp_view_from_cstr(config->contact), '@') < strlen(config->contact);
    bool has_scheme =
        strncmp(config->contact, "mailto:", 7) == 0 || strncmp(config->contact, "https:", 6) == 0;
    rp_buf_printf(body, "Contact: %s%s\n", address && !has_scheme ? "mailto:" : "",
                  config->contact);
    struct rp_time_text expires =
        rp_time_print(rp_request_now_ms(request) / 1000 + SECURITY_TXT_DAYS * 86400);
    rp_buf_printf(body, "Expires: %s\n", expires.s);
    rp_buf_add_cstr(body, "Preferred-Languages: fr, en\n");
    if (config->bounty_url[0]) {
        rp_buf_printf(body, "Policy: %s\n", config->bounty_url);
    }
    request->response.content_type = "text/plain; charset=utf-8";
    return RP_OK;
}
