#include "identity/apps.h"

#include "base/assert.h"
#include "base/checked.h"
#include "identity/internal.h"

/* ---- scopes ---- */

static const struct {
    rp_view name;
    enum rp_scope scope;
} scope_names[] = {{RP_VIEW_INIT("records:read"), RP_SCOPE_RECORDS_READ},
                   {RP_VIEW_INIT("records:write"), RP_SCOPE_RECORDS_WRITE},
                   {RP_VIEW_INIT("files:read"), RP_SCOPE_FILES_READ},
                   {RP_VIEW_INIT("files:write"), RP_SCOPE_FILES_WRITE},
                   {RP_VIEW_INIT("shares"), RP_SCOPE_SHARES}};

static unsigned scope_of(rp_view name) {
    for (size_t i = 0; i < RP_COUNT_OF(scope_names); i++) {
        if (rp_view_equal(scope_names[i].name, name)) {
            return scope_names[i].scope;
        }
    }
    return 0;
}

rp_err rp_scopes_parse(rp_view text, unsigned *ret_scopes, struct rp_diag *diag) {
    unsigned scopes = rp_view_equal(rp_view_trim(text), RP_VIEW("*")) ? RP_SCOPES_ALL : 0;
    rp_view rest = text;
    while (scopes != RP_SCOPES_ALL && rest.p) {
        unsigned scope = scope_of(rp_view_trim(rp_view_cut(&rest, ',')));
        if (scope == 0) {
            return rp_fail(diag, RP_ERR(INVALID),
                           "scopes: *, or some of "
                           "records:read,records:write,files:read,files:write,shares");
        }
        scopes |= scope;
    }
    *ret_scopes = scopes;
    return RP_OK;
}

void rp_scopes_print(unsigned scopes, char out[static RP_SCOPES_TEXT]) {
    size_t n = 0;
    for (size_t i = 0; i < RP_COUNT_OF(scope_names); i++) {
        rp_view name = scope_names[i].name;
        if (scopes & scope_names[i].scope) {
            RP_ASSERT(n + name.n + 2 <= RP_SCOPES_TEXT);
            out[n] = ',';
            n += n > 0; /* the first one has no comma before it */
            memcpy(out + n, name.p, name.n);
            n += name.n;
        }
    }
    out[n] = 0;
}

/* ---- tokens ---- */

struct making {
    struct rp_identity *identity;
    const struct rp_app_token *wish;
    struct rp_sha256 hash;
    rp_id id;
    bool alone;
};

static rp_err emit(struct rp_db *db, struct rp_identity *identity, enum rp_event_kind kind,
                   rp_view app, rp_id token) {
    struct rp_event *event = rp_identity_event(identity, kind);
    rp_event_add_text(event, "app", app);
    rp_event_add_id(event, "token", token);
    return rp_db_emit(db, event);
}

static rp_err end_others(struct rp_db *db, const struct making *making) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "UPDATE app_token SET ended_ms = ?2 WHERE app = ?1 AND ended_ms = 0",
                       &row));
    rp_row_bind_text(row, 1, rp_view_from_cstr(making->wish->app));
    rp_row_bind_u64(row, 2, (uint64_t)rp_identity_now(making->identity));
    return rp_row_run(row, NULL);
}

static rp_err put_token(struct rp_db *db, void *ctx) {
    const struct making *making = ctx;
    rp_view app = rp_view_from_cstr(making->wish->app);
    if (making->alone) {
        RP_TRY(end_others(db, making));
    }
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO app_token (id, app, token_hash, scopes, created_ms, until_ms) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                       &row));
    rp_row_bind_id(row, 1, making->id);
    rp_row_bind_text(row, 2, app);
    rp_row_bind_blob(row, 3, rp_hash_view(&making->hash));
    rp_row_bind_u64(row, 4, making->wish->scopes);
    rp_row_bind_u64(row, 5, (uint64_t)rp_identity_now(making->identity));
    rp_row_bind_u64(row, 6, (uint64_t)making->wish->until_ms);
    RP_TRY(rp_row_run(row, NULL));
    return emit(db, making->identity, RP_EVENT_APP_TOKEN, app, making->id);
}

