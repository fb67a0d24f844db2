#include "wire/csv.h"

#include "unit.h"

static const struct rp_csv_limits limits = {.rows_max = 3, .columns_max = 4, .cell_max = 20};
static struct rp_arena *arena;
static struct rp_csv table;
static struct rp_diag diag;

static int up(void **state) {
    (void)state;
    arena = rp_arena_new(1 << 20);
    return arena ? 0 : -1;
}

static int down(void **state) {
    (void)state;
    rp_arena_free(arena);
    return 0;
}

static rp_err parse(const char *text) {
    diag = (struct rp_diag){0};
    return rp_csv_parse(rp_view_from_cstr(text), limits, arena, &table, &diag);
}

static void both_separators_and_quotes(void **state) {
    (void)state;
    assert_ok(parse("\xEF\xBB\xBFname;note\r\n\"A; \"\"b\"\"\";\"two\nlines\"\n x ;\n"));
    assert_int_equal(table.column_count, 2);
    assert_int_equal(table.row_count, 2);
    assert_view(table.names[1], "note");
    assert_view(table.rows[0].cells[0], "A; \"b\"");
    assert_view(table.rows[0].cells[1], "two\nlines");
    assert_int_equal(table.rows[1].line, 4);
    assert_view(table.rows[1].cells[0], " x ");
    assert_view(table.rows[1].cells[1], "");
    assert_ok(parse("a,b\n1,2"));
    assert_view(table.rows[0].cells[1], "2");
    assert_ok(parse("\"a;b\",c\n1,2\n"));
    assert_view(table.names[0], "a;b");
    assert_ok(parse("alone\n"));
    assert_int_equal(table.row_count, 0);
}

static void refused_at(const char *text, enum rp_code code, unsigned line, unsigned column) {
    rp_err err = parse(text);
    assert_true(rp_is(err, code));
    assert_int_equal(diag.line, line);
    assert_int_equal(diag.column, column);
}

static void mistakes_have_a_place(void **state) {
    (void)state;
    refused_at("", RP_E_SYNTAX, 1, 1);
    refused_at("a,b\n1\n", RP_E_SYNTAX, 2, 1);
    refused_at("a,b\n1,2,3\n", RP_E_SYNTAX, 2, 5);
    refused_at("a,b\n1,2\"\n", RP_E_SYNTAX, 2, 4);
    refused_at("a,b\n1,\"2\n", RP_E_SYNTAX, 2, 3);
    refused_at("a,b\n\"1\"x,2\n", RP_E_SYNTAX, 2, 4);
    refused_at("a,b\n1\r2,3\n", RP_E_SYNTAX, 2, 2);
    refused_at("a,b,a\n", RP_E_DUPLICATE, 1, 3);
    refused_at("a\nb\nc\nd\ne\n", RP_E_TOO_LARGE, 5, 1);
    refused_at("a\n123456789012345678901\n", RP_E_TOO_LARGE, 2, 1);
    refused_at("a,b,c,d,e\n", RP_E_SYNTAX, 1, 9);
    refused_at("a\n\xff\n", RP_E_SYNTAX, 1, 1);
}

static void what_is_printed_reads_back(void **state) {
    (void)state;
    struct rp_buf out = rp_buf_new(200);
    rp_csv_add(&out, true, RP_VIEW("plain"));
    rp_csv_add(&out, false, RP_VIEW("a \"b\", c\nd"));
    rp_csv_end_row(&out);
    rp_csv_add(&out, true, RP_VIEW(""));
    rp_csv_add(&out, false, RP_VIEW("x;y"));
    rp_csv_end_row(&out);
    assert_ok(rp_csv_parse(rp_buf_view(&out), limits, arena, &table, &diag));
    assert_view(table.names[1], "a \"b\", c\nd");
    assert_view(table.rows[0].cells[1], "x;y");
    rp_buf_done(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_separators_and_quotes),
        cmocka_unit_test(mistakes_have_a_place),
        cmocka_unit_test(what_is_printed_reads_back),
    };
    return cmocka_run_group_tests(tests, up, down);
}
