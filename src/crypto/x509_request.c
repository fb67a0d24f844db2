#include "crypto/x509_request.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/x509_internal.h"

enum {
    CHAIN_MAX = 8,
    NAME_BYTES_MAX = 253,
    EARLY_S = 300 /* the authority's clock may be ahead */
};

static void free_request(X509_REQ **request) {
    X509_REQ_free(*request);
}
static void free_names(GENERAL_NAMES **names) {
    GENERAL_NAMES_free(*names);
}
static void free_extensions(STACK_OF(X509_EXTENSION) * *extensions) {
    sk_X509_EXTENSION_pop_free(*extensions, X509_EXTENSION_free);
}

/* ---- the request ---- */

static void add_name(X509_REQ *request, const char *name) {
    _cleanup_(free_names) GENERAL_NAMES *names = GENERAL_NAMES_new();
    _cleanup_(free_extensions) STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    GENERAL_NAME *general = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    RP_ASSERT(names != NULL && extensions != NULL && general != NULL && text != NULL);
    int ok = ASN1_STRING_set(text, name, -1);
    RP_ASSERT(ok == 1);
    GENERAL_NAME_set0_value(general, GEN_DNS, text);
    ok = sk_GENERAL_NAME_push(names, general);
    RP_ASSERT(ok > 0);
    ok = X509V3_add1_i2d(&extensions, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT);
    RP_ASSERT(ok == 1);
    ok = X509_REQ_add_extensions(request, extensions);
    RP_ASSERT(ok == 1);
}

rp_err rp_x509_make_request(const char *name, struct rp_buf *ret_request, struct rp_buf *ret_key) {
    size_t n = strlen(name);
    if (n == 0 || n > NAME_BYTES_MAX) {
        return RP_ERR(INVALID);
    }
    _cleanup_(rp_x509_free_key) EVP_PKEY *key = rp_x509_new_key();
    _cleanup_(free_request) X509_REQ *request = X509_REQ_new();
    _cleanup_(rp_x509_free_bio) BIO *text = BIO_new(BIO_s_mem());
    RP_ASSERT(request != NULL && text != NULL);
    int ok = X509_REQ_set_version(request, X509_REQ_VERSION_1);
    RP_ASSERT(ok == 1);
    ok = X509_REQ_set_pubkey(request, key);
    RP_ASSERT(ok == 1);
    add_name(request, name);
    ok = X509_REQ_sign(request, key, EVP_sha256());
    RP_ASSERT(ok > 0);
    ok = PEM_write_bio_X509_REQ(text, request);
    RP_ASSERT(ok == 1);
    char *p = NULL;
    long length = BIO_get_mem_data(text, &p);
    rp_buf_add(ret_request, rp_view_of(p, (size_t)length));
    RP_TRY(rp_buf_err(ret_request));
    return rp_x509_print_key(key, ret_key);
}

/* ---- the answer ---- */

struct chain {
    X509 *certs[CHAIN_MAX];
    size_t count;
};

static void free_chain(struct chain *chain) {
    for (size_t i = 0; i < chain->count; i++) {
        X509_free(chain->certs[i]);
    }
}

/* Every certificate of the text; what stands between them is passed over. */
static rp_err read_chain(rp_view pem, struct chain *chain, struct rp_diag *diag) {
    if (pem.n == 0 || pem.n > RP_X509_PEM_MAX) {
        return rp_fail(diag, RP_ERR(SYNTAX), "no certificate, or one that is far too long");
    }
    _cleanup_(rp_x509_free_bio) BIO *bio = rp_x509_reader(pem);
    for (;;) {
        X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (!cert) {
            break;
        }
        if (chain->count == CHAIN_MAX) {
            X509_free(cert);
            return rp_fail(diag, RP_ERR(INVALID), "more than %d certificates", CHAIN_MAX);
        }
        chain->certs[chain->count++] = cert;
    }
    return chain->count > 0 ? RP_OK : rp_fail(diag, RP_ERR(SYNTAX), "no certificate");
}

static rp_err read_public(rp_view pem, EVP_PKEY **ret_key) {
    if (rp_view_find(pem, RP_VIEW("CERTIFICATE REQUEST")) == pem.n) {
        return rp_x509_parse_key(pem, ret_key);
    }
    if (pem.n > RP_X509_PEM_MAX) {
        return RP_ERR(SYNTAX);
    }
    _cleanup_(rp_x509_free_bio) BIO *bio = rp_x509_reader(pem);
    _cleanup_(free_request) X509_REQ *request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    EVP_PKEY *key = request ? X509_REQ_get_pubkey(request) : NULL;
    if (!key) {
        return RP_ERR(SYNTAX);
    }
    *ret_key = key;
    return RP_OK;
}

static bool is_valid_at(const X509 *cert, int64_t now_s) {
    time_t now = (time_t)now_s, soon = (time_t)(now_s + EARLY_S);
    return X509_cmp_time(X509_get0_notBefore(cert), &soon) < 0 &&
           X509_cmp_time(X509_get0_notAfter(cert), &now) > 0;
}

static rp_err judge(const struct rp_x509_wanted *wanted, const struct chain *chain,
                    struct rp_diag *diag) {
    X509 *leaf = chain->certs[0];
    _cleanup_(rp_x509_free_key) EVP_PKEY *key = NULL;
    rp_err err = read_public(wanted->key, &key);
    if (!rp_ok(err)) {
        return rp_fail(diag, err, "the key that it should be for cannot be read");
    }
    if (EVP_PKEY_eq(X509_get0_pubkey(leaf), key) != 1) {
        return rp_fail(diag, RP_ERR(INVALID), "a certificate for another key");
    }
    if (X509_check_host(leaf, wanted->name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) != 1) {
        return rp_fail(diag, RP_ERR(INVALID), "a certificate of another name");
    }
    if (!is_valid_at(leaf, wanted->now_s)) {
        return rp_fail(diag, RP_ERR(INVALID), "a certificate that is not valid now");
    }
    if (X509_check_purpose(leaf, X509_PURPOSE_SSL_SERVER, 0) != 1) {
        return rp_fail(diag, RP_ERR(INVALID), "not a server's certificate");
    }
    for (size_t i = 1; i < chain->count; i++) {
        if (X509_check_issued(chain->certs[i], chain->certs[i - 1]) != X509_V_OK) {
            return rp_fail(diag, RP_ERR(INVALID), "a chain that is not in order");
        }
    }
    return RP_OK;
}

rp_err rp_x509_take(const struct rp_x509_wanted *wanted, rp_view text, struct rp_buf *ret_chain,
                    struct rp_diag *diag) {
    RP_ASSERT(wanted->name != NULL);
    _cleanup_(free_chain) struct chain chain = {.count = 0};
    RP_TRY(read_chain(text, &chain, diag));
    RP_TRY(judge(wanted, &chain, diag));
    _cleanup_(rp_x509_free_bio) BIO *out = BIO_new(BIO_s_mem());
    RP_ASSERT(out != NULL);
    for (size_t i = 0; i < chain.count; i++) {
        int ok = PEM_write_bio_X509(out, chain.certs[i]);
        RP_ASSERT(ok == 1);
    }
    char *p = NULL;
    long n = BIO_get_mem_data(out, &p);
    rp_buf_add(ret_chain, rp_view_of(p, (size_t)n));
    return rp_buf_err(ret_chain);
}
