/* anchor.h — how a private tree is tied to the public one without being named there.
 *
 * An anchor is one public leaf: the root of a Merkle tree over H(0x00 ‖ salt ‖ origin ‖ size ‖
 * root) of every tree that changed since the last one. Whoever owns a tree gets its line of the
 * plan as a record: salt, size, root, and the path to the anchor's root. Nobody else learns
 * anything, not even whose trees they are; nobody can later show that owner a shorter or another
 * tree.
 *
 *   record = "rempart-anchor v1\n" "public " index "\n" "number " k "\n" "leaf " i " of " n "\n"
 *            "size " s "\n" "root " base64 "\n" "salt " base64 "\n" (base64 "\n")… "\n"
 */
#ifndef RP_LEDGER_ANCHOR_H
#define RP_LEDGER_ANCHOR_H

#include "base/arena.h"
#include "base/buf.h"
#include "ledger/client.h"
#include "ledger/merkle.h"

enum { RP_ANCHOR_SALT = 16, RP_ANCHOR_RECORD_MAX = 4096, RP_ANCHOR_TREES_MAX = 1 << 20 };

struct rp_anchor {
    uint64_t public_index; /* the anchor's leaf in the public tree */
    uint64_t number;       /* of this record among the tree's own, from 0 */
    uint64_t leaf, leaves; /* its place in the anchor's tree */
    uint64_t size;
    rp_hash root;
    uint8_t salt[RP_ANCHOR_SALT];
    rp_hash proof[RP_MERKLE_PROOF_MAX];
    size_t proof_count;
};

void rp_anchor_print(struct rp_buf *out, const struct rp_anchor *anchor);
/* Cuts one record off *rest. CORRUPT for anything that rp_anchor_print would not print. */
rp_err rp_anchor_parse(rp_view *rest, struct rp_anchor *ret_anchor);

/* CORRUPT unless the record leads to the anchor's root for the tree of this origin. */
rp_err rp_anchor_check(const struct rp_anchor *anchor, rp_view origin, const rp_hash *anchor_root);

/* ---- the plan: what an anchor will say, kept until every record of it is written ---- */

struct rp_anchor_tree {
    struct rp_tree tree;
    uint64_t size;
    rp_hash root;
    uint8_t salt[RP_ANCHOR_SALT];
};

struct rp_anchor_plan {
    struct rp_anchor_tree *trees;
    size_t count;
};

void rp_anchor_plan_print(struct rp_buf *out, const struct rp_anchor_plan *plan);
rp_err rp_anchor_plan_parse(rp_view bytes, struct rp_arena *arena, struct rp_anchor_plan *ret_plan);

/* The anchor's whole tree, for its root and every path. */
struct rp_anchor_nodes {
    rp_hash *levels[32];
    size_t counts[32];
};
/* host: origins are host/log/…. TOO_LARGE when the arena is full. */
rp_err rp_anchor_nodes_make(const struct rp_anchor_plan *plan, const char *host,
                            struct rp_arena *arena, struct rp_anchor_nodes *ret_nodes);
rp_err rp_anchor_nodes_root(const struct rp_anchor_nodes *nodes, rp_hash *ret_root);
rp_err rp_anchor_nodes_proof(const struct rp_anchor_nodes *nodes, size_t leaf,
                             rp_hash proof[static RP_MERKLE_PROOF_MAX], size_t *ret_n);

#endif
