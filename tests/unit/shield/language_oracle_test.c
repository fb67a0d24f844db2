/* The rule language as rule sets use it, row by row: what matches here, what libmodsecurity says of
 * the same, and why where the two differ.
 *
 * Operators and variables tell through tx.hits which values they met; the rest are rule texts in
 * the manner of the Core Rule Set's releases 3.3 and 4, and of its plugins.
 */
#include "base/checked.h"
#include "both.h"

#define SETTINGS                                                                                   \
    "SecRuleEngine On\nSecRequestBodyAccess On\nSecResponseBodyAccess On\n"                        \
    "SecResponseBodyMimeType text/html text/plain\n"
#define TELL(id, phase, text) "SecAction \"id:" #id ",phase:" #phase ",pass,log,msg:'" text "'\"\n"
#define HITS TELL(9, 5, "met%{tx.hits}")
#define CRLF "\r\n"
#define GET(uri) "GET " uri " HTTP/1.1\nHost: example.com\n"
#define FORM(body)                                                                                 \
    "POST /form HTTP/1.1\nHost: example.com\nContent-Type: "                                       \
    "application/x-www-form-urlencoded\n\n" body

/* ---- operators ---- */

struct operator_row {
    const char *operator, * query, *hits, *why;
};

static const struct operator_row operators[] = {
    {"@rx ^a.c$", "a=abc&b=abbc&c=ABC", " ARGS:a", NULL},
    {"@rx (?i)^a.c$", "a=abc&b=abbc&c=ABC", " ARGS:a ARGS:c", NULL},
    {"!@rx ^a", "a=abc&b=x&c=", " ARGS:b ARGS:c", NULL},
    {"^\\d+$", "a=12&b=1x", " ARGS:a", NULL},
    {"@pm one two", "a=xONEx&b=three&c=two", " ARGS:a ARGS:c", NULL},
    {"@streq abc", "a=abc&b=abcd&c=ABC", " ARGS:a", NULL},
    {"!@streq abc", "a=abc&b=abcd", " ARGS:b", NULL},
    {"@strmatch bc", "a=abcd&b=b", " ARGS:a", NULL},
    {"@contains bc", "a=abcd&b=b&c=BC", " ARGS:a", NULL},
    {"@containsWord bc", "a=a%20bc%20d&b=abcd&c=bc", " ARGS:a ARGS:c", NULL},
    {"@beginsWith ab", "a=abcd&b=cab&c=a", " ARGS:a", NULL},
    {"@endsWith cd", "a=abcd&b=cda&c=d", " ARGS:a", NULL},
    {"@within one two", "a=one&b=e%20t&c=three&d=", " ARGS:a ARGS:b ARGS:d", NULL},
    {"@eq 5", "a=5&b=05&c=5x&d=x&e=", " ARGS:a ARGS:b ARGS:c", NULL},
    {"@eq 0", "a=0&b=x&c=1", " ARGS:a ARGS:b", NULL},
    {"@eq abc", "a=0&b=x&c=1", " ARGS:a ARGS:b", NULL},
    {"@eq 5x", "a=5&b=0", " ARGS:a", NULL},
    {"@eq 5000000000", "a=0&b=5000000000&c=1", " ARGS:a ARGS:b", NULL},
    {"@gt 100", "a=99999999999&b=99999999999999999999&c=-99999999999&d=5", " ARGS:a ARGS:b", NULL},
    {"@lt -3000000000", "a=-3000000001&b=0", " ARGS:a", NULL},
    {"@streq  x", "a=x&b=%20x", " ARGS:b", NULL},
    {"@rx  x", "a=x&b=%20x", " ARGS:b", NULL},
    {"@pm  x", "a=x&b=y", " ARGS:a", NULL},
    {"@gt   5", "a=6&b=5", " ARGS:a", NULL},
    {"@ge 5", "a=5&b=4&c=6&d=-7", " ARGS:a ARGS:c", NULL},
    {"@gt 5", "a=5&b=4&c=6", " ARGS:c", NULL},
    {"@le 5", "a=5&b=4&c=6&d=-7", " ARGS:a ARGS:b ARGS:d", NULL},
    {"@lt 5", "a=5&b=4&c=6", " ARGS:b", NULL},
    {"!@lt 5", "a=5&b=4&c=6", " ARGS:a ARGS:c", NULL},
    {"@ipMatch 192.0.2.0/24,2001:db8::1", "a=192.0.2.7&b=192.0.3.7&c=2001:db8::1", " ARGS:a ARGS:c",
     NULL},
    {"@detectSQLi", "a=1'%20OR%20'1'='1&b=plain", " ARGS:a", NULL},
    {"@detectXSS", "a=%3Cscript%3Ealert(1)&b=plain", " ARGS:a", NULL},
    {"@validateByteRange 32-126", "a=abc&b=a%01&c=%ff", " ARGS:b ARGS:c", NULL},
    {"@validateByteRange 10,13,32-126", "a=a%0ab&b=a%09b", " ARGS:b", NULL},
    {"@validateUrlEncoding", "a=%2541&b=%25zz&c=%254&d=x", " ARGS:b ARGS:c", NULL},
    {"@validateUtf8Encoding", "a=%c3%a9&b=%c3&c=%c0%80&d=%ed%a0%80", " ARGS:b ARGS:c ARGS:d", NULL},
    {"@verifyCC \\d{16}", "a=4111111111111111&b=4111111111111112", " ARGS:a", NULL},
    {"@verifyCC (?:^|\\D)\\d{16}$", "a=154111111111111111&b=34111111111111112", " ARGS:a",
     "the project's own cases: the end of a longer number is one, too"},
    {"@verifySSN \\d{3}-\\d{2}-\\d{4}", "a=078-05-1120&b=000-00-0000&c=x", " ARGS:a", NULL},
    {"@verifyCPF [0-9]{11}", "a=52998224725&b=52998224726", " ARGS:a", NULL},
    {"@verifySVNR [0-9]{4} ?[0-9]{6}", "a=x%201237%20010180&b=1238010180", " ARGS:a", NULL},
    {"@unconditionalMatch", "a=1&b=", " ARGS:a ARGS:b", NULL},
    {"@noMatch", "a=1", "", NULL},
    {"@rxGlobal a(b)", "a=abab&b=b", " ARGS:a", NULL},
};

