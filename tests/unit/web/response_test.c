/* response_test.c — the heads of every answer, and what a cookie of ours looks like. */
#include "unit.h"

#include "web/response.h"

static bool holds(const struct rp_buf *text, const char *needle) {
    rp_view v = rp_buf_view(text);
    return rp_view_find(v, rp_view_from_cstr(needle)) < v.n;
}

static void every_answer_is_fenced(void **state) {
    (void)state;
    struct rp_response response = rp_response_new();
    struct rp_buf out = rp_buf_new(65536);
    assert_ok(rp_response_print(&response, &out));
    assert_true(holds(&out, "Status: 200 OK\r\n"));
    assert_true(holds(&out, "Content-Security-Policy: default-src 'none';"));
    assert_true(holds(&out, "frame-ancestors 'none'"));
    assert_false(holds(&out, "script-src"));
    assert_true(holds(&out, "Referrer-Policy: strict-origin\r\n"));
    assert_true(holds(&out, "X-Content-Type-Options: nosniff\r\n"));
    assert_true(holds(&out, "Cache-Control: no-store\r\n"));
    assert_true(rp_view_ends(rp_buf_view(&out), RP_VIEW("\r\n\r\n")));
    rp_buf_done(&out);
    rp_response_done(&response);
}

static void a_page_that_says_so_runs_our_own_script_and_no_other(void **state) {
    (void)state;
    struct rp_response response = rp_response_new();
    struct rp_buf out = rp_buf_new(65536);
    response.scripted = true;
    assert_ok(rp_response_print(&response, &out));
    assert_true(holds(&out, "default-src 'none';"));
    assert_true(holds(&out, "script-src 'self'; connect-src 'self';"));
    assert_false(holds(&out, "unsafe"));
    rp_buf_clear(&out);
    rp_response_clear(&response);
    assert_ok(rp_response_print(&response, &out));
    assert_false(holds(&out, "script-src"));
    rp_buf_done(&out);
    rp_response_done(&response);
}

/*= S81 type=test */ /* Secure, HttpOnly, SameSite and bound to the host */
static void cookies_are_hardened(void **state) {
    (void)state;
    struct rp_response response = rp_response_new();
    rp_response_cookie(&response, "__Host-rempart", RP_VIEW("abc"), 60);
    rp_response_forget_cookie(&response, "__Host-rempart-pending");
    struct rp_buf out = rp_buf_new(65536);
    assert_ok(rp_response_print(&response, &out));
    assert_true(holds(
        &out,
        "Set-Cookie: __Host-rempart=abc; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60\r\n"));
    assert_true(holds(&out, "Set-Cookie: __Host-rempart-pending=; Path=/; Secure; HttpOnly; "
                            "SameSite=Lax; Max-Age=0\r\n"));
    rp_buf_done(&out);
    rp_response_done(&response);
}

static void a_redirect_has_no_body(void **state) {
    (void)state;
    struct rp_response response = rp_response_new();
    rp_buf_add_cstr(&response.body, "left over");
    response.content_type = "text/html";
    rp_response_redirect(&response, RP_VIEW("/.rempart/id/code?next=%2F"));
    struct rp_buf out = rp_buf_new(65536);
    assert_ok(rp_response_print(&response, &out));
    assert_true(holds(&out, "Status: 303 See Other\r\n"));
    assert_true(holds(&out, "Location: /.rempart/id/code?next=%2F\r\n"));
    assert_false(holds(&out, "left over"));
    rp_buf_done(&out);
    rp_response_done(&response);
}

static void too_much_is_an_error(void **state) {
    (void)state;
    struct rp_response response = rp_response_new();
    for (int i = 0; i < RP_HEADS_MAX / 10; i++) {
        rp_response_head(&response, "X-Long", RP_VIEW("0123456789"));
    }
    struct rp_buf out = rp_buf_new(65536);
    assert_err(rp_response_print(&response, &out), TOO_LARGE);
    rp_buf_done(&out);
    rp_response_done(&response);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_is_fenced),
        cmocka_unit_test(a_page_that_says_so_runs_our_own_script_and_no_other),
        cmocka_unit_test(cookies_are_hardened), cmocka_unit_test(a_redirect_has_no_body),
        cmocka_unit_test(too_much_is_an_error)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
