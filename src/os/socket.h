/* socket.h — UNIX sockets between roles, and nothing else; CLOEXEC and non-blocking forced.
 *
 * Paths are relative to the state folder, so their length never meets sun_path's limit.
 */
#ifndef RP_OS_SOCKET_H
#define RP_OS_SOCKET_H

#include <sys/types.h>

#include "base/err.h"

enum rp_socket_kind {
    RP_SOCKET_STREAM,
    RP_SOCKET_MESSAGE /* SOCK_SEQPACKET: one send, one receive */
};

/* Binds and listens; a stale socket file of the same name is replaced. mode as for a file. */
rp_err rp_socket_listen(const char *path, enum rp_socket_kind kind, mode_t mode, int *ret_fd);
/* A listener that another process bound and still holds: from now on we are who the kernel names
 * to those that connect, and many may wait while nobody accepts. */
rp_err rp_socket_take_over(int listener);
/* BUSY when nobody waits. */
rp_err rp_socket_accept(int listener, int *ret_fd);
/* Blocking sockets have the deadline on every send and receive. */
rp_err rp_socket_connect(const char *path, enum rp_socket_kind kind, int deadline_ms, int *ret_fd);

/* Who is at the other end, as the kernel saw it at connect. */
rp_err rp_socket_peer(int fd, pid_t *ret_pid, uid_t *ret_uid, gid_t *ret_gid);

/* One message; BUSY when it would block, CLOSED when the peer is gone. */
rp_err rp_socket_send(int fd, rp_view message);
rp_err rp_socket_receive(int fd, uint8_t *out, size_t max, size_t *ret_n);
/* As much of a stream's bytes as the kernel takes now; BUSY when it takes none. */
rp_err rp_socket_write(int fd, rp_view bytes, size_t *ret_n);

#endif
