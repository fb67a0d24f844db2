/* closing_steps.c — what becomes of an organisation that is due: people, key, files, name. */
#include "base/assert.h"
#include "identity/closing.h"
#include "identity/internal.h"
#include "identity/organisations.h"
#include "store/remove.h"

/* So long after the key, every thread has let go of it and of the database. */
enum { SETTLE_MS = 3000 };

struct step {
    struct rp_identity *identity;
    struct rp_closing *closing;
    struct rp_own_session *ended;
    size_t count;
    struct rp_removed removed;
};

static rp_err run_for(struct rp_db *db, const char *sql, rp_id tenant) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, sql, &row));
    rp_row_bind_id(row, 1, tenant);
    return rp_row_run(row, NULL);
}

static rp_err stamp(struct rp_db *db, const char *sql, const struct step *step) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, sql, &row));
    rp_row_bind_id(row, 1, step->closing->tenant);
    rp_row_bind_u64(row, 2, (uint64_t)rp_identity_now(step->identity));
    return rp_row_run(row, NULL);
}

static rp_err emit_closed(struct rp_db *db, void *ctx) {
    const struct step *step = ctx;
    struct rp_event *event = rp_identity_event(step->identity, RP_EVENT_TENANT_CLOSED);
    rp_event_add_id(event, "tenant", step->closing->tenant);
    return rp_db_emit(db, event);
}

/* ---- people ---- */

static rp_err some_sessions(struct rp_db *db, struct step *step, rp_id *people) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "SELECT cookie_hash, id, person FROM session WHERE tenant = ?1 LIMIT ?2",
                       &row));
    rp_row_bind_id(row, 1, step->closing->tenant);
    rp_row_bind_u64(row, 2, RP_OWN_SESSIONS_MAX);
    bool more = false;
    RP_TRY(rp_row_next(row, &more));
    while (more && step->count < RP_OWN_SESSIONS_MAX) {
        struct rp_own_session *one = &step->ended[step->count];
        rp_view hash = rp_row_blob(row, 0);
        if (hash.n != sizeof one->cookie_hash.b) {
            return RP_ERR(CORRUPT);
        }
        *one =
            (struct rp_own_session){.session = rp_row_id(row, 1), .tenant = step->closing->tenant};
        memcpy(one->cookie_hash.b, hash.p, hash.n);
        people[step->count++] = rp_row_id(row, 2);
        RP_TRY(rp_row_next(row, &more));
    }
    return RP_OK;
}

static rp_err end_sessions(struct rp_db *db, struct step *step) {
    rp_id people[RP_OWN_SESSIONS_MAX];
    RP_TRY(some_sessions(db, step, people));
    for (size_t i = 0; i < step->count; i++) {
        const struct rp_session session = {.cookie_hash = step->ended[i].cookie_hash,
                                           .view = {.session = step->ended[i].session,
                                                    .person = people[i],
                                                    .tenant = step->closing->tenant}};
        RP_TRY(rp_session_end(step->identity, &session, RP_VIEW("closed")));
    }
    return RP_OK;
}

/* Nobody can come in any more from the first of these on; the rows of whoever has no other
 * organisation go last, when no session names them. */
static rp_err do_end(struct rp_db *db, void *ctx) {
    static const char *const doors[] = {"DELETE FROM pending_sign_in WHERE tenant = ?1",
                                        "DELETE FROM invitation WHERE tenant = ?1",
                                        "DELETE FROM password_reset WHERE tenant = ?1",
                                        "DELETE FROM address_change WHERE tenant = ?1",
                                        "DELETE FROM membership WHERE tenant = ?1",
                                        "DELETE FROM notice WHERE tenant = ?1"};
#define ALONE                                                                                      \
    "tenant = ?1 AND NOT EXISTS (SELECT 1 FROM membership WHERE membership.person = person.id)"
    static const char *const rest[] = {
        "DELETE FROM sign_in_failure WHERE address IN (SELECT address FROM person WHERE " ALONE ")",
        "DELETE FROM reset_request WHERE address IN (SELECT address FROM person WHERE " ALONE ")",
        "DELETE FROM recovery_code WHERE person IN (SELECT id FROM person WHERE " ALONE ")",
        ("DELETE FROM person WHERE " ALONE)};
#undef ALONE
    struct step *step = ctx;
    step->count = 0;
    for (size_t i = 0; i < RP_COUNT_OF(doors); i++) {
        RP_TRY(run_for(db, doors[i], step->closing->tenant));
    }
    RP_TRY(end_sessions(db, step));
    if (step->count > 0) {
        return RP_OK; /* there may be more of them */
    }
    RP_TRY(rp_identity_rehome(step->identity, db, step->closing->tenant));
    for (size_t i = 0; i < RP_COUNT_OF(rest); i++) {
        RP_TRY(run_for(db, rest[i], step->closing->tenant));
    }
    RP_TRY(stamp(db, "UPDATE tenant_closing SET ended_ms = ?2 WHERE tenant = ?1", step));
    return emit_closed(db, step);
}

