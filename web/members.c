/* members.c — an organisation's own people: listed, invited by mail, given roles, removed.
 *
 * An administrator never sees an invitation's link: it goes to the address alone, so that whoever
 * enrols has shown that the address is theirs.
 */
#include "identity/members.h"
#include "base/assert.h"
#include "base/checked.h"
#include "web/handlers.h"
#include "web/templates.h"

#define MEMBERS "/.rempart/id/members"
enum { SHOWN_MAX = 1000 };

rp_err rp_role_read(rp_view text, unsigned *ret_roles) {
    static const struct {
        rp_view word;
        unsigned roles;
    } words[] = {{RP_VIEW_INIT("member"), RP_MEMBER},
                 {RP_VIEW_INIT("admin"), RP_MEMBER | RP_TENANT_ADMIN},
                 {RP_VIEW_INIT("operator"), RP_ROLES_ALL}};
    for (size_t i = 0; i < RP_COUNT_OF(words); i++) {
        if (rp_view_equal(text, words[i].word)) {
            *ret_roles = words[i].roles;
            return RP_OK;
        }
    }
    return RP_ERR(INVALID);
}

const char *rp_role_word(unsigned roles) {
    if (roles & RP_OPERATOR) {
        return "operator";
    }
    return roles & RP_TENANT_ADMIN ? "admin" : "member";
}

/* ---- the page ---- */

struct list {
    struct rp_request *request;
    struct rp_template_members_members *rows;
    size_t count, hidden;
};

static rp_view role_name(enum rp_lang lang, unsigned roles) {
    if (roles & RP_OPERATOR) {
        return rp_text(lang, RP_TEXT_role_operator);
    }
    return rp_text(lang, roles & RP_TENANT_ADMIN ? RP_TEXT_role_tenant_admin : RP_TEXT_role_member);
}

/* "Second factor: authenticator, 2 keys, 9 recovery codes". */
static rp_view factors_of(const struct rp_request *request, const struct rp_member *member) {
    enum rp_text_key key = member->has_totp && member->passkeys > 0 ? RP_TEXT_factors_both
                           : member->has_totp                       ? RP_TEXT_factors_totp
                           : member->passkeys > 0                   ? RP_TEXT_factors_keys
                                                                    : RP_TEXT_factors_none;
    rp_view codes =
        member->recovery_left > 0 ? rp_text(request->lang, RP_TEXT_factors_codes) : RP_VIEW("");
    return member->invited ? (rp_view){NULL, 0}
                           : rp_arena_printf(request->arena, "%.*s%.*s",
                                             RP_FMT(rp_text(request->lang, key)), RP_FMT(codes));
}

static rp_err add_row(void *ctx, const struct rp_member *member) {
    struct list *list = ctx;
    struct rp_request *request = list->request;
    if (list->count == SHOWN_MAX) {
        list->hidden++;
        return RP_OK;
    }
    struct rp_template_members_members *row = &list->rows[list->count++];
    struct rp_id_text id = rp_id_print(member->person);
    *row = (struct rp_template_members_members){
        .role = role_name(request->lang, member->roles),
        .since = rp_page_time(request, member->since_ms),
        .factors = factors_of(request, member),
        .invited = member->invited,
        .here = rp_id_equal(member->person, request->who.person),
        .admin = (member->roles & RP_TENANT_ADMIN) != 0,
        .fixed = (member->roles & RP_OPERATOR) != 0 && !(request->who.roles & RP_OPERATOR)};
    RP_TRY(rp_arena_copy(request->arena, rp_view_from_cstr(id.s), &row->id));
    return rp_arena_copy(request->arena, rp_view_from_cstr(member->email), &row->email);
}

static rp_view text_of(const struct rp_request *request, const char *query) {
    static const struct {
        rp_view name;
        enum rp_text_key text;
    } texts[] = {{RP_VIEW_INIT("invited"), RP_TEXT_members_invited_done},
                 {RP_VIEW_INIT("changed"), RP_TEXT_members_changed},
                 {RP_VIEW_INIT("removed"), RP_TEXT_members_removed},
                 {RP_VIEW_INIT("last"), RP_TEXT_error_last_admin},
                 {RP_VIEW_INIT("denied"), RP_TEXT_error_role},
                 {RP_VIEW_INIT("uncleared"), RP_TEXT_error_uncleared},
                 {RP_VIEW_INIT("gone"), RP_TEXT_error_member_gone},
                 {RP_VIEW_INIT("address"), RP_TEXT_error_address},
                 {RP_VIEW_INIT("enrolled"), RP_TEXT_error_enrolled}};
    rp_view name = rp_request_query(request, query);
    for (size_t i = 0; i < RP_COUNT_OF(texts); i++) {
        if (rp_view_equal(name, texts[i].name)) {
            return rp_text(request->lang, texts[i].text);
        }
    }
    return (rp_view){NULL, 0};
}

