/* organisation.c — which of their organisations a person is in, and joining another. */
#include "base/assert.h"
#include "base/checked.h"
#include "identity/organisations.h"
#include "web/cookies.h"
#include "web/handlers.h"
#include "web/templates.h"

#define ORGANISATION "/.rempart/id/organisation"

rp_view rp_page_after_sign_in(struct rp_request *request, rp_id person, rp_view next) {
    struct rp_organisation *list =
        rp_arena_array(request->arena, RP_ORGANISATIONS_MAX, sizeof *list);
    size_t count = 0;
    if (!list ||
        !rp_ok(rp_identity_organisations(request->thread->identity, person, list, &count)) ||
        count < 2) {
        return next;
    }
    return rp_page_link(request, ORGANISATION, "next", next, NULL, (rp_view){NULL, 0});
}

rp_err rp_page_organisation(struct rp_request *request) {
    RP_TRY(rp_request_allow(request, RP_ACTION_READ_OWN));
    struct rp_organisation *list =
        rp_arena_array(request->arena, RP_ORGANISATIONS_MAX, sizeof *list);
    struct rp_template_organisation_organisations *rows =
        rp_arena_array(request->arena, RP_ORGANISATIONS_MAX, sizeof *rows);
    size_t count = 0;
    if (!list || !rows) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_identity_organisations(request->thread->identity, request->who.person, list, &count));
    for (size_t i = 0; i < count; i++) {
        rows[i].here = rp_id_equal(list[i].tenant, request->who.tenant);
        rows[i].name = rp_view_from_cstr(list[i].name);
        RP_TRY(rp_arena_copy(request->arena, rp_view_from_cstr(rp_id_print(list[i].tenant).s),
                             &rows[i].id));
    }
    const struct rp_template_organisation page = {
        .form_token = rp_form_token(request),
        .next = rp_next_path(rp_request_query(request, "next")),
        .organisations = {.p = rows, .n = count}};
    struct rp_buf body = rp_buf_new(256 * 1024);
    rp_template_organisation_print(&body, request->lang, &page);
    rp_page_finish(request, RP_TEXT_organisation_title, &body, false);
    return RP_OK;
}

/*= S66 */ /* the gate learns at once that the former session is over */
static rp_err go_to(struct rp_request *request, rp_id tenant, rp_view next) {
    struct rp_token cookie;
    struct rp_session session;
    if (rp_id_equal(tenant, request->who.tenant)) {
        rp_response_redirect(&request->response, next);
        return RP_OK;
    }
    RP_TRY(rp_identity_switch(request->thread->identity, &request->session, tenant,
                              rp_request_param(request, "REMOTE_ADDR"), &cookie, &session));
    rp_session_table_revoke(request->web->sessions, &request->session.cookie_hash);
    return rp_page_set_session(request, &cookie, &session, next);
}

rp_err rp_page_organisation_post(struct rp_request *request) {
    RP_TRY(rp_request_allow(request, RP_ACTION_READ_OWN));
    struct rp_pairs form;
    rp_id tenant;
    RP_TRY(rp_request_form(request, &form));
    if (!rp_id_parse(rp_pairs_get(form, "tenant"), &tenant)) {
        return RP_ERR(NOT_FOUND);
    }
    return go_to(request, tenant, rp_next_path(rp_pairs_get(form, "next")));
}

/* ---- an invitation to an address that has an account ---- */

/* Whose session this browser has, on a page that needs none. */
static rp_id session_person(struct rp_request *request) {
    struct rp_session session;
    rp_view cookie = rp_request_cookie(request, RP_COOKIE_SESSION);
    bool there =
        cookie.p && rp_ok(rp_identity_session(request->thread->identity, cookie, &session));
    return there ? session.view.person : (rp_id){{0}};
}

static bool is_own(struct rp_request *request, const char *email) {
    char own[RP_EMAIL_MAX + 1];
    rp_id person = session_person(request);
    return !rp_id_is_none(person) &&
           rp_ok(rp_identity_address_of(request->thread->identity, person, own)) &&
           strcmp(own, email) == 0;
}

rp_err rp_page_join(struct rp_request *request, const struct rp_invitation *invitation,
                    rp_view token) {
    rp_view here =
        rp_page_link(request, "/.rempart/id/enrol", "token", token, NULL, (rp_view){NULL, 0});
    const struct rp_template_join page = {
        .form_token = rp_form_token(request),
        .token = token,
        .email = rp_view_from_cstr(invitation->email),
        .tenant = rp_view_from_cstr(invitation->tenant_name),
        .own = is_own(request, invitation->email),
        .sign_in =
            rp_page_link(request, "/.rempart/id/sign-in", "next", here, NULL, (rp_view){NULL, 0})};
    struct rp_buf body = rp_buf_new(65536);
    rp_template_join_print(&body, request->lang, &page);
    rp_page_finish(request, RP_TEXT_join_title, &body, false);
    return RP_OK;
}

rp_err rp_page_join_post(struct rp_request *request) {
    RP_TRY(rp_request_allow(request, RP_ACTION_READ_OWN));
    struct rp_pairs form;
    rp_id tenant;
    RP_TRY(rp_request_form(request, &form));
    rp_err err = rp_identity_join(request->thread->identity, rp_pairs_get(form, "token"),
                                  request->who.person, &tenant);
    if (!rp_ok(err)) {
        return rp_page_link_refused(request, err, RP_TEXT_link_expired);
    }
    return go_to(request, tenant, RP_VIEW("/.rempart/id/account?done=joined"));
}
