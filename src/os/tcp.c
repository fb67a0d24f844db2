#include "os/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/assert.h"
#include "os/file.h"

enum { BACKLOG = 16 };

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

/* As nginx does: connections that are still fading away do not count. */
static rp_err bind_there(const char *address, uint16_t port, int flags, int *ret_fd) {
    union any_address at;
    socklen_t length = parse_address(address, port, &at);
    if (length == 0) {
        return RP_ERR(INVALID);
    }
    _cleanup_fd_ int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    int on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) {
        return rp_err_from_errno(errno);
    }
    if (bind(fd, &at.any, length) != 0) {
        return errno == EADDRNOTAVAIL ? RP_ERR(INVALID) : rp_err_from_errno(errno);
    }
    *ret_fd = fd;
    fd = -1;
    return RP_OK;
}

rp_err rp_tcp_check_free(const char *address, uint16_t port) {
    RP_ASSERT(address != NULL && port != 0);
    _cleanup_fd_ int fd = -1;
    RP_TRY(bind_there(address, port, 0, &fd));
    return listen(fd, 1) == 0 ? RP_OK : rp_err_from_errno(errno);
}

rp_err rp_tcp_listen(const char *address, uint16_t port, int *ret_fd) {
    RP_ASSERT(address != NULL && port != 0);
    _cleanup_fd_ int fd = -1;
    RP_TRY(bind_there(address, port, SOCK_NONBLOCK, &fd));
    if (listen(fd, BACKLOG) != 0) {
        return rp_err_from_errno(errno);
    }
    *ret_fd = fd;
    fd = -1;
    return RP_OK;
}

/* Small messages go at once; the kernel may not know how, and then they come a little later. */
static void send_at_once(int fd) {
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

rp_err rp_tcp_accept(int listener, int *ret_fd, char ret_from[static RP_TCP_ADDRESS_MAX]) {
    union any_address from = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t length = sizeof from;
    int fd;
    do {
        fd = accept4(listener, &from.any, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
    } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (fd < 0) {
        return rp_err_from_errno(errno);
    }
    send_at_once(fd);
    const void *bytes = from.any.sa_family == AF_INET ? (const void *)&from.v4.sin_addr
                                                      : (const void *)&from.v6.sin6_addr;
    if (!inet_ntop(from.any.sa_family, bytes, ret_from, RP_TCP_ADDRESS_MAX)) {
        ret_from[0] = '\0';
    }
    *ret_fd = fd;
    return RP_OK;
}

rp_err rp_tcp_begin(const char *address, uint16_t port, int *ret_fd) {
    union any_address to;
    socklen_t length = parse_address(address, port, &to);
    if (length == 0) {
        return RP_ERR(INVALID);
    }
    _cleanup_fd_ int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || (connect(fd, &to.any, length) != 0 && errno != EINPROGRESS)) {
        return rp_err_from_errno(errno);
    }
    send_at_once(fd);
    *ret_fd = fd;
    fd = -1;
    return RP_OK;
}

rp_err rp_tcp_begun(int fd) {
    int number = 0;
    socklen_t n = sizeof number;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &n) != 0) {
        return rp_err_from_errno(errno);
    }
    return number == 0 ? RP_OK : rp_err_from_errno(number);
}
