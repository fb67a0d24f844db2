#include "ledger/forest_io.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ledger/anchor_io.h"
#include "ledger/origin.h"
#include "os/file.h"

enum {
    OPEN_MAX = 96,                 /* trees in memory */
    OPEN_BYTES = 24 * 1024 * 1024, /* and what they may hold together */
    GROUP = 32,                    /* trees that share the waits of one publishing */
    CHANGED_BYTES = RP_ANCHOR_TREES_MAX * 80,
    PATH_SIZE = 256
};

struct open_tree {
    struct rp_grow *grow;
    uint64_t used; /* a counter: the least is the longest unused */
};

struct rp_forest {
    const struct rp_grow_home *home;
    const struct rp_env *env;
    struct rp_journal_reader *reader; /* NULL: to be opened at place */
    struct rp_journal_place place;
    struct open_tree open[OPEN_MAX];
    size_t open_count;
    uint64_t clock;
    struct rp_buf changed;     /* of struct rp_anchor_tree: published, not anchored at that size */
    struct rp_idmap positions; /* id → its place in `changed`, plus one */
};
_Static_assert(sizeof(struct rp_anchor_tree) <= 80, "CHANGED_BYTES counts on it");

static bool same_tree(struct rp_tree a, struct rp_tree b) {
    return a.kind == b.kind && rp_id_equal(a.tenant, b.tenant);
}

struct rp_journal_place rp_forest_place(const struct rp_forest *forest) {
    return forest->place;
}

/* ---- what waits for an anchor ---- */

/* The operator's tree has no id of its own; no random id is all ones. */
static rp_id position_key(struct rp_tree tree) {
    rp_id id = tree.tenant;
    if (tree.kind != RP_TREE_TENANT) {
        memset(id.b, 0xff, sizeof id.b);
    }
    return id;
}

static struct rp_anchor_tree *changed_trees(const struct rp_forest *forest, size_t *ret_count) {
    *ret_count = forest->changed.n / sizeof(struct rp_anchor_tree);
    return (struct rp_anchor_tree *)(void *)forest->changed.p;
}

/* Remembers a tree's published size for the next anchor. The public tree anchors the others. */
static rp_err note_changed(struct rp_forest *forest, const struct rp_grow *grow) {
    struct rp_anchor_tree now = {.tree = rp_grow_tree(grow)};
    if (now.tree.kind == RP_TREE_PUBLIC || !rp_grow_published(grow, &now.size, &now.root) ||
        now.size == 0) {
        return RP_OK;
    }
    size_t count;
    rp_id key = position_key(now.tree);
    uint64_t position = rp_idmap_get(&forest->positions, key);
    if (position == 0) {
        rp_buf_add(&forest->changed, rp_view_of(&now, sizeof now));
        RP_TRY(rp_buf_err(&forest->changed));
        (void)changed_trees(forest, &count);
        return rp_idmap_set(&forest->positions, key, count);
    }
    struct rp_anchor_tree *trees = changed_trees(forest, &count);
    RP_ASSERT(position <= count);
    trees[position - 1] = now;
    return RP_OK;
}

/* Those anchored at the size that they still have are no longer waited for. */
static rp_err forget_anchored(struct rp_forest *forest, const struct rp_anchor_plan *plan) {
    size_t count, kept = 0;
    struct rp_anchor_tree *trees = changed_trees(forest, &count);
    for (size_t i = 0; i < plan->count; i++) {
        uint64_t position = rp_idmap_get(&forest->positions, position_key(plan->trees[i].tree));
        if (position > 0 && trees[position - 1].size == plan->trees[i].size) {
            trees[position - 1].size = 0;
        }
    }
    rp_idmap_clear(&forest->positions);
    for (size_t i = 0; i < count; i++) {
        if (trees[i].size > 0) {
            trees[kept++] = trees[i];
            RP_TRY(rp_idmap_set(&forest->positions, position_key(trees[i].tree), kept));
        }
    }
    forest->changed.n = kept * sizeof *trees;
    return RP_OK;
}

/* ---- publishing ---- */

static void temporary_name(const struct rp_forest *forest, size_t i, char out[static PATH_SIZE]) {
    int n = snprintf(out, PATH_SIZE, "%s/journal/checkpoint.%zu.tmp", forest->home->folder, i);
    RP_ASSERT(n > 0 && n < PATH_SIZE);
}

static bool needs_checkpoint(const struct rp_grow *grow) {
    uint64_t size;
    rp_hash root;
    return !rp_grow_published(grow, &size, &root) || size != rp_grow_size(grow);
}

/* stage — sync — sign — sync — publish, for at most GROUP trees at once. */
static rp_err publish_group(struct rp_forest *forest, struct rp_grow *const *group, size_t n) {
    const struct rp_disk *disk = forest->home->disk;
    char temporary[PATH_SIZE];
    RP_ASSERT(n > 0 && n <= GROUP);
    for (size_t i = 0; i < n; i++) {
        RP_TRY(rp_grow_stage(group[i]));
    }
    RP_TRY(disk->sync_all(disk->ctx, forest->home->folder));
    for (size_t i = 0; i < n; i++) {
        temporary_name(forest, i, temporary);
        RP_TRY(rp_grow_sign(group[i], temporary));
    }
    RP_TRY(disk->sync_all(disk->ctx, forest->home->folder));
    for (size_t i = 0; i < n; i++) {
        temporary_name(forest, i, temporary);
        RP_TRY(rp_grow_publish(group[i], temporary));
        RP_TRY(note_changed(forest, group[i]));
    }
    return RP_OK;
}

