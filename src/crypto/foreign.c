#include "crypto/foreign.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/base64.h"
#include "crypto/password.h"

enum { BCRYPT_TEXT = 60, BCRYPT_SEEN = 72, BCRYPT_MIN = 4, HASH_MIN = 16 };

const char *rp_foreign_name(enum rp_foreign_kind kind) {
    static const char *const names[RP_FOREIGN_COUNT] = {
        [RP_FOREIGN_BCRYPT] = "bcrypt",
        [RP_FOREIGN_BCRYPT_SHA256] = "bcrypt-sha256",
        [RP_FOREIGN_PBKDF2_SHA1] = "pbkdf2-sha1",
        [RP_FOREIGN_PBKDF2_SHA256] = "pbkdf2-sha256",
        [RP_FOREIGN_PBKDF2_SHA512] = "pbkdf2-sha512",
        [RP_FOREIGN_SCRYPT] = "scrypt",
        [RP_FOREIGN_ARGON2I] = "argon2i",
        [RP_FOREIGN_ARGON2ID] = "argon2id",
    };
    RP_ASSERT(kind < RP_FOREIGN_COUNT);
    return names[kind];
}

/* What stands before `end`; false where there is none. */
static bool take(rp_view *text, uint8_t end, rp_view *ret_field) {
    size_t n = rp_view_find_byte(*text, end);
    if (n == text->n) {
        return false;
    }
    *ret_field = rp_view_sub(*text, 0, n);
    *text = rp_view_from(*text, n + 1);
    return true;
}

/* "name=NUMBER" before `end`. */
static bool take_number(rp_view *text, rp_view name, uint8_t end, uint64_t *ret_value) {
    rp_view digits;
    return rp_view_take(text, name) && take(text, end, &digits) &&
           rp_view_to_u64(digits, UINT32_MAX, ret_value);
}

static bool take_count(rp_view *text, uint64_t *ret_value) {
    return take_number(text, RP_VIEW(""), '$', ret_value);
}

/* Salt and hash at the end of a text, both base64. */
static bool read_end(rp_view salt, rp_view hash, const char *alphabet, struct rp_foreign *foreign) {
    return rp_base64_bytes(salt, alphabet, foreign->salt, RP_FOREIGN_SALT, &foreign->salt_n) &&
           rp_base64_bytes(hash, alphabet, foreign->hash, RP_FOREIGN_HASH, &foreign->hash_n) &&
           foreign->salt_n > 0 && foreign->hash_n >= HASH_MIN;
}

/* Django: the salt is text, used as it stands, and the hash is base64 with its padding. */
static bool read_django_end(rp_view salt, rp_view hash, struct rp_foreign *foreign) {
    while (hash.n > 0 && hash.p[hash.n - 1] == '=' && hash.n % 4 != 1) {
        hash.n--;
    }
    if (salt.n == 0 || salt.n > RP_FOREIGN_SALT) {
        return false;
    }
    memcpy(foreign->salt, salt.p, salt.n);
    foreign->salt_n = salt.n;
    return rp_base64_bytes(hash, RP_BASE64_USUAL, foreign->hash, RP_FOREIGN_HASH,
                           &foreign->hash_n) &&
           foreign->hash_n >= HASH_MIN;
}

/* ---- bcrypt: "$2b$12$" and 53 signs of its own base64 ---- */

static rp_err read_bcrypt(rp_view text, enum rp_foreign_kind kind, struct rp_foreign *foreign) {
    rp_view rest = text, cost;
    bool known = rp_view_take(&rest, RP_VIEW("$2a$")) || rp_view_take(&rest, RP_VIEW("$2b$")) ||
                 rp_view_take(&rest, RP_VIEW("$2y$"));
    if (!known || text.n != BCRYPT_TEXT || !take(&rest, '$', &cost) || cost.n != 2) {
        return RP_ERR(INVALID);
    }
    if (cost.p[0] == '0') {
        cost = rp_view_from(cost, 1);
    }
    if (!rp_view_to_u64(cost, 99, &foreign->cost) || foreign->cost < BCRYPT_MIN) {
        return RP_ERR(INVALID);
    }
    for (size_t i = 0; i < rest.n; i++) {
        uint8_t c = rp_lower(rest.p[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '/')) {
            return RP_ERR(INVALID);
        }
    }
    foreign->kind = kind;
    foreign->text = text;
    return foreign->cost <= RP_FOREIGN_BCRYPT_MAX ? RP_OK : RP_ERR(TOO_LARGE);
}

