/* expr_test.c — what expressions parse to and refuse; and a YAML's mistakes, with their places. */
#include "unit.h"

#include "base/checked.h"
#include "register/schema.h"

static struct rp_arena *arena;

static int setup(void **state) {
    (void)state;
    arena = rp_arena_new(16 << 20);
    return arena ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    rp_arena_free(arena);
    return 0;
}

#define DOCUMENT(moves)                                                                            \
    "id: boxes\nnumber: X1\nsection: test\nversion: 1\nname: [\"Boîtes\", \"Boxes\"]\n"           \
    "one: [\"Boîte\", \"Box\"]\nabout: [\"Des boîtes.\", \"Boxes.\"]\ntitle: label\n"            \
    "read: []\nwrite: []\npromises: []\nretention: 12mo\n"                                         \
    "states:\n  open: [\"Ouverte\", \"Open\"]\n  shut: [\"Fermée\", \"Shut\"]\n"                  \
    "fields:\n  label: {type: text, label: [\"Étiquette\", \"Label\"]}\n"                         \
    "  weight: {type: number, label: [\"Poids\", \"Weight\"]}\n"                                   \
    "  due_on: {type: date, label: [\"Échéance\", \"Due\"]}\n"                                   \
    "  inside: {type: reference, to: boxes, label: [\"Dans\", \"Inside\"]}\n"                      \
    "moves:\n" moves

static struct rp_register parse(const char *text) {
    struct rp_register reg;
    struct rp_diag diag = {0};
    rp_err err = rp_register_parse(rp_view_from_cstr(text), "boxes.yaml", arena, &reg, &diag);
    if (!rp_ok(err)) {
        fail_msg("%u:%u %s", diag.line, diag.column, diag.text);
    }
    return reg;
}

static bool is_true(const char *text, const char *json) {
    struct rp_register reg =
        parse(DOCUMENT("  shut: {label: [\"F\", \"S\"], from: [open], to: shut}\n"));
    struct rp_registers all = {&reg, 1};
    struct rp_calendar calendar = {0};
    struct rp_expr *expr = NULL;
    struct rp_json *open = NULL;
    struct rp_diag diag = {0};
    bool yes = false;
    rp_err err = rp_expr_parse(rp_view_from_cstr(text), arena, &expr, &diag);
    if (rp_ok(err)) {
        err = rp_expr_check(expr, &reg, &all, &diag);
    }
    if (!rp_ok(err)) {
        fail_msg("%s: column %u: %s", text, diag.column, diag.text);
    }
    assert_ok(rp_json_parse(rp_view_from_cstr(json), RP_JSON_LIMITS, arena, &open, NULL));
    struct rp_facts facts = {.reg = &reg, .state = RP_VIEW("open"), .open = open, .number = 7};
    struct rp_asking asking = {.now_ms = INT64_C(1795521600000), .calendar = &calendar};
    assert_ok(rp_expr_true(expr, &facts, &asking, &yes));
    return yes;
}

static void expressions_say_what_they_read_like(void **state) {
    (void)state;
    const char *box = "{\"label\":\"red\",\"weight\":12,\"due_on\":\"2026-11-30\"}";
    static const char *const yes[] = {"true",
                                      "not false",
                                      "label = 'red'",
                                      "label != 'blue'",
                                      "weight > 11 and weight <= 12",
                                      "weight = 12 or label = 'x'",
                                      "state = 'open'",
                                      "state in ['open', 'shut']",
                                      "state not in ['shut']",
                                      "set(label) and empty(inside)",
                                      "number = 7",
                                      "due_on > today and due_on <= today + 30d",
                                      "due_on - 1mo < now",
                                      "weight + 3 = 15",
                                      "weight - 2 >= 10",
                                      "1 + weight * 2 = 25",
                                      "weight * weight - 4 = 140",
                                      "(label = 'x' or weight = 12) and state = 'open'",
                                      "not (label = 'x') and true"};
    static const char *const no[] = {"false",
                                     "label = 'Red'",
                                     "inside = label",
                                     "empty(label)",
                                     "inside != inside and false",
                                     "weight < 12",
                                     "label > 3",
                                     "state = 'shut'",
                                     "due_on < now",
                                     "due_on * 2 > now",
                                     "weight * 1d > 0",
                                     "inside = 'red'"};
    for (size_t i = 0; i < RP_COUNT_OF(yes); i++) {
        if (!is_true(yes[i], box)) {
            fail_msg("should be true: %s", yes[i]);
        }
    }
    for (size_t i = 0; i < RP_COUNT_OF(no); i++) {
        if (is_true(no[i], box)) {
            fail_msg("should not be true: %s", no[i]);
        }
    }
}