rp_err rp_forest_publish(struct rp_forest *forest, enum rp_forest_which which,
                         struct rp_diag *diag) {
    (void)diag;
    struct rp_grow *group[GROUP];
    size_t n = 0;
    for (size_t i = 0; i < forest->open_count; i++) {
        struct rp_grow *grow = forest->open[i].grow;
        uint64_t size;
        rp_hash root;
        /* A tenant's first checkpoint does not wait its turn: a tree without one proves nothing.
         * Nor does one whose full tile stands already: files past the checkpoint look like a
         * rollback to who verifies meanwhile. */
        bool soon = rp_grow_tree(grow).kind != RP_TREE_TENANT ||
                    !rp_grow_published(grow, &size, &root) ||
                    size / RP_TILE_WIDTH != rp_grow_size(grow) / RP_TILE_WIDTH;
        if ((soon || which == RP_FOREST_ALL) && needs_checkpoint(grow)) {
            group[n++] = grow;
        }
        if (n == GROUP || (n > 0 && i + 1 == forest->open_count)) {
            RP_TRY(publish_group(forest, group, n));
            n = 0;
        }
    }
    return RP_OK;
}

/* ---- trees in memory ---- */

static size_t open_bytes(const struct rp_forest *forest) {
    size_t n = 0;
    for (size_t i = 0; i < forest->open_count; i++) {
        n += rp_grow_bytes(forest->open[i].grow);
    }
    return n;
}

static int by_use(const void *a, const void *b) {
    uint64_t x = ((const struct open_tree *)a)->used, y = ((const struct open_tree *)b)->used;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Publishes all and closes the half that was not used for the longest time. */
static rp_err make_room(struct rp_forest *forest, struct rp_diag *diag) {
    RP_TRY(rp_forest_publish(forest, RP_FOREST_ALL, diag));
    qsort(forest->open, forest->open_count, sizeof forest->open[0], by_use);
    size_t keep = forest->open_count / 2, kept = 0;
    for (size_t i = 0; i < forest->open_count; i++) {
        bool fixed = rp_grow_tree(forest->open[i].grow).kind != RP_TREE_TENANT;
        if (i < keep || fixed) {
            forest->open[kept++] = forest->open[i];
        } else {
            rp_grow_free(forest->open[i].grow);
        }
    }
    forest->open_count = kept;
    RP_ASSERT(kept < OPEN_MAX);
    return RP_OK;
}

static rp_err get_tree(struct rp_forest *forest, struct rp_tree tree, struct rp_grow **ret_grow,
                       struct rp_diag *diag) {
    for (size_t i = 0; i < forest->open_count; i++) {
        if (same_tree(rp_grow_tree(forest->open[i].grow), tree)) {
            forest->open[i].used = ++forest->clock;
            *ret_grow = forest->open[i].grow;
            return RP_OK;
        }
    }
    if (forest->open_count == OPEN_MAX || open_bytes(forest) > OPEN_BYTES) {
        RP_TRY(make_room(forest, diag));
    }
    struct rp_grow *grow;
    RP_TRY(rp_grow_open(forest->home, tree, &grow, diag));
    forest->open[forest->open_count++] = (struct open_tree){grow, ++forest->clock};
    *ret_grow = grow;
    return RP_OK;
}

/* ---- deriving ---- */

/* Before an anchor's leaf is in its tree, all of its records stand. */
static rp_err write_anchor_records(struct rp_forest *forest, const struct rp_journal_record *record,
                                   struct rp_diag *diag) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena =
        rp_arena_new((size_t)RP_ANCHOR_TREES_MAX * 400);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    struct rp_anchor_plan plan;
    RP_TRY(rp_anchor_write(forest->home, record->event, record->index, arena, &plan, diag));
    RP_CRASH_POINT("anchor.recorded");
    return forget_anchored(forest, &plan);
}

static rp_err take_record(struct rp_forest *forest, const struct rp_journal_record *record,
                          struct rp_diag *diag) {
    struct rp_grow *grow;
    RP_TRY(get_tree(forest, record->tree, &grow, diag));
    uint64_t size = rp_grow_size(grow);
    if (record->index < size) {
        /* Derived before a crash; whether it was anchored too is not known, so it will be. */
        return note_changed(forest, grow);
    }
    if (record->index > size) {
        return rp_fail(diag, RP_ERR(CORRUPT), "%s: has %llu entries, the journal goes on at %llu",
                       rp_grow_folder(grow), (unsigned long long)size,
                       (unsigned long long)record->index);
    }
    if (record->tree.kind == RP_TREE_PUBLIC && rp_event_is(record->event, RP_EVENT_ANCHOR)) {
        RP_TRY(write_anchor_records(forest, record, diag));
    }
    return rp_grow_add(grow, record->event);
}

