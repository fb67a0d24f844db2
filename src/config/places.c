#include "base/assert.h"
#include "base/checked.h"
#include "config/check.h"
#include "config/internal.h"

static const char *const path_keys[] = {"path",         "sign_in", "acr",       "stream",
                                        "body_max_kib", "waf",     "per_second"};

static rp_err read_path_member(const struct reading *in, const struct rp_yaml *node,
                               struct rp_config_path *path) {
    if (rp_view_equal(node->key, RP_VIEW("path"))) {
        return rp_config_text(in, node, 2, 200, rp_config_check_place, &path->path);
    }
    if (rp_view_equal(node->key, RP_VIEW("sign_in"))) {
        return rp_config_choice(in, node, "none|optional|required", &path->sign_in);
    }
    if (rp_view_equal(node->key, RP_VIEW("acr"))) {
        return rp_config_choice(in, node, "mfa|phr", &path->acr);
    }
    if (rp_view_equal(node->key, RP_VIEW("stream"))) {
        const char *word = NULL;
        RP_TRY(rp_config_choice(in, node, "true|false", &word));
        path->stream = strcmp(word, "true") == 0;
        return RP_OK;
    }
    if (rp_view_equal(node->key, RP_VIEW("waf"))) {
        return rp_config_choice(in, node, "on|detect|learn|off", &path->waf);
    }
    if (rp_view_equal(node->key, RP_VIEW("body_max_kib"))) {
        return rp_config_number(in, node, 1, 1U << 30, &path->body_max_kib);
    }
    if (rp_view_equal(node->key, RP_VIEW("per_second"))) {
        return rp_config_number(in, node, 1, 100000, &path->per_second);
    }
    return rp_config_unknown(in, node, "a path", path_keys, RP_COUNT_OF(path_keys));
}

static rp_err read_path(const struct reading *in, const struct rp_yaml *node,
                        const struct rp_config_app *app, struct rp_config_path *ret_path) {
    if (node->kind != RP_YAML_MAPPING) {
        return rp_fail_at(
            in->diag, RP_ERR(INVALID), node->line, node->column,
            rp_config_say(in, "expected a mapping such as {path: /public/, sign_in: none}"));
    }
    struct rp_config_path path = {.sign_in = app->sign_in,
                                  .acr = app->acr,
                                  .body_max_kib = app->body_max_kib,
                                  .waf = app->waf};
    for (const struct rp_yaml *member = node->first; member; member = member->next) {
        RP_TRY(read_path_member(in, member, &path));
    }
    if (!path.path) {
        return rp_fail_at(in->diag, RP_ERR(INVALID), node->line, node->column,
                          rp_config_say(in, "a path's rules need the path"));
    }
    const struct rp_yaml *acr = rp_yaml_get(node, "acr");
    if (acr && strcmp(path.sign_in, "none") == 0) {
        return rp_fail_at(in->diag, RP_ERR(INVALID), acr->line, acr->column,
                          rp_config_say(in, "acr: nobody signs in at %s, where sign_in is none"),
                          path.path);
    }
    *ret_path = path;
    return RP_OK;
}

rp_err rp_config_read_paths(const struct reading *in, const struct rp_yaml *paths,
                            struct rp_config_app *app) {
    RP_ASSERT(app->path_count == 0);
    if (paths->kind != RP_YAML_SEQUENCE) {
        return rp_fail_at(
            in->diag, RP_ERR(INVALID), paths->line, paths->column,
            rp_config_say(in, "paths: expected a list, each item beginning with \"- path:\""));
    }
    struct rp_config_path *list = rp_arena_array(in->arena, RP_APP_PATHS_MAX, sizeof *list);
    if (!list) {
        return RP_ERR(TOO_LARGE);
    }
    size_t count = 0;
    for (const struct rp_yaml *node = paths->first; node; node = node->next) {
        if (count == RP_APP_PATHS_MAX) {
            return rp_fail_at(in->diag, RP_ERR(TOO_LARGE), node->line, node->column,
                              rp_config_say(in, "paths: expected at most %d"), RP_APP_PATHS_MAX);
        }
        RP_TRY(read_path(in, node, app, &list[count]));
        for (size_t i = 0; i < count; i++) {
            if (strcmp(list[i].path, list[count].path) == 0) {
                return rp_fail_at(in->diag, RP_ERR(DUPLICATE), node->line, node->column,
                                  rp_config_say(in, "%s has its rules above already"),
                                  list[i].path);
            }
        }
        count++;
    }
    app->paths = list;
    app->path_count = count;
    return RP_OK;
}

static const char *const header_names[] = {
    "X-Content-Type-Options",       "Referrer-Policy",
    "Permissions-Policy",           "Cross-Origin-Opener-Policy",
    "Cross-Origin-Embedder-Policy", "Cross-Origin-Resource-Policy",
    "Content-Security-Policy",      "X-Frame-Options",
};

static const char *header_of(rp_view name) {
    for (size_t i = 0; i < RP_COUNT_OF(header_names); i++) {
        if (rp_view_equal_nocase(name, rp_view_from_cstr(header_names[i]))) {
            return header_names[i];
        }
    }
    return NULL;
}

rp_err rp_config_read_headers(const struct reading *in, const struct rp_yaml *headers,
                              struct rp_config_app *app) {
    _Static_assert(RP_COUNT_OF(header_names) <= RP_APP_HEADERS_MAX, "each once");
    if (headers->kind != RP_YAML_MAPPING) {
        return rp_fail_at(
            in->diag, RP_ERR(INVALID), headers->line, headers->column,
            rp_config_say(in, "security_headers: expected a mapping from header name to value"));
    }
    struct rp_config_header *list = rp_arena_array(in->arena, RP_APP_HEADERS_MAX, sizeof *list);
    if (!list) {
        return RP_ERR(TOO_LARGE);
    }
    size_t count = 0;
    for (const struct rp_yaml *node = headers->first; node; node = node->next) {
        const char *name = header_of(node->key);
        if (!name) {
            return rp_config_unknown(in, node, "security_headers", header_names,
                                     RP_COUNT_OF(header_names));
        }
        for (size_t i = 0; i < count; i++) {
            if (list[i].name == name) {
                return rp_fail_at(in->diag, RP_ERR(DUPLICATE), node->key_line, node->key_column,
                                  rp_config_say(in, "%s stands here twice"), name);
            }
        }
        list[count].name = name;
        RP_TRY(rp_config_text(in, node, 0, 2000, rp_config_check_value, &list[count].value));
        count++;
    }
    app->headers = list;
    app->header_count = count;
    return RP_OK;
}
