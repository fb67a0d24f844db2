/* ahead.c — what a clock that had run ahead left behind, set right once it is back.
 *
 * A battery that is dead, a wrong host, a typing error: for an hour the clock stands a year ahead.
 * Whoever signed in then would be told for a year that their codes are used up, and whoever was
 * wrong too often would wait as long. So what lies in a time to come is moved to now. Sessions of
 * such a time are ended by session.c.
 *
 * From inside, a clock that is back looks like one that is wrong only now. So nothing is moved
 * whose end would be lost by it: invitations, addresses that change, organisations that close.
 */
#include "identity/internal.h"

#include "base/checked.h"

/* ?1: now, in ms; ?2: what lies behind it is of a time to come. */
static const char *const times[] = {
    "UPDATE sign_in_failure SET last_ms = ?1, accepted_ms = min(accepted_ms, ?1) "
    "WHERE last_ms > ?2",
    /* A code of this very step is still good; the one before it may have been used. */
    "UPDATE person SET totp_last_step = ?1 / 30000 - 1 WHERE totp_last_step > ?2 / 30000 + 1",
    "UPDATE reset_request SET asked_ms = ?1 WHERE asked_ms > ?2",
    "UPDATE address_change SET since_ms = ?1 WHERE since_ms > ?2"};

rp_err rp_identity_set_right(struct rp_identity *identity) {
    int64_t now_ms = rp_identity_now(identity);
    for (size_t i = 0; i < RP_COUNT_OF(times); i++) {
        struct rp_row *row = NULL;
        RP_TRY(rp_db_query(identity->db, times[i], &row));
        rp_row_bind_u64(row, 1, (uint64_t)now_ms);
        rp_row_bind_u64(row, 2, (uint64_t)(now_ms + RP_AHEAD_MS));
        RP_TRY(rp_row_run(row, NULL));
    }
    return RP_OK;
}
