/* read.c — records read: one, a page, the earlier versions. */
#include "spaces/spaces.h"

#include "base/assert.h"
#include "base/checked.h"
#include "spaces/internal.h"
#include "wire/json.h"

rp_err rp_space_row(const struct rp_space *space, rp_view collection, struct rp_row *row,
                    struct rp_arena *arena, struct rp_record *ret_record) {
    uint64_t label = rp_row_u64(row, 3);
    if (label >= RP_LABEL_COUNT) {
        return RP_ERR(CORRUPT);
    }
    struct rp_record record = {.id = rp_row_id(row, 0),
                               .version = rp_row_u64(row, 1),
                               .changed_ms = (int64_t)rp_row_u64(row, 2),
                               .label = (enum rp_label)label,
                               .trashed_ms = (int64_t)rp_row_u64(row, 4)};
    if (arena != NULL) {
        struct rp_record_place place = rp_space_place(space, collection, &record);
        /* Nothing was put into the trash before there were labels. */
        if (record.label == RP_LABEL_NONE && record.trashed_ms != 0) {
            return RP_ERR(CORRUPT);
        }
        RP_TRY(rp_record_open(space->key, &place, rp_row_blob(row, 5), arena, &record.document));
    }
    *ret_record = record;
    return RP_OK;
}

static void show_label(struct rp_record *record) {
    if (record->label == RP_LABEL_NONE) {
        record->label = RP_LABEL_INTERNAL;
    }
}

static rp_err read_one(struct rp_space *space, rp_view collection, rp_id id, struct rp_arena *arena,
                       struct rp_record *ret_record) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(space->db,
                       "SELECT " RP_RECORD_COLUMNS " FROM record "
                       "WHERE app = ?1 AND collection = ?2 AND id = ?3 AND trashed_ms = 0",
                       &row));
    rp_row_bind_text(row, 1, space->app);
    rp_row_bind_text(row, 2, collection);
    rp_row_bind_id(row, 3, id);
    RP_TRY(rp_row_first(row));
    return rp_space_row(space, collection, row, arena, ret_record);
}

rp_err rp_space_read(struct rp_space *space, rp_view collection, rp_id id, struct rp_arena *arena,
                     struct rp_record *ret_record) {
    rp_space_check(space);
    RP_ASSERT(arena != NULL && ret_record != NULL);
    if (!rp_space_takes(space, collection)) {
        return RP_ERR(NOT_FOUND);
    }
    struct rp_record record = {0};
    rp_err err = read_one(space, collection, id, arena, &record);
    if (rp_is(err, RP_E_CORRUPT)) {
        return rp_space_tell_corrupt(space, collection, id);
    }
    RP_TRY(err);
    show_label(&record);
    *ret_record = record;
    return RP_OK;
}

/* ---- pages ---- */

struct page {
    struct rp_space *space;
    rp_view collection;
    const struct rp_space_query *query;
    struct rp_token32 tokens[2];
    struct rp_arena *arena;
    struct rp_record *records;
    size_t count;
    rp_id at; /* the one that is being read */
};

static rp_err ask_page(const struct page *page, struct rp_row **ret_row) {
    struct rp_db *db = page->space->db;
    struct rp_row *row = NULL;
    if (page->query->field.p) {
        RP_TRY(rp_db_query(db,
                           "SELECT " RP_RECORD_COLUMNS " FROM record WHERE app = ?1 AND "
                           "collection = ?2 AND id > ?3 AND trashed_ms = 0 AND id IN (SELECT id "
                           "FROM record_token WHERE app = ?1 AND collection = ?2 AND token IN (?5, "
                           "?6)) ORDER BY id LIMIT ?4",
                           &row));
        rp_row_bind_blob(row, 5, rp_view_of(page->tokens[0].b, sizeof page->tokens[0].b));
        rp_row_bind_blob(row, 6, rp_view_of(page->tokens[1].b, sizeof page->tokens[1].b));
    } else if (page->query->trashed) {
        RP_TRY(rp_db_query(db,
                           "SELECT " RP_RECORD_COLUMNS " FROM record WHERE app = ?1 AND "
                           "collection = ?2 AND id > ?3 AND trashed_ms > 0 ORDER BY id LIMIT ?4",
                           &row));
    } else {
        RP_TRY(rp_db_query(db,
                           "SELECT " RP_RECORD_COLUMNS " FROM record WHERE app = ?1 AND "
                           "collection = ?2 AND id > ?3 AND trashed_ms = 0 ORDER BY id LIMIT ?4",
                           &row));
    }
    rp_row_bind_text(row, 1, page->space->app);
    rp_row_bind_text(row, 2, page->collection);
    rp_row_bind_id(row, 3, page->query->after);
    rp_row_bind_u64(row, 4, page->query->limit);
    *ret_row = row;
    return RP_OK;
}

