#include "ledger/anchor.h"

#include "base/assert.h"
#include "base/checked.h"
#include "ledger/origin.h"
#include "wire/encode.h"

static const rp_view title = RP_VIEW_INIT("rempart-anchor v1\n");
static const uint8_t plan_magic[16] = "rempart-plan 1\n\n";
enum { PLAN_TREE = 1 + RP_ID_BYTES + 8 + RP_SHA256 + RP_ANCHOR_SALT };

/* ---- records ---- */

static void print_number(struct rp_buf *out, const char *name, uint64_t value, const char *end) {
    rp_buf_add_cstr(out, name);
    rp_buf_add_u64(out, value);
    rp_buf_add_cstr(out, end);
}

static void print_bytes(struct rp_buf *out, const char *name, rp_view bytes) {
    rp_buf_add_cstr(out, name);
    rp_base64_print(out, bytes);
    rp_buf_add_byte(out, '\n');
}

void rp_anchor_print(struct rp_buf *out, const struct rp_anchor *anchor) {
    RP_ASSERT(anchor->proof_count <= RP_MERKLE_PROOF_MAX);
    RP_ASSERT(anchor->leaf < anchor->leaves);
    rp_buf_add(out, title);
    print_number(out, "public ", anchor->public_index, "\n");
    print_number(out, "number ", anchor->number, "\n");
    print_number(out, "leaf ", anchor->leaf, " of ");
    print_number(out, "", anchor->leaves, "\n");
    print_number(out, "size ", anchor->size, "\n");
    print_bytes(out, "root ", rp_hash_view(&anchor->root));
    print_bytes(out, "salt ", rp_view_of(anchor->salt, sizeof anchor->salt));
    for (size_t i = 0; i < anchor->proof_count; i++) {
        print_bytes(out, "", rp_hash_view(&anchor->proof[i]));
    }
    rp_buf_add_byte(out, '\n');
}

/* The line's rest after `name`; p == NULL when it begins otherwise or has no end. */
static rp_view take_line(rp_view *rest, rp_view name) {
    rp_view line = rp_view_cut(rest, '\n');
    return rest->p && rp_view_take(&line, name) ? line : (rp_view){NULL, 0};
}

static bool take_number(rp_view *rest, rp_view name, uint64_t *ret_value) {
    rp_view text = take_line(rest, name);
    return text.p && rp_view_to_u64(text, UINT64_MAX, ret_value);
}

static bool decode(rp_view text, uint8_t *out, size_t n) {
    _cleanup_(rp_buf_done) struct rp_buf bytes = rp_buf_new(64);
    if (!text.p || !rp_ok(rp_base64_parse(text, &bytes)) || bytes.failed || bytes.n != n) {
        return false;
    }
    memcpy(out, bytes.p, n);
    return true;
}

static bool take_place(rp_view *rest, struct rp_anchor *anchor) {
    rp_view text = take_line(rest, RP_VIEW("leaf "));
    size_t middle = text.p ? rp_view_find(text, RP_VIEW(" of ")) : 0;
    return text.p && middle < text.n &&
           rp_view_to_u64(rp_view_sub(text, 0, middle), RP_ANCHOR_TREES_MAX, &anchor->leaf) &&
           rp_view_to_u64(rp_view_from(text, middle + 4), RP_ANCHOR_TREES_MAX, &anchor->leaves) &&
           anchor->leaf < anchor->leaves;
}

static bool take_proof(rp_view *rest, struct rp_anchor *anchor) {
    for (;;) {
        rp_view line = take_line(rest, RP_VIEW(""));
        if (!line.p) {
            return false;
        }
        if (line.n == 0) {
            return true;
        }
        if (anchor->proof_count == RP_MERKLE_PROOF_MAX ||
            !decode(line, anchor->proof[anchor->proof_count].b, RP_SHA256)) {
            return false;
        }
        anchor->proof_count++;
    }
}

