/* address_change.c — another address for a person: true only once the link that went there was
 * used, undone by who reads the former one. Asking for it stands in address_ask.c.
 */
#include "identity/address_change.h"

#include "base/assert.h"
#include "identity/address_internal.h"

enum { CONFIRM_MS = 60 * 60 * 1000 };

rp_err rp_address_emit(struct rp_identity *identity, enum rp_event_kind kind, rp_id tenant,
                       rp_id person) {
    struct rp_event *event = rp_identity_event(identity, kind);
    rp_event_add_id(event, "tenant", tenant);
    rp_event_add_id(event, "person", person);
    return rp_db_emit(identity->db, event);
}

/* ---- finding what a link is of ---- */

struct found {
    struct rp_identity *identity;
    rp_id person, tenant;
    struct rp_sha256 address, former;
    struct rp_sealed_address email, former_email;
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
    RP_TRY(rp_sealed_address_keep(rp_row_blob(row, 3), &found->email));
    RP_TRY(rp_sealed_address_keep(rp_row_blob(row, 5), &found->former_email));
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
    return find(identity, FOUND_COLUMNS "stop_hash = ?1", token, rp_address_stop_ms, found);
}

rp_err rp_identity_find_address_change(struct rp_identity *identity, rp_view token,
                                       char ret_email[static RP_EMAIL_MAX + 1]) {
    RP_ASSERT(identity != NULL);
    struct found found = {.count = 0};
    RP_TRY(find_confirm(identity, token, &found));
    const struct rp_place place = {"email", found.tenant, found.person};
    return rp_identity_open_email(identity, &place, rp_sealed_address_view(&found.email),
                                  ret_email);
}

rp_err rp_identity_find_address_stop(struct rp_identity *identity, rp_view token, bool *ret_used) {
    RP_ASSERT(identity != NULL && ret_used != NULL);
    struct found found = {.count = 0};
    RP_TRY(find_stop(identity, token, &found));
    *ret_used = found.used;
    return RP_OK;
}

/* ---- used ---- */

static rp_err run_for(const struct found *found, const char *sql) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(found->identity->db, sql, &row));
    rp_row_bind_id(row, 1, found->person);
    return rp_row_run(row, NULL);
}

/* What was counted of the former address is the new one's; what was counted of the new one before,
 * by strangers, gives way. */
static rp_err move_failures(struct rp_db *db, const struct rp_sha256 *from,
                            const struct rp_sha256 *to) {
    static const char *const steps[] = {
        "DELETE FROM sign_in_failure WHERE address = ?1 AND client IN "
        "(SELECT client FROM sign_in_failure WHERE address = ?2)",
        "UPDATE sign_in_failure SET address = ?1 WHERE address = ?2"};
    for (size_t i = 0; i < RP_COUNT_OF(steps); i++) {
        struct rp_row *row = NULL;
        RP_TRY(rp_db_query(db, steps[i], &row));
        rp_row_bind_blob(row, 1, rp_hash_view(to));
        rp_row_bind_blob(row, 2, rp_hash_view(from));
        RP_TRY(rp_row_run(row, NULL));
    }
    return RP_OK;
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
    return move_failures(db, from, to);
}

static rp_err tell_former(const struct found *found) {
    struct rp_identity *identity = found->identity;
    const struct rp_place place = {"email", found->tenant, found->person};
    char email[RP_EMAIL_MAX + 1];
    struct rp_notice notice = {.kind = RP_NOTICE_ADDRESS_CHANGED,
                               .channels = RP_NOTICE_MAIL,
                               .tenant = found->tenant,
                               .person = found->person};
    RP_TRY(rp_identity_open_email(identity, &place, rp_sealed_address_view(&found->former_email),
                                  email));
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
    RP_TRY(
        put_address(found, &found->former, &found->address, rp_sealed_address_view(&found->email)));
    RP_TRY(tell_former(found));
    return rp_address_emit(found->identity, RP_EVENT_ADDRESS_CHANGED, found->tenant, found->person);
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
        RP_TRY(put_address(found, &found->address, &found->former,
                           rp_sealed_address_view(&found->former_email)));
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
    int64_t before_ms = rp_identity_now(identity) - rp_address_stop_ms;
    RP_TRY(rp_db_query(identity->db, "DELETE FROM address_change WHERE asked_ms < ?1", &row));
    rp_row_bind_u64(row, 1, before_ms > 0 ? (uint64_t)before_ms : 0);
    return rp_row_run(row, NULL);
}
