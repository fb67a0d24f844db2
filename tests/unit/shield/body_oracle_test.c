/* libmodsecurity reads the same bodies: what it finds is what we find; where the two differ, the
 * table says why. Written bodies, then generated forms, cookies and JSON. */
#include <modsecurity/modsecurity.h>
#include <modsecurity/rules_set.h>
#include <modsecurity/transaction.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/checked.h"
#include "shield/body.h"
#include "unit.h"

#define FORM "application/x-www-form-urlencoded"
#define JSON "application/json"
#define XML "text/xml"
#define FORM_DATA "multipart/form-data; boundary=bb"
#define PART(name) "--bb\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n"
#define LAST "\r\n--bb--\r\n"
#define DISPOSITION(text) "--bb\r\nContent-Disposition: " text "\r\n\r\nv" LAST

enum { ITEMS_MAX = 256, SLICE = 180, SLICES = 24, BODY_MAX = 4096 };

/* What was found, a text each: "ARGS:name~value". */
struct items {
    rp_view p[ITEMS_MAX];
    size_t n;
    struct rp_arena *arena;
};

static void add_item(struct items *items, const char *what, rp_view name, rp_view value) {
    struct rp_buf buf = rp_buf_new(1 << 16);
    rp_buf_add_cstr(&buf, what);
    if (name.n > 0 || value.n > 0 || what[strlen(what) - 1] == ':') {
        rp_buf_add(&buf, name);
        rp_buf_add_byte(&buf, '~');
        rp_buf_add(&buf, value);
    }
    assert_true(items->n < ITEMS_MAX);
    assert_ok(rp_arena_copy(items->arena, rp_buf_view(&buf), &items->p[items->n++]));
    rp_buf_done(&buf);
}

static int by_bytes(const void *a, const void *b) {
    return rp_view_compare(*(const rp_view *)a, *(const rp_view *)b);
}

/* ---- ours ---- */

static const char *const flag_names[] = {
    "BOUNDARY_QUOTED",   "BOUNDARY_WHITESPACE",    "DATA_BEFORE",
    "DATA_AFTER",        "HEADER_FOLDING",         "LF_LINE",
    "CRLF_LF_LINES",     "MISSING_SEMICOLON",      "INVALID_QUOTING",
    "INVALID_PART",      "INVALID_HEADER_FOLDING", "FILE_LIMIT_EXCEEDED",
    "UNMATCHED_BOUNDARY"};

static void add_pairs(struct items *items, const char *what, const struct rp_waf_pairs *pairs) {
    for (size_t i = 0; i < pairs->n; i++) {
        add_item(items, what, pairs->p[i].name, pairs->p[i].value);
    }
}

static enum rp_body_kind kind_of(const char *type) {
    return strcmp(type, JSON) == 0   ? RP_BODY_JSON
           : strcmp(type, XML) == 0  ? RP_BODY_XML
           : strcmp(type, FORM) == 0 ? RP_BODY_URLENCODED
                                     : RP_BODY_MULTIPART;
}

static void add_xml(struct items *items, const struct rp_body_result *result) {
    struct rp_buf text = rp_buf_new(1 << 16);
    for (size_t i = 0; i < result->texts.n; i++) {
        rp_buf_add(&text, result->texts.p[i].value);
    }
    add_item(items, "XML:", RP_VIEW("/*"), rp_buf_view(&text));
    for (size_t i = 0; i < result->attributes.n; i++) {
        add_item(items, "XML:", RP_VIEW("//@*"), result->attributes.p[i].value);
    }
    rp_buf_done(&text);
}

