/* email.c — another address: asked for here, made true by the link that goes there. */
#include "base/assert.h"
#include "base/checked.h"
#include "identity/address_change.h"
#include "web/cookies.h"
#include "web/handlers.h"
#include "web/passkey.h"
#include "web/templates.h"

#define EMAIL "/.rempart/id/email"

static rp_view text_of(const struct rp_request *request, const char *what) {
    static const struct {
        const char *name;
        enum rp_text_key text;
    } texts[] = {
        {"address", RP_TEXT_error_address},     {"same", RP_TEXT_email_same},
        {"present", RP_TEXT_error_present},     {"code", RP_TEXT_error_code},
        {"replayed", RP_TEXT_error_replayed},   {"rate", RP_TEXT_error_rate},
        {"asked", RP_TEXT_email_asked},         {"changed", RP_TEXT_email_changed},
        {"stopped", RP_TEXT_email_stopped},     {"recent", RP_TEXT_email_recent},
        {"fresh", RP_TEXT_passkey_error_fresh},
    };
    rp_view name = rp_request_query(request, what);
    for (size_t i = 0; i < RP_COUNT_OF(texts); i++) {
        if (rp_view_equal(name, rp_view_from_cstr(texts[i].name))) {
            return rp_text(request->lang, texts[i].text);
        }
    }
    return (rp_view){NULL, 0};
}

/* ---- asking ---- */

rp_err rp_page_email(struct rp_request *request) {
    RP_TRY(rp_request_allow(request, RP_ACTION_READ_OWN));
    struct rp_person person;
    RP_TRY(rp_identity_person(request->thread->identity, request->who.person, request->who.tenant,
                              &person));
    const struct rp_template_email page = {.form_token = rp_form_token(request),
                                           .error = text_of(request, "error"),
                                           .notice = text_of(request, "done"),
                                           .email = rp_view_from_cstr(person.email),
                                           .mails = rp_web_sends_mail(request->web),
                                           .code = person.has_totp};
    struct rp_buf body = rp_buf_new(65536);
    rp_template_email_print(&body, request->lang, &page);
    rp_page_finish(request, RP_TEXT_email_title, &body, false);
    return RP_OK;
}

static rp_err back_with(struct rp_request *request, const char *name, const char *value) {
    rp_response_redirect(
        &request->response,
        rp_page_link(request, EMAIL, name, rp_view_from_cstr(value), NULL, (rp_view){NULL, 0}));
    return RP_OK;
}

static rp_err ask_present(struct rp_request *request, struct rp_pairs form) {
    rp_err err = rp_page_ask_present(request, rp_pairs_get(form, "present"));
    return rp_is(err, RP_E_RATE)     ? back_with(request, "error", "rate")
           : rp_is(err, RP_E_DENIED) ? back_with(request, "error", "present")
                                     : err;
}

static const char *refusal_of(rp_err err) {
    static const struct {
        enum rp_code code;
        const char *name;
    } refusals[] = {{RP_E_INVALID, "address"},    {RP_E_DUPLICATE, "same"},
                    {RP_E_DENIED, "code"},        {RP_E_RATE, "rate"},
                    {RP_E_CONFLICT, "recent"},    {RP_E_REPLAYED, "replayed"},
                    {RP_E_SECOND_FACTOR, "fresh"}};
    for (size_t i = 0; i < RP_COUNT_OF(refusals); i++) {
        if (rp_is(err, refusals[i].code)) {
            return refusals[i].name;
        }
    }
    return NULL;
}

static rp_err ask(struct rp_request *request, struct rp_pairs form) {
    struct rp_identity *identity = request->thread->identity;
    rp_view client = rp_request_param(request, "REMOTE_ADDR");
    rp_err right = rp_page_present_was_right(request);
    if (rp_is(right, RP_E_DENIED)) {
        return back_with(request, "error", "present");
    }
    RP_TRY(right);
    const struct rp_address_ask ask = {.own = request->state,
                                       .email = rp_view_trim(rp_pairs_get(form, "email")),
                                       .code = rp_view_trim(rp_pairs_get(form, "code")),
                                       .client = client,
                                       .fresh = rp_identity_is_fresh(identity, &request->session),
                                       .lang = request->lang};
    rp_err err = rp_identity_address_ask(identity, &ask);
    const char *refusal = refusal_of(err);
    if (refusal) {
        return back_with(request, "error", refusal);
    }
    RP_TRY(err);
    return back_with(request, "done", "asked");
}

