/* reset.c — a forgotten password: asked for by anybody, told to nobody, changed by who has the
 * mail.
 *
 * Asking writes one row that names no person and looks nothing up, so that the work and the answer
 * are the same whoever is meant. Core's sender thread looks at the rows: a person who is there
 * gets a mail, and the rest is silence. The second factor stays: a mailbox alone opens nothing.
 */
#include "identity/internal.h"
#include "identity/organisations.h"

#include <stdio.h>

#include "base/assert.h"
#include "crypto/phc.h"

enum { VALID_MS = 30 * 60 * 1000, ASK_AGAIN_MS = 5 * 60 * 1000, WAITING_MAX = 10000 };

/* ---- asking ---- */

static rp_err check_room(struct rp_identity *identity) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db, "SELECT count(*) FROM reset_request", &row));
    RP_TRY(rp_row_first(row));
    return rp_row_u64(row, 0) < WAITING_MAX ? RP_OK : RP_ERR(OVERLOAD);
}

/* Once in five minutes for an address; more often changes nothing, and is answered the same. */
rp_err rp_identity_reset_ask(struct rp_identity *identity, rp_view email, enum rp_lang lang) {
    RP_ASSERT(identity != NULL);
    struct rp_sha256 address;
    RP_TRY(rp_identity_address(identity, email, &address));
    RP_TRY(check_room(identity));
    int64_t now_ms = rp_identity_now(identity);
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(
        identity->db,
        "INSERT INTO reset_request (address, lang, asked_ms, done) "
        "VALUES (?1, ?2, ?3, 0) ON CONFLICT (address) "
        "DO UPDATE SET lang = ?2, asked_ms = ?3, done = 0 WHERE reset_request.asked_ms < ?4",
        &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&address));
    rp_row_bind_text(row, 2, lang == RP_FR ? RP_VIEW("fr") : RP_VIEW("en"));
    rp_row_bind_u64(row, 3, (uint64_t)now_ms);
    rp_row_bind_u64(row, 4, (uint64_t)(now_ms - ASK_AGAIN_MS));
    return rp_row_run(row, NULL);
}

/* ---- looking at what was asked ---- */

struct asked {
    struct rp_identity *identity;
    struct rp_sha256 address;
    enum rp_lang lang;
    rp_id person, tenant; /* none: nobody has this address */
    struct rp_token token;
    char link[512];
};

static rp_err next_asked(struct asked *asked) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(asked->identity->db,
                       "SELECT reset_request.address, reset_request.lang, person.id, person.tenant "
                       "FROM reset_request LEFT JOIN person "
                       "ON person.address = reset_request.address WHERE done = 0 LIMIT 1",
                       &row));
    RP_TRY(rp_row_first(row));
    rp_view address = rp_row_blob(row, 0);
    if (address.n != RP_SHA256) {
        return RP_ERR(CORRUPT);
    }
    memcpy(asked->address.b, address.p, RP_SHA256);
    asked->lang = rp_view_equal(rp_row_text(row, 1), RP_VIEW("en")) ? RP_EN : RP_FR;
    asked->person = rp_row_id(row, 2);
    asked->tenant = rp_row_id(row, 3);
    return RP_OK;
}

static rp_err insert_reset(const struct asked *asked) {
    struct rp_sha256 hash;
    struct rp_row *row = NULL;
    RP_TRY(rp_token_hash(rp_view_from_cstr(asked->token.s), &hash));
    /* A second link replaces the first. */
    RP_TRY(rp_db_query(asked->identity->db,
                       "DELETE FROM password_reset WHERE person = ?1 AND used_ms IS NULL", &row));
    rp_row_bind_id(row, 1, asked->person);
    RP_TRY(rp_row_run(row, NULL));
    RP_TRY(rp_db_query(asked->identity->db,
                       "INSERT INTO password_reset (token_hash, person, tenant, expires_ms) "
                       "VALUES (?1, ?2, ?3, ?4)",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&hash));
    rp_row_bind_id(row, 2, asked->person);
    rp_row_bind_id(row, 3, asked->tenant);
    rp_row_bind_u64(row, 4, (uint64_t)(rp_identity_now(asked->identity) + VALID_MS));
    return rp_row_run(row, NULL);
}

static rp_err tell(struct asked *asked) {
    struct rp_identity *identity = asked->identity;
    rp_token_new(identity->env, &asked->token);
    int n = snprintf(asked->link, sizeof asked->link, "%s/.rempart/id/reset/new?token=%s",
                     identity->options.origin, asked->token.s);
    if (n < 0 || (size_t)n >= sizeof asked->link) {
        return RP_ERR(TOO_LARGE);
    }
    const struct rp_notice_value values[] = {{"link", rp_view_from_cstr(asked->link)}};
    const struct rp_notice notice = {.kind = RP_NOTICE_PASSWORD_RESET,
                                     .channels = RP_NOTICE_MAIL,
                                     .tenant = asked->tenant,
                                     .person = asked->person,
                                     .lang = asked->lang,
                                     .values = values,
                                     .value_count = 1};
    RP_TRY(insert_reset(asked));
    return rp_identity_notify(identity, &notice);
}

