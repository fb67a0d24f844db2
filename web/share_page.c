/* share_page.c — what a link shows to its visitor: a page with one button, then the file or the
 * record.
 *
 * Looking at the page uses nothing up: programs that look at links before people do must not spend
 * them. A password is asked for before anything is said of what lies behind.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "web/files_api.h"
#include "web/handlers.h"
#include "web/shares_api.h"
#include "web/templates.h"
#include "wire/encode.h"

enum { BODY_MAX = 2 << 20, FIELDS_MAX = 200, VALUE_MAX = RP_RECORD_MAX };

struct visit {
    struct rp_space space;
    struct rp_share share;
    char tenant_name[129];
};

/* ---- finding it ---- */

/* What the visitor is told; the same for a link that never was and one of another organisation. */
static rp_err explain(struct rp_request *request, rp_err err) {
    enum rp_text_key key = RP_TEXT_share_unknown;
    if (rp_is(err, RP_E_EXPIRED)) {
        key = RP_TEXT_share_over;
    } else if (rp_is(err, RP_E_DENIED)) {
        key = RP_TEXT_share_closed;
    } else if (!rp_is(err, RP_E_NOT_FOUND)) {
        return err;
    }
    rp_diag_clear(&request->diag);
    return rp_fail(&request->diag, err, "%.*s", RP_FMT(rp_text(request->lang, key)));
}

static rp_err open_space(struct rp_request *request, struct rp_space *ret_space) {
    struct rp_space space = {.env = &request->web->env};
    if (!rp_id_parse(request->segments[0], &space.tenant) || rp_id_is_none(space.tenant)) {
        return RP_ERR(NOT_FOUND);
    }
    RP_TRY(rp_store_tenant(request->thread->store, space.tenant, false, &space.db, NULL));
    RP_TRY(rp_identity_tenant_key(request->thread->identity, space.tenant, &space.key));
    *ret_space = space;
    return RP_OK;
}

static rp_err find(struct rp_request *request, struct visit *visit) {
    rp_view token = {NULL, 0};
    RP_TRY(open_space(request, &visit->space));
    if (!rp_ok(rp_base64url_decode(request->segments[1], request->arena, &token))) {
        return RP_ERR(NOT_FOUND);
    }
    RP_TRY(rp_share_find(&visit->space, token, request->arena, &visit->share));
    visit->space.app = visit->share.app;
    return rp_identity_tenant_name(request->thread->identity, visit->space.tenant,
                                   visit->tenant_name);
}

/* What lies behind, as it is now, if its label still allows that. */
static rp_err look_file(struct rp_request *request, struct visit *visit, struct rp_file *ret_file) {
    struct rp_share_rule rule = rp_api_share_rule(request);
    RP_TRY(rp_space_file_read(&visit->space, visit->share.collection, visit->share.record, 0,
                              request->arena, ret_file));
    return rp_share_check_label(&visit->space, &visit->share, ret_file->record.label, &rule);
}

static rp_err look_record(struct rp_request *request, struct visit *visit,
                          struct rp_record *ret_record) {
    struct rp_share_rule rule = rp_api_share_rule(request);
    RP_TRY(rp_space_read(&visit->space, visit->share.collection, visit->share.record,
                         request->arena, ret_record));
    return rp_share_check_label(&visit->space, &visit->share, ret_record->label, &rule);
}

/* ---- the page ---- */

static rp_err show_page(struct rp_request *request, struct visit *visit, rp_view error) {
    const struct rp_share *share = &visit->share;
    struct rp_template_share page = {.form_token = rp_form_token(request),
                                     .error = error,
                                     .tenant = rp_view_from_cstr(visit->tenant_name),
                                     .until = rp_page_time(request, share->until_ms),
                                     .action = request->path,
                                     .password = share->password[0] != 0,
                                     .file = share->file,
                                     .once = share->uses_max != 0 &&
                                             share->uses + 1 == share->uses_max};
    if (share->file && !page.password) {
        struct rp_file file;
        RP_TRY(look_file(request, visit, &file));
        page.name = file.name;
        page.size = rp_page_size(request, file.size);
    }
    struct rp_buf body = rp_buf_new_wiping(BODY_MAX);
    rp_template_share_print(&body, request->lang, &page);
    rp_page_finish(request, share->file ? RP_TEXT_share_file_title : RP_TEXT_share_record_title,
                   &body, false);
    return RP_OK;
}

rp_err rp_page_share(struct rp_request *request) {
    struct visit visit = {.space = {.env = NULL}};
    rp_err err = find(request, &visit);
    if (rp_ok(err)) {
        err = show_page(request, &visit, (rp_view){NULL, 0});
    }
    if (rp_is(err, RP_E_DENIED)) {
        request->changed_tenant = visit.space.tenant;
    }
    return rp_ok(err) ? RP_OK : explain(request, err);
}

