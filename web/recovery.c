/* recovery.c — the page of recovery codes: how many are left, and ten new ones. */
#include "base/assert.h"
#include "base/checked.h"
#include "identity/passkey.h"
#include "web/handlers.h"
#include "web/templates.h"

static void show(struct rp_request *request, struct rp_template_recovery *page) {
    page->form_token = rp_form_token(request);
    struct rp_buf body = rp_buf_new(65536);
    rp_template_recovery_print(&body, request->lang, page);
    rp_page_finish(request, RP_TEXT_recovery_title, &body, false);
}

static rp_err show_left(struct rp_request *request, rp_view error) {
    size_t left = 0;
    struct rp_person person;
    struct rp_identity *identity = request->thread->identity;
    RP_TRY(rp_identity_recovery_left(identity, request->who.person, &left));
    RP_TRY(rp_identity_person(identity, request->who.person, request->who.tenant, &person));
    struct rp_template_recovery page = {.error = error,
                                        .none = left == 0,
                                        .left = rp_arena_printf(request->arena, "%zu", left),
                                        .code = person.has_totp,
                                        .passkey = !person.has_totp && person.passkeys > 0,
                                        .nothing = !person.has_totp && person.passkeys == 0};
    show(request, &page);
    return RP_OK;
}

rp_err rp_page_recovery(struct rp_request *request) {
    RP_TRY(rp_request_allow(request, RP_ACTION_READ_OWN));
    return show_left(request, (rp_view){NULL, 0});
}

/* The codes stand in this one answer and nowhere else: no redirect, nothing to reload. */
static void show_codes(struct rp_request *request, const struct rp_recovery_codes *codes) {
    struct rp_template_recovery_codes rows[RP_RECOVERY_CODES];
    for (size_t i = 0; i < RP_RECOVERY_CODES; i++) {
        rows[i].code = rp_view_from_cstr(codes->s[i]);
    }
    struct rp_template_recovery page = {.shown = true,
                                        .codes = {.p = rows, .n = RP_RECOVERY_CODES}};
    show(request, &page);
}

static bool shows_refusal(rp_err err, enum rp_text_key *ret_why) {
    static const struct {
        enum rp_code code;
        enum rp_text_key why;
    } refusals[] = {{RP_E_DENIED, RP_TEXT_error_code},
                    {RP_E_REPLAYED, RP_TEXT_error_replayed},
                    {RP_E_RATE, RP_TEXT_error_rate},
                    {RP_E_SECOND_FACTOR, RP_TEXT_recovery_error_key},
                    {RP_E_CONFLICT, RP_TEXT_recovery_nothing}};
    for (size_t i = 0; i < RP_COUNT_OF(refusals); i++) {
        if (rp_is(err, refusals[i].code)) {
            *ret_why = refusals[i].why;
            return true;
        }
    }
    return false;
}

rp_err rp_page_recovery_post(struct rp_request *request) {
    RP_TRY(rp_request_allow(request, RP_ACTION_READ_OWN));
    struct rp_pairs form;
    RP_TRY(rp_request_form(request, &form));
    struct rp_identity *identity = request->thread->identity;
    struct rp_recovery_codes codes;
    enum rp_text_key why;
    const struct rp_recovery_ask ask = {.person = request->who.person,
                                        .code = rp_view_trim(rp_pairs_get(form, "code")),
                                        .client = rp_request_param(request, "REMOTE_ADDR"),
                                        .key_shown =
                                            request->who.acr == RP_ACR_PHR &&
                                            rp_identity_is_fresh(identity, &request->session)};
    rp_err err = rp_identity_new_recovery_codes(identity, &ask, &codes);
    if (shows_refusal(err, &why)) {
        return show_left(request, rp_text(request->lang, why));
    }
    RP_TRY(err);
    show_codes(request, &codes);
    rp_wipe(&codes, sizeof codes);
    return RP_OK;
}
