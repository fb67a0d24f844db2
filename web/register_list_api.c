/* register_list_api.c — pages of a register as react-admin's simple data provider asks for them.
 *
 * ?sort=["field","ASC"]&range=[0,24]&filter={…}, answered with Content-Range and X-Total-Count; a
 * saved view by its name; getMany by {"id":[…]}.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "web/register_desk.h"

enum { PAGE_DEFAULT = 25, RANGE_MAX = 10000000 };

/* ---- what is asked ---- */

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

/* ---- what is answered ---- */

/* getMany: {"id":["…","…"]}; an id that is not there is left out, as react-admin expects. */
static rp_err send_many(struct rp_request *request, struct rp_desk *desk,
                        const struct rp_register *reg, const struct rp_json *ids) {
    struct rp_json *list = rp_json_array(request->arena);
    if (ids->count > RP_DESK_IDS_MAX) {
        return rp_fail(&request->diag, RP_ERR(TOO_LARGE), "id: %d", RP_DESK_IDS_MAX);
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
    RP_TRY(rp_desk_check_read(request, &desk, reg, NULL));
    RP_TRY(parse_query_json(request, "filter", RP_JSON_OBJECT, &filter));
    const struct rp_json *ids = rp_json_get(filter, "id");
    if (ids && ids->kind == RP_JSON_ARRAY) {
        return send_many(request, &desk, reg, ids);
    }
    struct rp_query query = {.reg = reg};
    RP_TRY(read_query(request, &desk, filter, &query));
    return send_page(request, &desk, &query);
}
