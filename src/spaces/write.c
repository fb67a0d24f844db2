/* write.c — records created, changed, put into the trash and taken out again.
 *
 * Each change is one transaction: the row sealed anew, the former one kept beside it, the tokens
 * that a search finds it by, the bytes counted, and the event.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "crypto/aead.h"
#include "spaces/internal.h"
#include "wire/json.h"

/* ---- a new record ---- */

struct change {
    const struct rp_space *space;
    rp_view collection;
    uint64_t if_version;
    uint64_t from_version;   /* restore: 0 = out of the trash */
    enum rp_label label;     /* wanted; none = as it is */
    struct rp_record record; /* what stands there afterwards */
    struct rp_arena *arena;
    struct rp_diag *diag;
};

static rp_err seal_next(const struct change *change, struct rp_buf *out) {
    struct rp_record_place place =
        rp_space_place(change->space, change->collection, &change->record);
    return rp_record_seal(change->space->env, change->space->key, &place, change->record.document,
                          out);
}

static void bind_place(struct rp_row *row, const struct change *change) {
    rp_row_bind_text(row, 1, change->space->app);
    rp_row_bind_text(row, 2, change->collection);
    rp_row_bind_id(row, 3, change->record.id);
}

static void bind_row(struct rp_row *row, const struct change *change, rp_view sealed) {
    bind_place(row, change);
    rp_row_bind_u64(row, 4, change->record.version);
    rp_row_bind_u64(row, 5, (uint64_t)change->record.changed_ms);
    rp_row_bind_u64(row, 6, change->record.label);
    rp_row_bind_u64(row, 7, (uint64_t)change->record.trashed_ms);
    rp_row_bind_blob(row, 8, sealed);
}

static rp_err tell(const struct change *change, enum rp_event_kind kind) {
    struct rp_record_place place =
        rp_space_place(change->space, change->collection, &change->record);
    return rp_space_emit(change->space, kind, &place);
}

/* A row that was not there. What comes from elsewhere may be in the trash, where no search looks.
 */
static rp_err insert(struct rp_db *db, const struct change *change, enum rp_event_kind kind) {
    const struct rp_record *record = &change->record;
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(RP_RECORD_MAX + RP_AEAD_OVERHEAD);
    RP_TRY(seal_next(change, &sealed));
    RP_TRY(rp_space_count_in(change->space, 1, sealed.n, change->diag));
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO record (app, collection, id, version, changed_ms, label, "
                       "trashed_ms, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                       &row));
    bind_row(row, change, rp_buf_view(&sealed));
    RP_TRY(rp_row_run(row, NULL));
    RP_TRY(rp_search_put(change->space, change->collection, record->id,
                         record->trashed_ms ? (rp_view){NULL, 0} : record->document,
                         change->arena));
    if (change->space->files) {
        RP_TRY(rp_space_file_hold(change->space, change->collection, record, change->arena,
                                  change->diag));
    }
    return tell(change, kind);
}

static rp_err do_create(struct rp_db *db, void *ctx) {
    return insert(db, ctx, RP_EVENT_RECORD_CREATED);
}

rp_err rp_space_bring(const struct rp_space *space, rp_view collection,
                      const struct rp_record *record, struct rp_arena *arena,
                      struct rp_diag *diag) {
    rp_space_check(space);
    RP_ASSERT(rp_space_takes(space, collection) && record->document.n > 0);
    const struct change change = {
        .space = space, .collection = collection, .record = *record, .arena = arena, .diag = diag};
    return insert(space->db, &change, RP_EVENT_RECORD_IMPORTED);
}

rp_err rp_space_create_as(struct rp_space *space, rp_view collection, rp_id id, rp_view document,
                          enum rp_label label, struct rp_arena *arena, struct rp_record *ret_record,
                          struct rp_diag *diag) {
    rp_space_check(space);
    if (!rp_space_takes(space, collection)) {
        return rp_fail(diag, RP_ERR(INVALID), "a collection's name is 1 to 64 of a-z, 0-9 and -");
    }
    struct change change = {.space = space, .collection = collection, .arena = arena, .diag = diag};
    RP_TRY(rp_record_canonical(document, arena, &change.record.document, diag));
    change.record.id = id;
    change.record.version = 1;
    change.record.changed_ms = rp_env_now_ms(space->env);
    change.record.label = label == RP_LABEL_NONE ? RP_LABEL_INTERNAL : label;
    RP_TRY(rp_db_transact(space->db, do_create, &change));
    *ret_record = change.record;
    return RP_OK;
}

rp_err rp_space_create(struct rp_space *space, rp_view collection, rp_view document,
                       enum rp_label label, struct rp_arena *arena, struct rp_record *ret_record,
                       struct rp_diag *diag) {
    return rp_space_create_as(space, collection, rp_env_new_id(space->env), document, label, arena,
                              ret_record, diag);
}

/* ---- the next version of one ---- */

/* What stands there, if it is the version wanted; opened when an arena is given. */
static rp_err current(struct rp_db *db, const struct change *change, bool trashed, bool whole,
                      struct rp_record *ret_record) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT " RP_RECORD_COLUMNS " FROM record "
                       "WHERE app = ?1 AND collection = ?2 AND id = ?3",
                       &row));
    bind_place(row, change);
    RP_TRY(rp_row_first(row));
    struct rp_record record = {0};
    RP_TRY(rp_space_row(change->space, change->collection, row, whole ? change->arena : NULL,
                        &record));
    if (record.trashed_ms != 0 && !trashed) {
        return RP_ERR(NOT_FOUND);
    }
    if (record.version == 0 || record.version >= RP_JSON_INTEGER_MAX) {
        return RP_ERR(CORRUPT);
    }
    if (change->if_version != 0 && change->if_version != record.version) {
        return RP_ERR(CONFLICT);
    }
    *ret_record = record;
    return RP_OK;
}

