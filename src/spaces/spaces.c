#include "spaces/spaces.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/aead.h"
#include "spaces/internal.h"

enum { EVENT_ARENA = 64 * 1024 };

/*= S66 */ /* the handle and the database must name the same tenant */
static void check_space(const struct rp_space *space) {
    RP_ASSERT(space != NULL && space->key != NULL);
    RP_ASSERT(!rp_id_is_none(space->tenant));
    RP_ASSERT(rp_id_equal(rp_db_tenant(space->db), space->tenant));
    RP_ASSERT(space->app.n > 0 && space->app.n <= 32);
}

static struct rp_record_place place_of(const struct rp_space *space, rp_view collection, rp_id id,
                                       uint64_t version) {
    return (struct rp_record_place){space->tenant, space->app, collection, id, version};
}

/* ---- events ---- */

static void add_place(struct rp_event *event, const struct rp_record_place *place) {
    rp_event_add_id(event, "tenant", place->tenant);
    rp_event_add_text(event, "collection", place->collection);
    rp_event_add_id(event, "record", place->id);
}

/*= S114 */ /* every change of a record is an event, in the same transaction */
static rp_err emit_change(const struct rp_space *space, enum rp_event_kind kind,
                          const struct rp_record_place *place) {
    struct rp_arena *arena = rp_arena_new(EVENT_ARENA);
    struct rp_event *event =
        arena ? rp_event_new(arena, kind, rp_env_now_ms(space->env), RP_ROLE_CORE) : NULL;
    rp_err err = RP_ERR(NO_MEMORY);
    if (event != NULL) {
        add_place(event, place);
        rp_event_add_id(event, "person", space->person);
        rp_event_add_text(event, "app", place->app);
        rp_event_add_u64(event, "version", place->version);
        err = rp_db_emit(space->db, event);
    }
    rp_arena_free(arena);
    return err;
}

struct corrupt {
    const struct rp_space *space;
    const struct rp_record_place *place;
};

static rp_err emit_corrupt(struct rp_db *db, void *ctx) {
    const struct corrupt *corrupt = ctx;
    struct rp_arena *arena = rp_arena_new(EVENT_ARENA);
    struct rp_event *event = arena ? rp_event_new(arena, RP_EVENT_RECORD_CORRUPT,
                                                  rp_env_now_ms(corrupt->space->env), RP_ROLE_CORE)
                                   : NULL;
    rp_err err = RP_ERR(NO_MEMORY);
    if (event != NULL) {
        add_place(event, corrupt->place);
        err = rp_db_emit(db, event);
    }
    rp_arena_free(arena);
    return err;
}

/* Outside of any statement. That the event finds no room does not make the record any better. */
static rp_err tell_corrupt(const struct rp_space *space, const struct rp_record_place *place) {
    struct corrupt corrupt = {space, place};
    rp_ignore(rp_db_transact(space->db, emit_corrupt, &corrupt));
    return RP_ERR(CORRUPT);
}

/* ---- writing ---- */

struct change {
    const struct rp_space *space;
    rp_view collection, document;
    rp_id id;
    uint64_t if_version;
    struct rp_record record; /* what stands there afterwards */
};

static rp_err seal_next(const struct change *change, struct rp_buf *out) {
    const struct rp_space *space = change->space;
    struct rp_record_place place =
        place_of(space, change->collection, change->id, change->record.version);
    return rp_record_seal(space->env, space->key, &place, change->document, out);
}

static rp_err do_create(struct rp_db *db, void *ctx) {
    const struct change *change = ctx;
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(RP_RECORD_MAX + RP_AEAD_OVERHEAD);
    RP_TRY(seal_next(change, &sealed));
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO record (app, collection, id, version, changed_ms, sealed) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                       &row));
    rp_row_bind_text(row, 1, change->space->app);
    rp_row_bind_text(row, 2, change->collection);
    rp_row_bind_id(row, 3, change->id);
    rp_row_bind_u64(row, 4, change->record.version);
    rp_row_bind_u64(row, 5, (uint64_t)change->record.changed_ms);
    rp_row_bind_blob(row, 6, rp_buf_view(&sealed));
    RP_TRY(rp_row_run(row, NULL));
    struct rp_record_place place = place_of(change->space, change->collection, change->id, 1);
    return emit_change(change->space, RP_EVENT_RECORD_CREATED, &place);
}

