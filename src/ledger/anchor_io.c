#include "ledger/anchor_io.h"

#include "base/assert.h"
#include "base/checked.h"
#include "ledger/origin.h"
#include "os/file.h"
#include "wire/json.h"

enum {
    PATH_SIZE = 256,
    PLAN_BYTES_MAX = RP_ANCHOR_TREES_MAX * 80,
    NODES_BYTES = RP_ANCHOR_TREES_MAX * 160,
    GROUP = 1024, /* records that one wait makes durable */
    FOLDER_MODE = 0750
};

static void home_path(const struct rp_grow_home *home, const char *name,
                      char out[static PATH_SIZE]) {
    int n = snprintf(out, PATH_SIZE, "%s/journal/%s", home->folder, name);
    RP_ASSERT(n > 0 && n < PATH_SIZE);
}

rp_err rp_anchor_save_plan(const struct rp_grow_home *home, const struct rp_anchor_plan *plan,
                           rp_hash *ret_root) {
    char path[PATH_SIZE], temporary[PATH_SIZE], again[PATH_SIZE];
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(NODES_BYTES);
    _cleanup_(rp_buf_done) struct rp_buf bytes = rp_buf_new(PLAN_BYTES_MAX);
    struct rp_anchor_nodes nodes;
    rp_hash root;
    RP_TRY(arena ? rp_anchor_nodes_make(plan, home->host, arena, &nodes) : RP_ERR(NO_MEMORY));
    RP_TRY(rp_anchor_nodes_root(&nodes, &root));
    rp_anchor_plan_print(&bytes, plan);
    RP_TRY(rp_buf_err(&bytes));
    home_path(home, "anchor", path);
    home_path(home, "anchor.tmp", temporary);
    home_path(home, "anchor.tmp.new", again);
    /* Durable before it takes the place of the plan before, which a start may still ask for. */
    const struct rp_disk *disk = home->disk;
    RP_TRY(disk->put(disk->ctx, again, temporary, 0640, rp_buf_view(&bytes)));
    RP_TRY(disk->sync_all(disk->ctx, home->folder));
    RP_TRY(disk->rename(disk->ctx, temporary, path));
    RP_TRY(disk->sync_all(disk->ctx, home->folder));
    *ret_root = root;
    return RP_OK;
}

rp_err rp_anchor_event_parse(rp_view event, struct rp_arena *arena, rp_hash *ret_root,
                             uint64_t *ret_trees) {
    struct rp_event_read read;
    RP_TRY(rp_event_parse(event, arena, &read));
    if (read.kind != RP_EVENT_ANCHOR ||
        !rp_hex_parse(rp_json_get_string(read.fields, "root"), ret_root->b, RP_SHA256) ||
        !rp_json_get_u64(read.fields, "trees", ret_trees)) {
        return RP_ERR(CORRUPT);
    }
    return RP_OK;
}

/* ---- one tree's file of records ---- */

struct newest {
    uint64_t index;
    bool any;
};

static rp_err see_file(void *ctx, const char *name, bool is_folder) {
    struct newest *newest = ctx;
    uint64_t index;
    if (!is_folder && rp_view_to_u64(rp_view_from_cstr(name), UINT64_MAX, &index) &&
        (!newest->any || index > newest->index)) {
        *newest = (struct newest){index, true};
    }
    return RP_OK;
}

rp_err rp_anchor_newest_file(const char *folder, uint64_t *ret_index) {
    struct newest newest = {0, false};
    RP_TRY(rp_folder_each(folder, see_file, &newest));
    if (!newest.any) {
        return RP_ERR(NOT_FOUND);
    }
    *ret_index = newest.index;
    return RP_OK;
}

/* The newest file's records in `out`, its name in *ret_file, and what the next record's number is;
 * *ret_done when the record of this anchor is there already. */
static rp_err read_newest(const char *folder, const struct rp_anchor *anchor, struct rp_buf *out,
                          uint64_t *ret_file, uint64_t *ret_number, bool *ret_done,
                          struct rp_diag *diag) {
    uint64_t newest = 0;
    rp_err err = rp_anchor_newest_file(folder, &newest);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        *ret_file = anchor->public_index;
        *ret_number = 0;
        return RP_OK;
    }
    RP_TRY(err);
    char path[PATH_SIZE];
    int n = snprintf(path, sizeof path, "%s/%llu", folder, (unsigned long long)newest);
    RP_ASSERT(n > 0 && n < PATH_SIZE);
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(2 * RP_ANCHOR_FILE_MAX);
    rp_view bytes, rest;
    RP_TRY(arena ? rp_file_read(path, RP_ANCHOR_FILE_MAX, arena, &bytes) : RP_ERR(NO_MEMORY));
    struct rp_anchor last = {.number = UINT64_MAX};
    for (rest = bytes; rest.n > 0;) {
        if (!rp_ok(rp_anchor_parse(&rest, &last))) {
            return rp_fail(diag, RP_ERR(CORRUPT), "%s: not a file of anchor records", path);
        }
    }
    *ret_done = last.public_index >= anchor->public_index;
    *ret_number = last.number + 1;
    *ret_file = newest;
    rp_buf_add(out, bytes);
    return rp_buf_err(out);
}

/* Where a record waits until its bytes are durable, and the file that it then takes the place of.
 */
struct waiting {
    char temporary[PATH_SIZE], path[PATH_SIZE];
    bool done; /* it stands there already */
};

