/* register_api.c — one record for console, programs and the command line: one desk, one way.
 *
 * A record is named by its id or its number; its version is its ETag. Who sits at the desk: a
 * person by session, a program by a token, the machine's owner by run/cli.sock; what they may do,
 * the register says. register_list_api.c has the lists.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "web/register_desk.h"

/* ---- sitting down ---- */

/* What a handler works on: the register that the address names, of it a record, and what came. */
struct sitting {
    struct rp_desk desk;
    const struct rp_register *reg;
    struct rp_json *body;
    rp_id id;
    struct rp_entry record;
};

static rp_err sit_with_body(struct rp_request *request, struct sitting *s) {
    RP_TRY(rp_request_json(request, &s->body, &request->diag));
    return rp_desk_at(request, &s->desk, &s->reg);
}

static rp_err sit_at_record(struct rp_request *request, struct sitting *s) {
    return rp_desk_at_record(request, &s->desk, &s->reg, &s->id);
}

/* To change the record: with a body, and the version that was seen. */
static rp_err sit_to_change(struct rp_request *request, struct sitting *s) {
    RP_TRY(rp_request_json(request, &s->body, &request->diag));
    return sit_at_record(request, s);
}

static rp_err sit_to_read(struct rp_request *request, struct sitting *s) {
    RP_TRY(sit_at_record(request, s));
    RP_TRY(rp_desk_read(&s->desk, s->reg, s->id, &s->record));
    return rp_desk_check_read(request, &s->desk, s->reg, &s->record);
}

static rp_err send_record(struct rp_request *request, int status, struct sitting *s) {
    rp_view tag =
        rp_arena_printf(request->arena, "\"%llu\"", (unsigned long long)s->record.version);
    rp_response_head(&request->response, "ETag", tag);
    return rp_api_send(request, status, rp_desk_show(&s->desk, &s->record));
}

/* ---- one record ---- */

rp_err rp_api_register_read(struct rp_request *request) {
    struct sitting s;
    RP_TRY(sit_to_read(request, &s));
    return send_record(request, 200, &s);
}

rp_err rp_api_register_history(struct rp_request *request) {
    struct sitting s;
    struct rp_json *list = NULL;
    RP_TRY(sit_to_read(request, &s));
    RP_TRY(rp_desk_history(&s.desk, &s.record, &list));
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add(request->arena, root, "changes", list);
    return rp_api_send(request, 200, root);
}

/* What the API itself prints beside the fields may come back: react-admin sends the whole record.
 */
static bool is_printed(const struct rp_register *reg, rp_view name) {
    static const char *const words[] = {"id",     "register", "number",  "state",     "version",
                                        "author", "created",  "changed", "deadlines", "example"};
    for (size_t i = 0; i < RP_COUNT_OF(words); i++) {
        if (rp_view_equal(name, rp_view_from_cstr(words[i]))) {
            return true;
        }
    }
    const struct rp_field *field = rp_register_field(reg, name);
    return field && (field->type == RP_FIELD_COMPUTED || field->fixed);
}

static struct rp_json *fields_of(struct rp_request *request, const struct rp_register *reg,
                                 const struct rp_json *body) {
    struct rp_json *fields = rp_json_object(request->arena);
    for (struct rp_json *one = body->first, *next; one && fields; one = next) {
        next = one->next;
        const char *key = rp_arena_cstr(request->arena, one->key);
        if (key && !is_printed(reg, one->key)) {
            one->next = NULL;
            rp_json_add(request->arena, fields, key, one);
        }
    }
    return fields;
}

static rp_err read_if_match(const struct rp_request *request, uint64_t *ret_version) {
    rp_view text = rp_view_trim(rp_request_param(request, "HTTP_IF_MATCH"));
    *ret_version = 0;
    if (!text.p || rp_view_equal(text, RP_VIEW("*"))) {
        return RP_OK;
    }
    bool quoted = text.n >= 3 && text.p[0] == '"' && text.p[text.n - 1] == '"';
    return quoted && rp_view_to_u64(rp_view_sub(text, 1, text.n - 2), INT64_MAX, ret_version) &&
                   *ret_version > 0
               ? RP_OK
               : RP_ERR(CONFLICT);
}

rp_err rp_api_register_create(struct rp_request *request) {
    struct sitting s;
    RP_TRY(sit_with_body(request, &s));
    struct rp_change change = {.fields = fields_of(request, s.reg, s.body)};
    RP_TRY(rp_desk_create(&s.desk, s.reg, &change, &s.record));
    return send_record(request, 201, &s);
}

rp_err rp_api_register_edit(struct rp_request *request) {
    struct sitting s;
    RP_TRY(sit_to_change(request, &s));
    struct rp_change change = {.fields = fields_of(request, s.reg, s.body)};
    RP_TRY(read_if_match(request, &change.version));
    RP_TRY(rp_desk_edit(&s.desk, s.reg, s.id, &change, &s.record));
    return send_record(request, 200, &s);
}