rp_err rp_space_create(struct rp_space *space, rp_view collection, rp_view document,
                       struct rp_arena *arena, struct rp_record *ret_record, struct rp_diag *diag) {
    check_space(space);
    if (!rp_collection_is_good(collection)) {
        return rp_fail(diag, RP_ERR(INVALID), "a collection's name is 1 to 64 of a-z, 0-9 and -");
    }
    struct change change = {.space = space, .collection = collection};
    RP_TRY(rp_record_canonical(document, arena, &change.document, diag));
    change.id = rp_env_new_id(space->env);
    change.record = (struct rp_record){.id = change.id,
                                       .version = 1,
                                       .changed_ms = rp_env_now_ms(space->env),
                                       .document = change.document};
    RP_TRY(rp_db_transact(space->db, do_create, &change));
    *ret_record = change.record;
    return RP_OK;
}

/* The version that stands there, if it is the one wanted. */
static rp_err current_version(struct rp_db *db, const struct change *change,
                              uint64_t *ret_version) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT version FROM record "
                       "WHERE app = ?1 AND collection = ?2 AND id = ?3",
                       &row));
    rp_row_bind_text(row, 1, change->space->app);
    rp_row_bind_text(row, 2, change->collection);
    rp_row_bind_id(row, 3, change->id);
    RP_TRY(rp_row_first(row));
    uint64_t version = rp_row_u64(row, 0);
    if (version == 0 || version >= INT64_MAX) {
        return RP_ERR(CORRUPT);
    }
    if (change->if_version != 0 && change->if_version != version) {
        return RP_ERR(CONFLICT);
    }
    *ret_version = version;
    return RP_OK;
}

static rp_err do_update(struct rp_db *db, void *ctx) {
    struct change *change = ctx;
    uint64_t version = 0;
    RP_TRY(current_version(db, change, &version));
    change->record.version = version + 1;
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(RP_RECORD_MAX + RP_AEAD_OVERHEAD);
    RP_TRY(seal_next(change, &sealed));
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "UPDATE record SET version = ?4, changed_ms = ?5, sealed = ?6 "
                       "WHERE app = ?1 AND collection = ?2 AND id = ?3",
                       &row));
    rp_row_bind_text(row, 1, change->space->app);
    rp_row_bind_text(row, 2, change->collection);
    rp_row_bind_id(row, 3, change->id);
    rp_row_bind_u64(row, 4, change->record.version);
    rp_row_bind_u64(row, 5, (uint64_t)change->record.changed_ms);
    rp_row_bind_blob(row, 6, rp_buf_view(&sealed));
    RP_TRY(rp_row_run(row, NULL));
    struct rp_record_place place =
        place_of(change->space, change->collection, change->id, change->record.version);
    return emit_change(change->space, RP_EVENT_RECORD_UPDATED, &place);
}

rp_err rp_space_update(struct rp_space *space, rp_view collection, rp_id id, uint64_t if_version,
                       rp_view document, struct rp_arena *arena, struct rp_record *ret_record,
                       struct rp_diag *diag) {
    check_space(space);
    if (!rp_collection_is_good(collection)) {
        return RP_ERR(NOT_FOUND);
    }
    struct change change = {
        .space = space, .collection = collection, .id = id, .if_version = if_version};
    RP_TRY(rp_record_canonical(document, arena, &change.document, diag));
    change.record = (struct rp_record){
        .id = id, .changed_ms = rp_env_now_ms(space->env), .document = change.document};
    RP_TRY(rp_db_transact(space->db, do_update, &change));
    *ret_record = change.record;
    return RP_OK;
}

static rp_err do_delete(struct rp_db *db, void *ctx) {
    const struct change *change = ctx;
    uint64_t version = 0;
    RP_TRY(current_version(db, change, &version));
    struct rp_row *row = NULL;
    RP_TRY(
        rp_db_query(db, "DELETE FROM record WHERE app = ?1 AND collection = ?2 AND id = ?3", &row));
    rp_row_bind_text(row, 1, change->space->app);
    rp_row_bind_text(row, 2, change->collection);
    rp_row_bind_id(row, 3, change->id);
    RP_TRY(rp_row_run(row, NULL));
    struct rp_record_place place = place_of(change->space, change->collection, change->id, version);
    return emit_change(change->space, RP_EVENT_RECORD_DELETED, &place);
}

