/* refused_io.h — a configuration that was refused at a start is remembered until one succeeds.
 *
 * Nothing ran then that could put it on record. STATE/config.refused keeps what was said, and the
 * next start that succeeds makes an event of it. Written by whoever refused (the supervisor, or
 * `rempart up`), taken by the supervisor.
 */
#ifndef RP_CONFIG_REFUSED_IO_H
#define RP_CONFIG_REFUSED_IO_H

#include "base/arena.h"

struct rp_refused {
    const char *file;
    struct rp_diag diag;
};

/* In the current folder, which must be a state folder already (one with a log): else nothing is
 * written. Nobody waits for it: a failure is not told. */
void rp_config_note_refused(const char *file, const struct rp_diag *diag);
/* NOT_FOUND when there is none. It is gone afterwards, readable or not. */
rp_err rp_config_take_refused(struct rp_arena *arena, struct rp_refused *ret_refused);

#endif
