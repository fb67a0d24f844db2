#include "crypto/x509.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/x509_internal.h"

enum { SERIAL = 16, NAMES_MAX = 64, NAME_MAX_BYTES = 253, DAYS_MAX = 36500 };

void rp_x509_free_cert(X509 **cert) {
    X509_free(*cert);
}
void rp_x509_free_key(EVP_PKEY **key) {
    EVP_PKEY_free(*key);
}
void rp_x509_free_bio(BIO **bio) {
    BIO_free_all(*bio);
}
static void free_extension(X509_EXTENSION **extension) {
    X509_EXTENSION_free(*extension);
}
static void free_number(BIGNUM **number) {
    BN_free(*number);
}
static void free_names(GENERAL_NAMES **names) {
    GENERAL_NAMES_free(*names);
}

EVP_PKEY *rp_x509_new_key(void) {
    EVP_PKEY *key = EVP_EC_gen("prime256v1");
    RP_ASSERT(key != NULL);
    return key;
}

static void set_serial(const struct rp_env *env, X509 *cert) {
    uint8_t bytes[SERIAL];
    env->fill_random(env->ctx, bytes, sizeof bytes);
    bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40); /* positive, and of full length */
    _cleanup_(free_number) BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    RP_ASSERT(number != NULL);
    RP_ASSERT(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL);
}

static void set_validity(const struct rp_env *env, X509 *cert, int days) {
    enum { HOUR = 3600, DAY = 24 * HOUR };
    /* An hour back, for clients whose clock is behind. */
    time_t from = (time_t)(rp_env_now_s(env) - HOUR);
    time_t until = from + HOUR + (time_t)days * DAY;
    RP_ASSERT(ASN1_TIME_set(X509_getm_notBefore(cert), from) != NULL);
    RP_ASSERT(ASN1_TIME_set(X509_getm_notAfter(cert), until) != NULL);
}

static bool set_subject(X509 *cert, const char *common_name) {
    return X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                                      (const unsigned char *)common_name, -1, -1, 0) == 1;
}

/* The value is ours, never a stranger's text: OpenSSL's little language is not for strangers. */
static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value) {
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    _cleanup_(free_extension) X509_EXTENSION *extension =
        X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    RP_ASSERT(extension != NULL);
    int ok = X509_add_ext(cert, extension, -1);
    RP_ASSERT(ok == 1);
}

/* Everything but name, extensions and signature. */
static X509 *start_cert(const struct rp_env *env, EVP_PKEY *key, int days) {
    X509 *cert = X509_new();
    RP_ASSERT(cert != NULL);
    int ok = X509_set_version(cert, X509_VERSION_3);
    RP_ASSERT(ok == 1);
    set_serial(env, cert);
    set_validity(env, cert, days);
    ok = X509_set_pubkey(cert, key);
    RP_ASSERT(ok == 1);
    return cert;
}

rp_err rp_x509_print_key(EVP_PKEY *key, struct rp_buf *ret_key) {
    _cleanup_(rp_x509_free_bio) BIO *text = BIO_new(BIO_s_secmem());
    RP_ASSERT(text != NULL);
    int ok = PEM_write_bio_PKCS8PrivateKey(text, key, NULL, NULL, 0, NULL, NULL);
    RP_ASSERT(ok == 1);
    char *p = NULL;
    long n = BIO_get_mem_data(text, &p);
    rp_buf_add(ret_key, rp_view_of(p, (size_t)n));
    return rp_buf_err(ret_key);
}

static rp_err print_pem(X509 *cert, EVP_PKEY *key, struct rp_buf *ret_cert,
                        struct rp_buf *ret_key) {
    _cleanup_(rp_x509_free_bio) BIO *cert_text = BIO_new(BIO_s_mem());
    RP_ASSERT(cert_text != NULL);
    int ok = PEM_write_bio_X509(cert_text, cert);
    RP_ASSERT(ok == 1);
    char *p = NULL;
    long n = BIO_get_mem_data(cert_text, &p);
    rp_buf_add(ret_cert, rp_view_of(p, (size_t)n));
    RP_TRY(rp_buf_err(ret_cert));
    return rp_x509_print_key(key, ret_key);
}

static void sign(X509 *cert, EVP_PKEY *key) {
    int n = X509_sign(cert, key, EVP_sha256());
    RP_ASSERT(n > 0);
}

rp_err rp_x509_make_ca(const struct rp_env *env, const char *common_name, int days,
                       struct rp_buf *ret_cert, struct rp_buf *ret_key) {
    if (days <= 0 || days > DAYS_MAX) {
        return RP_ERR(INVALID);
    }
    _cleanup_(rp_x509_free_key) EVP_PKEY *key = rp_x509_new_key();
    _cleanup_(rp_x509_free_cert) X509 *cert = start_cert(env, key, days);
    if (!set_subject(cert, common_name)) {
        return RP_ERR(INVALID);
    }
    int ok = X509_set_issuer_name(cert, X509_get_subject_name(cert));
    RP_ASSERT(ok == 1);
    add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(cert, cert, NID_subject_key_identifier, "hash");
    sign(cert, key);
    return print_pem(cert, key, ret_cert, ret_key);
}

