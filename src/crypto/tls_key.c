#include "crypto/tls_key.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/base64.h"
#include "crypto/tls_internal.h"
#include "crypto/x509_internal.h"

enum { DIGITS = 43, CERTIFICATE_MAX = 8192 };

static const rp_view prefix = RP_VIEW_INIT("SHA256:");

/* ---- the text ---- */

void rp_fingerprint_print(const struct rp_sha256 *fingerprint,
                          char out[static RP_FINGERPRINT_TEXT]) {
    unsigned char digits[DIGITS + 2]; /* one digit of padding, and a NUL */
    int n = EVP_EncodeBlock(digits, fingerprint->b, RP_SHA256);
    RP_ASSERT(n == DIGITS + 1 && prefix.n + DIGITS + 1 == RP_FINGERPRINT_TEXT);
    memcpy(out, prefix.p, prefix.n);
    memcpy(out + prefix.n, digits, DIGITS);
    out[prefix.n + DIGITS] = '\0';
}

bool rp_fingerprint_parse(rp_view text, struct rp_sha256 *ret_fingerprint) {
    struct rp_sha256 fingerprint;
    size_t n = 0;
    if (text.n != prefix.n + DIGITS || !rp_view_starts(text, prefix) ||
        !rp_base64_bytes(rp_view_from(text, prefix.n), RP_BASE64_USUAL, fingerprint.b, RP_SHA256,
                         &n) ||
        n != RP_SHA256) {
        return false;
    }
    *ret_fingerprint = fingerprint;
    return true;
}

bool rp_tls_fingerprint_of(X509 *cert, struct rp_sha256 *ret_fingerprint) {
    unsigned char *der = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    if (n <= 0) {
        return false;
    }
    *ret_fingerprint = rp_sha256_of(rp_view_of(der, (size_t)n));
    OPENSSL_free(der);
    return true;
}

/* ---- the key ---- */

rp_err rp_tls_key_make(struct rp_buf *ret_pem) {
    _cleanup_(rp_x509_free_key) EVP_PKEY *key = rp_x509_new_key();
    return rp_x509_print_key(key, ret_pem);
}

/* TLS 1.3 and nothing before it; nothing is resumed, so that every connection proves both keys. */
static SSL_CTX *new_context(void) {
    char groups[] = "X25519:P-256"; /* OpenSSL's macro takes no const */
    SSL_CTX *tls = SSL_CTX_new(TLS_method());
    RP_ASSERT(tls != NULL);
    int ok = SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) &&
             SSL_CTX_set_max_proto_version(tls, TLS1_3_VERSION) &&
             SSL_CTX_set_ciphersuites(tls, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") &&
             SSL_CTX_set1_groups_list(tls, groups) && SSL_CTX_set_num_tickets(tls, 0);
    RP_ASSERT(ok == 1);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(tls, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_max_cert_list(tls, CERTIFICATE_MAX);
    /* Both ends ask for the other's certificate, and only we judge it: no authority does. */
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(tls, rp_tls_judge, NULL);
    return tls;
}

rp_err rp_tls_key_read(const struct rp_env *env, rp_view pem, struct rp_tls_key **ret_key) {
    _cleanup_(rp_x509_free_key) EVP_PKEY *private = NULL;
    RP_TRY(rp_x509_parse_key(pem, &private));
    _cleanup_(rp_x509_free_cert) X509 *cert =
        EVP_PKEY_is_a(private, "EC") ? rp_x509_self_signed(env, private, "rempart link") : NULL;
    if (!cert) {
        return RP_ERR(UNSUPPORTED);
    }
    struct rp_tls_key *key = calloc(1, sizeof *key);
    if (!key) {
        return RP_ERR(NO_MEMORY);
    }
    key->tls = new_context();
    int ok = SSL_CTX_use_certificate(key->tls, cert) && SSL_CTX_use_PrivateKey(key->tls, private);
    RP_ASSERT(ok == 1);
    bool named = rp_tls_fingerprint_of(cert, &key->fingerprint);
    RP_ASSERT(named);
    *ret_key = key;
    return RP_OK;
}

void rp_tls_key_free(struct rp_tls_key *key) {
    if (key) {
        SSL_CTX_free(key->tls);
        free(key);
    }
}

struct rp_sha256 rp_tls_key_fingerprint(const struct rp_tls_key *key) {
    return key->fingerprint;
}
