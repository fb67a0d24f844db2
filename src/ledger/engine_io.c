#include "ledger/engine_io.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "os/file.h"

enum { PATH_SIZE = 288, UNDO_MAX = 1 << 20 };

/* What one staged request changed, newest last. */
struct undo {
    bool is_stream;
    struct rp_tree tree;
    rp_id stream;
    uint64_t old, old_tail;
};

struct rp_engine {
    char journal_folder[256];
    char state_path[PATH_SIZE];
    struct rp_journal *journal;
    struct rp_ledger_state state;
    struct rp_buf undo;
    size_t staged_bytes;
    rp_err failed; /* of a record that could not even be gathered: fails the next commit */
};

/* ---- numbers, and how to take them back ---- */

static uint64_t stream_last(const struct rp_engine *engine, rp_id stream) {
    return rp_idmap_get(&engine->state.streams, stream);
}

static rp_err set_size(struct rp_engine *engine, struct rp_tree tree, uint64_t size) {
    struct undo undo = {.tree = tree, .old = rp_ledger_state_size(&engine->state, tree)};
    RP_TRY(rp_ledger_state_set_size(&engine->state, tree, size));
    rp_buf_add(&engine->undo, rp_view_of(&undo, sizeof undo));
    return rp_buf_err(&engine->undo);
}

static rp_err set_stream(struct rp_engine *engine, rp_id stream, uint64_t last, uint64_t tail) {
    struct undo undo = {.is_stream = true,
                        .stream = stream,
                        .old = stream_last(engine, stream),
                        .old_tail = rp_idmap_get(&engine->state.tails, stream)};
    RP_TRY(rp_idmap_set(&engine->state.streams, stream, last));
    rp_err err = rp_idmap_set(&engine->state.tails, stream, tail);
    if (!rp_ok(err)) {
        rp_ignore(rp_idmap_set(&engine->state.streams, stream, undo.old)); /* its slot is there */
        return err;
    }
    rp_buf_add(&engine->undo, rp_view_of(&undo, sizeof undo));
    return rp_buf_err(&engine->undo);
}

/* Back to what stood when the undo list was `to` bytes long. Setting what was set before cannot
 * fail: its slot is there. */
static void undo_to(struct rp_engine *engine, size_t to) {
    while (engine->undo.n > to) {
        struct undo undo;
        engine->undo.n -= sizeof undo;
        memcpy(&undo, engine->undo.p + engine->undo.n, sizeof undo);
        rp_err err = undo.is_stream ? rp_idmap_set(&engine->state.streams, undo.stream, undo.old)
                                    : rp_ledger_state_set_size(&engine->state, undo.tree, undo.old);
        RP_ASSERT(rp_ok(err));
        if (undo.is_stream) {
            err = rp_idmap_set(&engine->state.tails, undo.stream, undo.old_tail);
            RP_ASSERT(rp_ok(err));
        }
    }
    engine->undo.failed = false;
}

/* ---- taking in ---- */

/* A sender that repeats itself repeats what it sent: it starts where it was not answered, so its
 * events reach the last one we know, and that one is the same. One whose database was put back
 * would give new events old numbers, and they would never be logged. */
static bool continues(const struct rp_engine *engine, const struct rp_append *append,
                      uint64_t last) {
    uint64_t at = last - append->first_sequence,
             tail = rp_idmap_get(&engine->state.tails, append->stream);
    return at < append->count && (tail == 0 || tail == rp_stream_tail(append->events[at]));
}

/* How many of the first events were stored before. PROTOCOL when one before them is missing,
 * CONFLICT when they are not those that were stored. */
static rp_err count_known(const struct rp_engine *engine, const struct rp_append *append,
                          size_t *ret_known) {
    if (append->first_sequence == 0) {
        *ret_known = 0;
        return RP_OK;
    }
    uint64_t next = stream_last(engine, append->stream) + 1;
    if (append->first_sequence > next) {
        return RP_ERR(PROTOCOL);
    }
    *ret_known = (size_t)RP_MIN(next - append->first_sequence, (uint64_t)append->count);
    return *ret_known == 0 || continues(engine, append, next - 1) ? RP_OK : RP_ERR(CONFLICT);
}

static size_t journal_bytes(const struct rp_append *append, size_t from) {
    size_t n = 0;
    for (size_t i = from; i < append->count; i++) {
        n += RP_JOURNAL_RECORD_HEAD + append->events[i].n;
    }
    return n;
}

