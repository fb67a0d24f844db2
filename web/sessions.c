/* sessions.c — where I am signed in, and the way to end it: seen by the gate at once. */
#include "base/assert.h"
#include "base/checked.h"
#include "web/handlers.h"
#include "web/templates.h"

static rp_view done_of(const struct rp_request *request) {
    return rp_view_equal(rp_request_query(request, "done"), RP_VIEW("ended"))
               ? rp_text(request->lang, RP_TEXT_sessions_ended)
               : (rp_view){NULL, 0};
}

static rp_err copy_id(struct rp_request *request, rp_id id, rp_view *ret_text) {
    struct rp_id_text text = rp_id_print(id);
    return rp_arena_copy(request->arena, rp_view_from_cstr(text.s), ret_text);
}

static rp_err fill(struct rp_request *request, const struct rp_own_session *own,
                   struct rp_template_sessions_sessions *row) {
    *row = (struct rp_template_sessions_sessions){
        .since = rp_page_time(request, own->created_ms),
        .until = rp_page_time(request, own->expires_ms),
        .strength = rp_page_strength(request->lang, own->acr),
        .here = rp_id_equal(own->session, request->session.view.session)};
    return copy_id(request, own->session, &row->id);
}

rp_err rp_page_sessions(struct rp_request *request) {
    RP_TRY(rp_request_allow(request, RP_ACTION_READ_OWN));
    struct rp_own_session own[RP_OWN_SESSIONS_MAX];
    struct rp_template_sessions_sessions rows[RP_OWN_SESSIONS_MAX];
    size_t count = 0;
    RP_TRY(rp_identity_own_sessions(request->thread->identity, request->who.person, own, &count));
    for (size_t i = 0; i < count; i++) {
        RP_TRY(fill(request, &own[i], &rows[i]));
    }
    const struct rp_template_sessions page = {.form_token = rp_form_token(request),
                                              .notice = done_of(request),
                                              .others = count > 1,
                                              .sessions = {.p = rows, .n = count}};
    struct rp_buf body = rp_buf_new(131072);
    rp_template_sessions_print(&body, request->lang, &page);
    rp_page_finish(request, RP_TEXT_sessions_title, &body, false);
    return RP_OK;
}

rp_err rp_page_sessions_post(struct rp_request *request) {
    RP_TRY(rp_request_allow(request, RP_ACTION_READ_OWN));
    struct rp_pairs form;
    RP_TRY(rp_request_form(request, &form));
    rp_view which = rp_pairs_get(form, "session");
    rp_id only = {{0}};
    if (!rp_view_equal(which, RP_VIEW("others")) && !rp_id_parse(which, &only)) {
        return RP_ERR(INVALID);
    }
    struct rp_own_session ended[RP_OWN_SESSIONS_MAX];
    size_t count = 0;
    rp_err err = rp_identity_end_own(request->thread->identity, request->who.person, only,
                                     request->session.view.session, ended, &count);
    if (!rp_ok(err) && !rp_is(err, RP_E_NOT_FOUND)) { /* ended already: the list says so */
        return err;
    }
    for (size_t i = 0; i < count; i++) {
        rp_session_table_revoke(request->web->sessions, &ended[i].cookie_hash);
    }
    rp_response_redirect(&request->response, RP_VIEW("/.rempart/id/sessions?done=ended"));
    return RP_OK;
}