static rp_err read_page(struct page *page) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(ask_page(page, &row));
    bool more = false;
    RP_TRY(rp_row_next(row, &more));
    while (more && page->count < page->query->limit) {
        page->at = rp_row_id(row, 0);
        struct rp_record *record = &page->records[page->count];
        RP_TRY(rp_space_row(page->space, page->collection, row, page->arena, record));
        show_label(record);
        page->count++;
        RP_TRY(rp_row_next(row, &more));
    }
    return RP_OK;
}

rp_err rp_space_find(struct rp_space *space, rp_view collection, const struct rp_space_query *query,
                     struct rp_arena *arena, struct rp_record **ret_records, size_t *ret_count,
                     struct rp_diag *diag) {
    rp_space_check(space);
    RP_ASSERT(arena != NULL && ret_records != NULL && ret_count != NULL);
    if (!rp_space_takes(space, collection) || query->limit == 0 || query->limit > RP_PAGE_MAX) {
        return RP_ERR(INVALID);
    }
    struct page page = {.space = space, .collection = collection, .query = query, .arena = arena};
    if (query->field.p) {
        RP_TRY(rp_search_tokens(space, collection, query->field, query->value, arena, page.tokens,
                                diag));
    }
    page.records = rp_arena_array(arena, query->limit, sizeof *page.records);
    if (page.records == NULL) {
        return RP_ERR(TOO_LARGE);
    }
    rp_err err = read_page(&page);
    if (rp_is(err, RP_E_CORRUPT)) {
        return rp_space_tell_corrupt(space, collection, page.at);
    }
    RP_TRY(err);
    *ret_records = page.records;
    *ret_count = page.count;
    return RP_OK;
}

rp_err rp_space_list(struct rp_space *space, rp_view collection, rp_id after, size_t limit,
                     struct rp_arena *arena, struct rp_record **ret_records, size_t *ret_count) {
    struct rp_space_query query = {.after = after, .limit = limit};
    return rp_space_find(space, collection, &query, arena, ret_records, ret_count, NULL);
}

/* ---- versions ---- */

static rp_err ask_versions(struct rp_space *space, rp_view collection, rp_id id,
                           struct rp_row **ret_row) {
    RP_TRY(rp_db_query(space->db,
                       "SELECT " RP_RECORD_COLUMNS " FROM record WHERE app = ?1 AND collection = "
                       "?2 AND id = ?3 UNION ALL SELECT " RP_RECORD_COLUMNS " FROM record_version "
                       "WHERE app = ?1 AND collection = ?2 AND id = ?3 ORDER BY version DESC",
                       ret_row));
    rp_row_bind_text(*ret_row, 1, space->app);
    rp_row_bind_text(*ret_row, 2, collection);
    rp_row_bind_id(*ret_row, 3, id);
    return RP_OK;
}

rp_err rp_space_versions(struct rp_space *space, rp_view collection, rp_id id,
                         struct rp_arena *arena, struct rp_record **ret_records,
                         size_t *ret_count) {
    rp_space_check(space);
    if (!rp_space_takes(space, collection)) {
        return RP_ERR(NOT_FOUND);
    }
    struct rp_record *records = rp_arena_array(arena, RP_VERSIONS_KEPT + 1, sizeof *records);
    if (records == NULL) {
        return RP_ERR(TOO_LARGE);
    }
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(ask_versions(space, collection, id, &row));
    size_t count = 0;
    bool more = false;
    RP_TRY(rp_row_next(row, &more));
    while (more && count <= RP_VERSIONS_KEPT) {
        RP_TRY(rp_space_row(space, collection, row, NULL, &records[count]));
        show_label(&records[count++]);
        RP_TRY(rp_row_next(row, &more));
    }
    if (count == 0) {
        return RP_ERR(NOT_FOUND);
    }
    *ret_records = records;
    *ret_count = count;
    return RP_OK;
}

static rp_err find_version(struct rp_space *space, rp_view collection, rp_id id, uint64_t version,
                           struct rp_arena *arena, struct rp_record *ret_record) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(ask_versions(space, collection, id, &row));
    bool more = false;
    RP_TRY(rp_row_next(row, &more));
    while (more && rp_row_u64(row, 1) != version) {
        RP_TRY(rp_row_next(row, &more));
    }
    return more ? rp_space_row(space, collection, row, arena, ret_record) : RP_ERR(NOT_FOUND);
}

rp_err rp_space_read_version(struct rp_space *space, rp_view collection, rp_id id, uint64_t version,
                             struct rp_arena *arena, struct rp_record *ret_record) {
    rp_space_check(space);
    if (!rp_space_takes(space, collection)) {
        return RP_ERR(NOT_FOUND);
    }
    struct rp_record record = {0};
    RP_TRY(find_version(space, collection, id, version, arena, &record));
    show_label(&record);
    *ret_record = record;
    return RP_OK;
}
