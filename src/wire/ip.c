#include "wire/ip.h"

#include <stdio.h>

#include "base/assert.h"

enum { GROUPS = 8, V4_START = 12 };

static const uint8_t mapped[V4_START] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct rp_ip rp_ip_of(const uint8_t *bytes, size_t n) {
    RP_ASSERT(n == 4 || n == 16);
    struct rp_ip ip;
    if (n == 16) {
        memcpy(ip.b, bytes, 16);
    } else {
        memcpy(ip.b, mapped, V4_START);
        memcpy(ip.b + V4_START, bytes, 4);
    }
    return ip;
}

static bool same(const struct rp_ip *a, const struct rp_ip *b) {
    return rp_view_equal(rp_view_of(a->b, sizeof a->b), rp_view_of(b->b, sizeof b->b));
}

bool rp_ip_is_v4(const struct rp_ip *ip) {
    return rp_view_equal(rp_view_of(ip->b, V4_START), rp_view_of(mapped, V4_START));
}

static bool parse_v4(rp_view text, uint8_t out[static 4]) {
    unsigned count = 0;
    while (text.p != NULL) {
        uint64_t value;
        if (count == 4 || !rp_view_to_u64(rp_view_cut(&text, '.'), 255, &value)) {
            return false;
        }
        out[count++] = (uint8_t)value;
    }
    return count == 4;
}

static bool parse_group(rp_view text, uint16_t *ret_group) {
    unsigned value = 0;
    if (text.n == 0 || text.n > 4) {
        return false;
    }
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 16;
        if (digit == 16) {
            return false;
        }
        value = value * 16 + digit;
    }
    *ret_group = (uint16_t)value;
    return true;
}

/* Groups separated by ":", the last perhaps an IPv4 address; how many, or GROUPS + 1. */
static unsigned parse_groups(rp_view text, uint16_t groups[static GROUPS], bool last) {
    unsigned count = 0;
    if (text.n == 0) {
        return 0;
    }
    while (text.p != NULL) {
        rp_view part = rp_view_cut(&text, ':');
        uint8_t v4[4];
        if (last && text.p == NULL && count <= GROUPS - 2 && parse_v4(part, v4)) {
            groups[count++] = (uint16_t)(v4[0] << 8 | v4[1]);
            groups[count++] = (uint16_t)(v4[2] << 8 | v4[3]);
        } else if (count == GROUPS || !parse_group(part, &groups[count])) {
            return GROUPS + 1;
        } else {
            count++;
        }
    }
    return count;
}

static bool parse_v6(rp_view text, struct rp_ip *ret_ip) {
    uint16_t left[GROUPS] = {0}, right[GROUPS] = {0};
    size_t gap = rp_view_find(text, RP_VIEW("::"));
    bool shortened = gap < text.n;
    unsigned before = parse_groups(rp_view_sub(text, 0, gap), left, !shortened);
    unsigned after = shortened ? parse_groups(rp_view_from(text, gap + 2), right, true) : 0;
    bool good = before <= GROUPS && after <= GROUPS &&
                (shortened ? before + after < GROUPS : before == GROUPS);
    if (!good) {
        return false;
    }
    struct rp_ip ip = {{0}};
    for (unsigned i = 0; i < before; i++) {
        ip.b[2 * i] = (uint8_t)(left[i] >> 8);
        ip.b[2 * i + 1] = (uint8_t)left[i];
    }
    for (unsigned i = 0; i < after; i++) {
        unsigned at = GROUPS - after + i;
        ip.b[2 * at] = (uint8_t)(right[i] >> 8);
        ip.b[2 * at + 1] = (uint8_t)right[i];
    }
    *ret_ip = ip;
    return true;
}

rp_err rp_ip_parse(rp_view text, struct rp_ip *ret_ip) {
    uint8_t v4[4];
    if (text.n == 0 || text.n >= RP_IP_TEXT_MAX) {
        return RP_ERR(SYNTAX);
    }
    if (parse_v4(text, v4)) {
        *ret_ip = rp_ip_of(v4, sizeof v4);
        return RP_OK;
    }
    return parse_v6(text, ret_ip) ? RP_OK : RP_ERR(SYNTAX);
}

rp_err rp_ip_net_parse(rp_view text, struct rp_ip_net *ret_net) {
    struct rp_ip_net net;
    rp_view address = rp_view_cut(&text, '/');
    RP_TRY(rp_ip_parse(address, &net.ip));
    /* As it was written: "::ffff:192.0.2.0/120" counts all its bits itself. */
    bool v4 = rp_view_find_byte(address, ':') == address.n;
    uint64_t bits = v4 ? 32 : 128;
    if (text.p != NULL && !rp_view_to_u64(text, bits, &bits)) {
        return RP_ERR(SYNTAX);
    }
    net.bits = (unsigned)bits + (v4 ? RP_IP_V4_BITS : 0);
    struct rp_ip masked = rp_ip_mask(&net.ip, net.bits);
    if (!same(&masked, &net.ip)) {
        return RP_ERR(INVALID);
    }
    *ret_net = net;
    return RP_OK;
}

struct rp_ip rp_ip_mask(const struct rp_ip *ip, unsigned bits) {
    RP_ASSERT(bits <= 128);
    struct rp_ip masked = {{0}};
    memcpy(masked.b, ip->b, bits / 8);
    if (bits % 8 != 0) {
        masked.b[bits / 8] = (uint8_t)(ip->b[bits / 8] & (0xff << (8 - bits % 8)));
    }
    return masked;
}

bool rp_ip_in(const struct rp_ip *ip, const struct rp_ip_net *net) {
    struct rp_ip masked = rp_ip_mask(ip, net->bits);
    return same(&masked, &net->ip);
}

/* The longest run of zero groups, from two on; the first of equals (RFC 5952 section 4.2). */
static void find_gap(const uint16_t groups[static GROUPS], unsigned *ret_from, unsigned *ret_n) {
    *ret_from = GROUPS;
    *ret_n = 1;
    for (unsigned i = 0; i < GROUPS; i++) {
        unsigned n = 0;
        while (i + n < GROUPS && groups[i + n] == 0) {
            n++;
        }
        if (n > *ret_n) {
            *ret_from = i;
            *ret_n = n;
        }
    }
}

size_t rp_ip_print(const struct rp_ip *ip, char out[static RP_IP_TEXT_MAX]) {
    if (rp_ip_is_v4(ip)) {
        int n = snprintf(out, RP_IP_TEXT_MAX, "%u.%u.%u.%u", ip->b[12], ip->b[13], ip->b[14],
                         ip->b[15]);
        return (size_t)n;
    }
    uint16_t groups[GROUPS];
    for (unsigned i = 0; i < GROUPS; i++) {
        groups[i] = (uint16_t)(ip->b[2 * i] << 8 | ip->b[2 * i + 1]);
    }
    unsigned from, run;
    find_gap(groups, &from, &run);
    size_t n = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < GROUPS; i++) {
        if (i == from) {
            n += (size_t)snprintf(out + n, RP_IP_TEXT_MAX - n, "::");
            i += run - 1;
            continue;
        }
        bool colon = n > 0 && out[n - 1] != ':';
        n += (size_t)snprintf(out + n, RP_IP_TEXT_MAX - n, "%s%x", colon ? ":" : "", groups[i]);
    }
    RP_ASSERT(n < RP_IP_TEXT_MAX);
    return n;
}
