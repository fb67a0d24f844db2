/* reminders.c — when somebody is reminded by mail: their own page, and the machine's owner. */
#include "identity/reminders.h"

#include "base/assert.h"
#include "base/checked.h"
#include "web/handlers.h"
#include "web/templates.h"

#define PAGE "/.rempart/id/reminders"

/* ---- the page ---- */

static rp_view notice_of(const struct rp_request *request) {
    return rp_view_equal(rp_request_query(request, "done"), RP_VIEW("saved"))
               ? rp_text(request->lang, RP_TEXT_reminders_saved)
               : (rp_view){NULL, 0};
}

static rp_view error_of(const struct rp_request *request) {
    return rp_view_equal(rp_request_query(request, "error"), RP_VIEW("times"))
               ? rp_text(request->lang, RP_TEXT_reminders_error)
               : (rp_view){NULL, 0};
}

/* What the installation's setting says, or "no". */
static rp_view here(const struct rp_request *request, const char *setting) {
    return setting[0] ? rp_view_from_cstr(setting)
                      : rp_text(request->lang, RP_TEXT_reminders_not_here);
}

rp_err rp_page_reminders(struct rp_request *request) {
    RP_TRY(rp_request_allow(request, RP_ACTION_READ_OWN));
    struct rp_reminders own;
    RP_TRY(rp_identity_reminders(request->thread->identity, request->who.person,
                                 request->who.tenant, &own));
    rp_view to = rp_view_from_cstr(own.quiet), from = rp_view_cut(&to, '-');
    const struct rp_template_reminders page = {
        .form_token = rp_form_token(request),
        .notice = notice_of(request),
        .error = error_of(request),
        .quiet_here = here(request, request->web->config->quiet),
        .digest_here = here(request, request->web->config->digest),
        .quiet_default = !own.own_quiet,
        .quiet_none = own.own_quiet && !own.quiet[0],
        .quiet_own = own.own_quiet && own.quiet[0],
        .from = from,
        .to = to,
        .digest_default = !own.own_digest,
        .digest_none = own.own_digest && !own.digest[0],
        .digest_own = own.own_digest && own.digest[0],
        .at = rp_view_from_cstr(own.digest)};
    struct rp_buf body = rp_buf_new(65536);
    rp_template_reminders_print(&body, request->lang, &page);
    rp_page_finish(request, RP_TEXT_reminders_title, &body, false);
    return RP_OK;
}

/* The word of a choice: what the button says, or the times that stand beside it. */
static rp_err read_form(struct rp_request *request, struct rp_reminders *ret_reminders) {
    struct rp_pairs form;
    RP_TRY(rp_request_form(request, &form));
    rp_view quiet = rp_pairs_get(form, "quiet"), digest = rp_pairs_get(form, "digest");
    if (rp_view_equal(quiet, RP_VIEW("own"))) {
        quiet = rp_arena_printf(request->arena, "%.*s-%.*s", RP_FMT(rp_pairs_get(form, "from")),
                                RP_FMT(rp_pairs_get(form, "to")));
    }
    if (rp_view_equal(digest, RP_VIEW("own"))) {
        digest = rp_pairs_get(form, "at");
    }
    RP_TRY(rp_reminders_set_quiet(ret_reminders, quiet));
    return rp_reminders_set_digest(ret_reminders, digest);
}

rp_err rp_page_reminders_post(struct rp_request *request) {
    RP_TRY(rp_request_allow(request, RP_ACTION_READ_OWN));
    struct rp_reminders_choice choice = {
        .person = request->who.person, .tenant = request->who.tenant, .by = request->who.person};
    rp_err err = read_form(request, &choice.reminders);
    if (rp_is(err, RP_E_INVALID)) {
        rp_response_redirect(&request->response, RP_VIEW(PAGE "?error=times"));
        return RP_OK;
    }
    RP_TRY(err);
    RP_TRY(rp_identity_choose_reminders(request->thread->identity, &choice));
    rp_response_redirect(&request->response, RP_VIEW(PAGE "?done=saved"));
    return RP_OK;
}

/* ---- the machine's owner ---- */

static rp_err answer(struct rp_request *request, rp_id person, const struct rp_reminders *own) {
    const struct rp_config *config = request->web->config;
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_cstr(request->arena, root, "id", rp_id_print(person).s);
    rp_json_add_cstr(request->arena, root, "quiet", rp_reminders_quiet_word(own));
    rp_json_add_cstr(request->arena, root, "digest", rp_reminders_digest_word(own));
    struct rp_json *force = rp_json_add_object(request->arena, root, "in_force");
    rp_json_add_cstr(request->arena, force, "quiet", own->own_quiet ? own->quiet : config->quiet);
    rp_json_add_cstr(request->arena, force, "digest",
                     own->own_digest ? own->digest : config->digest);
    return rp_api_send(request, 200, root);
}

static rp_err find(struct rp_request *request, rp_id tenant, rp_id *ret_person,
                   struct rp_reminders *ret_reminders) {
    rp_err err = rp_admin_find_person(request, tenant, ret_person);
    if (rp_ok(err)) {
        err = rp_identity_reminders(request->thread->identity, *ret_person, tenant, ret_reminders);
    }
    return rp_is(err, RP_E_NOT_FOUND)
               ? rp_fail(&request->diag, err,
                         "nobody of this organisation, or only invited (rempart person list)")
               : err;
}

rp_err rp_admin_reminders(struct rp_request *request) {
    rp_id tenant, person;
    struct rp_reminders own;
    RP_TRY(rp_admin_tenant(request, rp_request_query(request, "tenant"), &tenant));
    RP_TRY(find(request, tenant, &person, &own));
    return answer(request, person, &own);
}

/* What the body does not name stays as it is. */
static rp_err read_body(struct rp_request *request, const struct rp_json *body,
                        struct rp_reminders *reminders) {
    rp_view quiet = rp_json_get_string(body, "quiet"), digest = rp_json_get_string(body, "digest");
    if (quiet.p && !rp_ok(rp_reminders_set_quiet(reminders, quiet))) {
        return rp_fail(&request->diag, RP_ERR(INVALID),
                       "quiet: two times like 22:00-07:00, none or default");
    }
    if (digest.p && !rp_ok(rp_reminders_set_digest(reminders, digest))) {
        return rp_fail(&request->diag, RP_ERR(INVALID),
                       "digest: a time like 08:00, none or default");
    }
    return RP_OK;
}

rp_err rp_admin_reminders_choose(struct rp_request *request) {
    struct rp_json *body = NULL;
    struct rp_reminders_choice choice = {.by = {{0}}};
    RP_TRY(rp_request_json(request, &body, &request->diag));
    RP_TRY(rp_admin_tenant(request, rp_json_get_string(body, "tenant"), &choice.tenant));
    RP_TRY(find(request, choice.tenant, &choice.person, &choice.reminders));
    RP_TRY(read_body(request, body, &choice.reminders));
    RP_TRY(rp_identity_choose_reminders(request->thread->identity, &choice));
    return answer(request, choice.person, &choice.reminders);
}