/* ---- PBKDF2 ---- */

static rp_err read_pbkdf2(rp_view rest, enum rp_foreign_kind kind, bool django,
                          struct rp_foreign *foreign) {
    rp_view salt;
    uint64_t length = 0;
    bool phc = !django && rp_view_starts(rest, RP_VIEW("i="));
    bool read = phc ? take_number(&rest, RP_VIEW("i="), ',', &foreign->cost) &&
                          take_number(&rest, RP_VIEW("l="), '$', &length)
                    : take_count(&rest, &foreign->cost);
    if (!read || foreign->cost == 0 || !take(&rest, '$', &salt)) {
        return RP_ERR(INVALID);
    }
    foreign->kind = kind;
    bool whole = django ? read_django_end(salt, rest, foreign)
                        : read_end(salt, rest, phc ? RP_BASE64_USUAL : RP_BASE64_PASSLIB, foreign);
    if (!whole || (phc && length != foreign->hash_n)) {
        return RP_ERR(INVALID);
    }
    return foreign->cost <= RP_FOREIGN_PBKDF2_MAX ? RP_OK : RP_ERR(TOO_LARGE);
}

/* ---- scrypt: memory is 128 · N · r, work N · r · p ---- */

static rp_err check_scrypt(struct rp_foreign *foreign) {
    uint64_t n = foreign->cost, most = (uint64_t)RP_FOREIGN_SCRYPT_MIB * 8192;
    foreign->kind = RP_FOREIGN_SCRYPT;
    if (n < 2 || (n & (n - 1)) != 0 || foreign->block == 0 || foreign->lanes == 0) {
        return RP_ERR(INVALID);
    }
    if (foreign->lanes > RP_FOREIGN_LANES_MAX || n > most || foreign->block > most / n ||
        n * foreign->block * foreign->lanes > 2 * most) {
        return RP_ERR(TOO_LARGE);
    }
    return RP_OK;
}

static rp_err read_scrypt(rp_view rest, struct rp_foreign *foreign) {
    uint64_t log2 = 0;
    rp_view salt;
    if (!take_number(&rest, RP_VIEW("ln="), ',', &log2) ||
        !take_number(&rest, RP_VIEW("r="), ',', &foreign->block) ||
        !take_number(&rest, RP_VIEW("p="), '$', &foreign->lanes) || log2 == 0 || log2 > 63 ||
        !take(&rest, '$', &salt) || !read_end(salt, rest, RP_BASE64_USUAL, foreign)) {
        return RP_ERR(INVALID);
    }
    foreign->cost = (uint64_t)1 << log2;
    return check_scrypt(foreign);
}

static rp_err read_django_scrypt(rp_view rest, struct rp_foreign *foreign) {
    rp_view salt;
    if (!take_count(&rest, &foreign->cost) || !take(&rest, '$', &salt) ||
        !take_count(&rest, &foreign->block) || !take_count(&rest, &foreign->lanes) ||
        !read_django_end(salt, rest, foreign)) {
        return RP_ERR(INVALID);
    }
    return check_scrypt(foreign);
}

/* ---- argon2 ---- */

