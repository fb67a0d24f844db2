#include "ledger/merkle.h"

#include "base/assert.h"

static rp_view view_of(const rp_hash *hash) {
    return rp_view_of(hash->b, sizeof hash->b);
}

static bool equal(const rp_hash *a, const rp_hash *b) {
    return rp_view_equal(view_of(a), view_of(b));
}

rp_hash rp_merkle_leaf(rp_view entry) {
    static const uint8_t prefix = 0;
    return rp_sha256_of2(rp_view_of(&prefix, 1), entry);
}

rp_hash rp_merkle_node(const rp_hash *left, const rp_hash *right) {
    static const uint8_t prefix = 1;
    return rp_sha256_of3(rp_view_of(&prefix, 1), view_of(left), view_of(right));
}

rp_hash rp_merkle_empty(void) {
    return rp_sha256_of(RP_VIEW(""));
}

static unsigned bits(uint64_t x) {
    return (unsigned)__builtin_popcountll(x);
}

static unsigned trailing_ones(uint64_t x) {
    return ~x == 0 ? 64 : (unsigned)__builtin_ctzll(~x);
}

/* How many bits x needs; 0 for 0. */
static unsigned width(uint64_t x) {
    return x == 0 ? 0 : 64 - (unsigned)__builtin_clzll(x);
}

void rp_merkle_edge_add(struct rp_merkle_edge *edge, const rp_hash *leaf) {
    RP_ASSERT(edge->size < UINT64_MAX);
    unsigned n = bits(edge->size);
    rp_hash node = *leaf;
    /* Each trailing one bit of the size is a full subtree that the newcomer completes. */
    for (unsigned merges = trailing_ones(edge->size); merges > 0; merges--) {
        n--;
        node = rp_merkle_node(&edge->roots[n], &node);
    }
    edge->size++;
    edge->roots[n] = node;
    RP_ASSERT(n + 1 == bits(edge->size));
}

static rp_hash fold(const rp_hash *roots, unsigned n) {
    rp_hash root = roots[n - 1];
    for (unsigned i = n - 1; i > 0; i--) {
        root = rp_merkle_node(&roots[i - 1], &root);
    }
    return root;
}

rp_hash rp_merkle_edge_root(const struct rp_merkle_edge *edge) {
    return edge->size == 0 ? rp_merkle_empty() : fold(edge->roots, bits(edge->size));
}

/* ---- checking ---- */

/* A path has one hash per level while the node has a neighbour inside the tree (`inner`), then
 * one per full subtree on its left (`border`). */
struct shape {
    unsigned inner;
    unsigned border;
};

static struct shape shape_of(uint64_t index, uint64_t size) {
    RP_ASSERT(index < size);
    unsigned inner = width(index ^ (size - 1));
    return (struct shape){inner, inner == 64 ? 0 : bits(index >> inner)};
}

static rp_hash climb(rp_hash node, uint64_t index, const rp_hash *proof, struct shape shape) {
    for (unsigned i = 0; i < shape.inner; i++) {
        node =
            (index >> i) & 1 ? rp_merkle_node(&proof[i], &node) : rp_merkle_node(&node, &proof[i]);
    }
    for (unsigned i = 0; i < shape.border; i++) {
        node = rp_merkle_node(&proof[shape.inner + i], &node);
    }
    return node;
}

rp_err rp_merkle_check_inclusion(const rp_hash *leaf, uint64_t index, uint64_t size,
                                 const rp_hash *proof, size_t n, const rp_hash *root) {
    if (index >= size) {
        return RP_ERR(CORRUPT);
    }
    struct shape shape = shape_of(index, size);
    if (n != shape.inner + shape.border) {
        return RP_ERR(CORRUPT);
    }
    rp_hash node = climb(*leaf, index, proof, shape);
    return equal(&node, root) ? RP_OK : RP_ERR(CORRUPT);
}

/* draft-davidben-tls-merkle-tree-certs section 4.4.3, which holds RFC 9162's as the case begin = 0.
 * first, last and edge walk up the tree together: the subtree's first and last node, and the
 * tree's last node. */
static rp_err check_subtree(uint64_t first, uint64_t last, uint64_t edge, const rp_hash *part_root,
                            const rp_hash *root, const rp_hash *proof, size_t n) {
    RP_ASSERT(first <= last && last <= edge);
    while (first != last && (last == edge || (last & 1))) {
        first >>= 1, last >>= 1, edge >>= 1;
    }
    /* A whole part is itself a node of the tree; else the proof begins with its last full node. */
    bool whole = first == last;
    if (!whole && n == 0) {
        return RP_ERR(CORRUPT);
    }
    rp_hash part = whole ? *part_root : proof[0];
    rp_hash all = part;
    for (size_t i = whole ? 0 : 1; i < n; i++) {
        if (edge == 0) {
            return RP_ERR(CORRUPT);
        }
        if ((last & 1) || last == edge) {
            if (first < last) {
                part = rp_merkle_node(&proof[i], &part);
            }
            all = rp_merkle_node(&proof[i], &all);
            while (!(last & 1) && last != 0) {
                first >>= 1, last >>= 1, edge >>= 1;
            }
        } else {
            all = rp_merkle_node(&all, &proof[i]);
        }
        first >>= 1, last >>= 1, edge >>= 1;
    }
    return edge == 0 && equal(&part, part_root) && equal(&all, root) ? RP_OK : RP_ERR(CORRUPT);
}

