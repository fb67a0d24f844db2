/* machine.h — which machine this is, told without telling its name.
 *
 * A hash of /etc/machine-id under a word of our own, as machine-id(5) asks: the id itself leaves no
 * program. Two roles compare their hashes to learn whether they share a machine.
 */
#ifndef RP_DAEMONS_MACHINE_H
#define RP_DAEMONS_MACHINE_H

#include "crypto/hash.h"

struct machine_mark {
    bool known; /* false: the machine has no id that can be read */
    struct rp_sha256 hash;
};

/* Before role entry, after which the file is out of reach. */
struct machine_mark machine_read(void);

#endif
