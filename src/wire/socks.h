/* socks.h — SOCKS 5 (RFC 1928), as much of it as a client needs that asks to be connected: no
 * authentication, CONNECT, a name or an address.
 *
 * The side that answers. What it hears is refused unless it is exactly that. Pure.
 */
#ifndef RP_WIRE_SOCKS_H
#define RP_WIRE_SOCKS_H

#include "base/err.h"

enum { RP_SOCKS_HOST_MAX = 256, RP_SOCKS_METHOD_BYTES = 2, RP_SOCKS_REPLY_BYTES = 10 };

/* Section 6; the numbers go over the wire. */
enum rp_socks_reply {
    RP_SOCKS_DONE = 0,
    RP_SOCKS_FAILED = 1,
    RP_SOCKS_NOT_ALLOWED = 2,
    RP_SOCKS_NO_HOST = 4, /* no such name, or no way there */
    RP_SOCKS_REFUSED = 5, /* nobody listens there */
    RP_SOCKS_NO_ANSWER = 6
};

struct rp_socks_request {
    char host[RP_SOCKS_HOST_MAX]; /* a name in lower case, or an address in canonical text */
    uint16_t port;
};

/* The methods that the client offers; one of them must be "no authentication". BUSY while there
 * are too few bytes, PROTOCOL for anything else. *ret_used: how many bytes it took. */
rp_err rp_socks_greeting(rp_view bytes, size_t *ret_used);
rp_err rp_socks_request(rp_view bytes, struct rp_socks_request *ret_request, size_t *ret_used);

void rp_socks_print_method(uint8_t out[static RP_SOCKS_METHOD_BYTES]);
/* The address that is bound is nobody's business: zeroes. */
void rp_socks_print_reply(enum rp_socks_reply reply, uint8_t out[static RP_SOCKS_REPLY_BYTES]);

#endif
