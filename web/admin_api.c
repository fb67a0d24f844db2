/* admin_api.c — administration from the machine itself: run/cli.sock, the owner or root. */
#include "base/assert.h"
#include "base/checked.h"
#include "web/handlers.h"

enum { LINK_MAX = 512 };

struct listing {
    struct rp_arena *arena;
    struct rp_json *list;
};

static rp_err list_one(void *ctx, rp_id tenant, rp_view name) {
    struct listing *listing = ctx;
    struct rp_json *json = rp_json_add_object(listing->arena, listing->list, NULL);
    rp_json_add_cstr(listing->arena, json, "id", rp_id_print(tenant).s);
    rp_json_add_string(listing->arena, json, "name", name);
    return json ? RP_OK : RP_ERR(TOO_LARGE);
}

rp_err rp_admin_tenants(struct rp_request *request) {
    struct rp_json *root = rp_json_object(request->arena);
    struct listing listing = {.arena = request->arena,
                              .list = rp_json_add_array(request->arena, root, "tenants")};
    RP_TRY(rp_identity_each_tenant(request->thread->identity, list_one, &listing));
    return rp_api_send(request, 200, root);
}

rp_err rp_admin_tenant_create(struct rp_request *request) {
    struct rp_json *body = NULL;
    RP_TRY(rp_request_json(request, &body, &request->diag));
    rp_view name = rp_json_get_string(body, "name");
    if (name.n == 0) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "name");
    }
    rp_id tenant;
    RP_TRY(rp_identity_new_tenant(request->thread->identity, name, &tenant));
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_cstr(request->arena, root, "id", rp_id_print(tenant).s);
    rp_json_add_string(request->arena, root, "name", name);
    return rp_api_send(request, 201, root);
}

static rp_err read_role(rp_view text, unsigned *ret_roles) {
    if (!text.p || rp_view_equal(text, RP_VIEW("member"))) {
        *ret_roles = RP_MEMBER;
    } else if (rp_view_equal(text, RP_VIEW("admin"))) {
        *ret_roles = RP_MEMBER | RP_TENANT_ADMIN;
    } else if (rp_view_equal(text, RP_VIEW("operator"))) {
        *ret_roles = RP_MEMBER | RP_TENANT_ADMIN | RP_OPERATOR;
    } else {
        return RP_ERR(INVALID);
    }
    return RP_OK;
}

rp_view rp_enrol_link(const struct rp_web *web, struct rp_arena *arena,
                      const struct rp_token *token) {
    const struct rp_config *config = web->config;
    return rp_arena_printf(arena, "https://%s:%llu/.rempart/id/enrol?token=%s", config->host,
                           (unsigned long long)config->listen, token->s);
}

rp_err rp_admin_person_invite(struct rp_request *request) {
    struct rp_json *body = NULL;
    RP_TRY(rp_request_json(request, &body, &request->diag));
    rp_id tenant;
    if (!rp_id_parse(rp_json_get_string(body, "tenant"), &tenant)) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "tenant");
    }
    unsigned roles;
    if (!rp_ok(read_role(rp_json_get_string(body, "role"), &roles))) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "role: member, admin, operator");
    }
    struct rp_token token;
    RP_TRY(rp_identity_invite_by_mail(request->thread->identity, tenant,
                                      rp_json_get_string(body, "email"), roles, (rp_id){{0}},
                                      request->lang, &token));
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_string(request->arena, root, "link",
                       rp_enrol_link(request->web, request->arena, &token));
    rp_wipe(&token, sizeof token);
    return rp_api_send(request, 201, root);
}
