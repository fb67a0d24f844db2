/* passkey_use.c — a key's answer as a second factor, by itself, and under what a person signs. */
#include "base/assert.h"
#include "base/checked.h"
#include "identity/passkey_internal.h"

/* ---- before the transaction ---- */

/* Whose key it is, or the row says so and lies: either way nobody's. */
static rp_err find_key(struct rp_identity *identity, const struct rp_passkey_proof *proof,
                       rp_id person, struct rp_passkey *key) {
    struct rp_sha256 index;
    rp_id owner, home;
    rp_view wanted = proof->answer->credential_id;
    RP_TRY(rp_passkey_index(identity, wanted, &index));
    RP_TRY(rp_passkey_find(identity, &index, key, &owner, &home));
    bool same = rp_id_equal(owner, person) &&
                rp_view_equal(rp_view_of(key->credential_id, key->credential_id_n), wanted);
    return same ? RP_OK : RP_ERR(NOT_FOUND);
}

/* The authenticator names the person whose key it used; where nobody was known, it has to. */
static bool names_person(const struct rp_passkey_proof *proof, rp_id person) {
    rp_view user = proof->answer->user;
    bool needed = proof->asked.purpose == RP_PASSKEY_ALONE;
    return user.p ? rp_view_equal(user, rp_view_of(person.b, sizeof person.b)) : !needed;
}

static rp_err judge(const struct rp_passkey_proof *proof, const struct rp_passkey *key,
                    rp_id person, struct rp_arena *arena, struct rp_passkey_use *use) {
    struct rp_passkey_seen seen;
    if (!names_person(proof, person)) {
        use->why = "passkey_person";
        return RP_ERR(DENIED);
    }
    /*= S101 */ /* who was in the account may have left a key there */
    if (proof->asked.purpose == RP_PASSKEY_ALONE && key->needs_password) {
        use->why = "passkey_needs_password";
        return RP_ERR(DENIED);
    }
    const char *why = NULL;
    rp_err err = rp_passkey_judge_use(&proof->expected, rp_view_of(key->key, key->key_n),
                                      proof->answer, arena, &seen, &why);
    if (rp_ok(err)) {
        use->count = seen.data.count;
    }
    return rp_ok(err) || rp_is(err, RP_E_NO_MEMORY) ? err : RP_ERR(DENIED);
}

rp_err rp_factor_compare_passkey(struct rp_identity *identity, const struct rp_factor *factor,
                                 const struct rp_passkey_proof *proof,
                                 struct rp_factor_answer *ret_answer, struct rp_passkey *ret_key) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(4 * RP_WEBAUTHN_ANSWER_MAX);
    struct rp_factor_answer answer = {
        .kind = RP_FACTOR_PASSKEY,
        .passkey = {.asked = &proof->asked, .why = "passkey", .judged = RP_ERR(DENIED)}};
    struct rp_passkey *key = arena ? rp_arena_alloc(arena, sizeof *key) : NULL;
    if (!key) {
        return RP_ERR(NO_MEMORY);
    }
    answer.passkey.challenge = rp_passkey_answer_hash(proof->answer, arena);
    rp_err err = find_key(identity, proof, factor->person, key);
    if (rp_ok(err)) {
        answer.passkey.key = key->id;
        answer.passkey.judged = judge(proof, key, factor->person, arena, &answer.passkey);
        if (rp_is(answer.passkey.judged, RP_E_NO_MEMORY)) {
            return answer.passkey.judged;
        }
    } else if (rp_is(err, RP_E_NOT_FOUND) || rp_is(err, RP_E_CORRUPT)) {
        answer.passkey.why = rp_is(err, RP_E_CORRUPT) ? "passkey_altered" : "passkey_unknown";
    } else {
        return err;
    }
    if (ret_key) {
        *ret_key = *key;
    }
    *ret_answer = answer;
    return RP_OK;
}

/* ---- inside it ---- */

/*= S101, S102 */ /* a key that counts and did not count on was copied */
static rp_err count_on(struct rp_identity *identity, const struct rp_passkey_use *use,
                       bool *ret_grew) {
    struct rp_row *row = NULL;
    uint64_t changed = 0;
    RP_TRY(rp_db_query(identity->db,
                       "UPDATE passkey SET sign_count = ?2, used_ms = ?3 WHERE id = ?1 "
                       "AND (sign_count < ?2 OR (sign_count = 0 AND ?2 = 0))",
                       &row));
    rp_row_bind_id(row, 1, use->key);
    rp_row_bind_u64(row, 2, use->count);
    rp_row_bind_u64(row, 3, (uint64_t)rp_identity_now(identity));
    RP_TRY(rp_row_run(row, &changed));
    *ret_grew = changed == 1;
    return RP_OK;
}

static rp_err say_copied(struct rp_identity *identity, const struct rp_factor *factor,
                         const struct rp_passkey_use *use) {
    struct rp_event *event = rp_identity_event(identity, RP_EVENT_FACTOR_CLONE);
    rp_event_add_id(event, "tenant", factor->home);
    rp_event_add_id(event, "person", factor->person);
    rp_event_add_id(event, "passkey", use->key);
    RP_TRY(rp_db_emit(identity->db, event));
    return rp_identity_tell(identity, RP_NOTICE_PASSKEY_COPIED, factor->person, factor->home);
}

rp_err rp_passkey_use(struct rp_identity *identity, const struct rp_factor *factor,
                      const struct rp_passkey_use *use, rp_err *ret_outcome) {
    bool good = false, grew = false;
    RP_TRY(rp_passkey_challenge_use(identity, use->asked, &use->challenge, &good));
    if (!good || !rp_ok(use->judged)) {
        *ret_outcome = good ? use->judged : RP_ERR(REPLAYED);
        return RP_OK;
    }
    RP_TRY(count_on(identity, use, &grew));
    *ret_outcome = grew ? RP_OK : RP_ERR(DENIED);
    return grew ? RP_OK : say_copied(identity, factor, use);
}

/* ---- a signature ---- */

struct signing {
    struct rp_identity *identity;
    struct rp_factor factor;
    struct rp_factor_answer answer;
    struct rp_client_hash client;
    rp_err outcome;
};

static rp_err do_sign(struct rp_db *db, void *ctx) {
    struct signing *signing = ctx;
    (void)db;
    RP_TRY(rp_throttle_check(signing->identity, &signing->factor.address, &signing->client));
    return rp_factor_use(signing->identity, &signing->factor, &signing->answer, &signing->client,
                         &signing->outcome);
}

rp_err rp_identity_sign(struct rp_identity *identity, const struct rp_passkey_proof *proof,
                        rp_view client, struct rp_passkey *ret_key) {
    RP_ASSERT(identity != NULL && proof != NULL && ret_key != NULL);
    RP_ASSERT(proof->asked.purpose == RP_PASSKEY_SIGN);
    struct signing signing = {.identity = identity};
    const struct rp_secret *key = NULL;
    RP_TRY(rp_factor_of(identity, proof->asked.person, &signing.factor));
    RP_TRY(rp_identity_client(identity, client, &signing.client));
    RP_TRY(rp_factor_compare_passkey(identity, &signing.factor, proof, &signing.answer, ret_key));
    RP_TRY(rp_identity_tenant_key(identity, signing.factor.home, &key)); /* of a letter */
    RP_TRY(rp_db_transact(identity->db, do_sign, &signing));
    return signing.outcome;
}
