#include "ledger/message_io.h"

#include "base/assert.h"
#include "ipc/pack.h"

void rp_tree_pack(struct rp_buf *out, struct rp_tree tree) {
    rp_pack_u8(out, (uint8_t)tree.kind);
    rp_pack_id(out, tree.tenant);
}

rp_err rp_tree_check(struct rp_tree tree) {
    bool tenant = tree.kind == RP_TREE_TENANT;
    return (size_t)tree.kind < RP_TREE_COUNT && tenant != rp_id_is_none(tree.tenant)
               ? RP_OK
               : RP_ERR(PROTOCOL);
}

struct rp_tree rp_tree_unpack(struct rp_unpack *in) {
    struct rp_tree tree = {.kind = (enum rp_tree_kind)rp_unpack_u8(in)};
    tree.tenant = rp_unpack_id(in);
    return tree;
}

void rp_append_pack(struct rp_buf *out, const struct rp_append *append) {
    RP_ASSERT(append->count <= RP_LEDGER_BATCH_MAX);
    rp_tree_pack(out, append->tree);
    rp_pack_id(out, append->stream);
    rp_pack_u64(out, append->first_sequence);
    rp_pack_u16(out, (uint16_t)append->count);
    for (size_t i = 0; i < append->count; i++) {
        rp_pack_bytes(out, append->events[i]);
    }
}

static rp_err unpack_events(struct rp_unpack *in, struct rp_append *append) {
    append->count = rp_unpack_u16(in);
    if (append->count == 0 || append->count > RP_LEDGER_BATCH_MAX) {
        return RP_ERR(PROTOCOL);
    }
    for (size_t i = 0; i < append->count; i++) {
        append->events[i] = rp_unpack_bytes(in, RP_EVENT_MAX);
        if (append->events[i].n == 0) {
            return RP_ERR(PROTOCOL);
        }
    }
    return rp_unpack_end(in);
}

rp_err rp_append_unpack(rp_view message, struct rp_append *ret_append) {
    struct rp_append append;
    struct rp_unpack in = rp_unpack_new(message);
    append.tree = rp_tree_unpack(&in);
    append.stream = rp_unpack_id(&in);
    append.first_sequence = rp_unpack_u64(&in);
    RP_TRY(unpack_events(&in, &append));
    RP_TRY(rp_tree_check(append.tree));
    /* Numbered events have a stream, and a stream's events are numbered, from 1. */
    uint64_t end;
    if (rp_id_is_none(append.stream) != (append.first_sequence == 0) ||
        __builtin_add_overflow(append.first_sequence, append.count, &end)) {
        return RP_ERR(PROTOCOL);
    }
    *ret_append = append;
    return RP_OK;
}

void rp_head_pack(struct rp_buf *out, struct rp_tree tree) {
    rp_tree_pack(out, tree);
}

rp_err rp_head_unpack(rp_view message, struct rp_tree *ret_tree) {
    struct rp_unpack in = rp_unpack_new(message);
    struct rp_tree tree = rp_tree_unpack(&in);
    RP_TRY(rp_unpack_end(&in));
    RP_TRY(rp_tree_check(tree));
    *ret_tree = tree;
    return RP_OK;
}
