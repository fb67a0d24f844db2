/* A real fence around a user that nobody has. What it drops never leaves the machine, and nothing
 * is sent without it but to the loopback. */
#include "os/fence.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/file.h"
#include "unit.h"

enum { NOBODY_HERE = 65123, ANOTHER = 65124 };

/* A datagram as that user; 0 or the errno. */
static int send_as(uid_t uid, const char *address) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
        bool ready =
            setresuid(uid, uid, uid) == 0 && inet_pton(AF_INET, address, &to.sin_addr) == 1;
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* it is its maker's from then on */
        ssize_t n = ready ? sendto(fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof to) : -1;
        _exit(n == 1 ? 0 : errno);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void open_fence(uid_t uid, int *ret_fd) {
    *ret_fd = -1;
    if (geteuid() != 0) {
        skip(); /* only root may */
    }
    rp_err err = rp_fence_new(uid, ret_fd);
    if (!rp_ok(err)) {
        print_message("no fence on this machine: %s\n", rp_err_name(err));
        skip();
    }
}

/*= S105 type=test */
static void a_fenced_user_reaches_this_machine_alone(void **state) {
    (void)state;
    int fd;
    open_fence(NOBODY_HERE, &fd);
    assert_int_equal(send_as(NOBODY_HERE, "127.0.0.1"), 0);
    assert_int_equal(send_as(ANOTHER, "127.0.0.1"), 0);
    int refused = send_as(NOBODY_HERE, "203.0.113.9");
    rp_fd_done(&fd);
    if (refused == ENETUNREACH) {
        skip(); /* no way out of here at all */
    }
    assert_int_equal(refused, EPERM);
}

static void a_fence_goes_with_its_descriptor(void **state) {
    (void)state;
    int fd, again, other;
    open_fence(NOBODY_HERE, &fd);
    assert_err(rp_fence_new(NOBODY_HERE, &again), DENIED); /* its table stands, and is another's */
    assert_ok(rp_fence_new(ANOTHER, &other));
    rp_fd_done(&fd);
    assert_ok(rp_fence_new(NOBODY_HERE, &again));
    rp_fd_done(&again);
    rp_fd_done(&other);
}

static void without_the_right_it_is_refused(void **state) {
    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int fd = -1;
        bool refused = setresuid(ANOTHER, ANOTHER, ANOTHER) == 0 &&
                       rp_is(rp_fence_new(NOBODY_HERE, &fd), RP_E_DENIED);
        _exit(refused ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fenced_user_reaches_this_machine_alone),
        cmocka_unit_test(a_fence_goes_with_its_descriptor),
        cmocka_unit_test(without_the_right_it_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
