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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_a_browser_sends_is_plain),
                                       cmocka_unit_test(what_two_readers_read_differently_is_not)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
