#include "unit.h"

#include "judge/accept.h"
#include "judge/answer.h"

static const char browser[] = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

static bool signs_in(const char *method, const char *accept, enum rp_gate_reason reason) {
    const struct judge_request request = {.method = rp_view_from_cstr(method),
                                          .uri = RP_VIEW("/"),
                                          .accept = rp_view_from_cstr(accept)};
    return judge_can_sign_in(&request, reason);
}

static void only_a_browser_on_its_way_is_sent_to_sign_in(void **state) {
    (void)state;
    assert_true(signs_in("GET", browser, RP_GATE_REASON_NO_SESSION));
    assert_true(signs_in("HEAD", browser, RP_GATE_REASON_SESSION_EXPIRED));
    assert_true(signs_in("GET", browser, RP_GATE_REASON_SECOND_FACTOR));
    assert_false(signs_in("POST", browser, RP_GATE_REASON_NO_SESSION));
    assert_false(signs_in("GET", "application/json", RP_GATE_REASON_NO_SESSION));
    assert_false(signs_in("GET", "*/*", RP_GATE_REASON_NO_SESSION));
    assert_false(signs_in("GET", "text/html;q=0", RP_GATE_REASON_NO_SESSION));
    assert_false(signs_in("GET", browser, RP_GATE_REASON_CORE_DOWN));
    assert_false(signs_in("GET", browser, RP_GATE_REASON_DENIED));
}

static void the_way_back_is_encoded(void **state) {
    (void)state;
    uint8_t out[JUDGE_LOCATION_MAX];
    enum rp_gate_reason none = RP_GATE_REASON_NO_SESSION;
    assert_view(judge_sign_in_location(none, RP_VIEW("/"), out), "/.rempart/id/sign-in");
    assert_view(judge_sign_in_location(none, RP_VIEW("/a b?c=d&e=\r\n\xc3"), out),
                "/.rempart/id/sign-in?next=/a%20b%3Fc%3Dd%26e%3D%0D%0A%C3");
    assert_view(judge_sign_in_location(none, RP_VIEW("//evil.test/"), out), "/.rempart/id/sign-in");
    assert_view(judge_sign_in_location(none, RP_VIEW("http://evil.test/"), out),
                "/.rempart/id/sign-in");
    assert_view(judge_sign_in_location(RP_GATE_REASON_SECOND_FACTOR, RP_VIEW("/x"), out),
                "/.rempart/id/sign-in?step=mfa&next=/x");
}

static void the_longest_way_back_fits_and_a_longer_one_is_left_out(void **state) {
    (void)state;
    uint8_t uri[JUDGE_NEXT_MAX + 1], out[JUDGE_LOCATION_MAX];
    memset(uri, '%', sizeof uri);
    uri[0] = '/';
    rp_view most =
        judge_sign_in_location(RP_GATE_REASON_SECOND_FACTOR, rp_view_of(uri, JUDGE_NEXT_MAX), out);
    assert_true(most.n > 3 * (JUDGE_NEXT_MAX - 1) && most.n <= JUDGE_LOCATION_MAX);
    rp_view over =
        judge_sign_in_location(RP_GATE_REASON_NO_SESSION, rp_view_of(uri, sizeof uri), out);
    assert_view(over, "/.rempart/id/sign-in");
}

static void each_refusal_has_its_status(void **state) {
    (void)state;
    assert_int_equal(judge_status(RP_GATE_REASON_NO_SESSION), 401);
    assert_int_equal(judge_status(RP_GATE_REASON_DENIED), 403);
    assert_int_equal(judge_status(RP_GATE_REASON_CORE_DOWN), 503);
    for (enum rp_gate_reason reason = 0; reason < RP_GATE_REASON_COUNT; reason++) {
        assert_in_range(judge_status(reason), 400, 504);
    }
}

static void errors_are_json_for_programs_only(void **state) {
    (void)state;
    assert_true(judge_wants_json(RP_VIEW("application/json")));
    assert_true(judge_wants_json(RP_VIEW("application/problem+json, */*;q=0.1")));
    assert_false(judge_wants_json(RP_VIEW("application/json, text/html")));
    assert_false(judge_wants_json(rp_view_from_cstr(browser)));
    assert_false(judge_wants_json(RP_VIEW("")));
    assert_false(judge_wants_json(RP_VIEW("application/json;q=0")));
}

static void the_language_follows_weights(void **state) {
    (void)state;
    static const struct {
        const char *header;
        enum rp_lang lang;
    } cases[] = {
        {"", RP_FR},
        {"en", RP_EN},
        {"en-GB", RP_EN},
        {"fr-CA,fr;q=0.9,en;q=0.8", RP_FR},
        {"en-US,en;q=0.9,fr;q=0.8", RP_EN},
        {"fr;q=0.4, en;q=0.5", RP_EN},
        {"en;q=0.5, fr;q=0.5", RP_EN},
        {"de, en;q=0.1", RP_EN},
        {"de, es", RP_FR},
        {"frisian, english, en;q=0.2", RP_EN},
        {"en;q=0, fr;q=0", RP_FR},
        {"en;q=0.999, fr;q=1.000", RP_FR},
        {"en;q=nonsense", RP_EN},
        {",,;;q=,", RP_FR},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(judge_language(rp_view_from_cstr(cases[i].header)), cases[i].lang);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_browser_on_its_way_is_sent_to_sign_in),
        cmocka_unit_test(the_way_back_is_encoded),
        cmocka_unit_test(the_longest_way_back_fits_and_a_longer_one_is_left_out),
        cmocka_unit_test(each_refusal_has_its_status),
        cmocka_unit_test(errors_are_json_for_programs_only),
        cmocka_unit_test(the_language_follows_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
