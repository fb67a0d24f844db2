/* shares_api.c — links that share, for the application: made, listed, taken back.
 *
 * {"collection":"plans","id":"…","kind":"file","hours":48,"uses":3,"password":"…"} → the link,
 * once.
 */
#include "web/shares_api.h"
#include "base/assert.h"
#include "base/checked.h"
#include "web/handlers.h"
#include "web/spaces_api.h"
#include "wire/encode.h"

enum { HOUR_MS = 3600 * 1000, HOURS_DEFAULT = 7 * 24, PASSWORD_LEAST = 8 };

struct rp_share_rule rp_api_share_rule(const struct rp_request *request) {
    const struct rp_config *config = request->web->config;
    struct rp_share_rule rule = {.label_max = RP_LABEL_NONE,
                                 .longest_ms = (int64_t)config->share_days_max * 24 * HOUR_MS};
    (void)rp_label_of(rp_view_from_cstr(config->share_label_max), &rule.label_max); /* "none" */
    return rule;
}

static void add_share(struct rp_arena *arena, struct rp_json *json, const struct rp_share *share) {
    rp_json_add_cstr(arena, json, "share", rp_id_print(share->id).s);
    rp_json_add_cstr(arena, json, "kind", share->file ? "file" : "record");
    rp_json_add_string(arena, json, "collection", share->collection);
    rp_json_add_cstr(arena, json, "id", rp_id_print(share->record).s);
    rp_json_add_cstr(arena, json, "person", rp_id_print(share->person).s);
    rp_json_add_cstr(arena, json, "created_at", rp_time_print(share->created_ms / 1000).s);
    rp_json_add_cstr(arena, json, "until", rp_time_print(share->until_ms / 1000).s);
    rp_json_add_u64(arena, json, "uses", share->uses);
    if (share->uses_max != 0) {
        rp_json_add_u64(arena, json, "uses_max", share->uses_max);
    }
    rp_json_add_bool(arena, json, "password", share->password[0] != 0);
    if (share->ended_ms != 0) {
        rp_json_add_cstr(arena, json, "ended_at", rp_time_print(share->ended_ms / 1000).s);
    }
}

/* ---- making ---- */

/* Which member is wrong, and what would be right. */
static rp_err wrong(struct rp_request *request, const char *right) {
    return rp_fail(&request->diag, RP_ERR(INVALID), "%s", right);
}

/* A misspelt limit would make a link without one. */
static rp_err check_members(struct rp_request *request, const struct rp_json *body) {
    static const char *const known[] = {"kind", "collection", "id", "hours", "uses", "password"};
    for (const struct rp_json *one = body->first; one; one = one->next) {
        bool found = false;
        for (size_t i = 0; i < RP_COUNT_OF(known) && !found; i++) {
            found = rp_view_equal(one->key, rp_view_from_cstr(known[i]));
        }
        if (!found) {
            return rp_fail(&request->diag, RP_ERR(INVALID),
                           "\"%.*s\": kind, collection, id, hours, uses, password",
                           (int)RP_MIN((size_t)64, one->key.n), (const char *)one->key.p);
        }
    }
    return RP_OK;
}

static rp_err read_target(struct rp_request *request, const struct rp_json *body,
                          struct rp_share *wish) {
    rp_view kind = rp_json_get_string(body, "kind");
    wish->file = rp_view_equal(kind, RP_VIEW("file"));
    wish->collection = rp_json_get_string(body, "collection");
    if (!wish->file && !rp_view_equal(kind, RP_VIEW("record"))) {
        return wrong(request, "kind: record, file");
    }
    if (wish->collection.n == 0 || wish->collection.n > RP_COLLECTION_MAX) {
        return wrong(request, "collection: 1–64 a-z 0-9 -");
    }
    return rp_id_parse(rp_json_get_string(body, "id"), &wish->record)
               ? RP_OK
               : wrong(request, "id: 32 × 0-9 a-f");
}

static rp_err read_limits(struct rp_request *request, const struct rp_json *body,
                          struct rp_share *wish) {
    uint64_t hours_max = request->web->config->share_days_max * 24;
    uint64_t hours = RP_MIN((uint64_t)HOURS_DEFAULT, hours_max);
    if (rp_json_get(body, "hours") &&
        (!rp_json_get_u64(body, "hours", &hours) || hours == 0 || hours > hours_max)) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "hours: 1–%llu",
                       (unsigned long long)hours_max);
    }
    if (rp_json_get(body, "uses") && (!rp_json_get_u64(body, "uses", &wish->uses_max) ||
                                      wish->uses_max == 0 || wish->uses_max > RP_SHARE_USES_MAX)) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "uses: 1–%d", RP_SHARE_USES_MAX);
    }
    wish->until_ms = rp_request_now_ms(request) + (int64_t)hours * HOUR_MS;
    return RP_OK;
}

