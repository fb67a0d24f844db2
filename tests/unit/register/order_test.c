/* order_test.c — pages in order, whichever database keeps them: numbers as numbers, what has no
 * value before all that have one. */
#include "office.h"

enum { MANY = 4 };

/* The four of them, each with a target but the last. */
static const char *const records[MANY] = {
    "{\"subject\":\"ten\",\"kind\":\"review\",\"target\":10}",
    "{\"subject\":\"nine\",\"kind\":\"objective\",\"target\":9,\"measured_on\":\"2026-03-01\"}",
    "{\"subject\":\"hundred\",\"kind\":\"objective\",\"target\":100,\"measured_on\":\"2025-12-"
    "31\"}",
    "{\"subject\":\"none\",\"kind\":\"issue\"}",
};

static void make_records(void) {
    for (size_t i = 0; i < MANY; i++) {
        create(owner(), "isms", records[i]);
        world.now_ns += INT64_C(1000000000);
    }
}

static void assert_page(struct rp_query query, const char *subjects) {
    struct rp_desk desk = owner();
    struct rp_page page;
    rp_view got = RP_VIEW("");
    query.reg = reg_of("isms");
    query.count = 10;
    check(rp_desk_list(&desk, &query, &page));
    for (size_t i = 0; i < page.count; i++) {
        got = rp_arena_printf(arena, "%.*s%s%.*s", RP_FMT(got), i ? " " : "",
                              RP_FMT(rp_json_get_string(page.records[i].facts.open, "subject")));
    }
    assert_view_equal(got, rp_view_from_cstr(subjects));
    assert_int_equal(page.total, page.count);
}

static struct rp_query by(const char *sort, bool descending) {
    return (struct rp_query){.sort = rp_view_from_cstr(sort), .descending = descending};
}

static void a_number_is_no_text(void **state) {
    (void)state;
    make_records();
    assert_page(by("target", false), "none nine ten hundred");
    assert_page(by("target", true), "hundred ten nine none");
    struct rp_query ten = by("number", false);
    ten.filters[0] = (struct rp_filter){"target", RP_VIEW("10")};
    ten.filter_count = 1;
    assert_page(ten, "ten");
    ten.filters[0].value = RP_VIEW("1");
    assert_page(ten, "");
}

static void what_has_no_value_is_least(void **state) {
    (void)state;
    make_records();
    struct rp_query dated = by("measured_on", true);
    dated.filters[0] = (struct rp_filter){"kind", RP_VIEW("objective")};
    dated.filter_count = 1;
    assert_page(dated, "nine hundred");
    dated.sort = RP_VIEW("target");
    assert_page(dated, "hundred nine");
    dated.filters[0].value = RP_VIEW("issue");
    assert_page(dated, "none");
    /* Among those of no date, which is first is nobody's business; those with one are behind. */
    struct rp_desk desk = owner();
    struct rp_query all = by("measured_on", false);
    struct rp_page page;
    all.reg = reg_of("isms");
    all.count = MANY;
    check(rp_desk_list(&desk, &all, &page));
    assert_view(rp_json_get_string(page.records[2].facts.open, "subject"), "hundred");
    assert_view(rp_json_get_string(page.records[3].facts.open, "subject"), "nine");
    all.descending = true;
    check(rp_desk_list(&desk, &all, &page));
    assert_view(rp_json_get_string(page.records[0].facts.open, "subject"), "nine");
    assert_view(rp_json_get_string(page.records[1].facts.open, "subject"), "hundred");
}

static void number_change_and_state_order_a_page(void **state) {
    (void)state;
    make_records();
    assert_page(by("number", false), "ten nine hundred none");
    assert_page(by("number", true), "none hundred nine ten");
    assert_page(by("", false), "ten nine hundred none");
    assert_page(by("changed", true), "none hundred nine ten");
    assert_page(by("changed", false), "ten nine hundred none");
    struct rp_query nine = by("number", false);
    nine.filters[0] = (struct rp_filter){"target", RP_VIEW("9")};
    nine.filter_count = 1;
    struct rp_desk desk = owner();
    struct rp_page page;
    nine.reg = reg_of("isms");
    nine.count = 1;
    check(rp_desk_list(&desk, &nine, &page));
    check(move(owner(), "isms", page.records[0].facts.id, "meet", "{}"));
    assert_page(by("state", false), "nine ten hundred none");
    assert_page(by("state", true), "ten hundred none nine");
    struct rp_query open = by("number", true);
    open.state = RP_VIEW("open");
    assert_page(open, "none hundred ten");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_number_is_no_text, setup, teardown),
        cmocka_unit_test_setup_teardown(what_has_no_value_is_least, setup, teardown),
        cmocka_unit_test_setup_teardown(number_change_and_state_order_a_page, setup, teardown),
    };
    return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
