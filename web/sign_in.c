/* sign_in.c — the two steps of signing in: address and password, then the one-time code.
 *
 * Between the steps the browser holds a pending token in a cookie; only the right code turns it
 * into a session. Every answer to a form is a redirect, so that going back and reloading are
 * harmless.
 */
#include "base/assert.h"
#include "web/cookies.h"
#include "web/handlers.h"
#include "web/passkey.h"
#include "web/templates.h"

#define SIGN_IN "/.rempart/id/sign-in"
#define CODE "/.rempart/id/code"

struct error_text {
    rp_view name;
    enum rp_text_key key;
};

/* What ?error= may say; anything else shows nothing. */
static rp_view error_of(const struct rp_request *request) {
    static const struct error_text errors[] = {
        {RP_VIEW_INIT("denied"), RP_TEXT_error_denied},
        {RP_VIEW_INIT("rate"), RP_TEXT_error_rate},
        {RP_VIEW_INIT("busy"), RP_TEXT_error_busy},
        {RP_VIEW_INIT("code"), RP_TEXT_error_code},
        {RP_VIEW_INIT("recovery"), RP_TEXT_error_code},
        {RP_VIEW_INIT("passkey"), RP_TEXT_error_passkey},
        {RP_VIEW_INIT("passkey_late"), RP_TEXT_error_passkey_late},
        {RP_VIEW_INIT("replayed"), RP_TEXT_error_replayed}};
    rp_view name = rp_request_query(request, "error");
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        if (rp_view_equal(name, errors[i].name)) {
            return rp_text(request->lang, errors[i].key);
        }
    }
    return (rp_view){NULL, 0};
}

/* The gate sent somebody here who showed a code already: the place asks for what cannot be phished.
 */
static bool needs_key(const struct rp_request *request) {
    rp_view cookie = rp_request_cookie(request, RP_COOKIE_SESSION);
    struct rp_sha256 hash = rp_sha256_of(cookie);
    struct rp_session_view view;
    return cookie.p && rp_view_equal(rp_request_query(request, "step"), RP_VIEW("mfa")) &&
           rp_ok(rp_session_table_find(request->web->sessions, request->web->seen, &hash,
                                       rp_request_now_ms(request), &view)) &&
           view.acr == RP_ACR_MFA;
}

static rp_view notice_of(const struct rp_request *request) {
    rp_view name = rp_request_query(request, "done");
    if (needs_key(request)) {
        return rp_text(request->lang, RP_TEXT_sign_in_needs_key);
    }
    if (rp_view_equal(name, RP_VIEW("out"))) {
        return rp_text(request->lang, RP_TEXT_sign_in_ended);
    }
    if (rp_view_equal(name, RP_VIEW("reset"))) {
        return rp_text(request->lang, RP_TEXT_reset_done);
    }
    /* Nothing that was typed is wrong. */
    if (rp_view_equal(rp_request_query(request, "error"), RP_VIEW("pending"))) {
        return rp_text(request->lang, RP_TEXT_error_pending);
    }
    return (rp_view){NULL, 0};
}

rp_err rp_page_home(struct rp_request *request) {
    rp_response_redirect(&request->response, RP_VIEW("/.rempart/id/account"));
    return RP_OK;
}

rp_err rp_page_change_password(struct rp_request *request) {
    rp_response_redirect(&request->response, RP_VIEW("/.rempart/id/password"));
    return RP_OK;
}

rp_err rp_page_sign_in(struct rp_request *request) {
    struct rp_passkey_expected expected;
    const struct rp_template_sign_in page = {.form_token = rp_form_token(request),
                                             .error = error_of(request),
                                             .notice = notice_of(request),
                                             .outdated = rp_page_outdated(request),
                                             .passkeys = rp_passkey_here(request, &expected),
                                             .next =
                                                 rp_next_path(rp_request_query(request, "next"))};
    struct rp_buf body = rp_buf_new(65536);
    rp_template_sign_in_print(&body, request->lang, &page);
    request->response.scripted = page.passkeys;
    rp_page_finish(request, RP_TEXT_sign_in_title, &body, false);
    return RP_OK;
}

/* Back to a step, with its reason and where the person was going. */
static rp_err back_to(struct rp_request *request, const char *path, const char *error,
                      rp_view next) {
    rp_response_redirect(&request->response, rp_page_link(request, path, "error",
                                                          rp_view_from_cstr(error), "next", next));
    return RP_OK;
}

/* ---- the first step ---- */

struct first_step {
    struct rp_sign_in sign_in;
    bool matched;
    rp_view next;
};

