/* session.c — sessions in the database; the table that the gate reads is filled from here. */
#include "identity/passkey_internal.h"

#include "base/assert.h"

enum { EXPIRE_AT_ONCE = 100 };
static const int64_t keep_spent_ms = (int64_t)30 * 24 * 3600 * 1000;

static rp_err emit_sign_in(struct rp_identity *identity, const struct rp_session_new *what,
                           rp_id session) {
    struct rp_event *event = rp_identity_event(identity, RP_EVENT_SIGN_IN);
    rp_event_add_id(event, "tenant", what->tenant);
    rp_event_add_id(event, "person", what->person);
    rp_event_add_id(event, "session", session);
    rp_event_add_text(event, "acr", rp_view_from_cstr(rp_acr_name(what->acr)));
    rp_identity_add_client(event, &what->client);
    return rp_db_emit(identity->db, event);
}

static rp_err insert_row(struct rp_identity *identity, const struct rp_session *session) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db,
                       "INSERT INTO session (cookie_hash, id, person, tenant, roles, acr, "
                       "idle_max_s, created_ms, expires_ms) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&session->cookie_hash));
    rp_row_bind_id(row, 2, session->view.session);
    rp_row_bind_id(row, 3, session->view.person);
    rp_row_bind_id(row, 4, session->view.tenant);
    rp_row_bind_u64(row, 5, session->view.roles);
    rp_row_bind_u64(row, 6, session->view.acr);
    rp_row_bind_u64(row, 7, session->idle_max_s);
    rp_row_bind_u64(row, 8, (uint64_t)rp_identity_now(identity));
    rp_row_bind_u64(row, 9, (uint64_t)session->view.expires_ms);
    return rp_row_run(row, NULL);
}

rp_err rp_session_insert(struct rp_identity *identity, const struct rp_session_new *what,
                         struct rp_token *ret_cookie, struct rp_session *ret_session) {
    RP_ASSERT(what->acr > RP_ACR_NONE && what->acr < RP_ACR_COUNT);
    RP_ASSERT(what->roles != 0);
    struct rp_token cookie;
    rp_token_new(identity->env, &cookie);
    struct rp_session session = {
        .view = {.session = rp_env_new_id(identity->env),
                 .person = what->person,
                 .tenant = what->tenant,
                 .roles = what->roles,
                 .acr = what->acr,
                 .expires_ms = what->expires_ms > 0
                                   ? what->expires_ms
                                   : rp_identity_now(identity) + identity->options.session_ms},
        .idle_max_s = identity->options.idle_s,
    };
    RP_TRY(rp_token_hash(rp_view_from_cstr(cookie.s), &session.cookie_hash));
    RP_TRY(insert_row(identity, &session));
    RP_TRY(emit_sign_in(identity, what, session.view.session));
    *ret_cookie = cookie;
    *ret_session = session;
    return RP_OK;
}

/* Columns: cookie_hash, id, person, tenant, roles, acr, idle_max_s, expires_ms. */
static rp_err read_row(struct rp_row *row, struct rp_session *ret_session) {
    rp_view hash = rp_row_blob(row, 0);
    uint64_t roles = rp_row_u64(row, 4), acr = rp_row_u64(row, 5), idle_s = rp_row_u64(row, 6);
    if (hash.n != RP_SHA256 || roles == 0 || roles > RP_ROLES_ALL || acr == RP_ACR_NONE ||
        acr >= RP_ACR_COUNT || idle_s > UINT32_MAX) {
        return RP_ERR(CORRUPT);
    }
    struct rp_session session = {
        .view = {.session = rp_row_id(row, 1),
                 .person = rp_row_id(row, 2),
                 .tenant = rp_row_id(row, 3),
                 .roles = (unsigned)roles,
                 .acr = (enum rp_acr)acr,
                 .expires_ms = (int64_t)rp_row_u64(row, 7)},
        .idle_max_s = (uint32_t)idle_s,
    };
    memcpy(session.cookie_hash.b, hash.p, RP_SHA256);
    *ret_session = session;
    return RP_OK;
}

