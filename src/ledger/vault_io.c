/* vault_io.c — the trees of the copy: in order, under checkpoints, and never back. */
#include "ledger/vault_io.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ledger/origin.h"
#include "ledger/read_io.h"
#include "ledger/tiles.h"
#include "ledger/vault_parts_io.h"
#include "os/file.h"

enum { NOTE_ARENA = 16 * RP_NOTE_MAX, FOLDER_MODE = 0750, WANTED_MAX = 1 << 18 };

void rp_vault_path(const struct rp_vault *vault, char out[static RP_VAULT_PATH_MAX],
                   const char *format, ...) {
    int n = snprintf(out, RP_VAULT_PATH_MAX, "%s/", vault->folder);
    RP_ASSERT(n > 0 && n < RP_VAULT_PATH_MAX);
    va_list args;
    va_start(args, format);
    int m = vsnprintf(out + n, (size_t)(RP_VAULT_PATH_MAX - n), format, args);
    va_end(args);
    RP_ASSERT(m > 0 && m < RP_VAULT_PATH_MAX - n);
}

/* ---- entries ---- */

/*= S113: what stands here is neither replaced nor skipped: only the next entries are taken. */
static rp_err check_entries(const struct rp_vault_tree *tree, uint64_t first, rp_view entries,
                            struct rp_diag *diag) {
    uint64_t size = rp_grow_size(tree->grow);
    if (first != size) {
        return rp_fail(diag, RP_ERR(CONFLICT), "entries from %llu on, where %llu are kept",
                       (unsigned long long)first, (unsigned long long)size);
    }
    if (entries.n == 0) {
        return rp_fail(diag, RP_ERR(SYNTAX), "no entries");
    }
    for (rp_view rest = entries, entry; rest.n > 0;) {
        if (!rp_ok(rp_bundle_next(&rest, &entry))) {
            return rp_fail(diag, RP_ERR(SYNTAX), "entries that are not whole");
        }
    }
    return RP_OK;
}

rp_err rp_vault_entries_fit(struct rp_vault *vault, struct rp_tree which, uint64_t first,
                            rp_view entries, struct rp_diag *diag) {
    struct rp_vault_tree *tree;
    RP_TRY(rp_vault_tree_get_here(vault, which, &tree, diag));
    return check_entries(tree, first, entries, diag);
}

rp_err rp_vault_entries(struct rp_vault *vault, struct rp_tree which, uint64_t first,
                        rp_view entries, struct rp_diag *diag) {
    struct rp_vault_tree *tree;
    RP_TRY(rp_vault_tree_get(vault, which, &tree, diag));
    RP_TRY(check_entries(tree, first, entries, diag));
    for (rp_view rest = entries, entry; rest.n > 0;) {
        RP_TRY(rp_bundle_next(&rest, &entry));
        uint64_t index = rp_grow_size(tree->grow);
        RP_TRY(rp_grow_add(tree->grow, entry));
        if (which.kind == RP_TREE_OPERATOR) {
            RP_TRY(rp_vault_access_see(vault, index, entry));
        }
    }
    return RP_OK;
}

/* ---- checkpoints ---- */

static rp_err read_note(const struct rp_vault *vault, const struct rp_vault_tree *tree,
                        rp_view note, uint64_t *ret_size, rp_hash *ret_root) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(NOTE_ARENA);
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(RP_VKEY_MAX);
    struct rp_tlog_vkey vkey;
    struct rp_tlog_checkpoint checkpoint;
    rp_vkey_print(&text, rp_grow_origin(tree->grow), vault->home.key.public_key);
    RP_TRY(rp_buf_err(&text));
    RP_TRY(arena ? rp_vkey_parse(rp_buf_view(&text), arena, &vkey) : RP_ERR(NO_MEMORY));
    if (note.n > RP_NOTE_MAX || !rp_ok(rp_checkpoint_check(note, &vkey, arena, &checkpoint))) {
        return RP_ERR(BAD_SIGNATURE);
    }
    *ret_size = checkpoint.size;
    memcpy(ret_root->b, checkpoint.root, sizeof ret_root->b);
    return RP_OK;
}

