/* read_io.h — reading a log from its files, as a stranger would: nothing is trusted.
 *
 * Opens a tree's folder (checkpoint, vkey, tile/…), checks the checkpoint's signature, and
 * serves entries and proofs out of the tiles. Used by core for pages and by the CLI to verify.
 */
#ifndef RP_LEDGER_READ_IO_H
#define RP_LEDGER_READ_IO_H

#include "ledger/client.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "ledger/origin.h"

struct rp_log; /* one tree, opened at one checkpoint */

/* vkey p == NULL: take the one in the folder (and trust the place it came from). */
rp_err rp_log_open(const char *folder, rp_view vkey, struct rp_log **ret_log, struct rp_diag *diag);
void rp_log_free(struct rp_log *log);
/* Reads the checkpoint again; the tree may only have grown: CORRUPT for a rollback or a fork. */
rp_err rp_log_refresh(struct rp_log *log, struct rp_diag *diag);

uint64_t rp_log_size(const struct rp_log *log);
/* The checkpoint's text, as it was read. */
rp_view rp_log_note(const struct rp_log *log);
const rp_hash *rp_log_root(const struct rp_log *log);
/* The root that the tree had at a smaller size. NOT_FOUND past the end. */
rp_err rp_log_root_at(struct rp_log *log, uint64_t size, rp_hash *ret_root);
/* Entry `index` into the arena, checked against its leaf. NOT_FOUND past the end. */
rp_err rp_log_entry(struct rp_log *log, uint64_t index, struct rp_arena *arena, rp_view *ret_entry);
/* How the tree went on from a smaller size to rp_log_size, which may be another afterwards.
 * NOT_FOUND past the end. */
rp_err rp_log_consistency(struct rp_log *log, uint64_t old_size,
                          rp_hash proof[static RP_MERKLE_PROOF_MAX], size_t *ret_n);
const struct rp_tlog_vkey *rp_log_vkey(const struct rp_log *log);
const char *rp_log_folder(const struct rp_log *log);
/* A .tlog-proof file for one entry. */
rp_err rp_log_proof(struct rp_log *log, uint64_t index, struct rp_buf *out);

/* ---- offline verification ---- */
struct rp_verify_report {
    uint64_t trees, entries, files, bytes;
    char bad_file[512];  /* relative; empty = all is well */
    uint64_t bad_offset; /* the first byte that does not fit, when one can be named */
    char problem[240], problem_fr[240];
};
/* Every file under a ledger folder (or one tree's folder) that its checkpoints cover: each byte
 * is accounted for, each tile recomputed, each anchor led back to. CORRUPT at the first that does
 * not fit; a file nobody knows is CORRUPT too. progress may be NULL. */
rp_err rp_verify_folder(const char *folder, void (*progress)(void *ctx, uint64_t entries),
                        void *ctx, struct rp_verify_report *ret_report);
/* One .tlog-proof against the entry's bytes (p == NULL: only that the proof is well signed) and
 * a verifier key. */
rp_err rp_verify_proof(rp_view proof, rp_view entry, rp_view vkey, struct rp_diag *diag);

#endif
