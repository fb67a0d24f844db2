#include "unit.h"
#include "wire/json.h"

static int arena_up(void **state) {
    *state = rp_arena_new(1 << 20);
    return *state ? 0 : -1;
}

static int arena_down(void **state) {
    rp_arena_free(*state);
    return 0;
}

static struct rp_json *parse(struct rp_arena *arena, rp_view text) {
    struct rp_json *root = NULL;
    struct rp_diag diag = {0};
    rp_err err = rp_json_parse(text, RP_JSON_LIMITS, arena, &root, &diag);
    if (!rp_ok(err)) {
        fail_msg("%u:%u %s", diag.line, diag.column, diag.text);
    }
    return root;
}

static void prints_as(struct rp_arena *arena, const char *text, const char *canonical) {
    struct rp_buf out = rp_buf_new(10000);
    assert_ok(rp_json_print(parse(arena, rp_view_from_cstr(text)), &out));
    assert_view_equal(rp_buf_view(&out), rp_view_from_cstr(canonical));
    rp_buf_done(&out);
}

/* RFC 8785 sections 3.2.2 and 3.2.3. */
static void canonical_form(void **state) {
    prints_as(*state,
              "{\"numbers\":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],\n"
              "\"string\":\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\n"
              "\"literals\":[null,true,false]}",
              "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,"
              "1e-27],\"string\":\"\xE2\x82\xAC$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
    prints_as(*state,
              "{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\",\"\\ufb33\":\"Hebrew Letter "
              "Dalet With Dagesh\",\"1\":\"One\",\"\\ud83d\\ude00\":\"Emoji: Grinning Face\","
              "\"\\u0080\":\"Control\",\"\\u00f6\":\"Latin Small Letter O With Diaeresis\"}",
              "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xC2\x80\":\"Control\","
              "\"\xC3\xB6\":\"Latin Small Letter O With Diaeresis\",\"\xE2\x82\xAC\":\"Euro Sign\","
              "\"\xF0\x9F\x98\x80\":\"Emoji: Grinning Face\","
              "\"\xEF\xAC\xB3\":\"Hebrew Letter Dalet With Dagesh\"}");
    prints_as(*state, " [ ] ", "[]");
    prints_as(*state, "{}", "{}");
    prints_as(*state, "-0", "0");
    prints_as(*state, "[1, -2, 9007199254740991, 1234567890123456789012]",
              "[1,-2,9007199254740991,1.2345678901234568e+21]");
    prints_as(*state, "\"\\b\\f\\n\\r\\t\\u0000\x7f\"", "\"\\b\\f\\n\\r\\t\\u0000\x7f\"");
    prints_as(*state, "{\"b\":1,\"a\":{\"z\":[],\"y\":{}},\"\":0,\"ab\":2}",
              "{\"\":0,\"a\":{\"y\":{},\"z\":[]},\"ab\":2,\"b\":1}");
}

struct refusal {
    const char *text;
    unsigned line, column;
};

static void refused_with_position(void **state) {
    static const struct refusal table[] = {
        {"", 1, 1},
        {"  ", 1, 3},
        {"[1,]", 1, 4},
        {"[1 2]", 1, 4},
        {"{\"a\":1,}", 1, 8},
        {"{\"a\" 1}", 1, 6},
        {"{a:1}", 1, 2},
        {"{\"a\":1,\n \"b\":2,\n  \"a\":3}", 3, 3},
        {"{\"a\":1,\"\\u0061\":2}", 1, 8},
        {"{\"b\":1,\"a\":1,\"b\":2}", 1, 14},
        {"\"\\ud800\"", 1, 2},
        {"\"\xC3\xA9\\udc00\"", 1, 3},
        {"\"\\ud800\\u0041\"", 1, 2},
        {"\"\\ud83d\\ud83d\"", 1, 2},
        {"\"\\u12g4\"", 1, 2},
        {"\"\\u12", 1, 2},
        {"\"\\x41\"", 1, 2},
        {"\"a\nb\"", 1, 3},
        {"\"abc", 1, 5},
        {"\"abc\\", 1, 5},
        {"01", 1, 2},
        {"1.", 1, 3},
        {".5", 1, 1},
        {"+1", 1, 1},
        {"-", 1, 2},
        {"1e", 1, 3},
        {"1e+", 1, 4},
        {"0x10", 1, 2},
        {"1e400", 1, 1},
        {"NaN", 1, 1},
        {"nul", 1, 1},
        {"true false", 1, 6},
        {"[\"\xff\"]", 1, 3},
        {"\xEF\xBB\xBF{}", 1, 1},
        {"[1", 1, 3},
        {"/* */ 1", 1, 1},
        {"'a'", 1, 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct rp_json *root = NULL;
        struct rp_diag diag = {0};
        rp_err err =
            rp_json_parse(rp_view_from_cstr(table[i].text), RP_JSON_LIMITS, *state, &root, &diag);
        if (rp_ok(err) || diag.line != table[i].line || diag.column != table[i].column) {
            fail_msg("%s: %s at %u:%u %s", table[i].text, rp_err_name(err), diag.line, diag.column,
                     diag.text);
        }
        assert_null(root);
        assert_true(diag.text[0] != 0);
    }
    struct rp_json *root = NULL;
    assert_err(rp_json_parse(RP_VIEW("[1,\0 2]"), RP_JSON_LIMITS, *state, &root, NULL), SYNTAX);
    assert_err(rp_json_parse(RP_VIEW("1\0"), RP_JSON_LIMITS, *state, &root, NULL), SYNTAX);
}

static void limits(void **state) {
    struct rp_json *root = NULL;
    struct rp_json_limits small = {.depth_max = 3, .count_max = 5};
    assert_ok(rp_json_parse(RP_VIEW("[[[1]],2]"), small, *state, &root, NULL));
    assert_err(rp_json_parse(RP_VIEW("[[[[1]]]]"), small, *state, &root, NULL), TOO_LARGE);
    assert_err(rp_json_parse(RP_VIEW("[1,2,3,4,5]"), small, *state, &root, NULL), TOO_LARGE);
    struct rp_arena *tiny = rp_arena_new(200);
    assert_err(rp_json_parse(RP_VIEW("[1,2,3,4]"), small, tiny, &root, NULL), TOO_LARGE);
    rp_arena_free(tiny);
    char deep[2000];
    memset(deep, '[', sizeof deep);
    assert_err(rp_json_parse(rp_view_of(deep, sizeof deep), RP_JSON_LIMITS, *state, &root, NULL),
               TOO_LARGE);
}

static void a_document_outlives_its_text(void **state) {
    char text[] = "{\"plain\":\"abc\",\"escaped\":\"a\\u00e9\\n\"}";
    struct rp_json *root = parse(*state, rp_view_from_cstr(text));
    memset(text, 'x', sizeof text);
    assert_view(rp_json_get_string(root, "plain"), "abc");
    assert_view(rp_json_get_string(root, "escaped"), "a\xC3\xA9\n");
}

static void reading_a_tree(void **state) {
    struct rp_json *root = parse(
        *state, RP_VIEW("{\"s\":\"\",\"n\":42,\"big\":9007199254740993,\"neg\":-1,\"half\":0.5,"
                        "\"t\":true,\"list\":[1,\"two\",null]}"));
    uint64_t number = 7;
    bool flag = false;
    assert_non_null(rp_json_get_string(root, "s").p);
    assert_int_equal(rp_json_get_string(root, "s").n, 0);
    assert_null(rp_json_get_string(root, "n").p);
    assert_null(rp_json_get_string(root, "absent").p);
    assert_null(rp_json_get_string(NULL, "s").p);
    assert_true(rp_json_get_u64(root, "n", &number));
    assert_int_equal(number, 42);
    static const char *const no_number[] = {"big", "neg", "half", "s", "absent"};
    for (size_t i = 0; i < 5; i++) {
        assert_false(rp_json_get_u64(root, no_number[i], &number));
    }
    assert_int_equal(number, 42);
    assert_true(rp_json_get_bool(root, "t", &flag));
    assert_true(flag);
    assert_false(rp_json_get_bool(root, "n", &flag));
    const struct rp_json *list = rp_json_get(root, "list");
    assert_int_equal(list->count, 3);
    assert_view(list->first->next->string, "two");
    assert_int_equal(list->last->kind, RP_JSON_NULL);
    assert_null(rp_json_get(list, "list"));
}

static void building_a_tree(void **state) {
    struct rp_arena *arena = *state;
    struct rp_json *root = rp_json_object(arena);
    rp_json_add_u64(arena, root, "size", 9007199254740991);
    char name[] = "Zo\xC3\xAB";
    rp_json_add_string(arena, root, "name", rp_view_from_cstr(name));
    memset(name, 'x', sizeof name);
    struct rp_json *list = rp_json_add_array(arena, root, "list");
    rp_json_add_bool(arena, list, NULL, true);
    rp_json_add_null(arena, list, NULL);
    rp_json_add_cstr(arena, rp_json_add_object(arena, list, NULL), "k", "v");
    rp_json_add_cstr(arena, root, "m", "middle");
    rp_json_add_cstr(arena, root, "a", "first");
    struct rp_buf out = rp_buf_new(1000);
    assert_ok(rp_json_print(root, &out));
    assert_view(rp_buf_view(&out), "{\"a\":\"first\",\"list\":[true,null,{\"k\":\"v\"}],"
                                   "\"m\":\"middle\",\"name\":\"Zo\xC3\xAB\","
                                   "\"size\":9007199254740991}");
    rp_buf_done(&out);
}

static void refuses_print(const struct rp_json *root, enum rp_code code) {
    struct rp_buf out = rp_buf_new(100);
    rp_buf_add_cstr(&out, "before");
    unit_assert_err(rp_json_print(root, &out), code, __FILE__, __LINE__);
    assert_view(rp_buf_view(&out), "before");
    rp_buf_done(&out);
}

static void what_is_not_whole_is_not_printed(void **state) {
    struct rp_arena *arena = *state;
    struct rp_json *twice = rp_json_object(arena);
    rp_json_add_u64(arena, twice, "a", 1);
    rp_json_add_u64(arena, twice, "b", 1);
    rp_json_add_u64(arena, twice, "a", 1);
    refuses_print(twice, RP_E_INVALID);
    struct rp_json *latin = rp_json_array(arena);
    rp_json_add_cstr(arena, latin, NULL, "Zo\xEB");
    refuses_print(latin, RP_E_INVALID);
    struct rp_json *inexact = rp_json_array(arena);
    rp_json_add_u64(arena, inexact, NULL, 9007199254740992);
    refuses_print(inexact, RP_E_INVALID);
    struct rp_json *long_one = rp_json_array(arena);
    rp_json_add_string(arena, long_one, NULL, rp_view_of((uint8_t[200]){0}, 200));
    refuses_print(long_one, RP_E_TOO_LARGE);
    refuses_print(NULL, RP_E_TOO_LARGE);
    struct rp_arena *tiny = rp_arena_new(300);
    struct rp_json *root = rp_json_object(tiny);
    assert_non_null(root);
    for (int i = 0; i < 5; i++) {
        rp_json_add_u64(tiny, rp_json_add_object(tiny, root, "o"), "n", 1);
    }
    refuses_print(root, RP_E_TOO_LARGE);
    rp_arena_free(tiny);
}

static void many_members_in_any_order(void **state) {
    struct rp_arena *arena = *state;
    struct rp_json *root = rp_json_object(arena);
    char key[16];
    for (unsigned i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "%03u", i * 7919 % 500);
        rp_json_add_u64(arena, root, key, i);
    }
    struct rp_buf built = rp_buf_new(100000);
    assert_ok(rp_json_print(root, &built));
    struct rp_buf text = rp_buf_new(100000);
    for (unsigned i = 0; i < 500; i++) {
        rp_buf_printf(&text, "%s\"%03u\":%u", i ? "," : "{", i * 7919 % 500, i);
    }
    rp_buf_add_byte(&text, '}');
    struct rp_buf parsed = rp_buf_new(100000);
    assert_ok(rp_json_print(parse(arena, rp_buf_view(&text)), &parsed));
    assert_view_equal(rp_buf_view(&parsed), rp_buf_view(&built));
    assert_true(rp_view_starts(rp_buf_view(&built), RP_VIEW("{\"000\":0,\"001\":")));
    rp_buf_done(&built);
    rp_buf_done(&text);
    rp_buf_done(&parsed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(canonical_form, arena_up, arena_down),
        cmocka_unit_test_setup_teardown(refused_with_position, arena_up, arena_down),
        cmocka_unit_test_setup_teardown(limits, arena_up, arena_down),
        cmocka_unit_test_setup_teardown(a_document_outlives_its_text, arena_up, arena_down),
        cmocka_unit_test_setup_teardown(reading_a_tree, arena_up, arena_down),
        cmocka_unit_test_setup_teardown(building_a_tree, arena_up, arena_down),
        cmocka_unit_test_setup_teardown(what_is_not_whole_is_not_printed, arena_up, arena_down),
        cmocka_unit_test_setup_teardown(many_members_in_any_order, arena_up, arena_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