static rp_err start_sign_in(struct rp_request *request) {
    struct rp_pairs form;
    RP_TRY(rp_request_form(request, &form));
    struct first_step *state = rp_arena_alloc(request->arena, sizeof *state);
    if (!state) {
        return RP_ERR(NO_MEMORY);
    }
    request->state = state;
    state->next = rp_next_path(rp_pairs_get(form, "next"));
    rp_view password = rp_pairs_get(form, "password");
    rp_err err = rp_identity_sign_in_start(
        request->thread->identity, rp_view_trim(rp_pairs_get(form, "email")),
        rp_request_param(request, "REMOTE_ADDR"), &state->sign_in);
    if (rp_is(err, RP_E_RATE)) {
        return back_to(request, SIGN_IN, "rate", state->next);
    }
    RP_TRY(err);
    if (password.n > RP_PASSWORD_MAX) {
        return back_to(request, SIGN_IN, "denied", state->next);
    }
    /* An unknown address costs the time of a known one. */
    _Static_assert(sizeof state->sign_in.password_text == sizeof request->password.text,
                   "one size");
    memcpy(request->password.text, state->sign_in.password_text, sizeof request->password.text);
    rp_request_password(request,
                        state->sign_in.password_text[0] ? RP_PASSWORD_VERIFY : RP_PASSWORD_NOBODY,
                        password);
    return RP_OK;
}

/* Where the second factor is optional, an empty code ends the sign-in of who has none. */
static rp_err try_without_code(struct rp_request *request, const struct rp_token *pending,
                               rp_view next) {
    if (strcmp(request->web->config->second_factor, "optional") != 0) {
        return RP_ERR(SECOND_FACTOR);
    }
    struct rp_token cookie;
    struct rp_session session;
    RP_TRY(rp_identity_sign_in_finish(request->thread->identity, rp_view_from_cstr(pending->s),
                                      RP_VIEW(""), rp_request_param(request, "REMOTE_ADDR"),
                                      &cookie, &session));
    return rp_page_set_session(request, &cookie, &session,
                               rp_page_after_sign_in(request, session.view.person, next));
}

/* What another program stored, or we with former costs, is hashed as we do it now. */
static bool must_renew(struct rp_request *request) {
    const struct first_step *state = request->state;
    struct rp_pairs form;
    return state->matched && rp_ok(rp_request_form(request, &form)) &&
           rp_password_is_old(state->sign_in.password_text, rp_pairs_get(form, "password"));
}

static rp_err renew(struct rp_request *request) {
    struct rp_pairs form;
    RP_TRY(rp_request_form(request, &form));
    rp_request_password(request, RP_PASSWORD_HASH, rp_pairs_get(form, "password"));
    return RP_OK;
}

static rp_err end_first_step(struct rp_request *request) {
    struct first_step *state = request->state;
    rp_view client = rp_request_param(request, "REMOTE_ADDR");
    bool matched = state->matched;
    struct rp_token pending;
    rp_err err = rp_identity_sign_in_password(request->thread->identity, &state->sign_in, matched,
                                              client, &pending);
    if (rp_is(err, RP_E_DENIED)) {
        return back_to(request, SIGN_IN, "denied", state->next);
    }
    if (rp_is(err, RP_E_RATE)) {
        return back_to(request, SIGN_IN, "rate", state->next);
    }
    RP_TRY(err);
    err = try_without_code(request, &pending, state->next);
    if (!rp_is(err, RP_E_SECOND_FACTOR)) {
        return err;
    }
    /*= S99, S100 */ /* the password alone opens nothing: it earns a pending token, not a session */
    rp_response_cookie(&request->response, RP_COOKIE_PENDING, rp_view_from_cstr(pending.s),
                       RP_COOKIE_PENDING_S);
    rp_response_redirect(&request->response, rp_page_link(request, CODE, "next", state->next, NULL,
                                                          (rp_view){NULL, 0}));
    return RP_OK;
}

rp_err rp_page_sign_in_post(struct rp_request *request) {
    struct first_step *state = request->state;
    switch (request->step) {
    case 0:
        return start_sign_in(request);
    case 1:
        state->matched = state->sign_in.known && rp_ok(request->password.result);
        return must_renew(request) ? renew(request) : end_first_step(request);
    default:
        RP_TRY(request->password.result);
        RP_TRY(rp_identity_renew_password(request->thread->identity, &state->sign_in,
                                          request->password.text));
        return end_first_step(request);
    }
}

/* ---- the second step ---- */