bool rp_merkle_is_subtree(uint64_t begin, uint64_t end) {
    if (begin >= end) {
        return false;
    }
    unsigned level = width(end - begin - 1);
    return level == 64 ? begin == 0 : (begin & (((uint64_t)1 << level) - 1)) == 0;
}

rp_err rp_merkle_check_subtree(uint64_t begin, uint64_t end, uint64_t size,
                               const rp_hash *part_root, const rp_hash *root, const rp_hash *proof,
                               size_t n) {
    if (begin == end && end <= size) {
        rp_hash empty = rp_merkle_empty();
        return n == 0 && equal(part_root, &empty) ? RP_OK : RP_ERR(CORRUPT);
    }
    if (end > size || !rp_merkle_is_subtree(begin, end)) {
        return RP_ERR(CORRUPT);
    }
    return check_subtree(begin, end - 1, size - 1, part_root, root, proof, n);
}

rp_err rp_merkle_check_consistency(uint64_t old_size, const rp_hash *old_root, uint64_t new_size,
                                   const rp_hash *new_root, const rp_hash *proof, size_t n) {
    if (old_size == 0) {
        rp_hash empty = rp_merkle_empty();
        bool same = new_size == 0 && n == 0 && equal(old_root, &empty) && equal(new_root, &empty);
        return same ? RP_OK : RP_ERR(CORRUPT);
    }
    if (old_size == new_size) {
        return n == 0 && equal(old_root, new_root) ? RP_OK : RP_ERR(CORRUPT);
    }
    return rp_merkle_check_subtree(0, old_size, new_size, old_root, new_root, proof, n);
}

/* ---- making ---- */

/* The root of leaves [begin, begin + size): its full subtrees, largest first, folded. begin is a
 * multiple of the largest power of two in size, as every subtree of a proof is. */
static rp_err range_root(const struct rp_merkle_source *source, uint64_t begin, uint64_t size,
                         rp_hash *ret_root) {
    RP_ASSERT(size > 0);
    rp_hash roots[64];
    unsigned n = 0;
    for (uint64_t rest = size; rest > 0; n++) {
        unsigned level = width(rest) - 1;
        RP_TRY(source->node(source->ctx, level, begin >> level, &roots[n]));
        begin += (uint64_t)1 << level;
        rest -= (uint64_t)1 << level;
    }
    *ret_root = fold(roots, n);
    return RP_OK;
}

rp_err rp_merkle_root(const struct rp_merkle_source *source, uint64_t size, rp_hash *ret_root) {
    if (size == 0) {
        *ret_root = rp_merkle_empty();
        return RP_OK;
    }
    return range_root(source, 0, size, ret_root);
}

/* The largest power of two below size. */
static uint64_t split(uint64_t size) {
    RP_ASSERT(size > 1);
    return (uint64_t)1 << (width(size - 1) - 1);
}

/* A proof is found from the root down and told from the leaf up. */
static void reverse(rp_hash *proof, size_t n) {
    for (size_t i = 0; i < n / 2; i++) {
        rp_hash swap = proof[i];
        proof[i] = proof[n - 1 - i];
        proof[n - 1 - i] = swap;
    }
}

rp_err rp_merkle_inclusion(const struct rp_merkle_source *source, uint64_t index, uint64_t size,
                           rp_hash proof[static RP_MERKLE_PROOF_MAX], size_t *ret_n) {
    if (index >= size) {
        return RP_ERR(NOT_FOUND);
    }
    uint64_t begin = 0;
    size_t n = 0;
    while (size > 1) {
        uint64_t half = split(size);
        RP_ASSERT(n < RP_MERKLE_PROOF_MAX);
        if (index - begin < half) {
            RP_TRY(range_root(source, begin + half, size - half, &proof[n]));
            size = half;
        } else {
            RP_TRY(range_root(source, begin, half, &proof[n]));
            begin += half;
            size -= half;
        }
        n++;
    }
    reverse(proof, n);
    *ret_n = n;
    return RP_OK;
}

rp_err rp_merkle_consistency(const struct rp_merkle_source *source, uint64_t old_size,
                             uint64_t new_size, rp_hash proof[static RP_MERKLE_PROOF_MAX],
                             size_t *ret_n) {
    if (old_size > new_size) {
        return RP_ERR(NOT_FOUND);
    }
    size_t n = 0;
    if (old_size == 0 || old_size == new_size) {
        *ret_n = 0;
        return RP_OK;
    }
    uint64_t begin = 0, size = new_size;
    while (old_size - begin != size) {
        uint64_t half = split(size);
        RP_ASSERT(n < RP_MERKLE_PROOF_MAX);
        if (old_size - begin <= half) {
            RP_TRY(range_root(source, begin + half, size - half, &proof[n]));
            size = half;
        } else {
            RP_TRY(range_root(source, begin, half, &proof[n]));
            begin += half;
            size -= half;
        }
        n++;
    }
    if (begin > 0) {
        /* The old tree is not a node of the new one: its last full part starts the proof. */
        RP_ASSERT(n < RP_MERKLE_PROOF_MAX);
        RP_TRY(range_root(source, begin, size, &proof[n]));
        n++;
    }
    reverse(proof, n);
    *ret_n = n;
    return RP_OK;
}
