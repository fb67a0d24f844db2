/* SHA-256, HMAC, HKDF and one-time codes against the vectors of their own standards. */
#include "unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/checked.h"
#include "crypto/hash.h"

static int start(void **state) {
    (void)state;
    assert_ok(rp_crypto_start());
    return 0;
}

static struct rp_secret *secret_of(const char *hex) {
    rp_view v = unit_hex(hex);
    uint8_t copy[256] = {0};
    assert_true(v.n <= sizeof copy);
    memcpy(copy, v.p, v.n);
    struct rp_secret *secret = NULL;
    assert_ok(rp_secret_new_take(copy, v.n, &secret));
    return secret;
}

static void check_sha256(rp_view text, const char *hex) {
    struct rp_sha256 hash = rp_sha256_of(text);
    assert_view_equal(rp_view_of(hash.b, sizeof hash.b), unit_hex(hex));
}

static void sha256_meets_fips_180(void **state) {
    (void)state;
    check_sha256(RP_VIEW(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_sha256(RP_VIEW("abc"),
                 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_sha256(RP_VIEW("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
                 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void parts_hash_like_the_whole(void **state) {
    (void)state;
    struct rp_sha256 whole = rp_sha256_of(RP_VIEW("abc"));
    struct rp_sha256 two = rp_sha256_of2(RP_VIEW("a"), RP_VIEW("bc"));
    struct rp_sha256 three = rp_sha256_of3(RP_VIEW("a"), RP_VIEW("b"), RP_VIEW("c"));
    assert_memory_equal(whole.b, two.b, sizeof whole.b);
    assert_memory_equal(whole.b, three.b, sizeof whole.b);
}

static void a_file_hashes_from_its_start(void **state) {
    (void)state;
    char *dir = unit_dir_new();
    char path[256];
    snprintf(path, sizeof path, "%s/file", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    char line[1000];
    memset(line, 'a', sizeof line);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(write(fd, line, sizeof line), sizeof line);
    }
    /* A million "a", FIPS 180's third example; the descriptor stands at the end of the file. */
    struct rp_sha256 hash;
    assert_ok(rp_sha256_of_fd(fd, &hash));
    assert_view_equal(rp_view_of(hash.b, sizeof hash.b),
                      unit_hex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
    close(fd);
    assert_false(rp_ok(rp_sha256_of_fd(fd, &hash)));
    unit_dir_remove(dir);
}

static void check_hmac(const char *key_hex, rp_view message, const char *mac_hex) {
    struct rp_secret *key = secret_of(key_hex);
    struct rp_sha256 mac = rp_hmac_sha256(key, message);
    assert_view_equal(rp_view_of(mac.b, sizeof mac.b), unit_hex(mac_hex));
    rp_secret_free(key);
}

static void hmac_meets_rfc_4231(void **state) {
    (void)state;
    check_hmac("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", RP_VIEW("Hi There"),
               "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    check_hmac("4a656665", RP_VIEW("what do ya want for nothing?"),
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    char long_key[2 * 131 + 1];
    memset(long_key, 'a', sizeof long_key - 1);
    long_key[sizeof long_key - 1] = 0;
    check_hmac(long_key, RP_VIEW("Test Using Larger Than Block-Size Key - Hash Key First"),
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void check_hkdf(const char *ikm_hex, rp_view salt, rp_view info, const char *okm_hex) {
    struct rp_secret *ikm = secret_of(ikm_hex);
    struct rp_secret *okm = NULL;
    assert_ok(rp_hkdf_sha256(ikm, salt, info, 42, &okm));
    uint8_t bytes[42];
    rp_secret_reveal(okm, bytes, sizeof bytes);
    assert_view_equal(rp_view_of(bytes, sizeof bytes), unit_hex(okm_hex));
    rp_secret_free(okm);
    rp_secret_free(ikm);
}

static void hkdf_meets_rfc_5869(void **state) {
    (void)state;
    static const uint8_t salt[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    static const uint8_t info[] = {0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9};
    const char *ikm = "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b";
    check_hkdf(
        ikm, rp_view_of(salt, sizeof salt), rp_view_of(info, sizeof info),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    check_hkdf(
        ikm, RP_VIEW(""), RP_VIEW(""),
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

static void hkdf_refuses_lengths_that_the_rfc_refuses(void **state) {
    (void)state;
    struct rp_secret *ikm = secret_of("00");
    struct rp_secret *okm = NULL;
    assert_err(rp_hkdf_sha256(ikm, RP_VIEW(""), RP_VIEW(""), 8161, &okm), INVALID);
    assert_err(rp_hkdf_sha256(ikm, RP_VIEW(""), RP_VIEW(""), 0, &okm), INVALID);
    assert_null(okm);
    assert_ok(rp_hkdf_sha256(ikm, RP_VIEW(""), RP_VIEW(""), 8160, &okm));
    rp_secret_free(okm);
    rp_secret_free(ikm);
}

static void totp_meets_rfc_6238(void **state) {
    (void)state;
    static const struct {
        uint64_t time_s;
        const char *code; /* the last six of the RFC's eight digits */
    } cases[] = {{59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
                 {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
    struct rp_secret *key = secret_of("3132333435363738393031323334353637383930");
    for (size_t i = 0; i < RP_COUNT_OF(cases); i++) {
        char digits[6];
        rp_totp_code(key, cases[i].time_s / 30, digits);
        assert_view_equal(rp_view_of(digits, 6), rp_view_from_cstr(cases[i].code));
    }
    rp_secret_free(key);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_meets_fips_180),
        cmocka_unit_test(parts_hash_like_the_whole),
        cmocka_unit_test(a_file_hashes_from_its_start),
        cmocka_unit_test(hmac_meets_rfc_4231),
        cmocka_unit_test(hkdf_meets_rfc_5869),
        cmocka_unit_test(hkdf_refuses_lengths_that_the_rfc_refuses),
        cmocka_unit_test(totp_meets_rfc_6238),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