static void ours(const char *type, rp_view bytes, rp_view cookie, struct items *items) {
    struct rp_body_limits limits = RP_BODY_LIMITS;
    struct rp_body *body =
        rp_body_new(kind_of(type), rp_view_from_cstr(type), &limits, items->arena);
    const struct rp_body_result *result = NULL;
    struct rp_waf_pairs cookies = {0};
    assert_ok(rp_body_feed(body, bytes));
    assert_ok(rp_body_end(body, &result));
    assert_ok(rp_body_cookies(cookie, items->arena, &cookies));
    add_pairs(items, "ARGS:", &result->arguments);
    add_pairs(items, "FILES:", &result->files);
    add_pairs(items, "FILES_SIZES:", &result->file_sizes);
    add_pairs(items, "MULTIPART_PART_HEADERS:", &result->part_headers);
    add_pairs(items, "REQUEST_COOKIES:", &cookies);
    if (strcmp(type, XML) == 0) {
        add_xml(items, result);
    }
    for (size_t i = 0; i < RP_COUNT_OF(flag_names); i++) {
        if (result->multipart & 1u << i) {
            add_item(items, "MULTIPART_", rp_view_from_cstr(flag_names[i]), RP_VIEW("1"));
        }
    }
    if (result->urlencoded_error) {
        add_item(items, "URLENCODED_ERROR", RP_VIEW(""), RP_VIEW("1"));
    }
    if (result->error) {
        bool json = strcmp(type, JSON) == 0;
        add_item(items, "ERROR", RP_VIEW(""),
                 json ? rp_view_from_cstr(result->message) : RP_VIEW("1"));
    }
}

/* ---- theirs ---- */

static struct rp_buf hex_log; /* filled by the library's call back */

/* A rule's line in the log: [data "…"], which holds a slice of hexadecimal text. */
static void take_log(void *data, const void *line) {
    const char *from = strstr(line, "[data \"");
    (void)data;
    if (from) {
        from += 7;
        rp_buf_add(&hex_log, rp_view_of(from, strspn(from, "0123456789abcdef")));
    }
}

static RulesSet *rules_new(void) {
    struct rp_buf text = rp_buf_new(1 << 20);
    rp_buf_add_cstr(
        &text,
        "SecRuleEngine DetectionOnly\nSecRequestBodyAccess On\n"
        "SecRequestBodyLimit 13107200\nSecRequestBodyNoFilesLimit 13107200\n"
        "SecRule REQUEST_HEADERS:Content-Type \"@contains json\" "
        "\"id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON\"\n"
        "SecRule REQUEST_HEADERS:Content-Type \"@contains xml\" "
        "\"id:2,phase:1,pass,nolog,ctl:requestBodyProcessor=XML\"\n"
        "SecRule ARGS|FILES|FILES_SIZES|MULTIPART_PART_HEADERS|REQUEST_COOKIES|XML:/*|XML://@*|"
        "URLENCODED_ERROR");
    for (size_t i = 0; i < RP_COUNT_OF(flag_names); i++) {
        rp_buf_printf(&text, "|MULTIPART_%s", flag_names[i]);
    }
    rp_buf_add_cstr(&text, " \"@unconditionalMatch\" \"id:3,phase:2,pass,nolog,setvar:'tx.all="
                           "%{tx.all}%{MATCHED_VAR_NAME}~%{MATCHED_VAR};;'\"\n"
                           "SecRule REQBODY_ERROR_MSG \"@rx .\" \"id:4,phase:2,pass,nolog,"
                           "setvar:'tx.all=%{tx.all}ERROR~%{MATCHED_VAR};;'\"\n");
    for (int i = 0; i < SLICES; i++) {
        rp_buf_printf(&text,
                      "SecRule TX:all \"@rx ^.{%d}(.{1,%d})\" \"id:%d,phase:2,pass,log,capture,"
                      "t:hexEncode,logdata:'%%{TX.1}'\"\n",
                      SLICE * i, SLICE, 100 + i);
    }
    rp_buf_add_byte(&text, '\0');
    RulesSet *rules = msc_create_rules_set();
    const char *problem = NULL;
    if (msc_rules_add(rules, (const char *)text.p, &problem) < 0) {
        print_error("%s\n", problem);
        fail();
    }
    rp_buf_done(&text);
    return rules;
}

