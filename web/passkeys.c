/* passkeys.c — a person's keys: the page that lists, adds, names and removes them; and signing in
 * with one. The script of these pages asks for options, then the forms carry the browser's answer.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "web/cookies.h"
#include "web/handlers.h"
#include "web/passkey.h"
#include "web/templates.h"

#define PASSKEYS "/.rempart/id/passkeys"
#define SIGN_IN "/.rempart/id/sign-in"

/* ---- the page ---- */

struct said {
    const char *name;
    enum rp_text_key text;
};

static rp_view text_of(const struct rp_request *request, const char *parameter,
                       const struct said *said, size_t count) {
    rp_view name = rp_request_query(request, parameter);
    for (size_t i = 0; i < count; i++) {
        if (rp_view_equal(name, rp_view_from_cstr(said[i].name))) {
            return rp_text(request->lang, said[i].text);
        }
    }
    return (rp_view){NULL, 0};
}

static rp_view error_of(const struct rp_request *request) {
    static const struct said errors[] = {{"name", RP_TEXT_passkey_error_name},
                                         {"fresh", RP_TEXT_passkey_error_fresh},
                                         {"many", RP_TEXT_passkey_error_many},
                                         {"known", RP_TEXT_passkey_error_known},
                                         {"late", RP_TEXT_passkey_error_late},
                                         {"unsupported", RP_TEXT_passkey_error_unsupported},
                                         {"denied", RP_TEXT_passkey_error_denied},
                                         {"last", RP_TEXT_passkey_error_last},
                                         {"gone", RP_TEXT_passkey_error_gone}};
    return text_of(request, "error", errors, RP_COUNT_OF(errors));
}

static rp_view notice_of(const struct rp_request *request) {
    static const struct said notices[] = {{"added", RP_TEXT_passkey_added},
                                          {"renamed", RP_TEXT_passkey_renamed},
                                          {"removed", RP_TEXT_passkey_removed}};
    return text_of(request, "done", notices, RP_COUNT_OF(notices));
}

/* Where the key is: in this device, or carried about; whether copies of it exist; and what keeps it
 * from opening anything, which matters more. */
static rp_view kind_of(enum rp_lang lang, const struct rp_passkey *key) {
    if (key->altered) {
        return rp_text(lang, RP_TEXT_passkey_kind_altered);
    }
    if (key->needs_password) {
        return rp_text(lang, RP_TEXT_passkey_kind_second);
    }
    if (key->may_move) {
        return rp_text(lang, RP_TEXT_passkey_kind_synced);
    }
    return rp_text(lang, key->transports & RP_TRANSPORT_INTERNAL ? RP_TEXT_passkey_kind_device
                                                                 : RP_TEXT_passkey_kind_roaming);
}

static rp_err fill(struct rp_request *request, const struct rp_passkey *key,
                   struct rp_template_passkeys_keys *row) {
    struct rp_id_text id = rp_id_print(key->id);
    *row = (struct rp_template_passkeys_keys){
        .name = rp_view_from_cstr(key->name),
        .kind = kind_of(request->lang, key),
        .since = rp_page_time(request, key->created_ms),
        .used = key->used_ms > 0 ? rp_page_time(request, key->used_ms) : (rp_view){NULL, 0}};
    return rp_arena_copy(request->arena, rp_view_from_cstr(id.s), &row->id);
}

rp_err rp_page_passkeys(struct rp_request *request) {
    RP_TRY(rp_request_allow(request, RP_ACTION_READ_OWN));
    struct rp_identity *identity = request->thread->identity;
    struct rp_template_passkeys_keys rows[RP_PASSKEYS_MAX];
    struct rp_passkey *keys = NULL;
    struct rp_passkey_expected expected;
    size_t count = 0;
    RP_TRY(rp_identity_passkeys(identity, request->who.person, request->arena, &keys, &count));
    for (size_t i = 0; i < count; i++) {
        RP_TRY(fill(request, &keys[i], &rows[i]));
    }
    const struct rp_template_passkeys page = {.form_token = rp_form_token(request),
                                              .notice = notice_of(request),
                                              .error = error_of(request),
                                              .fresh =
                                                  rp_identity_is_fresh(identity, &request->session),
                                              .here = rp_passkey_here(request, &expected),
                                              .full = count >= RP_PASSKEYS_MAX,
                                              .none = count == 0,
                                              .keys = {.p = rows, .n = count}};
    struct rp_buf body = rp_buf_new(131072);
    rp_template_passkeys_print(&body, request->lang, &page);
    request->response.scripted = true;
    rp_page_finish(request, RP_TEXT_passkeys_title, &body, false);
    return RP_OK;
}

