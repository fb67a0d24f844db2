#include "keys/safe_io.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/shamir.h"
#include "keys/recovery.h"
#include "os/file.h"

static const char key_file[] = "kms/unseal.key";
static const char root_sealed[] = "kms/root.sealed";
static const char root_recovery[] = "kms/root.recovery";
static const char root_shares[] = "kms/root.shares";
static const char keyring_file[] = "kms/keyring";
static const char making[] = "kms/making";

enum { MODE = 0600, ARENA = RP_KEYRING_BYTES_MAX + 4096 };

/* A sealed root, with the bytes it is a view of. */
struct root_file {
    uint8_t bytes[RP_ROOT_BYTES];
    struct rp_root_seal seal;
};

/* Exactly n bytes of a small file; CORRUPT when it has another length. */
static rp_err read_exactly(const char *path, uint8_t *out, size_t n) {
    _cleanup_fd_ int fd = -1;
    RP_TRY(rp_file_open(path, &fd));
    uint64_t size = 0;
    RP_TRY(rp_file_size(fd, &size));
    return size == n ? rp_file_read_at(fd, 0, out, n) : RP_ERR(CORRUPT);
}

static rp_err read_root(const char *path, struct root_file *ret_file) {
    RP_TRY(read_exactly(path, ret_file->bytes, sizeof ret_file->bytes));
    return rp_root_parse(rp_view_of(ret_file->bytes, sizeof ret_file->bytes), &ret_file->seal);
}

rp_err rp_safe_look(struct rp_safe *ret_safe, struct rp_diag *diag) {
    struct rp_safe safe = {0};
    bool has_root = rp_file_exists(root_sealed);
    bool has_keyring = rp_file_exists(keyring_file);
    struct root_file root;
    if (has_root && !rp_file_exists(making)) {
        rp_err err = read_root(root_sealed, &root);
        if (!rp_ok(err)) {
            return rp_fail(diag, err, "%s: not a sealed root key that this release reads",
                           root_sealed);
        }
        safe.kind = root.seal.kind;
    }
    if (rp_file_exists(making) || (!has_root && !has_keyring)) {
        safe.state = RP_SAFE_EMPTY;
    } else if (has_root && has_keyring && (safe.kind != RP_ROOT_FILE || rp_file_exists(key_file))) {
        safe.state = RP_SAFE_SEALED;
    } else if (!has_root && has_keyring && rp_file_exists(root_shares)) {
        safe.state = RP_SAFE_SEALED;
        safe.kind = RP_ROOT_SHARES;
    } else {
        safe.state = RP_SAFE_BROKEN;
        safe.missing = !has_keyring ? keyring_file : !has_root ? root_sealed : key_file;
    }
    *ret_safe = safe;
    return RP_OK;
}

static rp_err write_root(const struct rp_hierarchy *hierarchy, const char *path,
                         enum rp_root_kind kind, rp_view opener) {
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(RP_ROOT_BYTES);
    RP_TRY(rp_hierarchy_seal_root(hierarchy, kind, opener, &sealed));
    return rp_file_replace(path, MODE, rp_buf_view(&sealed));
}

rp_err rp_safe_renew_key_file(const struct rp_env *env, const struct rp_hierarchy *hierarchy) {
    uint8_t key[RP_UNSEAL_KEY];
    env->fill_random(env->ctx, key, sizeof key);
    rp_view view = rp_view_of(key, sizeof key);
    /* The key first: a root sealed under a key that was never written could not be opened. */
    rp_err err = rp_file_replace(key_file, MODE, view);
    if (rp_ok(err)) {
        err = write_root(hierarchy, root_sealed, RP_ROOT_FILE, view);
    }
    rp_wipe(key, sizeof key);
    return err;
}

rp_err rp_safe_save(const struct rp_hierarchy *hierarchy) {
    _cleanup_(rp_buf_done) struct rp_buf keyring = rp_buf_new(RP_KEYRING_BYTES_MAX);
    RP_TRY(rp_hierarchy_print(hierarchy, &keyring));
    return rp_file_replace(keyring_file, MODE, rp_buf_view(&keyring));
}

rp_err rp_safe_create(const struct rp_env *env, const struct rp_hierarchy *hierarchy,
                      enum rp_root_kind kind, rp_view passphrase) {
    RP_ASSERT(kind == RP_ROOT_FILE || kind == RP_ROOT_PASSPHRASE);
    if (kind == RP_ROOT_PASSPHRASE && passphrase.n < RP_PASSPHRASE_MIN) {
        return RP_ERR(WEAK);
    }
    RP_TRY(rp_file_replace(making, MODE, RP_VIEW("")));
    RP_TRY(rp_safe_save(hierarchy));
    if (kind == RP_ROOT_FILE) {
        RP_TRY(rp_safe_renew_key_file(env, hierarchy));
    } else {
        RP_TRY(write_root(hierarchy, root_sealed, kind, passphrase));
    }
    /* A code of an earlier, unfinished start opens nothing any more. */
    RP_TRY(rp_file_remove(root_recovery));
    RP_TRY(rp_file_remove(root_shares));
    RP_TRY(rp_file_remove(making));
    return rp_folder_sync("kms");
}

