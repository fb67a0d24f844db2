/* process.h — how one program starts another and learns that it serves, and how it ended.
 *
 * The child gets a process group of its own, its standard input from /dev/null, no other
 * descriptor but the writing end of its readiness pipe (REMPART_READY_FD) and what is handed to it,
 * and the end of its parent as its own end: nothing outlives the supervisor.
 *
 * With `heard` the pipe is its standard output and error instead.
 *
 * Threads: any; the child calls only what is safe after fork.
 */
#ifndef RP_OS_PROCESS_H
#define RP_OS_PROCESS_H

#include <sys/types.h>

#include "base/err.h"

enum { RP_PROCESS_ARGUMENTS_MAX = 24, RP_PROCESS_VARIABLES_MAX = 64, RP_PROCESS_HANDED_MAX = 4 };

struct rp_process {
    const char *program;          /* absolute */
    const char *const *arguments; /* argv[1] …, ends in NULL */
    const char *const *variables; /* "NAME=value" …, the whole environment, ends in NULL */
    const int *handed; /* descriptors that it gets as 4, 5, …; REMPART_HANDED says how many */
    size_t handed_count;
    bool heard; /* what it prints comes through the pipe, in place of the word that it is ready */
};

struct rp_exit {
    pid_t pid;
    int code;   /* when it ended by itself */
    int signal; /* when it was killed; else 0 */
};

/* Starts it. *ret_ready_fd is the reading end of its readiness pipe, non-blocking: end of file
 * means that it ended or closed it. NOT_FOUND when there is no such program. */
rp_err rp_process_start(const struct rp_process *process, pid_t *ret_pid, int *ret_ready_fd);
/* What stands there now; BUSY when nothing does, CLOSED at the end. */
rp_err rp_process_read_ready(int ready_fd, uint8_t *out, size_t max, size_t *ret_n);

/* Orphans of our children become ours, so that they can be ended too. */
rp_err rp_process_adopt_orphans(void);
/* One that has ended, ours or adopted; false when there is none now. */
bool rp_process_reap(struct rp_exit *ret_exit);
/* To the one process; absent is OK. */
void rp_process_signal(pid_t pid, int number);
/* SIGKILL to all that is left of its group. */
void rp_process_end_group(pid_t leader);

#endif
