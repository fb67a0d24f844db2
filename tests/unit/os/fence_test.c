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

enum what { DATAGRAM, CONNECTION };

/* As that user; 0 or the errno, ETIMEDOUT when nothing came of it. */
static int reach_as(uid_t uid, enum what what, const char *address, uint16_t port) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
        const struct sockaddr *at = (const struct sockaddr *)&to;
        const struct timeval wait = {.tv_usec = 300000};
        bool ready =
            setresuid(uid, uid, uid) == 0 && inet_pton(AF_INET, address, &to.sin_addr) == 1;
        /* It is its maker's from then on. */
        int fd = socket(AF_INET, (what == DATAGRAM ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
        ready = ready && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) == 0;
        bool done = ready && (what == DATAGRAM ? sendto(fd, "x", 1, 0, at, sizeof to) == 1
                                               : connect(fd, at, sizeof to) == 0);
        _exit(done ? 0 : errno == EINPROGRESS ? ETIMEDOUT : errno);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Somebody listens on the loopback. */
static uint16_t listen_here(int *ret_fd) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof at;
    *ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(*ret_fd, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(*ret_fd, 8), 0);
    assert_int_equal(getsockname(*ret_fd, (struct sockaddr *)&at, &n), 0);
    return ntohs(at.sin_port);
}

static void open_fence(const struct rp_fence *fence, unsigned number, int *ret_fd) {
    *ret_fd = -1;
    if (geteuid() != 0) {
        skip(); /* only root may */
    }
    rp_err err = rp_fence_new(fence, number, ret_fd);
    if (!rp_ok(err)) {
        print_message("no fence on this machine: %s\n", rp_err_name(err));
        skip();
    }
}

static const uid_t one_user[] = {NOBODY_HERE};

/*= S71 type=test */
/*= S105 type=test */
static void a_fenced_user_reaches_its_places_alone(void **state) {
    (void)state;
    int fd, first, second;
    uint16_t named = listen_here(&first), unnamed = listen_here(&second);
    const struct rp_fence_way ways[] = {
        {.uid = NOBODY_HERE, .address = {127, 0, 0, 1}, .port = named}};
    const struct rp_fence fence = {one_user, 1, ways, 1, true};
    open_fence(&fence, 1, &fd);
    assert_int_equal(reach_as(NOBODY_HERE, CONNECTION, "127.0.0.1", named), 0);
    assert_int_equal(reach_as(NOBODY_HERE, CONNECTION, "127.0.0.1", unnamed), ETIMEDOUT);
    assert_int_equal(reach_as(NOBODY_HERE, CONNECTION, "127.0.0.2", named), ETIMEDOUT);
    assert_int_equal(reach_as(NOBODY_HERE, DATAGRAM, "127.0.0.1", named), EPERM);
    assert_int_equal(reach_as(ANOTHER, CONNECTION, "127.0.0.1", unnamed), 0);
    assert_int_equal(reach_as(ANOTHER, DATAGRAM, "127.0.0.1", 9), 0);
    rp_fd_done(&fd);
    assert_int_equal(reach_as(NOBODY_HERE, CONNECTION, "127.0.0.1", unnamed), 0);
    rp_fd_done(&first);
    rp_fd_done(&second);
}

static void a_port_may_be_named_for_this_machine_whatever_its_address(void **state) {
    (void)state;
    int fd, listener;
    uint16_t port = listen_here(&listener);
    const struct rp_fence_way ways[] = {{.uid = NOBODY_HERE, .here = true, .port = port}};
    const struct rp_fence fence = {one_user, 1, ways, 1, true};
    open_fence(&fence, 1, &fd);
    assert_int_equal(reach_as(NOBODY_HERE, CONNECTION, "127.0.0.1", port), 0);
    assert_int_equal(reach_as(NOBODY_HERE, CONNECTION, "127.0.0.1", (uint16_t)(port ^ 1)),
                     ETIMEDOUT);
    int away = reach_as(NOBODY_HERE, CONNECTION, "203.0.113.9", port);
    assert_true(away == ETIMEDOUT || away == ENETUNREACH);
    rp_fd_done(&fd);
    rp_fd_done(&listener);
}

