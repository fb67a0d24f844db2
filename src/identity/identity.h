/* identity.h — tenants, people, factors, sessions, applications' tokens.
 *
 * Lives in the system database; whatever names or proves a person (address, one-time-code seed)
 * is sealed under the key of that person's tenant, and found by a keyed index. Passwords are
 * argon2id strings; hashing itself happens in the password pool, between two calls of this module.
 * Every change and every sign-in outcome is an event, committed with the change.
 *
 * Threads: one rp_identity per store thread. Promises: S99, S100, S101 (TOTP), S105, S170.
 */
#ifndef RP_IDENTITY_IDENTITY_H
#define RP_IDENTITY_IDENTITY_H

#include "crypto/password.h"
#include "identity/session_table.h"
#include "keys/client.h"
#include "notify/calm.h"
#include "store/store.h"

enum { RP_EMAIL_MAX = 128, RP_TOKEN_BYTES = 32, RP_TOKEN_TEXT = 43 /* base64url */ };

struct rp_breached_file;
struct rp_identity_options {
    bool second_factor_required;
    int64_t session_ms;
    uint32_t idle_s;
    const char *origin;  /* "https://example.com:8443": how links in mails begin; NULL = no mails */
    struct rp_calm calm; /* when reminders go out to who chose nothing (identity/reminders.h) */
    const struct rp_breached_file *breached; /* leaked passwords; NULL = no list */
};

struct rp_identity;
rp_err rp_identity_new(const struct rp_env *env, struct rp_store *store, struct rp_keys *keys,
                       const struct rp_identity_options *options,
                       struct rp_identity **ret_identity);
void rp_identity_free(struct rp_identity *identity);

/* A secret for a link or a cookie: 43 base64url digits; only its SHA-256 is stored. */
struct rp_token {
    char s[RP_TOKEN_TEXT + 1];
};

/* ---- tenants, invitations, first start ---- */
/* True when nobody was ever invited. */
rp_err rp_identity_is_empty(struct rp_identity *identity, bool *ret_empty);
/* name: 1 to 128 bytes. INVALID; DUPLICATE when another is called so, in capitals or not. */
rp_err rp_identity_new_tenant(struct rp_identity *identity, rp_view name, rp_id *ret_tenant);
/* Every tenant that has a database, this installation's own included: for the forwarder. The
 * callback may use other databases of the store, not this module. */
rp_err rp_identity_each_tenant(struct rp_identity *identity,
                               rp_err (*each)(void *ctx, rp_id tenant, rp_view name), void *ctx);
/* NOT_FOUND. */
rp_err rp_identity_tenant_name(struct rp_identity *identity, rp_id tenant,
                               char ret_name[static 129]);
/* Whether a tenant of this name is one of the probes' own. */
bool rp_is_canary(const char *tenant_name);
/* A link's token, valid for 7 days, used once. roles: set of rp_tenant_role. by: none for the
 * machine's own administrator; DENIED when `by` gives what they do not have, DUPLICATE when the
 * address is enrolled in this tenant. */
rp_err rp_identity_invite(struct rp_identity *identity, rp_id tenant, rp_view email, unsigned roles,
                          rp_id by, struct rp_token *ret_token);

/* Where the persons register stands (S9). Both are called inside a transaction on the system's
 * database: link says in a record whose account it is (CONFLICT: somebody else's), cleared answers
 * UNCLEARED unless the account's record is of somebody here whose check is cleared. Without it
 * nobody but an installation's first operator is made one. */
struct rp_clearing {
    void *ctx;
    rp_err (*link)(void *ctx, rp_id record, rp_id account);
    rp_err (*cleared)(void *ctx, rp_id account);
};
void rp_identity_set_clearing(struct rp_identity *identity, const struct rp_clearing *clearing);

struct rp_invite {
    rp_id tenant;
    rp_view email;
    unsigned roles;
    rp_id by;
    rp_id record;             /* of persons: the account will be this person's; none = nobody's */
    const enum rp_lang *lang; /* the link goes out by mail; NULL: whoever invites hands it over */
};
/* As rp_identity_invite; UNCLEARED for an operator whose check is not cleared, NOT_FOUND and
 * CONFLICT of the record. */
rp_err rp_identity_invite_person(struct rp_identity *identity, const struct rp_invite *invite,
                                 struct rp_token *ret_token);
/* The same, and the link goes out by mail in this language, in the same transaction. */
rp_err rp_identity_invite_by_mail(struct rp_identity *identity, rp_id tenant, rp_view email,
                                  unsigned roles, rp_id by, enum rp_lang lang,
                                  struct rp_token *ret_token);

