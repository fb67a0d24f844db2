/* main.c — rempart-gate: writes nginx's configuration and what it needs, then becomes nginx.
 *
 *   rempart-gate [--state DIR] [--share DIR] [--config FILE] [--render] [--module FILE]
 *
 * --render only writes: the supervisor does so before it sends SIGHUP, which is nginx's word for
 * "read the configuration again". The process keeps its id, so that signals reach nginx's master.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/assert.h"
#include "os/file.h"
#include "os/sanitizer.h"
#include "os/socket.h"
#include "prepare.h"

#if RP_SANITIZED
/* Debian's nginx carries no sanitizer, so the module's comes before it; its leaks are its own. */
#define SANITIZERS "LD_PRELOAD=" REMPART_ASAN_LIBRARY, "ASAN_OPTIONS=detect_leaks=0",
#else
#define SANITIZERS
#endif

static const char nginx[] = "/usr/sbin/nginx";
enum { ARGUMENTS_MAX = 16, FILES_WANTED = 32768 };

struct options {
    bool render_only;
    const char *module;
    int argc; /* what daemon_start reads */
    char *argv[ARGUMENTS_MAX];
};

/* Takes our own options out; the common ones are daemon_start's. */
static bool split_options(int argc, char **argv, struct options *ret_options) {
    struct options options = {0};
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--render") == 0) {
            options.render_only = true;
        } else if (strcmp(argv[i], "--module") == 0 && i + 1 < argc) {
            options.module = argv[++i];
        } else if (options.argc < ARGUMENTS_MAX) {
            options.argv[options.argc++] = argv[i];
        } else {
            return false;
        }
    }
    *ret_options = options;
    return true;
}

/* Beside this program, or in the build's folder, or where the package puts it. */
static const char *find_module(struct rp_arena *arena) {
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    RP_ASSERT(n > 0);
    while (n > 1 && self[n - 1] != '/') {
        n--;
    }
    static const char *const places[] = {"ngx_http_rempart_module.so",
                                         "../../edge/nginx/ngx_http_rempart_module.so"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        rp_view path = rp_arena_printf(arena, "%.*s%s", (int)n, self, places[i]);
        char whole[PATH_MAX];
        if (path.p && realpath((const char *)path.p, whole)) {
            return rp_arena_cstr(arena, rp_view_from_cstr(whole));
        }
    }
    return "/usr/lib/nginx/modules/ngx_http_rempart_module.so";
}

/* The applications' socket: nginx would open its own to everybody, so it inherits this one. */
static rp_err open_api_socket(const struct gate_worker *worker, int *ret_fd) {
    _cleanup_fd_ int fd = -1;
    gid_t group = worker->gid;
    RP_TRY(rp_socket_listen("run/api.sock", RP_SOCKET_STREAM, 0660, &fd));
    if (worker->user) {
        RP_TRY(rp_role_app_group(&group));
    }
    if (worker->user && chown("run/api.sock", worker->uid, group) != 0) {
        return rp_err_from_errno(errno);
    }
    if (fcntl(fd, F_SETFD, 0) != 0) {
        return rp_err_from_errno(errno);
    }
    *ret_fd = fd;
    fd = -1;
    return RP_OK;
}

/* As many connections as the machine allows; fewer is nginx's to say. */
static void raise_file_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < FILES_WANTED) {
        limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* What the loop blocked is nginx's own again. */
static void unblock_signals(struct daemon *daemon) {
    rp_loop_free(daemon->loop);
    daemon->loop = NULL;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static rp_err become_nginx(struct daemon *daemon, const struct gate_worker *worker) {
    int api = -1;
    rp_err err = open_api_socket(worker, &api);
    if (!rp_ok(err)) {
        return daemon_fail(daemon, err, "run/api.sock", NULL);
    }
    char sockets[32];
    snprintf(sockets, sizeof sockets, "NGINX=%d;", api);
    rp_view ready = rp_arena_printf(daemon->arena, "REMPART_READY_FD=%d", daemon->ready_fd);
    if (!ready.p || (daemon->ready_fd >= 0 && fcntl(daemon->ready_fd, F_SETFD, 0) != 0)) {
        return daemon_fail(daemon, RP_ERR(SYSTEM), "nginx", NULL);
    }
    raise_file_limit();
    unblock_signals(daemon);
    /* Until nginx has read its configuration it speaks in its own form, whatever log.format says:
     * its notices go nowhere, and what is worse than a notice it says on standard error as well.
     * execve takes char *const[] for history's sake; it writes to nothing. */
    const char *const argv[] = {nginx, "-p",        "./", "-c",          "gate/nginx.conf",
                                "-e",  "/dev/null", "-g", "daemon off;", NULL};
    const char *const environment[] = {
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin", sockets,
        SANITIZERS daemon->ready_fd >= 0 ? (const char *)ready.p : NULL, NULL};
    execve(nginx, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)environment);
    return daemon_fail(daemon, rp_err_from_errno(errno), nginx, NULL);
}

static rp_err serve(struct daemon *daemon, const struct options *options) {
    const char *module = options->module ? options->module : find_module(daemon->arena);
    struct gate_worker worker;
    rp_err err = gate_worker_find(&worker);
    if (!rp_ok(err)) {
        return daemon_fail(daemon, err, "neither user rempart-gate nor www-data", NULL);
    }
    RP_TRY(gate_prepare(daemon, &worker, module));
    return options->render_only ? RP_OK : become_nginx(daemon, &worker);
}

int main(int argc, char **argv) {
    struct options options;
    if (!split_options(argc, argv, &options)) {
        fprintf(stderr, "rempart-gate: too many options\n");
        return 2;
    }
    struct daemon daemon;
    rp_err err = daemon_start(&daemon, RP_ROLE_GATE, options.argc, options.argv);
    if (rp_ok(err)) {
        err = serve(&daemon, &options);
    }
    daemon_done(&daemon);
    return daemon_exit_code(err);
}
