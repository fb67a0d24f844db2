/* reset.c — a forgotten password: the address, and the page that the mail's link opens. */
#include "base/assert.h"
#include "base/checked.h"
#include "web/cookies.h"
#include "web/handlers.h"
#include "web/templates.h"

/* ---- asking ---- */

rp_err rp_page_reset(struct rp_request *request) {
    bool asked = rp_view_equal(rp_request_query(request, "done"), RP_VIEW("asked"));
    const struct rp_template_reset page = {
        .form_token = rp_form_token(request),
        .notice = asked ? rp_text(request->lang, RP_TEXT_reset_asked) : (rp_view){NULL, 0}};
    struct rp_buf body = rp_buf_new(65536);
    rp_template_reset_print(&body, request->lang, &page);
    rp_page_finish(request, RP_TEXT_reset_title, &body, false);
    return RP_OK;
}

/* Nothing here looks whether somebody has this address. */
rp_err rp_page_reset_post(struct rp_request *request) {
    struct rp_pairs form;
    RP_TRY(rp_request_form(request, &form));
    RP_TRY(rp_identity_reset_ask(request->thread->identity,
                                 rp_view_trim(rp_pairs_get(form, "email")), request->lang));
    rp_response_redirect(&request->response, RP_VIEW("/.rempart/id/reset?done=asked"));
    return RP_OK;
}

/* ---- the link ---- */

rp_err rp_page_reset_new(struct rp_request *request) {
    rp_view token = rp_request_query(request, "token");
    struct rp_person person;
    rp_err err = rp_identity_find_reset(request->thread->identity, token, &person);
    if (!rp_ok(err)) {
        return rp_page_link_refused(request, err, RP_TEXT_reset_expired);
    }
    const struct rp_template_reset_new page = {.form_token = rp_form_token(request),
                                               .error = rp_page_password_error(request),
                                               .token = token,
                                               .email = rp_view_from_cstr(person.email)};
    struct rp_buf body = rp_buf_new(65536);
    rp_template_reset_new_print(&body, request->lang, &page);
    rp_page_finish(request, RP_TEXT_reset_new_title, &body, false);
    return RP_OK;
}

static rp_err back_with(struct rp_request *request, rp_view token, const char *error) {
    rp_response_redirect(&request->response,
                         rp_page_link(request, "/.rempart/id/reset/new", "token", token, "error",
                                      rp_view_from_cstr(error)));
    return RP_OK;
}

static rp_err start(struct rp_request *request, struct rp_pairs form, rp_view token) {
    struct rp_person person;
    rp_err err = rp_identity_find_reset(request->thread->identity, token, &person);
    if (!rp_ok(err)) {
        return rp_page_link_refused(request, err, RP_TEXT_reset_expired);
    }
    rp_view password = rp_pairs_get(form, "password");
    if (!rp_view_equal(password, rp_pairs_get(form, "password_again"))) {
        return back_with(request, token, "mismatch");
    }
    err = rp_identity_judge_password(request->thread->identity, password,
                                     rp_view_from_cstr(person.email));
    const char *refusal = rp_page_password_refusal(err);
    if (refusal) {
        return back_with(request, token, refusal);
    }
    RP_TRY(err);
    rp_request_password(request, RP_PASSWORD_HASH, password);
    return RP_OK;
}

static rp_err finish(struct rp_request *request, rp_view token) {
    struct rp_own_session ended[RP_OWN_SESSIONS_MAX];
    size_t count = 0;
    RP_TRY(request->password.result);
    rp_err err =
        rp_identity_reset(request->thread->identity, token, request->password.text, ended, &count);
    if (!rp_ok(err)) {
        return rp_page_link_refused(request, err, RP_TEXT_reset_expired);
    }
    for (size_t i = 0; i < count; i++) {
        rp_session_table_revoke(request->web->sessions, &ended[i].cookie_hash);
    }
    rp_response_forget_cookie(&request->response, RP_COOKIE_SESSION);
    rp_response_redirect(&request->response, RP_VIEW("/.rempart/id/sign-in?done=reset"));
    return RP_OK;
}

rp_err rp_page_reset_new_post(struct rp_request *request) {
    struct rp_pairs form;
    RP_TRY(rp_request_form(request, &form));
    rp_view token = rp_pairs_get(form, "token");
    return request->step == 0 ? start(request, form, token) : finish(request, token);
}