static void test_operators(void **state) {
    size_t wrong = 0;
    (void)state;
    for (size_t i = 0; i < RP_COUNT_OF(operators); i++) {
        const struct operator_row *at = &operators[i];
        char rules[1024], request[1024], logged[256];
        snprintf(rules, sizeof rules,
                 SETTINGS "SecRule ARGS \"%s\" \"id:1,phase:1,pass,nolog,"
                          "setvar:'tx.hits=%%{tx.hits} %%{MATCHED_VAR_NAME}'\"\n%s",
                 at->operator, HITS);
        snprintf(request, sizeof request, GET("/?%s") "\n", at->query);
        snprintf(logged, sizeof logged, "9(met%s)", at->hits);
        wrong += !both_row_holds(&(struct both_row){rules, request, NULL, logged, at->why});
    }
    assert_int_equal(wrong, 0);
}

/* ---- variables ---- */

#define REQUEST                                                                                    \
    "POST /shop/cart.php?a=1&b=%20x&a=2 HTTP/1.1\nHost: example.com:8443\nUser-Agent: Test\n"      \
    "Cookie: s=abc; t=%41\nX-Two: one\nX-Two: two\n"                                               \
    "Content-Type: application/x-www-form-urlencoded\nContent-Length: 9\n\nc=3&d=%3d"
#define RESPONSE                                                                                   \
    "HTTP/1.1 404 Not Found\nContent-Type: text/html; charset=utf-8\nX-Powered-By: PHP\n\n"        \
    "<p>nothing</p>"
#define MULTIPART                                                                                  \
    "POST /up HTTP/1.1\nHost: example.com\nContent-Type: multipart/form-data; boundary=zz\n\n"     \
    "--zz" CRLF "Content-Disposition: form-data; name=\"note\"" CRLF CRLF "hello" CRLF "--zz" CRLF \
    "Content-Disposition: form-data; name=\"pic\"; filename=\"a.png\"" CRLF                        \
    "Content-Type: image/png" CRLF CRLF "12345" CRLF "--zz--" CRLF
#define JSON_REQUEST                                                                               \
    "POST /api HTTP/1.1\nHost: example.com\nContent-Type: application/json\n\n"                    \
    "{\"a\":[{\"b\":1},\"x\"],\"c\":{\"d\":true,\"e\":null}}"
#define XML_REQUEST                                                                                \
    "POST /api HTTP/1.1\nHost: example.com\nContent-Type: text/xml\n\n"                            \
    "<r q=\"one\"><s>two</s><t>three</t></r>"
#define PLAIN_REQUEST "PUT /note.txt HTTP/1.1\nHost: example.com\nContent-Type: text/plain\n\nwords"

#define ORDER "values of one name come in a hash table's order there"

