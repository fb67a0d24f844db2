/* engine_io.h — taking events in: numbered once, journaled together, then told "stored".
 *
 * stage() checks an append against what is known (a sequence seen before is accepted again
 * without a second leaf when it is the same event; a gap is refused, and so is a sender whose
 * database was put back and gives old numbers to new events) and gives each event its place in its
 * tree; nothing is durable yet. commit() makes all that was staged durable with one write and one
 * wait, or undoes all of it. save() keeps the numbers beside the journal, so that old segments may
 * go.
 *
 * Threads: one. Fails: NO_SPACE, IO (undone, again later); PROTOCOL (a gap); CONFLICT (other events
 * under known numbers); OVERLOAD (commit first); SYSTEM (the disk cannot be believed any more: end
 * the process).
 */
#ifndef RP_LEDGER_ENGINE_IO_H
#define RP_LEDGER_ENGINE_IO_H

#include "ledger/journal_io.h"
#include "ledger/message_io.h"
#include "ledger/state.h"

struct rp_engine;

struct rp_engine_start {
    uint64_t cut_bytes;           /* of a torn last write, taken away; 0 = none */
    struct rp_journal_place from; /* where deriving trees must begin */
};

/* folder: the ledger's; the journal is its "journal". CORRUPT names file and offset. */
rp_err rp_engine_open(const struct rp_disk *disk, const char *folder, uint64_t segment_bytes,
                      struct rp_engine **ret_engine, struct rp_engine_start *ret_start,
                      struct rp_diag *diag);
void rp_engine_free(struct rp_engine *engine); /* accepts NULL; staged events are lost */

/* *ret_next: the tree's size after these events. */
rp_err rp_engine_stage(struct rp_engine *engine, const struct rp_append *append, int64_t now_ms,
                       uint64_t *ret_next);
rp_err rp_engine_commit(struct rp_engine *engine);

struct rp_journal_place rp_engine_end(const struct rp_engine *engine);
uint64_t rp_engine_written(const struct rp_engine *engine); /* journal bytes since it was opened */
uint64_t rp_engine_size(const struct rp_engine *engine, struct rp_tree tree);
/* A stream's last sequence (0: unknown), and what that event was (0: not known). */
void rp_engine_stream(const struct rp_engine *engine, rp_id stream, struct rp_stream_end *ret_end);
/* A tree that is longer on disk than the journal remembers (its torn end was acknowledged after
 * all): its next entry goes behind what stands there. */
rp_err rp_engine_raise(struct rp_engine *engine, struct rp_tree tree, uint64_t size);
/* Calls each for every tenant's tree that is known. */
rp_err rp_engine_each_tenant(struct rp_engine *engine, rp_err (*each)(void *ctx, rp_id tenant),
                             void *ctx);

/* Keeps the numbers and the place before which all trees are durable and anchored; then removes
 * the segments before it. */
rp_err rp_engine_save(struct rp_engine *engine, struct rp_journal_place place);

#endif
