#include "ledger/state.h"

#include "base/assert.h"
#include "crypto/hash.h"

static const uint8_t magic[16] = "rempart-state 2\n";
/* Written before tails were kept; read once more. */
static const uint8_t magic_1[16] = "rempart-state 1\n";
enum { PAIR = RP_ID_BYTES + 8 };

void rp_ledger_state_start(struct rp_ledger_state *ret_state) {
    *ret_state = (struct rp_ledger_state){.tenants = rp_idmap_new(RP_STATE_IDS_MAX),
                                          .streams = rp_idmap_new(RP_STATE_IDS_MAX),
                                          .tails = rp_idmap_new(RP_STATE_IDS_MAX)};
}

void rp_ledger_state_done(struct rp_ledger_state *state) {
    rp_idmap_done(&state->tenants);
    rp_idmap_done(&state->streams);
    rp_idmap_done(&state->tails);
}

uint64_t rp_ledger_state_size(const struct rp_ledger_state *state, struct rp_tree tree) {
    RP_ASSERT((size_t)tree.kind < RP_TREE_COUNT);
    return tree.kind == RP_TREE_TENANT ? rp_idmap_get(&state->tenants, tree.tenant)
                                       : state->fixed[tree.kind];
}

rp_err rp_ledger_state_set_size(struct rp_ledger_state *state, struct rp_tree tree, uint64_t size) {
    RP_ASSERT((size_t)tree.kind < RP_TREE_COUNT);
    if (tree.kind == RP_TREE_TENANT) {
        return rp_idmap_set(&state->tenants, tree.tenant, size);
    }
    state->fixed[tree.kind] = size;
    return RP_OK;
}

/* ---- the file: magic, numbers, three lists of pairs, SHA-256 of all before ---- */

static void add_u64(struct rp_buf *out, uint64_t x) {
    for (unsigned i = 0; i < 8; i++) {
        rp_buf_add_byte(out, (uint8_t)(x >> (56 - 8 * i)));
    }
}

static void add_map(struct rp_buf *out, const struct rp_idmap *map) {
    add_u64(out, map->count);
    for (size_t i = 0; i < map->capacity; i++) {
        if (!rp_id_is_none(map->slots[i].id)) {
            rp_buf_add(out, rp_view_of(map->slots[i].id.b, RP_ID_BYTES));
            add_u64(out, map->slots[i].value);
        }
    }
}

void rp_ledger_state_print(struct rp_buf *out, const struct rp_ledger_state *state) {
    size_t start = out->n;
    rp_buf_add(out, rp_view_of(magic, sizeof magic));
    add_u64(out, state->segment);
    add_u64(out, state->offset);
    add_u64(out, state->fixed[RP_TREE_PUBLIC]);
    add_u64(out, state->fixed[RP_TREE_OPERATOR]);
    add_map(out, &state->tenants);
    add_map(out, &state->streams);
    add_map(out, &state->tails);
    struct rp_sha256 sum = rp_sha256_of(rp_view_from(rp_buf_view(out), start));
    rp_buf_add(out, rp_view_of(sum.b, sizeof sum.b));
}

static bool take_u64(rp_view *v, uint64_t *ret) {
    if (v->n < 8) {
        return false;
    }
    uint64_t x = 0;
    for (unsigned i = 0; i < 8; i++) {
        x = x << 8 | v->p[i];
    }
    *v = rp_view_from(*v, 8);
    *ret = x;
    return true;
}

static rp_err take_map(rp_view *v, struct rp_idmap *map) {
    uint64_t count, value;
    if (!take_u64(v, &count) || count > RP_STATE_IDS_MAX || count > v->n / PAIR) {
        return RP_ERR(CORRUPT);
    }
    for (uint64_t i = 0; i < count; i++) {
        rp_id id;
        memcpy(id.b, v->p, RP_ID_BYTES);
        *v = rp_view_from(*v, RP_ID_BYTES);
        if (rp_id_is_none(id) || !take_u64(v, &value)) {
            return RP_ERR(CORRUPT);
        }
        RP_TRY(rp_idmap_set(map, id, value));
    }
    return RP_OK;
}

rp_err rp_ledger_state_parse(rp_view bytes, struct rp_ledger_state *state) {
    RP_ASSERT(state->tenants.count == 0 && state->streams.count == 0);
    if (bytes.n < sizeof magic + RP_SHA256) {
        return RP_ERR(CORRUPT);
    }
    rp_view body = rp_view_sub(bytes, 0, bytes.n - RP_SHA256);
    struct rp_sha256 sum = rp_sha256_of(body);
    if (!rp_view_equal(rp_view_from(bytes, body.n), rp_view_of(sum.b, sizeof sum.b))) {
        return RP_ERR(CORRUPT);
    }
    bool first = rp_view_starts(body, rp_view_of(magic_1, sizeof magic_1));
    if (!first && !rp_view_starts(body, rp_view_of(magic, sizeof magic))) {
        return RP_ERR(EXISTS_NEWER);
    }
    rp_view rest = rp_view_from(body, sizeof magic);
    if (!take_u64(&rest, &state->segment) || !take_u64(&rest, &state->offset) ||
        !take_u64(&rest, &state->fixed[RP_TREE_PUBLIC]) ||
        !take_u64(&rest, &state->fixed[RP_TREE_OPERATOR])) {
        return RP_ERR(CORRUPT);
    }
    RP_TRY(take_map(&rest, &state->tenants));
    RP_TRY(take_map(&rest, &state->streams));
    if (!first) {
        RP_TRY(take_map(&rest, &state->tails));
    }
    return rest.n == 0 ? RP_OK : RP_ERR(CORRUPT);
}