static const struct variable_row {
    const char *variable;
    unsigned phase;
    const char *request, *response, *hits, *why;
} variables[] = {
    {"ARGS", 2, REQUEST, NULL, " ARGS:a>1 ARGS:b> x ARGS:a>2 ARGS:c>3 ARGS:d>=", ORDER},
    {"ARGS_NAMES", 2, REQUEST, NULL,
     " ARGS_NAMES:a>a ARGS_NAMES:b>b ARGS_NAMES:a>a ARGS_NAMES:c>c ARGS_NAMES:d>d", ORDER},
    {"ARGS_GET", 2, REQUEST, NULL, " ARGS_GET:a>1 ARGS_GET:b> x ARGS_GET:a>2", ORDER},
    {"ARGS_GET_NAMES", 2, REQUEST, NULL,
     " ARGS_GET_NAMES:a>a ARGS_GET_NAMES:b>b ARGS_GET_NAMES:a>a", ORDER},
    {"ARGS_POST", 2, REQUEST, NULL, " ARGS_POST:c>3 ARGS_POST:d>=", NULL},
    {"ARGS_POST_NAMES", 2, REQUEST, NULL, " ARGS_POST_NAMES:c>c ARGS_POST_NAMES:d>d", NULL},
    {"ARGS_COMBINED_SIZE", 2, REQUEST, NULL, " ARGS_COMBINED_SIZE>11",
     "a number with six decimals there"},
    {"ARGS:a", 2, REQUEST, NULL, " ARGS:a>1 ARGS:a>2", ORDER},
    {"ARGS:A", 2, REQUEST, NULL, " ARGS:a>1 ARGS:a>2", ORDER},
    {"ARGS:/^[cd]$/", 2, REQUEST, NULL, " ARGS:c>3 ARGS:d>=", NULL},
    {"ARGS|!ARGS:a", 2, REQUEST, NULL, " ARGS:b> x ARGS:c>3 ARGS:d>=", NULL},
    {"ARGS|!ARGS:/^[abc]/", 2, REQUEST, NULL, " ARGS:d>=", NULL},
    {"&ARGS", 2, REQUEST, NULL, " ARGS>5", NULL},
    {"&ARGS:a", 2, REQUEST, NULL, " ARGS:a>2", NULL},
    {"&ARGS:none", 2, REQUEST, NULL, " ARGS:none>0", NULL},
    {"REQUEST_COOKIES", 1, REQUEST, NULL, " REQUEST_COOKIES:s>abc REQUEST_COOKIES:t>%41", NULL},
    {"REQUEST_COOKIES_NAMES", 1, REQUEST, NULL,
     " REQUEST_COOKIES_NAMES:s>s REQUEST_COOKIES_NAMES:t>t", NULL},
    {"REQUEST_HEADERS:x-two", 1, REQUEST, NULL,
     " REQUEST_HEADERS:X-Two>one REQUEST_HEADERS:X-Two>two", ORDER},
    {"REQUEST_HEADERS:/^X-/", 1, REQUEST, NULL,
     " REQUEST_HEADERS:X-Two>one REQUEST_HEADERS:X-Two>two", NULL},
    {"REQUEST_HEADERS_NAMES:Host", 1, REQUEST, NULL, " REQUEST_HEADERS_NAMES:Host>Host", NULL},
    {"&REQUEST_HEADERS:Host", 1, REQUEST, NULL, " REQUEST_HEADERS:Host>1", NULL},
    {"REQUEST_LINE", 1, REQUEST, NULL, " REQUEST_LINE>POST /shop/cart.php?a=1&b=%20x&a=2 HTTP/1.1",
     NULL},
    {"REQUEST_METHOD", 1, REQUEST, NULL, " REQUEST_METHOD>POST", NULL},
    {"REQUEST_PROTOCOL", 1, REQUEST, NULL, " REQUEST_PROTOCOL>HTTP/1.1", NULL},
    {"REQUEST_URI", 1, REQUEST, NULL, " REQUEST_URI>/shop/cart.php?a=1&b= x&a=2", NULL},
    {"REQUEST_URI_RAW", 1, REQUEST, NULL, " REQUEST_URI_RAW>/shop/cart.php?a=1&b=%20x&a=2", NULL},
    {"REQUEST_FILENAME", 1, REQUEST, NULL, " REQUEST_FILENAME>/shop/cart.php", NULL},
    {"REQUEST_BASENAME", 1, REQUEST, NULL, " REQUEST_BASENAME>cart.php", NULL},
    {"PATH_INFO", 1, REQUEST, NULL, " PATH_INFO>/shop/cart.php", NULL},
    {"QUERY_STRING", 1, REQUEST, NULL, " QUERY_STRING>a=1&b=%20x&a=2", NULL},
    {"REMOTE_ADDR", 1, REQUEST, NULL, " REMOTE_ADDR>127.0.0.1", NULL},
    {"REMOTE_PORT", 1, REQUEST, NULL, " REMOTE_PORT>50000", NULL},
    {"SERVER_ADDR", 1, REQUEST, NULL, " SERVER_ADDR>127.0.0.1", NULL},
    {"SERVER_PORT", 1, REQUEST, NULL, " SERVER_PORT>80", NULL},
    {"SERVER_NAME", 1, REQUEST, NULL, " SERVER_NAME>example.com", NULL},
    {"REMOTE_USER|AUTH_TYPE", 1, GET("/") "Authorization: Basic YWxhZGRpbjpvcGVu\n\n", NULL,
     " REMOTE_USER>aladdin AUTH_TYPE>Basic", "named by its header there"},
    {"AUTH_TYPE", 1, GET("/") "Authorization: Bearer YWxhZGRpbjpvcGVu\n\n", NULL,
     " AUTH_TYPE>Bearer", NULL},
    {"FULL_REQUEST", 2, FORM("a=1"), NULL,
     " FULL_REQUEST>POST /form HTTP/1.1\nHost: example.com\nContent-Type: "
     "application/x-www-form-urlencoded\n\n\na=1",
     "without the request line there, against the manual"},
    {"FULL_REQUEST_LENGTH", 2, GET("/") "\n", NULL, " FULL_REQUEST_LENGTH>35",
     "without the request line there, against the manual"},
    {"UNIQUE_ID", 1, REQUEST, NULL, " UNIQUE_ID>0000000000000001", NULL},
    {"MODSEC_BUILD", 1, REQUEST, NULL, " MODSEC_BUILD>030009100", NULL},
    {"USERID|SESSIONID", 1, REQUEST, NULL, " USERID> SESSIONID>", NULL},
    {"REQUEST_BODY", 2, REQUEST, NULL, " REQUEST_BODY>c=3&d=%3d", NULL},
    {"REQUEST_BODY_LENGTH", 2, REQUEST, NULL, " REQUEST_BODY_LENGTH>9", NULL},
    {"REQBODY_PROCESSOR", 2, REQUEST, NULL, " REQBODY_PROCESSOR>URLENCODED", NULL},
    {"REQBODY_ERROR", 2, REQUEST, NULL, " REQBODY_ERROR>0", "nothing there when all is well"},
    {"URLENCODED_ERROR", 2, REQUEST, NULL, " URLENCODED_ERROR>0", NULL},
    {"INBOUND_DATA_ERROR", 2, REQUEST, NULL, " INBOUND_DATA_ERROR>0", NULL},
    {"FILES", 2, MULTIPART, NULL, " FILES:pic>a.png", NULL},
    {"FILES_NAMES", 2, MULTIPART, NULL, " FILES_NAMES:pic>pic", NULL},
    {"FILES_SIZES", 2, MULTIPART, NULL, " FILES_SIZES:pic>5", NULL},
    {"FILES_COMBINED_SIZE", 2, MULTIPART, NULL, " FILES_COMBINED_SIZE>5", NULL},
    {"MULTIPART_FILENAME", 2, MULTIPART, NULL, " MULTIPART_FILENAME>a.png",
     "a collection of all parts there"},
    {"MULTIPART_NAME", 2, MULTIPART, NULL, " MULTIPART_NAME>pic",
     "a collection of all parts there"},
    {"MULTIPART_STRICT_ERROR", 2, MULTIPART, NULL, " MULTIPART_STRICT_ERROR>0", NULL},
    {"MULTIPART_PART_HEADERS:pic", 2, MULTIPART, NULL,
     " MULTIPART_PART_HEADERS:pic>Content-Disposition: form-data; name=\"pic\"; "
     "filename=\"a.png\" MULTIPART_PART_HEADERS:pic>Content-Type: image/png",
     "each with its CR LF there"},
    {"ARGS", 2, MULTIPART, NULL, " ARGS:note>hello", NULL},
    {"ARGS", 2, JSON_REQUEST, NULL,
     " ARGS:json.a.array_0.b>1 ARGS:json.a.array_1>x ARGS:json.c.d>true ARGS:json.c.e>", NULL},
    {"XML:/*", 2, XML_REQUEST, NULL, " XML:/*>twothree", NULL},
    {"XML://@*", 2, XML_REQUEST, NULL, " XML://@*>one", NULL},
    {"REQUEST_BODY", 2, PLAIN_REQUEST, NULL, " REQUEST_BODY>words", NULL},
    {"ARGS", 2, PLAIN_REQUEST, NULL, "", NULL},
    {"RESPONSE_STATUS", 3, REQUEST, RESPONSE, " RESPONSE_STATUS>404", NULL},
    {"RESPONSE_PROTOCOL", 3, REQUEST, RESPONSE, " RESPONSE_PROTOCOL>HTTP/1.1", NULL},
    {"RESPONSE_HEADERS:x-powered-by", 3, REQUEST, RESPONSE, " RESPONSE_HEADERS:X-Powered-By>PHP",
     NULL},
    {"RESPONSE_HEADERS_NAMES:X-Powered-By", 3, REQUEST, RESPONSE,
     " RESPONSE_HEADERS_NAMES:X-Powered-By>X-Powered-By", NULL},
    {"RESPONSE_CONTENT_TYPE", 3, REQUEST, RESPONSE, " RESPONSE_CONTENT_TYPE>text/html", NULL},
    {"RESPONSE_BODY", 4, REQUEST, RESPONSE, " RESPONSE_BODY><p>nothing</p>", NULL},
    {"RESPONSE_CONTENT_LENGTH", 4, REQUEST, RESPONSE, " RESPONSE_CONTENT_LENGTH>14", NULL},
};

