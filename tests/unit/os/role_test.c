/* Each test enters a role in a child process, does one thing there, and looks at how it ended. */
#include "os/role.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/file.h"
#include "os/landlock.h"
#include "os/sanitizer.h"
#include "unit.h"

enum { ENTRY_FAILED = 99 };

static const struct rp_role_path paths[] = {
    {"own", RP_ACCESS_READ | RP_ACCESS_WRITE, false},
    {"shown", RP_ACCESS_READ, false},
    {"absent", RP_ACCESS_READ, true},
};

/* Root needs a user to become; an ordinary user's tests run as that user. */
static struct rp_role row_of(enum rp_connect connect, bool threads) {
    return (struct rp_role){.id = RP_ROLE_KMS,
                            .name = "kms",
                            .user = "nobody",
                            .connect = connect,
                            .threads = threads,
                            .paths = paths,
                            .path_count = 3};
}

static int set_up(void **state) {
    *state = unit_dir_new();
    assert_int_equal(chdir(*state), 0);
    assert_int_equal(chmod(".", 0755), 0);
    assert_ok(rp_folder_make("own", 0777));
    assert_ok(rp_folder_make("shown", 0755));
    assert_ok(rp_folder_make("hidden", 0755));
    assert_int_equal(chmod("own", 0777), 0);
    assert_ok(rp_file_replace("shown/file", 0644, RP_VIEW("seen")));
    assert_ok(rp_file_replace("hidden/file", 0644, RP_VIEW("secret")));
    return 0;
}

static int tear_down(void **state) {
    int failed = chdir("/");
    unit_dir_remove(*state);
    return failed;
}

/* As root the entry needs the shared group, which the set-up script makes. */
static bool can_enter(void) {
    return geteuid() != 0 || (getgrnam(RP_ROLE_GROUP) && getpwnam("nobody"));
}

static void child(const struct rp_role *row, int (*body)(const struct rp_isolation *isolation)) {
    struct rp_isolation isolation;
    struct rp_diag diag = {0};
    struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    if (!rp_ok(rp_role_enter(row, &isolation, &diag))) {
        fprintf(stderr, "# %s\n", diag.text);
        _exit(ENTRY_FAILED);
    }
    _exit(body(&isolation));
}

/* How the child ended: its exit status, or minus the signal that killed it. */
static int run(const struct rp_role *row, int (*body)(const struct rp_isolation *isolation)) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        child(row, body);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_plain(int (*body)(const struct rp_isolation *isolation)) {
    struct rp_role row = row_of(RP_CONNECT_UNIX, false);
    return run(&row, body);
}

#define SKIP_UNLESS_WE_CAN_ENTER()                                                                 \
    if (!can_enter()) {                                                                            \
        print_message("# skipped: root without the group rempart; run scripts/setup\n");           \
        skip();                                                                                    \
    }

static int work_in_own_folder(const struct rp_isolation *isolation) {
    struct rp_arena *arena = rp_arena_new(1 << 16);
    rp_view bytes = {0};
    bool done = isolation->seccomp && rp_ok(rp_folder_make("own/deeper/still", 0750)) &&
                rp_ok(rp_file_replace("own/deeper/still/a", 0640, RP_VIEW("one"))) &&
                rp_ok(rp_file_read("own/deeper/still/a", 10, arena, &bytes)) && bytes.n == 3 &&
                rp_ok(rp_file_create("own/b", 0640, RP_VIEW("two"))) &&
                rp_ok(rp_file_remove("own/b")) &&
                rp_ok(rp_file_read("shown/file", 10, arena, &bytes)) &&
                rp_view_equal(bytes, RP_VIEW("seen"));
    rp_arena_free(arena);
    return done ? 0 : 1;
}

static void the_named_files_are_open(void **state) {
    (void)state;
    SKIP_UNLESS_WE_CAN_ENTER();
    assert_int_equal(run_plain(work_in_own_folder), 0);
}

static int refused(const char *path, int flags) {
    int fd = open(path, flags, 0600);
    return fd < 0 && errno == EACCES;
}

/*= S105 type=test */
static int try_other_files(const struct rp_isolation *isolation) {
    if (isolation->landlock_abi == 0) {
        return 77;
    }
    bool shut = refused("/etc/shadow", O_RDONLY) && refused("/etc/passwd", O_RDONLY) &&
                refused("hidden/file", O_RDONLY) && refused("own/../hidden/file", O_RDONLY) &&
                refused("shown/file", O_WRONLY) && refused("shown/new", O_WRONLY | O_CREAT) &&
                refused("/tmp", O_RDONLY | O_DIRECTORY) && refused("new", O_WRONLY | O_CREAT) &&
                rename("own", "moved") != 0;
    return shut ? 0 : 1;
}

