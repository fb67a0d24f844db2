/* uploads_api.c — bytes coming in: a whole file in one request, or by tus 1.0 in as many as it
 * takes.
 *
 * POST files/COLLECTION and PUT files/COLLECTION/ID bring a file in one request; when it breaks,
 * what came is thrown away. With Upload-Length, POST only begins (the tus "creation"): HEAD
 * uploads/ID says how much is there, PATCH brings more, DELETE takes it back. What came of a PATCH
 * that breaks stays.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "web/files_api.h"
#include "web/handlers.h"
#include "web/spaces_api.h"

enum { KEEP_BYTES = 16 * 1024 * 1024 };

struct coming {
    struct rp_upload upload;
    struct rp_blob blob;
    bool resumable;
};

static void close_coming(void *state) {
    struct coming *coming = state;
    rp_blob_done(&coming->blob);
}

static struct coming *coming_new(struct rp_request *request, bool resumable) {
    struct coming *coming = rp_arena_alloc(request->arena, sizeof *coming);
    if (coming) {
        *coming = (struct coming){.blob = {.fd = -1}, .resumable = resumable};
        request->flow.state = coming;
        request->flow.done = close_coming;
    }
    return coming;
}

/* ---- heads of tus ---- */

static void add_offset(struct rp_request *request, const struct rp_upload *upload) {
    rp_response_head(&request->response, "Tus-Resumable", RP_VIEW("1.0.0"));
    rp_view offset = rp_arena_printf(request->arena, "%llu", (unsigned long long)upload->received);
    rp_response_head(&request->response, "Upload-Offset", offset.p ? offset : RP_VIEW("0"));
}

/* A client of another version of the protocol is told which one is spoken here. */
static rp_err check_tus(struct rp_request *request) {
    rp_view version = rp_request_param(request, "HTTP_TUS_RESUMABLE");
    return rp_view_equal(version, RP_VIEW("1.0.0"))
               ? RP_OK
               : rp_fail(&request->diag, RP_ERR(CONFLICT), "Tus-Resumable: 1.0.0");
}

static rp_err read_number(struct rp_request *request, const char *param, const char *said,
                          uint64_t *ret_value) {
    rp_view text = rp_request_param(request, param);
    return rp_view_to_u64(rp_view_trim(text), INT64_MAX, ret_value)
               ? RP_OK
               : rp_fail(&request->diag, RP_ERR(INVALID), "%s: a number", said);
}

/* ---- what the file is to be ---- */

static rp_err read_wish(struct rp_request *request, struct rp_upload *wish) {
    rp_view length = rp_view_trim(rp_request_param(request, "CONTENT_LENGTH"));
    wish->collection = request->segments[0];
    wish->name = rp_request_query(request, "name");
    wish->type = rp_view_trim(rp_request_param(request, "CONTENT_TYPE"));
    wish->size = RP_SIZE_UNKNOWN;
    if (length.n > 0 && !rp_view_to_u64(length, INT64_MAX, &wish->size)) {
        return RP_ERR(INVALID);
    }
    return rp_api_read_label(request, &wish->label);
}

static rp_err read_tus_wish(struct rp_request *request, struct rp_upload *wish) {
    rp_view metadata = rp_request_param(request, "HTTP_UPLOAD_METADATA");
    rp_view name = {NULL, 0}, type = {NULL, 0};
    RP_TRY(check_tus(request));
    RP_TRY(read_number(request, "HTTP_UPLOAD_LENGTH", "Upload-Length", &wish->size));
    rp_err err = rp_metadata_get(metadata, "filename", request->arena, &name);
    if (rp_ok(err)) {
        err = rp_metadata_get(metadata, "filetype", request->arena, &type);
    }
    if (!rp_ok(err)) {
        return rp_fail(&request->diag, err, "Upload-Metadata: filename BASE64,filetype BASE64");
    }
    wish->name = name.p ? name : wish->name;
    wish->type = type;
    return RP_OK;
}

static rp_err begin(struct rp_request *request, struct rp_space *space, struct rp_upload *wish,
                    bool resumable, struct coming **ret_coming) {
    uint64_t version = 0;
    struct coming *coming = coming_new(request, resumable);
    if (!coming) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_api_read_if_match(request, &version));
    if (wish->type.n == 0) {
        wish->type = RP_VIEW("application/octet-stream");
    }
    RP_TRY(rp_api_open_space(request, RP_ACTION_WRITE_RECORDS, space));
    RP_TRY(rp_upload_begin(space, wish, version, request->arena, &coming->upload, &coming->blob,
                           &request->diag));
    *ret_coming = coming;
    return RP_OK;
}

