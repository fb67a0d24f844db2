/* webauthn.h — what a browser and an authenticator hand over. W3C WebAuthn Level 3, sections 5.8.1,
 * 6.1, 6.5; COSE keys of RFC 9053 and RFC 8230.
 *
 *   client data   JSON {"type", "challenge", "origin", "crossOrigin", …}; what is unknown is passed
 *                 over, as the specification asks
 *   authenticator data
 *                 SHA-256 of the site's name (32) · flags (1) · count (4, big-endian)
 *                 flag AT: AAGUID (16) · length (2) · credential id · COSE key (CBOR)
 *                 flag ED: extensions (a CBOR map); then nothing
 *   attestation   CBOR {"fmt": text, "attStmt": map, "authData": bytes}
 *   answer        JSON {"id", "type": "public-key", "response": {…}}, binary values in base64url,
 * as PublicKeyCredential.toJSON() writes it (section 5.1)
 *
 * Taken apart, never verified: who judges it is identity/passkey_judge.h. Everything is a view into
 * the bytes that were read, but what was base64url, which is decoded into the arena. Fails: SYNTAX,
 * TOO_LARGE, UNSUPPORTED (a kind of key that is not ours).
 */
#ifndef RP_WIRE_WEBAUTHN_H
#define RP_WIRE_WEBAUTHN_H

#include "base/arena.h"
#include "wire/json.h"

enum {
    RP_WEBAUTHN_HASH = 32,
    RP_AAGUID = 16,
    RP_CREDENTIAL_ID_MAX = 1023,
    RP_CHALLENGE_MAX = 64,
    RP_CLIENT_DATA_MAX = 4096,
    RP_COSE_POINT = 65,    /* 0x04 ‖ x ‖ y */
    RP_COSE_RSA_MIN = 256, /* bytes of a modulus: 2,048 to 4,096 bits */
    RP_COSE_RSA_MAX = 512
};

enum rp_ceremony { RP_WEBAUTHN_CREATE, RP_WEBAUTHN_GET };

struct rp_client_data {
    enum rp_ceremony ceremony;
    rp_view challenge; /* decoded */
    rp_view origin;
    bool cross_origin; /* inside a frame of another site */
};
rp_err rp_client_data_parse(rp_view json, struct rp_arena *arena, struct rp_client_data *ret_data);

/* The numbers are COSE's own. */
enum rp_cose_alg { RP_COSE_ES256 = -7, RP_COSE_EDDSA = -8, RP_COSE_RS256 = -257 };

struct rp_cose_key {
    enum rp_cose_alg alg;
    uint8_t point[RP_COSE_POINT]; /* ES256 */
    rp_view x;                    /* EdDSA: 32 bytes, Ed25519 */
    rp_view modulus, exponent;    /* RS256, big-endian */
};
rp_err rp_cose_key_parse(rp_view bytes, struct rp_cose_key *ret_key);

struct rp_authenticator_data {
    rp_view site_hash;
    bool present, verified; /* somebody was there (UP); it was the owner (UV) */
    bool may_move, moved;   /* it can be, it was copied to other devices (BE, BS) */
    uint32_t count;
    bool attested; /* flag AT: the rest is there */
    rp_view aaguid, credential_id, key;
};
rp_err rp_authenticator_data_parse(rp_view bytes, struct rp_authenticator_data *ret_data);

struct rp_attestation {
    rp_view format, statement; /* a checked map */
    rp_view authenticator_data;
};
rp_err rp_attestation_parse(rp_view bytes, struct rp_attestation *ret_attestation);

/* A member in base64url, as options and answers carry bytes. */
void rp_webauthn_add_bytes(struct rp_arena *arena, struct rp_json *object, const char *key,
                           rp_view bytes);

/* How an authenticator is reached; a set. INTERNAL: it is built into the device. */
enum rp_transport {
    RP_TRANSPORT_USB = 1 << 0,
    RP_TRANSPORT_NFC = 1 << 1,
    RP_TRANSPORT_BLE = 1 << 2,
    RP_TRANSPORT_HYBRID = 1 << 3,
    RP_TRANSPORT_INTERNAL = 1 << 4,
    RP_TRANSPORT_SMART_CARD = 1 << 5,
    RP_TRANSPORTS_ALL = (1 << 6) - 1
};
/* "usb" of one of them; NULL for anything else. */
const char *rp_transport_name(unsigned transport);

struct rp_webauthn_answer {
    rp_view credential_id;
    rp_view client_data;
    rp_view attestation; /* of a new key; else p == NULL, and the next three are there */
    rp_view authenticator_data, signature;
    rp_view user; /* userHandle: whose key it is; p == NULL when the authenticator says nothing */
    unsigned transports; /* of a new key; those that are not known are left out */
};
enum { RP_WEBAUTHN_ANSWER_MAX = 16384, RP_USER_HANDLE_MAX = 64 };
rp_err rp_webauthn_answer_parse(rp_view json, struct rp_arena *arena,
                                struct rp_webauthn_answer *ret_answer);

#endif
