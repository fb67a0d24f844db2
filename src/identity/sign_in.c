/* sign_in.c — the password, then a code or a key, or a key alone; every wrong turn counted and in
 * the log.
 */
#include "identity/passkey_internal.h"

#include <stdio.h>

#include "base/assert.h"

enum { PENDING_MS = 10 * 60 * 1000, CODE_TRIES = 5 };

/* ---- first step: who is it said to be ---- */

/* Imported hashes of other programs cost more or less than ours, and the time of an answer must not
 * tell who is there: an unknown address is compared with the password of whoever comes next in the
 * index, the same one each time, and the outcome is not looked at. */
static rp_err find_neighbour(struct rp_identity *identity, struct rp_sign_in *sign_in) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db,
                       "SELECT password FROM person WHERE address = coalesce("
                       "(SELECT address FROM person WHERE address > ?1 ORDER BY address LIMIT 1), "
                       "(SELECT address FROM person ORDER BY address LIMIT 1))",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&sign_in->address));
    rp_err err = rp_row_first(row);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return RP_OK; /* nobody is here at all */
    }
    RP_TRY(err);
    rp_view text = rp_row_text(row, 0);
    if (text.n >= sizeof sign_in->password_text) {
        return RP_ERR(CORRUPT);
    }
    memcpy(sign_in->password_text, text.p, text.n);
    return RP_OK;
}

static rp_err find_by_address(struct rp_identity *identity, struct rp_sign_in *sign_in) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db, "SELECT id, tenant, password FROM person WHERE address = ?1",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&sign_in->address));
    rp_err err = rp_row_first(row);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return find_neighbour(identity, sign_in); /* known stays false, and nothing else differs */
    }
    RP_TRY(err);
    rp_view text = rp_row_text(row, 2);
    if (text.n >= sizeof sign_in->password_text) {
        return RP_ERR(CORRUPT);
    }
    sign_in->known = true;
    sign_in->person = rp_row_id(row, 0);
    sign_in->tenant = rp_row_id(row, 1);
    memcpy(sign_in->password_text, text.p, text.n);
    return RP_OK;
}

rp_err rp_identity_sign_in_start(struct rp_identity *identity, rp_view email, rp_view client,
                                 struct rp_sign_in *ret_sign_in) {
    RP_ASSERT(identity != NULL && ret_sign_in != NULL);
    struct rp_sign_in sign_in = {.known = false};
    struct rp_client_hash hash;
    RP_TRY(rp_identity_address(identity, email, &sign_in.address));
    RP_TRY(rp_identity_client(identity, client, &hash));
    RP_TRY(rp_throttle_check(identity, &sign_in.address, &hash));
    RP_TRY(find_by_address(identity, &sign_in));
    *ret_sign_in = sign_in;
    return RP_OK;
}

/* ---- second step: the password was compared ---- */

struct password_step {
    struct rp_identity *identity;
    const struct rp_sign_in *sign_in;
    struct rp_client_hash client;
    bool right;
    struct rp_sha256 pending_hash;
    rp_err outcome;
};

static rp_err emit_refused(struct rp_identity *identity, rp_id tenant, rp_id person,
                           const char *reason, const struct rp_client_hash *client) {
    struct rp_event *event = rp_identity_event(identity, RP_EVENT_SIGN_IN_REFUSED);
    if (!rp_id_is_none(person)) {
        rp_event_add_id(event, "tenant", tenant);
        rp_event_add_id(event, "person", person);
    }
    rp_event_add_text(event, "reason", rp_view_from_cstr(reason));
    rp_identity_add_client(event, client);
    return rp_db_emit(identity->db, event);
}

/* Where the session will be: in the organisation chosen last, else the first one's, else any. */
#define CHOSEN_FIRST                                                                               \
    "ORDER BY membership.tenant = coalesce(last_tenant, person.tenant) DESC, "                     \
    "membership.tenant = person.tenant DESC, membership.tenant LIMIT 1"