/* ---- pieces ---- */

/* The last piece was the whole: a file. */
static rp_err end(struct rp_request *request, struct rp_space *space, struct coming *coming) {
    struct rp_file file;
    bool new_file = coming->upload.version == 1;
    RP_TRY(rp_upload_end(space, &coming->upload, &coming->blob, request->arena, &file,
                         &request->diag));
    request->changed_tenant = space->tenant;
    rp_view location =
        rp_arena_printf(request->arena, "/.rempart/api/v1/files/%.*s/%s",
                        RP_FMT(coming->upload.collection), rp_id_print(file.record.id).s);
    if (!location.p) {
        return RP_ERR(NO_MEMORY);
    }
    if (coming->resumable) {
        coming->upload.received = file.size;
        add_offset(request, &coming->upload);
        rp_response_head(&request->response, "Content-Location", location);
        request->response.status = 204;
        return RP_OK;
    }
    if (new_file) {
        rp_response_head(&request->response, "Location", location);
    }
    return rp_api_send_file(request, new_file ? 201 : 200, &file);
}

static rp_err add_piece(struct rp_request *request, struct rp_space *space, struct coming *coming) {
    rp_view piece = request->flow.piece;
    uint64_t most = coming->upload.size == RP_SIZE_UNKNOWN ? RP_FILE_MAX : coming->upload.size;
    RP_TRY(rp_upload_check(space, &coming->upload));
    if (piece.n > most || coming->blob.size > most - piece.n) {
        return rp_fail(&request->diag, RP_ERR(TOO_LARGE), "more than the %llu bytes that may come",
                       (unsigned long long)most);
    }
    RP_TRY(rp_blob_add(space->env, space->key, &coming->blob, piece));
    if (request->flow.last && (!coming->resumable || coming->blob.size == coming->upload.size)) {
        return end(request, space, coming);
    }
    request->flow.more = !request->flow.last;
    if (request->flow.last || coming->blob.size - coming->upload.received >= KEEP_BYTES) {
        RP_TRY(rp_upload_keep(space, &coming->upload, &coming->blob, &request->diag));
    }
    if (request->flow.last) {
        add_offset(request, &coming->upload);
        request->response.status = 204;
    }
    return RP_OK;
}

/* The peer left. Nobody reads what is answered. */
static rp_err keep_or_drop(struct rp_space *space, struct coming *coming) {
    if (!coming->resumable) {
        return rp_upload_drop(space, coming->upload.id);
    }
    RP_TRY(rp_upload_check(space, &coming->upload));
    return rp_upload_keep(space, &coming->upload, &coming->blob, NULL);
}

/* An upload that cannot go on by another request leaves nothing behind. */
static rp_err receive(struct rp_request *request) {
    struct coming *coming = request->flow.state;
    struct rp_space space;
    RP_TRY(rp_api_open_space(request, RP_ACTION_WRITE_RECORDS, &space));
    if (request->flow.cut) {
        return keep_or_drop(&space, coming);
    }
    rp_err err = add_piece(request, &space, coming);
    if (!rp_ok(err) && !coming->resumable) {
        rp_ignore(rp_upload_drop(&space, coming->upload.id)); /* else it is swept tomorrow */
    }
    return err;
}

/* ---- a file in one request ---- */

static rp_err begin_whole(struct rp_request *request, struct rp_upload *wish) {
    struct rp_space space;
    struct coming *coming = NULL;
    RP_TRY(begin(request, &space, wish, false, &coming));
    request->flow.more = true;
    return RP_OK;
}

/* An upload that will come by and by; nothing of it is in this request. */
static rp_err begin_resumable(struct rp_request *request, struct rp_upload *wish) {
    struct rp_space space;
    struct coming *coming = NULL;
    RP_TRY(read_tus_wish(request, wish));
    RP_TRY(begin(request, &space, wish, true, &coming));
    if (wish->size == 0) {
        return end(request, &space, coming);
    }
    rp_view location = rp_arena_printf(request->arena, "/.rempart/api/v1/uploads/%s",
                                       rp_id_print(coming->upload.id).s);
    if (!location.p) {
        return RP_ERR(NO_MEMORY);
    }
    add_offset(request, &coming->upload);
    rp_response_head(&request->response, "Location", location);
    request->response.status = 201;
    return RP_OK;
}

