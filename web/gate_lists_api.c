/* gate_lists_api.c — the gate's allow and deny lists, for the machine's owner: read, changed one by
 * one, or a file of networks at once. What is stored stands in the workers' table a second later.
 */
#include "base/checked.h"
#include "shield/lists_io.h"
#include "web/handlers.h"

enum { LIST_DEFAULT = 1000, LIST_MAX = 5000, IMPORT_BYTES = 8 << 20, LIST_ARENA = 16 << 20 };

/* ---- reading ---- */

static void add_text(struct rp_arena *arena, struct rp_json *one, const char *key, rp_view text) {
    if (text.n > 0) {
        rp_json_add_string(arena, one, key, text);
    }
}

struct listing {
    struct rp_arena *arena;
    struct rp_json *list;
    size_t count;
    rp_id last;
};

static rp_err add_entry(void *ctx, const struct rp_list_row *row) {
    struct listing *listing = ctx;
    struct rp_arena *arena = listing->arena;
    struct rp_json *one = rp_json_add_object(arena, listing->list, NULL);
    rp_json_add_cstr(arena, one, "id", rp_id_print(row->id).s);
    rp_json_add_cstr(arena, one, "action", row->entry.action == RP_LIST_ALLOW ? "allow" : "deny");
    add_text(arena, one, "network", row->network);
    add_text(arena, one, "path", row->entry.path);
    add_text(arena, one, "method", row->entry.method);
    add_text(arena, one, "header", row->entry.header);
    add_text(arena, one, "value", row->entry.value);
    rp_json_add_string(arena, one, "reason", row->reason);
    rp_json_add_string(arena, one, "by", row->who);
    rp_json_add_cstr(arena, one, "since", rp_time_print(row->created_ms / 1000).s);
    if (row->expires_ms > 0) {
        rp_json_add_cstr(arena, one, "until", rp_time_print(row->expires_ms / 1000).s);
    }
    listing->count++;
    listing->last = row->id;
    return one ? RP_OK : RP_ERR(TOO_LARGE);
}

rp_err rp_admin_gate_lists(struct rp_request *request) {
    size_t limit = LIST_DEFAULT;
    rp_id after = {{0}};
    rp_view after_text = rp_request_query(request, "after");
    struct rp_db *db = NULL;
    if (after_text.p && !rp_id_parse(after_text, &after)) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "after");
    }
    RP_TRY(rp_request_limit(request, LIST_DEFAULT, LIST_MAX, &limit));
    RP_TRY(rp_store_system(request->thread->store, &db, NULL));
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(LIST_ARENA);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    struct rp_json *root = rp_json_object(arena);
    struct listing listing = {.arena = arena, .list = rp_json_add_array(arena, root, "entries")};
    RP_TRY(rp_lists_each(db, after, limit, add_entry, &listing));
    if (listing.count == limit) {
        rp_json_add_cstr(arena, root, "next", rp_id_print(listing.last).s);
    }
    return rp_api_send(request, 200, root);
}

/* ---- changing ---- */

static rp_err read_action(struct rp_request *request, rp_view word,
                          enum rp_list_action *ret_action) {
    bool allow = rp_view_equal(word, RP_VIEW("allow"));
    if (!allow && !rp_view_equal(word, RP_VIEW("deny"))) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "action: allow or deny");
    }
    *ret_action = allow ? RP_LIST_ALLOW : RP_LIST_DENY;
    return RP_OK;
}

/* Stored already, whatever becomes of the table: the chores make it again. */
static rp_err publish_and_answer(struct rp_request *request, struct rp_db *db, int status,
                                 rp_id entry, size_t count) {
    rp_err err = rp_lists_publish(db, true);
    if (!rp_ok(err)) {
        return rp_fail(&request->diag, err, "stored; run/lists.tab is tried again");
    }
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_u64(request->arena, root, "count", count);
    if (count == 1) {
        rp_json_add_cstr(request->arena, root, "id", rp_id_print(entry).s);
    }
    return rp_api_send(request, status, root);
}

static rp_err read_entry(struct rp_request *request, const struct rp_json *body,
                         struct rp_list_entry *ret_entry) {
    struct rp_list_entry entry = {.any_address = true,
                                  .path = rp_json_get_string(body, "path"),
                                  .method = rp_json_get_string(body, "method"),
                                  .header = rp_json_get_string(body, "header"),
                                  .value = rp_json_get_string(body, "value")};
    rp_view network = rp_json_get_string(body, "network");
    if (network.n > 0) {
        entry.any_address = false;
        rp_err err = rp_ip_net_parse(network, &entry.network);
        if (!rp_ok(err)) {
            return rp_fail(&request->diag, RP_ERR(INVALID),
                           rp_is(err, RP_E_INVALID)
                               ? "\"%.*s\" is no network like 192.0.2.0/24 or 2001:db8::/32: "
                                 "bits beyond its length are set"
                               : "\"%.*s\" is no network like 192.0.2.0/24 or 2001:db8::/32",
                           RP_FMT(rp_view_sub(network, 0, 60)));
        }
    }
    *ret_entry = entry;
    return rp_list_entry_check(&entry, &request->diag);
}

