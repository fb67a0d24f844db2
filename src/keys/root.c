#include "keys/root.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "crypto/password.h"

_Static_assert((int)RP_ROOT_SALT == (int)RP_PASSPHRASE_SALT, "one salt for every kind");

enum { OPENER_MAX = 1024 };

static const uint8_t magic[4] = {'R', 'P', 'R', '1'};

rp_err rp_root_parse(rp_view bytes, struct rp_root_seal *ret_seal) {
    if (bytes.n < sizeof magic || !rp_view_starts(bytes, rp_view_of(magic, 3))) {
        return RP_ERR(CORRUPT);
    }
    if (bytes.p[3] != magic[3]) {
        return bytes.p[3] > magic[3] && bytes.p[3] <= '9' ? RP_ERR(EXISTS_NEWER) : RP_ERR(CORRUPT);
    }
    if (bytes.n != RP_ROOT_BYTES || bytes.p[4] < RP_ROOT_FILE || bytes.p[4] >= RP_ROOT_KIND_END) {
        return RP_ERR(CORRUPT);
    }
    ret_seal->kind = (enum rp_root_kind)bytes.p[4];
    memcpy(ret_seal->salt, bytes.p + 5, RP_ROOT_SALT);
    ret_seal->sealed = rp_view_from(bytes, 5 + RP_ROOT_SALT);
    return RP_OK;
}

/* The key that the root is sealed under. */
static rp_err sealing_key(enum rp_root_kind kind, rp_view opener,
                          const uint8_t salt[static RP_ROOT_SALT], struct rp_secret **ret_key) {
    if (kind == RP_ROOT_PASSPHRASE) {
        return rp_passphrase_key(opener, salt, ret_key);
    }
    uint8_t copy[OPENER_MAX];
    if (opener.n == 0 || opener.n > sizeof copy) {
        return RP_ERR(DENIED);
    }
    memcpy(copy, opener.p, opener.n);
    _cleanup_(rp_secret_freep) struct rp_secret *ikm = NULL;
    RP_TRY(rp_secret_new_take(copy, opener.n, &ikm));
    return rp_hkdf_sha256(ikm, rp_view_of(salt, RP_ROOT_SALT), RP_VIEW("rempart root seal"),
                          RP_AEAD_KEY, ret_key);
}

/* The associated data: an opener of one kind never opens a seal of another. */
static rp_view place(const uint8_t *kind) {
    return rp_view_of(kind, 1);
}

rp_err rp_root_seal(const struct rp_env *env, enum rp_root_kind kind, rp_view opener,
                    const struct rp_secret *root, struct rp_buf *out) {
    RP_ASSERT(kind >= RP_ROOT_FILE);
    RP_ASSERT(kind < RP_ROOT_KIND_END);
    RP_ASSERT(rp_secret_size(root) == RP_ROOT_KEY);
    uint8_t salt[RP_ROOT_SALT];
    uint8_t kind_byte = (uint8_t)kind;
    env->fill_random(env->ctx, salt, sizeof salt);
    _cleanup_(rp_secret_freep) struct rp_secret *key = NULL;
    RP_TRY(sealing_key(kind, opener, salt, &key));
    rp_buf_add(out, rp_view_of(magic, sizeof magic));
    rp_buf_add_byte(out, kind_byte);
    rp_buf_add(out, rp_view_of(salt, sizeof salt));
    return rp_aead_seal_secret(env, key, place(&kind_byte), root, out);
}

rp_err rp_root_open(const struct rp_root_seal *seal, rp_view opener, struct rp_secret **ret_root) {
    uint8_t kind_byte = (uint8_t)seal->kind;
    _cleanup_(rp_secret_freep) struct rp_secret *key = NULL;
    RP_TRY(sealing_key(seal->kind, opener, seal->salt, &key));
    rp_err err = rp_aead_open_secret(key, place(&kind_byte), seal->sealed, ret_root);
    return rp_is(err, RP_E_CORRUPT) ? RP_ERR(DENIED) : err;
}

const char *rp_root_kind_name(enum rp_root_kind kind) {
    static const char *const names[RP_ROOT_KIND_END] = {[RP_ROOT_FILE] = "file",
                                                        [RP_ROOT_PASSPHRASE] = "passphrase",
                                                        [RP_ROOT_RECOVERY] = "recovery",
                                                        [RP_ROOT_SHARES] = "shares"};
    RP_ASSERT(kind >= RP_ROOT_FILE);
    RP_ASSERT(kind < RP_ROOT_KIND_END);
    return names[kind];
}
