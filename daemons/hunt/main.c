/* main.c — rempart-hunt: the file probes on their schedule, and the log of edited promises. */
#include "base/checked.h"
#include "crypto/secret.h"
#include "edits.h"
#include "hunt.h"
#include "probing.h"

enum { EDITS_AGAIN_MS = 5000 };

static const struct rp_probe probes[] = {
    {"data.plaintext_hunt", hunt_plaintext},
    {"data.aes_header", hunt_aes_header},
    {"tenant.files_cross_read", hunt_files_cross_read},
    {"keys.inventory", hunt_key_inventory},
    {"keys.wrapped_only", hunt_wrapped_only},
    {"keys.other_host", hunt_keys_other_host},
    {"keys.no_master_here", hunt_no_master_here},
    {"audit.complete", hunt_audit_complete},
    {"retention.deletions_justified", hunt_deletions_justified},
    {"retention.purge_canary", hunt_purge_canary},
    {"retention.purge_oldest", hunt_purge_oldest},
    {"change.running_approved", hunt_running_approved},
    {"people.operators_checked", hunt_operators_checked},
    {"admin.staff_access_explained", hunt_access_explained},
    {"ddos.path", hunt_provider_path},
    {"log.streams_canary", hunt_streams},
    {"log.tamper_refused", hunt_tamper_refused},
    {"people.no_record_copy", hunt_no_record_copy},
    {"data.field_map", hunt_field_map},
    {"customer.mfa_share", hunt_mfa_share},
    {"network.open_ports", hunt_open_ports},
    {"network.layers", hunt_layers},
    {"admin.roles_walled", hunt_roles_walled},
    {"log.witnessed", hunt_witnessed},
#define RP_STATE_RULE(name, probe, reg, where, must, least, words) {probe, hunt_rule_##name},
#include "register/rules.def"
#undef RP_STATE_RULE
};

struct edits_job {
    const struct rp_env *env;
    const struct rp_promises *promises;
    struct rp_timer *timer;
};

/* Until the ledger has taken them, once. */
static void log_edits(void *ctx) {
    struct edits_job *job = ctx;
    if (rp_ok(hunt_log_edits(job->env, job->promises))) {
        rp_timer_free(job->timer);
        job->timer = NULL;
    }
}

static rp_err load_registers(struct daemon *daemon, struct rp_registers *ret_registers) {
    rp_view folder = rp_arena_printf(daemon->arena, "%s/registers", daemon->share);
    struct rp_diag diag = {0};
    rp_err err =
        folder.p ? rp_registers_load((const char *)folder.p, daemon->arena, ret_registers, &diag)
                 : RP_ERR(NO_MEMORY);
    return rp_ok(err) ? RP_OK : daemon_fail(daemon, err, "registers", &diag);
}

static rp_err serve(struct daemon *daemon) {
    struct rp_promises promises;
    struct rp_registers registers;
    RP_TRY(load_registers(daemon, &registers));
    RP_TRY(probing_load(daemon, &promises));
    RP_TRY(rp_crypto_start());
    struct edits_job edits = {.env = &daemon->env, .promises = &promises};
    RP_TRY(rp_loop_timer(daemon->loop, 1, EDITS_AGAIN_MS, log_edits, &edits, &edits.timer));
    struct hunt hunt = {.env = daemon->env,
                        .registers = &registers,
                        .promises = &promises,
                        .config = &daemon->config,
                        .second_factor = strcmp(daemon->config.second_factor, "required") == 0};
    hunt.machine = machine_read();
    hunt_find_sockets(&hunt);
    return probing_run(daemon, &promises, probes, RP_COUNT_OF(probes), &hunt, &hunt.stopping);
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
