#include "identity/internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "wire/encode.h"

enum { EVENT_ARENA = 64 * 1024 };

static rp_err emit_tenant_created(struct rp_identity *identity, rp_id tenant) {
    struct rp_event *event = rp_identity_event(identity, RP_EVENT_TENANT_CREATED);
    rp_event_add_id(event, "tenant", tenant);
    return rp_db_emit(identity->db, event);
}

/* The installation's own tenant: it has no people, only the key of the keyed indexes. */
static rp_err find_or_make_home(struct rp_db *db, void *ctx) {
    struct rp_identity *identity = ctx;
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "SELECT id FROM tenant WHERE internal = 1", &row));
    rp_err err = rp_row_first(row);
    if (rp_ok(err)) {
        identity->home = rp_row_id(row, 0);
        return rp_id_is_none(identity->home) ? RP_ERR(CORRUPT) : RP_OK;
    }
    if (!rp_is(err, RP_E_NOT_FOUND)) {
        return err;
    }
    identity->home = rp_env_new_id(identity->env);
    struct rp_row *insert = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO tenant (id, name, internal, ready, created_ms) "
                       "VALUES (?1, '', 1, 0, ?2)",
                       &insert));
    rp_row_bind_id(insert, 1, identity->home);
    rp_row_bind_u64(insert, 2, (uint64_t)rp_identity_now(identity));
    RP_TRY(rp_row_run(insert, NULL));
    return emit_tenant_created(identity, identity->home);
}

static void free_identity(struct rp_identity **identity) {
    rp_identity_free(*identity);
}

rp_err rp_identity_new(const struct rp_env *env, struct rp_store *store, struct rp_keys *keys,
                       const struct rp_identity_options *options,
                       struct rp_identity **ret_identity) {
    RP_ASSERT(env != NULL && store != NULL && keys != NULL);
    RP_ASSERT(options->session_ms > 0 && options->idle_s > 0);
    _cleanup_(free_identity) struct rp_identity *identity = calloc(1, sizeof *identity);
    if (identity == NULL) {
        return RP_ERR(NO_MEMORY);
    }
    identity->env = env;
    identity->store = store;
    identity->keys = keys;
    identity->options = *options;
    identity->arena = rp_arena_new(EVENT_ARENA);
    if (identity->arena == NULL) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_store_system(store, &identity->db, NULL));
    RP_TRY(rp_db_transact(identity->db, find_or_make_home, identity));
    *ret_identity = rp_take(&identity);
    return RP_OK;
}

void rp_identity_free(struct rp_identity *identity) {
    if (identity != NULL) {
        rp_arena_free(identity->arena);
        free(identity);
    }
}

struct rp_event *rp_identity_event(struct rp_identity *identity, enum rp_event_kind kind) {
    rp_arena_reset(identity->arena);
    struct rp_event *event =
        rp_event_new(identity->arena, kind, rp_identity_now(identity), RP_ROLE_CORE);
    RP_ASSERT(event != NULL); /* the arena keeps its first block, and an event is small */
    return event;
}

struct rp_roles_text rp_roles_print(unsigned roles) {
    RP_ASSERT(roles != 0 && (roles & ~(unsigned)RP_ROLES_ALL) == 0);
    struct rp_roles_text text;
    int n = snprintf(text.s, sizeof text.s, "%s%s%s", roles & RP_MEMBER ? " member" : "",
                     roles & RP_TENANT_ADMIN ? " tenant_admin" : "",
                     roles & RP_OPERATOR ? " operator" : "");
    RP_ASSERT(n > 1 && (size_t)n < sizeof text.s);
    memmove(text.s, text.s + 1, (size_t)n);
    return text;
}

/* ---- tokens ---- */

void rp_token_new(const struct rp_env *env, struct rp_token *ret_token) {
    uint8_t bytes[RP_TOKEN_BYTES];
    env->fill_random(env->ctx, bytes, sizeof bytes);
    struct rp_buf text = rp_buf_new(RP_TOKEN_TEXT);
    rp_base64url_print(&text, rp_view_of(bytes, sizeof bytes));
    RP_ASSERT(rp_ok(rp_buf_err(&text)) && text.n == RP_TOKEN_TEXT);
    memcpy(ret_token->s, text.p, RP_TOKEN_TEXT);
    ret_token->s[RP_TOKEN_TEXT] = 0;
    rp_wipe(text.p, text.n);
    rp_buf_done(&text);
    rp_wipe(bytes, sizeof bytes);
}

rp_err rp_token_hash(rp_view token, struct rp_sha256 *ret_hash) {
    if (token.n != RP_TOKEN_TEXT) {
        return RP_ERR(NOT_FOUND);
    }
    *ret_hash = rp_sha256_of(token);
    return RP_OK;
}
