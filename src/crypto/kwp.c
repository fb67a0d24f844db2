#include "crypto/aead.h"

#include <openssl/evp.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/secret_bytes.h"

enum { BLOCK = 8, KEY_MAX = 4096 };

static void free_cipher(EVP_CIPHER_CTX **ctx) {
    EVP_CIPHER_CTX_free(*ctx);
}

/* NULL when the key-encryption key has no AES size. */
static const EVP_CIPHER *cipher_for(const struct rp_secret *kek) {
    switch (rp_secret_size(kek)) {
    case 16:
        return EVP_aes_128_wrap_pad();
    case 24:
        return EVP_aes_192_wrap_pad();
    case 32:
        return EVP_aes_256_wrap_pad();
    default:
        return NULL;
    }
}

static rp_err start(const struct rp_secret *kek, int wrapping, EVP_CIPHER_CTX **ret_ctx) {
    const EVP_CIPHER *cipher = cipher_for(kek);
    if (!cipher) {
        return RP_ERR(INVALID);
    }
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    RP_ASSERT(ctx != NULL);
    EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    int ok = EVP_CipherInit_ex(ctx, cipher, NULL, rp_secret_view(kek).p, NULL, wrapping);
    RP_ASSERT(ok == 1);
    *ret_ctx = ctx;
    return RP_OK;
}

rp_err rp_kwp_wrap(const struct rp_secret *kek, const struct rp_secret *key, struct rp_buf *out) {
    rp_view plain = rp_secret_view(key);
    if (plain.n == 0 || plain.n > KEY_MAX) {
        return RP_ERR(INVALID);
    }
    _cleanup_(free_cipher) EVP_CIPHER_CTX *ctx = NULL;
    RP_TRY(start(kek, 1, &ctx));
    size_t wrapped = (plain.n + BLOCK - 1) / BLOCK * BLOCK + BLOCK;
    uint8_t *at = rp_buf_extend(out, wrapped);
    if (!at) {
        return RP_ERR(TOO_LARGE);
    }
    int n = 0;
    int ok = EVP_EncryptUpdate(ctx, at, &n, plain.p, (int)plain.n);
    RP_ASSERT(ok == 1);
    RP_ASSERT((size_t)n == wrapped);
    return RP_OK;
}

rp_err rp_kwp_unwrap(const struct rp_secret *kek, rp_view wrapped, struct rp_secret **ret_key) {
    if (wrapped.n < 2 * BLOCK || wrapped.n > KEY_MAX + BLOCK || wrapped.n % BLOCK != 0) {
        return RP_ERR(CORRUPT);
    }
    _cleanup_(free_cipher) EVP_CIPHER_CTX *ctx = NULL;
    RP_TRY(start(kek, 0, &ctx));
    /* The padding is only known after unwrapping, so first into a locked buffer of full size. */
    _cleanup_(rp_secret_freep) struct rp_secret *padded = NULL;
    RP_TRY(rp_secret_new_empty(wrapped.n, &padded));
    int n = 0;
    if (EVP_DecryptUpdate(ctx, rp_secret_bytes(padded), &n, wrapped.p, (int)wrapped.n) != 1) {
        return RP_ERR(CORRUPT);
    }
    RP_ASSERT(n > 0);
    RP_ASSERT((size_t)n <= wrapped.n - BLOCK);
    return rp_secret_new_take(rp_secret_bytes(padded), (size_t)n, ret_key);
}
