/* grow_load_io.c — a tree taken up again where its last checkpoint left it. */
#include "base/assert.h"
#include "base/checked.h"
#include "ledger/grow_state.h"
#include "os/file.h"

static rp_err corrupt(struct rp_diag *diag, const char *path, const char *what) {
    return rp_fail(diag, RP_ERR(CORRUPT), "%s: %s", path, what);
}

/* The folder's verifier key is ours; it is written when absent. */
static rp_err check_vkey(struct rp_grow *grow, struct rp_diag *diag) {
    char path[RP_GROW_PATH_SIZE];
    rp_grow_child_path(grow, "vkey", path);
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(RP_VKEY_MAX * 2);
    _cleanup_(rp_buf_done) struct rp_buf vkey = rp_buf_new(RP_VKEY_MAX);
    rp_vkey_print(&vkey, rp_grow_origin(grow), grow->home->key.public_key);
    rp_buf_add_byte(&vkey, '\n');
    RP_TRY(rp_buf_err(&vkey));
    rp_view found;
    rp_err err = arena ? rp_file_read(path, RP_VKEY_MAX, arena, &found) : RP_ERR(NO_MEMORY);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return rp_grow_put(grow, path, rp_buf_view(&vkey));
    }
    RP_TRY(err);
    return rp_view_equal(found, rp_buf_view(&vkey))
               ? RP_OK
               : corrupt(diag, path, "not the key that signs here (was `host` changed?)");
}

/* The hashes of a partial tile become those of the edge: one per bit of their number. */
static void add_peaks(struct rp_merkle_edge *edge, unsigned *count, rp_view hashes) {
    size_t n = hashes.n / RP_SHA256;
    for (size_t part = RP_TILE_WIDTH / 2; part > 0; part /= 2) {
        if (n & part) {
            RP_ASSERT(*count < 64);
            edge->roots[(*count)++] = rp_tile_root(rp_view_sub(hashes, 0, part * RP_SHA256));
            hashes = rp_view_from(hashes, part * RP_SHA256);
        }
    }
}

static rp_err load_hashes(struct rp_grow *grow, uint64_t size, struct rp_arena *arena,
                          struct rp_diag *diag) {
    unsigned peaks = 0;
    for (int level = RP_TILE_LEVELS - 1; level >= 0; level--) {
        uint64_t hashes = size >> (8 * level);
        unsigned width = (unsigned)(hashes % RP_TILE_WIDTH);
        if (width == 0) {
            continue;
        }
        char path[RP_GROW_PATH_SIZE];
        rp_view bytes;
        rp_tile_path(grow->folder, (struct rp_tlog_tile){level, hashes / RP_TILE_WIDTH, width},
                     path);
        if (!rp_ok(rp_file_read(path, RP_TILE_BYTES, arena, &bytes)) ||
            bytes.n != width * RP_SHA256) {
            return corrupt(diag, path, "missing or not whole");
        }
        rp_buf_add(&grow->hashes[level], bytes);
        RP_TRY(rp_buf_err(&grow->hashes[level]));
        add_peaks(&grow->edge, &peaks, bytes);
    }
    grow->edge.size = size;
    RP_ASSERT(peaks == (unsigned)__builtin_popcountll(size));
    return RP_OK;
}

static rp_err load_entries(struct rp_grow *grow, uint64_t size, struct rp_arena *arena,
                           struct rp_diag *diag) {
    unsigned width = (unsigned)(size % RP_TILE_WIDTH);
    if (width == 0) {
        return RP_OK;
    }
    char path[RP_GROW_PATH_SIZE];
    rp_view bytes;
    rp_tile_path(grow->folder, (struct rp_tlog_tile){RP_ENTRIES_LEVEL, size / RP_TILE_WIDTH, width},
                 path);
    if (!rp_ok(rp_file_read(path, RP_GROW_ENTRIES_MAX, arena, &bytes))) {
        return corrupt(diag, path, "missing or too large");
    }
    rp_view rest = bytes, entry;
    for (unsigned i = 0; i < width; i++) {
        if (!rp_ok(rp_bundle_next(&rest, &entry))) {
            return corrupt(diag, path, "not whole");
        }
        rp_hash leaf = rp_merkle_leaf(entry);
        if (!rp_view_equal(rp_view_of(leaf.b, sizeof leaf.b),
                           rp_view_sub(rp_buf_view(&grow->hashes[0]), i * RP_SHA256, RP_SHA256))) {
            return corrupt(diag, path, "an entry is not the one in the tree");
        }
    }
    rp_buf_add(&grow->entries, bytes);
    RP_TRY(rp_buf_err(&grow->entries));
    return rest.n == 0 ? RP_OK : corrupt(diag, path, "more entries than the tree has");
}

static rp_err load_checkpoint(struct rp_grow *grow, struct rp_arena *arena, bool *ret_found,
                              struct rp_diag *diag) {
    char path[RP_GROW_PATH_SIZE];
    rp_view note;
    rp_grow_child_path(grow, "checkpoint", path);
    rp_err err = rp_file_read(path, RP_NOTE_MAX, arena, &note);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        *ret_found = false;
        return RP_OK;
    }
    RP_TRY(err);
    struct rp_tlog_vkey vkey;
    struct rp_tlog_checkpoint checkpoint;
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(RP_VKEY_MAX);
    rp_vkey_print(&text, rp_grow_origin(grow), grow->home->key.public_key);
    RP_TRY(rp_buf_err(&text));
    RP_TRY(rp_vkey_parse(rp_buf_view(&text), arena, &vkey));
    if (!rp_ok(rp_checkpoint_check(note, &vkey, arena, &checkpoint))) {
        return corrupt(diag, path, "not signed by this ledger");
    }
    grow->published_size = grow->before_size = checkpoint.size;
    memcpy(grow->published_root.b, checkpoint.root, sizeof checkpoint.root);
    grow->signed_once = true;
    *ret_found = true;
    return RP_OK;
}

rp_err rp_grow_load(struct rp_grow *grow, struct rp_diag *diag) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena =
        rp_arena_new(RP_GROW_ENTRIES_MAX + (1 << 20));
    bool found = false;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(check_vkey(grow, diag));
    RP_TRY(load_checkpoint(grow, arena, &found, diag));
    if (!found) {
        return RP_OK;
    }
    RP_TRY(load_hashes(grow, grow->published_size, arena, diag));
    rp_hash root = rp_merkle_edge_root(&grow->edge);
    if (!rp_sha256_equal(&root, &grow->published_root)) {
        return corrupt(diag, grow->folder, "the last tiles do not give the checkpoint's root");
    }
    return load_entries(grow, grow->published_size, arena, diag);
}
