/* Rules built as the Core Rule Set's release 4 builds its own (release4.conf), judged here and by
 * libmodsecurity. */
#include "base/checked.h"
#include "both.h"

#define RULES "Include " FOLDER "/release4.conf\n"
#define CRLF "\r\n"

static const struct both_row rows[] = {
    /* from the machine itself: everything that is tagged is off */
    {RULES, "GET / HTTP/1.1\nHost: a\nProxy: x\n\n", NULL, "1093(0 of 0)", NULL},
    {RULES, "GET /a?x=1 HTTP/1.1\nHost: a\n\n", NULL, "1093(0 of 0)", NULL},
    {RULES, "PUT /a HTTP/1.1\nHost: a\nProxy: x\n\n", NULL,
     "1051(method|PUT) 1055(header|/proxy/) 1091(score 10) 1093(10 of 10) =403", NULL},
    {RULES, "POST /a HTTP/1.1\nHost: a\nContent-Type: text/plain; charset=x\n\nx=<script>y", NULL,
     "1054(type||text/plain|) 1081(script|<script> in REQUEST_BODY) 1091(score 10) "
     "1093(10 of 10) =403",
     NULL},
    {RULES, "GET /a?a=1&b=2&a=3 HTTP/1.1\nHost: a\n\n", NULL,
     "1061(twice) 1091(score 5) 1093(5 of 5) =403", NULL},
    {RULES,
     "POST /a HTTP/1.1\nHost: a\nX_Filename: a.php\n"
     "Content-Type: multipart/form-data; boundary=zz\n\n--zz" CRLF
     "Content-Disposition: form-data; name=\"_charset_\"" CRLF CRLF "utf-7" CRLF "--zz" CRLF
     "Content-Disposition: form-data; name=\"f\"; filename=\"x.phtml\"" CRLF
     "Content-Type: text/plain; charset=utf-7" CRLF CRLF "phpinfo(" CRLF "--zz--" CRLF,
     NULL,
     "1070(charset|utf-7) 1071(part|text/plain; charset=utf-7) 1072(file|.php in "
     "REQUEST_HEADERS:X_Filename) 1091(score 20) 1093(20 of 20) =403",
     "a part's header ends in CR LF there"},
    {RULES, "GET /a HTTP/1.1\nHost: a\nCookie: s=eval(1); _pk_ref.1=eval(2)\n\n", NULL,
     "1080(function|eval( in REQUEST_COOKIES:s: eval(1)) 1091(score 5) 1093(5 of 5) =403", NULL},
    {RULES,
     "POST /a HTTP/1.1\nHost: a\nContent-Type: application/json\n\n"
     "{\"q\":[\"&lt;script&gt;\",{\"r\":\"PHPINFO(\"}]}",
     NULL,
     "1080(function|PHPINFO( in ARGS:json.q.array_1.r: PHPINFO() 1081(script|<script> in "
     "ARGS:json.q.array_0) 1091(score 10) 1093(10 of 10) =403",
     "REQUEST_BODY holds JSON there; TX:0 of @pm is the phrase, not the text"},
    {RULES,
     "POST /a HTTP/1.1\nHost: a\nContent-Type: text/xml\n\n<r a=\"&lt;script>\">/*<b>eval(</b></r>",
     NULL,
     "1080(function|eval( in XML:/*: /*eval() 1081(script|<script> in XML://@*) "
     "1083(comment|/* in XML:/*) 1091(score 15) 1093(15 of 15) =403",
     "REQUEST_BODY holds XML there"},
    {RULES, "GET /a?clickid=0123456789';--&x=1 HTTP/1.1\nHost: a\n\n", NULL, "1093(0 of 0)", NULL},
    {RULES, "GET /a?wiki=/*<script>&x=1 HTTP/1.1\nHost: a\n\n", NULL, "1093(0 of 0)", NULL},
    {RULES, "GET /a?other=/* HTTP/1.1\nHost: a\n\n", NULL,
     "1083(comment|/* in ARGS:other) 1091(score 5) 1093(5 of 5) =403", NULL},
    {RULES, "GET /a?SID=1 HTTP/1.1\nHost: a\nReferer: https://elsewhere.example/x\n\n", NULL,
     "1084(session|elsewhere.example) 1091(score 5) 1093(5 of 5) =403", NULL},
    {RULES, "GET /a?SID=1 HTTP/1.1\nHost: a\nReferer: https://www.a/x\n\n", NULL, "1093(0 of 0)",
     NULL},
    /* a share of nothing: the rules that are tagged are off */
    {"SecAction \"id:900,phase:1,pass,nolog,setvar:tx.share=0\"\n" RULES,
     "PUT /a HTTP/1.1\nHost: a\n\n", NULL, "1093(0 of 0)", NULL},
    {"SecAction \"id:900,phase:1,pass,nolog,setvar:tx.blocking_level=3\"\n" RULES,
     "GET /a HTTP/1.1\nHost: a\n\n", NULL, "1053(only at level 3) 1093(0 of 0)", NULL},
    {"SecAction \"id:900,phase:1,pass,nolog,setvar:tx.detection_level=1\"\n" RULES,
     "GET /a HTTP/1.1\nHost: a\n\n", NULL, "1033(levels) 1093(0 of 0) =500", NULL},
};

static void test_release_4(void **state) {
    size_t wrong = 0;
    (void)state;
    for (size_t i = 0; i < RP_COUNT_OF(rows); i++) {
        wrong += !both_row_holds(&rows[i]);
    }
    assert_int_equal(wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_release_4)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
