/* own_password.c — a signed-in person changes the password: the present one first.
 *
 * An open browser is not enough to take an account over: the present password is asked for again,
 * and wrong ones are counted as at the sign-in. All other sessions of the person end.
 */
#include "identity/internal.h"

#include "base/assert.h"
#include "crypto/foreign.h"
#include "crypto/phc.h"

rp_err rp_password_put(struct rp_identity *identity, rp_id person, rp_id tenant,
                       const char *password_text, rp_view reason) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db, "UPDATE person SET password = ?1 WHERE id = ?2", &row));
    rp_row_bind_text(row, 1, rp_view_from_cstr(password_text));
    rp_row_bind_id(row, 2, person);
    RP_TRY(rp_row_run(row, NULL));
    /* A sign-in that waits for its code began with the former password. */
    RP_TRY(rp_db_query(identity->db, "DELETE FROM pending_sign_in WHERE person = ?1", &row));
    rp_row_bind_id(row, 1, person);
    RP_TRY(rp_row_run(row, NULL));
    struct rp_event *event = rp_identity_event(identity, RP_EVENT_PASSWORD_CHANGED);
    rp_event_add_id(event, "tenant", tenant);
    rp_event_add_id(event, "person", person);
    rp_event_add_text(event, "reason", reason);
    return rp_db_emit(identity->db, event);
}

/* ---- the same one, kept better ---- */

struct renewing {
    struct rp_identity *identity;
    const struct rp_sign_in *sign_in;
    rp_view former; /* the name of its algorithm */
    const char *text;
};

/* Unless it was changed in the meantime. */
static rp_err do_renew(struct rp_db *db, void *ctx) {
    const struct renewing *renewing = ctx;
    struct rp_row *row = NULL;
    uint64_t changed = 0;
    RP_TRY(
        rp_db_query(db, "UPDATE person SET password = ?1 WHERE id = ?2 AND password = ?3", &row));
    rp_row_bind_text(row, 1, rp_view_from_cstr(renewing->text));
    rp_row_bind_id(row, 2, renewing->sign_in->person);
    rp_row_bind_text(row, 3, rp_view_from_cstr(renewing->sign_in->password_text));
    RP_TRY(rp_row_run(row, &changed));
    if (changed == 0) {
        return RP_OK;
    }
    struct rp_event *event = rp_identity_event(renewing->identity, RP_EVENT_PASSWORD_RENEWED);
    rp_event_add_id(event, "tenant", renewing->sign_in->tenant);
    rp_event_add_id(event, "person", renewing->sign_in->person);
    rp_event_add_text(event, "former", renewing->former);
    return rp_db_emit(db, event);
}

rp_err rp_identity_renew_password(struct rp_identity *identity, const struct rp_sign_in *sign_in,
                                  const char *text) {
    RP_ASSERT(identity != NULL && sign_in != NULL && sign_in->known);
    struct rp_phc phc;
    struct rp_foreign foreign;
    if (!rp_ok(rp_phc_parse(rp_view_from_cstr(text), &phc))) {
        return RP_ERR(INVALID);
    }
    struct renewing renewing = {identity, sign_in, RP_VIEW("argon2id"), text};
    if (rp_ok(rp_foreign_parse(rp_view_from_cstr(sign_in->password_text), &foreign))) {
        renewing.former = rp_view_from_cstr(rp_foreign_name(foreign.kind));
    }
    return rp_db_transact(identity->db, do_renew, &renewing);
}

/* ---- the present one ---- */

