/* factor.c — the second factor of one person: a one-time code, a recovery code in its place, a key.
 *
 * Two halves, because a transaction waits for nobody: rp_factor_compare opens the seed and finds
 * what the answer could be; rp_factor_use, inside the transaction, uses it up.
 */
#include "identity/internal.h"

#include "base/assert.h"

rp_err rp_factor_read(struct rp_row *row, int column, struct rp_factor *ret_factor) {
    rp_view address = rp_row_blob(row, column + 2), seed = rp_row_blob(row, column + 3);
    struct rp_factor factor = {.person = rp_row_id(row, column),
                               .home = rp_row_id(row, column + 1),
                               .seed_n = seed.n,
                               .passkeys = (size_t)rp_row_u64(row, column + 4)};
    if (address.n != RP_SHA256 || seed.n > sizeof factor.seed) {
        return RP_ERR(CORRUPT);
    }
    memcpy(factor.address.b, address.p, RP_SHA256);
    if (seed.n > 0) {
        memcpy(factor.seed, seed.p, seed.n);
    }
    *ret_factor = factor;
    return RP_OK;
}

rp_err rp_factor_of(struct rp_identity *identity, rp_id person, struct rp_factor *ret_factor) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db,
                       "SELECT " RP_FACTOR_COLUMNS " FROM person WHERE person.id = ?1", &row));
    rp_row_bind_id(row, 1, person);
    RP_TRY(rp_row_first(row));
    return rp_factor_read(row, 0, ret_factor);
}

/* ---- before the transaction ---- */

rp_err rp_factor_compare(struct rp_identity *identity, const struct rp_factor *factor, rp_view code,
                         struct rp_factor_answer *ret_answer) {
    struct rp_factor_answer answer = {.kind = RP_FACTOR_TOTP};
    char recovery[RP_RECOVERY_DIGITS];
    if (rp_recovery_read(code, recovery)) {
        answer.kind = RP_FACTOR_RECOVERY;
        RP_TRY(rp_identity_recovery_hash(identity, factor->person,
                                         rp_view_of(recovery, sizeof recovery), &answer.recovery));
        rp_wipe(recovery, sizeof recovery);
    } else if (factor->seed_n > 0) { /* without a seed no code is right */
        struct rp_place place = {"totp", factor->home, factor->person};
        _cleanup_(rp_secret_freep) struct rp_secret *seed = NULL;
        RP_TRY(rp_identity_open_secret(identity, &place, rp_view_of(factor->seed, factor->seed_n),
                                       &seed));
        answer.match = rp_totp_match(seed, code, rp_identity_now(identity));
    }
    *ret_answer = answer;
    return RP_OK;
}

/* ---- inside it ---- */

/*= S101 */ /* a one-time code works once: its step must be later than the last one used */
static rp_err use_step(struct rp_identity *identity, rp_id person, uint64_t number,
                       bool *ret_used) {
    struct rp_row *row = NULL;
    uint64_t changed = 0;
    RP_TRY(rp_db_query(identity->db,
                       "UPDATE person SET totp_last_step = ?1 "
                       "WHERE id = ?2 AND totp_last_step < ?1",
                       &row));
    rp_row_bind_u64(row, 1, number);
    rp_row_bind_id(row, 2, person);
    RP_TRY(rp_row_run(row, &changed));
    *ret_used = changed == 1;
    return RP_OK;
}

static rp_err use_totp(struct rp_identity *identity, const struct rp_factor *factor,
                       const struct rp_totp_match *match, rp_err *ret_outcome) {
    bool used = false;
    for (size_t i = 0; i < match->count && !used; i++) {
        RP_TRY(use_step(identity, factor->person, match->steps[i], &used));
    }
    rp_err refused = match->count > 0 ? RP_ERR(REPLAYED) : RP_ERR(DENIED);
    *ret_outcome = used ? RP_OK : refused;
    return RP_OK;
}

static rp_view reason_of(const struct rp_factor_answer *answer, rp_err outcome) {
    if (answer->kind != RP_FACTOR_PASSKEY) {
        return RP_VIEW("code");
    }
    return rp_is(outcome, RP_E_REPLAYED) ? RP_VIEW("passkey_replayed")
                                         : rp_view_from_cstr(answer->passkey.why);
}

static rp_err note_refusal(struct rp_identity *identity, const struct rp_factor *factor,
                           const struct rp_factor_answer *answer,
                           const struct rp_client_hash *client, rp_err outcome) {
    bool replayed = answer->kind != RP_FACTOR_PASSKEY && rp_is(outcome, RP_E_REPLAYED);
    RP_TRY(rp_throttle_fail(identity, &factor->address, client));
    struct rp_event *event =
        rp_identity_event(identity, replayed ? RP_EVENT_TOTP_REPLAYED : RP_EVENT_SIGN_IN_REFUSED);
    rp_event_add_id(event, "tenant", factor->home);
    rp_event_add_id(event, "person", factor->person);
    if (!replayed) {
        rp_event_add_text(event, "reason", reason_of(answer, outcome));
    }
    rp_identity_add_client(event, client);
    return rp_db_emit(identity->db, event);
}

rp_err rp_factor_use(struct rp_identity *identity, const struct rp_factor *factor,
                     const struct rp_factor_answer *answer, const struct rp_client_hash *client,
                     rp_err *ret_outcome) {
    rp_err outcome = RP_OK;
    switch (answer->kind) {
    case RP_FACTOR_TOTP:
        RP_TRY(use_totp(identity, factor, &answer->match, &outcome));
        break;
    case RP_FACTOR_RECOVERY:
        RP_TRY(rp_recovery_use(identity, factor, &answer->recovery, client, &outcome));
        break;
    case RP_FACTOR_PASSKEY:
        RP_TRY(rp_passkey_use(identity, factor, &answer->passkey, &outcome));
        break;
    }
    if (!rp_ok(outcome)) {
        RP_TRY(note_refusal(identity, factor, answer, client, outcome));
    }
    *ret_outcome = outcome;
    return RP_OK;
}
