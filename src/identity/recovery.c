/* recovery.c — ten codes for whoever lost the authenticator or the key; each works once, in its
 * place.
 *
 * Fifty random bits a code: guessing is what the throttle is for, and the keyed hashes in the
 * database are worth nothing without the key service.
 */
#include "identity/internal.h"

#include "base/assert.h"

/* Thirty-two signs that nobody mistakes for another: no l, o, 0, 1. */
static const char signs[] = "abcdefghijkmnpqrstuvwxyz23456789";
_Static_assert(sizeof signs == 33, "five bits a sign");
_Static_assert(RP_RECOVERY_TEXT == RP_RECOVERY_DIGITS + 1, "one hyphen in the middle");

bool rp_recovery_read(rp_view code, char ret_digits[static RP_RECOVERY_DIGITS]) {
    size_t n = 0;
    for (size_t i = 0; i < code.n; i++) {
        char c = (char)rp_lower(code.p[i]);
        if (c == ' ' || c == '-') {
            continue;
        }
        if (n == RP_RECOVERY_DIGITS || c == 0 || !strchr(signs, c)) {
            return false;
        }
        ret_digits[n++] = c;
    }
    return n == RP_RECOVERY_DIGITS;
}

static rp_err count_left(struct rp_identity *identity, rp_id person, size_t *ret_left) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db,
                       "SELECT count(*) FROM recovery_code WHERE person = ?1 AND used_ms IS NULL",
                       &row));
    rp_row_bind_id(row, 1, person);
    RP_TRY(rp_row_first(row));
    *ret_left = (size_t)rp_row_u64(row, 0);
    return RP_OK;
}

rp_err rp_identity_recovery_left(struct rp_identity *identity, rp_id person, size_t *ret_left) {
    RP_ASSERT(identity != NULL && ret_left != NULL);
    return count_left(identity, person, ret_left);
}

/* ---- using one ---- */

rp_err rp_recovery_use(struct rp_identity *identity, const struct rp_factor *factor,
                       const struct rp_sha256 *hash, const struct rp_client_hash *client,
                       rp_err *ret_outcome) {
    struct rp_row *row = NULL;
    uint64_t changed = 0;
    size_t left = 0;
    RP_TRY(rp_db_query(identity->db,
                       "UPDATE recovery_code SET used_ms = ?1 "
                       "WHERE person = ?2 AND hash = ?3 AND used_ms IS NULL",
                       &row));
    rp_row_bind_u64(row, 1, (uint64_t)rp_identity_now(identity));
    rp_row_bind_id(row, 2, factor->person);
    rp_row_bind_blob(row, 3, rp_hash_view(hash));
    RP_TRY(rp_row_run(row, &changed));
    *ret_outcome = changed == 1 ? RP_OK : RP_ERR(DENIED);
    if (changed == 0) {
        return RP_OK;
    }
    RP_TRY(count_left(identity, factor->person, &left));
    struct rp_event *event = rp_identity_event(identity, RP_EVENT_RECOVERY_USED);
    rp_event_add_id(event, "tenant", factor->home);
    rp_event_add_id(event, "person", factor->person);
    rp_event_add_u64(event, "left", left);
    rp_identity_add_client(event, client);
    RP_TRY(rp_db_emit(identity->db, event));
    return rp_identity_tell(identity, RP_NOTICE_RECOVERY_USED, factor->person, factor->home);
}

/* ---- making ten ---- */

struct making {
    struct rp_identity *identity;
    struct rp_factor factor;
    struct rp_factor_answer answer;
    struct rp_client_hash client;
    struct rp_sha256 hashes[RP_RECOVERY_CODES];
    rp_err outcome;
};

static void new_code(const struct rp_env *env, char ret_code[static RP_RECOVERY_TEXT + 1]) {
    uint8_t random[RP_RECOVERY_DIGITS];
    env->fill_random(env->ctx, random, sizeof random);
    size_t at = 0;
    for (size_t i = 0; i < RP_RECOVERY_DIGITS; i++) {
        if (i == RP_RECOVERY_DIGITS / 2) {
            ret_code[at++] = '-';
        }
        ret_code[at++] = signs[random[i] & 31];
    }
    ret_code[at] = 0;
    rp_wipe(random, sizeof random);
}