struct rp_invitation {
    rp_id person, tenant;
    char email[RP_EMAIL_MAX + 1];
    char tenant_name[129];
    bool has_account; /* the address signs in already: they join (identity/organisations.h) */
};
/* NOT_FOUND, EXPIRED or REPLAYED. */
rp_err rp_identity_find_invitation(struct rp_identity *identity, rp_view token,
                                   struct rp_invitation *ret_invitation);
/* Makes a one-time-code seed for the page to show (base32, 32 characters and a NUL): the same one
 * until the enrolment ends. */
rp_err rp_identity_enrol_seed(struct rp_identity *identity, rp_view token,
                              char ret_base32[static 33]);
/* WEAK unless the password is long enough, not the address, and not among the usual ones. */
rp_err rp_identity_check_password(rp_view password, rp_view email);
/* The same, and LEAKED when it stands in this installation's list. */
rp_err rp_identity_judge_password(struct rp_identity *identity, rp_view password, rp_view email);
/* Ends the enrolment: password_text is the PHC string that the pool made; code must match the seed.
 * The invitation is spent. DENIED for a wrong code, DUPLICATE when the address is enrolled. */
rp_err rp_identity_enrol(struct rp_identity *identity, rp_view token, const char *password_text,
                         rp_view code);

/* ---- signing in, in two steps around the password pool ---- */
struct rp_sign_in {
    rp_id person, tenant;
    bool known;               /* false: verify all the same, and answer no */
    struct rp_sha256 address; /* the keyed index: failures are counted by it */
    /* What the pool verifies against; of an unknown address somebody else's, or empty: nobody's. */
    char password_text[RP_PASSWORD_STORED];
};
/* Never says whether the address exists. client: the address of the one who asks, as text. RATE
 * when this address had 5 failures from this client within 15 minutes (then waits grow from 30 s
 * to 15 min), or 50 from all clients; the latter never stops a client that signed in before. */
rp_err rp_identity_sign_in_start(struct rp_identity *identity, rp_view email, rp_view client,
                                 struct rp_sign_in *ret_sign_in);
/* The outcome of the pool. Right: *ret_pending names a half sign-in (10 minutes) that needs the
 * code; where the operator made the second factor optional, an empty code ends it for who has none,
 * with acr "pwd". Wrong: DENIED and an event. */
rp_err rp_identity_sign_in_password(struct rp_identity *identity, const struct rp_sign_in *sign_in,
                                    bool matched, rp_view client, struct rp_token *ret_pending);

/* The password was right, and what is stored was not made as we make it (rp_password_is_old):
 * another program's hash, or former costs. text: the PHC string that the pool made just now. */
rp_err rp_identity_renew_password(struct rp_identity *identity, const struct rp_sign_in *sign_in,
                                  const char *text);

struct rp_session {
    struct rp_session_view view;
    struct rp_sha256 cookie_hash;
    uint32_t idle_max_s;
};
/* SECOND_FACTOR for an empty code, DENIED for a wrong one, REPLAYED for one used before, RATE after
 * five wrong ones, NOT_FOUND for an unknown or old pending token. */
rp_err rp_identity_sign_in_finish(struct rp_identity *identity, rp_view pending, rp_view code,
                                  rp_view client, struct rp_token *ret_cookie,
                                  struct rp_session *ret_session);

/* ---- sessions ---- */
/* The session of a cookie, from the database. UNAUTHENTICATED, EXPIRED. */
rp_err rp_identity_session(struct rp_identity *identity, rp_view cookie,
                           struct rp_session *ret_session);
rp_err rp_identity_sign_out(struct rp_identity *identity, const struct rp_session *session);
/* A person's own, newest first, in every organisation. */
enum { RP_OWN_SESSIONS_MAX = 64 };
struct rp_own_session {
    struct rp_sha256 cookie_hash;
    rp_id session, tenant;
    enum rp_acr acr;
    int64_t created_ms, expires_ms;
};
rp_err rp_identity_own_sessions(struct rp_identity *identity, rp_id person,
                                struct rp_own_session sessions[static RP_OWN_SESSIONS_MAX],
                                size_t *ret_count);
/* Ends one of them (NOT_FOUND when it is none of theirs), or with only = none all but one. The
 * caller revokes what ended in the table. */
rp_err rp_identity_end_own(struct rp_identity *identity, rp_id person, rp_id only, rp_id but,
                           struct rp_own_session ended[static RP_OWN_SESSIONS_MAX],
                           size_t *ret_count);
/* The browser signs in anew: its former session is over. */
rp_err rp_identity_replace_session(struct rp_identity *identity, const struct rp_session *session);
/* Removes what ran out: sessions (with their event), half sign-ins, failures. Call every minute.
 * The tables tell which sessions were idle for too long; filling a new table must not wake them. */
rp_err rp_identity_expire(struct rp_identity *identity, const void *table, const void *seen);
/* Every live session, to fill the table at start. */
rp_err rp_identity_each_session(struct rp_identity *identity,
                                rp_err (*each)(void *ctx, const struct rp_session *session),
                                void *ctx);
