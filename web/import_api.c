/* import_api.c — an export brought into a tenant as it is uploaded: by the machine's owner, or by
 * an application for an administrator who sits in front of it, and then of this application alone.
 *
 * The manifest, which vouches for each part, comes last: who wants to know first sends the archive
 * with dry_run=true, which changes nothing. An import that breaks off goes on when it is sent
 * again.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "identity/apps.h"
#include "spaces/import.h"
#include "web/handlers.h"
#include "web/spaces_api.h"

/* Some milliseconds of work, then others have their turn. */
enum {
    STEPS_AT_ONCE = 4,
    EVENT_ARENA = 64 * 1024,
    WAITING_MAX = 20000, /* events in the outbox: people's own changes need room there too */
    REST_MS = 200,
    RESTS_MAX = 100 /* then the ledger does not come along */
};

struct importing {
    struct rp_space_import *import;
    rp_id tenant; /* none: the assertion's */
    bool dry_run;
    unsigned rests; /* one after the other */
};

static void end_importing(void *state) {
    rp_space_import_free(((struct importing *)state)->import);
}

static rp_err open_space(struct rp_request *request, const struct importing *importing,
                         struct rp_space *ret_space) {
    if (rp_id_is_none(importing->tenant)) {
        return rp_api_open_space(request, RP_ACTION_IMPORT, ret_space);
    }
    struct rp_space space = {.env = &request->web->env,
                             .tenant = importing->tenant,
                             .records_max = request->web->config->records_max,
                             .bytes_max = request->web->config->mib_max * 1024 * 1024};
    RP_TRY(rp_store_tenant(request->thread->store, space.tenant, false, &space.db, &request->diag));
    RP_TRY(rp_identity_tenant_key(request->thread->identity, space.tenant, &space.key));
    *ret_space = space;
    return RP_OK;
}

/* ---- which applications ---- */

static enum rp_space_import_fault is_own(void *ctx, rp_view app) {
    const struct rp_request *request = ctx;
    return rp_view_equal(app, rp_view_from_cstr(request->app)) ? RP_IMPORT_GOOD
                                                               : RP_IMPORT_APP_OTHER;
}

/* What nobody could read afterwards is not brought in. canary: the probes' own application. */
static enum rp_space_import_fault is_here(void *ctx, rp_view app) {
    const struct rp_request *request = ctx;
    const struct rp_config *config = request->web->config;
    bool known = rp_view_equal(app, RP_VIEW("canary"));
    for (size_t i = 0; i < config->app_count && !known; i++) {
        known = rp_view_equal(app, rp_view_from_cstr(config->apps[i].name));
    }
    return known ? RP_IMPORT_GOOD : RP_IMPORT_APP_UNKNOWN;
}

/* ---- what became of it ---- */

struct told {
    struct rp_request *request;
    const struct importing *importing;
    bool whole;
};

static rp_err emit(struct rp_db *db, void *ctx) {
    const struct told *told = ctx;
    struct rp_request *request = told->request;
    const struct rp_space_import_report *report = rp_space_import_report(told->importing->import);
    const struct rp_manifest *manifest = rp_space_import_manifest(told->importing->import);
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(EVENT_ARENA);
    struct rp_event *event = arena ? rp_event_new(arena, RP_EVENT_TENANT_IMPORTED,
                                                  rp_request_now_ms(request), RP_ROLE_CORE)
                                   : NULL;
    if (event == NULL) {
        return RP_ERR(NO_MEMORY);
    }
    rp_event_add_id(event, "tenant", rp_db_tenant(db));
    rp_event_add_asker(event, request);
    if (manifest) {
        rp_event_add_id(event, "from", manifest->tenant);
    }
    rp_event_add_u64(event, "records", report->brought);
    rp_event_add_u64(event, "files", report->files);
    rp_event_add_u64(event, "refused", report->refused);
    rp_event_add_text(event, "result", told->whole ? RP_VIEW("whole") : RP_VIEW("broken off"));
    return rp_db_emit(db, event);
}

static rp_err tell(struct rp_request *request, struct rp_space *space,
                   const struct importing *importing, bool whole) {
    struct told told = {request, importing, whole};
    bool silent =
        importing->dry_run || (!whole && rp_space_import_report(importing->import)->brought == 0);
    return silent ? RP_OK : rp_db_transact(space->db, emit, &told);
}

static void add_refusal(struct rp_request *request, struct rp_json *lines,
                        const struct rp_space_import_refusal *told) {
    struct rp_arena *arena = request->arena;
    struct rp_json *json = rp_json_add_object(arena, lines, NULL);
    rp_json_add_cstr(arena, json, "part", told->part);
    if (told->line != 0) {
        rp_json_add_u64(arena, json, "line", told->line);
    }
    rp_json_add_cstr(arena, json, "detail", rp_space_import_fault_text(told->fault, request->lang));
}

static rp_err send_report(struct rp_request *request, const struct importing *importing) {
    const struct rp_space_import_report *report = rp_space_import_report(importing->import);
    const struct rp_manifest *manifest = rp_space_import_manifest(importing->import);
    struct rp_arena *arena = request->arena;
    struct rp_json *root = rp_json_object(arena);
    RP_ASSERT(manifest != NULL);
    rp_json_add_bool(arena, root, "dry_run", importing->dry_run);
    rp_json_add_cstr(arena, root, "from", rp_id_print(manifest->tenant).s);
    rp_json_add_cstr(arena, root, "made_at", rp_time_print(manifest->made_s).s);
    rp_json_add_u64(arena, root, "imported", report->brought);
    rp_json_add_u64(arena, root, "there", report->there);
    rp_json_add_u64(arena, root, "other_version", report->other);
    rp_json_add_u64(arena, root, "refused", report->refused);
    rp_json_add_u64(arena, root, "files", report->files);
    rp_json_add_u64(arena, root, "bytes", report->bytes);
    struct rp_json *lines = rp_json_add_array(arena, root, "lines");
    for (size_t i = 0; i < report->told_count; i++) {
        add_refusal(request, lines, &report->told[i]);
    }
    return rp_api_send(request, 200, root);
}

