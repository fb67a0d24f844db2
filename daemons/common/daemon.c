#include "daemon.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "canary.h"
#include "config/ways.h"
#include "os/file.h"
#include "os/memory.h"
#include "wire/log_line.h"

enum { ARENA_MAX = 64 << 20, CONFIG_MAX = 1 << 20 };

static const char default_config[] = "rempart.yaml";

struct options {
    const char *state, *share, *config, *bin, *canary;
};

enum { SAY_MAX = 1024 };

/* In one call, so that lines of several threads and programs do not mix. What nobody takes is lost.
 */
static void log_line(const struct daemon *daemon, rp_view level, const char *text) {
    uint8_t json[RP_LOG_LINE_MAX];
    const struct rp_log_line line = {.time_ms = rp_env_now_ms(&daemon->env),
                                     .level = level,
                                     .role = rp_role_name(daemon->role),
                                     .pid = (uint64_t)getpid(),
                                     .message = rp_view_from_cstr(text)};
    if (daemon->log_json) {
        rp_ignore(
            rp_file_write_all(STDERR_FILENO, rp_view_of(json, rp_log_line_print(&line, json))));
    } else if (daemon->role == RP_ROLE_SUPERVISOR) {
        fprintf(stderr, "rempartd: %s\n", text);
    } else {
        fprintf(stderr, "rempart-%s: %s\n", rp_role_name(daemon->role), text);
    }
}

