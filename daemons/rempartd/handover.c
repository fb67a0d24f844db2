/* handover.c — a role that begins anew without a request lost.
 *
 * We hold its listening sockets, so that who comes while nobody serves waits there. Asked by
 * SIGQUIT, the role takes nothing new, answers what it has, and closes its pipe to us: then its
 * successor starts with the same sockets. What still runs in the old one, large bodies mostly, may
 * take gate.drain_seconds. A role that stays away for long loses its sockets: a refusal at once is
 * better than a wait for nothing.
 */
#include <signal.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "os/socket.h"
#include "supervisor.h"

enum { LEAVERS_GRACE_MS = 5000, SOCKET_MODE = 0660 };

/* In the order in which the role finds them. */
static const char *const core_sockets[CHILD_SOCKETS] = {"run/core.sock", "run/cli.sock"};

bool supervisor_hands_over(const struct child *child) {
    return child->role == RP_ROLE_CORE;
}

rp_err supervisor_hold_sockets(struct child *child) {
    for (size_t i = 0; supervisor_hands_over(child) && i < CHILD_SOCKETS; i++) {
        if (child->sockets[i] < 0) {
            RP_TRY(rp_socket_listen(core_sockets[i], RP_SOCKET_STREAM, SOCKET_MODE,
                                    &child->sockets[i]));
        }
    }
    return RP_OK;
}

void supervisor_drop_sockets(struct child *child) {
    for (size_t i = 0; i < CHILD_SOCKETS; i++) {
        rp_fd_done(&child->sockets[i]);
    }
}

/* ---- those that have handed over ---- */

static void forget(struct leaver *leaver) {
    rp_timer_free(leaver->timer);
    *leaver = (struct leaver){0};
}

static void took_too_long(void *ctx) {
    const struct leaver *leaver = ctx;
    rp_process_end_group(leaver->pid);
}

/* A free place; where there is none, that of the one that began to leave first. */
static struct leaver *place_of_leaver(struct supervisor *supervisor) {
    struct leaver *oldest = &supervisor->leavers[0];
    for (size_t i = 0; i < LEAVERS; i++) {
        struct leaver *leaver = &supervisor->leavers[i];
        if (leaver->pid == 0) {
            return leaver;
        }
        oldest = leaver->number < oldest->number ? leaver : oldest;
    }
    rp_process_end_group(oldest->pid); /* reaped as nobody's */
    forget(oldest);
    return oldest;
}

void supervisor_handed_over(struct child *child) {
    struct supervisor *supervisor = child->supervisor;
    RP_ASSERT(child->pid != 0 && supervisor_hands_over(child));
    struct leaver *leaver = place_of_leaver(supervisor);
    *leaver = (struct leaver){child->pid, child->role, supervisor->reload.number, NULL};
    int64_t within_ms = (int64_t)supervisor->daemon.config.drain_seconds * 1000 + LEAVERS_GRACE_MS;
    rp_err err =
        rp_loop_timer(supervisor->daemon.loop, within_ms, 0, took_too_long, leaver, &leaver->timer);
    RP_ASSERT(rp_ok(err)); /* a deadline that cannot be set would be a wait without end */
    child->pid = 0;
}

bool supervisor_left(struct supervisor *supervisor, const struct rp_exit *ended) {
    for (size_t i = 0; i < LEAVERS; i++) {
        struct leaver *leaver = &supervisor->leavers[i];
        if (leaver->pid != 0 && leaver->pid == ended->pid) {
            char how[80];
            rp_process_end_group(leaver->pid); /* what it may have left behind */
            supervisor_describe_end(ended, how);
            daemon_say(&supervisor->daemon, "%s ended: %s (handed over before)",
                       rp_role_name(leaver->role), how);
            report_stopped(supervisor->report, rp_role_name(leaver->role), how, 0);
            forget(leaver);
            return true;
        }
    }
    return false;
}

void supervisor_end_leavers(struct supervisor *supervisor) {
    for (size_t i = 0; i < LEAVERS; i++) {
        if (supervisor->leavers[i].pid != 0) {
            rp_process_end_group(supervisor->leavers[i].pid);
            forget(&supervisor->leavers[i]);
        }
    }
}
