/* kept_test.c — what lies in the databases, and under which key; applications and their tokens. */
#include "world.h"

#include <unistd.h>

#include "at_rest.h"
#include "identity/apps.h"

#include "os/file.h"
#include "wire/encode.h"

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

static bool file_holds(const char *path, rp_view needle) {
    size_t n = 0;
    uint8_t *bytes = unit_file(path, &n);
    bool holds = rp_view_find(rp_view_of(bytes, n), needle) < n;
    test_free(bytes);
    return holds;
}

/* SQLite's is a file, once the store is closed and nothing stands in the write-ahead log any more.
 */
static bool system_holds(rp_view needle) {
    return store != NULL ? rows_hold(central, needle) : file_holds("db/system.db", needle);
}

/*= S82 type=test */
static void no_address_seed_or_secret_lies_in_clear(void **state) {
    (void)state;
    struct person person = enrolled();
    struct rp_token cookie;
    (void)signed_in(&person, &cookie);
    struct rp_buf seed = rp_buf_new(32);
    assert_ok(rp_base32_parse(rp_view_from_cstr(person.seed), &seed));
    if (rp_db_sql(central) == RP_SQL_SQLITE) {
        rp_store_close(rp_take(&store));
    }
    assert_true(system_holds(RP_VIEW("Acme")));
    assert_true(system_holds(RP_VIEW("$argon2id$")));
    assert_false(system_holds(RP_VIEW("example.org")));
    assert_false(system_holds(rp_view_from_cstr(cookie.s)));
    assert_false(system_holds(rp_view_from_cstr(person.invitation.s)));
    assert_false(system_holds(rp_view_from_cstr(person.seed)));
    assert_false(system_holds(rp_view_of(seed.p, 19)));
    rp_buf_done(&seed);
    if (store == NULL) {
        assert_ok(rp_store_open(&env, unit_store_url(), &store, NULL));
    }
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
    const struct CMUnitTest tests[] = {
        TEST(a_person_is_shown_to_their_tenant),
        TEST(an_app_has_tokens_that_end),
        TEST(scopes_read_back),
        TEST(no_address_seed_or_secret_lies_in_clear),
        TEST(a_seed_moved_to_another_person_does_not_open),
        TEST(a_tenants_lost_key_is_never_made_anew),
        TEST(without_the_key_service_nothing_is_half_done),
        TEST(an_ipv6_client_is_its_network),
        TEST(the_forwarder_finds_every_tenant),
    };
    if (!stack_is_there()) {
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