/* ---- pieces ---- */

/* Whether the ledger has to catch up first. */
static rp_err must_rest(struct rp_space *space, struct importing *importing, bool *ret_rest) {
    uint64_t acked = 0, last = 0;
    *ret_rest = false;
    if (importing->dry_run) {
        return RP_OK;
    }
    RP_TRY(rp_db_outbox_state(space->db, &acked, &last));
    *ret_rest = last - acked > WAITING_MAX;
    importing->rests = *ret_rest ? importing->rests + 1 : 0;
    return importing->rests <= RESTS_MAX ? RP_OK : RP_ERR(OVERLOAD);
}

static rp_err work(struct rp_request *request, struct rp_space *space,
                   struct importing *importing) {
    struct rp_flow *flow = &request->flow;
    bool more = true, rests = false;
    RP_TRY(must_rest(space, importing, &rests));
    if (rests) {
        flow->again = flow->more = true;
        flow->rest_ms = REST_MS;
        return RP_OK;
    }
    for (int i = 0; i < STEPS_AT_ONCE && (more || flow->piece.n > 0); i++) {
        RP_TRY(rp_space_import_step(importing->import, space, &flow->piece, &more, &request->diag));
    }
    flow->again = more || flow->piece.n > 0;
    flow->more = flow->again || !flow->last;
    if (flow->more) {
        return RP_OK;
    }
    RP_TRY(rp_space_import_end(importing->import, &request->diag));
    RP_TRY(tell(request, space, importing, true));
    return send_report(request, importing);
}

/* What broke off says what is in already, and that it goes on. */
static rp_err break_off(struct rp_request *request, struct rp_space *space,
                        const struct importing *importing, rp_err err) {
    uint64_t brought = rp_space_import_report(importing->import)->brought;
    struct rp_diag why = request->diag;
    rp_space_import_leave(importing->import, space);
    rp_ignore(tell(request, space, importing, false)); /* the error is the one to tell */
    if (importing->dry_run || brought == 0) {
        return err;
    }
    rp_diag_clear(&request->diag);
    return rp_fail(
        &request->diag, err,
        request->lang == RP_FR
            ? "%.120s ; %llu enregistrements sont repris, entiers : relancez pour la suite"
            : "%.120s; %llu records are in, whole: do it again for the rest",
        why.text[0] ? why.text : rp_err_text(err, request->lang), (unsigned long long)brought);
}

static rp_err receive(struct rp_request *request) {
    struct importing *importing = request->flow.state;
    struct rp_space space;
    RP_TRY(open_space(request, importing, &space));
    request->changed_tenant = space.tenant;
    if (request->flow.cut) {
        return break_off(request, &space, importing, RP_ERR(UNREACHABLE));
    }
    rp_err err = work(request, &space, importing);
    if (rp_is(err, RP_E_CORRUPT)) {
        err = RP_ERR(INVALID); /* what was sent is damaged, nothing of ours */
    }
    return rp_ok(err) ? RP_OK : break_off(request, &space, importing, err);
}

/* ---- beginning ---- */

static rp_err begin(struct rp_request *request, rp_id tenant,
                    enum rp_space_import_fault (*app)(void *ctx, rp_view app)) {
    struct importing *importing = rp_arena_alloc(request->arena, sizeof *importing);
    struct rp_space_import_rules rules = {.app = app, .ctx = request};
    struct rp_space space;
    RP_TRY(rp_request_flag(request, "dry_run", &rules.dry_run));
    if (!importing) {
        return RP_ERR(NO_MEMORY);
    }
    *importing = (struct importing){.tenant = tenant, .dry_run = rules.dry_run};
    RP_TRY(open_space(request, importing, &space));
    RP_TRY(rp_space_import_new(&rules, &importing->import));
    request->flow.state = importing;
    request->flow.done = end_importing;
    request->flow.more = true;
    return RP_OK;
}

/*= S70 */ /* what an organisation took out, it can bring in again, here or elsewhere */
rp_err rp_api_import(struct rp_request *request) {
    if (request->flow.entered) {
        return receive(request);
    }
    if (!(request->scopes & RP_SCOPE_FILES_WRITE)) {
        return rp_fail(&request->diag, RP_ERR(DENIED), "this needs the scope files:write");
    }
    return begin(request, (rp_id){{0}}, is_own);
}

rp_err rp_admin_import(struct rp_request *request) {
    rp_id tenant;
    if (request->flow.entered) {
        return receive(request);
    }
    if (!rp_id_parse(request->segments[0], &tenant) || rp_id_is_none(tenant)) {
        return rp_fail(&request->diag, RP_ERR(INVALID),
                       "tenant: the id that \"rempart tenant list\" prints");
    }
    rp_err err = begin(request, tenant, is_here);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        rp_diag_clear(&request->diag);
        return rp_fail(&request->diag, err, "no such tenant: rempart tenant list");
    }
    return err;
}
