/* register_table_api.c — registers in and out as tables, and one search over all of them. */
#include "register/table.h"

#include "base/assert.h"
#include "base/checked.h"
#include "web/register_desk.h"

enum { COLUMNS_MAX = 64, SEARCH_PAGE = 50, SEARCH_LOOKED_AT = 1000 };

/* ?format=csv|json&after=N: a page; Rempart-Next says where the next begins, until there is none.
 */
rp_err rp_api_register_export(struct rp_request *request) {
    struct rp_desk desk;
    struct rp_export export = {.count = 0};
    rp_view format = rp_request_query(request, "format");
    rp_view after = rp_request_query(request, "after");
    RP_TRY(rp_desk_at(request, &desk, &export.reg));
    export.csv = !format.p || rp_view_equal(format, RP_VIEW("csv"));
    if (!export.csv && !rp_view_equal(format, RP_VIEW("json"))) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "format: csv, json");
    }
    if (after.p && !rp_view_to_u64(after, INT64_MAX, &export.after)) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "after");
    }
    _cleanup_(rp_buf_done) struct rp_buf page = rp_buf_new(RP_TABLE_BYTES);
    RP_TRY(rp_desk_export(&desk, &export, &page));
    if (export.count == RP_EXPORT_PAGE) {
        rp_view next = rp_arena_printf(request->arena, "%llu", (unsigned long long)export.after);
        rp_response_head(&request->response, "Rempart-Next", next);
    }
    rp_buf_add(&request->response.body, rp_buf_view(&page));
    request->response.status = 200;
    request->response.content_type =
        export.csv ? "text/csv; charset=utf-8; header=present" : "application/x-ndjson";
    return rp_buf_err(&request->response.body);
}

static rp_err send_report(struct rp_request *request, const struct rp_import *import) {
    struct rp_json *root = rp_json_object(request->arena);
    bool applied = !import->dry_run && import->refused == 0;
    rp_json_add_bool(request->arena, root, "applied", applied);
    rp_json_add_bool(request->arena, root, "dry_run", import->dry_run);
    rp_json_add_u64(request->arena, root, "created", import->created);
    rp_json_add_u64(request->arena, root, "edited", import->edited);
    rp_json_add_u64(request->arena, root, "refused", import->refused);
    rp_json_add(request->arena, root, "lines", import->lines);
    return rp_api_send(request, import->dry_run || applied ? 200 : 422, root);
}

/* text/csv, or {"records":[…]}; ?dry_run=true says what each line would do. */
rp_err rp_api_register_import(struct rp_request *request) {
    struct rp_desk desk;
    struct rp_import import = {.dry_run = false};
    struct rp_csv table;
    RP_TRY(rp_desk_at(request, &desk, &import.reg));
    rp_view dry_run = rp_request_query(request, "dry_run");
    import.dry_run = rp_view_equal(dry_run, RP_VIEW("true"));
    if (dry_run.p && !import.dry_run && !rp_view_equal(dry_run, RP_VIEW("false"))) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "dry_run: true, false");
    }
    if (rp_view_starts(rp_request_param(request, "CONTENT_TYPE"), RP_VIEW("text/csv"))) {
        struct rp_csv_limits limits = {.rows_max = RP_IMPORT_LINES_MAX,
                                       .columns_max = COLUMNS_MAX,
                                       .cell_max = RP_FIELD_TEXT_MAX};
        RP_TRY(rp_csv_parse(request->fcgi->body, limits, request->arena, &table, &request->diag));
        import.table = &table;
    } else {
        struct rp_json *body = NULL;
        RP_TRY(rp_request_json(request, &body, &request->diag));
        import.records = rp_json_get(body, "records");
        if (!import.records || import.records->kind != RP_JSON_ARRAY) {
            return rp_fail(&request->diag, RP_ERR(INVALID), "records: […]");
        }
    }
    RP_TRY(rp_desk_import(&desk, &import));
    return send_report(request, &import);
}

/* The newest first, only of registers that the asker may read: a page, no total. */
rp_err rp_api_register_search(struct rp_request *request) {
    struct rp_desk desk;
    struct rp_json *list = rp_json_array(request->arena);
    struct rp_query query = {.text = rp_view_trim(rp_request_query(request, "q")),
                             .count = SEARCH_PAGE};
    RP_TRY(rp_desk_open(request, &desk));
    if (query.text.n == 0) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "q");
    }
    size_t found = 0;
    struct rp_page page = {.count = SEARCH_PAGE};
    while (page.count == SEARCH_PAGE && found < SEARCH_PAGE && query.from < SEARCH_LOOKED_AT) {
        RP_TRY(rp_desk_list(&desk, &query, &page));
        for (size_t i = 0; i < page.count && found < SEARCH_PAGE; i++) {
            const struct rp_register *reg = page.records[i].facts.reg;
            if (rp_desk_may_read(&desk, reg) && rp_staff_covers(request, reg)) {
                rp_json_add(request->arena, list, NULL, rp_desk_show(&desk, &page.records[i]));
                found++;
            }
        }
        query.from += page.count;
    }
    return rp_api_send(request, 200, list);
}
