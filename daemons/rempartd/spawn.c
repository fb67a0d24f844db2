/* spawn.c — a role's program, in a process of its own, with what it may know of our environment. */
#include <stdio.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "supervisor.h"

/* What a role may learn from our environment: the language, and the switches of tests. */
static const char *const passed_on[] = {
    "LANG=",          "LC_",           "TZ=",          "REMPART_", "ASAN_OPTIONS=",
    "UBSAN_OPTIONS=", "LSAN_OPTIONS=", "TSAN_OPTIONS="};

extern char **environ;

static bool is_passed_on(const char *variable) {
    rp_view text = rp_view_from_cstr(variable);
    if (rp_view_starts(text, RP_VIEW("REMPART_USERS=")) ||
        rp_view_starts(text, RP_VIEW("REMPART_READY_FD=")) ||
        rp_view_starts(text, RP_VIEW("REMPART_HANDED="))) {
        return false; /* ours to say */
    }
    for (size_t i = 0; i < RP_COUNT_OF(passed_on); i++) {
        if (rp_view_starts(text, rp_view_from_cstr(passed_on[i]))) {
            return true;
        }
    }
    return false;
}

void supervisor_program(const struct supervisor *supervisor, enum rp_role_id role,
                        char out[static PATH_MAX]) {
    int n = snprintf(out, PATH_MAX, "%s/rempart-%s", supervisor->bin, rp_role_name(role));
    RP_ASSERT(n > 0 && n < PATH_MAX);
}

rp_err supervisor_spawn(const struct supervisor *supervisor, enum rp_role_id role,
                        struct rp_process process, pid_t *ret_pid, int *ret_ready_fd) {
    const char *variables[RP_PROCESS_VARIABLES_MAX] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
    size_t n = 1;
    if (supervisor->users[0] != '\0') {
        variables[n++] = supervisor->users;
    }
    /* Two places stay for what rp_process_start adds, one for the end. */
    for (char **one = environ; *one && n + 3 < RP_COUNT_OF(variables); one++) {
        if (is_passed_on(*one)) {
            variables[n++] = *one;
        }
    }
    char program[PATH_MAX];
    supervisor_program(supervisor, role, program);
    process.program = program;
    process.variables = variables;
    return rp_process_start(&process, ret_pid, ret_ready_fd);
}
