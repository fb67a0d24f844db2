/* The positive model: what is read, what is refused with its place, and what a request may be. */
#include "shield/model.h"

#include <stdio.h>

#include "base/checked.h"
#include "unit.h"

#define HEAD "openapi: 3.0.3\ninfo: {title: t, version: '1'}\n"

static const char shop[] =
    "openapi: 3.0.3\n"
    "info: {title: Shop, version: '1'}\n"
    "servers: [{url: 'https://shop.example/api'}]\n"
    "paths:\n"
    "  /orders:\n"
    "    get:\n"
    "      parameters:\n"
    "        - {name: page, in: query, schema: {type: integer, minimum: 1, maximum: 500}}\n"
    "        - {name: tag, in: query, schema: {type: array, maxItems: 2, items: {type: string, "
    "enum: [new, old]}}}\n"
    "        - {name: X-Trace, in: header, schema: {type: string, format: uuid}}\n"
    "        - {name: lang, in: cookie, required: true, schema: {type: string, pattern: "
    "'^[a-z]{2}$'}}\n"
    "    post:\n"
    "      requestBody:\n"
    "        required: true\n"
    "        content:\n"
    "          application/json: {schema: {$ref: '#/components/schemas/Order'}}\n"
    "          application/x-www-form-urlencoded:\n"
    "            schema: {type: object, required: [sku], properties: {sku: {type: string, "
    "maxLength: 8}, n: {type: integer}}}\n"
    "          image/*: {}\n"
    "      responses: {}\n"
    "  /orders/{id}:\n"
    "    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]\n"
    "    delete: {responses: {}}\n"
    "  /orders/last:\n"
    "    get: {responses: {}}\n"
    "components:\n"
    "  schemas:\n"
    "    Order:\n"
    "      type: object\n"
    "      required: [sku]\n"
    "      properties:\n"
    "        sku: {type: string, minLength: 2, maxLength: 8}\n"
    "        day: {type: string, format: date, nullable: true}\n"
    "        price: {type: number, exclusiveMinimum: true, minimum: 0}\n"
    "        gift: {type: boolean}\n"
    "        lines: {type: array, minItems: 1, items: {$ref: '#/components/schemas/Order'}}\n";

static struct rp_arena *arena;
static struct rp_model *model;

static int start(void **state) {
    (void)state;
    struct rp_diag diag = {0};
    arena = rp_arena_new(8 << 20);
    rp_err err = rp_model_read(rp_view_from_cstr(shop), arena, &model, &diag);
    if (!rp_ok(err)) {
        print_error("%u:%u %s\n", diag.line, diag.column, diag.text);
    }
    return rp_ok(err) ? 0 : 1;
}

static int end(void **state) {
    (void)state;
    rp_model_done(model);
    rp_arena_free(arena);
    return 0;
}

static rp_view header_of(void *ctx, rp_view name) {
    return rp_view_equal(name, RP_VIEW("x-trace")) ? rp_view_from_cstr(ctx) : (rp_view){NULL, 0};
}

struct ask {
    const char *method, *path, *query, *trace, *cookies, *type, *body;
    const char *word, *place; /* what is wrong where; NULL = nothing */
};

static void judge(const struct ask *ask, struct rp_model_verdict *ret_verdict) {
    char trace[64];
    snprintf(trace, sizeof trace, "%s", ask->trace ? ask->trace : "");
    const struct rp_model_request request = {.method = rp_view_from_cstr(ask->method),
                                             .path = rp_view_from_cstr(ask->path),
                                             .query = rp_view_from_cstr(ask->query),
                                             .cookies = rp_view_from_cstr(ask->cookies),
                                             .content_type = rp_view_from_cstr(ask->type),
                                             .header = header_of,
                                             .ctx = ask->trace ? trace : NULL,
                                             .has_body = ask->body != NULL};
    const struct rp_model_operation *operation = NULL;
    assert_ok(rp_model_judge(model, &request, arena, &operation, ret_verdict));
    assert_int_equal(operation != NULL, ret_verdict->violation == RP_VIOLATION_NONE);
    if (operation && ask->body && rp_model_wants_body(operation, request.content_type)) {
        assert_ok(rp_model_judge_body(operation, request.content_type, rp_view_from_cstr(ask->body),
                                      arena, ret_verdict));
    }
}

