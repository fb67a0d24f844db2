/* bearer.c — what links and grants have in common: a token that whoever bears it may use.
 *
 * Only the token's SHA-256 is stored, and the row is sealed: a seal without a text, bound to all
 * that the row says, so that nobody who writes into the database widens one or makes one up.
 */
#include "base/checked.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "spaces/internal.h"

static const int64_t KEPT_MS = (int64_t)30 * 24 * 3600 * 1000;

struct rp_sha256 rp_bearer_token(const struct rp_space *space, uint8_t *ret_token, size_t n) {
    space->env->fill_random(space->env->ctx, ret_token, n);
    return rp_sha256_of(rp_view_of(ret_token, n));
}

rp_err rp_bearer_seal(const struct rp_space *space, const struct rp_buf *place,
                      struct rp_buf *sealed) {
    RP_TRY(rp_buf_err(place));
    return rp_aead_seal(space->env, space->key, rp_buf_view(place), (rp_view){NULL, 0}, sealed);
}

rp_err rp_bearer_check(const struct rp_space *space, const struct rp_buf *place, rp_view sealed) {
    _cleanup_(rp_buf_done) struct rp_buf nothing = rp_buf_new(1);
    RP_TRY(rp_buf_err(place));
    rp_err err = rp_aead_open(space->key, rp_buf_view(place), sealed, &nothing);
    return rp_is(err, RP_E_TOO_LARGE) ? RP_ERR(CORRUPT) : err;
}

struct rp_event *rp_bearer_event(const struct rp_space *space, enum rp_event_kind kind,
                                 struct rp_arena *arena) {
    struct rp_event *event =
        arena ? rp_event_new(arena, kind, rp_env_now_ms(space->env), RP_ROLE_CORE) : NULL;
    if (event) {
        rp_event_add_id(event, "tenant", space->tenant);
        if (!rp_id_is_none(space->person)) {
            rp_event_add_id(event, "person", space->person);
        }
    }
    return event;
}

rp_err rp_bearer_count(struct rp_db *db, const char *sql, int64_t now_ms, uint64_t *ret_count) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, sql, &row));
    rp_row_bind_u64(row, 1, (uint64_t)now_ms);
    RP_TRY(rp_row_first(row));
    *ret_count = rp_row_u64(row, 0);
    return RP_OK;
}

rp_err rp_bearer_sweep(const struct rp_env *env, struct rp_db *db, const char *sql) {
    struct rp_row *row = NULL;
    int64_t before_ms = RP_MAX((int64_t)0, rp_env_now_ms(env) - KEPT_MS);
    RP_TRY(rp_db_query(db, sql, &row));
    rp_row_bind_u64(row, 1, (uint64_t)before_ms);
    return rp_row_run(row, NULL);
}