/* What one of two installations with the same users has named, the other does not drop. */
static void two_fences_around_one_user_let_both_pass(void **state) {
    (void)state;
    int one, other, first, second, third;
    const uint16_t ports[] = {listen_here(&first), listen_here(&second), listen_here(&third)};
    const struct rp_fence_way its[] = {
        {.uid = NOBODY_HERE, .address = {127, 0, 0, 1}, .port = ports[0]}};
    const struct rp_fence_way theirs[] = {
        {.uid = NOBODY_HERE, .address = {127, 0, 0, 1}, .port = ports[1]}};
    const struct rp_fence mine = {one_user, 1, its, 1, true},
                          yours = {one_user, 1, theirs, 1, true};
    open_fence(&mine, 1, &one);
    assert_ok(rp_fence_new(&yours, 2, &other));
    assert_int_equal(reach_as(NOBODY_HERE, CONNECTION, "127.0.0.1", ports[0]), 0);
    assert_int_equal(reach_as(NOBODY_HERE, CONNECTION, "127.0.0.1", ports[1]), 0);
    assert_int_equal(reach_as(NOBODY_HERE, CONNECTION, "127.0.0.1", ports[2]), ETIMEDOUT);
    rp_fd_done(&one);
    rp_fd_done(&other);
    rp_fd_done(&first);
    rp_fd_done(&second);
    rp_fd_done(&third);
}

static void the_loopback_is_left_alone_unless_it_is_asked_for(void **state) {
    (void)state;
    int fd, listener;
    uint16_t port = listen_here(&listener);
    const struct rp_fence fence = {one_user, 1, NULL, 0, false};
    open_fence(&fence, 1, &fd);
    assert_int_equal(reach_as(NOBODY_HERE, CONNECTION, "127.0.0.1", port), 0);
    int away = reach_as(NOBODY_HERE, DATAGRAM, "203.0.113.9", 9);
    assert_true(away == EPERM || away == ENETUNREACH);
    rp_fd_done(&fd);
    rp_fd_done(&listener);
}

static void a_fence_goes_with_its_descriptor(void **state) {
    (void)state;
    int fd, again, next;
    const struct rp_fence fence = {one_user, 1, NULL, 0, true};
    open_fence(&fence, 1, &fd);
    assert_err(rp_fence_new(&fence, 1, &again), DENIED); /* its table stands, and is another's */
    assert_ok(rp_fence_new(&fence, 2, &next));
    rp_fd_done(&fd);
    assert_ok(rp_fence_new(&fence, 1, &again));
    rp_fd_done(&again);
    rp_fd_done(&next);
}

static void as_many_rules_as_are_allowed_go_in(void **state) {
    (void)state;
    enum { WAYS = RP_FENCE_RULES_MAX - 2 };
    static struct rp_fence_way ways[WAYS + 1];
    int fd;
    for (size_t i = 0; i < WAYS + 1; i++) {
        ways[i] = (struct rp_fence_way){
            .uid = NOBODY_HERE, .six = true, .address = {0xfd}, .port = (uint16_t)(i + 1)};
    }
    struct rp_fence fence = {one_user, 1, ways, WAYS + 1, true};
    assert_err(rp_fence_new(&fence, 1, &fd), TOO_LARGE);
    fence.way_count = WAYS;
    open_fence(&fence, 1, &fd);
    rp_fd_done(&fd);
}

static void without_the_right_it_is_refused(void **state) {
    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rp_fence fence = {one_user, 1, NULL, 0, true};
        int fd = -1;
        bool refused = setresuid(ANOTHER, ANOTHER, ANOTHER) == 0 &&
                       rp_is(rp_fence_new(&fence, 1, &fd), RP_E_DENIED);
        _exit(refused ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fenced_user_reaches_its_places_alone),
        cmocka_unit_test(a_port_may_be_named_for_this_machine_whatever_its_address),
        cmocka_unit_test(two_fences_around_one_user_let_both_pass),
        cmocka_unit_test(the_loopback_is_left_alone_unless_it_is_asked_for),
        cmocka_unit_test(a_fence_goes_with_its_descriptor),
        cmocka_unit_test(as_many_rules_as_are_allowed_go_in),
        cmocka_unit_test(without_the_right_it_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
