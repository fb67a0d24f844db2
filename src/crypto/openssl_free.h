/* openssl_free.h — what ends OpenSSL's objects at the end of a block (_cleanup_). For this room.
 *
 * Numbers and parameters are wiped: some of them are keys.
 */
#ifndef RP_CRYPTO_OPENSSL_FREE_H
#define RP_CRYPTO_OPENSSL_FREE_H

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

static inline void free_number(BIGNUM **number) {
    BN_clear_free(*number);
}
static inline void free_builder(OSSL_PARAM_BLD **builder) {
    OSSL_PARAM_BLD_free(*builder);
}
static inline void free_params(OSSL_PARAM **params) {
    OSSL_PARAM_free(*params); /* wipes what came from the secure heap */
}
static inline void free_key(EVP_PKEY **key) {
    EVP_PKEY_free(*key);
}
static inline void free_key_ctx(EVP_PKEY_CTX **ctx) {
    EVP_PKEY_CTX_free(*ctx);
}
static inline void free_digest(EVP_MD_CTX **ctx) {
    EVP_MD_CTX_free(*ctx);
}

#endif
