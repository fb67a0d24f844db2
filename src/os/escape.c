#include "os/escape.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "os/file.h"

enum { BACKLOG = 16, LOOKS = 16, TRY_MS = 400 };

static const struct {
    sa_family_t family;
    int type;
} ways[RP_ESCAPE_WAYS] = {
    {AF_INET, SOCK_STREAM}, {AF_INET, SOCK_DGRAM}, {AF_INET6, SOCK_STREAM}, {AF_INET6, SOCK_DGRAM}};

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t loopback(size_t way, uint16_t port, union address *ret_address) {
    if (ways[way].family == AF_INET) {
        *ret_address = (union address){.v4 = {.sin_family = AF_INET,
                                              .sin_port = htons(port),
                                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
        return sizeof ret_address->v4;
    }
    *ret_address = (union address){.v6 = {.sin6_family = AF_INET6,
                                          .sin6_port = htons(port),
                                          .sin6_addr = IN6ADDR_LOOPBACK_INIT}};
    return sizeof ret_address->v6;
}

/* ---- where it would arrive ---- */

static rp_err listen_on(size_t way, int *ret_fd, uint16_t *ret_port) {
    union address at;
    socklen_t n = loopback(way, 0, &at);
    _cleanup_fd_ int fd =
        socket(ways[way].family, ways[way].type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, &at.any, n) != 0 ||
        (ways[way].type == SOCK_STREAM && listen(fd, BACKLOG) != 0) ||
        getsockname(fd, &at.any, &n) != 0) {
        return rp_err_from_errno(errno);
    }
    *ret_port = ntohs(ways[way].family == AF_INET ? at.v4.sin_port : at.v6.sin6_port);
    *ret_fd = fd;
    fd = -1;
    return RP_OK;
}

rp_err rp_catcher_open(struct rp_catcher *catcher) {
    *catcher = (struct rp_catcher){.fds = {-1, -1, -1, -1}};
    for (size_t i = 0; i < RP_ESCAPE_WAYS; i++) {
        rp_err err = listen_on(i, &catcher->fds[i], &catcher->ports[i]);
        if (!rp_ok(err) && ways[i].family == AF_INET) {
            rp_catcher_close(catcher);
            return err;
        }
    }
    return RP_OK;
}

void rp_catcher_close(struct rp_catcher *catcher) {
    for (size_t i = 0; i < RP_ESCAPE_WAYS; i++) {
        rp_fd_done(&catcher->fds[i]);
    }
}

static bool is_token(int fd, const uint8_t token[static RP_ESCAPE_TOKEN]) {
    uint8_t bytes[RP_ESCAPE_TOKEN];
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    return n == RP_ESCAPE_TOKEN &&
           rp_view_equal(rp_view_of(bytes, sizeof bytes), rp_view_of(token, RP_ESCAPE_TOKEN));
}

static bool has_arrived(size_t way, int fd, const uint8_t token[static RP_ESCAPE_TOKEN]) {
    bool arrived = false;
    for (int i = 0; i < LOOKS; i++) {
        if (ways[way].type == SOCK_DGRAM) {
            arrived = arrived || is_token(fd, token);
            continue;
        }
        _cleanup_fd_ int one = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        arrived = arrived || (one >= 0 && is_token(one, token));
    }
    return arrived;
}

unsigned rp_catcher_look(const struct rp_catcher *catcher,
                         const uint8_t token[static RP_ESCAPE_TOKEN]) {
    unsigned arrived = 0;
    for (size_t i = 0; i < RP_ESCAPE_WAYS; i++) {
        if (catcher->fds[i] >= 0 && has_arrived(i, catcher->fds[i], token)) {
            arrived |= 1U << i;
        }
    }
    return arrived;
}

/* ---- who tries ---- */

static bool connects(int fd, const struct sockaddr *to, socklen_t n) {
    struct pollfd one = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t size = sizeof error;
    if (connect(fd, to, n) == 0) {
        return true;
    }
    return errno == EINPROGRESS && poll(&one, 1, TRY_MS) == 1 &&
           getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

static bool leaves(size_t way, uint16_t port, const uint8_t token[static RP_ESCAPE_TOKEN]) {
    union address to;
    socklen_t n = loopback(way, port, &to);
    _cleanup_fd_ int fd =
        socket(ways[way].family, ways[way].type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return false;
    }
    if (ways[way].type == SOCK_DGRAM) {
        return sendto(fd, token, RP_ESCAPE_TOKEN, MSG_NOSIGNAL, &to.any, n) == RP_ESCAPE_TOKEN;
    }
    return connects(fd, &to.any, n) &&
           send(fd, token, RP_ESCAPE_TOKEN, MSG_NOSIGNAL) == RP_ESCAPE_TOKEN;
}

unsigned rp_escape_try(const uint16_t ports[static RP_ESCAPE_WAYS],
                       const uint8_t token[static RP_ESCAPE_TOKEN]) {
    unsigned left = 0;
    for (size_t i = 0; i < RP_ESCAPE_WAYS; i++) {
        if (ports[i] != 0 && leaves(i, ports[i], token)) {
            left |= 1U << i;
        }
    }
    return left;
}
