/* canary.c — a round of canaries: for each role that runs, its own program in its own walls tries
 * to send something to an address that nobody named. The probe asks for it and judges.
 *
 * The question carries nothing: a caller chooses neither role, nor address, nor time. One round at
 * a time, one role after the other, each for a moment.
 */
#include "canary.h"

#include <signal.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ipc/ipc.h"
#include "os/file.h"
#include "supervisor.h"

enum { TRY_WITHIN_MS = 8000, REPLY_MAX = 128, NOT_TRIED = 0xff };

struct canaries {
    struct supervisor *supervisor;
    struct rp_ipc_server *server;
    bool busy;
    struct rp_ipc_call_id asked;
    struct rp_catcher catcher;
    struct canary_order order;
    size_t next; /* of the children */
    enum rp_role_id role;
    pid_t pid; /* 0 = none runs */
    int ready_fd;
    struct rp_timer *timer;
    struct rp_buf reply;
};

static void answer(struct canaries *canaries, rp_err err) {
    rp_catcher_close(&canaries->catcher);
    rp_ipc_reply(canaries->server, canaries->asked, err,
                 rp_ok(err) ? rp_buf_view(&canaries->reply) : RP_VIEW(""));
    rp_buf_done(&canaries->reply);
    canaries->busy = false;
}

/* Which role, how it got out, and whether the fence of addresses stands around it. */
static void note(struct canaries *canaries, unsigned left) {
    bool fenced = canaries->supervisor->fence.roles & RP_ROLE_BIT(canaries->role);
    rp_pack_u8(&canaries->reply, (uint8_t)canaries->role);
    rp_pack_u8(&canaries->reply, (uint8_t)left);
    rp_pack_u8(&canaries->reply, fenced);
}

static void too_late(void *ctx) {
    const struct canaries *canaries = ctx;
    rp_process_end_group(canaries->pid);
}

static rp_err spawn(struct canaries *canaries) {
    struct supervisor *supervisor = canaries->supervisor;
    char order[CANARY_TEXT_MAX];
    canary_print(&canaries->order, order);
    const char *const arguments[] = {
        "--state",  ".",   "--share", supervisor->daemon.share, "--config", ACCEPTED_CONFIG,
        "--canary", order, NULL};
    const struct rp_process process = {.arguments = arguments, .heard = true};
    RP_TRY(
        supervisor_spawn(supervisor, canaries->role, process, &canaries->pid, &canaries->ready_fd));
    return rp_loop_timer(supervisor->daemon.loop, TRY_WITHIN_MS, 0, too_late, canaries,
                         &canaries->timer);
}

static void end_one(struct canaries *canaries) {
    rp_timer_free(rp_take(&canaries->timer));
    if (canaries->pid != 0) {
        rp_fd_done(&canaries->ready_fd);
    }
    canaries->pid = 0;
}

/* The dialler is the one way out, for who may use it: its list is tried by them. */
static bool is_tried(const struct child *child) {
    return child->state == CHILD_READY && child->role != RP_ROLE_DIAL;
}

static void try_next(struct canaries *canaries) {
    while (canaries->next < CHILDREN) {
        const struct child *child = &canaries->supervisor->children[canaries->next++];
        if (!is_tried(child)) {
            continue;
        }
        canaries->role = child->role;
        if (rp_ok(spawn(canaries))) {
            return;
        }
        if (canaries->pid != 0) {
            rp_process_end_group(canaries->pid); /* reaped as nobody's */
        }
        end_one(canaries);
        note(canaries, NOT_TRIED);
    }
    answer(canaries, rp_buf_err(&canaries->reply));
}

/* What it says is believed when it says that it got out; that it did not, only if nothing came. */
static unsigned outcome(const struct canaries *canaries, const struct rp_exit *ended) {
    unsigned arrived = rp_catcher_look(&canaries->catcher, canaries->order.token);
    bool killed = ended->signal == SIGSYS;
    bool escaped = ended->signal == 0 && ended->code > CANARY_ESCAPED;
    if (escaped) {
        arrived |= (unsigned)(ended->code - CANARY_ESCAPED);
    }
    bool tried = escaped || killed || (ended->signal == 0 && ended->code == 0);
    return arrived == 0 && !tried ? NOT_TRIED : arrived;
}

bool supervisor_canary_ended(struct supervisor *supervisor, const struct rp_exit *ended) {
    struct canaries *canaries = supervisor->canaries;
    if (!canaries || canaries->pid == 0 || ended->pid != canaries->pid) {
        return false;
    }
    unsigned left = outcome(canaries, ended);
    rp_process_end_group(canaries->pid);
    end_one(canaries);
    note(canaries, left);
    try_next(canaries);
    return true;
}

static void begin(void *ctx, enum rp_role_id from, enum rp_ipc_message message,
                  struct rp_ipc_call_id call, rp_view request) {
    struct canaries *canaries = ctx;
    const struct rp_env *env = &canaries->supervisor->daemon.env;
    RP_ASSERT(from == RP_ROLE_PROBE && (int)message == (int)RP_IPC_PROBE_SUPERVISOR_ESCAPE);
    rp_err err = request.n > 0 ? RP_ERR(INVALID) : canaries->busy ? RP_ERR(BUSY) : RP_OK;
    if (rp_ok(err) && canaries->supervisor->phase != PHASE_SERVE) {
        err = RP_ERR(BUSY);
    }
    if (rp_ok(err)) {
        err = rp_catcher_open(&canaries->catcher);
    }
    if (!rp_ok(err)) {
        rp_ipc_reply(canaries->server, call, err, RP_VIEW(""));
        return;
    }
    canaries->busy = true;
    canaries->asked = call;
    canaries->next = 0;
    canaries->reply = rp_buf_new(REPLY_MAX);
    memcpy(canaries->order.ports, canaries->catcher.ports, sizeof canaries->order.ports);
    env->fill_random(env->ctx, canaries->order.token, sizeof canaries->order.token);
    try_next(canaries);
}

rp_err supervisor_open_canaries(struct supervisor *supervisor) {
    struct canaries *canaries = rp_arena_alloc(supervisor->daemon.arena, sizeof *canaries);
    if (!canaries) {
        return RP_ERR(NO_MEMORY);
    }
    *canaries = (struct canaries){.supervisor = supervisor, .catcher = {.fds = {-1, -1, -1, -1}}};
    supervisor->canaries = canaries;
    return rp_ipc_server_new(supervisor->daemon.loop, RP_ROLE_SUPERVISOR, begin, canaries,
                             &canaries->server);
}

void supervisor_close_canaries(struct supervisor *supervisor) {
    struct canaries *canaries = supervisor->canaries;
    if (canaries) {
        if (canaries->pid != 0) {
            rp_process_end_group(canaries->pid);
        }
        end_one(canaries);
        rp_ipc_server_free(canaries->server);
        rp_catcher_close(&canaries->catcher);
        rp_buf_done(&canaries->reply);
    }
}
