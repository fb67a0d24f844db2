/* outward_test.c — addresses that are nobody else's business are not dialled. */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/checked.h"
#include "os/outward.h"

union any {
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static size_t read_address(const char *text, union any *out) {
    *out = (union any){.v6 = {.sin6_family = AF_UNSPEC}};
    if (strchr(text, ':')) {
        out->v6.sin6_family = AF_INET6;
        assert_int_equal(inet_pton(AF_INET6, text, &out->v6.sin6_addr), 1);
        return sizeof out->v6;
    }
    out->v4.sin_family = AF_INET;
    assert_int_equal(inet_pton(AF_INET, text, &out->v4.sin_addr), 1);
    return sizeof out->v4;
}

static void only_public_addresses_are_public(void **state) {
    (void)state;
    static const char *const closed[] = {
        "0.0.0.0",       "10.1.2.3",         "100.64.0.1",      "100.127.255.255", "127.0.0.1",
        "127.255.0.1",   "169.254.169.254",  "172.16.0.1",      "172.31.255.255",  "192.0.0.1",
        "192.0.2.1",     "192.168.1.1",      "198.18.0.1",      "198.19.255.255",  "198.51.100.7",
        "203.0.113.9",   "224.0.0.1",        "240.0.0.1",       "255.255.255.255", "::",
        "::1",           "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1",  "fe80::1",
        "fc00::1",       "fd12::1",          "ff02::1",         "2001:db8::1",     "2001::1",
        "2002:7f00:1::", "3fff::1"};
    static const char *const open[] = {
        "1.1.1.1",      "9.255.255.255", "11.0.0.1",   "100.63.0.1",      "100.128.0.1",
        "126.0.0.1",    "128.0.0.1",     "172.15.0.1", "172.32.0.1",      "192.0.1.1",
        "192.167.0.1",  "198.17.0.1",    "198.20.0.1", "223.255.255.255", "2606:4700::1",
        "2a00:1450::1", "::ffff:8.8.8.8"};
    union any address;
    for (size_t i = 0; i < RP_COUNT_OF(closed); i++) {
        size_t n = read_address(closed[i], &address);
        if (rp_address_is_public(&address, n)) {
            fail_msg("%s is taken for public", closed[i]);
        }
    }
    for (size_t i = 0; i < RP_COUNT_OF(open); i++) {
        size_t n = read_address(open[i], &address);
        if (!rp_address_is_public(&address, n)) {
            fail_msg("%s is refused", open[i]);
        }
        assert_false(rp_address_is_public(&address, n - 1));
    }
}

static void a_private_one_is_dialled_where_it_is_allowed(void **state) {
    (void)state;
    int fd = -1, listener = -1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof at;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &n), 0);
    uint16_t port = ntohs(at.sin_port);
    assert_err(rp_outward_connect("127.0.0.1", port, false, 2000, &fd), DENIED);
    assert_err(rp_outward_connect("localhost", port, false, 2000, &fd), DENIED);
    assert_int_equal(fd, -1);
    assert_ok(rp_outward_connect("localhost", port, true, 2000, &fd));
    close(fd);
    assert_ok(rp_outward_connect("a.localhost", port, true, 2000, &fd));
    close(fd);
    close(listener);
    assert_err(rp_outward_connect("127.0.0.1", port, true, 2000, &fd), UNREACHABLE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_public_addresses_are_public),
        cmocka_unit_test(a_private_one_is_dialled_where_it_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
