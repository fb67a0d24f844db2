#include "base/buf.h"
#include "unit.h"
#include "wire/yaml.h"

static int arena_up(void **state) {
    *state = rp_arena_new(16 << 20);
    return *state ? 0 : -1;
}

static int arena_down(void **state) {
    rp_arena_free(*state);
    return 0;
}

static void a_tree_with_positions(void **state) {
    struct rp_yaml *root = NULL;
    assert_ok(rp_yaml_parse(RP_VIEW("# first\n"
                                    "gate:\n"
                                    "  port: 8443\n"
                                    "  name: \"8443\"\n"
                                    "apps:\n"
                                    "  - {id: notes, audience: 'n'}\n"
                                    "  - plain text\n"
                                    "text: |\n"
                                    "  two\n"
                                    "  lines\n"
                                    "empty:\n"),
                            *state, &root, NULL));
    const struct rp_yaml *gate = rp_yaml_get(root, "gate");
    assert_int_equal(root->kind, RP_YAML_MAPPING);
    assert_int_equal(gate->kind, RP_YAML_MAPPING);
    assert_int_equal(gate->key_line, 2);
    assert_int_equal(gate->key_column, 1);
    const struct rp_yaml *port = rp_yaml_get(gate, "port");
    assert_view(port->scalar, "8443");
    assert_false(port->quoted);
    assert_int_equal(port->line, 3);
    assert_int_equal(port->column, 9);
    assert_int_equal(port->key_column, 3);
    assert_true(rp_yaml_get(gate, "name")->quoted);
    const struct rp_yaml *apps = rp_yaml_get(root, "apps");
    assert_int_equal(apps->kind, RP_YAML_SEQUENCE);
    assert_view(rp_yaml_get_scalar(apps->first, "audience"), "n");
    assert_view(apps->first->next->scalar, "plain text");
    assert_null(apps->first->next->next);
    assert_view(rp_yaml_get_scalar(root, "text"), "two\nlines\n");
    assert_true(rp_yaml_get(root, "text")->quoted);
    assert_view(rp_yaml_get_scalar(root, "empty"), "");
    assert_null(rp_yaml_get_scalar(root, "gate").p);
    assert_null(rp_yaml_get(root, "absent"));
    assert_null(rp_yaml_get(apps, "id"));
    assert_null(rp_yaml_get(NULL, "id"));
}

static void nothing_is_an_empty_mapping(void **state) {
    static const char *const texts[] = {"", "# only a comment\n", "---\n", "---\n...\n", "{}"};
    for (size_t i = 0; i < 5; i++) {
        struct rp_yaml *root = NULL;
        assert_ok(rp_yaml_parse(rp_view_from_cstr(texts[i]), *state, &root, NULL));
        assert_int_equal(root->kind, RP_YAML_MAPPING);
        assert_null(root->first);
    }
}

struct refusal {
    const char *text;
    enum rp_code code;
    unsigned line, column;
};

static void refused_with_position(void **state) {
    static const struct refusal table[] = {
        {"a: 1\nb: 2\na: 3\n", RP_E_DUPLICATE, 3, 1},
        {"a: &x 1\n", RP_E_SYNTAX, 1, 4},
        {"a: *x\n", RP_E_SYNTAX, 1, 4},
        {"&x k: 1\n", RP_E_SYNTAX, 1, 1},
        {"a: !!str 1\n", RP_E_SYNTAX, 1, 4},
        {"a: !custom [1]\n", RP_E_SYNTAX, 1, 4},
        {"a: 1\n---\nb: 2\n", RP_E_SYNTAX, 2, 1},
        {"%YAML 1.1\n---\na: 1\n", RP_E_SYNTAX, 1, 1},
        {"? [a, b]\n: 1\n", RP_E_SYNTAX, 1, 3},
        {"a: [1, 2\n", RP_E_SYNTAX, 2, 1},
        {"a: 1\n  b: 2\n", RP_E_SYNTAX, 2, 4},
        {"a: 1\n\tb: 2\n", RP_E_SYNTAX, 2, 1},
        {"a: \"x\n", RP_E_SYNTAX, 2, 1},
        {"a: 1\nb: \xff\n", RP_E_SYNTAX, 2, 4},
        {"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", RP_E_TOO_LARGE, 1, 17},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct rp_yaml *root = NULL;
        struct rp_diag diag = {0};
        rp_err err = rp_yaml_parse(rp_view_from_cstr(table[i].text), *state, &root, &diag);
        if (!rp_is(err, table[i].code) || diag.line != table[i].line ||
            diag.column != table[i].column) {
            fail_msg("%s: %s at %u:%u %s", table[i].text, rp_err_name(err), diag.line, diag.column,
                     diag.text);
        }
        assert_null(root);
        assert_true(diag.text[0] != 0);
    }
}

static void limits(void **state) {
    struct rp_yaml *root = NULL;
    assert_ok(rp_yaml_parse(RP_VIEW("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"), *state, &root, NULL));
    struct rp_buf text = rp_buf_new(1 << 20);
    rp_buf_add_byte(&text, '[');
    for (int i = 0; i < 49999; i++) {
        rp_buf_add_cstr(&text, "1,");
    }
    rp_buf_add_byte(&text, ']');
    assert_ok(rp_yaml_parse(rp_buf_view(&text), *state, &root, NULL));
    text.n--;
    rp_buf_add_cstr(&text, "1]");
    assert_err(rp_yaml_parse(rp_buf_view(&text), *state, &root, NULL), TOO_LARGE);
    rp_buf_clear(&text);
    for (int i = 0; i < 4097; i++) {
        rp_buf_printf(&text, "k%d: 1\n", i);
    }
    assert_err(rp_yaml_parse(rp_buf_view(&text), *state, &root, NULL), TOO_LARGE);
    struct rp_arena *tiny = rp_arena_new(100);
    assert_err(rp_yaml_parse(RP_VIEW("[a, b, c]"), tiny, &root, NULL), TOO_LARGE);
    rp_arena_free(tiny);
    rp_buf_done(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_tree_with_positions, arena_up, arena_down),
        cmocka_unit_test_setup_teardown(nothing_is_an_empty_mapping, arena_up, arena_down),
        cmocka_unit_test_setup_teardown(refused_with_position, arena_up, arena_down),
        cmocka_unit_test_setup_teardown(limits, arena_up, arena_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
