#include "ledger/read_io.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ledger/note.h"
#include "ledger/tiles.h"
#include "os/file.h"

enum {
    FOLDER_SIZE = 384,
    CACHED = 12, /* tiles kept: a proof in a tree of 2^32 entries touches 5 */
    BUNDLE_MAX = RP_TILE_WIDTH * (RP_TLOG_ENTRY_MAX + 2),
    ATTEMPTS = 3 /* a partial file may go while we look for it; then a newer checkpoint is there */
};

struct cached_tile {
    int level;
    uint64_t n;
    unsigned width; /* 0 = empty slot */
    uint8_t hashes[RP_TILE_BYTES];
};

struct rp_log {
    char folder[FOLDER_SIZE];
    struct rp_arena *arena; /* the verifier key */
    struct rp_tlog_vkey vkey;
    uint64_t size;
    rp_hash root;
    struct rp_buf note;
    struct cached_tile cache[CACHED];
    unsigned next_slot;
    uint64_t bundle_n; /* which bundle stands in `bundle` */
    unsigned bundle_width;
    struct rp_buf bundle;
};

static rp_err read_child(const struct rp_log *log, const char *name, size_t max,
                         struct rp_arena *arena, rp_view *ret_bytes, struct rp_diag *diag) {
    char path[FOLDER_SIZE + 32];
    int n = snprintf(path, sizeof path, "%s/%s", log->folder, name);
    RP_ASSERT(n > 0 && (size_t)n < sizeof path);
    rp_err err = rp_file_read(path, max, arena, ret_bytes);
    return rp_ok(err) ? err : rp_fail(diag, err, "%s: cannot be read", path);
}

/* ---- tiles ---- */

/* Opens a tile or bundle of this width; a partial one may have given way to the full one. */
static rp_err open_tile(const struct rp_log *log, int level, uint64_t n, unsigned width,
                        int *ret_fd) {
    char path[RP_TILE_PATH_MAX];
    rp_tile_path(log->folder, (struct rp_tlog_tile){level, n, width}, path);
    rp_err err = rp_file_open(path, ret_fd);
    if (rp_is(err, RP_E_NOT_FOUND) && width < RP_TILE_WIDTH) {
        rp_tile_path(log->folder, (struct rp_tlog_tile){level, n, RP_TILE_WIDTH}, path);
        err = rp_file_open(path, ret_fd);
    }
    return err;
}

static rp_err get_tile(struct rp_log *log, int level, uint64_t n, rp_view *ret_hashes) {
    unsigned width = rp_tile_width(level, n, log->size);
    RP_ASSERT(width > 0);
    for (size_t i = 0; i < CACHED; i++) {
        const struct cached_tile *tile = &log->cache[i];
        if (tile->width == width && tile->level == level && tile->n == n) {
            *ret_hashes = rp_view_of(tile->hashes, (size_t)width * RP_SHA256);
            return RP_OK;
        }
    }
    struct cached_tile *slot = &log->cache[log->next_slot];
    _cleanup_fd_ int fd = -1;
    slot->width = 0;
    RP_TRY(open_tile(log, level, n, width, &fd));
    RP_TRY(rp_file_read_at(fd, 0, slot->hashes, (size_t)width * RP_SHA256));
    slot->level = level;
    slot->n = n;
    slot->width = width;
    log->next_slot = (log->next_slot + 1) % CACHED;
    *ret_hashes = rp_view_of(slot->hashes, (size_t)width * RP_SHA256);
    return RP_OK;
}

/* Node (level, index) is the root of 2^(level mod 8) neighbours in a tile of level / 8. */
static rp_err log_node(void *ctx, unsigned level, uint64_t index, rp_hash *ret_hash) {
    struct rp_log *log = ctx;
    unsigned inside = level % 8;
    uint64_t first = index << inside;
    rp_view hashes;
    RP_ASSERT(level / 8 < RP_TILE_LEVELS);
    RP_TRY(get_tile(log, (int)(level / 8), first / RP_TILE_WIDTH, &hashes));
    *ret_hash = rp_tile_root(rp_view_sub(hashes, (size_t)(first % RP_TILE_WIDTH) * RP_SHA256,
                                         (size_t)RP_SHA256 << inside));
    return RP_OK;
}

