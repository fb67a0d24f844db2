#include "base/checked.h"
#include "servers.h"

/* Content-Security-Policy is the application's alone: a wrong one breaks it. */
static const struct rp_config_header standard[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "strict-origin-when-cross-origin"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
    {"Cross-Origin-Opener-Policy", "same-origin-allow-popups"},
    {"X-Frame-Options", "SAMEORIGIN"},
};

static bool is_overridden(const struct rp_config_app *app, const char *name) {
    for (size_t i = 0; app && i < app->header_count; i++) {
        if (strcmp(app->headers[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

void gate_add_headers(struct rp_buf *out, const char *indent, const struct rp_config_app *app) {
    for (size_t i = 0; i < RP_COUNT_OF(standard); i++) {
        if (!is_overridden(app, standard[i].name)) {
            rp_buf_printf(out, "%srempart_header missing %s \"%s\";\n", indent, standard[i].name,
                          standard[i].value);
        }
    }
    for (size_t i = 0; app && i < app->header_count; i++) {
        const struct rp_config_header *header = &app->headers[i];
        if (*header->value) {
            rp_buf_printf(out, "%srempart_header replace %s \"%s\";\n", indent, header->name,
                          header->value);
        }
    }
}
