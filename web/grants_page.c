/* grants_page.c — what applications may do for this organisation while nobody of it is there.
 *
 * An administrator gives it here, sees it here and ends it here. The text that is given is shown
 * once: whoever runs the application puts it beside the application's own token.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "identity/apps.h"
#include "spaces/grants.h"
#include "web/admin_page.h"
#include "web/handlers.h"
#include "web/templates.h"
#include "wire/encode.h"

enum { BODY_MAX = 1 << 20, SCOPES_READ = RP_SCOPE_RECORDS_READ | RP_SCOPE_FILES_READ };
static const int64_t DAY_MS = (int64_t)24 * 3600 * 1000;

static void fill(struct rp_request *request, const struct rp_grant *grant,
                 struct rp_template_grants_grants *row) {
    const rp_view none = RP_VIEW("");
    bool over = grant->until_ms <= rp_request_now_ms(request);
    *row = (struct rp_template_grants_grants){
        .id = rp_arena_printf(request->arena, "%s", rp_id_print(grant->id).s),
        .app = grant->app,
        .what = rp_text(request->lang,
                        grant->scopes == SCOPES_READ ? RP_TEXT_grants_read : RP_TEXT_grants_write),
        .made = rp_page_say(request, RP_TEXT_shares_made, rp_page_time(request, grant->created_ms),
                            rp_page_person(request, grant->person), none),
        .used = grant->used_ms == 0
                    ? rp_text(request->lang, RP_TEXT_grants_unused)
                    : rp_page_say(request, RP_TEXT_grants_used,
                                  rp_page_time(request, grant->used_ms), none, none),
        .live = !over && grant->ended_ms == 0};
    if (grant->ended_ms != 0) {
        row->state = rp_page_say(request, RP_TEXT_shares_taken_back,
                                 rp_page_time(request, grant->ended_ms), none, none);
    } else if (over) {
        row->state = rp_text(request->lang, RP_TEXT_shares_over);
    } else {
        row->state = rp_page_say(request, RP_TEXT_shares_live,
                                 rp_page_time(request, grant->until_ms), none, none);
    }
}

/* The operator's applications, and the canary in a canary's own organisation. */
static rp_err list_apps(struct rp_request *request, struct rp_template_grants_apps **ret_apps,
                        size_t *ret_count) {
    const struct rp_config *config = request->web->config;
    struct rp_template_grants_apps *apps =
        rp_arena_array(request->arena, config->app_count + 1, sizeof *apps);
    if (!apps) {
        return RP_ERR(NO_MEMORY);
    }
    size_t count = 0;
    for (size_t i = 0; i < config->app_count; i++) {
        apps[count++].name = rp_view_from_cstr(config->apps[i].name);
    }
    if (count == 0) {
        apps[count++].name = RP_VIEW("canary");
    }
    *ret_apps = apps;
    *ret_count = count;
    return RP_OK;
}

static rp_err show(struct rp_request *request, struct rp_space *space, rp_view given,
                   rp_view error) {
    struct rp_grant *grants = NULL;
    struct rp_template_grants_apps *apps = NULL;
    size_t count = 0, app_count = 0;
    RP_TRY(rp_grant_list(space, request->arena, &grants, &count));
    RP_TRY(list_apps(request, &apps, &app_count));
    struct rp_template_grants_grants *rows = rp_arena_array(request->arena, count, sizeof *rows);
    if (!rows) {
        return RP_ERR(NO_MEMORY);
    }
    for (size_t i = 0; i < count; i++) {
        fill(request, &grants[i], &rows[i]);
    }
    bool ended = rp_view_equal(rp_request_query(request, "done"), RP_VIEW("ended"));
    const struct rp_template_grants page = {
        .form_token = rp_form_token(request),
        .notice = ended ? rp_text(request->lang, RP_TEXT_grants_ended) : (rp_view){NULL, 0},
        .error = error,
        .given = given,
        .any = count > 0,
        .apps = {.p = apps, .n = app_count},
        .grants = {.p = rows, .n = count}};
    struct rp_buf body = rp_buf_new(BODY_MAX);
    rp_template_grants_print(&body, request->lang, &page);
    rp_page_finish(request, RP_TEXT_grants_title, &body, true);
    return RP_OK;
}

rp_err rp_page_grants(struct rp_request *request) {
    struct rp_space space;
    RP_TRY(rp_page_open_tenant(request, RP_ACTION_MANAGE_GRANTS, &space));
    return show(request, &space, (rp_view){NULL, 0}, (rp_view){NULL, 0});
}

/* ---- giving and ending ---- */

static rp_view grant_text(struct rp_request *request, rp_id tenant,
                          const uint8_t token[static RP_GRANT_TOKEN_BYTES]) {
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(64);
    rp_base64url_print(&text, rp_view_of(token, RP_GRANT_TOKEN_BYTES));
    return rp_arena_printf(request->arena, "%s.%.*s", rp_id_print(tenant).s,
                           RP_FMT(rp_buf_view(&text)));
}

static rp_err give(struct rp_request *request, struct rp_space *space, struct rp_pairs form) {
    rp_view may = rp_pairs_get(form, "may");
    uint64_t days = 0;
    bool write = rp_view_equal(may, RP_VIEW("write"));
    if ((!write && !rp_view_equal(may, RP_VIEW("read"))) ||
        !rp_view_to_u64(rp_pairs_get(form, "days"), RP_GRANT_DAYS_MAX, &days) || days == 0) {
        return show(request, space, (rp_view){NULL, 0},
                    rp_text(request->lang, RP_TEXT_grants_wrong));
    }
    struct rp_grant wish = {
        .app = rp_pairs_get(form, "app"),
        .scopes = write ? SCOPES_READ | RP_SCOPE_RECORDS_WRITE | RP_SCOPE_FILES_WRITE : SCOPES_READ,
        .until_ms = rp_request_now_ms(request) + (int64_t)days * DAY_MS};
    struct rp_grant grant;
    uint8_t token[RP_GRANT_TOKEN_BYTES];
    rp_err err = rp_grant_create(space, &wish, &grant, token, &request->diag);
    if (rp_is(err, RP_E_INVALID) || rp_is(err, RP_E_RATE)) {
        return show(request, space, (rp_view){NULL, 0},
                    rp_text(request->lang, RP_TEXT_grants_wrong));
    }
    RP_TRY(err);
    request->changed_tenant = space->tenant;
    rp_view text = grant_text(request, space->tenant, token);
    rp_wipe(token, sizeof token);
    return show(request, space, text, (rp_view){NULL, 0});
}

rp_err rp_page_grants_post(struct rp_request *request) {
    struct rp_space space;
    struct rp_pairs form;
    rp_id id;
    RP_TRY(rp_request_form(request, &form));
    RP_TRY(rp_page_open_tenant(request, RP_ACTION_MANAGE_GRANTS, &space));
    if (rp_view_equal(rp_pairs_get(form, "do"), RP_VIEW("give"))) {
        return give(request, &space, form);
    }
    if (!rp_id_parse(rp_pairs_get(form, "grant"), &id)) {
        return RP_ERR(INVALID);
    }
    rp_err err = rp_grant_end(&space, id);
    if (!rp_ok(err) && !rp_is(err, RP_E_NOT_FOUND)) { /* ended already: the list says so */
        return err;
    }
    request->changed_tenant = space.tenant;
    rp_response_redirect(&request->response, RP_VIEW("/.rempart/id/grants?done=ended"));
    return RP_OK;
}