static rp_err draw(struct making *making, struct rp_recovery_codes *codes) {
    for (size_t i = 0; i < RP_RECOVERY_CODES; i++) {
        char digits[RP_RECOVERY_DIGITS];
        new_code(making->identity->env, codes->s[i]);
        bool read = rp_recovery_read(rp_view_from_cstr(codes->s[i]), digits);
        RP_ASSERT(read);
        rp_err err =
            rp_identity_recovery_hash(making->identity, making->factor.person,
                                      rp_view_of(digits, sizeof digits), &making->hashes[i]);
        rp_wipe(digits, sizeof digits);
        RP_TRY(err);
    }
    return RP_OK;
}

static rp_err insert_codes(const struct making *making) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(making->identity->db, "DELETE FROM recovery_code WHERE person = ?1", &row));
    rp_row_bind_id(row, 1, making->factor.person);
    RP_TRY(rp_row_run(row, NULL));
    for (size_t i = 0; i < RP_RECOVERY_CODES; i++) {
        RP_TRY(rp_db_query(making->identity->db,
                           "INSERT INTO recovery_code (person, hash) VALUES (?1, ?2)", &row));
        rp_row_bind_id(row, 1, making->factor.person);
        rp_row_bind_blob(row, 2, rp_hash_view(&making->hashes[i]));
        RP_TRY(rp_row_run(row, NULL));
    }
    struct rp_event *event = rp_identity_event(making->identity, RP_EVENT_RECOVERY_MADE);
    rp_event_add_id(event, "tenant", making->factor.home);
    rp_event_add_id(event, "person", making->factor.person);
    return rp_db_emit(making->identity->db, event);
}

static rp_err do_make(struct rp_db *db, void *ctx) {
    struct making *making = ctx;
    (void)db;
    if (making->factor.seed_n == 0) {
        return insert_codes(making);
    }
    RP_TRY(rp_throttle_check(making->identity, &making->factor.address, &making->client));
    RP_TRY(rp_factor_use(making->identity, &making->factor, &making->answer, &making->client,
                         &making->outcome));
    return rp_ok(making->outcome) ? insert_codes(making) : RP_OK;
}

/* A recovery code never makes others: neither typed here, nor by the session that it opened. */
static rp_err check_shown(struct making *making, const struct rp_recovery_ask *ask) {
    if (making->factor.seed_n == 0) {
        return making->factor.passkeys == 0 ? RP_ERR(CONFLICT)
               : ask->key_shown             ? RP_OK
                                            : RP_ERR(SECOND_FACTOR);
    }
    RP_TRY(rp_factor_compare(making->identity, &making->factor, ask->code, &making->answer));
    return making->answer.kind == RP_FACTOR_TOTP ? RP_OK : RP_ERR(DENIED);
}

rp_err rp_identity_new_recovery_codes(struct rp_identity *identity,
                                      const struct rp_recovery_ask *ask,
                                      struct rp_recovery_codes *ret_codes) {
    RP_ASSERT(identity != NULL && ask != NULL && ret_codes != NULL);
    struct making making = {.identity = identity};
    RP_TRY(rp_factor_of(identity, ask->person, &making.factor));
    RP_TRY(rp_identity_client(identity, ask->client, &making.client));
    RP_TRY(check_shown(&making, ask));
    struct rp_recovery_codes codes;
    rp_err err = draw(&making, &codes);
    if (rp_ok(err)) {
        err = rp_db_transact(identity->db, do_make, &making);
    }
    if (rp_ok(err)) {
        err = making.outcome;
    }
    if (rp_ok(err)) {
        *ret_codes = codes;
    }
    rp_wipe(&codes, sizeof codes);
    return err;
}
