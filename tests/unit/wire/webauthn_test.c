/* What browsers and authenticators hand over, taken apart: new keys of the vectors of WebAuthn
 * Level 3. Their uses are read and judged in tests/unit/identity/passkey_judge_test.c. */
#include "wire/webauthn.h"

#include "unit.h"
#include "webauthn_vectors.h"

static struct rp_arena *arena;

static int start(void **state) {
    (void)state;
    arena = rp_arena_new(1 << 20);
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

static void new_keys_are_read(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof vectors_new / sizeof vectors_new[0]; i++) {
        const struct vector_new *vector = &vectors_new[i];
        struct rp_client_data client;
        struct rp_attestation attestation;
        struct rp_authenticator_data data;
        struct rp_cose_key key;
        assert_ok(rp_client_data_parse(hex(vector->client), arena, &client));
        assert_int_equal(client.ceremony, RP_WEBAUTHN_CREATE);
        assert_view_equal(client.challenge, hex(vector->challenge));
        assert_view(client.origin, VECTOR_ORIGIN);
        assert_int_equal(client.cross_origin, i >= 2);
        assert_ok(rp_attestation_parse(hex(vector->attestation), &attestation));
        assert_ok(rp_authenticator_data_parse(attestation.authenticator_data, &data));
        assert_true(data.attested && data.present);
        assert_view_equal(data.credential_id, hex(vector->id));
        assert_int_equal(data.aaguid.n, RP_AAGUID);
        assert_ok(rp_cose_key_parse(data.key, &key));
        assert_int_equal(key.alg, RP_COSE_ES256);
    }
}

static void flags_and_count_are_told_apart(void **state) {
    (void)state;
    uint8_t bytes[37] = {[32] = 0x05, [33] = 1, [36] = 2};
    struct rp_authenticator_data data;
    assert_ok(rp_authenticator_data_parse(rp_view_of(bytes, sizeof bytes), &data));
    assert_true(data.present && data.verified && !data.may_move && !data.moved);
    assert_int_equal(data.count, 0x01000002);
    bytes[32] = 0x18;
    assert_ok(rp_authenticator_data_parse(rp_view_of(bytes, sizeof bytes), &data));
    assert_true(!data.present && !data.verified && data.may_move && data.moved);
    bytes[32] = 0x10; /* copied, and cannot be copied */
    assert_err(rp_authenticator_data_parse(rp_view_of(bytes, sizeof bytes), &data), SYNTAX);
}

/* The bytes of a vector's authenticator data, one changed or some missing. */
static void damaged_data_is_refused(void **state) {
    (void)state;
    struct rp_attestation attestation;
    struct rp_authenticator_data data;
    assert_ok(rp_attestation_parse(hex(vectors_new[0].attestation), &attestation));
    rp_view whole = attestation.authenticator_data;
    for (size_t n = 0; n < whole.n; n++) { /* every beginning */
        assert_false(rp_ok(rp_authenticator_data_parse(rp_view_sub(whole, 0, n), &data)));
    }
    uint8_t longer[512] = {0};
    memcpy(longer, whole.p, whole.n);
    assert_err(rp_authenticator_data_parse(rp_view_of(longer, whole.n + 1), &data), SYNTAX);
    longer[32] |= 0x80; /* extensions are announced, and a number follows */
    assert_err(rp_authenticator_data_parse(rp_view_of(longer, whole.n + 1), &data), SYNTAX);
    longer[whole.n] = 0xa0; /* an empty map follows */
    assert_ok(rp_authenticator_data_parse(rp_view_of(longer, whole.n + 1), &data));
    longer[53] = 4; /* an identifier of 1,024 bytes and more */
    assert_err(rp_authenticator_data_parse(rp_view_of(longer, sizeof longer), &data), TOO_LARGE);
    longer[53] = longer[54] = 0; /* none at all */
    assert_err(rp_authenticator_data_parse(rp_view_of(longer, sizeof longer), &data), SYNTAX);
}

static void other_keys_are_refused(void **state) {
    (void)state;
    struct rp_cose_key key;
    for (size_t i = 0; i < sizeof vectors_other_keys / sizeof vectors_other_keys[0]; i++) {
        assert_err(rp_cose_key_parse(hex(vectors_other_keys[i]), &key), UNSUPPORTED);
    }
    static const struct {
        const char *hex;
        enum rp_code code;
    } bad[] = {
        {"a0", RP_E_SYNTAX},                                  /* nothing in it */
        {"80", RP_E_SYNTAX},                                  /* no map */
        {"a301020326200181", RP_E_SYNTAX},                    /* cut off */
        {"a40102032620012140", RP_E_SYNTAX},                  /* no y, x empty */
        {"a401020326200221420000", RP_E_UNSUPPORTED},         /* P-384 with ES256 */
        {"a301010326200600", RP_E_SYNTAX},                    /* bytes behind it */
        {"a401030339010020410321430100010000", RP_E_SYNTAX},  /* likewise */
        {"a4010303390100204103214301000100", RP_E_SYNTAX},    /* likewise */
        {"a40103033901002041032143010001", RP_E_UNSUPPORTED}, /* RSA of 8 bits */
        {"a4010303390100204200032143010001", RP_E_SYNTAX},    /* a leading zero */
        {"a30101032720062141", RP_E_SYNTAX},                  /* cut off */
        {"a401010327200621414a", RP_E_SYNTAX},                /* a short point */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rp_err err = rp_cose_key_parse(hex(bad[i].hex), &key);
        if (!rp_is(err, bad[i].code)) {
            fail_msg("%s: %s", bad[i].hex, rp_err_name(err));
        }
    }
}