static void check(const struct ask *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct rp_model_verdict verdict;
        judge(&rows[i], &verdict);
        const char *word = rows[i].word ? rows[i].word : "none";
        const char *place = rows[i].place ? rows[i].place : "";
        if (strcmp(rp_violation_word(verdict.violation), word) != 0 ||
            strcmp(verdict.place, place) != 0) {
            fail_msg("%s %s?%s %s: got %s at \"%s\", not %s at \"%s\"", rows[i].method,
                     rows[i].path, rows[i].query ? rows[i].query : "",
                     rows[i].body ? rows[i].body : "", rp_violation_word(verdict.violation),
                     verdict.place, word, place);
        }
    }
}

#define COOKIE "a=b; lang=fr"

/*= S58 type=test */
static void heads_are_as_the_model_says(void **state) {
    (void)state;
    static const struct ask rows[] = {
        {"GET", "/api/orders", NULL, NULL, COOKIE, NULL, NULL, NULL, NULL},
        {"HEAD", "/api/orders", NULL, NULL, COOKIE, NULL, NULL, NULL, NULL},
        {"GET", "/api/orders", "page=500&tag=new&tag=old", NULL, COOKIE, NULL, NULL, NULL, NULL},
        {"GET", "/api/orders", "page=x", NULL, COOKIE, NULL, NULL, "not_an_integer", "query page"},
        {"GET", "/api/orders", "page=1.5", NULL, COOKIE, NULL, NULL, "not_an_integer",
         "query page"},
        {"GET", "/api/orders", "page=0", NULL, COOKIE, NULL, NULL, "too_small", "query page"},
        {"GET", "/api/orders", "page=501", NULL, COOKIE, NULL, NULL, "too_large", "query page"},
        {"GET", "/api/orders", "page=1&page=2", NULL, COOKIE, NULL, NULL, "repeated", "query page"},
        {"GET", "/api/orders", "p%61ge=1", NULL, COOKIE, NULL, NULL, NULL, NULL},
        {"GET", "/api/orders", "q=1", NULL, COOKIE, NULL, NULL, "unknown_name", "query q"},
        {"GET", "/api/orders", "page=%zz", NULL, COOKIE, NULL, NULL, "bad_encoding", "query"},
        {"GET", "/api/orders", "tag=blue", NULL, COOKIE, NULL, NULL, "not_in_enum", "query tag"},
        {"GET", "/api/orders", "tag=new&tag=new&tag=new", NULL, COOKIE, NULL, NULL, "too_many",
         "query tag"},
        {"GET", "/api/orders", NULL, "3f2504e0-4f89-41d3-9a0c-0305e82c3301", COOKIE, NULL, NULL,
         NULL, NULL},
        {"GET", "/api/orders", NULL, "3f2504e0", COOKIE, NULL, NULL, "not_the_format",
         "header x-trace"},
        {"GET", "/api/orders", NULL, NULL, NULL, NULL, NULL, "missing", "cookie lang"},
        {"GET", "/api/orders", NULL, NULL, "lang=fra", NULL, NULL, "not_the_pattern",
         "cookie lang"},
        {"PUT", "/api/orders", NULL, NULL, COOKIE, NULL, NULL, "unknown_method", "method"},
        {"GET", "/orders", NULL, NULL, COOKIE, NULL, NULL, "unknown_path", "path"},
        {"GET", "/api/orders/", NULL, NULL, COOKIE, NULL, NULL, "unknown_path", "path"},
        {"DELETE", "/api/orders/17", NULL, NULL, NULL, NULL, NULL, NULL, NULL},
        {"DELETE", "/api/orders/seventeen", NULL, NULL, NULL, NULL, NULL, "not_an_integer",
         "path id"},
        {"DELETE", "/api/orders/1%2f2", NULL, NULL, NULL, NULL, NULL, "unknown_path", "path"},
        {"DELETE", "/api/orders/%zz", NULL, NULL, NULL, NULL, NULL, "unknown_path", "path"},
        {"GET", "/api/orders/last", NULL, NULL, NULL, NULL, NULL, NULL, NULL},
        {"DELETE", "/api/orders/last", NULL, NULL, NULL, NULL, NULL, "unknown_method", "method"},
        {"GET", "/api/orders/last", NULL, NULL, NULL, "text/plain", "x", "unexpected_body", "body"},
        {"POST", "/api/orders", NULL, NULL, NULL, NULL, NULL, "missing", "body"},
        {"POST", "/api/orders", NULL, NULL, NULL, "text/plain", "x", "unknown_type", "body"},
        {"POST", "/api/orders", NULL, NULL, NULL, "image/png", "x", NULL, NULL},
    };
    check(rows, RP_COUNT_OF(rows));
}

