/* router_test.c — the table of routes, and what becomes of requests that fit none. */
#include "ask.h"

#include "wire/json.h"

static struct ask ask;

static int open_all(void **state) {
    (void)state;
    ask_open(&ask);
    struct rp_diag diag = {0};
    assert_ok(rp_promises_load(REMPART_PROMISES, ask.arena, &ask.promises, &diag));
    return 0;
}

static int close_all(void **state) {
    (void)state;
    ask_done(&ask);
    return 0;
}

static void get(const char *path, const char *query) {
    ask_new(&ask, "GET", path, query);
    ask_run(&ask);
}

static void every_route_finds_itself(void **state) {
    (void)state;
    for (size_t i = 0; i < rp_route_count; i++) {
        const struct rp_route *found = NULL;
        rp_view segments[2];
        unsigned allowed = 0;
        assert_ok(
            rp_route_find(rp_routes[i].method, rp_routes[i].path, &found, segments, &allowed));
        assert_ptr_equal(found, &rp_routes[i]);
    }
}

static void segments_are_what_stood_there(void **state) {
    (void)state;
    const struct rp_route *route = NULL;
    rp_view segments[2];
    unsigned allowed = 0;
    assert_ok(rp_route_find(RP_PUT, RP_VIEW("/.rempart/api/v1/spaces/notes/0af1"), &route, segments,
                            &allowed));
    assert_view(segments[0], "notes");
    assert_view(segments[1], "0af1");
    assert_err(
        rp_route_find(RP_PUT, RP_VIEW("/.rempart/api/v1/spaces//0af1"), &route, segments, &allowed),
        NOT_FOUND);
    assert_err(rp_route_find(RP_GET, RP_VIEW("/trust/"), &route, segments, &allowed), NOT_FOUND);
    assert_err(rp_route_find(RP_GET, RP_VIEW("trust"), &route, segments, &allowed), NOT_FOUND);
    assert_err(rp_route_find(RP_GET, RP_VIEW(""), &route, segments, &allowed), NOT_FOUND);
}

static void what_is_not_there_says_so(void **state) {
    (void)state;
    get("/.rempart/nothing", "lang=en");
    assert_int_equal(ask.request.response.status, 404);
    assert_string_equal(ask.request.response.content_type, "text/html; charset=utf-8");
    assert_true(ask_holds(&ask.request.response.body, "not found"));
    ask_end(&ask);
    get("/.rempart/api/v1/nothing", "lang=fr");
    assert_int_equal(ask.request.response.status, 404);
    assert_string_equal(ask.request.response.content_type, "application/problem+json");
    assert_true(ask_holds(&ask.request.response.body, "\"code\":\"not_found\""));
    assert_true(ask_holds(&ask.request.response.body, "introuvable"));
    ask_end(&ask);
}

static void a_wrong_method_names_the_right_ones(void **state) {
    (void)state;
    ask_new(&ask, "DELETE", "/.rempart/id/sign-in", "");
    ask_run(&ask);
    assert_int_equal(ask.request.response.status, 405);
    assert_true(ask_holds(&ask.request.response.heads, "Allow: GET, HEAD, POST\r\n"));
    ask_end(&ask);
    ask_new(&ask, "BREW", "/trust", "");
    ask_run(&ask);
    assert_int_equal(ask.request.response.status, 415);
    ask_end(&ask);
}

static void bad_requests_are_refused(void **state) {
    (void)state;
    get("no-slash", "");
    assert_int_equal(ask.request.response.status, 400);
    ask_end(&ask);
    get("/trust", "a=%zz");
    assert_int_equal(ask.request.response.status, 400);
    ask_end(&ask);
    ask_new(&ask, "GET", "/trust", "");
    ask.fcgi.too_large = true;
    ask_run(&ask);
    assert_int_equal(ask.request.response.status, 413);
    ask_end(&ask);
    ask_new(&ask, "POST", "/.rempart/api/v1/spaces/notes", "");
    ask.fcgi.too_large = true;
    ask_run(&ask);
    assert_int_equal(ask.request.response.status, 413);
    assert_string_equal(ask.request.response.content_type, "application/problem+json");
    ask_end(&ask);
}

static void without_a_backend_there_is_a_retry(void **state) {
    (void)state;
    get("/.rempart/id/enrol", "token=x");
    assert_int_equal(ask.request.response.status, 503);
    assert_true(ask_holds(&ask.request.response.heads, "Retry-After: "));
    ask_end(&ask);
}

static void the_language_is_chosen_and_kept(void **state) {
    (void)state;
    get("/.rempart/id/sign-in", "lang=en");
    assert_int_equal(ask.request.response.status, 200);
    assert_true(ask_holds(&ask.request.response.body, "<html lang=\"en\">"));
    assert_true(ask_holds(&ask.request.response.heads, "Set-Cookie: __Host-rempart-lang=en;"));
    ask_end(&ask);
    ask_new(&ask, "GET", "/.rempart/id/sign-in", "next=%2Fa%3Fb%3D1");
    ask_param(&ask, "HTTP_COOKIE", "__Host-rempart-lang=fr");
    ask_param(&ask, "HTTP_ACCEPT_LANGUAGE", "en");
    ask_run(&ask);
    assert_true(ask_holds(&ask.request.response.body, "<html lang=\"fr\">"));
    assert_true(ask_holds(&ask.request.response.body,
                          "href=\"/.rempart/id/sign-in?lang=en&amp;next=%2Fa%3Fb%3D1\""));
    ask_end(&ask);
}

