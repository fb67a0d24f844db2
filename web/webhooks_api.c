/* webhooks_api.c — the operator's own programs, as the machine's owner sees them: how far, how they
 * answer; tested and resumed by hand.
 */
#include "base/checked.h"
#include "notify/webhooks.h"
#include "web/handlers.h"

static void add_time(struct rp_arena *arena, struct rp_json *json, const char *key, int64_t ms) {
    if (ms > 0) {
        rp_json_add_cstr(arena, json, key, rp_time_print(ms / 1000).s);
    }
}

static const char *state_of(const struct rp_webhook *hook) {
    return hook->paused_ms > 0 ? "paused" : hook->failing_ms > 0 ? "failing" : "running";
}

static void describe(struct rp_arena *arena, struct rp_json *list,
                     const struct rp_config_webhook *config, const struct rp_webhook *hook) {
    struct rp_json *json = rp_json_add_object(arena, list, NULL);
    rp_json_add_cstr(arena, json, "name", config->name);
    rp_json_add_cstr(arena, json, "endpoint", config->endpoint);
    struct rp_json *events = rp_json_add_array(arena, json, "events");
    for (size_t i = 0; i < config->events.count; i++) {
        rp_json_add_cstr(arena, events, NULL, config->events.items[i]);
    }
    rp_json_add_cstr(arena, json, "state", state_of(hook));
    rp_json_add_u64(arena, json, "sent", hook->sent);
    rp_json_add_u64(arena, json, "at", hook->at);
    rp_json_add_bool(arena, json, "testing", hook->test_ms > 0);
    rp_json_add_cstr(arena, json, "problem", hook->problem);
    add_time(arena, json, "last", hook->last_ms);
    add_time(arena, json, "failing_since", hook->failing_ms);
    add_time(arena, json, "next_try", hook->paused_ms > 0 ? 0 : hook->next_ms);
}

/* {"webhooks":[…]} as the configuration lists them. */
rp_err rp_admin_webhooks(struct rp_request *request) {
    const struct rp_config *config = request->web->config;
    struct rp_db *db = NULL;
    RP_TRY(rp_store_system(request->thread->store, &db, NULL));
    struct rp_json *root = rp_json_object(request->arena);
    struct rp_json *list = rp_json_add_array(request->arena, root, "webhooks");
    for (size_t i = 0; i < config->webhook_count; i++) {
        struct rp_webhook hook = {.at = 0};
        rp_err err = rp_webhook_find(db, rp_view_from_cstr(config->webhooks[i].name), &hook);
        if (!rp_ok(err) && !rp_is(err, RP_E_NOT_FOUND)) {
            return err;
        }
        describe(request->arena, list, &config->webhooks[i], &hook);
    }
    return rp_api_send(request, 200, root);
}

/* The name, of one that the configuration has. */
static rp_err open_named(struct rp_request *request, struct rp_db **ret_db) {
    const struct rp_config *config = request->web->config;
    for (size_t i = 0; i < config->webhook_count; i++) {
        if (rp_view_equal(request->segments[0], rp_view_from_cstr(config->webhooks[i].name))) {
            return rp_store_system(request->thread->store, ret_db, NULL);
        }
    }
    return rp_fail(&request->diag, RP_ERR(NOT_FOUND), "webhooks: %.*s",
                   RP_FMT(request->segments[0]));
}

/* The sender calls it within a second; the list says what came of it. */
rp_err rp_admin_webhook_test(struct rp_request *request) {
    struct rp_db *db = NULL;
    RP_TRY(open_named(request, &db));
    RP_TRY(rp_webhook_ask_test(&request->web->env, db, request->segments[0]));
    return rp_api_send(request, 202, rp_json_object(request->arena));
}

rp_err rp_admin_webhook_resume(struct rp_request *request) {
    struct rp_db *db = NULL;
    RP_TRY(open_named(request, &db));
    RP_TRY(rp_webhook_resume(db, request->segments[0]));
    return rp_api_send(request, 200, rp_json_object(request->arena));
}
