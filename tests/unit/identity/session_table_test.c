#include "unit.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "identity/session_table.h"

enum { NOW = 1000000, HOUR_MS = 3600 * 1000, IDLE_S = 60 };

struct tables {
    void *table;
    int64_t *seen;
};

static struct tables tables;

static int setup(void **state) {
    (void)state;
    /* Shared, so that a forked writer is a real second process. */
    tables.table = mmap(NULL, rp_session_table_bytes(), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    void *seen = mmap(NULL, rp_seen_table_bytes(), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(tables.table != MAP_FAILED && seen != MAP_FAILED);
    tables.seen = seen;
    rp_session_table_init(tables.table, 7, NOW);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    munmap(tables.table, rp_session_table_bytes());
    munmap(tables.seen, rp_seen_table_bytes());
    return 0;
}

static struct rp_sha256 cookie(uint32_t first, uint8_t last) {
    struct rp_sha256 hash = {{0}};
    memcpy(hash.b, &first, sizeof first);
    hash.b[31] = last;
    return hash;
}

static struct rp_session_view session(uint8_t name) {
    return (struct rp_session_view){.session = {{name}},
                                    .person = {{name, 1}},
                                    .tenant = {{name, 2}},
                                    .roles = RP_MEMBER,
                                    .acr = RP_ACR_MFA,
                                    .expires_ms = NOW + HOUR_MS};
}

static rp_err put(struct rp_sha256 hash, uint8_t name, int64_t now_ms) {
    struct rp_session_view view = session(name);
    return rp_session_table_put(tables.table, tables.seen, &hash, &view, IDLE_S, now_ms);
}

static rp_err find(struct rp_sha256 hash, int64_t now_ms, struct rp_session_view *ret_view) {
    return rp_session_table_find(tables.table, tables.seen, &hash, now_ms, ret_view);
}

static void what_was_put_is_found(void **state) {
    (void)state;
    struct rp_session_view got;
    assert_ok(put(cookie(5, 1), 9, NOW));
    assert_ok(find(cookie(5, 1), NOW + 1, &got));
    assert_true(rp_id_equal(got.session, session(9).session));
    assert_true(rp_id_equal(got.person, session(9).person));
    assert_true(rp_id_equal(got.tenant, session(9).tenant));
    assert_int_equal(got.roles, RP_MEMBER);
    assert_int_equal(got.acr, RP_ACR_MFA);
    assert_int_equal(got.expires_ms, NOW + HOUR_MS);
    assert_err(find(cookie(5, 2), NOW + 1, &got), UNAUTHENTICATED);
    assert_err(find(cookie(6, 1), NOW + 1, &got), UNAUTHENTICATED);
}

/*= S175 type=test */
static void a_revoked_session_is_gone_and_keeps_the_chain(void **state) {
    (void)state;
    struct rp_session_view got;
    assert_ok(put(cookie(5, 1), 1, NOW));
    assert_ok(put(cookie(5, 2), 2, NOW));
    struct rp_sha256 first = cookie(5, 1);
    rp_session_table_revoke(tables.table, &first);
    assert_err(find(cookie(5, 1), NOW, &got), UNAUTHENTICATED);
    assert_ok(find(cookie(5, 2), NOW, &got));
    assert_true(rp_id_equal(got.session, session(2).session));
    /* The place is used again. */
    assert_ok(put(cookie(5, 3), 3, NOW));
    assert_ok(find(cookie(5, 3), NOW, &got));
    assert_int_equal(got.slot, 5);
}

static void idle_time_ends_a_session_and_use_extends_it(void **state) {
    (void)state;
    struct rp_session_view got;
    assert_ok(put(cookie(5, 1), 1, NOW));
    rp_session_table_heartbeat(tables.table, NOW + 100 * 1000);
    assert_ok(find(cookie(5, 1), NOW + 59 * 1000, &got));
    assert_ok(find(cookie(5, 1), NOW + 118 * 1000, &got));
    rp_session_table_heartbeat(tables.table, NOW + 200 * 1000);
    assert_err(find(cookie(5, 1), NOW + 178 * 1000, &got), EXPIRED);
    struct rp_sha256 one = cookie(5, 1), none = cookie(5, 2);
    assert_false(rp_session_table_is_idle(tables.table, tables.seen, &one, NOW + 177 * 1000 + 999));
    assert_true(rp_session_table_is_idle(tables.table, tables.seen, &one, NOW + 178 * 1000));
    assert_false(rp_session_table_is_idle(tables.table, tables.seen, &none, NOW + HOUR_MS));
}

static void the_gate_cannot_outlive_the_absolute_end(void **state) {
    (void)state;
    struct rp_session_view got;
    assert_ok(put(cookie(5, 1), 1, NOW));
    tables.seen[5] = INT64_MAX;
    rp_session_table_heartbeat(tables.table, NOW + HOUR_MS);
    assert_ok(find(cookie(5, 1), NOW + HOUR_MS - 1, &got));
    tables.seen[5] = INT64_MAX;
    assert_err(find(cookie(5, 1), NOW + HOUR_MS, &got), EXPIRED);
    tables.seen[5] = INT64_MIN;
    assert_err(find(cookie(5, 1), NOW + HOUR_MS - 1, &got), EXPIRED);
}

static void a_silent_core_is_noticed(void **state) {
    (void)state;
    struct rp_session_view got;
    assert_ok(put(cookie(5, 1), 1, NOW));
    assert_ok(find(cookie(5, 1), NOW + 59 * 1000, &got));
    assert_ok(find(cookie(5, 1), NOW + RP_CORE_GRACE_MS, &got));
    assert_err(find(cookie(5, 1), NOW + RP_CORE_GRACE_MS + 1, &got), UNREACHABLE);
    rp_session_table_heartbeat(tables.table, INT64_MAX);
    assert_err(find(cookie(5, 1), NOW, &got), UNREACHABLE);
    rp_session_table_heartbeat(tables.table, INT64_MIN);
    assert_err(find(cookie(5, 1), NOW, &got), UNREACHABLE);
}

static void full_probes_are_an_answer(void **state) {
    (void)state;
    for (uint32_t i = 0; i < RP_SESSION_PROBES; i++) {
        assert_ok(put(cookie(RP_SESSION_SLOTS - 3, (uint8_t)(i + 1)), (uint8_t)(i + 1), NOW));
    }
    assert_err(put(cookie(RP_SESSION_SLOTS - 3, 99), 99, NOW), OVERLOAD);
    /* The chain wraps round the end, and each is found. */
    for (uint32_t i = 0; i < RP_SESSION_PROBES; i++) {
        struct rp_session_view got;
        assert_ok(find(cookie(RP_SESSION_SLOTS - 3, (uint8_t)(i + 1)), NOW, &got));
        assert_true(rp_id_equal(got.session, session((uint8_t)(i + 1)).session));
    }
    /* Once they are over, their places are free. */
    assert_ok(put(cookie(RP_SESSION_SLOTS - 3, 99), 99, NOW + IDLE_S * 1000));
}

static void a_slot_that_is_odd_or_absurd_is_no_session(void **state) {
    (void)state;
    struct rp_session_view got;
    assert_ok(put(cookie(5, 1), 1, NOW));
    struct rp_session_slot *slot = (void *)((uint8_t *)tables.table + 4096 + 5 * sizeof *slot);
    assert_ok(find(cookie(5, 1), NOW, &got));
    slot->lock |= 1;
    assert_err(find(cookie(5, 1), NOW, &got), UNAUTHENTICATED);
    slot->lock++;
    assert_ok(find(cookie(5, 1), NOW, &got));
    slot->acr = 200;
    assert_err(find(cookie(5, 1), NOW, &got), UNAUTHENTICATED);
    slot->acr = RP_ACR_MFA;
    slot->roles = 0x8001;
    assert_err(find(cookie(5, 1), NOW, &got), UNAUTHENTICATED);
    slot->roles = RP_MEMBER;
    slot->tenant = (rp_id){{0}};
    assert_err(find(cookie(5, 1), NOW, &got), UNAUTHENTICATED);
}

static void another_kind_of_file_is_refused(void **state) {
    (void)state;
    size_t n = rp_session_table_bytes();
    assert_ok(rp_session_table_check(tables.table, n));
    assert_err(rp_session_table_check(tables.table, n - 1), CORRUPT);
    assert_err(rp_session_table_check(NULL, n), CORRUPT);
    struct rp_session_header *header = tables.table;
    header->version++;
    assert_err(rp_session_table_check(tables.table, n), CORRUPT);
}

/* A writer in another process flips one session between two owners; a reader must never see a
 * mixture. */
static void a_reader_never_sees_a_mixture(void **state) {
    (void)state;
    struct rp_sha256 hash = cookie(5, 1);
    assert_ok(put(hash, 1, NOW));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        for (uint32_t i = 0; i < 400000; i++) {
            struct rp_session_view view = session((uint8_t)(1 + (i & 1)));
            if (!rp_ok(
                    rp_session_table_put(tables.table, tables.seen, &hash, &view, IDLE_S, NOW))) {
                _exit(1);
            }
        }
        _exit(0);
    }
    size_t seen[2] = {0, 0}, mixed = 0;
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        struct rp_session_view got;
        if (rp_ok(find(hash, NOW, &got))) {
            uint8_t name = got.session.b[0];
            struct rp_session_view want = session(name);
            mixed += !rp_id_equal(got.person, want.person) || !rp_id_equal(got.tenant, want.tenant);
            seen[name & 1]++;
        }
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(mixed, 0);
    assert_true(seen[0] + seen[1] > 0);
}

static void a_table_weighs_what_it_holds(void **state) {
    (void)state;
    assert_ok(put(cookie(5, 1), 1, NOW));
    assert_ok(put(cookie(5, 2), 2, NOW));
    assert_ok(put(cookie(16000, 3), 3, NOW));
    assert_int_equal(rp_session_table_count(tables.table, NOW), 3);
    assert_int_equal(rp_session_table_count(tables.table, NOW + HOUR_MS), 0);
    /* The header, and two pages of slots. */
    assert_int_equal(unit_pages_in(tables.table, rp_session_table_bytes()), 3);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_was_put_is_found),
        TEST(a_revoked_session_is_gone_and_keeps_the_chain),
        TEST(idle_time_ends_a_session_and_use_extends_it),
        TEST(the_gate_cannot_outlive_the_absolute_end),
        TEST(a_silent_core_is_noticed),
        TEST(full_probes_are_an_answer),
        TEST(a_slot_that_is_odd_or_absurd_is_no_session),
        TEST(another_kind_of_file_is_refused),
        TEST(a_reader_never_sees_a_mixture),
        TEST(a_table_weighs_what_it_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
