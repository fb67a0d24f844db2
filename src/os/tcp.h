/* tcp.h — a plain TCP connection to an address, for the one role that attacks from outside.
 *
 * Blocking, with the same deadline on connect, send and receive. rp_socket_send and
 * rp_socket_receive work on it. No name resolution: an address only.
 */
#ifndef RP_OS_TCP_H
#define RP_OS_TCP_H

#include "base/err.h"

/* address: IPv4 or IPv6 text. INVALID, UNREACHABLE, TIMEOUT. */
rp_err rp_tcp_connect(const char *address, uint16_t port, int deadline_ms, int *ret_fd);

/* Nothing more will be sent; what comes is still received. */
void rp_tcp_end(int fd);

/* Whether a program could listen there now: BUSY when another does, DENIED for a port that only
 * root may take, INVALID for an address that this machine does not have. */
rp_err rp_tcp_check_free(const char *address, uint16_t port);

#endif
