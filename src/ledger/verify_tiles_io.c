/* The tiles of one tree: what the checkpoint needs, recomputed from the entries; then every other
 * file of the folder, which must be a beginning or a continuation of those.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "ledger/verify_io.h"
#include "os/file.h"

static void tile_name(struct rp_tlog_tile tile, char out[static RP_TILE_PATH_MAX]) {
    struct rp_buf name = rp_buf_over(out, RP_TILE_PATH_MAX - 1);
    rp_tlog_tile_print(&name, tile);
    RP_ASSERT(!name.failed);
    out[name.n] = '\0';
}

/* ---- tiles ---- */

/* Tile or bundle n as the checkpoint needs it. While the log grows a partial file may have given
 * way to a wider one: then that one's beginning is what we need, and *ret_wider says so. */
static rp_err read_tile(struct rp_verify_tree *tree, int level, uint64_t n,
                        char ret_name[static RP_TILE_PATH_MAX], rp_view *ret_bytes,
                        bool *ret_wider) {
    unsigned width = rp_tile_width(level, n, tree->size);
    RP_ASSERT(width > 0);
    tile_name((struct rp_tlog_tile){level, n, width}, ret_name);
    rp_err err = rp_verify_file(tree, ret_name, RP_VERIFY_FILE_MAX, ret_bytes);
    *ret_wider = false;
    if (rp_is(err, RP_E_NOT_FOUND) && width < RP_TILE_WIDTH) {
        uint64_t now = rp_verify_size_now(tree);
        unsigned wider = now > tree->size ? rp_tile_width(level, n, now) : width;
        char other[RP_TILE_PATH_MAX];
        tile_name((struct rp_tlog_tile){level, n, wider}, other);
        err = wider > width ? rp_verify_file(tree, other, RP_VERIFY_FILE_MAX, ret_bytes) : err;
        *ret_wider = true;
    }
    return rp_ok(err) ? err : rp_verify_missing(tree, ret_name);
}

/* A hash tile, exactly as long as it must be. */
static rp_err read_hashes(struct rp_verify_tree *tree, int level, uint64_t n,
                          char ret_name[static RP_TILE_PATH_MAX], rp_view *ret_hashes) {
    rp_view bytes;
    bool wider;
    RP_TRY(read_tile(tree, level, n, ret_name, &bytes, &wider));
    size_t want = (size_t)rp_tile_width(level, n, tree->size) * RP_SHA256;
    if (bytes.n < want || (bytes.n > want && !wider)) {
        return rp_verify_bad(tree->v, tree, ret_name, RP_MIN(bytes.n, want),
                             "%zu bytes instead of %zu", bytes.n, want);
    }
    *ret_hashes = rp_view_sub(bytes, 0, want);
    return RP_OK;
}

static size_t first_difference(rp_view a, rp_view b) {
    size_t n = RP_MIN(a.n, b.n), i = 0;
    while (i < n && a.p[i] == b.p[i]) {
        i++;
    }
    return i;
}

/* The root that the files' right edge gives, as far as they can be read. */
static bool edge_gives_root(struct rp_verify_tree *tree) {
    struct rp_merkle_edge edge = {.size = tree->size};
    unsigned count = 0;
    for (int level = RP_TILE_LEVELS - 1; level >= 0; level--) {
        uint64_t hashes = tree->size >> (8 * level);
        char name[RP_TILE_PATH_MAX];
        rp_view bytes;
        if (hashes % RP_TILE_WIDTH == 0) {
            continue;
        }
        tile_name((struct rp_tlog_tile){level, hashes / RP_TILE_WIDTH,
                                        (unsigned)(hashes % RP_TILE_WIDTH)},
                  name);
        if (!rp_ok(rp_verify_file(tree, name, RP_VERIFY_FILE_MAX, &bytes)) ||
            bytes.n < hashes % RP_TILE_WIDTH * RP_SHA256) {
            return false;
        }
        for (size_t part = RP_TILE_WIDTH / 2; part > 0; part /= 2) {
            if (hashes & part) {
                edge.roots[count++] = rp_tile_root(rp_view_sub(bytes, 0, part * RP_SHA256));
                bytes = rp_view_from(bytes, part * RP_SHA256);
            }
        }
    }
    rp_hash root = rp_merkle_edge_root(&edge);
    return rp_view_equal(rp_hash_view(&root), rp_hash_view(&tree->root));
}

