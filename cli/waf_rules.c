/* waf_rules.c — rules from the command line, compiled and opened; what is wrong is said with its
 * file, line and column. */
#include <unistd.h>

#include "base/assert.h"
#include "os/file.h"
#include "shield/rule_files_io.h"
#include "waf.h"

/* The limits that the Core Rule Set's own tests count on, in the names of 3.3 and of 4. */
static const char crs_text[] =
    "SecAction \"id:99999003,phase:1,pass,nolog,noauditlog,t:none,"
    "setvar:tx.paranoia_level=4,"
    "setvar:tx.blocking_paranoia_level=4,setvar:tx.detection_paranoia_level=4,"
    "setvar:tx.crs_validate_utf8_encoding=1,"
    "setvar:tx.arg_name_length=100,setvar:tx.arg_length=400,setvar:tx.total_arg_length=6400,"
    "setvar:tx.max_num_args=255,"
    "setvar:tx.max_file_size=64100,setvar:tx.combined_file_sizes=65535\"\n";

static enum rp_exit fail_at(const struct cli *cli, rp_err err, const struct rp_waf_place *place,
                            const struct rp_diag *diag) {
    const char *file = place->file.n > 0 ? rp_arena_cstr(cli->arena, place->file) : NULL;
    return cli_fail(cli, err, file ? file : cli->command, diag);
}

/* A folder that is there, and none of its files are rules, is not simply "not found". */
static enum rp_exit no_files(struct cli *cli, rp_err err, const char *path) {
    struct rp_diag diag = cli_diag(cli);
    if (rp_is(err, RP_E_NOT_FOUND) && access(path, F_OK) == 0) {
        (void)rp_fail(&diag, err, "%s",
                      cli_say(cli, "aucun fichier .conf dans ce dossier, ni dans son rules/",
                              "no .conf file in this folder, nor in its rules/"));
    }
    return cli_fail(cli, err, path, &diag);
}

static enum rp_exit compile(struct cli *cli, enum waf_setup setup, struct rp_arena *arena,
                            struct waf_rules *ret_rules) {
    struct rp_waf_rule_files *files = rp_arena_alloc(arena, sizeof *files);
    struct rp_waf_place place = {0};
    struct rp_diag diag = cli_diag(cli);
    if (!files) {
        return cli_fail(cli, RP_ERR(NO_MEMORY), cli->command, NULL);
    }
    rp_view ready = rp_waf_ready_text();
    files->setup =
        setup == WAF_CRS_CI ? rp_arena_printf(arena, "%.*s%s", RP_FMT(ready), crs_text) : ready;
    for (size_t i = 0; i < cli->rules.count; i++) {
        rp_err err = rp_waf_rule_files_add(files, cli->rules.p[i], arena);
        if (!rp_ok(err)) {
            return no_files(cli, err, cli->rules.p[i]);
        }
    }
    struct rp_waf_ruleset rules;
    rp_err err = rp_waf_rule_files_compile(files, arena, &ret_rules->image, &rules, &place, &diag);
    if (!rp_ok(err)) {
        return fail_at(cli, err, &place, &diag);
    }
    ret_rules->notes = rules.notes;
    ret_rules->note_count = rules.note_count;
    err = rp_waf_open(rp_buf_view(&ret_rules->image), &ret_rules->waf, &diag);
    return rp_ok(err) ? RP_EXIT_OK : cli_fail(cli, err, cli->rules.p[0], &diag);
}

static enum rp_exit read_image(struct cli *cli, const char *path, struct waf_rules *ret_rules) {
    rp_view bytes = {NULL, 0};
    struct rp_diag diag = cli_diag(cli);
    rp_err err = rp_file_read(path, RP_WAF_IMAGE_MAX, ret_rules->arena, &bytes);
    if (rp_ok(err)) {
        rp_buf_add(&ret_rules->image, bytes);
        err = rp_buf_err(&ret_rules->image);
    }
    if (rp_ok(err)) {
        err = rp_waf_open(rp_buf_view(&ret_rules->image), &ret_rules->waf, &diag);
    }
    return rp_ok(err) ? RP_EXIT_OK : cli_fail(cli, err, path, &diag);
}

/* What the gate of this installation compiled; NULL when there is none. */
static const char *running_image(struct cli *cli) {
    const char *path =
        rp_arena_cstr(cli->arena, rp_arena_printf(cli->arena, "%s/gate/rules.waf", cli->state));
    return path && access(path, R_OK) == 0 ? path : NULL;
}

enum rp_exit waf_rules_open(struct cli *cli, enum waf_setup setup, struct waf_rules *ret_rules) {
    struct waf_rules rules = {.image = rp_buf_new(RP_WAF_IMAGE_MAX),
                              .arena = rp_arena_new((size_t)2 * RP_WAF_IMAGE_MAX)};
    const char *image = cli->image || cli->rules.count > 0 ? cli->image : running_image(cli);
    enum rp_exit code = RP_EXIT_OK;
    if (!rules.arena) {
        code = cli_fail(cli, RP_ERR(NO_MEMORY), cli->command, NULL);
    } else if (image && cli->rules.count == 0) {
        code = read_image(cli, image, &rules);
    } else if (!image && cli->rules.count > 0) {
        code = compile(cli, setup, rules.arena, &rules);
    } else {
        code = cli_usage(cli, cli_say(cli, "soit --rules FICHIER…, soit --image IMAGE",
                                      "either --rules FILE… or --image IMAGE"));
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
