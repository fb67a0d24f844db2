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

#define MORE "Include " FOLDER "/release4_more.conf\n"
#define PARTS(first, second)                                                                       \
    "POST /a HTTP/1.1\nHost: a\nContent-Length: 9999\n"                                            \
    "Content-Type: multipart/form-data; boundary=zz\n\n--zz" CRLF                                  \
    "Content-Disposition: form-data; name=\"a\"" CRLF "Content-Type: " first CRLF CRLF "x" CRLF    \
    "--zz" CRLF "Content-Disposition: form-data; name=\"a\"" CRLF                                  \
    "Content-Type: " second CRLF CRLF "x" CRLF "--zz--" CRLF
#define ASK(query) "GET /a?" query " HTTP/1.1\nHost: a\n\n"
#define ANSWER(status, headers, body)                                                              \
    "HTTP/1.1 " status " X\nContent-Type: text/html\n" headers "\n" body
#define UNLOGGED "noauditlog is no log there"
#define SET_UP(name) "SecAction \"id:1999,phase:1,pass,nolog,setvar:tx." name "\"\n"

static const struct both_row more[] = {
    {MORE, PARTS("text/plain; charset=utf-7", "text/plain; charset=utf-8"), NULL,
     "2012(part|text/plain; charset=utf-7) 2041(in 5) 2066((in 5, out 0) - (sum 5)) =403",
     UNLOGGED},
    {MORE, PARTS("text/plain; charset=\"UTF-8\"", "image/*"), NULL,
     "2012(part|image/*) 2041(in 5) 2066((in 5, out 0) - (sum 5)) =403", UNLOGGED},
    {MORE, PARTS("text/plain", "text/plain"), NULL, "", NULL},
    {MORE, "GET /a HTTP/1.1\nHost: a\nCookie: $Version=1; s=\"x\"; \"$Version=1\n\n", NULL,
     "2020(it's old|REQUEST_COOKIES:\"$Version)",
     "a quote within quotes keeps its backslash there"},
    {MORE, "POST /a HTTP/1.1\nHost: a\n\n", NULL, "2021(no length) 2066((in 3, out 0) - (sum 3))",
     UNLOGGED},
    {MORE, "POST /a HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n", NULL, "", NULL},
    {MORE, "GET /a HTTP/1.1\nHost: a\nRange: bytes=9-10,20-10\n\n", NULL, "", NULL},
    {MORE, "GET /a HTTP/1.1\nHost: a\nRange: bytes=20-10\n\n", NULL,
     "2022(range|10) 2066((in 3, out 0) - (sum 3))", UNLOGGED},
    {MORE, ASK("x=1!=1"), NULL, "", NULL},
    {MORE, ASK("x=1!=2"), NULL, "2023(differs) 2066((in 1, out 0) - (sum 1))", UNLOGGED},
    {MORE, "GET /a#b HTTP/1.1\nHost: a\nAccept-Encoding: gzip, deflate, br, zstd\n\n", NULL,
     "2024(long|23) 2025(fragment)", NULL},
    {MORE, ASK("x=bmV3IEZ1bmN0aW9uKA=="), NULL,
     "2041(in 10 ARGS:x>new Function( ARGS:x>newFunction() 2066((in 10, out 0) - (sum 10)) =403",
     UNLOGGED "; multiMatch logs what says nolog"},
    {MORE, ASK("x=new%20Function(&plainx=new%20Function("), NULL,
     "2041(in 10 ARGS:x>new Function( ARGS:x>newFunction() 2066((in 10, out 0) - (sum 10)) =403",
     UNLOGGED "; multiMatch logs what says nolog"},
    {MORE, ASK("x=%256e%2565w%20Function("), NULL,
     "2041(in 10 ARGS:x>new Function( ARGS:x>newFunction() 2066((in 10, out 0) - (sum 10)) =403",
     UNLOGGED "; multiMatch logs what says nolog"},
    {MORE, ASK("note=c\\x61t%20/e\"t\"c/p^asswd"), NULL, "2031(shell|cat/etc/passwd)", NULL},
    {MORE, ASK("note=\\etc\\x\\..\\.\\hosts"), NULL, "2032(path|ARGS:note)", NULL},
    {MORE, ASK("note=1%20uni/**/on/*x*/sel/*"), NULL, "", NULL},
    {MORE, ASK("note=1%20UNION/*x*/%0a%20select"), NULL, "2033(sql|1 UNION select)", NULL},
    {MORE, ASK("note=--DROP/*%20DATABASE"), NULL, "2034(char|dropdatabase)", NULL},
    {MORE,
     "GET /free/a?note=--DROP/*%20DATABASE&other=1!=2 HTTP/1.1\nHost: a\nX-Note: "
     "${jndi:x\nX-Other: &#36;{jndi:\n\n",
     NULL, "2035(lookup|REQUEST_HEADERS:X-Other)", "a range of ids is its first there"},
    {MORE,
     "GET /a HTTP/1.1\nHost: a\nUser-Agent: ${jndi:x\nX-Free-1: ${jndi:x\nX-Other: ${jndi:x\n\n",
     NULL, "2035(lookup|REQUEST_HEADERS:X-Other)", NULL},
    {SET_UP("early=1") MORE, "POST /a?x=1!=2 HTTP/1.1\nHost: a\nRange: 2-1\n\n", NULL,
     "2021(no length) 2022(range|1) 2040(early 6) 2066((in 6, out 0) - (sum 6)) =403", UNLOGGED},
    {MORE, ASK(""), ANSWER("500", "", "fine"), "2050(status|500) 2066((in 0, out 3) - (sum 3))",
     UNLOGGED},
    {MORE, ASK(""), ANSWER("200", "", "x ORA-00942 y"),
     "2052(leak|ORA-00942 in RESPONSE_BODY) 2053(out 5) 2066((in 0, out 5) - (sum 5)) =403",
     UNLOGGED},
    {MORE, ASK(""), ANSWER("503", "Content-Encoding: gzip\n", "x ORA-00942 y"),
     "2050(status|503) 2066((in 0, out 3) - (sum 3))", UNLOGGED},
    {SET_UP("report=0") MORE, ASK("x=1!=2"), NULL, "2023(differs)", NULL},
    {SET_UP("report=3") MORE, ASK("x=1!=2"), NULL, "2023(differs)", NULL},
    {SET_UP("report=5") MORE, ASK("x=1"), NULL, "2066((in 0, out 0) - (sum 0))", UNLOGGED},
    {MORE,
     "POST /a HTTP/1.1\nHost: a\nContent-Length: 9999\nContent-Type: "
     "application/vnd.api+json\n\n{\"a\":\"1!=2\",\"plain\":{\"b\":\"new Function(\"}}",
     NULL,
     "2023(differs) 2041(in 11 ARGS:json.plain.b>new Function( ARGS:json.plain.b>newFunction() "
     "2066((in 11, out 0) - (sum 11)) =403",
     UNLOGGED "; multiMatch logs what says nolog"},
};

