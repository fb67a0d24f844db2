/* internal.h — what the files of this room share: the object, its keys, its events.
 *
 * Order matters everywhere: keys are leased and secrets opened first, then one transaction on the
 * system database does the rest. A key is valid until the next call that leases another.
 */
#ifndef RP_IDENTITY_INTERNAL_H
#define RP_IDENTITY_INTERNAL_H

#include "base/checked.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "identity/identity.h"
#include "notify/notify.h"

enum { RP_SEALED_MAX = 512, RP_CLIENT_HASH = 16, RP_TOTP_SEED = 20 };

struct rp_identity {
    const struct rp_env *env;
    struct rp_store *store;
    struct rp_keys *keys;
    struct rp_identity_options options;
    struct rp_db *db;       /* the system's */
    rp_id home;             /* this installation's own tenant: its key makes the keyed indexes */
    struct rp_arena *arena; /* of one event */
    struct rp_clearing clearing;
};

/* Inside a transaction that gives roles: UNCLEARED when it makes an operator of somebody whose
 * check is not cleared. */
rp_err rp_identity_clear(struct rp_identity *identity, rp_id account, unsigned roles,
                         unsigned former);
/* Inside a transaction: the record of persons is of this account; none = nothing to do. */
rp_err rp_identity_link(struct rp_identity *identity, rp_id record, rp_id account);
/* After the transaction: hands the error on; of UNCLEARED makes an event. */
rp_err rp_identity_say_uncleared(struct rp_identity *identity, rp_err err, rp_id record, rp_id by);

static inline int64_t rp_identity_now(const struct rp_identity *identity) {
    return rp_env_now_ms(identity->env);
}

/* An event of core, now; fields are added by the caller, then rp_db_emit. */
struct rp_event *rp_identity_event(struct rp_identity *identity, enum rp_event_kind kind);
/* A set of roles as words: "member tenant_admin". */
struct rp_roles_text {
    char s[40];
};
struct rp_roles_text rp_roles_print(unsigned roles);

/* Inside a transaction: puts the notice down, sealed under its tenant's key. */
rp_err rp_identity_notify(struct rp_identity *identity, const struct rp_notice *notice);
/* The same to a person, by mail, in the language they enrolled in; a notice without values. Nothing
 * where this installation sends no mails. */
rp_err rp_identity_tell(struct rp_identity *identity, enum rp_notice_kind kind, rp_id person,
                        rp_id tenant);

/* When this person may be reminded: their own choice, and the installation's where they made none.
 */
rp_err rp_identity_calm_of(struct rp_identity *identity, rp_id person, struct rp_calm *ret_calm);

/* ---- keyed indexes (under the installation's own key) ---- */
/* Lower case, trimmed. INVALID unless it looks like an address. */
struct rp_email {
    char s[RP_EMAIL_MAX + 1];
};
rp_err rp_email_normalise(rp_view text, struct rp_email *ret_email);
rp_err rp_identity_address(struct rp_identity *identity, rp_view email,
                           struct rp_sha256 *ret_address);
struct rp_client_hash {
    uint8_t b[RP_CLIENT_HASH];
};
rp_err rp_identity_client(struct rp_identity *identity, rp_view client,
                          struct rp_client_hash *ret_hash);
void rp_identity_add_client(struct rp_event *event, const struct rp_client_hash *client);

/* ---- sealing: bound to what it is and to whom it belongs ---- */
struct rp_place {
    const char *what; /* "email", "totp" */
    rp_id tenant, person;
};
rp_err rp_identity_seal(struct rp_identity *identity, const struct rp_place *place, rp_view plain,
                        struct rp_buf *out);
rp_err rp_identity_open(struct rp_identity *identity, const struct rp_place *place, rp_view sealed,
                        struct rp_buf *out);
rp_err rp_identity_seal_secret(struct rp_identity *identity, const struct rp_place *place,
                               const struct rp_secret *plain, struct rp_buf *out);
rp_err rp_identity_open_secret(struct rp_identity *identity, const struct rp_place *place,
                               rp_view sealed, struct rp_secret **ret_secret);
/* The address of a person, opened into a C string. */
rp_err rp_identity_open_email(struct rp_identity *identity, const struct rp_place *place,
                              rp_view sealed, char ret_email[static RP_EMAIL_MAX + 1]);

/* ---- tokens of links and cookies ---- */
void rp_token_new(const struct rp_env *env, struct rp_token *ret_token);
/* NOT_FOUND for what cannot be one. */
rp_err rp_token_hash(rp_view token, struct rp_sha256 *ret_hash);

/* ---- one-time codes ---- */
/* The steps within one of now whose code this is; count 0 = a wrong code. */
struct rp_totp_match {
    uint64_t steps[3];
    size_t count;
};
struct rp_totp_match rp_totp_match(const struct rp_secret *seed, rp_view code, int64_t now_ms);

/* ---- the second factor: a one-time code, or a recovery code in its place ---- */
enum { RP_RECOVERY_DIGITS = 10 };
struct rp_factor {            /* as it stands in a person's row */
    rp_id person, home;       /* home: the tenant under whose key the seed is sealed */
    struct rp_sha256 address; /* failures are counted by it */
    uint8_t seed[RP_SEALED_MAX];
    size_t seed_n; /* 0: this person has none */
    size_t passkeys;
};
#define RP_FACTOR_COLUMNS                                                                          \
    "person.id, person.tenant, person.address, person.totp_sealed, "                               \
    "(SELECT count(*) FROM passkey WHERE passkey.person = person.id)"
