#include "keep/opener.h"

#include "base/checked.h"
#include "keys/backup_key.h"
#include "keys/recovery.h"
#include "keys/safe_io.h"

_Static_assert((int)RP_ROOT_KEY == (int)RP_AEAD_KEY, "a root's seal holds a backup's key as well");

/* The root is taken, whatever happens. */
static rp_err by_root(const struct rp_env *env, const struct rp_keep_head *head,
                      struct rp_secret *root, struct rp_secret **ret_key) {
    _cleanup_(rp_hierarchy_freep) struct rp_hierarchy *hierarchy = NULL;
    RP_TRY(rp_hierarchy_load(env, root, head->keyring, &hierarchy));
    rp_err err = rp_backup_key_open(hierarchy, head->id, head->wrapped, ret_key);
    return rp_is(err, RP_E_NOT_FOUND) ? RP_ERR(CORRUPT) : err; /* the head names another key */
}

static rp_err open_root(rp_view sealed, enum rp_root_kind kind, rp_view opener,
                        struct rp_secret **ret_root) {
    struct rp_root_seal seal;
    if (sealed.n == 0) {
        return RP_ERR(NOT_FOUND);
    }
    RP_TRY(rp_root_parse(sealed, &seal));
    return seal.kind == kind ? rp_root_open(&seal, opener, ret_root) : RP_ERR(CORRUPT);
}

rp_err rp_keep_open_by_code(const struct rp_env *env, const struct rp_keep_head *head, rp_view code,
                            struct rp_secret **ret_key) {
    uint8_t bytes[RP_RECOVERY_CODE];
    struct rp_secret *root = NULL;
    RP_TRY(rp_recovery_parse(code, bytes));
    rp_err err =
        open_root(head->recovery, RP_ROOT_RECOVERY, rp_view_of(bytes, sizeof bytes), &root);
    rp_wipe(bytes, sizeof bytes);
    return rp_ok(err) ? by_root(env, head, root, ret_key) : err;
}

rp_err rp_keep_open_by_passphrase(const struct rp_env *env, const struct rp_keep_head *head,
                                  rp_view passphrase, struct rp_secret **ret_key) {
    struct rp_secret *root = NULL;
    rp_err err = open_root(head->passphrase, RP_ROOT_PASSPHRASE, passphrase, ret_key);
    if (rp_ok(err) || head->root.n == 0) {
        return err;
    }
    RP_TRY(open_root(head->root, RP_ROOT_PASSPHRASE, passphrase, &root));
    return by_root(env, head, root, ret_key);
}

rp_err rp_keep_open_here(const struct rp_env *env, const struct rp_keep_head *head,
                         struct rp_secret **ret_key) {
    _cleanup_(rp_hierarchy_freep) struct rp_hierarchy *hierarchy = NULL;
    RP_TRY(rp_safe_open(env, RP_ROOT_FILE, (rp_view){NULL, 0}, &hierarchy));
    return rp_backup_key_open(hierarchy, head->id, head->wrapped, ret_key);
}

rp_err rp_keep_seal_key(const struct rp_env *env, rp_view passphrase, const struct rp_secret *key,
                        struct rp_buf *out) {
    if (passphrase.n < RP_PASSPHRASE_MIN) {
        return RP_ERR(WEAK);
    }
    return rp_root_seal(env, RP_ROOT_PASSPHRASE, passphrase, key, out);
}
