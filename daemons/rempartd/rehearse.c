/* rehearse.c — a new configuration is tried before anybody leaves for it.
 *
 * A role that gives way to a successor cannot come back, so the successor must not be one that
 * refuses its start. "rempart-core --rehearse" and its like open what the configuration names, as
 * at their start, change nothing, and end. Only when all did is the file applied.
 */
#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "supervisor.h"

enum { TRY_WITHIN_MS = 30000, SAID_MAX = 1024 };

/* Those that open files which the configuration names. */
static const enum rp_role_id tried[] = {RP_ROLE_CORE, RP_ROLE_COURIER, RP_ROLE_ACME, RP_ROLE_DIAL,
                                        RP_ROLE_WITNESS};

static void end_one(struct rehearsal *rehearsal) {
    rp_timer_free(rp_take(&rehearsal->timer));
    if (rehearsal->pid != 0) {
        rp_fd_done(&rehearsal->said_fd);
    }
    rehearsal->pid = 0;
}

void supervisor_stop_rehearsal(struct supervisor *supervisor) {
    struct rehearsal *rehearsal = &supervisor->rehearsal;
    if (rehearsal->pid != 0) {
        rp_process_end_group(rehearsal->pid); /* reaped as nobody's */
    }
    end_one(rehearsal);
    rp_arena_free(rp_take(&rehearsal->arena));
}

static void too_late(void *ctx) {
    const struct rehearsal *rehearsal = ctx;
    RP_ASSERT(rehearsal->pid != 0);
    rp_process_end_group(rehearsal->pid);
}

static rp_err spawn(struct supervisor *supervisor, enum rp_role_id role) {
    const struct daemon *daemon = &supervisor->daemon;
    struct rehearsal *rehearsal = &supervisor->rehearsal;
    const char *const arguments[] = {"--state",     ".",        "--share",
                                     daemon->share, "--config", daemon->config_file,
                                     "--rehearse",  NULL};
    const struct rp_process process = {.arguments = arguments, .heard = true};
    RP_TRY(supervisor_spawn(supervisor, role, process, &rehearsal->pid, &rehearsal->said_fd));
    return rp_loop_timer(daemon->loop, TRY_WITHIN_MS, 0, too_late, rehearsal, &rehearsal->timer);
}

/* A role that is not installed refuses nothing; one that the new file does not want is not asked.
 */
static bool tries(const struct supervisor *supervisor, enum rp_role_id role) {
    return supervisor_would_want(&supervisor->places, &supervisor->rehearsal.config, role);
}

static void try_next(struct supervisor *supervisor) {
    struct rehearsal *rehearsal = &supervisor->rehearsal;
    while (rehearsal->next < RP_COUNT_OF(tried)) {
        enum rp_role_id role = tried[rehearsal->next++];
        rp_err err = tries(supervisor, role) ? spawn(supervisor, role) : RP_ERR(NOT_FOUND);
        if (rp_ok(err)) {
            return;
        }
        if (!rp_is(err, RP_E_NOT_FOUND)) {
            const struct rp_diag none = {0};
            supervisor_stop_rehearsal(supervisor);
            supervisor_refuse(supervisor, err, &none);
            return;
        }
    }
    supervisor_apply(supervisor, rp_take(&rehearsal->arena), &rehearsal->config, rehearsal->text,
                     true);
}

void supervisor_rehearse(struct supervisor *supervisor, struct rp_arena *arena,
                         const struct rp_config *config, rp_view text) {
    struct rehearsal *rehearsal = &supervisor->rehearsal;
    RP_ASSERT(rehearsal->pid == 0 && rehearsal->arena == NULL);
    rehearsal->arena = arena;
    rehearsal->config = *config;
    rehearsal->text = text;
    rehearsal->next = 0;
    try_next(supervisor);
    supervisor_write_status(supervisor);
}

/* "rempart-core: why": the first line of what it said, without its name. */
static void read_why(const struct rehearsal *rehearsal, enum rp_role_id role,
                     struct rp_diag *diag) {
    uint8_t said[SAID_MAX];
    size_t n = 0;
    rp_err err = rp_process_read_ready(rehearsal->said_fd, said, sizeof said, &n);
    rp_view rest = rp_view_of(said, rp_ok(err) ? n : 0);
    rp_view line = rp_view_cut(&rest, '\n');
    size_t name = rp_view_find(line, RP_VIEW(": "));
    line = name < line.n ? rp_view_from(line, name + 2) : line;
    rp_ignore(rp_fail(diag, RP_ERR(INVALID), "%s would not start with it: %.*s", rp_role_name(role),
                      RP_FMT(line)));
}

bool supervisor_rehearsed(struct supervisor *supervisor, const struct rp_exit *ended) {
    struct rehearsal *rehearsal = &supervisor->rehearsal;
    struct rp_diag diag = {0};
    if (rehearsal->pid == 0 || ended->pid != rehearsal->pid) {
        return false;
    }
    bool good = ended->code == 0 && ended->signal == 0;
    if (!good) {
        read_why(rehearsal, tried[rehearsal->next - 1], &diag);
    }
    end_one(rehearsal);
    if (good) {
        try_next(supervisor);
    } else {
        rp_arena_free(rp_take(&rehearsal->arena));
        supervisor_refuse(supervisor, RP_ERR(INVALID), &diag);
    }
    return true;
}
