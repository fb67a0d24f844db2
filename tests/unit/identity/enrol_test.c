/* enrol_test.c — invited by a link, enrolled with a second factor. */
#include "world.h"

/* ---- the first day ---- */

static void a_new_installation_is_empty_until_somebody_is_invited(void **state) {
    (void)state;
    bool empty = false;
    assert_ok(rp_identity_is_empty(identity, &empty));
    assert_true(empty);
    (void)invited();
    assert_ok(rp_identity_is_empty(identity, &empty));
    assert_false(empty);
    assert_int_equal(events_with("tenant.created"), 2); /* the installation's own, and Acme */
    assert_int_equal(events_with("person.invited"), 1);
}

static void an_invitation_shows_who_and_where(void **state) {
    (void)state;
    struct person person = invited();
    struct rp_invitation invitation;
    char again[33];
    assert_ok(rp_identity_find_invitation(identity, text(&person.invitation), &invitation));
    assert_string_equal(invitation.email, "ann@example.org");
    assert_string_equal(invitation.tenant_name, "Acme & Fils");
    assert_true(rp_id_equal(invitation.tenant, person.tenant));
    assert_int_equal(strlen(person.seed), 32);
    assert_ok(rp_identity_enrol_seed(identity, text(&person.invitation), again));
    assert_string_equal(again, person.seed); /* the page may be loaded twice */
}