static rp_err set_numbers(struct rp_engine *engine, const struct rp_append *append, size_t known,
                          uint64_t next_size) {
    RP_TRY(set_size(engine, append->tree, next_size));
    if (append->first_sequence == 0 || known == append->count) {
        return RP_OK;
    }
    return set_stream(engine, append->stream, append->first_sequence + append->count - 1,
                      rp_stream_tail(append->events[append->count - 1]));
}

static rp_err add_records(struct rp_engine *engine, const struct rp_append *append, size_t known,
                          uint64_t index, int64_t now_ms) {
    for (size_t i = known; i < append->count; i++) {
        struct rp_journal_record record = {
            .tree = append->tree,
            .stream = append->stream,
            .sequence = append->first_sequence == 0 ? 0 : append->first_sequence + i,
            .index = index + (i - known),
            .received_ms = now_ms,
            .event = append->events[i],
        };
        RP_TRY(rp_journal_add(engine->journal, &record));
    }
    return RP_OK;
}

rp_err rp_engine_stage(struct rp_engine *engine, const struct rp_append *append, int64_t now_ms,
                       uint64_t *ret_next) {
    size_t known;
    RP_ASSERT(append->count > 0 && append->count <= RP_LEDGER_BATCH_MAX);
    RP_TRY(count_known(engine, append, &known));
    size_t bytes = journal_bytes(append, known), mark = engine->undo.n;
    if (engine->staged_bytes + bytes > RP_JOURNAL_BATCH_BYTES) {
        return RP_ERR(OVERLOAD);
    }
    uint64_t size = rp_engine_size(engine, append->tree);
    uint64_t next = size + (append->count - known);
    rp_err err = set_numbers(engine, append, known, next);
    if (!rp_ok(err)) {
        undo_to(engine, mark);
        return err;
    }
    err = add_records(engine, append, known, size, now_ms);
    if (!rp_ok(err)) {
        /* Some records of it may be gathered already: the whole batch is given up. */
        engine->failed = err;
        return err;
    }
    engine->staged_bytes += bytes;
    *ret_next = next;
    return RP_OK;
}

rp_err rp_engine_commit(struct rp_engine *engine) {
    rp_err err = engine->failed;
    if (rp_ok(err)) {
        err = rp_journal_commit(engine->journal);
    }
    if (rp_ok(err)) {
        rp_buf_clear(&engine->undo);
    } else {
        rp_journal_drop(engine->journal);
        undo_to(engine, 0);
    }
    engine->failed = RP_OK;
    engine->staged_bytes = 0;
    return err;
}

void rp_engine_stream(const struct rp_engine *engine, rp_id stream, struct rp_stream_end *ret_end) {
    ret_end->last = stream_last(engine, stream);
    ret_end->tail = rp_idmap_get(&engine->state.tails, stream);
}

struct rp_journal_place rp_engine_end(const struct rp_engine *engine) {
    return rp_journal_end(engine->journal);
}

uint64_t rp_engine_written(const struct rp_engine *engine) {
    return rp_journal_written(engine->journal);
}

uint64_t rp_engine_size(const struct rp_engine *engine, struct rp_tree tree) {
    return rp_ledger_state_size(&engine->state, tree);
}

rp_err rp_engine_raise(struct rp_engine *engine, struct rp_tree tree, uint64_t size) {
    return size > rp_engine_size(engine, tree)
               ? rp_ledger_state_set_size(&engine->state, tree, size)
               : RP_OK;
}

rp_err rp_engine_each_tenant(struct rp_engine *engine, rp_err (*each)(void *ctx, rp_id tenant),
                             void *ctx) {
    for (size_t i = 0; i < engine->state.tenants.capacity; i++) {
        rp_id id = engine->state.tenants.slots[i].id;
        if (!rp_id_is_none(id)) {
            RP_TRY(each(ctx, id));
        }
    }
    return RP_OK;
}

/* ---- the numbers beside the journal ---- */

rp_err rp_engine_save(struct rp_engine *engine, struct rp_journal_place place) {
    RP_ASSERT(engine->undo.n == 0);
    _cleanup_(rp_buf_done) struct rp_buf bytes = rp_buf_new(RP_STATE_BYTES_MAX);
    engine->state.segment = place.segment;
    engine->state.offset = place.offset;
    rp_ledger_state_print(&bytes, &engine->state);
    RP_TRY(rp_buf_err(&bytes));
    RP_TRY(rp_file_replace(engine->state_path, 0640, rp_buf_view(&bytes)));
    RP_CRASH_POINT("state.saved");
    return rp_journal_forget(engine->journal, place);
}

