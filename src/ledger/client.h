/* client.h — how a role hands an event to the ledger and knows that it is kept.
 *
 * A stream is one sender's own numbering: a tenant's outbox, the system outbox, or none. The
 * ledger deduplicates on (stream, sequence), so sending again after a doubt is always right.
 * When the call returns RP_OK the event is on disk.
 *
 * Fails: LEDGER_DOWN (send again later); PROTOCOL when sequences of a stream have a gap.
 */
#ifndef RP_LEDGER_CLIENT_H
#define RP_LEDGER_CLIENT_H

#include "event/event.h"

struct rp_ipc_client; /* ipc/ipc.h */

enum rp_tree_kind { RP_TREE_PUBLIC, RP_TREE_OPERATOR, RP_TREE_TENANT, RP_TREE_COUNT };

struct rp_tree {
    enum rp_tree_kind kind;
    rp_id tenant; /* of a tenant's tree; else none */
};

enum { RP_LEDGER_BATCH_MAX = 64, RP_LEDGER_BATCH_BYTES = 120 * 1024 };

/* Up to 64 events for one tree and stream, at most 120 KiB; TOO_LARGE beyond, nothing sent. One
 * event, unnumbered (first_sequence 0, stream none), or numbered events first_sequence, +1, …
 * *ret_next_index (nullable) is the tree's size after them. */
rp_err rp_ledger_append(struct rp_ipc_client *client, struct rp_tree tree, rp_id stream,
                        uint64_t first_sequence, const rp_view *events, size_t count,
                        uint64_t *ret_next_index);

/* Where a stream stands: its last sequence, 0 for none, and what that event was (rp_stream_tail; 0
 * when not known). A sender whose database was put back compares before it sends. */
struct rp_stream_end {
    uint64_t last, tail;
};
rp_err rp_ledger_stream(struct rp_ipc_client *client, rp_id stream, struct rp_stream_end *ret_end);
/* The first 8 bytes of an event's SHA-256; never 0. */
uint64_t rp_stream_tail(rp_view event);

/* The signed checkpoint of a tree, as it stands (text of the note). NOT_FOUND for no such tree. */
rp_err rp_ledger_head(struct rp_ipc_client *client, struct rp_tree tree, struct rp_buf *ret_note);

/* Hands over a head of the public tree with others' cosignatures under it, to be kept beside the
 * tree. INVALID for one that is not ours or is older than the one that stands there; BUSY while a
 * backup is made. */
rp_err rp_ledger_cosigned(struct rp_ipc_client *client, rp_view note);

#endif