rp_err rp_anchor_parse(rp_view *rest, struct rp_anchor *ret_anchor) {
    struct rp_anchor anchor = {.proof_count = 0};
    rp_view v = *rest;
    if (!rp_view_take(&v, title) || !take_number(&v, RP_VIEW("public "), &anchor.public_index) ||
        !take_number(&v, RP_VIEW("number "), &anchor.number) || !take_place(&v, &anchor) ||
        !take_number(&v, RP_VIEW("size "), &anchor.size) ||
        !decode(take_line(&v, RP_VIEW("root ")), anchor.root.b, RP_SHA256) ||
        !decode(take_line(&v, RP_VIEW("salt ")), anchor.salt, RP_ANCHOR_SALT) ||
        !take_proof(&v, &anchor)) {
        return RP_ERR(CORRUPT);
    }
    *rest = v;
    *ret_anchor = anchor;
    return RP_OK;
}

static rp_hash leaf_of(const uint8_t salt[static RP_ANCHOR_SALT], rp_view origin, uint64_t size,
                       const rp_hash *root) {
    uint8_t bytes[RP_ANCHOR_SALT + RP_ORIGIN_MAX + 8 + RP_SHA256];
    size_t n = 0;
    RP_ASSERT(origin.n > 0 && origin.n <= RP_ORIGIN_MAX);
    memcpy(bytes, salt, RP_ANCHOR_SALT);
    n += RP_ANCHOR_SALT;
    memcpy(bytes + n, origin.p, origin.n);
    n += origin.n;
    for (unsigned i = 0; i < 8; i++) {
        bytes[n++] = (uint8_t)(size >> (56 - 8 * i));
    }
    memcpy(bytes + n, root->b, RP_SHA256);
    return rp_merkle_leaf(rp_view_of(bytes, n + RP_SHA256));
}

rp_err rp_anchor_check(const struct rp_anchor *anchor, rp_view origin, const rp_hash *root) {
    rp_hash leaf = leaf_of(anchor->salt, origin, anchor->size, &anchor->root);
    return rp_merkle_check_inclusion(&leaf, anchor->leaf, anchor->leaves, anchor->proof,
                                     anchor->proof_count, root);
}

/* ---- the plan ---- */

static void add_u64(struct rp_buf *out, uint64_t x) {
    for (unsigned i = 0; i < 8; i++) {
        rp_buf_add_byte(out, (uint8_t)(x >> (56 - 8 * i)));
    }
}

static uint64_t get_u64(const uint8_t *p) {
    uint64_t x = 0;
    for (unsigned i = 0; i < 8; i++) {
        x = x << 8 | p[i];
    }
    return x;
}

void rp_anchor_plan_print(struct rp_buf *out, const struct rp_anchor_plan *plan) {
    size_t start = out->n;
    rp_buf_add(out, rp_view_of(plan_magic, sizeof plan_magic));
    for (size_t i = 0; i < plan->count; i++) {
        const struct rp_anchor_tree *t = &plan->trees[i];
        rp_buf_add_byte(out, (uint8_t)t->tree.kind);
        rp_buf_add(out, rp_view_of(t->tree.tenant.b, RP_ID_BYTES));
        add_u64(out, t->size);
        rp_buf_add(out, rp_hash_view(&t->root));
        rp_buf_add(out, rp_view_of(t->salt, RP_ANCHOR_SALT));
    }
    rp_hash sum = rp_sha256_of(rp_view_from(rp_buf_view(out), start));
    rp_buf_add(out, rp_hash_view(&sum));
}

