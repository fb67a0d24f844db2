/* rehome.c — whoever belongs to another organisation, too, outlives the one whose key sealed them.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "identity/organisations.h"
#include "identity/passkey_internal.h"

enum { SEED_SEALED_MAX = 128 };

struct moving {
    struct rp_identity *identity;
    rp_id person, from, to;
    uint8_t email[RP_SEALED_MAX], seed[SEED_SEALED_MAX];
    size_t email_n, seed_n; /* no seed: they have no second factor */
};

static rp_err keep(rp_view sealed, size_t most, uint8_t *to, size_t *ret_n) {
    if (sealed.n > most) {
        return RP_ERR(CORRUPT);
    }
    if (sealed.n > 0) {
        memcpy(to, sealed.p, sealed.n);
    }
    *ret_n = sealed.n;
    return RP_OK;
}

/* NOT_FOUND: nobody is left to be moved. */
static rp_err next_of(struct rp_db *db, struct moving *moving) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT person.id, email_sealed, totp_sealed, membership.tenant "
                       "FROM person JOIN membership ON membership.person = person.id "
                       "WHERE person.tenant = ?1 AND membership.tenant <> ?1 "
                       "ORDER BY person.id, membership.tenant LIMIT 1",
                       &row));
    rp_row_bind_id(row, 1, moving->from);
    RP_TRY(rp_row_first(row));
    moving->person = rp_row_id(row, 0);
    moving->to = rp_row_id(row, 3);
    RP_TRY(keep(rp_row_blob(row, 1), sizeof moving->email, moving->email, &moving->email_n));
    return keep(rp_row_blob(row, 2), sizeof moving->seed, moving->seed, &moving->seed_n);
}

static rp_err seal_email(const struct moving *moving, struct rp_buf *out) {
    char email[RP_EMAIL_MAX + 1];
    const struct rp_place from = {"email", moving->from, moving->person};
    const struct rp_place to = {"email", moving->to, moving->person};
    RP_TRY(rp_identity_open_email(moving->identity, &from,
                                  rp_view_of(moving->email, moving->email_n), email));
    return rp_identity_seal(moving->identity, &to, rp_view_from_cstr(email), out);
}

static rp_err seal_seed(const struct moving *moving, struct rp_buf *out) {
    _cleanup_(rp_secret_freep) struct rp_secret *seed = NULL;
    const struct rp_place from = {"totp", moving->from, moving->person};
    const struct rp_place to = {"totp", moving->to, moving->person};
    if (moving->seed_n == 0) {
        return RP_OK;
    }
    RP_TRY(rp_identity_open_secret(moving->identity, &from,
                                   rp_view_of(moving->seed, moving->seed_n), &seed));
    return rp_identity_seal_secret(moving->identity, &to, seed, out);
}

static rp_err move(struct rp_db *db, const struct moving *moving) {
    _cleanup_(rp_buf_done) struct rp_buf email = rp_buf_new(RP_SEALED_MAX);
    _cleanup_(rp_buf_done) struct rp_buf seed = rp_buf_new(SEED_SEALED_MAX);
    struct rp_row *row = NULL;
    RP_TRY(seal_email(moving, &email));
    RP_TRY(seal_seed(moving, &seed));
    RP_TRY(rp_passkeys_rehome(moving->identity, moving->person, moving->to));
    RP_TRY(rp_db_query(db,
                       "UPDATE person SET tenant = ?2, email_sealed = ?3, totp_sealed = ?4 "
                       "WHERE id = ?1",
                       &row));
    rp_row_bind_id(row, 1, moving->person);
    rp_row_bind_id(row, 2, moving->to);
    rp_row_bind_blob(row, 3, rp_buf_view(&email));
    if (moving->seed_n > 0) {
        rp_row_bind_blob(row, 4, rp_buf_view(&seed));
    }
    return rp_row_run(row, NULL);
}

/* A restored backup may hold people whose organisation's key is no more: nothing opens their
 * address again. They are nobody's any more, and can be invited anew. */
static rp_err give_up(struct rp_db *db, const struct moving *moving) {
    static const char *const steps[] = {"DELETE FROM session WHERE person = ?1",
                                        "DELETE FROM membership WHERE person = ?1"};
    for (size_t i = 0; i < RP_COUNT_OF(steps); i++) {
        struct rp_row *row = NULL;
        RP_TRY(rp_db_query(db, steps[i], &row));
        rp_row_bind_id(row, 1, moving->person);
        RP_TRY(rp_row_run(row, NULL));
    }
    return RP_OK;
}

rp_err rp_identity_rehome(struct rp_identity *identity, struct rp_db *db, rp_id from) {
    RP_ASSERT(identity != NULL && db != NULL);
    struct moving moving = {.identity = identity, .from = from};
    rp_err err = next_of(db, &moving);
    while (rp_ok(err)) {
        err = move(db, &moving);
        RP_TRY(rp_is(err, RP_E_CORRUPT) ? give_up(db, &moving) : err);
        err = next_of(db, &moving);
    }
    return rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err;
}
