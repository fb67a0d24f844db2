/* passkey_test.c — keys made, used, copied, taken away; every wrong turn refused and in the log. */
#include "identity/passkey.h"

#include "authenticator.h"
#include "identity/address_change.h"
#include "identity/closing.h"
#include "identity/organisations.h"
#include "world.h"

#define ORIGIN "https://example.com"
#define SITE "example.com"

static struct rp_arena *arena;

static int start(void **state) {
    arena = rp_arena_new(8 << 20);
    return setup(state);
}

static int end(void **state) {
    rp_arena_free(arena);
    return teardown(state);
}

/* ---- an authenticator in software, and what a browser does with it ---- */

static struct authenticator new_authenticator(void) {
    struct authenticator authenticator = {
        .origin = ORIGIN, .site = SITE, .count = 1, .verifies = true, .transport = "usb"};
    struct rp_secret *key = NULL;
    assert_ok(rp_es256_new(&env, &key));
    authenticator.key = key;
    env.fill_random(env.ctx, authenticator.id, sizeof authenticator.id);
    return authenticator;
}

static void done(struct authenticator *authenticator) {
    rp_secret_free((struct rp_secret *)(uintptr_t)authenticator->key);
}

struct ceremony {
    struct rp_passkey_proof proof;
    struct rp_webauthn_answer answer;
    uint8_t challenge[RP_CHALLENGE];
};

static void read_answer(struct ceremony *ceremony, const struct rp_buf *json) {
    rp_view text = {NULL, 0};
    assert_ok(rp_arena_copy(arena, rp_buf_view(json), &text));
    assert_ok(rp_webauthn_answer_parse(text, arena, &ceremony->answer));
    ceremony->proof.answer = &ceremony->answer;
}

static void begin(struct ceremony *ceremony, enum rp_passkey_purpose purpose, rp_view browser,
                  rp_id person) {
    *ceremony = (struct ceremony){
        .proof = {.asked = {purpose, browser, person},
                  .expected = {ORIGIN, SITE, .verified = purpose == RP_PASSKEY_ALONE}}};
    assert_ok(rp_passkey_challenge(identity, &ceremony->proof.asked, ceremony->challenge));
}

static void answer(struct ceremony *ceremony, const struct authenticator *authenticator,
                   rp_id person) {
    struct rp_buf json = rp_buf_new(AUTHENTICATOR_ANSWER_MAX);
    rp_view challenge = rp_view_of(ceremony->challenge, sizeof ceremony->challenge);
    assert_ok(ceremony->proof.asked.purpose == RP_PASSKEY_ADD
                  ? authenticator_make(authenticator, challenge, &json)
                  : authenticator_use(authenticator, challenge,
                                      rp_view_of(person.b, sizeof person.b), &json));
    read_answer(ceremony, &json);
    rp_buf_done(&json);
}

static void ask(struct ceremony *ceremony, enum rp_passkey_purpose purpose, rp_view browser,
                rp_id person, const struct authenticator *authenticator) {
    begin(ceremony, purpose, browser, person);
    answer(ceremony, authenticator, person);
}

/* ---- Ann, signed in, adds a key ---- */

struct ann {
    struct person person;
    struct rp_token cookie;
    struct rp_session session;
};

static struct ann ann_signed_in(void) {
    struct ann ann = {.person = enrolled()};
    ann.session = signed_in(&ann.person, &ann.cookie);
    return ann;
}

static rp_err add_named(const struct ann *ann, const struct authenticator *authenticator,
                        const char *name, rp_id *ret_id) {
    struct ceremony ceremony;
    ask(&ceremony, RP_PASSKEY_ADD, text(&ann->cookie), ann->person.person, authenticator);
    const struct rp_passkey_new what = {&ann->session, &ceremony.proof, rp_view_from_cstr(name)};
    return rp_identity_passkey_add(identity, &what, ret_id);
}

static rp_id added(const struct ann *ann, const struct authenticator *authenticator) {
    rp_id id;
    assert_ok(add_named(ann, authenticator, "Blue key", &id));
    return id;
}

