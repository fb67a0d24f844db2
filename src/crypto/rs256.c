/* rs256.c — RSA signatures of security keys and platforms that know nothing better. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/openssl_free.h"
#include "crypto/sign.h"

enum { BITS_MIN = 2048, BITS_MAX = 4096, EXPONENT_BITS_MAX = 32 };

static bool fit(const BIGNUM *modulus, const BIGNUM *exponent) {
    int bits = BN_num_bits(modulus);
    return bits >= BITS_MIN && bits <= BITS_MAX && BN_is_odd(modulus) && BN_is_odd(exponent) &&
           !BN_is_one(exponent) && BN_num_bits(exponent) <= EXPONENT_BITS_MAX;
}

/* NULL for numbers that are no key. */
static EVP_PKEY *public_object(rp_view modulus, rp_view exponent) {
    if (modulus.n > BITS_MAX / 8 || exponent.n > EXPONENT_BITS_MAX / 8) {
        return NULL;
    }
    _cleanup_(free_number) BIGNUM *n = BN_bin2bn(modulus.p, (int)modulus.n, NULL);
    _cleanup_(free_number) BIGNUM *e = BN_bin2bn(exponent.p, (int)exponent.n, NULL);
    RP_ASSERT(n != NULL && e != NULL);
    if (!fit(n, e)) {
        return NULL;
    }
    _cleanup_(free_builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    RP_ASSERT(builder != NULL);
    int ok = OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) &
             OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e);
    RP_ASSERT(ok == 1);
    _cleanup_(free_params) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    _cleanup_(free_key_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    RP_ASSERT(params != NULL && ctx != NULL);
    ok = EVP_PKEY_fromdata_init(ctx);
    RP_ASSERT(ok == 1);
    EVP_PKEY *key = NULL;
    return EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1 ? key : NULL;
}

rp_err rp_rs256_verify(rp_view modulus, rp_view exponent, rp_view message, rp_view signature) {
    _cleanup_(free_key) EVP_PKEY *key = public_object(modulus, exponent);
    if (!key || signature.n == 0) {
        return RP_ERR(BAD_SIGNATURE);
    }
    _cleanup_(free_digest) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    RP_ASSERT(ctx != NULL);
    int ok = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key); /* PKCS #1 v1.5 */
    RP_ASSERT(ok == 1);
    return EVP_DigestVerify(ctx, signature.p, signature.n, message.p, message.n) == 1
               ? RP_OK
               : RP_ERR(BAD_SIGNATURE);
}
