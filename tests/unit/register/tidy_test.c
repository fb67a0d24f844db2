/* tidy_test.c — the index of words is merged while nobody writes, and only then. */
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

static void idle_moments_merge_what_writes_left(void **state) {
    (void)state;
    struct rp_tidying tidying = {.seen = 0};
    assert_ok(rp_db_outbox_last(db, &tidying.seen));
    leave_segments();
    uint64_t before = segments();
    assert_true(before >= SEGMENTS);
    assert_ok(rp_tidy_while_idle(&env, db, &tidying));
    assert_true(tidying.over);
    assert_true(segments() < before / 2);
    assert_int_equal(found(), SEGMENTS);
    /* Nothing is left, and nothing is written any more. */
    uint64_t changes = rp_db_changes(db);
    assert_ok(rp_tidy_while_idle(&env, db, &tidying));
    assert_int_equal(rp_db_changes(db), changes);
}

static void whoever_writes_is_not_disturbed(void **state) {
    (void)state;
    struct rp_tidying tidying = {.over = true};
    assert_ok(rp_db_outbox_last(db, &tidying.seen));
    for (int i = 0; i < 20; i++) {
        create(owner(), "isms", "{\"subject\":\"flood\",\"kind\":\"issue\"}");
    }
    leave_segments();
    uint64_t before = segments();
    assert_ok(rp_tidy_while_idle(&env, db, &tidying));
    assert_false(tidying.over);
    assert_int_equal(segments(), before);
    /* Half a second later nobody has written. */
    assert_ok(rp_tidy_while_idle(&env, db, &tidying));
    assert_true(tidying.over);
    assert_true(segments() < before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(idle_moments_merge_what_writes_left, setup, teardown),
        cmocka_unit_test_setup_teardown(whoever_writes_is_not_disturbed, setup, teardown),
    };
    return cmocka_run_group_tests_name("tidy", tests, NULL, NULL);
}
