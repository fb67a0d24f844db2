#include "spaces/import_line.h"

#include "base/assert.h"
#include "base/checked.h"
#include "clock/calendar.h"
#include "spaces/internal.h"
#include "wire/json.h"

/* A document as deep and as rich as any, one level further down. */
static const struct rp_json_limits line_limits = {.depth_max = 34, .count_max = 20100};

/* ---- names of parts ---- */

static bool is_page_name(rp_view last) {
    static const char form[] = "000000.jsonl";
    if (last.n != sizeof form - 1 || !rp_view_ends(last, RP_VIEW(".jsonl"))) {
        return false;
    }
    for (size_t i = 0; i < 6; i++) {
        if (last.p[i] < '0' || last.p[i] > '9') {
            return false;
        }
    }
    return true;
}

static bool copy_to(rp_view v, const char *mark, char *out, size_t max) {
    size_t n = strlen(mark);
    if (v.n == 0 || v.n + n >= max) {
        return false;
    }
    memcpy(out, mark, n);
    memcpy(out + n, v.p, v.n);
    out[n + v.n] = 0;
    return true;
}

bool rp_space_import_part_parse(rp_view name, struct rp_space_import_part *ret_part) {
    rp_view kind = rp_view_cut(&name, '/');
    rp_view app = rp_view_cut(&name, '/');
    rp_view collection = rp_view_cut(&name, '/');
    bool files = rp_view_equal(kind, RP_VIEW("files"));
    struct rp_space_import_part part = {.kind = files ? RP_IMPORT_FILES : RP_IMPORT_RECORDS};
    if ((!files && !rp_view_equal(kind, RP_VIEW("records"))) || !rp_collection_is_good(app) ||
        !rp_collection_is_good(collection) || !copy_to(app, "", part.app, sizeof part.app) ||
        !copy_to(collection, files ? "@" : "", part.collection, sizeof part.collection)) {
        return false;
    }
    if (!is_page_name(name)) {
        part.kind = RP_IMPORT_BYTES;
        if (!files || !rp_id_parse(name, &part.file)) {
            return false;
        }
    }
    *ret_part = part;
    return true;
}

/* ---- lines ---- */

static bool read_time(const struct rp_json *line, const char *key, int64_t latest_ms,
                      int64_t *ret_ms) {
    return rp_instant_parse(rp_json_get_string(line, key), ret_ms) && *ret_ms > 0 &&
           *ret_ms <= latest_ms;
}

static enum rp_space_import_fault read_document(const struct rp_json *document,
                                                struct rp_arena *arena, struct rp_record *record) {
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new_wiping(RP_RECORD_MAX);
    bool good = document && rp_ok(rp_json_print(document, &text)) &&
                rp_ok(rp_record_canonical(rp_buf_view(&text), arena, &record->document, NULL));
    return good ? RP_IMPORT_GOOD : RP_IMPORT_DOCUMENT;
}

static enum rp_space_import_fault read_file(const struct rp_json *file,
                                            struct rp_space_import_line *line) {
    line->name = rp_json_get_string(file, "name");
    line->type = rp_json_get_string(file, "type");
    if (!file || file->count != 3 || !rp_json_get_u64(file, "size", &line->size)) {
        return RP_IMPORT_LINE;
    }
    if (!rp_ok(rp_space_file_check_name(line->name, NULL)) ||
        !rp_ok(rp_space_file_check_type(line->type, NULL))) {
        return RP_IMPORT_FILE_NAME;
    }
    return line->size <= RP_FILE_MAX ? RP_IMPORT_GOOD : RP_IMPORT_FILE_SIZE;
}

static bool is_place(const struct rp_json *json, const struct rp_space_import_part *part) {
    rp_view collection = rp_view_from_cstr(part->collection);
    return rp_view_equal(rp_json_get_string(json, "app"), rp_view_from_cstr(part->app)) &&
           rp_view_equal(rp_json_get_string(json, "collection"),
                         rp_view_from(collection, part->kind == RP_IMPORT_FILES ? 1 : 0));
}

static enum rp_space_import_fault read_members(const struct rp_json *json,
                                               const struct rp_space_import_part *part,
                                               int64_t latest_ms, struct rp_arena *arena,
                                               struct rp_space_import_line *line) {
    struct rp_record *record = &line->record;
    bool trashed = rp_json_get(json, "trashed_at") != NULL;
    /* What else it says is not understood, and so not brought. */
    if (json->count != (trashed ? 8 : 7) ||
        !rp_id_parse(rp_json_get_string(json, "id"), &record->id) || rp_id_is_none(record->id) ||
        !rp_json_get_u64(json, "version", &record->version) || record->version == 0 ||
        record->version > RP_VERSION_BROUGHT_MAX) {
        return RP_IMPORT_LINE;
    }
    if (!is_place(json, part)) {
        return RP_IMPORT_PLACE;
    }
    if (!rp_label_of(rp_json_get_string(json, "label"), &record->label)) {
        return RP_IMPORT_LABEL;
    }
    if (!read_time(json, "changed_at", latest_ms, &record->changed_ms) ||
        (trashed && !read_time(json, "trashed_at", latest_ms, &record->trashed_ms))) {
        return RP_IMPORT_TIME;
    }
    return part->kind == RP_IMPORT_FILES
               ? read_file(rp_json_get(json, "file"), line)
               : read_document(rp_json_get(json, "document"), arena, record);
}

enum rp_space_import_fault rp_space_import_line_parse(rp_view text,
                                                      const struct rp_space_import_part *part,
                                                      int64_t latest_ms, struct rp_arena *arena,
                                                      struct rp_space_import_line *ret_line) {
    struct rp_space_import_line line = {.size = 0};
    struct rp_json *json = NULL;
    RP_ASSERT(part->kind != RP_IMPORT_BYTES);
    if (!rp_ok(rp_json_parse(text, line_limits, arena, &json, NULL)) ||
        json->kind != RP_JSON_OBJECT) {
        return RP_IMPORT_LINE;
    }
    enum rp_space_import_fault fault = read_members(json, part, latest_ms, arena, &line);
    if (fault == RP_IMPORT_GOOD) {
        *ret_line = line;
    }
    return fault;
}