static rp_err open_root(const char *path, enum rp_root_kind kind, rp_view opener,
                        struct rp_secret **ret_root) {
    struct root_file file;
    RP_TRY(read_root(path, &file));
    if (file.seal.kind != kind) {
        return RP_ERR(DENIED);
    }
    return rp_root_open(&file.seal, opener, ret_root);
}

static rp_err open_by_key_file(struct rp_secret **ret_root) {
    uint8_t key[RP_UNSEAL_KEY];
    rp_err err = read_exactly(key_file, key, sizeof key);
    if (rp_ok(err)) {
        err = open_root(root_sealed, RP_ROOT_FILE, rp_view_of(key, sizeof key), ret_root);
    }
    rp_wipe(key, sizeof key);
    return err;
}

static rp_err open_by_code(rp_view text, struct rp_secret **ret_root) {
    uint8_t code[RP_RECOVERY_CODE];
    RP_TRY(rp_recovery_parse(text, code));
    rp_err err =
        open_root(root_recovery, RP_ROOT_RECOVERY, rp_view_of(code, sizeof code), ret_root);
    rp_wipe(code, sizeof code);
    return err;
}

static rp_err root_by(enum rp_root_kind kind, rp_view opener, struct rp_secret **ret_root) {
    switch (kind) {
    case RP_ROOT_FILE:
        return open_by_key_file(ret_root);
    case RP_ROOT_PASSPHRASE:
        return open_root(root_sealed, kind, opener, ret_root);
    case RP_ROOT_RECOVERY:
        return open_by_code(opener, ret_root);
    case RP_ROOT_SHARES:
        return open_root(root_shares, kind, opener, ret_root);
    case RP_ROOT_KIND_END:
        break;
    }
    RP_UNREACHABLE();
}

rp_err rp_safe_open(const struct rp_env *env, enum rp_root_kind kind, rp_view opener,
                    struct rp_hierarchy **ret_hierarchy) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(ARENA);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    rp_view keyring;
    RP_TRY(rp_file_read(keyring_file, RP_KEYRING_BYTES_MAX, arena, &keyring));
    struct rp_secret *root = NULL;
    RP_TRY(root_by(kind, opener, &root));
    return rp_hierarchy_load(env, root, keyring, ret_hierarchy);
}

bool rp_safe_has_recovery(void) {
    return rp_file_exists(root_recovery);
}

rp_err rp_safe_new_recovery(const struct rp_env *env, const struct rp_hierarchy *hierarchy,
                            struct rp_buf *ret_text) {
    uint8_t code[RP_RECOVERY_CODE];
    env->fill_random(env->ctx, code, sizeof code);
    rp_err err =
        write_root(hierarchy, root_recovery, RP_ROOT_RECOVERY, rp_view_of(code, sizeof code));
    if (rp_ok(err)) {
        err = rp_recovery_print(code, ret_text);
    }
    rp_wipe(code, sizeof code);
    return err;
}

/* ---- shares ---- */

rp_err rp_safe_share_set(uint8_t ret_set[static RP_SHARE_SET]) {
    struct root_file file;
    RP_TRY(read_root(root_shares, &file));
    rp_share_set(&file.seal, ret_set);
    return RP_OK;
}

static rp_err print_shares(const struct rp_env *env, const struct rp_secret *secret,
                           unsigned threshold, unsigned count, struct rp_buf *ret_shares) {
    uint8_t bytes[RP_SHAMIR_MAX][RP_SHAMIR_BYTES_MAX];
    struct rp_share share = {.threshold = (uint8_t)threshold};
    rp_err err = rp_safe_share_set(share.set);
    rp_shamir_split(env, secret, threshold, count, bytes);
    for (unsigned i = 0; i < count && rp_ok(err); i++) {
        share.place = (uint8_t)(i + 1);
        memcpy(share.bytes, bytes[i], sizeof share.bytes);
        err = rp_share_print(&share, &ret_shares[i]);
    }
    rp_wipe(&share, sizeof share);
    rp_wipe(bytes, sizeof bytes);
    return err;
}

rp_err rp_safe_split(const struct rp_env *env, const struct rp_hierarchy *hierarchy,
                     unsigned threshold, unsigned count, struct rp_buf *ret_shares) {
    if (threshold < 2 || threshold > count || count > RP_SHAMIR_MAX) {
        return RP_ERR(INVALID);
    }
    uint8_t bytes[RP_UNSEAL_KEY];
    _cleanup_(rp_secret_freep) struct rp_secret *secret = NULL;
    RP_TRY(rp_secret_new_random(env, sizeof bytes, &secret));
    rp_secret_reveal(secret, bytes, sizeof bytes);
    rp_err err =
        write_root(hierarchy, root_shares, RP_ROOT_SHARES, rp_view_of(bytes, sizeof bytes));
    rp_wipe(bytes, sizeof bytes);
    return rp_ok(err) ? print_shares(env, secret, threshold, count, ret_shares) : err;
}

/* The key file first: without it what it opens is nothing. */
rp_err rp_safe_keep_shares_only(void) {
    RP_TRY(rp_file_remove(key_file));
    RP_TRY(rp_file_remove(root_sealed));
    return rp_folder_sync("kms");
}
