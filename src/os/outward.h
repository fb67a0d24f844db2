/* outward.h — sockets for a library that dials by itself: to public addresses alone.
 *
 * Whoever lets others choose an address (a webhook) must not become their hand inside this network:
 * loopback, private, link-local, shared, documentation and multicast addresses are refused, also
 * when a name leads there, and IPv6 addresses that hide an IPv4 one. Asked for each connection
 * with the very address that will be dialled, so that no name can change its mind in between.
 *
 * Fails: DENIED (such an address), SYSTEM.
 */
#ifndef RP_OS_OUTWARD_H
#define RP_OS_OUTWARD_H

#include "base/err.h"

/* address: a struct sockaddr of n bytes. */
bool rp_address_is_public(const void *address, size_t n);
/* A socket for a stream to this address; also_private: the operator allows any. */
rp_err rp_outward_socket(const void *address, size_t n, bool also_private, int *ret_fd);

#endif
