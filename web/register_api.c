/* register_api.c — the registers for console, programs and the command line: one desk, one way.
 *
 * Lists speak react-admin's simple form: ?sort=["field","ASC"]&range=[0,24]&filter={…}, answered
 * with Content-Range and X-Total-Count. A record's version is its ETag. Who sits at the desk: a
 * person by session, a program by a token, the machine's owner by run/cli.sock; what they may do,
 * the register says.
 */
#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "web/register_desk.h"

enum { PAGE_DEFAULT = 25, IDS_MAX = 200, RANGE_MAX = 10000000 };

/* ---- sitting down ---- */

static rp_err find_register(struct rp_request *request, const struct rp_desk *desk,
                            const struct rp_register **ret_reg) {
    const struct rp_register *reg = rp_register_find(desk->registers, request->segments[0]);
    if (!reg) {
        return rp_fail(&request->diag, RP_ERR(NOT_FOUND), "%.*s", RP_FMT(request->segments[0]));
    }
    if (!rp_staff_covers(request, reg)) {
        return rp_fail(&request->diag, RP_ERR(DENIED), "scope");
    }
    *ret_reg = reg;
    return RP_OK;
}

rp_err rp_desk_at(struct rp_request *request, struct rp_desk *ret_desk,
                  const struct rp_register **ret_reg) {
    RP_TRY(rp_desk_open(request, ret_desk));
    return find_register(request, ret_desk, ret_reg);
}

/* Whose own the record is may read it, too. */
static rp_err check_read(struct rp_request *request, const struct rp_desk *desk,
                         const struct rp_register *reg, const struct rp_entry *record) {
    if (rp_desk_may_read(desk, reg) || (record && rp_desk_is_own(desk, record))) {
        return RP_OK;
    }
    return rp_fail(&request->diag, RP_ERR(DENIED), "role");
}

static rp_err read_record(struct rp_request *request, struct rp_desk *desk,
                          const struct rp_register **ret_reg, struct rp_entry *ret_record) {
    rp_id id;
    RP_TRY(rp_desk_at(request, desk, ret_reg));
    if (!rp_id_parse(request->segments[1], &id)) {
        return RP_ERR(NOT_FOUND);
    }
    RP_TRY(rp_desk_read(desk, *ret_reg, id, ret_record));
    return check_read(request, desk, *ret_reg, ret_record);
}

static rp_err send_record(struct rp_request *request, int status, struct rp_desk *desk,
                          const struct rp_entry *record) {
    rp_view tag = rp_arena_printf(request->arena, "\"%llu\"", (unsigned long long)record->version);
    rp_response_head(&request->response, "ETag", tag);
    return rp_api_send(request, status, rp_desk_show(desk, record));
}

/* ---- one record ---- */

rp_err rp_api_register_read(struct rp_request *request) {
    struct rp_desk desk;
    const struct rp_register *reg = NULL;
    struct rp_entry record;
    RP_TRY(read_record(request, &desk, &reg, &record));
    return send_record(request, 200, &desk, &record);
}

rp_err rp_api_register_history(struct rp_request *request) {
    struct rp_desk desk;
    const struct rp_register *reg = NULL;
    struct rp_entry record;
    struct rp_json *list = NULL;
    RP_TRY(read_record(request, &desk, &reg, &record));
    RP_TRY(rp_desk_history(&desk, &record, &list));
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add(request->arena, root, "changes", list);
    return rp_api_send(request, 200, root);
}

/* What the API itself prints beside the fields may come back: react-admin sends the whole record.
 */
static bool is_printed(const struct rp_register *reg, rp_view name) {
    static const char *const words[] = {"id",     "register", "number",  "state",     "version",
                                        "author", "created",  "changed", "deadlines", "example"};
    for (size_t i = 0; i < RP_COUNT_OF(words); i++) {
        if (rp_view_equal(name, rp_view_from_cstr(words[i]))) {
            return true;
        }
    }
    const struct rp_field *field = rp_register_field(reg, name);
    return field && (field->type == RP_FIELD_COMPUTED || field->fixed);
}

static struct rp_json *fields_of(struct rp_request *request, const struct rp_register *reg,
                                 const struct rp_json *body) {
    struct rp_json *fields = rp_json_object(request->arena);
    for (struct rp_json *one = body->first, *next; one && fields; one = next) {
        next = one->next;
        const char *key = rp_arena_cstr(request->arena, one->key);
        if (key && !is_printed(reg, one->key)) {
            one->next = NULL;
            rp_json_add(request->arena, fields, key, one);
        }
    }
    return fields;
}