/* One of fewer entries than are kept: of this history, or of a second one. */
static rp_err check_shorter(const struct rp_vault_tree *tree, uint64_t size, uint64_t covered,
                            const rp_hash *root, struct rp_diag *diag) {
    struct rp_log *log = NULL;
    rp_hash kept;
    RP_TRY(rp_log_open(rp_grow_folder(tree->grow), (rp_view){NULL, 0}, &log, diag));
    rp_err err = rp_log_root_at(log, size, &kept);
    rp_log_free(log);
    RP_TRY(err);
    unsigned long long n = size;
    return rp_sha256_equal(root, &kept)
               ? rp_fail(diag, RP_ERR(REPLAYED),
                         "a checkpoint of %llu entries, where %llu are kept under a signed one", n,
                         (unsigned long long)covered)
               : rp_fail(diag, RP_ERR(CORRUPT), "a second root for the first %llu entries", n);
}

/*= S113: a checkpoint counts when the log signed it, covers what is kept here to the last entry,
 * and has the root that was computed here. */
static rp_err check_head(const struct rp_vault *vault, const struct rp_vault_tree *tree,
                         rp_view note, uint64_t *ret_size, struct rp_diag *diag) {
    uint64_t size = 0;
    rp_hash root, kept;
    if (!rp_ok(read_note(vault, tree, note, &size, &root))) {
        return rp_fail(diag, RP_ERR(BAD_SIGNATURE), "a checkpoint that the log's key did not sign");
    }
    unsigned long long signed_size = size, entries = rp_grow_size(tree->grow);
    uint64_t covered = rp_vault_tree_covered(tree->grow, &kept);
    if (size < covered) {
        return check_shorter(tree, size, covered, &root, diag);
    }
    if (covered > 0 && size == covered && !rp_sha256_equal(&root, &kept)) {
        return rp_fail(diag, RP_ERR(CORRUPT), "a second root for the same %llu entries",
                       signed_size);
    }
    if (size != covered && size != entries) {
        return rp_fail(diag, RP_ERR(CONFLICT), "a checkpoint of %llu entries, where %llu are kept",
                       signed_size, entries);
    }
    kept = rp_grow_root(tree->grow);
    if (size == entries && !rp_sha256_equal(&root, &kept)) {
        return rp_fail(diag, RP_ERR(CORRUPT),
                       "a checkpoint of %llu entries with another root than theirs", signed_size);
    }
    *ret_size = size;
    return RP_OK;
}

rp_err rp_vault_head_fits(struct rp_vault *vault, struct rp_tree which, rp_view note,
                          struct rp_diag *diag) {
    struct rp_vault_tree *tree;
    uint64_t size;
    RP_TRY(rp_vault_tree_get_here(vault, which, &tree, diag));
    return check_head(vault, tree, note, &size, diag);
}

/* Everything that it names is durable before it has its name. */
static rp_err keep_head(struct rp_vault *vault, struct rp_vault_tree *tree, rp_view note) {
    char temporary[RP_VAULT_PATH_MAX];
    const struct rp_disk *disk = vault->disk;
    rp_vault_path(vault, temporary, "journal/checkpoint.tmp");
    RP_TRY(rp_grow_stage(tree->grow));
    RP_TRY(rp_grow_adopt(tree->grow, note, temporary));
    RP_TRY(disk->sync_all(disk->ctx, vault->folder));
    if (rp_grow_tree(tree->grow).kind == RP_TREE_OPERATOR) {
        RP_TRY(rp_vault_access_place(vault, rp_grow_size(tree->grow)));
    }
    RP_TRY(rp_grow_publish(tree->grow, temporary));
    return disk->sync_all(disk->ctx, vault->folder);
}

rp_err rp_vault_head(struct rp_vault *vault, struct rp_tree which, rp_view note,
                     struct rp_diag *diag) {
    struct rp_vault_tree *tree;
    rp_hash root;
    uint64_t size = 0;
    RP_TRY(rp_vault_tree_get(vault, which, &tree, diag));
    uint64_t covered = rp_vault_tree_covered(tree->grow, &root);
    bool first = !rp_grow_published(tree->grow, &covered, &root);
    rp_err err = check_head(vault, tree, note, &size, diag);
    if (!rp_ok(err)) {
        if (!rp_is(err, RP_E_BAD_SIGNATURE)) {
            rp_vault_tree_forget(vault, tree);
        }
        return err;
    }
    if (!first && size == covered) {
        return RP_OK;
    }
    RP_TRY(keep_head(vault, tree, note));
    vault->tally.trees += first ? 1 : 0;
    vault->tally.entries += size - covered;
    return RP_OK;
}

