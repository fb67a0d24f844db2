/* token_api.c — tokens for programs that work with the registers. */
#include "identity/api_token.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "identity/passkey.h"
#include "web/register_desk.h"
#include "wire/http.h"

static const int64_t day_ms = (int64_t)86400 * 1000;

/* A token makes no tokens: what it may would outlive it. */
static rp_err check_person(struct rp_request *request) {
    return strcmp(request->staff.how, "token") == 0
               ? rp_fail(&request->diag, RP_ERR(DENIED), "token")
               : RP_OK;
}

/* It works for months without a session, so that whoever makes it is here now: a session that was
 * left open, or stolen, makes none. */
static rp_err check_presence(struct rp_request *request) {
    if (request->from_cli || rp_identity_is_fresh(request->thread->identity, &request->session)) {
        return RP_OK;
    }
    return rp_fail(&request->diag, RP_ERR(SECOND_FACTOR), "%s",
                   request->lang == RP_FR
                       ? "jeton : reconnectez-vous avec le second facteur (moins de dix minutes)"
                       : "token: sign in again with the second factor (within ten minutes)");
}

static rp_err check_registers(struct rp_request *request, rp_view list) {
    if (rp_view_equal(list, RP_VIEW("*"))) {
        return RP_OK;
    }
    while (list.p) {
        rp_view one = rp_view_cut(&list, ' ');
        if (!rp_register_find(request->web->registers, one)) {
            return rp_fail(&request->diag, RP_ERR(NOT_FOUND), "registers: %.*s", RP_FMT(one));
        }
    }
    return RP_OK;
}

static rp_err read_token(struct rp_request *request, const struct rp_json *body,
                         struct rp_api_token *ret_token) {
    rp_view name = rp_json_get_string(body, "name");
    rp_view scope = rp_json_get_string(body, "scope");
    rp_view registers = rp_json_get_string(body, "registers");
    uint64_t days = 0;
    struct rp_api_token token = {.person = request->who.person,
                                 .write = rp_view_equal(scope, RP_VIEW("write"))};
    if (name.n == 0 || name.n > RP_API_TOKEN_NAME_MAX || !rp_utf8_is_name(name)) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "name: 1–%d UTF-8", RP_API_TOKEN_NAME_MAX);
    }
    if (!token.write && !rp_view_equal(scope, RP_VIEW("read"))) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "scope: read, write");
    }
    if (!rp_json_get_u64(body, "days", &days) || days == 0 || days > RP_API_TOKEN_DAYS_MAX) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "days: 1–%d", RP_API_TOKEN_DAYS_MAX);
    }
    if (registers.n == 0 || registers.n > RP_API_TOKEN_REGISTERS_MAX) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "registers: \"*\", \"risks suppliers\"");
    }
    RP_TRY(check_registers(request, registers));
    memcpy(token.name, name.p, name.n);
    memcpy(token.registers, registers.p, registers.n);
    token.expires_ms = rp_request_now_ms(request) + (int64_t)days * day_ms;
    *ret_token = token;
    return RP_OK;
}

static struct rp_json *show(struct rp_arena *arena, const struct rp_api_token *token) {
    struct rp_json *json = rp_json_object(arena);
    rp_json_add_cstr(arena, json, "id", rp_id_print(token->id).s);
    rp_json_add_cstr(arena, json, "name", token->name);
    rp_json_add_cstr(arena, json, "scope", token->write ? "write" : "read");
    rp_json_add_cstr(arena, json, "registers", token->registers);
    rp_json_add_cstr(arena, json, "created", rp_time_print(token->created_ms / 1000).s);
    rp_json_add_cstr(arena, json, "expires", rp_time_print(token->expires_ms / 1000).s);
    return json;
}

/* {"name":"…","scope":"read|write","registers":"*","days":90}; the secret is in this answer only.
 */
rp_err rp_api_token_create(struct rp_request *request) {
    struct rp_json *body = NULL;
    struct rp_api_token token;
    struct rp_api_secret secret;
    RP_TRY(check_person(request));
    RP_TRY(check_presence(request));
    RP_TRY(rp_request_json(request, &body, &request->diag));
    RP_TRY(read_token(request, body, &token));
    RP_TRY(rp_identity_new_api_token(request->thread->identity, &token, &secret));
    struct rp_json *json = show(request->arena, &token);
    rp_json_add_cstr(request->arena, json, "token", secret.s);
    rp_wipe(&secret, sizeof secret);
    return rp_api_send(request, 201, json);
}

struct listing {
    struct rp_arena *arena;
    struct rp_json *list;
};

static rp_err list_one(void *ctx, const struct rp_api_token *token) {
    const struct listing *listing = ctx;
    return rp_json_add(listing->arena, listing->list, NULL, show(listing->arena, token))
               ? RP_OK
               : RP_ERR(TOO_LARGE);
}

rp_err rp_api_token_list(struct rp_request *request) {
    struct listing listing = {request->arena, rp_json_array(request->arena)};
    RP_TRY(check_person(request));
    RP_TRY(rp_identity_each_api_token(request->thread->identity, request->who.person, list_one,
                                      &listing));
    return rp_api_send(request, 200, listing.list);
}

rp_err rp_api_token_end(struct rp_request *request) {
    rp_id id;
    RP_TRY(check_person(request));
    if (!rp_id_parse(request->segments[0], &id)) {
        return RP_ERR(NOT_FOUND);
    }
    RP_TRY(rp_identity_end_api_token(request->thread->identity, request->who.person, id));
    return rp_api_send(request, 200, rp_json_object(request->arena));
}
