/* supervisor.h — starts the roles one after the other, and keeps them alive.
 *
 * Order: ledger, link, kms, core, gate, probe, hunt, dial, courier, acme, vault, witness; each must
 * say "ready" before the next begins. One that ends is started again after a pause that doubles.
 * What stands is written to run/status.json at every change. The supervisor holds no key and reads
 * no stranger's byte.
 *
 *   main.c      options, checks before the start, signals
 *   folders.c   the state folder: who owns what
 *   children.c  start and readiness
 *   ends.c      end, start again after a pause, stop
 *   spawn.c     a role's program in a process of its own
 *   wants.c     which roles a configuration asks for
 *   reload.c    a new configuration
 *   rehearse.c  tried before anybody leaves for it
 *   handover.c  a role that begins anew without a request lost
 *   status.c    run/status.json
 *   fence.c     which places the gate, the link and the probe reach
 *   canary.c    a round of canaries that try to send something out
 *   walls.c     what the kernel says of a role's walls
 *   programs.c  which programs run, by their digests
 *   log.c       where the lines of all roles go
 *   report.c    role.started and role.stopped for the ledger
 */
#ifndef RP_DAEMONS_SUPERVISOR_H
#define RP_DAEMONS_SUPERVISOR_H

#include <limits.h>

#include "crypto/hash.h"
#include "daemon.h"
#include "os/process.h"
#include "os/stderr.h"
#include "report.h"
#include "wire/json.h"

enum {
    CHILDREN = 12,
    CHILD_SOCKETS = 2,
    LEAVERS = 4,     /* reloads within gate.drain_seconds */
    READY_MAX = 512, /* what a role may say when it is ready */
    USERS_MAX = 1024,
    PLACES_MAX = 1024
};

enum child_state {
    CHILD_IDLE, /* not started yet */
    CHILD_STARTING,
    CHILD_READY,
    CHILD_WAITING, /* for its next start */
    CHILD_STOPPING,
    CHILD_STOPPED,
    CHILD_MISSING, /* its program is not installed */
    CHILD_OFF,     /* the configuration does not ask for it */
    CHILD_STATE_COUNT
};

enum phase { PHASE_START, PHASE_SERVE, PHASE_STOP };

/* What the kernel says of a process, whatever it said of itself. */
struct walls {
    bool known;
    bool privileged;   /* it is root, or has a capability */
    bool no_new_privs; /* and can gain none by starting a program */
    bool filtered;     /* its system calls */
    uint32_t uid;
};

/* A program in service. */
struct program {
    char name[64]; /* "nginx"; "" = there is none */
    bool known;
    struct rp_sha256 sha256;
};
enum program_place { PROGRAM_STARTED, PROGRAM_BECAME, PROGRAM_MODULE, PROGRAM_COUNT };

struct child {
    struct supervisor *supervisor;
    enum rp_role_id role;
    bool optional; /* its absence stops nothing */
    enum child_state state;
    pid_t pid; /* 0 = none */
    int ready_fd;
    struct rp_watch *watch;
    struct rp_timer *timer; /* readiness, pause or stop: one at a time */
    int64_t started_ns;     /* monotonic */
    int64_t since_s;        /* of its state */
    int64_t pause_ms;       /* before the next start */
    unsigned restarts;
    uint64_t pss_kib;           /* of it and its own children, when last looked at; 0 = not known */
    unsigned failures;          /* since it was last ready */
    bool reloading;             /* we asked it to begin anew */
    int sockets[CHILD_SOCKETS]; /* listening, held for a role that hands over; -1 = none */
    char said[READY_MAX + 1];
    size_t said_n;
    char isolation[READY_MAX]; /* JSON, "" = not told */
    struct walls walls;
    struct program programs[PROGRAM_COUNT];
    struct rp_sha256 program_seen; /* of process and link, as it was last looked at */
    char last_end[80];             /* "exit 1", "signal 9" */
};

/* One that has handed over to its successor, and ends when its last stream does. */
struct leaver {
    pid_t pid; /* 0 = a free place */
    enum rp_role_id role;
    unsigned number; /* of the reload */
    struct rp_timer *timer;
};

