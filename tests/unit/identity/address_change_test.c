/* address_change_test.c — asked for, confirmed, stopped, undone; and for how long each is possible.
 */
#include "world.h"

#include "identity/address_change.h"

#define NEW "ann.smith@example.org"

static struct rp_sign_in own(const struct person *person) {
    struct rp_sign_in sign_in;
    assert_ok(rp_identity_own_password(identity, person->person, HERE, &sign_in));
    return sign_in;
}

static rp_err ask_with(const struct person *person, const char *email, rp_view code) {
    struct rp_sign_in sign_in = own(person);
    const struct rp_address_ask ask = {
        .own = &sign_in, .email = rp_view_from_cstr(email), .code = code, .client = HERE};
    return rp_identity_address_ask(identity, &ask);
}

static rp_err ask(const struct person *person, const char *email) {
    rp_err err = ask_with(person, email, code_at(person, 0));
    wait_ms(STEP_MS);
    return err;
}

static bool signs_in_with(const char *email) {
    struct rp_sign_in sign_in;
    assert_ok(rp_identity_sign_in_start(identity, rp_view_from_cstr(email), HERE, &sign_in));
    return sign_in.known;
}

static void an_address_counts_once_its_link_was_used(void **state) {
    (void)state;
    struct person ann = enrolled();
    char email[RP_EMAIL_MAX + 1];
    assert_err(ask_with(&ann, "nonsense", code_at(&ann, 0)), INVALID);
    assert_err(ask_with(&ann, " ANN@example.org", code_at(&ann, 0)), DUPLICATE);
    assert_err(ask_with(&ann, NEW, wrong_code(&ann)), DENIED);
    assert_ok(ask_with(&ann, NEW, code_at(&ann, 0)));
    assert_err(ask_with(&ann, NEW, code_at(&ann, 0)), REPLAYED);
    struct rp_token confirm = link_in(&ann, RP_NOTICE_ADDRESS_CONFIRM);
    assert_ok(rp_identity_find_address_change(identity, text(&confirm), email));
    assert_string_equal(email, NEW);
    assert_true(signs_in_with(EMAIL) && !signs_in_with(NEW));
    assert_ok(rp_identity_address_confirm(identity, text(&confirm)));
    assert_true(!signs_in_with(EMAIL) && signs_in_with(NEW));
    assert_err(rp_identity_address_confirm(identity, text(&confirm)), REPLAYED);
    struct rp_person person;
    assert_ok(rp_identity_person(identity, ann.person, ann.tenant, &person));
    assert_string_equal(person.email, NEW);
    assert_int_equal(events_with("address.change_asked"), 1);
    assert_int_equal(events_with("address.changed"), 1);
}

static void a_link_is_for_an_hour_and_the_next_replaces_it(void **state) {
    (void)state;
    struct person ann = enrolled();
    assert_ok(ask(&ann, NEW));
    struct rp_token first = link_in(&ann, RP_NOTICE_ADDRESS_CONFIRM);
    wait_ms(60 * MINUTE_MS);
    assert_err(rp_identity_address_confirm(identity, text(&first)), EXPIRED);
    assert_ok(ask(&ann, NEW));
    assert_err(rp_identity_address_confirm(identity, text(&first)), NOT_FOUND);
}

static void five_a_day(void **state) {
    (void)state;
    struct person ann = enrolled();
    for (size_t i = 0; i < 5; i++) {
        assert_ok(ask(&ann, NEW));
    }
    assert_err(ask(&ann, NEW), RATE);
    wait_ms((int64_t)24 * 60 * MINUTE_MS);
    assert_ok(ask(&ann, NEW));
}

static void somebody_elses_address_gets_no_link(void **state) {
    (void)state;
    struct person ann = enrolled();
    struct rp_token invitation;
    struct person bo = {.tenant = ann.tenant};
    assert_ok(rp_identity_invite(identity, ann.tenant, RP_VIEW("bo@example.org"), RP_MEMBER, nobody,
                                 &invitation));
    assert_ok(rp_identity_enrol_seed(identity, text(&invitation), bo.seed));
    assert_ok(rp_identity_enrol(identity, text(&invitation), ann_password, code_at(&bo, 0)));
    assert_ok(ask(&ann, "bo@example.org"));
    assert_string_equal(link_in(&ann, RP_NOTICE_ADDRESS_CONFIRM).s, "");
    assert_int_equal(events_with("address.change_asked"), 1); /* told alike */
}

