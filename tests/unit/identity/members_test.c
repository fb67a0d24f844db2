/* members_test.c — who changes whom in an organisation, and what ends with it. */
#include "world.h"

#include "identity/members.h"

static struct person member(const struct person *admin, const char *email, unsigned roles) {
    struct person person = {.tenant = admin->tenant};
    struct rp_invitation invitation;
    assert_ok(rp_identity_invite(identity, admin->tenant, rp_view_from_cstr(email), roles, nobody,
                                 &person.invitation));
    assert_ok(rp_identity_find_invitation(identity, text(&person.invitation), &invitation));
    person.person = invitation.person;
    assert_ok(rp_identity_enrol_seed(identity, text(&person.invitation), person.seed));
    assert_ok(
        rp_identity_enrol(identity, text(&person.invitation), ann_password, code_at(&person, 0)));
    return person;
}

static rp_err change(const struct person *whom, rp_id by, unsigned roles, size_t *ret_ended) {
    struct rp_own_session ended[RP_OWN_SESSIONS_MAX];
    const struct rp_member_change what = {
        .tenant = whom->tenant, .person = whom->person, .by = by, .roles = roles};
    return rp_identity_change_member(identity, &what, ended, ret_ended);
}

static rp_err count_one(void *ctx, const struct rp_member *one) {
    (void)one;
    (*(size_t *)ctx)++;
    return RP_OK;
}

static size_t people_of(rp_id tenant) {
    size_t count = 0;
    assert_ok(rp_identity_each_member(identity, tenant, count_one, &count));
    return count;
}

/*= S175 type=test */
static void a_new_role_ends_the_sessions_that_had_the_former(void **state) {
    (void)state;
    struct person ann = enrolled(), bo = member(&ann, "bo@example.org", RP_MEMBER);
    struct rp_token cookie;
    struct rp_session session;
    size_t ended = 0;
    assert_ok(change(&bo, ann.person, RP_MEMBER | RP_TENANT_ADMIN, &ended));
    assert_int_equal(ended, 0);
    session = signed_in(&ann, &cookie); /* two administrators: either may go */
    assert_ok(change(&ann, bo.person, RP_MEMBER, &ended));
    assert_int_equal(ended, 1);
    assert_err(rp_identity_session(identity, text(&cookie), &session), UNAUTHENTICATED);
    assert_int_equal(events_with("role.changed"), 2);
}

/*= S105 type=test */
static void nobody_changes_beyond_their_own_right(void **state) {
    (void)state;
    struct person ann = enrolled(), bo = member(&ann, "bo@example.org", RP_MEMBER);
    struct person root = member(&ann, "op@example.org", RP_ROLES_ALL);
    size_t ended = 0;
    assert_err(change(&ann, bo.person, RP_MEMBER, &ended), DENIED);
    assert_err(change(&bo, ann.person, RP_ROLES_ALL, &ended), DENIED);
    assert_err(change(&root, ann.person, RP_MEMBER, &ended), DENIED);
    assert_err(change(&root, ann.person, 0, &ended), DENIED);
    assert_err(change(&bo, ann.person, 8, &ended), INVALID);
    rp_id other;
    assert_ok(rp_identity_new_tenant(identity, RP_VIEW("Other"), &other));
    struct person elsewhere = bo;
    elsewhere.tenant = other;
    assert_err(change(&elsewhere, ann.person, RP_MEMBER, &ended), NOT_FOUND);
    assert_int_equal(events_with("role.changed"), 0);
}

/*= S9 type=test */
static void the_first_operator_comes_in_unchecked_and_nobody_after(void **state) {
    (void)state;
    struct person ann = enrolled(), bo = member(&ann, "bo@example.org", RP_MEMBER);
    struct rp_token token;
    size_t ended = 0;
    member(&ann, "op@example.org", RP_ROLES_ALL);
    assert_int_equal(events_with("operator.unchecked"), 2); /* invited, enrolled */
    assert_err(change(&bo, nobody, RP_ROLES_ALL, &ended), UNCLEARED);
    assert_err(rp_identity_invite(identity, ann.tenant, RP_VIEW("cy@example.org"), RP_OPERATOR,
                                  nobody, &token),
               UNCLEARED);
    assert_int_equal(events_with("register.refused"), 2);
    assert_int_equal(events_with("role.changed"), 0);
}

static void the_last_administrator_stays(void **state) {
    (void)state;
    struct person ann = enrolled();
    size_t ended = 0;
    assert_err(change(&ann, nobody, RP_MEMBER, &ended), CONFLICT);
    assert_err(change(&ann, nobody, 0, &ended), CONFLICT);
    assert_int_equal(people_of(ann.tenant), 1);
}

/*= S175 type=test */
static void who_belongs_nowhere_is_forgotten(void **state) {
    (void)state;
    struct person ann = enrolled(), bo = member(&ann, "bo@example.org", RP_MEMBER);
    struct rp_sign_in sign_in;
    size_t ended = 0;
    rp_id found;
    assert_ok(rp_identity_member_at(identity, ann.tenant, RP_VIEW("BO@example.org"), &found));
    assert_true(rp_id_equal(found, bo.person));
    assert_ok(change(&bo, ann.person, 0, &ended));
    assert_ok(rp_identity_sign_in_start(identity, RP_VIEW("bo@example.org"), HERE, &sign_in));
    assert_false(sign_in.known);
    assert_err(rp_identity_member_at(identity, ann.tenant, RP_VIEW("bo@example.org"), &found),
               NOT_FOUND);
    assert_err(change(&bo, ann.person, 0, &ended), NOT_FOUND);
    (void)member(&ann, "bo@example.org", RP_MEMBER); /* the address is free again */
    assert_int_equal(events_with("member.removed"), 1);
}

static void an_open_invitation_is_withdrawn(void **state) {
    (void)state;
    struct person ann = enrolled(), bo = {.tenant = ann.tenant};
    struct rp_invitation invitation;
    size_t ended = 0;
    assert_ok(rp_identity_invite(identity, ann.tenant, RP_VIEW("bo@example.org"), RP_MEMBER, nobody,
                                 &bo.invitation));
    assert_ok(rp_identity_find_invitation(identity, text(&bo.invitation), &invitation));
    bo.person = invitation.person;
    rp_id found;
    assert_ok(rp_identity_member_at(identity, ann.tenant, RP_VIEW("bo@example.org"), &found));
    assert_true(rp_id_equal(found, bo.person));
    assert_int_equal(people_of(ann.tenant), 2);
    assert_err(change(&bo, ann.person, RP_MEMBER, &ended), NOT_FOUND); /* nobody has come yet */
    assert_ok(change(&bo, ann.person, 0, &ended));
    assert_err(rp_identity_find_invitation(identity, text(&bo.invitation), &invitation), NOT_FOUND);
    assert_int_equal(people_of(ann.tenant), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_new_role_ends_the_sessions_that_had_the_former),
        TEST(nobody_changes_beyond_their_own_right),
        TEST(the_first_operator_comes_in_unchecked_and_nobody_after),
        TEST(the_last_administrator_stays),
        TEST(who_belongs_nowhere_is_forgotten),
        TEST(an_open_invitation_is_withdrawn),
    };
    if (!stack_is_there()) {
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
