#include "crypto/hash.h"

#include <errno.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/secret_bytes.h"

enum { HKDF_MAX = 255 * RP_SHA256, READ_CHUNK = 8192 };

/* The low-level calls, which OpenSSL would rather see go: through EVP each hash of a cookie or of a
 * Merkle node looks the algorithm up and allocates, which takes six times as long (0.74 against
 * 0.12 µs for 43 bytes). The state lies on our stack and is wiped: it may have been a key's. */
static void wipe_digest(SHA256_CTX *ctx) {
    rp_wipe(ctx, sizeof *ctx);
}

static void update(SHA256_CTX *ctx, rp_view v) {
    int ok = SHA256_Update(ctx, v.p, v.n);
    RP_ASSERT(ok == 1);
}

static SHA256_CTX start_sha256(void) {
    SHA256_CTX ctx;
    int ok = SHA256_Init(&ctx);
    RP_ASSERT(ok == 1);
    return ctx;
}

static struct rp_sha256 finish_sha256(SHA256_CTX *ctx) {
    struct rp_sha256 hash;
    int ok = SHA256_Final(hash.b, ctx);
    RP_ASSERT(ok == 1);
    return hash;
}

struct rp_sha256 rp_sha256_of3(rp_view a, rp_view b, rp_view c) {
    _cleanup_(wipe_digest) SHA256_CTX ctx = start_sha256();
    update(&ctx, a);
    update(&ctx, b);
    update(&ctx, c);
    return finish_sha256(&ctx);
}

struct rp_sha256 rp_sha256_of2(rp_view a, rp_view b) {
    return rp_sha256_of3(a, b, RP_VIEW(""));
}

struct rp_sha256 rp_sha256_of(rp_view v) {
    return rp_sha256_of3(v, RP_VIEW(""), RP_VIEW(""));
}

rp_err rp_sha256_of_fd(int fd, struct rp_sha256 *ret_hash) {
    _cleanup_(wipe_digest) SHA256_CTX ctx = start_sha256();
    uint8_t chunk[READ_CHUNK];
    off_t at = 0;
    for (;;) {
        ssize_t got = pread(fd, chunk, sizeof chunk, at);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return rp_err_from_errno(errno);
        }
        if (got == 0) {
            *ret_hash = finish_sha256(&ctx);
            return RP_OK;
        }
        update(&ctx, rp_view_of(chunk, (size_t)got));
        at += got;
    }
}

struct rp_sha256_stream {
    SHA256_CTX ctx;
};

rp_err rp_sha256_stream_new(struct rp_sha256_stream **ret_stream) {
    struct rp_sha256_stream *stream = malloc(sizeof *stream);
    if (!stream) {
        return RP_ERR(NO_MEMORY);
    }
    stream->ctx = start_sha256();
    *ret_stream = stream;
    return RP_OK;
}

void rp_sha256_stream_add(struct rp_sha256_stream *stream, rp_view v) {
    update(&stream->ctx, v);
}

struct rp_sha256 rp_sha256_stream_end(struct rp_sha256_stream *stream) {
    return finish_sha256(&stream->ctx);
}

void rp_sha256_stream_free(struct rp_sha256_stream *stream) {
    if (stream) {
        wipe_digest(&stream->ctx);
    }
    free(stream);
}

/* HMAC(key, a ‖ b ‖ c). An empty key is a valid key (RFC 5869 without a salt). */
static struct rp_sha256 hmac3(rp_view key, rp_view a, rp_view b, rp_view c) {
    uint8_t block[64] = {0};
    struct rp_sha256 short_key;
    if (key.n > sizeof block) {
        short_key = rp_sha256_of(key);
        key = rp_view_of(short_key.b, sizeof short_key.b);
    }
    if (key.n > 0) {
        memcpy(block, key.p, key.n);
    }
    for (size_t i = 0; i < sizeof block; i++) {
        block[i] ^= 0x36;
    }
    _cleanup_(wipe_digest) SHA256_CTX ctx = start_sha256();
    update(&ctx, rp_view_of(block, sizeof block));
    update(&ctx, a);
    update(&ctx, b);
    update(&ctx, c);
    struct rp_sha256 inner = finish_sha256(&ctx);
    for (size_t i = 0; i < sizeof block; i++) {
        block[i] ^= 0x36 ^ 0x5c;
    }
    struct rp_sha256 mac =
        rp_sha256_of2(rp_view_of(block, sizeof block), rp_view_of(inner.b, sizeof inner.b));
    rp_wipe(block, sizeof block);
    rp_wipe(&short_key, sizeof short_key);
    return mac;
}

struct rp_sha256 rp_hmac_sha256(const struct rp_secret *key, rp_view message) {
    return hmac3(rp_secret_view(key), message, RP_VIEW(""), RP_VIEW(""));
}

rp_err rp_hkdf_sha256(const struct rp_secret *ikm, rp_view salt, rp_view info, size_t n,
                      struct rp_secret **ret_key) {
    if (n == 0 || n > HKDF_MAX) {
        return RP_ERR(INVALID);
    }
    _cleanup_(rp_secret_freep) struct rp_secret *key = NULL;
    RP_TRY(rp_secret_new_empty(n, &key));
    struct rp_sha256 prk = hmac3(salt, rp_secret_view(ikm), RP_VIEW(""), RP_VIEW(""));
    struct rp_sha256 t;
    rp_view prk_view = rp_view_of(prk.b, sizeof prk.b);
    for (size_t done = 0; done < n; done += RP_SHA256) {
        uint8_t counter = (uint8_t)(done / RP_SHA256 + 1);
        rp_view before = rp_view_of(t.b, done == 0 ? 0 : sizeof t.b);
        t = hmac3(prk_view, before, info, rp_view_of(&counter, 1));
        memcpy(rp_secret_bytes(key) + done, t.b, RP_MIN(n - done, sizeof t.b));
    }
    rp_wipe(&prk, sizeof prk);
    rp_wipe(&t, sizeof t);
    *ret_key = rp_take(&key);
    return RP_OK;
}

void rp_sha1_of(rp_view v, uint8_t ret_hash[static RP_SHA1]) {
    SHA_CTX ctx;
    bool ok =
        SHA1_Init(&ctx) == 1 && SHA1_Update(&ctx, v.p, v.n) == 1 && SHA1_Final(ret_hash, &ctx) == 1;
    RP_ASSERT(ok);
}

void rp_md5_of(rp_view v, uint8_t ret_hash[static RP_MD5]) {
    MD5_CTX ctx;
    bool ok =
        MD5_Init(&ctx) == 1 && MD5_Update(&ctx, v.p, v.n) == 1 && MD5_Final(ret_hash, &ctx) == 1;
    RP_ASSERT(ok);
}
