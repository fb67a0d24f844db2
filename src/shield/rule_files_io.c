#include "shield/rule_files_io.h"

#include <sys/stat.h>

#include "base/assert.h"
#include "base/checked.h"
#include "shield/compile_io.h"

static const char ready_text[] =
    "SecRuleEngine On\n"
    "SecRequestBodyAccess On\n"
    "SecResponseBodyAccess On\n"
    "SecResponseBodyMimeType text/plain text/html text/xml application/json\n"
    "SecRule REQUEST_HEADERS:Content-Type \"@rx ^(?:application(?:/soap\\+|/)|text/)xml\" "
    "\"id:99999001,phase:1,t:none,t:lowercase,pass,nolog,noauditlog,ctl:requestBodyProcessor="
    "XML\"\n"
    "SecRule REQUEST_HEADERS:Content-Type \"@rx ^application/(?:[a-z0-9.-]+[+])?json\" "
    "\"id:99999002,phase:1,t:none,t:lowercase,pass,nolog,noauditlog,ctl:requestBodyProcessor="
    "JSON\"\n";

rp_view rp_waf_ready_text(void) {
    return rp_view_of(ready_text, sizeof ready_text - 1);
}

/* ---- which files ---- */

static rp_err add_file(struct rp_waf_rule_files *files, rp_view path) {
    if (files->count == RP_WAF_FILES_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    files->paths[files->count++] = path;
    return RP_OK;
}

static rp_err add_pattern(struct rp_waf_rule_files *files, const char *pattern,
                          struct rp_arena *arena) {
    struct rp_waf_loader disk = rp_waf_disk_loader();
    rp_view *paths = NULL;
    size_t count = 0;
    RP_TRY(disk.glob(disk.ctx, RP_VIEW(""), rp_view_from_cstr(pattern), arena, &paths, &count));
    for (size_t i = 0; i < count; i++) {
        RP_TRY(add_file(files, paths[i]));
    }
    return count > 0 ? RP_OK : RP_ERR(NOT_FOUND);
}

static rp_err add_below(struct rp_waf_rule_files *files, const char *folder, const char *pattern,
                        struct rp_arena *arena) {
    rp_view rules = rp_arena_printf(arena, "%s/%s", folder, pattern);
    return rules.p ? add_pattern(files, (const char *)rules.p, arena) : RP_ERR(NO_MEMORY);
}

/* The set-up, what plugins say of it and before the rules, the rules, what plugins say behind them:
 * the order in which the rule set's own instructions include them. A folder without plugins has
 * none; setup.p == NULL: nor a set-up. */
static rp_err add_published(struct rp_waf_rule_files *files, const char *folder, rp_view setup,
                            struct rp_arena *arena) {
    static const struct {
        const char *pattern;
        bool needed;
    } parts[] = {{"plugins/*-config.conf", false},
                 {"plugins/*-before.conf", false},
                 {"rules/*.conf", true},
                 {"plugins/*-after.conf", false}};
    if (setup.p) {
        RP_TRY(add_file(files, setup));
    }
    for (size_t i = 0; i < RP_COUNT_OF(parts); i++) {
        rp_err err = add_below(files, folder, parts[i].pattern, arena);
        if (!rp_ok(err) && (parts[i].needed || !rp_is(err, RP_E_NOT_FOUND))) {
            return err;
        }
    }
    return RP_OK;
}

static rp_err add_folder(struct rp_waf_rule_files *files, const char *folder,
                         struct rp_arena *arena) {
    static const char *const setups[] = {"crs-setup.conf", "crs-setup.conf.example"};
    for (size_t i = 0; i < RP_COUNT_OF(setups); i++) {
        struct stat facts;
        rp_view setup = rp_arena_printf(arena, "%s/%s", folder, setups[i]);
        if (!setup.p) {
            return RP_ERR(NO_MEMORY);
        }
        if (stat((const char *)setup.p, &facts) == 0) {
            return add_published(files, folder, setup, arena);
        }
    }
    rp_err err = add_below(files, folder, "*.conf", arena);
    return rp_is(err, RP_E_NOT_FOUND) ? add_published(files, folder, (rp_view){NULL, 0}, arena)
                                      : err;
}

rp_err rp_waf_rule_files_add(struct rp_waf_rule_files *files, const char *path,
                             struct rp_arena *arena) {
    struct stat facts;
    if (stat(path, &facts) == 0) {
        return S_ISDIR(facts.st_mode) ? add_folder(files, path, arena)
                                      : add_file(files, rp_view_from_cstr(path));
    }
    return strpbrk(path, "*?[") ? add_pattern(files, path, arena) : RP_ERR(NOT_FOUND);
}

/* ---- reading them, and the text that is no file ---- */

struct source {
    struct rp_waf_loader disk;
    rp_view setup;
};

static rp_err read_one(void *ctx, rp_view from, rp_view path, struct rp_arena *arena,
                       rp_view *ret_bytes, rp_view *ret_path) {
    const struct source *source = ctx;
    if (from.n == 0 && rp_view_equal(path, RP_VIEW(RP_WAF_SETUP_NAME))) {
        *ret_bytes = source->setup;
        *ret_path = path;
        return RP_OK;
    }
    return source->disk.read(source->disk.ctx, from, path, arena, ret_bytes, ret_path);
}

static rp_err list(void *ctx, rp_view from, rp_view pattern, struct rp_arena *arena,
                   rp_view **ret_paths, size_t *ret_count) {
    const struct source *source = ctx;
    return source->disk.glob(source->disk.ctx, from, pattern, arena, ret_paths, ret_count);
}

rp_err rp_waf_rule_files_compile(struct rp_waf_rule_files *files, struct rp_arena *arena,
                                 struct rp_buf *ret_image, struct rp_waf_ruleset *ret_rules,
                                 struct rp_waf_place *ret_place, struct rp_diag *diag) {
    struct source source = {.disk = rp_waf_disk_loader(), .setup = files->setup};
    const struct rp_waf_loader loader = {.ctx = &source, .read = read_one, .glob = list};
    rp_view *all = rp_arena_array(arena, files->count + 1, sizeof *all);
    if (!all) {
        return RP_ERR(NO_MEMORY);
    }
    all[0] = RP_VIEW(RP_WAF_SETUP_NAME);
    memcpy(all + 1, files->paths, files->count * sizeof *all);
    RP_TRY(rp_seclang_read(&loader, all, files->count + 1, arena, ret_rules, ret_place, diag));
    return rp_waf_compile(ret_rules, arena, ret_image, ret_place, diag);
}