rp_err rp_page_email_post(struct rp_request *request) {
    RP_TRY(rp_request_allow(request, RP_ACTION_READ_OWN));
    struct rp_pairs form;
    RP_TRY(rp_request_form(request, &form));
    return request->step == 0 ? ask_present(request, form) : ask(request, form);
}

/* ---- the two links: a page with a button, because mail programs open links by themselves ---- */

static rp_err explain(struct rp_request *request, rp_err err) {
    if (rp_is(err, RP_E_DUPLICATE)) {
        return rp_fail(&request->diag, err, "%.*s",
                       RP_FMT(rp_text(request->lang, RP_TEXT_email_taken)));
    }
    if (rp_is(err, RP_E_CONFLICT)) {
        return rp_fail(&request->diag, RP_ERR(EXPIRED), "%.*s",
                       RP_FMT(rp_text(request->lang, RP_TEXT_link_unknown)));
    }
    return rp_page_link_refused(request, err, RP_TEXT_email_expired);
}

static rp_err show_link(struct rp_request *request, struct rp_template_email_link *page,
                        enum rp_text_key title) {
    page->form_token = rp_form_token(request);
    page->token = rp_request_query(request, "token");
    page->notice = text_of(request, "done");
    struct rp_buf body = rp_buf_new(65536);
    rp_template_email_link_print(&body, request->lang, page);
    rp_page_finish(request, title, &body, false);
    return RP_OK;
}

rp_err rp_page_email_confirm(struct rp_request *request) {
    struct rp_template_email_link page = {.stop = false};
    char email[RP_EMAIL_MAX + 1] = "";
    if (!rp_request_query(request, "done").p) {
        rp_err err = rp_identity_find_address_change(request->thread->identity,
                                                     rp_request_query(request, "token"), email);
        if (!rp_ok(err)) {
            return explain(request, err);
        }
    }
    page.email = rp_view_from_cstr(email);
    return show_link(request, &page, RP_TEXT_email_confirm_title);
}

rp_err rp_page_email_confirm_post(struct rp_request *request) {
    struct rp_pairs form;
    RP_TRY(rp_request_form(request, &form));
    rp_err err =
        rp_identity_address_confirm(request->thread->identity, rp_pairs_get(form, "token"));
    if (!rp_ok(err)) {
        return explain(request, err);
    }
    rp_response_redirect(&request->response, RP_VIEW(EMAIL "/confirm?done=changed"));
    return RP_OK;
}

rp_err rp_page_email_stop(struct rp_request *request) {
    struct rp_template_email_link page = {.stop = true};
    if (!rp_request_query(request, "done").p) {
        rp_err err = rp_identity_find_address_stop(request->thread->identity,
                                                   rp_request_query(request, "token"), &page.used);
        if (!rp_ok(err)) {
            return explain(request, err);
        }
    }
    return show_link(request, &page, RP_TEXT_email_stop_title);
}

rp_err rp_page_email_stop_post(struct rp_request *request) {
    struct rp_pairs form;
    struct rp_own_session ended[RP_OWN_SESSIONS_MAX];
    size_t count = 0;
    RP_TRY(rp_request_form(request, &form));
    rp_err err = rp_identity_address_stop(request->thread->identity, rp_pairs_get(form, "token"),
                                          ended, &count);
    if (!rp_ok(err)) {
        return explain(request, err);
    }
    for (size_t i = 0; i < count; i++) {
        rp_session_table_revoke(request->web->sessions, &ended[i].cookie_hash);
    }
    rp_response_redirect(&request->response, RP_VIEW(EMAIL "/stop?done=stopped"));
    return RP_OK;
}
