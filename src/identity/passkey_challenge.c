/* passkey_challenge.c — what keys are asked to sign: given out, and taken back once. */
#include "base/assert.h"
#include "identity/passkey_internal.h"

enum {
    PER_BROWSER = 8, /* open at once; the oldest goes */
    OF_STRANGERS =
        20000 /* likewise: whoever asks for many makes theirs go, not those of the next */
};

static struct rp_sha256 browser_of(const struct rp_passkey_asked *asked) {
    return rp_sha256_of(asked->browser);
}

static rp_err make_room_for_stranger(struct rp_db *db) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "DELETE FROM passkey_challenge WHERE hash IN "
                       "(SELECT hash FROM passkey_challenge WHERE person IS NULL "
                       "ORDER BY expires_ms LIMIT max(0, 1 - ?1 + "
                       "(SELECT count(*) FROM passkey_challenge WHERE person IS NULL)))",
                       &row));
    rp_row_bind_u64(row, 1, OF_STRANGERS);
    return rp_row_run(row, NULL);
}

struct giving {
    struct rp_identity *identity;
    const struct rp_passkey_asked *asked;
    struct rp_sha256 hash, browser;
};

static rp_err insert(struct rp_db *db, const struct giving *giving) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO passkey_challenge (hash, purpose, bound, person, expires_ms) "
                       "VALUES (?1, ?2, ?3, ?4, ?5)",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&giving->hash));
    rp_row_bind_u64(row, 2, giving->asked->purpose);
    rp_row_bind_blob(row, 3, rp_hash_view(&giving->browser));
    if (rp_id_is_none(giving->asked->person)) {
        rp_row_bind_null(row, 4);
    } else {
        rp_row_bind_id(row, 4, giving->asked->person);
    }
    rp_row_bind_u64(row, 5, (uint64_t)(rp_identity_now(giving->identity) + RP_CHALLENGE_MS));
    return rp_row_run(row, NULL);
}

static rp_err give(struct rp_db *db, void *ctx) {
    const struct giving *giving = ctx;
    if (rp_id_is_none(giving->asked->person)) {
        RP_TRY(make_room_for_stranger(db));
    }
    RP_TRY(insert(db, giving));
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "DELETE FROM passkey_challenge WHERE bound = ?1 AND hash NOT IN "
                       "(SELECT hash FROM passkey_challenge WHERE bound = ?1 "
                       "ORDER BY expires_ms DESC LIMIT ?2)",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&giving->browser));
    rp_row_bind_u64(row, 2, PER_BROWSER);
    return rp_row_run(row, NULL);
}

rp_err rp_passkey_challenge_keep(struct rp_identity *identity, const struct rp_passkey_asked *asked,
                                 rp_view challenge) {
    RP_ASSERT(identity != NULL && asked != NULL && asked->browser.n > 0);
    RP_ASSERT(asked->purpose == RP_PASSKEY_ALONE || !rp_id_is_none(asked->person));
    struct giving giving = {.identity = identity,
                            .asked = asked,
                            .hash = rp_sha256_of(challenge),
                            .browser = browser_of(asked)};
    return rp_db_transact(identity->db, give, &giving);
}

rp_err rp_passkey_challenge(struct rp_identity *identity, const struct rp_passkey_asked *asked,
                            uint8_t ret_challenge[static RP_CHALLENGE]) {
    RP_ASSERT(identity != NULL);
    uint8_t bytes[RP_CHALLENGE];
    identity->env->fill_random(identity->env->ctx, bytes, sizeof bytes);
    RP_TRY(rp_passkey_challenge_keep(identity, asked, rp_view_of(bytes, sizeof bytes)));
    memcpy(ret_challenge, bytes, sizeof bytes);
    return RP_OK;
}

/* Gone whatever its answer is worth: it has one try. For another purpose, browser or person it is
 * as if it were not there. */
rp_err rp_passkey_challenge_use(struct rp_identity *identity, const struct rp_passkey_asked *asked,
                                const struct rp_sha256 *hash, bool *ret_good) {
    static const rp_id nobody;
    struct rp_sha256 browser = browser_of(asked);
    struct rp_row *row = NULL;
    uint64_t found = 0;
    RP_TRY(rp_db_query(identity->db,
                       "DELETE FROM passkey_challenge WHERE hash = ?1 AND purpose = ?2 "
                       "AND bound = ?3 AND coalesce(person, ?6) = ?4 AND expires_ms > ?5",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(hash));
    rp_row_bind_u64(row, 2, asked->purpose);
    rp_row_bind_blob(row, 3, rp_hash_view(&browser));
    rp_row_bind_id(row, 4, asked->person);
    rp_row_bind_u64(row, 5, (uint64_t)rp_identity_now(identity));
    rp_row_bind_id(row, 6, nobody);
    RP_TRY(rp_row_run(row, &found));
    *ret_good = found == 1;
    return RP_OK;
}

rp_err rp_passkey_challenge_expire(struct rp_identity *identity) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db, "DELETE FROM passkey_challenge WHERE expires_ms <= ?1", &row));
    rp_row_bind_u64(row, 1, (uint64_t)rp_identity_now(identity));
    return rp_row_run(row, NULL);
}

struct rp_sha256 rp_passkey_answer_hash(const struct rp_webauthn_answer *answer,
                                        struct rp_arena *arena) {
    struct rp_client_data client = {.challenge = {NULL, 0}};
    rp_ignore(rp_client_data_parse(answer->client_data, arena, &client)); /* then of nothing */
    return rp_sha256_of(client.challenge);
}
