#include "ledger/vault_message_io.h"

#include "base/assert.h"
#include "ipc/pack.h"
#include "ledger/message_io.h"

/* ---- both ends ---- */

enum { TREE = 1, AT = 2, RANGE = 4, BYTES = 8 };

/* Which fields a request has, in this order. */
static unsigned fields_of(enum rp_vault_message what) {
    switch (what) {
    case RP_VAULT_SIZE:
        return TREE;
    case RP_VAULT_ENTRIES:
        return TREE | AT | BYTES;
    case RP_VAULT_HEAD:
    case RP_VAULT_RECORDS:
        return TREE | BYTES;
    case RP_VAULT_WANTED:
        return AT;
    case RP_VAULT_SEGMENT:
        return AT | RANGE | BYTES;
    }
    return 0;
}

void rp_vault_request_pack(struct rp_buf *out, enum rp_vault_message what,
                           const struct rp_vault_request *request) {
    unsigned fields = fields_of(what);
    RP_ASSERT(fields != 0 && request->bytes.n <= RP_VAULT_BYTES_MAX);
    if (fields & TREE) {
        rp_tree_pack(out, request->tree);
    }
    if (fields & AT) {
        rp_pack_u64(out, request->at);
    }
    if (fields & RANGE) {
        rp_pack_u64(out, request->offset);
        rp_pack_u64(out, request->total);
    }
    if (fields & BYTES) {
        rp_pack_bytes(out, request->bytes);
    }
}

rp_err rp_vault_request_unpack(enum rp_vault_message what, rp_view message,
                               struct rp_vault_request *ret_request) {
    unsigned fields = fields_of(what);
    struct rp_unpack in = rp_unpack_new(message);
    struct rp_vault_request request = {.at = 0};
    if (fields == 0) {
        return RP_ERR(PROTOCOL);
    }
    if (fields & TREE) {
        request.tree = rp_tree_unpack(&in);
        RP_TRY(rp_tree_check(request.tree));
    }
    if (fields & AT) {
        request.at = rp_unpack_u64(&in);
    }
    if (fields & RANGE) {
        request.offset = rp_unpack_u64(&in);
        request.total = rp_unpack_u64(&in);
    }
    if (fields & BYTES) {
        request.bytes = rp_unpack_bytes(&in, RP_VAULT_BYTES_MAX);
    }
    RP_TRY(rp_unpack_end(&in));
    *ret_request = request;
    return RP_OK;
}

rp_err rp_vault_size_unpack(rp_view reply, struct rp_vault_size *ret_size) {
    struct rp_unpack in = rp_unpack_new(reply);
    struct rp_vault_size size = {.entries = rp_unpack_u64(&in)};
    size.covered = rp_unpack_u64(&in);
    size.records = rp_unpack_u64(&in);
    RP_TRY(rp_unpack_end(&in));
    *ret_size = size;
    return RP_OK;
}

rp_err rp_vault_wanted_unpack(rp_view reply, uint64_t *ret_time_ms, uint64_t *ret_bytes) {
    struct rp_unpack in = rp_unpack_new(reply);
    uint64_t time_ms = rp_unpack_u64(&in), bytes = rp_unpack_u64(&in);
    RP_TRY(rp_unpack_end(&in));
    *ret_time_ms = time_ms;
    *ret_bytes = bytes;
    return RP_OK;
}

/* ---- the one who answers ---- */

static rp_err answer_size(struct rp_vault *vault, struct rp_tree tree, struct rp_buf *reply,
                          struct rp_diag *diag) {
    struct rp_vault_size size;
    RP_TRY(rp_vault_size(vault, tree, &size, diag));
    rp_pack_u64(reply, size.entries);
    rp_pack_u64(reply, size.covered);
    rp_pack_u64(reply, size.records);
    return rp_buf_err(reply);
}

static rp_err answer_wanted(struct rp_vault *vault, uint64_t after_ms, struct rp_buf *reply) {
    uint64_t time_ms, bytes;
    rp_vault_wanted(vault, after_ms, &time_ms, &bytes);
    rp_pack_u64(reply, time_ms);
    rp_pack_u64(reply, bytes);
    return rp_buf_err(reply);
}

static struct rp_vault_piece piece_of(const struct rp_vault_request *request) {
    return (struct rp_vault_piece){request->at, request->offset, request->total, request->bytes};
}

static rp_err take(struct rp_vault *vault, enum rp_vault_message what,
                   const struct rp_vault_request *request, struct rp_buf *reply,
                   struct rp_diag *diag) {
    struct rp_vault_piece piece = piece_of(request);
    switch (what) {
    case RP_VAULT_SIZE:
        return answer_size(vault, request->tree, reply, diag);
    case RP_VAULT_ENTRIES:
        return rp_vault_entries(vault, request->tree, request->at, request->bytes, diag);
    case RP_VAULT_HEAD:
        return rp_vault_head(vault, request->tree, request->bytes, diag);
    case RP_VAULT_RECORDS:
        return rp_vault_records(vault, request->tree, request->bytes, diag);
    case RP_VAULT_WANTED:
        return answer_wanted(vault, request->at, reply);
    case RP_VAULT_SEGMENT:
        return rp_vault_segment(vault, &piece, diag);
    }
    return RP_ERR(PROTOCOL);
}

static rp_err judge_stranger(struct rp_vault *vault, enum rp_vault_message what,
                             const struct rp_vault_request *request, struct rp_buf *reply,
                             struct rp_diag *diag) {
    struct rp_vault_piece piece = piece_of(request);
    rp_err err = RP_OK;
    if (what == RP_VAULT_SIZE) {
        return answer_size(vault, request->tree, reply, diag);
    }
    if (what == RP_VAULT_ENTRIES) {
        err = rp_vault_entries_fit(vault, request->tree, request->at, request->bytes, diag);
    } else if (what == RP_VAULT_HEAD) {
        err = rp_vault_head_fits(vault, request->tree, request->bytes, diag);
    } else if (what == RP_VAULT_SEGMENT) {
        err = rp_vault_segment_fits(vault, &piece, diag);
    }
    return rp_ok(err) ? rp_fail(diag, RP_ERR(DENIED), "only core's copy is taken") : err;
}

rp_err rp_vault_answer(struct rp_vault *vault, bool stranger, enum rp_vault_message what,
                       rp_view message, struct rp_buf *reply, struct rp_diag *diag) {
    struct rp_vault_request request;
    rp_err err = rp_vault_request_unpack(what, message, &request);
    if (!rp_ok(err)) {
        return rp_fail(diag, err, "not a request");
    }
    return stranger ? judge_stranger(vault, what, &request, reply, diag)
                    : take(vault, what, &request, reply, diag);
}
