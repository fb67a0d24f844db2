/* files_api.c — a tenant's files, for the application in front of which its user sits: what is said
 * of them, and their bytes, a piece at a time, whole or in part (RFC 9110 section 14).
 *
 * Whatever type a file says it has, a browser keeps it and does not show it: it comes from our own
 * address, and somebody else wrote it.
 */
#include "web/files_api.h"
#include "base/assert.h"
#include "base/checked.h"
#include "web/handlers.h"
#include "web/spaces_api.h"

enum { SEND_BYTES = 256 * 1024, LIST_DEFAULT = 50, LIST_ARENA = 8 * 1024 * 1024, HEAD_MAX = 1024 };

/* ---- what is said of a file ---- */

static void add_file(struct rp_arena *arena, struct rp_json *json, const struct rp_file *file) {
    rp_api_add_record(arena, json, &file->record);
    rp_json_add_string(arena, json, "name", file->name);
    rp_json_add_string(arena, json, "type", file->type);
    rp_json_add_u64(arena, json, "size", file->size);
}

static rp_view etag_of(struct rp_request *request, const struct rp_file *file) {
    return rp_arena_printf(request->arena, "\"%llu\"", (unsigned long long)file->record.version);
}

rp_err rp_api_send_file(struct rp_request *request, int status, const struct rp_file *file) {
    struct rp_json *json = rp_json_object(request->arena);
    rp_response_head(&request->response, "ETag", etag_of(request, file));
    add_file(request->arena, json, file);
    return rp_api_send(request, status, json);
}

static rp_err send_list(struct rp_request *request, struct rp_space *space,
                        const struct rp_space_query *query, struct rp_arena *arena) {
    struct rp_file *files = NULL;
    size_t count = 0;
    RP_TRY(rp_space_file_find(space, request->segments[0], query, arena, &files, &count));
    struct rp_json *root = rp_json_object(arena);
    struct rp_json *list = rp_json_add_array(arena, root, "files");
    for (size_t i = 0; i < count; i++) {
        add_file(arena, rp_json_add_object(arena, list, NULL), &files[i]);
    }
    if (count == query->limit) {
        rp_json_add_cstr(arena, root, "next", rp_id_print(files[count - 1].record.id).s);
    }
    return rp_api_send(request, 200, root);
}

rp_err rp_api_file_list(struct rp_request *request) {
    struct rp_space space;
    struct rp_space_query query = {.limit = 0};
    rp_view after = rp_request_query(request, "after");
    if (after.p && !rp_id_parse(after, &query.after)) {
        return RP_ERR(INVALID);
    }
    query.trashed = rp_view_equal(rp_request_query(request, "trash"), RP_VIEW("1"));
    RP_TRY(rp_request_limit(request, LIST_DEFAULT, RP_PAGE_MAX, &query.limit));
    RP_TRY(rp_api_open_space(request, RP_ACTION_READ_RECORDS, &space));
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new_wiping(LIST_ARENA);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    rp_err err = send_list(request, &space, &query, arena);
    if (rp_is(err, RP_E_CORRUPT)) {
        request->changed_tenant = space.tenant; /* that it was altered is an event */
    }
    return err;
}

/* The file that the address and ?version= name. */
static rp_err find_file(struct rp_request *request, struct rp_space *space,
                        struct rp_file *ret_file) {
    uint64_t version = 0;
    rp_id id;
    RP_TRY(rp_api_read_id(request, &id));
    RP_TRY(rp_api_read_version(request, &version));
    RP_TRY(rp_api_open_space(request, RP_ACTION_READ_RECORDS, space));
    rp_err err =
        rp_space_file_read(space, request->segments[0], id, version, request->arena, ret_file);
    if (rp_is(err, RP_E_CORRUPT)) {
        request->changed_tenant = space->tenant;
    }
    return err;
}

rp_err rp_api_file_facts(struct rp_request *request) {
    struct rp_space space;
    struct rp_file file;
    RP_TRY(find_file(request, &space, &file));
    return rp_api_send_file(request, 200, &file);
}

