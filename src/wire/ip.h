/* ip.h — addresses and networks as text and as bytes: what a list, a limit and a proxy's range
 * are made of.
 *
 * IPv4 is kept as an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2), so that one comparison
 * serves both, and a client that comes over a dual-stack socket is the same client. Strict: no
 * leading zeros, no zones, no bits set beyond the prefix. Pure.
 */
#ifndef RP_WIRE_IP_H
#define RP_WIRE_IP_H

#include "base/err.h"

enum { RP_IP_TEXT_MAX = 46, RP_IP_V4_BITS = 96 };

struct rp_ip {
    uint8_t b[16];
};

/* An address and how many of its 128 bits count; 96 more than written for IPv4. */
struct rp_ip_net {
    struct rp_ip ip;
    unsigned bits;
};

/* 4 or 16 bytes as the kernel has them. */
struct rp_ip rp_ip_of(const uint8_t *bytes, size_t n);
bool rp_ip_is_v4(const struct rp_ip *ip);
/* "192.0.2.1" or "2001:db8::1". SYNTAX. */
rp_err rp_ip_parse(rp_view text, struct rp_ip *ret_ip);
/* "192.0.2.0/24", "2001:db8::/32", or one address. SYNTAX; INVALID when bits beyond the prefix
 * are set. */
rp_err rp_ip_net_parse(rp_view text, struct rp_ip_net *ret_net);
bool rp_ip_in(const struct rp_ip *ip, const struct rp_ip_net *net);
/* The first bits of it, the others zero. */
struct rp_ip rp_ip_mask(const struct rp_ip *ip, unsigned bits);
/* Canonical text (RFC 5952), NUL-terminated; returns its length. */
size_t rp_ip_print(const struct rp_ip *ip, char out[static RP_IP_TEXT_MAX]);

#endif
