/* root.h — the root key at rest: sealed under what opens it, once for each way to open it.
 *
 *   "RPR1" · kind (u8) · salt (16) · sealed root key (aead.h), bound to the kind
 *
 * A key file (32 random bytes), the secret that was cut into shares (as many; share.h) and a
 * recovery code (160 random bits) go through HKDF: they cannot be guessed, and a slow function
 * would only hold up every lease. A passphrase can, so it goes through argon2id at three passes
 * over 256 MiB. Parsing is pure; fuzzed.
 */
#ifndef RP_KEYS_ROOT_H
#define RP_KEYS_ROOT_H

#include "crypto/aead.h"

enum rp_root_kind {
    RP_ROOT_FILE = 1,
    RP_ROOT_PASSPHRASE,
    RP_ROOT_RECOVERY,
    RP_ROOT_SHARES,
    RP_ROOT_KIND_END
};

enum {
    RP_ROOT_KEY = RP_AEAD_KEY,
    RP_ROOT_SALT = 16,
    RP_UNSEAL_KEY = 32,
    RP_ROOT_BYTES = 4 + 1 + RP_ROOT_SALT + RP_ROOT_KEY + RP_AEAD_OVERHEAD
};

struct rp_root_seal {
    enum rp_root_kind kind;
    uint8_t salt[RP_ROOT_SALT];
    rp_view sealed; /* into the bytes */
};

/* CORRUPT for anything but one whole sealed root; EXISTS_NEWER for a later "RPR". */
rp_err rp_root_parse(rp_view bytes, struct rp_root_seal *ret_seal);

/* `opener` is the content of the key file, the passphrase, or the recovery code's 20 bytes. */
rp_err rp_root_seal(const struct rp_env *env, enum rp_root_kind kind, rp_view opener,
                    const struct rp_secret *root, struct rp_buf *out);
/* DENIED when the opener is not the right one (or the seal was altered: the two look alike). */
rp_err rp_root_open(const struct rp_root_seal *seal, rp_view opener, struct rp_secret **ret_root);

const char *
rp_root_kind_name(enum rp_root_kind kind); /* "file", "passphrase", "recovery", "shares" */

#endif
