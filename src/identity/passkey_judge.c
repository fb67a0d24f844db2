#include "identity/passkey_judge.h"

#include "base/assert.h"
#include "crypto/hash.h"
#include "crypto/sign.h"
#include "wire/cbor.h"

static rp_err refuse(const char **ret_why, const char *why) {
    *ret_why = why;
    return RP_ERR(DENIED);
}

/* ---- what both have in common ---- */

static rp_err judge_client(const struct rp_passkey_expected *expected, enum rp_ceremony ceremony,
                           const struct rp_client_data *client, const char **ret_why) {
    if (client->ceremony != ceremony) {
        return refuse(ret_why, "type");
    }
    if (!rp_view_equal(client->origin, rp_view_from_cstr(expected->origin))) {
        return refuse(ret_why, "origin");
    }
    return client->cross_origin ? refuse(ret_why, "frame") : RP_OK;
}

static rp_err judge_data(const struct rp_passkey_expected *expected,
                         const struct rp_authenticator_data *data, const char **ret_why) {
    struct rp_sha256 site = rp_sha256_of(rp_view_from_cstr(expected->site));
    if (!rp_view_equal(data->site_hash, rp_view_of(site.b, sizeof site.b))) {
        return refuse(ret_why, "site");
    }
    if (!data->present) {
        return refuse(ret_why, "presence");
    }
    return expected->verified && !data->verified ? refuse(ret_why, "verification") : RP_OK;
}

/* ---- signatures ---- */

static rp_err verify(const struct rp_cose_key *key, rp_view message, rp_view signature) {
    switch (key->alg) {
    case RP_COSE_ES256:
        return rp_es256_verify_der(rp_view_of(key->point, sizeof key->point), message, signature);
    case RP_COSE_EDDSA:
        return rp_ed25519_verify(key->x, message, signature);
    case RP_COSE_RS256:
        return rp_rs256_verify(key->modulus, key->exponent, message, signature);
    }
    return RP_ERR(BAD_SIGNATURE);
}

/* What is signed: the authenticator's data, and the hash of what the browser says. */
static rp_err verify_both(const struct rp_cose_key *key, rp_view data, rp_view client_data,
                          rp_view signature, struct rp_arena *arena) {
    struct rp_sha256 hash = rp_sha256_of(client_data);
    uint8_t *message = rp_arena_alloc(arena, data.n + sizeof hash.b);
    if (!message) {
        return RP_ERR(NO_MEMORY);
    }
    memcpy(message, data.p, data.n);
    memcpy(message + data.n, hash.b, sizeof hash.b);
    return verify(key, rp_view_of(message, data.n + sizeof hash.b), signature);
}

/* ---- a new key ---- */

static rp_err judge_packed(const struct rp_attestation *attestation, const struct rp_cose_key *key,
                           rp_view client_data, struct rp_arena *arena, const char **ret_why) {
    rp_view map = attestation->statement, signature = {NULL, 0};
    int64_t alg = 0;
    if (rp_cbor_at_text(map, RP_VIEW("x5c")).p ||
        !rp_cbor_number(rp_cbor_at_text(map, RP_VIEW("alg")), &alg) || alg != (int64_t)key->alg ||
        !rp_cbor_bytes(rp_cbor_at_text(map, RP_VIEW("sig")), &signature)) {
        return refuse(ret_why, "attestation");
    }
    return verify_both(key, attestation->authenticator_data, client_data, signature, arena);
}

static rp_err judge_attestation(const struct rp_attestation *attestation,
                                const struct rp_cose_key *key, rp_view client_data,
                                struct rp_arena *arena, const char **ret_why) {
    size_t pairs = 0;
    if (rp_view_equal(attestation->format, RP_VIEW("packed"))) {
        return judge_packed(attestation, key, client_data, arena, ret_why);
    }
    bool none = rp_view_equal(attestation->format, RP_VIEW("none")) &&
                rp_cbor_map(attestation->statement, &pairs) && pairs == 0;
    return none ? RP_OK : refuse(ret_why, "attestation");
}

rp_err rp_passkey_judge_new(const struct rp_passkey_expected *expected,
                            const struct rp_webauthn_answer *answer, struct rp_arena *arena,
                            struct rp_passkey_seen *ret_seen, const char **ret_why) {
    RP_ASSERT(expected != NULL && answer != NULL && ret_seen != NULL && ret_why != NULL);
    struct rp_passkey_seen seen;
    struct rp_attestation attestation;
    struct rp_cose_key key;
    *ret_why = "form";
    RP_TRY(rp_client_data_parse(answer->client_data, arena, &seen.client));
    RP_TRY(rp_attestation_parse(answer->attestation, &attestation));
    RP_TRY(rp_authenticator_data_parse(attestation.authenticator_data, &seen.data));
    RP_TRY(judge_client(expected, RP_WEBAUTHN_CREATE, &seen.client, ret_why));
    RP_TRY(judge_data(expected, &seen.data, ret_why));
    if (!seen.data.attested || !rp_view_equal(seen.data.credential_id, answer->credential_id)) {
        return refuse(ret_why, "credential");
    }
    *ret_why = "key";
    RP_TRY(rp_cose_key_parse(seen.data.key, &key));
    *ret_why = "attestation";
    RP_TRY(judge_attestation(&attestation, &key, answer->client_data, arena, ret_why));
    *ret_seen = seen;
    return RP_OK;
}

/* ---- a key that is used ---- */

/*= S101, S102 */ /* made for another site, altered, or without a hand on it: refused */
rp_err rp_passkey_judge_use(const struct rp_passkey_expected *expected, rp_view key,
                            const struct rp_webauthn_answer *answer, struct rp_arena *arena,
                            struct rp_passkey_seen *ret_seen, const char **ret_why) {
    RP_ASSERT(expected != NULL && answer != NULL && ret_seen != NULL && ret_why != NULL);
    struct rp_passkey_seen seen;
    struct rp_cose_key cose;
    *ret_why = "form";
    RP_TRY(rp_cose_key_parse(key, &cose));
    RP_TRY(rp_client_data_parse(answer->client_data, arena, &seen.client));
    RP_TRY(rp_authenticator_data_parse(answer->authenticator_data, &seen.data));
    RP_TRY(judge_client(expected, RP_WEBAUTHN_GET, &seen.client, ret_why));
    RP_TRY(judge_data(expected, &seen.data, ret_why));
    *ret_why = "signature";
    RP_TRY(verify_both(&cose, answer->authenticator_data, answer->client_data, answer->signature,
                       arena));
    *ret_seen = seen;
    return RP_OK;
}
