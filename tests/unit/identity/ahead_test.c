/* ahead_test.c — the clock stood a year ahead for a while, and is back. */
#include "world.h"

static const int64_t year_ms = (int64_t)366 * 24 * 3600 * 1000;

static void set_right(void) {
    void *table = test_calloc(1, rp_session_table_bytes());
    void *seen = test_calloc(1, rp_seen_table_bytes());
    rp_session_table_init(table, 1, rp_env_now_ms(&env));
    assert_ok(rp_identity_expire(identity, table, seen));
    test_free(table);
    test_free(seen);
}

/*= S101 type=test */
static void a_code_of_the_year_to_come_uses_up_none_of_today(void **state) {
    (void)state;
    struct person person = enrolled();
    struct rp_token cookie, pending;
    struct rp_session session;
    wait_ms(year_ms);
    (void)signed_in(&person, &cookie);
    wait_ms(-year_ms);
    assert_ok(with_password(true, HERE, &pending));
    assert_err(rp_identity_sign_in_finish(identity, text(&pending), code_at(&person, 0), HERE,
                                          &cookie, &session),
               REPLAYED);
    set_right();
    /* The step before this one may have been used: it stays closed. */
    assert_err(rp_identity_sign_in_finish(identity, text(&pending), code_at(&person, -1), HERE,
                                          &cookie, &session),
               REPLAYED);
    assert_ok(rp_identity_sign_in_finish(identity, text(&pending), code_at(&person, 0), HERE,
                                         &cookie, &session));
    set_right();
    assert_ok(with_password(true, HERE, &pending));
    assert_err(rp_identity_sign_in_finish(identity, text(&pending), code_at(&person, 0), HERE,
                                          &cookie, &session),
               REPLAYED);
}

static void nobody_waits_for_a_year(void **state) {
    (void)state;
    struct rp_token pending;
    (void)enrolled();
    wait_ms(year_ms);
    for (int i = 0; i < 5; i++) {
        assert_err(with_password(false, HERE, &pending), DENIED);
    }
    assert_err(with_password(true, HERE, &pending), RATE);
    wait_ms(-year_ms);
    set_right();
    assert_err(with_password(true, HERE, &pending), RATE);
    wait_ms(MINUTE_MS);
    assert_ok(with_password(true, HERE, &pending));
}

static void a_session_of_the_year_to_come_ends_others_go_on(void **state) {
    (void)state;
    struct person person = enrolled();
    struct rp_token today, ahead;
    struct rp_session got;
    wait_ms(year_ms);
    (void)signed_in(&person, &ahead);
    wait_ms(-year_ms);
    set_right();
    assert_err(rp_identity_session(identity, text(&ahead), &got), UNAUTHENTICATED);
    (void)signed_in(&person, &today);
    wait_ms(-MINUTE_MS / 2); /* a clock that is set by a moment ends nobody */
    set_right();
    assert_ok(rp_identity_session(identity, text(&today), &got));
}

/* From inside, a clock that is back looks like one that is wrong only now. */
static void an_invitation_outlives_a_year_behind(void **state) {
    (void)state;
    struct person person = invited();
    wait_ms(-year_ms);
    set_right();
    wait_ms(year_ms);
    set_right();
    assert_ok(
        rp_identity_enrol(identity, text(&person.invitation), ann_password, code_at(&person, 0)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_code_of_the_year_to_come_uses_up_none_of_today),
        TEST(nobody_waits_for_a_year),
        TEST(a_session_of_the_year_to_come_ends_others_go_on),
        TEST(an_invitation_outlives_a_year_behind),
    };
    if (!stack_is_there()) {
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