static void what_is_no_expression_is_refused_with_its_column(void **state) {
    (void)state;
    static const struct {
        const char *text;
        unsigned column;
    } wrong[] = {{"", 1},       {"label =", 8},        {"label = 'x", 9}, {"label 'x'", 7},
                 {"(label", 7}, {"label not 3", 11},   {"count(", 7},     {"1.5.2", 1},
                 {"and", 4},    {"state in open", 10}, {"this", 5},       {"overdue(x)", 9}};
    for (size_t i = 0; i < RP_COUNT_OF(wrong); i++) {
        struct rp_expr *expr = NULL;
        struct rp_diag diag = {0};
        rp_err err = rp_expr_parse(rp_view_from_cstr(wrong[i].text), arena, &expr, &diag);
        if (!rp_is(err, RP_E_SYNTAX)) {
            continue; /* "and" alone reads as a name: the checker refuses it */
        }
        if (diag.column != wrong[i].column) {
            fail_msg("%s: column %u, wanted %u", wrong[i].text, diag.column, wrong[i].column);
        }
    }
    char deep[400] = {0};
    memset(deep, '(', 200);
    struct rp_expr *expr = NULL;
    assert_err(rp_expr_parse(rp_view_from_cstr(deep), arena, &expr, NULL), SYNTAX);
}

static void names_that_do_not_exist_are_refused(void **state) {
    (void)state;
    struct rp_register reg =
        parse(DOCUMENT("  shut: {label: [\"F\", \"S\"], from: [open], to: shut}\n"));
    struct rp_registers all = {&reg, 1};
    static const char *const wrong[] = {
        "colour = 'red'",    "state = 'ajar'",    "inside.colour = 'x'",
        "label.label = 'x'", "count(crates) = 0", "count(boxes, colour = 1) = 0",
        "this.label = 'x'",  "overdue('soon')",   "state in ['shut', 'x']"};
    for (size_t i = 0; i < RP_COUNT_OF(wrong); i++) {
        struct rp_expr *expr = NULL;
        assert_ok(rp_expr_parse(rp_view_from_cstr(wrong[i]), arena, &expr, NULL));
        if (!rp_is(rp_expr_check(expr, &reg, &all, NULL), RP_E_UNKNOWN_KEY)) {
            fail_msg("should be refused: %s", wrong[i]);
        }
    }
}

static void mistakes_in_a_register_have_a_place(void **state) {
    (void)state;
    static const struct {
        const char *moves;
        enum rp_code code;
        unsigned line;
    } wrong[] = {
        {"  shut: {label: [\"F\", \"S\"], from: [ajar], to: shut}\n", RP_E_SYNTAX, 22},
        {"  shut: {label: [\"F\", \"S\"], from: [open], to: ajar}\n", RP_E_SYNTAX, 22},
        {"  shut: {label: [\"F\"], from: [open], to: shut}\n", RP_E_SYNTAX, 22},
        {"  shut: {label: [\"F\", \"S\"], form: [open], to: shut}\n", RP_E_UNKNOWN_KEY, 22},
        {"  shut: {label: [\"F\", \"S\"], from: [open], to: shut, if: \"label =\", refusal: "
         "[\"a\", "
         "\"b\"]}\n",
         RP_E_SYNTAX, 22},
        {"  shut: {label: [\"F\", \"S\"], from: [open], to: shut, if: \"true\"}\n", RP_E_SYNTAX,
         22},
    };
    for (size_t i = 0; i < RP_COUNT_OF(wrong); i++) {
        char text[4096];
        int n = snprintf(text, sizeof text, DOCUMENT("%s"), wrong[i].moves);
        assert_true(n > 0 && (size_t)n < sizeof text);
        struct rp_register reg;
        struct rp_diag diag = {0};
        rp_err err = rp_register_parse(rp_view_from_cstr(text), "boxes.yaml", arena, &reg, &diag);
        unit_assert_err(err, wrong[i].code, __FILE__, __LINE__);
        assert_int_equal(diag.line, wrong[i].line);
        assert_true(diag.column > 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_say_what_they_read_like),
        cmocka_unit_test(what_is_no_expression_is_refused_with_its_column),
        cmocka_unit_test(names_that_do_not_exist_are_refused),
        cmocka_unit_test(mistakes_in_a_register_have_a_place),
    };
    return cmocka_run_group_tests_name("expr", tests, setup, teardown);
}