static void the_other_files_are_shut(void **state) {
    (void)state;
    SKIP_UNLESS_WE_CAN_ENTER();
    int ended = run_plain(try_other_files);
    if (ended == 77) {
        print_message("# skipped: this kernel has no Landlock\n");
        skip();
    }
    assert_int_equal(ended, 0);
}

static int call_execve(const struct rp_isolation *isolation) {
    (void)isolation;
    char *const arguments[] = {NULL};
    execve("/bin/true", arguments, arguments);
    return 1;
}

static int call_execveat(const struct rp_isolation *isolation) {
    (void)isolation;
    char *const arguments[] = {NULL};
    syscall(SYS_execveat, AT_FDCWD, "/bin/true", arguments, arguments, 0);
    return 1;
}

static int call_ptrace(const struct rp_isolation *isolation) {
    (void)isolation;
    syscall(SYS_process_vm_writev, getppid(), NULL, 0, NULL, 0, 0);
    return 1;
}

static int call_setuid(const struct rp_isolation *isolation) {
    (void)isolation;
    return setuid(0) == 0 ? 1 : 2;
}

static int kill_parent(const struct rp_isolation *isolation) {
    (void)isolation;
    return kill(getppid(), 0) == 0 ? 1 : 2;
}

static int call_fork(const struct rp_isolation *isolation) {
    (void)isolation;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    return 1;
}

static void forbidden_calls_end_the_process(void **state) {
    (void)state;
    SKIP_UNLESS_WE_CAN_ENTER();
    assert_int_equal(run_plain(call_execve), -SIGSYS);
    assert_int_equal(run_plain(call_execveat), -SIGSYS);
    assert_int_equal(run_plain(call_ptrace), -SIGSYS);
    assert_int_equal(run_plain(call_setuid), -SIGSYS);
    if (!RP_SANITIZED) {
        assert_int_equal(run_plain(kill_parent), -SIGSYS);
        assert_int_equal(run_plain(call_fork), -SIGSYS);
    }
}

static int make_memory_run(const struct rp_isolation *isolation) {
    (void)isolation;
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || mprotect(p, 4096, PROT_READ) != 0) {
        return 1;
    }
    if (mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0 || errno != EACCES) {
        return 2;
    }
    void *run_at = mmap(NULL, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return run_at == MAP_FAILED && errno == EACCES ? 0 : 3;
}

static void memory_is_never_run(void **state) {
    (void)state;
    SKIP_UNLESS_WE_CAN_ENTER();
    assert_int_equal(run_plain(make_memory_run), 0);
}

static int connect_unix(const struct rp_isolation *isolation) {
    (void)isolation;
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "own/nobody"};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return 1;
    }
    return connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 ? 0 : 2;
}

/* A datagram needs no connect: it would leave a role that may reach nobody. */
static int open_datagram(const struct rp_isolation *isolation) {
    (void)isolation;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return 1;
    }
    return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0 ? 2 : 3;
}

static int open_inet(const struct rp_isolation *isolation) {
    (void)isolation;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno == EACCES ? 13 : 1;
    }
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(1)};
    /* Nobody listens on port 1; that the kernel tried is what counts. */
    int failed = connect(fd, (const struct sockaddr *)&address, sizeof address);
    return failed != 0 && errno == ECONNREFUSED ? 0 : 2;
}

static int listen_on_inet(const struct rp_isolation *isolation) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd < 0) {
        return 1;
    }
    int failed = bind(fd, (const struct sockaddr *)&address, sizeof address);
    return isolation->landlock_abi < 4 || (failed != 0 && errno == EACCES) ? 0 : 2;
}

static void connections_are_what_the_row_says(void **state) {
    (void)state;
    SKIP_UNLESS_WE_CAN_ENTER();
    struct rp_role never = row_of(RP_CONNECT_NEVER, false);
    struct rp_role local = row_of(RP_CONNECT_UNIX, false);
    struct rp_role inet = row_of(RP_CONNECT_INET, false);
    inet.any_port = true;
    assert_int_equal(run(&never, connect_unix), -SIGSYS);
    assert_int_equal(run(&local, connect_unix), 0);
    assert_int_equal(run(&inet, connect_unix), 0);
    assert_int_equal(run(&never, open_datagram), -SIGSYS);
    assert_int_equal(run(&local, open_datagram), -SIGSYS);
    assert_int_equal(run(&inet, open_datagram), -SIGSYS);
    assert_int_equal(run(&never, open_inet), 13);
    assert_int_equal(run(&local, open_inet), 13);
    assert_int_equal(run(&inet, open_inet), 0);
    assert_int_equal(run(&inet, listen_on_inet), 0);
}

static void *add_one(void *ctx) {
    ++*(int *)ctx;
    return NULL;
}

