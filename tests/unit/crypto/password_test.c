/* argon2id: our strings, somebody else's string, and strings that want too much. */
#include "unit.h"

#include "base/checked.h"
#include "crypto/password.h"
#include "crypto/phc.h"

static int start(void **state) {
    (void)state;
    assert_ok(rp_crypto_start());
    return 0;
}

static void a_password_verifies_and_another_does_not(void **state) {
    (void)state;
    char text[RP_PASSWORD_TEXT];
    char again[RP_PASSWORD_TEXT];
    assert_ok(rp_password_hash(RP_VIEW("correct horse"), text));
    assert_ok(rp_password_hash(RP_VIEW("correct horse"), again));
    assert_string_not_equal(text, again); /* each with its own salt */
    assert_true(
        rp_view_starts(rp_view_from_cstr(text), RP_VIEW("$argon2id$v=19$m=19456,t=2,p=1$")));
    assert_ok(rp_password_verify(text, RP_VIEW("correct horse")));
    assert_err(rp_password_verify(text, RP_VIEW("correct Horse")), DENIED);
    assert_err(rp_password_verify(text, RP_VIEW("")), DENIED);
    assert_false(rp_password_is_old(text, RP_VIEW("correct horse")));
}

/* From the reference implementation's own tests: other code, same function. */
static void a_reference_hash_verifies_and_is_old(void **state) {
    (void)state;
    const char *reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$"
                            "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    assert_ok(rp_password_verify(reference, RP_VIEW("password")));
    assert_err(rp_password_verify(reference, RP_VIEW("passwort")), DENIED);
    assert_true(rp_password_is_old(reference, RP_VIEW("password")));
}

static void nobody_is_always_denied(void **state) {
    (void)state;
    assert_err(rp_password_verify_nobody(RP_VIEW("correct horse")), DENIED);
    assert_err(rp_password_verify_nobody(RP_VIEW("")), DENIED);
}

static void long_passwords_are_refused_not_cut(void **state) {
    (void)state;
    static uint8_t word[RP_PASSWORD_MAX + 1];
    char text[RP_PASSWORD_TEXT] = "untouched";
    assert_err(rp_password_hash(rp_view_of(word, sizeof word), text), TOO_LARGE);
    assert_string_equal(text, "untouched");
    assert_ok(rp_password_hash(rp_view_of(word, RP_PASSWORD_MAX), text));
    assert_err(rp_password_verify(text, rp_view_of(word, sizeof word)), TOO_LARGE);
    assert_err(rp_password_verify(text, rp_view_of(word, RP_PASSWORD_MAX - 1)), DENIED);
    assert_ok(rp_password_verify(text, rp_view_of(word, RP_PASSWORD_MAX)));
}

#define HASH "$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

static void strings_that_are_no_hash_or_ask_too_much_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "password",
        "$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHQ" HASH,
        "$argon2id$v=16$m=19456,t=2,p=1$c29tZXNhbHQ" HASH,
        "$argon2id$v=19$m=1048577,t=2,p=1$c29tZXNhbHQ" HASH,
        "$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ" HASH,
        "$argon2id$v=19$m=7,t=2,p=1$c29tZXNhbHQ" HASH,
        "$argon2id$v=19$m=19456,t=0,p=1$c29tZXNhbHQ" HASH,
        "$argon2id$v=19$m=19456,t=99,p=1$c29tZXNhbHQ" HASH,
        "$argon2id$v=19$m=19456,t=2,p=17$c29tZXNhbHQ" HASH,
        "$argon2id$v=19$m=-1,t=2,p=1$c29tZXNhbHQ" HASH,
        "$argon2id$v=19$m=19456,t=2,p=1$" HASH,
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHR" HASH, /* stray bits */
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ=" HASH,
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$",
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ" HASH "$",
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ" HASH " ",
    };
    for (size_t i = 0; i < RP_COUNT_OF(bad); i++) {
        struct rp_phc phc;
        assert_err(rp_phc_parse(rp_view_from_cstr(bad[i]), &phc), CORRUPT);
        assert_err(rp_password_verify(bad[i], RP_VIEW("password")), CORRUPT);
        assert_false(rp_password_is_old(bad[i], RP_VIEW("password"))); /* nothing to go by */
    }
    assert_err(rp_password_verify(NULL, RP_VIEW("password")), CORRUPT);
}

static void a_passphrase_makes_the_same_key_from_the_same_salt_only(void **state) {
    (void)state;
    static const uint8_t salts[2][RP_PASSPHRASE_SALT] = {{1}, {2}};
    uint8_t keys[3][RP_PASSPHRASE_KEY];
    static const size_t salt_of[] = {0, 0, 1};
    for (size_t i = 0; i < 3; i++) {
        struct rp_secret *key = NULL;
        assert_ok(rp_passphrase_key(RP_VIEW("open sesame"), salts[salt_of[i]], &key));
        rp_secret_reveal(key, keys[i], sizeof keys[i]);
        rp_secret_free(key);
    }
    assert_memory_equal(keys[0], keys[1], sizeof keys[0]);
    assert_memory_not_equal(keys[0], keys[2], sizeof keys[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_verifies_and_another_does_not),
        cmocka_unit_test(a_reference_hash_verifies_and_is_old),
        cmocka_unit_test(nobody_is_always_denied),
        cmocka_unit_test(long_passwords_are_refused_not_cut),
        cmocka_unit_test(strings_that_are_no_hash_or_ask_too_much_are_refused),
        cmocka_unit_test(a_passphrase_makes_the_same_key_from_the_same_salt_only),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
