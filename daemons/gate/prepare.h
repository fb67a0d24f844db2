/* prepare.h — what lies on disk before nginx starts: folders, rings, error pages, certificates,
 * and the configuration itself. */
#ifndef RP_GATE_PREPARE_H
#define RP_GATE_PREPARE_H

#include <sys/types.h>

#include "daemon.h"

/* Whom nginx's workers become; user is NULL when nginx does not start as root. */
struct gate_worker {
    const char *user, *group;
    uid_t uid;
    gid_t gid;
};

/* rempart-gate when that user exists, else www-data. */
rp_err gate_worker_find(struct gate_worker *ret_worker);
/* All of it; existing rings, keys and certificates stay. Prints what is wrong. */
rp_err gate_prepare(const struct daemon *daemon, const struct gate_worker *worker,
                    const char *module);

#endif
