/* up.c — `rempart up` and `rempart check`: the same configuration code, then the supervisor. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli.h"
#include "config/config.h"
#include "config/refused_io.h"
#include "gate/rules.h"
#include "identity/breached.h"
#include "os/file.h"

enum { CONFIG_MAX = 1 << 20 };

static const char *config_path(struct cli *cli) {
    if (cli->config) {
        return cli->config;
    }
    rp_view path = rp_arena_printf(cli->arena, "%s/rempart.yaml", cli->state);
    RP_ASSERT(path.p != NULL);
    return (const char *)path.p;
}

static rp_err parse_config(struct cli *cli, enum rp_lang lang, const char *path,
                           struct rp_config *ret_config, struct rp_diag *diag) {
    rp_view text = {NULL, 0};
    RP_TRY(rp_file_read(path, CONFIG_MAX, cli->arena, &text));
    return rp_config_parse_for(lang, text, cli->arena, ret_config, diag);
}

static enum rp_exit read_config(struct cli *cli, const char *path, struct rp_config *ret_config) {
    struct rp_diag diag = cli_diag(cli);
    rp_err err = parse_config(cli, cli->lang, path, ret_config, &diag);
    return rp_ok(err) ? RP_EXIT_OK : (cli_fail(cli, err, path, &diag), RP_EXIT_USAGE);
}

/* The next start that succeeds puts it on record, in the one language of events. */
static void note_refused(struct cli *cli, const char *path) {
    struct rp_config config;
    struct rp_diag diag = cli_diag(cli);
    bool refused = !rp_ok(parse_config(cli, RP_EN, path, &config, &diag));
    cli_make_absolute(cli, &path);
    if (refused && rp_ok(cli_enter_state(cli))) {
        rp_config_note_refused(path, &diag);
    }
}

/* The first start writes down what was asked for, so that the second needs no options. */
static rp_err write_first_config(struct cli *cli, const char *path) {
    struct rp_buf text = rp_buf_new(CONFIG_MAX);
    rp_buf_printf(&text, "# Written by `rempart up`; every setting: rempart.yaml(5) or "
                         "`rempart check --sample`.\nhost: localhost\n");
    if (cli->listen) {
        rp_buf_printf(&text, "gate:\n  listen: %s\n", cli->listen);
    }
    if (cli->upstream) {
        rp_buf_printf(&text, "apps:\n  - name: app\n    upstream: \"%s\"\n    sign_in: required\n",
                      cli->upstream);
    }
    rp_err err = rp_buf_err(&text);
    struct rp_config checked;
    struct rp_diag diag = cli_diag(cli);
    if (rp_ok(err)) {
        err = rp_config_parse_for(cli->lang, rp_buf_view(&text), cli->arena, &checked, &diag);
        if (!rp_ok(err)) {
            diag.line = 0; /* a place in a text that nobody sees */
            cli_fail(cli, err, "--listen / --upstream", &diag);
        }
    }
    if (rp_ok(err)) {
        err = rp_file_create(path, 0644, rp_buf_view(&text));
        if (!rp_ok(err)) {
            cli_fail(cli, err, path, NULL);
        }
    }
    rp_buf_done(&text);
    return err;
}

/* An option that the file contradicts is refused: two truths would be one too many. */
static bool agrees(const struct cli *cli, const struct rp_config *config) {
    uint64_t port = 0;
    if (cli->listen &&
        (!rp_view_to_u64(rp_view_from_cstr(cli->listen), 65535, &port) || port != config->listen)) {
        return false;
    }
    return !cli->upstream ||
           (config->app_count == 1 && strcmp(config->apps[0].upstream, cli->upstream) == 0);
}

static const char *absolute(struct cli *cli, const char *path) {
    char full[PATH_MAX];
    if (!realpath(path, full)) {
        return path;
    }
    char *copy = rp_arena_cstr(cli->arena, rp_view_from_cstr(full));
    RP_ASSERT(copy != NULL);
    return copy;
}

