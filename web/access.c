#include "web/access.h"

#include "base/assert.h"
#include "base/checked.h"
#include "identity/api_token.h"
#include "identity/apps.h"
#include "spaces/grants.h"
#include "web/cookies.h"
#include "wire/encode.h"

enum { NEXT_MAX = 1024, FORM_TOKEN_BYTES = 24 };

/* The policy's reason for whoever is refused. */
static const char *refusal(const struct rp_diag *diag, const char *reason) {
    static const struct {
        const char *reason, *words;
    } refusals[] = {{"role", "none of your roles allows this"},
                    {"tenant", "this belongs to another organisation"},
                    {"second_factor", "this takes a second factor: sign in again with it"},
                    {"signed_out", "this takes a sign-in"}};
    for (size_t i = 0; i < RP_COUNT_OF(refusals); i++) {
        if (strcmp(reason, refusals[i].reason) == 0) {
            return rp_diag_say(diag, refusals[i].words);
        }
    }
    return reason;
}

rp_err rp_request_allow(struct rp_request *request, enum rp_action action) {
    struct rp_policy_options options = RP_POLICY_OPTIONS;
    if (strcmp(request->web->config->second_factor, "optional") == 0) {
        options.app_least_acr = RP_ACR_PWD;
    }
    struct rp_decision decision =
        rp_policy_decide(&options, &request->who, action, request->who.tenant);
    return decision.allowed ? RP_OK
                            : rp_fail(&request->diag, RP_ERR(DENIED), "%s",
                                      refusal(&request->diag, decision.reason));
}

void rp_event_add_asker(struct rp_event *event, const struct rp_request *request) {
    if (request->from_cli) {
        rp_event_add_text(event, "by", RP_VIEW("owner"));
    } else {
        rp_event_add_id(event, "by", request->who.person);
    }
}

/* ---- forms ---- */

rp_view rp_form_token(struct rp_request *request) {
    rp_view have = rp_request_cookie(request, RP_COOKIE_FORM);
    if (have.n == FORM_TOKEN_BYTES * 4 / 3) {
        return have;
    }
    uint8_t bytes[FORM_TOKEN_BYTES];
    request->web->env.fill_random(request->web->env.ctx, bytes, sizeof bytes);
    struct rp_buf text = rp_buf_new(64);
    rp_base64url_print(&text, rp_view_of(bytes, sizeof bytes));
    rp_view token = {NULL, 0};
    rp_err err = rp_arena_copy(request->arena, rp_buf_view(&text), &token);
    rp_buf_done(&text);
    if (!rp_ok(err)) {
        return (rp_view){NULL, 0}; /* the form will be refused: fail closed */
    }
    rp_response_cookie(&request->response, RP_COOKIE_FORM, token, 0);
    return token;
}

static bool is_our_origin(rp_view origin, rp_view host) {
    return rp_view_starts(origin, RP_VIEW("https://")) && host.n > 0 &&
           rp_view_equal_nocase(rp_view_from(origin, 8), host);
}

rp_err rp_form_check(rp_view cookie, rp_view field, rp_view fetch_site, rp_view origin,
                     rp_view host) {
    if (fetch_site.p && !rp_view_equal(fetch_site, RP_VIEW("same-origin"))) {
        return RP_ERR(DENIED);
    }
    if (origin.p && !is_our_origin(origin, host)) {
        return RP_ERR(DENIED);
    }
    if (cookie.n != FORM_TOKEN_BYTES * 4 / 3 || !rp_ct_equal(cookie, field)) {
        return RP_ERR(DENIED);
    }
    return RP_OK;
}

static rp_err check_form(struct rp_request *request) {
    struct rp_pairs form;
    RP_TRY(rp_request_form(request, &form));
    return rp_form_check(rp_request_cookie(request, RP_COOKIE_FORM), rp_pairs_get(form, "form"),
                         rp_request_param(request, "HTTP_SEC_FETCH_SITE"),
                         rp_request_param(request, "HTTP_ORIGIN"),
                         rp_request_param(request, "HTTP_HOST"));
}

rp_view rp_next_path(rp_view next) {
    rp_view home = RP_VIEW("/");
    if (next.n == 0 || next.n > NEXT_MAX || next.p[0] != '/' || (next.n > 1 && next.p[1] == '/')) {
        return home;
    }
    for (size_t i = 0; i < next.n; i++) {
        /* A browser reads "\" as "/" and drops tabs and line breaks. */
        if (next.p[i] <= 32 || next.p[i] > 126 || next.p[i] == '\\') {
            return home;
        }
    }
    return next;
}

/* ---- people ---- */

