/* main.c — rempart-core: sign-in, the tenants' data, the public page. */
#include <stdlib.h>
#include <sys/stat.h>

#include "base/assert.h"
#include "core.h"
#include "web/templates.h"

static rp_err load_promises(struct core *core) {
    rp_view folder = rp_arena_printf(core->arena, "%s/promises", core->daemon->share);
    struct rp_diag diag = {0};
    rp_err err = folder.p
                     ? rp_promises_load((const char *)folder.p, core->arena, &core->promises, &diag)
                     : RP_ERR(NO_MEMORY);
    return rp_ok(err) ? RP_OK : daemon_fail(core->daemon, err, "promises", &diag);
}

static rp_err load_registers(struct core *core) {
    rp_view folder = rp_arena_printf(core->arena, "%s/registers", core->daemon->share);
    struct rp_diag diag = {0};
    rp_err err =
        folder.p ? rp_registers_load((const char *)folder.p, core->arena, &core->registers, &diag)
                 : RP_ERR(NO_MEMORY);
    return rp_ok(err) ? RP_OK : daemon_fail(core->daemon, err, "registers", &diag);
}

/* A file's name changes with its bytes, so that browsers may keep it for ever. */
static void name_asset(char path[static RP_ASSET_PATH], const char *kind, const char *ending,
                       rp_view bytes) {
    struct rp_sha256 hash = rp_sha256_of(bytes);
    char hex[17] = {0};
    rp_hex_print(rp_view_of(hash.b, 8), hex);
    int n = snprintf(path, RP_ASSET_PATH, "/.rempart/id/%s-%s.%s", kind, hex, ending);
    RP_ASSERT(n > 0 && n < RP_ASSET_PATH);
}

static void name_assets(struct rp_web *web) {
    name_asset(web->style_path, "style", "css", rp_asset_style_css);
    name_asset(web->script_path, "passkey", "js", rp_asset_passkey_js);
}

static rp_err find_owner(struct core *core) {
    struct stat st;
    if (stat(".", &st) != 0) {
        return daemon_fail(core->daemon, RP_ERR(SYSTEM), "state folder", NULL);
    }
    core->owner = st.st_uid;
    return RP_OK;
}

static rp_err name_origin(struct core *core) {
    rp_view origin = rp_arena_printf(core->arena, "https://%s:%llu", core->config.host,
                                     (unsigned long long)core->config.listen);
    core->origin = (const char *)origin.p;
    return origin.p ? RP_OK : RP_ERR(NO_MEMORY);
}

/* Before entry: afterwards the file is out of reach, and its descriptor is not. */
static rp_err open_breached(struct core *core) {
    struct rp_diag diag = {0};
    if (core->config.breached_list[0] == 0) {
        return RP_OK;
    }
    rp_err err = rp_breached_open(core->config.breached_list, &core->breached, &diag);
    return rp_ok(err) ? RP_OK : daemon_fail(core->daemon, err, "sign_in.breached_list", &diag);
}

static rp_err open_doors(struct core *core, struct rp_diag *diag) {
    RP_TRY(core_leave_start(core));
    RP_TRY(core_tables_create(core));
    rp_ignore(core_lists_start(core)); /* said there; the chores try again */
    RP_TRY(core_pools_start(core));
    RP_TRY(core_set_up(core, diag));
    RP_TRY(core_tables_publish(core));
    RP_TRY(core_forward_start(core));
    RP_TRY(core_send_start(core));
    RP_TRY(core_vault_start(core));
    RP_TRY(core_witnesses_start(core));
    RP_TRY(core_tables_keep(core));
    RP_TRY(core_chores_start(core));
    RP_TRY(core_closings_start(core));
    RP_TRY(core_registers_start(core));
    return core_listen(core);
}

static rp_err serve(struct core *core) {
    RP_TRY(load_promises(core));
    RP_TRY(load_registers(core));
    RP_TRY(find_owner(core));
    RP_TRY(name_origin(core));
    RP_TRY(rp_crypto_start());
    name_assets(&core->web);
    RP_TRY(open_breached(core));
    if (core->daemon->rehearses) {
        return RP_OK;
    }
    RP_TRY(daemon_enter(core->daemon));
    struct rp_diag diag = {0};
    rp_err err = open_doors(core, &diag);
    if (!rp_ok(err)) {
        return daemon_fail(core->daemon, err, "start", &diag);
    }
    return daemon_run(core->daemon);
}

int main(int argc, char **argv) {
    struct daemon daemon;
    rp_err err = daemon_start(&daemon, RP_ROLE_CORE, argc, argv);
    struct core *core = calloc(1, sizeof *core);
    if (rp_ok(err) && core) {
        core->daemon = &daemon;
        core->core_fd = core->cli_fd = -1;
        core->breached.fd = -1;
        pthread_mutex_init(&core->stop_lock, NULL);
        core->env = daemon.env;
        core->loop = daemon.loop;
        core->arena = daemon.arena;
        core->config = daemon.config;
        core->web.env = daemon.env;
        core->web.config = &core->config;
        core->web.promises = &core->promises;
        core->web.registers = &core->registers;
        err = serve(core);
        core_vault_stop(core);
        core_witnesses_stop(core);
        core_send_stop(core);
        core_forward_stop(core);
        core_pools_stop(core);
        core_hang_up(core);
        rp_breached_close(&core->breached);
    }
    free(core);
    daemon_done(&daemon);
    return daemon_exit_code(err);
}
