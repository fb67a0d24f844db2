/* shares_page.c — an organisation's links, for its administrators: every way out, and its end. */
#include "base/assert.h"
#include "base/checked.h"
#include "web/handlers.h"
#include "web/shares_api.h"
#include "web/templates.h"

enum { BODY_MAX = 2 << 20 };

static rp_err open_own(struct rp_request *request, struct rp_space *ret_space) {
    RP_TRY(rp_request_allow(request, RP_ACTION_MANAGE_SHARES));
    struct rp_space space = {
        .env = &request->web->env, .tenant = request->who.tenant, .person = request->who.person};
    RP_TRY(rp_store_tenant(request->thread->store, space.tenant, false, &space.db, &request->diag));
    RP_TRY(rp_identity_tenant_key(request->thread->identity, space.tenant, &space.key));
    *ret_space = space;
    return RP_OK;
}

/* Who made it: the address, or a few digits of who is no longer here. */
static rp_view name_of(struct rp_request *request, rp_id id) {
    struct rp_person person;
    rp_err err = rp_identity_person(request->thread->identity, id, request->who.tenant, &person);
    return rp_ok(err) ? rp_arena_printf(request->arena, "%s", person.email)
                      : rp_arena_printf(request->arena, "%.8s…", rp_id_print(id).s);
}

/* The text with its {} filled, in the arena. */
static rp_view say(struct rp_request *request, enum rp_text_key key, rp_view one, rp_view two,
                   rp_view three) {
    rp_view rest = rp_text(request->lang, key), out = RP_VIEW("");
    const rp_view with[] = {one, two, three};
    for (size_t i = 0; rest.n > 0; i++) {
        size_t at = rp_view_find(rest, RP_VIEW("{}"));
        bool gap = at < rest.n && i < RP_COUNT_OF(with);
        rp_view before = gap ? rp_view_sub(rest, 0, at) : rest;
        rp_view value = gap ? with[i] : RP_VIEW("");
        out = rp_arena_printf(request->arena, "%.*s%.*s%.*s", RP_FMT(out), RP_FMT(before),
                              RP_FMT(value));
        rest = gap ? rp_view_from(rest, at + 2) : RP_VIEW("");
    }
    return out;
}

static rp_view number(struct rp_request *request, uint64_t value) {
    return rp_arena_printf(request->arena, "%llu", (unsigned long long)value);
}

static void fill(struct rp_request *request, const struct rp_share *share,
                 struct rp_template_shares_shares *row) {
    const rp_view none = RP_VIEW("");
    bool spent = share->uses_max != 0 && share->uses >= share->uses_max;
    bool over = spent || share->until_ms <= rp_request_now_ms(request);
    *row = (struct rp_template_shares_shares){
        .id = rp_arena_printf(request->arena, "%s", rp_id_print(share->id).s),
        .what = say(
            request, RP_TEXT_shares_what,
            rp_text(request->lang, share->file ? RP_TEXT_shares_a_file : RP_TEXT_shares_a_record),
            share->collection, share->app),
        .by = name_of(request, share->person),
        .made = rp_page_time(request, share->created_ms),
        .uses = share->uses_max == 0
                    ? say(request, RP_TEXT_shares_uses, number(request, share->uses), none, none)
                    : say(request, RP_TEXT_shares_uses_of, number(request, share->uses),
                          number(request, share->uses_max), none),
        .live = !over && share->ended_ms == 0,
        .password = share->password[0] != 0};
    if (share->ended_ms != 0) {
        row->state = say(request, RP_TEXT_shares_taken_back, rp_page_time(request, share->ended_ms),
                         none, none);
    } else if (over) {
        row->state = rp_text(request->lang, RP_TEXT_shares_over);
    } else {
        row->state =
            say(request, RP_TEXT_shares_live, rp_page_time(request, share->until_ms), none, none);
    }
}

rp_err rp_page_shares(struct rp_request *request) {
    struct rp_space space;
    struct rp_share *shares = NULL;
    size_t count = 0;
    RP_TRY(open_own(request, &space));
    RP_TRY(rp_share_list(&space, RP_VIEW(""), (rp_id){{0}}, request->arena, &shares, &count));
    struct rp_template_shares_shares *rows = rp_arena_array(request->arena, count, sizeof *rows);
    if (!rows) {
        return RP_ERR(NO_MEMORY);
    }
    for (size_t i = 0; i < count; i++) {
        fill(request, &shares[i], &rows[i]);
    }
    bool ended = rp_view_equal(rp_request_query(request, "done"), RP_VIEW("ended"));
    const struct rp_template_shares page = {
        .form_token = rp_form_token(request),
        .notice = ended ? rp_text(request->lang, RP_TEXT_shares_ended) : (rp_view){NULL, 0},
        .any = count > 0,
        .shares = {.p = rows, .n = count}};
    struct rp_buf body = rp_buf_new(BODY_MAX);
    rp_template_shares_print(&body, request->lang, &page);
    rp_page_finish(request, RP_TEXT_shares_title, &body, true);
    return RP_OK;
}

rp_err rp_page_shares_post(struct rp_request *request) {
    struct rp_space space;
    struct rp_pairs form;
    rp_id id;
    RP_TRY(rp_request_form(request, &form));
    if (!rp_id_parse(rp_pairs_get(form, "share"), &id)) {
        return RP_ERR(INVALID);
    }
    RP_TRY(open_own(request, &space));
    rp_err err = rp_share_end(&space, id, (rp_id){{0}});
    if (!rp_ok(err) && !rp_is(err, RP_E_NOT_FOUND)) { /* ended already: the list says so */
        return err;
    }
    request->changed_tenant = space.tenant;
    rp_response_redirect(&request->response, RP_VIEW("/.rempart/id/shares?done=ended"));
    return RP_OK;
}
