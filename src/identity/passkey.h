/* passkey.h — passkeys and security keys: made, named, used, taken away (WebAuthn Level 3).
 *
 * Every ceremony has two halves: a challenge, and the answer that signs it. A challenge is 32
 * bytes, good for one purpose, for the browser that asked, for five minutes, once; its SHA-256 is
 * all that is kept. A key is sealed under its person's home like the rest of what is theirs. One
 * whose count does not grow was copied, so it is refused, said in the log and to its person.
 *
 * As a second factor after the password a key is what a code is; alone, where the authenticator
 * verified whose hand it was, it stands for both. Either way the session is "phr": no page but
 * ours can have the answer. Who says "this was not me" (address_change.h) takes the password away
 * from whoever was in; the keys that were there then need a password from that moment on.
 *
 * Promises: S101, S102.
 */
#ifndef RP_IDENTITY_PASSKEY_H
#define RP_IDENTITY_PASSKEY_H

#include "identity/identity.h"
#include "identity/passkey_judge.h"

enum {
    RP_PASSKEYS_MAX = 16,
    RP_PASSKEY_NAME_MAX = 64, /* bytes */
    RP_PASSKEY_KEY_MAX = 600, /* a COSE key; RSA of 4,096 bits is the longest */
    RP_CHALLENGE = 32,
    RP_CHALLENGE_MS = 5 * 60 * 1000,
    RP_FRESH_MS = 10 * 60 * 1000 /* so long a session's second factor counts as just shown */
};

struct rp_passkey {
    rp_id id;
    char name[RP_PASSKEY_NAME_MAX + 1];
    uint8_t aaguid[RP_AAGUID]; /* which make it says it is; nobody proved it */
    unsigned transports;       /* set of rp_transport */
    bool altered;        /* its row was edited: nothing of it is known, and it opens nothing */
    bool may_move;       /* copied to the person's other devices */
    bool needs_password; /* a second factor only: it was there when somebody else may have been */
    int64_t created_ms, used_ms; /* used_ms 0: never */
    uint32_t count;
    uint8_t credential_id[RP_CREDENTIAL_ID_MAX];
    size_t credential_id_n;
    uint8_t key[RP_PASSKEY_KEY_MAX]; /* COSE */
    size_t key_n;
};

/* ---- challenges ---- */
enum rp_passkey_purpose {
    RP_PASSKEY_ADD = 1, /* a new key, by who is signed in */
    RP_PASSKEY_SECOND,  /* after the password, in place of the code */
    RP_PASSKEY_ALONE,   /* in place of both */
    RP_PASSKEY_SIGN     /* signs what a person answers for */
};
struct rp_passkey_asked {
    enum rp_passkey_purpose purpose;
    rp_view
        browser;  /* the secret that it holds: cookie of a session, of a half sign-in, form token */
    rp_id person; /* none where nobody is known yet (ALONE) */
};
/* Of the many that strangers ask for the oldest go, so that nobody's asking keeps others out. */
rp_err rp_passkey_challenge(struct rp_identity *identity, const struct rp_passkey_asked *asked,
                            uint8_t ret_challenge[static RP_CHALLENGE]);
/* The same with a challenge that says what is signed, and holds 16 random bytes or more. */
rp_err rp_passkey_challenge_keep(struct rp_identity *identity, const struct rp_passkey_asked *asked,
                                 rp_view challenge);

/* ---- a person's keys ---- */
/* Oldest first, at most RP_PASSKEYS_MAX, in the arena. */
rp_err rp_identity_passkeys(struct rp_identity *identity, rp_id person, struct rp_arena *arena,
                            struct rp_passkey **ret_keys, size_t *ret_count);
rp_err rp_passkeys_count(struct rp_identity *identity, rp_id person, size_t *ret_count);
/* Whose half sign-in this is: for the list of keys that may answer. NOT_FOUND. */
rp_err rp_identity_pending_person(struct rp_identity *identity, rp_view pending, rp_id *ret_person);
/* The session's second factor was shown within ten minutes, or there is none to show. */
bool rp_identity_is_fresh(struct rp_identity *identity, const struct rp_session *session);

struct rp_passkey_proof {
    struct rp_passkey_asked asked;
    struct rp_passkey_expected expected;
    const struct rp_webauthn_answer *answer;
};
struct rp_passkey_new {
    const struct rp_session *session;
    const struct rp_passkey_proof *proof;
    rp_view name; /* 1 to 64 bytes of UTF-8 */
};
/* SECOND_FACTOR: the session is not fresh. INVALID: no name. TOO_LARGE: sixteen are there.
 * DUPLICATE: the key is registered. EXPIRED: the challenge is old, or was used. UNSUPPORTED: a kind
 * of key that is not ours. DENIED: the answer is not what was asked for. */
rp_err rp_identity_passkey_add(struct rp_identity *identity, const struct rp_passkey_new *what,
                               rp_id *ret_id);
/* INVALID, NOT_FOUND. */
rp_err rp_identity_passkey_rename(struct rp_identity *identity, rp_id person, rp_id id,
                                  rp_view name);
/* SECOND_FACTOR: not fresh. CONFLICT: the last factor where one is demanded. NOT_FOUND. */
rp_err rp_identity_passkey_remove(struct rp_identity *identity, const struct rp_session *session,
                                  rp_id id);

/* ---- used ---- */
/* What shows a second factor: a code that was typed, or a key's answer. */
struct rp_proof {
    rp_view code;
    const struct rp_passkey_proof *passkey; /* NULL = none */
};
/* rp_identity_sign_in_finish for either. */
rp_err rp_identity_sign_in_prove(struct rp_identity *identity, rp_view pending,
                                 const struct rp_proof *proof, rp_view client,
                                 struct rp_token *ret_cookie, struct rp_session *ret_session);
/* Without a password: the key names its person, and must have verified whose hand it was. DENIED,
 * REPLAYED (the challenge is old, or was used), RATE. */
rp_err rp_identity_sign_in_alone(struct rp_identity *identity, const struct rp_passkey_proof *proof,
                                 rp_view client, struct rp_token *ret_cookie,
                                 struct rp_session *ret_session);
/* Signs what the challenge says; *ret_key is the key that did. Errors as above. */
rp_err rp_identity_sign(struct rp_identity *identity, const struct rp_passkey_proof *proof,
                        rp_view client, struct rp_passkey *ret_key);

#endif
