/* spaces_api.c — a tenant's records, for the application in front of which its user sits.
 *
 * The tenant is the assertion's, always: no address and no body names one. Versions are ETags;
 * a change may carry If-Match and then happens only to that version.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "spaces/spaces.h"
#include "web/handlers.h"

enum { LIST_BYTES_MAX = 8 * 1024 * 1024, LIST_DEFAULT = 50 };

static rp_err open_space(struct rp_request *request, enum rp_action action,
                         struct rp_space *ret_space) {
    RP_TRY(rp_request_allow(request, action));
    struct rp_space space = {.env = &request->web->env,
                             .tenant = request->who.tenant,
                             .person = request->who.person,
                             .app = rp_view_from_cstr(request->app)};
    RP_TRY(rp_store_tenant(request->thread->store, space.tenant, false, &space.db, &request->diag));
    RP_TRY(rp_identity_tenant_key(request->thread->identity, space.tenant, &space.key));
    *ret_space = space;
    return RP_OK;
}

static rp_err read_id(struct rp_request *request, rp_id *ret_id) {
    return rp_id_parse(request->segments[1], ret_id) ? RP_OK : RP_ERR(NOT_FOUND);
}

/* `"3"` or `*`; 0 = any version. A list or a weak tag is not something we ever gave. */
static rp_err read_if_match(const struct rp_request *request, uint64_t *ret_version) {
    rp_view text = rp_view_trim(rp_request_param(request, "HTTP_IF_MATCH"));
    if (!text.p || rp_view_equal(text, RP_VIEW("*"))) {
        *ret_version = 0;
        return RP_OK;
    }
    uint64_t version;
    if (text.n < 3 || text.p[0] != '"' || text.p[text.n - 1] != '"' ||
        !rp_view_to_u64(rp_view_sub(text, 1, text.n - 2), UINT64_MAX, &version) || version == 0) {
        return RP_ERR(CONFLICT);
    }
    *ret_version = version;
    return RP_OK;
}

/* {"id":…,"version":…,"changed_at":…,"document":{…}} */
static rp_err build_record(struct rp_request *request, struct rp_arena *arena,
                           const struct rp_record *record, struct rp_json *json) {
    struct rp_json *document = NULL;
    RP_TRY(rp_json_parse(record->document, RP_JSON_LIMITS, arena, &document, &request->diag));
    rp_json_add_cstr(arena, json, "id", rp_id_print(record->id).s);
    rp_json_add_u64(arena, json, "version", record->version);
    rp_json_add_cstr(arena, json, "changed_at", rp_time_print(record->changed_ms / 1000).s);
    rp_json_add(arena, json, "document", document);
    return RP_OK;
}

static rp_err send_record(struct rp_request *request, int status, const struct rp_record *record) {
    struct rp_json *json = rp_json_object(request->arena);
    RP_TRY(build_record(request, request->arena, record, json));
    rp_view tag = rp_arena_printf(request->arena, "\"%llu\"", (unsigned long long)record->version);
    rp_response_head(&request->response, "ETag", tag);
    return rp_api_send(request, status, json);
}

rp_err rp_api_space_create(struct rp_request *request) {
    struct rp_space space;
    struct rp_record record;
    RP_TRY(open_space(request, RP_ACTION_WRITE_RECORDS, &space));
    RP_TRY(rp_space_create(&space, request->segments[0], request->fcgi->body, request->arena,
                           &record, &request->diag));
    request->changed_tenant = space.tenant;
    rp_view location = rp_arena_printf(request->arena, "/.rempart/api/v1/spaces/%.*s/%s",
                                       RP_FMT(request->segments[0]), rp_id_print(record.id).s);
    rp_response_head(&request->response, "Location", location);
    return send_record(request, 201, &record);
}

rp_err rp_api_space_read(struct rp_request *request) {
    struct rp_space space;
    struct rp_record record;
    rp_id id;
    RP_TRY(read_id(request, &id));
    RP_TRY(open_space(request, RP_ACTION_READ_RECORDS, &space));
    rp_err err = rp_space_read(&space, request->segments[0], id, request->arena, &record);
    if (rp_is(err, RP_E_CORRUPT)) {
        request->changed_tenant = space.tenant; /* that it was altered is an event */
    }
    RP_TRY(err);
    return send_record(request, 200, &record);
}

rp_err rp_api_space_update(struct rp_request *request) {
    struct rp_space space;
    struct rp_record record;
    rp_id id;
    uint64_t version;
    RP_TRY(read_id(request, &id));
    RP_TRY(read_if_match(request, &version));
    RP_TRY(open_space(request, RP_ACTION_WRITE_RECORDS, &space));
    RP_TRY(rp_space_update(&space, request->segments[0], id, version, request->fcgi->body,
                           request->arena, &record, &request->diag));
    request->changed_tenant = space.tenant;
    return send_record(request, 200, &record);
}

rp_err rp_api_space_delete(struct rp_request *request) {
    struct rp_space space;
    rp_id id;
    uint64_t version;
    RP_TRY(read_id(request, &id));
    RP_TRY(read_if_match(request, &version));
    RP_TRY(open_space(request, RP_ACTION_WRITE_RECORDS, &space));
    RP_TRY(rp_space_delete(&space, request->segments[0], id, version));
    request->changed_tenant = space.tenant;
    request->response.status = 204;
    return RP_OK;
}

/* ---- lists ---- */

static rp_err send_list(struct rp_request *request, struct rp_arena *arena,
                        const struct rp_record *records, size_t count, size_t limit) {
    struct rp_json *root = rp_json_object(arena);
    struct rp_json *list = rp_json_add_array(arena, root, "records");
    for (size_t i = 0; i < count; i++) {
        struct rp_json *json = rp_json_add_object(arena, list, NULL);
        RP_TRY(build_record(request, arena, &records[i], json));
    }
    if (count == limit) {
        rp_json_add_cstr(arena, root, "next", rp_id_print(records[count - 1].id).s);
    }
    return rp_api_send(request, 200, root);
}

/* One try with this limit, in an arena of its own. TOO_LARGE when the page would be too heavy. */
static rp_err list_page(struct rp_request *request, struct rp_space *space, rp_id after,
                        size_t limit) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(LIST_BYTES_MAX);
    struct rp_record *records = NULL;
    size_t count = 0;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_space_list(space, request->segments[0], after, limit, arena, &records, &count));
    return send_list(request, arena, records, count, limit);
}

rp_err rp_api_space_list(struct rp_request *request) {
    struct rp_space space;
    size_t limit;
    rp_id after = {{0}};
    rp_view text = rp_request_query(request, "after");
    if (text.p && !rp_id_parse(text, &after)) {
        return RP_ERR(INVALID);
    }
    RP_TRY(rp_request_limit(request, LIST_DEFAULT, RP_PAGE_MAX, &limit));
    RP_TRY(open_space(request, RP_ACTION_READ_RECORDS, &space));
    /* Heavy documents make shorter pages: "next" says where to go on. */
    rp_err err = list_page(request, &space, after, limit);
    while ((rp_is(err, RP_E_TOO_LARGE) || rp_is(err, RP_E_NO_MEMORY)) && limit > 1) {
        limit /= 2;
        rp_buf_clear(&request->response.body);
        err = list_page(request, &space, after, limit);
    }
    if (rp_is(err, RP_E_CORRUPT)) {
        request->changed_tenant = space.tenant;
    }
    return err;
}