rp_err rp_vault_records(struct rp_vault *vault, struct rp_tree which, rp_view records,
                        struct rp_diag *diag) {
    struct rp_vault_tree *tree;
    RP_TRY(rp_vault_tree_get(vault, which, &tree, diag));
    return rp_vault_records_take(vault, tree, records, diag);
}

/* ---- opening ---- */

static rp_err take_key(struct rp_vault *vault, rp_view text, struct rp_diag *diag) {
    static const rp_view end = RP_VIEW_INIT("/log/public");
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(4 * RP_VKEY_MAX);
    struct rp_tlog_vkey vkey;
    bool good = arena && rp_ok(rp_vkey_parse(text, arena, &vkey)) && rp_view_ends(vkey.name, end) &&
                vkey.name.n > end.n && vkey.name.n - end.n < sizeof vault->host;
    if (!good) {
        return rp_fail(diag, RP_ERR(INVALID), "not the verifier key of a log's public tree");
    }
    memcpy(vault->host, vkey.name.p, vkey.name.n - end.n);
    memcpy(vault->home.key.public_key, vkey.public_key.p, sizeof vault->home.key.public_key);
    return RP_OK;
}

struct opening {
    struct rp_vault *vault;
    struct rp_diag *diag;
};

/* Each tree's last tiles must give the root of its checkpoint, or the copy is not what it was. */
static rp_err open_tree(void *ctx, const char *name, bool is_folder) {
    struct opening *opening = ctx;
    struct rp_vault *vault = opening->vault;
    struct rp_tree which;
    struct rp_vault_tree *tree;
    rp_hash root;
    uint64_t covered;
    if (!is_folder || !rp_tree_of_folder(rp_view_from_cstr(name), &which)) {
        return RP_OK;
    }
    RP_TRY(rp_vault_tree_get(vault, which, &tree, opening->diag));
    if (rp_grow_published(tree->grow, &covered, &root)) {
        vault->tally.trees++;
        vault->tally.entries += covered;
    }
    return RP_OK;
}

static rp_err open_all(struct rp_vault *vault, rp_view vkey, struct rp_diag *diag) {
    char path[RP_VAULT_PATH_MAX];
    RP_TRY(take_key(vault, vkey, diag));
    rp_vault_path(vault, path, "journal");
    RP_TRY(rp_folder_make(path, FOLDER_MODE));
    rp_vault_path(vault, path, "access");
    RP_TRY(rp_folder_make(path, FOLDER_MODE));
    struct opening opening = {vault, diag};
    RP_TRY(rp_folder_each(vault->folder, open_tree, &opening));
    return rp_vault_access_open(vault, diag);
}

void rp_vault_free(struct rp_vault *vault) {
    if (!vault) {
        return;
    }
    for (size_t i = 0; i < vault->open_count; i++) {
        rp_grow_free(vault->open[i].grow);
    }
    rp_buf_done(&vault->wanted);
    free(vault);
}

rp_err rp_vault_open(const struct rp_env *env, const struct rp_disk *disk, const char *folder,
                     rp_view vkey, struct rp_vault **ret_vault, struct rp_diag *diag) {
    struct rp_vault *vault = calloc(1, sizeof *vault);
    if (!vault) {
        return RP_ERR(NO_MEMORY);
    }
    int n = snprintf(vault->folder, sizeof vault->folder, "%s", folder);
    RP_ASSERT(n > 0 && (size_t)n < sizeof vault->folder);
    vault->env = env;
    vault->disk = disk;
    vault->home.disk = disk;
    vault->home.folder = vault->folder;
    vault->home.host = vault->host;
    vault->wanted = rp_buf_new(WANTED_MAX * sizeof(struct rp_vault_wanted));
    rp_err err = open_all(vault, vkey, diag);
    if (!rp_ok(err)) {
        rp_vault_free(vault);
        return err;
    }
    *ret_vault = vault;
    return RP_OK;
}

struct rp_vault_tally rp_vault_tally(const struct rp_vault *vault) {
    struct rp_vault_tally tally = vault->tally;
    tally.segments = vault->wanted.n / sizeof(struct rp_vault_wanted);
    return tally;
}