rp_err rp_space_delete(struct rp_space *space, rp_view collection, rp_id id, uint64_t if_version) {
    check_space(space);
    if (!rp_collection_is_good(collection)) {
        return RP_ERR(NOT_FOUND);
    }
    struct change change = {
        .space = space, .collection = collection, .id = id, .if_version = if_version};
    return rp_db_transact(space->db, do_delete, &change);
}

/* ---- reading ---- */

/* Columns: id, version, changed_ms, sealed. */
static rp_err read_row(const struct rp_space *space, rp_view collection, struct rp_row *row,
                       struct rp_arena *arena, struct rp_record *ret_record) {
    struct rp_record record = {.id = rp_row_id(row, 0),
                               .version = rp_row_u64(row, 1),
                               .changed_ms = (int64_t)rp_row_u64(row, 2)};
    struct rp_record_place place = place_of(space, collection, record.id, record.version);
    RP_TRY(rp_record_open(space->key, &place, rp_row_blob(row, 3), arena, &record.document));
    *ret_record = record;
    return RP_OK;
}

static rp_err read_one(struct rp_space *space, rp_view collection, rp_id id, struct rp_arena *arena,
                       struct rp_record *ret_record) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(space->db,
                       "SELECT id, version, changed_ms, sealed FROM record "
                       "WHERE app = ?1 AND collection = ?2 AND id = ?3",
                       &row));
    rp_row_bind_text(row, 1, space->app);
    rp_row_bind_text(row, 2, collection);
    rp_row_bind_id(row, 3, id);
    RP_TRY(rp_row_first(row));
    return read_row(space, collection, row, arena, ret_record);
}

rp_err rp_space_read(struct rp_space *space, rp_view collection, rp_id id, struct rp_arena *arena,
                     struct rp_record *ret_record) {
    check_space(space);
    RP_ASSERT(arena != NULL && ret_record != NULL);
    if (!rp_collection_is_good(collection)) {
        return RP_ERR(NOT_FOUND);
    }
    rp_err err = read_one(space, collection, id, arena, ret_record);
    if (rp_is(err, RP_E_CORRUPT)) {
        struct rp_record_place place = place_of(space, collection, id, 0);
        return tell_corrupt(space, &place);
    }
    return err;
}

static rp_err read_page(struct rp_space *space, rp_view collection, rp_id after, size_t limit,
                        struct rp_arena *arena, struct rp_record *records, size_t *ret_count,
                        rp_id *ret_at) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(space->db,
                       "SELECT id, version, changed_ms, sealed FROM record "
                       "WHERE app = ?1 AND collection = ?2 AND id > ?3 ORDER BY id LIMIT ?4",
                       &row));
    rp_row_bind_text(row, 1, space->app);
    rp_row_bind_text(row, 2, collection);
    rp_row_bind_id(row, 3, after);
    rp_row_bind_u64(row, 4, limit);
    size_t count = 0;
    bool more = false;
    RP_TRY(rp_row_next(row, &more));
    while (more && count < limit) {
        *ret_at = rp_row_id(row, 0);
        RP_TRY(read_row(space, collection, row, arena, &records[count++]));
        RP_TRY(rp_row_next(row, &more));
    }
    *ret_count = count;
    return RP_OK;
}

rp_err rp_space_list(struct rp_space *space, rp_view collection, rp_id after, size_t limit,
                     struct rp_arena *arena, struct rp_record **ret_records, size_t *ret_count) {
    check_space(space);
    RP_ASSERT(arena != NULL && ret_records != NULL && ret_count != NULL);
    if (!rp_collection_is_good(collection) || limit == 0 || limit > RP_PAGE_MAX) {
        return RP_ERR(INVALID);
    }
    struct rp_record *records = rp_arena_array(arena, limit, sizeof *records);
    if (records == NULL) {
        return RP_ERR(TOO_LARGE);
    }
    size_t count = 0;
    rp_id at = {{0}};
    rp_err err = read_page(space, collection, after, limit, arena, records, &count, &at);
    if (rp_is(err, RP_E_CORRUPT)) {
        struct rp_record_place place = place_of(space, collection, at, 0);
        return tell_corrupt(space, &place);
    }
    RP_TRY(err);
    *ret_records = records;
    *ret_count = count;
    return RP_OK;
}
