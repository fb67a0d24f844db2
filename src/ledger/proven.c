#include "ledger/proven.h"

#include "ipc/pack.h"

void rp_proven_pack(struct rp_buf *out, const struct rp_proven *proven) {
    rp_pack_bytes(out, proven->record);
    rp_pack_bytes(out, proven->entry);
    rp_pack_bytes(out, proven->proof);
}

rp_err rp_proven_next(rp_view *rest, struct rp_proven *ret_proven) {
    struct rp_unpack in = rp_unpack_new(*rest);
    struct rp_proven proven = {.record = rp_unpack_bytes(&in, rest->n)};
    proven.entry = rp_unpack_bytes(&in, rest->n);
    proven.proof = rp_unpack_bytes(&in, rest->n);
    if (in.failed) {
        return RP_ERR(PROTOCOL);
    }
    *ret_proven = proven;
    *rest = in.rest;
    return RP_OK;
}
