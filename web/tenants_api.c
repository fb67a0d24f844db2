/* tenants_api.c — organisations, from the machine itself: listed, made, closed, and closing taken
 * back.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "identity/closing.h"
#include "web/handlers.h"

struct listing {
    struct rp_request *request;
    struct rp_json *list;
};

static void add_closing(struct rp_arena *arena, struct rp_json *json,
                        const struct rp_closing *closing) {
    rp_json_add_cstr(arena, json, "closes_at", rp_time_print(closing->due_ms / 1000).s);
    rp_json_add_cstr(arena, json, "state",
                     closing->destroyed_ms ? "destroyed"
                     : closing->ended_ms   ? "ended"
                                           : "closing");
}

static rp_err list_one(void *ctx, rp_id tenant, rp_view name) {
    const struct listing *listing = ctx;
    struct rp_arena *arena = listing->request->arena;
    struct rp_json *json = rp_json_add_object(arena, listing->list, NULL);
    rp_json_add_cstr(arena, json, "id", rp_id_print(tenant).s);
    rp_json_add_string(arena, json, "name", name);
    struct rp_closing closing;
    rp_err err = rp_identity_closing(listing->request->thread->identity, tenant, &closing);
    if (rp_ok(err)) {
        add_closing(arena, json, &closing);
    } else if (!rp_is(err, RP_E_NOT_FOUND)) {
        return err;
    }
    return json ? RP_OK : RP_ERR(TOO_LARGE);
}

rp_err rp_admin_tenants(struct rp_request *request) {
    struct rp_json *root = rp_json_object(request->arena);
    struct listing listing = {.request = request,
                              .list = rp_json_add_array(request->arena, root, "tenants")};
    RP_TRY(rp_identity_each_tenant(request->thread->identity, list_one, &listing));
    return rp_api_send(request, 200, root);
}

rp_err rp_admin_tenant_create(struct rp_request *request) {
    struct rp_json *body = NULL;
    RP_TRY(rp_request_json(request, &body, &request->diag));
    rp_view name = rp_json_get_string(body, "name");
    rp_id tenant;
    rp_err err = rp_identity_new_tenant(request->thread->identity, name, &tenant);
    if (rp_is(err, RP_E_INVALID)) {
        return rp_fail(&request->diag, err,
                       "name: 1 to 128 bytes, without control characters and marks of direction");
    }
    if (rp_is(err, RP_E_DUPLICATE)) {
        return rp_fail(&request->diag, err,
                       "name: an organisation is called so already (rempart tenant list)");
    }
    RP_TRY(err);
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_cstr(request->arena, root, "id", rp_id_print(tenant).s);
    rp_json_add_string(request->arena, root, "name", name);
    return rp_api_send(request, 201, root);
}

/* ---- the end of one ---- */

static rp_err read_tenant(struct rp_request *request, rp_id *ret_tenant, char name[static 129]) {
    if (!rp_id_parse(request->segments[0], ret_tenant)) {
        return rp_fail(&request->diag, RP_ERR(INVALID),
                       "tenant: the id that \"rempart tenant list\" prints");
    }
    return rp_identity_tenant_name(request->thread->identity, *ret_tenant, name);
}

/* Whoever closes writes the name once more: an id is easily the wrong one. */
rp_err rp_admin_tenant_close(struct rp_request *request) {
    struct rp_json *body = NULL;
    struct rp_closing closing;
    rp_id tenant;
    char name[129];
    uint64_t days = (uint64_t)request->web->config->close_days;
    RP_TRY(rp_request_json(request, &body, &request->diag));
    RP_TRY(read_tenant(request, &tenant, name));
    if (!rp_view_equal(rp_json_get_string(body, "confirm"), rp_view_from_cstr(name))) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "confirm: the organisation's name");
    }
    if (rp_json_get(body, "days") && !rp_json_get_u64(body, "days", &days)) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "days: 0 to %d", RP_CLOSING_DAYS_MAX);
    }
    RP_TRY(rp_identity_close(request->thread->identity, tenant,
                             (unsigned)RP_MIN(days, (uint64_t)RP_CLOSING_DAYS_MAX + 1), &closing,
                             &request->diag));
    request->changed_tenant = tenant;
    atomic_store(&request->web->closing, true);
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_cstr(request->arena, root, "id", rp_id_print(tenant).s);
    add_closing(request->arena, root, &closing);
    return rp_api_send(request, 202, root);
}

rp_err rp_admin_tenant_reopen(struct rp_request *request) {
    rp_id tenant;
    char name[129];
    RP_TRY(read_tenant(request, &tenant, name));
    RP_TRY(rp_identity_reopen(request->thread->identity, tenant));
    request->changed_tenant = tenant;
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_cstr(request->arena, root, "id", rp_id_print(tenant).s);
    return rp_api_send(request, 200, root);
}
