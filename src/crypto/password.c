#include "crypto/password.h"

#include <errno.h>
#include <sodium.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/foreign.h"
#include "crypto/phc.h"
#include "crypto/secret_bytes.h"

_Static_assert(RP_PASSWORD_TEXT == crypto_pwhash_argon2id_STRBYTES, "a PHC string fits");
_Static_assert(RP_PASSPHRASE_SALT == crypto_pwhash_argon2id_SALTBYTES, "argon2's salt");

static const size_t memory = (size_t)RP_ARGON2_MIB * 1024 * 1024;

rp_err rp_password_hash(rp_view password, char ret_text[static RP_PASSWORD_TEXT]) {
    if (password.n > RP_PASSWORD_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    char text[RP_PASSWORD_TEXT];
    if (crypto_pwhash_argon2id_str(text, (const char *)password.p, password.n, RP_ARGON2_OPS,
                                   memory) != 0) {
        return RP_ERR(NO_MEMORY);
    }
    memcpy(ret_text, text, sizeof text);
    return RP_OK;
}

/* libsodium asks for a string in an array of exactly this size. */
struct phc_text {
    char s[RP_PASSWORD_TEXT];
};

static struct phc_text pad(const char *text) {
    struct phc_text padded = {0};
    size_t n = strlen(text);
    memcpy(padded.s, text, RP_MIN(n, sizeof padded.s - 1));
    return padded;
}

rp_err rp_password_verify(const char *text, rp_view password) {
    struct rp_phc phc;
    struct rp_foreign foreign;
    if (password.n > RP_PASSWORD_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    if (!rp_ok(rp_phc_parse(rp_view_from_cstr(text), &phc))) {
        return rp_ok(rp_foreign_parse(rp_view_from_cstr(text), &foreign))
                   ? rp_foreign_verify(&foreign, password)
                   : RP_ERR(CORRUPT);
    }
    struct phc_text padded = pad(text);
    errno = 0;
    if (crypto_pwhash_argon2id_str_verify(padded.s, (const char *)password.p, password.n) != 0) {
        /* A mismatch sets EINVAL; anything else is a machine without memory, not a wrong word. */
        return errno == EINVAL ? RP_ERR(DENIED) : RP_ERR(NO_MEMORY);
    }
    return RP_OK;
}

/* No password has 32 zero bytes as its hash. The costs are those of a new hash. */
const char *rp_password_nobody(void) {
    _Static_assert(RP_ARGON2_MIB == 19 && RP_ARGON2_OPS == 2, "the string below has today's costs");
    return "$argon2id$v=19$m=19456,t=2,p=1$c29tZWJvZHkgaXMgbm8$"
           "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
}

rp_err rp_password_verify_nobody(rp_view password) {
    rp_err err = rp_password_verify(rp_password_nobody(), password);
    RP_ASSERT(!rp_ok(err));
    return err;
}

bool rp_password_is_old(const char *text, rp_view password) {
    struct rp_phc phc;
    struct rp_foreign foreign;
    if (rp_ok(rp_phc_parse(rp_view_from_cstr(text), &phc))) {
        return phc.ops != RP_ARGON2_OPS || phc.kib != memory / 1024;
    }
    return rp_ok(rp_foreign_parse(rp_view_from_cstr(text), &foreign)) &&
           rp_foreign_saw_all(&foreign, password);
}

rp_err rp_passphrase_key(rp_view passphrase, const uint8_t salt[static RP_PASSPHRASE_SALT],
                         struct rp_secret **ret_key) {
    if (passphrase.n > RP_PASSWORD_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    _cleanup_(rp_secret_freep) struct rp_secret *key = NULL;
    RP_TRY(rp_secret_new_empty(RP_PASSPHRASE_KEY, &key));
    if (crypto_pwhash_argon2id(rp_secret_bytes(key), RP_PASSPHRASE_KEY, (const char *)passphrase.p,
                               passphrase.n, salt, RP_PASSPHRASE_OPS,
                               (size_t)RP_PASSPHRASE_MIB * 1024 * 1024,
                               crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
        return RP_ERR(NO_MEMORY);
    }
    *ret_key = rp_take(&key);
    return RP_OK;
}