static struct rp_merkle_source source_of(struct rp_log *log) {
    return (struct rp_merkle_source){log, log_node};
}

static rp_err root_once(struct rp_log *log, uint64_t size, rp_hash *ret_root) {
    struct rp_merkle_source source = source_of(log);
    return rp_merkle_root(&source, size, ret_root);
}

rp_err rp_log_root_at(struct rp_log *log, uint64_t size, rp_hash *ret_root) {
    if (size > log->size) {
        return RP_ERR(NOT_FOUND);
    }
    rp_err err = root_once(log, size, ret_root);
    if (rp_is(err, RP_E_NOT_FOUND)) { /* it grew, and a partial file went */
        RP_TRY(rp_log_refresh(log, NULL));
        err = root_once(log, size, ret_root);
    }
    return err;
}

/* ---- the checkpoint ---- */

static rp_err load_vkey(struct rp_log *log, rp_view given, struct rp_diag *diag) {
    rp_view text = given;
    if (!given.p) {
        RP_TRY(read_child(log, "vkey", RP_VKEY_MAX, log->arena, &text, diag));
        if (!rp_view_ends(text, RP_VIEW("\n"))) {
            return rp_fail(diag, RP_ERR(CORRUPT), "%s/vkey: not a verifier key", log->folder);
        }
        text = rp_view_sub(text, 0, text.n - 1);
    } else {
        RP_TRY(rp_arena_copy(log->arena, given, &text));
    }
    if (!rp_ok(rp_vkey_parse(text, log->arena, &log->vkey))) {
        return rp_fail(diag, RP_ERR(CORRUPT), "%s/vkey: not a verifier key", log->folder);
    }
    return RP_OK;
}

/* The checkpoint that stands there now, its signature checked. */
static rp_err read_checkpoint(const struct rp_log *log, struct rp_buf *note, uint64_t *ret_size,
                              rp_hash *ret_root, struct rp_diag *diag) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(16 * RP_NOTE_MAX);
    rp_view bytes;
    struct rp_tlog_checkpoint checkpoint;
    RP_TRY(arena ? read_child(log, "checkpoint", RP_NOTE_MAX, arena, &bytes, diag)
                 : RP_ERR(NO_MEMORY));
    if (!rp_ok(rp_checkpoint_check(bytes, &log->vkey, arena, &checkpoint))) {
        return rp_fail(diag, RP_ERR(CORRUPT), "%s/checkpoint: not signed by this log's key",
                       log->folder);
    }
    rp_buf_clear(note);
    rp_buf_add(note, bytes);
    RP_TRY(rp_buf_err(note));
    *ret_size = checkpoint.size;
    memcpy(ret_root->b, checkpoint.root, RP_SHA256);
    return RP_OK;
}

/* What was seen before must be the beginning of what is there now. */
static rp_err check_growth(struct rp_log *log, uint64_t old_size, const rp_hash *old_root,
                           struct rp_diag *diag) {
    rp_hash root;
    if (log->size < old_size) {
        return rp_fail(diag, RP_ERR(CORRUPT),
                       "%s/checkpoint: rolled back from %llu to %llu entries", log->folder,
                       (unsigned long long)old_size, (unsigned long long)log->size);
    }
    RP_TRY(root_once(log, log->size, &root));
    if (!rp_sha256_equal(&root, &log->root)) {
        return rp_fail(diag, RP_ERR(CORRUPT), "%s: the tiles do not give the checkpoint's root",
                       log->folder);
    }
    RP_TRY(root_once(log, old_size, &root));
    if (old_size > 0 && !rp_sha256_equal(&root, old_root)) {
        return rp_fail(diag, RP_ERR(CORRUPT),
                       "%s/checkpoint: does not continue the tree of %llu entries seen before",
                       log->folder, (unsigned long long)old_size);
    }
    return RP_OK;
}