static size_t keys_of(const struct ann *ann, struct rp_passkey **ret_keys) {
    size_t count = 0;
    assert_ok(rp_identity_passkeys(identity, ann->person.person, arena, ret_keys, &count));
    return count;
}

/* The password, then the key. */
static rp_err second_with(const struct ann *ann, const struct authenticator *authenticator,
                          struct rp_session *ret_session) {
    struct rp_token pending, cookie;
    struct ceremony ceremony;
    RP_TRY(with_password(true, HERE, &pending));
    ask(&ceremony, RP_PASSKEY_SECOND, text(&pending), ann->person.person, authenticator);
    const struct rp_proof proof = {.passkey = &ceremony.proof};
    return rp_identity_sign_in_prove(identity, text(&pending), &proof, HERE, &cookie, ret_session);
}

/*= S101, S102 type=test */
static void a_key_is_a_second_factor(void **state) {
    (void)state;
    struct ann ann = ann_signed_in();
    struct authenticator blue = new_authenticator();
    struct rp_passkey *own = NULL;
    struct rp_session session;
    added(&ann, &blue);
    assert_int_equal(keys_of(&ann, &own), 1);
    assert_string_equal(own[0].name, "Blue key");
    assert_int_equal(own[0].transports, RP_TRANSPORT_USB);
    assert_int_equal(own[0].used_ms, 0);
    blue.count = 2;
    blue.verifies = false; /* after the password a touch is enough */
    assert_ok(second_with(&ann, &blue, &session));
    assert_int_equal(session.view.acr, RP_ACR_PHR);
    assert_int_equal(events_with("passkey.added"), 1);
    assert_int_equal(keys_of(&ann, &own), 1);
    assert_int_equal(own[0].count, 2);
    assert_true(own[0].used_ms > 0);
    done(&blue);
}

static rp_err alone_with(const struct authenticator *authenticator, rp_id user,
                         struct rp_session *ret_session) {
    struct rp_token cookie;
    struct ceremony ceremony;
    begin(&ceremony, RP_PASSKEY_ALONE, RP_VIEW("form token"), nobody);
    answer(&ceremony, authenticator, user);
    return rp_identity_sign_in_alone(identity, &ceremony.proof, HERE, &cookie, ret_session);
}

/*= S101 type=test */
static void a_key_alone_needs_that_it_verified_whose_hand_it_was(void **state) {
    (void)state;
    struct ann ann = ann_signed_in();
    struct authenticator blue = new_authenticator(), other = new_authenticator();
    struct rp_session session;
    added(&ann, &blue);
    blue.count = 2;
    assert_ok(alone_with(&blue, ann.person.person, &session));
    assert_true(rp_id_equal(session.view.person, ann.person.person));
    assert_int_equal(session.view.acr, RP_ACR_PHR);
    blue.count = 3;
    blue.verifies = false;
    assert_err(alone_with(&blue, ann.person.person, &session), DENIED);
    blue.verifies = true;
    assert_err(alone_with(&blue, ann.person.tenant, &session), DENIED);  /* says it is another's */
    assert_err(alone_with(&other, ann.person.person, &session), DENIED); /* nobody's key */
    assert_int_equal(events_with("passkey_unknown"), 1);
    done(&blue);
    done(&other);
}

static void what_is_altered_or_elsewhere_is_refused(void **state) {
    (void)state;
    struct ann ann = ann_signed_in();
    struct authenticator blue = new_authenticator();
    struct rp_session session;
    added(&ann, &blue);
    blue.count = 2;
    struct authenticator bad = blue;
    bad.alters = true;
    assert_err(second_with(&ann, &bad, &session), DENIED);
    bad = blue, bad.origin = "https://example.com.evil.example";
    assert_err(second_with(&ann, &bad, &session), DENIED);
    bad = blue, bad.site = "evil.example";
    assert_err(second_with(&ann, &bad, &session), DENIED);
    assert_int_equal(events_with("sign_in.refused"), 3);
    assert_ok(second_with(&ann, &blue, &session));
    done(&blue);
}