rp_err rp_identity_session(struct rp_identity *identity, rp_view cookie,
                           struct rp_session *ret_session) {
    RP_ASSERT(identity != NULL && ret_session != NULL);
    struct rp_sha256 hash;
    if (!rp_ok(rp_token_hash(cookie, &hash))) {
        return RP_ERR(UNAUTHENTICATED);
    }
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db,
                       "SELECT cookie_hash, id, person, tenant, roles, acr, idle_max_s, expires_ms "
                       "FROM session WHERE cookie_hash = ?1",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&hash));
    rp_err err = rp_row_first(row);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return RP_ERR(UNAUTHENTICATED);
    }
    RP_TRY(err);
    struct rp_session session;
    RP_TRY(read_row(row, &session));
    if (session.view.expires_ms <= rp_identity_now(identity)) {
        return RP_ERR(EXPIRED);
    }
    *ret_session = session;
    return RP_OK;
}

rp_err rp_identity_each_session(struct rp_identity *identity,
                                rp_err (*each)(void *ctx, const struct rp_session *session),
                                void *ctx) {
    RP_ASSERT(identity != NULL && each != NULL);
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db,
                       "SELECT cookie_hash, id, person, tenant, roles, acr, idle_max_s, expires_ms "
                       "FROM session WHERE expires_ms > ?1 ORDER BY expires_ms",
                       &row));
    rp_row_bind_u64(row, 1, (uint64_t)rp_identity_now(identity));
    bool more = false;
    RP_TRY(rp_row_next(row, &more));
    while (more) {
        struct rp_session session;
        RP_TRY(read_row(row, &session));
        RP_TRY(each(ctx, &session));
        RP_TRY(rp_row_next(row, &more));
    }
    return RP_OK;
}

/* ---- ends ---- */

struct ending {
    struct rp_identity *identity;
    const struct rp_session *session;
    rp_view reason;
};

static rp_err end_session(struct rp_db *db, void *ctx) {
    const struct ending *ending = ctx;
    struct rp_row *row = NULL;
    uint64_t changed = 0;
    RP_TRY(rp_db_query(db, "DELETE FROM session WHERE cookie_hash = ?1", &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&ending->session->cookie_hash));
    RP_TRY(rp_row_run(row, &changed));
    if (changed == 0) {
        return RP_OK; /* signed out already: one end, one event */
    }
    struct rp_event *event = rp_identity_event(ending->identity, RP_EVENT_SIGN_OUT);
    rp_event_add_id(event, "tenant", ending->session->view.tenant);
    rp_event_add_id(event, "person", ending->session->view.person);
    rp_event_add_id(event, "session", ending->session->view.session);
    rp_event_add_text(event, "reason", ending->reason);
    return rp_db_emit(db, event);
}

rp_err rp_session_end(struct rp_identity *identity, const struct rp_session *session,
                      rp_view reason) {
    struct ending ending = {identity, session, reason};
    return end_session(identity->db, &ending);
}

rp_err rp_identity_replace_session(struct rp_identity *identity, const struct rp_session *session) {
    RP_ASSERT(identity != NULL && session != NULL);
    struct ending ending = {identity, session, RP_VIEW("replaced")};
    return rp_db_transact(identity->db, end_session, &ending);
}

rp_err rp_identity_sign_out(struct rp_identity *identity, const struct rp_session *session) {
    RP_ASSERT(identity != NULL && session != NULL);
    struct ending ending = {identity, session, RP_VIEW("signed_out")};
    return rp_db_transact(identity->db, end_session, &ending);
}

