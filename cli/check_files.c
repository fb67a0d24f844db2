/* check_files.c — the files that a configuration names, and PostgreSQL's socket: whether they are
 * there, before a start finds out. What this user may not look at is left to the start, which may.
 */
#include <errno.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "cli.h"
#include "config/config.h"
#include "wire/store_url.h"

/* NOT_FOUND, IS_FOLDER; OK for whatever is no finding of ours. */
static rp_err look(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0) {
        return errno == ENOENT || errno == ENOTDIR ? RP_ERR(NOT_FOUND) : RP_OK;
    }
    return S_ISDIR(st.st_mode) ? RP_ERR(IS_FOLDER) : RP_OK;
}

/* A relative name starts at the state folder, as it does for the roles. */
static void warn_of(const struct cli *cli, const char *setting, const char *named) {
    bool absolute = named[0] == '/';
    rp_view path = rp_arena_printf(cli->arena, "%s%s%s", absolute ? "" : cli->state,
                                   absolute ? "" : "/", named);
    rp_err err = path.p ? look((const char *)path.p) : RP_ERR(NO_MEMORY);
    if (!rp_ok(err)) {
        const char *colon = cli_colon(cli);
        printf("%s%s %s%s %.*s%s %s\n", cli_say(cli, "attention", "warning"), colon, setting, colon,
               RP_FMT(path), colon, rp_err_text(err, cli->lang));
    }
}

/* A server that is stopped has no socket; one with another port has it by another name. */
static void warn_of_store(const struct cli *cli, const char *store) {
    struct rp_store_url url;
    if (rp_ok(rp_store_url_parse(rp_view_from_cstr(store), &url, NULL)) && !url.files) {
        rp_view socket = rp_arena_printf(cli->arena, "%s/.s.PGSQL.%s", url.folder, url.port);
        warn_of(cli, "store", socket.p ? (const char *)socket.p : url.folder);
    }
}

void cli_check_files(const struct cli *cli, const struct rp_config *config) {
    const struct {
        const char *setting, *named;
    } files[] = {
        {"gate.certificate", config->certificate},
        {"gate.certificate_key", config->certificate_key},
        {"acme.eab_credentials", config->acme_eab},
        {"smtp.credentials", config->smtp_credentials},
        {"smtp.authority", config->smtp_authority},
    };
    for (size_t i = 0; i < RP_COUNT_OF(files); i++) {
        if (files[i].named[0]) {
            warn_of(cli, files[i].setting, files[i].named);
        }
    }
    for (size_t i = 0; i < config->webhook_count; i++) {
        warn_of(cli, "webhooks.secret", config->webhooks[i].secret);
        if (config->webhooks[i].authority[0]) {
            warn_of(cli, "webhooks.authority", config->webhooks[i].authority);
        }
    }
    for (size_t i = 0; i < config->app_count; i++) {
        if (config->apps[i].client_ca) {
            warn_of(cli, "client_ca", config->apps[i].client_ca);
        }
    }
    warn_of_store(cli, config->store);
}