rp_err rp_identity_new_app_token(struct rp_identity *identity, const struct rp_app_token *wish,
                                 bool alone, rp_id *ret_id, struct rp_token *ret_token) {
    RP_ASSERT(identity != NULL && ret_token != NULL);
    bool over = wish->until_ms != 0 && wish->until_ms <= rp_identity_now(identity);
    if (wish->app[0] == 0 || wish->scopes == 0 || wish->scopes > RP_SCOPES_ALL || over) {
        return RP_ERR(INVALID);
    }
    struct rp_token token;
    rp_token_new(identity->env, &token);
    struct making making = {
        .identity = identity, .wish = wish, .id = rp_env_new_id(identity->env), .alone = alone};
    RP_TRY(rp_token_hash(rp_view_from_cstr(token.s), &making.hash));
    RP_TRY(rp_db_transact(identity->db, put_token, &making));
    if (ret_id) {
        *ret_id = making.id;
    }
    *ret_token = token;
    return RP_OK;
}

#define TOKEN_COLUMNS "id, app, scopes, created_ms, until_ms, ended_ms"

static rp_err read_row(struct rp_row *row, struct rp_app_token *ret_token) {
    rp_view app = rp_row_text(row, 1);
    uint64_t scopes = rp_row_u64(row, 2);
    if (app.n == 0 || app.n > RP_APP_NAME_MAX || scopes == 0 || scopes > RP_SCOPES_ALL) {
        return RP_ERR(CORRUPT);
    }
    struct rp_app_token token = {.id = rp_row_id(row, 0),
                                 .scopes = (unsigned)scopes,
                                 .created_ms = (int64_t)rp_row_u64(row, 3),
                                 .until_ms = (int64_t)rp_row_u64(row, 4),
                                 .ended_ms = (int64_t)rp_row_u64(row, 5)};
    memcpy(token.app, app.p, app.n);
    *ret_token = token;
    return RP_OK;
}

rp_err rp_identity_each_app_token(struct rp_identity *identity,
                                  rp_err (*each)(void *ctx, const struct rp_app_token *token),
                                  void *ctx) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db,
                       "SELECT " TOKEN_COLUMNS " FROM app_token ORDER BY created_ms DESC, id",
                       &row));
    bool more = false;
    RP_TRY(rp_row_next(row, &more));
    while (more) {
        struct rp_app_token token;
        RP_TRY(read_row(row, &token));
        RP_TRY(each(ctx, &token));
        RP_TRY(rp_row_next(row, &more));
    }
    return RP_OK;
}

struct ending {
    struct rp_identity *identity;
    rp_id id;
};

static rp_err do_end(struct rp_db *db, void *ctx) {
    const struct ending *ending = ctx;
    struct rp_app_token token;
    {
        _cleanup_(rp_row_donep) struct rp_row *row = NULL;
        RP_TRY(rp_db_query(
            db, "SELECT " TOKEN_COLUMNS " FROM app_token WHERE id = ?1 AND ended_ms = 0", &row));
        rp_row_bind_id(row, 1, ending->id);
        RP_TRY(rp_row_first(row));
        RP_TRY(read_row(row, &token));
    }
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "UPDATE app_token SET ended_ms = ?2 WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, ending->id);
    rp_row_bind_u64(row, 2, (uint64_t)rp_identity_now(ending->identity));
    RP_TRY(rp_row_run(row, NULL));
    return emit(db, ending->identity, RP_EVENT_APP_TOKEN_ENDED, rp_view_from_cstr(token.app),
                token.id);
}

rp_err rp_identity_end_app_token(struct rp_identity *identity, rp_id id) {
    struct ending ending = {identity, id};
    return rp_db_transact(identity->db, do_end, &ending);
}

rp_err rp_identity_app_of_token(struct rp_identity *identity, rp_view token,
                                struct rp_app_token *ret_token) {
    RP_ASSERT(identity != NULL);
    struct rp_sha256 hash;
    struct rp_app_token found;
    if (!rp_ok(rp_token_hash(token, &hash))) {
        return RP_ERR(UNAUTHENTICATED);
    }
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db,
                       "SELECT " TOKEN_COLUMNS " FROM app_token WHERE token_hash = ?1 AND ended_ms "
                       "= 0 AND (until_ms = 0 OR until_ms > ?2)",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&hash));
    rp_row_bind_u64(row, 2, (uint64_t)rp_identity_now(identity));
    rp_err err = rp_row_first(row);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return RP_ERR(UNAUTHENTICATED);
    }
    RP_TRY(err);
    RP_TRY(read_row(row, &found));
    *ret_token = found;
    return RP_OK;
}
