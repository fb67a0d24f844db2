/* files.c — what is said of a file, as the document of a record. */
#include "spaces/files.h"

#include "base/assert.h"
#include "base/checked.h"
#include "spaces/internal.h"
#include "wire/http.h"
#include "wire/json.h"

enum { DOCUMENT_MAX = 8192 };

/* ---- handles and names ---- */

/* The same tenant, for the records that files are. */
static struct rp_space for_files(const struct rp_space *space) {
    struct rp_space files = *space;
    RP_ASSERT(!space->files);
    files.files = true;
    return files;
}

/* "@NAME". INVALID. */
static rp_err stored_name(rp_view collection, struct rp_arena *arena, rp_view *ret_stored) {
    if (!rp_collection_is_good(collection)) {
        return RP_ERR(NOT_FOUND);
    }
    rp_view stored = rp_arena_printf(arena, "%c%.*s", RP_FILES_MARK, RP_FMT(collection));
    if (!stored.p) {
        return RP_ERR(NO_MEMORY);
    }
    *ret_stored = stored;
    return RP_OK;
}

rp_err rp_space_file_check_name(rp_view name, struct rp_diag *diag) {
    bool good = name.n > 0 && name.n <= RP_FILE_NAME_MAX && rp_utf8_is_name(name);
    for (size_t i = 0; i < name.n && good; i++) {
        good = name.p[i] != '/' && name.p[i] != '\\';
    }
    good = good && !rp_view_equal(name, RP_VIEW(".")) && !rp_view_equal(name, RP_VIEW(".."));
    return good ? RP_OK
                : rp_fail(diag, RP_ERR(INVALID),
                          "a file's name is 1 to %d bytes of UTF-8 without / and \\, control "
                          "characters and marks of direction",
                          RP_FILE_NAME_MAX);
}

/* RFC 9110 section 8.3 in short: what may stand in a header and be given back as it came. */
rp_err rp_space_file_check_type(rp_view type, struct rp_diag *diag) {
    bool good = type.n > 0 && type.n <= RP_FILE_TYPE_MAX;
    for (size_t i = 0; i < type.n && good; i++) {
        /* Marks of HTML stand in none that means something. */
        good = type.p[i] >= 0x20 && type.p[i] < 0x7f && type.p[i] != '<' && type.p[i] != '>';
    }
    return good ? RP_OK
                : rp_fail(diag, RP_ERR(INVALID),
                          "a file's type is 1 to %d printable characters without < and >",
                          RP_FILE_TYPE_MAX);
}

/* ---- the document ---- */

rp_err rp_space_file_document(const struct rp_file *file, struct rp_arena *arena,
                              rp_view *ret_document) {
    struct rp_json *json = rp_json_object(arena);
    rp_json_add_cstr(arena, json, "blob", rp_id_print(file->blob).s);
    rp_json_add_u64(arena, json, "made", file->made);
    rp_json_add_string(arena, json, "name", file->name);
    rp_json_add_u64(arena, json, "size", file->size);
    rp_json_add_string(arena, json, "type", file->type);
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new_wiping(DOCUMENT_MAX);
    RP_TRY(rp_json_print(json, &text));
    return rp_arena_copy(arena, rp_buf_view(&text), ret_document);
}

rp_err rp_space_file_parse(const struct rp_record *record, struct rp_arena *arena,
                           struct rp_file *ret_file) {
    struct rp_json *json = NULL;
    struct rp_file file = {.record = *record};
    if (!rp_ok(rp_json_parse(record->document, RP_JSON_LIMITS, arena, &json, NULL))) {
        return RP_ERR(CORRUPT);
    }
    file.name = rp_json_get_string(json, "name");
    file.type = rp_json_get_string(json, "type");
    bool whole = file.name.p && file.type.p && rp_json_get_u64(json, "size", &file.size) &&
                 rp_json_get_u64(json, "made", &file.made) && file.made > 0 &&
                 rp_id_parse(rp_json_get_string(json, "blob"), &file.blob);
    if (!whole) {
        return RP_ERR(CORRUPT);
    }
    *ret_file = file;
    return RP_OK;
}

/* ---- reading ---- */

