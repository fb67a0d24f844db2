/* main.c — rempartd --state DIR --share DIR --config FILE [--bin DIR] */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "config/refused_io.h"
#include "os/file.h"
#include "os/tcp.h"
#include "supervisor.h"

enum { LOOK_MS = 10000, CERTIFICATES_MS = 1000 };

/* ---- checks before anything is started ---- */

static const char *keep(struct supervisor *supervisor, const char *text) {
    const char *copy = rp_arena_cstr(supervisor->daemon.arena, rp_view_from_cstr(text));
    RP_ASSERT(copy != NULL);
    return copy;
}

/* The folder that our own program lies in. */
static rp_err own_folder(struct supervisor *supervisor, const char **ret_folder) {
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0) {
        return daemon_fail(&supervisor->daemon, RP_ERR(SYSTEM), "/proc/self/exe", NULL);
    }
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    RP_ASSERT(slash != NULL);
    *slash = '\0';
    *ret_folder = keep(supervisor, path);
    return RP_OK;
}

/* Absolute names: a role's working directory is the state folder. */
static rp_err find_places(struct supervisor *supervisor) {
    struct daemon *daemon = &supervisor->daemon;
    char path[PATH_MAX];
    if (!realpath(".", path)) {
        return daemon_fail(daemon, RP_ERR(SYSTEM), "state folder", NULL);
    }
    supervisor->state = keep(supervisor, path);
    if (!realpath(daemon->share, path)) {
        return daemon_fail(daemon, RP_ERR(NOT_FOUND), daemon->share, NULL);
    }
    daemon->share = keep(supervisor, path);
    if (!daemon->bin) {
        return own_folder(supervisor, &supervisor->bin);
    }
    if (!realpath(daemon->bin, path)) {
        return daemon_fail(daemon, RP_ERR(NOT_FOUND), daemon->bin, NULL);
    }
    supervisor->bin = keep(supervisor, path);
    return RP_OK;
}

/* Two supervisors on one state folder would each start a ledger on the same log. */
static rp_err lock_state(struct supervisor *supervisor) {
    struct daemon *daemon = &supervisor->daemon;
    rp_err err = rp_file_open_rw("rempartd.lock", 0600, &supervisor->lock_fd);
    if (rp_ok(err)) {
        err = rp_file_lock(supervisor->lock_fd);
    }
    if (rp_is(err, RP_E_BUSY)) {
        supervisor_refuse_start(supervisor, "%s: another rempartd runs on this state folder",
                                supervisor->state);
        return err;
    }
    return rp_ok(err) ? RP_OK : daemon_fail(daemon, err, "rempartd.lock", NULL);
}

struct places supervisor_places(const struct rp_config *config) {
    struct places places = {.runs_here = config->runs_here, .linked = config->peer_count > 0};
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(PLACES_MAX);
    rp_buf_printf(&text, "%x %s", config->runs_here, config->link_listen);
    for (size_t i = 0; i < config->peer_count; i++) {
        const struct rp_config_peer *peer = &config->peers[i];
        rp_buf_printf(&text, " %s %s %u %s %x", peer->name, peer->at.address, peer->at.port,
                      peer->key, peer->runs);
    }
    rp_buf_add_byte(&text, '\0');
    RP_ASSERT(rp_ok(rp_buf_err(&text))); /* four machines, and the longest words */
    memcpy(places.s, text.p, text.n);
    return places;
}

/* Who is another machine's business here: what runs there, and its supervisor, which has things to
 * put on record. */
static unsigned run_elsewhere(const struct rp_config *config) {
    unsigned roles = config->peer_count > 0 ? RP_ROLE_BIT(RP_ROLE_SUPERVISOR) : 0;
    for (size_t i = 0; i < config->peer_count; i++) {
        roles |= config->peers[i].runs;
    }
    return roles;
}

