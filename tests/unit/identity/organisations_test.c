/* organisations_test.c — one person, several organisations: joined, switched, and outlived. */
#include "world.h"

#include "identity/closing.h"
#include "identity/organisations.h"

static rp_id new_organisation(const char *name) {
    rp_id tenant;
    assert_ok(rp_identity_new_tenant(identity, rp_view_from_cstr(name), &tenant));
    return tenant;
}

static struct rp_token invite_to(rp_id tenant, const char *email, unsigned roles) {
    struct rp_token token;
    assert_ok(
        rp_identity_invite(identity, tenant, rp_view_from_cstr(email), roles, nobody, &token));
    return token;
}

/* Ann, who is a member of another one, too. */
static struct person in_two(rp_id *ret_second) {
    struct person ann = enrolled();
    struct rp_token token;
    rp_id joined;
    *ret_second = new_organisation("Globex");
    token = invite_to(*ret_second, EMAIL, RP_MEMBER);
    assert_ok(rp_identity_join(identity, text(&token), ann.person, &joined));
    assert_true(rp_id_equal(joined, *ret_second));
    return ann;
}

static size_t organisations_of(rp_id person, struct rp_organisation *list) {
    size_t count = 0;
    assert_ok(rp_identity_organisations(identity, person, list, &count));
    return count;
}

static void an_invitation_to_a_known_address_joins(void **state) {
    (void)state;
    struct rp_organisation list[RP_ORGANISATIONS_MAX];
    struct rp_invitation invitation;
    rp_id second;
    struct person ann = in_two(&second);
    assert_int_equal(organisations_of(ann.person, list), 2);
    assert_string_equal(list[0].name, "Acme & Fils");
    assert_int_equal(list[0].roles, RP_MEMBER | RP_TENANT_ADMIN);
    assert_string_equal(list[1].name, "Globex");
    assert_int_equal(list[1].roles, RP_MEMBER);
    assert_int_equal(events_with("person.joined"), 1);
    struct rp_token token = invite_to(new_organisation("Initech"), EMAIL, RP_MEMBER);
    assert_ok(rp_identity_find_invitation(identity, text(&token), &invitation));
    assert_true(invitation.has_account);
}

/*= S66 type=test */
static void a_link_joins_only_whom_it_was_sent_to_and_once(void **state) {
    (void)state;
    struct person ann = enrolled();
    rp_id joined, second = new_organisation("Globex");
    struct rp_token theirs = invite_to(second, "bo@example.org", RP_TENANT_ADMIN);
    struct rp_token own = invite_to(second, EMAIL, RP_MEMBER);
    assert_err(rp_identity_join(identity, text(&theirs), ann.person, &joined), DENIED);
    assert_ok(rp_identity_join(identity, text(&own), ann.person, &joined));
    assert_err(rp_identity_join(identity, text(&own), ann.person, &joined), REPLAYED);
    assert_err(rp_identity_join(identity, RP_VIEW("nonsense"), ann.person, &joined), NOT_FOUND);
    struct rp_token late = invite_to(new_organisation("Initech"), EMAIL, RP_MEMBER);
    wait_ms((int64_t)30 * 24 * 3600 * 1000);
    assert_err(rp_identity_join(identity, text(&late), ann.person, &joined), EXPIRED);
}

/*= S66 type=test */
static void another_organisation_is_another_session(void **state) {
    (void)state;
    rp_id second;
    struct person ann = in_two(&second);
    struct rp_token former, cookie;
    struct rp_session session, old = signed_in(&ann, &former);
    assert_true(rp_id_equal(old.view.tenant, ann.tenant));
    wait_ms(MINUTE_MS);
    assert_ok(rp_identity_switch(identity, &old, second, HERE, &cookie, &session));
    assert_true(rp_id_equal(session.view.tenant, second));
    assert_int_equal(session.view.roles, RP_MEMBER);
    assert_false(rp_id_equal(session.view.session, old.view.session));
    assert_int_equal(session.view.expires_ms, old.view.expires_ms); /* no longer by switching */
    assert_err(rp_identity_session(identity, text(&former), &session), UNAUTHENTICATED);
    assert_ok(rp_identity_session(identity, text(&cookie), &session));
    assert_true(rp_id_equal(session.view.tenant, second));
}

static void nobody_goes_where_they_do_not_belong(void **state) {
    (void)state;
    struct person ann = enrolled();
    struct rp_token former, cookie;
    struct rp_session session, own = signed_in(&ann, &former);
    rp_id foreign = new_organisation("Globex");
    assert_err(rp_identity_switch(identity, &own, foreign, HERE, &cookie, &session), NOT_FOUND);
    assert_ok(
        rp_identity_session(identity, text(&former), &session)); /* and stays where they are */
}

static void a_sign_in_begins_where_the_last_one_ended(void **state) {
    (void)state;
    rp_id second;
    struct person ann = in_two(&second);
    struct rp_token cookie;
    struct rp_session session = signed_in(&ann, &cookie);
    assert_ok(rp_identity_switch(identity, &session, second, HERE, &cookie, &session));
    wait_ms(MINUTE_MS);
    session = signed_in(&ann, &cookie);
    assert_true(rp_id_equal(session.view.tenant, second));
}

/*= S9 type=test */
static void joining_is_no_way_round_the_check(void **state) {
    (void)state;
    struct person ann = enrolled(), bo = {.tenant = new_organisation("Globex")};
    struct rp_token hers = invite_to(bo.tenant, EMAIL, RP_ROLES_ALL); /* nobody operates it yet */
    rp_id joined;
    bo.invitation = invite_to(bo.tenant, "bo@example.org", RP_ROLES_ALL);
    assert_ok(rp_identity_enrol_seed(identity, text(&bo.invitation), bo.seed));
    assert_ok(rp_identity_enrol(identity, text(&bo.invitation), ann_password, code_at(&bo, 0)));
    assert_err(rp_identity_join(identity, text(&hers), ann.person, &joined), UNCLEARED);
}

static void close_now(rp_id tenant) {
    struct rp_own_session ended[RP_OWN_SESSIONS_MAX];
    struct rp_closing closing;
    size_t count = 0;
    assert_ok(rp_identity_close(identity, tenant, 0, &closing, NULL));
    for (int round = 0; round < 8 && closing.destroyed_ms == 0; round++) {
        assert_ok(rp_identity_close_step(identity, &closing, false, ended, &count));
    }
    assert_true(closing.destroyed_ms > 0);
}

/*= S90 type=test */
static void who_belongs_elsewhere_outlives_the_first_one(void **state) {
    (void)state;
    rp_id second;
    char email[RP_EMAIL_MAX + 1];
    struct person ann = in_two(&second);
    struct rp_organisation list[RP_ORGANISATIONS_MAX];
    struct rp_token cookie;
    close_now(ann.tenant);
    assert_int_equal(organisations_of(ann.person, list), 1);
    assert_ok(rp_identity_address_of(identity, ann.person, email));
    assert_string_equal(email, "ann@example.org");
    struct rp_session session = signed_in(&ann, &cookie); /* the seed came along, too */
    assert_true(rp_id_equal(session.view.tenant, second));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_invitation_to_a_known_address_joins),
        TEST(a_link_joins_only_whom_it_was_sent_to_and_once),
        TEST(another_organisation_is_another_session),
        TEST(nobody_goes_where_they_do_not_belong),
        TEST(a_sign_in_begins_where_the_last_one_ended),
        TEST(joining_is_no_way_round_the_check),
        TEST(who_belongs_elsewhere_outlives_the_first_one),
    };
    if (!stack_is_there()) {
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
