/* passkey_judge_test.c — the vectors of WebAuthn Level 3 are good; each thing altered is refused.
 */
#include "identity/passkey_judge.h"

#include "crypto/sign.h"
#include "unit.h"
#include "webauthn_vectors.h"

static const struct rp_passkey_expected example = {.origin = VECTOR_ORIGIN, .site = VECTOR_SITE};
static struct rp_arena *arena;
static const char *why;

static int start(void **state) {
    (void)state;
    assert_ok(rp_crypto_start());
    arena = rp_arena_new(4 << 20);
    return 0;
}

static int end(void **state) {
    (void)state;
    rp_arena_free(arena);
    return 0;
}

static rp_view hex(const char *text) {
    rp_view copy = {NULL, 0};
    assert_ok(rp_arena_copy(arena, unit_hex(text), &copy));
    return copy;
}

static struct rp_webauthn_answer new_answer(size_t i) {
    return (struct rp_webauthn_answer){.credential_id = hex(vectors_new[i].id),
                                       .client_data = hex(vectors_new[i].client),
                                       .attestation = hex(vectors_new[i].attestation)};
}

static struct rp_webauthn_answer use_answer(size_t i) {
    return (struct rp_webauthn_answer){.client_data = hex(vectors_use[i].client),
                                       .authenticator_data = hex(vectors_use[i].data),
                                       .signature = hex(vectors_use[i].signature)};
}

static rp_err judge_new(const struct rp_passkey_expected *expected,
                        const struct rp_webauthn_answer *answer) {
    struct rp_passkey_seen seen;
    return rp_passkey_judge_new(expected, answer, arena, &seen, &why);
}

static rp_err judge_use(const struct rp_passkey_expected *expected, size_t i,
                        const struct rp_webauthn_answer *answer) {
    struct rp_passkey_seen seen;
    return rp_passkey_judge_use(expected, hex(vectors_use[i].key), answer, arena, &seen, &why);
}

/* One bit of a view that lies in the arena. */
static void flip(rp_view bytes, size_t at, uint8_t bits) {
    ((uint8_t *)(uintptr_t)bytes.p)[at] ^= bits;
}

/*= S101, S102 type=test */
static void vectors_are_good(void **state) {
    (void)state;
    for (size_t i = 0; i < 2; i++) { /* none, and packed by the key itself */
        struct rp_webauthn_answer answer = new_answer(i);
        struct rp_passkey_seen seen;
        assert_ok(rp_passkey_judge_new(&example, &answer, arena, &seen, &why));
        assert_view_equal(seen.client.challenge, hex(vectors_new[i].challenge));
    }
    for (size_t i = 0; i < sizeof vectors_use / sizeof vectors_use[0]; i++) {
        struct rp_webauthn_answer answer = use_answer(i);
        rp_err err = judge_use(&example, i, &answer);
        if (!rp_ok(err)) {
            fail_msg("%s: %s (%s)", vectors_use[i].section, rp_err_name(err), why);
        }
    }
}

static void a_key_in_a_frame_of_another_site_is_refused(void **state) {
    (void)state;
    for (size_t i = 2; i < 4; i++) {
        struct rp_webauthn_answer answer = new_answer(i);
        assert_err(judge_new(&example, &answer), DENIED);
        assert_string_equal(why, "frame");
    }
}

static void another_place_is_refused(void **state) {
    (void)state;
    struct rp_webauthn_answer answer = use_answer(0);
    struct rp_passkey_expected other = {.origin = "https://example.org:444", .site = VECTOR_SITE};
    assert_err(judge_use(&other, 0, &answer), DENIED);
    assert_string_equal(why, "origin");
    other = (struct rp_passkey_expected){.origin = VECTOR_ORIGIN, .site = "example.com"};
    assert_err(judge_use(&other, 0, &answer), DENIED);
    assert_string_equal(why, "site");
    other = (struct rp_passkey_expected){VECTOR_ORIGIN, VECTOR_SITE, .verified = true};
    assert_err(judge_use(&other, 0, &answer), DENIED); /* 16.2 has UP only */
    assert_string_equal(why, "verification");
    flip(answer.authenticator_data, 32, 0x01);
    assert_err(judge_use(&example, 0, &answer), DENIED);
    assert_string_equal(why, "presence");
}

