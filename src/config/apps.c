#include "base/assert.h"
#include "base/checked.h"
#include "config/check.h"
#include "config/internal.h"

static const char *const app_keys[] = {
    "name", "host",      "upstream",     "upstreams", "health",           "sign_in",
    "acr",  "client_ca", "body_max_kib", "paths",     "security_headers", "identity_headers",
    "waf"};

static rp_err read_identity_headers(const struct reading *in, const struct rp_yaml *headers,
                                    struct rp_config_app *app) {
    if (headers->kind != RP_YAML_MAPPING) {
        return rp_fail_at(
            in->diag, RP_ERR(INVALID), headers->line, headers->column,
            rp_config_say(
                in, "expected a mapping from header name to subject, email, tenant or roles"));
    }
    for (const struct rp_yaml *node = headers->first; node; node = node->next) {
        const char *expected = rp_config_check_header(node->key);
        if (expected) {
            return rp_fail_at(in->diag, RP_ERR(INVALID), node->key_line, node->key_column,
                              rp_config_say(in, "expected %s"), rp_config_say(in, expected));
        }
        size_t i = app->identity_header_count;
        if (i == RP_COUNT_OF(app->identity_headers)) {
            return rp_fail_at(in->diag, RP_ERR(TOO_LARGE), node->key_line, node->key_column,
                              rp_config_say(in, "expected at most %zu identity headers"), i);
        }
        app->identity_headers[i].header = rp_arena_cstr(in->arena, node->key);
        if (!app->identity_headers[i].header) {
            return RP_ERR(TOO_LARGE);
        }
        RP_TRY(rp_config_choice(in, node, "subject|email|tenant|roles",
                                &app->identity_headers[i].value));
        app->identity_header_count++;
    }
    return RP_OK;
}

/* Several of them: the first is the upstream, the others stand in where it does not answer. */
static rp_err read_upstreams(const struct reading *in, const struct rp_yaml *node,
                             struct rp_config_app *app) {
    struct rp_config_list list = {0};
    RP_TRY(rp_config_texts(in, node, RP_APP_UPSTREAMS_MAX, rp_config_check_upstream, &list));
    if (app->upstream || list.count == 0) {
        return rp_fail_at(
            in->diag, RP_ERR(INVALID), node->key_line, node->key_column,
            rp_config_say(in, "upstreams: expected one or more, and no upstream beside them"));
    }
    app->upstream = list.items[0];
    app->more_upstreams = (struct rp_config_list){list.items + 1, list.count - 1};
    return RP_OK;
}

static rp_err read_member(const struct reading *in, const struct rp_yaml *node,
                          struct rp_config_app *app) {
    if (rp_view_equal(node->key, RP_VIEW("name"))) {
        return rp_config_text(in, node, 1, 32, rp_config_check_app_name, &app->name);
    }
    if (rp_view_equal(node->key, RP_VIEW("host"))) {
        return rp_config_text(in, node, 0, 253, rp_config_check_host, &app->host);
    }
    if (rp_view_equal(node->key, RP_VIEW("upstream"))) {
        return rp_config_text(in, node, 1, 1000, rp_config_check_upstream, &app->upstream);
    }
    if (rp_view_equal(node->key, RP_VIEW("upstreams"))) {
        return read_upstreams(in, node, app);
    }
    if (rp_view_equal(node->key, RP_VIEW("health"))) {
        return rp_config_text(in, node, 1, 1000, rp_config_check_health, &app->health);
    }
    if (rp_view_equal(node->key, RP_VIEW("sign_in"))) {
        return rp_config_choice(in, node, "none|optional|required", &app->sign_in);
    }
    if (rp_view_equal(node->key, RP_VIEW("acr"))) {
        return rp_config_choice(in, node, "mfa|phr", &app->acr);
    }
    if (rp_view_equal(node->key, RP_VIEW("client_ca"))) {
        return rp_config_text(in, node, 1, 4096, rp_config_check_path, &app->client_ca);
    }
    if (rp_view_equal(node->key, RP_VIEW("body_max_kib"))) {
        return rp_config_number(in, node, 1, 1U << 30, &app->body_max_kib);
    }
    if (rp_view_equal(node->key, RP_VIEW("waf"))) {
        return rp_config_read_waf(in, node, app);
    }
    if (rp_view_equal(node->key, RP_VIEW("security_headers"))) {
        return rp_config_read_headers(in, node, app);
    }
    if (rp_view_equal(node->key, RP_VIEW("paths"))) {
        return RP_OK; /* read last: what they do not say is the application's */
    }
    if (rp_view_equal(node->key, RP_VIEW("identity_headers"))) {
        return read_identity_headers(in, node, app);
    }
    return rp_config_unknown(in, node, "an application", app_keys, RP_COUNT_OF(app_keys));
}

