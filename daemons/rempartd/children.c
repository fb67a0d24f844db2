/* children.c — a role's life: started, ready, ended, started again after a pause that doubles. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "supervisor.h"

enum {
    READY_WITHIN_MS = 30000,
    STOP_WITHIN_MS = 5000,
    HAND_OVER_WITHIN_MS = 20000, /* the longest request, but for streams */
    PAUSE_MIN_MS = 100,
    PAUSE_HELD_MS = 1000, /* who comes waits that long for a role that is to start again */
    PAUSE_MAX_MS = 10000,
    STEADY_MS = 60000,     /* alive for so long: its troubles are over */
    FAILURES_AT_START = 5, /* a role that never becomes ready stops the start */
    EXIT_CONFIG = 2        /* daemon_exit_code: starting again would not help */
};

static const struct {
    enum rp_role_id role;
    bool optional;
} order[CHILDREN] = {
    {RP_ROLE_LEDGER, false}, {RP_ROLE_LINK, false}, {RP_ROLE_KMS, false},  {RP_ROLE_CORE, false},
    {RP_ROLE_GATE, false},   {RP_ROLE_PROBE, true}, {RP_ROLE_HUNT, true},  {RP_ROLE_DIAL, true},
    {RP_ROLE_COURIER, true}, {RP_ROLE_ACME, true},  {RP_ROLE_VAULT, true}, {RP_ROLE_WITNESS, true},
};

static int64_t monotonic_ms(const struct supervisor *supervisor) {
    return rp_env_monotonic_ms(&supervisor->daemon.env);
}

static void set_state(struct child *child, enum child_state state) {
    child->state = state;
    child->since_s = rp_env_now_s(&child->supervisor->daemon.env);
    supervisor_write_status(child->supervisor);
}

static void set_timer(struct child *child, int64_t after_ms, void (*fire)(void *ctx)) {
    rp_timer_free(child->timer);
    child->timer = NULL;
    rp_err err =
        rp_loop_timer(child->supervisor->daemon.loop, after_ms, 0, fire, child, &child->timer);
    /* A deadline that cannot be set would be a wait without end. */
    RP_ASSERT(rp_ok(err));
}

static void clear_timer(struct child *child) {
    rp_timer_free(child->timer);
    child->timer = NULL;
}

