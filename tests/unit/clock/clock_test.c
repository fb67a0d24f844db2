/* clock_test.c — clocks in a real database: every step once, in order, whatever happened between.
 */
#include "unit.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "clock/clock_io.h"

static const struct rp_calendar france = {.alsace = false};
static const int64_t hour_ms = 3600000;
static struct unit_world world;
static struct rp_env env;
static struct rp_store *store;
static struct rp_db *db;
static char *folder;
static char before[4096];

static void open_db(void) {
    assert_ok(rp_store_open(&env, unit_store_url(), &store, NULL));
    assert_ok(rp_store_system(store, &db, NULL));
}

static int setup(void **state) {
    (void)state;
    world = (struct unit_world){.now_ns = 1};
    env = unit_env(&world);
    folder = unit_dir_new();
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    open_db();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    rp_store_close(store);
    assert_int_equal(chdir(before), 0);
    unit_dir_remove(folder);
    return 0;
}

static struct rp_clock_key key_of(uint8_t number) {
    return (struct rp_clock_key){{{number}}, RP_VIEW("answer")};
}

/* Ten hours from `start`, with a reminder two hours before and an escalation one hour after. */
static struct rp_clock ten_hours(int64_t start) {
    struct rp_plan plan = {.remind = {{2, RP_HOURS}, {20, RP_HOURS}},
                           .remind_count = 2,
                           .escalate = {{1, RP_HOURS}},
                           .escalate_count = 1};
    return rp_clock_plan(&france, &plan, start, start + 10 * hour_ms);
}

static void put(uint8_t number, const struct rp_clock *clock) {
    struct rp_clock_key key = key_of(number);
    assert_ok(rp_db_begin(db));
    assert_ok(rp_clock_put(db, &key, clock));
    assert_ok(rp_db_commit(db));
}

static size_t claim(int64_t now_ms, struct rp_fired *fired, size_t max) {
    size_t count = 0;
    assert_ok(rp_db_begin(db));
    assert_ok(rp_clock_claim(db, now_ms, fired, max, &count));
    assert_ok(rp_db_commit(db));
    return count;
}

static void steps_fire_once_and_in_order(void **state) {
    (void)state;
    struct rp_fired fired[8];
    int64_t start = 1000 * hour_ms, next = 0;
    struct rp_clock clock = ten_hours(start);
    assert_int_equal(clock.step_count, 3); /* the reminder before the start is left out */
    put(1, &clock);
    assert_ok(rp_clock_when(db, &next));
    assert_int_equal(next, start + 8 * hour_ms);
    assert_int_equal(claim(start + 8 * hour_ms - 1, fired, 8), 0);
    assert_int_equal(claim(start + 8 * hour_ms, fired, 8), 1);
    assert_int_equal(fired[0].step.kind, RP_STEP_REMIND);
    assert_int_equal(claim(start + 8 * hour_ms, fired, 8), 0);
    /* The machine slept over the rest, and core was started anew. */
    rp_store_close(store);
    open_db();
    assert_int_equal(claim(start + 500 * hour_ms, fired, 8), 2);
    assert_int_equal(fired[0].step.kind, RP_STEP_DUE);
    assert_int_equal(fired[0].due_ms, start + 10 * hour_ms);
    assert_int_equal(fired[1].step.kind, RP_STEP_ESCALATE);
    assert_string_equal(fired[1].name, "answer");
    assert_ok(rp_clock_when(db, &next));
    assert_int_equal(next, INT64_MAX);
    /* The wall clock set back fires nothing again. */
    assert_int_equal(claim(start, fired, 8), 0);
    assert_int_equal(claim(start + 500 * hour_ms, fired, 8), 0);
}

static void restart(void) {
    rp_store_close(store);
    open_db();
}

/* Noon in Paris on the day before each change of 2026: hours are hours, days keep the clock on the
 * wall; to the millisecond, and through a restart within the hour that is missing or twice there.
 */
