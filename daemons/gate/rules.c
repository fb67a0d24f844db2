#include "rules.h"

#include "base/assert.h"
#include "os/file.h"
#include "render.h"
#include "shield/rule_files_io.h"

enum { ARENA_MAX = 512 << 20, KIB = 1024 };

/* Debian's package keeps the set-up where operators change it, the rules where it does. */
static const char *const debian[] = {"/etc/modsecurity/crs/crs-setup.conf",
                                     "/usr/share/modsecurity-crs/rules/*.conf"};

/* What the gate says before the rules: how strict, and what applications here may be sent. */
static rp_view setup_text(const struct rp_config *config, struct rp_arena *arena) {
    rp_view ready = rp_waf_ready_text();
    unsigned long long level = (unsigned long long)config->waf_paranoia;
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

static rp_err compile(const struct rp_config *config, struct rp_arena *arena, struct rp_buf *image,
                      struct rp_diag *diag) {
    struct rp_waf_rule_files *files = rp_arena_alloc(arena, sizeof *files);
    struct rp_waf_ruleset rules;
    struct rp_waf_place place = {0};
    struct rp_diag inner = {0};
    if (!files) {
        return RP_ERR(NO_MEMORY);
    }
    files->setup = setup_text(config, arena);
    RP_TRY(add_files(config, files, arena, diag));
    rp_err err = rp_waf_rule_files_compile(files, arena, image, &rules, &place, &inner);
    return rp_ok(err) ? RP_OK
                      : rp_fail(diag, err, "%.*s:%u:%u: %s", RP_FMT(place.file), inner.line,
                                inner.column, inner.text);
}

rp_err gate_rules_write(const struct rp_config *config, struct rp_diag *diag) {
    if (!gate_judges(config)) {
        return RP_OK;
    }
    struct rp_arena *arena = rp_arena_new(ARENA_MAX);
    struct rp_buf image = rp_buf_new(RP_WAF_IMAGE_MAX);
    rp_err err = arena ? compile(config, arena, &image, diag) : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        err = rp_file_replace(GATE_RULES, 0644, rp_buf_view(&image));
    }
    rp_buf_done(&image);
    rp_arena_free(arena);
    return err;
}