static void add_header(Transaction *transaction, const char *name, rp_view value) {
    msc_add_n_request_header(transaction, (const unsigned char *)name, strlen(name), value.p,
                             value.n);
}

static void judge(ModSecurity *library, RulesSet *rules, const char *type, rp_view bytes,
                  rp_view cookie) {
    Transaction *transaction = msc_new_transaction(library, rules, NULL);
    msc_process_connection(transaction, "127.0.0.1", 1, "127.0.0.1", 80);
    msc_process_uri(transaction, "/", "POST", "1.1");
    add_header(transaction, "Content-Type", rp_view_from_cstr(type));
    if (cookie.n > 0) {
        add_header(transaction, "Cookie", cookie);
    }
    msc_process_request_headers(transaction);
    msc_append_request_body(transaction, bytes.p, bytes.n);
    msc_process_request_body(transaction);
    msc_transaction_cleanup(transaction);
}

static int hex_value(uint8_t byte) {
    return byte <= '9' ? byte - '0' : byte - 'a' + 10;
}

/* Their flags that are not set, and their text before an error, are nothing to compare. */
static void add_their_item(struct items *items, const char *type, rp_view item) {
    static const char *const prefixes[] = {
        "JSON parsing error: ", "Multipart parsing error: ", "XML parsing error: "};
    bool flag = rp_view_starts(item, RP_VIEW("MULTIPART_")) &&
                !rp_view_starts(item, RP_VIEW("MULTIPART_PART_HEADERS"));
    if (rp_view_equal(item, RP_VIEW("URLENCODED_ERROR~0")) ||
        (flag && !rp_view_ends(item, RP_VIEW("~1")))) {
        return;
    }
    if (flag) {
        rp_view name = rp_view_sub(item, 10, item.n - 12);
        add_item(items, "MULTIPART_", name, RP_VIEW("1"));
        return;
    }
    if (!rp_view_starts(item, RP_VIEW("ERROR~"))) {
        rp_view trimmed = item;
        if (rp_view_starts(item, RP_VIEW("MULTIPART_PART_HEADERS"))) {
            trimmed = rp_view_trim(item);
        }
        items->p[items->n++] = trimmed;
        return;
    }
    rp_view message = rp_view_from(item, 6);
    for (size_t i = 0; i < RP_COUNT_OF(prefixes); i++) {
        rp_view prefix = rp_view_from_cstr(prefixes[i]);
        message = rp_view_starts(message, prefix) ? rp_view_from(message, prefix.n) : message;
    }
    add_item(items, "ERROR", RP_VIEW(""),
             strcmp(type, JSON) == 0 ? rp_view_trim(message) : RP_VIEW("1"));
}

static void theirs(ModSecurity *library, RulesSet *rules, const char *type, rp_view bytes,
                   rp_view cookie, struct items *items) {
    hex_log = rp_buf_new(1 << 16);
    judge(library, rules, type, bytes, cookie);
    assert_true(hex_log.n < SLICE * SLICES); /* a longer one would be cut */
    uint8_t *p = rp_arena_alloc(items->arena, hex_log.n / 2);
    for (size_t i = 0; i < hex_log.n / 2; i++) {
        p[i] = (uint8_t)(hex_value(hex_log.p[2 * i]) * 16 + hex_value(hex_log.p[2 * i + 1]));
    }
    rp_view rest = rp_view_of(p, hex_log.n / 2);
    while (rest.n > 0) {
        size_t end = rp_view_find(rest, RP_VIEW(";;"));
        add_their_item(items, type, rp_view_sub(rest, 0, end));
        rest = rp_view_from(rest, end + 2);
    }
    rp_buf_done(&hex_log);
}

/* ---- side by side ---- */

static void print_items(const char *title, const struct items *items) {
    print_error("  %s:", title);
    for (size_t i = 0; i < items->n; i++) {
        print_error(" [%.*s]", RP_FMT(items->p[i]));
    }
    print_error("\n");
}