X509 *rp_x509_self_signed(const struct rp_env *env, EVP_PKEY *key, const char *common_name) {
    X509 *cert = start_cert(env, key, DAYS_MAX);
    bool named = set_subject(cert, common_name);
    RP_ASSERT(named);
    int ok = X509_set_issuer_name(cert, X509_get_subject_name(cert));
    RP_ASSERT(ok == 1);
    sign(cert, key);
    return cert;
}

/* Letters of a host name, and a star only as its whole first label. */
static bool is_dns_name(const char *name) {
    size_t n = strlen(name);
    size_t at = n > 2 && name[0] == '*' && name[1] == '.' ? 2 : 0;
    if (n == 0 || n > NAME_MAX_BYTES) {
        return false;
    }
    for (; at < n; at++) {
        char c = name[at];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '.' || c == '_')) {
            return false;
        }
    }
    return true;
}

/* An address when it reads as one, else a host name; NULL when it is neither. */
static GENERAL_NAME *alternative_name(const char *name) {
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);
    if (!address && !is_dns_name(name)) {
        return NULL;
    }
    GENERAL_NAME *general = GENERAL_NAME_new();
    RP_ASSERT(general != NULL);
    if (address) {
        GENERAL_NAME_set0_value(general, GEN_IPADD, address);
        return general;
    }
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    RP_ASSERT(text != NULL);
    int ok = ASN1_STRING_set(text, name, -1);
    RP_ASSERT(ok == 1);
    GENERAL_NAME_set0_value(general, GEN_DNS, text);
    return general;
}

static rp_err add_alternative_names(X509 *cert, const char *const *names, size_t count) {
    _cleanup_(free_names) GENERAL_NAMES *list = GENERAL_NAMES_new();
    RP_ASSERT(list != NULL);
    for (size_t i = 0; i < count; i++) {
        GENERAL_NAME *name = alternative_name(names[i]);
        if (!name) {
            return RP_ERR(INVALID);
        }
        int pushed = sk_GENERAL_NAME_push(list, name);
        RP_ASSERT(pushed > 0);
    }
    int ok = X509_add1_ext_i2d(cert, NID_subject_alt_name, list, 0, X509V3_ADD_DEFAULT);
    RP_ASSERT(ok == 1);
    return RP_OK;
}

BIO *rp_x509_reader(rp_view text) {
    RP_ASSERT(text.n <= RP_X509_PEM_MAX);
    BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
    RP_ASSERT(bio != NULL);
    return bio;
}

/* The first certificate of the text; SYNTAX. */
static rp_err parse_cert(rp_view pem, X509 **ret_cert) {
    if (pem.n == 0 || pem.n > RP_X509_PEM_MAX) {
        return RP_ERR(SYNTAX);
    }
    _cleanup_(rp_x509_free_bio) BIO *bio = rp_x509_reader(pem);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (!cert) {
        return RP_ERR(SYNTAX);
    }
    *ret_cert = cert;
    return RP_OK;
}

