/* Bodies taken apart: tables of what is found, in whatever chunks it comes. */
#include "body_text.h"

#include "base/checked.h"
#include "unit.h"

#define FORM_DATA "multipart/form-data; boundary=bb"
#define PART(name) "--bb\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n"
#define LAST "\r\n--bb--\r\n"
#define DISPOSITION(text) "--bb\r\nContent-Disposition: " text "\r\n\r\nv" LAST
#define XML_FAILED " !XML: Failed parsing document "

struct row {
    rp_view bytes;
    const char *want;
};
#define ROW(bytes, want)                                                                           \
    { RP_VIEW_INIT(bytes), want }

static const struct row forms[] = {
    ROW("", ""),
    ROW("a=b&c=d", "a=b;c=d;"),
    ROW("a=b&&c&=d&=&e=f=g&", "a=b;=;c=;=d;=;e=f=g;"),
    ROW("&", "=;"),
    ROW("a%20b=c+d", "a b=c d;"),
    ROW("a=%2", "a=%2; +encoding"),
    ROW("x%zz=1%", "x%zz=1%; +encoding"),
    ROW("%00a=%0", "\\x00a=%0; +encoding"),
    ROW("%u0041=%4", "%u0041=%4; +encoding"),
    ROW("a=%41%4a%4A%e2%82%ac", "a=AJJ\\xe2\\x82\\xac;"),
    ROW("a=1;b=2", "a=1;b=2;"),
};

static const struct row jsons[] = {
    ROW("{\"a\":[1,{\"b\":\"x\"},[2,[3]],[]],\"c\":{},\"\":5,\"d\":{\"\":{\"\":6}}}",
        "json.a.array_0=1;json.a.array_1.b=x;json.a.array_2.array_0=2;"
        "json.a.array_2.array_1.array_0=3;json.empty-key=5;json.d.empty-key.empty-key=6;"),
    ROW("[1,[2,3],{\"a\":4},[[5]],6,[],7,{},8]",
        "json.array_0=1;json.array_1.array_0=2;json.array_1.array_1=3;json.array_2.a=4;"
        "json.array_3.array_0.array_0=5;json.array_4=6;json.array_6=7;json.array_8=8;"),
    ROW("{\"a\":1.5e3,\"a\":true,\"n\":null,\"f\":false}",
        "json.a=1.5e3;json.a=true;json.n=;json.f=false;"),
    ROW("\"root\"", "json=root;"),
    ROW("-0.1E-5", "json=-0.1E-5;"),
    ROW(" null ", "json=;"),
    ROW("[]", ""),
    ROW("{\"a\":[],\"b\":[{}]}", ""),
    ROW("{\"a.b\":1,\"a\":{\"b\":2}}", "json.a.b=1;json.a.b=2;"),
    ROW("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac\"]",
        "json.array_0=\"\\/\\x08\\x0c\\x0a\\x0d\\x09A\\xc3\\xa9\\xe2\\x82\\xac;"),
    ROW("\"\\ud83d\\ude00 \\ud800x \\udc00 \\u0000\"",
        "json=\\xf0\\x9f\\x98\\x80 ?x \\xed\\xb0\\x80 \\x00;"),
    ROW("\"\\ud800\\u003cs\\ud800\\n\\ud800\"", "json=?<s?\\x0a?;"),
    ROW("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
        "json=\\xc3\\xa9\\xe2\\x82\\xac\\xf0\\x9f\\x98\\x80;"),
    ROW("{\"long key of more than eight bytes\":\"and a value\"}",
        "json.long key of more than eight bytes=and a value;"),
    ROW(" ", " !parse error: premature EOF"),
    ROW("{\"a\":1,}", "json.a=1; !parse error: invalid object key (must be a string)"),
    ROW("[1,2", "json.array_0=1;json.array_1=2; !parse error: premature EOF"),
    ROW("[01]", "json.array_0=0; !parse error: after array element, I expect ',' or ']'"),
    ROW("{\"a\" 1}", " !parse error: object key and value must be separated by a colon (':')"),
    ROW("{\"a\":1 \"b\":2}",
        "json.a=1; !parse error: after key and value, inside map, I expect ',' or '}'"),
    ROW("[1]x", "json.array_0=1; !parse error: trailing garbage"),
    ROW("[tru]", " !lexical error: invalid string in json text."),
    ROW("nul", " !lexical error: invalid string in json text."),
    ROW("[\"a\tb\"]", " !lexical error: invalid character inside string."),
    ROW("[\"\xff\"]", " !lexical error: invalid bytes in UTF8 string."),
    ROW("[\"\xc3\"]", " !lexical error: invalid bytes in UTF8 string."),
    ROW("[\"\\q\"]",
        " !lexical error: inside a string, '\\' occurs before a character which it may not."),
    ROW("[\"\\u12g4\"]",
        " !lexical error: invalid (non-hex) character occurs after '\\u' inside string."),
    ROW("[1.]", " !lexical error: malformed number, a digit is required after the decimal point."),
    ROW("[-]", " !lexical error: malformed number, a digit is required after the minus sign."),
    ROW("1e+", " !lexical error: malformed number, a digit is required after the exponent."),
    ROW("}", " !parse error: unallowed token at this point in JSON text"),
    ROW("[1,]", "json.array_0=1; !parse error: unallowed token at this point in JSON text"),
    ROW("\xef\xbb\xbf{}", " !lexical error: invalid char in json text."),
    ROW("/**/1",
        " !lexical error: probable comment found in input text, comments are not enabled."),
    ROW("\"abc", " !parse error: premature EOF"),
};