static int start_thread(const struct rp_isolation *isolation) {
    (void)isolation;
    int count = 0;
    pthread_t thread;
    if (pthread_create(&thread, NULL, add_one, &count) != 0) {
        return 1;
    }
    pthread_join(thread, NULL);
    return count == 1 ? 0 : 2;
}

static void threads_only_where_the_row_says(void **state) {
    (void)state;
    SKIP_UNLESS_WE_CAN_ENTER();
    struct rp_role with = row_of(RP_CONNECT_NEVER, true);
    assert_int_equal(run(&with, start_thread), 0);
    if (!RP_SANITIZED) {
        assert_int_equal(run(&with, call_fork), -SIGSYS);
        assert_int_equal(run_plain(start_thread), -SIGSYS);
    }
}

/*= S104 type=test */
static int check_state(const struct rp_isolation *isolation) {
    struct rlimit core;
    bool done = getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0;
    done = done && isolation->network_fenced && umask(0) == 0027;
    if (isolation->own_user) {
        done = done && getuid() != 0 && geteuid() == getuid() && getgroups(0, NULL) == 2;
    }
    return done ? 0 : 1;
}

static void privileges_are_gone(void **state) {
    (void)state;
    SKIP_UNLESS_WE_CAN_ENTER();
    assert_int_equal(run_plain(check_state), 0);
}

static void a_failure_before_the_first_step_is_an_error(void **state) {
    (void)state;
    static const struct rp_role_path missing[] = {{"no/such/folder", RP_ACCESS_READ, false}};
    struct rp_role row = row_of(RP_CONNECT_NEVER, false);
    struct rp_isolation isolation = {0};
    struct rp_diag diag = {0};
    row.paths = missing;
    row.path_count = 1;
    if (can_enter() && rp_landlock_abi() > 0) {
        assert_err(rp_role_enter(&row, &isolation, &diag), NOT_FOUND);
        assert_non_null(strstr(diag.text, "no/such/folder"));
    }
    if (geteuid() == 0) {
        row.user = "rempart-no-such-user";
        assert_err(rp_role_enter(&row, &isolation, &diag), DENIED);
        assert_non_null(strstr(diag.text, "rempart-no-such-user"));
    }
    /* Still who we were. */
    assert_int_equal(access("own", W_OK), 0);
    assert_false(isolation.seccomp);
}

static void users_are_handed_down(void **state) {
    (void)state;
    uid_t uid = 1;
    gid_t gid = 1;
    assert_int_equal(setenv("REMPART_USERS", "ledger=901:902,kms=903:904,odd=x:1,", 1), 0);
    assert_ok(rp_role_uid(RP_ROLE_KMS, &uid, &gid));
    assert_int_equal(uid, 903);
    assert_int_equal(gid, 904);
    assert_ok(rp_role_uid(RP_ROLE_SUPERVISOR, &uid, &gid));
    assert_int_equal(uid, 0);
    assert_ok(rp_role_uid(RP_ROLE_CLI, &uid, &gid));
    assert_int_equal(uid, geteuid());
    assert_err(rp_role_uid(RP_ROLE_CORE, &uid, &gid), NOT_FOUND);
    assert_int_equal(setenv("REMPART_USERS", "kms=4294967295:1", 1), 0);
    assert_err(rp_role_uid(RP_ROLE_KMS, &uid, &gid), INVALID);
    assert_int_equal(unsetenv("REMPART_USERS"), 0);
    if (geteuid() != 0) {
        assert_ok(rp_role_uid(RP_ROLE_KMS, &uid, &gid));
        assert_int_equal(uid, geteuid());
    }
}

static bool is_open(int fd) {
    return fcntl(fd, F_GETFD) >= 0;
}

static void inherited_descriptors_are_closed(void **state) {
    (void)state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int keep[] = {30, -1, 10};
        bool made =
            dup2(2, 10) == 10 && dup2(2, 11) == 11 && dup2(2, 30) == 30 && dup2(2, 31) == 31;
        rp_role_close_inherited(keep, 3);
        bool right = is_open(2) && is_open(10) && !is_open(11) && is_open(30) && !is_open(31);
        rp_role_close_inherited(NULL, 0);
        _exit(made && right && !is_open(10) && !is_open(30) && is_open(2) ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(the_named_files_are_open),
        IN_FOLDER(the_other_files_are_shut),
        IN_FOLDER(forbidden_calls_end_the_process),
        IN_FOLDER(memory_is_never_run),
        IN_FOLDER(connections_are_what_the_row_says),
        IN_FOLDER(threads_only_where_the_row_says),
        IN_FOLDER(privileges_are_gone),
        IN_FOLDER(a_failure_before_the_first_step_is_an_error),
        IN_FOLDER(users_are_handed_down),
        IN_FOLDER(inherited_descriptors_are_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
