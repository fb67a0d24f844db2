/* gate_attack_api.c — "under attack", for the machine's owner: seen, switched on and off. */
#include "base/checked.h"
#include "shield/attack_io.h"
#include "web/handlers.h"

struct listing {
    struct rp_arena *arena;
    struct rp_json *list;
};

static rp_err add_one(void *ctx, const struct rp_attack_change *row) {
    const struct listing *listing = ctx;
    struct rp_json *one = rp_json_add_object(listing->arena, listing->list, NULL);
    if (row->app.n > 0) {
        rp_json_add_string(listing->arena, one, "app", row->app);
    }
    if (row->until_ms > 0) {
        rp_json_add_cstr(listing->arena, one, "until", rp_time_print(row->until_ms / 1000).s);
    }
    rp_json_add_string(listing->arena, one, "by", row->who);
    return one ? RP_OK : RP_ERR(TOO_LARGE);
}

static rp_err send(struct rp_request *request, struct rp_db *db) {
    struct rp_json *root = rp_json_object(request->arena);
    struct listing listing = {request->arena, rp_json_add_array(request->arena, root, "attack")};
    RP_TRY(rp_attack_each(&request->web->env, db, add_one, &listing));
    return rp_api_send(request, 200, root);
}

rp_err rp_admin_gate_attack(struct rp_request *request) {
    struct rp_db *db = NULL;
    RP_TRY(rp_store_system(request->thread->store, &db, NULL));
    return send(request, db);
}

static bool is_app(const struct rp_config *config, rp_view name) {
    for (size_t i = 0; i < config->app_count; i++) {
        if (rp_view_equal(rp_view_from_cstr(config->apps[i].name), name)) {
            return true;
        }
    }
    return false;
}

rp_err rp_admin_gate_attack_switch(struct rp_request *request) {
    struct rp_json *body = NULL;
    struct rp_db *db = NULL;
    uint64_t until_ms = 0;
    RP_TRY(rp_request_json(request, &body, &request->diag));
    struct rp_attack_change change = {.app = rp_json_get_string(body, "app"),
                                      .who = rp_json_get_string(body, "by")};
    if (!rp_json_get_bool(body, "on", &change.on) ||
        (rp_json_get(body, "until_ms") && !rp_json_get_u64(body, "until_ms", &until_ms))) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "on: true or false; until_ms: a number");
    }
    if (change.app.n > 0 && change.on && !is_app(request->web->config, change.app)) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "no application is called \"%.*s\"",
                       RP_FMT(rp_view_sub(change.app, 0, 60)));
    }
    change.until_ms = (int64_t)until_ms;
    RP_TRY(rp_store_system(request->thread->store, &db, NULL));
    rp_err err = rp_attack_switch(&request->web->env, db, &change);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return rp_fail(&request->diag, err,
                       change.app.n ? "it is not on for this one" : "it is not on");
    }
    RP_TRY(err);
    RP_TRY(rp_attack_publish(&request->web->env, db));
    return send(request, db);
}