/* ---- what is behind it ---- */

static rp_err give_file(struct rp_request *request, struct visit *visit) {
    struct rp_sending *sending = rp_arena_alloc(request->arena, sizeof *sending);
    if (!sending) {
        return RP_ERR(NO_MEMORY);
    }
    *sending = (struct rp_sending){.collection = visit->share.collection, .blob = {.fd = -1}};
    RP_TRY(look_file(request, visit, &sending->file));
    RP_TRY(rp_share_use(&visit->space, &visit->share));
    request->state = rp_arena_cstr(request->arena, visit->share.app);
    return request->state ? rp_api_send_bytes(request, &visit->space, sending) : RP_ERR(NO_MEMORY);
}

static rp_err fill_fields(struct rp_request *request, rp_view document,
                          struct rp_template_share_fields fields[static FIELDS_MAX],
                          size_t *ret_count) {
    struct rp_json *json = NULL;
    size_t count = 0;
    RP_TRY(rp_json_parse(document, RP_JSON_LIMITS, request->arena, &json, NULL));
    bool flat = json->kind != RP_JSON_OBJECT || json->count > FIELDS_MAX;
    for (const struct rp_json *one = flat ? json : json->first; one && count < FIELDS_MAX;
         one = flat ? NULL : one->next) {
        _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new_wiping(VALUE_MAX);
        if (one->kind == RP_JSON_STRING) {
            rp_buf_add(&text, one->string);
        } else {
            RP_TRY(rp_json_print(one, &text));
        }
        fields[count].name = flat ? RP_VIEW("–") : one->key;
        RP_TRY(rp_arena_copy(request->arena, rp_buf_view(&text), &fields[count].value));
        count++;
    }
    *ret_count = count;
    return RP_OK;
}

static rp_err give_record(struct rp_request *request, struct visit *visit) {
    struct rp_record record = {0};
    struct rp_template_share_fields *fields =
        rp_arena_array(request->arena, FIELDS_MAX, sizeof *fields);
    size_t count = 0;
    if (!fields) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(look_record(request, visit, &record));
    RP_TRY(fill_fields(request, record.document, fields, &count));
    RP_TRY(rp_share_use(&visit->space, &visit->share));
    const struct rp_template_share page = {.shown = true,
                                           .tenant = rp_view_from_cstr(visit->tenant_name),
                                           .fields = {.p = fields, .n = count}};
    struct rp_buf body = rp_buf_new_wiping(BODY_MAX);
    rp_template_share_print(&body, request->lang, &page);
    rp_page_finish(request, RP_TEXT_share_record_title, &body, false);
    return RP_OK;
}

/* ---- the button ---- */

static rp_err try_password(struct rp_request *request, struct visit *visit) {
    struct rp_pairs form;
    RP_TRY(rp_request_form(request, &form));
    rp_view password = rp_pairs_get(form, "password");
    if (rp_is(rp_share_may_try(&visit->space, &visit->share), RP_E_RATE)) {
        return show_page(request, visit, rp_text(request->lang, RP_TEXT_share_wait));
    }
    size_t n = strlen(visit->share.password);
    if (n >= sizeof request->password.text) {
        return RP_ERR(CORRUPT);
    }
    memcpy(request->password.text, visit->share.password, n + 1);
    rp_request_password(request, RP_PASSWORD_VERIFY,
                        password.n <= RP_PASSWORD_MAX ? password : RP_VIEW(""));
    return RP_OK;
}

static rp_err answer(struct rp_request *request, struct visit *visit) {
    request->changed_tenant = visit->space.tenant;
    if (visit->share.password[0] && request->step == 0) {
        return try_password(request, visit);
    }
    if (visit->share.password[0] && !rp_ok(request->password.result)) {
        RP_TRY(rp_share_wrong(&visit->space, &visit->share));
        return show_page(request, visit, rp_text(request->lang, RP_TEXT_share_wrong));
    }
    return visit->share.file ? give_file(request, visit) : give_record(request, visit);
}

rp_err rp_page_share_post(struct rp_request *request) {
    struct visit visit = {.space = {.env = NULL}};
    if (request->flow.entered) { /* the rest of a file */
        RP_TRY(open_space(request, &visit.space));
        visit.space.app = rp_view_from_cstr(request->state);
        return rp_api_send_more(request, &visit.space);
    }
    rp_err err = find(request, &visit);
    if (rp_ok(err)) {
        err = answer(request, &visit);
    }
    return rp_ok(err) ? RP_OK : explain(request, err);
}
