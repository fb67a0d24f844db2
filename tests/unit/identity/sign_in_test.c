/* sign_in_test.c — a password and a code, and every wrong turn. */
#include "world.h"

/* ---- signing in ---- */

/*= S99 type=test */
/*= S101 type=test */
static void password_and_code_make_a_session(void **state) {
    (void)state;
    struct person person = enrolled();
    struct rp_token pending, cookie;
    struct rp_session session, again;
    struct rp_sign_in sign_in;
    assert_ok(rp_identity_sign_in_start(identity, RP_VIEW(" aNN@example.org"), HERE, &sign_in));
    assert_true(sign_in.known);
    assert_ok(rp_password_verify(sign_in.password_text, RP_VIEW(PASSWORD)));
    assert_ok(rp_identity_sign_in_password(identity, &sign_in, true, HERE, &pending));
    assert_err(rp_identity_session(identity, text(&pending), &session), UNAUTHENTICATED);
    assert_ok(rp_identity_sign_in_finish(identity, text(&pending), code_at(&person, 0), HERE,
                                         &cookie, &session));
    assert_int_equal(session.view.acr, RP_ACR_MFA);
    assert_int_equal(session.view.roles, RP_MEMBER | RP_TENANT_ADMIN);
    assert_true(rp_id_equal(session.view.tenant, person.tenant));
    assert_true(rp_id_equal(session.view.person, person.person));
    assert_int_equal(session.idle_max_s, 3600);
    assert_ok(rp_identity_session(identity, text(&cookie), &again));
    assert_memory_equal(again.cookie_hash.b, session.cookie_hash.b, RP_SHA256);
    assert_true(rp_id_equal(again.view.session, session.view.session));
    assert_int_equal(events_with("sign_in.accepted"), 1);
    /* The half sign-in is spent. */
    assert_err(rp_identity_sign_in_finish(identity, text(&pending), code_at(&person, 1), HERE,
                                          &cookie, &session),
               NOT_FOUND);
}

static void enrolling_may_sign_in_at_once(void **state) {
    (void)state;
    struct person person = invited();
    struct rp_token cookie, pending;
    struct rp_session session, got;
    struct rp_enrol_answers answers = {ann_password, wrong_code(&person), RP_FR};
    assert_err(rp_identity_enrol_and_sign_in(identity, text(&person.invitation), &answers, HERE,
                                             &cookie, &session),
               DENIED);
    answers.code = code_at(&person, 0);
    assert_ok(rp_identity_enrol_and_sign_in(identity, text(&person.invitation), &answers, HERE,
                                            &cookie, &session));
    assert_int_equal(session.view.acr, RP_ACR_MFA);
    assert_ok(rp_identity_session(identity, text(&cookie), &got));
    assert_ok(with_password(true, HERE, &pending));
    assert_err(rp_identity_sign_in_finish(identity, text(&pending), code_at(&person, 0), HERE,
                                          &cookie, &session),
               REPLAYED);
}

/*= S99 type=test */
/*= S100 type=test */
static void a_password_alone_is_not_enough(void **state) {
    (void)state;
    struct rp_token pending, cookie;
    struct rp_session session;
    (void)enrolled();
    assert_ok(with_password(true, HERE, &pending));
    assert_err(
        rp_identity_sign_in_finish(identity, text(&pending), RP_VIEW(""), HERE, &cookie, &session),
        SECOND_FACTOR);
    assert_err(rp_identity_sign_in_finish(identity, text(&pending), RP_VIEW("  "), HERE, &cookie,
                                          &session),
               SECOND_FACTOR);
    assert_int_equal(events_with("sign_in.accepted"), 0);
}

static void where_it_is_optional_who_has_one_needs_it(void **state) {
    (void)state;
    struct rp_token pending, cookie;
    struct rp_session session;
    struct person person = enrolled();
    close_all();
    open_all(false);
    assert_ok(with_password(true, HERE, &pending));
    assert_err(
        rp_identity_sign_in_finish(identity, text(&pending), RP_VIEW(""), HERE, &cookie, &session),
        SECOND_FACTOR);
    session = signed_in(&person, &cookie);
    assert_int_equal(session.view.acr, RP_ACR_MFA);
}

static void an_unknown_address_takes_the_same_path(void **state) {
    (void)state;
    struct rp_sign_in sign_in;
    struct rp_token pending;
    (void)enrolled();
    static const char *const names[] = {"nobody@example.org", "no address at all", ""};
    for (size_t i = 0; i < 3; i++) {
        rp_view name = rp_view_from_cstr(names[i]);
        assert_ok(rp_identity_sign_in_start(identity, name, HERE, &sign_in));
        assert_false(sign_in.known);
        /* Even a caller that says it matched gets nothing. */
        assert_err(rp_identity_sign_in_password(identity, &sign_in, true, HERE, &pending), DENIED);
    }
    assert_int_equal(events_with("sign_in.refused"), 3);
    rp_view nobody_name = rp_view_from_cstr(names[0]);
    for (int i = 0; i < 4; i++) {
        assert_ok(rp_identity_sign_in_start(identity, nobody_name, HERE, &sign_in));
        assert_err(rp_identity_sign_in_password(identity, &sign_in, false, HERE, &pending), DENIED);
    }
    assert_err(rp_identity_sign_in_start(identity, nobody_name, HERE, &sign_in), RATE);
}

