#include "rules.h"

#include <stdio.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/id.h"
#include "os/file.h"
#include "render.h"
#include "shield/model.h"
#include "shield/rule_files_io.h"
#include "wire/json.h"

enum { ARENA_MAX = 512 << 20, MODEL_ARENA = 64 << 20, KIB = 1024, LEVEL_MAX = 4 };

/* Debian's package keeps the set-up where operators change it, the rules where it does. */
static const char *const debian[] = {"/etc/modsecurity/crs/crs-setup.conf",
                                     "/usr/share/modsecurity-crs/rules/*.conf"};

/* What the gate says before the rules: how strict, and what applications here may be sent. */
static rp_view setup_text(const struct rp_config *config, unsigned long long level,
                          struct rp_arena *arena) {
    rp_view ready = rp_waf_ready_text();
    return rp_arena_printf(arena,
                           "%.*s"
                           "SecRequestBodyLimit %llu\n"
                           "SecRequestBodyNoFilesLimit 131072\n"
                           "SecRequestBodyLimitAction Reject\n"
                           "SecResponseBodyLimit 524288\n"
                           "SecResponseBodyLimitAction ProcessPartial\n"
                           "SecAction \"id:99999003,phase:1,pass,nolog,noauditlog,t:none,"
                           "setvar:tx.paranoia_level=%llu,setvar:tx.blocking_paranoia_level=%llu,"
                           "setvar:'tx.allowed_methods=GET HEAD POST OPTIONS PUT PATCH DELETE'\"\n",
                           RP_FMT(ready), (unsigned long long)config->body_max_kib * KIB, level,
                           level);
}

static rp_err add_files(const struct rp_config *config, struct rp_waf_rule_files *files,
                        struct rp_arena *arena, struct rp_diag *diag) {
    if (config->waf_rules[0]) {
        rp_err err = rp_waf_rule_files_add(files, config->waf_rules, arena);
        if (rp_is(err, RP_E_NOT_FOUND) && access(config->waf_rules, F_OK) == 0) {
            return rp_fail(diag, err, "waf.rules: %s: no .conf file in it, nor in its rules/",
                           config->waf_rules);
        }
        return rp_ok(err) ? RP_OK : rp_fail(diag, err, "waf.rules: %s", config->waf_rules);
    }
    for (size_t i = 0; i < sizeof debian / sizeof debian[0]; i++) {
        rp_err err = rp_waf_rule_files_add(files, debian[i], arena);
        if (!rp_ok(err)) {
            return rp_fail(diag, err,
                           "%s: install modsecurity-crs, name a rule set in waf.rules, or set "
                           "waf.mode: off",
                           debian[i]);
        }
    }
    return RP_OK;
}

static rp_err compile(const struct rp_config *config, uint64_t level, struct rp_arena *arena,
                      struct rp_buf *image, struct rp_diag *diag) {
    struct rp_waf_rule_files *files = rp_arena_alloc(arena, sizeof *files);
    struct rp_waf_ruleset rules;
    struct rp_waf_place place = {0};
    struct rp_diag inner = {.french = diag && diag->french};
    if (!files) {
        return RP_ERR(NO_MEMORY);
    }
    files->setup = setup_text(config, (unsigned long long)level, arena);
    RP_TRY(add_files(config, files, arena, diag));
    rp_err err = rp_waf_rule_files_compile(files, arena, image, &rules, &place, &inner);
    return rp_ok(err) ? RP_OK
                      : rp_fail(diag, err, "%.*s:%u:%u: %s", RP_FMT(place.file), inner.line,
                                inner.column, inner.text);
}

