#include "crypto/sign.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/openssl_free.h"
#include "crypto/secret_bytes.h"

enum { SCALAR = 32, DER_MAX = 72 };

/* The order of P-256, big-endian: a private key is 1 … order - 1. */
static const uint8_t order[SCALAR] = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};

static void free_group(EC_GROUP **group) {
    EC_GROUP_free(*group);
}
static void free_point(EC_POINT **point) {
    EC_POINT_free(*point);
}
static void free_signature(ECDSA_SIG **signature) {
    ECDSA_SIG_free(*signature);
}

/* Public knowledge leaks at most "was drawn again", which says nothing of the number kept. */
static bool is_scalar(const uint8_t *bytes) {
    static const uint8_t zero[SCALAR];
    return __builtin_memcmp(bytes, order, SCALAR) < 0 &&
           !rp_ct_equal(rp_view_of(bytes, SCALAR), rp_view_of(zero, SCALAR));
}

rp_err rp_es256_new(const struct rp_env *env, struct rp_secret **ret_private) {
    for (;;) {
        _cleanup_(rp_secret_freep) struct rp_secret *scalar = NULL;
        RP_TRY(rp_secret_new_random(env, SCALAR, &scalar));
        if (is_scalar(rp_secret_view(scalar).p)) {
            *ret_private = rp_take(&scalar);
            return RP_OK;
        }
    }
}

static rp_err scalar_of(const struct rp_secret *private_key, BIGNUM **ret_scalar) {
    rp_view bytes = rp_secret_view(private_key);
    if (bytes.n != SCALAR || !is_scalar(bytes.p)) {
        return RP_ERR(INVALID);
    }
    BIGNUM *scalar = BN_secure_new();
    RP_ASSERT(scalar != NULL);
    BN_set_flags(scalar, BN_FLG_CONSTTIME);
    RP_ASSERT(BN_bin2bn(bytes.p, SCALAR, scalar) != NULL);
    *ret_scalar = scalar;
    return RP_OK;
}

rp_err rp_es256_public(const struct rp_secret *private_key,
                       uint8_t ret_public[static RP_P256_PUBLIC]) {
    _cleanup_(free_number) BIGNUM *scalar = NULL;
    RP_TRY(scalar_of(private_key, &scalar));
    _cleanup_(free_group) EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    RP_ASSERT(group != NULL);
    _cleanup_(free_point) EC_POINT *point = EC_POINT_new(group);
    RP_ASSERT(point != NULL);
    int ok = EC_POINT_mul(group, point, scalar, NULL, NULL, NULL);
    RP_ASSERT(ok == 1);
    size_t n = EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, ret_public,
                                  RP_P256_PUBLIC, NULL);
    RP_ASSERT(n == RP_P256_PUBLIC);
    return RP_OK;
}

/* Parameters to a key object; NULL when OpenSSL refuses them (a point off the curve). */
static EVP_PKEY *key_of(OSSL_PARAM_BLD *builder, int selection) {
    _cleanup_(free_params) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    _cleanup_(free_key_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    RP_ASSERT(params != NULL);
    RP_ASSERT(ctx != NULL);
    EVP_PKEY *key = NULL;
    int ok = EVP_PKEY_fromdata_init(ctx);
    RP_ASSERT(ok == 1);
    return EVP_PKEY_fromdata(ctx, &key, selection, params) == 1 ? key : NULL;
}

static OSSL_PARAM_BLD *builder_for_p256(void) {
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    RP_ASSERT(builder != NULL);
    int ok = OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
    RP_ASSERT(ok == 1);
    return builder;
}

static EVP_PKEY *public_object(rp_view public_key) {
    _cleanup_(free_builder) OSSL_PARAM_BLD *builder = builder_for_p256();
    int ok = OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, public_key.p,
                                              public_key.n);
    RP_ASSERT(ok == 1);
    return key_of(builder, EVP_PKEY_PUBLIC_KEY);
}

/* The number lives in OpenSSL's locked heap (rp_crypto_start) until the object is freed. */
static rp_err private_object(const struct rp_secret *private_key, EVP_PKEY **ret_key) {
    _cleanup_(free_number) BIGNUM *scalar = NULL;
    RP_TRY(scalar_of(private_key, &scalar));
    _cleanup_(free_builder) OSSL_PARAM_BLD *builder = builder_for_p256();
    int ok = OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, scalar);
    RP_ASSERT(ok == 1);
    EVP_PKEY *key = key_of(builder, EVP_PKEY_KEYPAIR);
    RP_ASSERT(key != NULL);
    *ret_key = key;
    return RP_OK;
}

/* DER to r ‖ s, 32 bytes each (RFC 7518 3.4). */
static void plain_from_der(const uint8_t *der, size_t n, uint8_t *out) {
    _cleanup_(free_signature) ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)n);
    RP_ASSERT(signature != NULL);
    int r = BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, SCALAR);
    int s = BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + SCALAR, SCALAR);
    RP_ASSERT(r == SCALAR);
    RP_ASSERT(s == SCALAR);
}

rp_err rp_es256_sign(const struct rp_secret *private_key, rp_view message,
                     uint8_t ret_signature[static RP_SIGNATURE]) {
    _cleanup_(free_key) EVP_PKEY *key = NULL;
    RP_TRY(private_object(private_key, &key));
    _cleanup_(free_digest) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    RP_ASSERT(ctx != NULL);
    uint8_t der[DER_MAX];
    size_t n = sizeof der;
    int ok = EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key);
    RP_ASSERT(ok == 1);
    ok = EVP_DigestSign(ctx, der, &n, message.p, message.n);
    RP_ASSERT(ok == 1);
    plain_from_der(der, n, ret_signature);
    return RP_OK;
}

/* r ‖ s to DER. Every pair of 32-byte numbers has a DER form; verification judges the range. */
static size_t der_from_plain(const uint8_t *plain, uint8_t *out) {
    _cleanup_(free_signature) ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(plain, SCALAR, NULL);
    BIGNUM *s = BN_bin2bn(plain + SCALAR, SCALAR, NULL);
    RP_ASSERT(signature != NULL);
    RP_ASSERT(r != NULL);
    RP_ASSERT(s != NULL);
    int ok = ECDSA_SIG_set0(signature, r, s); /* takes both */
    RP_ASSERT(ok == 1);
    int n = i2d_ECDSA_SIG(signature, &out);
    RP_ASSERT(n > 0);
    RP_ASSERT(n <= DER_MAX);
    return (size_t)n;
}

rp_err rp_es256_verify_der(rp_view public_key, rp_view message, rp_view der) {
    if (public_key.n != RP_P256_PUBLIC || public_key.p[0] != 0x04 || der.n == 0 ||
        der.n > DER_MAX) {
        return RP_ERR(BAD_SIGNATURE);
    }
    _cleanup_(free_key) EVP_PKEY *key = public_object(public_key);
    if (!key) {
        return RP_ERR(BAD_SIGNATURE);
    }
    _cleanup_(free_digest) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    RP_ASSERT(ctx != NULL);
    int ok = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key);
    RP_ASSERT(ok == 1);
    return EVP_DigestVerify(ctx, der.p, der.n, message.p, message.n) == 1 ? RP_OK
                                                                          : RP_ERR(BAD_SIGNATURE);
}

rp_err rp_es256_verify(rp_view public_key, rp_view message, rp_view signature) {
    if (signature.n != RP_SIGNATURE) {
        return RP_ERR(BAD_SIGNATURE);
    }
    uint8_t der[DER_MAX];
    size_t n = der_from_plain(signature.p, der);
    return rp_es256_verify_der(public_key, message, rp_view_of(der, n));
}