static void the_style_sheet_has_one_name(void **state) {
    (void)state;
    get("/.rempart/id/style-0011.css", "");
    assert_int_equal(ask.request.response.status, 200);
    assert_non_null(strstr(ask.request.response.cache, "immutable"));
    ask_end(&ask);
    get("/.rempart/id/style-0012.css", "");
    assert_int_equal(ask.request.response.status, 404);
    ask_end(&ask);
}

static void openapi_describes_what_routes(void **state) {
    (void)state;
    get("/.rempart/api/openapi.json", "lang=en");
    assert_int_equal(ask.request.response.status, 200);
    struct rp_json *root = NULL;
    assert_ok(rp_json_parse(rp_buf_view(&ask.request.response.body), RP_JSON_LIMITS, ask.arena,
                            &root, NULL));
    assert_view(rp_json_get_string(root, "openapi"), "3.1.0");
    const struct rp_json *paths = rp_json_get(root, "paths");
    size_t described = 0, listed = 0;
    for (const struct rp_json *path = paths->first; path; path = path->next) {
        described += path->count;
    }
    for (size_t i = 0; i < rp_route_count; i++) {
        listed += rp_routes[i].operation[0] != 0;
    }
    assert_true(listed >= 7);
    assert_int_equal(described, listed);
    const struct rp_json *record = rp_json_get(paths, "/.rempart/api/v1/spaces/{collection}/{id}");
    const struct rp_json *put = rp_json_get(record, "put");
    assert_view(rp_json_get_string(put, "operationId"), "updateRecord");
    assert_int_equal(rp_json_get(put, "parameters")->count, 4);
    ask_end(&ask);
}

static void every_sentence_is_on_the_page_once(void **state) {
    (void)state;
    get("/trust.json", "");
    assert_int_equal(ask.request.response.status, 200);
    struct rp_json *root = NULL;
    assert_ok(rp_json_parse(rp_buf_view(&ask.request.response.body),
                            (struct rp_json_limits){.depth_max = 16, .count_max = 100000},
                            ask.arena, &root, NULL));
    bool seen[200] = {false};
    size_t count = 0;
    for (const struct rp_json *promise = rp_json_get(root, "promises")->first; promise;
         promise = promise->next) {
        assert_true(rp_json_get_string(promise, "status").n > 0);
        for (const struct rp_json *name = rp_json_get(promise, "sentences")->first; name;
             name = name->next) {
            uint64_t number = 0;
            assert_true(rp_view_to_u64(rp_view_from(name->string, 1), 199, &number));
            assert_false(seen[number]);
            seen[number] = true;
            count++;
        }
    }
    assert_int_equal(count, 165);
    ask_end(&ask);
    get("/trust", "lang=fr");
    assert_int_equal(ask.request.response.status, 200);
    assert_true(ask_holds(&ask.request.response.body, "promesses sur 165 prouvées"));
    for (unsigned number = 0; number < 200; number++) {
        char anchor[32];
        snprintf(anchor, sizeof anchor, "<p id=\"S%u\">", number);
        assert_int_equal(ask_holds(&ask.request.response.body, anchor), seen[number]);
    }
    assert_false(ask_holds(&ask.request.response.body, "<script"));
    /* The operator's own facts stand in the sentences. */
    assert_false(ask_holds(&ask.request.response.body, "{operator}"));
    assert_true(ask_holds(&ask.request.response.body, "security@example.com."));
    assert_true(
        ask_holds(&ask.request.response.body, "https://example.org:8443/.well-known/security.txt"));
    ask_end(&ask);
}

static void security_txt_never_expires_behind_our_back(void **state) {
    (void)state;
    get("/.well-known/security.txt", "");
    assert_true(ask_holds(&ask.request.response.body, "Contact: mailto:security@example.com\n"));
    assert_true(ask_holds(&ask.request.response.body, "Expires: 2027-07-14T08:00:00Z\n"));
    ask_end(&ask);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_finds_itself),
        cmocka_unit_test(segments_are_what_stood_there),
        cmocka_unit_test(what_is_not_there_says_so),
        cmocka_unit_test(a_wrong_method_names_the_right_ones),
        cmocka_unit_test(bad_requests_are_refused),
        cmocka_unit_test(without_a_backend_there_is_a_retry),
        cmocka_unit_test(the_language_is_chosen_and_kept),
        cmocka_unit_test(the_style_sheet_has_one_name),
        cmocka_unit_test(openapi_describes_what_routes),
        cmocka_unit_test(every_sentence_is_on_the_page_once),
        cmocka_unit_test(security_txt_never_expires_behind_our_back)};
    return cmocka_run_group_tests(tests, open_all, close_all);
}
