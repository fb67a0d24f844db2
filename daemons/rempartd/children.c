/* children.c — how a role's life begins: started, ready, and the next one after it. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "child.h"
#include "os/file.h"

enum { READY_WITHIN_MS = 30000 };

static const struct {
    enum rp_role_id role;
    bool optional;
} order[CHILDREN] = {
    {RP_ROLE_LEDGER, false}, {RP_ROLE_LINK, false}, {RP_ROLE_KMS, false},  {RP_ROLE_CORE, false},
    {RP_ROLE_GATE, false},   {RP_ROLE_PROBE, true}, {RP_ROLE_HUNT, true},  {RP_ROLE_DIAL, true},
    {RP_ROLE_COURIER, true}, {RP_ROLE_ACME, true},  {RP_ROLE_VAULT, true}, {RP_ROLE_WITNESS, true},
};

int64_t child_now_ms(const struct supervisor *supervisor) {
    return rp_env_monotonic_ms(&supervisor->daemon.env);
}

void child_set_state(struct child *child, enum child_state state) {
    child->state = state;
    child->since_s = rp_env_now_s(&child->supervisor->daemon.env);
    supervisor_write_status(child->supervisor);
}

void child_set_timer(struct child *child, int64_t after_ms, void (*fire)(void *ctx)) {
    rp_timer_free(child->timer);
    child->timer = NULL;
    rp_err err =
        rp_loop_timer(child->supervisor->daemon.loop, after_ms, 0, fire, child, &child->timer);
    /* A deadline that cannot be set would be a wait without end. */
    RP_ASSERT(rp_ok(err));
}

void child_clear_timer(struct child *child) {
    rp_timer_free(child->timer);
    child->timer = NULL;
}

void supervisor_init_children(struct supervisor *supervisor) {
    for (size_t i = 0; i < CHILDREN; i++) {
        supervisor->children[i] = (struct child){.supervisor = supervisor,
                                                 .role = order[i].role,
                                                 .optional = order[i].optional,
                                                 .ready_fd = -1,
                                                 .pause_ms = CHILD_PAUSE_MIN_MS,
                                                 .since_s = supervisor->since_s,
                                                 .sockets = {-1, -1}};
    }
}

/* ---- start ---- */

static rp_err spawn(struct child *child) {
    const struct supervisor *supervisor = child->supervisor;
    const char *const arguments[] = {
        "--state", ".", "--share", supervisor->daemon.share, "--config", ACCEPTED_CONFIG, NULL};
    struct rp_process process = {.arguments = arguments};
    char program[PATH_MAX];
    supervisor_program(supervisor, child->role, program);
    memset(child->programs, 0, sizeof child->programs);
    memset(&child->program_seen, 0, sizeof child->program_seen);
    /*= S62 */ /* what is about to run, before it does */
    child->programs[PROGRAM_STARTED] = supervisor_program_at(program, program);
    RP_TRY(supervisor_hold_sockets(child));
    if (supervisor_hands_over(child)) {
        process.handed = child->sockets;
        process.handed_count = CHILD_SOCKETS;
    }
    return supervisor_spawn(supervisor, child->role, process, &child->pid, &child->ready_fd);
}

static void readable(void *ctx, unsigned events);

static void too_late(void *ctx) {
    struct child *child = ctx;
    daemon_say(&child->supervisor->daemon, "%s is not ready after %d seconds; ending it",
               rp_role_name(child->role), READY_WITHIN_MS / 1000);
    rp_process_end_group(child->pid);
}

void child_close_ready(struct child *child) {
    rp_watch_free(child->watch);
    child->watch = NULL;
    rp_fd_done(&child->ready_fd);
}

/* The program of a role that may be left out, or the end of the start. */
static void start_failed(struct child *child, rp_err err) {
    struct supervisor *supervisor = child->supervisor;
    char program[PATH_MAX];
    supervisor_program(supervisor, child->role, program);
    bool missing = rp_is(err, RP_E_NOT_FOUND);
    daemon_say(&supervisor->daemon, "%s: %s%s", program,
               missing ? "no such program" : rp_err_text(err, RP_EN),
               child->optional ? "; going on without it" : "");
    if (missing && child->optional) {
        child_set_state(child, CHILD_MISSING);
        supervisor_start_next(supervisor);
    } else if (supervisor->phase == PHASE_START) {
        supervisor_stop(supervisor, CHILD_EXIT_CONFIG);
    } else {
        supervisor_drop_sockets(child);
        child_set_state(child, CHILD_WAITING);
        child_set_timer(child, CHILD_PAUSE_MAX_MS, child_start);
    }
}

void supervisor_turn(struct child *child) {
    bool wanted = supervisor_wants(child->supervisor, child->role);
    if (wanted && child->state == CHILD_OFF) {
        child_start(child);
    } else if (!wanted && child->state == CHILD_READY) {
        supervisor_begin_anew(child); /* it ends, and does not begin */
    }
}

void child_start(void *ctx) {
    struct child *child = ctx;
    struct supervisor *supervisor = child->supervisor;
    RP_ASSERT(child->pid == 0);
    child_clear_timer(child);
    if (!supervisor_wants(supervisor, child->role)) {
        child->reloading = false;
        child_set_state(child, CHILD_OFF);
        supervisor_start_next(supervisor);
        return;
    }
    child->said_n = 0;
    child->isolation[0] = '\0';
    rp_err err = spawn(child);
    if (!rp_ok(err)) {
        start_failed(child, err);
        return;
    }
    child->started_ns = child_now_ms(supervisor) * 1000000;
    err = rp_loop_watch(supervisor->daemon.loop, child->ready_fd, RP_READY_READ, readable, child,
                        &child->watch);
    RP_ASSERT(rp_ok(err));
    child_set_state(child, CHILD_STARTING);
    child_set_timer(child, READY_WITHIN_MS, too_late);
}

