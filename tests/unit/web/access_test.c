/* access_test.c — who gets in: forms of this browser, and assertions made for this application. */
#include "ask.h"

#include "web/access.h"
#include "wire/encode.h"
#include "wire/jwt.h"

#define TOKEN "abcdefghijklmnopqrstuvwxyz012345"

static void a_form_needs_its_token_and_our_origin(void **state) {
    (void)state;
    const rp_view token = RP_VIEW(TOKEN), other = RP_VIEW("abcdefghijklmnopqrstuvwxyz012346");
    const rp_view none = {NULL, 0}, host = RP_VIEW("example.org:8443"),
                  ours = RP_VIEW("https://example.org:8443");
    assert_ok(rp_form_check(token, token, none, none, host));
    assert_ok(rp_form_check(token, token, RP_VIEW("same-origin"), ours, host));
    assert_ok(rp_form_check(token, token, none, RP_VIEW("https://EXAMPLE.org:8443"), host));
    assert_err(rp_form_check(token, other, none, none, host), DENIED);
    assert_err(rp_form_check(token, none, none, none, host), DENIED);
    assert_err(rp_form_check(none, none, none, none, host), DENIED);
    assert_err(rp_form_check(RP_VIEW(""), RP_VIEW(""), none, none, host), DENIED);
    assert_err(rp_form_check(RP_VIEW("x"), RP_VIEW("x"), none, none, host), DENIED);
    assert_err(rp_form_check(token, token, RP_VIEW("cross-site"), none, host), DENIED);
    assert_err(rp_form_check(token, token, RP_VIEW("same-site"), ours, host), DENIED);
    assert_err(rp_form_check(token, token, RP_VIEW("none"), none, host), DENIED);
    assert_err(rp_form_check(token, token, none, RP_VIEW("https://example.org"), host), DENIED);
    assert_err(rp_form_check(token, token, none, RP_VIEW("http://example.org:8443"), host), DENIED);
    assert_err(rp_form_check(token, token, none, RP_VIEW("null"), host), DENIED);
    assert_err(rp_form_check(token, token, none, RP_VIEW("https://"), RP_VIEW("")), DENIED);
}

static void next_never_leaves_this_site(void **state) {
    (void)state;
    assert_view(rp_next_path(RP_VIEW("/notes?x=1#y")), "/notes?x=1#y");
    assert_view(rp_next_path(RP_VIEW("/")), "/");
    static const rp_view bad[] = {RP_VIEW_INIT(""),
                                  RP_VIEW_INIT("notes"),
                                  RP_VIEW_INIT("//evil.example"),
                                  RP_VIEW_INIT("/\\evil.example"),
                                  RP_VIEW_INIT("https://evil.example/"),
                                  RP_VIEW_INIT("/\t/evil.example"),
                                  RP_VIEW_INIT("/a\r\nSet-Cookie: x"),
                                  RP_VIEW_INIT("/a b"),
                                  RP_VIEW_INIT("/\xc3\xa9"),
                                  RP_VIEW_INIT("javascript:alert(1)")};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_view(rp_next_path(bad[i]), "/");
    }
    uint8_t longer[1025];
    memset(longer, '/', sizeof longer);
    longer[1] = 'a';
    assert_view(rp_next_path(rp_view_of(longer, sizeof longer)), "/");
}

static struct ask ask;

static int open_ask(void **state) {
    (void)state;
    ask_open(&ask);
    return 0;
}

static int close_ask(void **state) {
    (void)state;
    ask_done(&ask);
    return 0;
}

static void a_browser_keeps_its_form_token(void **state) {
    (void)state;
    ask_new(&ask, "GET", "/.rempart/id/sign-in", "");
    ask_run(&ask);
    assert_true(ask_holds(&ask.request.response.heads, "Set-Cookie: __Host-rempart-form="));
    ask_end(&ask);
    ask_new(&ask, "GET", "/.rempart/id/sign-in", "");
    ask_param(&ask, "HTTP_COOKIE", "__Host-rempart-form=" TOKEN);
    ask_run(&ask);
    assert_false(ask_holds(&ask.request.response.heads, "__Host-rempart-form="));
    assert_true(ask_holds(&ask.request.response.body, "name=\"form\" value=\"" TOKEN "\""));
    ask_end(&ask);
}

