/* authenticator.h — a security key in software: what a canary holds in its hand.
 *
 * Makes one key pair for one site and signs with it as CTAP 2 tells real ones to (WebAuthn Level 3,
 * section 6), attestation "none", ES256. It obeys whoever holds it: the wrong origin, an altered
 * signature, a count that stands still are its purpose. Answers are JSON as a browser's toJSON().
 */
#ifndef RP_PROBE_AUTHENTICATOR_H
#define RP_PROBE_AUTHENTICATOR_H

#include "base/buf.h"
#include "crypto/sign.h"

enum { AUTHENTICATOR_ID = 32, AUTHENTICATOR_ANSWER_MAX = 8192 };

struct authenticator {
    const char *origin; /* of the page that the person sees */
    const char *site;   /* the name that the key is for */
    uint8_t id[AUTHENTICATOR_ID];
    const struct rp_secret *key; /* a scalar of P-256 */
    uint32_t count;              /* grows with each use; 0 for one that does not count */
    bool verifies;               /* asks for a finger or a PIN, not a touch alone */
    bool alters;                 /* a bit of each signature is wrong */
    const char *transport;       /* "internal", "usb" */
};

/* A new key's answer to navigator.credentials.create(). */
rp_err authenticator_make(const struct authenticator *authenticator, rp_view challenge,
                          struct rp_buf *out);
/* An answer to navigator.credentials.get(); user: whose key it is, as it was told at its making. */
rp_err authenticator_use(const struct authenticator *authenticator, rp_view challenge, rp_view user,
                         struct rp_buf *out);

#endif