/* Does the tile agree with what stands above it? Then what disagrees with it is wrong. */
static bool tile_is_right(struct rp_verify_tree *tree, uint64_t n, rp_view hashes) {
    if (hashes.n < RP_TILE_BYTES) {
        return edge_gives_root(tree);
    }
    uint64_t parent = n / RP_TILE_WIDTH;
    char name[RP_TILE_PATH_MAX];
    rp_view above;
    tile_name((struct rp_tlog_tile){1, parent, rp_tile_width(1, parent, tree->size)}, name);
    rp_hash root = rp_tile_root(hashes);
    return rp_ok(rp_verify_file(tree, name, RP_VERIFY_FILE_MAX, &above)) &&
           rp_view_equal(rp_hash_view(&root),
                         rp_view_sub(above, (size_t)(n % RP_TILE_WIDTH) * RP_SHA256, RP_SHA256));
}

static rp_err blame(struct rp_verify_tree *tree, uint64_t n, rp_view hashes, const char *tile,
                    const char *bundle, unsigned i, const rp_hash *leaf, size_t entry_at) {
    if (tile_is_right(tree, n, hashes)) {
        return rp_verify_bad(tree->v, tree, bundle, entry_at,
                             "entry %llu is not the one that was logged",
                             (unsigned long long)(n * RP_TILE_WIDTH + i));
    }
    rp_view stored = rp_view_sub(hashes, i * RP_SHA256, RP_SHA256);
    return rp_verify_bad(
        tree->v, tree, tile, i * RP_SHA256 + first_difference(stored, rp_hash_view(leaf)),
        "the hash of entry %llu is wrong", (unsigned long long)(n * RP_TILE_WIDTH + i));
}

/* Each entry of bundle n against its hash in tile n of level 0. */
static rp_err check_bundle(struct rp_verify_tree *tree, uint64_t n) {
    char tile[RP_TILE_PATH_MAX], bundle[RP_TILE_PATH_MAX];
    rp_view hashes, bytes, entry;
    unsigned width = rp_tile_width(RP_ENTRIES_LEVEL, n, tree->size);
    RP_TRY(read_hashes(tree, 0, n, tile, &hashes));
    bool wider;
    RP_TRY(read_tile(tree, RP_ENTRIES_LEVEL, n, bundle, &bytes, &wider));
    rp_view rest = bytes;
    for (unsigned i = 0; i < width; i++) {
        size_t at = bytes.n - rest.n;
        if (!rp_ok(rp_bundle_next(&rest, &entry))) {
            return rp_verify_bad(tree->v, tree, bundle, at, "entry %llu is not whole",
                                 (unsigned long long)(n * RP_TILE_WIDTH + i));
        }
        rp_hash leaf = rp_merkle_leaf(entry);
        if (!rp_view_equal(rp_hash_view(&leaf), rp_view_sub(hashes, i * RP_SHA256, RP_SHA256))) {
            return blame(tree, n, hashes, tile, bundle, i, &leaf, at);
        }
        rp_merkle_edge_add(&tree->edge, &leaf);
        RP_TRY(rp_verify_see_entry(tree, n * RP_TILE_WIDTH + i, entry));
    }
    if (rest.n > 0 && !wider) {
        return rp_verify_bad(tree->v, tree, bundle, bytes.n - rest.n,
                             "more bytes than its entries have");
    }
    tree->v->report.entries += width;
    return RP_OK;
}

