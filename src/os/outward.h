/* outward.h — connections that lead out of this machine: to a name, and to public addresses alone.
 *
 * Whoever lets others choose an address (a webhook) must not become their hand inside this network:
 * loopback, private, link-local, shared, documentation and multicast addresses are refused, also
 * when a name leads there, and IPv6 addresses that hide an IPv4 one. Asked for each connection
 * with the very address that is dialled, so that no name can change its mind in between.
 *
 * Blocks: for pools.
 *
 * Fails: DENIED (nothing but such addresses), NOT_FOUND (no such name), UNREACHABLE, TIMEOUT,
 * SYSTEM.
 */
#ifndef RP_OS_OUTWARD_H
#define RP_OS_OUTWARD_H

#include "base/err.h"

/* address: a struct sockaddr of n bytes. */
bool rp_address_is_public(const void *address, size_t n);
/* The addresses of a name, each in 16 bytes, IPv4 mapped into IPv6 (RFC 4291, 2.5.5.2); as many as
 * fit. */
rp_err rp_outward_addresses(const char *host, uint8_t (*ret_addresses)[16], size_t max,
                            size_t *ret_count);
/* A connected stream that does not block, to a name or an address; its addresses are tried one
 * after the other, each for deadline_ms. also_private: the operator allows any. */
rp_err rp_outward_connect(const char *host, uint16_t port, bool also_private, int deadline_ms,
                          int *ret_fd);

#endif
