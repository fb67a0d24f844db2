/* main.c — rempart-witness: start, and what it tells the log. */
#include <stdlib.h>

#include "base/checked.h"
#include "crypto/secret.h"
#include "ipc/ipc.h"
#include "witness.h"

enum { TELL_MS = 1000, LEDGER_MS = 1000 };

static rp_err serve(struct witness *witness) {
    struct daemon *daemon = &witness->daemon;
    RP_TRY(rp_crypto_start());
    if (daemon->rehearses) {
        return keep_rehearse(witness);
    }
    RP_TRY(daemon_enter(daemon));
    RP_TRY(keep_open(witness));
    witness->ledger = rp_ipc_client_new(RP_ROLE_WITNESS, RP_ROLE_LEDGER, LEDGER_MS);
    rp_err err = witness->ledger ? serve_open(witness) : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        err = rp_loop_timer(daemon->loop, TELL_MS, TELL_MS, keep_tell, witness, NULL);
    }
    return rp_ok(err) ? daemon_run(daemon) : daemon_fail(daemon, err, "start", NULL);
}

static int run(struct witness *witness, int argc, char **argv) {
    witness->listener = -1;
    rp_err err = daemon_start(&witness->daemon, RP_ROLE_WITNESS, argc, argv);
    if (rp_ok(err)) {
        err = serve(witness);
    }
    serve_close(witness);
    rp_ipc_client_free(witness->ledger);
    rp_secret_free(witness->key.secret);
    daemon_done(&witness->daemon);
    return daemon_exit_code(err);
}

int main(int argc, char **argv) {
    struct witness *witness = calloc(1, sizeof *witness);
    int code = witness ? run(witness, argc, argv) : 1;
    free(witness);
    return code;
}
