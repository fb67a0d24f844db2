/* Our ClientHello is judged by OpenSSL: a real server over memory, with the versions and suites
 * that each test allows, answers it, and we read the answer. */
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "unit.h"
#include "wire/tls_hello.h"

struct server {
    SSL_CTX *ctx;
    EVP_PKEY *key;
    X509 *cert;
};

static X509 *self_signed(EVP_PKEY *key) {
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_set_pubkey(cert, key);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

static int server_up(void **state) {
    struct server *server = test_calloc(1, sizeof *server);
    server->key = EVP_RSA_gen(2048);
    server->cert = self_signed(server->key);
    *state = server;
    return 0;
}

static int server_down(void **state) {
    struct server *server = *state;
    X509_free(server->cert);
    EVP_PKEY_free(server->key);
    test_free(server);
    return 0;
}

struct allowed {
    int version_min;
    const char *suites;
    const char *groups;
    bool tickets;
};

/* What a server with these settings says to the bytes. */
static void ask(const struct server *server, struct allowed allowed, rp_view hello,
                struct rp_buf *out) {
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(ctx, 0);
    assert_int_equal(SSL_CTX_use_certificate(ctx, server->cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, server->key), 1);
    assert_int_equal(SSL_CTX_set_min_proto_version(ctx, allowed.version_min), 1);
    assert_int_equal(SSL_CTX_set_cipher_list(ctx, allowed.suites), 1);
    if (allowed.groups) {
        assert_int_equal(SSL_CTX_set1_groups_list(ctx, allowed.groups), 1);
    }
    if (!allowed.tickets) {
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    }
    SSL *ssl = SSL_new(ctx);
    BIO *in = BIO_new_mem_buf(hello.p, (int)hello.n);
    BIO_set_mem_eof_return(in, -1);
    BIO *answers = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, in, answers);
    (void)SSL_accept(ssl); /* cannot end: the client says nothing more */
    char *bytes = NULL;
    long n = BIO_get_mem_data(answers, &bytes);
    rp_buf_add(out, rp_view_of(bytes, (size_t)n));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static struct rp_tls_offer offer_of(uint16_t version, const uint16_t *suites, size_t n) {
    struct rp_tls_offer offer = {
        .server_name = "localhost", .version = version, .suites = suites, .suite_count = n};
    memset(offer.random, 0x42, sizeof offer.random);
    return offer;
}

static struct rp_tls_answer try(const struct server *server, struct allowed allowed,
                                struct rp_tls_offer offer) {
    struct rp_buf hello = rp_buf_new(4096);
    struct rp_buf bytes = rp_buf_new(65536);
    rp_tls_hello_print(&hello, &offer);
    assert_ok(rp_buf_err(&hello));
    ask(server, allowed, rp_buf_view(&hello), &bytes);
    assert_true(bytes.n > 0);
    struct rp_tls_answer answer = rp_tls_answer_read(rp_buf_view(&bytes));
    rp_buf_done(&hello);
    rp_buf_done(&bytes);
    return answer;
}

static void assert_accepted(struct rp_tls_answer answer, uint16_t version, uint16_t suite) {
    assert_int_equal(answer.kind, RP_TLS_ACCEPTED);
    assert_int_equal(answer.version, version);
    assert_int_equal(answer.suite, suite);
}

static void assert_refused(struct rp_tls_answer answer, uint8_t alert) {
    assert_int_equal(answer.kind, RP_TLS_REFUSED);
    assert_int_equal(answer.alert, alert);
}

static const uint16_t tls13[] = {0x1302, 0x1301};
static const uint16_t ephemeral[] = {0xC030, 0xC02F};
static const uint16_t static_rsa[] = {0x009C, 0x002F};
static const struct allowed anything = {TLS1_VERSION, "ALL:COMPLEMENTOFALL", NULL, true};
static const struct allowed strict = {TLS1_2_VERSION, "ECDHE+AESGCM", NULL, false};

static void a_lax_server_accepts(void **state) {
    assert_accepted(try(*state, anything, offer_of(RP_TLS13, tls13, 2)), RP_TLS13, 0x1302);
    assert_accepted(try(*state, anything, offer_of(RP_TLS12, ephemeral, 2)), RP_TLS12, 0xC030);
    assert_accepted(try(*state, anything, offer_of(RP_TLS12, static_rsa, 2)), RP_TLS12, 0x009C);
    assert_accepted(try(*state, anything, offer_of(RP_TLS11, static_rsa, 2)), RP_TLS11, 0x002F);
    assert_accepted(try(*state, anything, offer_of(RP_TLS10, static_rsa, 2)), RP_TLS10, 0x002F);
}

static void a_strict_server_refuses(void **state) {
    assert_accepted(try(*state, strict, offer_of(RP_TLS13, tls13, 2)), RP_TLS13, 0x1302);
    assert_accepted(try(*state, strict, offer_of(RP_TLS12, ephemeral, 2)), RP_TLS12, 0xC030);
    assert_refused(try(*state, strict, offer_of(RP_TLS12, static_rsa, 2)), 40);
    assert_refused(try(*state, strict, offer_of(RP_TLS11, ephemeral, 2)), 70);
    assert_refused(try(*state, strict, offer_of(RP_TLS10, ephemeral, 2)), 70);
    /* This OpenSSL knows no SSLv3 at all, and says so in its own way. */
    assert_int_equal(try(*state, strict, offer_of(RP_SSL30, static_rsa, 2)).kind, RP_TLS_REFUSED);
}

static void every_suite_that_loses_secrecy(void **state) {
    uint16_t list[512];
    size_t n = 0;
    for (size_t i = 0; i < rp_tls_suite_count(); i++) {
        if (!rp_tls_suite_is_ephemeral(rp_tls_suite_at(i))) {
            list[n++] = rp_tls_suite_at(i);
        }
    }
    assert_refused(try(*state, strict, offer_of(RP_TLS12, list, n)), 40);
    struct rp_tls_answer answer = try(*state, anything, offer_of(RP_TLS12, list, n));
    assert_int_equal(answer.kind, RP_TLS_ACCEPTED);
    assert_false(rp_tls_suite_is_ephemeral(answer.suite));
    assert_non_null(rp_tls_suite_name(answer.suite));
}

static void tickets_show(void **state) {
    struct rp_tls_offer offer = offer_of(RP_TLS12, ephemeral, 2);
    offer.session_ticket = true;
    assert_true(try(*state, anything, offer).will_send_ticket);
    assert_false(try(*state, strict, offer).will_send_ticket);
    offer.session_ticket = false;
    assert_false(try(*state, anything, offer).will_send_ticket);
}

static void another_group_wanted_is_accepted_too(void **state) {
    struct allowed p521 = {TLS1_2_VERSION, "ALL", "P-521", false};
    assert_accepted(try(*state, p521, offer_of(RP_TLS13, tls13, 2)), RP_TLS13, 0x1302);
}

/* However little has come, it is never mistaken; and records may cut the message anywhere. */
static void answers_in_pieces(void **state) {
    struct rp_tls_offer offer = offer_of(RP_TLS12, ephemeral, 2);
    struct rp_buf hello = rp_buf_new(4096);
    struct rp_buf bytes = rp_buf_new(65536);
    rp_tls_hello_print(&hello, &offer);
    ask(*state, anything, rp_buf_view(&hello), &bytes);
    size_t record = 5 + (size_t)(bytes.p[3] << 8 | bytes.p[4]);
    size_t message = 4 + (size_t)(bytes.p[7] << 8 | bytes.p[8]);
    for (size_t n = 0; n < record; n++) {
        assert_int_equal(rp_tls_answer_read(rp_view_sub(rp_buf_view(&bytes), 0, n)).kind,
                         RP_TLS_NEED_MORE);
    }
    struct rp_buf crumbs = rp_buf_new(65536);
    rp_buf_add(&crumbs, unit_hex("15030100020170")); /* a warning: unrecognized_name */
    for (size_t i = 0; i < message; i++) {
        rp_buf_add(&crumbs, unit_hex("1603030001"));
        rp_buf_add_byte(&crumbs, bytes.p[5 + i]);
        struct rp_tls_answer answer = rp_tls_answer_read(rp_buf_view(&crumbs));
        assert_int_equal(answer.kind, i + 1 < message ? RP_TLS_NEED_MORE : RP_TLS_ACCEPTED);
    }
    rp_buf_done(&crumbs);
    rp_buf_done(&bytes);
    rp_buf_done(&hello);
}

static void other_protocols(void **state) {
    (void)state;
    static const char *const none[] = {
        "485454502f312e3120343030", /* HTTP/1.1 400 */
        "80",                       /* SSLv2 */
        "1702030001",               /* application data */
        "160203",                   /* a version that is none */
        "1603030000",               /* an empty handshake record */
        "160303000101",             /* a ClientHello */
        "16030340011234",           /* longer than a record may be */
        "1603030004020010004141",   /* a hello that is longer than any */
        "15030300010241",           /* an alert of one byte */
        "16030300060200000203034142",
    };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_int_equal(rp_tls_answer_read(unit_hex(none[i])).kind, RP_TLS_NOT_TLS);
    }
    assert_int_equal(rp_tls_answer_read(unit_hex("15030300020228")).alert, 40);
    assert_int_equal(rp_tls_answer_read(unit_hex("15030300020100")).kind, RP_TLS_REFUSED);
}

