#include "unit.h"

#include "judge/set_cookie.h"

static uint8_t out[512];

static enum judge_set_cookie harden(const char *header, rp_view *ret_header) {
    static const rp_view scripts[] = {RP_VIEW_INIT("theme")};
    return judge_set_cookie(rp_view_from_cstr(header), scripts, 1, out, ret_header);
}

/*= S81 type=test */
static void what_is_missing_is_added(void **state) {
    (void)state;
    static const struct {
        const char *header, *hardened;
    } cases[] = {
        {"sid=1", "sid=1; Secure; HttpOnly; SameSite=Lax"},
        {"sid=1; Path=/", "sid=1; Path=/; Secure; HttpOnly; SameSite=Lax"},
        {"sid=1; secure", "sid=1; secure; HttpOnly; SameSite=Lax"},
        {"sid=1; HTTPONLY; samesite=None; Secure=1", ""},
        {"sid=1; SameSite=None", "sid=1; SameSite=None; Secure; HttpOnly"},
        {"sid=Secure", "sid=Secure; Secure; HttpOnly; SameSite=Lax"},
        {"sid=1; Domain=Secure", "sid=1; Domain=Secure; Secure; HttpOnly; SameSite=Lax"},
        {"sid=1;Secure;HttpOnly", "sid=1;Secure;HttpOnly; SameSite=Lax"},
        {"XSRF-TOKEN=1", "XSRF-TOKEN=1; Secure; SameSite=Lax"},
        {"theme=dark; Secure", "theme=dark; Secure; SameSite=Lax"},
        {"csrftoken=1; HttpOnly", "csrftoken=1; HttpOnly; Secure; SameSite=Lax"},
        {"XSRF-TOKEN", "XSRF-TOKEN; Secure; SameSite=Lax"}, /* found by the fuzzer */
        {"sid; x=XSRF-TOKEN=", "sid; x=XSRF-TOKEN=; Secure; HttpOnly; SameSite=Lax"},
        {"", "; Secure; HttpOnly; SameSite=Lax"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rp_view hardened = RP_VIEW("");
        enum judge_set_cookie verdict = harden(cases[i].header, &hardened);
        assert_int_equal(verdict, *cases[i].hardened ? JUDGE_CHANGED : JUDGE_KEEP);
        assert_view_equal(hardened, rp_view_from_cstr(cases[i].hardened));
    }
}

static void what_is_hardened_stays_as_it_is(void **state) {
    (void)state;
    rp_view once = RP_VIEW(""), twice = RP_VIEW("");
    assert_int_equal(harden("sid=1; Path=/", &once), JUDGE_CHANGED);
    char text[128] = {0};
    memcpy(text, once.p, once.n);
    assert_int_equal(harden(text, &twice), JUDGE_KEEP);
}

/* A cookie of our name from an application would put its visitor into another's session. */
static void our_names_cannot_be_set(void **state) {
    (void)state;
    static const char *const headers[] = {"__Host-rempart=x; Secure; Path=/",
                                          "__Host-rempart-form=x",
                                          "__host-REMPART=x",
                                          " __Host-rempart=x",
                                          "=__Host-rempart=x",
                                          "= =__Host-rempart=x",
                                          "__Host-rempart",
                                          "\t__Host-rempart-lang=fr"};
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        rp_view hardened;
        assert_int_equal(harden(headers[i], &hardened), JUDGE_DROP);
    }
    rp_view hardened;
    assert_int_equal(harden("a=__Host-rempart", &hardened), JUDGE_CHANGED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_is_added),
        cmocka_unit_test(what_is_hardened_stays_as_it_is),
        cmocka_unit_test(our_names_cannot_be_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
