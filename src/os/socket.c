#include "os/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/assert.h"
#include "os/file.h"

enum { BACKLOG = 128, BACKLOG_HELD = 4096, MESSAGE_MAX = 256 * 1024 };

static rp_err last_error(void) {
    return rp_err_from_errno(errno);
}

static int type_of(enum rp_socket_kind kind) {
    return kind == RP_SOCKET_STREAM ? SOCK_STREAM : SOCK_SEQPACKET;
}

static rp_err address_of(const char *path, struct sockaddr_un *ret_address) {
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof ret_address->sun_path) {
        return RP_ERR(INVALID);
    }
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(ret_address->sun_path, path, n + 1);
    return RP_OK;
}

static rp_err open_socket(enum rp_socket_kind kind, int flags, int *ret_fd) {
    int fd = socket(AF_UNIX, type_of(kind) | SOCK_CLOEXEC | flags, 0);
    if (fd < 0) {
        return last_error();
    }
    *ret_fd = fd;
    return RP_OK;
}

/* Messages as large as ipc allows must fit into the kernel's buffer whole. The kernel may give
 * less; then large messages fail loudly at send. */
static void make_room(int fd) {
    int bytes = MESSAGE_MAX;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

/* Only a socket is ever removed: another file of that name is somebody's data. */
static rp_err remove_stale(const char *path) {
    struct stat st;
    if (lstat(path, &st) != 0) {
        return errno == ENOENT ? RP_OK : last_error();
    }
    return S_ISSOCK(st.st_mode) ? rp_file_remove(path) : RP_ERR(DUPLICATE);
}

rp_err rp_socket_listen(const char *path, enum rp_socket_kind kind, mode_t mode, int *ret_fd) {
    RP_ASSERT(path != NULL);
    RP_ASSERT(ret_fd != NULL);
    struct sockaddr_un address;
    RP_TRY(address_of(path, &address));
    RP_TRY(remove_stale(path));
    _cleanup_fd_ int fd = -1;
    RP_TRY(open_socket(kind, SOCK_NONBLOCK, &fd));
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        return last_error();
    }
    /* Nobody can connect before listen, so the mode is right from the first connection. */
    if (chmod(path, mode) != 0 || listen(fd, BACKLOG) != 0) {
        return last_error();
    }
    *ret_fd = fd;
    fd = -1;
    return RP_OK;
}

rp_err rp_socket_take_over(int listener) {
    RP_ASSERT(listener >= 0);
    bool done = fcntl(listener, F_SETFD, FD_CLOEXEC) == 0 && listen(listener, BACKLOG_HELD) == 0;
    return done ? RP_OK : last_error();
}

rp_err rp_socket_accept(int listener, int *ret_fd) {
    RP_ASSERT(listener >= 0);
    int fd;
    do {
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (fd < 0) {
        return last_error();
    }
    make_room(fd);
    *ret_fd = fd;
    return RP_OK;
}

static rp_err set_deadline(int fd, int deadline_ms) {
    struct timeval tv = {.tv_sec = deadline_ms / 1000, .tv_usec = (deadline_ms % 1000) * 1000L};
    bool done = setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv) == 0 &&
                setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv) == 0;
    return done ? RP_OK : last_error();
}

rp_err rp_socket_connect(const char *path, enum rp_socket_kind kind, int deadline_ms, int *ret_fd) {
    RP_ASSERT(deadline_ms > 0);
    RP_ASSERT(ret_fd != NULL);
    struct sockaddr_un address;
    RP_TRY(address_of(path, &address));
    _cleanup_fd_ int fd = -1;
    RP_TRY(open_socket(kind, 0, &fd));
    /* The send deadline also bounds a connect that waits for room in the listener's queue. */
    RP_TRY(set_deadline(fd, deadline_ms));
    make_room(fd);
    int failed;
    do {
        failed = connect(fd, (const struct sockaddr *)&address, sizeof address);
    } while (failed != 0 && errno == EINTR);
    if (failed != 0) {
        return errno == EAGAIN ? RP_ERR(TIMEOUT) : last_error();
    }
    *ret_fd = fd;
    fd = -1;
    return RP_OK;
}

rp_err rp_socket_peer(int fd, pid_t *ret_pid, uid_t *ret_uid, gid_t *ret_gid) {
    RP_ASSERT(fd >= 0);
    struct ucred who;
    socklen_t n = sizeof who;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0) {
        return last_error();
    }
    RP_ASSERT(n == sizeof who);
    *ret_pid = who.pid;
    *ret_uid = who.uid;
    *ret_gid = who.gid;
    return RP_OK;
}

rp_err rp_socket_send(int fd, rp_view message) {
    RP_ASSERT(fd >= 0);
    ssize_t n;
    do {
        n = send(fd, message.p, message.n, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return errno == EMSGSIZE ? RP_ERR(TOO_LARGE) : last_error();
    }
    /* A packet socket takes all or nothing; a stream may take a part of it. */
    return (size_t)n == message.n ? RP_OK : RP_ERR(BUSY);
}

rp_err rp_socket_write(int fd, rp_view bytes, size_t *ret_n) {
    RP_ASSERT(fd >= 0);
    RP_ASSERT(bytes.n > 0);
    ssize_t n;
    do {
        n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return last_error();
    }
    *ret_n = (size_t)n;
    return RP_OK;
}

rp_err rp_socket_receive(int fd, uint8_t *out, size_t max, size_t *ret_n) {
    RP_ASSERT(fd >= 0);
    RP_ASSERT(max > 0);
    /* The kernel flags a message that did not fit. Asking recv for MSG_TRUNC instead would throw
     * a TCP stream's bytes away unread. */
    struct iovec part = {.iov_base = out, .iov_len = max};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t n;
    do {
        n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return last_error();
    }
    if (n == 0) {
        return RP_ERR(CLOSED);
    }
    if (message.msg_flags & MSG_TRUNC) {
        return RP_ERR(TOO_LARGE);
    }
    *ret_n = (size_t)n;
    return RP_OK;
}
