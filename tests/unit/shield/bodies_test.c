/* What a body becomes in a transaction: the variables that rules ask. */
#include "base/checked.h"
#include "memory_rules.h"

static const char rules_text[] =
    "SecRuleEngine On\nSecRequestBodyAccess On\nSecArgumentsLimit 4\n"
    "SecRule REQUEST_HEADERS:Content-Type \"@contains json\" "
    "\"id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON\"\n"
    "SecRule REQUEST_HEADERS:Content-Type \"@contains xml\" "
    "\"id:2,phase:1,pass,nolog,ctl:requestBodyProcessor=XML\"\n"
    "SecRule XML:/* \"@contains evil\" \"id:3,phase:2,pass,log\"\n"
    "SecRule XML://@* \"@contains evil\" \"id:4,phase:2,pass,log\"\n"
    "SecRule FILES \"@endsWith .php\" \"id:5,phase:2,pass,log\"\n"
    "SecRule MULTIPART_PART_HEADERS:f \"@contains charset\" \"id:6,phase:2,pass,log\"\n"
    "SecRule ARGS_POST:json.a.array_1.b \"@streq evil\" \"id:7,phase:2,pass,log\"\n"
    "SecRule REQBODY_ERROR \"!@eq 0\" \"id:8,phase:2,pass,log,logdata:'%{REQBODY_ERROR_MSG}'\"\n"
    "SecRule MULTIPART_STRICT_ERROR \"!@eq 0\" \"id:9,phase:2,pass,log\"\n"
    "SecRule FILES_COMBINED_SIZE \"@eq 3\" \"id:10,phase:2,pass,log\"\n"
    "SecRequestBodyNoFilesLimit 4000000\n"
    "SecRule ARGS_POST:hungry \"@rx ^(?:(a)|(b)|c(d))*e$\" \"id:11,phase:2,pass,log\"\n"
    "SecRule ARGS_GET:explodes \"!@rx ^(a+)+$\" \"id:12,phase:2,pass,log\"\n"
    "SecRule MSC_PCRE_ERROR \"@eq 1\" "
    "\"id:13,phase:5,pass,log,logdata:'limits %{MSC_PCRE_LIMITS_EXCEEDED}'\"\n"
    "SecRule TX:/^MSC_/ \"@eq 1\" \"id:14,phase:5,pass,log,logdata:'%{MATCHED_VAR_NAME}'\"\n"
    "SecAction \"id:15,phase:1,pass,nolog,initcol:user=%{REMOTE_ADDR},setvar:user.n=1\"\n"
    "SecRule USERID \"!@streq 192.0.2.7\" \"id:16,phase:1,pass,log\"\n";

static int open_all(void **state) {
    static struct rules rules;
    rules = open_rules(rules_text);
    *state = &rules;
    return 0;
}

static int close_all(void **state) {
    close_rules(*state);
    return 0;
}

/* "5 8:Multipart parsing error: …": the rules that matched, with their log data. */
static void check(void **state, const char *uri, const char *type, const char *body,
                  const char *want) {
    const struct rules *rules = *state;
    struct rp_waf_site site = {.mode = RP_WAF_ON};
    struct rp_waf_connection connection = {.client_address = RP_VIEW("192.0.2.7")};
    struct rp_arena *arena = rp_arena_new(64 << 20); /* what the gate gives a request */
    struct rp_buf got = rp_buf_new(4096);
    struct rp_waf_tx *tx = NULL;
    assert_ok(rp_waf_tx_new(rules->waf, &site, &connection, arena, &tx));
    assert_ok(rp_waf_tx_line(tx, RP_VIEW("POST"), rp_view_from_cstr(uri), RP_VIEW("HTTP/1.1")));
    assert_ok(rp_waf_tx_header(tx, RP_VIEW("Content-Type"), rp_view_from_cstr(type)));
    assert_ok(rp_waf_tx_headers_done(tx));
    assert_ok(rp_waf_tx_body(tx, rp_view_from_cstr(body)));
    assert_ok(rp_waf_tx_body_done(tx));
    assert_ok(rp_waf_tx_logging(tx));
    size_t count = 0;
    const struct rp_waf_match *matches = rp_waf_tx_matches(tx, &count, NULL);
    for (size_t i = 0; i < count; i++) {
        if (matches[i].logged) {
            rp_buf_printf(&got, "%s%llu", got.n > 0 ? " " : "", (unsigned long long)matches[i].id);
            rp_buf_add_cstr(&got, matches[i].log_data.n > 0 ? ":" : "");
            rp_buf_add(&got, matches[i].log_data);
        }
    }
    assert_view_equal(rp_buf_view(&got), rp_view_from_cstr(want));
    rp_waf_tx_done(tx);
    rp_buf_done(&got);
    rp_arena_free(arena);
}

#define FORM "application/x-www-form-urlencoded"
#define DATA "multipart/form-data; boundary=bb"

static void test_kinds(void **state) {
    check(state, "/", "application/json", "{\"a\":[1,{\"b\":\"evil\"}]}", "7");
    check(state, "/", "text/xml", "<a b=\"evil\">ev<i/>il</a>", "3 4");
    check(state, "/", DATA,
          "--bb\r\nContent-Disposition: form-data; name=f; filename=x.php\r\n"
          "Content-Type: text/plain; charset=utf-7\r\n\r\nabc\r\n--bb--\r\n",
          "5 6 10");
}