static rp_err choose_tenant(const struct password_step *step, rp_id *ret_tenant) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(step->identity->db,
                       "SELECT membership.tenant FROM membership "
                       "JOIN person ON person.id = membership.person WHERE person.id = "
                       "?1 " CHOSEN_FIRST,
                       &row));
    rp_row_bind_id(row, 1, step->sign_in->person);
    RP_TRY(rp_row_first(row));
    *ret_tenant = rp_row_id(row, 0);
    return RP_OK;
}

static rp_err insert_pending(const struct password_step *step) {
    rp_id tenant;
    RP_TRY(choose_tenant(step, &tenant));
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(step->identity->db,
                       "INSERT INTO pending_sign_in (token_hash, person, tenant, tries, "
                       "expires_ms) VALUES (?1, ?2, ?3, 0, ?4)",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&step->pending_hash));
    rp_row_bind_id(row, 2, step->sign_in->person);
    rp_row_bind_id(row, 3, tenant);
    rp_row_bind_u64(row, 4, (uint64_t)(rp_identity_now(step->identity) + PENDING_MS));
    return rp_row_run(row, NULL);
}

/* The wait is asked again here: many guesses may have entered the password pool at once. */
static rp_err do_password_step(struct rp_db *db, void *ctx) {
    struct password_step *step = ctx;
    const struct rp_sign_in *sign_in = step->sign_in;
    (void)db;
    RP_TRY(rp_throttle_check(step->identity, &sign_in->address, &step->client));
    if (step->right) {
        step->outcome = RP_OK;
        return insert_pending(step);
    }
    step->outcome = RP_ERR(DENIED);
    RP_TRY(rp_throttle_fail(step->identity, &sign_in->address, &step->client));
    return emit_refused(step->identity, sign_in->tenant, sign_in->person,
                        sign_in->known ? "password" : "unknown", &step->client);
}

rp_err rp_identity_sign_in_password(struct rp_identity *identity, const struct rp_sign_in *sign_in,
                                    bool matched, rp_view client, struct rp_token *ret_pending) {
    RP_ASSERT(identity != NULL && sign_in != NULL);
    RP_ASSERT(ret_pending != NULL);
    struct password_step step = {
        .identity = identity, .sign_in = sign_in, .right = matched && sign_in->known};
    struct rp_token pending;
    RP_TRY(rp_identity_client(identity, client, &step.client));
    rp_token_new(identity->env, &pending);
    RP_TRY(rp_token_hash(rp_view_from_cstr(pending.s), &step.pending_hash));
    RP_TRY(rp_db_transact(identity->db, do_password_step, &step));
    if (rp_ok(step.outcome)) {
        *ret_pending = pending;
    }
    return step.outcome;
}

/* ---- third step: the code, or a key ---- */

struct last_step {
    struct rp_identity *identity;
    bool alone; /* a key without a password: no half sign-in came before */
    struct rp_sha256 pending_hash;
    struct rp_client_hash client;
    struct rp_factor factor;
    rp_id tenant;
    unsigned roles;
    bool with_factor; /* false: the operator lets a password alone in */
    struct rp_factor_answer answer;
    struct rp_token cookie;
    struct rp_session session;
    rp_err outcome;
};

static rp_err read_person(struct rp_row *row, struct last_step *step) {
    step->tenant = rp_row_id(row, 0);
    step->roles = (unsigned)rp_row_u64(row, 1) & RP_ROLES_ALL;
    return step->roles != 0 ? rp_factor_read(row, 2, &step->factor) : RP_ERR(CORRUPT);
}

static rp_err find_pending(struct last_step *step) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(step->identity->db,
                       "SELECT pending_sign_in.tenant, roles, " RP_FACTOR_COLUMNS " "
                       "FROM pending_sign_in "
                       "JOIN person ON person.id = pending_sign_in.person "
                       "JOIN membership ON membership.person = person.id "
                       "AND membership.tenant = pending_sign_in.tenant "
                       "WHERE token_hash = ?1 AND expires_ms > ?2",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&step->pending_hash));
    rp_row_bind_u64(row, 2, (uint64_t)rp_identity_now(step->identity));
    RP_TRY(rp_row_first(row));
    return read_person(row, step);
}