static void errors_are_said_only_from_the_list(void **state) {
    (void)state;
    ask_new(&ask, "GET", "/.rempart/id/sign-in", "lang=en&error=denied&next=//evil.example");
    ask_run(&ask);
    assert_true(ask_holds(&ask.request.response.body, "The address or the password is not right."));
    assert_false(ask_holds(&ask.request.response.body, "value=\"//evil"));
    assert_true(ask_holds(&ask.request.response.body, "name=\"next\" value=\"/\""));
    ask_end(&ask);
    ask_new(&ask, "GET", "/.rempart/id/sign-in", "error=%3Cb%3E&lang=en");
    ask_run(&ask);
    assert_false(ask_holds(&ask.request.response.body, "role=\"alert\""));
    ask_end(&ask);
}

static void a_code_page_needs_a_first_step(void **state) {
    (void)state;
    ask_new(&ask, "GET", "/.rempart/id/code", "next=%2Fnotes");
    ask_run(&ask);
    assert_int_equal(ask.request.response.status, 303);
    assert_true(ask_holds(&ask.request.response.heads,
                          "Location: /.rempart/id/sign-in?error=pending&next=%2Fnotes\r\n"));
    ask_end(&ask);
}

/* ---- assertions, signed by a key of our own ---- */

struct signer {
    struct rp_env env;
    struct rp_secret *key;
    struct rp_web_thread thread;
    struct rp_buf token;
};

static void signer_open(struct signer *signer) {
    *signer = (struct signer){.env = unit_env(&ask.world), .token = rp_buf_new(8192)};
    assert_ok(rp_es256_new(&signer->env, &signer->key));
    struct rp_jwk *jwk = &signer->thread.jwks[0];
    snprintf(jwk->kid, sizeof jwk->kid, "k1");
    assert_ok(rp_es256_public(signer->key, jwk->public_key));
    signer->thread.jwk_count = 1;
    /* Just read: the kms is not asked again. There is none here, so asking would end the test. */
    signer->thread.jwks_text = rp_buf_new(64);
    rp_buf_add_cstr(&signer->thread.jwks_text, "{\"keys\":[\"k1\"]}");
    signer->thread.jwks_read_ms = rp_env_now_ms(&ask.web.env);
}

static void signer_close(struct signer *signer) {
    rp_secret_free(signer->key);
    rp_buf_done(&signer->token);
    rp_buf_done(&signer->thread.jwks_text);
}

struct claims {
    const char *kid, *aud, *sub, *tid;
    int64_t issued, expires;
};

static const struct claims good = {.kid = "k1",
                                   .aud = "notes",
                                   .sub = "11111111111111111111111111111111",
                                   .tid = "22222222222222222222222222222222",
                                   .issued = -1,
                                   .expires = 59};

static rp_view sign(struct signer *signer, struct claims claims) {
    struct rp_json *json = rp_json_object(ask.arena);
    int64_t now = rp_env_now_s(&signer->env);
    rp_json_add_cstr(ask.arena, json, "aud", claims.aud);
    rp_json_add_cstr(ask.arena, json, "sub", claims.sub);
    if (claims.tid) {
        rp_json_add_cstr(ask.arena, json, "tid", claims.tid);
    }
    rp_json_add_cstr(ask.arena, json, "sid", "33333333333333333333333333333333");
    rp_json_add_cstr(ask.arena, json, "acr", "mfa");
    rp_json_add_u64(ask.arena, json, "iat", (uint64_t)(now + claims.issued));
    rp_json_add_u64(ask.arena, json, "exp", (uint64_t)(now + claims.expires));
    struct rp_json *roles = rp_json_add_array(ask.arena, json, "roles");
    rp_json_add_cstr(ask.arena, roles, NULL, "member");
    rp_json_add_cstr(ask.arena, roles, NULL, "emperor");
    rp_buf_clear(&signer->token);
    assert_ok(rp_jwt_signing_input(claims.kid, json, &signer->token));
    uint8_t signature[RP_SIGNATURE];
    assert_ok(rp_es256_sign(signer->key, rp_buf_view(&signer->token), signature));
    rp_jwt_append_signature(&signer->token, rp_view_of(signature, sizeof signature));
    return rp_buf_view(&signer->token);
}