static rp_err read_if_match(const struct rp_request *request, uint64_t *ret_version) {
    rp_view text = rp_view_trim(rp_request_param(request, "HTTP_IF_MATCH"));
    *ret_version = 0;
    if (!text.p || rp_view_equal(text, RP_VIEW("*"))) {
        return RP_OK;
    }
    bool quoted = text.n >= 3 && text.p[0] == '"' && text.p[text.n - 1] == '"';
    return quoted && rp_view_to_u64(rp_view_sub(text, 1, text.n - 2), INT64_MAX, ret_version) &&
                   *ret_version > 0
               ? RP_OK
               : RP_ERR(CONFLICT);
}

rp_err rp_api_register_create(struct rp_request *request) {
    struct rp_desk desk;
    const struct rp_register *reg = NULL;
    struct rp_json *body = NULL;
    struct rp_entry record;
    RP_TRY(rp_request_json(request, &body, &request->diag));
    RP_TRY(rp_desk_at(request, &desk, &reg));
    struct rp_change change = {.fields = fields_of(request, reg, body)};
    RP_TRY(rp_desk_create(&desk, reg, &change, &record));
    return send_record(request, 201, &desk, &record);
}

rp_err rp_api_register_edit(struct rp_request *request) {
    struct rp_desk desk;
    const struct rp_register *reg = NULL;
    struct rp_json *body = NULL;
    struct rp_entry record;
    rp_id id;
    RP_TRY(rp_request_json(request, &body, &request->diag));
    RP_TRY(rp_desk_at(request, &desk, &reg));
    struct rp_change change = {.fields = fields_of(request, reg, body)};
    RP_TRY(read_if_match(request, &change.version));
    if (!rp_id_parse(request->segments[1], &id)) {
        return RP_ERR(NOT_FOUND);
    }
    RP_TRY(rp_desk_edit(&desk, reg, id, &change, &record));
    return send_record(request, 200, &desk, &record);
}

/* What react-admin's delete and deleteMany send; they want the record's id back. */
rp_err rp_api_register_take_back(struct rp_request *request) {
    struct rp_desk desk;
    const struct rp_register *reg = NULL;
    rp_id id;
    RP_TRY(rp_desk_at(request, &desk, &reg));
    if (!rp_id_parse(request->segments[1], &id)) {
        return RP_ERR(NOT_FOUND);
    }
    RP_TRY(rp_desk_take_back(&desk, reg, id));
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_cstr(request->arena, root, "id", rp_id_print(id).s);
    return rp_api_send(request, 200, root);
}

/* {"move":"approve","reason":"…","fields":{…}} */
rp_err rp_api_register_move(struct rp_request *request) {
    struct rp_desk desk;
    const struct rp_register *reg = NULL;
    struct rp_json *body = NULL;
    struct rp_entry record;
    rp_id id;
    RP_TRY(rp_request_json(request, &body, &request->diag));
    RP_TRY(rp_desk_at(request, &desk, &reg));
    struct rp_change change = {.fields = rp_json_get(body, "fields"),
                               .reason = rp_json_get_string(body, "reason")};
    RP_TRY(read_if_match(request, &change.version));
    if (!rp_id_parse(request->segments[1], &id)) {
        return RP_ERR(NOT_FOUND);
    }
    if (change.fields && change.fields->kind != RP_JSON_OBJECT) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "fields: {…}");
    }
    RP_TRY(rp_desk_move(&desk, reg, id, rp_json_get_string(body, "move"), &change, &record));
    return send_record(request, 200, &desk, &record);
}

/* {"deadline":"review","hold":"why"} or {"deadline":"review","hold":null}: it goes on. */
rp_err rp_api_register_hold(struct rp_request *request) {
    struct rp_desk desk;
    const struct rp_register *reg = NULL;
    struct rp_json *body = NULL;
    struct rp_entry record;
    rp_id id;
    RP_TRY(rp_request_json(request, &body, &request->diag));
    RP_TRY(rp_desk_at(request, &desk, &reg));
    const struct rp_json *hold = rp_json_get(body, "hold");
    bool known = hold && (hold->kind == RP_JSON_NULL ||
                          (hold->kind == RP_JSON_STRING && hold->string.n > 0));
    if (!known) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "hold: \"…\" | null");
    }
    if (!rp_id_parse(request->segments[1], &id)) {
        return RP_ERR(NOT_FOUND);
    }
    RP_TRY(
        rp_desk_hold(&desk, reg, id, rp_json_get_string(body, "deadline"), hold->string, &record));
    return send_record(request, 200, &desk, &record);
}

/* ---- lists ---- */

static rp_err parse_query_json(struct rp_request *request, const char *name, enum rp_json_kind kind,
                               struct rp_json **ret_json) {
    rp_view text = rp_request_query(request, name);
    *ret_json = NULL;
    if (!text.p || text.n == 0) {
        return RP_OK;
    }
    struct rp_json *json = NULL;
    rp_err err = rp_json_parse(text, RP_JSON_LIMITS, request->arena, &json, NULL);
    if (!rp_ok(err) || json->kind != kind) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "%s: %s", name,
                       kind == RP_JSON_ARRAY ? "[…]" : "{…}");
    }
    *ret_json = json;
    return RP_OK;
}