/* The row as it stands goes beside; what is older than the kept ones goes away. */
static rp_err keep_version(struct rp_db *db, const struct change *change, uint64_t version) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO record_version (app, collection, " RP_RECORD_COLUMNS
                       ") SELECT app, collection, " RP_RECORD_COLUMNS
                       " FROM record WHERE app = ?1 AND collection = ?2 AND id = ?3",
                       &row));
    bind_place(row, change);
    RP_TRY(rp_row_run(row, NULL));
    if (version <= RP_VERSIONS_KEPT) {
        return RP_OK;
    }
    RP_TRY(rp_db_query(db,
                       "UPDATE space_use SET bytes = max(0, bytes - (SELECT "
                       "coalesce(sum(length(sealed)), 0) FROM record_version WHERE app = ?1 AND "
                       "collection = ?2 AND id = ?3 AND version <= ?4))",
                       &row));
    bind_place(row, change);
    rp_row_bind_u64(row, 4, version - RP_VERSIONS_KEPT);
    RP_TRY(rp_row_run(row, NULL));
    RP_TRY(rp_db_query(db,
                       "DELETE FROM record_version WHERE app = ?1 AND collection = ?2 AND id = ?3 "
                       "AND version <= ?4",
                       &row));
    bind_place(row, change);
    rp_row_bind_u64(row, 4, version - RP_VERSIONS_KEPT);
    return rp_row_run(row, NULL);
}

static rp_err put_next(struct rp_db *db, struct change *change, const struct rp_record *old,
                       enum rp_event_kind kind) {
    change->record.version = old->version + 1;
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(RP_RECORD_MAX + RP_AEAD_OVERHEAD);
    RP_TRY(seal_next(change, &sealed));
    /* A tenant that is full can still throw away. */
    struct rp_space unlimited = *change->space;
    if (kind == RP_EVENT_RECORD_DELETED) {
        unlimited.records_max = unlimited.bytes_max = 0;
    }
    RP_TRY(rp_space_count_in(&unlimited, 0, sealed.n, change->diag));
    RP_TRY(keep_version(db, change, old->version));
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "UPDATE record SET version = ?4, changed_ms = ?5, label = ?6, trashed_ms = "
                       "?7, sealed = ?8 WHERE app = ?1 AND collection = ?2 AND id = ?3",
                       &row));
    bind_row(row, change, rp_buf_view(&sealed));
    RP_TRY(rp_row_run(row, NULL));
    RP_TRY(rp_search_put(change->space, change->collection, change->record.id,
                         change->record.trashed_ms ? (rp_view){NULL, 0} : change->record.document,
                         change->arena));
    if (change->space->files) {
        RP_TRY(rp_space_file_let_go(db, change->space->app, change->collection, change->record.id));
        RP_TRY(rp_space_file_hold(change->space, change->collection, &change->record, change->arena,
                                  change->diag));
    }
    return tell(change, kind);
}

static enum rp_label label_now(const struct rp_record *record) {
    return record->label == RP_LABEL_NONE ? RP_LABEL_INTERNAL : record->label;
}