void supervisor_init_children(struct supervisor *supervisor) {
    for (size_t i = 0; i < CHILDREN; i++) {
        supervisor->children[i] = (struct child){.supervisor = supervisor,
                                                 .role = order[i].role,
                                                 .optional = order[i].optional,
                                                 .ready_fd = -1,
                                                 .pause_ms = PAUSE_MIN_MS,
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
static void start(void *ctx);

static void too_late(void *ctx) {
    struct child *child = ctx;
    daemon_say(&child->supervisor->daemon, "%s is not ready after %d seconds; ending it",
               rp_role_name(child->role), READY_WITHIN_MS / 1000);
    rp_process_end_group(child->pid);
}

static void close_ready(struct child *child) {
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
        set_state(child, CHILD_MISSING);
        supervisor_start_next(supervisor);
    } else if (supervisor->phase == PHASE_START) {
        supervisor_stop(supervisor, EXIT_CONFIG);
    } else {
        supervisor_drop_sockets(child);
        set_state(child, CHILD_WAITING);
        set_timer(child, PAUSE_MAX_MS, start);
    }
}

void supervisor_turn(struct child *child) {
    bool wanted = supervisor_wants(child->supervisor, child->role);
    if (wanted && child->state == CHILD_OFF) {
        start(child);
    } else if (!wanted && child->state == CHILD_READY) {
        supervisor_begin_anew(child); /* it ends, and does not begin */
    }
}

static void start(void *ctx) {
    struct child *child = ctx;
    struct supervisor *supervisor = child->supervisor;
    RP_ASSERT(child->pid == 0);
    clear_timer(child);
    if (!supervisor_wants(supervisor, child->role)) {
        child->reloading = false;
        set_state(child, CHILD_OFF);
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
    child->started_ns = monotonic_ms(supervisor) * 1000000;
    err = rp_loop_watch(supervisor->daemon.loop, child->ready_fd, RP_READY_READ, readable, child,
                        &child->watch);
    RP_ASSERT(rp_ok(err));
    set_state(child, CHILD_STARTING);
    set_timer(child, READY_WITHIN_MS, too_late);
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
        close_ready(child);
    }
    clear_timer(child);
    child->failures = 0;
    child->reloading = false;
    child->walls = supervisor_look_at_walls(child->pid);
    supervisor_look_at_programs(child);
    set_state(child, CHILD_READY);
    supervisor_tell(supervisor, "%-7s ready (%lld ms)", rp_role_name(child->role),
                    (long long)(monotonic_ms(supervisor) - child->started_ns / 1000000));
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
        close_ready(child); /* it babbles; the deadline will end it */
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
    close_ready(child);
    if (child->reloading && child->supervisor->phase == PHASE_SERVE) {
        clear_timer(child);
        supervisor_handed_over(child);
        child->restarts++;
        start(child);
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
        close_ready(child); /* its end is told by SIGCHLD, its silence by the deadline */
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
            start(child);
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

/* ---- end ---- */

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
    if (monotonic_ms(supervisor) - child->started_ns / 1000000 >= STEADY_MS || child->reloading) {
        child->pause_ms = PAUSE_MIN_MS;
    }
    bool at_once = child->reloading && child->failures == 0;
    int64_t pause_ms = at_once ? 0 : config_refused ? PAUSE_MAX_MS : child->pause_ms;
    child->pause_ms = RP_MIN(child->pause_ms * 2, PAUSE_MAX_MS);
    child->restarts++;
    if (pause_ms > PAUSE_HELD_MS) {
        supervisor_drop_sockets(child);
    }
    set_state(child, CHILD_WAITING);
    set_timer(child, pause_ms, start);
}

static void stop_next(struct supervisor *supervisor);

static void child_ended(struct child *child, const struct rp_exit *ended) {
    struct supervisor *supervisor = child->supervisor;
    bool was_ready = child->state == CHILD_READY;
    rp_process_end_group(child->pid); /* what it may have left behind */
    child->pid = 0;
    supervisor_describe_end(ended, child->last_end);
    close_ready(child);
    clear_timer(child);
    if (supervisor->phase == PHASE_STOP) {
        set_state(child, CHILD_STOPPED);
        stop_next(supervisor);
        return;
    }
    child->failures += !was_ready;
    bool refused = ended->signal == 0 && ended->code == EXIT_CONFIG;
    bool hopeless = refused || child->failures >= FAILURES_AT_START;
    daemon_say(&supervisor->daemon, "%s ended: %s%s", rp_role_name(child->role), child->last_end,
               child->reloading ? " (as asked)" : "");
    report_stopped(supervisor->report, rp_role_name(child->role), child->last_end, child->restarts);
    if (supervisor->phase == PHASE_START && hopeless) {
        daemon_say(&supervisor->daemon, "%s does not become ready; giving up",
                   rp_role_name(child->role));
        supervisor_stop(supervisor, refused ? EXIT_CONFIG : 1);
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
    set_timer(child, hands_over ? HAND_OVER_WITHIN_MS : STOP_WITHIN_MS, kill_now);
    rp_process_signal(child->pid, hands_over ? SIGQUIT : SIGTERM);
}

/* The last one that runs; when none does, the supervisor itself is done. */
static void stop_next(struct supervisor *supervisor) {
    RP_ASSERT(supervisor->phase == PHASE_STOP);
    for (size_t i = CHILDREN; i-- > 0;) {
        struct child *child = &supervisor->children[i];
        if (child->pid != 0) {
            set_state(child, CHILD_STOPPING);
            set_timer(child, STOP_WITHIN_MS, kill_now);
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
            clear_timer(child); /* no new start */
            child->state = CHILD_STOPPED;
        }
    }
    stop_next(supervisor);
}