static const struct row multiparts[] = {
    ROW("", ""),
    ROW(PART("a") "v" LAST, "a=v;head:a=Content-Disposition: form-data; name=\"a\";"),
    ROW(PART("a") "l1\r\nl2\nl3\r\n" LAST,
        "a=l1\\x0d\\x0al2\\x0al3\\x0d\\x0a;head:a=Content-Disposition: form-data; name=\"a\";"),
    ROW(PART("a") "\r\n--bb--", "a=;head:a=Content-Disposition: form-data; name=\"a\";"),
    ROW("--bb\r\nContent-Disposition: form-data; name=a; filename=x.txt\r\n"
        "Content-Type: text/plain\r\n\r\n12345\r\n6" LAST,
        "file:a=x.txt;size:a=8;head:a=Content-Disposition: form-data; name=a; filename=x.txt;"
        "head:a=Content-Type: text/plain;"),
    ROW(DISPOSITION("form-data; name=\"a\"; filename=\"\""),
        "a=v;head:a=Content-Disposition: form-data; name=\"a\"; filename=\"\";"),
    ROW(DISPOSITION("form-data; name=\"a\\\"b\\x\\\\c\""),
        "a\"b\\x\\c=v;head:a\"b\\x\\c=Content-Disposition: form-data; name=\"a\\\"b\\x\\\\c\";"),
    ROW(DISPOSITION("form-data; name='a'"),
        "a=v;head:a=Content-Disposition: form-data; name='a'; +quoting"),
    ROW(DISPOSITION("form-data; name=a; filename=\"y.jpg\"; filename*=UTF-8''x%41.php"),
        "file:a=y.jpg;file:a=xA.php;size:a=1;head:a=Content-Disposition: form-data; name=a; "
        "filename=\"y.jpg\"; filename*=UTF-8''x%41.php;"),
    ROW(DISPOSITION("form-data; name=a; filename*=UTF-8''x.php"),
        " +part !Multipart: Invalid Content-Disposition header (filename)."),
    ROW(DISPOSITION("form-data; name=a; filename=b; filename*=x.php"),
        " +part !Multipart: Invalid Content-Disposition header (filename*)."),
    ROW(DISPOSITION("form-data; name=\"a"),
        " +part !Multipart: Invalid Content-Disposition header (quote without end)."),
    ROW(DISPOSITION("form-data; name=\"a\"; name=\"b\""),
        " +part !Multipart: Invalid Content-Disposition header (parameter twice)."),
    ROW(DISPOSITION("form-data; foo=bar; name=a"),
        " +part !Multipart: Invalid Content-Disposition header (unknown parameter)."),
    ROW(DISPOSITION("form-data; NAME=a"),
        " +part !Multipart: Invalid Content-Disposition header (unknown parameter)."),
    ROW(DISPOSITION("form-data; name=\"a\"x"),
        " +quoting +part !Multipart: Invalid Content-Disposition header (semicolon missing)."),
    ROW(DISPOSITION("form-data; name"),
        " +part !Multipart: Invalid Content-Disposition header (equals sign missing)."),
    ROW(DISPOSITION("form-data; name="),
        " +part !Multipart: Invalid Content-Disposition header (value missing)."),
    ROW(DISPOSITION("form-data"),
        " +part !Multipart: Content-Disposition header missing name field."),
    ROW(DISPOSITION("FORM-DATA; name=a"),
        " +part !Multipart: Invalid Content-Disposition header (not form-data)."),
    ROW("--bb\r\nX: y\r\n\r\nv" LAST,
        " +part !Multipart: Part missing Content-Disposition header."),
    ROW("--bb\r\nFoo\r\n\r\nv" LAST, " +part !Multipart: Invalid part header (colon missing)."),
    ROW("--bb\r\n: x\r\n\r\nv" LAST,
        " +part !Multipart: Invalid part header (header name missing)."),
    ROW("--bb\r\n x\r\n\r\nv" LAST,
        " +folding +part !Multipart: Invalid part header (folding error)."),
    ROW("--bb\r\nA: \0\r\n\r\nv" LAST, " +part !Multipart: Nul byte in part headers."),
    ROW("--bb\r\nA: 1\r\na: 2\r\n\r\nv" LAST, " +part !Multipart: Duplicate part header."),
    ROW("--bb\r\nContent-Disposition: form-data;\r\n \v name=a\r\n\r\nv" LAST,
        "a=v;head:a=Content-Disposition: form-data; name=a; +folding +bad_folding"),
    ROW("pre\r\n" PART("a") "x" LAST "after",
        "a=x;head:a=Content-Disposition: form-data; name=\"a\"; +before +after"),
    ROW("--bb\nContent-Disposition: form-data; name=a\n\nx\n--bb--\n",
        "a=x;head:a=Content-Disposition: form-data; name=a; +lf"),
    ROW("--bb\r\nContent-Disposition: form-data; name=a\n\r\nx\r\n--bb--\r\n",
        "a=x;head:a=Content-Disposition: form-data; name=a; +lf +crlf_lf"),
    ROW(PART("a") "--other\r\nx" LAST,
        "a=--other\\x0d\\x0ax;head:a=Content-Disposition: form-data; name=\"a\"; +unmatched"),
    ROW(PART("a") "x --bb\r\ny" LAST,
        "a=x --bb\\x0d\\x0ay;head:a=Content-Disposition: form-data; name=\"a\"; +unmatched"),
    ROW(PART("a") "x\r\n--bbb\r\n",
        "a=x;head:a=Content-Disposition: form-data; name=\"a\"; !Multipart: Invalid boundary."),
    ROW(PART("a") "x\r\n-- bb\r\n", "a=x;head:a=Content-Disposition: form-data; name=\"a\"; "
                                    "!Multipart: Invalid boundary (whitespace)."),
    ROW("--bb\r\nA: b\r\n--bb--\r\n",
        " +part !Multipart: Part without the empty line behind its headers."),
    ROW("--bb--", " !Multipart: Invalid boundary."),
    ROW("--bb--\r\n", ""),
    ROW(PART("a") "x\r\n",
        "a=x;head:a=Content-Disposition: form-data; name=\"a\"; !Multipart: Final boundary "
        "missing."),
    ROW("nothing", " +before !Multipart: No boundaries found in payload."),
};