/* Asked for by its link, or shown again because the code was wrong. */
static bool with_recovery(const struct rp_request *request) {
    return rp_view_equal(rp_request_query(request, "with"), RP_VIEW("recovery")) ||
           rp_view_equal(rp_request_query(request, "error"), RP_VIEW("recovery"));
}

/* Whoever the password was of has a key that this page could ask for. */
static bool offers_passkeys(struct rp_request *request) {
    struct rp_identity *identity = request->thread ? request->thread->identity : NULL;
    struct rp_passkey_expected expected;
    struct rp_passkey *keys = NULL;
    rp_id person;
    size_t count = 0;
    return identity && rp_passkey_here(request, &expected) &&
           rp_ok(rp_identity_pending_person(identity, rp_request_cookie(request, RP_COOKIE_PENDING),
                                            &person)) &&
           rp_ok(rp_identity_passkeys(identity, person, request->arena, &keys, &count)) &&
           count > 0;
}

rp_err rp_page_code(struct rp_request *request) {
    rp_view next = rp_next_path(rp_request_query(request, "next"));
    if (!rp_request_cookie(request, RP_COOKIE_PENDING).p) {
        return back_to(request, SIGN_IN, "pending", next);
    }
    const struct rp_template_code page = {.form_token = rp_form_token(request),
                                          .error = error_of(request),
                                          .next = next,
                                          .passkeys = offers_passkeys(request),
                                          .recovery = with_recovery(request)};
    struct rp_buf body = rp_buf_new(65536);
    rp_template_code_print(&body, request->lang, &page);
    request->response.scripted = page.passkeys;
    rp_page_finish(request, page.passkeys ? RP_TEXT_second_title : RP_TEXT_code_title, &body,
                   false);
    return RP_OK;
}

static rp_err read_passkey(struct rp_request *request, rp_view json,
                           struct rp_passkey_proof *ret_proof) {
    rp_view pending = rp_request_cookie(request, RP_COOKIE_PENDING);
    struct rp_passkey_asked asked = {RP_PASSKEY_SECOND, pending, {{0}}};
    RP_TRY(rp_identity_pending_person(request->thread->identity, pending, &asked.person));
    rp_err err = rp_passkey_read(request, json, &asked, false, ret_proof);
    return rp_is(err, RP_E_SYNTAX) || rp_is(err, RP_E_TOO_LARGE) ? RP_ERR(DENIED) : err;
}

/* A code that was typed, or a key's answer. */
static rp_err prove(struct rp_request *request, struct rp_pairs form, struct rp_token *cookie,
                    struct rp_session *session) {
    struct rp_proof proof = {.code = rp_pairs_get(form, "code")};
    struct rp_passkey_proof passkey;
    rp_view json = rp_pairs_get(form, "passkey");
    if (json.n > 0) {
        RP_TRY(read_passkey(request, json, &passkey));
        proof.passkey = &passkey;
    }
    return rp_identity_sign_in_prove(request->thread->identity,
                                     rp_request_cookie(request, RP_COOKIE_PENDING), &proof,
                                     rp_request_param(request, "REMOTE_ADDR"), cookie, session);
}

/* What ?error= says of a factor that was refused. */
static const char *refusal_of(struct rp_pairs form, rp_err err) {
    bool passkey = rp_pairs_get(form, "passkey").n > 0;
    if (rp_is(err, RP_E_REPLAYED)) {
        return passkey ? "passkey_late" : "replayed";
    }
    if (!rp_is(err, RP_E_DENIED) && !rp_is(err, RP_E_SECOND_FACTOR)) {
        return NULL;
    }
    bool recovery = rp_view_equal(rp_pairs_get(form, "with"), RP_VIEW("recovery"));
    return passkey ? "passkey" : recovery ? "recovery" : "code";
}

rp_err rp_page_code_post(struct rp_request *request) {
    struct rp_pairs form;
    RP_TRY(rp_request_form(request, &form));
    rp_view next = rp_next_path(rp_pairs_get(form, "next"));
    struct rp_token cookie;
    struct rp_session session;
    rp_err err = prove(request, form, &cookie, &session);
    const char *refusal = refusal_of(form, err);
    if (refusal) {
        return back_to(request, CODE, refusal, next);
    }
    if (rp_is(err, RP_E_RATE) || rp_is(err, RP_E_NOT_FOUND) || rp_is(err, RP_E_EXPIRED)) {
        rp_response_forget_cookie(&request->response, RP_COOKIE_PENDING);
        return back_to(request, SIGN_IN, rp_is(err, RP_E_RATE) ? "rate" : "pending", next);
    }
    RP_TRY(err);
    return rp_page_set_session(request, &cookie, &session,
                               rp_page_after_sign_in(request, session.view.person, next));
}
