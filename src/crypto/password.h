/* password.h — argon2id, in the PHC string form "$argon2id$v=19$m=…,t=…,p=1$salt$hash".
 *
 * Slow on purpose: called from the password pool only. The parameters stand in the string, so
 * that old hashes verify and rp_password_is_old says when to hash again. RFC 9106.
 */
#ifndef RP_CRYPTO_PASSWORD_H
#define RP_CRYPTO_PASSWORD_H

#include "crypto/secret.h"

/* RP_PASSWORD_STORED: what the database may hold, hashes of other programs (crypto/foreign.h) too.
 */
enum { RP_PASSWORD_STORED = 256 };
enum { RP_PASSWORD_TEXT = 128, RP_PASSWORD_MAX = 1024, RP_ARGON2_OPS = 2, RP_ARGON2_MIB = 19 };

/* A NUL-terminated PHC string. TOO_LARGE over RP_PASSWORD_MAX bytes. */
rp_err rp_password_hash(rp_view password, char ret_text[static RP_PASSWORD_TEXT]);
/* text: ours, or a hash that another program made. DENIED when it does not match, CORRUPT when text
 * is neither or asks for absurd costs, NO_MEMORY when there is none left to try in. */
rp_err rp_password_verify(const char *text, rp_view password);
/* Spends the same time as a verification and answers DENIED: for an unknown name. */
rp_err rp_password_verify_nobody(rp_view password);
/* The text that it is compared with: one that no password matches, at the usual cost. */
const char *rp_password_nobody(void);
/* Not as we would hash it today, and this password, which matched, can be hashed anew: all of it
 * was looked at. */
bool rp_password_is_old(const char *text, rp_view password);

/* A passphrase made into a key that unseals something: slower than a sign-in, since it is typed
 * once per start and may be attacked offline for ever. */
enum {
    RP_PASSPHRASE_SALT = 16,
    RP_PASSPHRASE_KEY = 32,
    RP_PASSPHRASE_OPS = 3,
    RP_PASSPHRASE_MIB = 256
};
rp_err rp_passphrase_key(rp_view passphrase, const uint8_t salt[static RP_PASSPHRASE_SALT],
                         struct rp_secret **ret_key);

#endif