static const struct row xmls[] = {
    ROW("<a>x</a>", "text:a=x;"),
    ROW(" <a x=\"1\" xmlns:n='u' n:y = '2'>t1 <b z=\"3\"/>\r\n<![CDATA[<cd>]]>&lt;&#65;<!-- c -->"
        "<?pi q?>e</a >\n",
        "text:a=t1 ;text:a=\\x0a;text:a=<cd>;text:a=<A;text:a=e;attr:x=1;attr:n:y=2;attr:z=3;"),
    ROW("<a b=\"1\t2\n3\r\n4'&quot;&apos;>\"/>", "attr:b=1 2 3 4'\"'>;"),
    ROW("<a>\r\rx\r</a>", "text:a=\\x0a\\x0ax\\x0a;"),
    ROW("<a><![CDATA[]]]]><![CDATA[>\r]]></a>", "text:a=]];text:a=>\\x0a;"),
    ROW("<a>&#x1F600;&#0000065;&amp;lt;</a>", "text:a=\\xf0\\x9f\\x98\\x80A&lt;;"),
    ROW("<x:a><x:b>q</x:b></x:a>", "text:x:b=q;"),
    ROW("\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"UTF-8\"?><a>\xc3\xa9</a>",
        "text:a=\\xc3\\xa9;"),
    ROW("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>", "text:a=\\xe9;"),
    ROW("<!DOCTYPE a SYSTEM \"x>\" [<!ENTITY e \"]>\"><!-- ]>' --><?p ]> ?>]><a>x</a>",
        "text:a=x;"),
    ROW("<!DOCTYPE a [<!ENTITY e \"boom\">]><a>x&e;</a>", "text:a=x;" XML_FAILED "(entity)."),
    ROW("<a>&lol;</a>", XML_FAILED "(entity)."),
    ROW("<a>&#xD800;</a>", XML_FAILED "(reference to no character)."),
    ROW("<a>&#99999999999;</a>", XML_FAILED "(reference to no character)."),
    ROW("<a>&#0;</a>", XML_FAILED "(reference to no character)."),
    ROW("<a>\x01</a>", XML_FAILED "(control character)."),
    ROW("<a>\xff</a>", XML_FAILED "(bytes that are no UTF-8)."),
    ROW("<a>\xc3</a>", "text:a=\\xc3;" XML_FAILED "(bytes that are no UTF-8)."),
    ROW("<a>]]></a>", "text:a=]];" XML_FAILED "(end of no CDATA section)."),
    ROW("<a b='<'/>", XML_FAILED "(less-than sign in a value)."),
    ROW("<a b='1' b='2'/>", "attr:b=1;" XML_FAILED "(attribute twice)."),
    ROW("<a b='1'c='2'/>", "attr:b=1;" XML_FAILED "(tag)."),
    ROW("<a/><b/>", XML_FAILED "(second root)."),
    ROW("<a>x<b></a>", "text:a=x;" XML_FAILED "(end tag of another element)."),
    ROW("</a>", XML_FAILED "(end tag of another element)."),
    ROW("text", XML_FAILED "(text outside of the root)."),
    ROW("<a>x</a>y", "text:a=x;" XML_FAILED "(text outside of the root)."),
    ROW("<![CDATA[x]]><a/>", XML_FAILED "(text outside of the root)."),
    ROW("<a>x", "text:a=x;" XML_FAILED "(it breaks off)."),
    ROW("", XML_FAILED "(it breaks off)."),
    ROW("<1/>", XML_FAILED "(name)."),
    ROW("<!-- a -- b --><a/>", XML_FAILED "(two hyphens in a comment)."),
    ROW(" <?xml version='1.0'?><a/>", XML_FAILED "(XML declaration not at the beginning)."),
    ROW("<?xml version='1.0' encoding='UTF-7'?><a>+ADw-</a>",
        XML_FAILED "(encoding that is not read here)."),
    ROW("<a/><!DOCTYPE a>", XML_FAILED "(document type)."),
    ROW("<!FOO><a/>", XML_FAILED "(declaration)."),
};