/* What react-admin's delete and deleteMany send; they want the record's id back. */
rp_err rp_api_register_take_back(struct rp_request *request) {
    struct sitting s;
    RP_TRY(sit_at_record(request, &s));
    RP_TRY(rp_desk_take_back(&s.desk, s.reg, s.id));
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_cstr(request->arena, root, "id", rp_id_print(s.id).s);
    return rp_api_send(request, 200, root);
}

/* {"move":"approve","reason":"…","fields":{…}} */
rp_err rp_register_read_move(struct rp_request *request, struct rp_desk *ret_desk,
                             struct rp_register_move_request *ret_wanted) {
    struct sitting s;
    RP_TRY(sit_to_change(request, &s));
    struct rp_register_move_request wanted = {
        .reg = s.reg,
        .id = s.id,
        .move = rp_json_get_string(s.body, "move"),
        .change = {.fields = rp_json_get(s.body, "fields"),
                   .reason = rp_json_get_string(s.body, "reason")},
        .signature = rp_json_get(s.body, "signature")};
    RP_TRY(read_if_match(request, &wanted.change.version));
    if (wanted.change.fields && wanted.change.fields->kind != RP_JSON_OBJECT) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "fields: {…}");
    }
    *ret_desk = s.desk;
    *ret_wanted = wanted;
    return RP_OK;
}

/* …,"signature":{"nonce":"…","credential":{…}} of who signs with a key */
rp_err rp_api_register_move(struct rp_request *request) {
    struct sitting s;
    struct rp_register_move_request wanted;
    RP_TRY(rp_register_read_move(request, &s.desk, &wanted));
    if (wanted.signature) {
        RP_TRY(rp_register_take_signature(request, &wanted));
    }
    RP_TRY(rp_desk_move(&s.desk, wanted.reg, wanted.id, wanted.move, &wanted.change, &s.record));
    return send_record(request, 200, &s);
}

/* {"deadline":"review","hold":"why"} or {"deadline":"review","hold":null}: it goes on. */
rp_err rp_api_register_hold(struct rp_request *request) {
    struct sitting s;
    RP_TRY(sit_to_change(request, &s));
    const struct rp_json *hold = rp_json_get(s.body, "hold");
    bool known = hold && (hold->kind == RP_JSON_NULL ||
                          (hold->kind == RP_JSON_STRING && hold->string.n > 0));
    if (!known) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "hold: \"…\" | null");
    }
    RP_TRY(rp_desk_hold(&s.desk, s.reg, s.id, rp_json_get_string(s.body, "deadline"), hold->string,
                        &s.record));
    return send_record(request, 200, &s);
}

/* ---- many ---- */

/* {"ids":[…],"move":"…"|"fields":{…}|"take_back":true,"reason":"…"}: each by itself, each with its
 * outcome. */
static rp_err bulk_one(struct rp_desk *desk, const struct rp_register *reg, rp_id id,
                       const struct rp_json *body) {
    struct rp_entry record;
    struct rp_change change = {.fields = rp_json_get(body, "fields"),
                               .reason = rp_json_get_string(body, "reason")};
    rp_view move = rp_json_get_string(body, "move");
    const struct rp_json *take_back = rp_json_get(body, "take_back");
    if (take_back && take_back->kind == RP_JSON_BOOL && take_back->boolean) {
        return rp_desk_take_back(desk, reg, id);
    }
    return move.p ? rp_desk_move(desk, reg, id, move, &change, &record)
                  : rp_desk_edit(desk, reg, id, &change, &record);
}

rp_err rp_api_register_bulk(struct rp_request *request) {
    struct sitting s;
    RP_TRY(sit_with_body(request, &s));
    const struct rp_json *ids = rp_json_get(s.body, "ids");
    if (!ids || ids->kind != RP_JSON_ARRAY || ids->count > RP_DESK_IDS_MAX) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "ids: […], %d", RP_DESK_IDS_MAX);
    }
    struct rp_json *root = rp_json_object(request->arena);
    struct rp_json *list = rp_json_add_array(request->arena, root, "results");
    for (const struct rp_json *one = ids->first; one; one = one->next) {
        rp_id id = {{0}};
        struct rp_diag diag = {.french = request->diag.french};
        s.desk.diag = &diag;
        rp_err err = rp_id_parse(one->string, &id) ? bulk_one(&s.desk, s.reg, id, s.body)
                                                   : RP_ERR(NOT_FOUND);
        struct rp_json *result = rp_json_add_object(request->arena, list, NULL);
        rp_json_add_string(request->arena, result, "id", one->string);
        rp_json_add_bool(request->arena, result, "done", rp_ok(err));
        if (!rp_ok(err)) {
            rp_json_add_cstr(request->arena, result, "title", rp_err_text(err, request->lang));
            rp_json_add_cstr(request->arena, result, "detail", diag.text);
        }
    }
    return rp_api_send(request, 200, root);
}
