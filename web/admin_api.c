/* admin_api.c — administration from the machine itself: run/cli.sock, the owner or root. */
#include "base/assert.h"
#include "base/checked.h"
#include "identity/members.h"
#include "web/handlers.h"

enum { LINK_MAX = 512 };

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
        return rp_fail(&request->diag, RP_ERR(INVALID),
                       "tenant: the id that \"rempart tenant list\" prints");
    }
    rp_view role = rp_json_get_string(body, "role");
    unsigned roles;
    if (!rp_ok(rp_role_read(role.p ? role : RP_VIEW("member"), &roles))) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "role: member, admin, operator");
    }
    struct rp_token token;
    struct rp_invite invite = {.tenant = tenant,
                               .email = rp_json_get_string(body, "email"),
                               .roles = roles,
                               .lang = &request->lang};
    rp_view record = rp_json_get_string(body, "record");
    if (record.p && !rp_id_parse(record, &invite.record)) {
        return rp_fail(&request->diag, RP_ERR(INVALID),
                       "record: the id of a record of the persons register");
    }
    rp_err err = rp_identity_invite_person(request->thread->identity, &invite, &token);
    if (rp_is(err, RP_E_INVALID)) {
        return rp_fail(&request->diag, err,
                       "email: an address such as lea@example.com, in a customer's tenant");
    }
    RP_TRY(err);
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_string(request->arena, root, "link",
                       rp_enrol_link(request->web, request->arena, &token));
    rp_wipe(&token, sizeof token);
    return rp_api_send(request, 201, root);
}

/* ---- who is there, and what becomes of them ---- */

struct listing {
    struct rp_arena *arena;
    struct rp_json *list;
};

static void add_factors(struct rp_arena *arena, struct rp_json *person,
                        const struct rp_member *member) {
    struct rp_json *factors = rp_json_add_object(arena, person, "factors");
    rp_json_add_bool(arena, factors, "totp", member->has_totp);
    rp_json_add_u64(arena, factors, "passkeys", member->passkeys);
    rp_json_add_u64(arena, factors, "recovery_codes", member->recovery_left);
}

static rp_err list_person(void *ctx, const struct rp_member *member) {
    struct listing *listing = ctx;
    struct rp_json *json = rp_json_add_object(listing->arena, listing->list, NULL);
    rp_json_add_cstr(listing->arena, json, "id", rp_id_print(member->person).s);
    rp_json_add_cstr(listing->arena, json, "email", member->email);
    rp_json_add_cstr(listing->arena, json, "role", rp_role_word(member->roles));
    rp_json_add_cstr(listing->arena, json, "state", member->invited ? "invited" : "enrolled");
    rp_json_add_cstr(listing->arena, json, member->invited ? "valid_until" : "since",
                     rp_time_print(member->since_ms / 1000).s);
    if (!member->invited) {
        add_factors(listing->arena, json, member);
    }
    return json ? RP_OK : RP_ERR(TOO_LARGE);
}

rp_err rp_admin_tenant(struct rp_request *request, rp_view text, rp_id *ret_tenant) {
    return rp_id_parse(text, ret_tenant)
               ? RP_OK
               : rp_fail(&request->diag, RP_ERR(INVALID),
                         "tenant: the id that \"rempart tenant list\" prints");
}

rp_err rp_admin_people(struct rp_request *request) {
    rp_id tenant;
    RP_TRY(rp_admin_tenant(request, rp_request_query(request, "tenant"), &tenant));
    struct rp_json *root = rp_json_object(request->arena);
    struct listing listing = {.arena = request->arena,
                              .list = rp_json_add_array(request->arena, root, "people")};
    RP_TRY(rp_identity_each_member(request->thread->identity, tenant, list_person, &listing));
    return rp_api_send(request, 200, root);
}

rp_err rp_admin_find_person(struct rp_request *request, rp_id tenant, rp_id *ret_person) {
    if (rp_id_parse(request->segments[0], ret_person)) {
        return RP_OK;
    }
    return rp_identity_member_at(request->thread->identity, tenant, request->segments[0],
                                 ret_person);
}

rp_err rp_admin_person_change(struct rp_request *request) {
    struct rp_json *body = NULL;
    struct rp_member_change change = {.roles = 0};
    RP_TRY(rp_request_json(request, &body, &request->diag));
    RP_TRY(rp_admin_tenant(request, rp_json_get_string(body, "tenant"), &change.tenant));
    rp_view role = rp_json_get_string(body, "role");
    if (!rp_view_equal(role, RP_VIEW("none")) && !rp_ok(rp_role_read(role, &change.roles))) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "role: none, member, admin, operator");
    }
    RP_TRY(rp_admin_find_person(request, change.tenant, &change.person));
    rp_err err = rp_members_change(request, &change);
    if (rp_is(err, RP_E_NOT_FOUND) && change.roles) {
        rp_view text = rp_text(request->lang, RP_TEXT_error_only_invited);
        return rp_fail(&request->diag, err, "%.*s", RP_FMT(text));
    }
    if (rp_is(err, RP_E_CONFLICT)) {
        rp_view text = rp_text(request->lang, RP_TEXT_error_last_admin);
        return rp_fail(&request->diag, err, "%.*s", RP_FMT(text));
    }
    RP_TRY(err);
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_cstr(request->arena, root, "id", rp_id_print(change.person).s);
    rp_json_add_cstr(request->arena, root, "role",
                     change.roles ? rp_role_word(change.roles) : "none");
    return rp_api_send(request, 200, root);
}