static rp_err answer_one(struct rp_db *db, void *ctx) {
    struct asked *asked = ctx;
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "UPDATE reset_request SET done = 1 WHERE address = ?1", &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&asked->address));
    RP_TRY(rp_row_run(row, NULL));
    return rp_id_is_none(asked->person) ? RP_OK : tell(asked);
}

rp_err rp_identity_reset_work(struct rp_identity *identity) {
    RP_ASSERT(identity != NULL);
    if (!identity->options.origin) {
        return RP_OK;
    }
    for (size_t i = 0; i < 64; i++) {
        struct asked asked = {.identity = identity};
        rp_err err = next_asked(&asked);
        if (rp_is(err, RP_E_NOT_FOUND)) {
            break;
        }
        RP_TRY(err);
        const struct rp_secret *key = NULL;
        if (!rp_id_is_none(asked.person)) {
            RP_TRY(rp_identity_tenant_key(identity, asked.tenant, &key)); /* before the lock */
        }
        err = rp_db_transact(identity->db, answer_one, &asked);
        rp_wipe(&asked, sizeof asked);
        RP_TRY(err);
    }
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db, "DELETE FROM reset_request WHERE done = 1 AND asked_ms < ?1",
                       &row));
    rp_row_bind_u64(row, 1, (uint64_t)(rp_identity_now(identity) - ASK_AGAIN_MS));
    return rp_row_run(row, NULL);
}

/* ---- the link ---- */

struct reset {
    struct rp_identity *identity;
    struct rp_sha256 token_hash;
    rp_id person, tenant;
    const char *password_text;
    struct rp_own_session *ended;
    size_t count;
};

static rp_err find(struct rp_identity *identity, rp_view token, struct reset *reset) {
    RP_TRY(rp_token_hash(token, &reset->token_hash));
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db,
                       "SELECT person, tenant, expires_ms, used_ms FROM password_reset "
                       "WHERE token_hash = ?1",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&reset->token_hash));
    RP_TRY(rp_row_first(row));
    if (!rp_row_is_null(row, 3)) {
        return RP_ERR(REPLAYED);
    }
    if ((int64_t)rp_row_u64(row, 2) <= rp_identity_now(identity)) {
        return RP_ERR(EXPIRED);
    }
    reset->identity = identity;
    reset->person = rp_row_id(row, 0);
    reset->tenant = rp_row_id(row, 1);
    return RP_OK;
}

rp_err rp_identity_find_reset(struct rp_identity *identity, rp_view token,
                              struct rp_person *ret_person) {
    RP_ASSERT(identity != NULL && ret_person != NULL);
    struct reset reset = {.count = 0};
    RP_TRY(find(identity, token, &reset));
    struct rp_person person = {.person = reset.person, .tenant = reset.tenant};
    RP_TRY(rp_identity_address_of(identity, reset.person, person.email));
    *ret_person = person;
    return RP_OK;
}

static rp_err spend(struct rp_db *db, const struct reset *reset) {
    struct rp_row *row = NULL;
    uint64_t changed = 0;
    RP_TRY(rp_db_query(
        db, "UPDATE password_reset SET used_ms = ?1 WHERE token_hash = ?2 AND used_ms IS NULL",
        &row));
    rp_row_bind_u64(row, 1, (uint64_t)rp_identity_now(reset->identity));
    rp_row_bind_blob(row, 2, rp_hash_view(&reset->token_hash));
    RP_TRY(rp_row_run(row, &changed));
    return changed == 1 ? RP_OK : RP_ERR(REPLAYED);
}

static rp_err do_reset(struct rp_db *db, void *ctx) {
    struct reset *reset = ctx;
    static const rp_id nothing;
    RP_TRY(spend(db, reset));
    RP_TRY(rp_password_put(reset->identity, reset->person, reset->tenant, reset->password_text,
                           RP_VIEW("reset")));
    return rp_sessions_end(reset->identity, reset->person, nothing, nothing,
                           RP_VIEW("password_changed"), reset->ended, &reset->count);
}

rp_err rp_identity_reset(struct rp_identity *identity, rp_view token, const char *password_text,
                         struct rp_own_session ended[static RP_OWN_SESSIONS_MAX],
                         size_t *ret_count) {
    RP_ASSERT(identity != NULL && password_text != NULL && ret_count != NULL);
    struct rp_phc phc;
    struct reset reset = {.password_text = password_text, .ended = ended};
    if (!rp_ok(rp_phc_parse(rp_view_from_cstr(password_text), &phc))) {
        return RP_ERR(INVALID);
    }
    RP_TRY(find(identity, token, &reset));
    RP_TRY(rp_db_transact(identity->db, do_reset, &reset));
    *ret_count = reset.count;
    return RP_OK;
}
