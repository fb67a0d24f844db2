/* ends.c — how a role's life ends: by itself, and then after which pause it begins again; or
 * because it was asked to, one after the other when all do.
 */
#include <signal.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "child.h"

enum {
    STOP_WITHIN_MS = 5000,
    HAND_OVER_WITHIN_MS = 20000, /* the longest request, but for streams */
    PAUSE_HELD_MS = 1000,        /* who comes waits that long for a role that is to start again */
    STEADY_MS = 60000,           /* alive for so long: its troubles are over */
    FAILURES_AT_START = 5        /* a role that never becomes ready stops the start */
};

void supervisor_describe_end(const struct rp_exit *ended, char out[static 80]) {
    if (ended->signal == SIGSYS) {
        snprintf(out, 80, "a system call outside its list");
    } else if (ended->signal != 0) {
        snprintf(out, 80, "signal %d", ended->signal);
    } else {
        snprintf(out, 80, "exit %d", ended->code);
    }
}

static void begin_pause(struct child *child, bool config_refused) {
    struct supervisor *supervisor = child->supervisor;
    if (child_now_ms(supervisor) - child->started_ns / 1000000 >= STEADY_MS || child->reloading) {
        child->pause_ms = CHILD_PAUSE_MIN_MS;
    }
    bool at_once = child->reloading && child->failures == 0;
    int64_t pause_ms = at_once ? 0 : config_refused ? CHILD_PAUSE_MAX_MS : child->pause_ms;
    child->pause_ms = RP_MIN(child->pause_ms * 2, CHILD_PAUSE_MAX_MS);
    child->restarts++;
    if (pause_ms > PAUSE_HELD_MS) {
        supervisor_drop_sockets(child);
    }
    child_set_state(child, CHILD_WAITING);
    child_set_timer(child, pause_ms, child_start);
}

static void stop_next(struct supervisor *supervisor);

static void child_ended(struct child *child, const struct rp_exit *ended) {
    struct supervisor *supervisor = child->supervisor;
    bool was_ready = child->state == CHILD_READY;
    rp_process_end_group(child->pid); /* what it may have left behind */
    child->pid = 0;
    supervisor_describe_end(ended, child->last_end);
    child_close_ready(child);
    child_clear_timer(child);
    if (supervisor->phase == PHASE_STOP) {
        child_set_state(child, CHILD_STOPPED);
        stop_next(supervisor);
        return;
    }
    child->failures += !was_ready;
    bool refused = ended->signal == 0 && ended->code == CHILD_EXIT_CONFIG;
    bool hopeless = refused || child->failures >= FAILURES_AT_START;
    daemon_say(&supervisor->daemon, "%s ended: %s%s", rp_role_name(child->role), child->last_end,
               child->reloading ? " (as asked)" : "");
    report_stopped(supervisor->report, rp_role_name(child->role), child->last_end, child->restarts);
    if (supervisor->phase == PHASE_START && hopeless) {
        daemon_say(&supervisor->daemon, "%s does not become ready; giving up",
                   rp_role_name(child->role));
        supervisor_stop(supervisor, refused ? CHILD_EXIT_CONFIG : 1);
        return;
    }
    begin_pause(child, refused);
}

void supervisor_reap(struct supervisor *supervisor) {
    struct rp_exit ended;
    while (rp_process_reap(&ended)) {
        if (supervisor_rendered(supervisor, &ended) || supervisor_rehearsed(supervisor, &ended) ||
            supervisor_left(supervisor, &ended) || supervisor_canary_ended(supervisor, &ended)) {
            continue;
        }
        for (size_t i = 0; i < CHILDREN; i++) {
            if (supervisor->children[i].pid == ended.pid) {
                child_ended(&supervisor->children[i], &ended);
                break;
            }
        }
    }
}

/* ---- stop ---- */

static void kill_now(void *ctx) {
    struct child *child = ctx;
    daemon_say(&child->supervisor->daemon, "%s does not stop; ending it",
               rp_role_name(child->role));
    rp_process_end_group(child->pid);
}

void supervisor_begin_anew(struct child *child) {
    RP_ASSERT(child->state == CHILD_READY);
    bool hands_over = supervisor_hands_over(child) && child->ready_fd >= 0;
    child->reloading = true;
    child_set_timer(child, hands_over ? HAND_OVER_WITHIN_MS : STOP_WITHIN_MS, kill_now);
    rp_process_signal(child->pid, hands_over ? SIGQUIT : SIGTERM);
}

/* The last one that runs; when none does, the supervisor itself is done. */
static void stop_next(struct supervisor *supervisor) {
    RP_ASSERT(supervisor->phase == PHASE_STOP);
    for (size_t i = CHILDREN; i-- > 0;) {
        struct child *child = &supervisor->children[i];
        if (child->pid != 0) {
            child_set_state(child, CHILD_STOPPING);
            child_set_timer(child, STOP_WITHIN_MS, kill_now);
            rp_process_signal(child->pid, SIGTERM);
            return;
        }
    }
    rp_loop_stop(supervisor->daemon.loop);
}

void supervisor_stop(struct supervisor *supervisor, int exit_code) {
    if (supervisor->phase == PHASE_STOP) {
        return;
    }
    supervisor->phase = PHASE_STOP;
    supervisor->exit_code = exit_code;
    supervisor_stop_renderer(supervisor);
    supervisor_stop_rehearsal(supervisor);
    supervisor_end_leavers(supervisor);
    for (size_t i = 0; i < CHILDREN; i++) {
        struct child *child = &supervisor->children[i];
        if (child->pid == 0) {
            child_clear_timer(child); /* no new start */
            child->state = CHILD_STOPPED;
        }
    }
    stop_next(supervisor);
}
