/* main.c — rempart-hunt: the file probes on their schedule. */
#include "crypto/secret.h"
#include "daemon.h"
#include "hunt.h"

static const struct rp_probe probes[] = {
    {"data.plaintext_hunt", hunt_plaintext},
    {"data.aes_header", hunt_aes_header},
    {"tenant.files_cross_read", hunt_files_cross_read},
    {"keys.inventory", hunt_key_inventory},
    {"keys.wrapped_only", hunt_wrapped_only},
    {"audit.complete", hunt_audit_complete},
};

static rp_err load_promises(struct daemon *daemon, struct rp_promises *ret_promises) {
    rp_view folder = rp_arena_printf(daemon->arena, "%s/promises", daemon->share);
    struct rp_diag diag = {0};
    rp_err err = folder.p
                     ? rp_promises_load((const char *)folder.p, daemon->arena, ret_promises, &diag)
                     : RP_ERR(NO_MEMORY);
    return rp_ok(err) ? RP_OK : daemon_fail(daemon, err, "promises", &diag);
}

static rp_err serve(struct daemon *daemon) {
    struct rp_promises promises;
    RP_TRY(load_promises(daemon, &promises));
    RP_TRY(rp_crypto_start());
    struct hunt hunt = {.env = daemon->env};
    RP_TRY(daemon_enter(daemon));
    const struct rp_runner_options options = {.env = &daemon->env,
                                              .loop = daemon->loop,
                                              .role = RP_ROLE_HUNT,
                                              .promises = &promises,
                                              .probes = probes,
                                              .probe_count = sizeof probes / sizeof probes[0],
                                              .ctx = &hunt};
    struct rp_runner *runner = NULL;
    rp_err err = rp_runner_new(&options, &runner);
    if (!rp_ok(err)) {
        return daemon_fail(daemon, err, "runner", NULL);
    }
    err = daemon_run(daemon);
    rp_runner_free(runner);
    return err;
}

int main(int argc, char **argv) {
    struct daemon daemon;
    rp_err err = daemon_start(&daemon, RP_ROLE_HUNT, argc, argv);
    if (rp_ok(err)) {
        err = serve(&daemon);
    }
    daemon_done(&daemon);
    return daemon_exit_code(err);
}
