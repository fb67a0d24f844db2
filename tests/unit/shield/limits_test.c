#include "shield/limits.h"

#include <stdlib.h>

#include "unit.h"

static const uint8_t salt[RP_LIMITS_SALT] = "sixteen bytes...";
static const uint64_t now = 1700000000ULL * 1000000;

static int set_up(void **state) {
    *state = malloc(rp_limits_bytes());
    if (!*state) {
        return -1;
    }
    rp_limits_init(*state, salt);
    return 0;
}

static int tear_down(void **state) {
    free(*state);
    return 0;
}

static uint64_t key_of(void *table, uint64_t who) {
    return rp_limits_key(table, RP_LIMIT_ADDRESS, rp_view_of(&who, sizeof who));
}

static void a_burst_passes_then_the_rate_holds(void **state) {
    struct rp_limit limit = rp_limit_of(10, 5);
    uint64_t key = key_of(*state, 1);
    uint32_t wait = 0;
    for (int i = 0; i < 5; i++) {
        assert_true(rp_limits_take(*state, key, limit, now, &wait));
    }
    assert_false(rp_limits_take(*state, key, limit, now, &wait));
    assert_int_equal(wait, 100);
    assert_false(rp_limits_take(*state, key, limit, now + 99000, &wait));
    assert_int_equal(wait, 1);
    assert_true(rp_limits_take(*state, key, limit, now + 100000, &wait));
    assert_false(rp_limits_take(*state, key, limit, now + 100000, &wait));
    unsigned passed = 0;
    for (uint64_t t = 0; t < 10000000; t += 10000) {
        passed += rp_limits_take(*state, key, limit, now + 200000 + t, &wait);
    }
    assert_in_range(passed, 99, 105);
}

static void others_are_counted_apart(void **state) {
    struct rp_limit limit = rp_limit_of(1, 1);
    uint32_t wait = 0;
    uint64_t who = 7;
    uint64_t address = rp_limits_key(*state, RP_LIMIT_ADDRESS, rp_view_of(&who, sizeof who));
    uint64_t session = rp_limits_key(*state, RP_LIMIT_SESSION, rp_view_of(&who, sizeof who));
    assert_true(rp_limits_take(*state, address, limit, now, &wait));
    assert_true(rp_limits_take(*state, session, limit, now, &wait));
    assert_false(rp_limits_take(*state, address, limit, now, &wait));
    assert_true(rp_limits_take(*state, key_of(*state, 8), limit, now, &wait));
    uint64_t zeros[2] = {0, 0};
    assert_true(rp_limits_key(*state, RP_LIMIT_ADDRESS, rp_view_of(zeros, 4)) !=
                rp_limits_key(*state, RP_LIMIT_ADDRESS, rp_view_of(zeros, 16)));
    struct rp_limit none = {0};
    assert_true(rp_limits_take(*state, address, none, now, &wait));
}

/* A million clients, each over its limit, in less than 16 MB: nearly all are still known. */
static void a_million_clients_are_remembered(void **state) {
    enum { CLIENTS = 1000000 };
    assert_true(rp_limits_bytes() <= 16000000);
    struct rp_limit limit = rp_limit_of(1, 1);
    uint32_t wait = 0;
    unsigned wronged = 0, forgotten = 0;
    for (uint64_t i = 0; i < CLIENTS; i++) {
        wronged += !rp_limits_take(*state, key_of(*state, i), limit, now, &wait);
    }
    for (uint64_t i = 0; i < CLIENTS; i++) {
        forgotten += rp_limits_take(*state, key_of(*state, i), limit, now, &wait);
    }
    assert_true(wronged < 20);
    if (forgotten > CLIENTS / 50) {
        fail_msg("%u of %d forgotten", forgotten, CLIENTS);
    }
}

/* a bad day: the clock jumps */
static void a_clock_that_jumps_shuts_nobody_out(void **state) {
    struct rp_limit limit = rp_limit_of(1, 2);
    uint64_t key = key_of(*state, 3), year = 365ULL * 24 * 3600 * 1000000;
    uint32_t wait = 0;
    assert_true(rp_limits_take(*state, key, limit, now, &wait));
    assert_true(rp_limits_take(*state, key, limit, now, &wait));
    assert_false(rp_limits_take(*state, key, limit, now, &wait));
    assert_true(rp_limits_take(*state, key, limit, now + year, &wait));
    assert_true(rp_limits_take(*state, key, limit, now - year, &wait));
    assert_true(rp_limits_take(*state, key, limit, now, &wait));
}

static void a_foreign_file_is_no_table(void **state) {
    assert_ok(rp_limits_check(*state, rp_limits_bytes()));
    assert_err(rp_limits_check(*state, rp_limits_bytes() - 1), CORRUPT);
    assert_err(rp_limits_check(NULL, 0), CORRUPT);
    memset(*state, 0, 16);
    assert_err(rp_limits_check(*state, rp_limits_bytes()), CORRUPT);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_burst_passes_then_the_rate_holds), TEST(others_are_counted_apart),
        TEST(a_million_clients_are_remembered), TEST(a_clock_that_jumps_shuts_nobody_out),
        TEST(a_foreign_file_is_no_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