static rp_err read_sort(struct rp_request *request, const struct rp_json *sort,
                        struct rp_query *query) {
    query->sort = RP_VIEW("number");
    query->descending = true;
    if (!sort) {
        return RP_OK;
    }
    if (sort->kind != RP_JSON_ARRAY || sort->count != 2 || sort->first->kind != RP_JSON_STRING ||
        sort->last->kind != RP_JSON_STRING) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "sort: [\"field\",\"ASC\"]");
    }
    /* react-admin's own default. */
    bool by_id = rp_view_equal(sort->first->string, RP_VIEW("id"));
    query->sort = by_id ? RP_VIEW("number") : sort->first->string;
    query->descending = rp_view_equal_nocase(sort->last->string, RP_VIEW("DESC"));
    return RP_OK;
}

static rp_err read_range(struct rp_request *request, struct rp_query *query) {
    struct rp_json *range = NULL;
    RP_TRY(parse_query_json(request, "range", RP_JSON_ARRAY, &range));
    query->from = 0;
    query->count = PAGE_DEFAULT;
    if (!range) {
        return RP_OK;
    }
    bool numbers = range->count == 2 && range->first->kind == RP_JSON_NUMBER &&
                   range->last->kind == RP_JSON_NUMBER;
    double from = numbers ? range->first->number : -1, to = numbers ? range->last->number : -1;
    if (!(from >= 0) || !(to >= from) || !(to <= RANGE_MAX) ||
        to - from >= RP_PAGE_OF_RECORDS_MAX) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "range: [0,24], %d",
                       RP_PAGE_OF_RECORDS_MAX);
    }
    query->from = (size_t)from;
    query->count = (size_t)to - (size_t)from + 1;
    return RP_OK;
}

static rp_err add_filter(struct rp_request *request, const struct rp_json *one,
                         struct rp_query *query) {
    rp_view value = one->string;
    if (one->kind == RP_JSON_BOOL) {
        value = one->boolean ? RP_VIEW("true") : RP_VIEW("false");
    } else if (one->kind == RP_JSON_NUMBER && one->number >= 0 && one->number < 9e15) {
        value = rp_arena_printf(request->arena, "%llu", (unsigned long long)one->number);
    } else if (one->kind != RP_JSON_STRING) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "filter: %.*s", RP_FMT(one->key));
    }
    if (rp_view_equal(one->key, RP_VIEW("state"))) {
        query->state = value;
    } else if (rp_view_equal(one->key, RP_VIEW("q"))) {
        query->text = value;
    } else {
        const char *name = rp_arena_cstr(request->arena, one->key);
        if (!name || query->filter_count == RP_COUNT_OF(query->filters)) {
            return rp_fail(&request->diag, RP_ERR(INVALID), "filter");
        }
        query->filters[query->filter_count++] = (struct rp_filter){name, value};
    }
    return RP_OK;
}

static rp_err read_filter(struct rp_request *request, const struct rp_json *filter,
                          struct rp_query *query) {
    if (filter && filter->kind != RP_JSON_OBJECT) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "filter: {…}");
    }
    for (const struct rp_json *one = filter ? filter->first : NULL; one; one = one->next) {
        RP_TRY(add_filter(request, one, query));
    }
    return RP_OK;
}

rp_err rp_query_of_view(struct rp_request *request, const struct rp_json *view,
                        struct rp_query *query) {
    RP_TRY(read_sort(request, rp_json_get(view, "sort"), query));
    return read_filter(request, rp_json_get(view, "filter"), query);
}

/* A saved view first, where one is named; the address's own sort and filter stand over it. */
static rp_err read_query(struct rp_request *request, struct rp_desk *desk,
                         const struct rp_json *filter, struct rp_query *query) {
    struct rp_json *sort = NULL, *view = NULL;
    rp_view name = rp_request_query(request, "view");
    RP_TRY(parse_query_json(request, "sort", RP_JSON_ARRAY, &sort));
    if (name.n > 0) {
        RP_TRY(rp_register_view_find(request, desk, query->reg, name, &view));
        RP_TRY(rp_query_of_view(request, view, query));
    }
    if (!view || sort) {
        RP_TRY(read_sort(request, sort, query));
    }
    RP_TRY(read_range(request, query));
    return read_filter(request, filter, query);
}

