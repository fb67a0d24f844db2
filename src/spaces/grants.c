#include "spaces/grants.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "ipc/pack.h"
#include "spaces/internal.h"

enum { PLACE_MAX = 256 };

static const int64_t HOUR_MS = (int64_t)3600 * 1000;
static const int64_t LONGEST_MS = (int64_t)RP_GRANT_DAYS_MAX * 24 * 3600 * 1000;

static struct rp_buf grant_place(const struct rp_space *space, const struct rp_grant *grant,
                                 const struct rp_sha256 *token) {
    struct rp_buf aad = rp_buf_new(PLACE_MAX);
    rp_pack_bytes(&aad, RP_VIEW("grant"));
    rp_pack_id(&aad, space->tenant);
    rp_pack_id(&aad, grant->id);
    rp_pack_bytes(&aad, rp_view_of(token->b, sizeof token->b));
    rp_pack_bytes(&aad, grant->app);
    rp_pack_u32(&aad, grant->scopes);
    rp_pack_id(&aad, grant->person);
    rp_pack_u64(&aad, (uint64_t)grant->created_ms);
    rp_pack_u64(&aad, (uint64_t)grant->until_ms);
    return aad;
}

static rp_err emit(const struct rp_space *space, enum rp_event_kind kind,
                   const struct rp_grant *grant) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(RP_BEARER_EVENT_ARENA);
    struct rp_event *event = rp_bearer_event(space, kind, arena);
    if (event == NULL) {
        return RP_ERR(NO_MEMORY);
    }
    rp_event_add_text(event, "app", grant->app);
    rp_event_add_id(event, "grant", grant->id);
    return rp_db_emit(space->db, event);
}

/* ---- giving ---- */

struct making {
    const struct rp_space *space;
    const struct rp_grant *grant;
    const struct rp_sha256 *token;
    struct rp_diag *diag;
};

static rp_err do_create(struct rp_db *db, void *ctx) {
    const struct making *making = ctx;
    const struct rp_grant *grant = making->grant;
    _cleanup_(rp_buf_done) struct rp_buf aad = grant_place(making->space, grant, making->token);
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(RP_AEAD_OVERHEAD);
    uint64_t live = 0;
    RP_TRY(rp_bearer_count(db,
                           "SELECT count(*) FROM access_grant WHERE until_ms > ?1 AND ended_ms = 0",
                           grant->created_ms, &live));
    if (live >= RP_GRANTS_MAX) {
        return rp_fail(making->diag, RP_ERR(RATE), "%d grants are live: end some", RP_GRANTS_MAX);
    }
    RP_TRY(rp_bearer_seal(making->space, &aad, &sealed));
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO access_grant (id, token_hash, app, scopes, person, created_ms, "
                       "until_ms, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                       &row));
    rp_row_bind_id(row, 1, grant->id);
    rp_row_bind_blob(row, 2, rp_view_of(making->token->b, sizeof making->token->b));
    rp_row_bind_text(row, 3, grant->app);
    rp_row_bind_u64(row, 4, grant->scopes);
    rp_row_bind_id(row, 5, grant->person);
    rp_row_bind_u64(row, 6, (uint64_t)grant->created_ms);
    rp_row_bind_u64(row, 7, (uint64_t)grant->until_ms);
    rp_row_bind_blob(row, 8, rp_buf_view(&sealed));
    RP_TRY(rp_row_run(row, NULL));
    return emit(making->space, RP_EVENT_GRANT_CREATED, grant);
}

rp_err rp_grant_create(struct rp_space *space, const struct rp_grant *wish,
                       struct rp_grant *ret_grant, uint8_t ret_token[static RP_GRANT_TOKEN_BYTES],
                       struct rp_diag *diag) {
    RP_ASSERT(space->key != NULL && !rp_id_is_none(space->person));
    struct rp_grant grant = *wish;
    grant.id = rp_env_new_id(space->env);
    grant.person = space->person;
    grant.created_ms = rp_env_now_ms(space->env);
    if (grant.app.n == 0 || grant.app.n > 32 || grant.scopes == 0 ||
        grant.until_ms <= grant.created_ms || grant.until_ms - grant.created_ms > LONGEST_MS) {
        return rp_fail(diag, RP_ERR(INVALID),
                       "a grant names an application and some scopes, and "
                       "lasts 1 to %d days",
                       RP_GRANT_DAYS_MAX);
    }
    uint8_t token[RP_GRANT_TOKEN_BYTES];
    struct rp_sha256 hash = rp_bearer_token(space, token, sizeof token);
    struct making making = {space, &grant, &hash, diag};
    RP_TRY(rp_db_transact(space->db, do_create, &making));
    memcpy(ret_token, token, sizeof token);
    rp_wipe(token, sizeof token);
    *ret_grant = grant;
    return RP_OK;
}

/* ---- reading ---- */

#define GRANT_COLUMNS "id, app, scopes, person, created_ms, until_ms, used_ms, ended_ms, sealed"

static rp_err read_row(struct rp_row *row, struct rp_arena *arena, struct rp_grant *ret_grant) {
    struct rp_grant grant = {.id = rp_row_id(row, 0),
                             .scopes = (unsigned)rp_row_u64(row, 2),
                             .person = rp_row_id(row, 3),
                             .created_ms = (int64_t)rp_row_u64(row, 4),
                             .until_ms = (int64_t)rp_row_u64(row, 5),
                             .used_ms = (int64_t)rp_row_u64(row, 6),
                             .ended_ms = (int64_t)rp_row_u64(row, 7)};
    RP_TRY(rp_arena_copy(arena, rp_row_text(row, 1), &grant.app));
    *ret_grant = grant;
    return RP_OK;
}

rp_err rp_grant_list(struct rp_space *space, struct rp_arena *arena, struct rp_grant **ret_grants,
                     size_t *ret_count) {
    struct rp_grant *grants = rp_arena_array(arena, RP_GRANTS_MAX, sizeof *grants);
    if (grants == NULL) {
        return RP_ERR(TOO_LARGE);
    }
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(space->db,
                       "SELECT " GRANT_COLUMNS
                       " FROM access_grant ORDER BY ended_ms > 0, created_ms DESC LIMIT ?1",
                       &row));
    rp_row_bind_u64(row, 1, RP_GRANTS_MAX);
    size_t count = 0;
    bool more = false;
    RP_TRY(rp_row_next(row, &more));
    while (more && count < RP_GRANTS_MAX) {
        RP_TRY(read_row(row, arena, &grants[count++]));
        RP_TRY(rp_row_next(row, &more));
    }
    *ret_grants = grants;
    *ret_count = count;
    return RP_OK;
}

