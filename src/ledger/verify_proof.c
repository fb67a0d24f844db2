/* verify_proof.c — one .tlog-proof, by a stranger who has nothing of the log but its key. */
#include "base/assert.h"
#include "base/checked.h"
#include "ledger/note.h"
#include "ledger/read_io.h"

static rp_err check_entry(const struct rp_tlog_proof *proof,
                          const struct rp_tlog_checkpoint *checkpoint, rp_view entry) {
    rp_hash leaf = rp_merkle_leaf(entry), root, hashes[RP_MERKLE_PROOF_MAX];
    RP_ASSERT(proof->hash_count <= RP_MERKLE_PROOF_MAX);
    memcpy(root.b, checkpoint->root, RP_SHA256);
    for (size_t i = 0; i < proof->hash_count; i++) {
        memcpy(hashes[i].b, proof->hashes[i], RP_SHA256);
    }
    return rp_merkle_check_inclusion(&leaf, proof->index, checkpoint->size, hashes,
                                     proof->hash_count, &root);
}

rp_err rp_verify_proof(rp_view bytes, rp_view entry, rp_view vkey_text, struct rp_diag *diag) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(256 * 1024);
    struct rp_tlog_proof *proof = arena ? rp_arena_alloc(arena, sizeof *proof) : NULL;
    if (!proof) {
        return RP_ERR(NO_MEMORY);
    }
    struct rp_tlog_vkey vkey;
    struct rp_tlog_checkpoint checkpoint;
    if (!rp_ok(rp_vkey_parse(vkey_text, arena, &vkey))) {
        return rp_fail(diag, RP_ERR(INVALID), "not a verifier key");
    }
    rp_err err = rp_tlog_proof_parse(bytes, arena, proof);
    if (!rp_ok(err)) {
        return rp_fail(diag, err, "not a .tlog-proof");
    }
    if (!rp_ok(rp_checkpoint_check(proof->checkpoint, &vkey, arena, &checkpoint))) {
        return rp_fail(diag, RP_ERR(BAD_SIGNATURE), "the checkpoint is not signed by this key");
    }
    if (proof->index >= checkpoint.size) {
        return rp_fail(diag, RP_ERR(CORRUPT), "the entry lies past the checkpoint");
    }
    err = entry.p ? check_entry(proof, &checkpoint, entry) : RP_OK;
    return rp_ok(err) ? err : rp_fail(diag, err, "the entry is not the one that was logged");
}