static void check(const struct body_input *input, const char *want, size_t cut, size_t step) {
    struct rp_arena *arena = rp_arena_new(4 << 20);
    struct rp_buf got = rp_buf_new(1 << 20);
    assert_ok(body_text(input, cut, step, arena, &got));
    rp_view expected = rp_view_from_cstr(want);
    if (!rp_view_equal(rp_buf_view(&got), expected)) {
        print_error("%.*s\n  cut at %zu by %zu\n  got  %.*s\n  want %s\n", RP_FMT(input->bytes),
                    cut, step, RP_FMT(rp_buf_view(&got)), want);
    }
    assert_true(rp_view_equal(rp_buf_view(&got), expected));
    rp_buf_done(&got);
    rp_arena_free(arena);
}

/* In one piece, cut in two at each position, and byte by byte. */
static void check_rows(enum rp_body_kind kind, const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct body_input input = {kind, RP_VIEW(FORM_DATA), rows[i].bytes, RP_BODY_LIMITS};
        for (size_t cut = 0; cut <= input.bytes.n; cut++) {
            check(&input, rows[i].want, cut, 0);
        }
        check(&input, rows[i].want, 1, 1);
        check(&input, rows[i].want, 3, 3);
    }
}

static void test_forms(void **state) {
    (void)state;
    check_rows(RP_BODY_URLENCODED, forms, RP_COUNT_OF(forms));
}

