/* Connections that nobody waits for: begun, accepted, and told what came of them. */
#include "os/tcp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/file.h"
#include "os/socket.h"
#include "unit.h"

/* A port that nobody has in this moment. */
static uint16_t free_port(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    close(fd);
    return ntohs(at.sin_port);
}

static void wait_for(int fd, short events) {
    struct pollfd poll_fd = {.fd = fd, .events = events};
    assert_int_equal(poll(&poll_fd, 1, 5000), 1);
}

static void one_dials_and_the_other_lets_in(void **state) {
    (void)state;
    _cleanup_fd_ int listener = -1, dialled = -1, let_in = -1;
    char from[RP_TCP_ADDRESS_MAX];
    uint8_t bytes[16];
    size_t n = 0;
    uint16_t port = free_port();
    assert_ok(rp_tcp_listen("127.0.0.1", port, &listener));
    assert_err(rp_tcp_accept(listener, &let_in, from), BUSY);
    assert_ok(rp_tcp_begin("127.0.0.1", port, &dialled));
    wait_for(listener, POLLIN);
    assert_ok(rp_tcp_accept(listener, &let_in, from));
    assert_string_equal(from, "127.0.0.1");
    wait_for(dialled, POLLOUT);
    assert_ok(rp_tcp_begun(dialled));
    assert_ok(rp_socket_write(dialled, RP_VIEW("hello"), &n));
    wait_for(let_in, POLLIN);
    assert_ok(rp_socket_receive(let_in, bytes, sizeof bytes, &n));
    assert_view(rp_view_of(bytes, n), "hello");
    assert_err(rp_socket_receive(let_in, bytes, sizeof bytes, &n), BUSY);
}

static void nobody_there_is_told_when_it_is_known(void **state) {
    (void)state;
    _cleanup_fd_ int fd = -1;
    rp_err err = rp_tcp_begin("127.0.0.1", free_port(), &fd);
    if (rp_ok(err)) {
        wait_for(fd, POLLOUT);
        err = rp_tcp_begun(fd);
    }
    assert_false(rp_ok(err));
    assert_true(rp_err_retry(err));
}

static void a_port_that_is_taken_and_an_address_that_is_none(void **state) {
    (void)state;
    _cleanup_fd_ int listener = -1;
    int other = -1;
    uint16_t port = free_port();
    assert_ok(rp_tcp_listen("127.0.0.1", port, &listener));
    assert_err(rp_tcp_listen("127.0.0.1", port, &other), BUSY);
    assert_err(rp_tcp_listen("192.0.2.1", port, &other), INVALID); /* nobody's: RFC 5737 */
    assert_err(rp_tcp_begin("keys.example", port, &other), INVALID);
    assert_int_equal(other, -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_dials_and_the_other_lets_in),
        cmocka_unit_test(nobody_there_is_told_when_it_is_known),
        cmocka_unit_test(a_port_that_is_taken_and_an_address_that_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
