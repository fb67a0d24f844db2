/* uploads.c — bytes that are coming: begun, kept, gone on with, ended or taken back. */
#include "base/assert.h"
#include "base/checked.h"
#include "crypto/aead.h"
#include "ipc/pack.h"
#include "spaces/internal.h"
#include "wire/json.h"

enum { FACTS_MAX = 2048 };

static const int64_t LEFT_MS = (int64_t)RP_UPLOAD_HOURS * 3600 * 1000;

/* ---- places ---- */

static rp_err place_of(const struct rp_space *space, const struct rp_upload *upload,
                       struct rp_arena *arena, struct rp_blob_place *ret_place) {
    struct rp_blob_place place = {.tenant = space->tenant,
                                  .app = space->app,
                                  .file = upload->file,
                                  .version = upload->version,
                                  .blob = upload->id};
    if (!rp_collection_is_good(upload->collection)) {
        return RP_ERR(NOT_FOUND);
    }
    place.collection = rp_arena_printf(arena, "%c%.*s", RP_FILES_MARK, RP_FMT(upload->collection));
    if (!place.collection.p) {
        return RP_ERR(NO_MEMORY);
    }
    *ret_place = place;
    return RP_OK;
}

/*= S82 */ /* the name of a file that is still coming is sealed, too */
static rp_err seal_facts(const struct rp_space *space, const struct rp_blob_place *place,
                         const struct rp_upload *upload, struct rp_buf *out) {
    _cleanup_(rp_buf_done) struct rp_buf aad = rp_blob_place_bytes(place, "upload");
    _cleanup_(rp_buf_done) struct rp_buf plain = rp_buf_new_wiping(FACTS_MAX);
    rp_pack_bytes(&plain, upload->name);
    rp_pack_bytes(&plain, upload->type);
    RP_TRY(rp_buf_err(&aad));
    RP_TRY(rp_buf_err(&plain));
    return rp_aead_seal(space->env, space->key, rp_buf_view(&aad), rp_buf_view(&plain), out);
}

static rp_err open_facts(const struct rp_space *space, const struct rp_blob_place *place,
                         rp_view sealed, struct rp_arena *arena, struct rp_upload *upload) {
    _cleanup_(rp_buf_done) struct rp_buf aad = rp_blob_place_bytes(place, "upload");
    _cleanup_(rp_buf_done) struct rp_buf plain = rp_buf_new_wiping(FACTS_MAX);
    RP_TRY(rp_buf_err(&aad));
    RP_TRY(rp_aead_open(space->key, rp_buf_view(&aad), sealed, &plain));
    struct rp_unpack in = rp_unpack_new(rp_buf_view(&plain));
    rp_view name = rp_unpack_bytes(&in, RP_FILE_NAME_MAX);
    rp_view type = rp_unpack_bytes(&in, RP_FILE_TYPE_MAX);
    if (!rp_ok(rp_unpack_end(&in))) {
        return RP_ERR(CORRUPT);
    }
    RP_TRY(rp_arena_copy(arena, name, &upload->name));
    return rp_arena_copy(arena, type, &upload->type);
}

/* ---- beginning ---- */

/* TOO_LARGE over RP_FILE_MAX. */
static rp_err check_size(uint64_t size, struct rp_diag *diag) {
    return size <= RP_FILE_MAX ? RP_OK
                               : rp_fail(diag, RP_ERR(TOO_LARGE), "a file has at most %llu bytes",
                                         (unsigned long long)RP_FILE_MAX);
}

/* What waits counts as if it were there, or many uploads at once would fill the disk. */
static rp_err ask_quota(const struct rp_space *space, rp_id but, uint64_t size,
                        struct rp_diag *diag) {
    struct rp_space_use use = {0};
    RP_TRY(rp_space_use(space->db, &use));
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(space->db,
                       "SELECT count(*), coalesce(sum(coalesce(size, received)), 0) FROM upload "
                       "WHERE blob <> ?1",
                       &row));
    rp_row_bind_id(row, 1, but);
    RP_TRY(rp_row_first(row));
    if (rp_row_u64(row, 0) >= RP_UPLOADS_MAX) {
        return rp_fail(diag, RP_ERR(RATE), "%d uploads of this organisation wait already",
                       RP_UPLOADS_MAX);
    }
    uint64_t all = use.bytes + rp_row_u64(row, 1) + rp_blob_sealed_size(size);
    if (space->bytes_max != 0 && all > space->bytes_max) {
        return rp_fail(diag, RP_ERR(TOO_LARGE),
                       "with this file the organisation would hold %llu bytes, and may hold %llu",
                       (unsigned long long)all, (unsigned long long)space->bytes_max);
    }
    return RP_OK;
}