static void summer_time_moves_no_deadline(void **state) {
    (void)state;
    static const struct {
        int64_t from_ms;
        struct rp_span span;
        int64_t due_ms;
    } cases[] = {{INT64_C(1774695600000), {24, RP_HOURS}, INT64_C(1774782000000)},
                 {INT64_C(1774695600000), {1, RP_DAYS}, INT64_C(1774778400000)},
                 {INT64_C(1774695600000), {72, RP_HOURS}, INT64_C(1774954800000)},
                 {INT64_C(1792836000000), {24, RP_HOURS}, INT64_C(1792922400000)},
                 {INT64_C(1792836000000), {1, RP_DAYS}, INT64_C(1792926000000)},
                 {INT64_C(1792836000000), {1, RP_MONTHS}, INT64_C(1795518000000)}};
    static const struct rp_plan plan = {.remind = {{1, RP_HOURS}}, .remind_count = 1};
    struct rp_fired fired[4];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t due_ms = rp_span_add(&france, cases[i].span, cases[i].from_ms);
        assert_int_equal(due_ms, cases[i].due_ms);
        struct rp_clock clock = rp_clock_plan(&france, &plan, cases[i].from_ms, due_ms);
        put((uint8_t)(i + 1), &clock);
        restart();
        assert_int_equal(claim(due_ms - hour_ms - 1, fired, 4), 0);
        assert_int_equal(claim(due_ms - hour_ms, fired, 4), 1);
        assert_int_equal(fired[0].step.kind, RP_STEP_REMIND);
        restart();
        assert_int_equal(claim(due_ms - 1, fired, 4), 0);
        assert_int_equal(claim(due_ms, fired, 4), 1);
        assert_int_equal(fired[0].step.kind, RP_STEP_DUE);
    }
}

static void what_is_rolled_back_fires_again(void **state) {
    (void)state;
    struct rp_fired fired[8];
    size_t count = 0;
    struct rp_clock clock = ten_hours(2000 * hour_ms);
    put(2, &clock);
    assert_ok(rp_db_begin(db));
    assert_ok(rp_clock_claim(db, 2008 * hour_ms, fired, 8, &count));
    assert_int_equal(count, 1);
    rp_db_rollback(db);
    assert_int_equal(claim(2008 * hour_ms, fired, 8), 1);
    assert_ok(rp_db_begin(db));
    assert_ok(rp_clock_stop_all(db, (rp_id){{2}}));
    assert_ok(rp_db_commit(db));
}

static void a_pause_moves_what_is_left(void **state) {
    (void)state;
    struct rp_fired fired[8];
    int64_t start = 3000 * hour_ms;
    struct rp_clock clock = ten_hours(start), read;
    struct rp_clock_key key = key_of(3);
    put(3, &clock);
    assert_ok(rp_db_begin(db));
    assert_err(rp_clock_hold(db, &key, RP_VIEW(""), start + hour_ms), INVALID);
    assert_ok(rp_clock_hold(db, &key, RP_VIEW("waiting for proof of identity"), start + hour_ms));
    assert_err(rp_clock_hold(db, &key, RP_VIEW("again"), start + hour_ms), INVALID);
    assert_ok(rp_db_commit(db));
    assert_int_equal(claim(start + 100 * hour_ms, fired, 8), 0);
    assert_ok(rp_db_begin(db));
    assert_ok(rp_clock_go_on(db, &key, &france, start + 101 * hour_ms));
    assert_err(rp_clock_go_on(db, &key, &france, start + 101 * hour_ms), INVALID);
    assert_ok(rp_db_commit(db));
    assert_ok(rp_clock_find(db, &key, &read));
    assert_int_equal(read.due_ms, start + 110 * hour_ms);
    assert_int_equal(claim(start + 108 * hour_ms, fired, 8), 1);
    assert_ok(rp_db_begin(db));
    assert_ok(rp_clock_stop(db, &key));
    assert_ok(rp_db_commit(db));
    assert_err(rp_clock_find(db, &key, &read), NOT_FOUND);
}

static int64_t monotonic_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* 100,000 running clocks: the due one is found without reading the others. */
static void a_hundred_thousand_cost_nothing_until_due(void **state) {
    (void)state;
    int64_t start = 10000 * hour_ms, next = 0;
    assert_ok(rp_db_begin(db));
    for (uint32_t i = 0; i < 100000; i++) {
        struct rp_clock clock = ten_hours(start + (int64_t)i * 1000);
        struct rp_clock_key key = {{{9, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}},
                                   RP_VIEW("many")};
        assert_ok(rp_clock_put(db, &key, &clock));
    }
    assert_ok(rp_db_commit(db));
    rp_store_close(store);
    int64_t began = monotonic_ms();
    open_db();
    assert_ok(rp_clock_when(db, &next));
    assert_int_equal(next, start + 8 * hour_ms);
    struct rp_fired fired[64];
    assert_int_equal(claim(start + 8 * hour_ms + 9500, fired, 64), 10);
    assert_true(monotonic_ms() - began < 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_fire_once_and_in_order),
        cmocka_unit_test(summer_time_moves_no_deadline),
        cmocka_unit_test(what_is_rolled_back_fires_again),
        cmocka_unit_test(a_pause_moves_what_is_left),
        cmocka_unit_test(a_hundred_thousand_cost_nothing_until_due),
    };
    return cmocka_run_group_tests_name("clock", tests, setup, teardown);
}
