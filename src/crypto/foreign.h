/* foreign.h — password hashes that other programs made, verified once to be replaced.
 *
 * People who are imported keep their passwords: what the former system stored is kept until they
 * sign in, and then hashed anew as argon2id (crypto/password.h). The text says which algorithm and
 * what it costs; whoever wrote the text must not be able to ask for gigabytes or minutes, so costs
 * are bounded here, before anything slow is called. Reading is pure, and fuzzed.
 *
 *   bcrypt   "$2a$" | "$2b$" | "$2y$", as Apache, PHP and Node write it; Django's "bcrypt$$2b$…"
 * and "bcrypt_sha256$$2b$…" PBKDF2   Django's "pbkdf2_sha256$N$salt$hash"; passlib's
 * "$pbkdf2-sha256$N$salt$hash", also -sha512 and, for SHA-1, "$pbkdf2$"; the PHC form
 * "$pbkdf2-sha256$i=N,l=32$salt$hash" scrypt   the PHC form "$scrypt$ln=16,r=8,p=1$salt$hash";
 * Django's "scrypt$N$salt$r$p$hash" argon2   "$argon2id$v=19$m=…,t=…,p=…$salt$hash", argon2i too;
 * with Django's "argon2" before it
 */
#ifndef RP_CRYPTO_FOREIGN_H
#define RP_CRYPTO_FOREIGN_H

#include "base/err.h"

enum { RP_FOREIGN_TEXT = 256, RP_FOREIGN_SALT = 64, RP_FOREIGN_HASH = 64 };

/* At its dearest one verification takes about a second of one core, and 256 MiB. */
enum {
    RP_FOREIGN_BCRYPT_MAX = 14,
    RP_FOREIGN_PBKDF2_MAX = 2000000,
    RP_FOREIGN_SCRYPT_MIB = 128,
    RP_FOREIGN_ARGON2_MIB = 256,
    RP_FOREIGN_ARGON2_WORK_MIB = 1024, /* memory times passes */
    RP_FOREIGN_LANES_MAX = 16
};

enum rp_foreign_kind {
    RP_FOREIGN_BCRYPT,
    RP_FOREIGN_BCRYPT_SHA256,
    RP_FOREIGN_PBKDF2_SHA1,
    RP_FOREIGN_PBKDF2_SHA256,
    RP_FOREIGN_PBKDF2_SHA512,
    RP_FOREIGN_SCRYPT,
    RP_FOREIGN_ARGON2I,
    RP_FOREIGN_ARGON2ID,
    RP_FOREIGN_COUNT
};
/* "bcrypt", "pbkdf2-sha256": for events and reports. */
const char *rp_foreign_name(enum rp_foreign_kind kind);

struct rp_foreign {
    enum rp_foreign_kind kind;
    rp_view text;                /* bcrypt, argon2: what the library takes; into the text read */
    uint64_t cost, lanes, block; /* bcrypt: log2; PBKDF2: rounds; scrypt: N, p, r; argon2: KiB, p */
    uint64_t passes;             /* argon2 */
    uint8_t salt[RP_FOREIGN_SALT]; /* PBKDF2, scrypt: decoded */
    size_t salt_n;
    uint8_t hash[RP_FOREIGN_HASH];
    size_t hash_n;
};

/* UNSUPPORTED: none of the forms above; TOO_LARGE: it costs more than is allowed; INVALID: one of
 * the forms, but damaged. */
rp_err rp_foreign_parse(rp_view text, struct rp_foreign *ret_foreign);

/* DENIED when it does not match, NO_MEMORY when there is none to try in. Slow: password pool only.
 */
rp_err rp_foreign_verify(const struct rp_foreign *foreign, rp_view password);
/* bcrypt looks at 72 bytes: of a longer password it cannot say that the end was right. */
bool rp_foreign_saw_all(const struct rp_foreign *foreign, rp_view password);

#endif
