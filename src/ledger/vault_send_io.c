#include "ledger/vault_sending.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "ledger/note.h"
#include "ledger/origin.h"
#include "ledger/tiles.h"
#include "os/file.h"

enum {
    TREES_MAX = 1 << 20,
    REQUEST_MAX = RP_VAULT_BYTES_MAX + 256,
    REPLY_MAX = 256,
    ENTRY_ARENA = 4 * RP_TLOG_ENTRY_MAX,
    PROOF_MAX = 2 * RP_NOTE_MAX
};

/* ---- asking ---- */

rp_err rp_vault_ask(struct rp_vault_sending *s, enum rp_vault_message what,
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

rp_err rp_vault_ask_size(struct rp_vault_sending *s, struct rp_tree tree,
                         struct rp_vault_size *ret_size) {
    const struct rp_vault_request request = {.tree = tree};
    RP_TRY(rp_vault_ask(s, RP_VAULT_SIZE, &request));
    return rp_vault_size_unpack(rp_buf_view(&s->reply), ret_size);
}

/* ---- which trees have something new ---- */

/* public and operator have no ids; no random id is all zeros but one. */
rp_id rp_vault_key_of(struct rp_tree tree) {
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

void rp_vault_tree_path(const struct rp_vault_sending *s, struct rp_tree tree, const char *name,
                        char out[static RP_VAULT_PATH_SIZE]) {
    char folder[40];
    rp_tree_folder(tree, folder);
    int n = snprintf(out, RP_VAULT_PATH_SIZE, "%s/%s%s", s->folder, folder, name);
    RP_ASSERT(n > 0 && n < RP_VAULT_PATH_SIZE);
}

/* Does the checkpoint that stands there differ from the one that was sent? */
static bool is_new(struct rp_vault_sending *s, struct rp_tree tree) {
    char path[RP_VAULT_PATH_SIZE];
    rp_view note = {NULL, 0};
    rp_vault_tree_path(s, tree, "/checkpoint", path);
    rp_arena_reset(s->arena);
    return rp_ok(rp_file_read(path, RP_NOTE_MAX, s->arena, &note)) &&
           mark_of(note) != rp_idmap_get(&s->sent, rp_vault_key_of(tree));
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
        RP_TRY(rp_vault_ask(s, RP_VAULT_ENTRIES, &request));
        s->round.entries += next - first;
        s->round.behind -= next - first;
    }
    return RP_OK;
}

/* A copy that is longer, or is another tree, is asked all the same: it has to say so. */
static rp_err send_log(struct rp_vault_sending *s, struct rp_tree tree, struct rp_log *log) {
    struct rp_vault_size size = {.entries = 0};
    RP_TRY(rp_vault_ask_size(s, tree, &size));
    uint64_t to = rp_log_size(log);
    if (size.entries < to) {
        s->round.behind += to - size.entries;
        RP_TRY(send_entries(s, tree, log, size.entries, to));
    }
    if (tree.kind == RP_TREE_OPERATOR) {
        RP_TRY(rp_vault_send_segments(s));
    }
    const struct rp_vault_request request = {.tree = tree, .bytes = rp_log_note(log)};
    return rp_vault_ask(s, RP_VAULT_HEAD, &request);
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
    return rp_idmap_set(&s->sent, rp_vault_key_of(tree), mark_of(rp_log_note(log)));
}

static rp_err send_tree(struct rp_vault_sending *s, struct rp_tree tree) {
    char path[RP_VAULT_PATH_SIZE];
    struct rp_log *log = NULL;
    if (is_new(s, tree)) {
        rp_vault_tree_path(s, tree, "", path);
        RP_TRY(rp_ok(rp_log_open(path, (rp_view){NULL, 0}, &log, s->diag)) ? RP_OK
                                                                           : RP_ERR(SYSTEM));
        rp_err err = send_opened(s, tree, log);
        rp_log_free(log);
        RP_TRY(err);
    }
    return s->anchored ? rp_vault_send_records(s, tree) : RP_OK;
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
    char path[RP_VAULT_PATH_SIZE];
    struct rp_log *log = NULL;
    rp_vault_tree_path(s, (struct rp_tree){.kind = RP_TREE_PUBLIC}, "", path);
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