static rp_err read_expired(struct rp_identity *identity, struct rp_session *ret_sessions,
                           size_t *ret_count) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db,
                       "SELECT cookie_hash, id, person, tenant, roles, acr, idle_max_s, expires_ms "
                       "FROM session WHERE expires_ms <= ?1 OR created_ms > ?2 "
                       "ORDER BY expires_ms LIMIT ?3",
                       &row));
    int64_t now_ms = rp_identity_now(identity);
    rp_row_bind_u64(row, 1, (uint64_t)now_ms);
    rp_row_bind_u64(row, 2, (uint64_t)(now_ms + RP_AHEAD_MS)); /* the clock was wrong then */
    rp_row_bind_u64(row, 3, EXPIRE_AT_ONCE);
    size_t count = 0;
    bool more = false;
    RP_TRY(rp_row_next(row, &more));
    while (more && count < EXPIRE_AT_ONCE) {
        RP_TRY(read_row(row, &ret_sessions[count++]));
        RP_TRY(rp_row_next(row, &more));
    }
    *ret_count = count;
    return RP_OK;
}

struct idle {
    const void *table, *seen;
    int64_t now_ms;
    struct rp_session sessions[EXPIRE_AT_ONCE];
    size_t count;
};

static rp_err note_idle(void *ctx, const struct rp_session *session) {
    struct idle *idle = ctx;
    if (idle->count < EXPIRE_AT_ONCE &&
        rp_session_table_is_idle(idle->table, idle->seen, &session->cookie_hash, idle->now_ms)) {
        idle->sessions[idle->count++] = *session;
    }
    return RP_OK;
}

static rp_err delete_old(struct rp_db *db, const char *sql, int64_t before_ms) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, sql, &row));
    rp_row_bind_u64(row, 1, before_ms > 0 ? (uint64_t)before_ms : 0);
    return rp_row_run(row, NULL);
}

static rp_err end_all(struct rp_identity *identity, const struct rp_session *sessions, size_t count,
                      rp_view reason) {
    for (size_t i = 0; i < count; i++) {
        struct ending ending = {identity, &sessions[i], reason};
        RP_TRY(end_session(identity->db, &ending));
    }
    return RP_OK;
}

struct expiring {
    struct rp_identity *identity;
    struct idle idle;
};

static rp_err expire(struct rp_db *db, void *ctx) {
    struct expiring *expiring = ctx;
    struct rp_identity *identity = expiring->identity;
    struct rp_session sessions[EXPIRE_AT_ONCE];
    size_t count = 0;
    RP_TRY(read_expired(identity, sessions, &count));
    RP_TRY(end_all(identity, sessions, count, RP_VIEW("expired")));
    RP_TRY(rp_identity_each_session(identity, note_idle, &expiring->idle));
    RP_TRY(end_all(identity, expiring->idle.sessions, expiring->idle.count, RP_VIEW("idle")));
    int64_t now_ms = rp_identity_now(identity);
    RP_TRY(delete_old(db, "DELETE FROM pending_sign_in WHERE expires_ms <= ?1", now_ms));
    RP_TRY(delete_old(db, "DELETE FROM password_reset WHERE expires_ms <= ?1",
                      now_ms - keep_spent_ms));
    /* Spent links are kept a while, so that using one again is told from never having been. */
    RP_TRY(delete_old(db, "DELETE FROM invitation WHERE expires_ms <= ?1", now_ms - keep_spent_ms));
    RP_TRY(rp_address_change_expire(identity));
    RP_TRY(rp_passkey_challenge_expire(identity));
    RP_TRY(rp_identity_set_right(identity));
    return rp_throttle_expire(identity);
}

rp_err rp_identity_expire(struct rp_identity *identity, const void *table, const void *seen) {
    RP_ASSERT(identity != NULL && table != NULL && seen != NULL);
    struct expiring expiring = {
        .identity = identity,
        .idle = {.table = table, .seen = seen, .now_ms = rp_identity_now(identity)}};
    return rp_db_transact(identity->db, expire, &expiring);
}
