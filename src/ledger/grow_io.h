/* grow_io.h — one tree as it grows: its right edge in memory, everything else in files.
 *
 * Opened at its last signed checkpoint, fed with entries in order. A tile that is full is written
 * at once; partial ones when the tree is staged. Publishing has three steps, so that many trees
 * share each wait for the disk: stage (partial tiles) — sync — sign (the checkpoint under a
 * temporary name) — sync — publish (rename, then the partial files that nobody needs go).
 * Until the rename readers see the old checkpoint, and all that it names still stands.
 *
 * Fails: NO_SPACE, IO leave the tree as it was: the same call may be made again.
 */
#ifndef RP_LEDGER_GROW_IO_H
#define RP_LEDGER_GROW_IO_H

#include "ledger/client.h"
#include "ledger/disk_io.h"
#include "ledger/note.h"
#include "ledger/tiles.h"

/* What all trees of a ledger share. */
struct rp_grow_home {
    const struct rp_disk *disk;
    const char *folder; /* "ledger" */
    const char *host;   /* origins are host/log/… */
    struct rp_log_key key;
};

struct rp_grow;

/* CORRUPT with the file in the diag when what stands on disk is not what we signed. */
rp_err rp_grow_open(const struct rp_grow_home *home, struct rp_tree tree, struct rp_grow **ret_grow,
                    struct rp_diag *diag);
void rp_grow_free(struct rp_grow *grow); /* accepts NULL; what was not published is forgotten */

struct rp_tree rp_grow_tree(const struct rp_grow *grow);
uint64_t rp_grow_size(const struct rp_grow *grow);
size_t rp_grow_bytes(const struct rp_grow *grow); /* memory held */
/* The last checkpoint: its size and root; false when none was signed yet. */
bool rp_grow_published(const struct rp_grow *grow, uint64_t *ret_size, rp_hash *ret_root);
const char *rp_grow_folder(const struct rp_grow *grow);
rp_view rp_grow_origin(const struct rp_grow *grow);
/* Of all entries, those that no checkpoint names yet among them. */
rp_hash rp_grow_root(const struct rp_grow *grow);

rp_err rp_grow_add(struct rp_grow *grow, rp_view entry);

rp_err rp_grow_stage(struct rp_grow *grow);
rp_err rp_grow_sign(struct rp_grow *grow, const char *temporary);
/* In place of signing, for who holds the public key alone: a checkpoint of this very size and root
 * that the log signed; the caller has checked it. */
rp_err rp_grow_adopt(struct rp_grow *grow, rp_view note, const char *temporary);
rp_err rp_grow_publish(struct rp_grow *grow, const char *temporary);

#endif
