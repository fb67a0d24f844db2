/* main.c — rempart-probe: the outside probes on their schedule. */
#include <curl/curl.h>

#include "crypto/secret.h"
#include "daemon.h"
#include "probe.h"

static const struct rp_probe probes[] = {
    {"tls.versions", probe_tls_versions},
    {"tls.forward_secrecy", probe_tls_forward_secrecy},
    {"web.hsts", probe_web_hsts},
    {"web.https_redirect", probe_web_https_redirect},
    {"web.cookies", probe_web_cookies},
    {"tenant.api_cross_read", probe_tenant_api_cross_read},
    {"signin.password_alone", probe_signin_password_alone},
    {"signin.totp", probe_signin_totp},
    {"audit.canary_visible", probe_audit_canary_visible},
};

/* Where a stranger would find the gate; from this machine, the loopback stands for "everywhere". */
static const char *gate_address(const struct rp_config *config) {
    return strcmp(config->address, "0.0.0.0") == 0 ? "127.0.0.1" : config->address;
}

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
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return daemon_fail(daemon, RP_ERR(SYSTEM), "libcurl", NULL);
    }
    struct probe probe = {
        .env = daemon->env, .config = &daemon->config, .address = gate_address(&daemon->config)};
    RP_TRY(daemon_enter(daemon));
    const struct rp_runner_options options = {.env = &daemon->env,
                                              .loop = daemon->loop,
                                              .role = RP_ROLE_PROBE,
                                              .promises = &promises,
                                              .probes = probes,
                                              .probe_count = sizeof probes / sizeof probes[0],
                                              .ctx = &probe};
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
    rp_err err = daemon_start(&daemon, RP_ROLE_PROBE, argc, argv);
    if (rp_ok(err)) {
        err = serve(&daemon);
    }
    daemon_done(&daemon);
    return daemon_exit_code(err);
}