struct beginning {
    const struct rp_space *space;
    const struct rp_upload *upload;
    const struct rp_blob_place *place;
    struct rp_diag *diag;
};

static rp_err do_begin(struct rp_db *db, void *ctx) {
    const struct beginning *begin = ctx;
    const struct rp_upload *upload = begin->upload;
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(FACTS_MAX + RP_AEAD_OVERHEAD);
    RP_TRY(ask_quota(begin->space, upload->id, upload->size == RP_SIZE_UNKNOWN ? 0 : upload->size,
                     begin->diag));
    RP_TRY(seal_facts(begin->space, begin->place, upload, &sealed));
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO upload (blob, app, collection, id, version, label, size, "
                       "received, turn, changed_ms, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
                       "0, 0, ?8, ?9)",
                       &row));
    rp_row_bind_id(row, 1, upload->id);
    rp_row_bind_text(row, 2, begin->place->app);
    rp_row_bind_text(row, 3, begin->place->collection);
    rp_row_bind_id(row, 4, upload->file);
    rp_row_bind_u64(row, 5, upload->version);
    rp_row_bind_u64(row, 6, upload->label);
    if (upload->size == RP_SIZE_UNKNOWN) {
        rp_row_bind_null(row, 7);
    } else {
        rp_row_bind_u64(row, 7, upload->size);
    }
    rp_row_bind_u64(row, 8, (uint64_t)rp_env_now_ms(begin->space->env));
    rp_row_bind_blob(row, 9, rp_buf_view(&sealed));
    return rp_row_run(row, NULL);
}

/* For a file that is there: the next version, the name that it has, a label that is not lower. */
static rp_err follow(struct rp_space *space, struct rp_upload *upload, uint64_t if_version,
                     struct rp_arena *arena, struct rp_diag *diag) {
    struct rp_file file;
    RP_TRY(rp_space_file_read(space, upload->collection, upload->file, 0, arena, &file));
    if (if_version != 0 && if_version != file.record.version) {
        return RP_ERR(CONFLICT);
    }
    /*= S174 */
    if (upload->label != RP_LABEL_NONE && upload->label < file.record.label && !space->may_lower) {
        return rp_fail(diag, RP_ERR(DENIED),
                       "only an administrator lowers a label: this file is %s",
                       rp_label_name(file.record.label));
    }
    upload->version = file.record.version + 1;
    upload->name = upload->name.p ? upload->name : file.name;
    return RP_OK;
}

/* upload: whole but for its own id. */
static rp_err begin(struct rp_space *space, struct rp_upload *upload, struct rp_arena *arena,
                    struct rp_blob *ret_blob, struct rp_diag *diag) {
    struct rp_blob_place place;
    upload->id = rp_env_new_id(space->env);
    upload->received = 0;
    RP_TRY(rp_space_file_check_name(upload->name, diag));
    RP_TRY(rp_space_file_check_type(upload->type, diag));
    RP_TRY(upload->size == RP_SIZE_UNKNOWN ? RP_OK : check_size(upload->size, diag));
    RP_TRY(place_of(space, upload, arena, &place));
    struct beginning begin = {space, upload, &place, diag};
    RP_TRY(rp_db_transact(space->db, do_begin, &begin));
    rp_err err = rp_blob_create(&place, ret_blob);
    if (!rp_ok(err)) {
        rp_ignore(rp_upload_drop(space, upload->id)); /* the first error is the one to tell */
    }
    return err;
}

rp_err rp_upload_begin(struct rp_space *space, const struct rp_upload *wish, uint64_t if_version,
                       struct rp_arena *arena, struct rp_upload *ret_upload,
                       struct rp_blob *ret_blob, struct rp_diag *diag) {
    struct rp_upload upload = *wish;
    upload.version = 1;
    if (!rp_collection_is_good(upload.collection)) {
        return rp_fail(diag, RP_ERR(INVALID), "a collection's name is 1 to 64 of a-z, 0-9 and -");
    }
    if (rp_id_is_none(upload.file)) {
        upload.file = rp_env_new_id(space->env);
    } else {
        RP_TRY(follow(space, &upload, if_version, arena, diag));
    }
    RP_TRY(begin(space, &upload, arena, ret_blob, diag));
    *ret_upload = upload;
    return RP_OK;
}

