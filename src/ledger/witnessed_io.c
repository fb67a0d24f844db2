#include "ledger/witnessed_io.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ledger/verify_io.h"
#include "os/file.h"

enum { PATH_SIZE = 512, ARENA = 64 * 1024 };

static rp_err path_of(const char *folder, char out[static PATH_SIZE]) {
    int n = snprintf(out, PATH_SIZE, "%s/witnessed", folder);
    return n > 0 && n < PATH_SIZE ? RP_OK : RP_ERR(INVALID);
}

static rp_err parse(rp_view bytes, const struct rp_tlog_vkey *vkey, struct rp_arena *arena,
                    struct rp_witnessed **ret_witnessed) {
    struct rp_witnessed *witnessed = rp_arena_alloc(arena, sizeof *witnessed);
    RP_TRY(witnessed ? rp_checkpoint_check(bytes, vkey, arena, &witnessed->head)
                     : RP_ERR(TOO_LARGE));
    RP_TRY(rp_tlog_note_parse(bytes, arena, &witnessed->note));
    *ret_witnessed = witnessed;
    return RP_OK;
}

/* ---- reading ---- */

rp_err rp_witnessed_read(struct rp_log *log, struct rp_arena *arena,
                         struct rp_witnessed **ret_witnessed, struct rp_diag *diag) {
    char path[PATH_SIZE];
    struct rp_witnessed *witnessed = NULL;
    rp_view bytes;
    rp_hash root;
    RP_TRY(path_of(rp_log_folder(log), path));
    RP_TRY(rp_file_read(path, RP_WITNESSED_MAX, arena, &bytes));
    rp_err err = parse(bytes, rp_log_vkey(log), arena, &witnessed);
    if (!rp_ok(err)) {
        return rp_fail(diag, RP_ERR(CORRUPT), "%s: not signed by this log's key", path);
    }
    if (witnessed->head.size > rp_log_size(log)) {
        RP_TRY(rp_log_refresh(log, diag)); /* the log may have grown since it was opened */
    }
    err = rp_log_root_at(log, witnessed->head.size, &root);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return rp_fail(diag, RP_ERR(CORRUPT),
                       "%s: %llu entries were cosigned, and the log has %llu: it was rolled back",
                       path, (unsigned long long)witnessed->head.size,
                       (unsigned long long)rp_log_size(log));
    }
    RP_TRY(err);
    if (!rp_view_equal(rp_view_of(root.b, sizeof root.b),
                       rp_view_of(witnessed->head.root, sizeof witnessed->head.root))) {
        return rp_fail(diag, RP_ERR(CORRUPT),
                       "%s: the log does not continue the tree of %llu entries that was cosigned",
                       path, (unsigned long long)witnessed->head.size);
    }
    *ret_witnessed = witnessed;
    return RP_OK;
}

/* ---- within `rempart verify` ---- */

static void log_freep(struct rp_log **log) {
    rp_log_free(*log);
}

rp_err rp_verify_witnessed(struct rp_verify_tree *tree) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(ARENA);
    _cleanup_(log_freep) struct rp_log *log = NULL;
    struct rp_witnessed *witnessed = NULL;
    struct rp_diag diag = {0};
    RP_TRY(arena ? rp_log_open(tree->folder, (rp_view){NULL, 0}, &log, &diag) : RP_ERR(NO_MEMORY));
    rp_err err = rp_witnessed_read(log, arena, &witnessed, &diag);
    if (rp_is(err, RP_E_CORRUPT)) { /* its reason without the name that is said beside it */
        size_t name = strlen(tree->folder) + strlen("/witnessed: ");
        return rp_verify_bad(tree->v, tree, "witnessed", 0, "%s",
                             diag.text + RP_MIN(name, strlen(diag.text)));
    }
    if (rp_ok(err)) {
        rp_verify_count(tree->v, 0);
    }
    return rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err;
}

/* ---- keeping ---- */

static uint64_t kept_size(const char *path, const struct rp_tlog_vkey *vkey,
                          struct rp_arena *arena) {
    struct rp_witnessed *kept = NULL;
    rp_view bytes;
    bool good = rp_ok(rp_file_read(path, RP_WITNESSED_MAX, arena, &bytes)) &&
                rp_ok(parse(bytes, vkey, arena, &kept));
    return good ? kept->head.size : 0;
}

rp_err rp_witnessed_keep(const char *folder, const struct rp_tlog_vkey *vkey, rp_view note) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(ARENA);
    struct rp_witnessed *witnessed = NULL;
    char path[PATH_SIZE];
    RP_TRY(path_of(folder, path));
    RP_TRY(arena ? RP_OK : RP_ERR(NO_MEMORY));
    if (note.n > RP_WITNESSED_MAX || !rp_ok(parse(note, vkey, arena, &witnessed)) ||
        witnessed->note.signature_count < 2 ||
        witnessed->head.size < kept_size(path, vkey, arena)) {
        return RP_ERR(INVALID);
    }
    return rp_file_replace(path, 0644, note);
}
