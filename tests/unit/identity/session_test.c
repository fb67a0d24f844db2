/* session_test.c — sessions and how they end, for the gate too. */
#include "world.h"

/* ---- sessions ---- */

static rp_err count_session(void *ctx, const struct rp_session *session) {
    (void)session;
    (*(size_t *)ctx)++;
    return RP_OK;
}

/* What the gate maps, as core makes it. */
struct tables {
    void *table, *seen;
};

static struct tables new_tables(void) {
    struct tables tables = {test_calloc(1, rp_session_table_bytes()),
                            test_calloc(1, rp_seen_table_bytes())};
    rp_session_table_init(tables.table, 1, rp_env_now_ms(&env));
    return tables;
}

static void free_tables(struct tables *tables) {
    test_free(tables->table);
    test_free(tables->seen);
}

static rp_err put_session(void *ctx, const struct rp_session *session) {
    struct tables *tables = ctx;
    return rp_session_table_put(tables->table, tables->seen, &session->cookie_hash, &session->view,
                                session->idle_max_s, rp_env_now_ms(&env));
}

static rp_err expire_sessions(void) {
    struct tables tables = new_tables();
    rp_err err = rp_identity_expire(identity, tables.table, tables.seen);
    free_tables(&tables);
    return err;
}

/* A table made anew (core was started again) must not wake what was left alone too long. */
static void an_idle_session_stays_dead_in_a_new_table(void **state) {
    (void)state;
    struct person person = enrolled();
    struct rp_token left_alone, used;
    struct rp_session_view view;
    struct rp_session session = signed_in(&person, &left_alone), got;
    struct tables tables = new_tables(), anew;
    assert_ok(put_session(&tables, &session));
    assert_ok(rp_identity_expire(identity, tables.table, tables.seen));
    assert_ok(rp_identity_session(identity, text(&left_alone), &got));
    wait_ms((int64_t)session.idle_max_s * 1000);
    session = signed_in(&person, &used);
    assert_ok(put_session(&tables, &session));
    assert_ok(rp_identity_expire(identity, tables.table, tables.seen));
    assert_err(rp_identity_session(identity, text(&left_alone), &got), UNAUTHENTICATED);
    assert_int_equal(events_with("\"reason\":\"idle\""), 1);
    anew = new_tables();
    assert_ok(rp_identity_each_session(identity, put_session, &anew));
    int64_t now_ms = rp_env_now_ms(&env);
    assert_ok(rp_session_table_find(anew.table, anew.seen, &session.cookie_hash, now_ms, &view));
    struct rp_sha256 dead = rp_sha256_of(text(&left_alone));
    assert_err(rp_session_table_find(anew.table, anew.seen, &dead, now_ms, &view), UNAUTHENTICATED);
    free_tables(&tables);
    free_tables(&anew);
}

static void sessions_end(void **state) {
    (void)state;
    struct person person = enrolled();
    struct rp_token first, second;
    struct rp_session session, got;
    size_t live = 0;
    session = signed_in(&person, &first);
    wait_ms(STEP_MS);
    (void)signed_in(&person, &second);
    assert_ok(rp_identity_each_session(identity, count_session, &live));
    assert_int_equal(live, 2);
    assert_ok(rp_identity_sign_out(identity, &session));
    assert_ok(rp_identity_sign_out(identity, &session)); /* twice: one event */
    assert_int_equal(events_with("sign_in.ended"), 1);
    assert_err(rp_identity_session(identity, text(&first), &got), UNAUTHENTICATED);
    assert_ok(rp_identity_session(identity, text(&second), &got));
    wait_ms(12 * 3600 * 1000);
    assert_err(rp_identity_session(identity, text(&second), &got), EXPIRED);
    assert_ok(expire_sessions());
    assert_err(rp_identity_session(identity, text(&second), &got), UNAUTHENTICATED);
    assert_int_equal(events_with("sign_in.ended"), 2);
    assert_int_equal(events_with("\"reason\":\"expired\""), 1);
    live = 0;
    assert_ok(rp_identity_each_session(identity, count_session, &live));
    assert_int_equal(live, 0);
}

static void a_cookie_that_is_none_is_unauthenticated(void **state) {
    (void)state;
    struct rp_session got;
    assert_err(rp_identity_session(identity, RP_VIEW(""), &got), UNAUTHENTICATED);
    assert_err(rp_identity_session(identity, RP_VIEW("' OR 1=1 --"), &got), UNAUTHENTICATED);
    assert_err(
        rp_identity_session(identity, RP_VIEW("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), &got),
        UNAUTHENTICATED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_idle_session_stays_dead_in_a_new_table),
        TEST(sessions_end),
        TEST(a_cookie_that_is_none_is_unauthenticated),
    };
    if (!stack_is_there()) {
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