/*= S101, S102 type=test */
static void an_answer_works_once_in_its_place_and_time(void **state) {
    (void)state;
    struct ann ann = ann_signed_in();
    struct authenticator blue = new_authenticator();
    struct rp_token pending, other, cookie;
    struct rp_session session;
    struct ceremony ceremony;
    added(&ann, &blue);
    assert_ok(with_password(true, HERE, &pending));
    assert_ok(with_password(true, HERE, &other));
    blue.count = 0; /* an authenticator that does not count cannot hide a replay behind its count */
    assert_ok(rp_db_begin(central));
    struct rp_row *row = NULL;
    assert_ok(rp_db_query(central, "UPDATE passkey SET sign_count = 0", &row));
    assert_ok(rp_row_run(row, NULL));
    assert_ok(rp_db_commit(central));
    ask(&ceremony, RP_PASSKEY_SECOND, text(&pending), ann.person.person, &blue);
    struct rp_proof proof = {.passkey = &ceremony.proof};
    ceremony.proof.asked.browser = text(&other); /* another half sign-in */
    assert_err(rp_identity_sign_in_prove(identity, text(&other), &proof, HERE, &cookie, &session),
               REPLAYED);
    ceremony.proof.asked.browser = text(&pending);
    assert_ok(rp_identity_sign_in_prove(identity, text(&pending), &proof, HERE, &cookie, &session));
    ceremony.proof.asked.browser = text(&other);
    assert_err(rp_identity_sign_in_prove(identity, text(&other), &proof, HERE, &cookie, &session),
               REPLAYED);
    /* Too late by a millisecond; for another purpose. */
    ask(&ceremony, RP_PASSKEY_SECOND, text(&other), ann.person.person, &blue);
    wait_ms(RP_CHALLENGE_MS);
    assert_err(rp_identity_sign_in_prove(identity, text(&other), &proof, HERE, &cookie, &session),
               REPLAYED);
    ask(&ceremony, RP_PASSKEY_SIGN, text(&other), ann.person.person, &blue);
    ceremony.proof.asked.purpose = RP_PASSKEY_SECOND;
    assert_err(rp_identity_sign_in_prove(identity, text(&other), &proof, HERE, &cookie, &session),
               REPLAYED);
    done(&blue);
}

/*= S101, S102 type=test */
static void a_copy_is_refused_and_said(void **state) {
    (void)state;
    struct ann ann = ann_signed_in();
    struct authenticator blue = new_authenticator();
    struct rp_session session;
    added(&ann, &blue);
    blue.count = 7;
    assert_ok(second_with(&ann, &blue, &session));
    assert_err(second_with(&ann, &blue, &session), DENIED); /* the same count */
    blue.count = 6;
    assert_err(second_with(&ann, &blue, &session), DENIED);
    blue.count = 0;
    assert_err(second_with(&ann, &blue, &session), DENIED);
    assert_int_equal(events_with("factor.clone_suspected"), 3);
    blue.count = 8;
    assert_ok(second_with(&ann, &blue, &session));
    done(&blue);
}

