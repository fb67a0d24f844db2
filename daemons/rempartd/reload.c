/* reload.c — a new configuration reaches the roles that read it.
 *
 * The gate's part is written by "rempart-gate --render", a process of its own; only when that went
 * well is nginx told, so that it never reads half a file.
 */
#include <signal.h>

#include "base/assert.h"
#include "os/file.h"
#include "supervisor.h"

enum { RENDER_WITHIN_MS = 30000 };

static void render_too_late(void *ctx) {
    struct supervisor *supervisor = ctx;
    RP_ASSERT(supervisor->renderer.pid != 0);
    rp_process_end_group(supervisor->renderer.pid);
}

void supervisor_stop_renderer(struct supervisor *supervisor) {
    rp_timer_free(supervisor->renderer.timer);
    supervisor->renderer.timer = NULL;
    if (supervisor->renderer.pid != 0) {
        rp_process_end_group(supervisor->renderer.pid);
        supervisor->renderer.pid = 0; /* reaped as nobody's */
    }
}

static rp_err start_renderer(struct supervisor *supervisor) {
    const struct daemon *daemon = &supervisor->daemon;
    const char *const arguments[] = {"--state",     ".",        "--share",
                                     daemon->share, "--config", daemon->config_file,
                                     "--render",    NULL};
    _cleanup_fd_ int ready_fd = -1;       /* nobody waits for it to be ready, only for its end */
    supervisor_stop_renderer(supervisor); /* one that still runs would write the older file */
    RP_TRY(supervisor_spawn(supervisor, RP_ROLE_GATE, arguments, &supervisor->renderer.pid,
                            &ready_fd));
    return rp_loop_timer(daemon->loop, RENDER_WITHIN_MS, 0, render_too_late, supervisor,
                         &supervisor->renderer.timer);
}

bool supervisor_rendered(struct supervisor *supervisor, const struct rp_exit *ended) {
    if (supervisor->renderer.pid == 0 || ended->pid != supervisor->renderer.pid) {
        return false;
    }
    supervisor->renderer.pid = 0;
    rp_timer_free(supervisor->renderer.timer);
    supervisor->renderer.timer = NULL;
    if (ended->code != 0 || ended->signal != 0) {
        daemon_say(&supervisor->daemon, "the gate's configuration stays as it was: the new one "
                                        "cannot be written");
        return true;
    }
    for (size_t i = 0; i < CHILDREN; i++) {
        struct child *child = &supervisor->children[i];
        if (child->role == RP_ROLE_GATE && child->state == CHILD_READY) {
            rp_process_signal(child->pid, SIGHUP);
        }
    }
    return true;
}

/* They read the file once, at their start, so they start again: at once, and not as a failure. */
static bool begins_anew(enum rp_role_id role) {
    return role == RP_ROLE_CORE || role == RP_ROLE_PROBE || role == RP_ROLE_HUNT ||
           role == RP_ROLE_COURIER;
}

void supervisor_reload(struct supervisor *supervisor) {
    if (supervisor->phase != PHASE_SERVE) {
        return;
    }
    for (size_t i = 0; i < CHILDREN; i++) {
        struct child *child = &supervisor->children[i];
        if (begins_anew(child->role) && child->state == CHILD_READY) {
            child->reloading = true;
            rp_process_signal(child->pid, SIGTERM);
        }
    }
    rp_err err = start_renderer(supervisor);
    if (!rp_ok(err)) {
        rp_ignore(daemon_fail(&supervisor->daemon, err, "rempart-gate --render", NULL));
    }
}
