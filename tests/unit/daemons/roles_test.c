/* Every row of the role table, entered for real in a child process: what it names works, what it
 * does not name is refused or is the end. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon.h"
#include "os/file.h"
#include "os/landlock.h"
#include "os/sanitizer.h"
#include "unit.h"

static const enum rp_role_id rows[] = {RP_ROLE_LEDGER, RP_ROLE_KMS,     RP_ROLE_CORE, RP_ROLE_PROBE,
                                       RP_ROLE_HUNT,   RP_ROLE_COURIER, RP_ROLE_ACME, RP_ROLE_LINK,
                                       RP_ROLE_VAULT,  RP_ROLE_WITNESS, RP_ROLE_DIAL};
enum { ROWS = sizeof rows / sizeof rows[0], ENTRY_FAILED = 99 };

static const char *const folders[] = {
    "ledger", "kms", "db",  "tenants", "apps", "canary",    "waf",  "gate",  "gate/tls", "probe",
    "hunt",   "run", "log", "courier", "acme", "gate/acme", "link", "vault", "witness"};
enum { FOLDERS = sizeof folders / sizeof folders[0] };

/* Open to every user, so that only the row decides. */
static int set_up(void **state) {
    *state = unit_dir_new();
    assert_int_equal(chdir(*state), 0);
    assert_int_equal(chmod(".", 0755), 0);
    for (size_t i = 0; i < FOLDERS; i++) {
        char file[64];
        snprintf(file, sizeof file, "%s/there", folders[i]);
        assert_ok(rp_folder_make(folders[i], 0777));
        assert_int_equal(chmod(folders[i], 0777), 0);
        assert_ok(rp_file_replace(file, 0666, RP_VIEW("seen")));
    }
    return 0;
}

static int tear_down(void **state) {
    int failed = chdir("/");
    unit_dir_remove(*state);
    return failed;
}

static bool can_enter(void) {
    return geteuid() != 0 || (getgrnam(RP_ROLE_GROUP) && getpwnam("rempart-dial"));
}

#define SKIP_UNLESS(condition, why)                                                                \
    if (!(condition)) {                                                                            \
        print_message("# skipped: %s\n", why);                                                     \
        skip();                                                                                    \
    }

static int run(enum rp_role_id id, int (*body)(const struct rp_role *row)) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rp_isolation isolation;
        struct rp_diag diag = {0};
        if (!rp_ok(rp_role_enter(daemon_role(id), &isolation, &diag))) {
            fprintf(stderr, "# %s: %s\n", rp_role_name(id), diag.text);
            _exit(ENTRY_FAILED);
        }
        _exit(body(daemon_role(id)));
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void assert_each_row(int (*body)(const struct rp_role *row), int want) {
    for (size_t i = 0; i < ROWS; i++) {
        int got = run(rows[i], body);
        if (got != want) {
            fail_msg("%s: got %d, want %d", rp_role_name(rows[i]), got, want);
        }
    }
}

/* What the row grants for a folder of the state: its own line, or that of a folder above it. */
static unsigned granted(const struct rp_role *row, const char *folder) {
    for (size_t i = 0; i < row->path_count; i++) {
        size_t n = strlen(row->paths[i].path);
        if (strncmp(folder, row->paths[i].path, n) == 0 &&
            (folder[n] == '\0' || folder[n] == '/')) {
            return row->paths[i].access;
        }
    }
    return 0;
}

static bool opens(const char *folder, const char *name, int flags) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    _cleanup_fd_ int fd = open(path, flags | O_CLOEXEC, 0640);
    return fd >= 0;
}

static int use_folders(const struct rp_role *row) {
    for (size_t i = 0; i < FOLDERS; i++) {
        unsigned access = granted(row, folders[i]);
        bool reads = opens(folders[i], "there", O_RDONLY);
        bool writes = opens(folders[i], "new", O_WRONLY | O_CREAT | O_EXCL);
        if (reads != ((access & RP_ACCESS_READ) != 0) ||
            writes != ((access & RP_ACCESS_WRITE) != 0)) {
            fprintf(stderr, "# %s in %s: reads %d, writes %d, granted %u\n", row->name, folders[i],
                    reads, writes, access);
            return 1;
        }
        char path[128];
        snprintf(path, sizeof path, "%s/new", folders[i]);
        (void)unlink(path);
    }
    return 0;
}

/*= S105 type=test */
static void each_row_opens_what_it_names_and_nothing_else(void **state) {
    (void)state;
    SKIP_UNLESS(can_enter(), "root without the roles' users; run scripts/setup");
    SKIP_UNLESS(rp_landlock_abi() > 0, "this kernel has no Landlock");
    assert_each_row(use_folders, 0);
}

/* Said a second time, so that a row which grants the keys' folder must be meant twice. */
/*= S85 type=test */
static void only_the_key_service_opens_the_keys(void **state) {
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        bool granted_keys = granted(daemon_role(rows[i]), "kms") != 0;
        assert_int_equal(granted_keys, rows[i] == RP_ROLE_KMS);
    }
}

static int open_shadow(const struct rp_role *row) {
    (void)row;
    int fd = open("/etc/shadow", O_RDONLY | O_CLOEXEC);
    return fd < 0 && errno == EACCES ? 0 : 1;
}

static int call_execve(const struct rp_role *row) {
    (void)row;
    char *const arguments[] = {NULL};
    execve("/bin/true", arguments, arguments);
    return errno;
}