/* ---- what its forms do ---- */

static rp_err back_with(struct rp_request *request, const char *name, const char *value) {
    rp_response_redirect(
        &request->response,
        rp_page_link(request, PASSKEYS, name, rp_view_from_cstr(value), NULL, (rp_view){NULL, 0}));
    return RP_OK;
}

/* done: what is said when it went well. */
static rp_err back_after(struct rp_request *request, rp_err err, const char *done) {
    static const struct {
        enum rp_code code;
        const char *name;
    } refusals[] = {{RP_E_INVALID, "name"},   {RP_E_SECOND_FACTOR, "fresh"},
                    {RP_E_TOO_LARGE, "many"}, {RP_E_DUPLICATE, "known"},
                    {RP_E_EXPIRED, "late"},   {RP_E_UNSUPPORTED, "unsupported"},
                    {RP_E_DENIED, "denied"},  {RP_E_SYNTAX, "denied"},
                    {RP_E_CONFLICT, "last"},  {RP_E_NOT_FOUND, "gone"}};
    for (size_t i = 0; i < RP_COUNT_OF(refusals); i++) {
        if (rp_is(err, refusals[i].code)) {
            return back_with(request, "error", refusals[i].name);
        }
    }
    RP_TRY(err);
    return back_with(request, "done", done);
}

static struct rp_passkey_asked asked_by(const struct rp_request *request,
                                        enum rp_passkey_purpose purpose, const char *cookie,
                                        rp_id person) {
    return (struct rp_passkey_asked){purpose, rp_request_cookie(request, cookie), person};
}

static rp_err add(struct rp_request *request, struct rp_pairs form) {
    struct rp_passkey_proof proof;
    const struct rp_passkey_asked asked =
        asked_by(request, RP_PASSKEY_ADD, RP_COOKIE_SESSION, request->who.person);
    rp_id id;
    RP_TRY(rp_passkey_read(request, rp_pairs_get(form, "passkey"), &asked, false, &proof));
    const struct rp_passkey_new what = {&request->session, &proof, rp_pairs_get(form, "name")};
    return rp_identity_passkey_add(request->thread->identity, &what, &id);
}

rp_err rp_page_passkeys_post(struct rp_request *request) {
    RP_TRY(rp_request_allow(request, RP_ACTION_READ_OWN));
    struct rp_identity *identity = request->thread->identity;
    struct rp_pairs form;
    rp_id id;
    RP_TRY(rp_request_form(request, &form));
    rp_view act = rp_pairs_get(form, "act");
    if (rp_view_equal(act, RP_VIEW("add"))) {
        return back_after(request, add(request, form), "added");
    }
    if (!rp_id_parse(rp_pairs_get(form, "key"), &id)) {
        return RP_ERR(INVALID);
    }
    if (rp_view_equal(act, RP_VIEW("rename"))) {
        return back_after(request,
                          rp_identity_passkey_rename(identity, request->who.person, id,
                                                     rp_pairs_get(form, "name")),
                          "renamed");
    }
    return rp_view_equal(act, RP_VIEW("remove"))
               ? back_after(request, rp_identity_passkey_remove(identity, &request->session, id),
                            "removed")
               : RP_ERR(INVALID);
}

/* ---- what the script asks ---- */

static rp_err ask(struct rp_request *request, const struct rp_passkey_asked *asked,
                  struct rp_passkey_options *options, struct rp_passkey_expected *expected,
                  uint8_t challenge[static RP_CHALLENGE]) {
    struct rp_identity *identity = request->thread->identity;
    struct rp_passkey *keys = NULL;
    if (!rp_passkey_here(request, expected) || asked->browser.n == 0) {
        return RP_ERR(UNSUPPORTED);
    }
    if (!rp_id_is_none(asked->person)) {
        RP_TRY(
            rp_identity_passkeys(identity, asked->person, request->arena, &keys, &options->count));
    }
    RP_TRY(rp_passkey_challenge(identity, asked, challenge));
    options->site = expected->site;
    options->challenge = rp_view_of(challenge, RP_CHALLENGE);
    options->keys = keys;
    return RP_OK;
}

