#include "ledger/grow_state.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/batch.h"
#include "os/file.h"

struct rp_tree rp_grow_tree(const struct rp_grow *grow) {
    return grow->tree;
}

uint64_t rp_grow_size(const struct rp_grow *grow) {
    return grow->edge.size;
}

const char *rp_grow_folder(const struct rp_grow *grow) {
    return grow->folder;
}

rp_view rp_grow_origin(const struct rp_grow *grow) {
    return rp_view_from_cstr(grow->origin);
}

rp_hash rp_grow_root(const struct rp_grow *grow) {
    return rp_merkle_edge_root(&grow->edge);
}

size_t rp_grow_bytes(const struct rp_grow *grow) {
    size_t n = sizeof *grow + grow->entries.capacity;
    for (size_t i = 0; i < RP_TILE_LEVELS; i++) {
        n += grow->hashes[i].capacity;
    }
    return n;
}

bool rp_grow_published(const struct rp_grow *grow, uint64_t *ret_size, rp_hash *ret_root) {
    if (grow->signed_once) {
        *ret_size = grow->published_size;
        *ret_root = grow->published_root;
    }
    return grow->signed_once;
}

void rp_grow_child_path(const struct rp_grow *grow, const char *name,
                        char out[static RP_GROW_PATH_SIZE]) {
    int n = snprintf(out, RP_GROW_PATH_SIZE, "%s/%s", grow->folder, name);
    RP_ASSERT(n > 0 && n < RP_GROW_PATH_SIZE);
}

rp_err rp_grow_put(const struct rp_grow *grow, const char *path, rp_view bytes) {
    char temporary[RP_GROW_PATH_SIZE];
    int n = snprintf(temporary, sizeof temporary, "%s/journal/put.tmp", grow->home->folder);
    RP_ASSERT(n > 0 && n < RP_GROW_PATH_SIZE);
    const struct rp_disk *disk = grow->home->disk;
    return disk->put(disk->ctx, temporary, path, grow->mode, bytes);
}

static rp_err put_tile(const struct rp_grow *grow, struct rp_tlog_tile tile, rp_view bytes) {
    char path[RP_GROW_PATH_SIZE];
    rp_tile_path(grow->folder, tile, path);
    return rp_grow_put(grow, path, bytes);
}

/* ---- growing ---- */

/* Writes the full tile of level 0 with its bundle, and each tile above that it makes full. Only
 * when all stand is anything changed in memory. */
static rp_err write_full(struct rp_grow *grow) {
    rp_hash roots[RP_TILE_LEVELS];
    uint64_t n = grow->edge.size / RP_TILE_WIDTH - 1;
    RP_TRY(put_tile(grow, (struct rp_tlog_tile){RP_ENTRIES_LEVEL, n, RP_TILE_WIDTH},
                    rp_buf_view(&grow->entries)));
    uint8_t row[RP_TILE_BYTES];
    memcpy(row, grow->hashes[0].p, sizeof row);
    int level = 0;
    for (;;) {
        RP_TRY(put_tile(grow, (struct rp_tlog_tile){level, n, RP_TILE_WIDTH},
                        rp_view_of(row, sizeof row)));
        roots[level] = rp_tile_root(rp_view_of(row, sizeof row));
        const struct rp_buf *above = &grow->hashes[level + 1];
        RP_ASSERT(level + 1 < RP_TILE_LEVELS);
        if (above->n + RP_SHA256 < RP_TILE_BYTES) {
            break;
        }
        memcpy(row, above->p, above->n);
        memcpy(row + above->n, roots[level].b, RP_SHA256);
        n = n / RP_TILE_WIDTH;
        level++;
    }
    rp_buf_add(&grow->hashes[level + 1], rp_view_of(roots[level].b, RP_SHA256));
    RP_TRY(rp_buf_err(&grow->hashes[level + 1]));
    for (int i = 0; i <= level; i++) {
        rp_buf_clear(&grow->hashes[i]);
    }
    rp_buf_clear(&grow->entries);
    return RP_OK;
}

static rp_err write_full_if_any(struct rp_grow *grow) {
    RP_ASSERT(grow->hashes[0].n <= RP_TILE_BYTES);
    return grow->hashes[0].n == RP_TILE_BYTES ? write_full(grow) : RP_OK;
}