static rp_err end_people(struct step *step) {
    struct rp_db *db = NULL;
    RP_TRY(rp_db_transact(step->identity->db, do_end, step));
    if (step->count == 0 &&
        rp_ok(rp_store_tenant(step->identity->store, step->closing->tenant, false, &db, NULL))) {
        rp_ignore(rp_db_transact(db, emit_closed, step)); /* its own log says so too */
    }
    return RP_OK;
}

/* ---- the key ---- */

static rp_err do_destroyed(struct rp_db *db, void *ctx) {
    return stamp(db, "UPDATE tenant_closing SET destroyed_ms = ?2 WHERE tenant = ?1", ctx);
}

/*= S90 */ /* the key first: what may be left of the files is noise from here on */
static rp_err destroy(struct step *step) {
    RP_TRY(rp_keys_destroy(step->identity->keys, step->closing->tenant));
    return rp_db_transact(step->identity->db, do_destroyed, step);
}

/* ---- the files, then the name ---- */

/* Its last events are in its log: what is removed now is kept there. */
static rp_err log_has_all(struct step *step, bool *ret_all) {
    struct rp_db *db = NULL;
    uint64_t acked = 0, last = 0;
    rp_err err = rp_store_tenant(step->identity->store, step->closing->tenant, false, &db, NULL);
    if (rp_ok(err)) {
        err = rp_db_outbox_state(db, &acked, &last);
    }
    rp_store_forget(step->identity->store, step->closing->tenant);
    *ret_all = rp_is(err, RP_E_NOT_FOUND) || (rp_ok(err) && acked == last);
    return rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err;
}

static rp_err do_remove(struct rp_db *db, void *ctx) {
    struct step *step = ctx;
    RP_TRY(run_for(db, "DELETE FROM notice WHERE tenant = ?1", step->closing->tenant));
    RP_TRY(run_for(db, "DELETE FROM tenant WHERE id = ?1", step->closing->tenant));
    RP_TRY(stamp(db, "UPDATE tenant_closing SET removed_ms = ?2 WHERE tenant = ?1", step));
    struct rp_event *event = rp_identity_event(step->identity, RP_EVENT_TENANT_REMOVED);
    rp_event_add_id(event, "tenant", step->closing->tenant);
    rp_event_add_u64(event, "files", step->removed.files);
    rp_event_add_u64(event, "bytes", step->removed.bytes);
    return rp_db_emit(db, event);
}

static rp_err remove_files(struct step *step, bool may_remove) {
    bool all = false;
    if (!may_remove || rp_identity_now(step->identity) - step->closing->destroyed_ms < SETTLE_MS) {
        return RP_OK;
    }
    RP_TRY(log_has_all(step, &all));
    if (!all) {
        return RP_OK;
    }
    RP_TRY(rp_store_remove_tenant(step->identity->store, step->closing->tenant, &step->removed));
    return rp_db_transact(step->identity->db, do_remove, step);
}

rp_err rp_identity_close_step(struct rp_identity *identity, struct rp_closing *closing,
                              bool may_remove,
                              struct rp_own_session ended[static RP_OWN_SESSIONS_MAX],
                              size_t *ret_count) {
    RP_ASSERT(identity != NULL && closing != NULL && ret_count != NULL);
    struct step step = {.identity = identity, .closing = closing, .ended = ended};
    if (closing->due_ms > rp_identity_now(identity) && closing->ended_ms == 0) {
        *ret_count = 0; /* the clock was put back: it is not due any more */
        return RP_OK;
    }
    if (closing->ended_ms == 0) {
        RP_TRY(end_people(&step));
    } else if (closing->destroyed_ms == 0) {
        RP_TRY(destroy(&step));
    } else if (closing->removed_ms == 0) {
        RP_TRY(remove_files(&step, may_remove));
    }
    *ret_count = step.count;
    return rp_identity_closing(identity, closing->tenant, closing);
}