static void a_link_is_for_seven_days_and_one_use(void **state) {
    (void)state;
    struct rp_invitation invitation;
    struct person person = invited();
    char seed[33];
    assert_err(rp_identity_find_invitation(identity, RP_VIEW("short"), &invitation), NOT_FOUND);
    assert_err(rp_identity_find_invitation(
                   identity, RP_VIEW("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), &invitation),
               NOT_FOUND);
    wait_ms((int64_t)7 * 24 * 3600 * 1000);
    assert_err(rp_identity_find_invitation(identity, text(&person.invitation), &invitation),
               EXPIRED);
    assert_err(rp_identity_enrol_seed(identity, text(&person.invitation), seed), EXPIRED);
    assert_err(
        rp_identity_enrol(identity, text(&person.invitation), ann_password, code_at(&person, 0)),
        EXPIRED);
    wait_ms(-(int64_t)7 * 24 * 3600 * 1000);
    assert_ok(
        rp_identity_enrol(identity, text(&person.invitation), ann_password, code_at(&person, 0)));
    assert_err(rp_identity_find_invitation(identity, text(&person.invitation), &invitation),
               REPLAYED);
    assert_err(
        rp_identity_enrol(identity, text(&person.invitation), ann_password, code_at(&person, 1)),
        REPLAYED);
    assert_int_equal(events_with("person.enrolled"), 1);
    assert_int_equal(events_with("role.granted"), 1);
}

static void enrolment_needs_the_seeds_code_and_a_hash(void **state) {
    (void)state;
    struct person person = invited();
    rp_view token = text(&person.invitation);
    assert_err(rp_identity_enrol(identity, token, ann_password, wrong_code(&person)), DENIED);
    assert_err(rp_identity_enrol(identity, token, ann_password, RP_VIEW("")), DENIED);
    assert_err(rp_identity_enrol(identity, token, "hunter2", code_at(&person, 0)), INVALID);
    assert_ok(rp_identity_enrol(identity, token, ann_password, code_at(&person, 0)));
    /* The code that ended the enrolment does not also sign in. */
    struct rp_token pending, cookie;
    struct rp_session session;
    assert_ok(with_password(true, HERE, &pending));
    assert_err(rp_identity_sign_in_finish(identity, text(&pending), code_at(&person, 0), HERE,
                                          &cookie, &session),
               REPLAYED);
}

static void a_second_invitation_replaces_the_first(void **state) {
    (void)state;
    struct rp_invitation invitation;
    struct person person = invited();
    struct rp_token second;
    assert_ok(rp_identity_invite(identity, person.tenant, RP_VIEW(" ann@example.ORG "), RP_MEMBER,
                                 nobody, &second));
    assert_err(rp_identity_find_invitation(identity, text(&person.invitation), &invitation),
               NOT_FOUND);
    assert_ok(rp_identity_find_invitation(identity, text(&second), &invitation));
}

static void an_enrolled_address_is_told_to_its_own_tenant_only(void **state) {
    (void)state;
    struct person person = enrolled();
    struct rp_token token;
    rp_id other;
    char seed[33];
    assert_err(
        rp_identity_invite(identity, person.tenant, RP_VIEW(EMAIL), RP_MEMBER, nobody, &token),
        DUPLICATE);
    assert_ok(rp_identity_new_tenant(identity, RP_VIEW("Other"), &other));
    assert_ok(rp_identity_invite(identity, other, RP_VIEW(EMAIL), RP_MEMBER, nobody, &token));
    assert_ok(rp_identity_enrol_seed(identity, text(&token), seed));
    struct person second = {.tenant = other};
    memcpy(second.seed, seed, sizeof seed);
    assert_err(rp_identity_enrol(identity, text(&token), ann_password, code_at(&second, 0)),
               DUPLICATE);
}

/*= S105 type=test */
static void nobody_gives_a_role_they_do_not_have(void **state) {
    (void)state;
    struct person admin = enrolled();
    struct rp_token token;
    rp_id other;
    assert_ok(rp_identity_invite(identity, admin.tenant, RP_VIEW("bo@example.org"),
                                 RP_MEMBER | RP_TENANT_ADMIN, admin.person, &token));
    assert_err(rp_identity_invite(identity, admin.tenant, RP_VIEW("cy@example.org"), RP_OPERATOR,
                                  admin.person, &token),
               DENIED);
    assert_ok(rp_identity_new_tenant(identity, RP_VIEW("Other"), &other));
    assert_err(rp_identity_invite(identity, other, RP_VIEW("cy@example.org"), RP_MEMBER,
                                  admin.person, &token),
               DENIED);
    assert_err(rp_identity_invite(identity, other, RP_VIEW("cy@example.org"), 0, nobody, &token),
               INVALID);
    assert_err(rp_identity_invite(identity, other, RP_VIEW("cy@example.org"), 8, nobody, &token),
               INVALID);
    assert_err(
        rp_identity_invite(identity, (rp_id){{9}}, RP_VIEW("cy@example.org"), 1, nobody, &token),
        NOT_FOUND);
}

static void bad_addresses_and_names_are_refused(void **state) {
    (void)state;
    struct rp_token token;
    rp_id tenant;
    static const char *const bad[] = {"",       "ann",       "@b",       "a@",
                                      "a@b@c",  "a b@c.d",   "a\n@c.d",  "<a@b.c>",
                                      "\xc3@b", "a@b\x7f.c", "\"a\"@b.c"};
    assert_ok(rp_identity_new_tenant(identity, RP_VIEW("Acme"), &tenant));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_err(rp_identity_invite(identity, tenant, rp_view_from_cstr(bad[i]), RP_MEMBER,
                                      nobody, &token),
                   INVALID);
    }
    assert_err(rp_identity_new_tenant(identity, RP_VIEW(""), &tenant), INVALID);
    assert_err(rp_identity_new_tenant(identity, RP_VIEW("a\nb"), &tenant), INVALID);
    assert_err(rp_identity_new_tenant(identity, RP_VIEW("\u202eACME"), &tenant), INVALID);
    assert_err(rp_identity_new_tenant(identity, RP_VIEW("ACME"), &tenant), DUPLICATE);
    assert_err(rp_identity_new_tenant(identity, RP_VIEW("Acme"), &tenant), DUPLICATE);
    assert_ok(rp_identity_new_tenant(identity, RP_VIEW("ÉCOLE"), &tenant));
    assert_err(rp_identity_new_tenant(identity, RP_VIEW("École"), &tenant), DUPLICATE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_new_installation_is_empty_until_somebody_is_invited),
        TEST(an_invitation_shows_who_and_where),
        TEST(a_link_is_for_seven_days_and_one_use),
        TEST(enrolment_needs_the_seeds_code_and_a_hash),
        TEST(a_second_invitation_replaces_the_first),
        TEST(an_enrolled_address_is_told_to_its_own_tenant_only),
        TEST(nobody_gives_a_role_they_do_not_have),
        TEST(bad_addresses_and_names_are_refused),
    };
    if (!stack_is_there()) {
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
