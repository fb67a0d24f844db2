/* main.c — rempart-vault: from start to "ready", one answer at a time, and a clean end. */
#include "base/assert.h"
#include "base/checked.h"
#include "vault.h"

enum { TALLY_MS = 1000, REPLY_MAX = 256 };

#define SAME(name) ((int)RP_IPC_CORE_VAULT_##name == (int)RP_VAULT_##name)
_Static_assert(SAME(SIZE) && SAME(ENTRIES) && SAME(HEAD) && SAME(RECORDS) && SAME(WANTED) &&
                   SAME(SEGMENT),
               "one number");
_Static_assert((int)RP_IPC_HUNT_VAULT_SIZE == (int)RP_VAULT_SIZE &&
                   (int)RP_IPC_HUNT_VAULT_ENTRIES == (int)RP_VAULT_ENTRIES &&
                   (int)RP_IPC_HUNT_VAULT_HEAD == (int)RP_VAULT_HEAD &&
                   (int)RP_IPC_HUNT_VAULT_SEGMENT == (int)RP_VAULT_SEGMENT,
               "one number");

/* Which machine this is, for whoever asks whether it is another one. */
static rp_err answer_place(struct keeper *keeper) {
    if (!keeper->machine.known) {
        return RP_ERR(NOT_FOUND);
    }
    rp_pack_bytes(&keeper->reply, rp_view_of(keeper->machine.hash.b, RP_SHA256));
    return rp_buf_err(&keeper->reply);
}

static void handle(void *ctx, enum rp_role_id from, enum rp_ipc_message message,
                   struct rp_ipc_call_id call, rp_view request) {
    struct keeper *keeper = ctx;
    struct rp_diag diag = {0};
    rp_buf_clear(&keeper->reply);
    bool place = from == RP_ROLE_HUNT && (int)message == (int)RP_IPC_HUNT_VAULT_PLACE;
    rp_err err =
        place ? answer_place(keeper)
              : rp_vault_answer(keeper->copy, from != RP_ROLE_CORE, (enum rp_vault_message)message,
                                request, &keeper->reply, &diag);
    if (!rp_ok(err) && !place && !rp_err_retry(err)) {
        refused_note(keeper, from, message, err, diag.text);
    }
    if (rp_ok(err) && (int)message == (int)RP_VAULT_HEAD) {
        keeper->head_s = rp_env_now_s(&keeper->daemon.env);
    }
    rp_ipc_reply(keeper->server, call, err,
                 rp_ok(err) ? rp_buf_view(&keeper->reply) : (rp_view){NULL, 0});
}

static void peer_refused(void *ctx, enum rp_role_id named, pid_t pid, const char *reason) {
    (void)pid;
    refused_note(ctx, named, 0, RP_ERR(PROTOCOL), reason);
}

static rp_err serve(struct keeper *keeper) {
    RP_TRY(rp_ipc_server_new(keeper->daemon.loop, RP_ROLE_VAULT, handle, keeper, &keeper->server));
    rp_ipc_server_on_refused(keeper->server, peer_refused, keeper);
    tally_write(keeper);
    return rp_loop_timer(keeper->daemon.loop, TALLY_MS, TALLY_MS, tally_write, keeper,
                         &keeper->timer);
}

static rp_err run(struct keeper *keeper) {
    struct rp_diag diag = {0};
    keeper->machine = machine_read();
    rp_err err = rp_crypto_start();
    if (!rp_ok(err)) {
        return daemon_fail(&keeper->daemon, err, "cryptography", NULL);
    }
    RP_TRY(daemon_enter(&keeper->daemon));
    err = rp_vault_open(&keeper->daemon.env, &keeper->disk, "vault",
                        rp_view_from_cstr(keeper->daemon.config.vault_log), &keeper->copy, &diag);
    if (!rp_ok(err)) {
        return daemon_fail(&keeper->daemon, err, "vault", &diag);
    }
    err = serve(keeper);
    return rp_ok(err) ? daemon_run(&keeper->daemon)
                      : daemon_fail(&keeper->daemon, err, "run/vault.sock", NULL);
}

int main(int argc, char **argv) {
    struct keeper keeper = {.disk = rp_disk_real(), .reply = rp_buf_new(REPLY_MAX)};
    rp_err err = daemon_start(&keeper.daemon, RP_ROLE_VAULT, argc, argv);
    if (rp_ok(err)) {
        err = run(&keeper);
    }
    rp_timer_free(keeper.timer);
    rp_ipc_server_free(keeper.server);
    rp_vault_free(keeper.copy);
    rp_buf_done(&keeper.reply);
    daemon_done(&keeper.daemon);
    return daemon_exit_code(err);
}
