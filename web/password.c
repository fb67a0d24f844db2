/* password.c — a new password, for a signed-in person who knows the present one. */
#include "base/assert.h"
#include "base/checked.h"
#include "web/handlers.h"
#include "web/templates.h"

#define PASSWORD "/.rempart/id/password"

const char *rp_page_password_refusal(rp_err err) {
    if (rp_is(err, RP_E_LEAKED)) {
        return "leaked";
    }
    return rp_is(err, RP_E_WEAK) || rp_is(err, RP_E_TOO_LARGE) ? "weak" : NULL;
}

rp_view rp_page_password_error(const struct rp_request *request) {
    static const struct {
        const char *name;
        enum rp_text_key text;
    } errors[] = {{"weak", RP_TEXT_error_weak},         {"leaked", RP_TEXT_error_leaked},
                  {"mismatch", RP_TEXT_error_mismatch}, {"present", RP_TEXT_error_present},
                  {"rate", RP_TEXT_error_rate},         {"code", RP_TEXT_error_enrol_code}};
    rp_view name = rp_request_query(request, "error");
    for (size_t i = 0; i < RP_COUNT_OF(errors); i++) {
        if (rp_view_equal(name, rp_view_from_cstr(errors[i].name))) {
            return rp_text(request->lang, errors[i].text);
        }
    }
    return (rp_view){NULL, 0};
}

rp_err rp_page_ask_present(struct rp_request *request, rp_view present) {
    struct rp_sign_in *own = rp_arena_alloc(request->arena, sizeof *own);
    if (!own) {
        return RP_ERR(NO_MEMORY);
    }
    if (present.n > RP_PASSWORD_MAX) {
        return RP_ERR(DENIED);
    }
    RP_TRY(rp_identity_own_password(request->thread->identity, request->who.person,
                                    rp_request_param(request, "REMOTE_ADDR"), own));
    request->state = own;
    memcpy(request->password.text, own->password_text, sizeof request->password.text);
    rp_request_password(request, RP_PASSWORD_VERIFY, present);
    return RP_OK;
}

rp_err rp_page_present_was_right(struct rp_request *request) {
    if (rp_is(request->password.result, RP_E_DENIED)) {
        RP_TRY(rp_identity_own_password_wrong(request->thread->identity, request->state,
                                              rp_request_param(request, "REMOTE_ADDR")));
    }
    return request->password.result;
}

rp_err rp_page_password(struct rp_request *request) {
    RP_TRY(rp_request_allow(request, RP_ACTION_READ_OWN));
    struct rp_person person;
    RP_TRY(rp_identity_person(request->thread->identity, request->who.person, request->who.tenant,
                              &person));
    const struct rp_template_password page = {.form_token = rp_form_token(request),
                                              .error = rp_page_password_error(request),
                                              .email = rp_view_from_cstr(person.email)};
    struct rp_buf body = rp_buf_new(65536);
    rp_template_password_print(&body, request->lang, &page);
    rp_page_finish(request, RP_TEXT_password_title, &body, false);
    return RP_OK;
}

static rp_err back_with(struct rp_request *request, const char *error) {
    rp_response_redirect(&request->response,
                         rp_page_link(request, PASSWORD, "error", rp_view_from_cstr(error), NULL,
                                      (rp_view){NULL, 0}));
    return RP_OK;
}

/* ---- first: is the new one good, and who is asked for the present one ---- */

static rp_err ask_present(struct rp_request *request, struct rp_pairs form) {
    struct rp_identity *identity = request->thread->identity;
    struct rp_person person;
    RP_TRY(rp_identity_person(identity, request->who.person, request->who.tenant, &person));
    rp_view password = rp_pairs_get(form, "password");
    if (!rp_view_equal(password, rp_pairs_get(form, "password_again"))) {
        return back_with(request, "mismatch");
    }
    rp_err judged = rp_identity_judge_password(identity, password, rp_view_from_cstr(person.email));
    const char *refusal = rp_page_password_refusal(judged);
    if (refusal) {
        return back_with(request, refusal);
    }
    RP_TRY(judged);
    rp_err err = rp_page_ask_present(request, rp_pairs_get(form, "present"));
    return rp_is(err, RP_E_RATE)     ? back_with(request, "rate")
           : rp_is(err, RP_E_DENIED) ? back_with(request, "present")
                                     : err;
}

/* ---- then: it was right; make the new one ---- */

static rp_err hash_new(struct rp_request *request, struct rp_pairs form) {
    rp_err err = rp_page_present_was_right(request);
    if (rp_is(err, RP_E_DENIED)) {
        return back_with(request, "present");
    }
    RP_TRY(err);
    rp_request_password(request, RP_PASSWORD_HASH, rp_pairs_get(form, "password"));
    return RP_OK;
}

/* ---- last: put it down, and end what else is open ---- */

static rp_err change(struct rp_request *request) {
    RP_TRY(request->password.result);
    struct rp_own_session ended[RP_OWN_SESSIONS_MAX];
    size_t count = 0;
    const struct rp_password_change what = {.own = request->state,
                                            .session = request->session.view.session,
                                            .client = rp_request_param(request, "REMOTE_ADDR"),
                                            .password_text = request->password.text};
    rp_err err = rp_identity_change_password(request->thread->identity, &what, ended, &count);
    if (rp_is(err, RP_E_RATE)) {
        return back_with(request, "rate");
    }
    RP_TRY(err);
    for (size_t i = 0; i < count; i++) {
        rp_session_table_revoke(request->web->sessions, &ended[i].cookie_hash);
    }
    rp_response_redirect(&request->response, RP_VIEW("/.rempart/id/account?done=password"));
    return RP_OK;
}

rp_err rp_page_password_post(struct rp_request *request) {
    RP_TRY(rp_request_allow(request, RP_ACTION_READ_OWN));
    struct rp_pairs form;
    RP_TRY(rp_request_form(request, &form));
    switch (request->step) {
    case 0:
        return ask_present(request, form);
    case 1:
        return hash_new(request, form);
    default:
        return change(request);
    }
}