/* What the trust page says of them: name, number, and the image's hash. */
static rp_err write_identity(rp_view image, struct rp_arena *arena) {
    struct rp_waf *waf = NULL;
    struct rp_waf_info info;
    char hex[2 * sizeof info.sha256];
    RP_TRY(rp_waf_open(image, &waf, NULL));
    rp_waf_info(waf, &info);
    rp_hex_print(rp_view_of(info.sha256, sizeof info.sha256), hex);
    struct rp_json *root = rp_json_object(arena);
    rp_json_add_string(arena, root, "rule_set", info.component);
    rp_json_add_u64(arena, root, "rules", info.rules);
    rp_json_add_string(arena, root, "sha256", rp_view_of(hex, sizeof hex));
    struct rp_buf text = rp_buf_new(4096);
    rp_err err = rp_json_print(root, &text);
    if (rp_ok(err)) {
        err = rp_file_replace("run/waf.json", 0644, rp_buf_view(&text));
    }
    rp_buf_done(&text);
    rp_waf_close(waf);
    return err;
}

/* own: the level that applications ask for, 0 = the one of waf.paranoia. */
static rp_err make_level(const struct rp_config *config, unsigned own, bool write,
                         struct rp_diag *diag) {
    char path[32];
    struct rp_arena *arena = rp_arena_new(ARENA_MAX);
    struct rp_buf image = rp_buf_new(RP_WAF_IMAGE_MAX);
    snprintf(path, sizeof path, "gate/rules%s.waf", gate_rules_suffix(own));
    rp_err err = arena ? compile(config, own ? own : config->waf_paranoia, arena, &image, diag)
                       : RP_ERR(NO_MEMORY);
    if (rp_ok(err) && write) {
        err = rp_file_replace(path, 0644, rp_buf_view(&image));
    }
    if (rp_ok(err) && write && own == 0) {
        err = write_identity(rp_buf_view(&image), arena);
    }
    rp_buf_done(&image);
    rp_arena_free(arena);
    return err;
}

static bool asks_for(const struct rp_config *config, unsigned level) {
    for (size_t i = 0; i < config->app_count; i++) {
        if (config->apps[i].waf_paranoia == level) {
            return true;
        }
    }
    return false;
}

/* ---- models ---- */

static rp_err read_model(const char *path, struct rp_diag *diag) {
    struct rp_arena *arena = rp_arena_new(MODEL_ARENA);
    struct rp_model *model = NULL;
    struct rp_diag inner = {0};
    rp_view text;
    rp_err err = arena ? rp_file_read(path, RP_MODEL_FILE_MAX, arena, &text) : RP_ERR(NO_MEMORY);
    if (!rp_ok(err)) {
        err = rp_fail(diag, err, "waf.model: %s", path);
    } else {
        err = rp_model_read(text, arena, &model, &inner);
        err = rp_ok(err)
                  ? RP_OK
                  : rp_fail(diag, err, "%s:%u:%u: %s", path, inner.line, inner.column, inner.text);
    }
    rp_model_done(model);
    rp_arena_free(arena);
    return err;
}

static rp_err read_models(const struct rp_config *config, const char *state, struct rp_diag *diag) {
    for (size_t i = 0; i < config->app_count; i++) {
        char path[8192];
        const char *name = config->apps[i].waf_model;
        if (!name) {
            continue;
        }
        int n = snprintf(path, sizeof path, "%s%s%s", name[0] == '/' ? "" : state,
                         name[0] == '/' ? "" : "/", name);
        if (n < 0 || (size_t)n >= sizeof path) {
            return RP_ERR(TOO_LARGE);
        }
        RP_TRY(read_model(path, diag));
    }
    return RP_OK;
}

/* ---- all of it ---- */

static rp_err make(const struct rp_config *config, const char *state, bool write,
                   struct rp_diag *diag) {
    if (!gate_judges(config)) {
        return RP_OK;
    }
    RP_TRY(read_models(config, state, diag));
    RP_TRY(make_level(config, 0, write, diag));
    for (unsigned level = 1; level <= LEVEL_MAX; level++) {
        if (asks_for(config, level)) {
            RP_TRY(make_level(config, level, write, diag));
        }
    }
    return RP_OK;
}

rp_err gate_rules_write(const struct rp_config *config, struct rp_diag *diag) {
    return make(config, ".", true, diag);
}

rp_err gate_rules_check(const struct rp_config *config, const char *state, struct rp_diag *diag) {
    return make(config, state, false, diag);
}