static void client_data_that_is_none_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"type\":\"webauthn.get\",\"challenge\":\"AAAA\"}",
        "{\"type\":\"webauthn.get\",\"origin\":\"https://a\"}",
        "{\"challenge\":\"AAAA\",\"origin\":\"https://a\"}",
        "{\"type\":\"payment.get\",\"challenge\":\"AAAA\",\"origin\":\"https://a\"}",
        "{\"type\":\"webauthn.get\",\"challenge\":\"AA=A\",\"origin\":\"https://a\"}",
        "{\"type\":\"webauthn.get\",\"challenge\":1,\"origin\":\"https://a\"}",
        "{\"type\":\"webauthn.get\",\"challenge\":\"AAAA\",\"origin\":\"https://"
        "a\",\"crossOrigin\":0}",
        "{\"type\":\"webauthn.get\",\"type\":\"webauthn.get\",\"challenge\":\"AAAA\",\"origin\":"
        "\"a\"}",
        "{\"type\":\"webauthn.get\",\"challenge\":\"AAAA\",\"origin\":\"https://a\"} "
        "{\"type\":\"webauthn.get\"}"};
    struct rp_client_data client;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (!rp_is(rp_client_data_parse(rp_view_from_cstr(bad[i]), arena, &client), RP_E_SYNTAX)) {
            fail_msg("%s", bad[i]);
        }
    }
    static uint8_t large[RP_CLIENT_DATA_MAX + 1];
    assert_err(rp_client_data_parse(rp_view_of(large, sizeof large), arena, &client), TOO_LARGE);
    assert_ok(rp_client_data_parse(RP_VIEW("{\"type\":\"webauthn.get\",\"challenge\":\"AAAA\","
                                           "\"origin\":\"https://a\",\"later\":{\"x\":[1]}}"),
                                   arena, &client)); /* later editions may say more */
}

#define PUBLIC "\"type\":\"public-key\""
#define GET "\"clientDataJSON\":\"e30\",\"authenticatorData\":\"AAAA\",\"signature\":\"MAA\""

static void an_answer_is_read_as_browsers_write_it(void **state) {
    (void)state;
    struct rp_webauthn_answer answer;
    assert_ok(rp_webauthn_answer_parse(RP_VIEW("{\"id\":\"AAEC\",\"rawId\":\"AAEC\"," PUBLIC
                                               ",\"clientExtensionResults\":{},"
                                               "\"response\":{" GET ",\"userHandle\":null}}"),
                                       arena, &answer));
    assert_int_equal(answer.credential_id.n, 3);
    assert_view(answer.client_data, "{}");
    assert_null(answer.attestation.p);
    assert_null(answer.user.p);
    assert_ok(rp_webauthn_answer_parse(
        RP_VIEW("{\"id\":\"AAEC\"," PUBLIC ",\"response\":{\"clientDataJSON\":\"e30\","
                "\"attestationObject\":\"oA\",\"transports\":[\"usb\",\"cable\",\"radio\"]}}"),
        arena, &answer));
    assert_int_equal(answer.transports, RP_TRANSPORT_USB | RP_TRANSPORT_HYBRID);
    assert_string_equal(rp_transport_name(RP_TRANSPORT_INTERNAL), "internal");
    assert_null(rp_transport_name(3));
}

static void an_answer_that_is_none_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"id\":\"AAEC\"," PUBLIC "}",
        "{\"id\":\"AAEC\",\"response\":{" GET "}}",
        "{\"id\":\"AAEC\",\"type\":\"password\",\"response\":{" GET "}}",
        "{\"id\":\"\"," PUBLIC ",\"response\":{" GET "}}",
        "{\"id\":\"A\"," PUBLIC ",\"response\":{" GET "}}",
        "{\"id\":1," PUBLIC ",\"response\":{" GET "}}",
        "{\"id\":\"AAEC\"," PUBLIC ",\"response\":{\"clientDataJSON\":\"e30\"}}",
        "{\"id\":\"AAEC\"," PUBLIC ",\"response\":{" GET ",\"userHandle\":\"*\"}}"};
    struct rp_webauthn_answer answer;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (!rp_is(rp_webauthn_answer_parse(rp_view_from_cstr(bad[i]), arena, &answer),
                   RP_E_SYNTAX)) {
            fail_msg("%s", bad[i]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_keys_are_read),
        cmocka_unit_test(flags_and_count_are_told_apart),
        cmocka_unit_test(damaged_data_is_refused),
        cmocka_unit_test(other_keys_are_refused),
        cmocka_unit_test(client_data_that_is_none_is_refused),
        cmocka_unit_test(an_answer_is_read_as_browsers_write_it),
        cmocka_unit_test(an_answer_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, start, end);
}