static rp_err check_bundles(struct rp_verify_tree *tree) {
    uint64_t count = (tree->size + RP_TILE_WIDTH - 1) / RP_TILE_WIDTH;
    for (uint64_t n = 0; n < count; n++) {
        rp_arena_reset(tree->arena);
        RP_TRY(check_bundle(tree, n));
        if (tree->v->progress) {
            tree->v->progress(tree->v->ctx, tree->v->report.entries);
        }
    }
    return RP_OK;
}

/* Each hash of a tile above level 0 is the root of a whole tile below, which was checked before. */
static rp_err check_upper_tile(struct rp_verify_tree *tree, int level, uint64_t n) {
    char name[RP_TILE_PATH_MAX], child[RP_TILE_PATH_MAX];
    rp_view hashes, below;
    rp_arena_reset(tree->arena);
    RP_TRY(read_hashes(tree, level, n, name, &hashes));
    uint8_t copy[RP_TILE_BYTES];
    memcpy(copy, hashes.p, hashes.n);
    rp_view mine = rp_view_of(copy, hashes.n);
    for (size_t i = 0; i < mine.n / RP_SHA256; i++) {
        rp_arena_reset(tree->arena);
        RP_TRY(read_hashes(tree, level - 1, n * RP_TILE_WIDTH + i, child, &below));
        rp_hash root = rp_tile_root(below);
        rp_view stored = rp_view_sub(mine, i * RP_SHA256, RP_SHA256);
        if (!rp_view_equal(rp_hash_view(&root), stored)) {
            return rp_verify_bad(tree->v, tree, name,
                                 i * RP_SHA256 + first_difference(stored, rp_hash_view(&root)),
                                 "not the hash of the tile below");
        }
    }
    return RP_OK;
}

static rp_err check_upper_levels(struct rp_verify_tree *tree) {
    for (int level = 1; level < RP_TILE_LEVELS && tree->size >> (8 * level) > 0; level++) {
        uint64_t hashes = tree->size >> (8 * level);
        for (uint64_t n = 0; n * RP_TILE_WIDTH < hashes; n++) {
            RP_TRY(check_upper_tile(tree, level, n));
        }
    }
    RP_ASSERT(tree->edge.size == tree->size);
    rp_hash root = rp_merkle_edge_root(&tree->edge);
    if (!rp_view_equal(rp_hash_view(&root), rp_hash_view(&tree->root))) {
        return rp_verify_bad(tree->v, tree, "checkpoint", 0,
                             "its root is not the root of the entries that stand here");
    }
    return RP_OK;
}

/* ---- every other file of the folder ---- */

/* A partial file narrower than the one checked is its beginning, to the byte. */
static rp_err check_narrower(struct rp_verify_tree *tree, const char *file,
                             struct rp_tlog_tile tile) {
    char name[RP_TILE_PATH_MAX];
    rp_view old, now, rest, entry;
    rp_arena_reset(tree->arena);
    rp_err err = rp_verify_file(tree, file, RP_VERIFY_FILE_MAX, &old);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return RP_OK; /* swept away while we looked */
    }
    RP_TRY(err);
    bool wider;
    RP_TRY(read_tile(tree, tile.level, tile.n, name, &now, &wider));
    size_t want = (size_t)tile.width * RP_SHA256;
    if (tile.level == RP_ENTRIES_LEVEL) {
        rest = now;
        for (unsigned i = 0; i < tile.width; i++) {
            RP_TRY(rp_bundle_next(&rest, &entry));
        }
        want = now.n - rest.n;
    }
    if (old.n != want || !rp_view_equal(old, rp_view_sub(now, 0, want))) {
        return rp_verify_bad(tree->v, tree, file, first_difference(old, now),
                             "not what stood in the tree at that size");
    }
    rp_verify_count(tree->v, old.n);
    return RP_OK;
}

