/* waf_rules.c — rules from the command line: found, read, compiled, opened; what is wrong is said
 * with its file, line and column. */
#include <sys/stat.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "shield/compile_io.h"
#include "waf.h"

enum { IMAGE_MAX = 256 << 20, FILES_MAX = 1024 };

/* ---- what stands before the files ---- */

/* A file that is no file: its rules are ours, and their matches are not reported. */
static const char setup_name[] = WAF_SETUP_NAME;

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

/* The limits that the Core Rule Set's own tests count on, in the names of 3.3 and of 4. */
static const char crs_text[] =
    "SecAction \"id:99999003,phase:1,pass,nolog,noauditlog,t:none,"
    "setvar:tx.paranoia_level=4,"
    "setvar:tx.blocking_paranoia_level=4,setvar:tx.detection_paranoia_level=4,"
    "setvar:tx.crs_validate_utf8_encoding=1,"
    "setvar:tx.arg_name_length=100,setvar:tx.arg_length=400,setvar:tx.total_arg_length=64000,"
    "setvar:tx.max_num_args=255,"
    "setvar:tx.max_file_size=64100,setvar:tx.combined_file_sizes=65535\"\n";

struct source {
    struct rp_waf_loader disk;
    rp_view setup;
};

static rp_err read_one(void *ctx, rp_view from, rp_view path, struct rp_arena *arena,
                       rp_view *ret_bytes, rp_view *ret_path) {
    const struct source *source = ctx;
    if (from.n == 0 && rp_view_equal(path, rp_view_from_cstr(setup_name))) {
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

/* ---- which files ---- */

struct files {
    rp_view paths[FILES_MAX];
    size_t count;
};

static rp_err add_file(struct files *files, rp_view path) {
    if (files->count == FILES_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    files->paths[files->count++] = path;
    return RP_OK;
}

static rp_err add_pattern(struct cli *cli, struct files *files, const char *pattern) {
    struct rp_waf_loader disk = rp_waf_disk_loader();
    rp_view *paths = NULL;
    size_t count = 0;
    RP_TRY(
        disk.glob(disk.ctx, RP_VIEW(""), rp_view_from_cstr(pattern), cli->arena, &paths, &count));
    for (size_t i = 0; i < count; i++) {
        RP_TRY(add_file(files, paths[i]));
    }
    return count > 0 ? RP_OK : RP_ERR(NOT_FOUND);
}

static bool is_there(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0;
}

/* A folder is a rule set as it is published (crs-setup.conf, or its example, then rules/), or
 * simply the .conf files in it. */
static rp_err add_folder(struct cli *cli, struct files *files, const char *folder) {
    static const char *const setups[] = {"crs-setup.conf", "crs-setup.conf.example"};
    for (size_t i = 0; i < RP_COUNT_OF(setups); i++) {
        rp_view setup = rp_arena_printf(cli->arena, "%s/%s", folder, setups[i]);
        if (!setup.p) {
            return RP_ERR(NO_MEMORY);
        }
        if (is_there((const char *)setup.p)) {
            RP_TRY(add_file(files, setup));
            rp_view rules = rp_arena_printf(cli->arena, "%s/rules/*.conf", folder);
            return rules.p ? add_pattern(cli, files, (const char *)rules.p) : RP_ERR(NO_MEMORY);
        }
    }
    rp_view rules = rp_arena_printf(cli->arena, "%s/*.conf", folder);
    return rules.p ? add_pattern(cli, files, (const char *)rules.p) : RP_ERR(NO_MEMORY);
}

static rp_err add_one(struct cli *cli, struct files *files, const char *path) {
    struct stat facts;
    if (stat(path, &facts) == 0) {
        return S_ISDIR(facts.st_mode) ? add_folder(cli, files, path)
                                      : add_file(files, rp_view_from_cstr(path));
    }
    return strpbrk(path, "*?[") ? add_pattern(cli, files, path) : RP_ERR(NOT_FOUND);
}

/* ---- the whole ---- */

static enum rp_exit fail_at(const struct cli *cli, rp_err err, const struct rp_waf_place *place,
                            const struct rp_diag *diag) {
    const char *file = place->file.n > 0 ? rp_arena_cstr(cli->arena, place->file) : NULL;
    return cli_fail(cli, err, file ? file : cli->command, diag);
}

static enum rp_exit compile(struct cli *cli, enum waf_setup setup, struct rp_arena *arena,
                            struct waf_rules *ret_rules) {
    struct files *files = rp_arena_alloc(arena, sizeof *files);
    struct source source = {.disk = rp_waf_disk_loader(), .setup = rp_view_from_cstr(ready_text)};
    struct rp_waf_place place = {0};
    struct rp_diag diag = {0};
    if (!files) {
        return cli_fail(cli, RP_ERR(NO_MEMORY), cli->command, NULL);
    }
    rp_ignore(add_file(files, rp_view_from_cstr(setup_name))); /* the first fits */
    if (setup == WAF_CRS_CI) {
        source.setup = rp_arena_printf(arena, "%s%s", ready_text, crs_text);
    }
    for (size_t i = 0; i < cli->rules.count; i++) {
        rp_err err = add_one(cli, files, cli->rules.p[i]);
        if (!rp_ok(err)) {
            return cli_fail(cli, err, cli->rules.p[i], NULL);
        }
    }
    const struct rp_waf_loader loader = {.ctx = &source, .read = read_one, .glob = list};
    struct rp_waf_ruleset rules;
    rp_err err = rp_seclang_read(&loader, files->paths, files->count, arena, &rules, &place, &diag);
    if (rp_ok(err)) {
        err = rp_waf_compile(&rules, arena, &ret_rules->image, &place, &diag);
    }
    if (!rp_ok(err)) {
        return fail_at(cli, err, &place, &diag);
    }
    ret_rules->notes = rules.notes;
    ret_rules->note_count = rules.note_count;
    return RP_EXIT_OK;
}

static enum rp_exit read_image(struct cli *cli, struct waf_rules *ret_rules) {
    rp_view bytes = {NULL, 0};
    rp_err err = rp_file_read(cli->image, IMAGE_MAX, ret_rules->arena, &bytes);
    if (rp_ok(err)) {
        rp_buf_add(&ret_rules->image, bytes);
        err = rp_buf_err(&ret_rules->image);
    }
    return rp_ok(err) ? RP_EXIT_OK : cli_fail(cli, err, cli->image, NULL);
}

enum rp_exit waf_rules_open(struct cli *cli, enum waf_setup setup, struct waf_rules *ret_rules) {
    struct waf_rules rules = {.image = rp_buf_new(IMAGE_MAX),
                              .arena = rp_arena_new((size_t)2 * IMAGE_MAX)};
    struct rp_diag diag = {0};
    enum rp_exit code = RP_EXIT_OK;
    if (!rules.arena) {
        code = cli_fail(cli, RP_ERR(NO_MEMORY), cli->command, NULL);
    } else if (cli->image && cli->rules.count == 0) {
        code = read_image(cli, &rules);
    } else if (!cli->image && cli->rules.count > 0) {
        code = compile(cli, setup, rules.arena, &rules);
    } else {
        code = cli_usage(cli, cli_say(cli, "soit --rules FICHIER…, soit --image IMAGE",
                                      "either --rules FILE… or --image IMAGE"));
    }
    if (code == RP_EXIT_OK) {
        rp_err err = rp_waf_open(rp_buf_view(&rules.image), &rules.waf, &diag);
        code = rp_ok(err) ? RP_EXIT_OK : cli_fail(cli, err, "image", &diag);
    }
    if (code != RP_EXIT_OK) {
        waf_rules_done(&rules);
        return code;
    }
    *ret_rules = rules;
    return RP_EXIT_OK;
}

void waf_rules_done(struct waf_rules *rules) {
    rp_waf_close(rules->waf);
    rp_buf_done(&rules->image);
    rp_arena_free(rules->arena);
}
