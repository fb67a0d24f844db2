/* sockets.h — the kernel's lists of sockets: /proc/net/tcp, tcp6, udp and udp6 (proc(5)).
 *
 * A line of headings, then one socket a line, in columns. Pure.
 */
#ifndef RP_WIRE_SOCKETS_H
#define RP_WIRE_SOCKETS_H

#include "wire/ip.h"

/* The column "st", include/net/tcp_states.h; a UDP socket without a peer is CLOSED. */
enum { RP_SOCKET_CLOSED = 7, RP_SOCKET_LISTENS = 10 };

struct rp_socket {
    struct rp_ip ip; /* where it is bound; all zeroes: every address */
    uint16_t port;
    uint8_t state;
    uint32_t uid; /* of whoever made it */
};

/* One line without its newline. SYNTAX. */
rp_err rp_socket_parse(rp_view line, struct rp_socket *ret_socket);
/* Bound to every address of the machine. */
bool rp_socket_is_everywhere(const struct rp_socket *socket);
/* Only programs of this machine reach it. */
bool rp_socket_is_local(const struct rp_socket *socket);

#endif
