/* What one worker maps, on real files; and that a confined process can neither start a program nor
 * open what is not its own. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/file.h"
#include "os/landlock.h"
#include "os/ring.h"
#include "worker/confine.h"
#include "worker/tables.h"

static char *folder;

static int setup(void **state) {
    (void)state;
    folder = unit_dir_new();
    assert_int_equal(chdir(folder), 0);
    assert_ok(rp_folder_make("run", 0700));
    return 0;
}

static int teardown(void **state) {
    (void)state;
    assert_int_equal(chdir("/"), 0);
    unit_dir_remove(folder);
    return 0;
}

/* Another file of that name; and what core tells of the one before. */
static void make_sessions(uint64_t generation, bool tell) {
    struct rp_shm shm, old = {0};
    rp_ignore(rp_shm_open("run/sessions.tab", true, 0, &old)); /* there may be none */
    assert_ok(rp_shm_create("run/sessions.tab", 0600, rp_session_table_bytes(), &shm));
    rp_session_table_init(shm.p, generation, 1);
    if (tell) {
        rp_session_table_replace(old.p);
    }
    rp_shm_done(&shm);
    rp_shm_done(&old);
}

static void tables_appear_change_and_go(void **state) {
    (void)state;
    struct worker_tables tables = worker_tables_new("run");
    worker_tables_refresh(&tables);
    assert_null(worker_tables_view(&tables).sessions);

    make_sessions(1, false);
    worker_tables_refresh(&tables);
    const struct rp_session_header *header = worker_tables_view(&tables).sessions;
    assert_non_null(header);
    assert_int_equal(header->generation, 1);

    make_sessions(2, false); /* core started anew */
    worker_tables_refresh(&tables);
    header = worker_tables_view(&tables).sessions;
    assert_int_equal(header->generation, 2);

    /* Where core says so in the mapped one, nobody waits for the next turn. */
    worker_tables_keep_up(&tables);
    assert_ptr_equal(worker_tables_view(&tables).sessions, header);
    make_sessions(3, true);
    worker_tables_keep_up(&tables);
    header = worker_tables_view(&tables).sessions;
    assert_int_equal(header->generation, 3);

    assert_ok(rp_file_remove("run/sessions.tab"));
    worker_tables_refresh(&tables);
    assert_null(worker_tables_view(&tables).sessions);
}

static void what_is_no_table_is_absent(void **state) {
    (void)state;
    struct worker_tables tables = worker_tables_new("run");
    assert_ok(rp_file_create("run/sessions.tab", 0600, RP_VIEW("nonsense")));
    assert_ok(rp_file_create("run/seen.tab", 0600, RP_VIEW("short")));
    worker_tables_refresh(&tables);
    assert_null(worker_tables_view(&tables).sessions);
    assert_null(worker_tables_view(&tables).seen);
}

static void make_ring(const char *path) {
    struct rp_shm shm;
    assert_ok(rp_shm_create(path, 0600, rp_ring_bytes(8), &shm));
    rp_ring_init(shm.p, 8);
    rp_shm_done(&shm);
}

static void each_worker_has_a_ring_of_its_own(void **state) {
    (void)state;
    make_ring("run/ring.0");
    make_ring("run/ring.1");
    struct worker_tables old = worker_tables_new("run"), new = worker_tables_new("run"),
                         third = worker_tables_new("run");
    worker_ring_take(&old, 0);
    worker_ring_take(&new, 0);
    worker_ring_take(&third, 0);
    assert_non_null(old.ring.p);
    assert_non_null(new.ring.p);
    assert_null(third.ring.p);

    struct stat first, second;
    assert_int_equal(fstat(old.ring_lock, &first), 0);
    assert_int_equal(fstat(new.ring_lock, &second), 0);
    assert_true(first.st_ino != second.st_ino);

    rp_fd_done(&old.ring_lock); /* as the end of its process does */
    worker_ring_take(&third, 0);
    assert_non_null(third.ring.p);
    rp_fd_done(&new.ring_lock);
    rp_fd_done(&third.ring_lock);
    rp_shm_done(&old.ring);
    rp_shm_done(&new.ring);
    rp_shm_done(&third.ring);
}

enum { NAMED_PORT = 28444, ANOTHER_PORT = 28445 };

/* Runs inside in a child that is confined to run/ and one port; its wait status. */
static int confined(void (*inside)(void)) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static const struct rp_role_path paths[] = {
            {"run", RP_ACCESS_READ | RP_ACCESS_WRITE, false}};
        static const uint16_t ports[] = {NAMED_PORT};
        static const struct worker_walls walls = {
            .paths = paths, .path_count = 1, .ports = ports, .port_count = 1};
        struct rp_isolation isolation;
        if (!rp_ok(worker_confine(&walls, &isolation, NULL)) || !isolation.seccomp) {
            _exit(99);
        }
        inside();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void run_a_program(void) {
    char *const argv[] = {(char *)(uintptr_t) "true", NULL};
    execve("/bin/true", argv, argv + 1);
}

/*= S104, S105 type=test */
static void a_confined_worker_cannot_start_a_program(void **state) {
    (void)state;
    int status = confined(run_a_program);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void open_files(void) {
    int own = open("run/mine", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    int foreign = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    _exit(own >= 0 && foreign < 0 && errno == EACCES ? 0 : 1);
}

static void a_confined_worker_opens_only_its_own_files(void **state) {
    (void)state;
    int status = confined(open_files);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Nobody listens there: refused by the other side is reached. */
static int reach(uint16_t port) {
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 ? 0 : errno;
}

static void reach_ports(void) {
    int named = reach(NAMED_PORT), another = reach(ANOTHER_PORT);
    bool datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0;
    _exit((named == 0 || named == ECONNREFUSED) && another == EACCES && !datagrams ? 0 : 1);
}

/*= S71 type=test */
static void a_confined_worker_connects_to_its_ports_alone(void **state) {
    (void)state;
    if (rp_landlock_abi() < 4) {
        skip(); /* Landlock knows nothing of ports before Linux 6.7 */
    }
    int status = confined(reach_ports);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void connect_within_a_send(void) {
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(ANOTHER_PORT),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)sendto(fd, "x", 1, MSG_FASTOPEN, (const struct sockaddr *)&to, sizeof to);
}

static void a_confined_worker_cannot_go_round_its_ports(void **state) {
    (void)state;
    int status = confined(connect_within_a_send);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(tables_appear_change_and_go),
        TEST(what_is_no_table_is_absent),
        TEST(each_worker_has_a_ring_of_its_own),
        TEST(a_confined_worker_cannot_start_a_program),
        TEST(a_confined_worker_opens_only_its_own_files),
        TEST(a_confined_worker_connects_to_its_ports_alone),
        TEST(a_confined_worker_cannot_go_round_its_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
