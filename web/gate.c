/* gate.c — what the gate asks for: an assertion, minted and put where every worker finds it. */
#include "base/assert.h"
#include "base/checked.h"
#include "web/handlers.h"
#include "web/register_desk.h"

enum { JWT_MAX = 2048 };

/* The same words as in the kms' claims: separated by spaces. */
static void print_roles(unsigned roles, struct rp_buf *out) {
    static const struct {
        unsigned role;
        const char *name;
    } names[] = {
        {RP_MEMBER, "member"}, {RP_TENANT_ADMIN, "tenant_admin"}, {RP_OPERATOR, "operator"}};
    for (size_t i = 0; i < RP_COUNT_OF(names); i++) {
        if (roles & names[i].role) {
            rp_buf_printf(out, "%s%s", out->n ? " " : "", names[i].name);
        }
    }
}

static rp_err mint(struct rp_request *request, const struct rp_person *person, rp_view roles,
                   struct rp_buf *jwt) {
    const struct rp_assertion assertion = {.audience = request->app,
                                           .person = request->who.person,
                                           .tenant = request->who.tenant,
                                           .session = request->session.view.session,
                                           .email = rp_view_from_cstr(person->email),
                                           .roles = roles,
                                           .acr = rp_acr_name(request->who.acr)};
    RP_TRY(rp_keys_assert(request->thread->keys, &assertion, jwt));
    const struct rp_assertion_entry entry = {.jwt = rp_buf_view(jwt),
                                             .email = assertion.email,
                                             .roles = roles,
                                             .minted_ms = rp_request_now_ms(request)};
    return rp_assertion_table_put(request->web->assertions, assertion.session,
                                  rp_view_from_cstr(request->app), &entry);
}

/*= S10: whom the persons register lists and who is not active reaches no application */
static rp_err check_onboarded(struct rp_request *request) {
    if (!request->web->registers) {
        return RP_OK;
    }
    struct rp_desk desk;
    RP_TRY(rp_desk_open(request, &desk));
    return desk.actor.waiting ? rp_fail(&request->diag, RP_ERR(DENIED), "onboarding") : RP_OK;
}

rp_err rp_gate_assert(struct rp_request *request) {
    struct rp_person person;
    RP_TRY(rp_identity_person(request->thread->identity, request->who.person, request->who.tenant,
                              &person));
    request->who.roles = person.roles; /* a right taken away since the sign-in is gone now */
    RP_TRY(rp_request_allow(request, RP_ACTION_USE_APP));
    RP_TRY(check_onboarded(request));
    struct rp_buf jwt = rp_buf_new(JWT_MAX);
    struct rp_buf roles = rp_buf_new(128);
    print_roles(person.roles, &roles);
    rp_err err = mint(request, &person, rp_buf_view(&roles), &jwt);
    rp_buf_done(&jwt);
    rp_buf_done(&roles);
    RP_TRY(err);
    request->response.status = 204;
    return RP_OK;
}

/* The built-in application of the canaries: shows what an application receives, to canaries only.
 */
rp_err rp_canary_answer(struct rp_request *request) {
    if (!request->thread) {
        return RP_ERR(OVERLOAD);
    }
    rp_view token = rp_request_param(request, "HTTP_REMPART_ASSERTION");
    rp_id session;
    RP_TRY(rp_assertion_check(request, token, RP_VIEW("canary"), &request->who, &session));
    struct rp_person person;
    RP_TRY(rp_identity_person(request->thread->identity, request->who.person, request->who.tenant,
                              &person));
    if (!rp_is_canary(person.tenant_name)) {
        return RP_ERR(NOT_FOUND);
    }
    /* Careless on purpose, as applications are: what reaches a browser is up to the gate (S81). */
    rp_response_head(&request->response, "Set-Cookie", RP_VIEW("canary=1; Path=/.rempart/canary/"));
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_string(request->arena, root, "assertion", token);
    rp_json_add_cstr(request->arena, root, "tenant", rp_id_print(request->who.tenant).s);
    rp_json_add_cstr(request->arena, root, "person", rp_id_print(request->who.person).s);
    return rp_api_send(request, 200, root);
}
