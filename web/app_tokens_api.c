/* app_tokens_api.c — applications' tokens, administered by the machine's owner: rempart app token.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "identity/apps.h"
#include "web/handlers.h"

enum { DAYS_MAX = 3660 };
static const int64_t DAY_MS = (int64_t)24 * 3600 * 1000;

static void add_token(struct rp_arena *arena, struct rp_json *json,
                      const struct rp_app_token *token) {
    char scopes[RP_SCOPES_TEXT];
    rp_scopes_print(token->scopes, scopes);
    rp_json_add_cstr(arena, json, "id", rp_id_print(token->id).s);
    rp_json_add_cstr(arena, json, "app", token->app);
    rp_json_add_cstr(arena, json, "scopes", scopes);
    rp_json_add_cstr(arena, json, "created_at", rp_time_print(token->created_ms / 1000).s);
    if (token->until_ms != 0) {
        rp_json_add_cstr(arena, json, "until", rp_time_print(token->until_ms / 1000).s);
    }
    if (token->ended_ms != 0) {
        rp_json_add_cstr(arena, json, "ended_at", rp_time_print(token->ended_ms / 1000).s);
    }
}

struct listing {
    struct rp_arena *arena;
    struct rp_json *list;
};

static rp_err list_one(void *ctx, const struct rp_app_token *token) {
    struct listing *listing = ctx;
    add_token(listing->arena, rp_json_add_object(listing->arena, listing->list, NULL), token);
    return RP_OK;
}

rp_err rp_admin_app_tokens(struct rp_request *request) {
    struct rp_json *root = rp_json_object(request->arena);
    struct listing listing = {.arena = request->arena,
                              .list = rp_json_add_array(request->arena, root, "tokens")};
    RP_TRY(rp_identity_each_app_token(request->thread->identity, list_one, &listing));
    return rp_api_send(request, 200, root);
}

/* Only for an application that the configuration names: a token of another would serve nobody. */
static bool is_app(const struct rp_config *config, rp_view name) {
    for (size_t i = 0; i < config->app_count; i++) {
        if (rp_view_equal(rp_view_from_cstr(config->apps[i].name), name)) {
            return true;
        }
    }
    return false;
}

static rp_err read_wish(struct rp_request *request, struct rp_app_token *wish) {
    struct rp_json *body = NULL;
    RP_TRY(rp_request_json(request, &body, &request->diag));
    rp_view app = rp_json_get_string(body, "app"), scopes = rp_json_get_string(body, "scopes");
    uint64_t days = 0;
    if (app.n > RP_APP_NAME_MAX || !is_app(request->web->config, app)) {
        return rp_fail(&request->diag, RP_ERR(NOT_FOUND),
                       "no application of this name in apps: of "
                       "rempart.yaml");
    }
    memcpy(wish->app, app.p, app.n);
    RP_TRY(rp_scopes_parse(scopes.p ? scopes : RP_VIEW("*"), &wish->scopes, &request->diag));
    if (rp_json_get(body, "days")) {
        if (!rp_json_get_u64(body, "days", &days) || days == 0 || days > DAYS_MAX) {
            return rp_fail(&request->diag, RP_ERR(INVALID), "days: 1 to %d", DAYS_MAX);
        }
        wish->until_ms = rp_request_now_ms(request) + (int64_t)days * DAY_MS;
    }
    return RP_OK;
}

rp_err rp_admin_app_token_create(struct rp_request *request) {
    struct rp_app_token wish = {.created_ms = rp_request_now_ms(request)};
    struct rp_token token;
    RP_TRY(read_wish(request, &wish));
    RP_TRY(rp_identity_new_app_token(request->thread->identity, &wish, false, &wish.id, &token));
    struct rp_json *json = rp_json_object(request->arena);
    add_token(request->arena, json, &wish);
    rp_json_add_cstr(request->arena, json, "token", token.s);
    rp_wipe(&token, sizeof token);
    return rp_api_send(request, 201, json);
}

rp_err rp_admin_app_token_end(struct rp_request *request) {
    rp_id id;
    rp_err err = rp_id_parse(request->segments[0], &id)
                     ? rp_identity_end_app_token(request->thread->identity, id)
                     : RP_ERR(NOT_FOUND);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return rp_fail(&request->diag, err, "no live token of this id: rempart app token list");
    }
    RP_TRY(err);
    request->response.status = 200;
    return rp_api_send(request, 200, rp_json_object(request->arena));
}