rp_err rp_identity_pending_person(struct rp_identity *identity, rp_view pending,
                                  rp_id *ret_person) {
    RP_ASSERT(identity != NULL && ret_person != NULL);
    struct last_step step = {.identity = identity};
    RP_TRY(rp_token_hash(pending, &step.pending_hash));
    RP_TRY(find_pending(&step));
    *ret_person = step.factor.person;
    return RP_OK;
}

/* Takes one try; RATE when none is left, NOT_FOUND when another request ended this sign-in. */
static rp_err take_try(struct last_step *step) {
    struct rp_row *row = NULL;
    uint64_t changed = 0;
    RP_TRY(rp_db_query(step->identity->db,
                       "UPDATE pending_sign_in SET tries = tries + 1 WHERE token_hash = ?1", &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&step->pending_hash));
    RP_TRY(rp_row_run(row, &changed));
    if (changed == 0) {
        return RP_ERR(NOT_FOUND);
    }
    _cleanup_(rp_row_donep) struct rp_row *read = NULL;
    RP_TRY(rp_db_query(step->identity->db,
                       "SELECT tries FROM pending_sign_in WHERE token_hash = ?1", &read));
    rp_row_bind_blob(read, 1, rp_hash_view(&step->pending_hash));
    RP_TRY(rp_row_first(read));
    return rp_row_u64(read, 0) > CODE_TRIES ? RP_ERR(RATE) : RP_OK;
}

static rp_err forget_pending(struct last_step *step) {
    struct rp_row *row = NULL;
    RP_TRY(
        rp_db_query(step->identity->db, "DELETE FROM pending_sign_in WHERE token_hash = ?1", &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&step->pending_hash));
    return rp_row_run(row, NULL);
}

/* No page but ours can have a key's answer; a code can be typed anywhere. */
static enum rp_acr strength_of(const struct last_step *step) {
    if (!step->with_factor) {
        return RP_ACR_PWD;
    }
    return step->answer.kind == RP_FACTOR_PASSKEY ? RP_ACR_PHR : RP_ACR_MFA;
}

static rp_err accept(struct last_step *step) {
    if (!step->alone) {
        RP_TRY(forget_pending(step));
    }
    RP_TRY(rp_throttle_accept(step->identity, &step->factor.address, &step->client));
    struct rp_session_new what = {
        .person = step->factor.person,
        .tenant = step->tenant,
        .roles = step->roles,
        .acr = strength_of(step),
        .client = step->client,
    };
    return rp_session_insert(step->identity, &what, &step->cookie, &step->session);
}

static rp_err do_last_step(struct rp_db *db, void *ctx) {
    struct last_step *step = ctx;
    (void)db;
    RP_TRY(rp_throttle_check(step->identity, &step->factor.address, &step->client));
    if (!step->alone) {
        RP_TRY(take_try(step));
    }
    step->outcome = RP_OK;
    if (step->with_factor) {
        RP_TRY(rp_factor_use(step->identity, &step->factor, &step->answer, &step->client,
                             &step->outcome));
    }
    return rp_ok(step->outcome) ? accept(step) : RP_OK;
}

static rp_err compare(struct last_step *step, const struct rp_proof *proof) {
    if (proof->passkey) {
        return rp_factor_compare_passkey(step->identity, &step->factor, proof->passkey,
                                         &step->answer, NULL);
    }
    return step->with_factor ? rp_factor_compare(step->identity, &step->factor,
                                                 rp_view_trim(proof->code), &step->answer)
                             : RP_OK;
}

static rp_err end_sign_in(struct last_step *step, const struct rp_proof *proof, rp_view client,
                          struct rp_token *ret_cookie, struct rp_session *ret_session) {
    const struct rp_secret *key = NULL;
    RP_TRY(rp_identity_client(step->identity, client, &step->client));
    RP_TRY(compare(step, proof));
    RP_TRY(rp_identity_tenant_key(step->identity, step->factor.home, &key)); /* of a letter */
    RP_TRY(rp_db_transact(step->identity->db, do_last_step, step));
    if (rp_ok(step->outcome)) {
        *ret_cookie = step->cookie;
        *ret_session = step->session;
    }
    return step->outcome;
}

