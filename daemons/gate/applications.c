/* applications.c — what of nginx.conf concerns the operator's applications: where they are reached,
 * who must have signed in, what judges a request before they get it.
 */
#include "applications.h"

#include "base/assert.h"
#include "base/checked.h"
#include "servers.h"

/* ---- upstreams ---- */

static void add_target(struct rp_buf *out, const char *upstream, bool alone) {
    rp_view target = rp_view_from_cstr(upstream);
    if (rp_view_starts(target, RP_VIEW("http://"))) {
        target = rp_view_from(target, 7);
    }
    /* One alone is asked each time; of several, one that fails rests a while. */
    rp_buf_printf(out, "        server %.*s %s;\n", RP_FMT(target),
                  alone ? "max_fails=0" : "max_fails=2 fail_timeout=10s");
}

void gate_add_upstream(struct rp_buf *out, const struct rp_config *config,
                       const struct rp_config_app *app) {
    const char *host = *app->host ? app->host : config->host;
    bool alone = app->more_upstreams.count == 0;
    rp_buf_printf(out, "    upstream app_%s {\n", app->name);
    if (!alone) {
        /* What one worker learns of an instance, all know. */
        rp_buf_printf(out, "        zone app_%s 64k;\n        least_conn;\n", app->name);
    }
    if (app->health) {
        rp_buf_printf(out, "        rempart_health \"%s\" %s;\n", app->health, host);
    }
    add_target(out, app->upstream, alone);
    for (size_t i = 0; i < app->more_upstreams.count; i++) {
        add_target(out, app->more_upstreams.items[i], alone);
    }
    /* Given up before the application does it, for which five seconds are usual: a connection that
     * it closes as we write to it counts as its failure. */
    rp_buf_add_cstr(out, "        keepalive 32;\n        keepalive_timeout 4s;\n    }\n");
}

/* ---- the firewall ---- */

static const char *waf_of(const struct rp_config *config, const char *own) {
    return own ? own : config->waf_mode;
}

static bool is_off(const char *mode) {
    return strcmp(mode, "off") == 0;
}

bool gate_judges(const struct rp_config *config) {
    bool judges = !is_off(config->waf_mode);
    for (size_t i = 0; i < config->app_count; i++) {
        const struct rp_config_app *app = &config->apps[i];
        judges = judges || !is_off(waf_of(config, app->waf));
        for (size_t k = 0; k < app->path_count; k++) {
            judges = judges || !is_off(waf_of(config, app->paths[k].waf));
        }
    }
    return judges;
}

const char *gate_rules_suffix(uint64_t level) {
    static const char *const suffixes[] = {"", "-1", "-2", "-3", "-4"};
    RP_ASSERT(level < RP_COUNT_OF(suffixes));
    return suffixes[level];
}

/*= S58, S64 */ /* what an application is sent was judged before */
void gate_add_waf(struct rp_buf *out, const struct gate_setup *setup,
                  const struct rp_config_app *app, const char *own, bool stream) {
    const char *mode = waf_of(setup->config, own);
    if (is_off(mode)) {
        return;
    }
    rp_buf_printf(out,
                  "            rempart_waf \"%s/gate/rules%s.waf\" %s%s;\n"
                  "            rempart_waf_over_budget %s;\n",
                  setup->state, gate_rules_suffix(app ? app->waf_paranoia : 0), mode,
                  stream ? " stream" : "", setup->config->waf_over_budget);
    if (app && app->waf_model) {
        bool whole = app->waf_model[0] == '/';
        rp_buf_printf(out, "            rempart_waf_model \"%s%s%s\" %s;\n",
                      whole ? "" : setup->state, whole ? "" : "/", app->waf_model,
                      app->waf_model_mode ? app->waf_model_mode : "on");
    }
    if (app && app->waf_label) {
        rp_buf_printf(out, "            rempart_waf_label %s;\n", app->waf_label);
    }
}

/* ---- places ---- */

const char *gate_least_acr(const struct rp_config *config) {
    return strcmp(config->second_factor, "required") == 0 ? "mfa" : "pwd";
}

/* The application's word is its default; a place may ask for more. */
static void add_session(struct rp_buf *out, const struct rp_config *config, const char *sign_in,
                        const char *acr) {
    if (strcmp(sign_in, "none") == 0) {
        rp_buf_add_cstr(out, "            rempart_session none;\n");
        return;
    }
    rp_buf_printf(out, "            rempart_session %s %s;\n", sign_in,
                  acr && *acr ? acr : gate_least_acr(config));
}

static void add_body_limit(struct rp_buf *out, uint64_t kib) {
    if (kib > 0) {
        rp_buf_printf(out, "            client_max_body_size %lluk;\n", (unsigned long long)kib);
    }
}

/* What holds at every place of the application; with the headers of nginx's own level, which end
 * where a place sets one. */
static void add_to_app(struct rp_buf *out, const struct rp_config_app *app) {
    rp_buf_printf(out, "            rempart_app %s;\n", app->name);
    gate_add_headers(out, "            ", app);
    for (size_t i = 0; i < app->identity_header_count; i++) {
        rp_buf_printf(out, "            rempart_identity_header %s %s;\n",
                      app->identity_headers[i].header, app->identity_headers[i].value);
    }
    if (app->path_count > 0) {
        rp_buf_add_cstr(out, "            rempart_plain_paths on;\n");
    }
    rp_buf_printf(out, "            proxy_pass http://app_%s;\n        }\n", app->name);
}

/* Bodies pass as they come; there is nothing to ask another instance with. */
static const char streaming[] = "            proxy_request_buffering off;\n"
                                "            proxy_buffering off;\n"
                                "            proxy_read_timeout 3600s;\n"
                                "            proxy_send_timeout 3600s;\n"
                                "            client_body_timeout 120s;\n";

void gate_add_app_places(struct rp_buf *out, const struct gate_setup *setup,
                         const struct rp_config_app *app) {
    const struct rp_config *config = setup->config;
    rp_buf_add_cstr(out, "        location / {\n");
    add_session(out, config, app->sign_in, app->acr);
    add_body_limit(out, app->body_max_kib);
    gate_add_waf(out, setup, app, app->waf, false);
    add_to_app(out, app);
    for (size_t i = 0; i < app->path_count; i++) {
        const struct rp_config_path *path = &app->paths[i];
        bool below = path->path[strlen(path->path) - 1] == '/';
        rp_buf_printf(out, "        location %s %s {\n", below ? "^~" : "=", path->path);
        add_session(out, config, path->sign_in, path->acr);
        add_body_limit(out, path->body_max_kib);
        if (path->per_second > 0) {
            rp_buf_printf(out, "            rempart_limit route %llu %llu;\n",
                          (unsigned long long)path->per_second,
                          (unsigned long long)path->per_second * 2);
        }
        rp_buf_add_cstr(out, path->stream ? streaming : "");
        gate_add_waf(out, setup, app, path->waf, path->stream);
        add_to_app(out, app);
    }
}
