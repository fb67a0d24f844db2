/* export.c — everything that a tenant keeps, as JSON lines, a page of one collection at a time. */
#include "base/assert.h"
#include "base/checked.h"
#include "spaces/internal.h"
#include "wire/json.h"

enum { LINE_EXTRA = 1024 };

/* Names of applications and collections are of letters that JSON takes as they are. */
static void add_line(struct rp_buf *out, const struct rp_record_place *place, const char *what,
                     rp_view document) {
    bool file = rp_view_starts(place->collection, RP_VIEW("@"));
    rp_buf_printf(out, "{\"app\":\"%.*s\",\"changed_at\":\"%s\",\"collection\":\"%.*s\",\"%s\":",
                  RP_FMT(place->app), rp_time_print(place->changed_ms / 1000).s,
                  RP_FMT(rp_view_from(place->collection, file ? 1 : 0)), what);
    rp_buf_add(out, document);
    /*= S174 */ /* the label goes with the record, out of the house too */
    rp_buf_printf(out, ",\"id\":\"%s\",\"label\":\"%s\"", rp_id_print(place->id).s,
                  rp_label_name(place->label == RP_LABEL_NONE ? RP_LABEL_INTERNAL : place->label));
    if (place->trashed_ms != 0) {
        rp_buf_printf(out, ",\"trashed_at\":\"%s\"", rp_time_print(place->trashed_ms / 1000).s);
    }
    rp_buf_printf(out, ",\"version\":%llu}\n", (unsigned long long)place->version);
}

/* What a file's record says to others, and where its bytes are. */
static rp_err file_facts(const struct rp_record *record, struct rp_space_export *page,
                         struct rp_arena *arena, rp_view *ret_facts) {
    struct rp_file file;
    RP_TRY(rp_space_file_parse(record, arena, &file));
    RP_ASSERT(page->file_count < RP_EXPORT_FILES);
    page->files[page->file_count++] = (struct rp_exported_file){
        .id = record->id, .blob = file.blob, .size = file.size, .made = file.made};
    struct rp_json *json = rp_json_object(arena);
    rp_json_add_string(arena, json, "name", file.name);
    rp_json_add_u64(arena, json, "size", file.size);
    rp_json_add_string(arena, json, "type", file.type);
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new_wiping(8192);
    RP_TRY(rp_json_print(json, &text));
    return rp_arena_copy(arena, rp_buf_view(&text), ret_facts);
}

static rp_err export_row(struct rp_space *space, struct rp_row *row, struct rp_space_export *page,
                         rp_view collection, struct rp_arena *arena) {
    struct rp_record record = {0};
    RP_TRY(rp_space_row(space, collection, row, arena, &record));
    struct rp_record_place place = rp_space_place(space, collection, &record);
    bool file = rp_view_starts(collection, RP_VIEW("@"));
    rp_view said = record.document;
    if (file) {
        RP_TRY(file_facts(&record, page, arena, &said));
    }
    add_line(page->lines, &place, file ? "file" : "document", said);
    page->after = record.id;
    page->count++;
    return rp_buf_err(page->lines);
}

/* Columns: those of a record, then app and collection. */
static rp_err ask_rows(const struct rp_space *space, const struct rp_space_export *page,
                       struct rp_row **ret_row) {
    RP_TRY(rp_db_query(space->db,
                       "SELECT " RP_RECORD_COLUMNS ", app, collection FROM record WHERE (app, "
                       "collection, id) > (?1, ?2, ?3) ORDER BY app, collection, id LIMIT ?4",
                       ret_row));
    rp_row_bind_text(*ret_row, 1, page->app);
    rp_row_bind_text(*ret_row, 2, page->collection);
    rp_row_bind_id(*ret_row, 3, page->after);
    rp_row_bind_u64(*ret_row, 4, RP_EXPORT_PAGE);
    return RP_OK;
}

static rp_err export_rows(struct rp_space *space, struct rp_space_export *page,
                          struct rp_arena *arena, struct rp_arena *scratch) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(ask_rows(space, page, &row));
    bool more = false;
    RP_TRY(rp_row_next(row, &more));
    while (more) {
        if (page->count == 0) {
            RP_TRY(rp_arena_copy(arena, rp_row_text(row, 6), &page->app));
            RP_TRY(rp_arena_copy(arena, rp_row_text(row, 7), &page->collection));
            space->files = rp_view_starts(page->collection, RP_VIEW("@"));
            if (page->app.n == 0 || page->app.n > 32 || !rp_space_takes(space, page->collection)) {
                return RP_ERR(CORRUPT);
            }
            space->app = page->app;
        } else if (!rp_view_equal(rp_row_text(row, 6), page->app) ||
                   !rp_view_equal(rp_row_text(row, 7), page->collection)) {
            return RP_OK; /* the next collection begins the next page */
        }
        rp_arena_reset(scratch);
        RP_TRY(export_row(space, row, page, page->collection, scratch));
        if (page->lines->n + RP_RECORD_MAX + LINE_EXTRA > page->lines->max ||
            page->file_count == RP_EXPORT_FILES) {
            return RP_OK;
        }
        RP_TRY(rp_row_next(row, &more));
    }
    return RP_OK;
}

rp_err rp_space_export(struct rp_space *space, struct rp_space_export *page,
                       struct rp_arena *arena) {
    RP_ASSERT(space->key != NULL && rp_id_equal(rp_db_tenant(space->db), space->tenant));
    RP_ASSERT(page->lines->n == 0 && page->lines->max >= RP_RECORD_MAX + LINE_EXTRA);
    struct rp_arena *scratch _cleanup_(rp_arena_freep) =
        rp_arena_new_wiping((size_t)RP_RECORD_MAX * 2);
    if (!scratch) {
        return RP_ERR(NO_MEMORY);
    }
    page->count = 0;
    page->file_count = 0;
    rp_err err = export_rows(space, page, arena, scratch);
    space->files = false;
    return err;
}
