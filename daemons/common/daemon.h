/* daemon.h — what every role's main does before and after its own work.
 *
 * Started by the supervisor with --state, --share and --config: closes what it inherited, makes
 * the state folder its working directory (every path after that is relative to it), reads the
 * configuration, makes the loop. Then the role opens what it needs, enters its row of roles.c,
 * says "ready", and runs. Programs log here and nowhere else: one line, to stderr, in the form that
 * log.format asks for.
 */
#ifndef RP_DAEMONS_DAEMON_H
#define RP_DAEMONS_DAEMON_H

#include "config/config.h"
#include "os/loop.h"
#include "os/process.h"
#include "os/role.h"

struct daemon {
    enum rp_role_id role;
    struct rp_env env;
    struct rp_arena *arena; /* as long as the process */
    const char *share;      /* the folder with promises/ and the pages */
    const char *config_file;
    const char *bin; /* the folder of the programs; NULL = where the supervisor's own lies */
    bool log_json;   /* as the supervisor began with, or log.format */
    bool rehearses;  /* --rehearse: opens what the configuration names, and ends before entry */
    struct rp_config config;
    rp_view config_text;
    bool config_refused; /* daemon_start failed for it; said then, and in config_diag */
    struct rp_diag config_diag;
    struct rp_loop *loop;
    struct rp_isolation isolation;
    int ready_fd;    /* the supervisor waits at the other end; -1 = nobody does */
    bool hands_over; /* the pipe stays open after "ready", until daemon_hand_over */
    int handed[RP_PROCESS_HANDED_MAX]; /* listening sockets that the supervisor holds for the role
                                        */
    size_t handed_count;
};

/* Everything up to the role's own work. Prints what is wrong (file, line, column) and returns the
 * error; main then returns daemon_exit_code. SIGTERM and SIGINT stop the loop. */
rp_err daemon_start(struct daemon *daemon, enum rp_role_id role, int argc, char **argv);

/* Irreversible: the role's own user, no new files, no new calls. */
rp_err daemon_enter(struct daemon *daemon);

/* Tells the supervisor that the role serves, and which isolation stands; then runs the loop. */
rp_err daemon_run(struct daemon *daemon);

/* Tells the supervisor that we take nothing new any more: a successor may begin. */
void daemon_hand_over(struct daemon *daemon);

/* 0, or 2 for a wrong configuration (do not start again), else 1. */
int daemon_exit_code(rp_err err);
void daemon_done(struct daemon *daemon);

/* For the programs that one starts, so that all of an installation speak one form. */
#define DAEMON_LOG_FORMAT "REMPART_LOG_FORMAT"

/* One line: "rempart-core: text", or an object of JSON whose level is "info". */
void daemon_say(const struct daemon *daemon, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same of the level "error": "what: error text: detail", and the error again, so that main
 * reads `return daemon_fail(…)`. */
rp_err daemon_fail(const struct daemon *daemon, rp_err err, const char *what,
                   const struct rp_diag *diag);

/* Where rempart-dial connects those that may not dial themselves, and the same for libcurl, which
 * wants an absolute name: that of the working directory, whatever its own name's length. */
#define DAEMON_DIAL_SOCKET "run/dial.sock"
#define DAEMON_DIAL_PROXY "socks5h://localhost/proc/self/cwd/" DAEMON_DIAL_SOCKET

/* The row of roles.c. */
const struct rp_role *daemon_role(enum rp_role_id role);

#endif
