#include "unit.h"
#include "wire/ip.h"

static void every_address_prints_as_it_should(void **state) {
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {{"192.0.2.1", "192.0.2.1"},
                 {"::", "::"},
                 {"::1", "::1"},
                 {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
                 {"2001:db8::", "2001:db8::"},
                 {"1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"},
                 {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
                 {"::ffff:10.0.0.1", "10.0.0.1"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rp_ip ip;
        char text[RP_IP_TEXT_MAX];
        assert_ok(rp_ip_parse(rp_view_from_cstr(cases[i].in), &ip));
        assert_int_equal(rp_ip_print(&ip, text), strlen(cases[i].out));
        assert_string_equal(text, cases[i].out);
    }
}

static void what_is_no_address_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "1.2.3.256",
                                      "01.2.3.4",
                                      "1:2:3",
                                      ":::",
                                      "1::2::3",
                                      "12345::",
                                      "::g",
                                      "1.2.3.4::",
                                      "fe80::1%0",
                                      ":1",
                                      "1:",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1:2:3:4:5:6:7::8",
                                      "::1.2.3",
                                      " ::1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct rp_ip ip;
        if (rp_ok(rp_ip_parse(rp_view_from_cstr(bad[i]), &ip))) {
            fail_msg("%s", bad[i]);
        }
    }
}

static bool in(const char *address, const char *range) {
    struct rp_ip ip;
    struct rp_ip_net net;
    assert_ok(rp_ip_parse(rp_view_from_cstr(address), &ip));
    assert_ok(rp_ip_net_parse(rp_view_from_cstr(range), &net));
    return rp_ip_in(&ip, &net);
}

static void ranges_hold_what_is_in_them(void **state) {
    (void)state;
    assert_true(in("192.0.2.255", "192.0.2.0/24"));
    assert_false(in("192.0.3.0", "192.0.2.0/24"));
    assert_true(in("::ffff:192.0.2.7", "192.0.2.0/25"));
    assert_true(in("1.2.3.4", "0.0.0.0/0"));
    assert_false(in("2001:db8::1", "0.0.0.0/0"));
    assert_true(in("2001:db8:8000::", "2001:db8:8000::/33"));
    assert_false(in("2001:db8:7fff::", "2001:db8:8000::/33"));
    assert_true(in("10.0.0.1", "10.0.0.1"));
    struct rp_ip_net net;
    assert_err(rp_ip_net_parse(RP_VIEW("192.0.2.1/24"), &net), INVALID);
    assert_err(rp_ip_net_parse(RP_VIEW("192.0.2.0/33"), &net), SYNTAX);
    assert_err(rp_ip_net_parse(RP_VIEW("::/129"), &net), SYNTAX);
    assert_err(rp_ip_net_parse(RP_VIEW("::/"), &net), SYNTAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_address_prints_as_it_should),
                                       cmocka_unit_test(what_is_no_address_is_refused),
                                       cmocka_unit_test(ranges_hold_what_is_in_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
