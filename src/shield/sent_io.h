/* sent_io.h — what one application is sent, from all workers' notes. Reads waf/notes.N, each time
 * anew. Thread: any. */
#ifndef RP_SHIELD_SENT_IO_H
#define RP_SHIELD_SENT_IO_H

#include "base/arena.h"
#include "shield/sent.h"

/* Each key once. TOO_LARGE when the arena is, or the workers know too much of it. */
rp_err rp_sent_collect(rp_view app, int64_t now_ms, struct rp_arena *arena,
                       struct rp_sent_all *ret_all);

#endif
