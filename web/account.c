/* account.c — a person's own page, and signing out. */
#include "base/assert.h"
#include "base/checked.h"
#include "identity/organisations.h"
#include "web/cookies.h"
#include "web/handlers.h"
#include "web/templates.h"

rp_view rp_page_strength(enum rp_lang lang, enum rp_acr acr) {
    switch (acr) {
    case RP_ACR_PWD:
        return rp_text(lang, RP_TEXT_acr_pwd);
    case RP_ACR_MFA:
        return rp_text(lang, RP_TEXT_acr_mfa);
    case RP_ACR_PHR:
        return rp_text(lang, RP_TEXT_acr_phr);
    case RP_ACR_NONE:
    case RP_ACR_COUNT:
        break;
    }
    return RP_VIEW("–");
}

static size_t list_roles(const struct rp_request *request, unsigned roles,
                         struct rp_template_account_roles out[static 3]) {
    static const struct {
        unsigned role;
        enum rp_text_key name;
    } names[] = {{RP_MEMBER, RP_TEXT_role_member},
                 {RP_TENANT_ADMIN, RP_TEXT_role_tenant_admin},
                 {RP_OPERATOR, RP_TEXT_role_operator}};
    size_t n = 0;
    for (size_t i = 0; i < RP_COUNT_OF(names); i++) {
        if (roles & names[i].role) {
            out[n++].name = rp_text(request->lang, names[i].name);
        }
    }
    return n;
}

static rp_view notice_of(const struct rp_request *request) {
    rp_view done = rp_request_query(request, "done");
    if (rp_view_equal(done, RP_VIEW("enrolled"))) {
        return rp_text(request->lang, RP_TEXT_account_enrolled);
    }
    if (rp_view_equal(done, RP_VIEW("password"))) {
        return rp_text(request->lang, RP_TEXT_account_password_done);
    }
    if (rp_view_equal(done, RP_VIEW("joined"))) {
        return rp_text(request->lang, RP_TEXT_join_done);
    }
    return (rp_view){NULL, 0};
}

static bool has_several(struct rp_request *request) {
    struct rp_organisation *list =
        rp_arena_array(request->arena, RP_ORGANISATIONS_MAX, sizeof *list);
    size_t count = 0;
    return list &&
           rp_ok(rp_identity_organisations(request->thread->identity, request->who.person, list,
                                           &count)) &&
           count > 1;
}

rp_err rp_page_account(struct rp_request *request) {
    RP_TRY(rp_request_allow(request, RP_ACTION_READ_OWN));
    struct rp_person person;
    RP_TRY(rp_identity_person(request->thread->identity, request->who.person, request->who.tenant,
                              &person));
    struct rp_template_account_roles roles[3];
    size_t role_count = list_roles(request, person.roles, roles);
    const struct rp_template_account page = {
        .form_token = rp_form_token(request),
        .notice = notice_of(request),
        .several = has_several(request),
        .manages = rp_ok(rp_request_allow(request, RP_ACTION_MANAGE)),
        .email = rp_view_from_cstr(person.email),
        .tenant = rp_view_from_cstr(person.tenant_name),
        .strength = rp_page_strength(request->lang, request->who.acr),
        .until = rp_page_time(request, request->session.view.expires_ms),
        .until_iso = rp_page_time_iso(request, request->session.view.expires_ms),
        .roles = {.p = roles, .n = role_count}};
    struct rp_buf body = rp_buf_new(65536);
    rp_template_account_print(&body, request->lang, &page);
    rp_page_finish(request, RP_TEXT_account_title, &body, false);
    return RP_OK;
}

/*= S175 */ /* signing in again ends the session that this browser had */
static rp_err end_former(struct rp_request *request, const struct rp_session *now) {
    rp_view cookie = rp_request_cookie(request, RP_COOKIE_SESSION);
    struct rp_session former;
    if (!cookie.p || !rp_ok(rp_identity_session(request->thread->identity, cookie, &former)) ||
        rp_id_equal(former.view.session, now->view.session)) {
        return RP_OK;
    }
    RP_TRY(rp_identity_replace_session(request->thread->identity, &former));
    rp_session_table_revoke(request->web->sessions, &former.cookie_hash);
    return RP_OK;
}

rp_err rp_page_set_session(struct rp_request *request, const struct rp_token *cookie,
                           const struct rp_session *session, rp_view next) {
    RP_TRY(end_former(request, session));
    RP_TRY(rp_session_table_put(request->web->sessions, request->web->seen, &session->cookie_hash,
                                &session->view, session->idle_max_s, rp_request_now_ms(request)));
    int64_t seconds = (session->view.expires_ms - rp_request_now_ms(request)) / 1000;
    rp_response_cookie(&request->response, RP_COOKIE_SESSION, rp_view_from_cstr(cookie->s),
                       seconds > 0 ? seconds : 1);
    rp_response_forget_cookie(&request->response, RP_COOKIE_PENDING);
    rp_response_redirect(&request->response, next);
    return RP_OK;
}

/* Signing out twice, or without a session, ends in the same place. */
rp_err rp_page_sign_out(struct rp_request *request) {
    rp_view cookie = rp_request_cookie(request, RP_COOKIE_SESSION);
    struct rp_session session;
    if (cookie.p && rp_ok(rp_identity_session(request->thread->identity, cookie, &session))) {
        RP_TRY(rp_identity_sign_out(request->thread->identity, &session));
        rp_session_table_revoke(request->web->sessions, &session.cookie_hash);
    }
    rp_response_forget_cookie(&request->response, RP_COOKIE_SESSION);
    rp_response_redirect(&request->response, RP_VIEW("/.rempart/id/sign-in?done=out"));
    return RP_OK;
}