#define BODY_KINDS                                                                                 \
    "SecRule REQUEST_HEADERS:Content-Type \"@beginsWith application/json\" "                       \
    "\"id:101,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON\"\n"                                \
    "SecRule REQUEST_HEADERS:Content-Type \"@beginsWith text/xml\" "                               \
    "\"id:102,phase:1,pass,nolog,ctl:requestBodyProcessor=XML\"\n"

static void test_variables(void **state) {
    size_t wrong = 0;
    (void)state;
    for (size_t i = 0; i < RP_COUNT_OF(variables); i++) {
        const struct variable_row *at = &variables[i];
        char rules[2048], logged[512];
        snprintf(rules, sizeof rules,
                 SETTINGS BODY_KINDS
                 "SecRule %s \"@unconditionalMatch\" \"id:1,phase:%u,pass,nolog,"
                 "setvar:'tx.hits=%%{tx.hits} %%{MATCHED_VAR_NAME}>%%{MATCHED_VAR}'\"\n%s",
                 at->variable, at->phase, HITS);
        snprintf(logged, sizeof logged, "9(met%s)", at->hits);
        wrong +=
            !both_row_holds(&(struct both_row){rules, at->request, at->response, logged, at->why});
    }
    assert_int_equal(wrong, 0);
}

/* ---- rules as rule sets write them ---- */

#define SET(rest) SETTINGS rest
#define LOG "pass,log"
#define KEEPS "MATCHED_VARS keeps what rules before have matched there"

