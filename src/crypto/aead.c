#include "crypto/aead.h"

#include <limits.h>
#include <openssl/evp.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/secret_bytes.h"

enum { MAGIC = 4, HEAD = MAGIC + RP_AEAD_NONCE };

static const uint8_t magic[MAGIC] = {'R', 'P', '1', 'A'};

static void free_cipher(EVP_CIPHER_CTX **ctx) {
    EVP_CIPHER_CTX_free(*ctx);
}

static bool fits(rp_view v) {
    return v.n <= INT_MAX - RP_AEAD_OVERHEAD;
}

/* A context with key, nonce and associated data in place. */
static EVP_CIPHER_CTX *start(const struct rp_secret *key, const uint8_t *nonce, rp_view aad,
                             int sealing) {
    RP_ASSERT(rp_secret_size(key) == RP_AEAD_KEY);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    RP_ASSERT(ctx != NULL);
    int ok = EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, rp_secret_view(key).p, nonce, sealing);
    RP_ASSERT(ok == 1);
    int n = 0;
    if (aad.n > 0) {
        ok = EVP_CipherUpdate(ctx, NULL, &n, aad.p, (int)aad.n);
        RP_ASSERT(ok == 1);
    }
    return ctx;
}

/* out holds RP_AEAD_OVERHEAD + plain.n bytes. */
static void seal_into(const struct rp_env *env, const struct rp_secret *key, rp_view aad,
                      rp_view plain, uint8_t *out) {
    memcpy(out, magic, MAGIC);
    env->fill_random(env->ctx, out + MAGIC, RP_AEAD_NONCE);
    _cleanup_(free_cipher) EVP_CIPHER_CTX *ctx = start(key, out + MAGIC, aad, 1);
    int n = 0;
    int last = 0;
    int ok = 1;
    if (plain.n > 0) {
        ok = EVP_EncryptUpdate(ctx, out + HEAD, &n, plain.p, (int)plain.n);
        RP_ASSERT(ok == 1);
    }
    ok = EVP_EncryptFinal_ex(ctx, out + HEAD + n, &last);
    RP_ASSERT(ok == 1);
    RP_ASSERT((size_t)(n + last) == plain.n);
    ok = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, RP_AEAD_TAG, out + HEAD + plain.n);
    RP_ASSERT(ok == 1);
}

/* out holds n bytes, the size of the plaintext; wiped when the tag does not fit. */
static rp_err open_into(const struct rp_secret *key, rp_view aad, rp_view sealed, uint8_t *out,
                        size_t n) {
    RP_ASSERT(sealed.n == n + RP_AEAD_OVERHEAD);
    _cleanup_(free_cipher) EVP_CIPHER_CTX *ctx = start(key, sealed.p + MAGIC, aad, 0);
    uint8_t tag[RP_AEAD_TAG];
    memcpy(tag, sealed.p + HEAD + n, sizeof tag);
    int got = 0;
    int last = 0;
    uint8_t nothing[1];
    int ok = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag);
    RP_ASSERT(ok == 1);
    if (n > 0) {
        ok = EVP_DecryptUpdate(ctx, out, &got, sealed.p + HEAD, (int)n);
        RP_ASSERT(ok == 1);
    }
    RP_ASSERT((size_t)got == n);
    if (EVP_DecryptFinal_ex(ctx, nothing, &last) != 1) {
        rp_wipe(out, n);
        return RP_ERR(CORRUPT);
    }
    return RP_OK;
}

/* Is it one of ours, and how long is what it holds? */
static rp_err plain_size(rp_view sealed, size_t *ret_n) {
    if (sealed.n < RP_AEAD_OVERHEAD || !rp_view_starts(sealed, rp_view_of(magic, MAGIC))) {
        return RP_ERR(CORRUPT);
    }
    *ret_n = sealed.n - RP_AEAD_OVERHEAD;
    return RP_OK;
}

/*= S82 */ /* at rest: AES with 256 bits */
rp_err rp_aead_seal(const struct rp_env *env, const struct rp_secret *key, rp_view aad,
                    rp_view plain, struct rp_buf *out) {
    if (!fits(plain) || !fits(aad)) {
        return RP_ERR(TOO_LARGE);
    }
    uint8_t *at = rp_buf_extend(out, plain.n + RP_AEAD_OVERHEAD);
    if (!at) {
        return RP_ERR(TOO_LARGE);
    }
    seal_into(env, key, aad, plain, at);
    return RP_OK;
}

rp_err rp_aead_open(const struct rp_secret *key, rp_view aad, rp_view sealed, struct rp_buf *out) {
    size_t n = 0;
    RP_TRY(plain_size(sealed, &n));
    if (!fits(sealed) || !fits(aad)) {
        return RP_ERR(TOO_LARGE);
    }
    size_t before = out->n;
    uint8_t *at = rp_buf_extend(out, n);
    if (n > 0 && !at) {
        return RP_ERR(TOO_LARGE);
    }
    rp_err err = open_into(key, aad, sealed, at, n);
    if (!rp_ok(err)) {
        out->n = before;
    }
    return err;
}

rp_err rp_aead_open_secret(const struct rp_secret *key, rp_view aad, rp_view sealed,
                           struct rp_secret **ret_secret) {
    enum { LONGEST = 4096 };
    size_t n = 0;
    RP_TRY(plain_size(sealed, &n));
    if (n > LONGEST || !fits(aad)) {
        return RP_ERR(TOO_LARGE);
    }
    _cleanup_(rp_secret_freep) struct rp_secret *secret = NULL;
    RP_TRY(rp_secret_new_empty(n, &secret));
    RP_TRY(open_into(key, aad, sealed, rp_secret_bytes(secret), n));
    *ret_secret = rp_take(&secret);
    return RP_OK;
}

rp_err rp_aead_seal_secret(const struct rp_env *env, const struct rp_secret *key, rp_view aad,
                           const struct rp_secret *plain, struct rp_buf *out) {
    return rp_aead_seal(env, key, aad, rp_secret_view(plain), out);
}
