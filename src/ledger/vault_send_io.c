#include "ledger/vault_send_io.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ledger/access_io.h"
#include "ledger/anchor_io.h"
#include "ledger/idmap.h"
#include "ledger/note.h"
#include "ledger/origin.h"
#include "ledger/proven.h"
#include "ledger/read_io.h"
#include "ledger/tiles.h"
#include "os/file.h"

enum {
    PATH_SIZE = 256,
    TREES_MAX = 1 << 20,
    REQUEST_MAX = RP_VAULT_BYTES_MAX + 256,
    REPLY_MAX = 256,
    ENTRY_ARENA = 4 * RP_TLOG_ENTRY_MAX,
    RECORD_FILES_MAX = 1 << 16,
    PROOF_MAX = 2 * RP_NOTE_MAX,
    LENGTHS = 3 * 4, /* of a record, its anchor and its proof, in a message */
    SEGMENT_MAX = 8 << 20
};

struct rp_vault_sending {
    const char *folder;
    struct rp_vault_door door;
    struct rp_buf request, reply, bytes;
    struct rp_idmap sent; /* tree → the first bytes of the hash of the checkpoint that was sent */
    struct rp_idmap records; /* tree → how many of its anchor records were */
    uint64_t anchors_seen;   /* public entries in which anchors were looked for */
    struct rp_arena *arena;
    struct rp_arena *anchor;    /* one anchor's entry, while the arena holds a file of records */
    struct rp_buf proof;        /* of that entry */
    struct rp_vault_round last; /* refused then */
    /* of the round under way */
    const atomic_bool *stop;
    struct rp_vault_round round;
    struct rp_log *public_log;
    uint64_t public_size;
    bool anchored; /* the public tree names anchors whose records may not have been sent */
    rp_err failed; /* of a tree that cannot be read here: the others go on */
    struct rp_diag *diag;
};

/* ---- asking ---- */

static rp_err ask(struct rp_vault_sending *s, enum rp_vault_message what,
                  const struct rp_vault_request *request) {
    if (atomic_load(s->stop)) {
        return RP_ERR(CLOSED);
    }
    rp_buf_clear(&s->request);
    rp_buf_clear(&s->reply);
    rp_vault_request_pack(&s->request, what, request);
    RP_TRY(rp_buf_err(&s->request));
    return s->door.call(s->door.ctx, what, rp_buf_view(&s->request), &s->reply);
}

static rp_err ask_size(struct rp_vault_sending *s, struct rp_tree tree,
                       struct rp_vault_size *ret_size) {
    const struct rp_vault_request request = {.tree = tree};
    RP_TRY(ask(s, RP_VAULT_SIZE, &request));
    return rp_vault_size_unpack(rp_buf_view(&s->reply), ret_size);
}

/* ---- which trees have something new ---- */

/* public and operator have no ids; no random id is all zeros but one. */
static rp_id key_of(struct rp_tree tree) {
    rp_id id = tree.tenant;
    if (tree.kind != RP_TREE_TENANT) {
        id.b[sizeof id.b - 1] = (uint8_t)(tree.kind + 1);
    }
    return id;
}

static uint64_t mark_of(rp_view note) {
    struct rp_sha256 hash = rp_sha256_of(note);
    uint64_t mark;
    memcpy(&mark, hash.b, sizeof mark);
    return mark;
}

static void tree_path(const struct rp_vault_sending *s, struct rp_tree tree, const char *name,
                      char out[static PATH_SIZE]) {
    char folder[40];
    rp_tree_folder(tree, folder);
    int n = snprintf(out, PATH_SIZE, "%s/%s%s", s->folder, folder, name);
    RP_ASSERT(n > 0 && n < PATH_SIZE);
}

/* Does the checkpoint that stands there differ from the one that was sent? */
static bool is_new(struct rp_vault_sending *s, struct rp_tree tree) {
    char path[PATH_SIZE];
    rp_view note = {NULL, 0};
    tree_path(s, tree, "/checkpoint", path);
    rp_arena_reset(s->arena);
    return rp_ok(rp_file_read(path, RP_NOTE_MAX, s->arena, &note)) &&
           mark_of(note) != rp_idmap_get(&s->sent, key_of(tree));
}

