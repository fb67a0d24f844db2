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

/* The signed checkpoint of a tree, as it stands (text of the note). NOT_FOUND for no such tree. */
rp_err rp_ledger_head(struct rp_ipc_client *client, struct rp_tree tree, struct rp_buf *ret_note);

#endif