rp_err rp_upload_begin_as(struct rp_space *space, const struct rp_upload *wish,
                          struct rp_arena *arena, struct rp_upload *ret_upload,
                          struct rp_blob *ret_blob, struct rp_diag *diag) {
    struct rp_upload upload = *wish;
    RP_ASSERT(!rp_id_is_none(upload.file) && upload.version > 0);
    RP_TRY(begin(space, &upload, arena, ret_blob, diag));
    *ret_upload = upload;
    return RP_OK;
}

/* ---- going on ---- */

rp_err rp_upload_find(struct rp_space *space, rp_id id, struct rp_arena *arena,
                      struct rp_upload *ret_upload) {
    rp_space_check(space);
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(
        space->db,
        "SELECT collection, id, version, label, size, received, turn, sealed FROM upload "
        "WHERE blob = ?1 AND app = ?2",
        &row));
    rp_row_bind_id(row, 1, id);
    rp_row_bind_text(row, 2, space->app);
    RP_TRY(rp_row_first(row));
    struct rp_upload upload = {.id = id,
                               .file = rp_row_id(row, 1),
                               .version = rp_row_u64(row, 2),
                               .size =
                                   rp_row_is_null(row, 4) ? RP_SIZE_UNKNOWN : rp_row_u64(row, 4),
                               .received = rp_row_u64(row, 5),
                               .turn = rp_row_u64(row, 6)};
    uint64_t label = rp_row_u64(row, 3);
    rp_view stored = rp_row_text(row, 0);
    if (label >= RP_LABEL_COUNT || stored.n < 2 || upload.version == 0) {
        return RP_ERR(CORRUPT);
    }
    upload.label = (enum rp_label)label;
    RP_TRY(rp_arena_copy(arena, rp_view_from(stored, 1), &upload.collection));
    struct rp_blob_place place;
    RP_TRY(place_of(space, &upload, arena, &place));
    RP_TRY(open_facts(space, &place, rp_row_blob(row, 7), arena, &upload));
    *ret_upload = upload;
    return RP_OK;
}

rp_err rp_upload_check(struct rp_space *space, const struct rp_upload *upload) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(space->db, "SELECT turn FROM upload WHERE blob = ?1", &row));
    rp_row_bind_id(row, 1, upload->id);
    RP_TRY(rp_row_first(row));
    return rp_row_u64(row, 0) == upload->turn ? RP_OK : RP_ERR(CONFLICT);
}

/* A client that lost its connection comes back before we notice: from now on it is the one. */
static rp_err take_turn(struct rp_space *space, struct rp_upload *upload) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(space->db, "UPDATE upload SET turn = ?2 WHERE blob = ?1", &row));
    rp_row_bind_id(row, 1, upload->id);
    rp_row_bind_u64(row, 2, ++upload->turn);
    return rp_row_run(row, NULL);
}

rp_err rp_upload_resume(struct rp_space *space, struct rp_upload *upload, struct rp_arena *arena,
                        struct rp_blob *ret_blob) {
    struct rp_blob_place place;
    RP_TRY(place_of(space, upload, arena, &place));
    RP_TRY(take_turn(space, upload));
    RP_TRY(rp_blob_resume(space->key, &place, upload->received, ret_blob));
    upload->received = ret_blob->size;
    return RP_OK;
}

rp_err rp_upload_keep(struct rp_space *space, struct rp_upload *upload, struct rp_blob *blob,
                      struct rp_diag *diag) {
    RP_TRY(check_size(blob->size, diag));
    if (upload->size == RP_SIZE_UNKNOWN) {
        RP_TRY(ask_quota(space, upload->id, blob->size, diag));
    }
    RP_TRY(rp_blob_keep(space->env, space->key, blob));
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(space->db,
                       "UPDATE upload SET received = ?2, changed_ms = ?3 WHERE blob = ?1", &row));
    rp_row_bind_id(row, 1, upload->id);
    rp_row_bind_u64(row, 2, blob->size);
    rp_row_bind_u64(row, 3, (uint64_t)rp_env_now_ms(space->env));
    uint64_t changed = 0;
    RP_TRY(rp_row_run(row, &changed));
    if (changed == 0) {
        return RP_ERR(NOT_FOUND); /* taken back in the meantime */
    }
    upload->received = blob->size;
    return RP_OK;
}

/* ---- ending ---- */

