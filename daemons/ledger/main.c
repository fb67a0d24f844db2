/* main.c — rempart-ledger: every event, kept before anyone is told, and provable ever after. */
#include "crypto/secret.h"
#include "ledger.h"
#include "ledger/key_io.h"
#include "os/file.h"

void ledger_stop(struct ledger *ledger, rp_err err, const char *what, const struct rp_diag *diag) {
    if (rp_ok(ledger->fatal)) {
        ledger->fatal = daemon_fail(ledger->daemon, err, what, diag);
        rp_loop_stop(ledger->daemon->loop);
    }
}

static rp_err open_key(struct ledger *ledger) {
    struct rp_diag diag = {0};
    rp_err err = rp_folder_make("ledger/journal", 0750);
    if (rp_ok(err)) {
        err = rp_log_key_open(&ledger->daemon->env, "ledger/key", &ledger->home.key, &diag);
    }
    return rp_ok(err) ? err : daemon_fail(ledger->daemon, err, "signing key", &diag);
}

/* Nobody is answered before the journal is read and the trees have caught up. */
static rp_err prepare(struct ledger *ledger) {
    RP_TRY(rp_ipc_server_new(ledger->daemon->loop, RP_ROLE_LEDGER, intake_request, ledger,
                             &ledger->server));
    rp_ipc_server_on_refused(ledger->server, intake_peer_refused, ledger);
    RP_TRY(daemon_enter(ledger->daemon));
    RP_TRY(open_key(ledger));
    RP_TRY(grower_start(ledger));
    rp_err err = gate_start(ledger);
    if (!rp_ok(err)) {
        return daemon_fail(ledger->daemon, err, "access segments", NULL);
    }
    intake_check_disk(ledger);
    RP_TRY(grower_run(ledger));
    gate_scan(ledger);
    return RP_OK;
}

static rp_err serve(struct daemon *daemon) {
    RP_TRY(rp_crypto_start());
    struct ledger *ledger = rp_arena_alloc(daemon->arena, sizeof *ledger);
    if (!ledger) {
        return RP_ERR(NO_MEMORY);
    }
    ledger->daemon = daemon;
    ledger->disk = rp_disk_real();
    ledger->home = (struct rp_grow_home){
        .disk = &ledger->disk, .folder = "ledger", .host = daemon->config.host};
    rp_err err = prepare(ledger);
    if (rp_ok(err)) {
        err = daemon_run(daemon);
    }
    if (rp_ok(err) && rp_ok(ledger->fatal)) {
        rp_ignore(intake_commit(ledger)); /* who waits is told, whatever it is */
    }
    grower_stop(ledger);
    gate_stop(ledger);
    rp_ipc_server_free(ledger->server);
    rp_secret_free(ledger->home.key.secret);
    return rp_ok(err) ? ledger->fatal : err;
}

int main(int argc, char **argv) {
    struct daemon daemon;
    rp_err err = daemon_start(&daemon, RP_ROLE_LEDGER, argc, argv);
    if (rp_ok(err)) {
        err = serve(&daemon);
    }
    daemon_done(&daemon);
    return daemon_exit_code(err);
}
