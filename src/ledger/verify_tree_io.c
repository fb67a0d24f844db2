#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ledger/verify_io.h"
#include "os/file.h"

enum {
    FILE_MAX = RP_TILE_WIDTH * (RP_TLOG_ENTRY_MAX + 2),
    LOOKS = 20 /* at a growing log, 100 ms apart, before what is missing counts as gone */
};

static rp_view hash_view(const rp_hash *hash) {
    return rp_view_of(hash->b, sizeof hash->b);
}

/* ---- files ---- */

static void full_path(const struct rp_verify_tree *tree, const char *file,
                      char out[static RP_VERIFY_PATH_MAX]) {
    rp_verify_path(tree->folder, file, out);
}

/* The whole file; the arena is for one at a time unless `keep`. */
static rp_err read_file(struct rp_verify_tree *tree, const char *file, size_t max,
                        rp_view *ret_bytes) {
    char path[RP_VERIFY_PATH_MAX];
    full_path(tree, file, path);
    return rp_file_read(path, max, tree->arena, ret_bytes);
}

static void tile_name(struct rp_tlog_tile tile, char out[static RP_TILE_PATH_MAX]) {
    _cleanup_(rp_buf_done) struct rp_buf name = rp_buf_new(RP_TILE_PATH_MAX - 1);
    rp_tlog_tile_print(&name, tile);
    RP_ASSERT(!name.failed);
    memcpy(out, name.p, name.n);
    out[name.n] = '\0';
}

static rp_err missing(struct rp_verify_tree *tree, const char *file) {
    return rp_verify_bad(tree->v, tree, file, 0, "missing, or cannot be read");
}

/* ---- key and checkpoint ---- */

static rp_err check_vkey(struct rp_verify_tree *tree) {
    rp_view text;
    if (!rp_ok(rp_file_exists(tree->folder) ? read_file(tree, "vkey", RP_VKEY_MAX, &text)
                                            : RP_ERR(NOT_FOUND))) {
        return missing(tree, "vkey");
    }
    rp_verify_count(tree->v, text.n);
    rp_view line = rp_view_ends(text, RP_VIEW("\n")) ? rp_view_sub(text, 0, text.n - 1) : text;
    rp_view copy;
    RP_TRY(rp_arena_copy(tree->key_arena, line, &copy));
    if (line.n == text.n || !rp_ok(rp_vkey_parse(copy, tree->key_arena, &tree->vkey)) ||
        tree->vkey.name.n >= RP_ORIGIN_MAX) {
        return rp_verify_bad(tree->v, tree, "vkey", 0, "not a verifier key");
    }
    /* Another tree's key would do for another tree's files. */
    char end[64];
    int n = snprintf(end, sizeof end, "/log/%s", tree->name);
    RP_ASSERT(n > 0 && (size_t)n < sizeof end);
    if (tree->name[0] && !rp_view_ends(tree->vkey.name, rp_view_from_cstr(end))) {
        return rp_verify_bad(tree->v, tree, "vkey", 0, "the key of another tree");
    }
    memcpy(tree->origin, tree->vkey.name.p, tree->vkey.name.n);
    tree->origin[tree->vkey.name.n] = '\0';
    return RP_OK;
}

static rp_err read_checkpoint(struct rp_verify_tree *tree, struct rp_tlog_checkpoint *ret) {
    char path[RP_VERIFY_PATH_MAX];
    rp_view note;
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(16 * RP_NOTE_MAX);
    full_path(tree, "checkpoint", path);
    RP_TRY(arena ? rp_file_read(path, RP_NOTE_MAX, arena, &note) : RP_ERR(NO_MEMORY));
    RP_TRY(rp_checkpoint_check(note, &tree->vkey, arena, ret));
    ret->origin = (rp_view){NULL, 0};
    return RP_OK;
}