static void test_json(void **state) {
    (void)state;
    check_rows(RP_BODY_JSON, jsons, RP_COUNT_OF(jsons));
}

static void test_multipart(void **state) {
    (void)state;
    check_rows(RP_BODY_MULTIPART, multiparts, RP_COUNT_OF(multiparts));
}

static void test_xml(void **state) {
    (void)state;
    check_rows(RP_BODY_XML, xmls, RP_COUNT_OF(xmls));
}

/* ---- Content-Type ---- */

static void test_boundaries(void **state) {
    static const struct {
        const char *type, *body, *want;
    } rows[] = {
        {"multipart/form-data; boundary=\"bb\"", "--bb--\r\n", " +quoted"},
        {"multipart/form-data; boundary=\"bb\"", "--\"bb\"--\r\n",
         " +quoted !Multipart: Invalid boundary (quotes)."},
        {"multipart/form-data boundary=bb", "--bb--\r\n", " +semicolon"},
        {"multipart/form-data; boundary =bb", "--bb--\r\n", " +whitespace"},
        {"multipart/form-data; boundary= bb", "-- bb--\r\n", " +whitespace"},
        {"Multipart/Form-Data; boundary=a'()+_,-./:=? b", "--a'()+_,-./:=? b--\r\n", ""},
        {"multipart/form-data", "x", " !Multipart: Boundary not found in C-T."},
        {"multipart/form-data; BOUNDARY=bb", "x",
         " !Multipart: Invalid boundary in C-T (case sensitivity)."},
        {"multipart/form-data; boundary=bb; boundary=cc", "x",
         " !Multipart: Multiple boundary parameters in C-T."},
        {"multipart/form-data; charset=x; boundary=bb", "x",
         " !Multipart: Invalid boundary in C-T (malformed)."},
        {"multipart/form-data;; boundary=bb", "x",
         " !Multipart: Invalid boundary in C-T (malformed)."},
        {"multipart/form-data; boundary", "x", " !Multipart: Invalid boundary in C-T (malformed)."},
        {"multipart/form-data; boundaryx=bb", "x",
         " !Multipart: Invalid boundary in C-T (parameter name)."},
        {"multipart/form-data; boundary=\"bb", "x",
         " !Multipart: Invalid boundary in C-T (quote)."},
        {"multipart/form-data; boundary=bb; charset=x", "x",
         " !Multipart: Invalid boundary in C-T (characters)."},
        {"multipart/form-data; boundary=bb ", "x",
         " !Multipart: Invalid boundary in C-T (characters)."},
        {"multipart/form-data; boundary=", "x", " !Multipart: Invalid boundary in C-T (empty)."},
        {"multipart/mixed; boundary=bb", "x", " !Multipart: Invalid MIME type."},
    };
    (void)state;
    for (size_t i = 0; i < RP_COUNT_OF(rows); i++) {
        struct body_input input = {RP_BODY_MULTIPART, rp_view_from_cstr(rows[i].type),
                                   rp_view_from_cstr(rows[i].body), RP_BODY_LIMITS};
        check(&input, rows[i].want, 1, 0);
    }
}

/* ---- limits ---- */

static void check_limited(enum rp_body_kind kind, struct rp_body_limits limits, const char *bytes,
                          const char *want) {
    struct body_input input = {kind, RP_VIEW(FORM_DATA), rp_view_from_cstr(bytes), limits};
    check(&input, want, 2, 0);
}

