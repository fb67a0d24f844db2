/* recovery.c — the page of recovery codes: how many are left, and ten new ones. */
#include "base/assert.h"
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
    RP_TRY(rp_identity_recovery_left(request->thread->identity, request->who.person, &left));
    struct rp_template_recovery page = {
        .error = error, .none = left == 0, .left = rp_arena_printf(request->arena, "%zu", left)};
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

rp_err rp_page_recovery_post(struct rp_request *request) {
    RP_TRY(rp_request_allow(request, RP_ACTION_READ_OWN));
    struct rp_pairs form;
    RP_TRY(rp_request_form(request, &form));
    struct rp_recovery_codes codes;
    rp_err err = rp_identity_new_recovery_codes(request->thread->identity, request->who.person,
                                                rp_view_trim(rp_pairs_get(form, "code")),
                                                rp_request_param(request, "REMOTE_ADDR"), &codes);
    if (rp_is(err, RP_E_DENIED) || rp_is(err, RP_E_REPLAYED) || rp_is(err, RP_E_RATE)) {
        enum rp_text_key why = rp_is(err, RP_E_DENIED)     ? RP_TEXT_error_code
                               : rp_is(err, RP_E_REPLAYED) ? RP_TEXT_error_replayed
                                                           : RP_TEXT_error_rate;
        return show_left(request, rp_text(request->lang, why));
    }
    RP_TRY(err);
    show_codes(request, &codes);
    rp_wipe(&codes, sizeof codes);
    return RP_OK;
}