uint64_t rp_verify_size_now(const struct rp_verify_tree *tree) {
    struct rp_tlog_checkpoint checkpoint;
    struct rp_verify_tree copy = *tree;
    return rp_ok(read_checkpoint(&copy, &checkpoint)) ? checkpoint.size : 0;
}

static rp_err check_checkpoint(struct rp_verify_tree *tree) {
    struct rp_tlog_checkpoint checkpoint;
    char path[RP_VERIFY_PATH_MAX];
    full_path(tree, "checkpoint", path);
    /* A tree that has just been born is signed a moment later. */
    for (unsigned i = 0; i < LOOKS && !rp_file_exists(path); i++) {
        rp_verify_wait();
    }
    if (!rp_file_exists(path)) {
        return missing(tree, "checkpoint");
    }
    if (!rp_ok(read_checkpoint(tree, &checkpoint))) {
        return rp_verify_bad(tree->v, tree, "checkpoint", 0, "not signed by the key in vkey");
    }
    tree->size = checkpoint.size;
    memcpy(tree->root.b, checkpoint.root, RP_SHA256);
    return RP_OK;
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
    rp_err err = read_file(tree, ret_name, FILE_MAX, ret_bytes);
    *ret_wider = false;
    if (rp_is(err, RP_E_NOT_FOUND) && width < RP_TILE_WIDTH) {
        uint64_t now = rp_verify_size_now(tree);
        unsigned wider = now > tree->size ? rp_tile_width(level, n, now) : width;
        char other[RP_TILE_PATH_MAX];
        tile_name((struct rp_tlog_tile){level, n, wider}, other);
        err = wider > width ? read_file(tree, other, FILE_MAX, ret_bytes) : err;
        *ret_wider = true;
    }
    return rp_ok(err) ? err : missing(tree, ret_name);
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
        if (!rp_ok(read_file(tree, name, FILE_MAX, &bytes)) ||
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
    return rp_view_equal(hash_view(&root), hash_view(&tree->root));
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
    return rp_ok(read_file(tree, name, FILE_MAX, &above)) &&
           rp_view_equal(hash_view(&root),
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
        tree->v, tree, tile, i * RP_SHA256 + first_difference(stored, hash_view(leaf)),
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
        if (!rp_view_equal(hash_view(&leaf), rp_view_sub(hashes, i * RP_SHA256, RP_SHA256))) {
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
        if (!rp_view_equal(hash_view(&root), stored)) {
            return rp_verify_bad(tree->v, tree, name,
                                 i * RP_SHA256 + first_difference(stored, hash_view(&root)),
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
    if (!rp_view_equal(hash_view(&root), hash_view(&tree->root))) {
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
    rp_err err = read_file(tree, file, FILE_MAX, &old);
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
    full_path(tree, file, path);
    for (unsigned i = 0; i < LOOKS; i++) {
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
    full_path(tree, file, path);
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
    full_path(here.tree, here.path, full);
    rp_err err = rp_folder_each(full, walk_tiles, &here);
    return rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err; /* swept away while we looked */
}

static rp_err walk_top(void *ctx, const char *name, bool is_folder) {
    struct walk *walk = ctx;
    struct rp_verify_tree *tree = walk->tree;
    bool known_file = strcmp(name, "checkpoint") == 0 || strcmp(name, "vkey") == 0;
    bool known_folder = strcmp(name, "tile") == 0 || strcmp(name, "anchors") == 0;
    if (is_folder ? !known_folder : !known_file) {
        return rp_verify_bad(tree->v, tree, name, 0, "a file that nobody knows");
    }
    if (strcmp(name, "tile") != 0) {
        return RP_OK;
    }
    char full[RP_VERIFY_PATH_MAX];
    struct walk below = {.tree = tree, .path = "tile"};
    full_path(tree, "tile", full);
    return rp_folder_each(full, walk_tiles, &below);
}

/* ---- anchor records ---- */

struct names {
    struct rp_verify_tree *tree;
    uint64_t *numbers;
    size_t count;
};
enum { ANCHOR_FILES_MAX = 1 << 20 };

static rp_err collect_name(void *ctx, const char *name, bool is_folder) {
    struct names *names = ctx;
    uint64_t number;
    if (is_folder || !rp_view_to_u64(rp_view_from_cstr(name), UINT64_MAX, &number)) {
        char file[300];
        int n = snprintf(file, sizeof file, "anchors/%.255s", name);
        RP_ASSERT(n > 0);
        return rp_verify_bad(names->tree->v, names->tree, file, 0, "a file that nobody knows");
    }
    if (names->count == ANCHOR_FILES_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    names->numbers[names->count++] = number;
    return RP_OK;
}

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y ? 1 : 0;
}

static void free_numbers(struct names *names) {
    free(names->numbers);
}

static void log_freep(struct rp_log **log) {
    rp_log_free(*log);
}

static rp_err check_anchors(struct rp_verify_tree *tree) {
    char folder[RP_VERIFY_PATH_MAX];
    full_path(tree, "anchors", folder);
    _cleanup_(free_numbers) struct names names = {.tree = tree};
    names.numbers = calloc(ANCHOR_FILES_MAX, sizeof *names.numbers);
    if (!names.numbers) {
        return RP_ERR(NO_MEMORY);
    }
    rp_err err = rp_folder_each(folder, collect_name, &names);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return RP_OK;
    }
    RP_TRY(err);
    qsort(names.numbers, names.count, sizeof *names.numbers, by_number);
    _cleanup_(log_freep) struct rp_log *log = NULL;
    struct rp_diag diag;
    if (!rp_ok(rp_log_open(tree->folder, (rp_view){NULL, 0}, &log, &diag))) {
        return rp_verify_bad(tree->v, tree, "checkpoint", 0, "%s", diag.text);
    }
    uint64_t next_number = 0, last_index = 0;
    for (size_t i = 0; i < names.count; i++) {
        char name[32];
        int n = snprintf(name, sizeof name, "%llu", (unsigned long long)names.numbers[i]);
        RP_ASSERT(n > 0 && (size_t)n < sizeof name);
        RP_TRY(rp_verify_anchor_file(tree, log, name, &next_number, &last_index));
    }
    return RP_OK;
}

/* ---- one tree ---- */

static rp_err check_all(struct rp_verify_tree *tree) {
    RP_TRY(check_vkey(tree));
    RP_TRY(check_checkpoint(tree));
    rp_verify_count(tree->v, 0);
    RP_TRY(check_bundles(tree));
    RP_TRY(check_upper_levels(tree));
    struct walk walk = {.tree = tree};
    RP_TRY(rp_folder_each(tree->folder, walk_top, &walk));
    RP_TRY(check_anchors(tree));
    if (strcmp(tree->name, "public") == 0) {
        tree->v->public_size = tree->size;
    }
    tree->v->report.trees++;
    return RP_OK;
}

rp_err rp_verify_tree(struct rp_verify *v, const char *name) {
    struct rp_verify_tree *tree = calloc(1, sizeof *tree);
    if (!tree) {
        return RP_ERR(NO_MEMORY);
    }
    int n =
        snprintf(tree->folder, sizeof tree->folder, "%s%s%s", v->folder, name[0] ? "/" : "", name);
    RP_ASSERT(n > 0 && (size_t)n < sizeof tree->folder);
    tree->v = v;
    tree->name = name;
    tree->arena = rp_arena_new(3 * (size_t)FILE_MAX);
    tree->key_arena = rp_arena_new(8 * RP_VKEY_MAX);
    rp_err err = tree->arena && tree->key_arena ? check_all(tree) : RP_ERR(NO_MEMORY);
    rp_arena_free(tree->arena);
    rp_arena_free(tree->key_arena);
    free(tree);
    return err;
}
