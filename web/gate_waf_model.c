/* gate_waf_model.c — what signed-in people sent to an application that learns, as a model that the
 * machine's owner may take. Nothing is in force by asking. */
#include "base/checked.h"
#include "shield/sent_io.h"
#include "web/gate_waf.h"
#include "web/handlers.h"

enum { SENT_ARENA = 8 << 20, MODEL_MAX = 1 << 20 };

static bool is_an_app(const struct rp_config *config, rp_view name) {
    for (size_t i = 0; i < config->app_count; i++) {
        if (rp_view_equal(name, rp_view_from_cstr(config->apps[i].name))) {
            return true;
        }
    }
    return false;
}

static rp_err print_model(struct rp_request *request, struct rp_sent_all *all, rp_view app,
                          struct rp_waf_least least) {
    rp_view lang = rp_request_query(request, "lang");
    size_t seen = all->count;
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(MODEL_MAX);
    const struct rp_sent_least rows = {.people = (unsigned)least.people,
                                       .organisations = (unsigned)least.organisations};
    RP_TRY(
        rp_sent_model(all, app, rows, rp_view_equal(lang, RP_VIEW("fr")) ? RP_FR : RP_EN, &text));
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_string(request->arena, root, "app", app);
    rp_json_add_u64(request->arena, root, "rows", seen);
    rp_json_add_u64(request->arena, root, "people_least", least.people);
    rp_json_add_u64(request->arena, root, "organisations_least", least.organisations);
    rp_json_add_string(request->arena, root, "model", rp_buf_view(&text));
    return rp_api_send(request, 200, root);
}

rp_err rp_admin_waf_model(struct rp_request *request) {
    struct rp_db *db = NULL;
    struct rp_waf_least least;
    struct rp_sent_all all;
    rp_view app = rp_request_query(request, "app");
    if (!is_an_app(request->web->config, app)) {
        return rp_fail(&request->diag, RP_ERR(NOT_FOUND), "there is no application %.*s",
                       RP_FMT(rp_view_sub(app, 0, 32)));
    }
    RP_TRY(rp_store_system(request->thread->store, &db, NULL));
    RP_TRY(rp_waf_least_of(request, db, &least));
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(SENT_ARENA);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_sent_collect(app, rp_env_now_ms(&request->web->env), arena, &all));
    return print_model(request, &all, app, least);
}