/* *ret_found false: there is none, this ledger is new. */
static rp_err load_state(struct rp_engine *engine, bool *ret_found, struct rp_diag *diag) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(RP_STATE_BYTES_MAX);
    rp_view bytes;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    rp_err err = rp_file_read(engine->state_path, RP_STATE_BYTES_MAX, arena, &bytes);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        *ret_found = false;
        return RP_OK;
    }
    RP_TRY(err);
    *ret_found = true;
    err = rp_ledger_state_parse(bytes, &engine->state);
    return rp_ok(err) ? err
                      : rp_fail(diag, err, "%s: not a state of the ledger", engine->state_path);
}

/* What one journal record tells; it may be older than the saved numbers. */
static rp_err learn(struct rp_engine *engine, const struct rp_journal_record *record) {
    RP_TRY(rp_engine_raise(engine, record->tree, record->index + 1));
    if (record->sequence > 0 && record->sequence > stream_last(engine, record->stream)) {
        RP_TRY(rp_idmap_set(&engine->state.tails, record->stream, rp_stream_tail(record->event)));
        return rp_idmap_set(&engine->state.streams, record->stream, record->sequence);
    }
    return RP_OK;
}

static rp_err replay(struct rp_engine *engine, struct rp_journal_place from, struct rp_diag *diag) {
    struct rp_journal_reader *reader;
    rp_err err = rp_journal_read(engine->journal_folder, from, &reader);
    if (!rp_ok(err)) {
        return rp_fail(diag, RP_ERR(CORRUPT), "%s/%016llx.log: missing", engine->journal_folder,
                       (unsigned long long)from.segment);
    }
    struct rp_journal_record record;
    while (rp_ok(err)) {
        err = rp_journal_next(reader, rp_engine_end(engine), &record, diag);
        if (rp_ok(err)) {
            err = learn(engine, &record);
        }
    }
    rp_journal_reader_free(reader);
    return rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err;
}

static rp_err start(struct rp_engine *engine, const struct rp_disk *disk, uint64_t segment_bytes,
                    struct rp_engine_start *ret_start, struct rp_diag *diag) {
    struct rp_engine_start s = {0};
    bool found;
    RP_TRY(rp_journal_open(disk, engine->journal_folder, segment_bytes, &engine->journal,
                           &s.cut_bytes, diag));
    RP_TRY(load_state(engine, &found, diag));
    if (found) {
        s.from = (struct rp_journal_place){engine->state.segment, engine->state.offset};
        if (rp_journal_before(rp_engine_end(engine), s.from)) {
            return rp_fail(diag, RP_ERR(CORRUPT), "%s: the end of the journal is missing",
                           engine->journal_folder);
        }
    } else {
        RP_TRY(rp_journal_begin(engine->journal, &s.from));
        if (s.from.segment != 0) {
            return rp_fail(diag, RP_ERR(CORRUPT), "%s: missing", engine->state_path);
        }
    }
    RP_TRY(replay(engine, s.from, diag));
    *ret_start = s;
    return RP_OK;
}

void rp_engine_free(struct rp_engine *engine) {
    if (engine) {
        rp_journal_free(engine->journal);
        rp_ledger_state_done(&engine->state);
        rp_buf_done(&engine->undo);
        free(engine);
    }
}

rp_err rp_engine_open(const struct rp_disk *disk, const char *folder, uint64_t segment_bytes,
                      struct rp_engine **ret_engine, struct rp_engine_start *ret_start,
                      struct rp_diag *diag) {
    struct rp_engine *engine = calloc(1, sizeof *engine);
    if (!engine) {
        return RP_ERR(NO_MEMORY);
    }
    int n = snprintf(engine->journal_folder, sizeof engine->journal_folder, "%s/journal", folder);
    RP_ASSERT(n > 0 && (size_t)n < sizeof engine->journal_folder);
    n = snprintf(engine->state_path, sizeof engine->state_path, "%s/state", engine->journal_folder);
    RP_ASSERT(n > 0 && (size_t)n < sizeof engine->state_path);
    rp_ledger_state_start(&engine->state);
    engine->undo = rp_buf_new((size_t)UNDO_MAX * sizeof(struct undo));
    rp_err err = start(engine, disk, segment_bytes, ret_start, diag);
    if (!rp_ok(err)) {
        rp_engine_free(engine);
        return err;
    }
    *ret_engine = engine;
    return RP_OK;
}
