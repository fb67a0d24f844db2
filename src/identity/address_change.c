/* address_change.c — another address for a person: asked for with password and code, true only once
 * the link that went there was used, undone by who reads the former one.
 *
 * Whether somebody else has the wanted address is told to its mailbox alone: the same row is
 * written, and a letter goes there, with a link or with the reason why there is none.
 */
#include "identity/address_change.h"

#include <stdio.h>

#include "base/assert.h"
#include "identity/passkey_internal.h"

enum { ASKS_A_DAY = 5, CONFIRM_MS = 60 * 60 * 1000 };
static const int64_t day_ms = (int64_t)24 * 3600 * 1000;
static const int64_t stop_ms = (int64_t)7 * 24 * 3600 * 1000;

#define CONFIRM "/.rempart/id/email/confirm"
#define STOP "/.rempart/id/email/stop"

struct sealed {
    uint8_t b[RP_SEALED_MAX];
    size_t n;
};

static rp_view sealed_view(const struct sealed *sealed) {
    return rp_view_of(sealed->b, sealed->n);
}

static rp_err keep_sealed(rp_view from, struct sealed *to) {
    if (from.n == 0 || from.n > sizeof to->b) {
        return RP_ERR(CORRUPT);
    }
    memcpy(to->b, from.p, from.n);
    to->n = from.n;
    return RP_OK;
}

/* ---- asking ---- */

struct asking {
    struct rp_identity *identity;
    const struct rp_address_ask *ask;
    rp_id person, tenant; /* the tenant whose key seals the person's facts */
    struct rp_email email;
    struct rp_sha256 address, former, token_hash, stop_hash;
    struct sealed email_sealed, former_sealed;
    char former_email[RP_EMAIL_MAX + 1];
    struct rp_token token, stop;
    struct rp_client_hash client;
    struct rp_factor factor;
    struct rp_factor_answer answer;
    bool taken; /* somebody else has it */
    uint64_t asks;
    int64_t since_ms;
    rp_err outcome;
};

static rp_err read_present(struct asking *asking) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(asking->identity->db,
                       "SELECT tenant, address, email_sealed FROM person WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, asking->person);
    RP_TRY(rp_row_first(row));
    rp_view address = rp_row_blob(row, 1);
    if (address.n != RP_SHA256) {
        return RP_ERR(CORRUPT);
    }
    asking->tenant = rp_row_id(row, 0);
    memcpy(asking->former.b, address.p, RP_SHA256);
    return keep_sealed(rp_row_blob(row, 2), &asking->former_sealed);
}

static rp_err prepare(struct asking *asking) {
    struct rp_identity *identity = asking->identity;
    const struct rp_place place = {"email", asking->tenant, asking->person};
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(RP_SEALED_MAX);
    RP_TRY(rp_identity_seal(identity, &place, rp_view_from_cstr(asking->email.s), &sealed));
    RP_TRY(keep_sealed(rp_buf_view(&sealed), &asking->email_sealed));
    RP_TRY(rp_identity_open_email(identity, &place, sealed_view(&asking->former_sealed),
                                  asking->former_email));
    rp_token_new(identity->env, &asking->token);
    rp_token_new(identity->env, &asking->stop);
    RP_TRY(rp_token_hash(rp_view_from_cstr(asking->token.s), &asking->token_hash));
    RP_TRY(rp_token_hash(rp_view_from_cstr(asking->stop.s), &asking->stop_hash));
    RP_TRY(rp_factor_of(identity, asking->person, &asking->factor));
    if (asking->factor.seed_n == 0 && asking->factor.passkeys > 0 && !asking->ask->fresh) {
        return RP_ERR(SECOND_FACTOR);
    }
    if (asking->factor.seed_n > 0) {
        RP_TRY(rp_factor_compare(identity, &asking->factor, asking->ask->code, &asking->answer));
    }
    const struct rp_secret *key = NULL;
    return rp_identity_tenant_key(identity, asking->tenant, &key); /* of the letters */
}

