/* main.c — rempart-link: reads its key and takes its port, gives up all else, and serves. */
#include "base/assert.h"
#include "base/checked.h"
#include "key_io.h"
#include "link.h"
#include "os/file.h"

int64_t link_now_ms(const struct link *link) {
    return rp_env_monotonic_ms(&link->daemon.env);
}

static void tick(void *ctx) {
    struct link *link = ctx;
    for (size_t i = 0; i < link->machine_count; i++) {
        dial_tick(&link->machines[i]);
    }
    for (size_t i = 0; i < LINK_INBOUND; i++) {
        wire_tick(&link->inbound[i]);
    }
    ask_tick(link);
}

/* The configuration's machines; each file was checked when it was read. */
static void know_machines(struct link *link) {
    const struct rp_config *config = &link->daemon.config;
    for (size_t i = 0; i < config->peer_count; i++) {
        struct machine *machine = &link->machines[i];
        const struct rp_config_peer *peer = &config->peers[i];
        *machine = (struct machine){.peer = peer, .pause_ms = LINK_PAUSE_MIN_MS};
        machine->asks = (struct wire){.link = link, .machine = machine, .dials = true, .fd = -1};
        bool good = rp_fingerprint_parse(rp_view_from_cstr(peer->key), &machine->key);
        if (!good) { /* 43 digits whose last says more than 32 bytes: of no key */
            daemon_say(&link->daemon, "link.peers: %s: no key has this fingerprint", peer->name);
        }
        machine->asking.since_s = machine->answering.since_s = rp_env_now_s(&link->daemon.env);
        link->known[i] = machine->key;
        link->machine_count++;
    }
}

/* What root may and the link's own user may not. */
static rp_err prepare(struct link *link) {
    struct rp_diag diag = {0};
    RP_TRY(rp_crypto_start());
    rp_err err = link_key_load(&link->daemon.env, link->daemon.arena, &link->key, &diag);
    if (!rp_ok(err)) {
        return daemon_fail(&link->daemon, err, "link/key.pem", &diag);
    }
    RP_TRY(listen_open(link));
    return daemon_enter(&link->daemon);
}

static rp_err serve(struct link *link) {
    know_machines(link);
    RP_TRY(recorder_new(&link->daemon, &link->recorder));
    RP_TRY(answer_start(link));
    RP_TRY(ask_start(link));
    RP_TRY(listen_start(link));
    RP_TRY(rp_loop_timer(link->daemon.loop, 1, LINK_TICK_MS, tick, link, &link->timer));
    tell_status(link);
    return RP_OK;
}

static rp_err run(struct link *link) {
    if (link->daemon.config.peer_count == 0) {
        daemon_say(&link->daemon, "the configuration names no other machine (link.peers)");
        return RP_ERR(INVALID);
    }
    RP_TRY(prepare(link));
    rp_err err = serve(link);
    return rp_ok(err) ? daemon_run(&link->daemon) : daemon_fail(&link->daemon, err, "start", NULL);
}

/* The servers first: the recorder may be asking one of them, and is told at once that it ends. */
static void done(struct link *link) {
    rp_timer_free(link->timer);
    for (size_t i = 0; i < link->stand_count; i++) {
        rp_ipc_server_free(link->stands[i].server);
    }
    recorder_free(link->recorder);
    rp_pool_free(link->pool);
    for (size_t i = 0; i < link->machine_count; i++) {
        wire_release(&link->machines[i].asks);
    }
    for (size_t i = 0; i < LINK_INBOUND; i++) {
        wire_release(&link->inbound[i]);
    }
    rp_watch_free(link->watch);
    rp_fd_done(&link->listener);
    rp_tls_key_free(link->key);
    daemon_done(&link->daemon);
}

int main(int argc, char **argv) {
    static struct link link = {.listener = -1};
    rp_err err = daemon_start(&link.daemon, RP_ROLE_LINK, argc, argv);
    if (rp_ok(err)) {
        err = run(&link);
    }
    done(&link);
    return daemon_exit_code(err);
}