#define JSON "application/json; charset=utf-8"
#define ROW(body, word, place)                                                                     \
    { "POST", "/api/orders", NULL, NULL, NULL, JSON, body, word, place }
/*= S58 type=test */
static void bodies_are_as_the_model_says(void **state) {
    (void)state;
    static const struct ask rows[] = {
        ROW("{\"sku\":\"ab\"}", NULL, NULL),
        ROW("{\"sku\":\"ab\",\"lines\":[{\"sku\":\"cd\",\"lines\":[{\"sku\":\"ef\"}]}]}", NULL,
            NULL),
        ROW("{\"sku\":\"ab\",\"lines\":[{\"sku\":\"cd\",\"lines\":[{}]}]}", "missing",
            "body lines.0.lines.0.sku"),
        ROW("{\"sku\":\"ab\",\"lines\":[]}", "too_few", "body lines"),
        ROW("{\"sku\":\"a\"}", "too_short", "body sku"),
        ROW("{\"sku\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"}", NULL,
            NULL),
        ROW("{\"sku\":\"123456789\"}", "too_long", "body sku"),
        ROW("{\"sku\":\"ab\",\"day\":null}", NULL, NULL),
        ROW("{\"sku\":\"ab\",\"day\":\"2024-02-29\"}", NULL, NULL),
        ROW("{\"sku\":\"ab\",\"day\":\"2026-02-29\"}", "not_the_format", "body day"),
        ROW("{\"sku\":null}", "null", "body sku"),
        ROW("{\"sku\":7}", "not_a_string", "body sku"),
        ROW("{\"sku\":\"ab\",\"price\":0}", "too_small", "body price"),
        ROW("{\"sku\":\"ab\",\"price\":0.5}", NULL, NULL),
        ROW("{\"sku\":\"ab\",\"gift\":\"yes\"}", "not_a_boolean", "body gift"),
        ROW("{\"sku\":\"ab\",\"lines\":{}}", "not_an_array", "body lines"),
        ROW("{\"sku\":\"ab\",\"admin\":true}", "unknown_name", "body admin"),
        ROW("{\"sku\":\"ab\",\"a\\u001b\":true}", "unknown_name", "body a_"),
        ROW("[]", "not_an_object", "body"),
        ROW("{\"sku\":\"ab\"", "bad_syntax", "body"),
        ROW("{\"sku\":\"ab\",\"sku\":\"cd\"}", "bad_syntax", "body"),
    };
    check(rows, RP_COUNT_OF(rows));
    static const char form[] = "application/x-www-form-urlencoded";
    static const struct ask forms[] = {
        {"POST", "/api/orders", NULL, NULL, NULL, form, "sku=a%C3%A9&n=3", NULL, NULL},
        {"POST", "/api/orders", NULL, NULL, NULL, form, "n=3", "missing", "form sku"},
        {"POST", "/api/orders", NULL, NULL, NULL, form, "sku=a&n=x", "not_an_integer", "form n"},
        {"POST", "/api/orders", NULL, NULL, NULL, form, "sku=123456789", "too_long", "form sku"},
        {"POST", "/api/orders", NULL, NULL, NULL, form, "sku=a&sku=b", "repeated", "form sku"},
        {"POST", "/api/orders", NULL, NULL, NULL, form, "sku=a&role=admin", "unknown_name",
         "form role"},
    };
    check(forms, RP_COUNT_OF(forms));
}

