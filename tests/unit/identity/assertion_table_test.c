#include "unit.h"

#include <sys/mman.h>

#include "identity/assertion_table.h"

enum { NOW = 1000000 };

static void *table;

static int setup(void **state) {
    (void)state;
    table = mmap(NULL, rp_assertion_table_bytes(), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(table != MAP_FAILED);
    rp_assertion_table_init(table);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    munmap(table, rp_assertion_table_bytes());
    return 0;
}

static struct rp_assertion_entry entry(const char *jwt, int64_t minted_ms) {
    return (struct rp_assertion_entry){.jwt = rp_view_from_cstr(jwt),
                                       .email = RP_VIEW("ann@example.org"),
                                       .roles = RP_VIEW("member"),
                                       .minted_ms = minted_ms};
}

static rp_err put(uint8_t session, const char *jwt, int64_t minted_ms) {
    struct rp_assertion_entry one = entry(jwt, minted_ms);
    return rp_assertion_table_put(table, (rp_id){{session}}, RP_VIEW("notes"), &one);
}

static uint8_t out[RP_ASSERTION_BYTES];

static rp_err get(uint8_t session, int64_t now_ms, struct rp_assertion_entry *ret_entry) {
    return rp_assertion_table_get(table, (rp_id){{session}}, RP_VIEW("notes"), now_ms, out,
                                  ret_entry);
}

static void what_was_put_is_copied_out(void **state) {
    (void)state;
    struct rp_assertion_entry got;
    assert_err(get(1, NOW, &got), NOT_FOUND);
    assert_ok(put(1, "a.b.c", NOW));
    assert_ok(get(1, NOW, &got));
    assert_view(got.jwt, "a.b.c");
    assert_view(got.email, "ann@example.org");
    assert_view(got.roles, "member");
    assert_int_equal(got.minted_ms, NOW);
    assert_err(get(2, NOW, &got), NOT_FOUND);
    assert_err(rp_assertion_table_get(table, (rp_id){{1}}, RP_VIEW("wiki"), NOW, out, &got),
               NOT_FOUND);
    assert_ok(put(1, "d.e.f", NOW + 5));
    assert_ok(get(1, NOW + 5, &got));
    assert_view(got.jwt, "d.e.f");
}

static void an_old_one_is_not_given(void **state) {
    (void)state;
    struct rp_assertion_entry got;
    assert_ok(put(1, "a.b.c", NOW));
    assert_ok(get(1, NOW + RP_ASSERTION_FRESH_MS - 1, &got));
    assert_err(get(1, NOW + RP_ASSERTION_FRESH_MS, &got), NOT_FOUND);
    assert_ok(get(1, NOW - RP_ASSERTION_AHEAD_MS, &got)); /* by a clock that was looked at before */
    assert_err(get(1, NOW - RP_ASSERTION_AHEAD_MS - 1, &got), NOT_FOUND); /* from a time to come */
}

static void what_does_not_fit_is_refused_whole(void **state) {
    (void)state;
    struct rp_assertion_entry got;
    static uint8_t big[RP_ASSERTION_BYTES + 1];
    memset(big, 'x', sizeof big);
    struct rp_assertion_entry one = entry("", NOW);
    size_t rest = RP_ASSERTION_BYTES - one.email.n - one.roles.n;
    one.jwt = rp_view_of(big, rest + 1);
    assert_err(rp_assertion_table_put(table, (rp_id){{1}}, RP_VIEW("notes"), &one), TOO_LARGE);
    assert_err(get(1, NOW, &got), NOT_FOUND);
    one.jwt.n = rest;
    assert_ok(rp_assertion_table_put(table, (rp_id){{1}}, RP_VIEW("notes"), &one));
    assert_ok(get(1, NOW, &got));
    assert_int_equal(got.jwt.n, rest);
    assert_view(got.roles, "member");
}

/* Many more sessions than ways: the newest of each set stay, and none is given to another. */
static void the_oldest_makes_room(void **state) {
    (void)state;
    struct rp_assertion_entry one, got;
    char jwt[32];
    size_t found = 0;
    for (uint32_t i = 1; i <= 20000; i++) {
        rp_id session = {{0}};
        memcpy(session.b, &i, sizeof i);
        snprintf(jwt, sizeof jwt, "%u", i);
        one = entry(jwt, NOW + (int64_t)i);
        assert_ok(rp_assertion_table_put(table, session, RP_VIEW("notes"), &one));
    }
    for (uint32_t i = 1; i <= 20000; i++) {
        rp_id session = {{0}};
        memcpy(session.b, &i, sizeof i);
        snprintf(jwt, sizeof jwt, "%u", i);
        if (rp_ok(
                rp_assertion_table_get(table, session, RP_VIEW("notes"), NOW + 20000, out, &got))) {
            assert_view_equal(got.jwt, rp_view_from_cstr(jwt));
            found++;
        } else {
            assert_true(i < 20000);
        }
    }
    assert_true(found > RP_ASSERTION_SLOTS * 9 / 10 && found <= RP_ASSERTION_SLOTS);
}

static void lengths_in_the_table_are_not_believed(void **state) {
    (void)state;
    struct rp_assertion_entry got;
    assert_ok(put(1, "a.b.c", NOW));
    uint8_t *bytes = table;
    size_t at = 0;
    for (size_t i = 4096; i < rp_assertion_table_bytes(); i += 1024) {
        if (bytes[i + 4] == 5) { /* the length of "a.b.c" */
            at = i;
        }
    }
    assert_true(at != 0);
    memset(bytes + at + 4, 0xff, 6);
    assert_err(get(1, NOW, &got), NOT_FOUND);
}

static void another_kind_of_file_is_refused(void **state) {
    (void)state;
    size_t n = rp_assertion_table_bytes();
    assert_ok(rp_assertion_table_check(table, n));
    assert_err(rp_assertion_table_check(table, n + 1), CORRUPT);
    assert_err(rp_assertion_table_check(NULL, n), CORRUPT);
    *(uint32_t *)table = RP_ASSERTION_MAGIC + 1;
    assert_err(rp_assertion_table_check(table, n), CORRUPT);
}

static void a_table_weighs_what_it_holds(void **state) {
    (void)state;
    struct rp_assertion_entry got;
    assert_ok(put(1, "a.b.c", NOW));
    assert_ok(get(1, NOW, &got));
    assert_int_equal(unit_pages_in(table, rp_assertion_table_bytes()), 2); /* header, and its set */
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_was_put_is_copied_out),
        TEST(an_old_one_is_not_given),
        TEST(what_does_not_fit_is_refused_whole),
        TEST(the_oldest_makes_room),
        TEST(lengths_in_the_table_are_not_believed),
        TEST(another_kind_of_file_is_refused),
        TEST(a_table_weighs_what_it_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
