#include "crypto/secret_bytes.h"

#include <openssl/crypto.h>
#include <sodium.h>

#include "base/assert.h"
#include "base/checked.h"

/* OpenSSL's own heap for private numbers, in place of malloc: locked and left out of core files.
 * One P-256 signature takes about 1 KiB of it. */
enum {
    OPENSSL_HEAP = 64 * 1024,
    OPENSSL_HEAP_MIN = 32,
    SECRET_MAX = 64 * 1024,
    SECRET_MAGIC = 0x5e7
};

struct rp_secret {
    size_t magic;
    size_t n;
    uint8_t b[];
};

rp_err rp_crypto_start(void) {
    if (sodium_init() < 0) {
        return RP_ERR(SYSTEM);
    }
    /* 1 is "locked"; 2 is "works, but could not be locked": no better than malloc. */
    if (!CRYPTO_secure_malloc_initialized() &&
        CRYPTO_secure_malloc_init(OPENSSL_HEAP, OPENSSL_HEAP_MIN) != 1) {
        return RP_ERR(NO_MEMORY);
    }
    _cleanup_(rp_secret_freep) struct rp_secret *trial = NULL;
    return rp_secret_new_empty(RP_ID_BYTES, &trial);
}

rp_err rp_secret_new_empty(size_t n, struct rp_secret **ret_secret) {
    RP_ASSERT(n <= SECRET_MAX);
    /* The heap puts the end of an allocation at the end of a page; a multiple of 16 keeps the
     * head aligned. */
    size_t size = (sizeof(struct rp_secret) + n + 15) & ~(size_t)15;
    struct rp_secret *secret = sodium_malloc(size);
    if (!secret) {
        return RP_ERR(NO_MEMORY);
    }
    /*= S84 */ /* Own keys stay in locked memory. sodium_malloc locks too, but hides a failure. */
    if (sodium_mlock(secret, size) != 0) {
        sodium_free(secret);
        return RP_ERR(NO_MEMORY);
    }
    memset(secret, 0, size);
    secret->magic = SECRET_MAGIC;
    secret->n = n;
    *ret_secret = secret;
    return RP_OK;
}

rp_err rp_secret_new_random(const struct rp_env *env, size_t n, struct rp_secret **ret_secret) {
    struct rp_secret *secret = NULL;
    RP_TRY(rp_secret_new_empty(n, &secret));
    env->fill_random(env->ctx, secret->b, n);
    *ret_secret = secret;
    return RP_OK;
}

rp_err rp_secret_new_take(uint8_t *bytes, size_t n, struct rp_secret **ret_secret) {
    struct rp_secret *secret = NULL;
    rp_err err = n <= SECRET_MAX ? rp_secret_new_empty(n, &secret) : RP_ERR(TOO_LARGE);
    if (rp_ok(err)) {
        if (n > 0) {
            memcpy(secret->b, bytes, n);
        }
        *ret_secret = secret;
    }
    /* Wiped whatever happened: the caller has let go of it. */
    rp_wipe(bytes, n);
    return err;
}

void rp_secret_free(struct rp_secret *secret) {
    if (secret) {
        RP_ASSERT(secret->magic == SECRET_MAGIC);
        sodium_free(secret); /* checks its canary, wipes, unmaps */
    }
}

void rp_secret_freep(struct rp_secret **secret) {
    rp_secret_free(*secret);
}

size_t rp_secret_size(const struct rp_secret *secret) {
    RP_ASSERT(secret->magic == SECRET_MAGIC);
    return secret->n;
}

rp_view rp_secret_view(const struct rp_secret *secret) {
    RP_ASSERT(secret->magic == SECRET_MAGIC);
    return rp_view_of(secret->b, secret->n);
}

uint8_t *rp_secret_bytes(struct rp_secret *secret) {
    RP_ASSERT(secret->magic == SECRET_MAGIC);
    return secret->b;
}

void rp_secret_reveal(const struct rp_secret *secret, uint8_t *out, size_t n) {
    RP_ASSERT(secret->magic == SECRET_MAGIC);
    RP_ASSERT(secret->n == n);
    memcpy(out, secret->b, n);
}

void rp_wipe(void *p, size_t n) {
    if (n > 0) {
        sodium_memzero(p, n);
    }
}

bool rp_ct_equal(rp_view a, rp_view b) {
    return a.n == b.n && (a.n == 0 || sodium_memcmp(a.p, b.p, a.n) == 0);
}