/* The table knows idle time and revocation at once, the database knows the rest. */
static rp_err check_session(struct rp_request *request) {
    rp_view cookie = rp_request_cookie(request, RP_COOKIE_SESSION);
    if (!cookie.p) {
        return RP_ERR(UNAUTHENTICATED);
    }
    struct rp_sha256 hash = rp_sha256_of(cookie);
    struct rp_session_view view;
    rp_err err = rp_session_table_find(request->web->sessions, request->web->seen, &hash,
                                       rp_request_now_ms(request), &view);
    if (rp_ok(err)) {
        err = rp_identity_session(request->thread->identity, cookie, &request->session);
    }
    if (rp_is(err, RP_E_EXPIRED)) {
        return RP_ERR(UNAUTHENTICATED);
    }
    RP_TRY(err);
    const struct rp_session_view *found = &request->session.view;
    request->who = (struct rp_who){
        .person = found->person, .tenant = found->tenant, .roles = found->roles, .acr = found->acr};
    return RP_OK;
}

/* ---- applications ---- */

/* What a route asks of a token: by its address, and whether it writes. */
static unsigned scope_of(const struct rp_route *route) {
    rp_view rest = rp_view_from(route->path, strlen("/.rempart/api/v1/"));
    rp_view place = rp_view_cut(&rest, '/');
    if (rp_view_equal(place, RP_VIEW("files")) || rp_view_equal(place, RP_VIEW("uploads"))) {
        return route->writes ? RP_SCOPE_FILES_WRITE : RP_SCOPE_FILES_READ;
    }
    if (rp_view_equal(place, RP_VIEW("shares"))) {
        return RP_SCOPE_SHARES;
    }
    return route->writes ? RP_SCOPE_RECORDS_WRITE : RP_SCOPE_RECORDS_READ;
}

static rp_err check_scope(struct rp_request *request) {
    unsigned wanted = scope_of(request->route);
    if (request->scopes & wanted) {
        return RP_OK;
    }
    char name[RP_SCOPES_TEXT];
    rp_scopes_print(wanted, name);
    return rp_fail(&request->diag, RP_ERR(DENIED), "this needs the scope %s", name);
}

/* "TENANT.TEXT": the tenant says which database holds the grant. */
static bool read_grant(const struct rp_request *request, rp_id *ret_tenant, rp_view *ret_text) {
    rp_view text = rp_request_param(request, "HTTP_REMPART_GRANT");
    rp_view tenant = rp_view_cut(&text, '.');
    *ret_text = text;
    return text.p && rp_id_parse(tenant, ret_tenant) && !rp_id_is_none(*ret_tenant);
}

/* Who gave it must still be an administrator there: a grant does not outlive a leaver. */
static rp_err check_giver(struct rp_request *request, rp_id tenant, rp_id person) {
    struct rp_person giver;
    rp_err err = rp_identity_person(request->thread->identity, person, tenant, &giver);
    if (rp_is(err, RP_E_NOT_FOUND) || (rp_ok(err) && !(giver.roles & RP_TENANT_ADMIN))) {
        return rp_fail(&request->diag, RP_ERR(UNAUTHENTICATED),
                       "who gave this grant is no longer an administrator");
    }
    return err;
}

/*= S175 */ /* an application without a person in front of it: an organisation's grant says what */
static rp_err check_grant(struct rp_request *request) {
    struct rp_space space = {.env = &request->web->env};
    struct rp_grant grant;
    rp_view text = {NULL, 0}, token = {NULL, 0};
    if (!read_grant(request, &space.tenant, &text) ||
        !rp_ok(rp_base64url_decode(text, request->arena, &token))) {
        return RP_ERR(UNAUTHENTICATED);
    }
    rp_err err = rp_store_tenant(request->thread->store, space.tenant, false, &space.db, NULL);
    if (rp_ok(err)) {
        err = rp_identity_tenant_key(request->thread->identity, space.tenant, &space.key);
    }
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return RP_ERR(UNAUTHENTICATED);
    }
    RP_TRY(err);
    RP_TRY(rp_grant_use(&space, token, rp_view_from_cstr(request->app), request->arena, &grant));
    request->changed_tenant = space.tenant;
    RP_TRY(check_giver(request, space.tenant, grant.person));
    request->scopes &= grant.scopes;
    request->who = (struct rp_who){
        .person = grant.person, .tenant = space.tenant, .roles = RP_MEMBER, .acr = RP_ACR_MFA};
    return RP_OK;
}

/* The token behind "Bearer", whose letters may be of either case (RFC 9110 section 11.1). */
static rp_view bearer_token(const struct rp_request *request) {
    static const rp_view scheme = RP_VIEW_INIT("Bearer ");
    rp_view given = rp_request_param(request, "HTTP_AUTHORIZATION");
    bool bearer = given.n > scheme.n && rp_view_equal_nocase(rp_view_of(given.p, scheme.n), scheme);
    return bearer ? rp_view_from(given, scheme.n) : (rp_view){NULL, 0};
}