void daemon_say(const struct daemon *daemon, const char *format, ...) {
    char text[SAY_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_line(daemon, RP_VIEW("info"), text);
}

rp_err daemon_fail(const struct daemon *daemon, rp_err err, const char *what,
                   const struct rp_diag *diag) {
    char text[SAY_MAX];
    if (diag && diag->line) {
        snprintf(text, sizeof text, "%s: line %u, column %u: %s: %s", what, diag->line,
                 diag->column, rp_err_text(err, RP_EN), diag->text);
    } else {
        snprintf(text, sizeof text, "%s: %s%s%s", what, rp_err_text(err, RP_EN),
                 diag && diag->text[0] ? ": " : "", diag ? diag->text : "");
    }
    log_line(daemon, RP_VIEW("error"), text);
    return err;
}

int daemon_exit_code(rp_err err) {
    if (rp_ok(err)) {
        return 0;
    }
    return rp_err_retry(err) ? 1 : 2;
}

static rp_err parse_options(struct daemon *daemon, int argc, char **argv,
                            struct options *ret_options) {
    struct options options = {".", "/usr/share/rempart", default_config, NULL, NULL};
    const struct {
        const char *name;
        const char **value;
    } known[] = {
        {"--state", &options.state}, {"--share", &options.share},   {"--config", &options.config},
        {"--bin", &options.bin},     {"--canary", &options.canary},
    };
    for (int i = 1; i < argc; i += 2) {
        const char **value = NULL;
        if (strcmp(argv[i], "--rehearse") == 0) {
            daemon->rehearses = true;
            i--;
            continue;
        }
        for (size_t k = 0; k < RP_COUNT_OF(known); k++) {
            value = strcmp(argv[i], known[k].name) == 0 ? known[k].value : value;
        }
        if (!value || i + 1 == argc) {
            daemon_say(daemon, "unknown option, or no value: %.60s", argv[i]);
            return RP_ERR(INVALID);
        }
        *value = argv[i + 1];
    }
    *ret_options = options;
    return RP_OK;
}

static rp_err read_config(struct daemon *daemon) {
    rp_view text = {NULL, 0};
    struct rp_diag diag = {0};
    rp_err err = rp_file_read(daemon->config_file, CONFIG_MAX, daemon->arena, &text);
    if (rp_ok(err)) {
        err = rp_config_parse(text, daemon->arena, &daemon->config, &diag);
    }
    if (!rp_ok(err)) {
        daemon->config_refused = true;
        daemon->config_diag = diag;
        return daemon_fail(daemon, err, daemon->config_file, &diag);
    }
    daemon->config_text = text;
    const char *form = getenv(DAEMON_LOG_FORMAT);
    daemon->log_json =
        !daemon->rehearses && strcmp(form ? form : daemon->config.log_format, "json") == 0;
    return RP_OK;
}

static void stop(void *ctx, int number) {
    (void)number;
    rp_loop_stop(ctx);
}

static rp_err make_loop(struct daemon *daemon) {
    RP_TRY(rp_loop_new(&daemon->env, &daemon->loop));
    RP_TRY(rp_loop_signal(daemon->loop, SIGTERM, stop, daemon->loop));
    return rp_loop_signal(daemon->loop, SIGINT, stop, daemon->loop);
}

static uint64_t number_of(const char *variable, uint64_t max, uint64_t otherwise) {
    const char *text = getenv(variable);
    uint64_t number = otherwise;
    return text && rp_view_to_u64(rp_view_from_cstr(text), max, &number) ? number : otherwise;
}

/* REMPART_READY_FD: the writing end of the supervisor's pipe. REMPART_HANDED: how many descriptors
 * stand behind it. All others are closed. */
static void take_inherited(struct daemon *daemon) {
    int kept[1 + RP_PROCESS_HANDED_MAX];
    const uint64_t none = UINT64_MAX, fd = number_of("REMPART_READY_FD", 1000, none);
    daemon->ready_fd = fd == none ? -1 : (int)fd;
    daemon->handed_count = fd == none ? 0 : number_of("REMPART_HANDED", RP_PROCESS_HANDED_MAX, 0);
    for (size_t i = 0; i < daemon->handed_count; i++) {
        kept[1 + i] = daemon->handed[i] = daemon->ready_fd + 1 + (int)i;
    }
    kept[0] = daemon->ready_fd;
    rp_role_close_inherited(kept, fd == none ? 0 : 1 + daemon->handed_count);
}

/* Names on the command line are meant from where it was typed, before we go to the state folder.
 * The default file is meant inside it. */
static rp_err make_absolute(const struct daemon *daemon, const char **path) {
    char full[PATH_MAX];
    if (!*path || (*path)[0] == '/' || *path == default_config) {
        return RP_OK;
    }
    if (!realpath(*path, full)) {
        return daemon_fail(daemon, rp_err_from_errno(errno), *path, NULL);
    }
    *path = rp_arena_cstr(daemon->arena, rp_view_from_cstr(full));
    return *path ? RP_OK : daemon_fail(daemon, RP_ERR(NO_MEMORY), "start", NULL);
}

/* Nothing of the role's own work is done: into its walls, and to the end. */
__attribute__((noreturn)) static void become_canary(struct daemon *daemon, const char *text) {
    struct canary_order order;
    if (!canary_parse(rp_view_from_cstr(text), &order) || !rp_ok(daemon_enter(daemon))) {
        _exit(1);
    }
    _exit(canary_run(daemon, &order));
}

rp_err daemon_start(struct daemon *daemon, enum rp_role_id role, int argc, char **argv) {
    *daemon = (struct daemon){.role = role, .env = rp_env_real()};
    rp_memory_give_back();
    take_inherited(daemon);
    struct options options;
    RP_TRY(parse_options(daemon, argc, argv, &options));
    daemon->arena = rp_arena_new(ARENA_MAX);
    if (!daemon->arena) {
        return daemon_fail(daemon, RP_ERR(NO_MEMORY), "start", NULL);
    }
    RP_TRY(make_absolute(daemon, &options.share));
    RP_TRY(make_absolute(daemon, &options.config));
    RP_TRY(make_absolute(daemon, &options.bin));
    daemon->share = options.share;
    daemon->config_file = options.config;
    daemon->bin = options.bin;
    if (role == RP_ROLE_SUPERVISOR && !rp_ok(rp_folder_make(options.state, 0755))) {
        return daemon_fail(daemon, RP_ERR(DENIED), options.state, NULL);
    }
    if (chdir(options.state) != 0) {
        return daemon_fail(daemon, RP_ERR(NOT_FOUND), options.state, NULL);
    }
    RP_TRY(read_config(daemon));
    if (options.canary) {
        become_canary(daemon, options.canary);
    }
    rp_err err = make_loop(daemon);
    return rp_ok(err) ? RP_OK : daemon_fail(daemon, err, "event loop", NULL);
}

rp_err daemon_enter(struct daemon *daemon) {
    struct rp_diag diag = {0};
    uint16_t ports[RP_CONFIG_PORTS_MAX];
    struct rp_role role = *daemon_role(daemon->role);
    rp_err err = rp_config_ports(&daemon->config, daemon->role, ports, &role.port_count);
    role.ports = ports;
    if (rp_ok(err)) {
        err = rp_role_enter(&role, &daemon->isolation, &diag);
    }
    return rp_ok(err) ? RP_OK : daemon_fail(daemon, err, "role entry", &diag);
}

/* "ready" and, on the second line, the isolation as JSON: the supervisor puts it into status.json.
 */
static rp_err tell_ready(struct daemon *daemon) {
    if (daemon->ready_fd < 0) {
        return RP_OK;
    }
    const struct rp_isolation *is = &daemon->isolation;
    char text[200];
    int n = snprintf(
        text, sizeof text,
        "ready\n{\"landlock_abi\":%d,\"network_fenced\":%s,\"own_user\":%s,\"seccomp\":%s}\n",
        is->landlock_abi, is->network_fenced ? "true" : "false", is->own_user ? "true" : "false",
        is->seccomp ? "true" : "false");
    RP_ASSERT(n > 0 && (size_t)n < sizeof text);
    rp_err err = rp_file_write_all(daemon->ready_fd, rp_view_of(text, (size_t)n));
    if (!daemon->hands_over) {
        rp_fd_done(&daemon->ready_fd);
    }
    return err;
}

void daemon_hand_over(struct daemon *daemon) {
    RP_ASSERT(daemon->hands_over);
    rp_fd_done(&daemon->ready_fd);
}

rp_err daemon_run(struct daemon *daemon) {
    RP_ASSERT(daemon->loop != NULL);
    RP_TRY(tell_ready(daemon));
    return rp_loop_run(daemon->loop);
}

void daemon_done(struct daemon *daemon) {
    rp_loop_free(daemon->loop);
    rp_arena_free(daemon->arena);
}