/* Each one writes to an address that nobody has verified: five a day, no more. */
static rp_err count_asks(struct asking *asking) {
    int64_t now_ms = rp_identity_now(asking->identity);
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(asking->identity->db,
                       "SELECT asks, since_ms, asked_ms, used_ms IS NOT NULL AND stop_hash IS NOT "
                       "NULL FROM address_change WHERE person = ?1",
                       &row));
    rp_row_bind_id(row, 1, asking->person);
    rp_err err = rp_row_first(row);
    bool first = rp_is(err, RP_E_NOT_FOUND);
    if (!first) {
        RP_TRY(err);
    }
    /*= S170: a further change would take the link that undoes this one out of the owner's hands. */
    if (!first && rp_row_u64(row, 3) != 0 && now_ms - (int64_t)rp_row_u64(row, 2) < stop_ms) {
        return RP_ERR(CONFLICT);
    }
    asking->asks = first ? 0 : rp_row_u64(row, 0);
    asking->since_ms = first ? now_ms : (int64_t)rp_row_u64(row, 1);
    if (now_ms - asking->since_ms >= day_ms) {
        asking->asks = 0;
        asking->since_ms = now_ms;
    }
    asking->asks++;
    return asking->asks <= ASKS_A_DAY ? RP_OK : RP_ERR(RATE);
}

static rp_err look_taken(struct asking *asking) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(
        rp_db_query(asking->identity->db, "SELECT count(*) FROM person WHERE address = ?1", &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&asking->address));
    RP_TRY(rp_row_first(row));
    asking->taken = rp_row_u64(row, 0) > 0;
    return RP_OK;
}

/* A second one replaces the first. */
static rp_err put_row(const struct asking *asking) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(asking->identity->db,
                       "INSERT OR REPLACE INTO address_change (person, tenant, token_hash, "
                       "stop_hash, address, email_sealed, former, former_sealed, asked_ms, "
                       "used_ms, asks, since_ms) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, ?10, ?11)",
                       &row));
    rp_row_bind_id(row, 1, asking->person);
    rp_row_bind_id(row, 2, asking->tenant);
    rp_row_bind_blob(row, 3, rp_hash_view(&asking->token_hash));
    rp_row_bind_blob(row, 4, rp_hash_view(&asking->stop_hash));
    rp_row_bind_blob(row, 5, rp_hash_view(&asking->address));
    rp_row_bind_blob(row, 6, sealed_view(&asking->email_sealed));
    rp_row_bind_blob(row, 7, rp_hash_view(&asking->former));
    rp_row_bind_blob(row, 8, sealed_view(&asking->former_sealed));
    rp_row_bind_u64(row, 9, (uint64_t)rp_identity_now(asking->identity));
    rp_row_bind_u64(row, 10, asking->asks);
    rp_row_bind_u64(row, 11, (uint64_t)asking->since_ms);
    return rp_row_run(row, NULL);
}

/* A letter to an address, with a link or without. */
static rp_err write_to(struct asking *asking, enum rp_notice_kind kind, const char *address,
                       const char *path, const struct rp_token *token, enum rp_lang lang) {
    char link[512] = "";
    struct rp_identity *identity = asking->identity;
    if (token) {
        int n =
            snprintf(link, sizeof link, "%s%s?token=%s", identity->options.origin, path, token->s);
        if (n < 0 || (size_t)n >= sizeof link) {
            return RP_ERR(TOO_LARGE);
        }
    }
    static const rp_id nobody;
    bool of_somebody_else = kind == RP_NOTICE_ADDRESS_TAKEN;
    const struct rp_notice_value values[] = {{"link", rp_view_from_cstr(link)}};
    const struct rp_notice notice = {.kind = kind,
                                     .channels = RP_NOTICE_MAIL,
                                     .tenant = asking->tenant,
                                     .person = of_somebody_else ? nobody : asking->person,
                                     .address = rp_view_from_cstr(address),
                                     .lang = lang,
                                     .values = values,
                                     .value_count = token ? 1 : 0};
    rp_err err = rp_identity_notify(identity, &notice);
    rp_wipe(link, sizeof link);
    return err;
}

