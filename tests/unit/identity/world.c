#include "world.h"

#include "notify/outbox.h"
#include "wire/encode.h"

static const int64_t start_ms = (int64_t)1800000000 * 1000;

struct stack stack;
struct unit_world world;
struct rp_env env;
struct rp_store *store;
struct rp_keys *keys;
struct rp_identity *identity;
struct rp_db *central;
const rp_id nobody;

char ann_password[RP_PASSWORD_TEXT];

void open_all(bool second_factor_required) {
    struct rp_identity_options options = {.second_factor_required = second_factor_required,
                                          .session_ms = 12 * 3600 * 1000,
                                          .idle_s = 3600,
                                          .origin = "https://example.com"};
    assert_ok(rp_store_open(&env, unit_store_url(), &store, NULL));
    assert_ok(rp_store_system(store, &central, NULL));
    assert_ok(rp_keys_new(&env, &keys));
    assert_ok(rp_identity_new(&env, store, keys, &options, &identity));
}

void close_all(void) {
    rp_identity_free(identity);
    rp_keys_free(keys);
    rp_store_close(store);
}

int setup(void **state) {
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

int teardown(void **state) {
    (void)state;
    close_all();
    stack_stop(&stack);
    return 0;
}

void wait_ms(int64_t ms) {
    world.now_ns += ms * 1000000;
}

/* ---- a person with an authenticator ---- */

static struct rp_secret *secret_of(const char *seed) {
    struct rp_buf bytes = rp_buf_new(32);
    struct rp_secret *secret = NULL;
    assert_ok(rp_base32_parse(rp_view_from_cstr(seed), &bytes));
    assert_ok(rp_secret_new_take(bytes.p, bytes.n, &secret));
    rp_buf_done(&bytes);
    return secret;
}

rp_view code_at(const struct person *person, int64_t steps) {
    static char digits[6];
    struct rp_secret *secret = secret_of(person->seed);
    rp_totp_code(secret, (uint64_t)(rp_env_now_ms(&env) / STEP_MS + steps), digits);
    rp_secret_free(secret);
    return rp_view_of(digits, 6);
}

rp_view wrong_code(const struct person *person) {
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

rp_view text(const struct rp_token *token) {
    return rp_view_from_cstr(token->s);
}

struct person invited(void) {
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

struct person enrolled(void) {
    struct person person = invited();
    assert_ok(
        rp_identity_enrol(identity, text(&person.invitation), ann_password, code_at(&person, 0)));
    wait_ms(STEP_MS);
    return person;
}

rp_err with_password(bool matched, rp_view client, struct rp_token *ret_pending) {
    struct rp_sign_in sign_in;
    RP_TRY(rp_identity_sign_in_start(identity, RP_VIEW(EMAIL), client, &sign_in));
    return rp_identity_sign_in_password(identity, &sign_in, matched, client, ret_pending);
}

struct rp_session signed_in(const struct person *person, struct rp_token *ret_cookie) {
    struct rp_token pending;
    struct rp_session session;
    assert_ok(with_password(true, HERE, &pending));
    assert_ok(rp_identity_sign_in_finish(identity, text(&pending), code_at(person, 0), HERE,
                                         ret_cookie, &session));
    return session;
}

size_t events_with(const char *needle) {
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

struct rp_token link_in(const struct person *person, enum rp_notice_kind kind) {
    struct rp_token token = {.s = ""};
    struct rp_arena *arena = rp_arena_new(1 << 20);
    const struct rp_secret *key = NULL;
    struct rp_notice_row *rows = NULL;
    size_t count = 0;
    assert_ok(rp_identity_tenant_key(identity, person->tenant, &key));
    assert_ok(rp_notify_list(central, nobody, 50, arena, &rows, &count));
    for (size_t i = 0; i < count && token.s[0] == 0; i++) { /* the newest first */
        struct rp_notice_content content;
        if (rows[i].kind != kind) {
            continue;
        }
        assert_ok(rp_notice_open(key, &rows[i], arena, &content));
        rp_view link = content.values[0].value;
        size_t at = rp_view_find(link, RP_VIEW("?token=")) + 7;
        assert_int_equal(link.n - at, RP_TOKEN_TEXT);
        memcpy(token.s, link.p + at, RP_TOKEN_TEXT);
    }
    rp_arena_free(arena);
    return token;
}
