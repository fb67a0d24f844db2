#include "judge/plain.h"
#include "unit.h"

static void what_a_browser_sends_is_plain(void **state) {
    (void)state;
    static const char *const plain[] = {
        "/",   "/a/b?x=%2f../..", "/a.b/...", "/..a/.b",          "/a;v=1/b", "/caf%C3%A9/%20",
        "//a", "/.well-known/x",  "/a;..",    "/x/;jsession=../b"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (!judge_path_is_plain(rp_view_from_cstr(plain[i]))) {
            fail_msg("%s", plain[i]);
        }
    }
}

static void what_two_readers_read_differently_is_not(void **state) {
    (void)state;
    static const char *const twisted[] = {"/admin/../public/",
                                          "/admin/%2e%2e/public/",
                                          "/admin/.%2E/x",
                                          "/a/./b",
                                          "/a/..",
                                          "/public/..;/admin",
                                          "/public/.;x/a",
                                          "/a%2fb",
                                          "/a%5cb",
                                          "/a\\..\\b",
                                          "/a%00",
                                          "/a%2",
                                          "/a%zz",
                                          "/..;a=1"};
    for (size_t i = 0; i < sizeof twisted / sizeof twisted[0]; i++) {
        if (judge_path_is_plain(rp_view_from_cstr(twisted[i]))) {
            fail_msg("%s", twisted[i]);
        }
    }
}

static void a_host_is_the_server_and_a_port(void **state) {
    (void)state;
    static const char *const plain[] = {"localhost",       "localhost:8443", "LocalHost:1",
                                        "localhost:65535", "localhost.",     "localhost.:443"};
    static const char *const twisted[] = {"evil.test",           "localhost:8443@evil.test",
                                          "localhost@evil.test", "localhost:",
                                          "localhost:65536",     "localhost:x",
                                          "localhost:8443:1",    "localhost.evil.test",
                                          "localhost/",          "localhos",
                                          "localhost..",         "localhost: 80",
                                          "localhost:000443",    "",
                                          "localhost:-1",        "xlocalhost"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (!judge_host_is_plain(rp_view_from_cstr(plain[i]), RP_VIEW("localhost"))) {
            fail_msg("%s", plain[i]);
        }
    }
    for (size_t i = 0; i < sizeof twisted / sizeof twisted[0]; i++) {
        if (judge_host_is_plain(rp_view_from_cstr(twisted[i]), RP_VIEW("localhost"))) {
            fail_msg("%s", twisted[i]);
        }
    }
    assert_true(judge_host_is_plain(RP_VIEW("[::1]:443"), RP_VIEW("[::1]")));
    assert_false(judge_host_is_plain(RP_VIEW(""), RP_VIEW("")));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_a_browser_sends_is_plain),
                                       cmocka_unit_test(what_two_readers_read_differently_is_not),
                                       cmocka_unit_test(a_host_is_the_server_and_a_port)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