rp_err rp_upload_end(struct rp_space *space, const struct rp_upload *upload, struct rp_blob *blob,
                     struct rp_arena *arena, struct rp_file *ret_file, struct rp_diag *diag) {
    struct rp_space files = *space;
    struct rp_file file = {.name = upload->name,
                           .type = upload->type,
                           .size = blob->size,
                           .blob = upload->id,
                           .made = upload->version};
    rp_view document = {NULL, 0};
    files.files = true;
    RP_TRY(check_size(blob->size, diag));
    if (upload->size != RP_SIZE_UNKNOWN && upload->size != blob->size) {
        return rp_fail(diag, RP_ERR(INVALID), "%llu bytes were announced, %llu came",
                       (unsigned long long)upload->size, (unsigned long long)blob->size);
    }
    RP_TRY(rp_blob_end(space->env, space->key, blob));
    RP_TRY(rp_space_file_document(&file, arena, &document));
    rp_view stored = blob->place.collection;
    RP_TRY(upload->version == 1
               ? rp_space_create_as(&files, stored, upload->file, document, upload->label, arena,
                                    &file.record, diag)
               : rp_space_update(&files, stored, upload->file, upload->version - 1, document,
                                 upload->label, arena, &file.record, diag));
    *ret_file = file;
    return RP_OK;
}

/* ---- taking back ---- */

static rp_err run_for(struct rp_db *db, const char *sql, rp_id blob, uint64_t *ret_changed) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, sql, &row));
    rp_row_bind_id(row, 1, blob);
    return rp_row_run(row, ret_changed);
}

static rp_err do_drop(struct rp_db *db, void *ctx) {
    const rp_id *id = ctx;
    uint64_t changed = 0;
    RP_TRY(run_for(db, "DELETE FROM upload WHERE blob = ?1", *id, &changed));
    return changed == 0
               ? RP_ERR(NOT_FOUND)
               : run_for(db, "INSERT INTO blob_gone (blob) VALUES (?1) ON CONFLICT DO NOTHING", *id,
                         NULL);
}

rp_err rp_upload_drop(struct rp_space *space, rp_id id) {
    RP_TRY(rp_db_transact(space->db, do_drop, &id));
    RP_TRY(rp_blob_remove(space->tenant, id));
    return run_for(space->db, "DELETE FROM blob_gone WHERE blob = ?1", id, NULL);
}

struct sweep {
    int64_t before_ms;
    size_t max;
};

static rp_err sweep_uploads(struct rp_db *db, const struct sweep *sweep) {
    static const char *const steps[] = {
        "INSERT INTO blob_gone (blob) SELECT blob FROM upload WHERE changed_ms < ?1 "
        "ON CONFLICT DO NOTHING",
        "DELETE FROM upload WHERE changed_ms < ?1"};
    for (size_t i = 0; i < RP_COUNT_OF(steps); i++) {
        struct rp_row *row = NULL;
        RP_TRY(rp_db_query(db, steps[i], &row));
        rp_row_bind_u64(row, 1, (uint64_t)sweep->before_ms);
        RP_TRY(rp_row_run(row, NULL));
    }
    return RP_OK;
}

static rp_err first_gone(struct rp_db *db, rp_id *ret_blob, bool *ret_found) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "SELECT blob FROM blob_gone LIMIT 1", &row));
    RP_TRY(rp_row_next(row, ret_found));
    if (*ret_found) {
        *ret_blob = rp_row_id(row, 0);
    }
    return RP_OK;
}

static rp_err do_sweep(struct rp_db *db, void *ctx) {
    const struct sweep *sweep = ctx;
    rp_id blob;
    bool found = true;
    RP_TRY(sweep_uploads(db, sweep));
    for (size_t i = 0; i < sweep->max; i++) {
        RP_TRY(first_gone(db, &blob, &found));
        if (!found) {
            break;
        }
        RP_TRY(rp_blob_remove(rp_db_tenant(db), blob));
        RP_TRY(run_for(db, "DELETE FROM blob_gone WHERE blob = ?1", blob, NULL));
    }
    return RP_OK;
}

/* Most tenants have nothing to sweep: they are only asked. */
static rp_err has_work(struct rp_db *db, const struct sweep *sweep, bool *ret_work) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT EXISTS (SELECT 1 FROM blob_gone) OR EXISTS (SELECT 1 FROM upload "
                       "WHERE changed_ms < ?1)",
                       &row));
    rp_row_bind_u64(row, 1, (uint64_t)sweep->before_ms);
    RP_TRY(rp_row_first(row));
    *ret_work = rp_row_u64(row, 0) != 0;
    return RP_OK;
}

rp_err rp_files_sweep(const struct rp_env *env, struct rp_db *db, size_t max) {
    struct sweep sweep = {RP_MAX((int64_t)0, rp_env_now_ms(env) - LEFT_MS), max};
    bool work = false;
    RP_TRY(has_work(db, &sweep, &work));
    return work ? rp_db_transact(db, do_sweep, &sweep) : RP_OK;
}
