/* vault_io.h — a copy of a whole log that whoever sends it can only let grow.
 *
 * It stands on the log machine: entries come in order, a checkpoint is kept only when the log's
 * pinned key signed it and when its root is the one that was computed here, records of anchors and
 * access segments come once and in order. Nothing is read back, replaced or removed. On disk it is
 * a ledger's folder without its journal and key, which rp_verify_folder accepts.
 *
 * What no checkpoint covers yet counts for nothing: it is gone after a restart, and after a
 * checkpoint that does not fit it; the sender asks how far the copy goes and sends on from there.
 *
 * Fails: CONFLICT (not the next ones), BAD_SIGNATURE, REPLAYED (a checkpoint of fewer entries than
 * a signed one kept here, of the same history), CORRUPT (another root: a second history),
 * NOT_FOUND, DUPLICATE; the diag says it in numbers. NO_SPACE and IO leave everything as it was:
 * send again.
 */
#ifndef RP_LEDGER_VAULT_IO_H
#define RP_LEDGER_VAULT_IO_H

#include "base/env.h"
#include "ledger/client.h"
#include "ledger/disk_io.h"

struct rp_vault;

/* vkey: that of the log's public tree, "host/log/public+…", which is the key of all its trees.
 * INVALID when it is not one; CORRUPT with the file in the diag when a tree that stands there is
 * not what that key signed. Makes the folder's own folders. */
rp_err rp_vault_open(const struct rp_env *env, const struct rp_disk *disk, const char *folder,
                     rp_view vkey, struct rp_vault **ret_vault, struct rp_diag *diag);
void rp_vault_free(
    struct rp_vault *vault); /* accepts NULL; what no checkpoint covers is forgotten */

struct rp_vault_size {
    uint64_t entries; /* where the next ones go on */
    uint64_t covered; /* by the checkpoint that is kept */
    uint64_t records; /* of anchors */
};
/* Zeros for a tree of which nothing came. */
rp_err rp_vault_size(struct rp_vault *vault, struct rp_tree tree, struct rp_vault_size *ret_size,
                     struct rp_diag *diag);

/* entries: one or more, as a bundle holds them (tiles.h). SYNTAX when they are not whole. */
rp_err rp_vault_entries(struct rp_vault *vault, struct rp_tree tree, uint64_t first,
                        rp_view entries, struct rp_diag *diag);
/* The checkpoint's text; durable when this returns. The one that is kept already is fine. */
rp_err rp_vault_head(struct rp_vault *vault, struct rp_tree tree, rp_view note,
                     struct rp_diag *diag);
/* Anchor records of a private tree (proven.h), whole ones, the next by their number: CORRUPT unless
 * each leads to its anchor, and the anchor stands under a checkpoint that the log signed. Durable
 * with the next checkpoint of any tree. */
rp_err rp_vault_records(struct rp_vault *vault, struct rp_tree tree, rp_view records,
                        struct rp_diag *diag);

/* Would these be taken? Nothing changes. */
rp_err rp_vault_entries_fit(struct rp_vault *vault, struct rp_tree tree, uint64_t first,
                            rp_view entries, struct rp_diag *diag);
rp_err rp_vault_head_fits(struct rp_vault *vault, struct rp_tree tree, rp_view note,
                          struct rp_diag *diag);

/* ---- access segments ---- */

/* The oldest segment after this time that an entry of the operator's tree names and that is not
 * here yet, and how many of its bytes are; time 0: none. */
void rp_vault_wanted(const struct rp_vault *vault, uint64_t after_ms, uint64_t *ret_time_ms,
                     uint64_t *ret_bytes);
/* The next bytes of a segment that is `total` long. With the last it is compared with its entry:
 * CORRUPT when it is another, and then it begins anew. NOT_FOUND when no entry names it, DUPLICATE
 * when it is here. */
struct rp_vault_piece {
    uint64_t time_ms, offset, total;
    rp_view bytes;
};
rp_err rp_vault_segment_fits(const struct rp_vault *vault, const struct rp_vault_piece *piece,
                             struct rp_diag *diag);
rp_err rp_vault_segment(struct rp_vault *vault, const struct rp_vault_piece *piece,
                        struct rp_diag *diag);

/* ---- for people ---- */

struct rp_vault_tally {
    uint64_t trees, entries; /* under checkpoints */
    uint64_t segments;       /* wanted and not here yet */
};
struct rp_vault_tally rp_vault_tally(const struct rp_vault *vault);

#endif
