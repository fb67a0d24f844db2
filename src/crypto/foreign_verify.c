/* foreign_verify.c — the slow half of foreign.h: each algorithm by its library. */
#include <errno.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/foreign.h"
#include "crypto/hash.h"
#include "crypto/password.h"

enum { SHA256_HEX = 64 };

/* libxcrypt takes C strings, and works in a structure of 32 KiB that holds the password after. */
static rp_err verify_crypt(rp_view text, rp_view password) {
    if (rp_view_find_byte(password, 0) != password.n) {
        return RP_ERR(DENIED); /* no such password was ever hashed */
    }
    struct crypt_data *data = calloc(1, sizeof *data);
    char word[RP_PASSWORD_MAX + 1], setting[RP_FOREIGN_TEXT];
    if (!data) {
        return RP_ERR(NO_MEMORY);
    }
    RP_ASSERT(password.n <= RP_PASSWORD_MAX && text.n < sizeof setting);
    memcpy(word, password.p ? password.p : (const uint8_t *)"", password.n);
    word[password.n] = 0;
    memcpy(setting, text.p, text.n);
    setting[text.n] = 0;
    const char *made = crypt_rn(word, setting, data, (int)sizeof *data);
    bool same = made && rp_ct_equal(rp_view_from_cstr(made), text);
    rp_wipe(word, sizeof word);
    rp_wipe(data, sizeof *data);
    free(data);
    return same ? RP_OK : RP_ERR(DENIED);
}

/* Django's bcrypt_sha256: the hash in hexadecimal is what bcrypt sees. */
static rp_err verify_bcrypt_sha256(rp_view text, rp_view password) {
    static const char digits[] = "0123456789abcdef";
    struct rp_sha256 hash = rp_sha256_of(password);
    char hex[SHA256_HEX];
    for (size_t i = 0; i < sizeof hash.b; i++) {
        hex[2 * i] = digits[hash.b[i] >> 4];
        hex[2 * i + 1] = digits[hash.b[i] & 15];
    }
    rp_err err = verify_crypt(text, rp_view_of(hex, sizeof hex));
    rp_wipe(hex, sizeof hex);
    rp_wipe(&hash, sizeof hash);
    return err;
}

static rp_err compare(const struct rp_foreign *foreign, uint8_t made[static RP_FOREIGN_HASH]) {
    bool same =
        rp_ct_equal(rp_view_of(made, foreign->hash_n), rp_view_of(foreign->hash, foreign->hash_n));
    rp_wipe(made, RP_FOREIGN_HASH);
    return same ? RP_OK : RP_ERR(DENIED);
}

static rp_err verify_pbkdf2(const struct rp_foreign *foreign, const EVP_MD *digest,
                            rp_view password) {
    uint8_t made[RP_FOREIGN_HASH];
    if (PKCS5_PBKDF2_HMAC((const char *)password.p, (int)password.n, foreign->salt,
                          (int)foreign->salt_n, (int)foreign->cost, digest, (int)foreign->hash_n,
                          made) != 1) {
        return RP_ERR(NO_MEMORY);
    }
    return compare(foreign, made);
}

static rp_err verify_scrypt(const struct rp_foreign *foreign, rp_view password) {
    uint8_t made[RP_FOREIGN_HASH];
    uint64_t most = (uint64_t)2 * RP_FOREIGN_SCRYPT_MIB << 20;
    if (EVP_PBE_scrypt((const char *)password.p, password.n, foreign->salt, foreign->salt_n,
                       foreign->cost, foreign->block, foreign->lanes, most, made,
                       foreign->hash_n) != 1) {
        return RP_ERR(NO_MEMORY);
    }
    return compare(foreign, made);
}

/* libsodium reads the lanes of a hash, and runs them one after another. */
static rp_err verify_argon2(const struct rp_foreign *foreign, rp_view password) {
    char text[RP_FOREIGN_TEXT] = {0};
    const char *word = password.p ? (const char *)password.p : "";
    RP_ASSERT(foreign->text.n < sizeof text);
    memcpy(text, foreign->text.p, foreign->text.n);
    errno = 0;
    int outcome = foreign->kind == RP_FOREIGN_ARGON2I
                      ? crypto_pwhash_argon2i_str_verify(text, word, password.n)
                      : crypto_pwhash_argon2id_str_verify(text, word, password.n);
    if (outcome == 0) {
        return RP_OK;
    }
    return errno == EINVAL ? RP_ERR(DENIED) : RP_ERR(NO_MEMORY);
}

rp_err rp_foreign_verify(const struct rp_foreign *foreign, rp_view password) {
    RP_ASSERT(foreign != NULL && foreign->kind < RP_FOREIGN_COUNT);
    if (password.n > RP_PASSWORD_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    rp_view word = password.p ? password : RP_VIEW("");
    switch (foreign->kind) {
    case RP_FOREIGN_BCRYPT:
        return verify_crypt(foreign->text, word);
    case RP_FOREIGN_BCRYPT_SHA256:
        return verify_bcrypt_sha256(foreign->text, word);
    case RP_FOREIGN_PBKDF2_SHA1:
        return verify_pbkdf2(foreign, EVP_sha1(), word);
    case RP_FOREIGN_PBKDF2_SHA256:
        return verify_pbkdf2(foreign, EVP_sha256(), word);
    case RP_FOREIGN_PBKDF2_SHA512:
        return verify_pbkdf2(foreign, EVP_sha512(), word);
    case RP_FOREIGN_SCRYPT:
        return verify_scrypt(foreign, word);
    case RP_FOREIGN_ARGON2I:
    case RP_FOREIGN_ARGON2ID:
        return verify_argon2(foreign, word);
    case RP_FOREIGN_COUNT:
        break;
    }
    return RP_ERR(CORRUPT);
}
