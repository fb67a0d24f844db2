/* spaces_more_api.c — a record's versions, its way back, what can be searched, what is used. */
#include "base/assert.h"
#include "web/handlers.h"
#include "web/spaces_api.h"

rp_err rp_api_space_versions(struct rp_request *request) {
    struct rp_space space;
    struct rp_record *records = NULL;
    size_t count = 0;
    rp_id id;
    RP_TRY(rp_api_read_id(request, &id));
    RP_TRY(rp_api_open_space(request, RP_ACTION_READ_RECORDS, &space));
    RP_TRY(rp_space_versions(&space, request->segments[0], id, request->arena, &records, &count));
    struct rp_json *root = rp_json_object(request->arena);
    struct rp_json *list = rp_json_add_array(request->arena, root, "versions");
    for (size_t i = 0; i < count; i++) {
        struct rp_json *one = rp_json_add_object(request->arena, list, NULL);
        rp_api_add_record(request->arena, one, &records[i]);
    }
    return rp_api_send(request, 200, root);
}

rp_err rp_api_space_restore(struct rp_request *request) {
    struct rp_space space;
    struct rp_record record;
    rp_id id;
    uint64_t version = 0;
    RP_TRY(rp_api_read_id(request, &id));
    RP_TRY(rp_api_read_version(request, &version));
    RP_TRY(rp_api_open_space(request, RP_ACTION_WRITE_RECORDS, &space));
    rp_err err = rp_space_restore(&space, request->segments[0], id, version, request->arena,
                                  &record, &request->diag);
    if (rp_ok(err) || rp_is(err, RP_E_CORRUPT)) {
        request->changed_tenant = space.tenant;
    }
    RP_TRY(err);
    return rp_api_send_record(request, 200, &record);
}

/* ---- collections ---- */

static rp_err send_fields(struct rp_request *request, const rp_view *fields, size_t count) {
    struct rp_json *root = rp_json_object(request->arena);
    struct rp_json *list = rp_json_add_array(request->arena, root, "search");
    for (size_t i = 0; i < count; i++) {
        rp_json_add_string(request->arena, list, NULL, fields[i]);
    }
    return rp_api_send(request, 200, root);
}

rp_err rp_api_collection(struct rp_request *request) {
    struct rp_space space;
    rp_view fields[RP_SEARCH_FIELDS_MAX];
    size_t count = 0;
    RP_TRY(rp_api_open_space(request, RP_ACTION_READ_RECORDS, &space));
    RP_TRY(rp_space_declared(&space, request->segments[0], request->arena, fields, &count));
    return send_fields(request, fields, count);
}

static rp_err read_fields(struct rp_request *request, rp_view fields[static RP_SEARCH_FIELDS_MAX],
                          size_t *ret_count) {
    struct rp_json *body = NULL;
    RP_TRY(rp_request_json(request, &body, &request->diag));
    const struct rp_json *list = rp_json_get(body, "search");
    size_t count = 0;
    bool good = list != NULL && list->kind == RP_JSON_ARRAY;
    for (const struct rp_json *one = good ? list->first : NULL; one && good; one = one->next) {
        good = count < RP_SEARCH_FIELDS_MAX && one->kind == RP_JSON_STRING;
        if (good) {
            fields[count++] = one->string;
        }
    }
    *ret_count = count;
    return good ? RP_OK
                : rp_fail(&request->diag, RP_ERR(INVALID), "{\"search\":[…]}: at most %d names",
                          RP_SEARCH_FIELDS_MAX);
}

rp_err rp_api_collection_put(struct rp_request *request) {
    struct rp_space space;
    rp_view fields[RP_SEARCH_FIELDS_MAX];
    size_t count = 0;
    RP_TRY(read_fields(request, fields, &count));
    RP_TRY(rp_api_open_space(request, RP_ACTION_WRITE_RECORDS, &space));
    RP_TRY(rp_space_declare(&space, request->segments[0], fields, count, request->arena,
                            &request->diag));
    request->changed_tenant = space.tenant;
    return send_fields(request, fields, count);
}

rp_err rp_api_usage(struct rp_request *request) {
    struct rp_space space;
    struct rp_space_use use = {0};
    RP_TRY(rp_api_open_space(request, RP_ACTION_READ_RECORDS, &space));
    RP_TRY(rp_space_use(space.db, &use));
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_u64(request->arena, root, "records", use.records);
    rp_json_add_u64(request->arena, root, "records_max", space.records_max);
    rp_json_add_u64(request->arena, root, "bytes", use.bytes);
    rp_json_add_u64(request->arena, root, "bytes_max", space.bytes_max);
    return rp_api_send(request, 200, root);
}