static void a_code_works_once(void **state) {
    (void)state;
    struct person person = enrolled();
    struct rp_token pending, cookie;
    struct rp_session session;
    (void)signed_in(&person, &cookie);
    assert_ok(with_password(true, HERE, &pending));
    assert_err(rp_identity_sign_in_finish(identity, text(&pending), code_at(&person, 0), HERE,
                                          &cookie, &session),
               REPLAYED);
    /* Nor an older one. */
    assert_err(rp_identity_sign_in_finish(identity, text(&pending), code_at(&person, -1), HERE,
                                          &cookie, &session),
               REPLAYED);
    assert_int_equal(events_with("sign_in.totp_replayed"), 2);
    /* A clock half a minute ahead or behind is fine; more is not. */
    assert_err(rp_identity_sign_in_finish(identity, text(&pending), code_at(&person, 2), HERE,
                                          &cookie, &session),
               DENIED);
    assert_ok(rp_identity_sign_in_finish(identity, text(&pending), code_at(&person, 1), HERE,
                                         &cookie, &session));
    wait_ms(3 * STEP_MS);
    assert_ok(with_password(true, HERE, &pending));
    assert_ok(rp_identity_sign_in_finish(identity, text(&pending), code_at(&person, -1), HERE,
                                         &cookie, &session));
}

static void codes_are_read_as_people_type_them(void **state) {
    (void)state;
    struct person person = enrolled();
    struct rp_token pending, cookie;
    struct rp_session session;
    char spaced[9];
    static const char *const bad[] = {"12345", "1234567", "12345a", "-12345"};
    assert_ok(with_password(true, HERE, &pending));
    for (size_t i = 0; i < 4; i++) {
        assert_err(rp_identity_sign_in_finish(identity, text(&pending), rp_view_from_cstr(bad[i]),
                                              HERE, &cookie, &session),
                   DENIED);
    }
    rp_view code = code_at(&person, 0);
    snprintf(spaced, sizeof spaced, " %.3s %.3s", (const char *)code.p, (const char *)code.p + 3);
    assert_ok(rp_identity_sign_in_finish(identity, text(&pending), rp_view_of(spaced, 8), HERE,
                                         &cookie, &session));
}

static void a_half_sign_in_lasts_ten_minutes(void **state) {
    (void)state;
    struct person person = enrolled();
    struct rp_token pending, cookie;
    struct rp_session session;
    assert_ok(with_password(true, HERE, &pending));
    wait_ms(10 * MINUTE_MS);
    assert_err(rp_identity_sign_in_finish(identity, text(&pending), code_at(&person, 0), HERE,
                                          &cookie, &session),
               NOT_FOUND);
    assert_err(rp_identity_sign_in_finish(identity, RP_VIEW("x"), code_at(&person, 0), HERE,
                                          &cookie, &session),
               NOT_FOUND);
}

static void five_codes_may_be_wrong(void **state) {
    (void)state;
    struct person person = enrolled();
    struct rp_token pending, cookie;
    struct rp_session session;
    assert_ok(with_password(true, HERE, &pending));
    for (int i = 0; i < 5; i++) {
        assert_err(rp_identity_sign_in_finish(identity, text(&pending), wrong_code(&person), HERE,
                                              &cookie, &session),
                   DENIED);
    }
    assert_err(rp_identity_sign_in_finish(identity, text(&pending), code_at(&person, 0), HERE,
                                          &cookie, &session),
               RATE);
    /* Not from elsewhere either, and waiting does not bring it back. */
    assert_err(rp_identity_sign_in_finish(identity, text(&pending), code_at(&person, 0), ELSEWHERE,
                                          &cookie, &session),
               RATE);
    wait_ms(5 * MINUTE_MS);
    assert_err(rp_identity_sign_in_finish(identity, text(&pending), code_at(&person, 0), HERE,
                                          &cookie, &session),
               RATE);
    /* A new sign-in is welcome after the wait. */
    (void)signed_in(&person, &cookie);
}

/* ---- failures ---- */

static void five_failures_make_a_client_wait_longer_and_longer(void **state) {
    (void)state;
    (void)enrolled();
    struct rp_token pending;
    for (int i = 0; i < 5; i++) {
        assert_err(with_password(false, ELSEWHERE, &pending), DENIED);
    }
    static const int64_t waits_ms[] = {30000, 60000, 120000, 240000, 480000, 900000, 900000};
    for (size_t i = 0; i < sizeof waits_ms / sizeof waits_ms[0]; i++) {
        assert_err(with_password(true, ELSEWHERE, &pending), RATE);
        wait_ms(waits_ms[i] - 1);
        assert_err(with_password(true, ELSEWHERE, &pending), RATE);
        wait_ms(1);
        assert_err(with_password(false, ELSEWHERE, &pending), DENIED);
    }
    /* The person at home is not concerned. */
    assert_ok(with_password(true, HERE, &pending));
    /* And the stranger is free again in the end. */
    wait_ms(15 * MINUTE_MS);
    assert_ok(with_password(true, ELSEWHERE, &pending));
}