/* release4_attacks.conf: the manner of the attack and leakage files. */
#define ATTACKS "Include " FOLDER "/release4_attacks.conf\n"
#define OPEN "SecAction \"id:2999,phase:1,pass,nolog,setvar:tx.collections=1\"\n"
#define LAST(rest) ATTACKS "SecRuleUpdateActionById 3040 \"t:none," rest "\"\n"
#define LEAK(status, body) "HTTP/1.1 " status " X\nContent-Type: text/plain\n\n" body

#define QUOTED "a quote within quotes keeps its backslash there"
#define UPDATED "a rule loses its message there when its actions are updated"

static const struct both_row attacks[] = {
    {ATTACKS, "GET /a/onload=x HTTP/1.1\nHost: a\n\n", NULL,
     "3011(event|/onload=x in REQUEST_FILENAME)", NULL},
    {ATTACKS, "GET /plain/path HTTP/1.1\nHost: a\nReferer: /onload=x\nX-On: a onload=x\n\n", NULL,
     "3011(event| onload=x in REQUEST_HEADERS:X-On)", NULL},
    {ATTACKS, ASK("x=%22%20on%6cick%20=alert(1)&y=%20on=1"), NULL,
     "3011(event| onlick =a in ARGS:x)", NULL},
    {ATTACKS, ASK("x=%22+%5cu006fnclick=alert"), NULL, "3011(event| onclick=a in ARGS:x)", NULL},
    {ATTACKS, ASK("x=%bcscript%be%bc/script%be"), NULL, "3012(bytes|MATCHED_VARS:ARGS:x)", NULL},
    {ATTACKS, ASK("x=%bcscript%be"), NULL, "", NULL},
    {ATTACKS, ASK("x=a~b!c@d$e(f)"), NULL, "3013(signs: the \"magic\" six|~b!c@d$e(f) in ARGS:x)",
     QUOTED},
    /* the bytes of a set, not its letters: three each */
    {ATTACKS, ASK("x=%e2%80%99a%e2%80%98"), NULL,
     "3013(signs: the \"magic\" six|\xe2\x80\x99"
     "a\xe2\x80\x98 in ARGS:x)",
     QUOTED},
    {ATTACKS, ASK("x=a,9'%0d%0a"), NULL, "3014(tick|ARGS:x)", NULL},
    {ATTACKS, "GET /a HTTP/1.1\nHost: a\nCookie: c=,9'; a_free_=,9'\n\n", NULL,
     "3014(tick|REQUEST_COOKIES:c)", NULL},
    {ATTACKS, ASK("x=1%20=%201"), NULL, "3015(equal|1 = 1 in ARGS:x: 1) 3040(in 0 5) =403", NULL},
    {ATTACKS, ASK("x='1'%20like%20'2'&y=ab%20!=%20ab"), NULL, "",
     "a chain's first link logs there, with multiMatch"},
    {ATTACKS, ASK("y=ab/**/!=cd"), NULL,
     "3016(unlike|ARGS:y) 3018(comment|MATCHED_VARS:ARGS:y) 3040(in 0 10) =403",
     "a chain's first link logs there, with multiMatch, and nothing of its texts"},
    {ATTACKS, ASK("clickid=aaaa--b-&z=aaaa--b-"), NULL,
     "3018(comment|MATCHED_VARS:ARGS:z) 3040(in 0 5) =403",
     "MATCHED_VARS keep what 3017 has matched there"},
    {ATTACKS, ASK("z=eyJhbGciOiJ--x.eyJzdWIiOi--x.x--x-"), NULL,
     "3013(signs: the \"magic\" six|--x.eyJzdWIiOi--x.x-- in ARGS:z)", QUOTED},
    {ATTACKS, "GET /a/1'%20or%20'1'='1 HTTP/1.1\nHost: a\n\n", NULL,
     "3019(path|s&sos in REQUEST_FILENAME) 3040(in 0 10) =403", NULL},
    {ATTACKS, "GET /x/..%5c.GIT%5cconfig HTTP/1.1\nHost: a\n\n", NULL, "3020(file|.GIT/)",
     "TX:0 of @pm is the phrase there"},
    {OPEN ATTACKS, "GET /plain HTTP/1.1\nHost: a\nUser-Agent: x\n\n", NULL, "", NULL},
    {ATTACKS, ASK(""), LEAK("200", "x ORA-00942 y <%= z"),
     "3034(oracle|ORA-00942 in RESPONSE_BODY) 3036(template|<%=) 3038(out 5) =403", NULL},
    {ATTACKS, ASK(""), LEAK("500", "Server Error in '/x' Application #{y}"),
     "3035(server error|Server Error in '/x' Application) 3036(template|#{y}) 3038(out 5) =403",
     NULL},
    {ATTACKS, ASK(""), LEAK("404", "Server Error in '/x' Application"), "", NULL},
    {LAST("deny,status:404"), ASK("x=1%20=%201"), NULL,
     "3015(equal|1 = 1 in ARGS:x: 1) 3040(in 0 5) =404", UPDATED},
    {LAST("redirect:'http://%{request_headers.host}/'"), ASK("x=1%20=%201"), NULL,
     "3015(equal|1 = 1 in ARGS:x: 1) 3040(in 0 5) =302", UPDATED},
    {LAST("drop"), ASK("x=1%20=%201"), NULL, "3015(equal|1 = 1 in ARGS:x: 1) 3040(in 0 5) =403",
     UPDATED},
    {ATTACKS "SecRuleUpdateActionById 3015 \"nolog\"\n", ASK("x=1%20=%201"), NULL,
     "3040(in 0 5) =403", NULL},
    {ATTACKS "SecRuleRemoveById 3013-3016 3018\nSecRuleRemoveByTag \"odd-path\"\n",
     ASK("x=1%20=%201&y=%20onload=1"), NULL, "", NULL},
};

static void test_more(void **state) {
    size_t wrong = 0;
    (void)state;
    for (size_t i = 0; i < RP_COUNT_OF(more); i++) {
        wrong += !both_row_holds(&more[i]);
    }
    assert_int_equal(wrong, 0);
}

static void test_attacks(void **state) {
    size_t wrong = 0;
    (void)state;
    for (size_t i = 0; i < RP_COUNT_OF(attacks); i++) {
        wrong += !both_row_holds(&attacks[i]);
    }
    assert_int_equal(wrong, 0);
}

static void test_release_4(void **state) {
    size_t wrong = 0;
    (void)state;
    for (size_t i = 0; i < RP_COUNT_OF(rows); i++) {
        wrong += !both_row_holds(&rows[i]);
    }
    assert_int_equal(wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_release_4),
                                       cmocka_unit_test(test_more), cmocka_unit_test(test_attacks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