static void waiting_name(const struct rp_grow_home *home, size_t i, const char *end,
                         char out[static PATH_SIZE]) {
    char name[48];
    snprintf(name, sizeof name, "record.%zu.tmp%s", i, end);
    home_path(home, name, out);
}

static rp_err stage_record(const struct rp_grow_home *home, struct rp_tree tree, size_t i,
                           struct rp_anchor *anchor, struct waiting *ret, struct rp_diag *diag) {
    char name[40], folder[PATH_SIZE - 32], again[PATH_SIZE];
    rp_tree_folder(tree, name);
    int n = snprintf(folder, sizeof folder, "%s/%s/anchors", home->folder, name);
    RP_ASSERT(n > 0 && (size_t)n < sizeof folder);
    _cleanup_(rp_buf_done) struct rp_buf file = rp_buf_new(RP_ANCHOR_FILE_MAX);
    _cleanup_(rp_buf_done) struct rp_buf record = rp_buf_new(RP_ANCHOR_RECORD_MAX);
    uint64_t file_name = 0;
    ret->done = false;
    RP_TRY(read_newest(folder, anchor, &file, &file_name, &anchor->number, &ret->done, diag));
    if (ret->done) {
        return RP_OK;
    }
    rp_anchor_print(&record, anchor);
    RP_TRY(rp_buf_err(&record));
    if (file.n + record.n > RP_ANCHOR_FILE_MAX) {
        rp_buf_clear(&file);
        file_name = anchor->public_index;
    }
    rp_buf_add(&file, rp_buf_view(&record));
    RP_TRY(rp_buf_err(&file));
    n = snprintf(ret->path, sizeof ret->path, "%s/%llu", folder, (unsigned long long)file_name);
    RP_ASSERT(n > 0 && n < PATH_SIZE);
    waiting_name(home, i, "", ret->temporary);
    waiting_name(home, i, ".new", again);
    RP_TRY(rp_folder_make(folder, FOLDER_MODE));
    return home->disk->put(home->disk->ctx, again, ret->temporary, 0640, rp_buf_view(&file));
}

/* ---- all of an anchor ---- */

static rp_err load_plan(const struct rp_grow_home *home, struct rp_arena *arena,
                        struct rp_anchor_plan *ret_plan, struct rp_diag *diag) {
    char path[PATH_SIZE];
    rp_view bytes;
    home_path(home, "anchor", path);
    rp_err err = rp_file_read(path, PLAN_BYTES_MAX, arena, &bytes);
    if (rp_ok(err)) {
        err = rp_anchor_plan_parse(bytes, arena, ret_plan);
    }
    return rp_ok(err) ? err : rp_fail(diag, RP_ERR(CORRUPT), "%s: not a plan of an anchor", path);
}

/* A file of records grows by being replaced, and holds what nobody could write again: the new bytes
 * are durable before they take its place. */
static rp_err write_records(const struct rp_grow_home *home, const struct rp_anchor_plan *plan,
                            const struct rp_anchor_nodes *nodes, uint64_t public_index,
                            struct rp_diag *diag) {
    const struct rp_disk *disk = home->disk;
    _cleanup_(rp_arena_freep) struct rp_arena *arena =
        rp_arena_new(GROUP * sizeof(struct waiting) + 64);
    struct waiting *waiting = arena ? rp_arena_array(arena, GROUP, sizeof *waiting) : NULL;
    RP_TRY(waiting ? RP_OK : RP_ERR(NO_MEMORY));
    for (size_t from = 0; from < plan->count; from += GROUP) {
        size_t n = RP_MIN((size_t)GROUP, plan->count - from);
        for (size_t k = 0; k < n; k++) {
            size_t i = from + k;
            struct rp_anchor anchor = {.public_index = public_index,
                                       .leaf = i,
                                       .leaves = plan->count,
                                       .size = plan->trees[i].size,
                                       .root = plan->trees[i].root};
            memcpy(anchor.salt, plan->trees[i].salt, RP_ANCHOR_SALT);
            RP_TRY(rp_anchor_nodes_proof(nodes, i, anchor.proof, &anchor.proof_count));
            RP_TRY(stage_record(home, plan->trees[i].tree, k, &anchor, &waiting[k], diag));
        }
        RP_TRY(disk->sync_all(disk->ctx, home->folder));
        for (size_t k = 0; k < n; k++) {
            if (!waiting[k].done) {
                RP_TRY(disk->rename(disk->ctx, waiting[k].temporary, waiting[k].path));
            }
        }
    }
    return RP_OK;
}

rp_err rp_anchor_write(const struct rp_grow_home *home, rp_view event, uint64_t public_index,
                       struct rp_arena *arena, struct rp_anchor_plan *ret_plan,
                       struct rp_diag *diag) {
    rp_hash wanted, root;
    uint64_t trees;
    struct rp_anchor_plan plan;
    struct rp_anchor_nodes nodes;
    RP_TRY(rp_anchor_event_parse(event, arena, &wanted, &trees));
    RP_TRY(load_plan(home, arena, &plan, diag));
    RP_TRY(rp_anchor_nodes_make(&plan, home->host, arena, &nodes));
    RP_TRY(rp_anchor_nodes_root(&nodes, &root));
    if (trees != plan.count || !rp_sha256_equal(&root, &wanted)) {
        return rp_fail(diag, RP_ERR(CORRUPT),
                       "%s/journal/anchor: not the plan of public entry %llu", home->folder,
                       (unsigned long long)public_index);
    }
    RP_TRY(write_records(home, &plan, &nodes, public_index, diag));
    *ret_plan = plan;
    return RP_OK;
}
