/* vault_records_io.c — the anchor records of the copy's private trees: appended, the next by their
 * number, each of the tree that stands here, and proven by the log's own key. */
#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ledger/anchor_io.h"
#include "ledger/origin.h"
#include "ledger/proven.h"
#include "ledger/read_io.h"
#include "ledger/vault_parts_io.h"
#include "os/batch.h"
#include "os/file.h"

enum { FILE_MODE = 0640, FOLDER_MODE = 0750, PROOF_ARENA = 256 * 1024 };

static const rp_view record_head = RP_VIEW_INIT("rempart-anchor v1\n");

static void records_path(const struct rp_vault *vault, struct rp_tree tree,
                         char out[static RP_VAULT_PATH_MAX]) {
    char name[40];
    rp_tree_folder(tree, name);
    rp_vault_path(vault, out, "%s/anchors", name);
}

static void file_path(const struct rp_vault *vault, struct rp_tree tree, uint64_t file,
                      char out[static RP_VAULT_PATH_MAX]) {
    char name[40];
    rp_tree_folder(tree, name);
    rp_vault_path(vault, out, "%s/anchors/%llu", name, (unsigned long long)file);
}

/* ---- what is here ---- */

/* The end of a file that a power cut tore is cut off. Where a whole record stands behind what does
 * not parse, somebody altered it. */
static rp_err cut_torn(const char *path, rp_view torn, uint64_t keep, struct rp_diag *diag) {
    if (rp_view_find(rp_view_from(torn, 1), record_head) < torn.n - 1) {
        return rp_fail(diag, RP_ERR(CORRUPT), "%s: not a file of anchor records", path);
    }
    _cleanup_fd_ int fd = -1;
    RP_TRY(rp_file_open_rw(path, FILE_MODE, &fd));
    RP_TRY(rp_file_cut(fd, keep));
    return rp_file_sync(fd);
}

static rp_err load_file(const struct rp_vault *vault, struct rp_vault_tree *tree, uint64_t file,
                        struct rp_diag *diag) {
    char path[RP_VAULT_PATH_MAX];
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(2 * RP_ANCHOR_FILE_MAX);
    struct rp_vault_records found = {.known = true, .file = file};
    struct rp_anchor record = {.number = 0};
    rp_view bytes = {NULL, 0}, rest;
    file_path(vault, rp_grow_tree(tree->grow), file, path);
    RP_TRY(arena ? rp_file_read(path, RP_ANCHOR_FILE_MAX, arena, &bytes) : RP_ERR(NO_MEMORY));
    for (rest = bytes; rest.n > 0;) {
        rp_view before = rest;
        if (!rp_ok(rp_anchor_parse(&rest, &record))) {
            RP_TRY(cut_torn(path, before, bytes.n - before.n, diag));
            break;
        }
        found.bytes = bytes.n - rest.n;
        found.next = record.number + 1;
        found.last_index = record.public_index;
    }
    if (found.bytes == 0) {
        RP_TRY(rp_file_remove(path));
        return RP_ERR(NOT_FOUND);
    }
    tree->records = found;
    return RP_OK;
}

rp_err rp_vault_records_load(const struct rp_vault *vault, struct rp_vault_tree *tree,
                             struct rp_diag *diag) {
    char folder[RP_VAULT_PATH_MAX];
    records_path(vault, rp_grow_tree(tree->grow), folder);
    while (!tree->records.known) {
        uint64_t newest = 0;
        rp_err err = rp_anchor_newest_file(folder, &newest);
        if (rp_is(err, RP_E_NOT_FOUND)) {
            tree->records = (struct rp_vault_records){.known = true};
            break;
        }
        RP_TRY(err);
        err = load_file(vault, tree, newest, diag);
        if (!rp_ok(err) && !rp_is(err, RP_E_NOT_FOUND)) {
            return err;
        }
    }
    return RP_OK;
}

/* ---- what comes ---- */

static rp_err check_record(const struct rp_vault_tree *tree, struct rp_log *log,
                           const struct rp_anchor *record, struct rp_diag *diag) {
    const struct rp_vault_records *kept = &tree->records;
    rp_hash root;
    if (record->number != kept->next ||
        (record->number > 0 && record->public_index <= kept->last_index)) {
        return rp_fail(diag, RP_ERR(CONFLICT), "anchor record %llu, where %llu are kept",
                       (unsigned long long)record->number, (unsigned long long)kept->next);
    }
    if (!rp_ok(rp_log_root_at(log, record->size, &root)) ||
        !rp_sha256_equal(&root, &record->root)) {
        return rp_fail(diag, RP_ERR(CORRUPT), "anchor record %llu is of another tree",
                       (unsigned long long)record->number);
    }
    return RP_OK;
}

/* The anchor that the record names is an entry that the log signed for, and the record leads to it.
 */
