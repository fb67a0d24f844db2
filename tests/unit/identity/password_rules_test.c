#include "unit.h"

#include "identity/identity.h"

/*= S169, S170 type=test */
static void weak_passwords_are_refused(void **state) {
    (void)state;
    static const char *const weak[] = {
        "",
        "short",
        "eleven-char",
        "aaaaaaaaaaaa",
        "abcabcabcabcabc",
        "abababababab12",
        "123456789012",
        "abcdefghijklmnop",
        "9876543210987",
        "password1234",
        "Password2026!",
        "PASSWORDpassword",
        "motdepasse123",
        "azertyuiop12",
        "Qwertyuiop!1",
        "1q2w3e4r1q2w3e4r",
        "ann@example.org",
        "ann@example.org1",
        "example12345",
        "Bienvenue2026",
        "Summer2026!Paris",
        "iloveyoumother99",
    };
    for (size_t i = 0; i < sizeof weak / sizeof weak[0]; i++) {
        if (rp_ok(rp_identity_check_password(rp_view_from_cstr(weak[i]),
                                             RP_VIEW("ann@example.org")))) {
            fail_msg("accepted: %s", weak[i]);
        }
    }
}

static void good_passwords_are_accepted(void **state) {
    (void)state;
    static const char *const good[] = {
        "correct horse battery staple",         "x7#Lq9!vRt2m",
        "un chat dort sur la chaise verte",     "dragon sur un velo a Quimper",
        "\xc3\xa9t\xc3\xa9 long sous les pins",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!rp_ok(rp_identity_check_password(rp_view_from_cstr(good[i]),
                                              RP_VIEW("ann@example.org")))) {
            fail_msg("refused: %s", good[i]);
        }
    }
}

static void the_bounds_hold(void **state) {
    (void)state;
    static uint8_t big[RP_PASSWORD_MAX + 1];
    for (size_t i = 0; i < sizeof big; i++) {
        big[i] = (uint8_t)(33 + (i * 7 + i / 13) % 90);
    }
    assert_ok(rp_identity_check_password(rp_view_of(big, RP_PASSWORD_MAX), RP_VIEW("a@b")));
    assert_err(rp_identity_check_password(rp_view_of(big, sizeof big), RP_VIEW("a@b")), TOO_LARGE);
    assert_err(rp_identity_check_password(rp_view_of(big, 11), RP_VIEW("a@b")), WEAK);
    assert_ok(rp_identity_check_password(rp_view_of(big, 12), RP_VIEW("")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weak_passwords_are_refused),
        cmocka_unit_test(good_passwords_are_accepted),
        cmocka_unit_test(the_bounds_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
