/* main.c — rempart-dial: start, and who comes in. */
#include <stdlib.h>

#include "base/checked.h"
#include "dial.h"
#include "os/file.h"
#include "os/socket.h"
#include "recorder.h"

static struct call *find_free(struct dial *dial) {
    for (size_t i = 0; i < DIAL_CALLS; i++) {
        if (dial->calls[i].state == CALL_FREE) {
            return &dial->calls[i];
        }
    }
    return NULL;
}

/* Who finds no free place waits at the door. */
static void accept_ready(void *ctx, unsigned events) {
    struct dial *dial = ctx;
    struct call *call;
    (void)events;
    while ((call = find_free(dial)) != NULL) {
        _cleanup_fd_ int fd = -1;
        if (!rp_ok(rp_socket_accept(dial->listener, &fd))) {
            return;
        }
        call_begin(call, &fd);
    }
    rp_ignore(rp_watch_events(dial->watch, 0)); /* at worst it wakes us for nothing */
}

void dial_call_ended(struct dial *dial) {
    rp_ignore(rp_watch_events(dial->watch, RP_READY_READ)); /* the next end tries again */
}

static void tick(void *ctx) {
    struct dial *dial = ctx;
    for (size_t i = 0; i < DIAL_CALLS; i++) {
        call_tick(&dial->calls[i]);
    }
}

static rp_err open_door(struct dial *dial) {
    struct daemon *daemon = &dial->daemon;
    RP_TRY(rp_pool_new(DIAL_CALLS, DIAL_CALLS, NULL, NULL, NULL, &dial->pool));
    RP_TRY(names_open(dial));
    RP_TRY(rp_socket_listen(DAEMON_DIAL_SOCKET, RP_SOCKET_STREAM, 0660, &dial->listener));
    RP_TRY(rp_loop_watch(daemon->loop, dial->listener, RP_READY_READ, accept_ready, dial,
                         &dial->watch));
    return rp_loop_timer(daemon->loop, DIAL_TICK_MS, DIAL_TICK_MS, tick, dial, NULL);
}

static rp_err serve(struct dial *dial) {
    struct daemon *daemon = &dial->daemon;
    struct rp_diag diag = {0};
    rp_err err = places_of(&daemon->config, &dial->places, &diag);
    if (!rp_ok(err)) {
        return daemon_fail(daemon, err, daemon->config_file, &diag);
    }
    if (daemon->rehearses) {
        return RP_OK;
    }
    RP_TRY(daemon_enter(daemon));
    RP_TRY(recorder_new(daemon, &dial->recorder));
    err = open_door(dial);
    return rp_ok(err) ? daemon_run(daemon) : daemon_fail(daemon, err, DAEMON_DIAL_SOCKET, NULL);
}

static int run(struct dial *dial, int argc, char **argv) {
    dial->listener = -1;
    for (size_t i = 0; i < DIAL_CALLS; i++) {
        dial->calls[i].dial = dial;
    }
    rp_err err = daemon_start(&dial->daemon, RP_ROLE_DIAL, argc, argv);
    if (rp_ok(err)) {
        err = serve(dial);
    }
    if (dial->pool) {
        rp_pool_free(dial->pool);
    }
    for (size_t i = 0; i < DIAL_CALLS; i++) {
        call_release(&dial->calls[i]);
    }
    names_close(dial);
    recorder_free(dial->recorder);
    rp_watch_free(dial->watch);
    rp_fd_done(&dial->listener);
    daemon_done(&dial->daemon);
    return daemon_exit_code(err);
}

int main(int argc, char **argv) {
    struct dial *dial = calloc(1, sizeof *dial);
    int code = dial ? run(dial, argc, argv) : 1;
    free(dial);
    return code;
}
