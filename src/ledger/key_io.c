#include "ledger/key_io.h"

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"

enum { SEED = 32 };

static rp_err make_key(const struct rp_env *env, const char *path, struct rp_secret **ret_secret) {
    uint8_t seed[SEED];
    RP_TRY(rp_ed25519_new(env, ret_secret));
    RP_ASSERT(rp_secret_size(*ret_secret) == sizeof seed);
    rp_secret_reveal(*ret_secret, seed, sizeof seed);
    rp_err err = rp_file_create(path, 0600, rp_view_of(seed, sizeof seed));
    rp_wipe(seed, sizeof seed);
    if (!rp_ok(err)) {
        rp_secret_freep(ret_secret);
    }
    return err;
}

static rp_err load_key(const char *path, struct rp_secret **ret_secret, struct rp_diag *diag) {
    _cleanup_fd_ int fd = -1;
    uint8_t seed[SEED];
    uint64_t size;
    RP_TRY(rp_file_open(path, &fd));
    RP_TRY(rp_file_size(fd, &size));
    if (size != sizeof seed) {
        return rp_fail(diag, RP_ERR(CORRUPT), "%s: not a signing key", path);
    }
    RP_TRY(rp_file_read_at(fd, 0, seed, sizeof seed));
    return rp_secret_new_take(seed, sizeof seed, ret_secret);
}

rp_err rp_log_key_open(const struct rp_env *env, const char *path, struct rp_log_key *ret_key,
                       struct rp_diag *diag) {
    struct rp_log_key key = {.secret = NULL};
    rp_err err = load_key(path, &key.secret, diag);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        err = make_key(env, path, &key.secret);
    }
    RP_TRY(err);
    err = rp_ed25519_public(key.secret, key.public_key);
    if (!rp_ok(err)) {
        rp_secret_free(key.secret);
        return err;
    }
    *ret_key = key;
    return RP_OK;
}