/* ---- ready ---- */

/* What the role said of itself. The fence is ours, so a role cannot know of it. */
static void keep_isolation(struct child *child, rp_view said) {
    const rp_view unfenced = RP_VIEW("\"network_fenced\":false");
    const rp_view fenced = RP_VIEW("\"network_fenced\":true");
    bool ours = child->supervisor->fence.roles & RP_ROLE_BIT(child->role);
    size_t at = ours ? rp_view_find(said, unfenced) : said.n;
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(sizeof child->isolation);
    rp_buf_add(&text, rp_view_sub(said, 0, at));
    if (at < said.n) {
        rp_buf_add(&text, fenced);
        rp_buf_add(&text, rp_view_from(said, at + unfenced.n));
    }
    rp_buf_add_byte(&text, '\0');
    RP_ASSERT(rp_ok(rp_buf_err(&text)));
    memcpy(child->isolation, text.p, text.n);
}

static void became_ready(struct child *child, rp_view isolation) {
    struct supervisor *supervisor = child->supervisor;
    keep_isolation(child, isolation);
    if (!supervisor_hands_over(child)) {
        child_close_ready(child);
    }
    child_clear_timer(child);
    child->failures = 0;
    child->reloading = false;
    child->walls = supervisor_look_at_walls(child->pid);
    supervisor_look_at_programs(child);
    child_set_state(child, CHILD_READY);
    supervisor_tell(supervisor, "%-7s ready (%lld ms)", rp_role_name(child->role),
                    (long long)(child_now_ms(supervisor) - child->started_ns / 1000000));
    report_started(supervisor->report, rp_role_name(child->role), supervisor->version,
                   child->isolation);
    if (supervisor->phase == PHASE_START) {
        supervisor_start_next(supervisor);
    }
}

/* "ready\n" and one line of JSON: both, or not ready. */
static void look_at_what_it_said(struct child *child) {
    rp_view rest = rp_view_of(child->said, child->said_n);
    rp_view first = rp_view_cut(&rest, '\n');
    size_t end = rp_view_find_byte(rest, '\n');
    if (rp_view_equal(first, RP_VIEW("ready")) && rest.p && end < rest.n) {
        became_ready(child, rp_view_sub(rest, 0, end));
    } else if (child->said_n == READY_MAX) {
        child_close_ready(child); /* it babbles; the deadline will end it */
    }
}

/* A role that serves says nothing more by its pipe but that it is closed: then it has handed over,
 * when we asked for it, and else it is about to end. */
static void look_for_handover(struct child *child) {
    uint8_t ignored[64];
    size_t n = 0;
    rp_err err = rp_process_read_ready(child->ready_fd, ignored, sizeof ignored, &n);
    if (rp_ok(err) || rp_is(err, RP_E_BUSY)) {
        return;
    }
    child_close_ready(child);
    if (child->reloading && child->supervisor->phase == PHASE_SERVE) {
        child_clear_timer(child);
        supervisor_handed_over(child);
        child->restarts++;
        child_start(child);
    }
}

static void readable(void *ctx, unsigned events) {
    struct child *child = ctx;
    (void)events;
    if (child->state == CHILD_READY) {
        look_for_handover(child);
        return;
    }
    RP_ASSERT(child->said_n < READY_MAX);
    size_t n = 0;
    rp_err err = rp_process_read_ready(child->ready_fd, (uint8_t *)child->said + child->said_n,
                                       READY_MAX - child->said_n, &n);
    if (rp_ok(err)) {
        child->said_n += n;
        look_at_what_it_said(child);
    } else if (!rp_is(err, RP_E_BUSY)) {
        child_close_ready(child); /* its end is told by SIGCHLD, its silence by the deadline */
    }
}

/* Applications may be reached at these; printed once, before the last line. */
static void print_addresses(const struct supervisor *supervisor) {
    const struct rp_config *config = &supervisor->daemon.config;
    if (!supervisor_wants(supervisor, RP_ROLE_GATE)) {
        return;
    }
    struct rp_arena *arena = rp_arena_new(16384);
    rp_view link = {NULL, 0};
    supervisor_tell(supervisor, "https://%s:%llu/       the applications", config->host,
                    (unsigned long long)config->listen);
    supervisor_tell(supervisor, "https://%s:%llu/trust  the trust page", config->host,
                    (unsigned long long)config->listen);
    static const char link_file[] = "run/first-admin-link";
    if (arena && rp_ok(rp_file_read(link_file, 4096, arena, &link))) {
        /* It opens the installation: for whoever started it, not for a log that many collect. */
        if (supervisor->daemon.log_json) {
            supervisor_tell(supervisor, "first administrator: the link is in %s", link_file);
        } else {
            supervisor_tell(supervisor, "first administrator: %.*s", RP_FMT(rp_view_trim(link)));
        }
        supervisor_tell(supervisor, "                     (enters without a cleared check: S9 is "
                                    "not met until it is on record)");
    }
    rp_arena_free(arena);
}

void supervisor_start_next(struct supervisor *supervisor) {
    if (supervisor->phase != PHASE_START) {
        return;
    }
    for (size_t i = 0; i < CHILDREN; i++) {
        struct child *child = &supervisor->children[i];
        if (child->state == CHILD_IDLE) {
            child_start(child);
            return;
        }
        /* One that ended meanwhile is waited for: what comes after builds on it. */
        if (child->state != CHILD_READY && child->state != CHILD_MISSING &&
            child->state != CHILD_OFF) {
            return;
        }
    }
    supervisor->phase = PHASE_SERVE;
    supervisor_look(supervisor); /* whoever asks after "ready" is told all of it */
    print_addresses(supervisor);
    printf("ready\n");
}