static rp_err find_users(struct supervisor *supervisor) {
    static const char name[] = "REMPART_USERS=";
    struct rp_diag diag = {0};
    memcpy(supervisor->users, name, sizeof name);
    rp_err err = rp_role_users(run_elsewhere(&supervisor->daemon.config),
                               supervisor->users + sizeof name - 1, USERS_MAX, &diag);
    if (!rp_ok(err)) {
        supervisor_refuse_start(
            supervisor,
            "started as root, but %s: run scripts/setup, or install the package, whose "
            "sysusers.d file makes it; or start as an ordinary user",
            diag.text);
        return err;
    }
    if (supervisor->users[sizeof name - 1] == '\0') {
        supervisor->users[0] = '\0';
        supervisor_tell(
            supervisor,
            "not started as root: all roles share one user, and the trust page says so");
    }
    return RP_OK;
}

/* What is refused here goes on record at the next start that is not, as a bad setting does. */
static rp_err check_port(const struct supervisor *supervisor, const char *key, const char *address,
                         uint64_t port) {
    const struct daemon *daemon = &supervisor->daemon;
    struct rp_diag noted = {0};
    struct rp_diag diag = {.french = supervisor_reader_is_french(supervisor), .also = &noted};
    rp_err err = port ? rp_tcp_check_free(address, (uint16_t)port) : RP_OK;
    if (rp_ok(err)) {
        return RP_OK;
    }
    if (rp_is(err, RP_E_BUSY)) {
        rp_ignore(rp_fail(&diag, err,
                          "%s port %llu is busy: another program listens there. Stop it, or set %s",
                          address, (unsigned long long)port, key));
    } else if (rp_is(err, RP_E_DENIED)) {
        rp_ignore(rp_fail(&diag, err,
                          "%s port %llu: only root may listen there. Start as root, or set %s",
                          address, (unsigned long long)port, key));
    } else {
        rp_ignore(
            rp_fail(&diag, err, "%s: this machine has no such address. Set gate.address", address));
    }
    supervisor_refuse_start(supervisor, "%s in %s", diag.text, daemon->config_file);
    rp_config_note_refused(daemon->config_file, &noted);
    return err;
}

static rp_err check_ports(const struct supervisor *supervisor) {
    const struct rp_config *config = &supervisor->daemon.config;
    if (!rp_config_runs_here(config, RP_ROLE_GATE)) {
        return RP_OK;
    }
    RP_TRY(check_port(supervisor, "gate.listen", config->address, config->listen));
    RP_TRY(check_port(supervisor, "gate.listen_http", config->address, config->listen_http));
    return check_port(supervisor, "gate.metrics_port", "127.0.0.1", config->metrics_port);
}

/* The ledger may be another machine's: then whoever stands there for it is who we tell our roles.
 * After the folders have their owners, which the user database knows. */
static rp_err believe_the_link(const struct supervisor *supervisor) {
    static const char name[] = "REMPART_USERS";
    if (!supervisor->places.linked || supervisor->users[0] == '\0') {
        return RP_OK;
    }
    return setenv(name, supervisor->users + sizeof name, 1) == 0 ? RP_OK : RP_ERR(NO_MEMORY);
}

static rp_err prepare(struct supervisor *supervisor) {
    supervisor->places = supervisor_places(&supervisor->daemon.config);
    RP_TRY(find_places(supervisor));
    RP_TRY(find_users(supervisor));
    RP_TRY(lock_state(supervisor));
    RP_TRY(check_ports(supervisor));
    RP_TRY(supervisor_make_folders(supervisor));
    supervisor_draw_fence(supervisor);
    rp_err err = believe_the_link(supervisor);
    if (rp_ok(err)) {
        err = rp_process_adopt_orphans();
    }
    if (!rp_ok(err)) {
        return daemon_fail(&supervisor->daemon, err, "start", NULL);
    }
    return supervisor_open_log(
        supervisor); /* the last: a start that is refused is told where it was asked for */
}

/* ---- signals ---- */

static void on_stop(void *ctx, int number) {
    (void)number;
    supervisor_stop(ctx, 0);
}

static void on_child(void *ctx, int number) {
    (void)number;
    supervisor_reap(ctx);
}

static void on_reload(void *ctx, int number) {
    (void)number;
    supervisor_reload(ctx);
}