rp_err rp_admin_gate_list_put(struct rp_request *request) {
    struct rp_json *body = NULL;
    struct rp_list_entry entry;
    struct rp_db *db = NULL;
    uint64_t expires_ms = 0;
    rp_id id;
    RP_TRY(rp_request_json(request, &body, &request->diag));
    struct rp_list_change change = {.reason = rp_json_get_string(body, "reason"),
                                    .who = rp_json_get_string(body, "by")};
    RP_TRY(read_action(request, rp_json_get_string(body, "action"), &change.action));
    RP_TRY(read_entry(request, body, &entry));
    if (rp_json_get(body, "expires_ms") && !rp_json_get_u64(body, "expires_ms", &expires_ms)) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "expires_ms");
    }
    change.expires_ms = (int64_t)expires_ms;
    RP_TRY(rp_store_system(request->thread->store, &db, NULL));
    RP_TRY(rp_lists_put(&request->web->env, db, &change, &entry, 1, &id, &request->diag));
    return publish_and_answer(request, db, 201, id, 1);
}

/* {"by":…} and what the entry asks for, or its id. */
rp_err rp_admin_gate_list_remove(struct rp_request *request) {
    struct rp_json *body = NULL;
    struct rp_db *db = NULL;
    rp_id id;
    RP_TRY(rp_request_json(request, &body, &request->diag));
    rp_view text = rp_json_get_string(body, "id");
    if (text.p && !rp_id_parse(text, &id)) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "id");
    }
    if (!text.p) {
        struct rp_list_entry entry;
        RP_TRY(read_entry(request, body, &entry));
        id = rp_list_id(&entry);
    }
    RP_TRY(rp_store_system(request->thread->store, &db, NULL));
    RP_TRY(rp_lists_remove(&request->web->env, db, id, rp_json_get_string(body, "by")));
    return publish_and_answer(request, db, 200, id, 1);
}

/* ---- a file of networks, all or none ---- */

struct import {
    struct rp_buf text;
    struct rp_list_entry *entries;
    size_t count;
};

static void import_done(void *state) {
    struct import *import = state;
    rp_buf_done(&import->text);
}

static rp_err add_network(void *ctx, const struct rp_ip_net *network) {
    struct import *import = ctx;
    import->entries[import->count++] = (struct rp_list_entry){.network = *network};
    return RP_OK;
}

static rp_err read_import_change(struct rp_request *request, struct rp_list_change *ret_change) {
    struct rp_list_change change = {.reason = rp_request_query(request, "reason"),
                                    .who = rp_request_query(request, "by")};
    uint64_t expires_ms = 0;
    rp_view expires = rp_request_query(request, "expires_ms");
    RP_TRY(read_action(request, rp_request_query(request, "action"), &change.action));
    if (expires.p && !rp_view_to_u64(expires, (1ULL << 53) - 1, &expires_ms)) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "expires_ms");
    }
    change.expires_ms = (int64_t)expires_ms;
    *ret_change = change;
    return RP_OK;
}

static rp_err import_whole(struct rp_request *request, struct import *import) {
    struct rp_list_change change;
    struct rp_db *db = NULL;
    rp_id id;
    RP_TRY(rp_buf_err(&import->text));
    RP_TRY(read_import_change(request, &change));
    _cleanup_(rp_arena_freep) struct rp_arena *arena =
        rp_arena_new(RP_LIST_IMPORT_MAX * sizeof *import->entries);
    import->entries =
        arena ? rp_arena_array(arena, RP_LIST_IMPORT_MAX, sizeof *import->entries) : NULL;
    if (!import->entries) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_list_lines(rp_buf_view(&import->text), RP_LIST_IMPORT_MAX, add_network, import,
                         &request->diag));
    RP_TRY(rp_store_system(request->thread->store, &db, NULL));
    RP_TRY(rp_lists_put(&request->web->env, db, &change, import->entries, import->count, &id,
                        &request->diag));
    return publish_and_answer(request, db, 201, id, import->count);
}

rp_err rp_admin_gate_list_import(struct rp_request *request) {
    struct import *import = request->flow.state;
    if (!request->flow.entered) {
        import = rp_arena_alloc(request->arena, sizeof *import);
        if (!import) {
            return RP_ERR(NO_MEMORY);
        }
        *import = (struct import){.text = rp_buf_new(IMPORT_BYTES)};
        request->flow.state = import;
        request->flow.done = import_done;
        request->flow.more = true;
        return RP_OK;
    }
    if (request->flow.cut) {
        return RP_ERR(CLOSED);
    }
    rp_buf_add(&import->text, request->flow.piece);
    request->flow.more = !request->flow.last;
    return request->flow.last ? import_whole(request, import) : rp_buf_err(&import->text);
}
