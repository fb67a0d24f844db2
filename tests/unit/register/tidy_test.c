/* tidy_test.c — a write only leaves its text; rounds and searches put it into the index, and what
 * that leaves is merged while nobody writes. PostgreSQL's index keeps itself: there, what is
 * written is found, and nothing ever waits. */
#include "office.h"
#include "register/tidy.h"

enum { SEGMENTS = 10, FIRST_ROW = 1000000 };

static rp_err add_word(struct rp_db *to, void *ctx) {
    const uint64_t *rowid = ctx;
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(to,
                       "INSERT INTO register_text (rowid, register, body) "
                       "VALUES (?1, 'risks', 'flood ' || ?1)",
                       &row));
    rp_row_bind_u64(row, 1, *rowid);
    return rp_row_run(row, NULL);
}

/* As writes would that merged nothing: a segment each. */
static void leave_segments(void) {
    static uint64_t rowid = FIRST_ROW;
    for (size_t i = 0; i < SEGMENTS; i++) {
        rowid++;
        assert_ok(rp_db_transact(db, add_word, &rowid));
    }
}

static uint64_t asked(const char *sql) {
    struct rp_row *row = NULL;
    assert_ok(rp_db_query(db, sql, &row));
    assert_ok(rp_row_first(row));
    uint64_t n = rp_row_u64(row, 0);
    rp_row_done(row);
    return n;
}

static uint64_t segments(void) {
    return asked("SELECT count(DISTINCT segid) FROM register_text_idx");
}

static uint64_t found(void) {
    return asked("SELECT count(*) FROM register_text WHERE register_text MATCH 'flood'");
}

static bool keeps_itself(void) {
    return rp_db_sql(db) == RP_SQL_POSTGRESQL;
}

static uint64_t waiting(void) {
    return keeps_itself() ? 0 : asked("SELECT count(*) FROM register_unindexed");
}

/* The index's own pages, as they lie in the file. */
static uint64_t index_bytes(void) {
    return asked("SELECT sum(length(block)) FROM register_text_data");
}

static uint64_t matches(const char *words) {
    struct rp_desk desk = owner();
    struct rp_query query = {
        .reg = reg_of("isms"), .text = rp_view_from_cstr(words), .count = 5, .sort = RP_VIEW("")};
    struct rp_page page;
    assert_ok(rp_desk_list(&desk, &query, &page));
    return page.total;
}

static void a_write_leaves_the_index_alone(void **state) {
    (void)state;
    if (keeps_itself()) {
        skip();
    }
    uint64_t before = index_bytes(), waited = waiting();
    create(owner(), "isms", "{\"subject\":\"flood\",\"kind\":\"issue\"}");
    assert_int_equal(index_bytes(), before);
    assert_int_equal(waiting(), waited + 1);
}

static void what_was_written_is_found_by_the_next_search(void **state) {
    (void)state;
    rp_id id = create(owner(), "isms", "{\"subject\":\"flood\",\"kind\":\"issue\"}");
    assert_int_equal(matches("flood"), 1);
    assert_int_equal(waiting(), 0);
    /* Twice before anybody looks: the last text counts, and the first is found no more. */
    assert_ok(edit(owner(), "isms", id, "{\"subject\":\"fire\"}"));
    assert_ok(edit(owner(), "isms", id, "{\"subject\":\"storm\"}"));
    assert_int_equal(waiting(), !keeps_itself());
    assert_int_equal(matches("storm"), 1);
    assert_int_equal(matches("fire"), 0);
    assert_int_equal(matches("flood"), 0);
}

static void a_search_puts_in_more_than_one_lot(void **state) {
    (void)state;
    for (int i = 0; i < 100; i++) {
        create(owner(), "isms", "{\"subject\":\"flood\",\"kind\":\"issue\"}");
    }
    assert_int_equal(matches("flood"), 100);
    assert_int_equal(waiting(), 0);
}

static void who_searches_a_quiet_register_writes_nothing(void **state) {
    (void)state;
    assert_int_equal(matches("flood"), 0);
    uint64_t changes = rp_db_changes(db);
    assert_int_equal(matches("flood"), 0);
    assert_int_equal(rp_db_changes(db), changes);
}

static void a_text_that_waits_goes_with_its_record(void **state) {
    (void)state;
    uint64_t waited = waiting();
    rp_id id = create(person(ann), "isms", "{\"subject\":\"flood\",\"kind\":\"issue\"}");
    struct rp_desk desk = person(ann);
    check(rp_desk_take_back(&desk, reg_of("isms"), id));
    assert_int_equal(waiting(), waited);
    assert_int_equal(matches("flood"), 0);
}

static void idle_moments_merge_what_writes_left(void **state) {
    (void)state;
    struct rp_tidying tidying = {.seen = 0};
    if (keeps_itself()) {
        skip();
    }
    assert_ok(rp_db_outbox_last(db, &tidying.seen));
    leave_segments();
    uint64_t before = segments();
    assert_true(before >= SEGMENTS);
    assert_ok(rp_tidy_round(&env, db, &tidying));
    assert_true(tidying.over);
    assert_true(segments() < before / 2);
    assert_int_equal(found(), SEGMENTS);
    /* Nothing is left, and nothing is written any more. */
    uint64_t changes = rp_db_changes(db);
    assert_ok(rp_tidy_round(&env, db, &tidying));
    assert_int_equal(rp_db_changes(db), changes);
}

static void whoever_writes_is_not_disturbed(void **state) {
    (void)state;
    struct rp_tidying tidying = {.over = true};
    if (keeps_itself()) {
        skip();
    }
    assert_ok(rp_db_outbox_last(db, &tidying.seen));
    for (int i = 0; i < 20; i++) {
        create(owner(), "isms", "{\"subject\":\"flood\",\"kind\":\"issue\"}");
    }
    leave_segments();
    assert_ok(rp_tidy_round(&env, db, &tidying));
    assert_int_equal(waiting(), 0);
    assert_false(tidying.over);
    /* Half a second later nobody has written. */
    assert_ok(rp_tidy_round(&env, db, &tidying));
    assert_true(tidying.over);
    assert_int_equal(segments(), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_write_leaves_the_index_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_written_is_found_by_the_next_search, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_search_puts_in_more_than_one_lot, setup, teardown),
        cmocka_unit_test_setup_teardown(who_searches_a_quiet_register_writes_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_text_that_waits_goes_with_its_record, setup, teardown),
        cmocka_unit_test_setup_teardown(idle_moments_merge_what_writes_left, setup, teardown),
        cmocka_unit_test_setup_teardown(whoever_writes_is_not_disturbed, setup, teardown),
    };
    return cmocka_run_group_tests_name("tidy", tests, NULL, NULL);
}