rp_err rp_identity_own_password(struct rp_identity *identity, rp_id person, rp_view client,
                                struct rp_sign_in *ret_sign_in) {
    RP_ASSERT(identity != NULL && ret_sign_in != NULL);
    struct rp_client_hash hash;
    struct rp_sign_in own = {.known = true, .person = person};
    RP_TRY(rp_identity_client(identity, client, &hash));
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db, "SELECT tenant, address, password FROM person WHERE id = ?1",
                       &row));
    rp_row_bind_id(row, 1, person);
    RP_TRY(rp_row_first(row));
    rp_view address = rp_row_blob(row, 1), text = rp_row_text(row, 2);
    if (address.n != RP_SHA256 || text.n == 0 || text.n >= sizeof own.password_text) {
        return RP_ERR(CORRUPT);
    }
    own.tenant = rp_row_id(row, 0);
    memcpy(own.address.b, address.p, RP_SHA256);
    memcpy(own.password_text, text.p, text.n);
    RP_TRY(rp_throttle_check(identity, &own.address, &hash));
    *ret_sign_in = own;
    return RP_OK;
}

struct wrong {
    struct rp_identity *identity;
    const struct rp_sign_in *own;
    struct rp_client_hash client;
};

static rp_err note_wrong(struct rp_db *db, void *ctx) {
    const struct wrong *wrong = ctx;
    RP_TRY(rp_throttle_fail(wrong->identity, &wrong->own->address, &wrong->client));
    struct rp_event *event = rp_identity_event(wrong->identity, RP_EVENT_SIGN_IN_REFUSED);
    rp_event_add_id(event, "tenant", wrong->own->tenant);
    rp_event_add_id(event, "person", wrong->own->person);
    rp_event_add_text(event, "reason", RP_VIEW("own_password"));
    rp_identity_add_client(event, &wrong->client);
    return rp_db_emit(db, event);
}

rp_err rp_identity_own_password_wrong(struct rp_identity *identity, const struct rp_sign_in *own,
                                      rp_view client) {
    RP_ASSERT(identity != NULL && own != NULL);
    struct wrong wrong = {.identity = identity, .own = own};
    RP_TRY(rp_identity_client(identity, client, &wrong.client));
    return rp_db_transact(identity->db, note_wrong, &wrong);
}

/* ---- the new one ---- */

struct change {
    struct rp_identity *identity;
    const struct rp_sign_in *own;
    struct rp_client_hash client;
    rp_id session;
    const char *password_text;
    struct rp_own_session *ended;
    size_t count;
};

/* The wait is asked again here: many guesses may have entered the password pool at once. */
static rp_err do_change(struct rp_db *db, void *ctx) {
    struct change *change = ctx;
    static const rp_id all;
    (void)db;
    RP_TRY(rp_throttle_check(change->identity, &change->own->address, &change->client));
    RP_TRY(rp_password_put(change->identity, change->own->person, change->own->tenant,
                           change->password_text, RP_VIEW("own")));
    RP_TRY(rp_identity_tell(change->identity, RP_NOTICE_PASSWORD_CHANGED, change->own->person,
                            change->own->tenant));
    return rp_sessions_end(change->identity, change->own->person, all, change->session,
                           RP_VIEW("password_changed"), change->ended, &change->count);
}

rp_err rp_identity_change_password(struct rp_identity *identity,
                                   const struct rp_password_change *what,
                                   struct rp_own_session ended[static RP_OWN_SESSIONS_MAX],
                                   size_t *ret_count) {
    RP_ASSERT(identity != NULL && what != NULL && ret_count != NULL);
    struct rp_phc phc;
    if (!rp_ok(rp_phc_parse(rp_view_from_cstr(what->password_text), &phc))) {
        return RP_ERR(INVALID);
    }
    struct change change = {.identity = identity,
                            .own = what->own,
                            .session = what->session,
                            .password_text = what->password_text,
                            .ended = ended};
    const struct rp_secret *key = NULL;
    RP_TRY(rp_identity_client(identity, what->client, &change.client));
    RP_TRY(rp_identity_tenant_key(identity, what->own->tenant, &key)); /* before the lock */
    RP_TRY(rp_db_transact(identity->db, do_change, &change));
    *ret_count = change.count;
    return RP_OK;
}
