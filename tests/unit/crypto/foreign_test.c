/* Hashes that other programs made: PHP, libxcrypt, passlib, Python's hashlib, libargon2. */
#include "unit.h"

#include "base/checked.h"
#include "crypto/foreign.h"
#include "crypto/password.h"

#define WORD "correct horse battery staple"

static int start(void **state) {
    (void)state;
    assert_ok(rp_crypto_start());
    return 0;
}

static const struct {
    const char *text, *name;
} made_elsewhere[] = {
    /* php: password_hash(…, PASSWORD_BCRYPT) */
    {"$2y$10$Rk7L9HJ8QZj6dFEAHjfAZuJlnB9cSzBkzxN0DM3k8CZUAvOLUgl/O", "bcrypt"},
    {"$2a$10$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W", "bcrypt"},
    {"$2b$10$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W", "bcrypt"},
    {"bcrypt$$2b$10$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W", "bcrypt"},
    {"bcrypt_sha256$$2b$10$abcdefghijklmnopqrstuuK5Ik0sQKRERVqVfP1zJVdl8tZU.VuN.", "bcrypt-sha256"},
    /* passlib */
    {"$pbkdf2-sha256$20000$9x4jBOC8t7a21hrD2JuzNg$/FsRWEHbQ.AVVLrygD3s95eZxlf75uLmiITYnNFwNgA",
     "pbkdf2-sha256"},
    {"$pbkdf2-sha512$20000$FCIkRGjtHUNoTYlRCoGwlg$14l7HdcXfSCO8f4/h/4IBMRsVdm/NBkIAhI4sUb7vsILCDVsL"
     "HFRs05ZG16lt/PIkiqJXnoijgDTQLK2dDay.Q",
     "pbkdf2-sha512"},
    {"$pbkdf2$20000$tBbCeM8Z49w7x5hzDmHMWQ$MYSqQr31bdguiTl1PGNhtVsE3.Q", "pbkdf2-sha1"},
    {"pbkdf2_sha256$20000$J9NqbbuEb09y$HW2GADuhRFtA56LnSeKaulgXiGQG3HgeN77wLX2wuQI=",
     "pbkdf2-sha256"},
    {"pbkdf2_sha1$20000$EQ7nyFuEayJA$1wzzFqA3L2X7FAKbMxpF/UabSRM=", "pbkdf2-sha1"},
    {"$scrypt$ln=14,r=8,p=1$AuCcU6rVWmvN+f8/Z4zROg$J3W/6eLLOmUF7o1hVnRMC9pEib178H/XscyzNQabq18",
     "scrypt"},
    /* hashlib, put together as Django and the PHC form do */
    {"scrypt$16384$seasalt$8$1$0p7hdYaH/83kW4afG1RM9Faf3JuSGOZD8gLda92PSbUUzN27ATHsXCuHq9UfsHmQ23/"
     "FS7YsSkQewq+XitVu8g==",
     "scrypt"},
    {"$pbkdf2-sha256$i=10000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$VqOEAUrTaAjMD6sh91JvmGtbD+YNGnXNMbfIDxgj09"
     "4",
     "pbkdf2-sha256"},
    /* libargon2, with more than one lane */
    {"$argon2id$v=19$m=1024,t=2,p=8$c29tZXNhbHRzb21lc2FsdA$"
     "z1DPMIsARv7vg9oNW5RnbxavpzgZKQzYnc9vp4EJL7o",
     "argon2id"},
    {"argon2$argon2id$v=19$m=4096,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$"
     "GvFLJdVJmUxiS+aX2y+etsr+icxSsE0od89PMAhuOAw",
     "argon2id"},
    {"$argon2i$v=19$m=1024,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$"
     "BWDkOgfpDHdxsvIrrmKD2hY4t+903tLfwFCC93CGLqc",
     "argon2i"},
    {"$argon2i$v=19$m=2048,t=4,p=8$c29tZXNhbHRzb21lc2FsdA$"
     "gKgl2Zv8d4qwM7ZrD5JC1Pj6Sgir5UBdmb9W6uqid0Q",
     "argon2i"},
};

static void what_other_programs_made_verifies(void **state) {
    (void)state;
    for (size_t i = 0; i < RP_COUNT_OF(made_elsewhere); i++) {
        struct rp_foreign foreign;
        const char *text = made_elsewhere[i].text;
        assert_ok(rp_foreign_parse(rp_view_from_cstr(text), &foreign));
        assert_string_equal(rp_foreign_name(foreign.kind), made_elsewhere[i].name);
        assert_ok(rp_password_verify(text, RP_VIEW(WORD)));
        assert_err(rp_password_verify(text, RP_VIEW("Correct horse battery staple")), DENIED);
        assert_err(rp_password_verify(text, RP_VIEW("")), DENIED);
        assert_true(rp_password_is_old(text, RP_VIEW(WORD)));
    }
}

static void a_damaged_hash_does_not_verify(void **state) {
    (void)state;
    for (size_t i = 0; i < RP_COUNT_OF(made_elsewhere); i++) {
        char text[RP_FOREIGN_TEXT];
        size_t n = strlen(made_elsewhere[i].text);
        memcpy(text, made_elsewhere[i].text, n + 1);
        size_t at = n - 8; /* in the hash, before any padding */
        text[at] = text[at] == 'A' ? 'B' : 'A';
        assert_err(rp_password_verify(text, RP_VIEW(WORD)), DENIED);
    }
}