rp_err rp_api_file_versions(struct rp_request *request) {
    struct rp_space space;
    struct rp_record *records = NULL;
    size_t count = 0;
    rp_id id;
    RP_TRY(rp_api_read_id(request, &id));
    RP_TRY(rp_api_open_space(request, RP_ACTION_READ_RECORDS, &space));
    RP_TRY(
        rp_space_file_versions(&space, request->segments[0], id, request->arena, &records, &count));
    struct rp_json *root = rp_json_object(request->arena);
    struct rp_json *list = rp_json_add_array(request->arena, root, "versions");
    for (size_t i = 0; i < count; i++) {
        struct rp_json *one = rp_json_add_object(request->arena, list, NULL);
        rp_api_add_record(request->arena, one, &records[i]);
    }
    return rp_api_send(request, 200, root);
}

/* ---- bytes going out ---- */

static void close_sending(void *state) {
    struct rp_sending *sending = state;
    rp_blob_done(&sending->blob);
}

static rp_err next_piece(struct rp_request *request, struct rp_space *space,
                         struct rp_sending *sending) {
    size_t n = (size_t)RP_MIN((uint64_t)SEND_BYTES, sending->end - sending->at);
    rp_err err = rp_blob_read(space->key, &sending->blob, sending->at, n, &request->response.body);
    if (rp_is(err, RP_E_CORRUPT)) {
        request->changed_tenant = space->tenant;
        return rp_space_file_tell_corrupt(space, sending->collection, sending->file.record.id,
                                          request->arena);
    }
    RP_TRY(err);
    sending->at += n;
    request->flow.more = sending->at < sending->end;
    return RP_OK;
}

rp_err rp_api_send_more(struct rp_request *request, struct rp_space *space) {
    return next_piece(request, space, request->flow.state);
}

/* RFC 6266: the name as ASCII for the old, as UTF-8 for all others. */
static void add_name(struct rp_request *request, rp_view name) {
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(HEAD_MAX * 2);
    rp_buf_add(&text, RP_VIEW("attachment; filename=\""));
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = name.p[i];
        rp_buf_add_byte(&text, c >= 0x20 && c < 0x7f && c != '"' && c != '%' ? c : '_');
    }
    rp_buf_add(&text, RP_VIEW("\"; filename*=UTF-8''"));
    rp_url_encode(&text, name);
    rp_response_head(&request->response, "Content-Disposition", rp_buf_view(&text));
}

/* Which part is wanted; RP_RANGE_ALL when the file is not the one that the reader has begun. */
static enum rp_range read_range(struct rp_request *request, rp_view etag,
                                struct rp_sending *sending) {
    rp_view range = rp_request_param(request, "HTTP_RANGE");
    rp_view if_range = rp_request_param(request, "HTTP_IF_RANGE");
    sending->at = 0;
    sending->end = sending->file.size;
    if (!range.p || (if_range.p && !rp_view_equal(rp_view_trim(if_range), etag))) {
        return RP_RANGE_ALL;
    }
    return rp_range_parse(range, sending->file.size, &sending->at, &sending->end);
}

rp_err rp_api_send_bytes(struct rp_request *request, struct rp_space *space,
                         struct rp_sending *sending) {
    struct rp_response *response = &request->response;
    rp_view etag = etag_of(request, &sending->file);
    unsigned long long size = sending->file.size;
    enum rp_range range = read_range(request, etag, sending);
    if (range == RP_RANGE_NOTHING) {
        rp_problem(request, RP_KIND_API, RP_ERR(INVALID), "the file ends before this range");
        response->status = 416;
        rp_response_head(response, "Content-Range",
                         rp_arena_printf(request->arena, "bytes */%llu", size));
        return RP_OK;
    }
    rp_err err = rp_space_file_open(space, sending->collection, &sending->file, request->arena,
                                    &sending->blob);
    if (rp_is(err, RP_E_CORRUPT)) {
        request->changed_tenant = space->tenant;
    }
    RP_TRY(err);
    request->flow.state = sending;
    request->flow.done = close_sending;
    uint64_t first = sending->at;
    if (rp_view_equal(rp_request_param(request, "REQUEST_METHOD"), RP_VIEW("HEAD"))) {
        request->flow.more = false;
    } else {
        RP_TRY(next_piece(request, space, sending));
    }
    if (range == RP_RANGE_PART) {
        response->status = 206;
        rp_response_head(response, "Content-Range",
                         rp_arena_printf(request->arena, "bytes %llu-%llu/%llu",
                                         (unsigned long long)first,
                                         (unsigned long long)sending->end - 1, size));
    }
    rp_response_head(response, "ETag", etag);
    rp_response_head(response, "Accept-Ranges", RP_VIEW("bytes"));
    add_name(request, sending->file.name);
    response->content_type = rp_arena_cstr(request->arena, sending->file.type);
    response->length = sending->end - first;
    response->streamed = response->content_type != NULL;
    return response->streamed ? RP_OK : RP_ERR(NO_MEMORY);
}