static void guesses_that_came_together_are_not_all_judged(void **state) {
    (void)state;
    (void)enrolled();
    struct rp_sign_in many[8];
    struct rp_token pending;
    for (int i = 0; i < 8; i++) {
        assert_ok(rp_identity_sign_in_start(identity, RP_VIEW(EMAIL), HERE, &many[i]));
    }
    for (int i = 0; i < 5; i++) {
        assert_err(rp_identity_sign_in_password(identity, &many[i], false, HERE, &pending), DENIED);
    }
    /* The sixth was right, and is not told. */
    assert_err(rp_identity_sign_in_password(identity, &many[5], true, HERE, &pending), RATE);
}

static void many_strangers_slow_each_other_but_not_a_known_client(void **state) {
    (void)state;
    struct person person = enrolled();
    struct rp_token pending, cookie;
    (void)signed_in(&person, &cookie);
    for (int i = 0; i < 50; i++) {
        char client[32];
        snprintf(client, sizeof client, "203.0.113.%d", i);
        assert_err(with_password(false, rp_view_from_cstr(client), &pending), DENIED);
    }
    assert_err(with_password(true, RP_VIEW("203.0.113.99"), &pending), RATE);
    assert_ok(with_password(true, HERE, &pending)); /* signed in from here before */
    wait_ms(31 * 1000);
    assert_ok(with_password(true, RP_VIEW("203.0.113.99"), &pending));
}

static void failures_far_apart_do_not_add_up(void **state) {
    (void)state;
    (void)enrolled();
    struct rp_token pending;
    for (int i = 0; i < 12; i++) {
        assert_err(with_password(false, HERE, &pending), DENIED);
        wait_ms(16 * MINUTE_MS);
    }
    assert_ok(with_password(true, HERE, &pending));
}

/* ---- a forgotten password ---- */

static uint64_t number_of(const char *sql) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    assert_ok(rp_db_query(central, sql, &row));
    assert_ok(rp_row_first(row));
    return rp_row_u64(row, 0);
}

static const char notices_sql[] = "SELECT count(*) FROM notice";
static const char requests_sql[] = "SELECT count(*) FROM reset_request";

/* Work is counted, not timed: chance that is drawn, rows that are written. */
static void asking_for_a_password_is_the_same_work_for_anybody(void **state) {
    (void)state;
    enrolled();
    uint64_t drawn[2];
    const rp_view emails[] = {RP_VIEW_INIT(EMAIL), RP_VIEW_INIT("nobody@example.org")};
    for (size_t i = 0; i < 2; i++) {
        uint64_t before = world.random_state, rows = number_of(requests_sql);
        assert_ok(rp_identity_reset_ask(identity, emails[i], RP_EN));
        drawn[i] = world.random_state - before;
        assert_int_equal(number_of(requests_sql), rows + 1);
        assert_int_equal(number_of(notices_sql), 0);
    }
    assert_int_equal(drawn[0], drawn[1]);
    assert_ok(rp_identity_reset_work(identity));
    assert_int_equal(number_of(notices_sql), 1); /* for the one who is there */
    assert_ok(rp_identity_reset_ask(identity, RP_VIEW(EMAIL), RP_EN));
    assert_ok(rp_identity_reset_work(identity));
    assert_int_equal(number_of(notices_sql), 1); /* again within five minutes: no second mail */
    wait_ms(6 * MINUTE_MS);
    assert_ok(rp_identity_reset_ask(identity, RP_VIEW(EMAIL), RP_EN));
    assert_ok(rp_identity_reset_work(identity));
    assert_int_equal(number_of(notices_sql), 2);
    assert_int_equal(number_of("SELECT count(*) FROM password_reset"), 1); /* one link works */
    wait_ms(6 * MINUTE_MS);
    assert_ok(rp_identity_reset_work(identity));
    assert_int_equal(number_of(requests_sql), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(password_and_code_make_a_session),
        TEST(enrolling_may_sign_in_at_once),
        TEST(a_password_alone_is_not_enough),
        TEST(where_it_is_optional_who_has_one_needs_it),
        TEST(an_unknown_address_takes_the_same_path),
        TEST(a_code_works_once),
        TEST(codes_are_read_as_people_type_them),
        TEST(a_half_sign_in_lasts_ten_minutes),
        TEST(five_codes_may_be_wrong),
        TEST(five_failures_make_a_client_wait_longer_and_longer),
        TEST(guesses_that_came_together_are_not_all_judged),
        TEST(many_strangers_slow_each_other_but_not_a_known_client),
        TEST(failures_far_apart_do_not_add_up),
        TEST(asking_for_a_password_is_the_same_work_for_anybody),
    };
    if (!stack_is_there()) {
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
