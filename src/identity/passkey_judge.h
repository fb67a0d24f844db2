/* passkey_judge.h — is this what was asked for, and by whom? WebAuthn Level 3, sections 7.1
 * and 7.2.
 *
 * Pure: client data, authenticator data and a public key against what this installation expects.
 * The challenge is compared by who keeps it (passkey_challenge.c), since it is used up there.
 *
 * Attestation says which make an authenticator is of. Nobody here asks for that: only "none" is
 * taken, and "packed" by the new key itself, whose signature is then verified.
 *
 * Fails: DENIED (not what was asked for; *ret_why names the check), BAD_SIGNATURE, SYNTAX,
 * TOO_LARGE, UNSUPPORTED.
 */
#ifndef RP_IDENTITY_PASSKEY_JUDGE_H
#define RP_IDENTITY_PASSKEY_JUDGE_H

#include "wire/webauthn.h"

struct rp_passkey_expected {
    const char *origin; /* of the page: "https://example.com:8443" */
    const char *site;   /* the name that keys are made for: "example.com" */
    bool verified;      /* the authenticator must have verified whose hand it was */
};

/* What stands in an answer that was found good. */
struct rp_passkey_seen {
    struct rp_client_data client;
    struct rp_authenticator_data data;
};

rp_err rp_passkey_judge_new(const struct rp_passkey_expected *expected,
                            const struct rp_webauthn_answer *answer, struct rp_arena *arena,
                            struct rp_passkey_seen *ret_seen, const char **ret_why);
/* key: the COSE key that was kept. */
rp_err rp_passkey_judge_use(const struct rp_passkey_expected *expected, rp_view key,
                            const struct rp_webauthn_answer *answer, struct rp_arena *arena,
                            struct rp_passkey_seen *ret_seen, const char **ret_why);

#endif
