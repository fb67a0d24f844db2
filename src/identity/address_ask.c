/* address_ask.c — another address is asked for, with password and code: the row, and two letters.
 *
 * Whether somebody else has the wanted address is told to its mailbox alone: the same row is
 * written, and a letter goes there, with a link or with the reason why there is none.
 */
#include <stdio.h>

#include "base/assert.h"
#include "identity/address_internal.h"

enum { ASKS_A_DAY = 5 };
static const int64_t day_ms = (int64_t)24 * 3600 * 1000;

#define CONFIRM "/.rempart/id/email/confirm"
#define STOP "/.rempart/id/email/stop"

struct asking {
    struct rp_identity *identity;
    const struct rp_address_ask *ask;
    rp_id person, tenant; /* the tenant whose key seals the person's facts */
    struct rp_email email;
    struct rp_sha256 address, former, token_hash, stop_hash;
    struct rp_sealed_address email_sealed, former_sealed;
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
    return rp_sealed_address_keep(rp_row_blob(row, 2), &asking->former_sealed);
}

static rp_err prepare(struct asking *asking) {
    struct rp_identity *identity = asking->identity;
    const struct rp_place place = {"email", asking->tenant, asking->person};
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(RP_SEALED_MAX);
    RP_TRY(rp_identity_seal(identity, &place, rp_view_from_cstr(asking->email.s), &sealed));
    RP_TRY(rp_sealed_address_keep(rp_buf_view(&sealed), &asking->email_sealed));
    RP_TRY(rp_identity_open_email(identity, &place, rp_sealed_address_view(&asking->former_sealed),
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
    if (!first && rp_row_u64(row, 3) != 0 &&
        now_ms - (int64_t)rp_row_u64(row, 2) < rp_address_stop_ms) {
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
                       "INSERT INTO address_change (person, tenant, token_hash, "
                       "stop_hash, address, email_sealed, former, former_sealed, asked_ms, "
                       "used_ms, asks, since_ms) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, ?10, ?11) "
                       "ON CONFLICT (person) DO UPDATE SET tenant = ?2, token_hash = ?3, "
                       "stop_hash = ?4, address = ?5, email_sealed = ?6, former = ?7, "
                       "former_sealed = ?8, asked_ms = ?9, used_ms = NULL, asks = ?10, "
                       "since_ms = ?11",
                       &row));
    rp_row_bind_id(row, 1, asking->person);
    rp_row_bind_id(row, 2, asking->tenant);
    rp_row_bind_blob(row, 3, rp_hash_view(&asking->token_hash));
    rp_row_bind_blob(row, 4, rp_hash_view(&asking->stop_hash));
    rp_row_bind_blob(row, 5, rp_hash_view(&asking->address));
    rp_row_bind_blob(row, 6, rp_sealed_address_view(&asking->email_sealed));
    rp_row_bind_blob(row, 7, rp_hash_view(&asking->former));
    rp_row_bind_blob(row, 8, rp_sealed_address_view(&asking->former_sealed));
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
    return rp_address_emit(asking->identity, RP_EVENT_ADDRESS_ASKED, asking->tenant,
                           asking->person);
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
