#include "unit.h"

#include "judge/strip.h"

static const rp_view own[] = {RP_VIEW_INIT("X-Dept-Mail"), RP_VIEW_INIT("X-Remote-User")};

static bool goes(const char *name) {
    return judge_must_strip(rp_view_from_cstr(name), own, 2);
}

/*= S104 type=test */
static void claims_to_be_the_gate_go(void **state) {
    (void)state;
    static const char *const names[] = {
        "Rempart-Assertion",
        "rempart-assertion",
        "REMPART_ASSERTION",
        "Rempart_Assertion",
        "Rempart-Anything",
        "X-Dept-Mail",
        "x_dept_mail",
        "X-DEPT_MAIL",
        "X-Remote-User",
        "X-Remote-Groups",
        "Remote-User",
        "X-Forwarded-For",
        "X-Forwarded-User",
        "X-Forwarded-Prefix",
        "Forwarded",
        "X-Real-IP",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-Accel-Redirect",
        "Proxy",
        "X-SSL-Client-DN",
        "X-Auth-Request-Email",
        "TE",
        "Proxy-Connection",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_true(goes(names[i]));
    }
}

static void what_a_browser_sends_stays(void **state) {
    (void)state;
    static const char *const names[] = {
        "Host",
        "User-Agent",
        "Accept",
        "Accept-Language",
        "Cookie",
        "Authorization",
        "Content-Type",
        "Range",
        "X-Requested-With",
        "X-CSRF-Token",
        "Referer",
        "Sec-Fetch-Mode",
        "Priority",
        "Tenant",
        "Trailers-Not",
        "X-Forwarded",
        "X-Remot",
        "Remote-Users",
        "Origin",
        "Upgrade",
        "",
        "X-Api-Key",
        "If-None-Match",
        "Remp",
        "Expect",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_false(goes(names[i]));
    }
}

static void names_are_compared_as_an_application_would(void **state) {
    (void)state;
    assert_true(judge_same_name(RP_VIEW("X-Remote-User"), RP_VIEW("x_remote_user")));
    assert_false(judge_same_name(RP_VIEW("X-Remote-User"), RP_VIEW("X-Remote-User2")));
    assert_false(judge_same_name(RP_VIEW("XRemoteUser"), RP_VIEW("X-Remote-User")));
}

static void connection_takes_away_what_it_names(void **state) {
    (void)state;
    rp_view connection = RP_VIEW("close, X-Trick ,,x-other");
    assert_true(judge_named_by_connection(connection, RP_VIEW("x-trick")));
    assert_true(judge_named_by_connection(connection, RP_VIEW("X-Other")));
    assert_false(judge_named_by_connection(connection, RP_VIEW("X-Third")));
    assert_false(judge_named_by_connection(RP_VIEW(""), RP_VIEW("")));
}

static void connection_cannot_take_the_message_apart(void **state) {
    (void)state;
    rp_view connection = RP_VIEW("Host, Cookie, Content-Length, Authorization");
    assert_false(judge_named_by_connection(connection, RP_VIEW("host")));
    assert_false(judge_named_by_connection(connection, RP_VIEW("Cookie")));
    assert_false(judge_named_by_connection(connection, RP_VIEW("Content-Length")));
    assert_false(judge_named_by_connection(connection, RP_VIEW("Authorization")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_to_be_the_gate_go),
        cmocka_unit_test(what_a_browser_sends_stays),
        cmocka_unit_test(names_are_compared_as_an_application_would),
        cmocka_unit_test(connection_takes_away_what_it_names),
        cmocka_unit_test(connection_cannot_take_the_message_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