static void an_address_taken_meanwhile_is_not_given_twice(void **state) {
    (void)state;
    struct person ann = enrolled(), bo = {.tenant = ann.tenant};
    struct rp_token invitation;
    assert_ok(ask(&ann, NEW));
    struct rp_token confirm = link_in(&ann, RP_NOTICE_ADDRESS_CONFIRM);
    assert_ok(
        rp_identity_invite(identity, ann.tenant, RP_VIEW(NEW), RP_MEMBER, nobody, &invitation));
    assert_ok(rp_identity_enrol_seed(identity, text(&invitation), bo.seed));
    assert_ok(rp_identity_enrol(identity, text(&invitation), ann_password, code_at(&bo, 0)));
    assert_err(rp_identity_address_confirm(identity, text(&confirm)), DUPLICATE);
    assert_true(signs_in_with(EMAIL));
    assert_int_equal(events_with("address.changed"), 0);
}

static void stopped(bool after) {
    struct person ann = enrolled();
    struct rp_own_session ended[RP_OWN_SESSIONS_MAX];
    struct rp_token cookie;
    size_t count = 0;
    bool used = !after;
    (void)signed_in(&ann, &cookie);
    wait_ms(STEP_MS);
    assert_ok(ask(&ann, NEW));
    struct rp_token confirm = link_in(&ann, RP_NOTICE_ADDRESS_CONFIRM);
    struct rp_token stop = link_in(&ann, RP_NOTICE_ADDRESS_ASKED);
    if (after) {
        assert_ok(rp_identity_address_confirm(identity, text(&confirm)));
    }
    assert_ok(rp_identity_find_address_stop(identity, text(&stop), &used));
    assert_int_equal(used, after);
    assert_ok(rp_identity_address_stop(identity, text(&stop), ended, &count));
    assert_int_equal(count, 1);
    assert_true(signs_in_with(EMAIL) && !signs_in_with(NEW));
    struct rp_sign_in sign_in = own(&ann);
    assert_err(rp_password_verify(sign_in.password_text, RP_VIEW(PASSWORD)), DENIED);
    assert_err(rp_identity_address_confirm(identity, text(&confirm)), NOT_FOUND);
    assert_err(rp_identity_address_stop(identity, text(&stop), ended, &count), NOT_FOUND);
    assert_int_equal(events_with(after ? "\"when\":\"after\"" : "\"when\":\"before\""), 1);
}

static void not_me_stops_what_waits(void **state) {
    (void)state;
    stopped(false);
}

static void not_me_undoes_what_took_effect(void **state) {
    (void)state;
    stopped(true);
}

static void it_can_be_undone_for_a_week(void **state) {
    (void)state;
    struct person ann = enrolled();
    struct rp_own_session ended[RP_OWN_SESSIONS_MAX];
    size_t count = 0;
    assert_ok(ask(&ann, NEW));
    struct rp_token stop = link_in(&ann, RP_NOTICE_ADDRESS_ASKED);
    wait_ms((int64_t)7 * 24 * 60 * MINUTE_MS);
    assert_err(rp_identity_address_stop(identity, text(&stop), ended, &count), EXPIRED);
}

/* Who took an account over would else ask once more, and the owner's link were gone. */
static void a_second_change_takes_nobody_the_way_back(void **state) {
    (void)state;
    struct person ann = enrolled();
    struct rp_own_session ended[RP_OWN_SESSIONS_MAX];
    size_t count = 0;
    assert_ok(ask(&ann, NEW));
    struct rp_token stop = link_in(&ann, RP_NOTICE_ADDRESS_ASKED);
    struct rp_token confirm = link_in(&ann, RP_NOTICE_ADDRESS_CONFIRM);
    assert_ok(rp_identity_address_confirm(identity, text(&confirm)));
    assert_err(ask(&ann, "third@example.org"), CONFLICT);
    wait_ms((int64_t)6 * 24 * 60 * MINUTE_MS);
    assert_err(ask(&ann, "third@example.org"), CONFLICT);
    assert_ok(rp_identity_address_stop(identity, text(&stop), ended, &count));
    assert_true(signs_in_with(EMAIL) && !signs_in_with(NEW));
    assert_ok(ask(&ann, NEW)); /* undone: it may be asked for anew */
}

static void after_a_week_another_change_is_taken(void **state) {
    (void)state;
    struct person ann = enrolled();
    assert_ok(ask(&ann, NEW));
    struct rp_token confirm = link_in(&ann, RP_NOTICE_ADDRESS_CONFIRM);
    assert_ok(rp_identity_address_confirm(identity, text(&confirm)));
    wait_ms((int64_t)7 * 24 * 60 * MINUTE_MS);
    assert_ok(ask(&ann, "third@example.org"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_address_counts_once_its_link_was_used),
        TEST(a_link_is_for_an_hour_and_the_next_replaces_it),
        TEST(five_a_day),
        TEST(a_second_change_takes_nobody_the_way_back),
        TEST(after_a_week_another_change_is_taken),
        TEST(somebody_elses_address_gets_no_link),
        TEST(an_address_taken_meanwhile_is_not_given_twice),
        TEST(not_me_stops_what_waits),
        TEST(not_me_undoes_what_took_effect),
        TEST(it_can_be_undone_for_a_week),
    };
    if (!stack_is_there()) {
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
