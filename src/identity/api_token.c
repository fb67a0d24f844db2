#include "identity/api_token.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "identity/internal.h"

#define PREFIX "rpt_"
enum { PREFIX_BYTES = sizeof PREFIX - 1 };

static void emit_fields(struct rp_event *event, const struct rp_api_token *token) {
    rp_event_add_id(event, "token", token->id);
    rp_event_add_id(event, "by", token->person);
}

/* ---- made ---- */

struct making {
    struct rp_identity *identity;
    const struct rp_api_token *token;
    struct rp_sha256 hash;
};

static rp_err check_room(struct rp_db *db) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "SELECT count(*) FROM api_token", &row));
    RP_TRY(rp_row_first(row));
    return rp_row_u64(row, 0) < RP_API_TOKENS_MAX ? RP_OK : RP_ERR(TOO_LARGE);
}

static rp_err forget_ended(struct rp_db *db, int64_t now_ms) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "DELETE FROM api_token WHERE expires_ms <= ?1", &row));
    rp_row_bind_u64(row, 1, (uint64_t)now_ms);
    return rp_row_run(row, NULL);
}

static rp_err put(struct rp_db *db, void *ctx) {
    const struct making *making = ctx;
    const struct rp_api_token *token = making->token;
    struct rp_row *row = NULL;
    RP_TRY(forget_ended(db, token->created_ms));
    RP_TRY(check_room(db));
    RP_TRY(rp_db_query(db,
                       "INSERT INTO api_token (id, token_hash, name, person, scope, registers, "
                       "created_ms, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                       &row));
    rp_row_bind_id(row, 1, token->id);
    rp_row_bind_blob(row, 2, rp_view_of(making->hash.b, sizeof making->hash.b));
    rp_row_bind_text(row, 3, rp_view_from_cstr(token->name));
    rp_row_bind_id(row, 4, token->person);
    rp_row_bind_text(row, 5, token->write ? RP_VIEW("write") : RP_VIEW("read"));
    rp_row_bind_text(row, 6, rp_view_from_cstr(token->registers));
    rp_row_bind_u64(row, 7, (uint64_t)token->created_ms);
    rp_row_bind_u64(row, 8, (uint64_t)token->expires_ms);
    RP_TRY(rp_row_run(row, NULL));
    struct rp_event *event = rp_identity_event(making->identity, RP_EVENT_API_TOKEN_MADE);
    emit_fields(event, token);
    rp_event_add_text(event, "scope", token->write ? RP_VIEW("write") : RP_VIEW("read"));
    rp_event_add_text(event, "registers", rp_view_from_cstr(token->registers));
    rp_event_add_u64(event, "expires_ms", (uint64_t)token->expires_ms);
    return rp_db_emit(db, event);
}

rp_err rp_identity_new_api_token(struct rp_identity *identity, struct rp_api_token *token,
                                 struct rp_api_secret *ret_secret) {
    RP_ASSERT(identity != NULL && ret_secret != NULL);
    int64_t now_ms = rp_env_now_ms(identity->env), day_ms = (int64_t)86400 * 1000;
    if (token->name[0] == 0 || token->registers[0] == 0 || token->expires_ms <= now_ms ||
        token->expires_ms > now_ms + RP_API_TOKEN_DAYS_MAX * day_ms) {
        return RP_ERR(INVALID);
    }
    struct rp_token text;
    struct making making = {.identity = identity, .token = token};
    token->id = rp_env_new_id(identity->env);
    token->created_ms = now_ms;
    rp_token_new(identity->env, &text);
    RP_TRY(rp_token_hash(rp_view_from_cstr(text.s), &making.hash));
    RP_TRY(rp_db_transact(identity->db, put, &making));
    int n = snprintf(ret_secret->s, sizeof ret_secret->s, PREFIX "%s", text.s);
    RP_ASSERT(n > 0 && (size_t)n < sizeof ret_secret->s);
    return RP_OK;
}

/* ---- used ---- */

bool rp_is_api_token(rp_view text) {
    return rp_view_starts(text, RP_VIEW(PREFIX));
}

static void read_token(struct rp_row *row, struct rp_api_token *ret_token) {
    struct rp_api_token token = {.id = rp_row_id(row, 0),
                                 .person = rp_row_id(row, 1),
                                 .write = rp_view_equal(rp_row_text(row, 3), RP_VIEW("write")),
                                 .created_ms = (int64_t)rp_row_u64(row, 5),
                                 .expires_ms = (int64_t)rp_row_u64(row, 6)};
    rp_view name = rp_row_text(row, 2), registers = rp_row_text(row, 4);
    memcpy(token.name, name.p, RP_MIN(name.n, (size_t)RP_API_TOKEN_NAME_MAX));
    memcpy(token.registers, registers.p, RP_MIN(registers.n, (size_t)RP_API_TOKEN_REGISTERS_MAX));
    *ret_token = token;
}

#define COLUMNS "id, person, name, scope, registers, created_ms, expires_ms"

/* Nobody's membership, nobody's token. */
static rp_err roles_now(struct rp_identity *identity, struct rp_api_token *token) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    bool more = false;
    RP_TRY(rp_db_query(identity->db, "SELECT roles FROM membership WHERE person = ?1", &row));
    rp_row_bind_id(row, 1, token->person);
    RP_TRY(rp_row_next(row, &more));
    while (more) {
        token->roles |= (unsigned)rp_row_u64(row, 0);
        RP_TRY(rp_row_next(row, &more));
    }
    return token->roles != 0 ? RP_OK : RP_ERR(UNAUTHENTICATED);
}

rp_err rp_identity_use_api_token(struct rp_identity *identity, rp_view secret,
                                 struct rp_api_token *ret_token) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    struct rp_sha256 hash;
    struct rp_api_token token;
    if (!rp_is_api_token(secret) ||
        !rp_ok(rp_token_hash(rp_view_from(secret, PREFIX_BYTES), &hash))) {
        return RP_ERR(UNAUTHENTICATED);
    }
    RP_TRY(rp_db_query(identity->db,
                       "SELECT " COLUMNS " FROM api_token WHERE token_hash = ?1 "
                       "AND expires_ms > ?2",
                       &row));
    rp_row_bind_blob(row, 1, rp_view_of(hash.b, sizeof hash.b));
    rp_row_bind_u64(row, 2, (uint64_t)rp_env_now_ms(identity->env));
    rp_err err = rp_row_first(row);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return RP_ERR(UNAUTHENTICATED);
    }
    RP_TRY(err);
    read_token(row, &token);
    if (!rp_id_is_none(token.person)) {
        RP_TRY(roles_now(identity, &token));
    }
    *ret_token = token;
    return RP_OK;
}

