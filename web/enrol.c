/* enrol.c — an invitation's link: choose a password, connect an authenticator, prove it works. */
#include "base/assert.h"
#include "web/handlers.h"
#include "web/qr.h"
#include "web/templates.h"

enum { SEED_TEXT = 32, GROUP = 4, GROUPS = SEED_TEXT / GROUP, QR_MAX = 128 * 1024, URI_MAX = 2048 };

/* ---- the page ---- */

/* otpauth: and //totp/ISSUER:address?secret=…&issuer=ISSUER, as authenticator applications read it.
 */
static void print_otpauth(const struct rp_request *request, rp_view email, rp_view seed,
                          struct rp_buf *out) {
    rp_view issuer = rp_view_from_cstr(request->web->config->host);
    rp_buf_add_cstr(out, "//totp/");
    rp_url_encode(out, issuer);
    rp_buf_add_byte(out, ':');
    rp_url_encode(out, email);
    rp_buf_printf(out, "?secret=%.*s&issuer=", RP_FMT(seed));
    rp_url_encode(out, issuer);
    rp_buf_add_cstr(out, "&algorithm=SHA1&digits=6&period=30");
}

static rp_err print_qr(struct rp_request *request, rp_view email, rp_view seed, struct rp_buf *qr) {
    struct rp_buf uri = rp_buf_new(URI_MAX);
    rp_buf_add_cstr(&uri, "otpauth:");
    print_otpauth(request, email, seed, &uri);
    rp_err err = rp_buf_err(&uri);
    if (rp_ok(err)) {
        err = rp_qr_svg(rp_buf_view(&uri), rp_text(request->lang, RP_TEXT_enrol_qr_label), qr);
    }
    rp_wipe(uri.p, uri.n);
    rp_buf_done(&uri);
    return err;
}

static void show(struct rp_request *request, const struct rp_invitation *invitation, rp_view token,
                 rp_view seed, rp_view qr) {
    struct rp_template_enrol_groups groups[GROUPS];
    for (size_t i = 0; i < GROUPS; i++) {
        groups[i].digits = rp_view_sub(seed, i * GROUP, GROUP);
    }
    rp_view email = rp_view_from_cstr(invitation->email);
    struct rp_buf uri = rp_buf_new(URI_MAX);
    print_otpauth(request, email, seed, &uri);
    const struct rp_template_enrol page = {.form_token = rp_form_token(request),
                                           .error = rp_page_password_error(request),
                                           .token = token,
                                           .email = email,
                                           .uri = rp_buf_view(&uri),
                                           .tenant = rp_view_from_cstr(invitation->tenant_name),
                                           .seed = seed,
                                           .qr = qr,
                                           .groups = {.p = groups, .n = GROUPS}};
    struct rp_buf body = rp_buf_new(QR_MAX + 65536);
    rp_template_enrol_print(&body, request->lang, &page);
    rp_wipe(uri.p, uri.n);
    rp_buf_done(&uri);
    rp_page_finish(request, RP_TEXT_enrol_title, &body, false);
}

rp_err rp_page_enrol(struct rp_request *request) {
    rp_view token = rp_request_query(request, "token");
    struct rp_invitation invitation;
    rp_err err = rp_identity_find_invitation(request->thread->identity, token, &invitation);
    if (!rp_ok(err)) {
        return rp_page_link_refused(request, err, RP_TEXT_link_expired);
    }
    if (invitation.has_account) {
        return rp_page_join(request, &invitation, token);
    }
    char seed[SEED_TEXT + 1];
    RP_TRY(rp_identity_enrol_seed(request->thread->identity, token, seed));
    RP_ASSERT(strlen(seed) == SEED_TEXT);
    struct rp_buf qr = rp_buf_new(QR_MAX);
    err = print_qr(request, rp_view_from_cstr(invitation.email), rp_view_of(seed, SEED_TEXT), &qr);
    if (rp_ok(err)) {
        show(request, &invitation, token, rp_view_of(seed, SEED_TEXT), rp_buf_view(&qr));
    }
    rp_buf_done(&qr);
    rp_wipe(seed, sizeof seed);
    return err;
}

/* ---- the form ---- */

struct enrolment {
    rp_view token, code;
};

static rp_err back_with(struct rp_request *request, rp_view token, const char *error) {
    rp_response_redirect(&request->response,
                         rp_page_link(request, "/.rempart/id/enrol", "token", token, "error",
                                      rp_view_from_cstr(error)));
    return RP_OK;
}

static rp_err start(struct rp_request *request) {
    struct rp_pairs form;
    RP_TRY(rp_request_form(request, &form));
    struct enrolment *state = rp_arena_alloc(request->arena, sizeof *state);
    if (!state) {
        return RP_ERR(NO_MEMORY);
    }
    request->state = state;
    state->token = rp_pairs_get(form, "token");
    state->code = rp_view_trim(rp_pairs_get(form, "code"));
    struct rp_invitation invitation;
    rp_err err = rp_identity_find_invitation(request->thread->identity, state->token, &invitation);
    if (!rp_ok(err)) {
        return rp_page_link_refused(request, err, RP_TEXT_link_expired);
    }
    rp_view password = rp_pairs_get(form, "password");
    if (!rp_view_equal(password, rp_pairs_get(form, "password_again"))) {
        return back_with(request, state->token, "mismatch");
    }
    err = rp_identity_judge_password(request->thread->identity, password,
                                     rp_view_from_cstr(invitation.email));
    const char *refusal = rp_page_password_refusal(err);
    if (refusal) {
        return back_with(request, state->token, refusal);
    }
    RP_TRY(err);
    rp_request_password(request, RP_PASSWORD_HASH, password);
    return RP_OK;
}

static rp_err finish(struct rp_request *request) {
    struct enrolment *state = request->state;
    RP_TRY(request->password.result);
    const struct rp_enrol_answers answers = {
        .password_text = request->password.text, .code = state->code, .lang = request->lang};
    struct rp_token cookie;
    struct rp_session session;
    rp_err err =
        rp_identity_enrol_and_sign_in(request->thread->identity, state->token, &answers,
                                      rp_request_param(request, "REMOTE_ADDR"), &cookie, &session);
    if (rp_is(err, RP_E_DENIED)) {
        return back_with(request, state->token, "code");
    }
    if (!rp_ok(err)) {
        return rp_page_link_refused(request, err, RP_TEXT_link_expired);
    }
    return rp_page_set_session(request, &cookie, &session,
                               RP_VIEW("/.rempart/id/account?done=enrolled"));
}

rp_err rp_page_enrol_post(struct rp_request *request) {
    return request->step == 0 ? start(request) : finish(request);
}
