/* A request, an authority's answer to it, and everything that an authority should not send. */
#include "crypto/x509_request.h"

#include "base/checked.h"
#include "crypto/x509.h"
#include "unit.h"

enum { PEM = 8192, DAYS = 90, DAY_S = 24 * 3600 };

static struct unit_world world = {.now_ns = 1790000000LL * 1000000000, .random_state = 5};
static struct rp_env env;

/* An authority of our own, and what it signed with a key that it made itself. */
struct answer {
    struct rp_buf ca, ca_key, cert, key, out;
};

static void done(struct answer *a) {
    rp_buf_done(&a->ca);
    rp_buf_done(&a->ca_key);
    rp_buf_done(&a->cert);
    rp_buf_done(&a->key);
    rp_buf_done(&a->out);
}

static struct answer make(const char *name) {
    struct answer a = {rp_buf_new(PEM), rp_buf_new(PEM), rp_buf_new(PEM), rp_buf_new(PEM),
                       rp_buf_new(4 * PEM)};
    const char *const names[] = {name};
    assert_ok(rp_x509_make_ca(&env, "Authority", 3650, &a.ca, &a.ca_key));
    assert_ok(rp_x509_make_leaf(&env, rp_buf_view(&a.ca), rp_buf_view(&a.ca_key), names, 1, DAYS,
                                &a.cert, &a.key));
    return a;
}

static int start(void **state) {
    (void)state;
    env = unit_env(&world);
    assert_ok(rp_crypto_start());
    return 0;
}

static struct rp_x509_wanted wanted_of(const struct answer *a) {
    return (struct rp_x509_wanted){"www.example.com", rp_buf_view(&a->key), rp_env_now_s(&env)};
}

static void refused(const struct rp_x509_wanted *wanted, rp_view text, const char *why) {
    struct rp_diag diag = {0};
    _cleanup_(rp_buf_done) struct rp_buf out = rp_buf_new(4 * PEM);
    assert_false(rp_ok(rp_x509_take(wanted, text, &out, &diag)));
    assert_int_equal(out.n, 0);
    assert_non_null(strstr(diag.text, why));
}

static void a_request_is_for_its_key_and_name(void **state) {
    (void)state;
    _cleanup_(rp_buf_done) struct rp_buf request = rp_buf_new(PEM);
    _cleanup_(rp_buf_done) struct rp_buf key = rp_buf_new(PEM);
    assert_ok(rp_x509_make_request("www.example.com", &request, &key));
    assert_true(rp_view_starts(rp_buf_view(&request), RP_VIEW("-----BEGIN CERTIFICATE REQUEST")));
    assert_true(rp_view_starts(rp_buf_view(&key), RP_VIEW("-----BEGIN PRIVATE KEY")));
    assert_true(rp_is(rp_x509_make_request("", &request, &key), RP_E_INVALID));
}

static void a_good_answer_is_taken_with_its_chain(void **state) {
    (void)state;
    _cleanup_(done) struct answer a = make("www.example.com");
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(4 * PEM);
    rp_buf_add_cstr(&text, "subject=what some authorities print first\n");
    rp_buf_add(&text, rp_buf_view(&a.cert));
    rp_buf_add(&text, rp_buf_view(&a.ca));
    struct rp_x509_wanted wanted = wanted_of(&a);
    assert_ok(rp_x509_take(&wanted, rp_buf_view(&text), &a.out, NULL));
    rp_view out = rp_buf_view(&a.out);
    assert_true(rp_view_starts(out, RP_VIEW("-----BEGIN CERTIFICATE-----")));
    assert_true(rp_view_find(out, RP_VIEW("subject")) == out.n);
    assert_int_equal(a.out.n, a.cert.n + a.ca.n);
}

static void another_key_name_or_time_is_refused(void **state) {
    (void)state;
    _cleanup_(done) struct answer a = make("www.example.com");
    _cleanup_(done) struct answer b = make("www.example.com");
    struct rp_x509_wanted wanted = wanted_of(&a);
    refused(&wanted, rp_buf_view(&b.cert), "another key");
    wanted.name = "notes.example.com";
    refused(&wanted, rp_buf_view(&a.cert), "another name");
    wanted = wanted_of(&a);
    wanted.now_s += (int64_t)(DAYS + 1) * DAY_S;
    refused(&wanted, rp_buf_view(&a.cert), "not valid now");
    wanted.now_s -= (int64_t)(2 * DAYS) * DAY_S;
    refused(&wanted, rp_buf_view(&a.cert), "not valid now");
    wanted = wanted_of(&a);
    wanted.key = RP_VIEW("no key");
    refused(&wanted, rp_buf_view(&a.cert), "cannot be read");
}

static void what_is_no_chain_is_refused(void **state) {
    (void)state;
    _cleanup_(done) struct answer a = make("www.example.com");
    _cleanup_(done) struct answer b = make("www.example.com");
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(16 * PEM);
    struct rp_x509_wanted wanted = wanted_of(&a);
    refused(&wanted, RP_VIEW(""), "no certificate");
    refused(&wanted, RP_VIEW("<html>maintenance</html>"), "no certificate");
    refused(&wanted, rp_buf_view(&a.key), "no certificate");
    rp_buf_add(&text, rp_buf_view(&a.cert));
    rp_buf_add(&text, rp_buf_view(&b.ca));
    rp_buf_add(&text, rp_buf_view(&b.cert));
    refused(&wanted, rp_buf_view(&text), "not in order");
    rp_buf_clear(&text);
    for (int i = 0; i < 9; i++) {
        rp_buf_add(&text, rp_buf_view(&a.cert));
    }
    refused(&wanted, rp_buf_view(&text), "more than");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_for_its_key_and_name),
        cmocka_unit_test(a_good_answer_is_taken_with_its_chain),
        cmocka_unit_test(another_key_name_or_time_is_refused),
        cmocka_unit_test(what_is_no_chain_is_refused),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