rp_err rp_identity_each_api_token(struct rp_identity *identity, rp_id person,
                                  rp_err (*each)(void *ctx, const struct rp_api_token *token),
                                  void *ctx) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    bool more = false;
    RP_TRY(rp_db_query(identity->db,
                       "SELECT " COLUMNS " FROM api_token WHERE ?1 IS NULL OR person = ?1 "
                       "ORDER BY created_ms DESC",
                       &row));
    rp_row_bind_id_or_null(row, 1, person);
    RP_TRY(rp_row_next(row, &more));
    while (more) {
        struct rp_api_token token;
        read_token(row, &token);
        RP_TRY(each(ctx, &token));
        RP_TRY(rp_row_next(row, &more));
    }
    return RP_OK;
}

/* ---- ended ---- */

struct ending {
    struct rp_identity *identity;
    rp_id person, token;
};

static rp_err end(struct rp_db *db, void *ctx) {
    const struct ending *ending = ctx;
    struct rp_row *row = NULL;
    uint64_t count = 0;
    RP_TRY(rp_db_query(db, "DELETE FROM api_token WHERE id = ?1 AND (?2 IS NULL OR person = ?2)",
                       &row));
    rp_row_bind_id(row, 1, ending->token);
    rp_row_bind_id_or_null(row, 2, ending->person); /* the owner ends anybody's */
    RP_TRY(rp_row_run(row, &count));
    if (count == 0) {
        return RP_ERR(NOT_FOUND);
    }
    struct rp_event *event = rp_identity_event(ending->identity, RP_EVENT_API_TOKEN_ENDED);
    emit_fields(event, &(struct rp_api_token){.id = ending->token, .person = ending->person});
    return rp_db_emit(db, event);
}

rp_err rp_identity_end_api_token(struct rp_identity *identity, rp_id person, rp_id token) {
    struct ending ending = {identity, person, token};
    return rp_db_transact(identity->db, end, &ending);
}
