/* spaces_api.c — a tenant's records, for the application in front of which its user sits.
 *
 * The tenant is the assertion's, always: no address and no body names one. Versions are ETags;
 * a change may carry If-Match and then happens only to that version.
 */
#include "web/spaces_api.h"
#include "base/assert.h"
#include "base/checked.h"
#include "web/handlers.h"

enum { LIST_BYTES_MAX = 8 * 1024 * 1024, LIST_DEFAULT = 50 };

/* Only asked, not demanded: the diagnosis of a refusal is nobody's. */
static bool may_lower(struct rp_request *request) {
    struct rp_diag kept = request->diag;
    bool may = rp_ok(rp_request_allow(request, RP_ACTION_LOWER_LABEL));
    request->diag = kept;
    return may;
}

rp_err rp_api_open_space(struct rp_request *request, enum rp_action action,
                         struct rp_space *ret_space) {
    RP_TRY(rp_request_allow(request, action));
    struct rp_space space = {.env = &request->web->env,
                             .tenant = request->who.tenant,
                             .person = request->who.person,
                             .app = rp_view_from_cstr(request->app),
                             .may_lower = may_lower(request),
                             .records_max = request->web->config->records_max,
                             .bytes_max = request->web->config->mib_max * 1024 * 1024};
    RP_TRY(rp_store_tenant(request->thread->store, space.tenant, false, &space.db, &request->diag));
    RP_TRY(rp_identity_tenant_key(request->thread->identity, space.tenant, &space.key));
    *ret_space = space;
    return RP_OK;
}

rp_err rp_api_read_id(const struct rp_request *request, rp_id *ret_id) {
    return rp_id_parse(request->segments[1], ret_id) && !rp_id_is_none(*ret_id) ? RP_OK
                                                                                : RP_ERR(NOT_FOUND);
}

/* `"3"` or `*`; 0 = any version. A list or a weak tag is not something we ever gave. */
rp_err rp_api_read_if_match(const struct rp_request *request, uint64_t *ret_version) {
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

/* ?label=personal, for a document that is the whole body. */
rp_err rp_api_read_label(struct rp_request *request, enum rp_label *ret_label) {
    rp_view text = rp_request_query(request, "label");
    if (!text.p) {
        *ret_label = RP_LABEL_NONE;
        return RP_OK;
    }
    return rp_label_of(text, ret_label) ? RP_OK
                                        : rp_fail(&request->diag, RP_ERR(INVALID),
                                                  "label: public, internal, personal, sensitive");
}

rp_err rp_api_read_version(struct rp_request *request, uint64_t *ret_version) {
    uint64_t version = 0;
    rp_view text = rp_request_query(request, "version");
    if (text.p && (!rp_view_to_u64(text, INT64_MAX, &version) || version == 0)) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "version: a number from 1");
    }
    *ret_version = version;
    return RP_OK;
}

rp_err rp_api_open_change(struct rp_request *request, struct rp_space *ret_space, rp_id *ret_id,
                          uint64_t *ret_version) {
    RP_TRY(rp_api_read_id(request, ret_id));
    RP_TRY(rp_api_read_if_match(request, ret_version));
    return rp_api_open_space(request, RP_ACTION_WRITE_RECORDS, ret_space);
}

void rp_api_add_record(struct rp_arena *arena, struct rp_json *json,
                       const struct rp_record *record) {
    rp_json_add_cstr(arena, json, "id", rp_id_print(record->id).s);
    rp_json_add_u64(arena, json, "version", record->version);
    rp_json_add_cstr(arena, json, "changed_at", rp_time_print(record->changed_ms / 1000).s);
    rp_json_add_cstr(arena, json, "label", rp_label_name(record->label));
    if (record->trashed_ms != 0) {
        rp_json_add_cstr(arena, json, "trashed_at", rp_time_print(record->trashed_ms / 1000).s);
    }
}

/* {"id":…,"version":…,"changed_at":…,"label":…,"document":{…}} */
static rp_err build_record(struct rp_request *request, struct rp_arena *arena,
                           const struct rp_record *record, struct rp_json *json) {
    struct rp_json *document = NULL;
    RP_TRY(rp_json_parse(record->document, RP_JSON_LIMITS, arena, &document, &request->diag));
    rp_api_add_record(arena, json, record);
    rp_json_add(arena, json, "document", document);
    return RP_OK;
}

rp_err rp_api_send_record(struct rp_request *request, int status, const struct rp_record *record) {
    rp_view tag = rp_arena_printf(request->arena, "\"%llu\"", (unsigned long long)record->version);
    rp_response_head(&request->response, "ETag", tag);
    if (request->method == RP_GET &&
        rp_view_equal(rp_view_trim(rp_request_param(request, "HTTP_IF_NONE_MATCH")), tag)) {
        request->response.status = 304;
        return RP_OK;
    }
    struct rp_json *json = rp_json_object(request->arena);
    RP_TRY(build_record(request, request->arena, record, json));
    return rp_api_send(request, status, json);
}