static rp_err do_update(struct rp_db *db, void *ctx) {
    struct change *change = ctx;
    struct rp_record old = {0};
    RP_TRY(current(db, change, false, false, &old));
    enum rp_label label = change->label == RP_LABEL_NONE ? label_now(&old) : change->label;
    /*= S174 */ /* a label does not come off by the way */
    if (label < label_now(&old) && !change->space->may_lower) {
        return rp_fail(change->diag, RP_ERR(DENIED),
                       "only an administrator lowers a label: this record is %s",
                       rp_label_name(label_now(&old)));
    }
    change->record.label = label;
    return put_next(db, change, &old, RP_EVENT_RECORD_UPDATED);
}

rp_err rp_space_update(struct rp_space *space, rp_view collection, rp_id id, uint64_t if_version,
                       rp_view document, enum rp_label label, struct rp_arena *arena,
                       struct rp_record *ret_record, struct rp_diag *diag) {
    rp_space_check(space);
    if (!rp_space_takes(space, collection)) {
        return RP_ERR(NOT_FOUND);
    }
    struct change change = {.space = space,
                            .collection = collection,
                            .if_version = if_version,
                            .label = label,
                            .arena = arena,
                            .diag = diag,
                            .record = {.id = id, .changed_ms = rp_env_now_ms(space->env)}};
    RP_TRY(rp_record_canonical(document, arena, &change.record.document, diag));
    RP_TRY(rp_db_transact(space->db, do_update, &change));
    *ret_record = change.record;
    return RP_OK;
}

static rp_err do_delete(struct rp_db *db, void *ctx) {
    struct change *change = ctx;
    struct rp_record old = {0};
    RP_TRY(current(db, change, false, true, &old));
    change->record.label = label_now(&old);
    change->record.document = old.document;
    change->record.trashed_ms = change->record.changed_ms;
    return put_next(db, change, &old, RP_EVENT_RECORD_DELETED);
}

/*= S89 */ /* a deletion begins with a person's request, and is thirty days in the trash */
rp_err rp_space_delete(struct rp_space *space, rp_view collection, rp_id id, uint64_t if_version) {
    rp_space_check(space);
    if (!rp_space_takes(space, collection)) {
        return RP_ERR(NOT_FOUND);
    }
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new_wiping(16 * 1024 * 1024);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    struct change change = {.space = space,
                            .collection = collection,
                            .if_version = if_version,
                            .arena = arena,
                            .record = {.id = id, .changed_ms = rp_env_now_ms(space->env)}};
    rp_err err = rp_db_transact(space->db, do_delete, &change);
    return rp_is(err, RP_E_CORRUPT) ? rp_space_tell_corrupt(space, collection, id) : err;
}

static rp_err do_restore(struct rp_db *db, void *ctx) {
    struct change *change = ctx;
    struct rp_record old = {0}, from = {0};
    RP_TRY(current(db, change, true, change->from_version == 0, &old));
    if (change->from_version == 0) {
        if (old.trashed_ms == 0) {
            return rp_fail(change->diag, RP_ERR(CONFLICT), "it is not in the trash");
        }
        from = old;
    } else {
        struct rp_space space = *change->space;
        RP_TRY(rp_space_read_version(&space, change->collection, change->record.id,
                                     change->from_version, change->arena, &from));
    }
    enum rp_label least = change->space->may_lower ? label_now(&from) : label_now(&old);
    change->record.label = RP_MAX(label_now(&from), least);
    change->record.document = from.document;
    return put_next(db, change, &old, RP_EVENT_RECORD_RESTORED);
}

rp_err rp_space_restore(struct rp_space *space, rp_view collection, rp_id id, uint64_t version,
                        struct rp_arena *arena, struct rp_record *ret_record,
                        struct rp_diag *diag) {
    rp_space_check(space);
    if (!rp_space_takes(space, collection)) {
        return RP_ERR(NOT_FOUND);
    }
    struct change change = {.space = space,
                            .collection = collection,
                            .from_version = version,
                            .arena = arena,
                            .diag = diag,
                            .record = {.id = id, .changed_ms = rp_env_now_ms(space->env)}};
    rp_err err = rp_db_transact(space->db, do_restore, &change);
    if (rp_is(err, RP_E_CORRUPT)) {
        return rp_space_tell_corrupt(space, collection, id);
    }
    RP_TRY(err);
    *ret_record = change.record;
    return RP_OK;
}
