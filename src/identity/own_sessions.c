/* own_sessions.c — a person's sessions: listed, and ended by them one at a time or all the others.
 */
#include "identity/internal.h"

#include "base/assert.h"

struct listing {
    struct rp_own_session *sessions;
    size_t count;
};

static rp_err read_own(struct rp_row *row, struct rp_own_session *ret_session) {
    rp_view hash = rp_row_blob(row, 0);
    uint64_t acr = rp_row_u64(row, 3);
    if (hash.n != RP_SHA256 || acr == RP_ACR_NONE || acr >= RP_ACR_COUNT) {
        return RP_ERR(CORRUPT);
    }
    struct rp_own_session session = {.session = rp_row_id(row, 1),
                                     .tenant = rp_row_id(row, 2),
                                     .acr = (enum rp_acr)acr,
                                     .created_ms = (int64_t)rp_row_u64(row, 4),
                                     .expires_ms = (int64_t)rp_row_u64(row, 5)};
    memcpy(session.cookie_hash.b, hash.p, RP_SHA256);
    *ret_session = session;
    return RP_OK;
}

static rp_err list(struct rp_identity *identity, rp_id person, struct listing *listing) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db,
                       "SELECT cookie_hash, id, tenant, acr, created_ms, expires_ms FROM session "
                       "WHERE person = ?1 AND expires_ms > ?2 ORDER BY created_ms DESC LIMIT ?3",
                       &row));
    rp_row_bind_id(row, 1, person);
    rp_row_bind_u64(row, 2, (uint64_t)rp_identity_now(identity));
    rp_row_bind_u64(row, 3, RP_OWN_SESSIONS_MAX);
    bool more = false;
    RP_TRY(rp_row_next(row, &more));
    while (more && listing->count < RP_OWN_SESSIONS_MAX) {
        RP_TRY(read_own(row, &listing->sessions[listing->count++]));
        RP_TRY(rp_row_next(row, &more));
    }
    return RP_OK;
}

rp_err rp_identity_own_sessions(struct rp_identity *identity, rp_id person,
                                struct rp_own_session sessions[static RP_OWN_SESSIONS_MAX],
                                size_t *ret_count) {
    RP_ASSERT(identity != NULL && ret_count != NULL);
    struct listing listing = {sessions, 0};
    RP_TRY(list(identity, person, &listing));
    *ret_count = listing.count;
    return RP_OK;
}

/* ---- ends ---- */

struct choice {
    struct rp_identity *identity;
    rp_id person, only, but; /* only: none = all of them */
    rp_view reason;
    struct rp_own_session *ended;
    size_t count;
};

static bool is_chosen(const struct choice *choice, rp_id session) {
    if (!rp_id_is_none(choice->only)) {
        return rp_id_equal(session, choice->only);
    }
    return !rp_id_equal(session, choice->but);
}

static rp_err end_chosen(struct rp_db *db, void *ctx) {
    struct choice *choice = ctx;
    struct rp_own_session all[RP_OWN_SESSIONS_MAX];
    struct listing listing = {all, 0};
    (void)db;
    RP_TRY(list(choice->identity, choice->person, &listing));
    choice->count = 0;
    for (size_t i = 0; i < listing.count; i++) {
        if (!is_chosen(choice, all[i].session)) {
            continue;
        }
        struct rp_session session = {
            .cookie_hash = all[i].cookie_hash,
            .view = {.session = all[i].session, .person = choice->person, .tenant = all[i].tenant}};
        RP_TRY(rp_session_end(choice->identity, &session, choice->reason));
        choice->ended[choice->count++] = all[i];
    }
    return rp_id_is_none(choice->only) || choice->count == 1 ? RP_OK : RP_ERR(NOT_FOUND);
}

rp_err rp_sessions_end(struct rp_identity *identity, rp_id person, rp_id only, rp_id but,
                       rp_view reason, struct rp_own_session ended[static RP_OWN_SESSIONS_MAX],
                       size_t *ret_count) {
    struct choice choice = {.identity = identity,
                            .person = person,
                            .only = only,
                            .but = but,
                            .reason = reason,
                            .ended = ended};
    RP_TRY(end_chosen(identity->db, &choice));
    *ret_count = choice.count;
    return RP_OK;
}

/*= S175 */ /* a person sees every session of theirs and ends any of them */
rp_err rp_identity_end_own(struct rp_identity *identity, rp_id person, rp_id only, rp_id but,
                           struct rp_own_session ended[static RP_OWN_SESSIONS_MAX],
                           size_t *ret_count) {
    RP_ASSERT(identity != NULL && ret_count != NULL);
    struct choice choice = {.identity = identity,
                            .person = person,
                            .only = only,
                            .but = but,
                            .reason = RP_VIEW("revoked"),
                            .ended = ended};
    RP_TRY(rp_db_transact(identity->db, end_chosen, &choice));
    *ret_count = choice.count;
    return RP_OK;
}