rp_err rp_api_space_create(struct rp_request *request) {
    struct rp_space space;
    struct rp_record record;
    enum rp_label label;
    RP_TRY(rp_api_read_label(request, &label));
    RP_TRY(rp_api_open_space(request, RP_ACTION_WRITE_RECORDS, &space));
    RP_TRY(rp_space_create(&space, request->segments[0], request->fcgi->body, label, request->arena,
                           &record, &request->diag));
    request->changed_tenant = space.tenant;
    rp_view location = rp_arena_printf(request->arena, "/.rempart/api/v1/spaces/%.*s/%s",
                                       RP_FMT(request->segments[0]), rp_id_print(record.id).s);
    rp_response_head(&request->response, "Location", location);
    return rp_api_send_record(request, 201, &record);
}

rp_err rp_api_space_read(struct rp_request *request) {
    struct rp_space space;
    struct rp_record record;
    rp_id id;
    RP_TRY(rp_api_read_id(request, &id));
    RP_TRY(rp_api_open_space(request, RP_ACTION_READ_RECORDS, &space));
    uint64_t version = 0;
    RP_TRY(rp_api_read_version(request, &version));
    rp_err err = version == 0
                     ? rp_space_read(&space, request->segments[0], id, request->arena, &record)
                     : rp_space_read_version(&space, request->segments[0], id, version,
                                             request->arena, &record);
    if (rp_is(err, RP_E_CORRUPT)) {
        request->changed_tenant = space.tenant; /* that it was altered is an event */
    }
    RP_TRY(err);
    return rp_api_send_record(request, 200, &record);
}

rp_err rp_api_space_update(struct rp_request *request) {
    struct rp_space space;
    struct rp_record record;
    rp_id id;
    uint64_t version;
    enum rp_label label;
    RP_TRY(rp_api_read_label(request, &label));
    RP_TRY(rp_api_open_change(request, &space, &id, &version));
    RP_TRY(rp_space_update(&space, request->segments[0], id, version, request->fcgi->body, label,
                           request->arena, &record, &request->diag));
    request->changed_tenant = space.tenant;
    return rp_api_send_record(request, 200, &record);
}

rp_err rp_api_space_delete(struct rp_request *request) {
    struct rp_space space;
    rp_id id;
    uint64_t version;
    RP_TRY(rp_api_open_change(request, &space, &id, &version));
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
static rp_err list_page(struct rp_request *request, struct rp_space *space,
                        const struct rp_space_query *query) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new_wiping(LIST_BYTES_MAX);
    struct rp_record *records = NULL;
    size_t count = 0;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(
        rp_space_find(space, request->segments[0], query, arena, &records, &count, &request->diag));
    return send_list(request, arena, records, count, query->limit);
}

/* ?trash=1, or the one field that is searched for: whatever no other parameter is called. */
static rp_err read_search(struct rp_request *request, struct rp_space_query *query) {
    for (size_t i = 0; i < request->query.n; i++) {
        const struct rp_pair *pair = &request->query.p[i];
        if (rp_view_equal(pair->name, RP_VIEW("after")) ||
            rp_view_equal(pair->name, RP_VIEW("limit")) ||
            rp_view_equal(pair->name, RP_VIEW("lang"))) {
            continue;
        }
        if (rp_view_equal(pair->name, RP_VIEW("trash"))) {
            query->trashed = rp_view_equal(pair->value, RP_VIEW("1"));
            continue;
        }
        if (query->field.p || pair->name.n == 0) {
            return rp_fail(&request->diag, RP_ERR(INVALID), "one field is searched at a time");
        }
        query->field = pair->name;
        query->value = pair->value;
    }
    if (query->field.p && query->trashed) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "the trash is not searched");
    }
    return RP_OK;
}

rp_err rp_api_space_list(struct rp_request *request) {
    struct rp_space space;
    struct rp_space_query query = {.limit = 0};
    rp_view text = rp_request_query(request, "after");
    if (text.p && !rp_id_parse(text, &query.after)) {
        return RP_ERR(INVALID);
    }
    RP_TRY(rp_request_limit(request, LIST_DEFAULT, RP_PAGE_MAX, &query.limit));
    RP_TRY(read_search(request, &query));
    RP_TRY(rp_api_open_space(request, RP_ACTION_READ_RECORDS, &space));
    /* Heavy documents make shorter pages: "next" says where to go on. */
    rp_err err = list_page(request, &space, &query);
    while ((rp_is(err, RP_E_TOO_LARGE) || rp_is(err, RP_E_NO_MEMORY)) && query.limit > 1) {
        query.limit /= 2;
        rp_buf_clear(&request->response.body);
        err = list_page(request, &space, &query);
    }
    if (rp_is(err, RP_E_CORRUPT)) {
        request->changed_tenant = space.tenant;
    }
    return err;
}