/* ---- one tree's entries and checkpoint ---- */

/* What is damaged here is no refusal of the vault's. */
static rp_err read_entry(struct rp_vault_sending *s, struct rp_log *log, uint64_t index,
                         rp_view *ret_entry) {
    rp_arena_reset(s->arena);
    rp_err err = rp_log_entry(log, index, s->arena, ret_entry);
    return rp_ok(err) ? err
                      : rp_fail(s->diag, RP_ERR(SYSTEM), "entry %llu of the log cannot be read",
                                (unsigned long long)index);
}

/* As many as fit into a message. */
static rp_err gather(struct rp_vault_sending *s, struct rp_log *log, uint64_t *index) {
    rp_buf_clear(&s->bytes);
    while (*index < rp_log_size(log)) {
        rp_view entry = {NULL, 0};
        RP_TRY(read_entry(s, log, *index, &entry));
        if (s->bytes.n + entry.n + 2 > RP_VAULT_BYTES_MAX) {
            break;
        }
        rp_bundle_add(&s->bytes, entry);
        ++*index;
    }
    return rp_buf_err(&s->bytes);
}

static rp_err send_entries(struct rp_vault_sending *s, struct rp_tree tree, struct rp_log *log,
                           uint64_t from, uint64_t to) {
    for (uint64_t next = from; next < to;) {
        uint64_t first = next;
        RP_TRY(gather(s, log, &next));
        const struct rp_vault_request request = {
            .tree = tree, .at = first, .bytes = rp_buf_view(&s->bytes)};
        RP_TRY(ask(s, RP_VAULT_ENTRIES, &request));
        s->round.entries += next - first;
        s->round.behind -= next - first;
    }
    return RP_OK;
}

static rp_err send_segments(struct rp_vault_sending *s);

/* A copy that is longer, or is another tree, is asked all the same: it has to say so. */
static rp_err send_log(struct rp_vault_sending *s, struct rp_tree tree, struct rp_log *log) {
    struct rp_vault_size size = {.entries = 0};
    RP_TRY(ask_size(s, tree, &size));
    uint64_t to = rp_log_size(log);
    if (size.entries < to) {
        s->round.behind += to - size.entries;
        RP_TRY(send_entries(s, tree, log, size.entries, to));
    }
    if (tree.kind == RP_TREE_OPERATOR) {
        RP_TRY(send_segments(s));
    }
    const struct rp_vault_request request = {.tree = tree, .bytes = rp_log_note(log)};
    return ask(s, RP_VAULT_HEAD, &request);
}

/* ---- anchor records ---- */

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
    char child[40], path[PATH_SIZE];
    int n = snprintf(child, sizeof child, "/anchors/%llu", (unsigned long long)name);
    RP_ASSERT(n > 0 && (size_t)n < sizeof child);
    tree_path(s, tree, child, path);
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
    RP_TRY(s->bytes.n > 0 ? ask(s, RP_VAULT_RECORDS, &request) : RP_OK);
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
    char path[PATH_SIZE];
    tree_path(s, tree, "/anchors", path);
    RP_TRY(rp_folder_each(path, add_file, files));
    if (files->count == 0) {
        return RP_OK;
    }
    qsort(files->names, files->count, sizeof *files->names, by_number);
    RP_TRY(count_records(s, tree, files, &count));
    if (count == rp_idmap_get(&s->records, key_of(tree))) {
        return RP_OK;
    }
    RP_TRY(ask_size(s, tree, &size));
    RP_TRY(send_files(s, tree, size.records, files));
    return rp_idmap_set(&s->records, key_of(tree), count);
}

static rp_err send_records(struct rp_vault_sending *s, struct rp_tree tree) {
    struct record_files files = {.names = calloc(RECORD_FILES_MAX, sizeof *files.names)};
    rp_err err = files.names ? send_from(s, tree, &files) : RP_ERR(NO_MEMORY);
    free(files.names);
    return rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err;
}

/* ---- access segments ---- */

