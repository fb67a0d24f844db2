/* Ed25519 and ES256 against RFC 8032, RFC 6979 and RFC 7515, and against damage. */
#include "unit.h"

#include "base/checked.h"
#include "crypto/sign.h"

static struct unit_world world = {.random_state = 3};
static struct rp_env env;

static int start(void **state) {
    (void)state;
    env = unit_env(&world);
    assert_ok(rp_crypto_start());
    return 0;
}

static struct rp_secret *secret_of(const char *hex) {
    rp_view v = unit_hex(hex);
    uint8_t copy[64] = {0};
    memcpy(copy, v.p, v.n);
    struct rp_secret *secret = NULL;
    assert_ok(rp_secret_new_take(copy, v.n, &secret));
    return secret;
}

static void check_ed25519(const char *seed, const char *public_hex, rp_view message,
                          const char *signature_hex) {
    struct rp_secret *key = secret_of(seed);
    uint8_t public_key[RP_ED25519_PUBLIC];
    uint8_t signature[RP_SIGNATURE];
    assert_ok(rp_ed25519_public(key, public_key));
    assert_view_equal(rp_view_of(public_key, sizeof public_key), unit_hex(public_hex));
    assert_ok(rp_ed25519_sign(key, message, signature));
    assert_view_equal(rp_view_of(signature, sizeof signature), unit_hex(signature_hex));
    assert_ok(rp_ed25519_verify(rp_view_of(public_key, sizeof public_key), message,
                                rp_view_of(signature, sizeof signature)));
    rp_secret_free(key);
}