/* getMany: {"id":["…","…"]}; an id that is not there is left out, as react-admin expects. */
static rp_err send_many(struct rp_request *request, struct rp_desk *desk,
                        const struct rp_register *reg, const struct rp_json *ids) {
    struct rp_json *list = rp_json_array(request->arena);
    if (ids->count > IDS_MAX) {
        return rp_fail(&request->diag, RP_ERR(TOO_LARGE), "id: %d", IDS_MAX);
    }
    for (const struct rp_json *one = ids->first; one; one = one->next) {
        rp_id id;
        struct rp_entry record;
        if (!rp_id_parse(one->string, &id)) {
            return rp_fail(&request->diag, RP_ERR(INVALID), "id");
        }
        rp_err err = rp_desk_read(desk, reg, id, &record);
        if (rp_ok(err)) {
            rp_json_add(request->arena, list, NULL, rp_desk_show(desk, &record));
        } else if (!rp_is(err, RP_E_NOT_FOUND)) {
            return err;
        }
    }
    return rp_api_send(request, 200, list);
}

static rp_err send_page(struct rp_request *request, struct rp_desk *desk,
                        const struct rp_query *query) {
    struct rp_page page;
    RP_TRY(rp_desk_list(desk, query, &page));
    struct rp_json *list = rp_json_array(request->arena);
    for (size_t i = 0; i < page.count; i++) {
        rp_json_add(request->arena, list, NULL, rp_desk_show(desk, &page.records[i]));
    }
    rp_view range = rp_arena_printf(
        request->arena, "%s %zu-%zu/%llu", query->reg ? query->reg->id : "records", query->from,
        query->from + (page.count ? page.count - 1 : 0), (unsigned long long)page.total);
    rp_response_head(&request->response, "Content-Range", range);
    rp_response_head(&request->response, "X-Total-Count",
                     rp_arena_printf(request->arena, "%llu", (unsigned long long)page.total));
    return rp_api_send(request, 200, list);
}

rp_err rp_api_register_list(struct rp_request *request) {
    struct rp_desk desk;
    const struct rp_register *reg = NULL;
    struct rp_json *filter = NULL;
    RP_TRY(rp_desk_at(request, &desk, &reg));
    RP_TRY(check_read(request, &desk, reg, NULL));
    RP_TRY(parse_query_json(request, "filter", RP_JSON_OBJECT, &filter));
    const struct rp_json *ids = rp_json_get(filter, "id");
    if (ids && ids->kind == RP_JSON_ARRAY) {
        return send_many(request, &desk, reg, ids);
    }
    struct rp_query query = {.reg = reg};
    RP_TRY(read_query(request, &desk, filter, &query));
    return send_page(request, &desk, &query);
}

/* {"ids":[…],"move":"…"|"fields":{…}|"take_back":true,"reason":"…"}: each by itself, each with its
 * outcome. */
static rp_err bulk_one(struct rp_desk *desk, const struct rp_register *reg, rp_id id,
                       const struct rp_json *body) {
    struct rp_entry record;
    struct rp_change change = {.fields = rp_json_get(body, "fields"),
                               .reason = rp_json_get_string(body, "reason")};
    rp_view move = rp_json_get_string(body, "move");
    const struct rp_json *take_back = rp_json_get(body, "take_back");
    if (take_back && take_back->kind == RP_JSON_BOOL && take_back->boolean) {
        return rp_desk_take_back(desk, reg, id);
    }
    return move.p ? rp_desk_move(desk, reg, id, move, &change, &record)
                  : rp_desk_edit(desk, reg, id, &change, &record);
}

rp_err rp_api_register_bulk(struct rp_request *request) {
    struct rp_desk desk;
    const struct rp_register *reg = NULL;
    struct rp_json *body = NULL;
    RP_TRY(rp_request_json(request, &body, &request->diag));
    RP_TRY(rp_desk_at(request, &desk, &reg));
    const struct rp_json *ids = rp_json_get(body, "ids");
    if (!ids || ids->kind != RP_JSON_ARRAY || ids->count > IDS_MAX) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "ids: […], %d", IDS_MAX);
    }
    struct rp_json *root = rp_json_object(request->arena);
    struct rp_json *list = rp_json_add_array(request->arena, root, "results");
    for (const struct rp_json *one = ids->first; one; one = one->next) {
        rp_id id = {{0}};
        struct rp_diag diag = {0};
        desk.diag = &diag;
        rp_err err =
            rp_id_parse(one->string, &id) ? bulk_one(&desk, reg, id, body) : RP_ERR(NOT_FOUND);
        struct rp_json *result = rp_json_add_object(request->arena, list, NULL);
        rp_json_add_string(request->arena, result, "id", one->string);
        rp_json_add_bool(request->arena, result, "done", rp_ok(err));
        if (!rp_ok(err)) {
            rp_json_add_cstr(request->arena, result, "title", rp_err_text(err, request->lang));
            rp_json_add_cstr(request->arena, result, "detail", diag.text);
        }
    }
    return rp_api_send(request, 200, root);
}
