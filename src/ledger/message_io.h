/* message_io.h — the two requests that the ledger answers, packed and unpacked in one place.
 *
 * APPEND: tree, stream, first sequence, and events; answered by the tree's size after them.
 * HEAD: a tree; answered by its signed checkpoint. Unpacking checks everything that can be checked
 * without state: kinds, counts, sizes, that a tenant's tree names its tenant and no other does.
 */
#ifndef RP_LEDGER_MESSAGE_IO_H
#define RP_LEDGER_MESSAGE_IO_H

#include "base/buf.h"
#include "ledger/client.h"

/* For other messages that name a tree. */
struct rp_unpack;
void rp_tree_pack(struct rp_buf *out, struct rp_tree tree);
struct rp_tree rp_tree_unpack(struct rp_unpack *in);
/* PROTOCOL unless the tree can exist. */
rp_err rp_tree_check(struct rp_tree tree);

struct rp_append {
    struct rp_tree tree;
    rp_id stream;            /* none: not numbered */
    uint64_t first_sequence; /* 0: not numbered */
    size_t count;
    rp_view events[RP_LEDGER_BATCH_MAX]; /* views into the message */
};

void rp_append_pack(struct rp_buf *out, const struct rp_append *append);
rp_err rp_append_unpack(rp_view message, struct rp_append *ret_append);

void rp_head_pack(struct rp_buf *out, struct rp_tree tree);
rp_err rp_head_unpack(rp_view message, struct rp_tree *ret_tree);

#endif
