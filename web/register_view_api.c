/* register_view_api.c — lists that a person comes back to: a name for a sort and a filter. */
#include "base/assert.h"
#include "base/checked.h"
#include "web/register_desk.h"

enum { VIEWS_MAX = 50, NAME_MAX_HERE = 100, QUERY_MAX = 4096 };

struct saving {
    struct rp_request *request;
    const struct rp_register *reg;
    rp_id id;
    rp_view name, query;
};

static rp_err check_room(struct rp_db *db, const struct saving *saving) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(
        db, "SELECT count(*) FROM register_view WHERE register = ?1 AND person = ?2 AND name <> ?3",
        &row));
    rp_row_bind_text(row, 1, rp_view_from_cstr(saving->reg->id));
    rp_row_bind_id(row, 2, saving->request->who.person);
    rp_row_bind_text(row, 3, saving->name);
    RP_TRY(rp_row_first(row));
    return rp_row_u64(row, 0) < VIEWS_MAX ? RP_OK : RP_ERR(TOO_LARGE);
}

/* A name that is there takes the new query. */
static rp_err put(struct rp_db *db, void *ctx) {
    const struct saving *saving = ctx;
    struct rp_row *row = NULL;
    RP_TRY(check_room(db, saving));
    RP_TRY(rp_db_query(db,
                       "INSERT INTO register_view (id, register, person, name, query) "
                       "VALUES (?1, ?2, ?3, ?4, ?5) "
                       "ON CONFLICT (register, person, name) DO UPDATE SET query = ?5",
                       &row));
    rp_row_bind_id(row, 1, saving->id);
    rp_row_bind_text(row, 2, rp_view_from_cstr(saving->reg->id));
    rp_row_bind_id(row, 3, saving->request->who.person);
    rp_row_bind_text(row, 4, saving->name);
    rp_row_bind_text(row, 5, saving->query);
    return rp_row_run(row, NULL);
}

/* {"name":"…","sort":["field","ASC"],"filter":{…}}: what a list takes, kept under a name. */
rp_err rp_api_register_view_save(struct rp_request *request) {
    struct rp_desk desk;
    struct rp_json *body = NULL;
    struct saving saving = {.request = request};
    RP_TRY(rp_request_json(request, &body, &request->diag));
    RP_TRY(rp_desk_at(request, &desk, &saving.reg));
    saving.name = rp_json_get_string(body, "name");
    if (saving.name.n == 0 || saving.name.n > NAME_MAX_HERE) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "name: 1–%d", NAME_MAX_HERE);
    }
    struct rp_json *kept = rp_json_object(request->arena);
    static const char *const parts[] = {"filter", "sort"};
    for (size_t i = 0; i < RP_COUNT_OF(parts); i++) {
        const struct rp_json *part = rp_json_get(body, parts[i]);
        if (part) {
            struct rp_json *copy = rp_arena_alloc(request->arena, sizeof *copy);
            if (!copy) {
                return RP_ERR(TOO_LARGE);
            }
            *copy = *part;
            copy->next = NULL;
            rp_json_add(request->arena, kept, parts[i], copy);
        }
    }
    struct rp_query query = {.reg = saving.reg};
    RP_TRY(rp_query_of_view(request, kept, &query));
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(QUERY_MAX);
    RP_TRY(rp_json_print(kept, &text));
    saving.query = rp_buf_view(&text);
    saving.id = rp_env_new_id(&request->web->env);
    RP_TRY(rp_db_transact(desk.db, put, &saving));
    rp_json_add_string(request->arena, kept, "name", saving.name);
    return rp_api_send(request, 201, kept);
}

static rp_err add_view(struct rp_request *request, struct rp_row *row, struct rp_json *list) {
    struct rp_json *json = NULL;
    if (!rp_ok(rp_json_parse(rp_row_text(row, 1), RP_JSON_LIMITS, request->arena, &json, NULL)) ||
        json->kind != RP_JSON_OBJECT) {
        return RP_ERR(CORRUPT);
    }
    rp_json_add_string(request->arena, json, "name", rp_row_text(row, 0));
    return rp_json_add(request->arena, list, NULL, json) ? RP_OK : RP_ERR(TOO_LARGE);
}

rp_err rp_api_register_views(struct rp_request *request) {
    struct rp_desk desk;
    const struct rp_register *reg = NULL;
    struct rp_json *list = rp_json_array(request->arena);
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    bool more = false;
    RP_TRY(rp_desk_at(request, &desk, &reg));
    RP_TRY(rp_db_query(desk.db,
                       "SELECT name, query FROM register_view WHERE register = ?1 AND person = ?2 "
                       "ORDER BY name",
                       &row));
    rp_row_bind_text(row, 1, rp_view_from_cstr(reg->id));
    rp_row_bind_id(row, 2, request->who.person);
    RP_TRY(rp_row_next(row, &more));
    while (more) {
        RP_TRY(add_view(request, row, list));
        RP_TRY(rp_row_next(row, &more));
    }
    return rp_api_send(request, 200, list);
}

/* One by name, for a list with ?view=. NOT_FOUND. */
rp_err rp_register_view_find(struct rp_request *request, struct rp_desk *desk,
                             const struct rp_register *reg, rp_view name,
                             struct rp_json **ret_query) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(desk->db,
                       "SELECT query FROM register_view WHERE register = ?1 AND person = ?2 "
                       "AND name = ?3",
                       &row));
    rp_row_bind_text(row, 1, rp_view_from_cstr(reg->id));
    rp_row_bind_id(row, 2, request->who.person);
    rp_row_bind_text(row, 3, name);
    rp_err err = rp_row_first(row);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return rp_fail(&request->diag, err, "view: %.*s", RP_FMT(name));
    }
    RP_TRY(err);
    return rp_json_parse(rp_row_text(row, 0), RP_JSON_LIMITS, request->arena, ret_query, NULL);
}

static rp_err drop(struct rp_db *db, void *ctx) {
    const struct saving *saving = ctx;
    struct rp_row *row = NULL;
    uint64_t count = 0;
    RP_TRY(rp_db_query(
        db, "DELETE FROM register_view WHERE register = ?1 AND person = ?2 AND name = ?3", &row));
    rp_row_bind_text(row, 1, rp_view_from_cstr(saving->reg->id));
    rp_row_bind_id(row, 2, saving->request->who.person);
    rp_row_bind_text(row, 3, saving->name);
    RP_TRY(rp_row_run(row, &count));
    return count > 0 ? RP_OK : RP_ERR(NOT_FOUND);
}

/* ?name=… */
rp_err rp_api_register_view_remove(struct rp_request *request) {
    struct rp_desk desk;
    struct saving saving = {.request = request, .name = rp_request_query(request, "name")};
    RP_TRY(rp_desk_at(request, &desk, &saving.reg));
    RP_TRY(rp_db_transact(desk.db, drop, &saving));
    return rp_api_send(request, 200, rp_json_object(request->arena));
}