static void adding_needs_a_fresh_session_and_a_name(void **state) {
    (void)state;
    struct ann ann = ann_signed_in();
    struct authenticator blue = new_authenticator();
    char longest[RP_PASSKEY_NAME_MAX + 2];
    rp_id id;
    memset(longest, 'n', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    assert_err(add_named(&ann, &blue, "  ", &id), INVALID);
    assert_err(add_named(&ann, &blue, longest, &id), INVALID);
    wait_ms(RP_FRESH_MS + 1);
    assert_err(add_named(&ann, &blue, "Blue", &id), SECOND_FACTOR);
    done(&blue);
}

static void adding_what_was_not_asked_for_is_refused(void **state) {
    (void)state;
    struct ann ann = ann_signed_in();
    struct authenticator blue = new_authenticator();
    struct ceremony ceremony;
    rp_id id;
    added(&ann, &blue);
    assert_err(add_named(&ann, &blue, "Again", &id), DUPLICATE);
    struct authenticator bad = new_authenticator();
    bad.origin = "https://evil.example";
    assert_err(add_named(&ann, &bad, "Evil", &id), DENIED);
    bad.origin = ORIGIN;
    ask(&ceremony, RP_PASSKEY_ADD, text(&ann.cookie), ann.person.person, &bad);
    const struct rp_passkey_new what = {&ann.session, &ceremony.proof, RP_VIEW("Late")};
    wait_ms(RP_CHALLENGE_MS);
    assert_err(rp_identity_passkey_add(identity, &what, &id), EXPIRED);
    done(&blue);
    done(&bad);
}

static void sixteen_and_no_more(void **state) {
    (void)state;
    struct ann ann = ann_signed_in();
    struct rp_passkey *own = NULL;
    rp_id id;
    for (size_t i = 0; i <= RP_PASSKEYS_MAX; i++) {
        struct authenticator one = new_authenticator();
        rp_err err = add_named(&ann, &one, "One", &id);
        assert_int_equal(err.code, i < RP_PASSKEYS_MAX ? RP_E_NONE : RP_E_TOO_LARGE);
        done(&one);
    }
    assert_int_equal(keys_of(&ann, &own), RP_PASSKEYS_MAX);
}

static void keys_are_renamed_and_removed(void **state) {
    (void)state;
    struct ann ann = ann_signed_in();
    struct authenticator blue = new_authenticator();
    struct rp_passkey *own = NULL;
    struct rp_session session;
    rp_id id = added(&ann, &blue), person = ann.person.person;
    assert_ok(rp_identity_passkey_rename(identity, person, id, RP_VIEW("Clé bleue")));
    assert_int_equal(keys_of(&ann, &own), 1);
    assert_string_equal(own[0].name, "Clé bleue");
    assert_err(rp_identity_passkey_rename(identity, person, person, RP_VIEW("x")), NOT_FOUND);
    assert_err(rp_identity_passkey_rename(identity, ann.person.tenant, id, RP_VIEW("x")),
               NOT_FOUND);
    struct rp_session old = ann.session;
    old.view.expires_ms -= RP_FRESH_MS + 1;
    assert_err(rp_identity_passkey_remove(identity, &old, id), SECOND_FACTOR);
    old.view.expires_ms = ann.session.view.expires_ms + 1; /* begun when sessions lasted longer */
    assert_err(rp_identity_passkey_remove(identity, &old, id), SECOND_FACTOR);
    assert_ok(rp_identity_passkey_remove(identity, &ann.session, id));
    assert_err(rp_identity_passkey_remove(identity, &ann.session, id), NOT_FOUND);
    assert_err(second_with(&ann, &blue, &session), DENIED);
    assert_int_equal(events_with("passkey.removed"), 1);
    done(&blue);
}

static void run_sql(const char *sql) {
    struct rp_row *row = NULL;
    assert_ok(rp_db_begin(central));
    assert_ok(rp_db_query(central, sql, &row));
    assert_ok(rp_row_run(row, NULL));
    assert_ok(rp_db_commit(central));
}

/*= S171 type=test */
static void the_last_factor_stays_where_one_is_demanded(void **state) {
    (void)state;
    struct ann ann = ann_signed_in();
    struct authenticator blue = new_authenticator();
    rp_id id = added(&ann, &blue);
    run_sql("UPDATE person SET totp_sealed = NULL");
    assert_err(rp_identity_passkey_remove(identity, &ann.session, id), CONFLICT);
    close_all();
    open_all(false);
    assert_ok(rp_identity_passkey_remove(identity, &ann.session, id));
    done(&blue);
}

/*= S99 type=test */
static void whose_only_factor_is_a_key_does_not_come_in_without(void **state) {
    (void)state;
    struct ann ann = ann_signed_in();
    struct authenticator blue = new_authenticator();
    struct rp_token pending, cookie;
    struct rp_session session;
    added(&ann, &blue);
    run_sql("UPDATE person SET totp_sealed = NULL");
    close_all();
    open_all(false); /* optional, but Ann has one */
    assert_ok(with_password(true, HERE, &pending));
    assert_err(
        rp_identity_sign_in_finish(identity, text(&pending), RP_VIEW(""), HERE, &cookie, &session),
        SECOND_FACTOR);
    done(&blue);
}

static void a_row_put_in_anothers_place_opens_nothing(void **state) {
    (void)state;
    struct ann ann = ann_signed_in();
    struct authenticator blue = new_authenticator(), red = new_authenticator();
    struct rp_session session;
    added(&ann, &blue);
    added(&ann, &red);
    run_sql("UPDATE passkey SET sealed = "
            "(SELECT sealed FROM passkey ORDER BY sealed DESC LIMIT 1)");
    blue.count = red.count = 2;
    bool blue_opens = rp_ok(second_with(&ann, &blue, &session));
    assert_true(blue_opens != rp_ok(second_with(&ann, &red, &session))); /* one of them is whole */
    assert_int_equal(events_with("passkey_altered"), 1);
    struct rp_passkey *own = NULL;
    assert_int_equal(keys_of(&ann, &own), 2); /* both in the list, and one says so */
    assert_true(own[0].altered != own[1].altered);
    assert_err(rp_identity_passkey_rename(identity, ann.person.person,
                                          own[own[0].altered ? 0 : 1].id, RP_VIEW("x")),
               NOT_FOUND);
    done(&blue);
    done(&red);
}

static void a_signature_is_bound_to_what_it_says(void **state) {
    (void)state;
    struct ann ann = ann_signed_in();
    struct authenticator blue = new_authenticator();
    struct rp_passkey key;
    struct ceremony ceremony;
    rp_id id = added(&ann, &blue);
    blue.count = 2;
    ask(&ceremony, RP_PASSKEY_SIGN, text(&ann.cookie), ann.person.person, &blue);
    assert_ok(rp_identity_sign(identity, &ceremony.proof, HERE, &key));
    assert_true(rp_id_equal(key.id, id));
    assert_err(rp_identity_sign(identity, &ceremony.proof, HERE, &key), REPLAYED);
    done(&blue);
}

/*= S90 type=test */
static void keys_come_along_to_another_home(void **state) {
    (void)state;
    struct ann ann = ann_signed_in();
    struct authenticator blue = new_authenticator();
    struct rp_own_session ended[RP_OWN_SESSIONS_MAX];
    struct rp_closing closing;
    struct rp_token invitation;
    struct rp_session session;
    rp_id second, joined;
    size_t count = 0;
    added(&ann, &blue);
    assert_ok(rp_identity_new_tenant(identity, RP_VIEW("Globex"), &second));
    assert_ok(rp_identity_invite(identity, second, RP_VIEW(EMAIL), RP_MEMBER, nobody, &invitation));
    assert_ok(rp_identity_join(identity, text(&invitation), ann.person.person, &joined));
    assert_ok(rp_identity_close(identity, ann.person.tenant, 0, &closing, NULL));
    for (int round = 0; round < 8 && closing.destroyed_ms == 0; round++) {
        assert_ok(rp_identity_close_step(identity, &closing, false, ended, &count));
    }
    blue.count = 2;
    assert_ok(alone_with(&blue, ann.person.person, &session));
    assert_true(rp_id_equal(session.view.tenant, second));
    done(&blue);
}

/* Who was in Ann's account with her password left a key there, and asked for another address. */
/*= S101 type=test */
static void not_me_leaves_no_key_that_opens_alone(void **state) {
    (void)state;
    struct ann ann = ann_signed_in();
    struct authenticator blue = new_authenticator();
    struct rp_own_session ended[RP_OWN_SESSIONS_MAX];
    struct rp_session session;
    struct rp_passkey *own = NULL;
    size_t count = 0;
    added(&ann, &blue);
    wait_ms(STEP_MS);
    struct rp_sign_in sign_in;
    assert_ok(rp_identity_own_password(identity, ann.person.person, HERE, &sign_in));
    const struct rp_address_ask ask_for = {.own = &sign_in,
                                           .email = RP_VIEW("mallory@example.net"),
                                           .code = code_at(&ann.person, 0),
                                           .client = HERE};
    assert_ok(rp_identity_address_ask(identity, &ask_for));
    struct rp_token stop = link_in(&ann.person, RP_NOTICE_ADDRESS_ASKED);
    blue.count = 2;
    assert_ok(alone_with(&blue, ann.person.person, &session));
    assert_ok(rp_identity_address_stop(identity, text(&stop), ended, &count));
    blue.count = 3;
    assert_err(alone_with(&blue, ann.person.person, &session), DENIED);
    assert_int_equal(events_with("passkey_needs_password"), 1);
    assert_int_equal(keys_of(&ann, &own), 1);
    assert_true(own[0].needs_password && !own[0].may_move);
    assert_ok(second_with(&ann, &blue, &session)); /* for who has the password, as before */
    done(&blue);
}

static void a_browser_has_eight_open_challenges(void **state) {
    (void)state;
    struct ann ann = ann_signed_in();
    struct authenticator blue = new_authenticator();
    struct ceremony first, later;
    rp_id id;
    ask(&first, RP_PASSKEY_ADD, text(&ann.cookie), ann.person.person, &blue);
    for (int i = 0; i < 8; i++) {
        wait_ms(1);
        begin(&later, RP_PASSKEY_ADD, text(&ann.cookie), ann.person.person);
    }
    const struct rp_passkey_new what = {&ann.session, &first.proof, RP_VIEW("First")};
    assert_err(rp_identity_passkey_add(identity, &what, &id), EXPIRED);
    done(&blue);
}

/* Challenges of browsers that differ. */
static void put_strangers(size_t count) {
    struct rp_row *row = NULL;
    assert_ok(rp_db_begin(central));
    for (size_t i = 0; i < count; i++) {
        uint8_t hash[32] = {9};
        memcpy(hash + 1, &i, sizeof i);
        assert_ok(rp_db_query(central,
                              "INSERT INTO passkey_challenge (hash, purpose, bound, person, "
                              "expires_ms) VALUES (?1, 3, ?1, NULL, 1)",
                              &row));
        rp_row_bind_blob(row, 1, rp_view_of(hash, sizeof hash));
        assert_ok(rp_row_run(row, NULL));
    }
    assert_ok(rp_db_commit(central));
}

/* A crowd that asks and never answers keeps nobody from signing in. */
static void strangers_who_ask_for_many_keep_nobody_out(void **state) {
    (void)state;
    struct ann ann = ann_signed_in();
    struct authenticator blue = new_authenticator();
    struct rp_session session;
    struct rp_row *row = NULL;
    added(&ann, &blue);
    put_strangers(20001);
    blue.count = 2;
    assert_ok(alone_with(&blue, ann.person.person, &session));
    assert_ok(rp_db_query(central, "SELECT count(*) FROM passkey_challenge", &row));
    assert_ok(rp_row_first(row));
    assert_int_equal(rp_row_u64(row, 0), 19999); /* and the one that was used is gone */
    rp_row_done(row);
    done(&blue);
}

int main(void) {
    if (!stack_is_there()) {
        return 0;
    }
#undef TEST
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, end)
    const struct CMUnitTest tests[] = {
        TEST(a_key_is_a_second_factor),
        TEST(a_key_alone_needs_that_it_verified_whose_hand_it_was),
        TEST(what_is_altered_or_elsewhere_is_refused),
        TEST(an_answer_works_once_in_its_place_and_time),
        TEST(a_copy_is_refused_and_said),
        TEST(adding_needs_a_fresh_session_and_a_name),
        TEST(adding_what_was_not_asked_for_is_refused),
        TEST(sixteen_and_no_more),
        TEST(keys_are_renamed_and_removed),
        TEST(the_last_factor_stays_where_one_is_demanded),
        TEST(whose_only_factor_is_a_key_does_not_come_in_without),
        TEST(a_row_put_in_anothers_place_opens_nothing),
        TEST(a_signature_is_bound_to_what_it_says),
        TEST(keys_come_along_to_another_home),
        TEST(not_me_leaves_no_key_that_opens_alone),
        TEST(a_browser_has_eight_open_challenges),
        TEST(strangers_who_ask_for_many_keep_nobody_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