static rp_err read_wish(struct rp_request *request, struct rp_share *wish, rp_view *ret_password) {
    struct rp_json *body = NULL;
    RP_TRY(rp_request_json(request, &body, &request->diag));
    RP_TRY(check_members(request, body));
    RP_TRY(read_target(request, body, wish));
    RP_TRY(read_limits(request, body, wish));
    rp_view password = rp_json_get_string(body, "password");
    if (rp_json_get(body, "password") && !password.p) {
        return wrong(request, "password: \"…\"");
    }
    if (password.p && (password.n < PASSWORD_LEAST || password.n > RP_PASSWORD_MAX)) {
        return rp_fail(&request->diag, RP_ERR(WEAK), "password: %d–%d", PASSWORD_LEAST,
                       RP_PASSWORD_MAX);
    }
    wish->password = "";
    *ret_password = password;
    return RP_OK;
}

static rp_view link_text(struct rp_request *request, rp_id tenant,
                         const uint8_t token[static RP_SHARE_TOKEN_BYTES]) {
    const struct rp_config *config = request->web->config;
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(64);
    rp_base64url_print(&text, rp_view_of(token, RP_SHARE_TOKEN_BYTES));
    return rp_arena_printf(request->arena, "https://%s:%llu/.rempart/share/%s/%.*s", config->host,
                           (unsigned long long)config->listen, rp_id_print(tenant).s,
                           RP_FMT(rp_buf_view(&text)));
}

static rp_err make(struct rp_request *request, const struct rp_share *wish) {
    struct rp_space space;
    struct rp_share share;
    struct rp_share_rule rule = rp_api_share_rule(request);
    uint8_t token[RP_SHARE_TOKEN_BYTES];
    RP_TRY(rp_api_open_space(request, RP_ACTION_SHARE, &space));
    RP_TRY(rp_share_create(&space, wish, &rule, request->arena, &share, token, &request->diag));
    request->changed_tenant = space.tenant;
    rp_view link = link_text(request, space.tenant, token);
    rp_wipe(token, sizeof token);
    struct rp_json *json = rp_json_object(request->arena);
    add_share(request->arena, json, &share);
    rp_json_add_string(request->arena, json, "link", link);
    return rp_api_send(request, 201, json);
}

rp_err rp_api_share_create(struct rp_request *request) {
    struct rp_share wish = {.uses_max = 0};
    rp_view password = {NULL, 0};
    RP_TRY(read_wish(request, &wish, &password));
    if (request->step == 0 && password.p) {
        rp_request_password(request, RP_PASSWORD_HASH, password);
        return RP_OK;
    }
    if (password.p) {
        RP_TRY(request->password.result);
        wish.password = request->password.text;
    }
    return make(request, &wish);
}

/* ---- listing, ending ---- */

/* A member's own; for an administrator everybody's, which is none. */
static rp_id whose_shares(struct rp_request *request, const struct rp_space *space) {
    struct rp_diag kept = request->diag;
    rp_id whose = space->person;
    if (rp_ok(rp_request_allow(request, RP_ACTION_MANAGE_SHARES))) {
        whose = (rp_id){{0}};
    }
    request->diag = kept;
    return whose;
}

rp_err rp_api_share_list(struct rp_request *request) {
    struct rp_space space;
    struct rp_share *shares = NULL;
    size_t count = 0;
    RP_TRY(rp_api_open_space(request, RP_ACTION_SHARE, &space));
    RP_TRY(rp_share_list(&space, space.app, whose_shares(request, &space), request->arena, &shares,
                         &count));
    struct rp_json *root = rp_json_object(request->arena);
    struct rp_json *list = rp_json_add_array(request->arena, root, "shares");
    for (size_t i = 0; i < count; i++) {
        add_share(request->arena, rp_json_add_object(request->arena, list, NULL), &shares[i]);
    }
    return rp_api_send(request, 200, root);
}

rp_err rp_api_share_end(struct rp_request *request) {
    struct rp_space space;
    rp_id id;
    if (!rp_id_parse(request->segments[0], &id)) {
        return RP_ERR(NOT_FOUND);
    }
    RP_TRY(rp_api_open_space(request, RP_ACTION_SHARE, &space));
    RP_TRY(rp_share_end(&space, id, whose_shares(request, &space)));
    request->changed_tenant = space.tenant;
    request->response.status = 204;
    return RP_OK;
}
