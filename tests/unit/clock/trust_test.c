/* trust_test.c — a clock is believed while it goes on, and doubted when it leaps. */
#include "unit.h"

#include <unistd.h>

#include "base/checked.h"
#include "clock/trust_io.h"

static const int64_t day_ms = (int64_t)24 * 3600 * 1000, start_ms = (int64_t)20000 * 86400000;
static struct unit_world world;
static struct rp_env env;
static struct rp_store *store;
static struct rp_db *db;
static char *folder;
static char before[4096];

static int setup(void **state) {
    (void)state;
    world = (struct unit_world){.now_ns = start_ms * 1000000};
    env = unit_env(&world);
    folder = unit_dir_new();
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    assert_ok(rp_store_open(&env, unit_store_url(), &store, NULL));
    assert_ok(rp_store_system(store, &db, NULL));
    return 0;
}

static int teardown(void **state) {
    (void)state;
    rp_store_close(store);
    assert_int_equal(chdir(before), 0);
    unit_dir_remove(folder);
    return 0;
}

static void wait_ms(int64_t ms) {
    world.now_ns += ms * 1000000;
}

/* What a look says; *news: it says something else than the last one. */
static bool look(bool *news) {
    struct rp_clock_trust trust;
    assert_ok(rp_clock_trust_look(&env, db, &trust, news));
    return trust.believed;
}

static bool read_believed(void) {
    struct rp_clock_trust trust;
    assert_ok(rp_clock_trust_read(&env, db, &trust));
    return trust.believed;
}

static uint64_t events(void) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    uint64_t leapt = 0;
    bool more = false;
    assert_ok(rp_db_query(db, "SELECT event FROM outbox ORDER BY sequence", &row));
    assert_ok(rp_row_next(row, &more));
    while (more) {
        rp_view event = rp_row_blob(row, 0);
        leapt += rp_view_find(event, RP_VIEW("clock.leapt")) < event.n;
        assert_ok(rp_row_next(row, &more));
    }
    return leapt;
}

static void a_clock_that_goes_on_is_believed(void **state) {
    (void)state;
    bool news = true;
    assert_true(look(&news)); /* the first time there is nothing to compare with */
    for (int day = 0; day < 400; day++) {
        wait_ms(day_ms);
        assert_true(look(&news));
        assert_false(news);
    }
    wait_ms(RP_CLOCK_LEAP_DAYS * day_ms); /* off for a week */
    assert_true(read_believed());
    assert_true(look(&news));
    assert_int_equal(events(), 0);
}

static void a_leap_is_told_once_and_holds_until_the_clock_is_back(void **state) {
    (void)state;
    bool news = false;
    assert_true(look(&news));
    wait_ms(730 * day_ms);
    assert_false(read_believed()); /* also before anybody looked */
    assert_false(look(&news));
    assert_true(news);
    for (int day = 0; day < 30; day++) { /* going on from there makes it no truer */
        wait_ms(day_ms);
        assert_false(look(&news));
        assert_false(news);
    }
    assert_int_equal(events(), 1);
    wait_ms(-755 * day_ms);
    assert_true(look(&news));
    assert_true(news);
    assert_int_equal(events(), 2);
}

static void whoever_confirms_is_believed_and_on_record(void **state) {
    (void)state;
    bool news = false;
    assert_true(look(&news));
    assert_err(rp_clock_trust_confirm(&env, db, RP_VIEW("owner")), INVALID);
    wait_ms(60 * day_ms);
    assert_false(look(&news));
    assert_ok(rp_clock_trust_confirm(&env, db, RP_VIEW("owner")));
    assert_true(look(&news));
    assert_int_equal(events(), 2);
    wait_ms(60 * day_ms); /* the next one counts from there */
    assert_false(look(&news));
}

/* Set back, and from there ahead again: the lead does not hide the leap. */
static void a_clock_that_was_set_back_is_followed(void **state) {
    (void)state;
    bool news = false;
    assert_true(look(&news));
    wait_ms(-day_ms / 48); /* set right by half an hour: nothing to tell */
    assert_true(look(&news));
    assert_int_equal(events(), 0);
    wait_ms(-300 * day_ms);
    assert_true(look(&news));
    assert_false(news);
    assert_int_equal(events(), 1);
    assert_true(look(&news));
    assert_int_equal(events(), 1);
    wait_ms(200 * day_ms);
    assert_false(look(&news));
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_clock_that_goes_on_is_believed),
        TEST(a_leap_is_told_once_and_holds_until_the_clock_is_back),
        TEST(whoever_confirms_is_believed_and_on_record),
        TEST(a_clock_that_was_set_back_is_followed),
    };
    return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