/* What came before an error is for rules to judge, beside the error. */
static void test_errors(void **state) {
    check(state, "/", "application/json", "{\"a\":[1,{\"b\":\"evil\"}",
          "7 8:JSON parsing error: parse error: premature EOF");
    check(state, "/", "text/xml", "<a b=\"evil\">evil",
          "3 4 8:XML parsing error: XML: Failed parsing document (it breaks off).");
    check(state, "/", DATA,
          "--bb\r\nContent-Disposition: form-data; name=f; filename=x.php\r\n\r\nabc\r\n",
          "5 8:Multipart parsing error: Multipart: Final boundary missing. 9 10");
}

/* A full query must not make the body invisible in silence. */
static void test_too_many_arguments(void **state) {
    check(state, "/?a=1&b=2", FORM, "c=3&d=4", "");
    check(state, "/?a=1&b=2", FORM, "c=3&d=4&e=5", "8:more arguments than SecArgumentsLimit");
    check(state, "/?a&b&c&d&e", FORM, "", "8:more arguments than SecArgumentsLimit");
    check(state, "/?a&b&c&d", "application/json", "[1]", "8:more arguments than SecArgumentsLimit");
}

/* Tiny texts do not fill what one request may take; what is not read is said. */
static void test_tiny_texts(void **state) {
    static char body[(1 << 18) * 5 + 64];
    size_t n = 0;
    memcpy(body, "<r>evil", 7);
    for (n = 7; n < sizeof body - 8; n += 5) {
        memcpy(body + n, "<b/>x", 5);
    }
    memcpy(body + n, "</r>", 5);
    check(state, "/", "text/xml", body,
          "3 8:XML parsing error: XML: Failed parsing document (too many texts).");
}

/* What PCRE2 needs room for is still judged, and what explodes is not taken for harmless. */
static void test_hungry_expressions(void **state) {
    static char body[60000] = "hungry=";
    memset(body + 7, 'a', sizeof body - 9);
    body[sizeof body - 2] = 'e';
    check(state, "/", FORM, body, "11");
    check(state, "/?explodes=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", FORM, "",
          "13:limits 1 14:TX:MSC_PCRE_LIMITS_EXCEEDED");
}

/* A rule of phase 1 says how much of a body is taken, and one of phase 3 how much of an answer is
 * looked at. */
static void test_limits_of_one_request(void **state) {
    (void)state;
    struct rules rules = open_rules(
        "SecRuleEngine On\nSecRequestBodyAccess On\nSecResponseBodyAccess On\n"
        "SecResponseBodyMimeType text/plain\nSecRequestBodyLimit 100\nSecResponseBodyLimit 100\n"
        "SecRequestBodyNoFilesLimit 50\nSecResponseBodyLimitAction ProcessPartial\n"
        "SecRule ARGS_GET:upload \"@streq 1\" \"id:1,phase:1,pass,nolog,"
        "ctl:requestBodyLimit=20,ctl:responseBodyLimit=10\"\n"
        "SecRule ARGS_GET:upload \"@streq 2\" \"id:2,phase:1,pass,nolog,"
        "ctl:requestBodyLimit=1000\"\n"
        "SecRule RESPONSE_BODY \"@contains evil\" \"id:3,phase:4,pass,log\"\n");
    const struct {
        const char *uri, *type;
        uint64_t takes;
        size_t matches;
    } rows[] = {
        {"/", "text/plain", 50, 1},
        {"/?upload=1", "text/plain", 20, 0},
        {"/?upload=2", "text/plain", 50, 1}, /* the other limit stands */
        {"/?upload=2", DATA, 1000, 1},
    };
    for (size_t i = 0; i < RP_COUNT_OF(rows); i++) {
        struct rp_waf_site site = {.mode = RP_WAF_ON};
        struct rp_waf_connection connection = {.client_address = RP_VIEW("192.0.2.7")};
        struct rp_arena *arena = rp_arena_new(1 << 20);
        struct rp_waf_tx *tx = NULL;
        rp_view uri = rp_view_from_cstr(rows[i].uri);
        assert_ok(rp_waf_tx_new(rules.waf, &site, &connection, arena, &tx));
        assert_ok(rp_waf_tx_line(tx, RP_VIEW("POST"), uri, RP_VIEW("HTTP/1.1")));
        assert_ok(rp_waf_tx_header(tx, RP_VIEW("Content-Type"), rp_view_from_cstr(rows[i].type)));
        assert_ok(rp_waf_tx_headers_done(tx));
        assert_true(rp_waf_tx_takes(tx, rows[i].takes));
        assert_false(rp_waf_tx_takes(tx, rows[i].takes + 1));
        assert_ok(rp_waf_tx_body_done(tx));
        assert_ok(rp_waf_tx_response(tx, 200, RP_VIEW("HTTP/1.1")));
        assert_ok(rp_waf_tx_response_header(tx, RP_VIEW("Content-Type"), RP_VIEW("text/plain")));
        assert_ok(rp_waf_tx_response_headers_done(tx));
        assert_ok(rp_waf_tx_response_body(tx, RP_VIEW("far behind: evil")));
        assert_ok(rp_waf_tx_response_body_done(tx));
        size_t count = 0;
        const struct rp_waf_match *matches = rp_waf_tx_matches(tx, &count, NULL);
        assert_int_equal(count > 0 && matches[count - 1].id == 3, rows[i].matches);
        rp_waf_tx_done(tx);
        rp_arena_free(arena);
    }
    close_rules(&rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_too_many_arguments),
        cmocka_unit_test(test_tiny_texts),
        cmocka_unit_test(test_hungry_expressions),
        cmocka_unit_test(test_limits_of_one_request),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