rp_err rp_api_file_read(struct rp_request *request) {
    struct rp_space space;
    if (request->flow.entered) {
        RP_TRY(rp_api_open_space(request, RP_ACTION_READ_RECORDS, &space));
        return rp_api_send_more(request, &space);
    }
    struct rp_sending *sending = rp_arena_alloc(request->arena, sizeof *sending);
    uint64_t wanted = 0;
    if (!sending) {
        return RP_ERR(NO_MEMORY);
    }
    *sending = (struct rp_sending){.collection = request->segments[0], .blob = {.fd = -1}};
    RP_TRY(rp_api_read_if_match(request, &wanted));
    RP_TRY(find_file(request, &space, &sending->file));
    if (wanted != 0 && wanted != sending->file.record.version) {
        return RP_ERR(CONFLICT);
    }
    rp_view etag = etag_of(request, &sending->file);
    if (rp_view_equal(rp_view_trim(rp_request_param(request, "HTTP_IF_NONE_MATCH")), etag)) {
        rp_response_head(&request->response, "ETag", etag);
        request->response.status = 304;
        return RP_OK;
    }
    return rp_api_send_bytes(request, &space, sending);
}

/* ---- changes without bytes ---- */

/* The body of these is nothing, but comes as a stream. */
rp_err rp_api_file_change(struct rp_request *request) {
    struct rp_space space;
    struct rp_file file;
    rp_id id;
    uint64_t version;
    enum rp_label label;
    rp_view name = rp_request_query(request, "name");
    RP_TRY(rp_api_read_label(request, &label));
    if (!name.p && label == RP_LABEL_NONE) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "?name=… or ?label=…");
    }
    RP_TRY(rp_api_open_change(request, &space, &id, &version));
    RP_TRY(rp_space_file_change(&space, request->segments[0], id, version, name, label,
                                request->arena, &file, &request->diag));
    request->changed_tenant = space.tenant;
    return rp_api_send_file(request, 200, &file);
}

rp_err rp_api_file_delete(struct rp_request *request) {
    struct rp_space space;
    rp_id id;
    uint64_t version;
    RP_TRY(rp_api_open_change(request, &space, &id, &version));
    RP_TRY(rp_space_file_delete(&space, request->segments[0], id, version));
    request->changed_tenant = space.tenant;
    request->response.status = 204;
    return RP_OK;
}

rp_err rp_api_file_restore(struct rp_request *request) {
    struct rp_space space;
    struct rp_file file;
    rp_id id;
    uint64_t version = 0;
    RP_TRY(rp_api_read_id(request, &id));
    RP_TRY(rp_api_read_version(request, &version));
    RP_TRY(rp_api_open_space(request, RP_ACTION_WRITE_RECORDS, &space));
    rp_err err = rp_space_file_restore(&space, request->segments[0], id, version, request->arena,
                                       &file, &request->diag);
    if (rp_ok(err) || rp_is(err, RP_E_CORRUPT)) {
        request->changed_tenant = space.tenant;
    }
    RP_TRY(err);
    return rp_api_send_file(request, 200, &file);
}