static void what_is_not_judged_is_refused_with_its_place(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum rp_code code;
        unsigned line, column;
        const char *says;
    } rows[] = {
        {"swagger: '2.0'\n", RP_E_UNSUPPORTED, 1, 1, "OpenAPI document"},
        {HEAD "paths: {}\n", RP_E_INVALID, 3, 8, "refuse everything"},
        {HEAD "paths: {orders: {get: {}}}\n", RP_E_INVALID, 3, 9, "begins with /"},
        {HEAD "paths: {/a: {fetch: {}}}\n", RP_E_UNSUPPORTED, 3, 14, "\"fetch\" in a path"},
        {HEAD "paths: {'/a/{x}.json': {get: {}}}\n", RP_E_UNSUPPORTED, 3, 9, "whole segment"},
        {HEAD "paths: {/a: {get: {parameters: [{name: q, in: body, schema: {}}]}}}\n", RP_E_INVALID,
         3, 33, "path, query, header or"},
        {HEAD "paths: {/a: {get: {parameters: [{name: q, in: path, required: true, schema: "
              "{}}]}}}\n",
         RP_E_INVALID, 3, 9, "does not stand in it"},
        {HEAD "paths: {/a: {get: {parameters: [{name: q, in: query, schema: {type: object}}]}}}\n",
         RP_E_UNSUPPORTED, 3, 62, "a parameter is a text"},
        {HEAD "paths: {/a: {get: {parameters: [{name: q, in: query, schema: {oneOf: []}}]}}}\n",
         RP_E_UNSUPPORTED, 3, 63, "\"oneOf\" in a schema"},
        {HEAD "paths: {/a: {get: {parameters: [{name: q, in: query, schema: {type: text}}]}}}\n",
         RP_E_INVALID, 3, 69, "type: expected"},
        {HEAD "paths: {/a: {get: {parameters: [{name: q, in: query, schema: {type: string, "
              "format: phone}}]}}}\n",
         RP_E_UNSUPPORTED, 3, 85, "\"phone\" is not judged"},
        {HEAD "paths: {/a: {get: {parameters: [{name: q, in: query, schema: {type: string, "
              "pattern: '('}}]}}}\n",
         RP_E_INVALID, 3, 86, "pattern: "},
        {HEAD "paths: {/a: {get: {parameters: [{name: q, in: query, schema: {$ref: "
              "'#/components/schemas/No'}}]}}}\n",
         RP_E_NOT_FOUND, 3, 69, "there is no #/components/schemas/No"},
        {HEAD "paths: {/a: {post: {requestBody: {content: {text/xml: {schema: {}}}}}}}\n",
         RP_E_UNSUPPORTED, 3, 64, "only JSON and forms"},
        {HEAD "servers: [{url: '/a'}, {url: '/b'}]\npaths: {/a: {get: {}}}\n", RP_E_UNSUPPORTED, 3,
         10, "servers: one"},
        {"openapi: 3.0.0\npaths: {/a: {get: {}}\n", RP_E_SYNTAX, 0, 0, ""},
    };
    for (size_t i = 0; i < RP_COUNT_OF(rows); i++) {
        struct rp_diag diag = {0};
        struct rp_arena *own = rp_arena_new(4 << 20);
        struct rp_model *none = NULL;
        rp_err err = rp_model_read(rp_view_from_cstr(rows[i].text), own, &none, &diag);
        bool placed =
            rows[i].line == 0 || (diag.line == rows[i].line && diag.column == rows[i].column);
        if (err.code != (int32_t)rows[i].code || !placed || !strstr(diag.text, rows[i].says)) {
            fail_msg("%s\ngot %s at %u:%u %s", rows[i].text, rp_err_name(err), diag.line,
                     diag.column, diag.text);
        }
        assert_null(none);
        rp_arena_free(own);
    }
}

static void version_31_and_json_are_read(void **state) {
    (void)state;
    static const char text[] =
        "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"t\",\"version\":\"1\"},\"paths\":{\"/n\":{"
        "\"get\":{\"parameters\":[{\"name\":\"v\",\"in\":\"query\",\"schema\":{\"type\":["
        "\"number\",\"null\"],\"exclusiveMinimum\":0,\"const\":2}}]}}}}";
    struct rp_diag diag = {0};
    struct rp_arena *own = rp_arena_new(4 << 20);
    struct rp_model *other = NULL;
    assert_ok(rp_model_read(rp_view_from_cstr(text), own, &other, &diag));
    static const struct {
        const char *query;
        enum rp_violation violation;
    } rows[] = {
        {"v=2", RP_VIOLATION_NONE}, {"v=0", RP_VIOLATION_SMALL}, {"v=3", RP_VIOLATION_ENUM}};
    for (size_t i = 0; i < RP_COUNT_OF(rows); i++) {
        struct rp_model_verdict verdict;
        const struct rp_model_operation *operation = NULL;
        const struct rp_model_request request = {.method = RP_VIEW("GET"),
                                                 .path = RP_VIEW("/n"),
                                                 .query = rp_view_from_cstr(rows[i].query),
                                                 .header = header_of};
        assert_ok(rp_model_judge(other, &request, own, &operation, &verdict));
        assert_int_equal(verdict.violation, rows[i].violation);
    }
    rp_model_done(other);
    rp_arena_free(own);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_as_the_model_says),
        cmocka_unit_test(bodies_are_as_the_model_says),
        cmocka_unit_test(what_is_not_judged_is_refused_with_its_place),
        cmocka_unit_test(version_31_and_json_are_read),
    };
    return cmocka_run_group_tests(tests, start, end);
}
