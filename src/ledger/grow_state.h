/* grow_state.h — what a growing tree is in memory. For grow_io, which makes it grow, and
 * grow_load_io, which takes up again what stands on the disk.
 */
#ifndef RP_LEDGER_GROW_STATE_H
#define RP_LEDGER_GROW_STATE_H

#include "ledger/grow_io.h"
#include "ledger/origin.h"

enum {
    RP_GROW_FOLDER_SIZE = 128,
    RP_GROW_PATH_SIZE = RP_TILE_PATH_MAX,
    RP_GROW_ENTRIES_MAX = RP_TILE_WIDTH * (RP_TLOG_ENTRY_MAX + 2)
};

struct rp_grow {
    const struct rp_grow_home *home;
    struct rp_tree tree;
    char folder[RP_GROW_FOLDER_SIZE];
    char origin[RP_ORIGIN_MAX];
    mode_t mode;
    struct rp_merkle_edge edge;
    struct rp_buf hashes[RP_TILE_LEVELS]; /* of the last tile of each level; 256 = to be written */
    struct rp_buf entries;                /* the last bundle */
    bool signed_once;
    uint64_t published_size, before_size; /* at the last checkpoint, and the one before */
    rp_hash published_root;
};

/* Of a file in the tree's folder. */
void rp_grow_child_path(const struct rp_grow *grow, const char *name,
                        char out[static RP_GROW_PATH_SIZE]);
/* The file whole and durable, or as it was. */
rp_err rp_grow_put(const struct rp_grow *grow, const char *path, rp_view bytes);

/* Into a state that is empty yet: as of the last checkpoint; nothing when there was none. CORRUPT
 * when tiles, entries or key are not those of the checkpoint. */
rp_err rp_grow_load(struct rp_grow *grow, struct rp_diag *diag);

#endif
