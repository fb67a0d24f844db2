/* files.c — what is small and the same for everyone: the style sheet, the script, keys, well-known
 * texts. */
#include "base/assert.h"
#include "base/checked.h"
#include "web/access.h"
#include "web/handlers.h"
#include "web/templates.h"

enum { SECURITY_TXT_DAYS = 180 };

/* The hash of its bytes is in its name, so that it may be kept for ever. */
rp_err rp_file_asset(struct rp_request *request) {
    const struct rp_web *web = request->web;
    const struct {
        const char *path, *type;
        rp_view bytes;
    } assets[] = {{web->style_path, "text/css; charset=utf-8", rp_asset_style_css},
                  {web->script_path, "text/javascript; charset=utf-8", rp_asset_passkey_js}};
    for (size_t i = 0; i < RP_COUNT_OF(assets); i++) {
        if (rp_view_equal(request->path, rp_view_from_cstr(assets[i].path))) {
            request->response.content_type = assets[i].type;
            request->response.cache = "public, max-age=31536000, immutable";
            rp_buf_add(&request->response.body, assets[i].bytes);
            return RP_OK;
        }
    }
    return RP_ERR(NOT_FOUND);
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
