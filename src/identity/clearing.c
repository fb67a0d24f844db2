/* clearing.c — nobody operates the installation before their check is cleared, by whatever door.
 *
 * Memberships are made and changed in four places (an enrolment, a joining, an import, a change of
 * roles); each asks here, inside its transaction. Who has the persons register answers; without it
 * the answer is no. An installation that has no operator gets its first one unchecked: somebody has
 * to keep the register.
 */
#include "base/assert.h"
#include "identity/internal.h"

void rp_identity_set_clearing(struct rp_identity *identity, const struct rp_clearing *clearing) {
    RP_ASSERT(identity != NULL && clearing->link != NULL && clearing->cleared != NULL);
    identity->clearing = *clearing;
}

static rp_err has_operator(struct rp_db *db, bool *ret_has) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "SELECT 1 FROM membership WHERE (roles & ?1) <> 0 LIMIT 1", &row));
    rp_row_bind_u64(row, 1, RP_OPERATOR);
    return rp_row_next(row, ret_has);
}

/* The first operator's event comes with the invitation, and again with the membership. */
/*= S9: who operates the whole was checked */
rp_err rp_identity_clear(struct rp_identity *identity, rp_id account, unsigned roles,
                         unsigned former) {
    bool gained = (roles & RP_OPERATOR) && !(former & RP_OPERATOR), has = false;
    if (!gained) {
        return RP_OK;
    }
    RP_TRY(has_operator(identity->db, &has));
    if (!has) {
        struct rp_event *event = rp_identity_event(identity, RP_EVENT_OPERATOR_UNCHECKED);
        rp_event_add_id(event, "person", account);
        return rp_db_emit(identity->db, event);
    }
    return identity->clearing.cleared ? identity->clearing.cleared(identity->clearing.ctx, account)
                                      : RP_ERR(UNCLEARED);
}

rp_err rp_identity_link(struct rp_identity *identity, rp_id record, rp_id account) {
    if (rp_id_is_none(record)) {
        return RP_OK;
    }
    return identity->clearing.link
               ? identity->clearing.link(identity->clearing.ctx, record, account)
               : RP_ERR(UNCLEARED);
}

struct refusal {
    struct rp_identity *identity;
    rp_id record, by;
};

static rp_err emit_refused(struct rp_db *db, void *ctx) {
    const struct refusal *refusal = ctx;
    struct rp_event *event = rp_identity_event(refusal->identity, RP_EVENT_REGISTER_REFUSED);
    rp_event_add_text(event, "register", RP_VIEW("persons"));
    rp_event_add_id(event, "record", refusal->record);
    rp_event_add_text(event, "gate", RP_VIEW("operator · S9"));
    rp_event_add_id(event, "by", refusal->by);
    rp_event_add_text(event, "how", RP_VIEW("account"));
    return rp_db_emit(db, event);
}

rp_err rp_identity_say_uncleared(struct rp_identity *identity, rp_err err, rp_id record, rp_id by) {
    struct refusal refusal = {identity, record, by};
    if (rp_is(err, RP_E_UNCLEARED)) {
        rp_ignore(rp_db_transact(identity->db, emit_refused, &refusal)); /* it is no in any case */
    }
    return err;
}