static rp_err write_letters(struct asking *asking) {
    enum rp_lang own = RP_FR;
    RP_TRY(rp_identity_lang_of(asking->identity, asking->person, &own));
    RP_TRY(asking->taken ? write_to(asking, RP_NOTICE_ADDRESS_TAKEN, asking->email.s, "", NULL,
                                    asking->ask->lang)
                         : write_to(asking, RP_NOTICE_ADDRESS_CONFIRM, asking->email.s, CONFIRM,
                                    &asking->token, asking->ask->lang));
    return write_to(asking, RP_NOTICE_ADDRESS_ASKED, asking->former_email, STOP, &asking->stop,
                    own);
}

static rp_err emit(struct rp_identity *identity, enum rp_event_kind kind, rp_id tenant,
                   rp_id person) {
    struct rp_event *event = rp_identity_event(identity, kind);
    rp_event_add_id(event, "tenant", tenant);
    rp_event_add_id(event, "person", person);
    return rp_db_emit(identity->db, event);
}

static rp_err do_ask(struct rp_db *db, void *ctx) {
    struct asking *asking = ctx;
    (void)db;
    RP_TRY(rp_throttle_check(asking->identity, &asking->former, &asking->client));
    RP_TRY(count_asks(asking));
    asking->outcome = RP_OK;
    if (asking->factor.seed_n > 0) {
        RP_TRY(rp_factor_use(asking->identity, &asking->factor, &asking->answer, &asking->client,
                             &asking->outcome));
    }
    if (!rp_ok(asking->outcome)) {
        return RP_OK; /* the wrong code is counted */
    }
    RP_TRY(look_taken(asking));
    RP_TRY(put_row(asking));
    RP_TRY(write_letters(asking));
    return emit(asking->identity, RP_EVENT_ADDRESS_ASKED, asking->tenant, asking->person);
}

rp_err rp_identity_address_ask(struct rp_identity *identity, const struct rp_address_ask *ask) {
    RP_ASSERT(identity != NULL && ask != NULL && ask->own != NULL);
    struct asking asking = {.identity = identity, .ask = ask, .person = ask->own->person};
    if (!identity->options.origin) {
        return RP_ERR(UNSUPPORTED);
    }
    RP_TRY(rp_email_normalise(ask->email, &asking.email));
    RP_TRY(rp_identity_address(identity, ask->email, &asking.address));
    RP_TRY(rp_identity_client(identity, ask->client, &asking.client));
    RP_TRY(read_present(&asking));
    if (rp_view_equal(rp_hash_view(&asking.address), rp_hash_view(&asking.former))) {
        return RP_ERR(DUPLICATE);
    }
    rp_err err = prepare(&asking);
    if (rp_ok(err)) {
        err = rp_db_transact(identity->db, do_ask, &asking);
    }
    if (rp_ok(err)) {
        err = asking.outcome;
    }
    rp_wipe(&asking.token, sizeof asking.token);
    rp_wipe(&asking.stop, sizeof asking.stop);
    return err;
}

/* ---- the links ---- */

struct found {
    struct rp_identity *identity;
    rp_id person, tenant;
    struct rp_sha256 address, former;
    struct sealed email, former_email;
    int64_t asked_ms;
    bool used;
    struct rp_factor factor; /* of a stop: whose keys are sealed anew */
    struct rp_own_session *ended;
    size_t count;
};

static rp_err read_found(struct rp_row *row, struct found *found) {
    rp_view address = rp_row_blob(row, 2), former = rp_row_blob(row, 4);
    if (address.n != RP_SHA256 || former.n != RP_SHA256) {
        return RP_ERR(CORRUPT);
    }
    found->person = rp_row_id(row, 0);
    found->tenant = rp_row_id(row, 1);
    memcpy(found->address.b, address.p, RP_SHA256);
    memcpy(found->former.b, former.p, RP_SHA256);
    RP_TRY(keep_sealed(rp_row_blob(row, 3), &found->email));
    RP_TRY(keep_sealed(rp_row_blob(row, 5), &found->former_email));
    found->asked_ms = (int64_t)rp_row_u64(row, 6);
    found->used = !rp_row_is_null(row, 7);
    return RP_OK;
}

