#include "wire/user_agent.h"

#include "base/checked.h"
#include "unit.h"

struct said {
    const char *text;
    struct rp_user_agent is;
};

static const struct said saids[] = {
    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:102.0) Gecko/20100101 Firefox/102.0",
     {RP_BROWSER_FIREFOX, 102, RP_SYSTEM_WINDOWS, 10}},
    {"Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
     {RP_BROWSER_EXPLORER, 7, RP_SYSTEM_WINDOWS, 6}},
    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763",
     {RP_BROWSER_EDGE_LEGACY, 18, RP_SYSTEM_WINDOWS, 10}},
    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0",
     {RP_BROWSER_CHROME, 139, RP_SYSTEM_WINDOWS, 10}},
    {"Mozilla/5.0 (Linux; Android 7.0; SM-G930V) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/59.0.3071.125 Mobile Safari/537.36",
     {RP_BROWSER_CHROME, 59, RP_SYSTEM_ANDROID, 7}},
    {"Mozilla/5.0 (iPhone; CPU iPhone OS 12_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
     "Gecko) Version/12.0 Mobile/15E148 Safari/604.1",
     {RP_BROWSER_SAFARI, 12, RP_SYSTEM_IOS, 12}},
    /* Numbers of its own: nothing is said of the browser, and the system counts. */
    {"Mozilla/5.0 (iPad; CPU OS 15_8 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
     "CriOS/120.0.6099.119 Mobile/15E148 Safari/604.1",
     {RP_BROWSER_UNKNOWN, 0, RP_SYSTEM_IOS, 15}},
    {"Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) "
     "SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
     {RP_BROWSER_UNKNOWN, 0, RP_SYSTEM_ANDROID, 14}},
    /* A word that only ends like the one that is looked for. */
    {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/90.0 Safari/537.36",
     {RP_BROWSER_UNKNOWN, 0, RP_SYSTEM_UNKNOWN, 0}},
    {"curl/8.5.0", {RP_BROWSER_UNKNOWN, 0, RP_SYSTEM_UNKNOWN, 0}},
    {"Firefox/", {RP_BROWSER_UNKNOWN, 0, RP_SYSTEM_UNKNOWN, 0}},
    {"Firefox/99999999999999999999", {RP_BROWSER_UNKNOWN, 0, RP_SYSTEM_UNKNOWN, 0}},
    {"", {RP_BROWSER_UNKNOWN, 0, RP_SYSTEM_UNKNOWN, 0}},
};

/*= S172 type=test */
static void test_what_browsers_say(void **state) {
    (void)state;
    for (size_t i = 0; i < RP_COUNT_OF(saids); i++) {
        struct rp_user_agent is = rp_user_agent_parse(rp_view_from_cstr(saids[i].text));
        assert_int_equal(is.browser, saids[i].is.browser);
        assert_int_equal(is.browser_version, saids[i].is.browser_version);
        assert_int_equal(is.os, saids[i].is.os);
        assert_int_equal(is.os_version, saids[i].is.os_version);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_browsers_say)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