rp_err rp_anchor_plan_parse(rp_view bytes, struct rp_arena *arena,
                            struct rp_anchor_plan *ret_plan) {
    enum { FRAME = sizeof plan_magic + RP_SHA256 };
    if (bytes.n < FRAME || (bytes.n - FRAME) % PLAN_TREE != 0 ||
        !rp_view_starts(bytes, rp_view_of(plan_magic, sizeof plan_magic))) {
        return RP_ERR(CORRUPT);
    }
    rp_hash sum = rp_sha256_of(rp_view_sub(bytes, 0, bytes.n - RP_SHA256));
    if (!rp_view_equal(rp_hash_view(&sum), rp_view_from(bytes, bytes.n - RP_SHA256))) {
        return RP_ERR(CORRUPT);
    }
    struct rp_anchor_plan plan = {.count = (bytes.n - FRAME) / PLAN_TREE};
    plan.trees = rp_arena_array(arena, plan.count, sizeof *plan.trees);
    if (!plan.trees) {
        return RP_ERR(TOO_LARGE);
    }
    const uint8_t *p = bytes.p + sizeof plan_magic;
    for (size_t i = 0; i < plan.count; i++, p += PLAN_TREE) {
        struct rp_anchor_tree *t = &plan.trees[i];
        if (p[0] >= RP_TREE_COUNT) {
            return RP_ERR(CORRUPT);
        }
        t->tree.kind = (enum rp_tree_kind)p[0];
        memcpy(t->tree.tenant.b, p + 1, RP_ID_BYTES);
        t->size = get_u64(p + 17);
        memcpy(t->root.b, p + 25, RP_SHA256);
        memcpy(t->salt, p + 25 + RP_SHA256, RP_ANCHOR_SALT);
    }
    *ret_plan = plan;
    return RP_OK;
}

rp_err rp_anchor_nodes_make(const struct rp_anchor_plan *plan, const char *host,
                            struct rp_arena *arena, struct rp_anchor_nodes *ret_nodes) {
    struct rp_anchor_nodes nodes = {.counts = {plan->count}};
    RP_ASSERT(plan->count > 0 && plan->count <= RP_ANCHOR_TREES_MAX);
    for (unsigned level = 0; level < 32 && (level == 0 || nodes.counts[level - 1] > 1); level++) {
        size_t n = level == 0 ? plan->count : nodes.counts[level - 1] / 2;
        nodes.counts[level] = n;
        nodes.levels[level] = rp_arena_array(arena, n, sizeof(rp_hash));
        if (!nodes.levels[level]) {
            return RP_ERR(TOO_LARGE);
        }
        for (size_t i = 0; i < n && level > 0; i++) {
            nodes.levels[level][i] = rp_merkle_node(&nodes.levels[level - 1][2 * i],
                                                    &nodes.levels[level - 1][2 * i + 1]);
        }
        for (size_t i = 0; i < n && level == 0; i++) {
            const struct rp_anchor_tree *t = &plan->trees[i];
            char origin[RP_ORIGIN_MAX];
            rp_tree_origin(host, t->tree, origin);
            nodes.levels[0][i] = leaf_of(t->salt, rp_view_from_cstr(origin), t->size, &t->root);
        }
    }
    *ret_nodes = nodes;
    return RP_OK;
}

static rp_err node_at(void *ctx, unsigned level, uint64_t index, rp_hash *ret_hash) {
    const struct rp_anchor_nodes *nodes = ctx;
    RP_ASSERT(level < 32 && index < nodes->counts[level]);
    *ret_hash = nodes->levels[level][index];
    return RP_OK;
}

static struct rp_merkle_source source_of(const struct rp_anchor_nodes *nodes) {
    return (struct rp_merkle_source){(void *)(uintptr_t)nodes, node_at};
}

rp_err rp_anchor_nodes_root(const struct rp_anchor_nodes *nodes, rp_hash *ret_root) {
    struct rp_merkle_source source = source_of(nodes);
    return rp_merkle_root(&source, nodes->counts[0], ret_root);
}

rp_err rp_anchor_nodes_proof(const struct rp_anchor_nodes *nodes, size_t leaf,
                             rp_hash proof[static RP_MERKLE_PROOF_MAX], size_t *ret_n) {
    struct rp_merkle_source source = source_of(nodes);
    return rp_merkle_inclusion(&source, leaf, nodes->counts[0], proof, ret_n);
}
