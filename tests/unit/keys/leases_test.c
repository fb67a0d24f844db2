/* Leases on both sides: the kms' table of what it lent, core's cache of what it holds. */
#include "unit.h"

#include "base/checked.h"
#include "keys/lease_cache.h"
#include "keys/leases.h"
#include "keys/messages.h"

static struct unit_world world = {.random_state = 23};
static struct rp_env env;

static int start(void **state) {
    (void)state;
    env = unit_env(&world);
    assert_ok(rp_crypto_start());
    return 0;
}

/* Tenant n, its wrapped key, and its key. */
static rp_id tenant_of(unsigned n) {
    rp_id id = {{0x42}};
    id.b[14] = (uint8_t)(n >> 8);
    id.b[15] = (uint8_t)n;
    return id;
}

static rp_view wrapped_of(unsigned n) {
    static uint8_t bytes[RP_WRAPPED_BYTES];
    memset(bytes, 0, sizeof bytes);
    bytes[0] = (uint8_t)(n >> 8);
    bytes[1] = (uint8_t)n;
    return rp_view_of(bytes, sizeof bytes);
}

static void put(struct rp_lease_cache *cache, unsigned n, int64_t until_ms) {
    struct rp_secret *key = NULL;
    assert_ok(rp_secret_new_random(&env, RP_TENANT_KEY, &key));
    rp_lease_cache_put(cache, tenant_of(n), wrapped_of(n), 1000 + n, until_ms, key);
}

static bool has(struct rp_lease_cache *cache, unsigned n, int64_t now_ms) {
    return rp_lease_cache_get(cache, tenant_of(n), wrapped_of(n), now_ms) != NULL;
}

static void a_lease_serves_until_its_time_and_for_its_wrapped_key(void **state) {
    (void)state;
    struct rp_lease_cache *cache = NULL;
    assert_ok(rp_lease_cache_new(4, &cache));
    assert_false(has(cache, 1, 0));
    put(cache, 1, 100);
    assert_true(has(cache, 1, 99));
    assert_false(has(cache, 1, 100));
    assert_null(rp_lease_cache_get(cache, tenant_of(1), wrapped_of(2), 50));
    assert_null(rp_lease_cache_get(cache, tenant_of(2), wrapped_of(1), 50));
    rp_lease_cache_free(cache);
}

static void uses_are_counted_and_reported_once(void **state) {
    (void)state;
    struct rp_lease_cache *cache = NULL;
    struct rp_lease_report report;
    assert_ok(rp_lease_cache_new(4, &cache));
    put(cache, 1, 100);
    put(cache, 2, 200);
    for (int i = 0; i < 7; i++) {
        assert_true(has(cache, 1, 0));
    }
    assert_false(rp_lease_cache_take_expired(cache, 99, &report));
    assert_true(rp_lease_cache_take_expired(cache, 150, &report));
    assert_int_equal(report.lease, 1001);
    assert_int_equal(report.uses, 7);
    assert_int_equal(report.reason, RP_LEASE_EXPIRED);
    assert_false(rp_lease_cache_take_expired(cache, 150, &report));
    assert_true(rp_lease_cache_take_tenant(cache, tenant_of(2), &report));
    assert_int_equal(report.uses, 0);
    assert_false(rp_lease_cache_take_tenant(cache, tenant_of(2), &report));
    assert_int_equal(rp_lease_cache_count(cache), 0);
    rp_lease_cache_free(cache);
}

static void the_least_recently_used_goes_first(void **state) {
    (void)state;
    struct rp_lease_cache *cache = NULL;
    struct rp_lease_report report;
    assert_ok(rp_lease_cache_new(3, &cache));
    for (unsigned n = 1; n <= 3; n++) {
        put(cache, n, 100);
    }
    assert_true(rp_lease_cache_is_full(cache));
    assert_true(has(cache, 1, 0));
    static const uint64_t order[] = {1002, 1003, 1001};
    for (size_t i = 0; i < RP_COUNT_OF(order); i++) {
        assert_true(rp_lease_cache_take_oldest(cache, RP_LEASE_EVICTED, &report));
        assert_int_equal(report.lease, order[i]);
        assert_int_equal(report.reason, RP_LEASE_EVICTED);
    }
    assert_false(rp_lease_cache_take_oldest(cache, RP_LEASE_EVICTED, &report));
    rp_lease_cache_free(cache);
}