#define FOUND_COLUMNS                                                                              \
    "SELECT person, tenant, address, email_sealed, former, former_sealed, asked_ms, used_ms "      \
    "FROM address_change WHERE "

static rp_err find(struct rp_identity *identity, const char *sql, rp_view token, int64_t valid_ms,
                   struct found *found) {
    struct rp_sha256 hash;
    RP_TRY(rp_token_hash(token, &hash));
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db, sql, &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&hash));
    RP_TRY(rp_row_first(row));
    found->identity = identity;
    RP_TRY(read_found(row, found));
    return rp_identity_now(identity) - found->asked_ms < valid_ms ? RP_OK : RP_ERR(EXPIRED);
}

static rp_err find_confirm(struct rp_identity *identity, rp_view token, struct found *found) {
    RP_TRY(find(identity, FOUND_COLUMNS "token_hash = ?1", token, CONFIRM_MS, found));
    return found->used ? RP_ERR(REPLAYED) : RP_OK;
}

static rp_err find_stop(struct rp_identity *identity, rp_view token, struct found *found) {
    return find(identity, FOUND_COLUMNS "stop_hash = ?1", token, stop_ms, found);
}

rp_err rp_identity_find_address_change(struct rp_identity *identity, rp_view token,
                                       char ret_email[static RP_EMAIL_MAX + 1]) {
    RP_ASSERT(identity != NULL);
    struct found found = {.count = 0};
    RP_TRY(find_confirm(identity, token, &found));
    const struct rp_place place = {"email", found.tenant, found.person};
    return rp_identity_open_email(identity, &place, sealed_view(&found.email), ret_email);
}

rp_err rp_identity_find_address_stop(struct rp_identity *identity, rp_view token, bool *ret_used) {
    RP_ASSERT(identity != NULL && ret_used != NULL);
    struct found found = {.count = 0};
    RP_TRY(find_stop(identity, token, &found));
    *ret_used = found.used;
    return RP_OK;
}

static rp_err run_for(const struct found *found, const char *sql) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(found->identity->db, sql, &row));
    rp_row_bind_id(row, 1, found->person);
    return rp_row_run(row, NULL);
}

/* The row, and what began with the address that goes: links of forgotten passwords. Clients that
 * signed in before stay known. DUPLICATE: somebody else has taken the address meanwhile. */