static rp_err refresh_once(struct rp_log *log, struct rp_diag *diag) {
    uint64_t old_size = log->size, size = 0;
    rp_hash old_root = log->root, root;
    _cleanup_(rp_buf_done) struct rp_buf note = rp_buf_new(RP_NOTE_MAX);
    RP_TRY(read_checkpoint(log, &note, &size, &root, diag));
    log->size = size;
    log->root = root;
    rp_err err = check_growth(log, old_size, &old_root, diag);
    if (!rp_ok(err)) {
        log->size = old_size;
        log->root = old_root;
        return err;
    }
    rp_buf_clear(&log->note);
    rp_buf_add(&log->note, rp_buf_view(&note));
    return rp_buf_err(&log->note);
}

rp_err rp_log_refresh(struct rp_log *log, struct rp_diag *diag) {
    rp_err err = RP_OK;
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        err = refresh_once(log, diag);
        if (!rp_is(err, RP_E_NOT_FOUND)) {
            return err;
        }
    }
    return rp_fail(diag, err, "%s: a file that the checkpoint needs is missing", log->folder);
}

void rp_log_free(struct rp_log *log) {
    if (log) {
        rp_arena_free(log->arena);
        rp_buf_done(&log->note);
        rp_buf_done(&log->bundle);
        free(log);
    }
}

rp_err rp_log_open(const char *folder, rp_view vkey, struct rp_log **ret_log,
                   struct rp_diag *diag) {
    if (strlen(folder) >= FOLDER_SIZE) {
        return rp_fail(diag, RP_ERR(INVALID), "%s: the path is too long", folder);
    }
    struct rp_log *log = calloc(1, sizeof *log);
    if (!log) {
        return RP_ERR(NO_MEMORY);
    }
    memcpy(log->folder, folder, strlen(folder) + 1);
    log->arena = rp_arena_new(4 * RP_VKEY_MAX);
    log->note = rp_buf_new(RP_NOTE_MAX);
    log->bundle = rp_buf_new(BUNDLE_MAX);
    rp_err err = log->arena ? load_vkey(log, vkey, diag) : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        err = rp_log_refresh(log, diag);
    }
    if (!rp_ok(err)) {
        rp_log_free(log);
        return err;
    }
    *ret_log = log;
    return RP_OK;
}

uint64_t rp_log_size(const struct rp_log *log) {
    return log->size;
}

rp_view rp_log_note(const struct rp_log *log) {
    return rp_buf_view(&log->note);
}

const rp_hash *rp_log_root(const struct rp_log *log) {
    return &log->root;
}

const struct rp_tlog_vkey *rp_log_vkey(const struct rp_log *log) {
    return &log->vkey;
}

const char *rp_log_folder(const struct rp_log *log) {
    return log->folder;
}

/* ---- entries and proofs ---- */

static rp_err load_bundle(struct rp_log *log, uint64_t n) {
    unsigned width = rp_tile_width(RP_ENTRIES_LEVEL, n, log->size);
    if (log->bundle_width == width && log->bundle_n == n) {
        return RP_OK;
    }
    _cleanup_fd_ int fd = -1;
    uint64_t bytes;
    log->bundle_width = 0;
    rp_buf_clear(&log->bundle);
    RP_TRY(open_tile(log, RP_ENTRIES_LEVEL, n, width, &fd));
    RP_TRY(rp_file_size(fd, &bytes));
    if (bytes > BUNDLE_MAX) {
        return RP_ERR(CORRUPT);
    }
    uint8_t *p = rp_buf_extend(&log->bundle, (size_t)bytes);
    RP_TRY(p ? rp_file_read_at(fd, 0, p, (size_t)bytes) : RP_ERR(NO_MEMORY));
    log->bundle_n = n;
    log->bundle_width = width;
    return RP_OK;
}

