/* canary.h — a role's program, in the role's own walls, that tries what an intruder would try
 * first: to send something to an address that nobody named.
 *
 * "rempart-courier --canary PORTS,TOKEN" reads the configuration as at its start, enters its row of
 * the role table, tries, and ends. It opens nothing of the role's and says only how it ended. The
 * supervisor starts it, with the catcher of os/escape.h at the other end.
 */
#ifndef RP_DAEMONS_CANARY_H
#define RP_DAEMONS_CANARY_H

#include "daemon.h"
#include "os/escape.h"

enum {
    CANARY_TEXT_MAX = 80,
    CANARY_ESCAPED = 64 /* exit codes: 0 = refused everywhere; this and a set = by those ways */
};

struct canary_order {
    uint16_t ports[RP_ESCAPE_WAYS];
    uint8_t token[RP_ESCAPE_TOKEN];
};

void canary_print(const struct canary_order *order, char out[static CANARY_TEXT_MAX]);
/* "40001,40002,40003,40004,0123…"; false for anything else. */
bool canary_parse(rp_view text, struct canary_order *ret_order);

/* In the role's walls: tries, and gives the exit code. */
int canary_run(const struct daemon *daemon, const struct canary_order *order);

#endif