/* In its walls: it starts, and says its version. */
static int start_uacme(const struct rp_role *row) {
    (void)row;
    char *const arguments[] = {(char *)(uintptr_t) "uacme", (char *)(uintptr_t) "-V", NULL};
    execve("/usr/bin/uacme", arguments, arguments + 2);
    return errno;
}

static void no_row_reads_passwords_or_starts_programs_but_uacme(void **state) {
    (void)state;
    SKIP_UNLESS(can_enter(), "root without the roles' users; run scripts/setup");
    assert_each_row(open_shadow, 0);
    for (size_t i = 0; i < ROWS; i++) {
        bool programs = daemon_role(rows[i])->programs;
        assert_int_equal(programs, rows[i] == RP_ROLE_ACME);
        int refused =
            programs && !RP_SANITIZED ? EACCES : -SIGSYS; /* sanitized rows are narrower */
        assert_int_equal(run(rows[i], call_execve), refused);
    }
    if (!RP_SANITIZED && access("/usr/bin/uacme", X_OK) == 0) {
        assert_int_equal(run(RP_ROLE_ACME, start_uacme), 2); /* its own end after -V */
    }
}

static int connect_unix(const struct rp_role *row) {
    (void)row;
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "run/nobody"};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    return fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 &&
                   errno == ENOENT
               ? 0
               : 1;
}

static int open_inet(const struct rp_role *row) {
    (void)row;
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 ? 0 : errno;
}

static int open_udp(const struct rp_role *row) {
    (void)row;
    return socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0 ? 0 : errno;
}

/* 0, or why not: the port 0 is one of the kernel's choice. */
static int bind_to(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 0x420108)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
}

static int bind_to_any(const struct rp_role *row) {
    (void)row;
    return bind_to(0);
}

static int bind_to_one(const struct rp_role *row) {
    (void)row;
    return bind_to(28443);
}

/*= S37 type=test */
static void no_row_takes_a_port_and_one_its_own_address(void **state) {
    (void)state;
    SKIP_UNLESS(can_enter(), "root without the roles' users; run scripts/setup");
    SKIP_UNLESS(rp_landlock_abi() >= 4, "Landlock knows nothing of ports before Linux 6.7");
    for (size_t i = 0; i < ROWS; i++) {
        bool inet = daemon_role(rows[i])->connect == RP_CONNECT_INET;
        bool own = daemon_role(rows[i])->own_address;
        assert_int_equal(own, rows[i] == RP_ROLE_PROBE);
        assert_int_equal(run(rows[i], bind_to_one), EACCES);
        assert_int_equal(run(rows[i], bind_to_any), own ? 0 : EACCES);
        assert_true(inet || !own);
    }
}

static void each_row_reaches_what_it_says(void **state) {
    (void)state;
    SKIP_UNLESS(can_enter(), "root without the roles' users; run scripts/setup");
    for (size_t i = 0; i < ROWS; i++) {
        enum rp_connect connect = daemon_role(rows[i])->connect;
        assert_int_equal(run(rows[i], connect_unix), connect == RP_CONNECT_NEVER ? -SIGSYS : 0);
        assert_int_equal(run(rows[i], open_inet), connect == RP_CONNECT_INET ? 0 : EACCES);
        assert_int_equal(run(rows[i], open_udp), rows[i] == RP_ROLE_DIAL ? 0 : EACCES);
    }
    /* The house's rule, said a second time: who holds a key or records reads no network byte. */
    assert_int_equal(daemon_role(RP_ROLE_LEDGER)->connect, RP_CONNECT_NEVER);
    assert_int_equal(daemon_role(RP_ROLE_KMS)->connect, RP_CONNECT_UNIX);
    assert_int_equal(daemon_role(RP_ROLE_CORE)->connect, RP_CONNECT_UNIX);
    assert_int_equal(daemon_role(RP_ROLE_HUNT)->connect, RP_CONNECT_UNIX);
    /*= S71 type=test: whoever has something to send to a name asks the one that has nothing. */
    assert_int_equal(daemon_role(RP_ROLE_COURIER)->connect, RP_CONNECT_UNIX);
    assert_int_equal(daemon_role(RP_ROLE_ACME)->connect, RP_CONNECT_UNIX);
}

static void *nothing(void *ctx) {
    return ctx;
}

static int start_thread(const struct rp_role *row) {
    pthread_t thread;
    void *back = NULL;
    if (pthread_create(&thread, NULL, nothing, (void *)(uintptr_t)row) != 0) {
        return 1;
    }
    pthread_join(thread, &back);
    return back == row ? 0 : 2;
}

static void threads_start_where_the_row_says(void **state) {
    (void)state;
    SKIP_UNLESS(can_enter(), "root without the roles' users; run scripts/setup");
    for (size_t i = 0; i < ROWS; i++) {
        bool threads = daemon_role(rows[i])->threads || RP_SANITIZED;
        assert_int_equal(run(rows[i], start_thread), threads ? 0 : -SIGSYS);
    }
}

#define IN_STATE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_STATE(each_row_opens_what_it_names_and_nothing_else),
        cmocka_unit_test(only_the_key_service_opens_the_keys),
        IN_STATE(no_row_reads_passwords_or_starts_programs_but_uacme),
        IN_STATE(each_row_reaches_what_it_says),
        IN_STATE(no_row_takes_a_port_and_one_its_own_address),
        IN_STATE(threads_start_where_the_row_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
