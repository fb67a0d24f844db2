/* identity_test.c — from the first link to the last failure, with the real key service. */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "identity/apps.h"
#include "identity/internal.h"
#include "os/file.h"
#include "stack.h"
#include "wire/encode.h"

#define EMAIL "Ann@Example.org"
#define PASSWORD "correct horse battery staple"
#define HERE RP_VIEW("192.0.2.1")
#define ELSEWHERE RP_VIEW("198.51.100.7")

enum { STEP_MS = 30000, MINUTE_MS = 60000 };
static const int64_t start_ms = (int64_t)1800000000 * 1000;

static struct stack stack;
static struct unit_world world;
static struct rp_env env;
static struct rp_store *store;
static struct rp_keys *keys;
static struct rp_identity *identity;
static struct rp_db *central;
static const rp_id nobody;

static char ann_password[RP_PASSWORD_TEXT]; /* hashed once: it is slow on purpose */

static void open_all(bool second_factor_required) {
    struct rp_identity_options options = {.second_factor_required = second_factor_required,
                                          .session_ms = 12 * 3600 * 1000,
                                          .idle_s = 3600,
                                          .origin = "https://example.com"};
    assert_ok(rp_store_open(&env, "sqlite:", &store, NULL));
    assert_ok(rp_store_system(store, &central, NULL));
    assert_ok(rp_keys_new(&env, &keys));
    assert_ok(rp_identity_new(&env, store, keys, &options, &identity));
}

static void close_all(void) {
    rp_identity_free(identity);
    rp_keys_free(keys);
    rp_store_close(store);
}

static int setup(void **state) {
    (void)state;
    world = (struct unit_world){.now_ns = start_ms * 1000000};
    env = unit_env(&world);
    assert_ok(rp_crypto_start());
    stack_start(&stack);
    if (ann_password[0] == 0) {
        assert_ok(rp_password_hash(RP_VIEW(PASSWORD), ann_password));
    }
    open_all(true);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    close_all();
    stack_stop(&stack);
    return 0;
}

static void wait_ms(int64_t ms) {
    world.now_ns += ms * 1000000;
}

/* ---- a person with an authenticator ---- */

struct person {
    rp_id tenant, person;
    struct rp_token invitation;
    char seed[33];
};

static struct rp_secret *secret_of(const char *seed) {
    struct rp_buf bytes = rp_buf_new(32);
    struct rp_secret *secret = NULL;
    assert_ok(rp_base32_parse(rp_view_from_cstr(seed), &bytes));
    assert_ok(rp_secret_new_take(bytes.p, bytes.n, &secret));
    rp_buf_done(&bytes);
    return secret;
}

/* The code of a step relative to now. */
static rp_view code_at(const struct person *person, int64_t steps) {
    static char digits[6];
    struct rp_secret *secret = secret_of(person->seed);
    rp_totp_code(secret, (uint64_t)(rp_env_now_ms(&env) / STEP_MS + steps), digits);
    rp_secret_free(secret);
    return rp_view_of(digits, 6);
}

static rp_view wrong_code(const struct person *person) {
    static char digits[6];
    for (char last = '0';; last++) {
        memcpy(digits, "00000", 5);
        digits[5] = last;
        bool right = false;
        for (int64_t step = -2; step <= 2; step++) {
            right = right || rp_view_equal(code_at(person, step), rp_view_of(digits, 6));
        }
        if (!right) {
            return rp_view_of(digits, 6);
        }
    }
}

static rp_view text(const struct rp_token *token) {
    return rp_view_from_cstr(token->s);
}

static struct person invited(void) {
    struct person person;
    struct rp_invitation invitation;
    assert_ok(rp_identity_new_tenant(identity, RP_VIEW("Acme & Fils"), &person.tenant));
    assert_ok(rp_identity_invite(identity, person.tenant, RP_VIEW(EMAIL),
                                 RP_MEMBER | RP_TENANT_ADMIN, nobody, &person.invitation));
    assert_ok(rp_identity_find_invitation(identity, text(&person.invitation), &invitation));
    person.person = invitation.person;
    assert_ok(rp_identity_enrol_seed(identity, text(&person.invitation), person.seed));
    return person;
}

static struct person enrolled(void) {
    struct person person = invited();
    assert_ok(
        rp_identity_enrol(identity, text(&person.invitation), ann_password, code_at(&person, 0)));
    wait_ms(STEP_MS);
    return person;
}