static rp_err entry_once(struct rp_log *log, uint64_t index, rp_view *ret_entry) {
    RP_TRY(load_bundle(log, index / RP_TILE_WIDTH));
    rp_view rest = rp_buf_view(&log->bundle), entry = {NULL, 0}, hashes;
    for (uint64_t i = 0; i <= index % RP_TILE_WIDTH; i++) {
        RP_TRY(rp_bundle_next(&rest, &entry));
    }
    RP_TRY(get_tile(log, 0, index / RP_TILE_WIDTH, &hashes));
    rp_hash leaf = rp_merkle_leaf(entry);
    if (!rp_view_equal(
            rp_hash_view(&leaf),
            rp_view_sub(hashes, (size_t)(index % RP_TILE_WIDTH) * RP_SHA256, RP_SHA256))) {
        return RP_ERR(CORRUPT);
    }
    *ret_entry = entry;
    return RP_OK;
}

rp_err rp_log_entry(struct rp_log *log, uint64_t index, struct rp_arena *arena,
                    rp_view *ret_entry) {
    if (index >= log->size) {
        return RP_ERR(NOT_FOUND);
    }
    rp_view entry;
    rp_err err = entry_once(log, index, &entry);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        RP_TRY(rp_log_refresh(log, NULL));
        err = entry_once(log, index, &entry);
    }
    RP_TRY(err);
    return rp_arena_copy(arena, entry, ret_entry);
}

static rp_err inclusion_once(struct rp_log *log, uint64_t index, struct rp_tlog_proof *proof) {
    struct rp_merkle_source source = source_of(log);
    rp_hash hashes[RP_MERKLE_PROOF_MAX], leaf;
    RP_TRY(rp_merkle_inclusion(&source, index, log->size, hashes, &proof->hash_count));
    RP_TRY(log_node(log, 0, index, &leaf));
    /* What we hand out holds, or is not handed out. */
    RP_TRY(
        rp_merkle_check_inclusion(&leaf, index, log->size, hashes, proof->hash_count, &log->root));
    for (size_t i = 0; i < proof->hash_count; i++) {
        memcpy(proof->hashes[i], hashes[i].b, RP_SHA256);
    }
    proof->checkpoint = rp_buf_view(&log->note);
    return RP_OK;
}

rp_err rp_log_proof(struct rp_log *log, uint64_t index, struct rp_buf *out) {
    if (index >= log->size) {
        return RP_ERR(NOT_FOUND);
    }
    struct rp_tlog_proof proof = {.index = index};
    rp_err err = inclusion_once(log, index, &proof);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        RP_TRY(rp_log_refresh(log, NULL));
        err = inclusion_once(log, index, &proof);
    }
    RP_TRY(err);
    rp_tlog_proof_print(out, &proof);
    return rp_buf_err(out);
}

static rp_err consistency_once(struct rp_log *log, uint64_t old_size, rp_hash *proof,
                               size_t *ret_n) {
    struct rp_merkle_source source = source_of(log);
    rp_hash old_root;
    RP_TRY(rp_merkle_consistency(&source, old_size, log->size, proof, ret_n));
    if (old_size == 0) {
        return RP_OK; /* anything continues nothing */
    }
    /* What we hand out holds, or is not handed out. */
    RP_TRY(rp_merkle_root(&source, old_size, &old_root));
    return rp_merkle_check_consistency(old_size, &old_root, log->size, &log->root, proof, *ret_n);
}

rp_err rp_log_consistency(struct rp_log *log, uint64_t old_size,
                          rp_hash proof[static RP_MERKLE_PROOF_MAX], size_t *ret_n) {
    if (old_size > log->size) {
        return RP_ERR(NOT_FOUND);
    }
    rp_err err = consistency_once(log, old_size, proof, ret_n);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        RP_TRY(rp_log_refresh(log, NULL));
        err = consistency_once(log, old_size, proof, ret_n);
    }
    return err;
}
