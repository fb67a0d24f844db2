/* notices_api.c — what Rempart wrote to people, for the machine's owner: no address, no text. */
#include "notify/outbox.h"

#include "web/handlers.h"

enum { LIST_MAX = 500 };

static void print_one(const struct rp_request *request, struct rp_json *list,
                      const struct rp_notice_row *row) {
    struct rp_arena *arena = request->arena;
    struct rp_json *one = rp_json_add_object(arena, list, NULL);
    rp_json_add_cstr(arena, one, "id", rp_id_print(row->id).s);
    rp_json_add_cstr(arena, one, "channel", rp_notice_channel_name(row->channel));
    rp_json_add_cstr(arena, one, "kind", rp_notice_kind_name(row->kind));
    rp_json_add_cstr(arena, one, "tenant", rp_id_print(row->tenant).s);
    rp_json_add_string(arena, one, "state", row->state);
    rp_json_add_u64(arena, one, "tries", row->tries);
    rp_json_add_cstr(arena, one, "created", rp_time_print(row->created_ms / 1000).s);
    rp_json_add_cstr(arena, one, "next", rp_time_print(row->next_ms / 1000).s);
    rp_json_add_string(arena, one, "problem", row->problem);
}

rp_err rp_admin_notices(struct rp_request *request) {
    struct rp_notice_row *rows = NULL;
    size_t count = 0;
    struct rp_db *db = NULL;
    RP_TRY(rp_store_system(request->thread->store, &db, NULL));
    RP_TRY(rp_notify_list(db, (rp_id){{0}}, LIST_MAX, request->arena, &rows, &count));
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_bool(request->arena, root, "mail_server", request->web->config->smtp_url[0] != 0);
    struct rp_json *list = rp_json_add_array(request->arena, root, "notices");
    for (size_t i = 0; i < count; i++) {
        print_one(request, list, &rows[i]);
    }
    return rp_api_send(request, 200, root);
}

rp_err rp_admin_notice_retry(struct rp_request *request) {
    rp_id id;
    struct rp_db *db = NULL;
    if (!rp_id_parse(request->segments[0], &id)) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "id");
    }
    RP_TRY(rp_store_system(request->thread->store, &db, NULL));
    RP_TRY(rp_notify_retry(&request->web->env, db, id));
    return rp_api_send(request, 200, rp_json_object(request->arena));
}

/* One's own inbox, newest first: what for and when; the text is in the mail. A person's alone: no
 * token's. */
rp_err rp_api_inbox(struct rp_request *request) {
    struct rp_notice_row *rows = NULL;
    size_t count = 0;
    struct rp_db *db = NULL;
    if (strcmp(request->staff.how, "session") != 0) {
        return rp_fail(&request->diag, RP_ERR(DENIED), "session");
    }
    RP_TRY(rp_store_system(request->thread->store, &db, NULL));
    RP_TRY(rp_notify_list(db, request->who.person, LIST_MAX, request->arena, &rows, &count));
    struct rp_json *list = rp_json_array(request->arena);
    for (size_t i = 0; i < count; i++) {
        struct rp_json *one = rp_json_add_object(request->arena, list, NULL);
        rp_json_add_cstr(request->arena, one, "id", rp_id_print(rows[i].id).s);
        rp_json_add_cstr(request->arena, one, "kind", rp_notice_kind_name(rows[i].kind));
        rp_json_add_string(request->arena, one, "state", rows[i].state);
        rp_json_add_cstr(request->arena, one, "created",
                         rp_time_print(rows[i].created_ms / 1000).s);
    }
    return rp_api_send(request, 200, list);
}
