/* export_api.c — a tenant's records read out by the machine's owner, a page at a time. */
#include "base/assert.h"
#include "base/checked.h"
#include "web/handlers.h"
#include "web/spaces_api.h"

enum { PAGE_BYTES = 4 * 1024 * 1024, EVENT_ARENA = 64 * 1024 };

/* "app/collection/id" of the last record that was read; nothing = from the start. */
static rp_err read_after(const struct rp_request *request, struct rp_space_export *page) {
    rp_view rest = rp_request_query(request, "after");
    if (rest.n == 0) {
        page->app = page->collection = RP_VIEW("");
        return RP_OK;
    }
    page->app = rp_view_cut(&rest, '/');
    page->collection = rp_view_cut(&rest, '/');
    return rp_id_parse(rest, &page->after) ? RP_OK : RP_ERR(INVALID);
}

/*= S71 */ /* who reads out everything does it in the tenant's own log */
static rp_err tell(struct rp_db *db, void *ctx) {
    struct rp_request *request = ctx;
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(EVENT_ARENA);
    struct rp_event *event = arena ? rp_event_new(arena, RP_EVENT_TENANT_EXPORTED,
                                                  rp_request_now_ms(request), RP_ROLE_CORE)
                                   : NULL;
    if (event == NULL) {
        return RP_ERR(NO_MEMORY);
    }
    rp_event_add_id(event, "tenant", rp_db_tenant(db));
    rp_event_add_text(event, "by", RP_VIEW("owner"));
    return rp_db_emit(db, event);
}

static rp_err open_for_export(struct rp_request *request, struct rp_space *ret_space) {
    struct rp_space space = {.env = &request->web->env};
    if (!rp_id_parse(rp_request_query(request, "tenant"), &space.tenant)) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "tenant");
    }
    rp_err err =
        rp_store_tenant(request->thread->store, space.tenant, false, &space.db, &request->diag);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        request->diag = (struct rp_diag){0};
        return rp_fail(&request->diag, err, "no such tenant: rempart tenant list");
    }
    RP_TRY(err);
    RP_TRY(rp_identity_tenant_key(request->thread->identity, space.tenant, &space.key));
    *ret_space = space;
    return RP_OK;
}

rp_err rp_admin_export(struct rp_request *request) {
    struct rp_space space;
    struct rp_space_export page = {0};
    _cleanup_(rp_buf_done) struct rp_buf lines = rp_buf_new(PAGE_BYTES);
    page.lines = &lines;
    RP_TRY(read_after(request, &page));
    RP_TRY(open_for_export(request, &space));
    if (page.app.n == 0) {
        RP_TRY(rp_db_transact(space.db, tell, request));
        request->changed_tenant = space.tenant;
    }
    RP_TRY(rp_space_export(&space, &page, request->arena));
    if (page.count > 0) {
        rp_view next = rp_arena_printf(request->arena, "%.*s/%.*s/%s", RP_FMT(page.app),
                                       RP_FMT(page.collection), rp_id_print(page.after).s);
        if (!next.p) {
            return RP_ERR(NO_MEMORY);
        }
        rp_response_head(&request->response, "Rempart-Next", next);
    }
    rp_view count = rp_arena_printf(request->arena, "%zu", page.count);
    rp_response_head(&request->response, "Rempart-Records", count.p ? count : RP_VIEW("0"));
    rp_buf_add(&request->response.body, rp_buf_view(&lines));
    request->response.content_type = "application/x-ndjson";
    return rp_buf_err(&request->response.body);
}