rp_err rp_forest_derive(struct rp_forest *forest, struct rp_journal_place end,
                        struct rp_diag *diag) {
    char folder[PATH_SIZE];
    int n = snprintf(folder, sizeof folder, "%s/journal", forest->home->folder);
    RP_ASSERT(n > 0 && n < PATH_SIZE);
    if (!forest->reader) {
        RP_TRY(rp_journal_read(folder, forest->place, &forest->reader));
    }
    for (;;) {
        struct rp_journal_record record;
        rp_err err = rp_journal_next(forest->reader, end, &record, diag);
        if (rp_is(err, RP_E_NOT_FOUND)) {
            forest->place = rp_journal_reader_place(forest->reader);
            return RP_OK;
        }
        if (rp_ok(err)) {
            err = take_record(forest, &record, diag);
        }
        if (!rp_ok(err)) {
            /* The next call reads this record again. */
            rp_journal_reader_free(forest->reader);
            forest->reader = NULL;
            return err;
        }
        forest->place = rp_journal_reader_place(forest->reader);
    }
}

/* ---- heads and anchors ---- */

rp_err rp_forest_head(struct rp_forest *forest, struct rp_tree tree, struct rp_buf *out,
                      struct rp_diag *diag) {
    struct rp_grow *grow;
    char path[PATH_SIZE];
    rp_view note;
    RP_TRY(get_tree(forest, tree, &grow, diag));
    if (needs_checkpoint(grow)) {
        RP_TRY(publish_group(forest, &grow, 1));
    }
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(RP_NOTE_MAX);
    int n = snprintf(path, sizeof path, "%s/checkpoint", rp_grow_folder(grow));
    RP_ASSERT(n > 0 && (size_t)n < sizeof path);
    RP_TRY(arena ? rp_file_read(path, RP_NOTE_MAX, arena, &note) : RP_ERR(NO_MEMORY));
    rp_buf_add(out, note);
    return rp_buf_err(out);
}

rp_err rp_forest_plan_anchor(struct rp_forest *forest, rp_hash *ret_root, size_t *ret_count,
                             struct rp_diag *diag) {
    RP_TRY(rp_forest_publish(forest, RP_FOREST_ALL, diag));
    struct rp_anchor_plan plan;
    plan.trees = changed_trees(forest, &plan.count);
    plan.count = RP_MIN(plan.count, (size_t)RP_ANCHOR_TREES_MAX);
    if (plan.count == 0) {
        *ret_count = 0;
        return RP_OK;
    }
    for (size_t i = 0; i < plan.count; i++) {
        forest->env->fill_random(forest->env->ctx, plan.trees[i].salt, RP_ANCHOR_SALT);
    }
    RP_TRY(rp_anchor_save_plan(forest->home, &plan, ret_root));
    RP_CRASH_POINT("anchor.planned");
    *ret_count = plan.count;
    return RP_OK;
}

rp_err rp_forest_size_on_disk(const struct rp_grow_home *home, struct rp_tree tree,
                              uint64_t *ret_size) {
    char name[40], path[PATH_SIZE];
    rp_tree_folder(tree, name);
    int n = snprintf(path, sizeof path, "%s/%s/checkpoint", home->folder, name);
    RP_ASSERT(n > 0 && n < PATH_SIZE);
    if (!rp_file_exists(path)) {
        *ret_size = 0;
        return RP_OK;
    }
    struct rp_grow *grow;
    RP_TRY(rp_grow_open(home, tree, &grow, NULL));
    *ret_size = rp_grow_size(grow);
    rp_grow_free(grow);
    return RP_OK;
}

void rp_forest_free(struct rp_forest *forest) {
    if (forest) {
        for (size_t i = 0; i < forest->open_count; i++) {
            rp_grow_free(forest->open[i].grow);
        }
        rp_journal_reader_free(forest->reader);
        rp_buf_done(&forest->changed);
        rp_idmap_done(&forest->positions);
        free(forest);
    }
}

rp_err rp_forest_new(const struct rp_grow_home *home, const struct rp_env *env,
                     struct rp_journal_place from, struct rp_forest **ret_forest,
                     struct rp_diag *diag) {
    struct rp_forest *forest = calloc(1, sizeof *forest);
    if (!forest) {
        return RP_ERR(NO_MEMORY);
    }
    forest->home = home;
    forest->env = env;
    forest->place = from;
    forest->changed = rp_buf_new(CHANGED_BYTES);
    forest->positions = rp_idmap_new(RP_ANCHOR_TREES_MAX);
    struct rp_grow *grow;
    rp_err err = get_tree(forest, (struct rp_tree){.kind = RP_TREE_PUBLIC}, &grow, diag);
    if (rp_ok(err)) {
        err = get_tree(forest, (struct rp_tree){.kind = RP_TREE_OPERATOR}, &grow, diag);
    }
    if (!rp_ok(err)) {
        rp_forest_free(forest);
        return err;
    }
    *ret_forest = forest;
    return RP_OK;
}
