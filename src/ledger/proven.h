/* proven.h — an anchor record on its way to the log machine, with what proves it: the anchor's own
 * entry of the public tree, and that entry's .tlog-proof under a checkpoint that the log signed.
 *
 * So the log machine believes nobody but the log's key, although the record comes before the public
 * tree does. Several stand one behind the other in a message.
 *
 * Pure. Fails: PROTOCOL.
 */
#ifndef RP_LEDGER_PROVEN_H
#define RP_LEDGER_PROVEN_H

#include "base/buf.h"

struct rp_proven {
    rp_view record, entry, proof;
};

void rp_proven_pack(struct rp_buf *out, const struct rp_proven *proven);
/* Cuts one off *rest. */
rp_err rp_proven_next(rp_view *rest, struct rp_proven *ret_proven);

#endif