rp_err rp_space_file_read(struct rp_space *space, rp_view collection, rp_id id, uint64_t version,
                          struct rp_arena *arena, struct rp_file *ret_file) {
    struct rp_space files = for_files(space);
    struct rp_record record = {0};
    rp_view stored = {NULL, 0};
    RP_TRY(stored_name(collection, arena, &stored));
    RP_TRY(version == 0 ? rp_space_read(&files, stored, id, arena, &record)
                        : rp_space_read_version(&files, stored, id, version, arena, &record));
    return rp_space_file_parse(&record, arena, ret_file);
}

rp_err rp_space_file_find(struct rp_space *space, rp_view collection,
                          const struct rp_space_query *query, struct rp_arena *arena,
                          struct rp_file **ret_files, size_t *ret_count) {
    RP_ASSERT(query->field.p == NULL);
    struct rp_space files = for_files(space);
    struct rp_record *records = NULL;
    size_t count = 0;
    rp_view stored = {NULL, 0};
    RP_TRY(stored_name(collection, arena, &stored));
    RP_TRY(rp_space_find(&files, stored, query, arena, &records, &count, NULL));
    struct rp_file *list = rp_arena_array(arena, count, sizeof *list);
    if (list == NULL) {
        return RP_ERR(TOO_LARGE);
    }
    for (size_t i = 0; i < count; i++) {
        RP_TRY(rp_space_file_parse(&records[i], arena, &list[i]));
    }
    *ret_files = list;
    *ret_count = count;
    return RP_OK;
}

rp_err rp_space_file_versions(struct rp_space *space, rp_view collection, rp_id id,
                              struct rp_arena *arena, struct rp_record **ret_records,
                              size_t *ret_count) {
    struct rp_space files = for_files(space);
    rp_view stored = {NULL, 0};
    RP_TRY(stored_name(collection, arena, &stored));
    return rp_space_versions(&files, stored, id, arena, ret_records, ret_count);
}

rp_err rp_space_file_tell_corrupt(struct rp_space *space, rp_view collection, rp_id id,
                                  struct rp_arena *arena) {
    rp_view stored = {NULL, 0};
    RP_TRY(stored_name(collection, arena, &stored));
    return rp_space_tell_corrupt(space, stored, id);
}

rp_err rp_space_file_open(struct rp_space *space, rp_view collection, const struct rp_file *file,
                          struct rp_arena *arena, struct rp_blob *ret_blob) {
    struct rp_blob_place place = {.tenant = space->tenant,
                                  .app = space->app,
                                  .file = file->record.id,
                                  .version = file->made,
                                  .blob = file->blob};
    RP_TRY(stored_name(collection, arena, &place.collection));
    rp_err err = rp_blob_open(&place, file->size, ret_blob);
    return rp_is(err, RP_E_CORRUPT)
               ? rp_space_tell_corrupt(space, place.collection, file->record.id)
               : err;
}

/* ---- changing ---- */

rp_err rp_space_file_change(struct rp_space *space, rp_view collection, rp_id id,
                            uint64_t if_version, rp_view name, enum rp_label label,
                            struct rp_arena *arena, struct rp_file *ret_file,
                            struct rp_diag *diag) {
    struct rp_space files = for_files(space);
    struct rp_file file;
    rp_view stored = {NULL, 0}, document = {NULL, 0};
    RP_TRY(name.p ? rp_space_file_check_name(name, diag) : RP_OK);
    RP_TRY(stored_name(collection, arena, &stored));
    RP_TRY(rp_space_file_read(space, collection, id, 0, arena, &file));
    if (if_version != 0 && if_version != file.record.version) {
        return RP_ERR(CONFLICT);
    }
    file.name = name.p ? name : file.name;
    RP_TRY(rp_space_file_document(&file, arena, &document));
    RP_TRY(rp_space_update(&files, stored, id, file.record.version, document, label, arena,
                           &file.record, diag));
    *ret_file = file;
    return RP_OK;
}

/*= S89 */ /* a deleted file is thirty days in the trash, as a record is */
rp_err rp_space_file_delete(struct rp_space *space, rp_view collection, rp_id id,
                            uint64_t if_version) {
    struct rp_space files = for_files(space);
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(4096);
    rp_view stored = {NULL, 0};
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(stored_name(collection, arena, &stored));
    return rp_space_delete(&files, stored, id, if_version);
}

