/* export_api.c — everything that a tenant keeps, given out as one archive while it is made: to the
 * machine's owner by command line, to the tenant's own administrators by their page.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "spaces/archive.h"
#include "web/admin_page.h"
#include "web/handlers.h"
#include "web/spaces_api.h"
#include "web/templates.h"

enum { PIECE_BYTES = 128 * 1024, EVENT_ARENA = 64 * 1024 };

struct exporting {
    struct rp_archive *archive;
    rp_id tenant;
};

static void end_exporting(void *state) {
    rp_archive_free(((struct exporting *)state)->archive);
}

/* ---- pieces ---- */

static rp_err open_space(struct rp_request *request, rp_id tenant, struct rp_space *ret_space) {
    struct rp_space space = {.env = &request->web->env, .tenant = tenant};
    RP_TRY(rp_store_tenant(request->thread->store, tenant, false, &space.db, &request->diag));
    RP_TRY(rp_identity_tenant_key(request->thread->identity, tenant, &space.key));
    *ret_space = space;
    return RP_OK;
}

/* Small parts go together. */
static rp_err next_piece(struct rp_request *request, struct rp_space *space,
                         struct exporting *exporting) {
    bool more = true;
    while (more && request->response.body.n < PIECE_BYTES) {
        rp_err err = rp_archive_next(exporting->archive, space, &request->response.body, &more,
                                     &request->diag);
        if (rp_is(err, RP_E_CORRUPT)) {
            request->changed_tenant = space->tenant;
        }
        RP_TRY(err);
    }
    request->flow.more = more;
    return RP_OK;
}

static rp_err go_on(struct rp_request *request) {
    struct exporting *exporting = request->flow.state;
    struct rp_space space;
    RP_TRY(open_space(request, exporting->tenant, &space));
    return next_piece(request, &space, exporting);
}

/* ---- beginning ---- */

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
    rp_event_add_asker(event, request);
    return rp_db_emit(db, event);
}

static rp_err begin(struct rp_request *request, struct rp_space *space) {
    struct rp_response *response = &request->response;
    struct exporting *exporting = rp_arena_alloc(request->arena, sizeof *exporting);
    struct rp_space_use use = {0};
    if (!exporting) {
        return RP_ERR(NO_MEMORY);
    }
    *exporting = (struct exporting){.tenant = space->tenant};
    RP_TRY(rp_archive_new(space->env, space->tenant, &exporting->archive));
    request->flow.state = exporting;
    request->flow.done = end_exporting;
    RP_TRY(rp_db_transact(space->db, tell, request));
    RP_TRY(rp_space_use(space->db, &use));
    request->changed_tenant = space->tenant;
    RP_TRY(next_piece(request, space, exporting));
    rp_view count = rp_arena_printf(request->arena, "%llu", (unsigned long long)use.records);
    rp_response_head(response, "Rempart-Records", count.p ? count : RP_VIEW("0"));
    response->content_type = "application/gzip";
    response->length = RP_LENGTH_UNKNOWN;
    response->streamed = true;
    return RP_OK;
}

rp_err rp_admin_export(struct rp_request *request) {
    struct rp_space space;
    rp_id tenant;
    if (request->flow.entered) {
        return go_on(request);
    }
    if (!rp_id_parse(rp_request_query(request, "tenant"), &tenant) || rp_id_is_none(tenant)) {
        return rp_fail(&request->diag, RP_ERR(INVALID),
                       "tenant: the id that \"rempart tenant list\" prints");
    }
    rp_err err = open_space(request, tenant, &space);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        rp_diag_clear(&request->diag);
        return rp_fail(&request->diag, err, "no such tenant: rempart tenant list");
    }
    RP_TRY(err);
    return begin(request, &space);
}

/* ---- the administrators' page ---- */

rp_err rp_page_export(struct rp_request *request) {
    struct rp_space space;
    struct rp_space_use use = {0};
    RP_TRY(rp_page_open_tenant(request, RP_ACTION_EXPORT, &space));
    RP_TRY(rp_space_use(space.db, &use));
    const struct rp_template_export page = {
        .form_token = rp_form_token(request),
        .records = rp_arena_printf(request->arena, "%llu", (unsigned long long)use.records),
        .bytes = rp_page_size(request, use.bytes)};
    struct rp_buf body = rp_buf_new(65536);
    rp_template_export_print(&body, request->lang, &page);
    rp_page_finish(request, RP_TEXT_export_title, &body, false);
    return RP_OK;
}

/*= S70 */ /* an organisation's data are its own: its administrators take them at any time */
rp_err rp_page_export_post(struct rp_request *request) {
    struct rp_space space;
    if (request->flow.entered) {
        return go_on(request);
    }
    RP_TRY(rp_page_open_tenant(request, RP_ACTION_EXPORT, &space));
    struct rp_time_text day = rp_time_print(rp_request_now_ms(request) / 1000);
    rp_view name = rp_arena_printf(request->arena,
                                   "attachment; filename=\"rempart-export-%.10s.tar.gz\"", day.s);
    rp_response_head(&request->response, "Content-Disposition",
                     name.p ? name : RP_VIEW("attachment"));
    return begin(request, &space);
}
