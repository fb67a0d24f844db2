/* tcp.h — plain TCP connections to addresses: for the role that attacks from outside, and for the
 * one that speaks to another machine.
 *
 * rp_tcp_connect blocks, with the same deadline on connect, send and receive; what rp_tcp_begin and
 * rp_tcp_accept return does not block. rp_socket_receive works on all of them, rp_socket_send on
 * what blocks, rp_socket_write on what does not. No name resolution: an address only.
 */
#ifndef RP_OS_TCP_H
#define RP_OS_TCP_H

#include "base/err.h"

enum { RP_TCP_ADDRESS_MAX = 46 }; /* with its NUL */

/* address: IPv4 or IPv6 text. INVALID, UNREACHABLE, TIMEOUT. */
rp_err rp_tcp_connect(const char *address, uint16_t port, int deadline_ms, int *ret_fd);

/* Listens there. BUSY, DENIED and INVALID as rp_tcp_check_free says. */
rp_err rp_tcp_listen(const char *address, uint16_t port, int *ret_fd);
/* BUSY when nobody waits. */
rp_err rp_tcp_accept(int listener, int *ret_fd, char ret_from[static RP_TCP_ADDRESS_MAX]);
/* Begins to connect; once it can be written to, rp_tcp_begun says what came of it. */
rp_err rp_tcp_begin(const char *address, uint16_t port, int *ret_fd);
rp_err rp_tcp_begun(int fd);

/* Nothing more will be sent; what comes is still received. */
void rp_tcp_end(int fd);

/* Whether a program could listen there now: BUSY when another does, DENIED for a port that only
 * root may take, INVALID for an address that this machine does not have. */
rp_err rp_tcp_check_free(const char *address, uint16_t port);

#endif