/* Which machine runs what, and which key is whose: settled before the first role starts. */
struct places {
    unsigned runs_here; /* a set of roles */
    bool linked;        /* to another machine */
    char s[PLACES_MAX]; /* all of it, as text, to be compared */
};

struct supervisor {
    struct daemon daemon;
    const char *version;
    const char *bin, *state; /* absolute */
    struct program program;  /* our own */
    char users[USERS_MAX + 32];
    struct places places;
    enum phase phase;
    int exit_code;
    int lock_fd;
    struct fence {
        int fd; /* the fence stands while it is open; -1 = none */
        unsigned number;
        unsigned roles; /* the set of those within it */
    } fence;
    int64_t since_s;
    struct recorder *report;
    struct rp_stderr log;        /* of log.file */
    int64_t certificate_until_s; /* the gate's first to end; 0 = not known */
    uint64_t issued;             /* acme/issued as the gate knows it */
    struct reload {
        unsigned number;        /* how many were asked for */
        bool refused;           /* the last one */
        struct rp_diag diag;    /* why */
        const char *kept[8];    /* settings that changed and need a restart; ends in NULL */
        uint64_t files;         /* what the files were that the configuration names */
        struct rp_arena *arena; /* of daemon.config, once it is not the first */
    } reload;
    struct rehearsal {
        pid_t pid; /* of the role that tries now; 0 = none does */
        int said_fd;
        size_t next; /* of those that try */
        struct rp_timer *timer;
        struct rp_arena *arena; /* of what is tried */
        struct rp_config config;
        rp_view text;
    } rehearsal;
    struct renderer {
        pid_t pid; /* of "rempart-gate --render"; 0 = none runs */
        struct rp_timer *timer;
    } renderer;
    struct canaries *canaries; /* NULL before supervisor_open_canaries */
    struct child children[CHILDREN];
    struct leaver leavers[LEAVERS];
};

/* Sub-folders with the right owner and mode, and run/ on tmpfs. Tells stderr what fails. */
rp_err supervisor_make_folders(struct supervisor *supervisor);

/* Around the roles that dial by themselves, as the configuration that is in force names places. */
void supervisor_draw_fence(struct supervisor *supervisor);

void supervisor_init_children(struct supervisor *supervisor);
/* Starts the next role once all before it are ready; when there is none, says "ready". */
void supervisor_start_next(struct supervisor *supervisor);
/* Where a role's program lies. */
void supervisor_program(const struct supervisor *supervisor, enum rp_role_id role,
                        char out[static PATH_MAX]);
/* Starts a role's program with the arguments and descriptors that `process` names, in the
 * environment that every role gets. */
rp_err supervisor_spawn(const struct supervisor *supervisor, enum rp_role_id role,
                        struct rp_process process, pid_t *ret_pid, int *ret_ready_fd);
/* "exit 1", "signal 9", … */
void supervisor_describe_end(const struct rp_exit *ended, char out[static 80]);
/* Looks who has ended. */
void supervisor_reap(struct supervisor *supervisor);
/* Ends all in reverse order, then the loop. */
void supervisor_stop(struct supervisor *supervisor, int exit_code);
/* SIGHUP: the file is read again by the code that starts. A bad one changes nothing, is said with
 * line and column, and goes on record, and so does one with which a role would not start. A good
 * one: the gate's part is written, and nginx reads it without losing a connection; where more than
 * that part changed, core, probe, hunt and courier begin anew, core without losing a request. What
 * the ledger and the kms keep until the next start is named. What came of it stands in
 * run/status.json. */
void supervisor_reload(struct supervisor *supervisor);
/* What the files are that the configuration names: another number for another file. */
uint64_t supervisor_named_files(const struct rp_config *config);
/* Keeps the configuration that is in force where a role that starts again finds it, whatever lies
 * in the operator's file by then. */
#define ACCEPTED_CONFIG "config.accepted"
rp_err supervisor_keep_config(rp_view text);
/* What was read is in force from here on: supervisor_reload, once all agree. */
void supervisor_apply(struct supervisor *supervisor, struct rp_arena *arena,
                      const struct rp_config *config, rp_view text, bool roles);