static rp_err check(struct signer *signer, rp_view token, struct rp_who *ret_who) {
    rp_id session;
    ask_new(&ask, "GET", "/trust", "");
    assert_ok(rp_request_start(&ask.request, &ask.web, &ask.fcgi, ask.arena));
    ask.request.thread = &signer->thread;
    rp_err err = rp_assertion_check(&ask.request, token, RP_VIEW("notes"), ret_who, &session);
    ask_end(&ask);
    return err;
}

/*= S68 type=test */ /* only a live assertion, made for this application, names a tenant */
static void only_a_live_assertion_for_this_application_counts(void **state) {
    (void)state;
    struct signer signer;
    signer_open(&signer);
    struct rp_who who = {.roles = 99};
    assert_ok(check(&signer, sign(&signer, good), &who));
    assert_string_equal(rp_id_print(who.tenant).s, good.tid);
    assert_string_equal(rp_id_print(who.person).s, good.sub);
    assert_int_equal(who.roles, RP_MEMBER);
    assert_int_equal(who.acr, RP_ACR_MFA);

    struct claims bad = good;
    bad.aud = "wiki";
    assert_err(check(&signer, sign(&signer, bad), &who), DENIED);
    bad = good;
    bad.expires = 0;
    assert_err(check(&signer, sign(&signer, bad), &who), UNAUTHENTICATED);
    bad = good;
    bad.issued = 60;
    bad.expires = 120;
    assert_err(check(&signer, sign(&signer, bad), &who), BAD_SIGNATURE);
    bad = good;
    bad.tid = NULL;
    assert_err(check(&signer, sign(&signer, bad), &who), BAD_SIGNATURE);
    bad = good;
    bad.sub = "root";
    assert_err(check(&signer, sign(&signer, bad), &who), BAD_SIGNATURE);
    bad = good;
    bad.kid = "k2";
    assert_err(check(&signer, sign(&signer, bad), &who), BAD_SIGNATURE);
    assert_err(check(&signer, (rp_view){NULL, 0}, &who), UNAUTHENTICATED);
    assert_err(check(&signer, RP_VIEW("a.b.c"), &who), BAD_SIGNATURE);
    signer_close(&signer);
}

static void any_changed_byte_of_an_assertion_is_refused(void **state) {
    (void)state;
    struct signer signer;
    signer_open(&signer);
    rp_view token = sign(&signer, good);
    uint8_t copy[4096];
    assert_true(token.n < sizeof copy);
    struct rp_who who;
    for (size_t i = 0; i < token.n; i += 7) {
        memcpy(copy, token.p, token.n);
        copy[i] = copy[i] == 'A' ? 'B' : 'A';
        assert_false(rp_ok(check(&signer, rp_view_of(copy, token.n), &who)));
    }
    signer_close(&signer);
}

/* Strangers may ask as often as they like: within a second nobody asks the kms again. */
static void published_keys_come_from_what_was_just_read(void **state) {
    (void)state;
    struct signer signer;
    signer_open(&signer);
    ask.thread = &signer.thread;
    for (int i = 0; i < 100; i++) {
        ask_new(&ask, "GET", "/.rempart/jwks.json", "");
        ask_run(&ask);
        assert_int_equal(ask.request.response.status, 200);
        assert_true(ask_holds(&ask.request.response.body, "{\"keys\":[\"k1\"]}"));
        ask_end(&ask);
    }
    ask.thread = NULL;
    signer_close(&signer);
}