static bool same(ModSecurity *library, RulesSet *rules, const char *type, rp_view bytes,
                 rp_view cookie, bool expected) {
    struct items us = {.arena = rp_arena_new(1 << 22)};
    struct items them = {.arena = us.arena};
    ours(type, bytes, cookie, &us);
    theirs(library, rules, type, bytes, cookie, &them);
    qsort(us.p, us.n, sizeof *us.p, by_bytes);
    qsort(them.p, them.n, sizeof *them.p, by_bytes);
    bool equal = us.n == them.n;
    for (size_t i = 0; equal && i < us.n; i++) {
        equal = rp_view_equal(us.p[i], them.p[i]);
    }
    if (equal != expected) {
        print_error("%s\n%.*s\n", type, RP_FMT(bytes));
        print_items("here", &us);
        print_items("libmodsecurity", &them);
    }
    rp_arena_free(us.arena);
    return equal;
}

static const struct {
    const char *type;
    rp_view bytes;
    const char *why; /* they differ */
} cases[] = {
#define CASE(type, bytes, why)                                                                     \
    { type, RP_VIEW_INIT(bytes), why }
#include "body_oracle_cases.def"
};

struct oracle {
    ModSecurity *library;
    RulesSet *rules;
};

static void test_cases(void **state) {
    const struct oracle *oracle = *state;
    size_t wrong = 0;
    for (size_t i = 0; i < RP_COUNT_OF(cases); i++) {
        bool expected = cases[i].why == NULL;
        wrong += same(oracle->library, oracle->rules, cases[i].type, cases[i].bytes,
                      rp_view_of(NULL, 0), expected) != expected;
    }
    assert_int_equal(wrong, 0);
}

/* ---- generated ---- */

static uint32_t chance(uint64_t *seed, uint32_t below) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % below;
}

static rp_view soup(uint64_t *seed, const char *const *pieces, uint32_t count, uint8_t *space) {
    size_t n = 0;
    for (uint32_t left = 1 + chance(seed, 24); left > 0; left--) {
        const char *piece = pieces[chance(seed, count)];
        memcpy(space + n, piece, strlen(piece));
        n += strlen(piece);
    }
    return rp_view_of(space, n);
}

static void test_forms(void **state) {
    static const char *const pieces[] = {"a", "b",  "=",  "&",   "%",   "%4", "%41",
                                         "+", "%0", "zz", "%zz", "%00", " ",  "\xe9"};
    static const char *const crumbs[] = {"a", "b", "=", "; ", ";", " ", "\t", "%41", "+", "\""};
    const struct oracle *oracle = *state;
    uint64_t seed = 7;
    for (int i = 0; i < 800; i++) {
        uint8_t space[BODY_MAX], jar[BODY_MAX];
        rp_view form = soup(&seed, pieces, RP_COUNT_OF(pieces), space);
        rp_view cookie = soup(&seed, crumbs, RP_COUNT_OF(crumbs), jar);
        if (rp_view_find(cookie, RP_VIEW(";;")) == cookie.n) { /* what parts our items */
            assert_true(same(oracle->library, oracle->rules, FORM, form, cookie, true));
        }
    }
}

static void test_json(void **state) {
    static const char *const pieces[] = {
        "{",       "}",           "[",           "]",      ",",
        ":",       "\"a\"",       "\"\"",        "\"b\":", "\"c\"",
        "true",    "false",       "null",        "12",     "-0",
        "1.5e3",   " ",           "\"\\u00e9\"", "[1,",    "]}",
        "{\"x\":", "\"\\n\\\\\"", "[[1],2]",     "{},",    "\"\xc3\xa9\"",
        "0"};
    const struct oracle *oracle = *state;
    uint64_t seed = 11;
    for (int i = 0; i < 1500; i++) {
        uint8_t space[BODY_MAX];
        rp_view body = soup(&seed, pieces, RP_COUNT_OF(pieces), space);
        assert_true(same(oracle->library, oracle->rules, JSON, body, rp_view_of(NULL, 0), true));
    }
}