static void what_is_no_hash_is_refused_by_its_reason(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum rp_code code;
    } bad[] = {
        {"", RP_E_UNSUPPORTED},
        {"hunter2", RP_E_UNSUPPORTED},
        {"$1$salt$qJH7.N4xYta3aEG/dfqo/0", RP_E_UNSUPPORTED}, /* MD5 */
        {"5f4dcc3b5aa765d61d8327deb882cf99", RP_E_UNSUPPORTED},
        {"$2x$10$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W", RP_E_INVALID},
        {"$2b$10$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77", RP_E_INVALID},
        {"$2b$1x$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W", RP_E_INVALID},
        {"$2b$03$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W", RP_E_INVALID},
        {"$2b$10$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR7 W", RP_E_INVALID},
        {"$2b$15$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W", RP_E_TOO_LARGE},
        {"pbkdf2_sha256$0$salt$HW2GADuhRFtA56LnSeKaulgXiGQG3HgeN77wLX2wuQI=", RP_E_INVALID},
        {"pbkdf2_sha256$20000$$HW2GADuhRFtA56LnSeKaulgXiGQG3HgeN77wLX2wuQI=", RP_E_INVALID},
        {"pbkdf2_sha256$20000$salt$HW2G", RP_E_INVALID},
        {"pbkdf2_sha256$2000001$salt$HW2GADuhRFtA56LnSeKaulgXiGQG3HgeN77wLX2wuQI=", RP_E_TOO_LARGE},
        {"pbkdf2_sha256$99999999999$salt$HW2GADuhRFtA56LnSeKaulgXiGQG3HgeN77wLX2wuQI=",
         RP_E_INVALID},
        {"$pbkdf2-sha256$i=10000,l=31$MDEyMzQ1Njc4OWFiY2RlZg$VqOEAUrTaAjMD6sh91JvmGtbD+"
         "YNGnXNMbfIDxg"
         "j094",
         RP_E_INVALID},
        {"$scrypt$ln=18,r=8,p=1$AuCcU6rVWmvN+f8/Z4zROg$J3W/6eLLOmUF7o1hVnRMC9pEib178H/XscyzNQabq18",
         RP_E_TOO_LARGE},
        {"$scrypt$ln=63,r=8,p=1$AuCcU6rVWmvN+f8/Z4zROg$J3W/6eLLOmUF7o1hVnRMC9pEib178H/XscyzNQabq18",
         RP_E_TOO_LARGE},
        {"$scrypt$ln=14,r=4294967295,p=1$AuCcU6rVWmvN+f8/Z4zROg$J3W/6eLLOmUF7o1hVnRMC9pEib178H/"
         "XscyzNQabq18",
         RP_E_TOO_LARGE},
        {"$scrypt$ln=14,r=8,p=4294967295$AuCcU6rVWmvN+f8/Z4zROg$J3W/6eLLOmUF7o1hVnRMC9pEib178H/"
         "XscyzNQabq18",
         RP_E_TOO_LARGE},
        {"scrypt$16383$seasalt$8$1$0p7hdYaH/83kW4afG1RM9Faf3JuSGOZD8gLda92PSbU=", RP_E_INVALID},
        {"$argon2id$v=19$m=262145,t=1,p=2$c29tZXNhbHRzb21lc2FsdA$"
         "z1DPMIsARv7vg9oNW5RnbxavpzgZKQzYnc9vp4EJL7o",
         RP_E_TOO_LARGE},
        {"$argon2id$v=19$m=8,t=4294967295,p=1$c29tZXNhbHRzb21lc2FsdA$"
         "z1DPMIsARv7vg9oNW5RnbxavpzgZKQzYnc9vp4EJL7o",
         RP_E_TOO_LARGE},
        {"$argon2id$v=16$m=1024,t=2,p=8$c29tZXNhbHRzb21lc2FsdA$"
         "z1DPMIsARv7vg9oNW5RnbxavpzgZKQzYnc9vp4EJL7o",
         RP_E_INVALID},
        {"$argon2d$v=19$m=1024,t=2,p=8$c29tZXNhbHRzb21lc2FsdA$"
         "z1DPMIsARv7vg9oNW5RnbxavpzgZKQzYnc9vp4EJL7o",
         RP_E_UNSUPPORTED},
    };
    for (size_t i = 0; i < RP_COUNT_OF(bad); i++) {
        struct rp_foreign foreign;
        rp_err err = rp_foreign_parse(rp_view_from_cstr(bad[i].text), &foreign);
        assert_string_equal(rp_err_name(err), rp_err_name((rp_err){(int32_t)bad[i].code}));
        assert_err(rp_password_verify(bad[i].text, RP_VIEW(WORD)), CORRUPT);
    }
}

/* bcrypt looks at 72 bytes: a longer password that matched may still end wrongly. */
static void what_bcrypt_did_not_see_is_not_hashed_anew(void **state) {
    (void)state;
    const char *text = made_elsewhere[0].text;
    uint8_t word[100];
    memset(word, 'a', sizeof word);
    assert_true(rp_password_is_old(text, rp_view_of(word, 72)));
    assert_false(rp_password_is_old(text, rp_view_of(word, 73)));
    assert_true(rp_password_is_old(made_elsewhere[4].text, rp_view_of(word, 100)));
    assert_err(rp_password_verify(text, rp_view_of("correct\0horse", 13)), DENIED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_other_programs_made_verifies),
        cmocka_unit_test(a_damaged_hash_does_not_verify),
        cmocka_unit_test(what_is_no_hash_is_refused_by_its_reason),
        cmocka_unit_test(what_bcrypt_did_not_see_is_not_hashed_anew),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
