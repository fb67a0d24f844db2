/* state.h — what the journal's removed segments would have told: one small file beside it.
 *
 * For each stream its last sequence and what that event was, for each tree its size, and the place
 * in the journal before which everything is durable in the trees and anchored. Starting again =
 * this file, then the journal from that place on; both only ever raise the numbers.
 */
#ifndef RP_LEDGER_STATE_H
#define RP_LEDGER_STATE_H

#include "base/buf.h"
#include "ledger/client.h"
#include "ledger/idmap.h"

enum { RP_STATE_IDS_MAX = 1 << 21, RP_STATE_BYTES_MAX = 3 * (RP_STATE_IDS_MAX + 8) * 24 };

struct rp_ledger_state {
    uint64_t segment, offset;       /* the place */
    uint64_t fixed[RP_TREE_TENANT]; /* sizes of public and operator */
    struct rp_idmap tenants;        /* sizes */
    struct rp_idmap streams;        /* last sequences */
    struct rp_idmap tails;          /* the first 8 bytes of the SHA-256 of those events */
};

void rp_ledger_state_start(struct rp_ledger_state *ret_state);
void rp_ledger_state_done(struct rp_ledger_state *state);

uint64_t rp_ledger_state_size(const struct rp_ledger_state *state, struct rp_tree tree);
rp_err rp_ledger_state_set_size(struct rp_ledger_state *state, struct rp_tree tree, uint64_t size);

void rp_ledger_state_print(struct rp_buf *out, const struct rp_ledger_state *state);
/* Into a started state. CORRUPT, EXISTS_NEWER. */
rp_err rp_ledger_state_parse(rp_view bytes, struct rp_ledger_state *state);

#endif