rp_err rp_api_file_create(struct rp_request *request) {
    struct rp_upload wish = {.size = 0};
    if (request->flow.entered) {
        return receive(request);
    }
    RP_TRY(read_wish(request, &wish));
    if (rp_request_param(request, "HTTP_UPLOAD_LENGTH").p) {
        return begin_resumable(request, &wish);
    }
    return begin_whole(request, &wish);
}

rp_err rp_api_file_replace(struct rp_request *request) {
    struct rp_upload wish = {.size = 0};
    if (request->flow.entered) {
        return receive(request);
    }
    RP_TRY(rp_api_read_id(request, &wish.file));
    RP_TRY(read_wish(request, &wish));
    if (rp_request_param(request, "HTTP_UPLOAD_LENGTH").p) {
        return begin_resumable(request, &wish);
    }
    return begin_whole(request, &wish);
}

/* ---- uploads that wait ---- */

static rp_err find_upload(struct rp_request *request, struct rp_space *space,
                          struct rp_upload *ret_upload) {
    rp_id id;
    if (!rp_id_parse(request->segments[0], &id)) {
        return RP_ERR(NOT_FOUND);
    }
    RP_TRY(check_tus(request));
    RP_TRY(rp_api_open_space(request, RP_ACTION_WRITE_RECORDS, space));
    return rp_upload_find(space, id, request->arena, ret_upload);
}

rp_err rp_api_upload_read(struct rp_request *request) {
    struct rp_space space;
    struct rp_upload upload;
    RP_TRY(find_upload(request, &space, &upload));
    add_offset(request, &upload);
    rp_view length = rp_arena_printf(request->arena, "%llu", (unsigned long long)upload.size);
    rp_response_head(&request->response, "Upload-Length", length.p ? length : RP_VIEW("0"));
    struct rp_json *json = rp_json_object(request->arena);
    rp_json_add_u64(request->arena, json, "received", upload.received);
    rp_json_add_u64(request->arena, json, "size", upload.size);
    return rp_api_send(request, 200, json);
}

rp_err rp_api_upload_delete(struct rp_request *request) {
    struct rp_space space;
    struct rp_upload upload;
    RP_TRY(find_upload(request, &space, &upload));
    RP_TRY(rp_upload_drop(&space, upload.id));
    rp_response_head(&request->response, "Tus-Resumable", RP_VIEW("1.0.0"));
    request->response.status = 204;
    return RP_OK;
}

/* 409, as tus has it, with what is there. */
static rp_err refuse_offset(struct rp_request *request, const struct rp_upload *upload) {
    rp_problem(request, RP_KIND_API, RP_ERR(DUPLICATE),
               "Upload-Offset is not what has come so far");
    add_offset(request, upload);
    request->response.status = 409;
    return RP_OK;
}

rp_err rp_api_upload_patch(struct rp_request *request) {
    if (request->flow.entered) {
        return receive(request);
    }
    struct rp_space space;
    uint64_t offset = 0;
    struct coming *coming = coming_new(request, true);
    if (!coming) {
        return RP_ERR(NO_MEMORY);
    }
    if (!rp_view_equal_nocase(rp_view_trim(rp_request_param(request, "CONTENT_TYPE")),
                              RP_VIEW("application/offset+octet-stream"))) {
        return rp_fail(&request->diag, RP_ERR(UNSUPPORTED),
                       "Content-Type: application/offset+octet-stream");
    }
    RP_TRY(read_number(request, "HTTP_UPLOAD_OFFSET", "Upload-Offset", &offset));
    RP_TRY(find_upload(request, &space, &coming->upload));
    if (coming->upload.size == RP_SIZE_UNKNOWN) {
        return RP_ERR(NOT_FOUND); /* it is in one request, which is still coming */
    }
    if (offset != coming->upload.received) {
        return refuse_offset(request, &coming->upload);
    }
    RP_TRY(rp_upload_resume(&space, &coming->upload, request->arena, &coming->blob));
    if (offset != coming->upload.received) {
        RP_TRY(rp_upload_keep(&space, &coming->upload, &coming->blob, &request->diag));
        return refuse_offset(request, &coming->upload);
    }
    request->flow.more = true;
    return RP_OK;
}