static rp_err send_segment(struct rp_vault_sending *s, uint64_t time_ms, uint64_t from) {
    char name[RP_ACCESS_NAME], path[PATH_SIZE];
    uint64_t total = 0;
    _cleanup_fd_ int fd = -1;
    rp_access_name(time_ms, name);
    int n = snprintf(path, sizeof path, "%s/access/%s", s->folder, name);
    RP_ASSERT(n > 0 && n < PATH_SIZE);
    RP_TRY(rp_file_open(path, &fd));
    RP_TRY(rp_file_size(fd, &total));
    while (from < total) {
        size_t bytes = (size_t)RP_MIN(total - from, (uint64_t)RP_VAULT_BYTES_MAX);
        rp_buf_clear(&s->bytes);
        uint8_t *p = rp_buf_extend(&s->bytes, bytes);
        RP_TRY(p ? rp_file_read_at(fd, from, p, bytes) : RP_ERR(NO_MEMORY));
        const struct rp_vault_request request = {
            .at = time_ms, .offset = from, .total = total, .bytes = rp_buf_view(&s->bytes)};
        RP_TRY(ask(s, RP_VAULT_SEGMENT, &request));
        from += bytes;
    }
    return RP_OK;
}

/* One whose days are over here is passed over; so is one that is not what its entry says. */
static rp_err send_segments(struct rp_vault_sending *s) {
    uint64_t time_ms = 0, bytes = 0;
    for (;;) {
        const struct rp_vault_request request = {.at = time_ms};
        RP_TRY(ask(s, RP_VAULT_WANTED, &request));
        RP_TRY(rp_vault_wanted_unpack(rp_buf_view(&s->reply), &time_ms, &bytes));
        if (time_ms == 0) {
            return RP_OK;
        }
        rp_err err = send_segment(s, time_ms, bytes);
        if (!rp_ok(err) && !rp_is(err, RP_E_NOT_FOUND) && !rp_is(err, RP_E_CORRUPT)) {
            return err;
        }
    }
}

/* ---- a round ---- */

/* What the vault says of a tree that is not the one that it keeps. */
static bool is_refusal(rp_err err) {
    return rp_is(err, RP_E_CONFLICT) || rp_is(err, RP_E_CORRUPT) || rp_is(err, RP_E_REPLAYED) ||
           rp_is(err, RP_E_BAD_SIGNATURE);
}

static bool was_refused(const struct rp_vault_sending *s, struct rp_tree tree) {
    return s->last.refused && s->last.refused_tree.kind == tree.kind &&
           rp_id_equal(s->last.refused_tree.tenant, tree.tenant);
}

/* Once may be another sender's doing, which leaves while we begin; the first tree is remembered. */
static void note_refusal(struct rp_vault_sending *s, struct rp_tree tree, rp_err err) {
    if (!s->round.refused || was_refused(s, tree)) {
        s->round.refused = true;
        s->round.refused_tree = tree;
        s->round.refused_err = err;
    }
}

static rp_err send_opened(struct rp_vault_sending *s, struct rp_tree tree, struct rp_log *log) {
    s->round.trees++;
    RP_TRY(send_log(s, tree, log));
    return rp_idmap_set(&s->sent, key_of(tree), mark_of(rp_log_note(log)));
}

static rp_err send_tree(struct rp_vault_sending *s, struct rp_tree tree) {
    char path[PATH_SIZE];
    struct rp_log *log = NULL;
    if (is_new(s, tree)) {
        tree_path(s, tree, "", path);
        RP_TRY(rp_ok(rp_log_open(path, (rp_view){NULL, 0}, &log, s->diag)) ? RP_OK
                                                                           : RP_ERR(SYSTEM));
        rp_err err = send_opened(s, tree, log);
        rp_log_free(log);
        RP_TRY(err);
    }
    return s->anchored ? send_records(s, tree) : RP_OK;
}

/* A vault that is away ends the round; what is wrong with one tree does not. */
static rp_err pass_over(struct rp_vault_sending *s, struct rp_tree tree, rp_err err) {
    if (is_refusal(err)) {
        note_refusal(s, tree, err);
        return RP_OK;
    }
    if (rp_is(err, RP_E_SYSTEM)) {
        s->failed = err;
        return RP_OK;
    }
    return err;
}