static void test_limits(void **state) {
    struct rp_body_limits limits = RP_BODY_LIMITS;
    (void)state;
    limits.arguments_max = 2;
    limits.depth_max = 2;
    limits.files_max = 1;
    limits.separator = ';';
    check_limited(RP_BODY_URLENCODED, limits, "a=1;b=2", "a=1;b=2;");
    check_limited(RP_BODY_URLENCODED, limits, "a=1;b=2;c=3",
                  "a=1;b=2; !more arguments than SecArgumentsLimit");
    check_limited(RP_BODY_JSON, limits, "[1,2,3]",
                  "json.array_0=1;json.array_1=2; !more arguments than SecArgumentsLimit");
    check_limited(RP_BODY_JSON, limits, "[1,[2]]", "json.array_0=1;json.array_1.array_0=2;");
    check_limited(RP_BODY_JSON, limits, "[1,[[2]]]", "json.array_0=1; !JSON depth limit exceeded");
    check_limited(RP_BODY_XML, limits, "<a><b>x<c/></b></a>", "text:b=x;");
    check_limited(RP_BODY_XML, limits, "<a><b>x<c>y</c></b></a>",
                  "text:b=x; !XML: depth limit exceeded.");
    check_limited(RP_BODY_MULTIPART, limits,
                  "--bb\r\nContent-Disposition: form-data; name=a; filename=x\r\n\r\n1\r\n"
                  "--bb\r\nContent-Disposition: form-data; name=b; filename=y\r\n\r\n22" LAST,
                  "file:a=x;size:a=1;head:a=Content-Disposition: form-data; name=a; filename=x;"
                  "head:b=Content-Disposition: form-data; name=b; filename=y; +file_limit");
}

/* The arena's end is an error of the reading, not of the body, and nothing is half said. */
static void test_small_arena(void **state) {
    static const char bytes[] = "{\"a\":[1,\"two\",{\"three\":3}],\"b\":\"\\u0041\"}";
    struct body_input input = {RP_BODY_JSON, RP_VIEW(""), rp_view_of(bytes, sizeof bytes - 1),
                               RP_BODY_LIMITS};
    (void)state;
    for (size_t size = 1; size < 8192; size += 61) {
        struct rp_arena *arena = rp_arena_new(size);
        struct rp_buf got = rp_buf_new(4096);
        rp_err err = body_text(&input, 5, 1, arena, &got);
        assert_true(rp_ok(err) || rp_is(err, RP_E_TOO_LARGE));
        assert_true(rp_ok(err) == (got.n > 0));
        rp_buf_done(&got);
        rp_arena_free(arena);
    }
}

/* Names repeat their path: a body of n bytes must not make memory of n times n. */
static void test_json_names(void **state) {
    struct rp_arena *arena = rp_arena_new(1 << 22);
    struct rp_buf bytes = rp_buf_new(1 << 20), got = rp_buf_new(1 << 20);
    (void)state;
    rp_buf_add_cstr(&bytes, "{\"");
    memset(rp_buf_extend(&bytes, 16379), 'k', 16379);
    rp_buf_add_cstr(&bytes, "\":1,\"");
    memset(rp_buf_extend(&bytes, 16380), 'k', 16380);
    rp_buf_add_cstr(&bytes, "\":[2]}");
    struct body_input input = {RP_BODY_JSON, RP_VIEW(""), rp_buf_view(&bytes), RP_BODY_LIMITS};
    assert_ok(body_text(&input, bytes.n, 0, arena, &got));
    assert_true(rp_view_ends(rp_buf_view(&got), RP_VIEW("k=1; !JSON name over 16384 bytes")));
    rp_buf_done(&got);
    rp_buf_done(&bytes);
    rp_arena_free(arena);
}

static void check_attributes(size_t elements, size_t attributes, const char *want_error) {
    struct rp_arena *arena = rp_arena_new(1 << 24);
    struct rp_buf bytes = rp_buf_new(1 << 22);
    struct rp_body_limits limits = RP_BODY_LIMITS;
    struct rp_body *body = rp_body_new(RP_BODY_XML, RP_VIEW(""), &limits, arena);
    const struct rp_body_result *result = NULL;
    rp_buf_add_cstr(&bytes, "<r>");
    for (size_t i = 0; i < elements; i++) {
        rp_buf_add_cstr(&bytes, "<e");
        for (size_t j = 0; j < attributes; j++) {
            rp_buf_printf(&bytes, " a%zu=''", j);
        }
        rp_buf_add_cstr(&bytes, "/>");
    }
    rp_buf_add_cstr(&bytes, "</r>");
    assert_ok(rp_body_feed(body, rp_buf_view(&bytes)));
    assert_ok(rp_body_end(body, &result));
    assert_string_equal(result->message, want_error);
    rp_buf_done(&bytes);
    rp_arena_free(arena);
}

