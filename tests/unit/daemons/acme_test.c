/* When a certificate is asked for again, and what is read out of what uacme says. */
#include <time.h>

#include "plan.h"
#include "told.h"
#include "unit.h"

enum { DAY_S = 24 * 3600 };

static void renewal_comes_with_a_third_of_its_life_left(void **state) {
    (void)state;
    assert_int_equal(plan_renewal_s(0, 90 * DAY_S, 0), 60 * DAY_S);
    int64_t early = plan_renewal_s(0, 90 * DAY_S, UINT32_MAX);
    assert_true(early < 60 * DAY_S && early > 56 * DAY_S);
    assert_int_equal(plan_renewal_s(1000, 1024, 0), 1016);
    assert_int_equal(plan_renewal_s(7, 7, UINT32_MAX), 7);
}

static void retries_come_ever_later_and_never_before_the_authority_says(void **state) {
    (void)state;
    int64_t last_s = 0;
    for (uint64_t n = 1; n < 40; n++) {
        int64_t pause_s = plan_retry_s(0, n, 0, 0);
        assert_true(pause_s >= last_s && pause_s <= 12 * 3600);
        last_s = pause_s;
    }
    assert_int_equal(plan_retry_s(100, 1, 0, 0), 160);
    assert_int_equal(last_s, 12 * 3600);
    assert_true(plan_retry_s(0, 1, 0, UINT32_MAX) > 60);
    assert_int_equal(plan_retry_s(100, 1, 7200, 0), 7300);
    /* Fewer than five in the first hour, which is what the largest authority allows for a name. */
    assert_true(plan_retry_s(0, 1, 0, 0) + plan_retry_s(0, 2, 0, 0) + plan_retry_s(0, 3, 0, 0) +
                    plan_retry_s(0, 4, 0, 0) >
                3600);
}

static void a_plan_of_a_time_to_come_is_due(void **state) {
    (void)state;
    assert_true(plan_is_due(100, 0, 100));
    assert_false(plan_is_due(101, 40, 100));
    assert_false(plan_is_due(5000, 160, 100)); /* two clocks differ by a moment */
    assert_true(plan_is_due(365 * DAY_S + 100, 365 * DAY_S, 0));
}

static struct told read_all(const char *text) {
    struct told told = {.line_n = 0};
    rp_view rest = rp_view_from_cstr(text);
    for (size_t i = 0; i < rest.n; i += 7) { /* as a pipe may hand it over */
        told_feed(&told, rp_view_sub(rest, i, 7), 1000);
    }
    told_end(&told, 1000);
    return told;
}

static void the_authority_s_reason_is_kept(void **state) {
    (void)state;
    struct told told = read_all("uacme: acme_post: HTTP headers:\n"
                                "HTTP/2 429 \r\n"
                                "Retry-After: 7200\r\n"
                                "\r\n"
                                "uacme: acme_post: return code 429, json=\n{\n"
                                "    \"type\": \"urn:ietf:params:acme:error:rateLimited\",\n"
                                "    \"detail\": \"too many \\\"orders\\\"\\u003e\",\n"
                                "    \"status\": 429\n}\n"
                                "uacme: failed to create new order at https://a/\n");
    assert_string_equal(told_reason(&told), "too many \"orders\"?");
    assert_string_equal(told.type, "rateLimited");
    assert_int_equal(told.wait_s, 7200);
}

static void a_later_answer_makes_the_earlier_one_forgotten(void **state) {
    (void)state;
    struct told told = read_all("uacme: acme_post: HTTP headers:\nretry-after: 5\n\n"
                                "    \"detail\": \"JWS has an invalid anti-replay nonce\",\n"
                                "uacme: acme_post: HTTP headers:\nHTTP/2 200\n\n"
                                "uacme: timeout while polling order status at https://a/o, giving "
                                "up\n");
    assert_string_equal(told_reason(&told),
                        "timeout while polling order status at https://a/o, giving up");
    assert_int_equal(told.wait_s, 0);
}

static void without_an_answer_the_connection_s_trouble_is_the_reason(void **state) {
    (void)state;
    struct told told = read_all("uacme: curl_get: GET https://a/ failed: Couldn't connect to "
                                "server\nuacme: curl_get: waiting 5 seconds before retrying\n"
                                "uacme: failed to fetch directory at https://a/\n");
    assert_string_equal(told_reason(&told),
                        "curl_get: GET https://a/ failed: Couldn't connect to server");
    told = read_all("");
    assert_string_equal(told_reason(&told), "uacme ended without a word");
}

static void what_signs_is_never_kept(void **state) {
    (void)state;
    struct told told = read_all("uacme: acme_post: url=https://a failed payload=SECRET jws=SECRET\n"
                                "uacme: key_auth=SECRET failed\n"
                                "uacme: running hook begin http-01 failed SECRET\n");
    assert_null(strstr(told_reason(&told), "SECRET"));
}

static void dates_and_nonsense_in_retry_after(void **state) {
    (void)state;
    struct told told = read_all("uacme: x: HTTP headers:\nRetry-After: Thu, 01 Jan 1970 01:00:00 "
                                "GMT\n\n");
    assert_int_equal(told.wait_s, 3600 - 1000);
    told = read_all("uacme: x: HTTP headers:\nRetry-After: 99999999999999999999\n\n");
    assert_int_equal(told.wait_s, 0);
    told = read_all("uacme: x: HTTP headers:\nRetry-After: 9999999999\n\n");
    assert_int_equal(told.wait_s, TOLD_WAIT_MAX_S);
    told = read_all("uacme: x: HTTP headers:\nRetry-After: tomorrow\nRetry-After\n\n");
    assert_int_equal(told.wait_s, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renewal_comes_with_a_third_of_its_life_left),
        cmocka_unit_test(retries_come_ever_later_and_never_before_the_authority_says),
        cmocka_unit_test(a_plan_of_a_time_to_come_is_due),
        cmocka_unit_test(the_authority_s_reason_is_kept),
        cmocka_unit_test(a_later_answer_makes_the_earlier_one_forgotten),
        cmocka_unit_test(without_an_answer_the_connection_s_trouble_is_the_reason),
        cmocka_unit_test(what_signs_is_never_kept),
        cmocka_unit_test(dates_and_nonsense_in_retry_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
