#include "os/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/assert.h"
#include "os/file.h"

union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t parse_address(const char *text, uint16_t port, union any_address *ret_address) {
    union any_address address = {.any = {.sa_family = AF_UNSPEC}};
    if (inet_pton(AF_INET, text, &address.v4.sin_addr) == 1) {
        address.v4.sin_family = AF_INET;
        address.v4.sin_port = htons(port);
        *ret_address = address;
        return sizeof address.v4;
    }
    if (inet_pton(AF_INET6, text, &address.v6.sin6_addr) == 1) {
        address.v6.sin6_family = AF_INET6;
        address.v6.sin6_port = htons(port);
        *ret_address = address;
        return sizeof address.v6;
    }
    return 0;
}

rp_err rp_tcp_connect(const char *address, uint16_t port, int deadline_ms, int *ret_fd) {
    RP_ASSERT(deadline_ms > 0 && ret_fd != NULL);
    union any_address to;
    socklen_t length = parse_address(address, port, &to);
    if (length == 0) {
        return RP_ERR(INVALID);
    }
    _cleanup_fd_ int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval deadline = {deadline_ms / 1000, (deadline_ms % 1000) * 1000};
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline) != 0) {
        return rp_err_from_errno(errno);
    }
    if (connect(fd, &to.any, length) != 0) {
        /* A blocking connect past SO_SNDTIMEO says EINPROGRESS. */
        return errno == EINPROGRESS ? RP_ERR(TIMEOUT) : rp_err_from_errno(errno);
    }
    *ret_fd = fd;
    fd = -1;
    return RP_OK;
}

void rp_tcp_end(int fd) {
    (void)shutdown(fd, SHUT_WR); /* a peer that is gone says so when it is read from */
}

rp_err rp_tcp_check_free(const char *address, uint16_t port) {
    RP_ASSERT(address != NULL && port != 0);
    union any_address at;
    socklen_t length = parse_address(address, port, &at);
    if (length == 0) {
        return RP_ERR(INVALID);
    }
    _cleanup_fd_ int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    /* As nginx will: connections that are still fading away do not count. */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) {
        return rp_err_from_errno(errno);
    }
    if (bind(fd, &at.any, length) != 0) {
        return errno == EADDRNOTAVAIL ? RP_ERR(INVALID) : rp_err_from_errno(errno);
    }
    return listen(fd, 1) == 0 ? RP_OK : rp_err_from_errno(errno);
}