enum rp_exit cli_up(struct cli *cli) {
    rp_err err = rp_folder_make(cli->state, 0755);
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli->state, NULL);
    }
    const char *path = config_path(cli);
    if (!rp_file_exists(path) && !cli->config && !rp_ok(write_first_config(cli, path))) {
        return RP_EXIT_USAGE;
    }
    struct rp_config config;
    enum rp_exit code = read_config(cli, path, &config);
    if (code != RP_EXIT_OK) {
        note_refused(cli, path);
        return code;
    }
    if (!agrees(cli, &config)) {
        fprintf(stderr, "rempart: %s%s %s\n", path, cli_colon(cli),
                cli_say(cli, "dit autre chose que --listen ou --upstream ; modifiez le fichier",
                        "says otherwise than --listen or --upstream; edit the file"));
        return RP_EXIT_USAGE;
    }
    rp_view program = rp_arena_printf(cli->arena, "%s/rempartd", cli_bin_folder(cli));
    RP_ASSERT(program.p != NULL);
    const char *const argv[] = {
        (const char *)program.p, "--state",  absolute(cli, cli->state), "--share",
        cli_share_folder(cli),   "--config", absolute(cli, path),       NULL};
    /* execv takes char *const[] for history's sake; it writes to nothing. */
    execv(argv[0], (char *const *)(uintptr_t)argv);
    return cli_fail(cli, rp_err_from_errno(errno), argv[0], NULL);
}

/* What an authority will need, and what is better tried first. */
static void check_acme(struct cli *cli, const struct rp_config *config) {
    const char *warning = cli_say(cli, "attention", "warning");
    if (!*config->acme_directory) {
        return;
    }
    if (!rp_file_exists("/usr/bin/uacme")) {
        printf("%s%s acme%s %s\n", warning, cli_colon(cli), cli_colon(cli),
               cli_say(cli, "uacme n’est pas installé : apt-get install uacme",
                       "uacme is not installed: apt-get install uacme"));
    }
    if (config->listen_http != 80) {
        printf(cli_say(cli, "%s : acme : gate.listen_http: %llu ; %s\n",
                       "%s: acme: gate.listen_http: %llu; %s\n"),
               warning, (unsigned long long)config->listen_http,
               cli_say(cli, "l’autorité regarde le port 80 : menez-le à celui-ci",
                       "the authority looks at port 80: lead it to this one"));
    }
    if (strcmp(config->acme_directory, "letsencrypt") == 0) {
        printf("acme: %s\n",
               cli_say(cli,
                       "la première fois, essayez letsencrypt-staging : ses limites sont larges, "
                       "ses certificats ne sont reconnus de personne",
                       "the first time, try letsencrypt-staging: its limits are wide, and nobody "
                       "trusts its certificates"));
    }
}

/* The list of leaked passwords: its form and order at some thousand places. */
static enum rp_exit check_breached(const struct cli *cli, const struct rp_config *config) {
    enum { PLACES = 4096 };
    struct rp_breached_file file;
    struct rp_diag diag = cli_diag(cli);
    if (config->breached_list[0] == 0) {
        return RP_EXIT_OK;
    }
    rp_err err = rp_breached_open(config->breached_list, &file, &diag);
    if (rp_ok(err)) {
        err = rp_breached_sample(&file.list, PLACES, &diag);
        rp_breached_close(&file);
    }
    return rp_ok(err) ? RP_EXIT_OK : cli_fail(cli, err, "sign_in.breached_list", &diag);
}

enum rp_exit cli_check(struct cli *cli) {
    if (cli->sample) {
        struct rp_buf out = rp_buf_new(CONFIG_MAX);
        rp_config_print_sample(&out, cli->lang);
        printf("%.*s", RP_FMT(rp_buf_view(&out)));
        rp_buf_done(&out);
        return RP_EXIT_OK;
    }
    struct rp_config config;
    const char *path = config_path(cli);
    struct rp_diag diag = cli_diag(cli);
    enum rp_exit code = read_config(cli, path, &config);
    if (code == RP_EXIT_OK) {
        code = check_breached(cli, &config);
    }
    if (code == RP_EXIT_OK) {
        rp_err err = gate_rules_check(&config, cli->state, &diag);
        code = rp_ok(err) ? RP_EXIT_OK : cli_fail(cli, err, "waf", &diag);
    }
    if (code == RP_EXIT_OK) {
        printf("%s%s %s\n", path, cli_colon(cli),
               cli_say(cli, "configuration valable", "the configuration is valid"));
        for (size_t i = 0; i < config.app_count; i++) {
            if (!rp_view_starts(rp_view_from_cstr(config.apps[i].upstream), RP_VIEW("unix:")) &&
                !rp_view_starts(rp_view_from_cstr(config.apps[i].upstream),
                                RP_VIEW("http://127.0.0.1:"))) {
                printf("%s%s %s%s %s\n", cli_say(cli, "attention", "warning"), cli_colon(cli),
                       config.apps[i].name, cli_colon(cli),
                       cli_say(cli,
                               "l’application n’écoute pas sur la boucle locale : on peut la "
                               "joindre sans passer par la porte",
                               "the application does not listen on loopback: it can be reached "
                               "around the gate"));
            }
        }
        cli_check_files(cli, &config);
        cli_check_events(cli, &config);
        check_acme(cli, &config);
    }
    return code;
}
