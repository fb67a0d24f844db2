#include "config/ways.h"

#include "base/checked.h"

/* "http://127.0.0.1:3000"; a local socket is no way out. */
static bool upstream_way(const char *upstream, rp_config_way *each, void *ctx) {
    rp_view host;
    uint16_t port;
    if (!rp_config_upstream(rp_view_from_cstr(upstream), &host, &port)) {
        return true;
    }
    bool here = rp_view_equal(host, RP_VIEW("localhost"));
    return each(ctx, here ? (rp_view){NULL, 0} : host, port);
}

static bool gate_ways(const struct rp_config *config, rp_config_way *each, void *ctx) {
    for (size_t i = 0; i < config->app_count; i++) {
        const struct rp_config_app *app = &config->apps[i];
        if (!upstream_way(app->upstream, each, ctx)) {
            return false;
        }
        for (size_t k = 0; k < app->more_upstreams.count; k++) {
            if (!upstream_way(app->more_upstreams.items[k], each, ctx)) {
                return false;
            }
        }
    }
    return true;
}

static bool link_ways(const struct rp_config *config, rp_config_way *each, void *ctx) {
    for (size_t i = 0; i < config->peer_count; i++) {
        const struct rp_config_endpoint *at = &config->peers[i].at;
        if (at->address && !each(ctx, rp_view_from_cstr(at->address), at->port)) {
            return false;
        }
    }
    return true;
}

/* It attacks like a stranger, from any address of this machine, but nobody else than the gate. */
static bool probe_ways(const struct rp_config *config, rp_config_way *each, void *ctx) {
    const uint64_t ports[] = {config->listen, config->listen_http};
    for (size_t i = 0; i < RP_COUNT_OF(ports); i++) {
        if (ports[i] != 0 && !each(ctx, (rp_view){NULL, 0}, (uint16_t)ports[i])) {
            return false;
        }
    }
    return true;
}

/*= S71 */ /* what leaves, leaves for a place that is named here, or by rempart-dial */
bool rp_config_ways(const struct rp_config *config, enum rp_role_id role, rp_config_way *each,
                    void *ctx) {
    return role == RP_ROLE_GATE    ? gate_ways(config, each, ctx)
           : role == RP_ROLE_LINK  ? link_ways(config, each, ctx)
           : role == RP_ROLE_PROBE ? probe_ways(config, each, ctx)
                                   : true;
}

struct collecting {
    uint16_t *ports;
    size_t count;
};

static bool collect(void *ctx, rp_view host, uint16_t port) {
    struct collecting *collecting = ctx;
    (void)host;
    for (size_t i = 0; i < collecting->count; i++) {
        if (collecting->ports[i] == port) {
            return true;
        }
    }
    if (collecting->count == RP_CONFIG_PORTS_MAX) {
        return false;
    }
    collecting->ports[collecting->count++] = port;
    return true;
}

rp_err rp_config_ports(const struct rp_config *config, enum rp_role_id role,
                       uint16_t ret_ports[static RP_CONFIG_PORTS_MAX], size_t *ret_count) {
    struct collecting collecting = {.ports = ret_ports};
    if (!rp_config_ways(config, role, collect, &collecting)) {
        return RP_ERR(TOO_LARGE);
    }
    *ret_count = collecting.count;
    return RP_OK;
}

const char *rp_config_own_name(const struct rp_config *config, size_t place) {
    if (place > config->app_count) {
        return NULL;
    }
    const char *own = place > 0 ? config->apps[place - 1].host : NULL;
    return own && *own ? own : config->host;
}
