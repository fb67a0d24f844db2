#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ledger/anchor_io.h"
#include "ledger/proven.h"
#include "ledger/vault_sending.h"
#include "os/file.h"

enum {
    RECORD_FILES_MAX = 1 << 16,
    LENGTHS = 3 * 4 /* of a record, its anchor and its proof, in a message */
};

struct record_files {
    uint64_t *names;
    size_t count;
};

static rp_err add_file(void *ctx, const char *name, bool is_folder) {
    struct record_files *files = ctx;
    uint64_t number;
    if (is_folder || !rp_view_to_u64(rp_view_from_cstr(name), UINT64_MAX, &number)) {
        return RP_OK;
    }
    if (files->count == RECORD_FILES_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    files->names[files->count++] = number;
    return RP_OK;
}

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y ? 1 : 0;
}

static rp_err read_file_of(struct rp_vault_sending *s, struct rp_tree tree, uint64_t name,
                           rp_view *ret_bytes) {
    char child[40], path[RP_VAULT_PATH_SIZE];
    int n = snprintf(child, sizeof child, "/anchors/%llu", (unsigned long long)name);
    RP_ASSERT(n > 0 && (size_t)n < sizeof child);
    rp_vault_tree_path(s, tree, child, path);
    rp_arena_reset(s->arena);
    return rp_file_read(path, RP_ANCHOR_FILE_MAX, s->arena, ret_bytes);
}

/* Those of the file that are numbered `from` and on, and whose anchor the public checkpoint that we
 * are about to send covers. *ret_first: of the file's first record. */
static rp_err pick_records(const struct rp_vault_sending *s, rp_view bytes, uint64_t from,
                           uint64_t *ret_first, rp_view *ret_picked) {
    uint64_t first = UINT64_MAX;
    rp_view picked = {bytes.p, 0};
    for (rp_view rest = bytes; rest.n > 0;) {
        struct rp_anchor record;
        rp_view before = rest;
        RP_TRY(rp_anchor_parse(&rest, &record));
        first = RP_MIN(first, record.number);
        if (record.public_index >= s->public_size) {
            break;
        }
        if (record.number < from) {
            picked = rest;
            picked.n = 0;
        } else {
            picked.n += before.n - rest.n;
        }
    }
    *ret_first = first;
    *ret_picked = picked;
    return RP_OK;
}

static rp_err send_bytes(struct rp_vault_sending *s, struct rp_tree tree) {
    const struct rp_vault_request request = {.tree = tree, .bytes = rp_buf_view(&s->bytes)};
    RP_TRY(s->bytes.n > 0 ? rp_vault_ask(s, RP_VAULT_RECORDS, &request) : RP_OK);
    rp_buf_clear(&s->bytes);
    return RP_OK;
}

/* Adds a record to the message, and what proves it; what is full goes out before. */
static rp_err send_record(struct rp_vault_sending *s, struct rp_tree tree, rp_view record,
                          uint64_t public_index) {
    struct rp_proven proven = {.record = record};
    rp_arena_reset(s->anchor);
    rp_buf_clear(&s->proof);
    rp_err err = rp_log_entry(s->public_log, public_index, s->anchor, &proven.entry);
    if (rp_ok(err)) {
        err = rp_log_proof(s->public_log, public_index, &s->proof);
    }
    if (!rp_ok(err)) {
        return rp_fail(s->diag, RP_ERR(SYSTEM), "entry %llu of the log cannot be read",
                       (unsigned long long)public_index);
    }
    proven.proof = rp_buf_view(&s->proof);
    if (s->bytes.n + record.n + proven.entry.n + proven.proof.n + LENGTHS > RP_VAULT_BYTES_MAX) {
        RP_TRY(send_bytes(s, tree));
    }
    rp_proven_pack(&s->bytes, &proven);
    return rp_buf_err(&s->bytes);
}

static rp_err send_picked(struct rp_vault_sending *s, struct rp_tree tree, rp_view picked) {
    rp_buf_clear(&s->bytes);
    while (picked.n > 0) {
        rp_view before = picked;
        struct rp_anchor record;
        RP_TRY(rp_anchor_parse(&picked, &record));
        RP_TRY(
            send_record(s, tree, rp_view_sub(before, 0, before.n - picked.n), record.public_index));
    }
    return send_bytes(s, tree);
}

/* From the newest file back to the one that holds the next record, then forward. */
static rp_err send_files(struct rp_vault_sending *s, struct rp_tree tree, uint64_t from,
                         const struct record_files *files) {
    rp_view bytes, picked;
    size_t at = files->count;
    for (uint64_t first = UINT64_MAX; at > 0 && first > from;) {
        RP_TRY(read_file_of(s, tree, files->names[--at], &bytes));
        RP_TRY(pick_records(s, bytes, from, &first, &picked));
    }
    for (; at < files->count; at++) {
        uint64_t first;
        RP_TRY(read_file_of(s, tree, files->names[at], &bytes));
        RP_TRY(pick_records(s, bytes, from, &first, &picked));
        RP_TRY(send_picked(s, tree, picked));
    }
    return RP_OK;
}

/* How many records the tree has here. */
static rp_err count_records(struct rp_vault_sending *s, struct rp_tree tree,
                            const struct record_files *files, uint64_t *ret_count) {
    rp_view bytes = {NULL, 0};
    struct rp_anchor record = {.number = UINT64_MAX};
    RP_TRY(read_file_of(s, tree, files->names[files->count - 1], &bytes));
    while (bytes.n > 0) {
        RP_TRY(rp_anchor_parse(&bytes, &record));
    }
    *ret_count = record.number + 1;
    return RP_OK;
}

static rp_err send_from(struct rp_vault_sending *s, struct rp_tree tree,
                        struct record_files *files) {
    struct rp_vault_size size;
    uint64_t count = 0;
    char path[RP_VAULT_PATH_SIZE];
    rp_vault_tree_path(s, tree, "/anchors", path);
    RP_TRY(rp_folder_each(path, add_file, files));
    if (files->count == 0) {
        return RP_OK;
    }
    qsort(files->names, files->count, sizeof *files->names, by_number);
    RP_TRY(count_records(s, tree, files, &count));
    if (count == rp_idmap_get(&s->records, rp_vault_key_of(tree))) {
        return RP_OK;
    }
    RP_TRY(rp_vault_ask_size(s, tree, &size));
    RP_TRY(send_files(s, tree, size.records, files));
    return rp_idmap_set(&s->records, rp_vault_key_of(tree), count);
}

rp_err rp_vault_send_records(struct rp_vault_sending *s, struct rp_tree tree) {
    struct record_files files = {.names = calloc(RECORD_FILES_MAX, sizeof *files.names)};
    rp_err err = files.names ? send_from(s, tree, &files) : RP_ERR(NO_MEMORY);
    free(files.names);
    return rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err;
}