/* Names and hosts tell applications apart. */
static rp_err check_apart(const struct reading *in, const struct rp_yaml *node,
                          const struct rp_config_app *app) {
    for (size_t i = 0; i < in->config->app_count; i++) {
        const struct rp_config_app *other = &in->config->apps[i];
        if (strcmp(app->name, other->name) == 0) {
            return rp_fail_at(in->diag, RP_ERR(DUPLICATE), node->line, node->column,
                              rp_config_say(in, "two applications are called \"%s\""), app->name);
        }
        if (strcmp(app->host, other->host) == 0) {
            return rp_fail_at(in->diag, RP_ERR(DUPLICATE), node->line, node->column,
                              rp_config_say(in, "%s and %s have the same host: give each its own"),
                              other->name, app->name);
        }
    }
    return RP_OK;
}

static rp_err read_app(const struct reading *in, const struct rp_yaml *node,
                       struct rp_config_app *app) {
    if (node->kind != RP_YAML_MAPPING) {
        return rp_fail_at(
            in->diag, RP_ERR(INVALID), node->line, node->column,
            rp_config_say(in, "expected an application: a mapping with name and upstream"));
    }
    *app = (struct rp_config_app){.host = "", .sign_in = "required"};
    for (const struct rp_yaml *member = node->first; member; member = member->next) {
        RP_TRY(read_member(in, member, app));
    }
    const struct rp_yaml *paths = rp_yaml_get(node, "paths");
    if (paths) {
        RP_TRY(rp_config_read_paths(in, paths, app));
    }
    if (!app->name || !app->upstream) {
        return rp_fail_at(in->diag, RP_ERR(INVALID), node->line, node->column,
                          rp_config_say(in, "an application needs a name and an upstream"));
    }
    if (app->health && app->more_upstreams.count == 0) {
        return rp_fail_at(
            in->diag, RP_ERR(INVALID), node->line, node->column,
            rp_config_say(in, "%s has health, but one instance: there is no other to ask"),
            app->name);
    }
    bool carries_identity = strcmp(app->sign_in, "none") != 0;
    for (size_t i = 0; i < app->path_count; i++) {
        carries_identity = carries_identity || strcmp(app->paths[i].sign_in, "none") != 0;
    }
    if (app->identity_header_count > 0 && !carries_identity) {
        return rp_fail_at(
            in->diag, RP_ERR(INVALID), node->line, node->column,
            rp_config_say(in,
                          "%s has identity_headers, but sign_in is none: nobody is known there"),
            app->name);
    }
    return check_apart(in, node, app);
}

rp_err rp_config_read_apps(const struct reading *in, const struct rp_yaml *apps) {
    RP_ASSERT(in->config->app_count == 0);
    if (apps->kind != RP_YAML_SEQUENCE) {
        return rp_fail_at(
            in->diag, RP_ERR(INVALID), apps->line, apps->column,
            rp_config_say(in, "expected a list of applications, each beginning with \"- name:\""));
    }
    for (const struct rp_yaml *node = apps->first; node; node = node->next) {
        if (in->config->app_count == RP_APPS_MAX) {
            return rp_fail_at(in->diag, RP_ERR(TOO_LARGE), node->line, node->column,
                              rp_config_say(in, "expected at most %d applications"), RP_APPS_MAX);
        }
        RP_TRY(read_app(in, node, &in->config->apps[in->config->app_count]));
        in->config->app_count++;
    }
    return RP_OK;
}