static void ed25519_meets_rfc_8032(void **state) {
    (void)state;
    check_ed25519(
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", RP_VIEW(""),
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc6"
        "1e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
    check_ed25519(
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", RP_VIEW("r"),
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e45"
        "8f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

/* RFC 6979 A.2.5: the public key of its private key, and its signature of "sample". */
static void es256_meets_rfc_6979(void **state) {
    (void)state;
    struct rp_secret *key =
        secret_of("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
    uint8_t public_key[RP_P256_PUBLIC];
    assert_ok(rp_es256_public(key, public_key));
    assert_view_equal(
        rp_view_of(public_key, sizeof public_key),
        unit_hex(
            "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41"
            "ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"));
    rp_view signature =
        unit_hex("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
                 "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
    rp_view public_view = rp_view_of(public_key, sizeof public_key);
    assert_ok(rp_es256_verify(public_view, RP_VIEW("sample"), signature));
    assert_err(rp_es256_verify(public_view, RP_VIEW("Sample"), signature), BAD_SIGNATURE);
    rp_secret_free(key);
}

/* RFC 7515 A.3: an ES256 token made by others. */
static void es256_meets_rfc_7515(void **state) {
    (void)state;
    uint8_t public_key[RP_P256_PUBLIC];
    memcpy(public_key,
           unit_hex("047fcdce2770f6c45d4183cbee6fdb4b7b580733357be9ef13bacf6e3c7bd15445"
                    "c7f144cd1bbd9b7e872cdfedb9eeb9f4b3695d6ea90b24ad8a4623288588e5ad")
               .p,
           sizeof public_key);
    rp_view input = RP_VIEW("eyJhbGciOiJFUzI1NiJ9."
                            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLm"
                            "NvbS9pc19yb290Ijp0cnVlfQ");
    assert_ok(rp_es256_verify(
        rp_view_of(public_key, sizeof public_key), input,
        unit_hex("0ed1215379636c483c2f7f155807d402a3b228033af97c7e17819ac3169ea665"
                 "c50a07d38c3c70e5d8f12daf084a5480a66590c5f293509a8f3f7f8a83a354d5")));
    struct rp_secret *key =
        secret_of("8e9b109e719098bf980487df1f5d77e9cb29606ebed2263b5f57c213df84f4b2");
    uint8_t ours[RP_P256_PUBLIC];
    assert_ok(rp_es256_public(key, ours));
    assert_memory_equal(ours, public_key, sizeof ours);
    rp_secret_free(key);
}

typedef rp_err verify_function(rp_view public_key, rp_view message, rp_view signature);

/* Every single flipped bit of the signature, wrong lengths, a wrong key, a wrong message. */
static void check_damage(verify_function *verify, rp_view public_key, rp_view other_key,
                         uint8_t signature[static RP_SIGNATURE]) {
    rp_view good = rp_view_of(signature, RP_SIGNATURE);
    assert_ok(verify(public_key, RP_VIEW("message"), good));
    for (size_t bit = 0; bit < (size_t)RP_SIGNATURE * 8; bit++) {
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_err(verify(public_key, RP_VIEW("message"), good), BAD_SIGNATURE);
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_err(verify(public_key, RP_VIEW("massage"), good), BAD_SIGNATURE);
    assert_err(verify(other_key, RP_VIEW("message"), good), BAD_SIGNATURE);
    assert_err(verify(public_key, RP_VIEW("message"), rp_view_sub(good, 0, 63)), BAD_SIGNATURE);
    assert_err(verify(public_key, RP_VIEW("message"), RP_VIEW("")), BAD_SIGNATURE);
    assert_err(verify(rp_view_from(public_key, 1), RP_VIEW("message"), good), BAD_SIGNATURE);
}

static void ed25519_notices_damage(void **state) {
    (void)state;
    uint8_t public_keys[2][RP_ED25519_PUBLIC];
    uint8_t signature[RP_SIGNATURE];
    for (size_t i = 2; i-- > 0;) {
        struct rp_secret *key = NULL;
        assert_ok(rp_ed25519_new(&env, &key));
        assert_ok(rp_ed25519_public(key, public_keys[i]));
        assert_ok(rp_ed25519_sign(key, RP_VIEW("message"), signature));
        rp_secret_free(key);
    }
    check_damage(rp_ed25519_verify, rp_view_of(public_keys[0], RP_ED25519_PUBLIC),
                 rp_view_of(public_keys[1], RP_ED25519_PUBLIC), signature);
}

static void es256_notices_damage(void **state) {
    (void)state;
    uint8_t public_keys[2][RP_P256_PUBLIC];
    uint8_t signature[RP_SIGNATURE];
    for (size_t i = 2; i-- > 0;) {
        struct rp_secret *key = NULL;
        assert_ok(rp_es256_new(&env, &key));
        assert_ok(rp_es256_public(key, public_keys[i]));
        assert_ok(rp_es256_sign(key, RP_VIEW("message"), signature));
        rp_secret_free(key);
    }
    check_damage(rp_es256_verify, rp_view_of(public_keys[0], RP_P256_PUBLIC),
                 rp_view_of(public_keys[1], RP_P256_PUBLIC), signature);
    /* A point off the curve is no key; r = s = 0 is no signature. */
    static const uint8_t zero[RP_SIGNATURE];
    assert_err(rp_es256_verify(rp_view_of(public_keys[0], RP_P256_PUBLIC), RP_VIEW("message"),
                               rp_view_of(zero, sizeof zero)),
               BAD_SIGNATURE);
    public_keys[0][40] ^= 1;
    assert_err(rp_es256_verify(rp_view_of(public_keys[0], RP_P256_PUBLIC), RP_VIEW("message"),
                               rp_view_of(signature, sizeof signature)),
               BAD_SIGNATURE);
}

static void numbers_that_are_no_private_key_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", /* the order itself */
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "01"};
    uint8_t public_key[RP_P256_PUBLIC];
    uint8_t signature[RP_SIGNATURE];
    for (size_t i = 0; i < RP_COUNT_OF(bad); i++) {
        struct rp_secret *key = secret_of(bad[i]);
        assert_err(rp_es256_public(key, public_key), INVALID);
        assert_err(rp_es256_sign(key, RP_VIEW("m"), signature), INVALID);
        rp_secret_free(key);
    }
    struct rp_secret *short_key = secret_of("01");
    assert_err(rp_ed25519_sign(short_key, RP_VIEW("m"), signature), INVALID);
    rp_secret_free(short_key);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ed25519_meets_rfc_8032),
        cmocka_unit_test(es256_meets_rfc_6979),
        cmocka_unit_test(es256_meets_rfc_7515),
        cmocka_unit_test(ed25519_notices_damage),
        cmocka_unit_test(es256_notices_damage),
        cmocka_unit_test(numbers_that_are_no_private_key_are_refused),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
