/* Known attacks, and honest texts that look like one. injection_oracle_test.c has the million. */
#include "unit.h"

#include "base/checked.h"
#include "shield/injection.h"

static void sql_has_the_fingerprint(void **state) {
    (void)state;
    static const struct {
        const char *value, *fingerprint; /* "" is no attack */
    } rows[] = {
        {"1 OR 1=1", "1&1"},
        {"1' OR '1'='1", "s&sos"},
        {"\" OR \"\"=\"", "s&sos"},
        {"1 UNION SELECT password FROM users", "1UEnk"},
        {"1 union all select 1", "1UE1"},
        {"1; DROP TABLE users", "1;Tnn"},
        {"admin'--", "sc"},
        {"admin' #", ""},
        {"1/*!50000union*/", "X"},
        {"1 /* a /* b */ */", "X"},
        {"1 AND SLEEP(5)", "1&f(1"},
        {"x' GROUP BY 1 HAVING 1=1--", "sB1B1"},
        {"1 = (SELECT 1)", "1o(E1"},
        {"'; exec sp_password --", "s;Tnc"},
        {"foo' + 'bar", "sos"},
        {"1--", "1c"},
        {"", ""},
        {"sexy and 17", ""},
        {"1 union", ""},
        {"union of select people", ""},
        {"it's a dog's life", ""},
        {"1234-ABCDEFEhfhihwuefi--", "1c"},
        {"a -- dash amid prose", ""},
        {"The meeting is moved to Thursday; please bring the signed copy.", ""},
        {"8f14e45f-ceea-467f-a0e6-2b1c9d3e7a55", ""},
        {"select", ""},
        {"name@example.org", ""},
        {"42", ""},
    };
    for (size_t i = 0; i < RP_COUNT_OF(rows); i++) {
        char fingerprint[8] = "";
        bool found = rp_detect_sqli(rp_view_from_cstr(rows[i].value), fingerprint);
        assert_string_equal(fingerprint, rows[i].fingerprint);
        assert_int_equal(found, rows[i].fingerprint[0] != '\0');
    }
}

static void markup_that_runs_is_found(void **state) {
    (void)state;
    static const rp_view rows[] = {
        RP_VIEW_INIT("<script>alert(1)</script>"),
        RP_VIEW_INIT("<ScR\0ipt>"),
        RP_VIEW_INIT("<svg/onload=alert(1)>"),
        RP_VIEW_INIT("<img src=x onerror=alert(1)>"),
        RP_VIEW_INIT("\"><iframe src=x>"),
        RP_VIEW_INIT("' onmouseover='alert(1)"),
        RP_VIEW_INIT("x onclick=alert(1)"),
        RP_VIEW_INIT("` style=x:expression(1)"),
        RP_VIEW_INIT("<a href=\"javascript:alert(1)\">"),
        RP_VIEW_INIT("<a href=\" &#x6A;&#97;v&#x0a;ascript:1\">"),
        RP_VIEW_INIT("<a href=\xe2\x80\x83vbscript:1>"),
        RP_VIEW_INIT("<set attributename=href to=x>"),
        RP_VIEW_INIT("<x xmlns:y=1>"),
        RP_VIEW_INIT("<!DOCTYPE html>"),
        RP_VIEW_INIT("<!--[if IE]>"),
        RP_VIEW_INIT("<?import a>"),
        RP_VIEW_INIT("<!-- ` -->"),
        RP_VIEW_INIT("<!-- --\0> ` -->"),
        RP_VIEW_INIT("<% `"),
    };
    for (size_t i = 0; i < RP_COUNT_OF(rows); i++) {
        if (!rp_detect_xss(rows[i])) {
            fail_msg("%.*s", RP_FMT(rows[i]));
        }
    }
}

static void harmless_markup_is_not(void **state) {
    (void)state;
    static const rp_view rows[] = {
        RP_VIEW_INIT(""),
        RP_VIEW_INIT("onclick"),
        RP_VIEW_INIT("a < b and c > d"),
        RP_VIEW_INIT("<p class=\"note\">text</p>"),
        RP_VIEW_INIT("<a href=\"https://example.org/?a=1\">here</a>"),
        RP_VIEW_INIT("<img src=/a.png alt=x>"),
        RP_VIEW_INIT("<form action=/go><input name=on></form>"),
        RP_VIEW_INIT("<!-- a comment -->"),
        RP_VIEW_INIT("<!-- a comment -\0-> `"),
        RP_VIEW_INIT("<![CDATA[ <script> ]]>"),
        RP_VIEW_INIT("x=1&y=2"),
        RP_VIEW_INIT("</script>"),
        RP_VIEW_INIT("I <3 you"),
    };
    for (size_t i = 0; i < RP_COUNT_OF(rows); i++) {
        if (rp_detect_xss(rows[i])) {
            fail_msg("%.*s", RP_FMT(rows[i]));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sql_has_the_fingerprint),
        cmocka_unit_test(markup_that_runs_is_found),
        cmocka_unit_test(harmless_markup_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