static const struct both_row rules[] = {
    {SET("SecRule ARGS:a \"@rx ^(a)\" \"id:1,phase:1," LOG ",chain,capture,msg:'%{tx.y}',"
         "logdata:'%{MATCHED_VAR_NAME} %{tx.y} %{TX.1}',setvar:tx.y=h\"\n"
         "SecRule ARGS:b \"@rx ^(x)\" \"chain,capture,setvar:tx.y=c\"\n"
         "SecRule ARGS:c \"@rx ^(z)\" \"setvar:tx.y=d\"\n"),
     GET("/?a=a&b=x&c=z") "\n", NULL, "1(d|ARGS:c d x)", NULL},
    {SET("SecRule ARGS \"@rx ^(.)\" \"id:1,phase:1," LOG ",capture,msg:'%{tx.1}',"
         "logdata:'%{MATCHED_VAR_NAME}'\"\n"),
     GET("/?a=a&b=x&c=z") "\n", NULL, "1(z|ARGS:c)", NULL},
    {SET("SecRule ARGS:/[ab]/ \"@rx ^(.)\" \"id:1,phase:1," LOG ",chain,capture,msg:'%{tx.1}',"
         "logdata:'%{MATCHED_VAR_NAME}'\"\nSecRule ARGS:c \"@rx .\""),
     GET("/?a=a&b=x&c=z") "\n", NULL, "1(x|ARGS:c)", NULL},
    /* a chain, captures, MATCHED_VAR of its last link */
    {SET("SecRule ARGS \"@rx ^(a)(b)\" \"id:1,phase:1," LOG
         ",capture,chain,msg:'%{TX.1}%{TX.2}',logdata:'%{TX.0} in %{MATCHED_VAR_NAME}'\"\n"
         "SecRule TX:1 \"@streq a\" \"setvar:tx.x=%{TX.2}\"\n" TELL(2, 1, "x=%{tx.x}")),
     GET("/?q=abc") "\n", NULL, "1(ab|ab in TX:1) 2(x=b)", NULL},
    {SET("SecRule ARGS:a \"@streq 1\" \"id:1,phase:1," LOG
         ",chain,msg:'both'\"\nSecRule ARGS:b \"@streq 2\" \"t:none\"\n"),
     GET("/?a=1&b=3") "\n", NULL, "", NULL},
    /* skipAfter, skip */
    {SET("SecRule &ARGS \"@gt 1\" \"id:1,phase:1,pass,nolog,skipAfter:END-A\"\n" TELL(
         2, 1, "not skipped") "SecMarker END-A\n" TELL(3, 1, "behind")),
     GET("/?a=1&b=3") "\n", NULL, "3(behind)", NULL},
    {SET("SecAction \"id:1,phase:1,pass,nolog,skip:1\"\n" TELL(2, 1, "skipped")
             TELL(3, 1, "behind")),
     GET("/") "\n", NULL, "3(behind)", NULL},
    /* paranoia levels as release 4 has them */
    {SET("SecAction \"id:900000,phase:1,pass,nolog,t:none,"
         "setvar:tx.blocking_paranoia_level=2\"\n"
         "SecRule &TX:detection_paranoia_level \"@eq 0\" \"id:901125,phase:1,pass,nolog,"
         "setvar:'tx.detection_paranoia_level=%{TX.blocking_paranoia_level}'\"\n"
         "SecRule TX:DETECTION_PARANOIA_LEVEL \"@lt 3\" \"id:1,phase:1,pass,nolog,"
         "skipAfter:END-3\"\n" TELL(2, 1, "level 3") "SecMarker \"END-3\"\n" TELL(
             3, 1, "%{tx.detection_paranoia_level}")),
     GET("/") "\n", NULL, "3(2)", NULL},
    /* scores: each matched value counts */
    {SET("SecAction \"id:900,phase:1,pass,nolog,setvar:tx.critical_anomaly_score=5,"
         "setvar:tx.inbound_anomaly_score_pl1=0\"\n"
         "SecRule ARGS \"@contains x\" \"id:1,phase:1,block,log,msg:'m',"
         "setvar:'tx.inbound_anomaly_score_pl1=+%{tx.critical_anomaly_score}'\"\n"
         "SecAction \"id:2,phase:1,pass,nolog,"
         "setvar:'tx.total=%{tx.inbound_anomaly_score_pl1}',setvar:tx.total=-1\"\n"
         "SecRule TX:TOTAL \"@ge 9\" \"id:3,phase:1,deny,status:403,log,msg:'%{tx.total}'\"\n"),
     GET("/?a=x&b=y&c=xx") "\n", NULL, "1(m) 3(9) =403", NULL},
    {SET("SecAction \"id:1,phase:1,pass,nolog,setvar:tx.a,setvar:tx.b=1,setvar:!tx.b\"\n" TELL(
         2, 1, "[%{tx.a}%{tx.b}]")),
     GET("/") "\n", NULL, "2([1])", NULL},
    {SET("SecAction \"id:1,phase:1,pass,nolog,setvar:tx.n_%{REQUEST_METHOD}=y\"\n"
         "SecRule &TX:/^n_/ \"@eq 1\" \"id:2,phase:1," LOG ",msg:'%{tx.n_get}'\"\n"),
     GET("/") "\n", NULL, "2(y)", NULL},
    /* an expression that takes all, and names that begin in one way */
    {SET("SecRule ARGS_NAMES \"@rx ^.*$\" \"id:1,phase:1," LOG ",capture,t:lowercase,chain,"
         "setvar:'tx.seen_%{tx.0}=<%{tx.0}>'\"\n"
         "SecRule TX:/^seen_/ \"@within <aa><bb>\" "
         "\"setvar:'tx.both=%{tx.both}%{MATCHED_VAR}'\"\n" TELL(2, 1, "%{tx.both}")),
     GET("/?Aa=1&cc=2&bb=3") "\n", NULL, "1 2(<aa><bb>)", NULL},
    /* too short for the expression, before its transformations or after them */
    {SET("SecRule ARGS \"@rx evil\" \"id:1,phase:1," LOG
         ",multiMatch,t:none,t:base64Decode,msg:'%{MATCHED_VAR_NAME}'\"\n"
         "SecRule ARGS \"@rx evil\" \"id:2,phase:1," LOG
         ",t:none,t:base64Decode,msg:'%{MATCHED_VAR_NAME}'\"\n"),
     GET("/?a=ZXZpbA%3D%3D&b=evil&c=evi&d=ZXZp&e=ZXZpbA") "\n", NULL,
     "1(ARGS:a) 1(ARGS:b) 2(ARGS:a)", NULL},
    /* macros in operators */
    {SET("SecAction \"id:1,phase:1,pass,nolog,setvar:'tx.allowed_methods=GET POST'\"\n"
         "SecRule REQUEST_METHOD \"!@within %{tx.allowed_methods}\" \"id:2,phase:1," LOG "\"\n"
         "SecRule REQUEST_METHOD \"@within %{tx.allowed_methods}\" \"id:3,phase:1," LOG "\"\n"),
     GET("/") "\n", NULL, "3", NULL},
    {SET("SecRule REQUEST_HEADERS:Host \"@streq %{SERVER_NAME}\" \"id:1,phase:1," LOG "\"\n"
         "SecRule ARGS:n \"@gt %{ARGS.m}\" \"id:2,phase:1," LOG "\"\n"
         "SecRule ARGS:n \"@rx ^%{ARGS.n}$\" \"id:3,phase:1," LOG "\"\n"),
     GET("/?n=5&m=4") "\n", NULL, "1 2 3", NULL},
    {SET("SecRule REQUEST_HEADERS:Transfer-Encoding \"@rx .\" \"id:1,phase:1," LOG
         ",msg:'%{REQUEST_HEADERS.Transfer-Encoding} %{REMOTE_ADDR} %{REQUEST_LINE} "
         "%{RULE.id} %{UNIQUE_ID}'\"\n"),
     GET("/") "Transfer-Encoding: gzip\n\n", NULL,
     "1(gzip 127.0.0.1 GET / HTTP/1.1 1 0000000000000001)", "texts do not know their rule there"},
    /* transformations: in order, t:none first, defaults inherited */
    {SET("SecRule ARGS:a \"@streq <b>\" \"id:1,phase:1," LOG
         ",t:none,t:urlDecodeUni,t:htmlEntityDecode,t:lowercase\"\n"
         "SecRule ARGS:a \"@streq &lt;B&gt;\" \"id:2,phase:1," LOG ",t:none\"\n"
         "SecRule ARGS:a \"@eq 9\" \"id:3,phase:1," LOG ",t:length\"\n"),
     GET("/?a=%26lt;B%26gt;") "\n", NULL, "1 2 3", NULL},
    {SET("SecRule ARGS \"@streq abc\" \"id:1,phase:1," LOG ",t:none,t:sha1,t:hexEncode,msg:'m'\"\n"
         "SecRule ARGS \"@streq a9993e364706816aba3e25717850c26c9cd0d89d\" \"id:2,phase:1," LOG
         ",t:none,t:sha1,t:hexEncode\"\n"),
     GET("/?a=abc") "\n", NULL, "2", NULL},
    {SET("SecRule ARGS \"@rx a\" \"id:1,phase:1,pass,nolog,t:lowercase,t:removeWhitespace,"
         "multiMatch,setvar:tx.n=+1\"\n" TELL(2, 1, "%{tx.n}")),
     GET("/?a=A%20a") "\n", NULL, "2(3)", "multiMatch logs what says nolog there"},
    {SET("SecRule ARGS \"@streq \\u00e9\" \"id:1,phase:1," LOG "\"\n"
         "SecRule ARGS \"@rx ^%u00e9$\" \"id:2,phase:1," LOG ",t:none,t:utf8toUnicode\"\n"),
     GET("/?a=%c3%a9") "\n", NULL, "2", NULL},
    /* MATCHED_VARS across a chain */
    {SET("SecRule ARGS:a|ARGS:b \"@rx .\" \"id:1,phase:1," LOG ",chain\"\n"
         "SecRule MATCHED_VARS \"@streq two\" \"t:none\"\n"
         "SecRule ARGS:a|ARGS:b \"@rx .\" \"id:2,phase:1," LOG ",chain\"\n"
         "SecRule &MATCHED_VARS \"@eq 2\" \"t:none\"\n"
         "SecRule ARGS \"@rx .\" \"id:3,phase:1," LOG ",chain\"\n"
         "SecRule MATCHED_VARS_NAMES \"@streq ARGS:b\" \"t:none\"\n"
         "SecRule ARGS \"@rx w\" \"id:4,phase:1," LOG ",chain\"\n"
         "SecRule MATCHED_VAR_NAME \"@streq ARGS:b\" \"t:none\"\n"),
     GET("/?a=one&b=two") "\n", NULL, "1 2 3 4", KEEPS},
    /* ctl */
    {SET("SecAction \"id:1,phase:1,pass,nolog,ctl:ruleRemoveById=2\"\n" TELL(2, 1, "removed")
             TELL(3, 1, "stays")),
     GET("/") "\n", NULL, "3(stays)", "no SecAction is ever removed there"},
    {SET("SecAction \"id:1,phase:1,pass,nolog,ctl:ruleRemoveById=2-3\"\n" TELL(2, 1, "removed")
             TELL(3, 1, "removed") TELL(4, 1, "stays")),
     GET("/") "\n", NULL, "4(stays)", "no SecAction is ever removed there"},
    {SET("SecAction \"id:1,phase:1,pass,nolog,ctl:ruleRemoveByTag=attack-x\"\n"
         "SecRule REQUEST_URI \"@rx .\" \"id:2,phase:1," LOG ",tag:'attack-x'\"\n"
         "SecRule REQUEST_URI \"@rx .\" \"id:3,phase:1," LOG ",tag:'attack-y'\"\n"),
     GET("/") "\n", NULL, "3", NULL},
    {SET("SecAction \"id:1,phase:1,pass,nolog,ctl:ruleRemoveById=2-3\"\n"
         "SecRule REQUEST_URI \"@rx .\" \"id:2,phase:1," LOG "\"\n"
         "SecRule REQUEST_URI \"@rx .\" \"id:4,phase:1," LOG "\"\n"),
     GET("/") "\n", NULL, "4", NULL},
    {SET("SecAction \"id:1,phase:1,pass,nolog,ctl:ruleRemoveTargetById=2;ARGS:note\"\n"
         "SecRule ARGS \"@contains x\" \"id:2,phase:1," LOG ",msg:'%{MATCHED_VAR_NAME}'\"\n"
         "SecRule ARGS \"@contains x\" \"id:3,phase:1," LOG ",msg:'%{MATCHED_VAR_NAME}'\"\n"),
     GET("/?note=x") "\n", NULL, "3(ARGS:note)", NULL},
    {SET("SecRule REQUEST_FILENAME \"@endsWith /save\" \"id:1,phase:1,pass,nolog,"
         "ctl:ruleRemoveTargetByTag=OWASP_CRS;ARGS:note\"\n"
         "SecRule ARGS \"@contains x\" \"id:2,phase:1," LOG
         ",tag:'OWASP_CRS',msg:'%{MATCHED_VAR_NAME}'\"\n"),
     GET("/save?note=x&b=x") "\n", NULL, "2(ARGS:b)", NULL},
    {SET("SecAction \"id:1,phase:1,pass,nolog,ctl:ruleRemoveTargetById=2;REQUEST_COOKIES\"\n"
         "SecRule REQUEST_COOKIES|ARGS \"@contains x\" \"id:2,phase:1," LOG
         ",msg:'%{MATCHED_VAR_NAME}'\"\n"),
     GET("/?a=x") "Cookie: c=x\n\n", NULL, "2(ARGS:a)", NULL},
    {SET("SecRule REQUEST_METHOD \"@streq GET\" \"id:1,phase:1,pass,nolog,"
         "ctl:ruleEngine=DetectionOnly\"\n"
         "SecRule ARGS:a \"@streq 1\" \"id:2,phase:1,deny,log\"\n"),
     GET("/?a=1") "\n", NULL, "2", NULL},
    {SET("SecAction \"id:1,phase:1,pass,nolog,ctl:ruleEngine=Off\"\n" TELL(2, 2, "never")),
     GET("/?a=1") "\n", NULL, "", NULL},
    {SET("SecAction \"id:1,phase:1,pass,nolog,ctl:forceRequestBodyVariable=On\"\n"
         "SecRule REQUEST_BODY \"@rx ^words$\" \"id:2,phase:2," LOG "\"\n"),
     PLAIN_REQUEST, NULL, "2", NULL},
    {SET("SecAction \"id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=URLENCODED\"\n"
         "SecRule ARGS_POST:a \"@streq 1\" \"id:2,phase:2," LOG "\"\n"),
     "POST / HTTP/1.1\nHost: a\nContent-Type: text/plain\n\na=1", NULL, "2", NULL},
    {SET("SecAction \"id:1,phase:1,pass,nolog,ctl:ruleRemoveTargetById=2;ARGS:b\"\n"
         "SecRule ARGS \"@rx .\" \"id:2,phase:1," LOG ",msg:'%{MATCHED_VAR_NAME}',chain\"\n"
         "SecRule ARGS \"@streq x\"\n"),
     GET("/?a=1&b=x") "\n", NULL, "2(ARGS:b)", NULL},
    {SET("SecAction \"id:1,phase:1,pass,nolog,ctl:ruleRemoveTargetByTag=T;ARGS:b\"\n"
         "SecRule ARGS \"@rx .\" \"id:2,phase:1," LOG
         ",tag:T,msg:'%{MATCHED_VAR_NAME}',chain\"\nSecRule ARGS \"@streq x\"\n"),
     GET("/?a=1&b=x") "\n", NULL, "2(ARGS:b)", NULL},
    /* what a chain says of itself, wherever it says so */
    {SET("SecRule ARGS:a \"@rx .\" \"id:1,phase:1," LOG ",chain\"\n"
         "SecRule ARGS:b \"@rx .\" \"msg:'link',logdata:'%{MATCHED_VAR}',chain\"\n"
         "SecRule ARGS:a \"@rx .\" \"msg:'last',logdata:'none'\"\n"),
     GET("/?a=1&b=x") "\n", NULL, "1(link|1)", NULL},
    /* the rule at work; a message that names itself ends */
    {SET("SecRule RULE:id \"@eq 7\" \"id:7,phase:1," LOG ",msg:'m'\"\n"
         "SecRule RULE:severity|RULE:rev \"@streq 3\" \"id:8,phase:1," LOG
         ",rev:3,severity:3,setvar:tx.n=+1\"\n" TELL(9, 1, "%{tx.n}")),
     GET("/") "\n", NULL, "7(m) 8 9(2)", NULL},
    {SET("SecAction \"id:7,phase:1," LOG ",rev:3,msg:'<%{rule.rev} %{rule.msg}>'\"\n"),
     GET("/") "\n", NULL, "7(<3 <3 >>)", "texts do not know their rule there"},
    /* behind the answer nothing is left to refuse */
    {SET("SecRule ARGS:a \"@rx .\" \"id:1,phase:5,deny,log,status:500,msg:'m'\"\n"),
     GET("/?a=1") "\n", NULL, "1(m)", "an intervention that nobody asks for there"},
    /* what a rule writes while it looks comes too late for it */
    {SET("SecAction \"id:1,phase:1,pass,nolog,setvar:tx.n_a=1,setvar:tx.n_b=2\"\n"
         "SecRule TX:/^n_/ \"@rx .\" "
         "\"id:2,phase:1,pass,nolog,setvar:'tx.n_sum=+%{MATCHED_VAR}'\"\n"
         "SecRule TX:/./ \"@rx .\" \"id:3,phase:1,pass,nolog,setvar:'tx.x%{MATCHED_VAR_NAME}=1'\"\n"
         "SecRule &TX \"@eq 6\" \"id:4,phase:1," LOG ",msg:'%{tx.n_sum}'\"\n"),
     GET("/") "\n", NULL, "4(3)", NULL},
    /* the clock */
    {SET("SecRule TIME \"@rx ^\\d\\d:\\d\\d:\\d\\d$\" \"id:1,phase:1," LOG "\"\n"
         "SecRule TIME_YEAR \"@ge 2024\" \"id:2,phase:1," LOG "\"\n"
         "SecRule TIME_EPOCH|TIME_DAY \"@gt 0\" \"id:3,phase:1," LOG "\"\n"
         "SecRule TIME_HOUR|TIME_MIN|TIME_SEC|TIME_MON|TIME_WDAY \"@rx ^\\d+$\" "
         "\"id:4,phase:1," LOG "\"\n"),
     GET("/") "\n", NULL, "1 2 3 4", NULL},
    /* changes to others' rules */
    {SET("SecRule ARGS \"@contains x\" \"id:1,phase:1," LOG ",msg:'%{MATCHED_VAR_NAME}'\"\n"
         "SecRuleUpdateTargetById 1 \"!ARGS:note\"\n"),
     GET("/?a=x&note=x") "\n", NULL, "1(ARGS:a)", NULL},
    {SET("SecRule ARGS \"@contains x\" \"id:1,phase:1," LOG ",tag:'T',msg:'%{MATCHED_VAR_NAME}'\"\n"
         "SecRuleUpdateTargetByTag \"T\" \"!ARGS:note\"\n"),
     GET("/?a=x&note=x") "\n", NULL, "1(ARGS:a)", NULL},
    {SET(TELL(1, 1, "one") TELL(2, 1, "two") "SecRuleRemoveById 1\n"), GET("/") "\n", NULL,
     "2(two)", NULL},
    {SET("SecAction \"id:1,phase:1," LOG ",tag:'T'\"\n" TELL(2, 1, "two") "SecRuleRemoveByTag T\n"),
     GET("/") "\n", NULL, "2(two)", NULL},
    {SET("SecRule ARGS:a \"@streq 1\" \"id:1,phase:1,deny,log\"\n"
         "SecRuleUpdateActionById 1 \"pass\"\n"),
     GET("/?a=1") "\n", NULL, "1", NULL},
    /* defaults: block becomes what the phase's default says */
    {SET("SecDefaultAction \"phase:1,log,auditlog,deny,status:406\"\n"
         "SecRule ARGS:a \"@streq 1\" \"id:1,phase:1,block,msg:'m'\"\n"),
     GET("/?a=1") "\n", NULL, "1(m) =406", NULL},
    {SET("SecDefaultAction \"phase:1,log,auditlog,pass\"\n"
         "SecRule ARGS:a \"@streq 1\" \"id:1,phase:1,block,msg:'m'\"\n"),
     GET("/?a=1") "\n", NULL, "1(m)", NULL},
    /* allow */
    {SET("SecAction \"id:1,phase:1,allow,nolog\"\n" TELL(2, 1, "a") TELL(3, 2, "b")
             TELL(4, 5, "c")),
     GET("/") "\n", NULL, "4(c)", NULL},
    {SET("SecAction \"id:1,phase:1,allow:phase,nolog\"\n" TELL(2, 1, "a") TELL(3, 2, "b")),
     GET("/") "\n", NULL, "3(b)", NULL},
    {SET("SecAction \"id:1,phase:1,allow:request,nolog\"\n" TELL(2, 2, "a") TELL(3, 3, "b")),
     GET("/") "\n", NULL, "3(b)", NULL},
    {SET("SecAction \"id:1,phase:1,redirect:'/login?from=%{REQUEST_URI}',status:302,log\"\n"),
     GET("/x") "\n", NULL, "1 =302", NULL},
    {SET("SecAction \"id:1,phase:1,drop,log\"\n"), GET("/x") "\n", NULL, "1 =403", NULL},
    /* memory of collections within a transaction */
    {SET("SecAction \"id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR}\"\n"
         "SecAction \"id:3,phase:1,pass,nolog,setvar:ip.n=+2\"\n"
         "SecRule IP:N \"@eq 2\" \"id:2,phase:1," LOG ",msg:'%{ip.n}',expirevar:ip.n=60\"\n"),
     GET("/") "\n", NULL, "2(2)", NULL},
    {SET("SecAction \"id:1,phase:1,pass,nolog,setuid:'%{REMOTE_ADDR}',setsid:s1\"\n" TELL(
         2, 1, "%{USERID} %{SESSIONID}")),
     GET("/") "\n", NULL, "2(127.0.0.1 s1)", NULL},
    /* the body says it is broken */
    {SET(BODY_KINDS "SecRule REQBODY_ERROR \"!@eq 0\" \"id:200002,phase:2,deny,status:400,log\"\n"),
     "POST / HTTP/1.1\nHost: a\nContent-Type: application/json\n\n{\"a\":", NULL, "200002 =400",
     NULL},
    {SET("SecRule &REQUEST_HEADERS:Accept \"@eq 0\" \"id:1,phase:1," LOG "\"\n"
         "SecRule REQUEST_HEADERS:Accept \"@rx ^$\" \"id:2,phase:1," LOG "\"\n"
         "SecRule &TX:none \"@eq 0\" \"id:3,phase:1," LOG "\"\n"
         "SecRule TX:none \"@eq 0\" \"id:4,phase:1," LOG "\"\n"),
     GET("/") "\n", NULL, "1 3", NULL},
    {SET("SecRule FILES|FILES_NAMES \"@rx \\.png$\" \"id:1,phase:2," LOG
         ",logdata:'%{MATCHED_VAR_NAME}'\"\n"
         "SecRule MULTIPART_PART_HEADERS \"@rx ^content-type\\s*:\\s*image\" \"id:2,phase:2," LOG
         ",t:none,t:lowercase\"\n"),
     MULTIPART, NULL, "1(|FILES:pic) 2", NULL},
    {SET("SecRule RESPONSE_BODY \"@rx ORA-\\d{5}\" \"id:1,phase:4,deny,status:502,log\"\n"
         "SecRule RESPONSE_STATUS \"@rx ^5\" \"id:2,phase:3," LOG "\"\n"),
     GET("/") "\n", "HTTP/1.1 500 Oops\nContent-Type: text/html\n\nORA-00942", "2 1 =502", NULL},
    {SET("SecRule RESPONSE_BODY \"@rx ORA\" \"id:1,phase:4," LOG "\"\n"), GET("/") "\n",
     "HTTP/1.1 200 OK\nContent-Type: image/png\n\nORA", "", NULL},
    {SET("SecRule HIGHEST_SEVERITY \"@eq 2\" \"id:3,phase:2," LOG "\"\n"
         "SecRule REQUEST_URI \"@rx .\" \"id:1,phase:1," LOG ",severity:4\"\n"
         "SecRule REQUEST_URI \"@rx .\" \"id:2,phase:1," LOG ",severity:'CRITICAL'\"\n"
         "SecAction \"id:4,phase:1," LOG "\"\n"),
     GET("/") "\n", NULL, "1 2 4 3", "a SecAction without a message is not logged there"},
    {SET("SecRule ARGS:a|ARGS:b \"@rx .\" \"id:2,phase:1," LOG ",chain\"\n"
         "SecRule &MATCHED_VARS \"@rx ^(.*)$\" \"capture,setvar:tx.n=%{tx.0}\"\n" TELL(
             3, 1, "%{tx.n}") "SecRule ARGS:a|ARGS:b \"@rx .\" \"id:4,phase:1," LOG ",chain\"\n"
                              "SecRule MATCHED_VARS \"@rx ^(.*)$\" \"capture,setvar:'tx.m=%{tx.m} "
                              "%{MATCHED_VAR_NAME}>%{tx.0}'\"\n" TELL(5, 1, "m%{tx.m}")),
     GET("/?a=one&b=two") "\n", NULL,
     "2 3(2) 4 5(m MATCHED_VARS:ARGS:a>one MATCHED_VARS:ARGS:b>two)", KEEPS},
};

static void test_rules(void **state) {
    size_t wrong = 0;
    (void)state;
    for (size_t i = 0; i < RP_COUNT_OF(rules); i++) {
        wrong += !both_row_holds(&rules[i]);
    }
    assert_int_equal(wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operators),
        cmocka_unit_test(test_variables),
        cmocka_unit_test(test_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
