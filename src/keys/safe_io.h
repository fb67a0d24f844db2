/* safe_io.h — the kms' folder: where sealed things lie, and in which order they are written.
 *
 *   kms/unseal.key     32 random bytes, mode 0600 (keys.unseal: file)
 *   kms/root.sealed    the root under the key file or the passphrase (root.h)
 *   kms/root.recovery  the root under the code on the recovery sheet, once one was printed
 *   kms/root.shares    the root under a secret that was cut into shares, once it was (share.h)
 *   kms/tenants/ID     a tenant's half (half_io.h)
 *   kms/keyring        master and signing keys under the root (keyring.h)
 *   kms/making         there only while a first start is under way: what it left is begun anew
 *
 * Every file is replaced whole or not at all. Paths are relative to the state folder.
 */
#ifndef RP_KEYS_SAFE_IO_H
#define RP_KEYS_SAFE_IO_H

#include "keys/hierarchy.h"
#include "keys/share.h"

enum { RP_PASSPHRASE_MIN = 12, RP_PASSPHRASE_MAX = 1000 };

enum rp_safe_state {
    RP_SAFE_EMPTY,  /* nothing was ever sealed here */
    RP_SAFE_SEALED, /* complete */
    RP_SAFE_BROKEN, /* a file is missing: only the recovery code, or a copy of it, helps */
};

struct rp_safe {
    enum rp_safe_state state;
    enum rp_root_kind kind; /* of root.sealed, when there is one */
    bool has_key_file;
    bool has_recovery;
    const char *missing; /* the file that is, when BROKEN */
};

/* What lies there. CORRUPT or EXISTS_NEWER when root.sealed is not one of ours. */
rp_err rp_safe_look(struct rp_safe *ret_safe, struct rp_diag *diag);

/* A first start: writes everything for a new hierarchy. The passphrase is looked at for
 * RP_ROOT_PASSPHRASE only; WEAK under RP_PASSPHRASE_MIN bytes. */
rp_err rp_safe_create(const struct rp_env *env, const struct rp_hierarchy *hierarchy,
                      enum rp_root_kind kind, rp_view passphrase);

/* Opens with the key file, the passphrase, or the text of the recovery code. DENIED when it is the
 * wrong one, INVALID when the code's check letters do not fit, NOT_FOUND when a file is not there,
 * CORRUPT when the keyring was altered. */
rp_err rp_safe_open(const struct rp_env *env, enum rp_root_kind kind, rp_view opener,
                    struct rp_hierarchy **ret_hierarchy);

/* Cuts a new secret into shares and seals the root under it; the shares of an earlier split open
 * nothing any more. Their texts stand in ret_shares[count] and nowhere else. */
rp_err rp_safe_split(const struct rp_env *env, const struct rp_hierarchy *hierarchy,
                     unsigned threshold, unsigned count, struct rp_buf *ret_shares);
/* The set that shares must be of. NOT_FOUND when the root was never split. */
rp_err rp_safe_share_set(uint8_t ret_set[static RP_SHARE_SET]);
/* After an unsealing by shares, when nothing else is to unseal: the key file and what it, or a
 * passphrase, opens. The recovery sheet stays. */
rp_err rp_safe_keep_shares_only(void);

/* After a recovery: a new key file, and the root under it. */
rp_err rp_safe_renew_key_file(const struct rp_env *env, const struct rp_hierarchy *hierarchy);

/* Keeps the hierarchy after a rotation. */
rp_err rp_safe_save(const struct rp_hierarchy *hierarchy);

bool rp_safe_has_recovery(void);
/* A new recovery code, which cancels the former; its text is appended to ret_text and stands
 * nowhere else. */
rp_err rp_safe_new_recovery(const struct rp_env *env, const struct rp_hierarchy *hierarchy,
                            struct rp_buf *ret_text);

#endif