static void forms_without_their_token_do_nothing(void **state) {
    (void)state;
    struct rp_web_thread thread = {0};
    ask.thread = &thread; /* never reached: access is checked before the handler */
    static const char *const forms[] = {"/.rempart/id/sign-in", "/.rempart/id/code",
                                        "/.rempart/id/enrol", "/.rempart/id/sign-out"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        ask_new(&ask, "POST", forms[i], "");
        ask_form(&ask, "email=a%40b.c&password=x&form=" TOKEN);
        ask_run(&ask);
        assert_int_equal(ask.request.response.status, 403);
        assert_int_equal(ask.next, RP_NEXT_DONE);
        ask_end(&ask);
    }
    ask_new(&ask, "POST", "/.rempart/id/sign-in", "");
    ask_param(&ask, "CONTENT_TYPE", "application/json");
    ask.fcgi.body = RP_VIEW("{}");
    ask_run(&ask);
    assert_int_equal(ask.request.response.status, 415);
    ask_end(&ask);
    ask.thread = NULL;
}

static void writes_wait_while_the_ledger_is_down(void **state) {
    (void)state;
    struct rp_web_thread thread = {0};
    ask.thread = &thread;
    atomic_store(&ask.web.ledger_down, true);
    ask_new(&ask, "POST", "/.rempart/api/v1/spaces/notes", "lang=en");
    ask_run(&ask);
    assert_int_equal(ask.request.response.status, 503);
    assert_true(ask_holds(&ask.request.response.body, "\"code\":\"ledger_down\""));
    ask_end(&ask);
    atomic_store(&ask.web.ledger_down, false);
    atomic_store(&ask.web.disk_low, true);
    ask_new(&ask, "DELETE", "/.rempart/api/v1/spaces/notes/1", "");
    ask_run(&ask);
    assert_true(ask_holds(&ask.request.response.body, "\"code\":\"no_space\""));
    ask_end(&ask);
    atomic_store(&ask.web.disk_low, false);
    ask.thread = NULL;
}

static void a_page_that_needs_a_person_leads_to_the_sign_in(void **state) {
    (void)state;
    struct rp_web_thread thread = {0};
    ask.thread = &thread;
    ask_new(&ask, "GET", "/.rempart/id/account", "");
    ask_run(&ask);
    assert_int_equal(ask.request.response.status, 303);
    assert_true(ask_holds(&ask.request.response.heads,
                          "Location: /.rempart/id/sign-in?next=%2F.rempart%2Fid%2Faccount\r\n"));
    ask_end(&ask);
    ask_new(&ask, "GET", "/.rempart/api/v1/audit", "");
    ask_run(&ask);
    assert_int_equal(ask.request.response.status, 401);
    assert_true(ask_holds(&ask.request.response.heads, "WWW-Authenticate: "));
    ask_end(&ask);
    ask.thread = NULL;
}

static void administration_exists_on_the_machine_only(void **state) {
    (void)state;
    struct rp_web_thread thread = {0};
    ask.thread = &thread;
    ask_new(&ask, "GET", "/.rempart/api/v1/admin/tenants", "");
    ask_run(&ask);
    assert_int_equal(ask.request.response.status, 404);
    ask_end(&ask);
    ask_new(&ask, "GET", "/.rempart/internal/assert", "");
    ask_param(&ask, "HTTP_REMPART_APP", "notes");
    ask_run(&ask);
    assert_int_equal(ask.request.response.status, 404);
    ask_end(&ask);
    ask.thread = NULL;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_needs_its_token_and_our_origin),
        cmocka_unit_test(next_never_leaves_this_site),
        cmocka_unit_test(a_browser_keeps_its_form_token),
        cmocka_unit_test(errors_are_said_only_from_the_list),
        cmocka_unit_test(a_code_page_needs_a_first_step),
        cmocka_unit_test(only_a_live_assertion_for_this_application_counts),
        cmocka_unit_test(any_changed_byte_of_an_assertion_is_refused),
        cmocka_unit_test(published_keys_come_from_what_was_just_read),
        cmocka_unit_test(forms_without_their_token_do_nothing),
        cmocka_unit_test(writes_wait_while_the_ledger_is_down),
        cmocka_unit_test(a_page_that_needs_a_person_leads_to_the_sign_in),
        cmocka_unit_test(administration_exists_on_the_machine_only)};
    if (!rp_ok(rp_crypto_start())) {
        return 1;
    }
    return cmocka_run_group_tests(tests, open_ask, close_ask);
}