rp_err rp_grow_add(struct rp_grow *grow, rp_view entry) {
    RP_ASSERT(entry.n <= RP_TLOG_ENTRY_MAX);
    RP_TRY(write_full_if_any(grow));
    rp_hash leaf = rp_merkle_leaf(entry);
    size_t before = grow->entries.n;
    rp_bundle_add(&grow->entries, entry);
    rp_buf_add(&grow->hashes[0], rp_view_of(leaf.b, sizeof leaf.b));
    if (grow->entries.failed || grow->hashes[0].failed) {
        grow->entries.n = before;
        grow->hashes[0].n = grow->edge.size % RP_TILE_WIDTH * RP_SHA256;
        grow->entries.failed = grow->hashes[0].failed = false;
        return RP_ERR(NO_MEMORY);
    }
    rp_merkle_edge_add(&grow->edge, &leaf);
    return RP_OK;
}

/* ---- publishing ---- */

static bool is_published(const struct rp_grow *grow) {
    return grow->signed_once && grow->published_size == grow->edge.size;
}

/* Only what changed since the last checkpoint. */
static rp_err put_partial(const struct rp_grow *grow, int level, rp_view bytes) {
    unsigned up = level > 0 ? 8 * (unsigned)level : 0;
    uint64_t now = grow->edge.size >> up, then = grow->published_size >> up;
    unsigned width = (unsigned)(now % RP_TILE_WIDTH);
    if (now == then || width == 0) {
        return RP_OK;
    }
    return put_tile(grow, (struct rp_tlog_tile){level, now / RP_TILE_WIDTH, width}, bytes);
}

rp_err rp_grow_stage(struct rp_grow *grow) {
    RP_TRY(write_full_if_any(grow));
    if (is_published(grow)) {
        return RP_OK;
    }
    RP_TRY(put_partial(grow, RP_ENTRIES_LEVEL, rp_buf_view(&grow->entries)));
    for (int level = 0; level < RP_TILE_LEVELS; level++) {
        RP_TRY(put_partial(grow, level, rp_buf_view(&grow->hashes[level])));
    }
    RP_CRASH_POINT("tiles.written");
    return RP_OK;
}

static rp_err put_note(struct rp_grow *grow, rp_view note, const char *temporary) {
    char again[RP_GROW_PATH_SIZE];
    int n = snprintf(again, sizeof again, "%s.new", temporary);
    RP_ASSERT(n > 0 && n < RP_GROW_PATH_SIZE);
    const struct rp_disk *disk = grow->home->disk;
    RP_TRY(disk->put(disk->ctx, again, temporary, grow->mode, note));
    RP_CRASH_POINT("checkpoint.written");
    return RP_OK;
}

rp_err rp_grow_sign(struct rp_grow *grow, const char *temporary) {
    if (is_published(grow)) {
        return RP_OK;
    }
    RP_CRASH_POINT("tiles.durable");
    _cleanup_(rp_buf_done) struct rp_buf note = rp_buf_new(RP_NOTE_MAX);
    rp_hash root = rp_grow_root(grow);
    RP_TRY(
        rp_checkpoint_sign(&grow->home->key, rp_grow_origin(grow), grow->edge.size, &root, &note));
    return put_note(grow, rp_buf_view(&note), temporary);
}

rp_err rp_grow_adopt(struct rp_grow *grow, rp_view note, const char *temporary) {
    return is_published(grow) ? RP_OK : put_note(grow, note, temporary);
}

/* Which partial files of one tile stay: `keep`, and those of checkpoints up to `until`, or that one
 * alone. */
struct sweep {
    char folder[RP_GROW_PATH_SIZE];
    unsigned keep, until;
    bool only_newest;
    bool left;
};

static rp_err sweep_one(void *ctx, const char *name, bool is_folder) {
    struct sweep *sweep = ctx;
    char path[RP_GROW_PATH_SIZE + 8];
    uint64_t width;
    if (is_folder || !rp_view_to_u64(rp_view_from_cstr(name), RP_TILE_WIDTH - 1, &width)) {
        return RP_OK;
    }
    bool of_then = sweep->only_newest ? width == sweep->until : width <= sweep->until;
    if (width == sweep->keep || of_then) {
        sweep->left = true;
        return RP_OK;
    }
    int n = snprintf(path, sizeof path, "%s/%s", sweep->folder, name);
    RP_ASSERT(n > 0 && (size_t)n < sizeof path);
    return rp_file_remove(path);
}

