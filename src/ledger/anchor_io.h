/* anchor_io.h — an anchor's plan and records as files.
 *
 * journal/anchor holds the plan until the next one. A tree's records stand in
 * FOLDER/<tree>/anchors/<public index of the first>, 64 KiB a file; writing them again after a
 * crash changes nothing.
 */
#ifndef RP_LEDGER_ANCHOR_IO_H
#define RP_LEDGER_ANCHOR_IO_H

#include "ledger/anchor.h"
#include "ledger/grow_io.h"

enum { RP_ANCHOR_FILE_MAX = 64 * 1024 };

/* The plan, durable; and the root that its anchor must say. */
rp_err rp_anchor_save_plan(const struct rp_grow_home *home, const struct rp_anchor_plan *plan,
                           rp_hash *ret_root);
/* Writes the record of every tree of the plan whose root the event says. CORRUPT when the plan at
 * hand is not this event's. */
rp_err rp_anchor_write(const struct rp_grow_home *home, rp_view event, uint64_t public_index,
                       struct rp_arena *arena, struct rp_anchor_plan *ret_plan,
                       struct rp_diag *diag);

/* The name of the newest file of records in a tree's folder of them. NOT_FOUND: there is none yet.
 */
rp_err rp_anchor_newest_file(const char *folder, uint64_t *ret_index);

/* The fields of an ANCHOR event. */
rp_err rp_anchor_event_parse(rp_view event, struct rp_arena *arena, rp_hash *ret_root,
                             uint64_t *ret_trees);

#endif
