/* shares_page.c — an organisation's links, for its administrators: every way out, and its end. */
#include "base/assert.h"
#include "base/checked.h"
#include "web/admin_page.h"
#include "web/handlers.h"
#include "web/shares_api.h"
#include "web/templates.h"

enum { BODY_MAX = 2 << 20 };

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
        .what = rp_page_say(
            request, RP_TEXT_shares_what,
            rp_text(request->lang, share->file ? RP_TEXT_shares_a_file : RP_TEXT_shares_a_record),
            share->collection, share->app),
        .by = rp_page_person(request, share->person),
        .made = rp_page_time(request, share->created_ms),
        .uses = share->uses_max == 0
                    ? rp_page_say(request, RP_TEXT_shares_uses, number(request, share->uses), none,
                                  none)
                    : rp_page_say(request, RP_TEXT_shares_uses_of, number(request, share->uses),
                                  number(request, share->uses_max), none),
        .live = !over && share->ended_ms == 0,
        .password = share->password[0] != 0};
    if (share->ended_ms != 0) {
        row->state = rp_page_say(request, RP_TEXT_shares_taken_back,
                                 rp_page_time(request, share->ended_ms), none, none);
    } else if (over) {
        row->state = rp_text(request->lang, RP_TEXT_shares_over);
    } else {
        row->state = rp_page_say(request, RP_TEXT_shares_live,
                                 rp_page_time(request, share->until_ms), none, none);
    }
}

rp_err rp_page_shares(struct rp_request *request) {
    struct rp_space space;
    struct rp_share *shares = NULL;
    size_t count = 0;
    RP_TRY(rp_page_open_tenant(request, RP_ACTION_MANAGE_SHARES, &space));
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
    RP_TRY(rp_page_open_tenant(request, RP_ACTION_MANAGE_SHARES, &space));
    rp_err err = rp_share_end(&space, id, (rp_id){{0}});
    if (!rp_ok(err) && !rp_is(err, RP_E_NOT_FOUND)) { /* ended already: the list says so */
        return err;
    }
    request->changed_tenant = space.tenant;
    rp_response_redirect(&request->response, RP_VIEW("/.rempart/id/shares?done=ended"));
    return RP_OK;
}
