/* Any bytes as rempart.yaml: refused in words, or a configuration within all its limits. */
#include "config/config.h"
#include "fuzz.h"

static bool has_control(const char *text) {
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20) {
            return true;
        }
    }
    return false;
}

/* What nginx will be given must be of the form that check.c allows. */
static void check_app(const struct rp_config_app *app) {
    RP_ASSERT(app->name[0] != '\0' && strlen(app->name) <= 32);
    RP_ASSERT(strpbrk(app->upstream, " ;{}\"'\\$\n") == NULL);
    for (size_t i = 0; i < app->more_upstreams.count; i++) {
        RP_ASSERT(strpbrk(app->more_upstreams.items[i], " ;{}\"'\\$\n") == NULL);
    }
    for (size_t i = 0; i < app->path_count; i++) {
        RP_ASSERT(app->paths[i].path[0] == '/' &&
                  strpbrk(app->paths[i].path, " ;{}\"'\\$#\n") == NULL);
    }
    for (size_t i = 0; i < app->header_count; i++) {
        RP_ASSERT(strpbrk(app->headers[i].value, "\"\\\n") == NULL);
    }
    RP_ASSERT(strpbrk(app->host, " ;{}\"'\\$\n/") == NULL);
    for (size_t i = 0; i < app->identity_header_count; i++) {
        RP_ASSERT(strpbrk(app->identity_headers[i].header, " :;{}\"\n") == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rp_arena *arena = rp_arena_new(1 << 22);
    struct rp_config config;
    struct rp_diag diag = {0};
    rp_err err = rp_config_parse(rp_view_of(data, size), arena, &config, &diag);
    if (rp_ok(err)) {
        RP_ASSERT(config.listen >= 1 && config.listen <= 65535);
        RP_ASSERT(config.app_count <= RP_APPS_MAX);
        RP_ASSERT(strpbrk(config.host, " ;{}\"'\\$\n/") == NULL);
        RP_ASSERT(!has_control(config.operator_name));
        for (size_t i = 0; i < config.app_count; i++) {
            check_app(&config.apps[i]);
        }
    } else {
        RP_ASSERT(diag.text[0] != '\0' || rp_is(err, RP_E_TOO_LARGE));
    }
    rp_arena_free(arena);
    return 0;
}
