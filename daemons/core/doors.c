/* doors.c — who may come in: the gate by one socket, the machine's owner by the other. */
#include "base/assert.h"
#include "base/checked.h"
#include "connection.h"
#include "ipc/peer.h"
#include "os/file.h"
#include "os/socket.h"

void core_open_doors(struct core *core, bool open) {
    for (size_t i = 0; i < RP_COUNT_OF(core->doors); i++) {
        if (core->doors[i]) {
            rp_ignore(rp_watch_events(core->doors[i], open ? RP_READY_READ : 0));
        }
    }
}

/* Who comes now waits in the socket until another has left (connection_free). */
static bool is_full(struct core *core) {
    bool full = core->connections >= CORE_CONNECTIONS_MAX;
    if (full) {
        core_open_doors(core, false);
    }
    return full;
}

/* The user at the other end, as the kernel knows it; -1 when it does not. */
static uid_t user_of(int fd) {
    pid_t pid;
    uid_t uid;
    gid_t gid;
    return rp_ok(rp_socket_peer(fd, &pid, &uid, &gid)) ? uid : (uid_t)-1;
}

/* What nginx says of a visitor is believed, so that only nginx may say it: every role's group opens
 * the socket. */
static void accept_gate(void *ctx, unsigned events) {
    (void)events;
    struct core *core = ctx;
    int fd;
    if (is_full(core) || !rp_ok(rp_socket_accept(core->core_fd, &fd))) {
        return;
    }
    if (!rp_ipc_may_be(RP_ROLE_GATE, user_of(fd))) {
        rp_fd_done(&fd);
        return;
    }
    connection_open(core, fd, false);
}

/* The machine's owner: root, or whoever the state folder belongs to. */
static bool is_owner(const struct core *core, int fd) {
    uid_t uid = user_of(fd);
    return uid == 0 || uid == core->owner;
}

static void accept_cli(void *ctx, unsigned events) {
    (void)events;
    struct core *core = ctx;
    int fd;
    if (is_full(core) || !rp_ok(rp_socket_accept(core->cli_fd, &fd))) {
        return;
    }
    if (!is_owner(core, fd)) {
        rp_fd_done(&fd);
        return;
    }
    connection_open(core, fd, true);
}

/* The supervisor's socket when it holds one for us, else our own. */
static rp_err find_socket(const struct daemon *daemon, size_t place, const char *path,
                          int *ret_fd) {
    if (place >= daemon->handed_count) {
        return rp_socket_listen(path, RP_SOCKET_STREAM, 0660, ret_fd);
    }
    *ret_fd = daemon->handed[place];
    return rp_socket_take_over(*ret_fd);
}

rp_err core_listen(struct core *core) {
    RP_TRY(find_socket(core->daemon, 0, "run/core.sock", &core->core_fd));
    RP_TRY(find_socket(core->daemon, 1, "run/cli.sock", &core->cli_fd));
    RP_TRY(rp_loop_watch(core->loop, core->core_fd, RP_READY_READ, accept_gate, core,
                         &core->doors[0]));
    return rp_loop_watch(core->loop, core->cli_fd, RP_READY_READ, accept_cli, core,
                         &core->doors[1]);
}

void core_shut_doors(struct core *core) {
    rp_watch_free(rp_take(&core->doors[0]));
    rp_watch_free(rp_take(&core->doors[1]));
    rp_fd_done(&core->core_fd);
    rp_fd_done(&core->cli_fd);
}

bool core_is_answering(const struct core *core) {
    for (const struct connection *c = core->first; c; c = c->next) {
        bool only_writes = !c->requesting && c->out.n > 0;
        if (!c->streaming && !only_writes) {
            return true;
        }
    }
    return false;
}

void core_close_after_answers(struct core *core) {
    for (struct connection *c = core->first; c; c = c->next) {
        c->closing = true;
    }
}

void core_hang_up(struct core *core) {
    while (core->first) {
        struct connection *c = core->first;
        c->working = false;
        connection_free(c);
    }
    core_shut_doors(core);
}
