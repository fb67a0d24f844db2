/* merkle.h — the tree of RFC 6962 section 2.1, as pure arithmetic on hashes.
 *
 * leaf = SHA-256(0x00 ‖ entry), node = SHA-256(0x01 ‖ left ‖ right), split at the largest power
 * of two below the size. Proof checking is strict: a proof has exactly the hashes it needs.
 */
#ifndef RP_LEDGER_MERKLE_H
#define RP_LEDGER_MERKLE_H

#include "crypto/hash.h"

typedef struct rp_sha256 rp_hash;

enum { RP_MERKLE_PROOF_MAX = 64 };

rp_hash rp_merkle_leaf(rp_view entry);
rp_hash rp_merkle_node(const rp_hash *left, const rp_hash *right);
rp_hash rp_merkle_empty(void);

/* The right edge of a growing tree: the roots of its full subtrees, largest first. */
struct rp_merkle_edge {
    uint64_t size;
    rp_hash roots[64];
};
void rp_merkle_edge_add(struct rp_merkle_edge *edge, const rp_hash *leaf);
rp_hash rp_merkle_edge_root(const struct rp_merkle_edge *edge);

/* BAD_SIGNATURE's sibling here is CORRUPT: the proof does not lead from leaf to root. */
rp_err rp_merkle_check_inclusion(const rp_hash *leaf, uint64_t index, uint64_t size,
                                 const rp_hash *proof, size_t n, const rp_hash *root);
/* From the empty tree nothing can be proven: CORRUPT unless both are empty. */
rp_err rp_merkle_check_consistency(uint64_t old_size, const rp_hash *old_root, uint64_t new_size,
                                   const rp_hash *new_root, const rp_hash *proof, size_t n);
/* Leaves [begin, end) under part_root are those of the tree. begin is a multiple of the power of
 * two that holds end - begin (rp_merkle_is_subtree). */
bool rp_merkle_is_subtree(uint64_t begin, uint64_t end);
rp_err rp_merkle_check_subtree(uint64_t begin, uint64_t end, uint64_t size,
                               const rp_hash *part_root, const rp_hash *root, const rp_hash *proof,
                               size_t n);

/* Where the hashes of a tree come from: level 0 = leaves, node (level, index) covers
 * [index << level, (index + 1) << level), complete subtrees only. */
struct rp_merkle_source {
    void *ctx;
    rp_err (*node)(void *ctx, unsigned level, uint64_t index, rp_hash *ret_hash);
};
rp_err rp_merkle_root(const struct rp_merkle_source *source, uint64_t size, rp_hash *ret_root);
rp_err rp_merkle_inclusion(const struct rp_merkle_source *source, uint64_t index, uint64_t size,
                           rp_hash proof[static RP_MERKLE_PROOF_MAX], size_t *ret_n);
rp_err rp_merkle_consistency(const struct rp_merkle_source *source, uint64_t old_size,
                             uint64_t new_size, rp_hash proof[static RP_MERKLE_PROOF_MAX],
                             size_t *ret_n);

#endif