/* A file past the checkpoint is fine when a newer checkpoint comes that covers it. */
static rp_err check_wider(struct rp_verify_tree *tree, const char *file, struct rp_tlog_tile tile) {
    char path[RP_VERIFY_PATH_MAX];
    rp_verify_path(tree->folder, file, path);
    for (unsigned i = 0; i < RP_VERIFY_LOOKS; i++) {
        uint64_t now = rp_verify_size_now(tree);
        if (rp_tile_width(tile.level, tile.n, now) >= tile.width || !rp_file_exists(path)) {
            return RP_OK;
        }
        rp_verify_wait();
    }
    return rp_verify_bad(tree->v, tree, file, 0,
                         "lies past the checkpoint: rolled back, or stopped while publishing");
}

static rp_err check_tile_file(struct rp_verify_tree *tree, const char *file) {
    struct rp_tlog_tile tile;
    if (!rp_ok(rp_tlog_tile_parse(rp_view_from_cstr(file), &tile)) ||
        tile.level >= RP_TILE_LEVELS) {
        return rp_verify_bad(tree->v, tree, file, 0, "a file that nobody knows");
    }
    unsigned width = rp_tile_width(tile.level, tile.n, tree->size);
    if (tile.width > width) {
        return check_wider(tree, file, tile);
    }
    if (tile.width < width) {
        return check_narrower(tree, file, tile);
    }
    char path[RP_VERIFY_PATH_MAX];
    _cleanup_fd_ int fd = -1;
    uint64_t bytes = 0;
    rp_verify_path(tree->folder, file, path);
    if (rp_ok(rp_file_open(path, &fd))) {
        RP_TRY(rp_file_size(fd, &bytes));
    }
    rp_verify_count(tree->v, bytes);
    return RP_OK;
}

struct walk {
    struct rp_verify_tree *tree;
    char path[RP_VERIFY_PATH_MAX]; /* below the tree's folder, no slash at the end */
};

static rp_err walk_tiles(void *ctx, const char *name, bool is_folder) {
    const struct walk *above = ctx;
    struct walk here = {.tree = above->tree};
    if (strlen(above->path) + strlen(name) > RP_VERIFY_PATH_MAX / 2 - 64) {
        return rp_verify_bad(above->tree->v, above->tree, above->path, 0,
                             "a path too long to be ours");
    }
    rp_verify_path(above->path, name, here.path);
    if (!is_folder) {
        return check_tile_file(here.tree, here.path);
    }
    char full[RP_VERIFY_PATH_MAX];
    rp_verify_path(here.tree->folder, here.path, full);
    rp_err err = rp_folder_each(full, walk_tiles, &here);
    return rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err; /* swept away while we looked */
}

static rp_err walk_top(void *ctx, const char *name, bool is_folder) {
    struct walk *walk = ctx;
    struct rp_verify_tree *tree = walk->tree;
    bool known_file = strcmp(name, "checkpoint") == 0 || strcmp(name, "vkey") == 0 ||
                      strcmp(name, "witnessed") == 0; /* rp_verify_witnessed */
    bool known_folder = strcmp(name, "tile") == 0 || strcmp(name, "anchors") == 0;
    if (is_folder ? !known_folder : !known_file) {
        return rp_verify_bad(tree->v, tree, name, 0, "a file that nobody knows");
    }
    if (strcmp(name, "tile") != 0) {
        return RP_OK;
    }
    char full[RP_VERIFY_PATH_MAX];
    struct walk below = {.tree = tree, .path = "tile"};
    rp_verify_path(tree->folder, "tile", full);
    return rp_folder_each(full, walk_tiles, &below);
}

rp_err rp_verify_tiles(struct rp_verify_tree *tree) {
    RP_TRY(check_bundles(tree));
    return check_upper_levels(tree);
}

rp_err rp_verify_other_files(struct rp_verify_tree *tree) {
    struct walk walk = {.tree = tree};
    return rp_folder_each(tree->folder, walk_top, &walk);
}
