/* main.c — rempart-kms: from start to "ready", one answer at a time, and a clean end. */
#include "base/assert.h"
#include "base/checked.h"
#include "kms.h"

enum { TIDY_MS = 5000, MESSAGE_ARENA = 8 << 20 /* the ends of a thousand leases, as events */ };

static void handle(void *ctx, enum rp_role_id from, enum rp_ipc_message message,
                   struct rp_ipc_call_id call, rp_view request) {
    struct kms *kms = ctx;
    RP_ASSERT(from == RP_ROLE_CORE || from == RP_ROLE_CLI || from == RP_ROLE_HUNT);
    RP_ASSERT(kms->reply.n == 0);
    rp_arena_reset(kms->arena);
    rp_err err = from == RP_ROLE_CORE   ? kms_answer_core(kms, message, request)
                 : from == RP_ROLE_HUNT ? kms_answer_hunt(kms, message, request)
                                        : kms_answer_cli(kms, message, request);
    rp_ipc_reply(kms->server, call, err,
                 rp_ok(err) ? rp_buf_view(&kms->reply) : (rp_view){NULL, 0});
    /*= S84 */ /* a key on its way out leaves no copy here */
    rp_wipe(kms->reply.p, kms->reply.capacity);
    rp_buf_clear(&kms->reply);
}

static void peer_refused(void *ctx, enum rp_role_id named, pid_t pid, const char *reason) {
    struct kms *kms = ctx;
    rp_arena_reset(kms->arena);
    kms_record_peer_refused(kms, rp_role_name(named), pid, reason);
}

static void tidy(void *ctx) {
    struct kms *kms = ctx;
    rp_arena_reset(kms->arena);
    kms_tidy(kms);
    kms_tidy_shares(kms);
}

/* Once before and once after the role's own user is taken: a right that root had may be gone. */
static rp_err start_crypto(const struct kms *kms) {
    rp_err err = rp_crypto_start();
    if (rp_is(err, RP_E_NO_MEMORY)) {
        daemon_say(&kms->daemon, "the machine does not let this process lock memory, where keys "
                                 "must stay: raise RLIMIT_MEMLOCK to at least 1 MiB (ulimit -l, "
                                 "LimitMEMLOCK=)");
        return RP_ERR(INVALID);
    }
    return rp_ok(err) ? RP_OK : daemon_fail(&kms->daemon, err, "cryptography", NULL);
}

static rp_err make_tables(struct kms *kms) {
    kms->arena = rp_arena_new(MESSAGE_ARENA);
    kms->reply = rp_buf_new(KMS_REPLY_MAX);
    kms->ledger = rp_ipc_client_new(RP_ROLE_KMS, RP_ROLE_LEDGER, KMS_LEDGER_DEADLINE_MS);
    if (!kms->arena || !kms->ledger) {
        return RP_ERR(NO_MEMORY);
    }
    return rp_lease_table_new(&kms->leases);
}

static rp_err serve(struct kms *kms) {
    RP_TRY(make_tables(kms));
    RP_TRY(rp_ipc_server_new(kms->daemon.loop, RP_ROLE_KMS, handle, kms, &kms->server));
    rp_ipc_server_on_refused(kms->server, peer_refused, kms);
    return rp_loop_timer(kms->daemon.loop, TIDY_MS, TIDY_MS, tidy, kms, &kms->tidy_timer);
}

static rp_err run(struct kms *kms) {
    RP_TRY(start_crypto(kms));
    kms->machine = machine_read();
    RP_TRY(daemon_enter(&kms->daemon));
    RP_TRY(start_crypto(kms));
    rp_err err = serve(kms);
    if (!rp_ok(err)) {
        return daemon_fail(&kms->daemon, err, "run/kms.sock", NULL);
    }
    if (strcmp(kms->daemon.config.unseal, "file") == 0) {
        kms_open_by_file(kms);
    } else {
        daemon_say(&kms->daemon,
                   kms_opens_by_shares(kms)
                       ? "sealed: `rempart keys unseal` opens it, share by share"
                       : "sealed: `rempart keys unseal` opens it with the passphrase");
    }
    err = daemon_run(&kms->daemon);
    rp_arena_reset(kms->arena);
    rp_ignore(kms_flush_assertions(kms)); /* a ledger that is away loses one minute's count */
    return err;
}

static void done(struct kms *kms) {
    rp_timer_free(kms->open_timer);
    rp_timer_free(kms->tidy_timer);
    rp_ipc_server_free(kms->server);
    kms_forget_shares(kms);
    rp_hierarchy_free(kms->hierarchy);
    rp_lease_table_free(kms->leases);
    rp_ipc_client_free(kms->ledger);
    rp_buf_done(&kms->reply);
    rp_arena_free(kms->arena);
    daemon_done(&kms->daemon);
}

int main(int argc, char **argv) {
    struct kms kms = {.reply = {.max = KMS_REPLY_MAX}};
    rp_err err = daemon_start(&kms.daemon, RP_ROLE_KMS, argc, argv);
    if (rp_ok(err)) {
        err = run(&kms);
    }
    done(&kms);
    return daemon_exit_code(err);
}