/* A key under a passphrase is refused instead of asking on a terminal that nobody watches. */
static int no_passphrase(char *out, int size, int writing, void *ctx) {
    (void)out;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

rp_err rp_x509_parse_key(rp_view pem, EVP_PKEY **ret_key) {
    if (pem.n == 0 || pem.n > RP_X509_PEM_MAX) {
        return RP_ERR(SYNTAX);
    }
    _cleanup_(rp_x509_free_bio) BIO *bio = rp_x509_reader(pem);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    if (!key) {
        return RP_ERR(SYNTAX);
    }
    *ret_key = key;
    return RP_OK;
}

rp_err rp_x509_make_leaf(const struct rp_env *env, rp_view ca_cert, rp_view ca_key,
                         const char *const *names, size_t name_count, int days,
                         struct rp_buf *ret_cert, struct rp_buf *ret_key) {
    if (days <= 0 || days > DAYS_MAX || name_count == 0 || name_count > NAMES_MAX) {
        return RP_ERR(INVALID);
    }
    _cleanup_(rp_x509_free_cert) X509 *issuer = NULL;
    _cleanup_(rp_x509_free_key) EVP_PKEY *issuer_key = NULL;
    RP_TRY(parse_cert(ca_cert, &issuer));
    RP_TRY(rp_x509_parse_key(ca_key, &issuer_key));
    if (X509_check_private_key(issuer, issuer_key) != 1) {
        return RP_ERR(INVALID);
    }
    _cleanup_(rp_x509_free_key) EVP_PKEY *key = rp_x509_new_key();
    _cleanup_(rp_x509_free_cert) X509 *cert = start_cert(env, key, days);
    /* A common name holds 64 characters at most; a longer host name stands in the list alone. */
    bool named = strlen(names[0]) > 64 || set_subject(cert, names[0]);
    if (!named || X509_set_issuer_name(cert, X509_get_subject_name(issuer)) != 1) {
        return RP_ERR(INVALID);
    }
    RP_TRY(add_alternative_names(cert, names, name_count));
    add_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(cert, issuer, NID_key_usage, "critical,digitalSignature");
    add_extension(cert, issuer, NID_ext_key_usage, "serverAuth");
    add_extension(cert, issuer, NID_subject_key_identifier, "hash");
    add_extension(cert, issuer, NID_authority_key_identifier, "keyid");
    sign(cert, issuer_key);
    return print_pem(cert, key, ret_cert, ret_key);
}

static bool seconds_of(const ASN1_TIME *time, int64_t *ret_seconds) {
    struct tm utc;
    if (ASN1_TIME_to_tm(time, &utc) != 1) {
        return false;
    }
    *ret_seconds = (int64_t)timegm(&utc);
    return true;
}

rp_err rp_x509_not_after(rp_view cert, int64_t *ret_seconds) {
    _cleanup_(rp_x509_free_cert) X509 *parsed = NULL;
    RP_TRY(parse_cert(cert, &parsed));
    return seconds_of(X509_get0_notAfter(parsed), ret_seconds) ? RP_OK : RP_ERR(SYNTAX);
}

static bool is_plain(rp_view text) {
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] <= ' ' || text.p[i] > '~') {
            return false;
        }
    }
    return text.n > 0;
}

/* 4 or 16 bytes; OpenSSL prints IPv6 the same way, without leaving zeros out. */
static void add_address(struct rp_buf *out, const uint8_t *b, size_t n) {
    if (n == 4) {
        rp_buf_printf(out, " %u.%u.%u.%u", b[0], b[1], b[2], b[3]);
    }
    for (size_t i = 0; n == 16 && i < n; i += 2) {
        rp_buf_printf(out, "%s%x", i == 0 ? " " : ":", (unsigned)b[i] << 8 | b[i + 1]);
    }
}

/* What it stands for; a name that would not print as one is not shown. */
static void add_name(struct rp_buf *out, const GENERAL_NAME *name) {
    bool dns = name->type == GEN_DNS;
    if (!dns && name->type != GEN_IPADD) {
        return;
    }
    const ASN1_STRING *string = dns ? name->d.dNSName : name->d.iPAddress;
    rp_view bytes = rp_view_of(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
    if (!dns) {
        add_address(out, bytes.p, bytes.n);
    } else if (is_plain(bytes)) {
        rp_buf_add_byte(out, ' ');
        rp_buf_add(out, bytes);
    }
}

static rp_err read_names(const X509 *cert, struct rp_arena *arena, rp_view *ret_names) {
    _cleanup_(free_names) GENERAL_NAMES *names =
        X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    _cleanup_(rp_buf_done) struct rp_buf out = rp_buf_new(RP_X509_PEM_MAX);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        add_name(&out, sk_GENERAL_NAME_value(names, i));
    }
    RP_TRY(rp_buf_err(&out));
    return rp_arena_copy(arena, rp_view_trim(rp_buf_view(&out)), ret_names);
}

static rp_err read_issuer(const X509 *cert, struct rp_arena *arena, rp_view *ret_issuer) {
    _cleanup_(rp_x509_free_bio) BIO *bio = BIO_new(BIO_s_mem());
    RP_ASSERT(bio != NULL);
    char *text = NULL;
    if (X509_NAME_print_ex(bio, X509_get_issuer_name(cert), 0, XN_FLAG_ONELINE) < 0) {
        return RP_ERR(SYNTAX);
    }
    long n = BIO_get_mem_data(bio, &text);
    return rp_arena_copy(arena, rp_view_of(text, (size_t)n), ret_issuer);
}

rp_err rp_x509_read(rp_view cert, struct rp_arena *arena, struct rp_x509_facts *ret_facts) {
    _cleanup_(rp_x509_free_cert) X509 *parsed = NULL;
    struct rp_x509_facts facts;
    RP_TRY(parse_cert(cert, &parsed));
    if (!seconds_of(X509_get0_notBefore(parsed), &facts.since_s) ||
        !seconds_of(X509_get0_notAfter(parsed), &facts.until_s)) {
        return RP_ERR(SYNTAX);
    }
    RP_TRY(read_names(parsed, arena, &facts.names));
    RP_TRY(read_issuer(parsed, arena, &facts.issuer));
    *ret_facts = facts;
    return RP_OK;
}