/* Against a plain array, with tenants that all fall into few buckets. */
static void a_random_walk_agrees_with_a_plain_model(void **state) {
    (void)state;
    enum { TENANTS = 40, MAX = 16, STEPS = 4000 };
    struct rp_lease_cache *cache = NULL;
    assert_ok(rp_lease_cache_new(MAX, &cache));
    unsigned last_use[TENANTS] = {0}; /* 0 = not in */
    for (unsigned step = 1; step <= STEPS; step++) {
        uint8_t chance[2];
        env.fill_random(env.ctx, chance, sizeof chance);
        unsigned n = chance[0] % TENANTS;
        assert_int_equal(has(cache, n, 0), last_use[n] != 0);
        if (last_use[n]) {
            last_use[n] = step;
        }
        struct rp_lease_report report;
        if (chance[1] % 4 == 0) {
            assert_int_equal(rp_lease_cache_take_tenant(cache, tenant_of(n), &report),
                             last_use[n] != 0);
            last_use[n] = 0;
        } else if (!last_use[n]) {
            if (rp_lease_cache_is_full(cache)) {
                unsigned oldest = TENANTS;
                for (unsigned i = 0; i < TENANTS; i++) {
                    if (last_use[i] && (oldest == TENANTS || last_use[i] < last_use[oldest])) {
                        oldest = i;
                    }
                }
                assert_true(rp_lease_cache_take_oldest(cache, RP_LEASE_EVICTED, &report));
                assert_int_equal(report.lease, 1000 + oldest);
                last_use[oldest] = 0;
            }
            put(cache, n, 1);
            last_use[n] = step;
        }
    }
    rp_lease_cache_free(cache);
}

static void the_table_remembers_ends_and_runs_out(void **state) {
    (void)state;
    struct rp_lease_table *table = NULL;
    struct rp_lease lease = {.id = 7, .tenant = tenant_of(1), .until_ms = 100};
    struct rp_lease out;
    assert_ok(rp_lease_table_new(&table));
    assert_ok(rp_lease_table_add(table, &lease));
    assert_err(rp_lease_table_add(table, &lease), DUPLICATE);
    lease = (struct rp_lease){.id = 8, .tenant = tenant_of(2), .until_ms = 200};
    assert_ok(rp_lease_table_add(table, &lease));
    assert_false(rp_lease_table_expired(table, 99, &out));
    assert_true(rp_lease_table_expired(table, 100, &out));
    assert_int_equal(out.id, 7);
    assert_false(rp_lease_table_expired(table, 100, &out));
    assert_err(rp_lease_table_end(table, 7), NOT_FOUND);
    assert_ok(rp_lease_table_end(table, 8));
    assert_int_equal(rp_lease_table_count(table), 0);
    rp_lease_table_free(table);
}

static void a_full_table_refuses(void **state) {
    (void)state;
    struct rp_lease_table *table = NULL;
    assert_ok(rp_lease_table_new(&table));
    struct rp_lease lease = {.tenant = tenant_of(1), .until_ms = 100};
    for (lease.id = 1; lease.id <= RP_LEASE_TABLE_MAX; lease.id++) {
        assert_ok(rp_lease_table_add(table, &lease));
    }
    assert_err(rp_lease_table_add(table, &lease), OVERLOAD);
    assert_ok(rp_lease_table_end(table, 1));
    assert_ok(rp_lease_table_add(table, &lease));
    rp_lease_table_free(table);
}

static void messages_read_back_and_refuse_the_rest(void **state) {
    (void)state;
    struct rp_buf buf = rp_buf_new(32768);
    struct rp_lease_request request = {tenant_of(3), wrapped_of(3)};
    struct rp_lease_request got;
    assert_ok(rp_lease_request_pack(&request, &buf));
    assert_ok(rp_lease_request_unpack(rp_buf_view(&buf), &got));
    assert_true(rp_id_equal(got.tenant, request.tenant));
    assert_view_equal(got.wrapped, request.wrapped);
    assert_err(rp_lease_request_unpack(rp_view_sub(rp_buf_view(&buf), 0, buf.n - 1), &got),
               PROTOCOL);

    static struct rp_lease_report reports[RP_LEASE_REPORTS_MAX];
    static struct rp_lease_report back[RP_LEASE_REPORTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < RP_LEASE_REPORTS_MAX; i++) {
        reports[i] = (struct rp_lease_report){i + 1, i * i, (enum rp_lease_end)(i % 3)};
    }
    rp_buf_clear(&buf);
    assert_ok(rp_lease_reports_pack(reports, RP_LEASE_REPORTS_MAX, &buf));
    assert_ok(rp_lease_reports_unpack(rp_buf_view(&buf), back, &count));
    assert_int_equal(count, RP_LEASE_REPORTS_MAX);
    assert_memory_equal(reports, back, sizeof reports);
    buf.p[0] = 0xff;
    assert_err(rp_lease_reports_unpack(rp_buf_view(&buf), back, &count), TOO_LARGE);
    rp_buf_done(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lease_serves_until_its_time_and_for_its_wrapped_key),
        cmocka_unit_test(uses_are_counted_and_reported_once),
        cmocka_unit_test(the_least_recently_used_goes_first),
        cmocka_unit_test(a_random_walk_agrees_with_a_plain_model),
        cmocka_unit_test(the_table_remembers_ends_and_runs_out),
        cmocka_unit_test(a_full_table_refuses),
        cmocka_unit_test(messages_read_back_and_refuse_the_rest),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