/* OpenSSL's own table, all that this build has: same numbers, same names, same judgement. */
static void suites_as_openssl_names_them(void **state) {
    (void)state;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(ctx, 0);
    assert_int_equal(SSL_CTX_set_cipher_list(ctx, "ALL:COMPLEMENTOFALL"), 1);
    STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(ctx);
    int n = sk_SSL_CIPHER_num(ciphers);
    assert_true(n > 100);
    for (int i = 0; i < n; i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);
        uint16_t number = SSL_CIPHER_get_protocol_id(cipher);
        assert_non_null(rp_tls_suite_name(number));
        assert_string_equal(rp_tls_suite_name(number), SSL_CIPHER_standard_name(cipher));
        int exchange = SSL_CIPHER_get_kx_nid(cipher);
        bool ephemeral_kx = exchange == NID_kx_ecdhe || exchange == NID_kx_dhe ||
                            exchange == NID_kx_ecdhe_psk || exchange == NID_kx_dhe_psk ||
                            exchange == NID_kx_any;
        bool anonymous = SSL_CIPHER_get_auth_nid(cipher) == NID_auth_null;
        assert_int_equal(rp_tls_suite_is_ephemeral(number), ephemeral_kx && !anonymous);
    }
    SSL_CTX_free(ctx);
    assert_null(rp_tls_suite_name(0x00FF));
    assert_false(rp_tls_suite_is_ephemeral(0xFFFF));
    for (size_t i = 1; i < rp_tls_suite_count(); i++) {
        assert_true(rp_tls_suite_at(i) > rp_tls_suite_at(i - 1));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lax_server_accepts),
        cmocka_unit_test(a_strict_server_refuses),
        cmocka_unit_test(every_suite_that_loses_secrecy),
        cmocka_unit_test(tickets_show),
        cmocka_unit_test(another_group_wanted_is_accepted_too),
        cmocka_unit_test(answers_in_pieces),
        cmocka_unit_test(other_protocols),
        cmocka_unit_test(suites_as_openssl_names_them),
    };
    return cmocka_run_group_tests(tests, server_up, server_down);
}
