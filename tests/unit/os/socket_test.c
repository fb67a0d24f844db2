#include "os/socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "os/file.h"
#include "unit.h"

static int enter_folder(void **state) {
    *state = unit_dir_new();
    return chdir(*state);
}

static int leave_folder(void **state) {
    int failed = chdir("/");
    unit_dir_remove(*state);
    return failed;
}

struct pair {
    int listener, server, client;
};

static struct pair connect_pair(enum rp_socket_kind kind, int deadline_ms) {
    struct pair pair;
    assert_ok(rp_socket_listen("s", kind, 0660, &pair.listener));
    assert_ok(rp_socket_connect("s", kind, deadline_ms, &pair.client));
    assert_ok(rp_socket_accept(pair.listener, &pair.server));
    return pair;
}

static void close_pair(struct pair *pair) {
    rp_fd_done(&pair->listener);
    rp_fd_done(&pair->server);
    rp_fd_done(&pair->client);
}

static void messages_keep_their_bounds(void **state) {
    (void)state;
    struct pair pair = connect_pair(RP_SOCKET_MESSAGE, 1000);
    uint8_t out[16];
    size_t n = 99;
    assert_ok(rp_socket_send(pair.client, RP_VIEW("one")));
    assert_ok(rp_socket_send(pair.client, RP_VIEW("three")));
    assert_ok(rp_socket_receive(pair.server, out, sizeof out, &n));
    assert_view(rp_view_of(out, n), "one");
    assert_ok(rp_socket_receive(pair.server, out, sizeof out, &n));
    assert_view(rp_view_of(out, n), "three");
    assert_err(rp_socket_receive(pair.server, out, sizeof out, &n), BUSY);
    assert_ok(rp_socket_send(pair.client, RP_VIEW("longer than there is room")));
    assert_err(rp_socket_receive(pair.server, out, sizeof out, &n), TOO_LARGE);
    close_pair(&pair);
}

static void a_large_message_goes_whole(void **state) {
    (void)state;
    struct pair pair = connect_pair(RP_SOCKET_MESSAGE, 1000);
    enum { LARGE = 128 * 1024 };
    uint8_t *bytes = test_calloc(2, LARGE);
    memset(bytes, 'x', LARGE);
    size_t n = 0;
    assert_ok(rp_socket_send(pair.client, rp_view_of(bytes, LARGE)));
    assert_ok(rp_socket_receive(pair.server, bytes + LARGE, LARGE, &n));
    assert_int_equal(n, LARGE);
    assert_memory_equal(bytes, bytes + LARGE, LARGE);
    test_free(bytes);
    close_pair(&pair);
}

static int64_t now_ms(void) {
    struct timespec ts;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void a_silent_peer_meets_the_deadline(void **state) {
    (void)state;
    struct pair pair = connect_pair(RP_SOCKET_MESSAGE, 50);
    uint8_t out[16];
    size_t n;
    int64_t begun_ms = now_ms();
    assert_err(rp_socket_receive(pair.client, out, sizeof out, &n), BUSY);
    assert_in_range(now_ms() - begun_ms, 40, 2000);
    close_pair(&pair);
}

static void a_gone_peer_is_told(void **state) {
    (void)state;
    struct pair pair = connect_pair(RP_SOCKET_MESSAGE, 1000);
    uint8_t out[16];
    size_t n;
    rp_fd_done(&pair.client);
    assert_err(rp_socket_receive(pair.server, out, sizeof out, &n), CLOSED);
    assert_err(rp_socket_send(pair.server, RP_VIEW("x")), CLOSED);
    close_pair(&pair);
}

static void the_kernel_names_the_peer(void **state) {
    (void)state;
    struct pair pair = connect_pair(RP_SOCKET_STREAM, 1000);
    pid_t pid = 0;
    uid_t uid = 12345;
    gid_t gid = 12345;
    assert_ok(rp_socket_peer(pair.server, &pid, &uid, &gid));
    assert_int_equal(pid, getpid());
    assert_int_equal(uid, geteuid());
    assert_int_equal(gid, getegid());
    assert_true(fcntl(pair.server, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(pair.server, F_GETFL) & O_NONBLOCK);
    assert_false(fcntl(pair.client, F_GETFL) & O_NONBLOCK);
    close_pair(&pair);
}

static void a_stale_socket_is_replaced_but_no_other_file(void **state) {
    (void)state;
    int first = -1, second = -1;
    assert_ok(rp_socket_listen("s", RP_SOCKET_MESSAGE, 0600, &first));
    rp_fd_done(&first);
    assert_ok(rp_socket_listen("s", RP_SOCKET_MESSAGE, 0660, &second));
    struct stat st;
    assert_int_equal(stat("s", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0660);
    rp_fd_done(&second);
    assert_ok(rp_file_replace("data", 0600, RP_VIEW("precious")));
    assert_err(rp_socket_listen("data", RP_SOCKET_MESSAGE, 0600, &first), DUPLICATE);
    assert_true(rp_file_exists("data"));
}

static void nobody_there_has_two_names(void **state) {
    (void)state;
    int fd = -1, listener = -1;
    assert_err(rp_socket_connect("s", RP_SOCKET_MESSAGE, 100, &fd), NOT_FOUND);
    assert_ok(rp_socket_listen("s", RP_SOCKET_MESSAGE, 0600, &listener));
    assert_err(rp_socket_accept(listener, &fd), BUSY);
    rp_fd_done(&listener);
    assert_err(rp_socket_connect("s", RP_SOCKET_MESSAGE, 100, &fd), UNREACHABLE);
    char long_path[200];
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    assert_err(rp_socket_connect(long_path, RP_SOCKET_MESSAGE, 100, &fd), INVALID);
    assert_int_equal(fd, -1);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(messages_keep_their_bounds),
        IN_FOLDER(a_large_message_goes_whole),
        IN_FOLDER(a_silent_peer_meets_the_deadline),
        IN_FOLDER(a_gone_peer_is_told),
        IN_FOLDER(the_kernel_names_the_peer),
        IN_FOLDER(a_stale_socket_is_replaced_but_no_other_file),
        IN_FOLDER(nobody_there_has_two_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