static void test_xml_attributes(void **state) {
    (void)state;
    check_attributes(128, 128, "");
    check_attributes(1, 129, "XML: Failed parsing document (too many attributes).");
    check_attributes(129, 128, "XML: Failed parsing document (too many attributes).");
}

/* A body in one piece is not copied. */
static void test_views(void **state) {
    static const char bytes[] = "{\"name\":\"a value that nobody copies\"}";
    struct rp_arena *arena = rp_arena_new(1 << 20);
    struct rp_body_limits limits = RP_BODY_LIMITS;
    struct rp_body *body = rp_body_new(RP_BODY_JSON, RP_VIEW(""), &limits, arena);
    const struct rp_body_result *result = NULL;
    (void)state;
    assert_ok(rp_body_feed(body, rp_view_of(bytes, sizeof bytes - 1)));
    assert_ok(rp_body_end(body, &result));
    assert_int_equal(result->arguments.n, 1);
    assert_ptr_equal(result->arguments.p[0].value.p, bytes + 9);
    assert_int_equal(result->arguments.p[0].offset, 9);
    rp_arena_free(arena);
}

/* ---- queries and cookies ---- */

static void test_query(void **state) {
    struct rp_arena *arena = rp_arena_new(1 << 20);
    struct rp_body_limits limits = RP_BODY_LIMITS;
    struct rp_waf_pairs pairs = {0};
    bool invalid = true;
    (void)state;
    const char *problem = "";
    assert_ok(rp_body_query(RP_VIEW("a=1?b&c=%41"), &limits, arena, &pairs, &invalid, &problem));
    assert_false(invalid);
    assert_null(problem);
    assert_int_equal(pairs.n, 2);
    assert_view(pairs.p[0].value, "1?b");
    assert_view(pairs.p[1].value, "A");
    assert_int_equal(pairs.p[1].offset, 8);
    assert_ok(rp_body_query(RP_VIEW("%"), &limits, arena, &pairs, &invalid, &problem));
    assert_true(invalid);
    limits.arguments_max = 2;
    assert_ok(rp_body_query(RP_VIEW("a&b&c"), &limits, arena, &pairs, &invalid, &problem));
    assert_int_equal(pairs.n, 2);
    assert_non_null(problem);
    rp_arena_free(arena);
}

static void test_cookies(void **state) {
    static const char *const rows[][2] = {
        {"", ""},
        {" ", ""},
        {"a=b; c=d ;;=x; e ;  f=g=h;k=%41+b  ", "a=b;c=d ;e =;f=g=h;k=%41+b;"},
        {"a;b =\tc ; d= e", "a=;b =\\x09c ;d= e;"},
        {"a=b ;", "a=b;"},
        {"a=b; ", "a=b;"},
    };
    (void)state;
    for (size_t i = 0; i < RP_COUNT_OF(rows); i++) {
        struct rp_arena *arena = rp_arena_new(1 << 16);
        struct rp_buf got = rp_buf_new(4096);
        struct rp_waf_pairs pairs = {0};
        assert_ok(rp_body_cookies(rp_view_from_cstr(rows[i][0]), arena, &pairs));
        body_text_pairs(&got, "", &pairs);
        assert_view_equal(rp_buf_view(&got), rp_view_from_cstr(rows[i][1]));
        rp_buf_done(&got);
        rp_arena_free(arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),          cmocka_unit_test(test_json),
        cmocka_unit_test(test_multipart),      cmocka_unit_test(test_xml),
        cmocka_unit_test(test_boundaries),     cmocka_unit_test(test_limits),
        cmocka_unit_test(test_small_arena),    cmocka_unit_test(test_json_names),
        cmocka_unit_test(test_xml_attributes), cmocka_unit_test(test_views),
        cmocka_unit_test(test_query),          cmocka_unit_test(test_cookies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