static rp_err check_app(struct rp_request *request) {
    rp_view text = bearer_token(request);
    struct rp_app_token token;
    if (!text.p) {
        return RP_ERR(UNAUTHENTICATED);
    }
    RP_TRY(rp_identity_app_of_token(request->thread->identity, text, &token));
    memcpy(request->app, token.app, sizeof token.app);
    request->scopes = token.scopes;
    rp_view assertion = rp_request_param(request, "HTTP_REMPART_ASSERTION");
    rp_id session;
    RP_TRY(assertion.p || !rp_request_param(request, "HTTP_REMPART_GRANT").p
               ? rp_assertion_check(request, assertion, rp_view_from_cstr(request->app),
                                    &request->who, &session)
               : check_grant(request));
    return check_scope(request);
}

/* Client heads reach us as HTTP_*: REMPART_APP can only come from the gate's own configuration. */
static rp_err check_gate(struct rp_request *request) {
    rp_view app = rp_request_param(request, "REMPART_APP");
    if (app.n == 0 || app.n >= sizeof request->app) {
        return RP_ERR(NOT_FOUND);
    }
    memcpy(request->app, app.p, app.n);
    request->app[app.n] = 0;
    return check_session(request);
}

/* A browser sends JSON to another site only after asking, and names the page that sends it. */
static rp_err check_same_origin(const struct rp_request *request) {
    rp_view site = rp_request_param(request, "HTTP_SEC_FETCH_SITE");
    rp_view origin = rp_request_param(request, "HTTP_ORIGIN");
    rp_view host = rp_request_param(request, "HTTP_HOST");
    bool ours = site.p ? rp_view_equal(site, RP_VIEW("same-origin")) : origin.p != NULL;
    return ours && (!origin.p || is_our_origin(origin, host)) ? RP_OK : RP_ERR(DENIED);
}

/* A program's token: no cookie goes along, so no page of another site can use it. */
static rp_err check_api_token(struct rp_request *request, rp_view secret) {
    struct rp_api_token token;
    RP_TRY(rp_identity_use_api_token(request->thread->identity, secret, &token));
    if (request->method != RP_GET && !token.write) {
        return rp_fail(&request->diag, RP_ERR(DENIED), "scope: read");
    }
    rp_view registers = {NULL, 0};
    RP_TRY(rp_arena_copy(request->arena, rp_view_from_cstr(token.registers), &registers));
    bool owner = rp_id_is_none(token.person);
    request->who =
        (struct rp_who){.person = token.person, .roles = owner ? RP_OPERATOR : token.roles};
    request->staff =
        (struct rp_staff){.how = "token", .registers = rp_arena_cstr(request->arena, registers)};
    return request->staff.registers ? RP_OK : RP_ERR(NO_MEMORY);
}

static rp_err check_staff(struct rp_request *request) {
    if (request->from_cli) {
        request->staff = (struct rp_staff){.how = "cli"};
        return RP_OK;
    }
    rp_view token = bearer_token(request);
    if (token.p && rp_is_api_token(token)) {
        return check_api_token(request, token);
    }
    if (request->method != RP_GET) {
        RP_TRY(check_same_origin(request));
    }
    RP_TRY(check_session(request));
    if (request->who.acr < RP_ACR_MFA) {
        return RP_ERR(SECOND_FACTOR);
    }
    /* The second factor was shown when the session began. */
    int64_t lasts_ms = (int64_t)request->web->config->session_hours * 3600 * 1000;
    request->staff = (struct rp_staff){
        .how = "session", .second_factor_ms = request->session.view.expires_ms - lasts_ms};
    return RP_OK;
}

rp_err rp_access_check(struct rp_request *request, const struct rp_route *route) {
    RP_ASSERT(request->thread != NULL || route->guard == RP_GUARD_OPEN ||
              route->guard == RP_GUARD_FORM);
    if (route->writes && atomic_load(&request->web->ledger_down)) {
        return RP_ERR(LEDGER_DOWN);
    }
    if (route->writes && atomic_load(&request->web->disk_low)) {
        return RP_ERR(NO_SPACE);
    }
    switch (route->guard) {
    case RP_GUARD_OPEN:
        return RP_OK;
    case RP_GUARD_FORM:
        return check_form(request);
    case RP_GUARD_SESSION:
        if (route->method != RP_GET) {
            RP_TRY(check_form(request));
        }
        return check_session(request);
    case RP_GUARD_APP:
        return check_app(request);
    case RP_GUARD_STAFF:
        return check_staff(request);
    case RP_GUARD_GATE:
        return check_gate(request);
    case RP_GUARD_METRICS:
        return request->from_cli || rp_request_param(request, "REMPART_METRICS").n > 0
                   ? RP_OK
                   : RP_ERR(NOT_FOUND);
    case RP_GUARD_OWNER:
        return request->from_cli ? RP_OK : RP_ERR(NOT_FOUND);
    }
    RP_UNREACHABLE();
}

bool rp_access_tenant_hint(const struct rp_request *request, rp_id *ret_tenant) {
    rp_view text = {NULL, 0};
    return rp_assertion_tenant(request, ret_tenant) || read_grant(request, ret_tenant, &text);
}