bool rp_web_sends_mail(const struct rp_web *web) {
    return web->config->smtp_url && web->config->smtp_url[0];
}

rp_err rp_page_members(struct rp_request *request) {
    RP_TRY(rp_request_allow(request, RP_ACTION_MANAGE));
    struct list list = {.request = request,
                        .rows = rp_arena_array(request->arena, SHOWN_MAX, sizeof *list.rows)};
    if (!list.rows) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_identity_each_member(request->thread->identity, request->who.tenant, add_row, &list));
    const struct rp_template_members page = {
        .form_token = rp_form_token(request),
        .notice = text_of(request, "done"),
        .error = text_of(request, "error"),
        .mails = rp_web_sends_mail(request->web),
        .hidden = list.hidden > 0 ? rp_arena_printf(request->arena, "%zu", list.hidden)
                                  : (rp_view){NULL, 0},
        .members = {.p = list.rows, .n = list.count}};
    struct rp_buf body = rp_buf_new(2 << 20);
    rp_template_members_print(&body, request->lang, &page);
    rp_page_finish(request, RP_TEXT_members_title, &body, true);
    return RP_OK;
}

/* ---- the forms ---- */

static rp_err back_with(struct rp_request *request, const char *what, const char *word) {
    rp_response_redirect(
        &request->response,
        rp_page_link(request, MEMBERS, what, rp_view_from_cstr(word), NULL, (rp_view){NULL, 0}));
    return RP_OK;
}

static rp_err invite(struct rp_request *request, struct rp_pairs form) {
    RP_TRY(rp_request_allow(request, RP_ACTION_INVITE));
    unsigned roles = 0;
    if (!rp_ok(rp_role_read(rp_pairs_get(form, "role"), &roles)) ||
        !rp_web_sends_mail(request->web)) {
        return RP_ERR(INVALID);
    }
    struct rp_token token;
    rp_err err = rp_identity_invite_by_mail(request->thread->identity, request->who.tenant,
                                            rp_view_trim(rp_pairs_get(form, "email")), roles,
                                            request->who.person, request->lang, &token);
    rp_wipe(&token, sizeof token); /* the letter has it, and nobody else */
    if (rp_is(err, RP_E_DENIED)) {
        return back_with(request, "error", "denied");
    }
    if (rp_is(err, RP_E_UNCLEARED)) {
        return back_with(request, "error", "uncleared");
    }
    if (rp_is(err, RP_E_INVALID)) {
        return back_with(request, "error", "address");
    }
    if (rp_is(err, RP_E_DUPLICATE)) {
        return back_with(request, "error", "enrolled");
    }
    RP_TRY(err);
    return back_with(request, "done", "invited");
}

rp_err rp_members_change(struct rp_request *request, const struct rp_member_change *change) {
    struct rp_own_session ended[RP_OWN_SESSIONS_MAX];
    size_t count = 0;
    RP_TRY(rp_identity_change_member(request->thread->identity, change, ended, &count));
    for (size_t i = 0; i < count; i++) {
        rp_session_table_revoke(request->web->sessions, &ended[i].cookie_hash);
    }
    return RP_OK;
}

static rp_err change(struct rp_request *request, struct rp_pairs form, bool remove) {
    struct rp_member_change what = {.tenant = request->who.tenant, .by = request->who.person};
    if (!rp_id_parse(rp_pairs_get(form, "person"), &what.person) ||
        (!remove && !rp_ok(rp_role_read(rp_pairs_get(form, "role"), &what.roles)))) {
        return RP_ERR(INVALID);
    }
    rp_err err = rp_members_change(request, &what);
    if (rp_is(err, RP_E_CONFLICT)) {
        return back_with(request, "error", "last");
    }
    if (rp_is(err, RP_E_DENIED)) {
        return back_with(request, "error", "denied");
    }
    if (rp_is(err, RP_E_UNCLEARED)) {
        return back_with(request, "error", "uncleared");
    }
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return back_with(request, "error", "gone");
    }
    RP_TRY(err);
    return back_with(request, "done", remove ? "removed" : "changed");
}

rp_err rp_page_members_post(struct rp_request *request) {
    RP_TRY(rp_request_allow(request, RP_ACTION_MANAGE));
    struct rp_pairs form;
    RP_TRY(rp_request_form(request, &form));
    rp_view what = rp_pairs_get(form, "do");
    if (rp_view_equal(what, RP_VIEW("invite"))) {
        return invite(request, form);
    }
    return change(request, form, rp_view_equal(what, RP_VIEW("remove")));
}
