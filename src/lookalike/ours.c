#include "lookalike/ours.h"

#include "base/checked.h"

static rp_err add_purposely(const struct rp_config *config, struct rp_watched *watched,
                            struct rp_diag *diag) {
    for (size_t i = 0; i < config->watch_domains.count; i++) {
        const char *name = config->watch_domains.items[i];
        rp_err err = rp_watched_add(watched, rp_view_from_cstr(name), true);
        if (!rp_ok(err)) {
            return rp_fail(diag, err, "watch.domains: %s", name);
        }
    }
    for (size_t i = 0; i < config->watch_honest.count; i++) {
        const char *name = config->watch_honest.items[i];
        rp_err err = rp_watched_add_honest(watched, rp_view_from_cstr(name));
        if (!rp_ok(err)) {
            return rp_fail(diag, err, "watch.honest: %s", name);
        }
    }
    return RP_OK;
}

rp_err rp_watched_of(const struct rp_config *config, struct rp_arena *arena,
                     struct rp_watched *ret_watched, struct rp_diag *diag) {
    struct rp_watched watched;
    size_t most = config->watch_domains.count + config->app_count + 1;
    RP_TRY(rp_watched_new(arena, most, config->watch_honest.count, &watched));
    RP_TRY(add_purposely(config, &watched, diag));
    RP_TRY(rp_watched_add(&watched, rp_view_from_cstr(config->host), false));
    for (size_t i = 0; i < config->app_count; i++) {
        RP_TRY(rp_watched_add(&watched, rp_view_from_cstr(config->apps[i].host), false));
    }
    *ret_watched = watched;
    return RP_OK;
}