rp_err rp_identity_sign_in_prove(struct rp_identity *identity, rp_view pending,
                                 const struct rp_proof *proof, rp_view client,
                                 struct rp_token *ret_cookie, struct rp_session *ret_session) {
    RP_ASSERT(identity != NULL && ret_cookie != NULL && ret_session != NULL);
    struct last_step step = {.identity = identity,
                             .with_factor = proof->passkey || rp_view_trim(proof->code).n > 0};
    RP_TRY(rp_token_hash(pending, &step.pending_hash));
    RP_TRY(find_pending(&step));
    /*= S99 */ /* who has one needs it; who has none needs that the operator said so */
    /*= S171: imposed, nobody comes in without it */
    if (!step.with_factor &&
        (identity->options.second_factor_required || rp_factor_is_there(&step.factor))) {
        return RP_ERR(SECOND_FACTOR);
    }
    return end_sign_in(&step, proof, client, ret_cookie, ret_session);
}

rp_err rp_identity_sign_in_finish(struct rp_identity *identity, rp_view pending, rp_view code,
                                  rp_view client, struct rp_token *ret_cookie,
                                  struct rp_session *ret_session) {
    const struct rp_proof proof = {.code = code};
    return rp_identity_sign_in_prove(identity, pending, &proof, client, ret_cookie, ret_session);
}

/* ---- a key alone ---- */

static rp_err find_owner(struct last_step *step, const struct rp_sha256 *index) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(step->identity->db,
                       "SELECT membership.tenant, roles, " RP_FACTOR_COLUMNS " FROM passkey "
                       "JOIN person ON person.id = passkey.person "
                       "JOIN membership ON membership.person = person.id "
                       "WHERE passkey.credential = ?1 " CHOSEN_FIRST,
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(index));
    RP_TRY(rp_row_first(row));
    return read_person(row, step);
}

/* A key that nobody has is counted by its index, as an address that nobody has is by its own. */
struct unknown_key {
    struct rp_identity *identity;
    struct rp_sha256 index;
    struct rp_client_hash client;
};

static rp_err note_unknown(struct rp_db *db, void *ctx) {
    const struct unknown_key *unknown = ctx;
    static const rp_id nobody;
    (void)db;
    RP_TRY(rp_throttle_fail(unknown->identity, &unknown->index, &unknown->client));
    return emit_refused(unknown->identity, nobody, nobody, "passkey_unknown", &unknown->client);
}

static rp_err refuse_unknown(struct rp_identity *identity, const struct rp_sha256 *index,
                             rp_view client) {
    struct unknown_key unknown = {.identity = identity, .index = *index};
    RP_TRY(rp_identity_client(identity, client, &unknown.client));
    RP_TRY(rp_throttle_check(identity, index, &unknown.client));
    RP_TRY(rp_db_transact(identity->db, note_unknown, &unknown));
    return RP_ERR(DENIED);
}

rp_err rp_identity_sign_in_alone(struct rp_identity *identity, const struct rp_passkey_proof *proof,
                                 rp_view client, struct rp_token *ret_cookie,
                                 struct rp_session *ret_session) {
    RP_ASSERT(identity != NULL && ret_cookie != NULL && ret_session != NULL);
    RP_ASSERT(proof->asked.purpose == RP_PASSKEY_ALONE && proof->expected.verified);
    struct last_step step = {.identity = identity, .alone = true, .with_factor = true};
    const struct rp_proof key = {.passkey = proof};
    struct rp_sha256 index;
    RP_TRY(rp_passkey_index(identity, proof->answer->credential_id, &index));
    rp_err err = find_owner(&step, &index);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return refuse_unknown(identity, &index, client);
    }
    RP_TRY(err);
    return end_sign_in(&step, &key, client, ret_cookie, ret_session);
}