/* The reload comes to nothing: said, on record, in the status. */
void supervisor_refuse(struct supervisor *supervisor, rp_err err, const struct rp_diag *diag);

/* Takes the arena. The roles that may refuse a start try the file one after the other; then it is
 * applied, or refused with what the first of them said. */
void supervisor_rehearse(struct supervisor *supervisor, struct rp_arena *arena,
                         const struct rp_config *config, rp_view text);
/* True when it was a rehearsal that ended. */
bool supervisor_rehearsed(struct supervisor *supervisor, const struct rp_exit *ended);
void supervisor_stop_rehearsal(struct supervisor *supervisor);
/* Has the gate's part written and nginx told: after a reload, and for a new certificate. */
void supervisor_render(struct supervisor *supervisor);

/* What the configuration says of places; what runs is told by supervisor->places. */
struct places supervisor_places(const struct rp_config *config);
/* Whether this configuration would ask for the role, and whether the one that is in force does. */
bool supervisor_would_want(const struct places *places, const struct rp_config *config,
                           enum rp_role_id role);
bool supervisor_wants(const struct supervisor *supervisor, enum rp_role_id role);
/* After a reload: a role that is wanted now is started, one that no longer is is ended. */
void supervisor_turn(struct child *child);
/* Asks a role that is ready to end, to be started again at once; one that does not is ended. */
void supervisor_begin_anew(struct child *child);

/* Whether the role has a successor before it ends, and listens where we do. */
bool supervisor_hands_over(const struct child *child);
/* The sockets that it is to inherit; those that stand already stay. */
rp_err supervisor_hold_sockets(struct child *child);
void supervisor_drop_sockets(struct child *child);
/* Its process takes nothing new any more: it goes on among the leavers, and the child has none. */
void supervisor_handed_over(struct child *child);
/* True when it was a leaver that ended. */
bool supervisor_left(struct supervisor *supervisor, const struct rp_exit *ended);
void supervisor_end_leavers(struct supervisor *supervisor);

/* True when it was the renderer that ended. */
bool supervisor_rendered(struct supervisor *supervisor, const struct rp_exit *ended);
void supervisor_stop_renderer(struct supervisor *supervisor);

/* The probe may ask for a round of canaries from here on. */
rp_err supervisor_open_canaries(struct supervisor *supervisor);
/* True when it was a canary that ended. */
bool supervisor_canary_ended(struct supervisor *supervisor, const struct rp_exit *ended);
void supervisor_close_canaries(struct supervisor *supervisor);

/* log.file, from here on: our own lines and those of all roles. Says why not. */
rp_err supervisor_open_log(struct supervisor *supervisor);
/* The file of the configuration that is in force now, or a new one of the same name. */
void supervisor_reopen_log(struct supervisor *supervisor);
void supervisor_close_log(struct supervisor *supervisor);
/* For who looks on while it starts, in their language: a line on standard output, or one of the
 * log, in English, where that is JSON.
 */
void supervisor_tell(const struct supervisor *supervisor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same on standard error, for a start that is refused. */
void supervisor_refuse_start(const struct supervisor *supervisor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Whether they read French; a log is read by programs. */
bool supervisor_reader_is_french(const struct supervisor *supervisor);

/* Reads it from the kernel; not known where it cannot. */
struct walls supervisor_look_at_walls(pid_t pid);
/* The file at path, under the last part of this name. */
struct program supervisor_program_at(const char *path, const char *name);
/* What a role that runs has become, where the kernel shows it. */
void supervisor_look_at_programs(struct child *child);
/* All that run, as "programs": [{role, name, sha256}]. */
void supervisor_add_programs(struct rp_arena *arena, struct rp_json *root,
                             const struct supervisor *supervisor);
void supervisor_write_status(struct supervisor *supervisor);
/* Timer: memory of the roles, the certificates; then the file. */
void supervisor_look(void *supervisor);
/* Timer: certificates that the acme role got and the gate has not seen. */
void supervisor_look_for_certificates(void *supervisor);

#endif