static void sweep_partials(const struct rp_grow *grow, int level, uint64_t n, unsigned keep,
                           unsigned until) {
    struct sweep sweep = {
        .keep = keep, .until = until, .only_newest = grow->tree.kind == RP_TREE_TENANT};
    rp_tile_partials_path(grow->folder, level, n, sweep.folder);
    /* A file that stays costs space and is right all the same. */
    rp_err err = rp_folder_each(sweep.folder, sweep_one, &sweep);
    if (rp_ok(err) && !sweep.left) {
        rp_ignore(rp_folder_remove(sweep.folder));
    }
}

/* Partial tiles that a full one replaced, and those that a crash left of sizes never signed. A
 * public tree keeps the others until then, as tlog-tiles asks: someone may hold any checkpoint. Of
 * a tenant's tree only its own checkpoints are served: the newest and the one before. What the one
 * before needs stays until the newest is durable under its name, which it is at the next: a power
 * cut may undo the renaming and not the removal. */
static void remove_old_partials(const struct rp_grow *grow, int level) {
    unsigned up = level > 0 ? 8 * (unsigned)level : 0;
    uint64_t now = grow->edge.size >> up, then = grow->published_size >> up;
    uint64_t before = grow->before_size >> up;
    if (before / RP_TILE_WIDTH < then / RP_TILE_WIDTH) {
        sweep_partials(grow, level, before / RP_TILE_WIDTH, 0, 0);
    }
    if (now == then) {
        return;
    }
    for (uint64_t n = then / RP_TILE_WIDTH; n <= now / RP_TILE_WIDTH; n++) {
        sweep_partials(grow, level, n,
                       n == now / RP_TILE_WIDTH ? (unsigned)(now % RP_TILE_WIDTH) : 0,
                       n == then / RP_TILE_WIDTH ? (unsigned)(then % RP_TILE_WIDTH) : 0);
    }
}

rp_err rp_grow_publish(struct rp_grow *grow, const char *temporary) {
    if (is_published(grow)) {
        return RP_OK;
    }
    char path[RP_GROW_PATH_SIZE];
    rp_grow_child_path(grow, "checkpoint", path);
    const struct rp_disk *disk = grow->home->disk;
    RP_TRY(disk->rename(disk->ctx, temporary, path));
    RP_CRASH_POINT("checkpoint.named");
    for (int level = RP_ENTRIES_LEVEL; level < RP_TILE_LEVELS; level++) {
        remove_old_partials(grow, level);
    }
    grow->before_size = grow->published_size;
    grow->published_size = grow->edge.size;
    grow->published_root = rp_merkle_edge_root(&grow->edge);
    grow->signed_once = true;
    return RP_OK;
}

/* ---- birth and death ---- */

void rp_grow_free(struct rp_grow *grow) {
    if (grow) {
        for (size_t i = 0; i < RP_TILE_LEVELS; i++) {
            rp_buf_done(&grow->hashes[i]);
        }
        rp_buf_done(&grow->entries);
        free(grow);
    }
}

rp_err rp_grow_open(const struct rp_grow_home *home, struct rp_tree tree, struct rp_grow **ret_grow,
                    struct rp_diag *diag) {
    struct rp_grow *grow = calloc(1, sizeof *grow);
    if (!grow) {
        return RP_ERR(NO_MEMORY);
    }
    char name[40];
    rp_tree_folder(tree, name);
    int n = snprintf(grow->folder, sizeof grow->folder, "%s/%s", home->folder, name);
    RP_ASSERT(n > 0 && (size_t)n < sizeof grow->folder);
    rp_tree_origin(home->host, tree, grow->origin);
    grow->home = home;
    grow->tree = tree;
    grow->mode = tree.kind == RP_TREE_PUBLIC ? 0644 : 0640;
    for (size_t i = 0; i < RP_TILE_LEVELS; i++) {
        grow->hashes[i] = rp_buf_new(RP_TILE_BYTES);
    }
    grow->entries = rp_buf_new(RP_GROW_ENTRIES_MAX);
    rp_err err = rp_grow_load(grow, diag);
    if (!rp_ok(err)) {
        rp_grow_free(grow);
        return err;
    }
    *ret_grow = grow;
    return RP_OK;
}