static void one_ceremony_is_not_the_other(void **state) {
    (void)state;
    struct rp_webauthn_answer answer = use_answer(0);
    answer.client_data = hex(vectors_new[0].client);
    assert_err(judge_use(&example, 0, &answer), DENIED);
    assert_string_equal(why, "type");
    answer = new_answer(0);
    answer.client_data = hex(vectors_use[0].client);
    assert_err(judge_new(&example, &answer), DENIED);
    assert_string_equal(why, "type");
    answer = new_answer(0);
    answer.credential_id = hex(vectors_new[1].id);
    assert_err(judge_new(&example, &answer), DENIED);
    assert_string_equal(why, "credential");
}

/* Each algorithm: a bit of the signature, of the data, of the client data. */
static void whatever_is_altered_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof vectors_use / sizeof vectors_use[0]; i++) {
        struct rp_webauthn_answer answer = use_answer(i);
        flip(answer.signature, answer.signature.n - 1, 1);
        assert_err(judge_use(&example, i, &answer), BAD_SIGNATURE);
        answer = use_answer(i);
        flip(answer.authenticator_data, 36, 1); /* the count */
        assert_err(judge_use(&example, i, &answer), BAD_SIGNATURE);
        answer = use_answer(i);
        flip(answer.client_data, 40, 1); /* within the challenge, still base64url */
        assert_false(rp_ok(judge_use(&example, i, &answer)));
        answer = use_answer(i);
        answer.signature = hex(vectors_use[(i + 1) % 4].signature);
        assert_err(judge_use(&example, i, &answer), BAD_SIGNATURE);
        answer.signature = (rp_view){NULL, 0};
        assert_err(judge_use(&example, i, &answer), BAD_SIGNATURE);
    }
}

static void an_attestation_that_is_not_its_own_is_refused(void **state) {
    (void)state;
    struct rp_webauthn_answer answer = new_answer(1);
    size_t at = rp_view_find(answer.attestation, RP_VIEW("sig")) + 10; /* inside the signature */
    flip(answer.attestation, at, 1);
    assert_err(judge_new(&example, &answer), BAD_SIGNATURE);
    answer = new_answer(0);
    at = rp_view_find(answer.attestation, RP_VIEW("none"));
    flip(answer.attestation, at, 1); /* "oone" */
    assert_err(judge_new(&example, &answer), DENIED);
    assert_string_equal(why, "attestation");
}

static void rsa_keys_have_their_bounds(void **state) {
    (void)state;
    static uint8_t modulus[513];
    memset(modulus, 0xff, sizeof modulus);
    static const struct {
        size_t modulus, exponent;
    } cases[] = {{255, 3}, {513, 3}, {256, 0}, {256, 5}, {0, 3}};
    static const uint8_t exponent[8] = {1, 0, 1};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_err(rp_rs256_verify(rp_view_of(modulus, cases[i].modulus),
                                   rp_view_of(exponent, cases[i].exponent), RP_VIEW("m"),
                                   rp_view_of(modulus, 256)),
                   BAD_SIGNATURE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_good),
        cmocka_unit_test(a_key_in_a_frame_of_another_site_is_refused),
        cmocka_unit_test(another_place_is_refused),
        cmocka_unit_test(one_ceremony_is_not_the_other),
        cmocka_unit_test(whatever_is_altered_is_refused),
        cmocka_unit_test(an_attestation_that_is_not_its_own_is_refused),
        cmocka_unit_test(rsa_keys_have_their_bounds),
    };
    return cmocka_run_group_tests(tests, start, end);
}