static rp_err watch_signals(struct supervisor *supervisor) {
    struct rp_loop *loop = supervisor->daemon.loop;
    RP_TRY(rp_loop_signal(loop, SIGTERM, on_stop, supervisor));
    RP_TRY(rp_loop_signal(loop, SIGINT, on_stop, supervisor));
    RP_TRY(rp_loop_signal(loop, SIGHUP, on_reload, supervisor));
    return rp_loop_signal(loop, SIGCHLD, on_child, supervisor);
}

/* A start that was refused had no ledger to tell; this one has. */
static void tell_refused(struct supervisor *supervisor) {
    struct rp_refused refused;
    if (rp_ok(rp_config_take_refused(supervisor->daemon.arena, &refused))) {
        report_config_refused(supervisor->report, refused.file, &refused.diag);
    }
}

static rp_err supervise(struct supervisor *supervisor) {
    RP_TRY(watch_signals(supervisor));
    RP_TRY(recorder_new(&supervisor->daemon, &supervisor->report));
    rp_err kept = supervisor_keep_config(supervisor->daemon.config_text);
    if (!rp_ok(kept)) {
        return daemon_fail(&supervisor->daemon, kept, ACCEPTED_CONFIG, NULL);
    }
    rp_err heard = supervisor_open_canaries(supervisor);
    if (!rp_ok(heard)) {
        return daemon_fail(&supervisor->daemon, heard, "run/supervisor.sock", NULL);
    }
    tell_refused(supervisor);
    supervisor_init_children(supervisor);
    supervisor->program = supervisor_program_at("/proc/self/exe", "rempartd");
    supervisor->reload.files = supervisor_named_files(&supervisor->daemon.config);
    supervisor_tell(supervisor, "rempart %s in %s", supervisor->version, supervisor->state);
    supervisor_start_next(supervisor);
    RP_TRY(rp_loop_timer(supervisor->daemon.loop, LOOK_MS, LOOK_MS, supervisor_look, supervisor,
                         NULL));
    RP_TRY(rp_loop_timer(supervisor->daemon.loop, CERTIFICATES_MS, CERTIFICATES_MS,
                         supervisor_look_for_certificates, supervisor, NULL));
    return rp_loop_run(supervisor->daemon.loop);
}

static void release(struct supervisor *supervisor) {
    for (size_t i = 0; i < CHILDREN; i++) {
        rp_timer_free(supervisor->children[i].timer);
        rp_watch_free(supervisor->children[i].watch);
    }
    supervisor_close_canaries(supervisor);
    recorder_free(supervisor->report);
    supervisor_stop_rehearsal(supervisor);
    rp_arena_free(supervisor->reload.arena);
    rp_fd_done(&supervisor->lock_fd);
    rp_fd_done(&supervisor->fence.fd);
    supervisor_close_log(supervisor);
    daemon_done(&supervisor->daemon);
}

/* Where the lines go to a file, a terminal would see an end without a word. */
static void point_at_log(const struct supervisor *supervisor, int code) {
    if (code != 0 && supervisor->log.pipe_fd >= 0) {
        printf("rempart: ended with exit code %d; the reason is in %s\n", code,
               supervisor->daemon.config.log_file);
    }
}

int main(int argc, char **argv) {
    static struct supervisor supervisor = {.version = REMPART_VERSION,
                                           .lock_fd = -1,
                                           .fence = {.fd = -1},
                                           .log = {.pipe_fd = -1, .file_fd = -1}};
    /* Whoever reads our output through a pipe sees each line when it is said. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    rp_err err = daemon_start(&supervisor.daemon, RP_ROLE_SUPERVISOR, argc, argv);
    if (supervisor.daemon.config_refused) {
        rp_config_note_refused(supervisor.daemon.config_file, &supervisor.daemon.config_diag);
    }
    if (rp_ok(err)) {
        supervisor.since_s = rp_env_now_s(&supervisor.daemon.env);
        err = prepare(&supervisor);
        if (!rp_ok(err)) {
            /* Whatever it is, somebody must change something first. */
            release(&supervisor);
            return 2;
        }
        err = supervise(&supervisor);
    }
    int code = rp_ok(err) ? supervisor.exit_code : daemon_exit_code(err);
    point_at_log(&supervisor, code);
    release(&supervisor);
    return code;
}
