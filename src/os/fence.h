/* fence.h — users that speak to the places that were named for them, and to nobody else.
 *
 * Rules of the kernel's packet filter. For each fenced user: what begins a TCP connection to a
 * place of its own passes; what begins any other, and whatever is not TCP, is dropped. Connections
 * that others began go on. The loopback is left alone unless it is asked for, because another wall
 * stands there where the kernel can (landlock.h). The rules stand in a table of their own that
 * belongs to the descriptor: when the last copy of it is closed, however its owner ends, the kernel
 * takes the table away, and nobody else can before.
 *
 * Several installations stand side by side. Their roles may have the same users, whom the kernel
 * cannot tell apart: so each table first marks what it names (RP_FENCE_MARK), and only then does
 * any drop what nobody has marked.
 *
 * Fails: DENIED (not root, or without the right to administer the network); UNREACHABLE or INVALID
 * (a kernel without nf_tables, or older than 5.12): then there is no fence, and that is shown.
 * TOO_LARGE over RP_FENCE_RULES_MAX.
 * Promises: S71, S105.
 */
#ifndef RP_OS_FENCE_H
#define RP_OS_FENCE_H

#include <sys/types.h>

#include "base/err.h"

enum { RP_FENCE_RULES_MAX = 256, RP_FENCE_MARK = 0x40000000 };

/* A place, and for whom it was named. */
struct rp_fence_way {
    uid_t uid;
    bool here;           /* any address, by the loopback */
    bool six;            /* IPv6 */
    uint8_t address[16]; /* unless here; the first 4 bytes for IPv4 */
    uint16_t port;
};

struct rp_fence {
    const uid_t *users; /* each of them is fenced, also without a way */
    size_t user_count;
    const struct rp_fence_way *ways;
    size_t way_count;
    bool loopback; /* fenced, too */
};

/* The fence stands as long as *ret_fd is open. number: another for each that this process makes,
 * so that a new one stands before the old one goes. */
rp_err rp_fence_new(const struct rp_fence *fence, unsigned number, int *ret_fd);

#endif