rp_err rp_space_file_restore(struct rp_space *space, rp_view collection, rp_id id, uint64_t version,
                             struct rp_arena *arena, struct rp_file *ret_file,
                             struct rp_diag *diag) {
    struct rp_space files = for_files(space);
    struct rp_record record = {0};
    rp_view stored = {NULL, 0};
    RP_TRY(stored_name(collection, arena, &stored));
    RP_TRY(rp_space_restore(&files, stored, id, version, arena, &record, diag));
    return rp_space_file_parse(&record, arena, ret_file);
}

/* ---- which bytes a version holds ---- */

static rp_err is_held(struct rp_db *db, rp_id blob, bool *ret_held) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "SELECT 1 FROM blob_of WHERE blob = ?1 LIMIT 1", &row));
    rp_row_bind_id(row, 1, blob);
    return rp_row_next(row, ret_held);
}

/* Neither an upload nor something to be swept any more: a version that is restored may hold bytes
 * that a moment ago nobody held. */
static rp_err take_blob(struct rp_db *db, rp_id blob) {
    static const char *const steps[] = {"DELETE FROM upload WHERE blob = ?1",
                                        "DELETE FROM blob_gone WHERE blob = ?1"};
    for (size_t i = 0; i < RP_COUNT_OF(steps); i++) {
        struct rp_row *row = NULL;
        RP_TRY(rp_db_query(db, steps[i], &row));
        rp_row_bind_id(row, 1, blob);
        RP_TRY(rp_row_run(row, NULL));
    }
    return RP_OK;
}

rp_err rp_space_file_hold(const struct rp_space *space, rp_view collection,
                          const struct rp_record *record, struct rp_arena *arena,
                          struct rp_diag *diag) {
    struct rp_file file;
    bool held = false;
    RP_TRY(rp_space_file_parse(record, arena, &file));
    RP_TRY(is_held(space->db, file.blob, &held));
    uint64_t bytes = rp_blob_sealed_size(file.size);
    if (!held) {
        RP_TRY(rp_space_count_in(space, 0, bytes, diag));
        RP_TRY(take_blob(space->db, file.blob));
    }
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(space->db,
                       "INSERT INTO blob_of (app, collection, id, version, blob, bytes) VALUES "
                       "(?1, ?2, ?3, ?4, ?5, ?6)",
                       &row));
    rp_row_bind_text(row, 1, space->app);
    rp_row_bind_text(row, 2, collection);
    rp_row_bind_id(row, 3, record->id);
    rp_row_bind_u64(row, 4, record->version);
    rp_row_bind_id(row, 5, file.blob);
    rp_row_bind_u64(row, 6, bytes);
    return rp_row_run(row, NULL);
}

/* Versions that are there. */
#define LIVE                                                                                       \
    "(SELECT version FROM record WHERE app = ?1 AND collection = ?2 AND id = ?3 UNION ALL SELECT " \
    "version FROM record_version WHERE app = ?1 AND collection = ?2 AND id = ?3)"
/* Blobs of this file that no such version holds; no other file ever does. */
#define UNHELD                                                                                     \
    "FROM blob_of WHERE app = ?1 AND collection = ?2 AND id = ?3 GROUP BY blob HAVING "            \
    "count(*) FILTER (WHERE version IN " LIVE ") = 0"

rp_err rp_space_file_let_go(struct rp_db *db, rp_view app, rp_view collection, rp_id id) {
    static const char *const steps[] = {
        "INSERT INTO blob_gone (blob) SELECT blob " UNHELD " ON CONFLICT DO NOTHING",
        "UPDATE space_use SET bytes = max(0, bytes - (SELECT coalesce(sum(most), 0) FROM (SELECT "
        "max(bytes) AS most " UNHELD ") AS unheld))",
        "DELETE FROM blob_of WHERE app = ?1 AND collection = ?2 AND id = ?3 AND version NOT "
        "IN " LIVE,
    };
    for (size_t i = 0; i < RP_COUNT_OF(steps); i++) {
        struct rp_row *row = NULL;
        RP_TRY(rp_db_query(db, steps[i], &row));
        rp_row_bind_text(row, 1, app);
        rp_row_bind_text(row, 2, collection);
        rp_row_bind_id(row, 3, id);
        RP_TRY(rp_row_run(row, NULL));
    }
    return RP_OK;
}