static rp_err with_password(bool matched, rp_view client, struct rp_token *ret_pending) {
    struct rp_sign_in sign_in;
    RP_TRY(rp_identity_sign_in_start(identity, RP_VIEW(EMAIL), client, &sign_in));
    return rp_identity_sign_in_password(identity, &sign_in, matched, client, ret_pending);
}

static struct rp_session signed_in(const struct person *person, struct rp_token *ret_cookie) {
    struct rp_token pending;
    struct rp_session session;
    assert_ok(with_password(true, HERE, &pending));
    assert_ok(rp_identity_sign_in_finish(identity, text(&pending), code_at(person, 0), HERE,
                                         ret_cookie, &session));
    return session;
}

/* How many waiting events of the system's outbox hold the text. */
static size_t events_with(const char *needle) {
    struct rp_arena *arena = rp_arena_new(4 << 20);
    uint64_t first = 0;
    rp_view *events = NULL;
    size_t count = 0, found = 0;
    assert_ok(rp_db_outbox(central, 5000, arena, &first, &events, &count));
    for (size_t i = 0; i < count; i++) {
        found += rp_view_find(events[i], rp_view_from_cstr(needle)) < events[i].n;
    }
    rp_arena_free(arena);
    return found;
}

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
}

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

static void where_the_operator_makes_it_optional_the_session_says_so(void **state) {
    (void)state;
    struct rp_token pending, cookie;
    struct rp_session session;
    struct person person = enrolled();
    close_all();
    open_all(false);
    assert_ok(with_password(true, HERE, &pending));
    assert_ok(
        rp_identity_sign_in_finish(identity, text(&pending), RP_VIEW(""), HERE, &cookie, &session));
    assert_int_equal(session.view.acr, RP_ACR_PWD);
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

static void a_person_is_shown_to_their_tenant(void **state) {
    (void)state;
    struct person person = enrolled();
    struct rp_person got;
    rp_id other;
    assert_ok(rp_identity_person(identity, person.person, person.tenant, &got));
    assert_string_equal(got.email, "ann@example.org");
    assert_string_equal(got.tenant_name, "Acme & Fils");
    assert_int_equal(got.roles, RP_MEMBER | RP_TENANT_ADMIN);
    assert_true(got.has_totp);
    assert_ok(rp_identity_new_tenant(identity, RP_VIEW("Other"), &other));
    assert_err(rp_identity_person(identity, person.person, other, &got), NOT_FOUND);
}

static rp_err count_token(void *ctx, const struct rp_app_token *token) {
    size_t *count = ctx;
    *count += strcmp(token->app, "notes") == 0 && token->ended_ms == 0;
    return RP_OK;
}

static void an_app_has_tokens_that_end(void **state) {
    (void)state;
    struct rp_token first, second, third;
    struct rp_app_token got, wish = {.app = "notes", .scopes = RP_SCOPE_RECORDS_READ};
    rp_id id;
    size_t live = 0;
    assert_ok(rp_identity_new_app_token(identity, &wish, false, &id, &first));
    assert_ok(rp_identity_app_of_token(identity, text(&first), &got));
    assert_string_equal(got.app, "notes");
    assert_int_equal(got.scopes, RP_SCOPE_RECORDS_READ);
    wish.until_ms = rp_env_now_ms(&env) + 60000;
    wish.scopes = RP_SCOPES_ALL;
    assert_ok(rp_identity_new_app_token(identity, &wish, false, NULL, &second));
    assert_ok(rp_identity_app_of_token(identity, text(&first), &got)); /* both, for a while */
    assert_ok(rp_identity_app_of_token(identity, text(&second), &got));
    assert_ok(rp_identity_end_app_token(identity, id));
    assert_err(rp_identity_app_of_token(identity, text(&first), &got), UNAUTHENTICATED);
    assert_err(rp_identity_end_app_token(identity, id), NOT_FOUND);
    world.now_ns += (int64_t)61 * 1000000000;
    assert_err(rp_identity_app_of_token(identity, text(&second), &got), UNAUTHENTICATED);
    assert_err(rp_identity_new_app_token(identity, &wish, false, NULL, &third), INVALID);
    wish.until_ms = 0;
    assert_ok(rp_identity_new_app_token(identity, &wish, false, NULL, &second));
    assert_ok(rp_identity_new_app_token(identity, &wish, true, NULL, &third));
    assert_err(rp_identity_app_of_token(identity, text(&second), &got), UNAUTHENTICATED);
    assert_ok(rp_identity_app_of_token(identity, text(&third), &got));
    assert_ok(rp_identity_each_app_token(identity, count_token, &live));
    assert_int_equal(live, 1);
    assert_err(rp_identity_app_of_token(identity, RP_VIEW(""), &got), UNAUTHENTICATED);
    wish.app[0] = 0;
    assert_err(rp_identity_new_app_token(identity, &wish, false, NULL, &first), INVALID);
}

static void scopes_read_back(void **state) {
    (void)state;
    for (unsigned scopes = 1; scopes <= RP_SCOPES_ALL; scopes++) {
        char printed[RP_SCOPES_TEXT];
        unsigned read = 0;
        rp_scopes_print(scopes, printed);
        assert_ok(rp_scopes_parse(rp_view_from_cstr(printed), &read, NULL));
        assert_int_equal(read, scopes);
    }
    unsigned scopes = 77;
    assert_ok(rp_scopes_parse(RP_VIEW("*"), &scopes, NULL));
    assert_int_equal(scopes, RP_SCOPES_ALL);
    static const char *const bad[] = {"", "records", "records:read,", "*,shares", "Shares"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_err(rp_scopes_parse(rp_view_from_cstr(bad[i]), &scopes, NULL), INVALID);
    }
}

/* ---- what lies on the disk ---- */

static bool file_holds(const char *path, const char *needle) {
    size_t n = 0;
    uint8_t *bytes = unit_file(path, &n);
    bool holds = rp_view_find(rp_view_of(bytes, n), rp_view_from_cstr(needle)) < n;
    test_free(bytes);
    return holds;
}

/*= S82 type=test */
static void no_address_seed_or_secret_lies_in_clear(void **state) {
    (void)state;
    struct person person = enrolled();
    struct rp_token cookie;
    (void)signed_in(&person, &cookie);
    struct rp_buf seed = rp_buf_new(32);
    assert_ok(rp_base32_parse(rp_view_from_cstr(person.seed), &seed));
    rp_store_close(store); /* into the file, out of the write-ahead log */
    store = NULL;
    assert_true(file_holds("db/system.db", "Acme & Fils"));
    assert_true(file_holds("db/system.db", "$argon2id$"));
    assert_false(file_holds("db/system.db", "example.org"));
    assert_false(file_holds("db/system.db", cookie.s));
    assert_false(file_holds("db/system.db", person.invitation.s));
    assert_false(file_holds("db/system.db", person.seed));
    size_t n = 0;
    uint8_t *bytes = unit_file("db/system.db", &n);
    assert_int_equal(rp_view_find(rp_view_of(bytes, n), rp_view_of(seed.p, 19)), n);
    test_free(bytes);
    rp_buf_done(&seed);
    assert_ok(rp_store_open(&env, "sqlite:", &store, NULL));
}

/*= S67 type=test */
static void a_seed_moved_to_another_person_does_not_open(void **state) {
    (void)state;
    struct person ann = enrolled();
    struct person bo = {.tenant = ann.tenant};
    struct rp_token pending, cookie;
    struct rp_session session;
    struct rp_sign_in sign_in;
    assert_ok(rp_identity_invite(identity, ann.tenant, RP_VIEW("bo@example.org"), RP_MEMBER, nobody,
                                 &bo.invitation));
    assert_ok(rp_identity_enrol_seed(identity, text(&bo.invitation), bo.seed));
    assert_ok(rp_identity_enrol(identity, text(&bo.invitation), ann_password, code_at(&bo, 0)));
    wait_ms(STEP_MS);
    struct rp_row *row = NULL;
    assert_ok(rp_db_query(central,
                          "UPDATE person SET totp_sealed = "
                          "(SELECT totp_sealed FROM person WHERE id = ?1) WHERE id <> ?1",
                          &row));
    rp_row_bind_id(row, 1, ann.person);
    assert_ok(rp_row_run(row, NULL));
    assert_ok(rp_identity_sign_in_start(identity, RP_VIEW("bo@example.org"), HERE, &sign_in));
    assert_ok(rp_identity_sign_in_password(identity, &sign_in, true, HERE, &pending));
    assert_err(rp_identity_sign_in_finish(identity, text(&pending), code_at(&ann, 0), HERE, &cookie,
                                          &session),
               CORRUPT);
}

static void a_tenants_lost_key_is_never_made_anew(void **state) {
    (void)state;
    struct person person = enrolled();
    struct rp_db *db = NULL;
    struct rp_row *row = NULL;
    struct rp_person got;
    const struct rp_secret *key = NULL;
    assert_ok(rp_store_tenant(store, person.tenant, false, &db, NULL));
    assert_ok(rp_db_query(db, "DELETE FROM tenant_key", &row));
    assert_ok(rp_row_run(row, NULL));
    assert_err(rp_identity_tenant_key(identity, person.tenant, &key), CORRUPT);
    assert_err(rp_identity_person(identity, person.person, person.tenant, &got), CORRUPT);
    assert_err(rp_identity_tenant_key(identity, (rp_id){{9}}, &key), NOT_FOUND);
}

static void without_the_key_service_nothing_is_half_done(void **state) {
    (void)state;
    struct rp_token token;
    rp_id tenant;
    struct person person = invited();
    close_all();
    open_all(true); /* no lease is held any more */
    stack_kill_kms(&stack);
    uint64_t before = 0, after = 0;
    assert_ok(rp_db_outbox_last(central, &before));
    rp_err err = rp_identity_new_tenant(identity, RP_VIEW("Later"), &tenant);
    assert_false(rp_ok(err));
    assert_true(rp_err_retry(err));
    err = rp_identity_invite(identity, person.tenant, RP_VIEW("bo@example.org"), RP_MEMBER, nobody,
                             &token);
    assert_true(rp_err_retry(err));
    assert_ok(rp_db_outbox_last(central, &after));
    assert_int_equal(before, after);
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

/* ---- clients ---- */

static bool same_client(const char *a, const char *b) {
    struct rp_client_hash one, two;
    assert_ok(rp_identity_client(identity, rp_view_from_cstr(a), &one));
    assert_ok(rp_identity_client(identity, rp_view_from_cstr(b), &two));
    return rp_view_equal(rp_view_of(one.b, sizeof one.b), rp_view_of(two.b, sizeof two.b));
}

static void an_ipv6_client_is_its_network(void **state) {
    (void)state;
    assert_true(same_client("2001:db8:1:2::1", "2001:db8:1:2:ffff:1:2:3"));
    assert_false(same_client("2001:db8:1:2::1", "2001:db8:1:3::1"));
    assert_true(same_client("::ffff:192.0.2.1", "192.0.2.1"));
    assert_false(same_client("192.0.2.1", "192.0.2.2"));
}

static rp_err count_tenant(void *ctx, rp_id tenant, rp_view name) {
    struct rp_db *db = NULL;
    assert_true(name.n == 0 || rp_view_equal(name, RP_VIEW("Acme & Fils")));
    (*(size_t *)ctx)++;
    return rp_store_tenant(store, tenant, false, &db, NULL);
}

static void the_forwarder_finds_every_tenant(void **state) {
    (void)state;
    size_t count = 0;
    (void)invited();
    assert_ok(rp_identity_each_tenant(identity, count_tenant, &count));
    assert_int_equal(count, 2);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_new_installation_is_empty_until_somebody_is_invited),
        TEST(an_invitation_shows_who_and_where),
        TEST(a_link_is_for_seven_days_and_one_use),
        TEST(enrolment_needs_the_seeds_code_and_a_hash),
        TEST(a_second_invitation_replaces_the_first),
        TEST(an_enrolled_address_is_told_to_its_own_tenant_only),
        TEST(nobody_gives_a_role_they_do_not_have),
        TEST(bad_addresses_and_names_are_refused),
        TEST(password_and_code_make_a_session),
        TEST(enrolling_may_sign_in_at_once),
        TEST(a_password_alone_is_not_enough),
        TEST(where_the_operator_makes_it_optional_the_session_says_so),
        TEST(an_unknown_address_takes_the_same_path),
        TEST(a_code_works_once),
        TEST(codes_are_read_as_people_type_them),
        TEST(a_half_sign_in_lasts_ten_minutes),
        TEST(five_codes_may_be_wrong),
        TEST(five_failures_make_a_client_wait_longer_and_longer),
        TEST(guesses_that_came_together_are_not_all_judged),
        TEST(many_strangers_slow_each_other_but_not_a_known_client),
        TEST(failures_far_apart_do_not_add_up),
        TEST(an_idle_session_stays_dead_in_a_new_table),
        TEST(sessions_end),
        TEST(a_cookie_that_is_none_is_unauthenticated),
        TEST(a_person_is_shown_to_their_tenant),
        TEST(an_app_has_tokens_that_end),
        TEST(scopes_read_back),
        TEST(no_address_seed_or_secret_lies_in_clear),
        TEST(a_seed_moved_to_another_person_does_not_open),
        TEST(a_tenants_lost_key_is_never_made_anew),
        TEST(without_the_key_service_nothing_is_half_done),
        TEST(the_forwarder_finds_every_tenant),
        TEST(asking_for_a_password_is_the_same_work_for_anybody),
        TEST(an_ipv6_client_is_its_network),
    };
    if (!stack_is_there()) {
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