/* Whole bodies of one-line values: where lines are several, the two differ. */
static void test_multipart(void **state) {
    static const char *const parts[] = {"name=\"a\"",
                                        "name=b",
                                        "name=\"c d\"",
                                        "name=\"f\"; filename=\"x.txt\"",
                                        "filename=y; name=f",
                                        "name=\"q\\\"\"; filename=\"C:\\dir\\z\"",
                                        "name = \"a\" ;",
                                        "name='s'",
                                        "name=\"g\"; filename=\"it's\"\r\nContent-Type: text/plain",
                                        "name=\"h\"\r\nX-Other: 1\r\n\tfolded"};
    static const char *const values[] = {"",      "v",    "x-", " --x", "bb",
                                         "a=b&c", "\xff", " ",  "\t%41"};
    const struct oracle *oracle = *state;
    uint64_t seed = 17;
    for (int i = 0; i < 600; i++) {
        struct rp_buf body = rp_buf_new(BODY_MAX);
        for (uint32_t left = 1 + chance(&seed, 4); left > 0; left--) {
            rp_buf_printf(&body, "--bb\r\nContent-Disposition: form-data; %s\r\n\r\n%s%s\r\n",
                          parts[chance(&seed, RP_COUNT_OF(parts))],
                          values[chance(&seed, RP_COUNT_OF(values))],
                          values[chance(&seed, RP_COUNT_OF(values))]);
        }
        rp_buf_add_cstr(&body, chance(&seed, 8) > 0 ? "--bb--\r\n" : "--bb--");
        assert_true(same(oracle->library, oracle->rules, FORM_DATA, rp_buf_view(&body),
                         rp_view_of(NULL, 0), true));
        rp_buf_done(&body);
    }
}

static void test_xml(void **state) {
    static const char *const pieces[] = {"<a>",
                                         "</a>",
                                         "<b>",
                                         "</b>",
                                         "<a/>",
                                         "x",
                                         "&lt;",
                                         "&#65;",
                                         " ",
                                         "\r\n",
                                         "<!-- c -->",
                                         "<?p q?>",
                                         "<![CDATA[<d>]]>",
                                         "<a b=\"1\">",
                                         "<b c='2' d=\"&amp;\"/>",
                                         "</a>",
                                         "</b>",
                                         "\xc3\xa9"};
    const struct oracle *oracle = *state;
    uint64_t seed = 13;
    for (int i = 0; i < 800; i++) {
        uint8_t space[BODY_MAX] = "<r>";
        rp_view body = soup(&seed, pieces, RP_COUNT_OF(pieces), space + 3);
        memcpy(space + 3 + body.n, "</r>", 4);
        struct rp_arena *arena = rp_arena_new(1 << 20);
        struct rp_body_limits limits = RP_BODY_LIMITS;
        const struct rp_body_result *result = NULL;
        struct rp_body *reader = rp_body_new(RP_BODY_XML, RP_VIEW(XML), &limits, arena);
        assert_ok(rp_body_feed(reader, rp_view_of(space, body.n + 7)));
        assert_ok(rp_body_end(reader, &result));
        if (!result->error) {
            assert_true(same(oracle->library, oracle->rules, XML, rp_view_of(space, body.n + 7),
                             rp_view_of(NULL, 0), true));
        }
        rp_arena_free(arena);
    }
}

int main(void) {
    struct oracle oracle = {msc_init(), NULL};
    msc_set_log_cb(oracle.library, take_log);
    oracle.rules = rules_new();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_cases, &oracle),
        cmocka_unit_test_prestate(test_forms, &oracle),
        cmocka_unit_test_prestate(test_json, &oracle),
        cmocka_unit_test_prestate(test_multipart, &oracle),
        cmocka_unit_test_prestate(test_xml, &oracle),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    msc_rules_cleanup(oracle.rules);
    msc_cleanup(oracle.library);
    return failed;
}