static rp_err leads_to_anchor(const struct rp_vault *vault, rp_view origin,
                              const struct rp_proven *proven, const struct rp_anchor *record) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(PROOF_ARENA);
    _cleanup_(rp_buf_done) struct rp_buf vkey = rp_buf_new(RP_VKEY_MAX);
    struct rp_tlog_proof *proof = arena ? rp_arena_alloc(arena, sizeof *proof) : NULL;
    char public_origin[RP_ORIGIN_MAX];
    rp_hash root;
    uint64_t trees = 0;
    RP_TRY(proof ? RP_OK : RP_ERR(NO_MEMORY));
    rp_tree_origin(vault->host, (struct rp_tree){.kind = RP_TREE_PUBLIC}, public_origin);
    rp_vkey_print(&vkey, rp_view_from_cstr(public_origin), vault->home.key.public_key);
    RP_TRY(rp_buf_err(&vkey));
    RP_TRY(rp_verify_proof(proven->proof, proven->entry, rp_buf_view(&vkey), NULL));
    RP_TRY(rp_tlog_proof_parse(proven->proof, arena, proof));
    RP_TRY(rp_anchor_event_parse(proven->entry, arena, &root, &trees));
    RP_TRY(rp_anchor_check(record, origin, &root));
    return proof->index == record->public_index && trees == record->leaves ? RP_OK
                                                                           : RP_ERR(CORRUPT);
}

/*= S113: a record that the log's key does not vouch for would stand in the way of the true one. */
static rp_err check_proof(const struct rp_vault *vault, const struct rp_vault_tree *tree,
                          const struct rp_proven *proven, const struct rp_anchor *record,
                          struct rp_diag *diag) {
    rp_err err = leads_to_anchor(vault, rp_grow_origin(tree->grow), proven, record);
    return rp_ok(err) || rp_is(err, RP_E_NO_MEMORY)
               ? err
               : rp_fail(diag, RP_ERR(CORRUPT),
                         "anchor record %llu does not lead to an anchor of the log",
                         (unsigned long long)record->number);
}

static rp_err append(const struct rp_vault *vault, struct rp_vault_tree *tree,
                     const struct rp_anchor *record, rp_view bytes) {
    struct rp_vault_records *kept = &tree->records;
    struct rp_tree which = rp_grow_tree(tree->grow);
    char path[RP_VAULT_PATH_MAX];
    bool fresh = kept->next == 0 || kept->bytes + bytes.n > RP_ANCHOR_FILE_MAX;
    uint64_t file = fresh ? record->public_index : kept->file, at = fresh ? 0 : kept->bytes;
    _cleanup_fd_ int fd = -1;
    records_path(vault, which, path);
    RP_TRY(rp_folder_make(path, FOLDER_MODE));
    file_path(vault, which, file, path);
    RP_TRY(rp_file_open_append(path, FILE_MODE, &fd));
    rp_err err = vault->disk->append(vault->disk->ctx, fd, bytes);
    if (!rp_ok(err)) {
        kept->known = false; /* looked at again: half of it may stand there */
        rp_ignore(rp_file_cut(fd, at));
        return err;
    }
    *kept = (struct rp_vault_records){true, file, at + bytes.n, record->number + 1,
                                      record->public_index};
    return RP_OK;
}

static void log_freep(struct rp_log **log) {
    rp_log_free(*log);
}

static rp_err parse_one(rp_view bytes, struct rp_anchor *ret_record) {
    RP_TRY(rp_anchor_parse(&bytes, ret_record));
    return bytes.n == 0 ? RP_OK : RP_ERR(SYNTAX);
}

static rp_err take_records(struct rp_vault *vault, struct rp_vault_tree *tree, struct rp_log *log,
                           rp_view records, struct rp_diag *diag) {
    for (rp_view rest = records; rest.n > 0;) {
        struct rp_proven proven;
        struct rp_anchor record;
        if (!rp_ok(rp_proven_next(&rest, &proven)) || !rp_ok(parse_one(proven.record, &record))) {
            return rp_fail(diag, RP_ERR(SYNTAX), "not an anchor record");
        }
        RP_TRY(check_record(tree, log, &record, diag));
        RP_TRY(check_proof(vault, tree, &proven, &record, diag));
        RP_TRY(append(vault, tree, &record, proven.record));
    }
    return RP_OK;
}

rp_err rp_vault_records_take(struct rp_vault *vault, struct rp_vault_tree *tree, rp_view records,
                             struct rp_diag *diag) {
    _cleanup_(log_freep) struct rp_log *log = NULL;
    if (rp_grow_tree(tree->grow).kind == RP_TREE_PUBLIC || records.n == 0) {
        return rp_fail(diag, RP_ERR(SYNTAX), "no records of a private tree");
    }
    RP_TRY(rp_vault_records_load(vault, tree, diag));
    rp_err err = rp_log_open(rp_grow_folder(tree->grow), (rp_view){NULL, 0}, &log, NULL);
    if (!rp_ok(err)) {
        return rp_fail(diag, RP_ERR(CONFLICT), "anchor records before the tree's first checkpoint");
    }
    return take_records(vault, tree, log, records, diag);
}