static inline bool rp_factor_is_there(const struct rp_factor *factor) {
    return factor->seed_n > 0 || factor->passkeys > 0;
}
/* From a row that has RP_FACTOR_COLUMNS from this column on. */
rp_err rp_factor_read(struct rp_row *row, int column, struct rp_factor *ret_factor);
rp_err rp_factor_of(struct rp_identity *identity, rp_id person, struct rp_factor *ret_factor);

enum rp_factor_kind { RP_FACTOR_TOTP, RP_FACTOR_RECOVERY, RP_FACTOR_PASSKEY };
/* A key's answer, judged but for what only a transaction can say: is its challenge still good? */
struct rp_passkey_asked;
struct rp_passkey_use {
    const struct rp_passkey_asked *asked;
    struct rp_sha256 challenge;
    rp_id key;      /* none: nobody's */
    uint32_t count; /* of uses, as the key says */
    const char *why;
    rp_err judged;
};
struct rp_factor_answer {
    enum rp_factor_kind kind;
    struct rp_totp_match match;
    struct rp_sha256 recovery;
    struct rp_passkey_use passkey;
};
/* What the code that somebody gave could be. Leases keys: before a transaction. */
rp_err rp_factor_compare(struct rp_identity *identity, const struct rp_factor *factor, rp_view code,
                         struct rp_factor_answer *ret_answer);
/* Inside a transaction: uses it up. *ret_outcome: RP_OK, DENIED, REPLAYED; a refusal is counted and
 * an event. */
rp_err rp_factor_use(struct rp_identity *identity, const struct rp_factor *factor,
                     const struct rp_factor_answer *answer, const struct rp_client_hash *client,
                     rp_err *ret_outcome);

/* The same for a key's answer. *ret_key (nullable): the key. */
struct rp_passkey_proof;
struct rp_passkey;
rp_err rp_factor_compare_passkey(struct rp_identity *identity, const struct rp_factor *factor,
                                 const struct rp_passkey_proof *proof,
                                 struct rp_factor_answer *ret_answer, struct rp_passkey *ret_key);
/* Inside a transaction: its challenge and its count. *ret_outcome: RP_OK, DENIED, REPLAYED. */
rp_err rp_passkey_use(struct rp_identity *identity, const struct rp_factor *factor,
                      const struct rp_passkey_use *use, rp_err *ret_outcome);

/* True when the text is written as a recovery code; people may leave hyphens and capitals. */
bool rp_recovery_read(rp_view code, char ret_digits[static RP_RECOVERY_DIGITS]);
rp_err rp_identity_recovery_hash(struct rp_identity *identity, rp_id person, rp_view digits,
                                 struct rp_sha256 *ret_hash);
rp_err rp_recovery_use(struct rp_identity *identity, const struct rp_factor *factor,
                       const struct rp_sha256 *hash, const struct rp_client_hash *client,
                       rp_err *ret_outcome);

/* Inside a transaction: the new password, what had begun with the former one, and the event. */
rp_err rp_password_put(struct rp_identity *identity, rp_id person, rp_id tenant,
                       const char *password_text, rp_view reason);

/* ---- how often somebody may be wrong ---- */
/* RATE while the address, or the address from this client, has to wait. */
rp_err rp_throttle_check(struct rp_identity *identity, const struct rp_sha256 *address,
                         const struct rp_client_hash *client);
/* Inside a transaction. */
rp_err rp_throttle_fail(struct rp_identity *identity, const struct rp_sha256 *address,
                        const struct rp_client_hash *client);
rp_err rp_throttle_accept(struct rp_identity *identity, const struct rp_sha256 *address,
                          const struct rp_client_hash *client);
rp_err rp_throttle_expire(struct rp_identity *identity);
rp_err rp_address_change_expire(struct rp_identity *identity);

/* Two looks at the clock may differ so much; what lies further ahead is of a clock that was wrong.
 */
enum { RP_AHEAD_MS = 60 * 1000 };
/* Inside a transaction: what lies in a time to come is moved to now. */
rp_err rp_identity_set_right(struct rp_identity *identity);

/* Inside a transaction: a new session and its cookie, with the event. */
struct rp_session_new {
    rp_id person, tenant;
    unsigned roles;
    enum rp_acr acr;
    struct rp_client_hash client;
    int64_t expires_ms; /* 0: a whole lifetime from now */
};
/* Inside a transaction: ends it, with the event; RP_OK when it had ended. */
rp_err rp_session_end(struct rp_identity *identity, const struct rp_session *session,
                      rp_view reason);
/* Inside a transaction: one of a person's sessions, or all but one. */
rp_err rp_sessions_end(struct rp_identity *identity, rp_id person, rp_id only, rp_id but,
                       rp_view reason, struct rp_own_session ended[static RP_OWN_SESSIONS_MAX],
                       size_t *ret_count);
rp_err rp_session_insert(struct rp_identity *identity, const struct rp_session_new *what,
                         struct rp_token *ret_cookie, struct rp_session *ret_session);

#endif
