#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ledger/verify_io.h"
#include "os/file.h"

/* ---- files ---- */

rp_err rp_verify_file(struct rp_verify_tree *tree, const char *file, size_t max,
                      rp_view *ret_bytes) {
    char path[RP_VERIFY_PATH_MAX];
    rp_verify_path(tree->folder, file, path);
    return rp_file_read(path, max, tree->arena, ret_bytes);
}

rp_err rp_verify_missing(struct rp_verify_tree *tree, const char *file) {
    return rp_verify_bad(tree->v, tree, file, 0, "missing, or cannot be read");
}

/* ---- key and checkpoint ---- */

static rp_err check_vkey(struct rp_verify_tree *tree) {
    rp_view text;
    if (!rp_ok(rp_file_exists(tree->folder) ? rp_verify_file(tree, "vkey", RP_VKEY_MAX, &text)
                                            : RP_ERR(NOT_FOUND))) {
        return rp_verify_missing(tree, "vkey");
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
    rp_verify_path(tree->folder, "checkpoint", path);
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
    rp_verify_path(tree->folder, "checkpoint", path);
    /* A tree that has just been born is signed a moment later. */
    for (unsigned i = 0; i < RP_VERIFY_LOOKS && !rp_file_exists(path); i++) {
        rp_verify_wait();
    }
    if (!rp_file_exists(path)) {
        return rp_verify_missing(tree, "checkpoint");
    }
    if (!rp_ok(read_checkpoint(tree, &checkpoint))) {
        return rp_verify_bad(tree->v, tree, "checkpoint", 0, "not signed by the key in vkey");
    }
    tree->size = checkpoint.size;
    memcpy(tree->root.b, checkpoint.root, RP_SHA256);
    return RP_OK;
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
    rp_verify_path(tree->folder, "anchors", folder);
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
    struct rp_diag french = {.french = true}, diag = {.also = &french};
    if (!rp_ok(rp_log_open(tree->folder, (rp_view){NULL, 0}, &log, &diag))) {
        return rp_verify_bad_as(tree->v, tree, "checkpoint", diag.text, french.text);
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
    RP_TRY(rp_verify_tiles(tree));
    RP_TRY(rp_verify_other_files(tree));
    RP_TRY(check_anchors(tree));
    RP_TRY(rp_verify_witnessed(tree));
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
    tree->arena = rp_arena_new(3 * (size_t)RP_VERIFY_FILE_MAX);
    tree->key_arena = rp_arena_new(8 * RP_VKEY_MAX);
    rp_err err = tree->arena && tree->key_arena ? check_all(tree) : RP_ERR(NO_MEMORY);
    rp_arena_free(tree->arena);
    rp_arena_free(tree->key_arena);
    free(tree);
    return err;
}
