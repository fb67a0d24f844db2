/* tiles.h — how a tree of any size is cut into files of 256 hashes (C2SP tlog-tiles).
 *
 * Tile n of level L holds the roots of the subtrees [i << 8L, (i + 1) << 8L) for the 256 values i
 * from 256 n on. Only whole subtrees have a hash in a tile; the last tile of a level may be
 * partial. Entry bundles are cut like level 0.
 */
#ifndef RP_LEDGER_TILES_H
#define RP_LEDGER_TILES_H

#include "ledger/merkle.h"
#include "wire/tlog.h"

enum { RP_TILE_WIDTH = 256, RP_TILE_LEVELS = 8, RP_TILE_BYTES = RP_TILE_WIDTH * RP_SHA256 };
enum { RP_ENTRIES_LEVEL = -1, RP_TILE_PATH_MAX = 512 };

/* "FOLDER/tile/…" and a NUL. */
void rp_tile_path(const char *folder, struct rp_tlog_tile tile, char out[static RP_TILE_PATH_MAX]);
/* "FOLDER/tile/….p": where the partial ones of a tile stand. */
void rp_tile_partials_path(const char *folder, int level, uint64_t n,
                           char out[static RP_TILE_PATH_MAX]);

/* How many hashes tile n of the level has in a tree of this size: 0 to 256. level -1 as 0. */
unsigned rp_tile_width(int level, uint64_t n, uint64_t size);

/* The root of 2^k hashes that stand one after the other. */
rp_hash rp_tile_root(rp_view hashes);

/* An entry bundle: each entry is length:u16 and its bytes. Cuts the next one off *rest; CORRUPT
 * when it is not whole. */
rp_err rp_bundle_next(rp_view *rest, rp_view *ret_entry);
void rp_bundle_add(struct rp_buf *bundle, rp_view entry);

#endif