static rp_err see_tree(void *ctx, const char *name, bool is_folder) {
    struct rp_vault_sending *s = ctx;
    struct rp_tree tree;
    if (!is_folder || !rp_tree_of_folder(rp_view_from_cstr(name), &tree) ||
        tree.kind != RP_TREE_TENANT) {
        return RP_OK;
    }
    return pass_over(s, tree, send_tree(s, tree));
}

/* At the first round nobody knows which records the vault has. */
static rp_err look_for_anchors(struct rp_vault_sending *s, struct rp_log *log) {
    s->anchored = s->anchors_seen == 0;
    for (uint64_t i = s->anchors_seen; i < s->public_size && !s->anchored; i++) {
        rp_view entry = {NULL, 0};
        RP_TRY(read_entry(s, log, i, &entry));
        s->anchored = rp_event_is(entry, RP_EVENT_ANCHOR);
    }
    return RP_OK;
}

/* The operator's tree first: each start writes into it, so that a log that was put back shows
 * there, before anything of it is added to trees that it does not contradict yet. */
static rp_err send_trees(struct rp_vault_sending *s, struct rp_log *public_log) {
    const struct rp_tree public_tree = {.kind = RP_TREE_PUBLIC};
    const struct rp_tree operator_tree = {.kind = RP_TREE_OPERATOR};
    RP_TRY(look_for_anchors(s, public_log));
    RP_TRY(pass_over(s, operator_tree, send_tree(s, operator_tree)));
    if (s->round.refused) {
        return RP_OK;
    }
    RP_TRY(rp_folder_each(s->folder, see_tree, s));
    s->anchors_seen = s->public_size;
    return is_new(s, public_tree)
               ? pass_over(s, public_tree, send_opened(s, public_tree, public_log))
               : RP_OK;
}

static rp_err send_all(struct rp_vault_sending *s) {
    char path[PATH_SIZE];
    struct rp_log *log = NULL;
    tree_path(s, (struct rp_tree){.kind = RP_TREE_PUBLIC}, "", path);
    RP_TRY(rp_log_open(path, (rp_view){NULL, 0}, &log, s->diag));
    s->public_log = log;
    s->public_size = rp_log_size(log);
    rp_err err = send_trees(s, log);
    s->public_log = NULL;
    rp_log_free(log);
    return rp_ok(err) ? s->failed : err;
}

rp_err rp_vault_sending_round(struct rp_vault_sending *s, const atomic_bool *stop,
                              struct rp_vault_round *ret_round, struct rp_diag *diag) {
    s->stop = stop;
    s->diag = diag;
    s->failed = RP_OK;
    s->round = (struct rp_vault_round){.refused = false};
    rp_err err = send_all(s);
    struct rp_vault_round round = s->round;
    round.refused = round.refused && was_refused(s, round.refused_tree);
    s->last = s->round;
    *ret_round = round;
    return err;
}

void rp_vault_sending_free(struct rp_vault_sending *s) {
    if (s) {
        rp_buf_done(&s->request);
        rp_buf_done(&s->reply);
        rp_buf_done(&s->bytes);
        rp_idmap_done(&s->sent);
        rp_idmap_done(&s->records);
        rp_buf_done(&s->proof);
        rp_arena_free(s->arena);
        rp_arena_free(s->anchor);
        free(s);
    }
}

rp_err rp_vault_sending_new(const char *folder, struct rp_vault_door door,
                            struct rp_vault_sending **ret_sending) {
    struct rp_vault_sending *s = calloc(1, sizeof *s);
    if (!s) {
        return RP_ERR(NO_MEMORY);
    }
    *s = (struct rp_vault_sending){.folder = folder,
                                   .door = door,
                                   .request = rp_buf_new(REQUEST_MAX),
                                   .reply = rp_buf_new(REPLY_MAX),
                                   .bytes = rp_buf_new(RP_VAULT_BYTES_MAX),
                                   .sent = rp_idmap_new(TREES_MAX),
                                   .records = rp_idmap_new(TREES_MAX),
                                   .proof = rp_buf_new(PROOF_MAX),
                                   .arena = rp_arena_new(ENTRY_ARENA),
                                   .anchor = rp_arena_new(ENTRY_ARENA)};
    if (!s->arena || !s->anchor) {
        rp_vault_sending_free(s);
        return RP_ERR(NO_MEMORY);
    }
    *ret_sending = s;
    return RP_OK;
}
