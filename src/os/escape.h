/* escape.h — what an intruder would do first: send something to an address that nobody named. And
 * where it would arrive.
 *
 * The catcher listens on this machine's own loopback, at ports of the kernel's choice, which no
 * setting can have named. Who tries sends a token there, by TCP and by UDP, IPv4 and IPv6. What
 * arrives has escaped, whatever the one who tried says of it. For probes.
 */
#ifndef RP_OS_ESCAPE_H
#define RP_OS_ESCAPE_H

#include "base/err.h"

enum rp_escape { /* a set */
                 RP_ESCAPE_TCP4 = 1,
                 RP_ESCAPE_UDP4 = 2,
                 RP_ESCAPE_TCP6 = 4,
                 RP_ESCAPE_UDP6 = 8,
                 RP_ESCAPE_DIAL = 16 /* by way of rempart-dial */
};
enum { RP_ESCAPE_WAYS = 4, RP_ESCAPE_TOKEN = 16 };

struct rp_catcher {
    int fds[RP_ESCAPE_WAYS];        /* -1: a machine without IPv6 */
    uint16_t ports[RP_ESCAPE_WAYS]; /* in the order of the set; 0 = none */
};

/* Does not block. */
rp_err rp_catcher_open(struct rp_catcher *catcher);
/* By which ways the token has arrived since the last look. */
unsigned rp_catcher_look(const struct rp_catcher *catcher,
                         const uint8_t token[static RP_ESCAPE_TOKEN]);
void rp_catcher_close(struct rp_catcher *catcher);

/* Tries each way for a moment; the set of those by which the token seems to have left. */
unsigned rp_escape_try(const uint16_t ports[static RP_ESCAPE_WAYS],
                       const uint8_t token[static RP_ESCAPE_TOKEN]);

#endif
