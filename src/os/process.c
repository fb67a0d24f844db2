#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"

/* Where the child finds its readiness pipe; the first place after the standard three. What is
 * handed to it follows. Copies stand at ASIDE and above while they change places. */
enum { READY_FD = 3, ASIDE = 64, EXEC_FAILED = 127 };

#define READY_VARIABLE "REMPART_READY_FD=3"
#define HANDED_VARIABLE "REMPART_HANDED="

static rp_err last_error(void) {
    return rp_err_from_errno(errno);
}

/* Signals as a program expects them at its start. SIGKILL and SIGSTOP refuse, and need nothing. */
static void reset_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++) {
        (void)signal(number, SIG_DFL);
    }
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The pipe and what is handed over, each at its place, whatever numbers they had. */
static bool put_in_place(const struct rp_process *process, int ready_fd) {
    int copies[1 + RP_PROCESS_HANDED_MAX];
    const size_t count = 1 + process->handed_count;
    for (size_t i = 0; i < count; i++) {
        copies[i] = fcntl(i == 0 ? ready_fd : process->handed[i - 1], F_DUPFD_CLOEXEC, ASIDE);
    }
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        good = good && copies[i] >= 0 && dup2(copies[i], READY_FD + (int)i) == READY_FD + (int)i;
    }
    return good && close_range(READY_FD + (unsigned)count, ~0u, CLOSE_RANGE_CLOEXEC) == 0;
}

/* Between fork and exec: only calls that are safe there. */
__attribute__((noreturn)) static void become(const struct rp_process *process,
                                             char *const arguments[], char *const variables[],
                                             pid_t parent, int ready_fd) {
    reset_signals();
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    bool ready = null >= 0 && dup2(null, 0) == 0 && setpgid(0, 0) == 0 &&
                 prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0;
    /* The parent may have ended before we asked to end with it. */
    if (!ready || getppid() != parent) {
        _exit(EXEC_FAILED);
    }
    if (process->heard) {
        ready = dup2(ready_fd, 1) == 1 && dup2(ready_fd, 2) == 2 &&
                close_range(READY_FD, ~0u, CLOSE_RANGE_CLOEXEC) == 0;
    } else {
        ready = put_in_place(process, ready_fd);
    }
    if (ready) {
        execve(process->program, arguments, variables);
    }
    _exit(EXEC_FAILED);
}

/* execve's types are history's: it writes to neither list. */
static char *writable(const char *text) {
    return (char *)(uintptr_t)text;
}

static rp_err fill(char **list, size_t max, size_t from, const char *const *items) {
    size_t n = from;
    for (size_t i = 0; items && items[i]; i++) {
        if (n + 1 >= max) {
            return RP_ERR(TOO_LARGE);
        }
        list[n++] = writable(items[i]);
    }
    list[n] = NULL;
    return RP_OK;
}

rp_err rp_process_start(const struct rp_process *process, pid_t *ret_pid, int *ret_ready_fd) {
    RP_ASSERT(process->program[0] == '/');
    RP_ASSERT(process->handed_count <= RP_PROCESS_HANDED_MAX &&
              !(process->heard && process->handed));
    char handed[sizeof HANDED_VARIABLE + 4];
    (void)snprintf(handed, sizeof handed, HANDED_VARIABLE "%zu", process->handed_count);
    char *arguments[RP_PROCESS_ARGUMENTS_MAX] = {writable(process->program)};
    char *variables[RP_PROCESS_VARIABLES_MAX] = {writable(READY_VARIABLE), handed};
    RP_TRY(fill(arguments, RP_COUNT_OF(arguments), 1, process->arguments));
    RP_TRY(fill(variables, RP_COUNT_OF(variables), process->heard ? 0 : 2, process->variables));
    if (access(process->program, X_OK) != 0) {
        return last_error();
    }
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return last_error();
    }
    _cleanup_fd_ int reading = ends[0];
    _cleanup_fd_ int writing = ends[1];
    if (fcntl(reading, F_SETFL, O_NONBLOCK) != 0) {
        return last_error();
    }
    const pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0) {
        return last_error();
    }
    if (pid == 0) {
        become(process, arguments, variables, parent, writing);
    }
    /* Both sides set the group, so that it stands whoever runs first. */
    (void)setpgid(pid, pid);
    *ret_pid = pid;
    *ret_ready_fd = reading;
    reading = -1;
    return RP_OK;
}

rp_err rp_process_read_ready(int ready_fd, uint8_t *out, size_t max, size_t *ret_n) {
    RP_ASSERT(ready_fd >= 0 && max > 0);
    ssize_t n;
    do {
        n = read(ready_fd, out, max);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return last_error();
    }
    if (n == 0) {
        return RP_ERR(CLOSED);
    }
    *ret_n = (size_t)n;
    return RP_OK;
}

rp_err rp_process_adopt_orphans(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 ? RP_OK : last_error();
}

bool rp_process_reap(struct rp_exit *ret_exit) {
    int status = 0;
    pid_t pid;
    do {
        pid = waitpid(-1, &status, WNOHANG);
    } while (pid < 0 && errno == EINTR);
    if (pid <= 0) {
        return false;
    }
    RP_ASSERT(WIFEXITED(status) || WIFSIGNALED(status));
    *ret_exit = (struct rp_exit){.pid = pid,
                                 .code = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                                 .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0};
    return true;
}

void rp_process_signal(pid_t pid, int number) {
    RP_ASSERT(pid > 1);
    (void)kill(pid, number);
}

void rp_process_end_group(pid_t leader) {
    RP_ASSERT(leader > 1);
    (void)kill(-leader, SIGKILL);
}