/* ---- ending, using ---- */

struct change {
    struct rp_space *space;
    rp_id id;
    const struct rp_grant *grant; /* when it is known */
};

static rp_err do_end(struct rp_db *db, void *ctx) {
    const struct change *change = ctx;
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(4096);
    struct rp_grant grant;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    {
        _cleanup_(rp_row_donep) struct rp_row *row = NULL;
        RP_TRY(rp_db_query(
            db, "SELECT " GRANT_COLUMNS " FROM access_grant WHERE id = ?1 AND ended_ms = 0", &row));
        rp_row_bind_id(row, 1, change->id);
        RP_TRY(rp_row_first(row));
        RP_TRY(read_row(row, arena, &grant));
    }
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "UPDATE access_grant SET ended_ms = ?2 WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, change->id);
    rp_row_bind_u64(row, 2, (uint64_t)rp_env_now_ms(change->space->env));
    RP_TRY(rp_row_run(row, NULL));
    return emit(change->space, RP_EVENT_GRANT_ENDED, &grant);
}

rp_err rp_grant_end(struct rp_space *space, rp_id id) {
    struct change change = {space, id, NULL};
    return rp_db_transact(space->db, do_end, &change);
}

static rp_err do_note_use(struct rp_db *db, void *ctx) {
    const struct change *change = ctx;
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "UPDATE access_grant SET used_ms = ?2 WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, change->id);
    rp_row_bind_u64(row, 2, (uint64_t)rp_env_now_ms(change->space->env));
    RP_TRY(rp_row_run(row, NULL));
    return emit(change->space, RP_EVENT_GRANT_USED, change->grant);
}

static rp_err find(struct rp_space *space, rp_view token, struct rp_arena *arena,
                   struct rp_grant *ret_grant) {
    struct rp_sha256 hash = rp_sha256_of(token);
    struct rp_grant grant;
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(space->db,
                       "SELECT " GRANT_COLUMNS " FROM access_grant WHERE token_hash = ?1", &row));
    rp_row_bind_blob(row, 1, rp_view_of(hash.b, sizeof hash.b));
    RP_TRY(rp_row_first(row));
    RP_TRY(read_row(row, arena, &grant));
    _cleanup_(rp_buf_done) struct rp_buf aad = grant_place(space, &grant, &hash);
    RP_TRY(rp_bearer_check(space, &aad, rp_row_blob(row, 8)));
    *ret_grant = grant;
    return RP_OK;
}

rp_err rp_grant_use(struct rp_space *space, rp_view token, rp_view app, struct rp_arena *arena,
                    struct rp_grant *ret_grant) {
    RP_ASSERT(space->key != NULL);
    struct rp_grant grant;
    int64_t now_ms = rp_env_now_ms(space->env);
    rp_err err =
        token.n == RP_GRANT_TOKEN_BYTES ? find(space, token, arena, &grant) : RP_ERR(NOT_FOUND);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return RP_ERR(UNAUTHENTICATED);
    }
    RP_TRY(err);
    /*= S175 */ /* taken back, over, or given to somebody else: it opens nothing */
    if (grant.ended_ms != 0 || grant.until_ms <= now_ms || !rp_view_equal(grant.app, app)) {
        return RP_ERR(UNAUTHENTICATED);
    }
    if (now_ms - grant.used_ms >= HOUR_MS) {
        struct change change = {space, grant.id, &grant};
        RP_TRY(rp_db_transact(space->db, do_note_use, &change));
    }
    *ret_grant = grant;
    return RP_OK;
}

rp_err rp_grants_sweep(const struct rp_env *env, struct rp_db *db) {
    return rp_bearer_sweep(
        env, db,
        "DELETE FROM access_grant WHERE until_ms < ?1 OR (ended_ms > 0 AND ended_ms < ?1)");
}