static rp_err put_address(const struct found *found, const struct rp_sha256 *from,
                          const struct rp_sha256 *to, rp_view email_sealed) {
    struct rp_db *db = found->identity->db;
    struct rp_row *row = NULL;
    uint64_t changed = 0;
    RP_TRY(rp_db_query(db,
                       "UPDATE person SET address = ?1, email_sealed = ?2 "
                       "WHERE id = ?3 AND address = ?4",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(to));
    rp_row_bind_blob(row, 2, email_sealed);
    rp_row_bind_id(row, 3, found->person);
    rp_row_bind_blob(row, 4, rp_hash_view(from));
    RP_TRY(rp_row_run(row, &changed));
    if (changed == 0) {
        return RP_ERR(CONFLICT);
    }
    RP_TRY(run_for(found, "DELETE FROM password_reset WHERE person = ?1"));
    RP_TRY(rp_db_query(db, "UPDATE OR REPLACE sign_in_failure SET address = ?1 WHERE address = ?2",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(to));
    rp_row_bind_blob(row, 2, rp_hash_view(from));
    return rp_row_run(row, NULL);
}

static rp_err tell_former(const struct found *found) {
    struct rp_identity *identity = found->identity;
    const struct rp_place place = {"email", found->tenant, found->person};
    char email[RP_EMAIL_MAX + 1];
    struct rp_notice notice = {.kind = RP_NOTICE_ADDRESS_CHANGED,
                               .channels = RP_NOTICE_MAIL,
                               .tenant = found->tenant,
                               .person = found->person};
    RP_TRY(rp_identity_open_email(identity, &place, sealed_view(&found->former_email), email));
    RP_TRY(rp_identity_lang_of(identity, found->person, &notice.lang));
    notice.address = rp_view_from_cstr(email);
    return rp_identity_notify(identity, &notice);
}

static rp_err do_confirm(struct rp_db *db, void *ctx) {
    const struct found *found = ctx;
    struct rp_row *row = NULL;
    uint64_t changed = 0;
    RP_TRY(rp_db_query(db,
                       "UPDATE address_change SET used_ms = ?2 "
                       "WHERE person = ?1 AND used_ms IS NULL AND token_hash IS NOT NULL",
                       &row));
    rp_row_bind_id(row, 1, found->person);
    rp_row_bind_u64(row, 2, (uint64_t)rp_identity_now(found->identity));
    RP_TRY(rp_row_run(row, &changed));
    if (changed == 0) {
        return RP_ERR(REPLAYED);
    }
    RP_TRY(put_address(found, &found->former, &found->address, sealed_view(&found->email)));
    RP_TRY(tell_former(found));
    return emit(found->identity, RP_EVENT_ADDRESS_CHANGED, found->tenant, found->person);
}

/*= S170 */ /* an address counts once its mailbox was shown to be the person's */
rp_err rp_identity_address_confirm(struct rp_identity *identity, rp_view token) {
    RP_ASSERT(identity != NULL);
    struct found found = {.count = 0};
    const struct rp_secret *key = NULL;
    RP_TRY(find_confirm(identity, token, &found));
    RP_TRY(rp_identity_tenant_key(identity, found.tenant, &key)); /* before the lock */
    return rp_db_transact(identity->db, do_confirm, &found);
}

static rp_err do_stop(struct rp_db *db, void *ctx) {
    struct found *found = ctx;
    static const rp_id all;
    (void)db;
    if (found->used) {
        RP_TRY(
            put_address(found, &found->address, &found->former, sealed_view(&found->former_email)));
    }
    RP_TRY(run_for(found, "UPDATE address_change SET token_hash = NULL, stop_hash = NULL "
                          "WHERE person = ?1"));
    /* Who asked knew the password: it opens nothing any more, nor does a key that they left. */
    RP_TRY(rp_password_put(found->identity, found->person, found->tenant, rp_password_nobody(),
                           RP_VIEW("not_me")));
    RP_TRY(rp_passkeys_need_password(found->identity, found->person, found->factor.home));
    RP_TRY(run_for(found, "DELETE FROM password_reset WHERE person = ?1"));
    RP_TRY(rp_sessions_end(found->identity, found->person, all, all, RP_VIEW("not_me"),
                           found->ended, &found->count));
    struct rp_event *event = rp_identity_event(found->identity, RP_EVENT_ADDRESS_STOPPED);
    rp_event_add_id(event, "tenant", found->tenant);
    rp_event_add_id(event, "person", found->person);
    rp_event_add_text(event, "when", found->used ? RP_VIEW("after") : RP_VIEW("before"));
    return rp_db_emit(found->identity->db, event);
}

rp_err rp_identity_address_stop(struct rp_identity *identity, rp_view token,
                                struct rp_own_session ended[static RP_OWN_SESSIONS_MAX],
                                size_t *ret_count) {
    RP_ASSERT(identity != NULL && ret_count != NULL);
    struct found found = {.ended = ended};
    const struct rp_secret *key = NULL;
    RP_TRY(find_stop(identity, token, &found));
    RP_TRY(rp_factor_of(identity, found.person, &found.factor));
    if (found.factor.passkeys > 0) {
        RP_TRY(rp_identity_tenant_key(identity, found.factor.home, &key)); /* before the lock */
    }
    RP_TRY(rp_db_transact(identity->db, do_stop, &found));
    *ret_count = found.count;
    return RP_OK;
}

rp_err rp_address_change_expire(struct rp_identity *identity) {
    struct rp_row *row = NULL;
    int64_t before_ms = rp_identity_now(identity) - stop_ms;
    RP_TRY(rp_db_query(identity->db, "DELETE FROM address_change WHERE asked_ms < ?1", &row));
    rp_row_bind_u64(row, 1, before_ms > 0 ? (uint64_t)before_ms : 0);
    return rp_row_run(row, NULL);
}