static rp_err ask_use(struct rp_request *request, const struct rp_passkey_asked *asked,
                      bool verified) {
    struct rp_passkey_options options = {.verified = verified};
    struct rp_passkey_expected expected;
    uint8_t challenge[RP_CHALLENGE];
    RP_TRY(ask(request, asked, &options, &expected, challenge));
    return rp_api_send(request, 200, rp_passkey_get_options(request->arena, &options));
}

static rp_err ask_new(struct rp_request *request) {
    struct rp_identity *identity = request->thread->identity;
    const struct rp_passkey_asked asked =
        asked_by(request, RP_PASSKEY_ADD, RP_COOKIE_SESSION, request->who.person);
    struct rp_passkey_options options = {.count = 0};
    struct rp_passkey_expected expected;
    struct rp_person person;
    uint8_t challenge[RP_CHALLENGE];
    RP_TRY(rp_identity_person(identity, request->who.person, request->who.tenant, &person));
    RP_TRY(ask(request, &asked, &options, &expected, challenge));
    return rp_api_send(request, 200, rp_passkey_create_options(request->arena, &options, &person));
}

/*= S101, S102 */ /* a key stays: what a page of an application can do in a session, from the same
                   * origin, is not enough to plant one, for no page knows the password */
rp_err rp_passkey_ask_new(struct rp_request *request) {
    RP_TRY(rp_request_allow(request, RP_ACTION_READ_OWN));
    struct rp_pairs form;
    if (!rp_identity_is_fresh(request->thread->identity, &request->session)) {
        return RP_ERR(SECOND_FACTOR);
    }
    RP_TRY(rp_request_form(request, &form));
    if (request->step == 0) {
        return rp_page_ask_present(request, rp_pairs_get(form, "present"));
    }
    RP_TRY(rp_page_present_was_right(request));
    return ask_new(request);
}

rp_err rp_passkey_ask_second(struct rp_request *request) {
    rp_id person;
    RP_TRY(rp_identity_pending_person(request->thread->identity,
                                      rp_request_cookie(request, RP_COOKIE_PENDING), &person));
    const struct rp_passkey_asked asked =
        asked_by(request, RP_PASSKEY_SECOND, RP_COOKIE_PENDING, person);
    return ask_use(request, &asked, false);
}

rp_err rp_passkey_ask_alone(struct rp_request *request) {
    const struct rp_passkey_asked asked =
        asked_by(request, RP_PASSKEY_ALONE, RP_COOKIE_FORM, (rp_id){{0}});
    return ask_use(request, &asked, true);
}

/* ---- signing in without a password ---- */

static rp_err sign_in(struct rp_request *request, struct rp_pairs form, struct rp_token *cookie,
                      struct rp_session *session) {
    struct rp_passkey_proof proof;
    const struct rp_passkey_asked asked =
        asked_by(request, RP_PASSKEY_ALONE, RP_COOKIE_FORM, (rp_id){{0}});
    rp_err err = rp_passkey_read(request, rp_pairs_get(form, "passkey"), &asked, true, &proof);
    if (rp_is(err, RP_E_SYNTAX) || rp_is(err, RP_E_TOO_LARGE)) {
        return RP_ERR(DENIED);
    }
    RP_TRY(err);
    return rp_identity_sign_in_alone(request->thread->identity, &proof,
                                     rp_request_param(request, "REMOTE_ADDR"), cookie, session);
}

rp_err rp_page_passkey_post(struct rp_request *request) {
    struct rp_pairs form;
    struct rp_token cookie;
    struct rp_session session;
    RP_TRY(rp_request_form(request, &form));
    rp_view next = rp_next_path(rp_pairs_get(form, "next"));
    rp_err err = sign_in(request, form, &cookie, &session);
    const char *refusal = rp_is(err, RP_E_DENIED)     ? "passkey"
                          : rp_is(err, RP_E_REPLAYED) ? "passkey_late"
                          : rp_is(err, RP_E_RATE)     ? "rate"
                                                      : NULL;
    if (refusal) {
        rp_response_redirect(
            &request->response,
            rp_page_link(request, SIGN_IN, "error", rp_view_from_cstr(refusal), "next", next));
        return RP_OK;
    }
    RP_TRY(err);
    return rp_page_set_session(request, &cookie, &session,
                               rp_page_after_sign_in(request, session.view.person, next));
}
