/* vault_trees_io.c — which trees of the copy are open, and that a closed one holds no more on the
 * disk than its checkpoint covers.
 */
#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ledger/origin.h"
#include "ledger/tiles.h"
#include "ledger/vault_parts_io.h"
#include "os/batch.h"
#include "os/file.h"

uint64_t rp_vault_tree_covered(const struct rp_grow *grow, rp_hash *ret_root) {
    uint64_t size = 0;
    (void)rp_grow_published(grow, &size, ret_root);
    return size;
}

/* Of a tree that has no checkpoint yet. What is not empty stays. */
static rp_err remove_folder(const struct rp_grow *grow) {
    static const char *const parts[] = {"tile/entries", "tile/0", "tile/1", "tile/2", "tile", ""};
    char path[RP_VAULT_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/vkey", rp_grow_folder(grow));
    RP_ASSERT(n > 0 && (size_t)n < sizeof path);
    RP_TRY(rp_file_remove(path));
    for (size_t i = 0; i < RP_COUNT_OF(parts); i++) {
        n = snprintf(path, sizeof path, "%s/%s", rp_grow_folder(grow), parts[i]);
        RP_ASSERT(n > 0 && (size_t)n < sizeof path);
        rp_ignore(rp_folder_remove(path));
    }
    return RP_OK;
}

/* Full tiles of entries that no checkpoint covers go with them: nothing stays in the folder that
 * the log did not sign. */
static rp_err remove_uncovered(const struct rp_grow *grow) {
    rp_hash root;
    uint64_t covered = rp_vault_tree_covered(grow, &root);
    for (int level = RP_ENTRIES_LEVEL; level < RP_TILE_LEVELS; level++) {
        unsigned up = level > 0 ? 8 * (unsigned)level : 0;
        for (uint64_t n = (covered >> up) / RP_TILE_WIDTH;; n++) {
            char path[RP_TILE_PATH_MAX];
            rp_tile_path(rp_grow_folder(grow), (struct rp_tlog_tile){level, n, RP_TILE_WIDTH},
                         path);
            if (!rp_file_exists(path)) {
                break;
            }
            RP_TRY(rp_file_remove(path));
        }
    }
    return rp_grow_published(grow, &covered, &root) ? RP_OK : remove_folder(grow);
}

static void close_at(struct rp_vault *vault, size_t at) {
    struct rp_grow *grow = vault->open[at].grow;
    rp_hash root;
    if (rp_grow_tree(grow).kind == RP_TREE_OPERATOR) {
        rp_vault_access_forget(vault, rp_vault_tree_covered(grow, &root));
    }
    rp_ignore(remove_uncovered(grow)); /* the next opening tries again */
    rp_grow_free(grow);
    vault->open[at] = vault->open[--vault->open_count];
}

static void close_longest_unused(struct rp_vault *vault) {
    size_t at = 0;
    for (size_t i = 1; i < vault->open_count; i++) {
        at = vault->open[i].used < vault->open[at].used ? i : at;
    }
    close_at(vault, at);
}

static bool is_here(const struct rp_vault *vault, struct rp_tree tree) {
    char name[40], path[RP_VAULT_PATH_MAX];
    rp_tree_folder(tree, name);
    rp_vault_path(vault, path, "%s/vkey", name);
    return rp_file_exists(path);
}

rp_err rp_vault_tree_get(struct rp_vault *vault, struct rp_tree tree,
                         struct rp_vault_tree **ret_tree, struct rp_diag *diag) {
    for (size_t i = 0; i < vault->open_count; i++) {
        struct rp_tree there = rp_grow_tree(vault->open[i].grow);
        if (there.kind == tree.kind && rp_id_equal(there.tenant, tree.tenant)) {
            vault->open[i].used = ++vault->clock;
            *ret_tree = &vault->open[i];
            return RP_OK;
        }
    }
    if (vault->open_count == RP_VAULT_TREES_OPEN) {
        close_longest_unused(vault);
    }
    struct rp_vault_tree opened = {.used = ++vault->clock};
    bool was_here = is_here(vault, tree);
    RP_TRY(rp_grow_open(&vault->home, tree, &opened.grow, diag));
    if (was_here) {
        rp_err err = remove_uncovered(opened.grow);
        rp_grow_free(opened.grow);
        RP_TRY(err);
        RP_TRY(rp_grow_open(&vault->home, tree, &opened.grow, diag));
    }
    vault->open[vault->open_count] = opened;
    *ret_tree = &vault->open[vault->open_count++];
    return RP_OK;
}

rp_err rp_vault_tree_get_here(struct rp_vault *vault, struct rp_tree tree,
                              struct rp_vault_tree **ret_tree, struct rp_diag *diag) {
    return is_here(vault, tree) ? rp_vault_tree_get(vault, tree, ret_tree, diag)
                                : rp_fail(diag, RP_ERR(NOT_FOUND), "a tree that is not kept here");
}

void rp_vault_tree_forget(struct rp_vault *vault, const struct rp_vault_tree *tree) {
    close_at(vault, (size_t)(tree - vault->open));
}

rp_err rp_vault_size(struct rp_vault *vault, struct rp_tree which, struct rp_vault_size *ret_size,
                     struct rp_diag *diag) {
    struct rp_vault_tree *tree;
    rp_hash root;
    if (!is_here(vault, which)) {
        *ret_size = (struct rp_vault_size){.entries = 0};
        return RP_OK;
    }
    RP_TRY(rp_vault_tree_get(vault, which, &tree, diag));
    RP_TRY(rp_vault_records_load(vault, tree, diag));
    *ret_size = (struct rp_vault_size){.entries = rp_grow_size(tree->grow),
                                       .covered = rp_vault_tree_covered(tree->grow, &root),
                                       .records = tree->records.next};
    return RP_OK;
}