/* rp_identity_enrol, and a session at once: password and code were both shown a moment ago. */
struct rp_enrol_answers {
    const char *password_text;
    rp_view code;
    enum rp_lang lang; /* in which the person will be written to */
};
rp_err rp_identity_enrol_and_sign_in(struct rp_identity *identity, rp_view token,
                                     const struct rp_enrol_answers *answers, rp_view client,
                                     struct rp_token *ret_cookie, struct rp_session *ret_session);
/* A person's address and display facts, opened. */
struct rp_person {
    rp_id person, tenant;
    unsigned roles;
    char email[RP_EMAIL_MAX + 1];
    char tenant_name[129];
    bool has_totp;
    size_t passkeys;
};
rp_err rp_identity_person(struct rp_identity *identity, rp_id person, rp_id tenant,
                          struct rp_person *ret_person);

/* ---- a person's own password and recovery codes ---- */
/* What the pool compares the present password with. RATE as at the sign-in. */
rp_err rp_identity_own_password(struct rp_identity *identity, rp_id person, rp_view client,
                                struct rp_sign_in *ret_sign_in);
/* It was not the present one: counted, and an event. */
rp_err rp_identity_own_password_wrong(struct rp_identity *identity, const struct rp_sign_in *own,
                                      rp_view client);
struct rp_password_change {
    const struct rp_sign_in *own;
    rp_id session; /* stays; all others of the person end */
    rp_view client;
    const char *password_text; /* the PHC string that the pool made */
};
rp_err rp_identity_change_password(struct rp_identity *identity,
                                   const struct rp_password_change *what,
                                   struct rp_own_session ended[static RP_OWN_SESSIONS_MAX],
                                   size_t *ret_count);

/* Ten codes, shown once, that stand in for the one-time code; making them ends the former ten. */
enum { RP_RECOVERY_CODES = 10, RP_RECOVERY_TEXT = 11 /* "abcde-fghij" */ };
struct rp_recovery_codes {
    char s[RP_RECOVERY_CODES][RP_RECOVERY_TEXT + 1];
};
rp_err rp_identity_recovery_left(struct rp_identity *identity, rp_id person, size_t *ret_left);
struct rp_recovery_ask {
    rp_id person;
    rp_view code; /* a one-time code, now; of a person without an authenticator nothing is asked */
    rp_view client;
    bool key_shown; /* this session began with a key just now: who has keys alone needs that */
};
/* DENIED, REPLAYED, RATE as at the sign-in; SECOND_FACTOR for who has keys alone and showed none
 * just now; CONFLICT for who has no second factor at all: a recovery code stands in for one. The
 * caller wipes. */
rp_err rp_identity_new_recovery_codes(struct rp_identity *identity,
                                      const struct rp_recovery_ask *ask,
                                      struct rp_recovery_codes *ret_codes);

/* ---- a forgotten password ---- */
/* Anybody may ask, for any address: the same work and the same answer whoever is meant. */
rp_err rp_identity_reset_ask(struct rp_identity *identity, rp_view email, enum rp_lang lang);
/* Looks at what was asked and puts the mails down; core's sender calls it each second. */
rp_err rp_identity_reset_work(struct rp_identity *identity);
/* Whose link this is (person, home, address): half an hour, once. NOT_FOUND, EXPIRED or REPLAYED.
 */
rp_err rp_identity_find_reset(struct rp_identity *identity, rp_view token,
                              struct rp_person *ret_person);
/* The new password; every session of the person ends. The second factor stays as it was. */
rp_err rp_identity_reset(struct rp_identity *identity, rp_view token, const char *password_text,
                         struct rp_own_session ended[static RP_OWN_SESSIONS_MAX],
                         size_t *ret_count);

/* In which language this person is written to. NOT_FOUND: no such account. */
rp_err rp_identity_lang_of(struct rp_identity *identity, rp_id person, enum rp_lang *ret_lang);
/* Puts a notice down for a person, inside the caller's transaction on the system database: tenant
 * and person are filled in here; a gentle one waits for the end of quiet hours or for the day's
 * digest. NOT_FOUND: no such account; DUPLICATE: told already. */
struct rp_notice;
rp_err rp_identity_write_to(struct rp_identity *identity, rp_id person, struct rp_notice *notice);

/* This installation's own tenant: its key seals what belongs to no customer. */
rp_id rp_identity_home(const struct rp_identity *identity);

/* ---- tenant keys: wrapped keys live in each tenant's own database ---- */
/* The tenant's key, leased; made at first use. Valid until the next call on the same keys. */
rp_err rp_identity_tenant_key(struct rp_identity *identity, rp_id tenant,
                              const struct rp_secret **ret_key);

#endif