static rp_err read_argon2(rp_view text, rp_view rest, enum rp_foreign_kind kind,
                          struct rp_foreign *foreign) {
    rp_view salt;
    if (!take_number(&rest, RP_VIEW("v=19$m="), ',', &foreign->cost) ||
        !take_number(&rest, RP_VIEW("t="), ',', &foreign->passes) ||
        !take_number(&rest, RP_VIEW("p="), '$', &foreign->lanes) || !take(&rest, '$', &salt) ||
        !read_end(salt, rest, RP_BASE64_USUAL, foreign) || foreign->salt_n < 8 ||
        foreign->lanes == 0 || foreign->passes == 0 || foreign->cost < 8 * foreign->lanes) {
        return RP_ERR(INVALID);
    }
    foreign->kind = kind;
    foreign->text = text;
    if (foreign->lanes > RP_FOREIGN_LANES_MAX ||
        foreign->cost > (uint64_t)RP_FOREIGN_ARGON2_MIB * 1024 ||
        foreign->passes > (uint64_t)RP_FOREIGN_ARGON2_WORK_MIB * 1024 / foreign->cost) {
        return RP_ERR(TOO_LARGE);
    }
    return kind == RP_FOREIGN_ARGON2I && foreign->passes < 3 ? RP_ERR(UNSUPPORTED) : RP_OK;
}

static rp_err read_any(rp_view text, struct rp_foreign *foreign) {
    static const struct {
        rp_view prefix;
        enum rp_foreign_kind kind;
        bool django;
    } pbkdf2[] = {{RP_VIEW_INIT("pbkdf2_sha256$"), RP_FOREIGN_PBKDF2_SHA256, true},
                  {RP_VIEW_INIT("pbkdf2_sha1$"), RP_FOREIGN_PBKDF2_SHA1, true},
                  {RP_VIEW_INIT("$pbkdf2-sha256$"), RP_FOREIGN_PBKDF2_SHA256, false},
                  {RP_VIEW_INIT("$pbkdf2-sha512$"), RP_FOREIGN_PBKDF2_SHA512, false},
                  {RP_VIEW_INIT("$pbkdf2$"), RP_FOREIGN_PBKDF2_SHA1, false}};
    rp_view rest = text;
    for (size_t i = 0; i < RP_COUNT_OF(pbkdf2); i++) {
        if (rp_view_take(&rest, pbkdf2[i].prefix)) {
            return read_pbkdf2(rest, pbkdf2[i].kind, pbkdf2[i].django, foreign);
        }
    }
    if (rp_view_take(&rest, RP_VIEW("bcrypt_sha256$"))) {
        return read_bcrypt(rest, RP_FOREIGN_BCRYPT_SHA256, foreign);
    }
    if (rp_view_take(&rest, RP_VIEW("bcrypt$")) || rp_view_starts(rest, RP_VIEW("$2"))) {
        return read_bcrypt(rest, RP_FOREIGN_BCRYPT, foreign);
    }
    if (rp_view_take(&rest, RP_VIEW("$scrypt$"))) {
        return read_scrypt(rest, foreign);
    }
    if (rp_view_take(&rest, RP_VIEW("scrypt$"))) {
        return read_django_scrypt(rest, foreign);
    }
    rp_view argon2 = rp_view_starts(text, RP_VIEW("argon2$")) ? rp_view_from(text, 6) : text;
    rest = argon2;
    if (rp_view_take(&rest, RP_VIEW("$argon2id$"))) {
        return read_argon2(argon2, rest, RP_FOREIGN_ARGON2ID, foreign);
    }
    if (rp_view_take(&rest, RP_VIEW("$argon2i$"))) {
        return read_argon2(argon2, rest, RP_FOREIGN_ARGON2I, foreign);
    }
    return RP_ERR(UNSUPPORTED);
}

rp_err rp_foreign_parse(rp_view text, struct rp_foreign *ret_foreign) {
    struct rp_foreign foreign = {.cost = 0};
    if (text.n >= RP_FOREIGN_TEXT || rp_view_find_byte(text, 0) != text.n) {
        return RP_ERR(INVALID);
    }
    RP_TRY(read_any(text, &foreign));
    *ret_foreign = foreign;
    return RP_OK;
}

bool rp_foreign_saw_all(const struct rp_foreign *foreign, rp_view password) {
    return foreign->kind != RP_FOREIGN_BCRYPT || password.n <= BCRYPT_SEEN;
}
