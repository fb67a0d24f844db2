/* The first byte chooses the form. What is read lies inside the input, and within its limits. */
#include "fuzz.h"
#include "wire/webauthn.h"

static bool inside(rp_view part, rp_view whole) {
    return part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

static void try_key(rp_view bytes) {
    struct rp_cose_key key;
    if (!rp_ok(rp_cose_key_parse(bytes, &key))) {
        return;
    }
    switch (key.alg) {
    case RP_COSE_ES256:
        FUZZ_CHECK(key.point[0] == 0x04);
        break;
    case RP_COSE_EDDSA:
        FUZZ_CHECK(key.x.n == 32 && inside(key.x, bytes));
        break;
    case RP_COSE_RS256:
        FUZZ_CHECK(key.modulus.n <= RP_COSE_RSA_MAX && inside(key.modulus, bytes));
        FUZZ_CHECK(key.exponent.n <= 4 && inside(key.exponent, bytes));
        break;
    }
}

static void try_data(rp_view bytes) {
    struct rp_authenticator_data data;
    if (rp_ok(rp_authenticator_data_parse(bytes, &data))) {
        FUZZ_CHECK(data.site_hash.n == RP_WEBAUTHN_HASH);
        FUZZ_CHECK(!data.attested || (inside(data.credential_id, bytes) &&
                                      data.credential_id.n <= RP_CREDENTIAL_ID_MAX));
        FUZZ_CHECK(data.may_move || !data.moved);
        try_key(data.key);
    }
}

static void try_attestation(rp_view bytes) {
    struct rp_attestation attestation;
    if (rp_ok(rp_attestation_parse(bytes, &attestation))) {
        FUZZ_CHECK(inside(attestation.format, bytes) && inside(attestation.statement, bytes));
        try_data(attestation.authenticator_data);
    }
}

static void try_client(rp_view bytes) {
    struct rp_arena *arena = rp_arena_new(1 << 20);
    struct rp_client_data client;
    if (rp_ok(rp_client_data_parse(bytes, arena, &client))) {
        FUZZ_CHECK(client.challenge.n <= RP_CHALLENGE_MAX && client.origin.p != NULL);
    }
    rp_arena_free(arena);
}

static void try_answer(rp_view bytes) {
    struct rp_arena *arena = rp_arena_new(1 << 20);
    struct rp_webauthn_answer answer;
    if (rp_ok(rp_webauthn_answer_parse(bytes, arena, &answer))) {
        FUZZ_CHECK(answer.credential_id.n > 0 && answer.credential_id.n <= RP_CREDENTIAL_ID_MAX);
        FUZZ_CHECK(answer.attestation.n > 0 || answer.signature.n > 0);
        FUZZ_CHECK(answer.transports <= RP_TRANSPORTS_ALL);
    }
    rp_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static void (*const forms[])(rp_view) = {try_attestation, try_data, try_key, try_client,
                                             try_answer};
    if (n > 0) {
        forms[data[0] % 5](rp_view_of(data + 1, n - 1));
    }
    return 0;
}
