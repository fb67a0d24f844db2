/* template_test.c — what compiled templates print, and above all what they escape. */
#include "unit.h"

#include "probe_templates.h"

static struct rp_buf print(const struct rp_template_probe *page) {
    struct rp_buf out = rp_buf_new(65536);
    rp_template_probe_print(&out, RP_EN, page);
    assert_ok(rp_buf_err(&out));
    return out;
}

static void values_are_escaped(void **state) {
    (void)state;
    struct rp_template_probe page = {
        .who = RP_VIEW("<script>\"'&"), .note = RP_VIEW("n"), .link = RP_VIEW("/a?b=1&c=2")};
    struct rp_buf out = print(&page);
    assert_view(rp_buf_view(&out),
                "<p title=\"&lt;script&gt;&quot;&#39;&amp;\">&lt;script&gt;&quot;&#39;&amp;</p>\n"
                "<i>hidden</i>\n"
                "<a href=\"/a?b=1&amp;c=2\">You are joining “&lt;script&gt;&quot;&#39;&amp;” with "
                "the address n.</a>\n"
                "\n");
    rp_buf_done(&out);
}

static void addresses_lead_nowhere_strange(void **state) {
    (void)state;
    static const rp_view bad[] = {RP_VIEW_INIT("javascript:alert(1)"),
                                  RP_VIEW_INIT("//evil.example"),
                                  RP_VIEW_INIT("/\\evil"),
                                  RP_VIEW_INIT("data:text/html,x"),
                                  RP_VIEW_INIT("http://x"),
                                  RP_VIEW_INIT("")};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct rp_buf out = rp_buf_new(100);
        rp_template_path(&out, bad[i]);
        assert_view(rp_buf_view(&out), "#");
        rp_buf_done(&out);
    }
    struct rp_buf out = rp_buf_new(100);
    rp_template_path(&out, RP_VIEW("https://example.com/\"x"));
    assert_view(rp_buf_view(&out), "https://example.com/&quot;x");
    rp_buf_done(&out);
}

static void loops_nest(void **state) {
    (void)state;
    struct rp_template_probe_rows_inner inner[] = {{.n = 1}, {.n = 20}};
    struct rp_template_probe_rows rows[2] = {{.name = RP_VIEW("a&b")}, {.name = RP_VIEW("c")}};
    rows[0].inner.p = inner;
    rows[0].inner.n = 2;
    struct rp_template_probe page = {
        .shown = true, .count = 7, .raw = RP_VIEW("<svg/>"), .link = RP_VIEW("/")};
    page.rows.p = rows;
    page.rows.n = 2;
    struct rp_buf out = print(&page);
    assert_view(
        rp_buf_view(&out),
        "<p title=\"\"></p>\n<b>7</b>\n<a href=\"/\">You are joining “” with the address .</a>\n"
        "<svg/>\n<li>a&amp;b[1][20]</li>\n<li>c</li>\n<u>no note</u>\n");
    rp_buf_done(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_are_escaped),
                                       cmocka_unit_test(addresses_lead_nowhere_strange),
                                       cmocka_unit_test(loops_nest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
